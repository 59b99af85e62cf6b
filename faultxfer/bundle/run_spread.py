"""How far recordings of a machine lie from each other, as a part of the alarm threshold.

Few recordings show few of the levels that a machine has. So a quantile of their rows alone is too
low for new recordings, and the fewer there are, the lower.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

# Before anything is known, recordings differ by three times the variance inside a recording, with
# the weight of one of them (docs/decisions/0020).
_PRIOR_RATIO = 3.0


def spread_limit(log_odds: np.ndarray, run: np.ndarray, rate: float) -> float:
    """What a share ``rate`` of the normal rows of *new* recordings exceeds.

    A normal distribution of recordings and one of the rows in them: level + z √(B (1 + 1/r) + W),
    with the variance B between the r recordings and W inside them by the analysis of variance
    (Searle, Casella & McCulloch, "Variance components", 1992). B is pulled towards three times W.
    No row lies farther below the median than the highest lies above it: how sure a model is of the
    clearest normal rows says nothing of the doubtful ones.

    A single recording is thought to lie anywhere:

    >>> rows = np.array([-3.0, -2.0, -1.0])
    >>> round(spread_limit(rows, run=np.zeros(3), rate=0.05), 2)
    2.35

    Args:
        log_odds: (n,) of normal rows that fitted nothing.
        run: (n,) recording of each, by name or number.
        rate: share of the rows that may alarm.
    """
    log_odds = np.maximum(log_odds, 2 * np.median(log_odds) - log_odds.max())
    number = numbered(run)
    sizes = np.bincount(number)
    runs = len(sizes)
    means = np.bincount(number, weights=log_odds) / sizes
    of_means, within, size = mean_squares(log_odds, number)
    between = max((of_means - within) / size, 0.0) if runs > 1 else 0.0
    weights = 1 / (between + within / sizes + 1e-12)
    level = float((weights * means).sum() / weights.sum())
    between = ((runs - 1) * between + _PRIOR_RATIO * within) / runs
    spread = np.sqrt(between * (1 + 1 / runs) + within)
    return level + float(norm.ppf(1 - rate)) * float(spread)


def numbered(run: np.ndarray) -> np.ndarray:
    """(n,) runs, by name or number, as numbers from 0 without gaps."""
    names = run.astype(str) if run.dtype == object else run
    return np.asarray(np.unique(names, return_inverse=True)[1])


def intraclass_correlation(values: np.ndarray, number: np.ndarray) -> float:
    """How much (n,) values of one run are alike, 0 to 1: the analysis-of-variance estimator.

    Args:
        values: (n,).
        number: (n,) run of each, from 0 without gaps; of a single run nothing is known, which is 0.
    """
    between, within, size = mean_squares(values, number)
    total = between + (size - 1) * within
    return float(np.clip((between - within) / total, 0.0, 1.0)) if size and total > 0 else 0.0


def mean_squares(values: np.ndarray, number: np.ndarray) -> tuple[float, float, float]:
    """The analysis of variance of (n,) values by run: mean squares, and the rows of a run.

    Args:
        values: (n,).
        number: (n,) run of each, from 0 without gaps.

    Returns:
        Mean square between runs, mean square inside them, and how many rows of one run the first
        stands for; 0 where there is a single run, or no run of two rows.
    """
    sizes = np.bincount(number)
    rows, runs = len(values), len(sizes)
    means = np.bincount(number, weights=values) / sizes
    squares = float(((values - means[number]) ** 2).sum())
    within = squares / (rows - runs) if rows > runs else 0.0
    if runs < 2:
        return 0.0, within, 0.0
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (runs - 1)
    return between, within, float((rows - (sizes**2).sum() / rows) / (runs - 1))
