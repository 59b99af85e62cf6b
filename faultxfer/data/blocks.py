"""Rows in the order of time, and contiguous blocks of them."""

from __future__ import annotations

import numpy as np


class NotInOrderError(Exception):
    """A row comes after later ones of its recording, in an earlier part."""


def rows_in_order(run: np.ndarray, time: np.ndarray) -> np.ndarray:
    """(n,) positions of the rows, run by run in the order of time.

    Rows of equal time, or without one, keep their order:

    >>> rows_in_order(np.array(["b", "a", "b", "a"]), np.array([0.0, 9.0, 1.0, 3.0])).tolist()
    [3, 1, 0, 2]

    Args:
        run: (n,) recording of each row, as numbers or text.
        time: (n,) time of each row; NaN where there is none.
    """
    return np.lexsort((np.arange(len(run)), np.nan_to_num(time), run))


def blocks_of(group: np.ndarray, order: np.ndarray, count: int) -> np.ndarray:
    """(n,) number of each row's block: every group is cut into ``count`` contiguous blocks.

    >>> blocks_of(np.array(["a", "a", "b", "a", "b", "a"]), np.arange(6), 2).tolist()
    [0, 0, 0, 1, 1, 1]

    Args:
        group: (n,) what is cut by itself, such as the run and class of each row.
        order: (n,) positions of the rows in the order in which blocks are contiguous.
        count: blocks of each group; a group with fewer rows has fewer.
    """
    block = np.empty(len(group), dtype=int)
    for name in np.unique(group):
        inside = order[group[order] == name]
        for number, rows in enumerate(np.array_split(inside, count)):
            block[rows] = number
    return block
