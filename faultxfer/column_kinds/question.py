"""Sensors that separate the labels by themselves: a question to people, no leak."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from faultxfer.column_kinds.coarse import is_coarse
from faultxfer.column_kinds.evidence import chance, two_classes
from faultxfer.column_kinds.found import Found
from faultxfer.column_kinds.rows import ColumnRows

# ROC-AUC of the column alone, in either direction.
_SEPARATES = 0.99
_RARELY = 0.003
# The area is taken from so many rows at most.
_ROWS = 20_000


def question(rows: ColumnRows, name: str) -> Found | None:
    """A measurement, rounded or not, that alone puts the fault rows on one side of the others."""
    if not two_classes(rows):
        return None
    if rows.codes(name) is not None and not is_coarse(rows, name):
        return None
    values = rows.values[name]
    every = max(1, len(values) // _ROWS)
    area = _roc_auc(values[::every], rows.labels[::every])
    if max(area, 1 - area) < _SEPARATES:
        return None
    if chance(rows, _side(values, rows.labels, area)) > _RARELY:
        return None
    words = (
        f"separates the labels by itself (ROC-AUC {max(area, 1 - area):.3f}): "
        "is it known before the fault is?"
    )
    return Found(name, "question", words)


def _roc_auc(values: np.ndarray, fault: np.ndarray) -> float:
    known = np.isfinite(values) & ~np.isnan(fault)
    faulty = fault[known] == 1
    faults, normals = int(faulty.sum()), int((~faulty).sum())
    if not faults or not normals:
        return 0.5
    above = rankdata(values[known])[faulty].sum() - faults * (faults + 1) / 2
    return float(above / (faults * normals))


def _side(values: np.ndarray, fault: np.ndarray, area: float) -> np.ndarray:
    """(n,) bool, rows beyond the middle between the two classes, on the side of the faults."""
    middle = (np.nanmedian(values[fault == 1]) + np.nanmedian(values[fault == 0])) / 2
    side: np.ndarray = values > middle if area >= 0.5 else values < middle
    return side
