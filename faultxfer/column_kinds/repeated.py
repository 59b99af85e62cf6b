"""Copies: the same column twice, and columns that never change."""

from __future__ import annotations

import numpy as np

from faultxfer.column_kinds.found import Found
from faultxfer.column_kinds.rows import ColumnRows

# Columns of a few states may agree by chance.
_FEWEST_VALUES = 20


def copy(rows: ColumnRows, name: str) -> Found | None:
    """A column that holds in every row what a column before it holds."""
    values = rows.values[name]
    codes = rows.codes(name)
    if codes is not None and len(codes) < _FEWEST_VALUES:
        return None
    for other, before in rows.values.items():
        if other == name:
            return None
        if before[0] == values[0] and np.array_equal(before, values, equal_nan=True):
            return Found(name, "copy", f"repeats {other!r} in every row", of=other)
    return None


def constant(rows: ColumnRows, name: str) -> Found | None:
    """A column with one value in all rows of all machines: no harm, and no use."""
    codes = rows.codes(name)
    if codes is None or len(codes) != 1:
        return None
    return Found(name, "constant", f"is {codes[0]:g} in every row")
