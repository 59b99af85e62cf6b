"""Leaks: few codes, or one value and others, that separate the labels."""

from __future__ import annotations

import numpy as np

from faultxfer.column_kinds.evidence import chance, two_classes
from faultxfer.column_kinds.found import Found
from faultxfer.column_kinds.rows import ColumnRows

# Of the rows of one class this share at most may be marked wrongly (a code that comes or goes late
# is still a code), if so many of the other class are marked rightly.
_MOST_WRONG = 0.02
_FAULTS_SHOWN, _NORMALS_SHOWN = 0.5, 0.8
# So rarely do harmless codes agree with the labels of as many stretches of rows.
_RARELY = 0.003
# Codes are learnt on other stretches than those they are judged on.
_FOLDS = 5
# The usual value of normal rows, where other values are too many for codes.
_USUAL_SHARE = 0.98
_SHOWN = 3


def leak(rows: ColumnRows, name: str) -> Found | None:
    """A column whose codes know the label.

    A controller's state word, an alarm bit, a stop timer that is 0 while the machine is well.
    """
    if not two_classes(rows):
        return None
    marks = _marks_of(rows, name)
    if marks is None or not _separate(rows, marks) or chance(rows, marks) > _RARELY:
        return None
    return Found(name, "leak", _reason(rows, name))


def _separate(rows: ColumnRows, marks: np.ndarray) -> bool:
    """Whether nearly all rows of one class are marked rightly, and most of the other.

    A row without a mark counts against the column.
    """
    assert rows.fault is not None
    of_fault = float((marks[rows.fault == 1] == 1).mean())
    of_normal = float((marks[rows.fault == 0] == 0).mean())
    if of_normal >= 1 - _MOST_WRONG:
        return of_fault >= _FAULTS_SHOWN
    return of_fault >= 1 - _MOST_WRONG and of_normal >= _NORMALS_SHOWN


def _marks_of(rows: ColumnRows, name: str) -> np.ndarray | None:
    """(n,) 1.0 where the column says fault, 0.0 where it says normal; NaN where it is missing."""
    values = rows.values[name]
    codes = rows.codes(name)
    if codes is None:
        return _marks_by_usual_value(rows, values)
    if len(codes) < 2:
        return None
    return _learnt_elsewhere(rows, values, codes)


def _marks_by_usual_value(rows: ColumnRows, values: np.ndarray) -> np.ndarray | None:
    """What differs from the one value of normal rows; None where they have several."""
    assert rows.fault is not None
    normal = values[rows.fault == 0]
    usual = np.nanmedian(normal) if np.isfinite(normal).any() else np.nan
    if not np.mean(normal == usual) >= _USUAL_SHARE:
        return None
    return np.where(np.isnan(values), np.nan, values != usual)


def _learnt_elsewhere(rows: ColumnRows, values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The label that goes with each row's code in the other folds of stretches.

    A code that none of them has tells nothing, unless all their normal rows have another one.
    """
    assert rows.fault is not None
    fold = _fold_of_rows(rows)
    code = np.searchsorted(codes, values)
    code[np.isnan(values)] = len(codes)
    marks = np.full(len(rows), np.nan)
    for number in range(_FOLDS):
        meaning = _meaning(code, rows.fault, fold != number, len(codes) + 1)
        judged = fold == number
        marks[judged] = meaning[code[judged]]
    marks[np.isnan(values)] = np.nan
    return marks


def _fold_of_rows(rows: ColumnRows) -> np.ndarray:
    """(n,) the fold of each row's stretch; stretches of a class take turns."""
    fault = rows.stretches.fault
    turn = np.zeros(len(fault), dtype=int)
    for label in (True, False):
        of_class = fault == label
        turn[of_class] = np.arange(of_class.sum()) % _FOLDS
    return np.where(rows.stretches.number < 0, -1, turn[rows.stretches.number])


def _meaning(code: np.ndarray, fault: np.ndarray, learn: np.ndarray, codes: int) -> np.ndarray:
    """By code 1.0 (more usual among faults), 0.0 (among normal rows) or NaN (never seen)."""
    faulty = np.bincount(code[learn & (fault == 1)], minlength=codes)
    normal = np.bincount(code[learn & (fault == 0)], minlength=codes)
    shares = faulty / max(faulty.sum(), 1), normal / max(normal.sum(), 1)
    meaning = np.where(shares[0] > shares[1], 1.0, 0.0)
    one_normal = normal.max(initial=0) >= _USUAL_SHARE * normal.sum()
    meaning[faulty + normal == 0] = 1.0 if one_normal else np.nan
    return meaning


def _reason(rows: ColumnRows, name: str) -> str:
    assert rows.fault is not None
    values = rows.values[name]
    in_fault, in_normal = values[rows.fault == 1], values[rows.fault == 0]
    return f"tells the label: {_usual(in_normal)} in normal rows, {_usual(in_fault)} in fault rows"


def _usual(values: np.ndarray) -> str:
    """The most usual values of a class, for people."""
    levels, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    usual = levels[np.argsort(-counts, kind="stable")][:_SHOWN]
    shown = ", ".join(f"{value:g}" for value in usual)
    more = len(levels) - len(usual)
    return f"{shown} and {more} more" if more else shown
