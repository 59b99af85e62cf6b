"""How target-like source rows are: ratios of the target's density to the source's, at the source's rows."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.linalg import solve
from scipy.spatial.distance import cdist

from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.learners.pooling import domain_weights

_CENTRES = 100
_WIDTHS, _PENALTIES = (0.5, 1.0, 2.0), (0.01, 0.1, 1.0)
_FOLDS = 3


def by_classifier(source: np.ndarray, target: np.ndarray, seed: int) -> np.ndarray:
    """(m,) ratios from a linear classifier of the domain, whose log-odds are the log ratio up to a constant.

    They are halved, which keeps more source rows in play (relative density ratios: Yamada et al., Neural Computation
    2013). Bickel, Brückner & Scheffer, "Discriminative learning under covariate shift", JMLR 2009.

    Args:
        source: (m, k) features.
        target: (n, k) features.
        seed: unused; nothing is drawn.
    """
    is_target = np.r_[np.zeros(len(source)), np.ones(len(target))]
    weights = domain_weights(len(source), len(target), 0.5)
    coef, intercept = fit_logistic(np.vstack([source, target]), is_target, 10.0, weights=weights)
    return np.asarray(np.exp(0.5 * np.clip(source @ coef + intercept, -8, 8)))


def by_least_squares(source: np.ndarray, target: np.ndarray, seed: int) -> np.ndarray:
    """(m,) ratios fitted directly, as a sum of Gaussian bumps at target rows: closed form, no classifier.

    Width and penalty are chosen by the same squared error on held-out rows. Kanamori, Hido & Sugiyama, "A least-squares
    approach to direct importance estimation" (uLSIF), JMLR 2009.

    Args:
        source: (m, k) features.
        target: (n, k) features.
        seed: draws the centres and the folds.
    """
    rng = np.random.default_rng(seed)
    centres = target[rng.permutation(len(target))[:_CENTRES]]
    far_source, far_target = cdist(source, centres), cdist(target, centres)
    typical = max(float(np.median(far_source)), 1e-9)
    folds = rng.integers(_FOLDS, size=len(source)), rng.permutation(len(target)) % _FOLDS

    bumps = {
        width: (_bump(far_source, width * typical), _bump(far_target, width * typical))
        for width in _WIDTHS
    }
    errors = {
        (width, penalty): sum(
            _held_out_error(*bumps[width], penalty, *folds, fold) for fold in range(_FOLDS)
        )
        for width, penalty in product(_WIDTHS, _PENALTIES)
    }
    width, penalty = min(errors, key=lambda chosen: errors[chosen])
    at_source, at_target = bumps[width]
    return np.asarray(at_source @ _heights(at_source, at_target, penalty))


def _bump(distance: np.ndarray, width: float) -> np.ndarray:
    return np.asarray(np.exp(-0.5 * (distance / width) ** 2))


def _heights(at_source: np.ndarray, at_target: np.ndarray, penalty: float) -> np.ndarray:
    """(c,) that minimise ½ mean(ratio²) over source rows − mean(ratio) over target rows + ½ penalty ‖heights‖²."""
    gram = at_source.T @ at_source / len(at_source) + penalty * np.eye(at_source.shape[1])
    return np.asarray(np.maximum(solve(gram, at_target.mean(axis=0), assume_a="pos"), 0.0))


def _held_out_error(
    at_source: np.ndarray,
    at_target: np.ndarray,
    penalty: float,
    source_fold: np.ndarray,
    target_fold: np.ndarray,
    fold: int,
) -> float:
    source, target = source_fold == fold, target_fold == fold
    if not (source.any() and target.any() and (~source).any() and (~target).any()):
        return 0.0
    heights = _heights(at_source[~source], at_target[~target], penalty)
    return float(
        0.5 * ((at_source[source] @ heights) ** 2).mean() - (at_target[target] @ heights).mean()
    )
