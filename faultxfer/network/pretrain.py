"""Fit the source network: soft labels from trees, several members at once, stopped by held-out source runs."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from faultxfer.config import NetworkOptions
from faultxfer.network.ensemble import build_ensemble, trunk_of
from faultxfer.network.fit import History, Recipe, apply_network, fit_network, make_deterministic
from faultxfer.network.synthetic import synthetic_rows

Teacher = Callable[[np.ndarray], np.ndarray]


def fit_ensemble(
    scaled: np.ndarray,
    y: np.ndarray,
    teacher: Teacher | None,
    validation: tuple[np.ndarray, np.ndarray] | None,
    *,
    seed: int,
    options: NetworkOptions,
) -> tuple[keras.Model, History]:
    """A fitted source network and its training curves.

    Args:
        scaled: (n, d) scaled source sensors.
        y: (n,) labels.
        teacher: gradient boosting fitted on the same rows: (k, d) scaled rows to (k,) fault probabilities. They are
            mixed into the labels (Hinton et al., "Distilling the knowledge in a neural network", 2015) and are the
            labels of synthetic rows.
        validation: scaled rows and labels of other source runs; they stop the training. None runs all epochs.
        seed: of weights, synthetic rows, shuffle and dropout.
        options: shape and training. AdamW's decay is decoupled, so it acts on every step alike; 0.05 as in tabular
            baselines (Gorishniy et al., 2021).
    """
    make_deterministic(seed)
    network = build_ensemble(scaled, options)
    encoder, trunk = trunk_of(network)
    rows, labels = _rows_to_learn(
        scaled, y, teacher, options.teacher_share, options.synthetic_rows, seed
    )
    history = fit_network(
        trunk,
        apply_network(encoder, rows),
        labels,
        Recipe(
            options.learning_rate,
            options.weight_decay,
            options.batch_size,
            options.epochs,
            options.patience,
        ),
        seed=seed,
        validation=None
        if validation is None
        else (apply_network(encoder, validation[0]), validation[1]),
        balanced=False,
    )
    return network, history


def _rows_to_learn(
    scaled: np.ndarray,
    y: np.ndarray,
    teacher: Teacher | None,
    share: float,
    synthetic: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    if teacher is None:
        return scaled, y.astype(np.float64)
    labels = (1 - share) * y + share * teacher(scaled)
    if not synthetic:
        return scaled, labels
    made = synthetic_rows(scaled, synthetic, seed)
    return np.vstack([scaled, made]), np.concatenate([labels, teacher(made)])
