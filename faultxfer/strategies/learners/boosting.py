"""LightGBM with settings for few rows.

It fits in a fraction of a second and is kept as text, which executes nothing.
"""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np

from faultxfer.network.size import MOST_READ

# For source and target rows together: as good as 31 leaves and 255 bins, in a third of the time.
POOLED: dict[str, Any] = {"min_data_in_leaf": 10, "num_leaves": 15, "max_bin": 63}

# Sensors of a wide plant that a tree may split on, drawn anew for each tree.
_SEEN_BY_TREE = 128
_MANY_ROWS = 2000
_QUIET = {"verbosity": -1, "num_threads": 1, "deterministic": True, "force_row_wise": True}
_BOOSTING = {**_QUIET, "objective": "binary", "learning_rate": 0.1, "num_leaves": 31}
_FOREST = {
    **_QUIET,
    # Each tree states the share of faults in a leaf, as a random forest does.
    "objective": "regression",
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
    weights: np.ndarray | None = None,
    **settings: Any,
) -> str:
    """Gradient boosting on log-loss (Ke et al., "LightGBM", NeurIPS 2017), as text.

    Args:
        features: (n, k).
        y: (n,) labels 0 or 1.
        seed: of bagging and feature choice.
        rounds: number of trees.
        weights: (n,) of the rows.
        settings: LightGBM parameters on top.
    """
    own = {**_smallest_parts(len(y)), **_of_width(features.shape[1])}
    parameters = {**_BOOSTING, **own, **settings, "seed": seed}
    data = lightgbm.Dataset(features, y.astype(np.float64), weight=weights)
    return str(lightgbm.train(parameters, data, num_boost_round=rounds).model_to_string())


def grow_forest(features: np.ndarray, y: np.ndarray, seed: int, *, rounds: int = 200) -> str:
    """Random forest (Breiman, "Random forests", Machine Learning 2001) as text.

    Its score is a share of faults. Arguments are those of :func:`boost`.
    """
    wide = _of_width(features.shape[1])
    # A share of what the tree sees: as many sensors a node as where it sees all.
    fraction = min(1.0, 1.5 / np.sqrt(features.shape[1]) / wide.get("feature_fraction", 1.0))
    parameters = {**_FOREST, **wide, "feature_fraction_bynode": fraction, "seed": seed}
    data = lightgbm.Dataset(features, y.astype(np.float64))
    return str(lightgbm.train(parameters, data, num_boost_round=rounds).model_to_string())


def _smallest_parts(rows: int) -> dict[str, int]:
    """Fewest rows in a leaf and in a bin.

    LightGBM's own 20 rows in a leaf leave few splits where there are few rows:

    >>> _smallest_parts(200)
    {'min_data_in_leaf': 5, 'min_data_in_bin': 1}
    """
    if rows > _MANY_ROWS:
        return {"min_data_in_leaf": 20, "min_data_in_bin": 3}
    return {"min_data_in_leaf": 5, "min_data_in_bin": 1}


def _of_width(features: int) -> dict[str, Any]:
    """Settings for many sensors: trees that see some of them each are faster, and no worse.

    Nothing changes for a plant that is not wide, with the domain flag beside its sensors:

    >>> _of_width(129), _of_width(640)
    ({}, {'max_bin': 63, 'feature_fraction': 0.2})
    """
    if features <= MOST_READ + 1:
        return {}
    return {"max_bin": 63, "feature_fraction": _SEEN_BY_TREE / features}
