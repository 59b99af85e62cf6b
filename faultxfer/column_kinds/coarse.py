"""Readings that are rounded so far that they are few values, as codes are."""

from __future__ import annotations

import numpy as np

from faultxfer.column_kinds.rows import ColumnRows

# A class of fewer values than this may as well be told by codes.
_FEWEST_VALUES = 4
# Rounded readings lie on a grid: so many neighbouring values are one step apart.
_ONE_STEP = 0.7


def is_coarse(rows: ColumnRows, name: str) -> bool:
    """Whether few values are rounded readings: a grid of steps on which both classes move.

    From one class to the other it is no further than the readings of a class reach. Codes lie
    anywhere, or a class has a few of them.
    """
    codes = rows.codes(name)
    if codes is None or len(codes) < 2 * _FEWEST_VALUES:
        return False
    values, labels = rows.values[name], rows.labels
    of_class = [np.unique(values[(labels == label) & ~np.isnan(values)]) for label in (0, 1)]
    if min(map(len, of_class)) < _FEWEST_VALUES:
        return False
    steps = np.diff(codes)
    on_a_grid = np.mean(np.isclose(steps, np.median(steps))) >= _ONE_STEP
    return bool(on_a_grid and steps.max() <= max(map(np.ptp, of_class)))
