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
    number = np.unique(run.astype(str), return_inverse=True)[1]
    sizes = np.bincount(number)
    rows, runs = len(log_odds), len(sizes)
    means = np.bincount(number, weights=log_odds) / sizes
    squares = float(((log_odds - means[number]) ** 2).sum())
    within = squares / (rows - runs) if rows > runs else 0.0
    between = _between(means, sizes, within)
    weights = 1 / (between + within / sizes + 1e-12)
    level = float((weights * means).sum() / weights.sum())
    between = ((runs - 1) * between + _PRIOR_RATIO * within) / runs
    spread = np.sqrt(between * (1 + 1 / runs) + within)
    return level + float(norm.ppf(1 - rate)) * float(spread)


def _between(means: np.ndarray, sizes: np.ndarray, within: float) -> float:
    """Variance between runs by the analysis of variance; 0 for a single one."""
    runs, rows = len(sizes), sizes.sum()
    if runs < 2:
        return 0.0
    grand = (sizes * means).sum() / rows
    of_means = (sizes * (means - grand) ** 2).sum() / (runs - 1)
    size = (rows - (sizes**2).sum() / rows) / (runs - 1)
    return float(max((of_means - within) / size, 0.0))
