"""Fit the source network.

Soft labels from trees, several members at once, stopped by held-out source runs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.neighbors import NearestNeighbors

from faultxfer.config import NetworkOptions
from faultxfer.network.arrays import ArrayNetwork, as_arrays
from faultxfer.network.ensemble import build_ensemble, trunk_of
from faultxfer.network.fit import fit_network, make_deterministic
from faultxfer.network.recipe import History, Recipe
from faultxfer.network.size import fitted_to

_NEIGHBOURS = 8
# Rows in which neighbours are looked for; more of them cost minutes and are hardly nearer.
_CROWD = 10_000

Teacher = Callable[[np.ndarray], np.ndarray]


def fit_ensemble(
    scaled: np.ndarray,
    y: np.ndarray,
    teacher: Teacher | None,
    validation: tuple[np.ndarray, np.ndarray] | None,
    *,
    seed: int,
    options: NetworkOptions,
    read: np.ndarray | None = None,
) -> tuple[ArrayNetwork, History]:
    """A fitted source network and its training curves.

    Args:
        scaled: (n, d) scaled source sensors.
        y: (n,) labels.
        teacher: gradient boosting fitted on the same rows: (k, d) scaled rows to (k,) fault
            probabilities. They are mixed into the labels (Hinton et al., "Distilling the knowledge
            in a neural network", 2015) and are the labels of synthetic rows.
        validation: scaled rows and labels of other source runs; they stop the training. None runs
            all epochs.
        seed: of weights, synthetic rows, shuffle and dropout.
        options: shape and training; a wide plant gets a smaller shape. AdamW's decay is decoupled,
            so it acts on every step alike; 0.05 as in tabular baselines (Gorishniy et al., 2021).
        read: (k,) positions of the sensors that the network looks at; all of them if left out.
    """
    make_deterministic(seed)
    options = fitted_to(options, scaled.shape[1])
    network = build_ensemble(scaled, options, read)
    encoder, trunk = trunk_of(network)
    rows, labels = _rows_to_learn(scaled, y, teacher, seed, options)
    recipe = Recipe(
        options.learning_rate,
        options.weight_decay,
        options.batch_size,
        options.epochs,
        options.patience,
    )
    history = fit_network(
        trunk,
        rows,
        labels,
        recipe,
        seed=seed,
        validation=validation,
        balanced=False,
        encoder=encoder,
    )
    return as_arrays(network), history


def _rows_to_learn(
    scaled: np.ndarray,
    y: np.ndarray,
    teacher: Teacher | None,
    seed: int,
    options: NetworkOptions,
) -> tuple[np.ndarray, np.ndarray]:
    if teacher is None:
        return scaled, y.astype(np.float64)
    share = options.teacher_share
    labels = (1 - share) * y + share * teacher(scaled)
    if not options.synthetic_rows:
        return scaled, labels
    made = synthetic_rows(scaled, options.synthetic_rows, seed)
    return np.vstack([scaled, made]), np.concatenate([labels, teacher(made)])


def synthetic_rows(scaled: np.ndarray, count: int, seed: int) -> np.ndarray:
    """(count, d) rows made of (n, d) scaled ones, for a teacher to label.

    A network gets as many rows as it needs to learn trees (Bucilă, Caruana & Niculescu-Mizil,
    "Model compression", KDD 2006). Half of them are made by MUNGE, where a row takes some of its
    sensors from a near neighbour, with a little noise of the neighbour's distance; in the other
    half it takes them from rows anywhere, so that the network follows the trees on runs that are
    unlike those of the source, too.
    """
    near = near_rows(scaled, count // 2, seed)
    return np.vstack([near, far_rows(scaled, count - len(near), seed)])


def far_rows(scaled: np.ndarray, count: int, seed: int, *, swap: float = 0.5) -> np.ndarray:
    """(count, d) rows of (n, d) ones, each sensor from any other row by the chance ``swap``."""
    rng = np.random.default_rng(seed + 1)
    rows = scaled[rng.integers(len(scaled), size=count)]
    sources = rng.integers(len(scaled), size=rows.shape)
    other = np.take_along_axis(scaled, sources, 0)
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
