"""Source models as features: trees on sensors and source logits, boosting on top of them, and linear heads."""

from __future__ import annotations

import numpy as np

from faultxfer.bundle.members import SHARE, Member, encode
from faultxfer.strategies.candidates.boosting import boost, grow_forest
from faultxfer.strategies.candidates.convex import fit_logistic
from faultxfer.strategies.candidates.protocol import Plain, Rows

_SENSORS = "sensors@target"
_THREE = ("source", "target", "normal")


def logit_blocks(models: tuple[str, ...], maps: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the source logits of these models under these maps."""
    return tuple(f"{model}@{map_name}" for model in models for map_name in maps)


class _FromLogits(Plain):
    paper = 'Wolpert, "Stacked generalization", Neural Networks 1992, across domains'

    def __init__(self, models: tuple[str, ...], maps: tuple[str, ...] = _THREE) -> None:
        self.logits = logit_blocks(models, maps)
        self.neural = "network" in models
        tag = "+".join(models) + ("" if maps == _THREE else "@" + "+".join(maps))
        self.name = f"{self.family}:{tag}"
        self.family += "-network" if self.neural else ""


class LogitForest(_FromLogits):
    """TH: random forest on the sensors and the source's logits under several maps. Ships no source rows."""

    family = "forest"

    def fit(self, rows: Rows) -> Member:
        """Grow."""
        blocks = (_SENSORS, *self.logits)
        features = rows.target.blocks(blocks)
        fraction = min(1.0, 3 / np.sqrt(features.shape[1]))
        text = grow_forest(features, rows.y, rows.seed, feature_fraction_bynode=fraction)
        return self.trees(blocks, text, link=SHARE)


class ResidualBoosting(_FromLogits):
    """Gradient boosting that starts from a calibrated mean of source logits and learns what they miss."""

    family = "residual"
    paper = 'Friedman, "Greedy function approximation", Annals of Statistics 2001, started from the source'

    def __init__(
        self, models: tuple[str, ...], maps: tuple[str, ...] = _THREE, rounds: int = 40
    ) -> None:
        super().__init__(models, maps)
        self.rounds = rounds
        if rounds != 40:
            self.name += f"-{rounds}"

    def fit(self, rows: Rows) -> Member:
        """Fit the base head on source logits, then a few small trees."""
        base = rows.target.blocks(self.logits)
        count = base.shape[1]
        coef, intercept = fit_logistic(base, rows.y, 2.0 * count, prior=np.full(count, 1 / count))
        weights = np.append(coef, intercept)
        text = boost(
            rows.target.block(_SENSORS),
            rows.y,
            rows.seed,
            rounds=self.rounds,
            base=base @ coef + intercept,
            learning_rate=0.05,
            num_leaves=6,
            lambda_l2=5.0,
        )
        return self.trees((_SENSORS,), text, base=self.logits, arrays={"base": weights})


class LogitHead(_FromLogits):
    """Logistic regression on source logits alone, pulled towards their mean: several maps at once."""

    family = "logits"
    paper = 'Platt, "Probabilistic outputs for support vector machines", 1999, in several variables'

    def fit(self, rows: Rows) -> Member:
        """Fit."""
        features = rows.target.blocks(self.logits)
        count = features.shape[1]
        return self.linear(
            self.logits,
            fit_logistic(features, rows.y, 2.0 * count, prior=np.full(count, 1 / count)),
        )


class WideLogitHead(_FromLogits):
    """Linear head on scaled sensors (pulled to 0) and source logits (pulled to their mean)."""

    family = "wide"
    paper = 'Cheng et al., "Wide & deep learning for recommender systems", 2016'

    def fit(self, rows: Rows) -> Member:
        """Fit."""
        blocks = (_SENSORS, *self.logits)
        features = rows.target.blocks(blocks)
        count = len(self.logits)
        sensors = features.shape[1] - count
        penalty = np.concatenate([np.full(sensors, 5.0), np.full(count, 2.0 * count)])
        prior = np.concatenate([np.zeros(sensors), np.full(count, 1 / count)])
        return self.linear(blocks, fit_logistic(features, rows.y, penalty, prior=prior))


class BinHead(_FromLogits):
    """Logistic regression on target-quantile bins of the sensors, with or without source logits.

    Gorishniy et al., "On embeddings for numerical features in tabular deep learning", NeurIPS 2022.
    """

    family = "bins"
    paper = 'Gorishniy et al., "On embeddings for numerical features in tabular deep learning", NeurIPS 2022'

    def __init__(self, models: tuple[str, ...] = (), maps: tuple[str, ...] = _THREE) -> None:
        super().__init__(models, maps if models else ())

    def fit(self, rows: Rows) -> Member:
        """Fit; fewer bins where there are few rows."""
        bins = 4 if len(rows.y) < 150 else 8
        edges = np.quantile(rows.target.X, np.linspace(0, 1, bins + 1), axis=0).T
        encoded = encode(rows.target.X, edges)
        logits = rows.target.blocks(self.logits) if self.logits else np.empty((len(rows.y), 0))
        count = logits.shape[1]
        features = np.hstack([logits, encoded])
        penalty = np.concatenate([np.full(count, 2.0 * count), np.full(encoded.shape[1], 2.0)])
        prior = np.concatenate([np.full(count, 1 / max(count, 1)), np.zeros(encoded.shape[1])])
        return self.linear(
            self.logits, fit_logistic(features, rows.y, penalty, prior=prior), edges=edges
        )
