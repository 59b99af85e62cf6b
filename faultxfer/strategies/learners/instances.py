"""Source rows beside target rows, weighed by how target-like they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy.special import expit

from faultxfer.bundle.frozen import Block
from faultxfer.bundle.members import Member, member_logits
from faultxfer.strategies.learners.boosting import boost
from faultxfer.strategies.learners.density_ratio import by_classifier, by_least_squares
from faultxfer.strategies.learners.pooling import domain_weights, pooled
from faultxfer.strategies.learners.protocol import BaseLearner, TrainingRows
from faultxfer.strategies.learners.rivals import POOLED

Ratio = Callable[[np.ndarray, np.ndarray, int], np.ndarray]

_ROUNDS = 8
_TREES_PER_ROUND = 20


class ReweightedBoosting(BaseLearner):
    """Pooled boosting whose source rows weigh what a density ratio says of how target-like they are.

    Args:
        map_name: input map of the target's rows.
        ratio: (m, k) source and (n, k) target features and a seed to (m,) ratios.
    """

    family = "reweighted"
    paper = (
        'Bickel, Brückner & Scheffer, "Discriminative learning under covariate shift", JMLR 2009'
    )

    def __init__(self, map_name: str, ratio: Ratio = by_classifier) -> None:
        self.map_name, self.ratio = map_name, ratio
        self.name = f"reweighted@{map_name}"
        if ratio is by_least_squares:
            self.name = f"reweighted-ulsif@{map_name}"
            self.paper = 'Kanamori et al., "A least-squares approach to direct importance estimation", JMLR 2009'

    def fit(self, rows: TrainingRows) -> Member:
        """Estimate the ratios, then boost; both domains keep the same total weight."""
        block = Block("sensors", self.map_name)
        ratio = self.ratio(rows.source.block(block), rows.target.block(block), rows.seed)
        m = len(rows.source)
        weights = domain_weights(m, len(rows.target), 0.5)
        weights[:m] *= ratio / ratio.mean() if ratio.any() else 1.0
        return self.trees(
            (block,), boost(*pooled(rows, block), rows.seed, weights=weights, **POOLED), flag=True
        )


class TrAdaBoost(BaseLearner):
    """Source rows that a model of both gets wrong lose weight round by round; one model is fitted with what is left.

    TrAdaBoost lets the later half of its rounds vote; keeping the last weights alone makes one set of trees of it.
    """

    family = "reweighted"
    paper = 'Dai et al., "Boosting for transfer learning", ICML 2007'

    def __init__(self, map_name: str) -> None:
        self.map_name = map_name
        self.name = f"tradaboost@{map_name}"

    def fit(self, rows: TrainingRows) -> Member:
        """Reweigh the source rows, then boost once with the weights reached."""
        block = Block("sensors", self.map_name)
        features, y = pooled(rows, block)
        m = len(rows.source_y)
        weights = domain_weights(m, len(rows.target), 0.5)
        beta = 1 / (1 + np.sqrt(2 * np.log(max(m, 2)) / _ROUNDS))
        settings = {**POOLED, "rounds": _TREES_PER_ROUND, "learning_rate": 0.2}
        for _ in range(_ROUNDS):
            text = boost(features, y, rows.seed, weights=weights, **settings)
            as_source = dataclasses.replace(self.trees((block,), text), constants=(0.0,))
            scores = member_logits(as_source, rows.source)
            wrong = np.abs(rows.source_y - expit(scores))
            weights[:m] *= beta**wrong
        return self.trees(
            (block,), boost(features, y, rows.seed, weights=weights, **POOLED), flag=True
        )
