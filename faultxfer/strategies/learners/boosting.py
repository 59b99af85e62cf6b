"""LightGBM with settings for few rows.

It fits in a fraction of a second and is kept as text, which executes nothing.
"""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np

from faultxfer.network.size import MOST_READ

# Where rows are few, a fit costs what its bins and rounds do. 63 bins and 50 rounds are as good as
# 255, and as 100 at half the rate, in a third of the time (decision 46).
SCRATCH: dict[str, Any] = {"max_bin": 63, "rounds": 50, "learning_rate": 0.2}
# For source and target rows together: as good as 31 leaves.
POOLED: dict[str, Any] = {**SCRATCH, "min_data_in_leaf": 10, "num_leaves": 15}

# Sensors of a wide plant that a tree may split on, drawn anew for each tree.
_SEEN_BY_TREE = 128
# Of k sensors a node of the forest chooses among the first times √k, and a tree sees the second
# times as many: histograms of those that no node asks for would be half of what a forest costs.
_AT_NODE, _BY_TREE = 1.5, 3.0
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
    parameters = {**_FOREST, **_drawn(features.shape[1]), "seed": seed}
    data = lightgbm.Dataset(features, y.astype(np.float64))
    return str(lightgbm.train(parameters, data, num_boost_round=rounds).model_to_string())


def _drawn(features: int) -> dict[str, Any]:
    """Settings for the sensors that a tree of the forest sees, and for those that a node does.

    >>> _drawn(4)
    {'feature_fraction': 1.0, 'feature_fraction_bynode': 0.75}
    >>> _drawn(36)
    {'feature_fraction': 0.5, 'feature_fraction_bynode': 0.5}
    """
    root = float(np.sqrt(features))
    seen = {"feature_fraction": min(1.0, _BY_TREE / root), **_of_width(features)}
    # As many sensors a node as where the tree sees all.
    at_node = min(1.0, _AT_NODE / root / seen["feature_fraction"])
    return {**seen, "feature_fraction_bynode": at_node}


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
