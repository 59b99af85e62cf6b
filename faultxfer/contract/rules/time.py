"""Rules of time: it grows inside a run, pauses nowhere, and shows each moment once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from faultxfer.contract.rules.protocol import Breach, TableRows
from faultxfer.findings import Severity

# A step is late when it takes this many sampling periods.
_LATE = 1.5


def backwards(rows: TableRows) -> Iterator[Breach]:
    """Rows earlier than the row before them in the same recording."""
    column = rows.contract.time_column
    if rows.seconds is None or column is None:
        return
    places = rows.of(rows.elapsed < 0)
    yield Breach(
        "TIME-BACKWARDS",
        places,
        column,
        f"The time goes back in {len(places)} row(s) of a run",
        "Sort the export by time; a clock set back, or two recordings under one name, "
        "are other causes",
        "times that grow inside a run",
    )


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
        f"a row every {period:g} s",
    )


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
    if rows.coarse:
        message += "; the times are coarser than the rows"
        remedy, severity = "Export times with seconds, or name a run column", "warn"
    expected = "one row for each time of a run"
    yield Breach("TIME-DUPLICATE", later, column, message, remedy, expected, severity)
