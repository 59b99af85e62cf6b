"""Average, don't choose: Platt scaling of each learner and weights held near a prior.

Breiman, "Stacked regressions", Machine Learning 1996; weights by exponentiated gradient (Kivinen &
Warmuth, 1997) with a Kullback–Leibler pull towards weights that are uniform over families of
learners, then inside each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from faultxfer.bundle.calibration import platt

# Keeps the logarithm of a weight of 0 finite.
_TINY = 1e-300


def crossed_platt(
    logits: np.ndarray, y: np.ndarray, folds: np.ndarray, counts: np.ndarray | None = None
) -> np.ndarray:
    """(c, n) calibrated logits.

    Each fold's calibration comes from the other folds, numbered in ``folds`` (n,); a row counts as
    ``counts`` (n,) says, for 1 when missing.
    """
    counts = np.ones(len(y)) if counts is None else counts
    calibrated = np.empty_like(logits)
    for fold in np.unique(folds):
        inside = folds == fold
        slopes, offsets = platt(logits[:, ~inside], y[~inside], counts[~inside])
        calibrated[:, inside] = slopes[:, None] * logits[:, inside] + offsets[:, None]
    return calibrated


def family_prior(families: Sequence[str]) -> np.ndarray:
    """(c,) weights, uniform over families, then uniform inside each.

    >>> family_prior(["scratch", "source", "source"])
    array([0.5 , 0.25, 0.25])
    """
    counts = Counter(families)
    weights = np.array([1 / counts[name] for name in families])
    return np.asarray(weights / weights.sum())


def simplex_weights(
    logits: np.ndarray,
    y: np.ndarray,
    prior: np.ndarray,
    tau: float,
    counts: np.ndarray | None = None,
    steps: int = 300,
    rate: float = 0.5,
) -> np.ndarray:
    """(c,) weights that minimise summed log-loss of the weighted logits + tau * KL(w ‖ prior).

    Args:
        logits: (c, n).
        y: (n,) labels.
        prior: (c,) weights that sum to 1.
        tau: strength of the pull towards the prior, in rows.
        counts: (n,) what each row counts for; 1 when missing.
        steps: of the exponentiated gradient.
        rate: of the first step; a step that makes it worse shortens those that follow.
    """
    counts = np.ones(len(y)) if counts is None else counts
    log_prior = np.log(prior)
    log_w = log_prior.copy()
    scale = rate / (tau + 0.25 * counts.sum())
    best, least = prior, np.inf
    for _ in range(steps):
        w = np.exp(log_w - log_w.max())
        w /= w.sum()
        log_w = np.log(w + _TINY)
        z = w @ logits
        away = log_w - log_prior
        losses = counts * (np.logaddexp(0, z) - y * z)
        value = float(losses.sum() + tau * (w * away).sum())
        if value < least:
            best, least = w, value
        else:
            scale *= 0.7
        gradient = logits @ (counts * (expit(z) - y)) + tau * away
        log_w = log_w - scale * (gradient - w @ gradient)
    return np.asarray(best)
