"""Quality columns: few codes that go with missing or doubtful readings of another tag."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from faultxfer.column_kinds.found import Found
from faultxfer.column_kinds.rows import ColumnRows

# Good, bad, uncertain, simulated, and some between.
_MOST_CODES = 8
# Fewer rows that are not good show nothing.
_FEWEST = 5
_MOST_DOUBTFUL = 0.5
# How often a reading is bad where the quality is not good, and where it is.
_GOES_WITH, _BESIDES = 0.6, 0.1
# A tag that often repeats its value by itself must repeat it in nearly all doubtful rows.
_ALWAYS, _OFTEN = 0.95, 0.6
# A dead tag holds its last value, another one each time; a machine that stands still reads 0 again
# and again.
_OTHER_VALUES = 0.5
_ENOUGH_VALUES = 6
# What OPC writes for good, and for bad and uncertain (the two lowest bits are limits).
_OPC_GOOD = frozenset((192.0, 216.0))
_OPC_OTHER = frozenset(
    (*(float(code) for code in range(0, 32, 4)), *(64.0, 68.0, 80.0, 84.0, 88.0), *_OPC_GOOD)
)
# Values that one tag reads again and again, far from all others, are no readings.
_FAR, _FEW_VALUES = 1.0, 3


def quality(rows: ColumnRows, name: str) -> Found | None:
    """A column that says which readings of another column are to be believed."""
    codes = rows.codes(name)
    if codes is None or not 2 <= len(codes) <= _MOST_CODES or (codes != np.round(codes)).any():
        return None
    values = rows.values[name]
    good = _usual(values, codes)
    doubtful = (values != good) & ~np.isnan(values)
    if not _FEWEST <= doubtful.sum() <= _MOST_DOUBTFUL * len(values):
        return None
    of = _qualified(rows, name, doubtful)
    if of is not None:
        words = f"is the quality of {of!r}: its readings are doubtful where it is not {good:g}"
        return Found(name, "quality", words, of=of)
    if good in _OPC_GOOD and set(codes.tolist()) <= _OPC_OTHER:
        return Found(name, "quality", "is a quality: it holds the codes of OPC alone")
    return None


def qualified_columns(rows: ColumnRows, name: str) -> dict[str, float]:
    """By column, how well its bad readings go with the codes that are not the usual one.

    Columns whose readings are as bad elsewhere are none of these; 1.0 is a perfect match.
    """
    codes = rows.codes(name)
    if codes is None or not 2 <= len(codes) <= _MOST_CODES:
        return {}
    values = rows.values[name]
    doubtful = (values != _usual(values, codes)) & ~np.isnan(values)
    if not _FEWEST <= doubtful.sum() <= _MOST_DOUBTFUL * len(values):
        return {}
    found = {}
    for other in _others(rows, name):
        bad = _bad_readings(rows, rows.values[other], doubtful)
        if bad is not None:
            found[other] = float(bad[doubtful].mean() - bad[~doubtful].mean())
    return found


def _bad_readings(rows: ColumnRows, values: np.ndarray, doubtful: np.ndarray) -> np.ndarray | None:
    """(n,) bool, readings that are missing, dead or far off; None where that is not related."""
    missing: np.ndarray = np.isnan(values)
    far: np.ndarray = _sentinel(values, doubtful) | missing
    if _related(missing, doubtful):
        return missing
    if _is_dead(rows, values, doubtful):
        dead: np.ndarray = _held(rows, values) | missing
        return dead
    return far if _related(far, doubtful) else None


def usual_code(rows: ColumnRows, name: str) -> float | None:
    """The commonest code of a column; None where it holds no codes."""
    codes = rows.codes(name)
    return None if codes is None else _usual(rows.values[name], codes)


def _usual(values: np.ndarray, codes: np.ndarray) -> float:
    counts = [int((values == code).sum()) for code in codes]
    return float(codes[int(np.argmax(counts))])


def _others(rows: ColumnRows, name: str) -> Iterator[str]:
    """Columns of measurements, the nearest in the file first."""
    names = list(rows.values)
    place = names.index(name)
    for other in sorted(names, key=lambda each: _distance(names.index(each), place)):
        if other != name and rows.codes(other) is None:
            yield other


def _distance(other: int, place: int) -> tuple[int, bool]:
    """How far off a column stands; of two as near the one before."""
    return abs(other - place), other > place


def _qualified(rows: ColumnRows, name: str, doubtful: np.ndarray) -> str | None:
    """The column whose readings are bad where the quality is.

    Where several sensors read something far off at once, the machine is in another state.
    """
    far_off = []
    for other in _others(rows, name):
        values = rows.values[other]
        missing = np.isnan(values)
        if _related(missing, doubtful) or _is_dead(rows, values, doubtful):
            return other
        if _related(_sentinel(values, doubtful) | missing, doubtful):
            far_off.append(other)
    return far_off[0] if len(far_off) == 1 else None


def _related(bad: np.ndarray, doubtful: np.ndarray) -> bool:
    with_it, besides = float(bad[doubtful].mean()), float(bad[~doubtful].mean())
    if besides <= _BESIDES:
        return with_it >= _GOES_WITH
    return with_it >= _ALWAYS and besides <= _OFTEN


def _is_dead(rows: ColumnRows, values: np.ndarray, doubtful: np.ndarray) -> bool:
    """Whether a tag repeats its last good value where the quality is not good."""
    held = _held(rows, values)
    if not _related(held | np.isnan(values), doubtful):
        return False
    again = values[held & doubtful]
    good = values[~doubtful]
    if np.mean((again >= np.nanmin(good)) & (again <= np.nanmax(good))) < _ALWAYS:
        return False
    begins = np.diff(doubtful[rows.order].astype(int), prepend=0) > 0
    enough = _OTHER_VALUES * min(int(begins.sum()), _ENOUGH_VALUES)
    return len(np.unique(again)) >= enough


def _held(rows: ColumnRows, values: np.ndarray) -> np.ndarray:
    """(n,) bool, whether a reading is the one before again, as where a tag is dead."""
    held = np.zeros(len(values), dtype=bool)
    order = rows.order
    group = rows.machine if rows.single_rows else rows.recording
    held[order[1:]] = (np.diff(values[order]) == 0) & (np.diff(group[order]) == 0)
    return held


def _sentinel(values: np.ndarray, doubtful: np.ndarray) -> np.ndarray:
    """(n,) bool, readings beyond all good ones that are few different values."""
    good = values[~doubtful]
    low, high = np.nanquantile(good, 0.005), np.nanquantile(good, 0.995)
    margin = _FAR * (high - low)
    far = (values < low - margin) | (values > high + margin)
    return far if len(np.unique(values[far & doubtful])) <= _FEW_VALUES else np.zeros_like(far)
