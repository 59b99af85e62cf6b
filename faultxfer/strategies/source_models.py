"""Fit what a source bundle holds beside its network."""

from __future__ import annotations

import numpy as np

from faultxfer.bundle.frozen import LinearModel, SourceModels, soft_clipped
from faultxfer.bundle.input_map import spread_of
from faultxfer.strategies.learners.boosting import boost
from faultxfer.strategies.learners.convex import fit_logistic

# A linear model of some fifty weights learns nothing from more rows, and Newton's method takes
# seconds on them.
_LINEAR_ROWS = 20_000


def fit_source_models(X: np.ndarray, y: np.ndarray, seed: int) -> SourceModels:
    """Robust statistics, gradient boosting and logistic regression of the source's rows.

    Args:
        X: (n, d) rows in engineering units.
        y: (n,) labels.
        seed: of bagging, and of the rows that the logistic regression is fitted on.
    """
    spread, normal = spread_of(X), spread_of(X[y == 0])
    trees = boost(X, y, seed, rounds=200, learning_rate=0.05, min_data_in_leaf=20)
    some = np.random.default_rng(seed).permutation(len(X))[:_LINEAR_ROWS]
    coef, intercept = fit_logistic(soft_clipped(X[some], spread), y[some], 1.0)
    return SourceModels(spread, normal, trees, LinearModel(coef, intercept))
