"""The last value of a sensor, held until the next one, where tags have times of their own."""

from __future__ import annotations

import numpy as np


def held_values(
    values: np.ndarray, seconds: np.ndarray, recording: np.ndarray, limit: float
) -> tuple[np.ndarray, np.ndarray]:
    """Values with the missing ones held, and which place each is from: its own, if not held.

    A value is held inside its recording, for at most ``limit``, and never comes from a later row.

    >>> held_values(np.array([1.0, np.nan, np.nan]), np.array([0.0, 5.0, 20.0]), np.zeros(3), 10.0)
    (array([ 1.,  1., nan]), array([0, 0, 2]))

    Args:
        values: (n,) NaN where missing.
        seconds: (n,) time; NaN where unknown.
        recording: (n,) equal for rows of one machine and run.
        limit: how long a value counts, in the unit of ``seconds``.
    """
    order = np.lexsort((seconds, recording))
    sorted_values, time, of = values[order], seconds[order], recording[order]
    known = ~np.isnan(sorted_values)
    last = np.maximum.accumulate(np.where(known, np.arange(len(order)), 0))
    with np.errstate(invalid="ignore"):
        fresh = time - time[last] <= limit
    fills = ~known & known[last] & (of[last] == of) & fresh
    origin = np.arange(len(values))
    origin[order[fills]] = order[last[fills]]
    return values[origin], origin
