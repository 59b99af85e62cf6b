"""Leaks: few codes, or one value and others, that separate the labels."""

from __future__ import annotations

import numpy as np

from faultxfer.column_kinds.coarse import is_coarse
from faultxfer.column_kinds.evidence import chance, two_classes
from faultxfer.column_kinds.found import Found
from faultxfer.column_kinds.rows import ColumnRows

# A code is of one class where it is so many times as usual there as in the other.
_MORE_USUAL = 10.0
# Codes of faults may stand in this share of the normal rows at most (a code that comes or goes late
# is still a code), and must show in this share of the fault rows; and the other way round.
_MOST_WRONG = 0.02
_FAULTS_SHOWN, _NORMALS_SHOWN = 0.5, 0.8
# Codes that no other stretch has tell nothing; where more rows than this have one, they are no
# codes.
_MOST_UNSEEN = 0.2
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
    if not two_classes(rows) or is_coarse(rows, name):
        return None
    meaning = _meaning_of_rows(rows, name)
    if meaning is None or not _separate(rows, meaning):
        return None
    return Found(name, "leak", _reason(rows, name))


def _separate(rows: ColumnRows, meaning: np.ndarray) -> bool:
    """Whether codes of faults mark most fault rows, or codes of normal rows most of those."""
    faulty, normal = meaning[rows.labels == 1], meaning[rows.labels == 0]
    if max(np.isnan(faulty).mean(), np.isnan(normal).mean()) > _MOST_UNSEEN:
        return False
    faulty, normal = faulty[~np.isnan(faulty)], normal[~np.isnan(normal)]
    if np.mean(normal == 1) <= _MOST_WRONG and np.mean(faulty == 1) >= _FAULTS_SHOWN:
        return chance(rows, meaning == 1) <= _RARELY
    if np.mean(faulty == 0) <= _MOST_WRONG and np.mean(normal == 0) >= _NORMALS_SHOWN:
        return chance(rows, meaning > 0) <= _RARELY
    return False


def _meaning_of_rows(rows: ColumnRows, name: str) -> np.ndarray | None:
    """(n,) 1.0 for codes of faults, 0.0 of normal rows, 0.5 of both; NaN where nothing is known."""
    values = rows.values[name]
    codes = rows.codes(name)
    if codes is None:
        return _unlike_the_usual(rows, values)
    if len(codes) < 2:
        return None
    return _learnt_elsewhere(rows, values, codes)


def _unlike_the_usual(rows: ColumnRows, values: np.ndarray) -> np.ndarray | None:
    """What differs from the one value of normal rows; None where they have several."""
    normal = values[rows.labels == 0]
    usual = np.nanmedian(normal) if np.isfinite(normal).any() else np.nan
    if not np.mean(normal == usual) >= _USUAL_SHARE:
        return None
    return np.where(np.isnan(values), np.nan, values != usual)


def _learnt_elsewhere(rows: ColumnRows, values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """What each row's code means in the other folds of stretches."""
    fold = _fold_of_rows(rows)
    code = np.searchsorted(codes, values)
    code[np.isnan(values)] = len(codes)
    of_rows = np.full(len(rows), np.nan)
    for number in range(_FOLDS):
        meaning = _meaning(code, rows.labels, (fold != number) & (fold >= 0), len(codes) + 1)
        judged = fold == number
        of_rows[judged] = meaning[code[judged]]
    of_rows[np.isnan(values)] = np.nan
    return of_rows


def _fold_of_rows(rows: ColumnRows) -> np.ndarray:
    """(n,) the fold of each row's stretch; stretches of a class take turns."""
    fault = rows.stretches.fault
    turn = np.zeros(len(fault), dtype=int)
    for label in (True, False):
        of_class = fault == label
        turn[of_class] = np.arange(of_class.sum()) % _FOLDS
    return np.where(rows.stretches.number < 0, -1, turn[rows.stretches.number])


def _meaning(code: np.ndarray, fault: np.ndarray, learn: np.ndarray, codes: int) -> np.ndarray:
    """By code 1.0 (of faults), 0.0 (of normal rows), 0.5 (of both) or NaN (never seen).

    A code never seen is one of faults where all normal rows have one and the same.
    """
    faulty = np.bincount(code[learn & (fault == 1)], minlength=codes)
    normal = np.bincount(code[learn & (fault == 0)], minlength=codes)
    of_fault, of_normal = faulty / max(faulty.sum(), 1), normal / max(normal.sum(), 1)
    meaning = np.full(codes, 0.5)
    meaning[of_fault > _MORE_USUAL * of_normal] = 1.0
    meaning[of_normal > _MORE_USUAL * of_fault] = 0.0
    one_normal = normal.max(initial=0) >= _USUAL_SHARE * normal.sum()
    meaning[faulty + normal == 0] = 1.0 if one_normal else np.nan
    return meaning


def _reason(rows: ColumnRows, name: str) -> str:
    values = rows.values[name]
    in_fault, in_normal = values[rows.labels == 1], values[rows.labels == 0]
    return f"tells the label: {_usual(in_normal)} in normal rows, {_usual(in_fault)} in fault rows"


def _usual(values: np.ndarray) -> str:
    """The most usual values of a class, for people."""
    levels, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    usual = levels[np.argsort(-counts, kind="stable")][:_SHOWN]
    shown = ", ".join(f"{value:g}" for value in usual)
    more = len(levels) - len(usual)
    return f"{shown} and {more} more" if more else shown
