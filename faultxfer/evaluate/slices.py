"""Parts of the judged rows that a gain on the whole may hide."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def slices_of(
    y: np.ndarray, columns: dict[str, np.ndarray]
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Name of the column, its value, and the (m,) mask of the rows of that part.

    A value that only fault rows carry is a kind of fault, which is told apart from all normal rows; any other value is
    a condition, with its own faults and its own normal rows. Blank cells belong to no part, and a column with one value
    has none. A value without faults is left out, as there is nothing to find in it, and so is one that all rows are
    part of.

    Args:
        y: (m,) labels.
        columns: name -> (m,) values of the judged rows.
    """
    for name, values in columns.items():
        text = values.astype(str)
        found = [value for value in np.unique(text).tolist() if value.strip()]
        for value in found if len(found) > 1 else []:
            rows = text == value
            if not y[rows].any():
                continue
            part = rows if not y[rows].all() else rows | (y == 0)
            if not part.all():
                yield name, value, part
