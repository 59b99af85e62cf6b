"""Penalised logistic regression by Newton's method: the one convex fit behind every linear head."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

_STEPS = 25


def fit_logistic(
    features: np.ndarray,
    y: np.ndarray,
    penalty: np.ndarray | float,
    *,
    prior: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    """Minimise the summed log-loss + ½ Σ penalty_j (coef_j − prior_j)²; the intercept is (almost) free.

    With more features than rows the problem is solved in the rows' own space, which the difference from the prior
    never leaves.

    Args:
        features: (n, k).
        y: (n,) labels or probabilities.
        penalty: (k,) or one number, above 0.
        prior: (k,) where the coefficients are pulled to; zero when missing.
        offset: (n,) logits to start from.
        weights: (n,) of the rows.

    Returns:
        (k,) coefficients and the intercept.
    """
    scale = 1 / np.sqrt(
        np.broadcast_to(np.asarray(penalty, dtype=np.float64), (features.shape[1],))
    )
    centre = np.zeros(features.shape[1]) if prior is None else prior
    start = features @ centre + (0.0 if offset is None else offset)
    scaled = features * scale
    if features.shape[1] > len(y):
        u, singular, vt = np.linalg.svd(scaled, full_matrices=False)
        reduced, back = u * singular, vt.T
    else:
        reduced, back = scaled, None
    solution, intercept = _newton(
        reduced, y, start, np.ones(len(y)) if weights is None else weights
    )
    change = solution if back is None else back @ solution
    return centre + change * scale, intercept


def _newton(
    A: np.ndarray, y: np.ndarray, start: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, float]:
    """Ridge of strength 1 on all but the intercept, damped by halving."""
    A = np.hstack([A, np.ones((len(A), 1))])
    ridge = np.full(A.shape[1], 1.0)
    ridge[-1] = 0.01
    beta = np.zeros(A.shape[1])
    loss = _loss(A, y, start, weights, ridge, beta)
    for _ in range(_STEPS):
        p = expit(A @ beta + start)
        gradient = A.T @ (weights * (p - y)) + ridge * beta
        hessian = (A * (weights * np.maximum(p * (1 - p), 1e-6))[:, None]).T @ A + np.diag(ridge)
        step = cho_solve(cho_factor(hessian), gradient)
        size = 1.0
        while (
            new := _loss(A, y, start, weights, ridge, beta - size * step)
        ) > loss and size > 1e-4:
            size /= 2
        if loss - new < 1e-7 * (1 + abs(loss)):
            break
        beta, loss = beta - size * step, new
    return beta[:-1], float(beta[-1])


def _loss(
    A: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    weights: np.ndarray,
    ridge: np.ndarray,
    beta: np.ndarray,
) -> float:
    z = A @ beta + start
    return float((weights * (np.logaddexp(0, z) - y * z)).sum() + 0.5 * (ridge * beta**2).sum())
