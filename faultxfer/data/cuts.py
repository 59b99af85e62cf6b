"""Between which cuts values lie."""

from __future__ import annotations

import numpy as np


def cuts_below(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """(n,) how many of (c,) ascending cuts lie below each of (n,) values, not at it.

    >>> cuts_below(np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0])).tolist()
    [2, 0, 1]

    Values in their order are cut in one go, which takes half of a search for each of them.
    """
    order = np.argsort(values)
    ends = np.searchsorted(values[order], cuts, side="right")
    found = np.empty(len(values), dtype=np.intp)
    counts = np.diff(ends, prepend=0, append=len(values))
    found[order] = np.repeat(np.arange(len(cuts) + 1), counts)
    return found
