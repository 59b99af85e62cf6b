"""Logistic regression on the target's rows, and on source and target rows."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from faultxfer.bundle.scaler import fit_scaler
from faultxfer.network.fit import class_weights
from faultxfer.strategies.common import require_rows
from faultxfer.strategies.protocol import Scorer, Task
from faultxfer.strategies.rivals.pooled import pooled_rows


def _fit(X: np.ndarray, y: np.ndarray, weights: np.ndarray) -> Scorer:
    scaler = fit_scaler(X)
    model = LogisticRegression(C=1.0, max_iter=5000).fit(scaler(X), y, sample_weight=weights)
    return lambda rows: np.asarray(model.decision_function(scaler(rows)), dtype=np.float64)


class TargetLogistic:
    """Logistic regression on target rows alone."""

    name = "logistic_target"
    title = "logistic regression, target rows"
    uses_source = False
    as_is = False

    def fit(self, task: Task) -> Scorer:
        """Fit; needs two target rows of each class. Raises StrategyError below that."""
        require_rows(task, self.name)
        return _fit(task.target.X, task.target.y, class_weights(task.target.y))


class PooledLogistic:
    """Logistic regression on source and target rows, both domains with the same total weight."""

    name = "logistic_pooled"
    title = "logistic regression, source + target rows"
    uses_source = True
    as_is = False

    def fit(self, task: Task) -> Scorer:
        """Fit; raises StrategyError without kept source rows."""
        X, y, weights = pooled_rows(task, self.name)
        return _fit(X, y, weights * class_weights(y))
