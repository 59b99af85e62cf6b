"""Exact bounds of a share, by the hits of independent trials, and of a number of rare events.

Clopper & Pearson, "The use of confidence or fiducial limits", 1934. Each bound is one-sided and
holds with the confidence asked for. Neither hits nor trials need be whole: a larger sample may be
imagined, and rows that resemble each other count for fewer.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import beta, chi2


def lowest_share(hits: np.ndarray | float, trials: float, confidence: float) -> np.ndarray:
    """The lower bound for each number of hits; 0 where there is none.

    A detector that found 20 of 20 faults may find 86 in a hundred:

    >>> print(f"{lowest_share(20, 20, 0.95):.2f}")
    0.86
    """
    bounds = beta.ppf(1 - confidence, hits, trials - hits + 1)
    return np.where(np.greater(hits, 0), bounds, 0.0)


def highest_share(hits: np.ndarray | float, trials: float, confidence: float) -> np.ndarray:
    """The upper bound for each number of hits; 1 where all are hits, or nothing was tried.

    One that raised no alarm on 100 normal rows may raise it on 3 in a hundred:

    >>> print(f"{highest_share(0, 100, 0.95):.2f}")
    0.03
    """
    bounds = beta.ppf(confidence, hits + 1, trials - hits)
    return np.where(np.less(hits, trials), bounds, 1.0)


def lowest_count(events: float, confidence: float) -> float:
    """The lower bound of how many rare events there are to be expected in the time they were seen.

    Garwood, "Fiducial limits for the Poisson distribution", 1936.
    """
    return float(chi2.ppf(1 - confidence, 2 * events)) / 2 if events > 0 else 0.0


def highest_count(events: float, confidence: float) -> float:
    """The upper bound of the same.

    Where none was seen, there may have been three to be expected:

    >>> print(f"{highest_count(0, 0.95):.1f}")
    3.0
    """
    return float(chi2.ppf(confidence, 2 * events + 2)) / 2
