"""Penalised logistic regression: the one convex fit behind every linear head.

By Newton's method; with the many features of a wide plant by L-BFGS, as the curvature of some
thousand features takes longer than a hundred gradients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.special import expit

# More than any head of a plant that is not wide has, with the network's default layers.
_MANY_FEATURES = 512
_GRADIENTS, _LEAST_GAIN = 500, 1e-9
_STEPS = 25
_SMALLEST_STEP = 1e-4
# The intercept is almost free: a little of a penalty keeps it finite on one class.
_PENALTY_OF_INTERCEPT = 0.01


def fit_logistic(
    features: np.ndarray,
    y: np.ndarray,
    penalty: np.ndarray | float,
    *,
    prior: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    """Minimise the summed log-loss + ½ Σ penalty_j (coef_j − prior_j)².

    With more features than rows the problem is solved in the rows' own space, which the difference
    from the prior never leaves; with more than 512 features by gradients alone.

    A feature that goes with the label gets a positive coefficient:

    >>> coef, intercept = fit_logistic(np.array([[-1.0], [0.0], [2.0]]), np.array([0, 0, 1]), 1.0)
    >>> bool(coef[0] > 0), intercept < 0
    (True, True)

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
    n, k = features.shape
    penalties = np.broadcast_to(np.asarray(penalty, dtype=np.float64), (k,))
    scale = 1 / np.sqrt(penalties)
    centre = np.zeros(k) if prior is None else prior
    start = features @ centre
    if offset is not None:
        start = start + offset
    if weights is None:
        weights = np.ones(n)

    scaled = features * scale
    if k > _MANY_FEATURES:
        change, intercept = _descended(_Problem.of(scaled, y, start, weights))
    elif k <= n:
        change, intercept = _newton(_Problem.of(scaled, y, start, weights))
    else:
        u, singular, vt = np.linalg.svd(scaled, full_matrices=False)
        reduced, intercept = _newton(_Problem.of(u * singular, y, start, weights))
        change = vt.T @ reduced
    return centre + change * scale, intercept


@dataclass(frozen=True)
class _Problem:
    """Log-loss of ``A @ beta + start`` with a ridge: of strength 1 on all but the intercept."""

    A: np.ndarray
    y: np.ndarray
    start: np.ndarray
    weights: np.ndarray
    ridge: np.ndarray

    @classmethod
    def of(
        cls, features: np.ndarray, y: np.ndarray, start: np.ndarray, weights: np.ndarray
    ) -> _Problem:
        """With a column of ones behind the features, for the intercept."""
        A = np.hstack([features, np.ones((len(features), 1))])
        ridge = np.ones(A.shape[1])
        ridge[-1] = _PENALTY_OF_INTERCEPT
        return cls(A, y, start, weights, ridge)

    def loss(self, beta: np.ndarray) -> float:
        """What is minimised."""
        z = self.A @ beta + self.start
        losses = self.weights * (np.logaddexp(0, z) - self.y * z)
        pull = 0.5 * (self.ridge * beta**2).sum()
        return float(losses.sum() + pull)

    def loss_and_gradient(self, beta: np.ndarray) -> tuple[float, np.ndarray]:
        """What is minimised, and its (k + 1,) slope."""
        p = expit(self.A @ beta + self.start)
        return self.loss(beta), self._gradient(p, beta)

    def _gradient(self, p: np.ndarray, beta: np.ndarray) -> np.ndarray:
        pulled = self.ridge * beta
        return np.asarray(self.A.T @ (self.weights * (p - self.y)) + pulled)

    def newton_step(self, beta: np.ndarray) -> np.ndarray:
        """Gradient over curvature."""
        p = expit(self.A @ beta + self.start)
        gradient = self._gradient(p, beta)
        curvature = self.weights * np.maximum(p * (1 - p), 1e-6)
        hessian = (self.A * curvature[:, None]).T @ self.A
        hessian += np.diag(self.ridge)
        return np.asarray(cho_solve(cho_factor(hessian), gradient))


def _newton(problem: _Problem) -> tuple[np.ndarray, float]:
    """Coefficients and intercept; a step that makes the loss worse is halved until it does not."""
    beta = np.zeros(problem.A.shape[1])
    loss = problem.loss(beta)
    for _ in range(_STEPS):
        step = problem.newton_step(beta)
        size = 1.0
        new = problem.loss(beta - step)
        while new > loss and size > _SMALLEST_STEP:
            size /= 2
            new = problem.loss(beta - size * step)
        if loss - new < 1e-7 * (1 + abs(loss)):
            break
        beta, loss = beta - size * step, new
    return beta[:-1], float(beta[-1])


def _descended(problem: _Problem) -> tuple[np.ndarray, float]:
    """Coefficients and intercept, by L-BFGS (Liu & Nocedal, Mathematical Programming 1989)."""
    beta = minimize(
        problem.loss_and_gradient,
        np.zeros(problem.A.shape[1]),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _GRADIENTS, "ftol": _LEAST_GAIN},
    ).x
    return beta[:-1], float(beta[-1])
