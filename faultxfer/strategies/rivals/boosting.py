"""Histogram gradient boosting on the target's rows, and on source and target rows."""

from __future__ import annotations

import lightgbm
import numpy as np

from faultxfer.network.fit import class_weights
from faultxfer.strategies.common import require_rows
from faultxfer.strategies.protocol import Scorer, Task
from faultxfer.strategies.rivals.pooled import pooled_rows

_ROUNDS = 150


def _fit(X: np.ndarray, y: np.ndarray, weights: np.ndarray, seed: int) -> Scorer:
    parameters = {
        "objective": "binary",
        "learning_rate": 0.08,
        "num_leaves": 31,
        # The default of 20 rows in a leaf allows no split at all on a few dozen rows.
        "min_data_in_leaf": int(np.clip(len(y) // 20, 2, 20)),
        "min_sum_hessian_in_leaf": 1e-3,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        # One thread: on a few thousand rows a second one gains little, and where the machine is busy its threads wait
        # for each other (measured beside one other process: 20 s a fit against 0.1 s).
        "num_threads": 1,
        "verbosity": -1,
    }
    model = lightgbm.train(parameters, lightgbm.Dataset(X, y, weight=weights), num_boost_round=_ROUNDS)
    return lambda rows: np.asarray(model.predict(rows, raw_score=True), dtype=np.float64)


class TargetBoosting:
    """Gradient boosting on target rows alone."""

    name = "boosting_target"
    title = "gradient boosting, target rows"
    uses_source = False
    as_is = False

    def fit(self, task: Task) -> Scorer:
        """Fit; needs two target rows of each class. Raises StrategyError below that."""
        require_rows(task, self.name)
        return _fit(task.target.X, task.target.y, class_weights(task.target.y), task.options.seed)


class PooledBoosting:
    """Gradient boosting on source and target rows, both domains with the same total weight."""

    name = "boosting_pooled"
    title = "gradient boosting, source + target rows"
    uses_source = True
    as_is = False

    def fit(self, task: Task) -> Scorer:
        """Fit; raises StrategyError without kept source rows."""
        X, y, weights = pooled_rows(task, self.name)
        return _fit(X, y, weights * class_weights(y), task.options.seed)
