"""Honest alternatives to transfer: no source, the source as it is, or everything pooled."""

from __future__ import annotations

from typing import Any

import numpy as np

from faultxfer.bundle.members import CONSTANT, IDENTITY, SHARE, Member
from faultxfer.strategies.candidates.boosting import boost, grow_forest
from faultxfer.strategies.candidates.convex import fit_logistic
from faultxfer.strategies.candidates.pooling import pooled
from faultxfer.strategies.candidates.protocol import Plain, Rows

_SENSORS = "sensors@target"
# As good as 31 leaves and 255 bins on these sources, in a third of the time.
POOLED: dict[str, Any] = {"min_data_in_leaf": 10, "num_leaves": 15, "max_bin": 63}


class _Rival(Plain):
    family = "scratch"
    paper = "none: plain supervised learning"


class AlwaysNormal(_Rival):
    """The share of faults among the rows, whatever the sensors say."""

    name = "always-normal"

    def fit(self, rows: Rows) -> Member:
        """Count."""
        share = (rows.y.sum() + 0.5) / (len(rows.y) + 1)
        return Member(
            self.family,
            self.name,
            CONSTANT,
            arrays={"intercept": np.array([np.log(share / (1 - share))])},
        )


class ScratchLinear(_Rival):
    """Logistic regression on the target's rows alone."""

    name = "scratch-linear"

    def fit(self, rows: Rows) -> Member:
        """Fit on sensors scaled by the target's own statistics."""
        return self.linear((_SENSORS,), fit_logistic(rows.target.block(_SENSORS), rows.y, 1.0))


class ScratchForest(_Rival):
    """Random forest on the target's rows alone."""

    name = "scratch-forest"

    def fit(self, rows: Rows) -> Member:
        """Grow."""
        return self.trees(
            (_SENSORS,), grow_forest(rows.target.block(_SENSORS), rows.y, rows.seed), link=SHARE
        )


class ScratchBoosting(_Rival):
    """Gradient boosting on the target's rows alone."""

    name = "scratch-boosting"

    def fit(self, rows: Rows) -> Member:
        """Boost."""
        return self.trees((_SENSORS,), boost(rows.target.block(_SENSORS), rows.y, rows.seed))


class SourceAsIs(_Rival):
    """A source model on the target's readings, through one input map."""

    family = "source"
    paper = 'Platt, "Probabilistic outputs for support vector machines", 1999: calibration alone'

    def __init__(self, model: str, map_name: str) -> None:
        self.block = f"{model}@{map_name}"
        self.name = f"source-{model}@{map_name}"
        if model == "network":
            self.family = "source-network"

    def fit(self, rows: Rows) -> Member:
        """Nothing to fit but the calibration, which is added out of fold."""
        return Member(self.family, self.name, IDENTITY, (self.block,))


class PooledLinear(_Rival):
    """Logistic regression on source and target rows with a domain flag."""

    family = "pooled-linear"
    paper = 'Daumé III, "Frustratingly easy domain adaptation", ACL 2007, with the flag alone'

    def __init__(self, map_name: str) -> None:
        self.map_name = map_name
        self.name = f"pooled-linear@{map_name}"

    def fit(self, rows: Rows) -> Member:
        """Fit on all rows at equal weight."""
        block = f"sensors@{self.map_name}"
        return self.linear((block,), fit_logistic(*pooled(rows, block), 1.0), flag=True)


class PooledBoosting(_Rival):
    """Gradient boosting on source and target rows with a domain flag."""

    family = "pooled-boosting"
    paper = 'Daumé III, "Frustratingly easy domain adaptation", ACL 2007, with the flag alone'

    def __init__(self, map_name: str) -> None:
        self.map_name = map_name
        self.name = f"pooled-boosting@{map_name}"

    def fit(self, rows: Rows) -> Member:
        """Fit on all rows at equal weight."""
        block = f"sensors@{self.map_name}"
        return self.trees((block,), boost(*pooled(rows, block), rows.seed, **POOLED), flag=True)
