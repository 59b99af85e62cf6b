"""How much rows with labels prove: counted by what happened, not by rows."""

from __future__ import annotations

import numpy as np
from scipy.stats import hypergeom

from faultxfer.column_kinds.rows import ColumnRows

# Fewer rows of a class can agree by chance.
LEAST_ROWS = 10
# A stretch counts as marked where this share of its rows is.
_MARKED = 0.4


def two_classes(rows: ColumnRows) -> bool:
    """Whether there are rows enough of both classes."""
    if rows.fault is None:
        return False
    return bool(min((rows.fault == 1).sum(), (rows.fault == 0).sum()) >= LEAST_ROWS)


def chance(rows: ColumnRows, marks: np.ndarray) -> float:
    """How probably marks that know nothing of the labels agree with them as well as these.

    Fisher's exact test over the stretches of rows with one label. In a recording that has both
    labels the marks had to change at the right moment too, so its stretches count twice.

    Args:
        rows: labelled rows.
        marks: (n,) bool, rows of which the marks say "fault".
    """
    stretches = rows.stretches
    known = stretches.number >= 0
    sizes = np.bincount(stretches.number[known])
    share = np.bincount(stretches.number[known], weights=marks[known]) / sizes
    marked, weight = share >= _MARKED, np.where(stretches.mixed, 2, 1)
    total, faults = int(weight.sum()), int(weight[stretches.fault].sum())
    hits = int(weight[marked & stretches.fault].sum())
    return float(hypergeom.sf(hits - 1, total, faults, int(weight[marked].sum())))
