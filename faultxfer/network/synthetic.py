"""Rows made of the source's own, for a teacher to label: how a network gets as many rows as it needs to learn trees.

Bucilă, Caruana & Niculescu-Mizil, "Model compression", KDD 2006: half of them by MUNGE, where a row takes some of its
sensors from a near neighbour, with a little noise of the neighbour's distance; in the other half it takes them from
rows anywhere, so that the network follows the trees on runs that are unlike those of the source, too.
"""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

_NEIGHBOURS = 8
# Rows in which neighbours are looked for; more of them cost minutes and are hardly nearer.
_CROWD = 10_000


def synthetic_rows(scaled: np.ndarray, count: int, seed: int) -> np.ndarray:
    """(count, d) rows, near and far ones, made of (n, d) scaled rows."""
    near = near_rows(scaled, count // 2, seed)
    return np.vstack([near, far_rows(scaled, count - len(near), seed)])


def far_rows(scaled: np.ndarray, count: int, seed: int, *, swap: float = 0.5) -> np.ndarray:
    """(count, d) rows of (n, d) ones whose sensors come from any other row, each for itself, by the chance ``swap``."""
    rng = np.random.default_rng(seed + 1)
    rows = scaled[rng.integers(len(scaled), size=count)]
    other = np.take_along_axis(scaled, rng.integers(len(scaled), size=rows.shape), 0)
    return np.where(rng.random(rows.shape) < swap, other, rows)


def near_rows(
    scaled: np.ndarray, count: int, seed: int, *, swap: float = 0.4, noise: float = 0.3
) -> np.ndarray:
    """(count, d) rows made of pairs of near (n, d) rows.

    Args:
        scaled: scaled sensors.
        count: rows to make.
        seed: of all draws.
        swap: chance that a sensor comes from the neighbour.
        noise: standard deviation of the noise on a swapped sensor, in distances to the neighbour.
    """
    rng = np.random.default_rng(seed)
    crowd = scaled[rng.permutation(len(scaled))[:_CROWD]]
    anchors = crowd[rng.integers(len(crowd), size=count)] if len(crowd) < len(scaled) else scaled
    size = np.maximum(np.std(crowd, axis=0), 1e-9)
    limited = np.clip(crowd / size, -4, 4)
    near = NearestNeighbors(n_neighbors=min(_NEIGHBOURS + 1, len(crowd))).fit(limited)
    places = rng.integers(len(anchors), size=count)
    neighbours = near.kneighbors(np.clip(anchors / size, -4, 4), return_distance=False)[places]
    chosen = neighbours[np.arange(count), rng.integers(1, neighbours.shape[1], size=count)]
    rows, other = anchors[places], crowd[chosen]
    mixed = other + noise * np.abs(other - rows) * rng.standard_normal(rows.shape)
    return np.where(rng.random(rows.shape) < swap, mixed, rows)
