"""Honest alternatives to transfer: no source, the source as it is, or everything pooled."""

from __future__ import annotations

from typing import Any

import numpy as np

from faultxfer.bundle.frozen import Block
from faultxfer.bundle.member_kinds.trees import SHARE
from faultxfer.bundle.members import CONSTANT, IDENTITY, Member
from faultxfer.network.recipe import class_weights
from faultxfer.strategies.learners.boosting import POOLED, SCRATCH, boost, grow_forest
from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.learners.pooling import pooled
from faultxfer.strategies.learners.protocol import BaseLearner, TrainingRows

_FLAG_ALONE = 'Daumé III, "Frustratingly easy domain adaptation", ACL 2007, with the flag alone'


# The family of the source network under every map.
SOURCE_NETWORK = "source-network"


class _FromScratch(BaseLearner):
    family = "scratch"
    paper = "none: plain supervised learning"


class AlwaysNormal(_FromScratch):
    """The same logit for every row, whatever the sensors read.

    Args:
        log_odds: that logit; from the prevalence of faults among the rows where it is left out.
    """

    name = "always-normal"

    def __init__(self, log_odds: float | None = None) -> None:
        self.log_odds = log_odds

    def fit(self, rows: TrainingRows) -> Member:
        """Estimate the prevalence, unless the log-odds are given."""
        log_odds = log_odds_of(rows.y) if self.log_odds is None else self.log_odds
        arrays = {"intercept": np.array([log_odds])}
        return Member(self.family, self.name, CONSTANT, arrays=arrays)


def log_odds_of(y: np.ndarray) -> float:
    """Log-odds of a fault among labels; half a row more of each class keeps them finite.

    >>> log_odds_of(np.array([0, 1, 0, 1]))
    0.0
    """
    prevalence = (y.sum() + 0.5) / (len(y) + 1)
    return float(np.log(prevalence / (1 - prevalence)))


class ScratchLinear(_FromScratch):
    """Logistic regression on the target's rows alone."""

    name = "scratch-linear"

    def fit(self, rows: TrainingRows) -> Member:
        """Fit on sensors scaled by the target's own statistics."""
        fitted = fit_logistic(rows.target.blocks(rows.own), rows.y, 1.0)
        return self.linear(rows.own, fitted)


class ScratchForest(_FromScratch):
    """Random forest on the target's rows alone.

    Args:
        trees: how many.
    """

    name = "scratch-forest"

    def __init__(self, trees: int = 200) -> None:
        self.rounds = trees

    def fit(self, rows: TrainingRows) -> Member:
        """Fit the trees."""
        features = rows.target.blocks(rows.own)
        text = grow_forest(features, rows.y, rows.seed, rounds=self.rounds)
        return self.trees(rows.own, text, link=SHARE)


class ScratchBoosting(_FromScratch):
    """Gradient boosting on the target's rows alone.

    Args:
        balanced: whether both classes have the same total weight.
        small_leaves: whether a leaf may hold as few as a twentieth of the rows, two at least.
        settings: of :func:`~faultxfer.strategies.learners.boosting.boost`, in place of ``SCRATCH``.
    """

    name = "scratch-boosting"

    def __init__(
        self, *, balanced: bool = False, small_leaves: bool = False, **settings: Any
    ) -> None:
        self.balanced, self.small_leaves = balanced, small_leaves
        self.settings = settings or SCRATCH

    def fit(self, rows: TrainingRows) -> Member:
        """Fit the trees."""
        settings = dict(self.settings)
        if self.balanced:
            settings["weights"] = class_weights(rows.y)
        if self.small_leaves:
            # The default of LightGBM, 20 rows, allows no split at all on a few dozen rows.
            settings["min_data_in_leaf"] = int(np.clip(len(rows.y) // 20, 2, 20))
        text = boost(rows.target.blocks(rows.own), rows.y, rows.seed, **settings)
        return self.trees(rows.own, text)


class SourceThroughMap(BaseLearner):
    """A model of the source on the target's readings, through one input map.

    Args:
        model: ``network``, ``trees`` or ``linear``.
        map_name: input map of the target's rows.
    """

    paper = 'Platt, "Probabilistic outputs for support vector machines", 1999: calibration alone'

    def __init__(self, model: str, map_name: str) -> None:
        self.block = Block(model, map_name)
        self.name = f"source-{self.block}"
        self.family = SOURCE_NETWORK if model == "network" else "source"

    def fit(self, rows: TrainingRows) -> Member:
        """Nothing to fit but the calibration, which is added out of fold."""
        return Member(self.family, self.name, IDENTITY, (self.block,))


class PooledLinear(BaseLearner):
    """Logistic regression on source and target rows with a domain flag."""

    family = "pooled-linear"
    paper = _FLAG_ALONE

    def __init__(self, map_name: str) -> None:
        self.block = Block("sensors", map_name)
        self.name = f"pooled-linear@{map_name}"

    def fit(self, rows: TrainingRows) -> Member:
        """Fit on all rows at equal weight."""
        features, y = pooled(rows, (self.block,))
        return self.linear((self.block,), fit_logistic(features, y, 1.0), flag=True)


class PooledBoosting(BaseLearner):
    """Gradient boosting on source and target rows with a domain flag.

    Args:
        map_name: input map of the target's rows.
        settings: of :func:`~faultxfer.strategies.learners.boosting.boost`, beside ``POOLED``.
    """

    family = "pooled-boosting"
    paper = _FLAG_ALONE

    def __init__(self, map_name: str, **settings: Any) -> None:
        self.block = Block("sensors", map_name)
        self.name = f"pooled-boosting@{map_name}"
        self.settings = {**POOLED, **settings}

    def fit(self, rows: TrainingRows) -> Member:
        """Fit on all rows at equal weight."""
        features, y = pooled(rows, (self.block,))
        text = boost(features, y, rows.seed, **self.settings)
        return self.trees((self.block,), text, flag=True)
