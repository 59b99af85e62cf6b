"""Rules of time: it grows inside a run, pauses nowhere, and shows each moment once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from faultxfer.contract.rules.protocol import Breach, TableRows
from faultxfer.findings import Severity

if TYPE_CHECKING:
    from faultxfer.contract.schema import Contract

# Seconds since 1970, of 1973. What is smaller may count from the beginning of a file or a run.
DATES_FROM = 1e8
# A step is late when it takes this many sampling periods.
_LATE = 1.5
# Rows are too dense or too sparse where the median step differs from the period by this factor, and
# fewer steps than this show nothing.
_OTHER_PACE = 2.0
_FEWEST_STEPS = 10
# Clocks go back in the small hours of a Sunday, in autumn of the northern or the southern half.
_SUNDAY, _SMALL_HOURS, _MONTHS_OF_CHANGE = 6, (0, 1, 2, 3), (3, 4, 10, 11)
_REPEATED = ", all in the hour that clocks repeat in autumn"
_ONE_MOMENT = (
    "Export times in UTC or with their offset; or, where rows stand in the order of time, pin the "
    "zone of the clock, such as `csv: {timezone: Europe/Berlin, repeated_hour: in_order}`"
)


def backwards(rows: TableRows) -> Iterator[Breach]:
    """Rows earlier than the row before them in the same recording."""
    column = rows.contract.time_column
    if rows.seconds is None or column is None:
        return
    places = rows.of(rows.elapsed < 0)
    message = f"The time goes back in {len(places)} row(s) of a run"
    remedy = (
        "Sort the export by time; a clock set back, or two recordings under one name, "
        "are other causes"
    )
    if _in_repeated_hour(rows, places):
        message, remedy = message + _REPEATED, _ONE_MOMENT
    yield Breach("TIME-BACKWARDS", places, column, message, remedy, "times that grow inside a run")


def gap(rows: TableRows) -> Iterator[Breach]:
    """Rows that come late after the row before them, by the contract's ``sampling_period``.

    A recording that pauses is two recordings.
    """
    period, column = rows.contract.sampling_period, rows.contract.time_column
    if rows.seconds is None or period is None or column is None:
        return
    places = rows.of(rows.elapsed > _LATE * period)
    yield Breach(
        "TIME-GAP",
        places,
        column,
        f"{len(places)} row(s) come more than {_LATE:g} sampling periods after the row before",
        "Fill the export, or give the parts before and after the gap different runs",
        f"a row every {_spelt(period, _dated(rows.seconds))}",
    )


def step(rows: TableRows) -> Iterator[Breach]:
    """A file whose rows stand closer or further apart than the contract's ``sampling_period``.

    What a model learnt of ten minutes it does not know of seconds: noise, and how long things last.
    """
    period, column = rows.contract.sampling_period, rows.contract.time_column
    if rows.seconds is None or period is None or column is None:
        return
    steps = rows.elapsed[rows.elapsed > 0]
    yield from of_pace(steps, rows.contract, dated=_dated(rows.seconds))


def of_pace(steps: np.ndarray, contract: Contract, *, dated: bool) -> Iterator[Breach]:
    """What is said of the lengths (m,) of the steps of a file, for a contract with a period.

    Args:
        steps: those by which time grows.
        contract: names the column of time.
        dated: whether times are dates.
    """
    period, column = contract.sampling_period, contract.time_column
    if len(steps) < _FEWEST_STEPS or period is None or column is None:
        return
    usual = float(np.median(steps))
    if period / _OTHER_PACE < usual < period * _OTHER_PACE:
        return
    kind = "dense" if usual < period else "sparse"
    yield Breach(
        "TIME-STEP",
        np.array([], dtype=int),
        column,
        f"The rows are too {kind}: one every {_spelt(usual, dated)}, where the contract "
        f"says {_spelt(period, dated)}",
        "Export with the contract's sampling period; if this one is right for all machines, change "
        "`sampling_period` and pretrain again",
        f"a row every {_spelt(period, dated)}",
        received=f"a row every {_spelt(usual, dated)}",
    )


def _dated(seconds: np.ndarray) -> bool:
    return bool(np.abs(seconds).min() >= DATES_FROM)


def _spelt(length: float, dated: bool) -> str:
    """A length of time; what a column of numbers counts is not known.

    >>> _spelt(600, True), _spelt(5, False)
    ('600 s', '5 (in the unit of the time column)')
    """
    return f"{length:g} s" if dated else f"{length:g} (in the unit of the time column)"


def time_duplicate(rows: TableRows) -> Iterator[Breach]:
    """Rows with the time of an earlier row of the same recording."""
    moments, column = rows.moments, rows.contract.time_column
    if moments is None or column is None:
        return
    # Copies of a whole row have a rule of their own.
    keys = {"moment": moments, "readings": rows.readings, "fault": rows.fault}
    copies = pd.DataFrame(keys).duplicated()
    later = np.flatnonzero(pd.Series(moments).duplicated() & ~copies)
    message = f"{len(later)} row(s) have the time of an earlier row of the same run"
    remedy = "Find out which of the rows is right"
    severity: Severity | None = None
    if _in_repeated_hour(rows, later):
        message, remedy = message + _REPEATED, _ONE_MOMENT
    elif rows.coarse:
        message += "; the times are coarser than the rows"
        remedy, severity = "Export times with seconds", "warn"
        if rows.contract.run_column is None:
            remedy += ", or name a run column"
    expected = "one row for each time of a run"
    yield Breach("TIME-DUPLICATE", later, column, message, remedy, expected, severity)


def _in_repeated_hour(rows: TableRows, places: np.ndarray) -> bool:
    """Whether all these rows lie where clocks without a zone go back by an hour.

    The rows after the change have the times of those before it, so nothing else of them is odd.
    """
    if rows.seconds is None or not len(places) or rows.contract.csv.timezone:
        return False
    seconds = rows.seconds[places]
    if np.abs(seconds).min() < DATES_FROM:
        return False
    times = pd.DatetimeIndex(pd.to_datetime(seconds, unit="s", errors="coerce"))
    at_night = (times.day_of_week == _SUNDAY) & times.hour.isin(_SMALL_HOURS)
    return bool((at_night & times.month.isin(_MONTHS_OF_CHANGE)).all())
