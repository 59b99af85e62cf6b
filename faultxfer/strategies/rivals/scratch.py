"""Logistic regression on the target's rows alone."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from faultxfer.bundle.scaler import fit_scaler
from faultxfer.network.recipe import class_weights
from faultxfer.strategies.common import rows_to_fit
from faultxfer.strategies.needs import require
from faultxfer.strategies.protocol import Requirement, Scorer, Task


class ScratchLogistic:
    """Logistic regression on the target's rows and scale."""

    name = "logistic_target"
    title = "logistic regression, target rows"
    needs: tuple[Requirement, ...] = (Requirement.BOTH_CLASSES,)
    uses_source = False
    as_is = False

    def fit(self, task: Task) -> Scorer:
        """Fit on the target's rows, both classes at equal weight.

        Raises:
            StrategyError: there are fewer than two target rows of a class.
        """
        require(task, self)
        target = rows_to_fit(task.target)
        scaler, y = fit_scaler(target.X), target.y
        model = LogisticRegression(C=1.0, max_iter=5000)
        model.fit(scaler(target.X), y, sample_weight=class_weights(y))
        return lambda rows, windows=None: np.asarray(
            model.decision_function(scaler(rows)), dtype=np.float64
        )
