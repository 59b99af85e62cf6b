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
    for other in _others(rows, name):
        if _goes_with(rows, other, doubtful):
            words = f"is the quality of {other!r}: its readings are doubtful where it is not "
            return Found(name, "quality", f"{words}{good:g}", of=other)
    if good in _OPC_GOOD and set(codes.tolist()) <= _OPC_OTHER:
        return Found(name, "quality", "is a quality: it holds the codes of OPC alone")
    return None


def _usual(values: np.ndarray, codes: np.ndarray) -> float:
    counts = [int((values == code).sum()) for code in codes]
    return float(codes[int(np.argmax(counts))])


def _others(rows: ColumnRows, name: str) -> Iterator[str]:
    """Columns of measurements, the nearest in the file first."""
    names = list(rows.values)
    place = names.index(name)
    for other in sorted(names, key=lambda each: (abs(names.index(each) - place), each > name)):
        if other != name and rows.codes(other) is None:
            yield other


def _goes_with(rows: ColumnRows, other: str, doubtful: np.ndarray) -> bool:
    values = rows.values[other]
    missing = np.isnan(values)
    if _related(missing, doubtful):
        return True
    if _related(_held(rows, values) | missing, doubtful):
        return True
    return _related(_sentinel(values, doubtful) | missing, doubtful)


def _related(bad: np.ndarray, doubtful: np.ndarray) -> bool:
    besides = float(bad[~doubtful].mean())
    return float(bad[doubtful].mean()) >= _GOES_WITH and besides <= _BESIDES


def _held(rows: ColumnRows, values: np.ndarray) -> np.ndarray:
    """(n,) bool, whether a reading is the one before again, as a dead tag repeats its last value."""
    held = np.zeros(len(values), dtype=bool)
    order = rows.order
    same = (np.diff(values[order]) == 0) & (np.diff(rows.recording[order]) == 0)
    held[order[1:]] = same
    return held


def _sentinel(values: np.ndarray, doubtful: np.ndarray) -> np.ndarray:
    """(n,) bool, readings beyond all good ones that are few different values."""
    good = values[~doubtful]
    low, high = np.nanquantile(good, 0.005), np.nanquantile(good, 0.995)
    margin = _FAR * (high - low)
    far = (values < low - margin) | (values > high + margin)
    return far if len(np.unique(values[far & doubtful])) <= _FEW_VALUES else np.zeros_like(far)
