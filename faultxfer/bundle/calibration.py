"""From a network's logit to a probability, and from a probability to an alarm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

# A priori the slope is 1 with this precision: 50 rows must not turn a good ranking into certainty.
_SLOPE_PRECISION = 2.0
_OFFSET_PRECISION = 0.01


@dataclass(frozen=True)
class Calibrator:
    """Platt scaling: probability = expit(slope * logit + offset)."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """(n,) logits to (n,) probabilities."""
        return np.asarray(expit(self.slope * logits + self.offset))


def fit_calibrator(logits: np.ndarray, y: np.ndarray) -> Calibrator:
    """Platt scaling with a prior on the slope (Platt, "Probabilistic outputs for support vector machines", 1999).

    The slope stays positive, so calibration never turns the ranking over.

    Args:
        logits: (n,) logits of rows that did not fit the network.
        y: (n,) labels 0 or 1.
    """

    def loss(parameters: np.ndarray) -> float:
        slope, offset = np.exp(parameters[0]), parameters[1]
        z = slope * logits + offset
        fit = float(np.logaddexp(0, np.where(y == 1, -z, z)).sum())
        return fit + 0.5 * (_SLOPE_PRECISION * float(slope - 1) ** 2 + _OFFSET_PRECISION * float(offset) ** 2)

    found = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-8, "maxiter": 2000})
    return Calibrator(float(np.exp(found.x[0])), float(found.x[1]))


def choose_threshold(probabilities: np.ndarray, y: np.ndarray, alarm_rate: float) -> float:
    """Lowest threshold that keeps false alarms on these normal rows at or below ``alarm_rate``.

    A row alarms when its probability is *above* the threshold.

    Args:
        probabilities: (n,) calibrated probabilities of calibration rows.
        y: (n,) labels.
        alarm_rate: share of normal rows that may alarm.
    """
    normal = np.sort(probabilities[y == 0])
    # Counted in shares as they will be measured: 0.29 * 100 is a little less than 29 in floating point.
    allowed = int((np.arange(1, len(normal)) / len(normal) <= alarm_rate).sum())
    return float(normal[len(normal) - 1 - allowed])
