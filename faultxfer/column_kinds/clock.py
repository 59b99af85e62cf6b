"""Clocks: times written as numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from faultxfer.column_kinds.found import Found
from faultxfer.column_kinds.rows import ColumnRows

# Seconds since 1970 of 1990 and 2100: dates of machines lie between them.
_FROM, _TO = 631_152_000.0, 4_102_444_800.0
_UNITS = (
    (1.0, "seconds since 1970"),
    (1e3, "milliseconds since 1970"),
    (1e6, "microseconds since 1970"),
    (1e9, "nanoseconds since 1970"),
)
_DIGITS = (
    ("%Y%m%d", 1.99e7, 2.1e7),
    ("%Y%m%d%H%M", 1.99e11, 2.1e11),
    ("%Y%m%d%H%M%S", 1.99e13, 2.1e13),
)
# Days since 30 December 1899, as spreadsheets count.
_DAYS = (32_874.0, 73_051.0)
_DAY = 86_400.0
# Fewer rows show no course; a clock goes backwards now and then, as where a file is sorted anew.
_FEWEST_ROWS = 10
_MOST_BACKWARDS = 0.05
_SHARE = 0.98


def clock(rows: ColumnRows, name: str) -> Found | None:
    """A column of dates, in any unit of epoch, in digits, or in the days of a spreadsheet."""
    values = rows.values[name]
    known = values[np.isfinite(values)]
    if len(known) < _FEWEST_ROWS:
        return None
    written = _unit(known) or _digits(known)
    if written is None and _days_of(rows, values):
        written = "days since 1900"
    if written is None or not _goes_on(rows, values):
        return None
    return Found(name, "clock", f"is a clock: {written}")


def _unit(known: np.ndarray) -> str | None:
    for unit, words in _UNITS:
        if np.mean((known >= _FROM * unit) & (known <= _TO * unit)) >= _SHARE:
            return words
    return None


def _digits(known: np.ndarray) -> str | None:
    """Dates in digits alone, such as 20261105."""
    for form, least, most in _DIGITS:
        if np.mean((known >= least) & (known < most) & (known == np.round(known))) < _SHARE:
            continue
        text = pd.Series(known[np.isfinite(known)].astype("int64").astype(str))
        if pd.to_datetime(text, format=form, errors="coerce").notna().mean() >= _SHARE:
            return f"dates written as {form}"
    return None


def _days_of(rows: ColumnRows, values: np.ndarray) -> bool:
    """Whether it counts the days of the time column from 1900 on."""
    if rows.seconds is None or not np.nanmedian(rows.seconds) > _FROM:
        return False
    since = (values - 25_569.0) * _DAY - rows.seconds
    near = np.abs(since) < 2 * _DAY
    in_range = (values > _DAYS[0]) & (values < _DAYS[1])
    return bool(np.mean(near & in_range) >= _SHARE)


def _goes_on(rows: ColumnRows, values: np.ndarray) -> bool:
    """Whether it goes on in one direction in most steps of its recordings, or of its rows."""
    if rows.single_rows:
        return True
    course = values[rows.order]
    same = np.diff(rows.recording[rows.order]) == 0
    step = np.diff(course)[same]
    moves = step[np.isfinite(step) & (step != 0)]
    back = min(np.mean(moves < 0), np.mean(moves > 0)) if len(moves) else 1.0
    return bool(back <= _MOST_BACKWARDS)
