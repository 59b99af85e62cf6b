"""Learners for a machine that lacks sensors of its source, or has new ones.

They stand beside the others, which see the sensors that both have; the stack decides.
"""

from __future__ import annotations

import numpy as np

from faultxfer.bundle.frozen import FILLED, FILLED_LINEAR, FILLED_TREES, Block
from faultxfer.bundle.members import IDENTITY, Member
from faultxfer.strategies.learners.boosting import POOLED, SCRATCH, boost
from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.learners.pooling import pooled
from faultxfer.strategies.learners.protocol import (
    NEW_SENSORS,
    SENSORS,
    BaseLearner,
    Learner,
    TrainingRows,
)

# Of a new sensor's weight towards 0, and of the source's log-odds towards weight 1.
_PULL_OF_NEW, _PULL_OF_LOGIT = 1.0, 2.0


class FilledSource(BaseLearner):
    """A model of the source that reads every sensor of its own, what is lacking guessed.

    Args:
        model: ``trees`` or ``linear``.
        map_name: input map of the target's rows, done before anything is guessed.
    """

    family = "source"
    paper = "Little & Rubin, Statistical Analysis with Missing Data, 2002: conditional mean"

    def __init__(self, model: str, map_name: str) -> None:
        kind = {"trees": FILLED_TREES, "linear": FILLED_LINEAR}[model]
        self.block = Block(kind, map_name)
        self.name = f"source-{self.block}"

    def fit(self, rows: TrainingRows) -> Member:
        """Nothing to fit but the calibration, which is added out of fold."""
        return Member(self.family, self.name, IDENTITY, (self.block,))


class FilledBoosting(BaseLearner):
    """Pooled boosting on every sensor of the source, those that the target lacks guessed there."""

    family = "pooled-boosting"
    paper = FilledSource.paper

    def __init__(self, map_name: str) -> None:
        self.block = Block(FILLED, map_name)
        self.name = f"pooled-boosting-{self.block}"

    def fit(self, rows: TrainingRows) -> Member:
        """Fit on all rows at equal weight."""
        features, y = pooled(rows, (self.block,))
        return self.trees((self.block,), boost(features, y, rows.seed, **POOLED), flag=True)


class NewSensorBoosting(BaseLearner):
    """Pooled boosting that sees the new sensors too, empty in the source's rows.

    A missing reading of the target is filled in before, so empty says nothing but *source*, as the
    domain flag does.
    """

    family = "pooled-boosting-new"
    paper = "Ke et al., LightGBM, NeurIPS 2017: missing values go to the side that loses less"

    def __init__(self, map_name: str) -> None:
        self.blocks = (Block("sensors", map_name), NEW_SENSORS)
        self.name = f"pooled-boosting-new@{map_name}"

    def fit(self, rows: TrainingRows) -> Member:
        """Fit on all rows at equal weight."""
        features, y = pooled(rows, self.blocks)
        return self.trees(self.blocks, boost(features, y, rows.seed, **POOLED), flag=True)


class SourceAndNew(BaseLearner):
    """The source's log-odds and a linear term on the new sensors, held near nothing.

    Args:
        model: ``network``, ``trees`` or ``linear``.
        map_name: input map of the target's rows.
    """

    family = "source-and-new"
    paper = "Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 2009: offset"

    def __init__(self, model: str, map_name: str) -> None:
        self.blocks = (Block(model, map_name), NEW_SENSORS)
        self.name = f"source-{self.blocks[0]}-and-new"

    def fit(self, rows: TrainingRows) -> Member:
        """Newton's method on the target's rows."""
        features = rows.target.blocks(self.blocks)
        penalty = np.full(features.shape[1], _PULL_OF_NEW)
        prior = np.zeros(features.shape[1])
        penalty[0], prior[0] = _PULL_OF_LOGIT, 1.0
        return self.linear(self.blocks, fit_logistic(features, rows.y, penalty, prior=prior))


def learners_for_missing() -> tuple[Learner, ...]:
    """Beside the others, where the machine lacks sensors of the source."""
    return (
        FilledSource("linear", "source"),
        FilledSource("trees", "source"),
        FilledBoosting("source"),
        FilledBoosting("target"),
    )


class WithoutNew(BaseLearner):
    """Gradient boosting on the target's rows, without the sensors that are new.

    By it the stack without them can be told from the stack with them.
    """

    family, name = "scratch", "scratch-boosting-without-new"
    paper = "none: plain supervised learning"

    def fit(self, rows: TrainingRows) -> Member:
        """Fit the trees."""
        text = boost(rows.target.block(SENSORS), rows.y, rows.seed, **SCRATCH)
        return self.trees((SENSORS,), text)


def learners_for_new() -> tuple[Learner, ...]:
    """Beside the others, where the machine has sensors that the source lacks."""
    return (
        WithoutNew(),
        NewSensorBoosting("source"),
        NewSensorBoosting("target"),
        SourceAndNew("linear", "source"),
        SourceAndNew("trees", "source"),
    )
