"""A second source network that has learnt to do without some of its sensors.

It starts where the first one ended and sees every row again with some sensors at their medians, as
dropout on the inputs (Srivastava et al., "Dropout", JMLR 2014): what it says then is what the rest
of the sensors says of the label. It is used only where a machine lacks sensors, and only where that
loses less than guessing them.
"""

from __future__ import annotations

import numpy as np

from faultxfer.config import NetworkOptions
from faultxfer.network.arrays import ArrayNetwork, as_arrays
from faultxfer.network.ensemble import trunk_of
from faultxfer.network.fit import fit_network
from faultxfer.network.pretrain import Teacher
from faultxfer.network.recipe import Recipe

# Source rows that are shown, and times that each is shown with other sensors at their medians.
_ROWS, _TIMES = 10_000, 2
_EPOCHS = 8


def fit_with_dropout(
    network: ArrayNetwork,
    scaled: np.ndarray,
    y: np.ndarray,
    teacher: Teacher,
    validation: tuple[np.ndarray, np.ndarray],
    *,
    share: float,
    seed: int,
    options: NetworkOptions,
) -> ArrayNetwork:
    """A copy of a fitted source network, trained on with sensor dropout.

    Args:
        network: as :func:`faultxfer.network.pretrain.fit_ensemble` gives it; stays as it is.
        scaled: (n, d) scaled source sensors.
        y: (n,) labels.
        teacher: mixed into the labels, as before; it sees every sensor.
        validation: scaled rows and labels of other source runs, whose loss with sensors at their
            medians stops the training.
        share: largest share of the sensors that a row is without, at least one of them.
        seed: of rows, sensors and shuffle.
        options: of the first network.
    """
    rng = np.random.default_rng(seed)
    usual = np.median(scaled, axis=0)
    some = np.tile(rng.permutation(len(scaled))[:_ROWS], _TIMES)
    whole = options.teacher_share
    labels = (1 - whole) * y[some] + whole * teacher(scaled[some])
    made = network.keras()
    encoder, trunk = trunk_of(made)
    rows = without_some(scaled[some], usual, share, rng)
    judged = without_some(validation[0], usual, share, rng)
    recipe = Recipe(
        options.learning_rate / 2,
        options.weight_decay,
        options.batch_size,
        min(_EPOCHS, options.epochs),
        options.patience,
    )
    fit_network(
        trunk,
        rows,
        labels,
        recipe,
        seed=seed,
        validation=(judged, validation[1]),
        balanced=False,
        encoder=encoder,
    )
    return as_arrays(made)


def without_some(
    X: np.ndarray, usual: np.ndarray, share: float, rng: np.random.Generator
) -> np.ndarray:
    """(n, d) rows, each with some sensors at their usual reading (d,).

    As many as a number drawn for the row between one and ``share`` of them.
    """
    sensors = X.shape[1]
    most = max(1, round(share * sensors))
    lost = rng.integers(1, most + 1, size=len(X))
    order = rng.random(X.shape).argsort(axis=1).argsort(axis=1)
    return np.where(order < lost[:, None], usual, X)
