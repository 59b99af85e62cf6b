"""Average, don't choose: Platt scaling of each learner and weights on the simplex, held near a prior.

Breiman, "Stacked regressions", Machine Learning 1996; weights by exponentiated gradient (Kivinen & Warmuth, 1997) with
a Kullback–Leibler pull towards weights that are uniform over families of learners, then inside each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from faultxfer.bundle.calibration import platt


def crossed_platt(logits: np.ndarray, y: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """(c, n) calibrated logits; each fold's calibration comes from the other folds, numbered in ``folds`` (n,)."""
    calibrated = np.empty_like(logits)
    for fold in np.unique(folds):
        inside = folds == fold
        a, b = platt(logits[:, ~inside], y[~inside])
        calibrated[:, inside] = a[:, None] * logits[:, inside] + b[:, None]
    return calibrated


def family_prior(families: Sequence[str]) -> np.ndarray:
    """(c,) weights, uniform over families, then uniform inside each."""
    counts = Counter(families)
    weights = np.array([1 / counts[name] for name in families])
    return np.asarray(weights / weights.sum())


def simplex_weights(
    logits: np.ndarray,
    y: np.ndarray,
    prior: np.ndarray,
    tau: float,
    steps: int = 300,
    rate: float = 0.5,
) -> np.ndarray:
    """(c,) weights that minimise the summed log-loss of the weighted logits (c, n) + tau * KL(weights ‖ prior)."""
    log_prior = np.log(prior)
    log_w = log_prior.copy()
    scale = rate / (tau + 0.25 * len(y))
    best, best_value = prior, np.inf
    for _ in range(steps):
        w = np.exp(log_w - log_w.max())
        w /= w.sum()
        z = w @ logits
        value = float(
            (np.logaddexp(0, z) - y * z).sum() + tau * (w * (np.log(w + 1e-300) - log_prior)).sum()
        )
        if value < best_value:
            best, best_value = w, value
        else:
            scale *= 0.7
        gradient = logits @ (expit(z) - y) + tau * (np.log(w + 1e-300) - log_prior)
        log_w = np.log(w + 1e-300) - scale * (gradient - w @ gradient)
    return np.asarray(best)
