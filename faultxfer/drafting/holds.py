"""How long to hold the values of tags that have times of their own, by their own rhythm."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from faultxfer.contract.holding import held_values
from faultxfer.contract.schema import Sensor
from faultxfer.drafting.draft import EQUIPMENT, RUN, TIME
from faultxfer.errors import DataError
from faultxfer.reading.table import RawTable

# A tag that lacks a reading in more rows than this may have times of its own.
_LACKS: float = Sensor.model_fields["max_missing"].default
# Fewer steps from reading to reading show no rhythm.
_FEWEST = 5
# A tag with a rhythm: nine of ten steps are at most so many times the usual one, which is longer
# than the step from row to row.
_MOST_STEPS, _REGULAR, _LONGER = 0.9, 2.0, 1.5
# Rows that an outer join made have at most this share of the tags, in the median.
_JOINED = 0.5
# A reading may be lost: the value is held for two usual steps, or for nearly all that were seen.
_STEPS_HELD, _NEARLY_ALL = 2.0, 0.95
_UNITS = (("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))


@dataclass(frozen=True)
class Hold:
    """How long a tag's value counts.

    Attributes:
        seconds: how long, in seconds or steps of the time column.
        text: the same as it stands in a contract.
        every: the usual time between two readings, for people.
    """

    seconds: float
    text: str
    every: str


@dataclass(frozen=True)
class _Rows:
    """Rows of one file: when, and of which recording."""

    seconds: np.ndarray
    recording: np.ndarray


def holds_of(
    values: dict[str, list[pd.Series]], tables: list[RawTable], keys: dict[str, str | None]
) -> dict[str, Hold]:
    """By sensor, how long to hold it; only tags with times of their own.

    Such a tag has no reading in many rows, and either a rhythm of its own, or all tags are like it.

    Args:
        values: by sensor, its (n,) numbers in each file.
        tables: the files.
        keys: column of each key, None where there is none.
    """
    rows = [_rows_of(table, keys) for table in tables]
    timed = [each for each in rows if each is not None]
    if not values or not timed or len(timed) < len(tables):
        return {}
    counts = any(table.times(str(keys[TIME])).style == "a number" for table in tables)
    step = _usual([_steps(each, np.ones(len(each.seconds), dtype=bool)) for each in timed])
    joined = _are_joined(values)
    found = {}
    for name, parts in values.items():
        hold = _hold_of(parts, timed, step, joined=joined, counts=counts)
        if hold is not None:
            found[name] = hold
    return found


def held(
    values: dict[str, list[pd.Series]],
    holds: dict[str, Hold],
    tables: list[RawTable],
    keys: dict[str, str | None],
) -> dict[str, list[pd.Series]]:
    """The values as a contract with these holds sees them."""
    out = dict(values)
    for name, hold in holds.items():
        out[name] = [
            _held(part, _rows_of(table, keys), hold)
            for part, table in zip(values[name], tables, strict=True)
        ]
    return out


def _held(values: pd.Series, rows: _Rows | None, hold: Hold) -> pd.Series:
    if rows is None:
        return values
    filled, _origin = held_values(values.to_numpy(), rows.seconds, rows.recording, hold.seconds)
    return pd.Series(filled, name=values.name)


def _rows_of(table: RawTable, keys: dict[str, str | None]) -> _Rows | None:
    """When the rows were recorded; None where nothing shows it."""
    time = keys[TIME]
    if time is None:
        return None
    try:
        seconds = table.times(time).seconds.to_numpy()
    except DataError:
        return None
    columns = [name for name in (keys[EQUIPMENT], keys[RUN]) if name]
    recording = np.zeros(len(table), dtype=int)
    if columns:
        names = pd.DataFrame({name: table.stripped(name) for name in columns})
        recording = names.groupby(columns, sort=False).ngroup().to_numpy()
    return _Rows(seconds, recording)


def _are_joined(values: dict[str, list[pd.Series]]) -> bool:
    """Whether the median row has readings of few tags, as an outer join makes them."""
    if len(values) < 2:
        return False
    filled = np.mean(
        [np.concatenate([part.notna().to_numpy() for part in parts]) for parts in values.values()],
        axis=0,
    )
    return bool(np.median(filled) <= _JOINED)


def _steps(rows: _Rows, filled: np.ndarray) -> np.ndarray:
    """(m,) times from one filled row to the next one of its recording."""
    known = filled & ~np.isnan(rows.seconds)
    seconds, recording = rows.seconds[known], rows.recording[known]
    order = np.lexsort((seconds, recording))
    steps = np.diff(seconds[order])
    found: np.ndarray = steps[(np.diff(recording[order]) == 0) & (steps > 0)]
    return found


def _usual(steps: list[np.ndarray]) -> float:
    """The median; NaN without steps."""
    every = np.concatenate(steps)
    return float(np.median(every)) if len(every) else math.nan


def _hold_of(
    parts: list[pd.Series], rows: list[_Rows], step: float, *, joined: bool, counts: bool
) -> Hold | None:
    filled = [part.notna().to_numpy() for part in parts]
    if np.concatenate(filled).mean() >= 1 - _LACKS:
        return None
    steps = np.concatenate(list(map(_steps, rows, filled)))
    if len(steps) < _FEWEST:
        return None
    usual = float(np.median(steps))
    regular = float(np.quantile(steps, _MOST_STEPS)) <= _REGULAR * usual
    if not joined and not (regular and usual > _LONGER * step):
        return None
    limit = max(_STEPS_HELD * usual, float(np.quantile(steps, _NEARLY_ALL)))
    seconds, text = _rounded_up(limit, counts=counts)
    return Hold(seconds, text, _rounded_up(usual, counts=counts)[1])


def _rounded_up(seconds: float, *, counts: bool) -> tuple[float, str]:
    """A time with two digits, as people write it; a number alone counts steps.

    >>> _rounded_up(1187.0, counts=False), _rounded_up(90.0, counts=False)
    ((1200.0, '20min'), (90.0, '90s'))
    """
    name, unit = "", 1.0
    if not counts:
        name, unit = next((each for each in _UNITS if seconds >= 2 * each[1]), ("s", 1.0))
    number = seconds / unit
    digits = 10 ** max(math.floor(math.log10(number)) - 1, -2)
    rounded = math.ceil(number / digits - 1e-9) * digits
    text = f"{rounded:.2f}".rstrip("0").rstrip(".")
    return float(text) * unit, f"{text}{name}"
