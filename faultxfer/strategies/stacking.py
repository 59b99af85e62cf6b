"""Average, don't choose: Platt scaling of each candidate and weights on the simplex, held near a prior.

Breiman, "Stacked regressions", Machine Learning 1996; weights by exponentiated gradient (Kivinen & Warmuth, 1997) with
a Kullback–Leibler pull towards weights that are uniform over families of candidates, then inside each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.special import expit

SLOPE_PRECISION = 2.0
_OFFSET_PRECISION = 0.01
_LEAST_SLOPE = 0.02


def platt(logits: np.ndarray, y: np.ndarray, precision: float = SLOPE_PRECISION) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and offsets (c,) for the logits (c, n) of ``c`` candidates at once, with slope prior 1.

    Slopes stay positive, so that calibration never turns a ranking over.
    """
    a, b = np.ones(len(logits)), np.zeros(len(logits))
    for _ in range(30):
        p = expit(a[:, None] * logits + b[:, None])
        error, curve = p - y, np.maximum(p * (1 - p), 1e-6)
        ga = (error * logits).sum(1) + precision * (a - 1)
        gb = error.sum(1) + _OFFSET_PRECISION * b
        haa = (curve * logits**2).sum(1) + precision
        hab, hbb = (curve * logits).sum(1), curve.sum(1) + _OFFSET_PRECISION
        determinant = haa * hbb - hab**2
        step_a = (hbb * ga - hab * gb) / determinant
        step_b = np.where(a > _LEAST_SLOPE, (haa * gb - hab * ga) / determinant, gb / hbb)
        a = np.maximum(a - np.clip(step_a, -0.5, 0.5), _LEAST_SLOPE)
        b = b - np.clip(step_b, -2, 2)
    return a, b


def crossed_platt(
    logits: np.ndarray, y: np.ndarray, folds: np.ndarray, precision: float = SLOPE_PRECISION
) -> np.ndarray:
    """(c, n) calibrated logits; each fold's calibration comes from the other folds, numbered in ``folds`` (n,)."""
    calibrated = np.empty_like(logits)
    for fold in np.unique(folds):
        inside = folds == fold
        a, b = platt(logits[:, ~inside], y[~inside], precision)
        calibrated[:, inside] = a[:, None] * logits[:, inside] + b[:, None]
    return calibrated


def family_prior(families: Sequence[str]) -> np.ndarray:
    """(c,) weights, uniform over families, then uniform inside each."""
    counts = Counter(families)
    weights = np.array([1 / counts[name] for name in families])
    return np.asarray(weights / weights.sum())


def simplex_weights(
    logits: np.ndarray, y: np.ndarray, prior: np.ndarray, tau: float, steps: int = 300, rate: float = 0.5
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
        value = float((np.logaddexp(0, z) - y * z).sum() + tau * (w * (np.log(w + 1e-300) - log_prior)).sum())
        if value < best_value:
            best, best_value = w, value
        else:
            scale *= 0.7
        gradient = logits @ (expit(z) - y) + tau * (np.log(w + 1e-300) - log_prior)
        log_w = np.log(w + 1e-300) - scale * (gradient - w @ gradient)
    return np.asarray(best)
