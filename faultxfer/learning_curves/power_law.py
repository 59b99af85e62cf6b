"""Learning curves as power laws: error(n) = a + b·n^(−c).

Viering & Loog, "The shape of learning curves: a review", IEEE TPAMI 2023 (arXiv 2103.10948); larger
counts weigh more, as their means are surer (Figueroa et al., "Predicting sample size required for
classification performance", 2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# No rows at hand can show a slower curve than the first; one faster than the last is a step.
_RATES = np.linspace(0.1, 2.0, 39)


@dataclass(frozen=True)
class PowerLaw:
    """Curves of ``b`` resamples, fitted apart.

    Attributes:
        limit: (b,) error that each curve tends to, from 0 to 1.
        size: (b,) factor; negative where more rows did harm.
        rate: (b,) exponent.
    """

    limit: np.ndarray
    size: np.ndarray
    rate: np.ndarray

    def __call__(self, count: float) -> np.ndarray:
        """(b,) errors from 0 to 1 at ``count`` rows."""
        return np.asarray(np.clip(self.limit + self.size * count**-self.rate, 0.0, 1.0))


def fit_power_law(counts: np.ndarray, errors: np.ndarray, weights: np.ndarray) -> PowerLaw:
    """Weighted least squares, exact for the limit and the factor at each rate of a grid.

    A grid has no local minima and gives the same answer each time; the factor is free in sign, so
    that a curve that falls with more rows is not called flat.

    An error of 0.1 + 2 / n is found again:

    >>> counts = np.array([10.0, 20, 50, 100])
    >>> law = fit_power_law(counts, (0.1 + 2 / counts)[None], np.ones(4))
    >>> [float(values[0].round(6)) for values in (law.limit, law.size, law.rate)]
    [0.1, 2.0, 1.0]

    Args:
        counts: (k,) labelled rows, three or more.
        errors: (b, k) from 0 to 1.
        weights: (k,) of the counts, positive.
    """
    best = np.full(len(errors), np.inf)
    law = np.zeros((3, len(errors)))
    total = weights.sum()
    for rate in _RATES:
        x = counts**-rate
        mean_x, mean_e = weights @ x / total, errors @ weights / total
        from_mean = x - mean_x
        size = (errors - mean_e[:, None]) @ (weights * from_mean) / (weights @ from_mean**2)
        limit = np.clip(mean_e - size * mean_x, 0.0, 1.0)
        above = errors - limit[:, None]
        # The best beside a limit that was clipped.
        size = above @ (weights * x) / (weights @ x**2)
        loss = (above - np.outer(size, x)) ** 2 @ weights
        law = np.where(loss < best, np.array([limit, size, np.full(len(errors), rate)]), law)
        best = np.minimum(loss, best)
    return PowerLaw(*law)
