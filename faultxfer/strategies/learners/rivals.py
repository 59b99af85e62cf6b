"""Honest alternatives to transfer: no source, the source as it is, or everything pooled."""

from __future__ import annotations

from typing import Any

import numpy as np

from faultxfer.bundle.frozen import Block
from faultxfer.bundle.members import CONSTANT, IDENTITY, SHARE, Member
from faultxfer.network.fit import class_weights
from faultxfer.strategies.learners.boosting import boost, grow_forest
from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.learners.pooling import pooled
from faultxfer.strategies.learners.protocol import BaseLearner, TrainingRows

_SENSORS = Block("sensors", "target")
# As good as 31 leaves and 255 bins on these sources, in a third of the time.
POOLED: dict[str, Any] = {"min_data_in_leaf": 10, "num_leaves": 15, "max_bin": 63}


class _Rival(BaseLearner):
    family = "scratch"
    paper = "none: plain supervised learning"


class AlwaysNormal(_Rival):
    """The same logit for every row, whatever the sensors say.

    Args:
        log_odds: that logit; the prevalence of faults among the rows where it is left out.
    """

    name = "always-normal"

    def __init__(self, log_odds: float | None = None) -> None:
        self.log_odds = log_odds

    def fit(self, rows: TrainingRows) -> Member:
        """Estimate the prevalence, unless the log-odds are given."""
        log_odds = _log_odds(rows.y) if self.log_odds is None else self.log_odds
        return Member(self.family, self.name, CONSTANT, arrays={"intercept": np.array([log_odds])})


def _log_odds(y: np.ndarray) -> float:
    """Log-odds of a fault; half a row of each class more keeps them finite."""
    prevalence = (y.sum() + 0.5) / (len(y) + 1)
    return float(np.log(prevalence / (1 - prevalence)))


class ScratchLinear(_Rival):
    """Logistic regression on the target's rows alone."""

    name = "scratch-linear"

    def fit(self, rows: TrainingRows) -> Member:
        """Fit on sensors scaled by the target's own statistics."""
        return self.linear((_SENSORS,), fit_logistic(rows.target.block(_SENSORS), rows.y, 1.0))


class ScratchForest(_Rival):
    """Random forest on the target's rows alone."""

    name = "scratch-forest"

    def fit(self, rows: TrainingRows) -> Member:
        """Grow."""
        return self.trees(
            (_SENSORS,), grow_forest(rows.target.block(_SENSORS), rows.y, rows.seed), link=SHARE
        )


class ScratchBoosting(_Rival):
    """Gradient boosting on the target's rows alone.

    Args:
        balanced: whether both classes have the same total weight.
        small_leaves: whether a leaf may hold as few as a twentieth of the rows, two at least.
        settings: of :func:`~faultxfer.strategies.learners.boosting.boost`, in place of its own.
    """

    name = "scratch-boosting"

    def __init__(
        self, *, balanced: bool = False, small_leaves: bool = False, **settings: Any
    ) -> None:
        self.balanced, self.small_leaves, self.settings = balanced, small_leaves, settings

    def fit(self, rows: TrainingRows) -> Member:
        """Fit the trees."""
        settings = dict(self.settings)
        if self.balanced:
            settings["weights"] = class_weights(rows.y)
        if self.small_leaves:
            # The default of LightGBM, 20 rows, allows no split at all on a few dozen rows.
            settings["min_data_in_leaf"] = int(np.clip(len(rows.y) // 20, 2, 20))
        return self.trees(
            (_SENSORS,), boost(rows.target.block(_SENSORS), rows.y, rows.seed, **settings)
        )


class SourceThroughMap(_Rival):
    """A source model on the target's readings, through one input map."""

    family = "source"
    paper = 'Platt, "Probabilistic outputs for support vector machines", 1999: calibration alone'

    def __init__(self, model: str, map_name: str) -> None:
        self.block = Block(model, map_name)
        self.name = f"source-{self.block}"
        if model == "network":
            self.family = "source-network"

    def fit(self, rows: TrainingRows) -> Member:
        """Nothing to fit but the calibration, which is added out of fold."""
        return Member(self.family, self.name, IDENTITY, (self.block,))


class PooledLinear(_Rival):
    """Logistic regression on source and target rows with a domain flag."""

    family = "pooled-linear"
    paper = 'Daumé III, "Frustratingly easy domain adaptation", ACL 2007, with the flag alone'

    def __init__(self, map_name: str) -> None:
        self.map_name = map_name
        self.name = f"pooled-linear@{map_name}"

    def fit(self, rows: TrainingRows) -> Member:
        """Fit on all rows at equal weight."""
        block = Block("sensors", self.map_name)
        return self.linear((block,), fit_logistic(*pooled(rows, block), 1.0), flag=True)


class PooledBoosting(_Rival):
    """Gradient boosting on source and target rows with a domain flag."""

    family = "pooled-boosting"
    paper = 'Daumé III, "Frustratingly easy domain adaptation", ACL 2007, with the flag alone'

    def __init__(self, map_name: str) -> None:
        self.map_name = map_name
        self.name = f"pooled-boosting@{map_name}"

    def fit(self, rows: TrainingRows) -> Member:
        """Fit on all rows at equal weight."""
        block = Block("sensors", self.map_name)
        return self.trees((block,), boost(*pooled(rows, block), rows.seed, **POOLED), flag=True)
