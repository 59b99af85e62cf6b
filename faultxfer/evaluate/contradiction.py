"""Do labels, or a person's word, contradict the source detector? Asked before anything is built."""

from __future__ import annotations

import numpy as np
from scipy.special import logit

from faultxfer.evaluate.intervals import Interval, resample, resampled_metrics
from faultxfer.evaluate.rows import ScoredRows, clusters_of

# Of a bound on the ROC-AUC: a ranking the wrong way round is a grave word.
_CONFIDENCE = 0.99
# Rows that lie so many spreads above the others, and at least so large a share of them.
_FAR, _LEAST_SHARE = 3.0, 0.01
# In log-odds: scores that are nearly equal tell no row from another.
_LEAST_SPREAD = 0.25
_CERTAIN = 1e-12


def wrong_way_round(rows: ScoredRows) -> Interval | None:
    """The ROC-AUC of rows of both classes, where it is below one half with evidence.

    None where it is not, or where too few recordings hold a class.
    """
    resamples = resample(rows.y, clusters_of(rows.y, rows.run, rows.time))
    values = resampled_metrics(rows, resamples)["roc_auc"]
    found = resamples.interval(values, _CONFIDENCE, 0.0, 1.0)
    return found if found is not None and found.high < 0.5 else None


def standing_out(probabilities: np.ndarray, alarms: np.ndarray) -> np.ndarray:
    """(n,) bool: rows of which some are said to be healthy, and that do not look like the others.

    They alarm, and lie far above the others in log-odds; none where they are fewer than one in a
    hundred, or half of all: then the machine differs from the source's, and no row from the others.

    Args:
        probabilities: (n,) of a fault, by a detector that was fitted on none of the rows.
        alarms: (n,) bool, at its own threshold.
    """
    said = logit(np.clip(probabilities, _CERTAIN, 1 - _CERTAIN))
    usual = np.median(said)
    spread = max(1.4826 * float(np.median(np.abs(said - usual))), _LEAST_SPREAD)
    found = alarms & (said > usual + _FAR * spread)
    if not _LEAST_SHARE <= found.mean() < 0.5:
        return np.zeros(len(found), dtype=bool)
    return np.asarray(found)
