"""Source rows beside target rows, weighed by how target-like they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import product

import numpy as np
from scipy.linalg import solve
from scipy.spatial.distance import cdist
from scipy.special import expit

from faultxfer.bundle.frozen import Block
from faultxfer.bundle.members import Member, member_logits
from faultxfer.strategies.learners.boosting import POOLED, boost
from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.learners.pooling import domain_weights, pooled
from faultxfer.strategies.learners.protocol import BaseLearner, TrainingRows

Ratio = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""(m, k) source features, (n, k) target features and a seed to (m,) ratios of densities."""

# Both domains weigh the same, however many rows each has.
_TARGET_SHARE = 0.5
# TrAdaBoost.
_ROUNDS = 8
_ROUND = {**POOLED, "rounds": 20, "learning_rate": 0.2}
# Least squares.
_CENTRES, _FOLDS = 100, 3
_WIDTHS, _PENALTIES = (0.5, 1.0, 2.0), (0.01, 0.1, 1.0)


def by_classifier(source: np.ndarray, target: np.ndarray, seed: int) -> np.ndarray:
    """(m,) ratios from a linear classifier of the domain: its log-odds are their logarithm.

    They are halved, which keeps more source rows in play (relative density ratios: Yamada et al.,
    Neural Computation 2013). Bickel, Brückner & Scheffer, "Discriminative learning under covariate
    shift", JMLR 2009.

    Args:
        source: (m, k) features.
        target: (n, k) features.
        seed: unused; nothing is drawn.
    """
    is_target = np.r_[np.zeros(len(source)), np.ones(len(target))]
    weights = domain_weights(len(source), len(target), _TARGET_SHARE)
    both = np.vstack([source, target])
    coef, intercept = fit_logistic(both, is_target, 10.0, weights=weights)
    log_odds = np.clip(source @ coef + intercept, -8, 8)
    return np.asarray(np.exp(0.5 * log_odds))


def by_least_squares(source: np.ndarray, target: np.ndarray, seed: int) -> np.ndarray:
    """(m,) ratios fitted directly, as a sum of Gaussian bumps at target rows, in closed form.

    Width and penalty are chosen by the same squared error on held-out rows. Kanamori, Hido &
    Sugiyama, "A least-squares approach to direct importance estimation" (uLSIF), JMLR 2009.

    Args:
        source: (m, k) features.
        target: (n, k) features.
        seed: draws the centres and the folds.
    """
    rng = np.random.default_rng(seed)
    centres = target[rng.permutation(len(target))[:_CENTRES]]
    far_source, far_target = cdist(source, centres), cdist(target, centres)
    typical = max(float(np.median(far_source)), 1e-9)
    source_folds = rng.integers(_FOLDS, size=len(source))
    target_folds = rng.permutation(len(target)) % _FOLDS

    found = []
    for width, penalty in product(_WIDTHS, _PENALTIES):
        at_source = _bump(far_source, width * typical)
        bumps = _Bumps(at_source, _bump(far_target, width * typical), penalty)
        errors = [
            bumps.held_out_error(source_folds == fold, target_folds == fold)
            for fold in range(_FOLDS)
        ]
        found.append((sum(errors), bumps))
    _, chosen = min(found, key=lambda one: one[0])
    return np.asarray(chosen.source @ chosen.heights())


def _bump(distance: np.ndarray, width: float) -> np.ndarray:
    return np.asarray(np.exp(-0.5 * (distance / width) ** 2))


@dataclasses.dataclass(frozen=True)
class _Bumps:
    """(m, c) and (n, c) values of the bumps at source and target rows; ``penalty`` on heights."""

    source: np.ndarray
    target: np.ndarray
    penalty: float

    def heights(self) -> np.ndarray:
        """(c,) that minimise ½ mean(ratio²) at source − mean(ratio) at target + ½ penalty ‖·‖²."""
        gram = self.source.T @ self.source / len(self.source)
        ridge = self.penalty * np.eye(self.source.shape[1])
        fitted = solve(gram + ridge, self.target.mean(axis=0), assume_a="pos")
        return np.asarray(np.maximum(fitted, 0.0))

    def held_out_error(self, source: np.ndarray, target: np.ndarray) -> float:
        """Squared error on the rows of two masks, fitted on the others; 0 without any of either."""
        for mask in (source, target):
            if mask.all() or not mask.any():
                return 0.0
        others = _Bumps(self.source[~source], self.target[~target], self.penalty)
        heights = others.heights()
        squares = (self.source[source] @ heights) ** 2
        ratios = self.target[target] @ heights
        return float(0.5 * squares.mean() - ratios.mean())


class ReweightedBoosting(BaseLearner):
    """Pooled boosting whose source rows are weighed by a ratio of densities.

    Args:
        map_name: input map of the target's rows.
        ratio: how target-like source rows are.
    """

    family = "reweighted"
    paper = (
        'Bickel, Brückner & Scheffer, "Discriminative learning under covariate shift", JMLR 2009'
    )

    def __init__(self, map_name: str, ratio: Ratio = by_classifier) -> None:
        self.block, self.ratio = Block("sensors", map_name), ratio
        self.name = f"reweighted@{map_name}"
        if ratio is by_least_squares:
            self.name = f"reweighted-ulsif@{map_name}"
            self.paper = (
                'Kanamori et al., "A least-squares approach to direct importance estimation", '
                "JMLR 2009"
            )

    def fit(self, rows: TrainingRows) -> Member:
        """Estimate the ratios, then fit the trees; the target keeps half of the total weight."""
        source, target = rows.source.block(self.block), rows.target.block(self.block)
        ratio = self.ratio(source, target, rows.seed)
        weights = domain_weights(len(source), len(target), _TARGET_SHARE)
        if ratio.any():
            weights[: len(source)] *= ratio / ratio.mean()
        features, y = pooled(rows, (self.block,))
        text = boost(features, y, rows.seed, weights=weights, **POOLED)
        return self.trees((self.block,), text, flag=True)


class TrAdaBoost(BaseLearner):
    """Source rows that a model of both domains gets wrong lose weight round by round.

    TrAdaBoost lets the later half of its rounds vote. Here one model is fitted with the weights of
    the last round, which makes one set of trees of it.
    """

    family = "reweighted"
    paper = 'Dai et al., "Boosting for transfer learning", ICML 2007'

    def __init__(self, map_name: str) -> None:
        self.block = Block("sensors", map_name)
        self.name = f"tradaboost@{map_name}"

    def fit(self, rows: TrainingRows) -> Member:
        """Weigh the source rows, then fit the trees once with the weights reached."""
        features, y = pooled(rows, (self.block,))
        m = len(rows.source_y)
        weights = domain_weights(m, len(rows.target), _TARGET_SHARE)
        beta = 1 / (1 + np.sqrt(2 * np.log(max(m, 2)) / _ROUNDS))
        for _ in range(_ROUNDS):
            text = boost(features, y, rows.seed, weights=weights, **_ROUND)
            weights[:m] *= beta ** self._mistakes(text, rows)
        text = boost(features, y, rows.seed, weights=weights, **POOLED)
        return self.trees((self.block,), text, flag=True)

    def _mistakes(self, text: str, rows: TrainingRows) -> np.ndarray:
        """(m,) distances from 0 to 1 between the labels of source rows and their probabilities."""
        member = self.trees((self.block,), text)
        # The domain flag is 0 for source rows.
        member = dataclasses.replace(member, constants=(0.0,))
        probabilities = expit(member_logits(member, rows.source))
        return np.asarray(np.abs(rows.source_y - probabilities))
