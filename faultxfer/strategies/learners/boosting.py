"""LightGBM with settings for few rows; fits in a fraction of a second and is kept as text, which executes nothing."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np

_QUIET = {"verbosity": -1, "num_threads": 1, "deterministic": True, "force_row_wise": True}
_FOREST = {
    "objective": "regression",  # each tree says the share of faults in a leaf, as a random forest does
    "boosting": "rf",
    "bagging_freq": 1,
    "bagging_fraction": 0.632,
    "num_leaves": 63,
    "min_data_in_leaf": 2,
    "min_sum_hessian_in_leaf": 0.0,
    "min_data_in_bin": 1,
}


def boost(
    features: np.ndarray,
    y: np.ndarray,
    seed: int,
    *,
    rounds: int = 100,
    base: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    **settings: Any,
) -> str:
    """Gradient boosting on log-loss (Ke et al., "LightGBM", NeurIPS 2017), as text.

    Args:
        features: (n, k).
        y: (n,) labels 0 or 1.
        seed: of bagging and feature choice.
        rounds: number of trees.
        base: (n,) logits that the trees are added to; they are not part of the text.
        weights: (n,) of the rows.
        settings: LightGBM parameters on top.
    """
    small = {
        "min_data_in_leaf": 20 if len(y) > 2000 else 5,
        "min_data_in_bin": 3 if len(y) > 2000 else 1,
    }
    parameters = {
        **_QUIET,
        "objective": "binary",
        "learning_rate": 0.1,
        "num_leaves": 31,
        **small,
        **settings,
    }
    return _fit(features, y, parameters, seed, rounds, base, weights)


def grow_forest(
    features: np.ndarray,
    y: np.ndarray,
    seed: int,
    *,
    rounds: int = 200,
    weights: np.ndarray | None = None,
    **settings: Any,
) -> str:
    """Random forest (Breiman, "Random forests", Machine Learning 2001) as text; its score is a share of faults."""
    chosen = {"feature_fraction_bynode": min(1.0, 1.5 / np.sqrt(features.shape[1]))}
    return _fit(
        features, y, {**_QUIET, **_FOREST, **chosen, **settings}, seed, rounds, None, weights
    )


def _fit(
    features: np.ndarray,
    y: np.ndarray,
    parameters: dict[str, Any],
    seed: int,
    rounds: int,
    base: np.ndarray | None,
    weights: np.ndarray | None,
) -> str:
    data = lightgbm.Dataset(
        features, y.astype(np.float64), weight=weights, init_score=base, free_raw_data=True
    )
    booster = lightgbm.train({**parameters, "seed": seed}, data, num_boost_round=rounds)
    return str(booster.model_to_string())
