"""Which rows of long runs are enough to learn from: neighbours in a run hardly differ."""

from __future__ import annotations

import numpy as np

# Of a class of a run so many stay, however many rows there are in all.
_LEAST_OF_RUN = 100
# The same of a sample, which whole runs are left out of rather than fewer.
_LEAST_OF_SAMPLE = 10


def thinned(y: np.ndarray, run: np.ndarray, most: int, least: int = _LEAST_OF_RUN) -> np.ndarray:
    """Ascending positions of the rows that stay where there are more than ``most``.

    Each class of each run gives as many rows as leave ``most`` in all, the same number wherever it
    has more, evenly spaced in their order; but never fewer than ``least``. So rare faults stay,
    many short runs stay as they are, and long ones give way.

    >>> y, run = np.repeat([0, 1, 0], [5000, 20, 50]), np.repeat(["a", "b"], [5020, 50])
    >>> kept = thinned(y, run, most=1000)
    >>> len(kept), int(y[kept].sum()), kept[:3].tolist()
    (1000, 20, [5, 10, 16])

    Args:
        y: (n,) labels.
        run: (n,) recording of each row.
        most: rows that all may be kept of.
        least: rows of a class of a run that always stay.
    """
    if len(y) <= most:
        return np.arange(len(y))
    _, number = np.unique(run.astype(str), return_inverse=True)
    _, group, sizes = np.unique(2 * number + y, return_inverse=True, return_counts=True)
    kept = np.minimum(sizes, max(least, _level(sizes, most)))
    order = np.argsort(group, kind="stable")
    place = np.empty(len(y), dtype=int)
    place[order] = np.arange(len(y)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    stays, there = kept[group], sizes[group]
    return np.flatnonzero((place + 1) * stays // there > place * stays // there)


def sampled(y: np.ndarray, run: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Ascending positions of about ``most`` rows at most, of all runs as long as that goes.

    Long runs give way first (:func:`thinned`). Where that is not enough, whole runs are drawn, the
    same share of those with a fault and of those without.

    Args:
        y: (n,) labels.
        run: (n,) recording of each row.
        most: rows that all may be kept of.
        seed: of the draw.
    """
    rows = thinned(y, run, most, _LEAST_OF_SAMPLE)
    if len(rows) <= most:
        return rows
    names, number = np.unique(run[rows].astype(str), return_inverse=True)
    faulty = np.bincount(number, weights=y[rows]) > 0
    stays = np.zeros(len(names), dtype=bool)
    draws = np.random.default_rng(seed)
    for group in (np.flatnonzero(faulty), np.flatnonzero(~faulty)):
        count = max(1, int(len(group) * most / len(rows)))
        stays[draws.permutation(group)[:count]] = True
    return np.asarray(rows[stays[number]])


def _level(sizes: np.ndarray, most: int) -> int:
    """The largest number by which (g,) sizes may be limited so that they sum to no more."""
    low, high = 0, int(sizes.max())
    while low < high:
        middle = (low + high + 1) // 2
        if np.minimum(sizes, middle).sum() <= most:
            low = middle
        else:
            high = middle - 1
    return low
