"""Logistic regression and gradient boosting on the target's rows alone."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
from sklearn.linear_model import LogisticRegression

from faultxfer.bundle.scaler import fit_scaler
from faultxfer.network.fit import class_weights
from faultxfer.strategies.candidates.boosting import boost
from faultxfer.strategies.needs import require
from faultxfer.strategies.protocol import Need, Scorer, Task

_ROUNDS = 150


class ScratchLogistic:
    """Logistic regression on the target's rows and scale."""

    name = "logistic_target"
    title = "logistic regression, target rows"
    needs: tuple[Need, ...] = (Need.BOTH_CLASSES,)
    uses_source = False
    as_is = False

    def fit(self, task: Task) -> Scorer:
        """Fit; needs two target rows of each class. Raises StrategyError below that."""
        require(task, self)
        scaler, y = fit_scaler(task.target.X), task.target.y
        model = LogisticRegression(C=1.0, max_iter=5000)
        model.fit(scaler(task.target.X), y, sample_weight=class_weights(y))
        return lambda rows: np.asarray(model.decision_function(scaler(rows)), dtype=np.float64)


class ScratchBoosting:
    """Gradient boosting on histograms of the target's rows."""

    name = "boosting_target"
    title = "gradient boosting, target rows"
    needs: tuple[Need, ...] = (Need.BOTH_CLASSES,)
    uses_source = False
    as_is = False

    def fit(self, task: Task) -> Scorer:
        """Fit; needs two target rows of each class. Raises StrategyError below that."""
        require(task, self)
        X, y = task.target.X, task.target.y
        settings: dict[str, Any] = {
            "learning_rate": 0.08,
            # The default of 20 rows in a leaf allows no split at all on a few dozen rows.
            "min_data_in_leaf": int(np.clip(len(y) // 20, 2, 20)),
            "min_data_in_bin": 3,
        }
        text = boost(X, y, task.options.seed, rounds=_ROUNDS, weights=class_weights(y), **settings)
        model = lightgbm.Booster(model_str=text)
        return lambda rows: np.asarray(
            model.predict(rows, raw_score=True, num_threads=1), dtype=np.float64
        )
