"""Values that stand for "no reading": 65535, -9999 and the like, found by where they lie."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Such a value stands in two rows at least and in a tenth at most, beyond all others by more than
# their whole range. 0 is what a machine reads that stands still.
_FEWEST, _MOST_SHARE = 2, 0.1
_MOST_VALUES = 3
# Fewer different values are states, not measurements.
_FEWEST_LEVELS = 10


def values_for_nothing(files: list[pd.Series]) -> tuple[float, ...]:
    """Values of a sensor that are no readings, by all that stands far off and comes again.

    >>> values_for_nothing([pd.Series([*range(20), 65535, 65535])])
    (65535.0,)
    """
    values = np.concatenate([numbers.to_numpy() for numbers in files])
    levels, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    found: list[float] = []
    while len(levels) > _FEWEST_LEVELS and len(found) < _MOST_VALUES:
        end = _far_end(levels, counts, most=_MOST_SHARE * len(values))
        if end is None:
            break
        found.append(float(levels[end]))
        levels, counts = np.delete(levels, end), np.delete(counts, end)
    return tuple(found)


def _far_end(levels: np.ndarray, counts: np.ndarray, *, most: float) -> int | None:
    """Place of the lowest or highest value, if it lies far off the others."""
    with np.errstate(over="ignore"):
        below = levels[1] - levels[0] > levels[-1] - levels[1]
        above = levels[-1] - levels[-2] > levels[-2] - levels[0]
    for end, far in ((0, below), (len(levels) - 1, above)):
        if far and levels[end] != 0 and _FEWEST <= counts[end] <= most:
            return end
    return None
