"""From logits to probabilities: Platt scaling, and the correction to another share of faults."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

# A priori the slope is 1 with this precision: 50 rows must not turn a good ranking into certainty.
_SLOPE_PRECISION = 2.0
_OFFSET_PRECISION = 0.01
_LEAST_SLOPE = 0.02
# A step of Newton's method that is shorter is followed by none that a float would show.
_LEAST_MOVE = 1e-9
_EM_STEPS = 1000
_EM_TOLERANCE = 1e-7


@dataclass(frozen=True)
class Calibrator:
    """Platt scaling: probability = expit(slope * logit + offset).

    Attributes:
        slope, offset: of the logit.
        fault_share: prevalence of faults that the probabilities hold for; None where it was not
            recorded.
    """

    slope: float = 1.0
    offset: float = 0.0
    fault_share: float | None = None

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """(n,) logits to (n,) probabilities."""
        return np.asarray(expit(self.slope * logits + self.offset))

    def moved_to(self, fault_share: float) -> Calibrator:
        """The same, for rows of which another share are faults.

        Bayes' rule with the same sensors given fault or normal (Elkan, "The foundations of
        cost-sensitive learning", IJCAI 2001; Saerens, Latinne & Decaestecker, Neural Computation
        2002): every log-odds moves by the difference of the shares' log-odds, so the ranking stays,
        and a threshold chosen afterwards alarms on the same rows. A row as likely faulty as not,
        where half of all rows are, is a fault with 10 % where 10 % of them are:

        >>> even = Calibrator(fault_share=0.5)
        >>> even.moved_to(0.1)(np.array([0.0])).round(6).tolist()
        [0.1]
        """
        if self.fault_share is None:
            raise ValueError(
                "It is not known which share of faults these probabilities hold for. "
                "Received: fault_share=None"
            )
        shift = float(logit(fault_share) - logit(self.fault_share))
        return dataclasses.replace(self, offset=self.offset + shift, fault_share=fault_share)


def platt(
    logits: np.ndarray, y: np.ndarray, counts: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and offsets (c,) for the logits (c, n) of ``c`` scorers at once, with slope prior 1.

    Platt, "Probabilistic outputs for support vector machines", 1999, by Newton's method. Slopes
    stay positive, so that calibration never turns a ranking over.

    Args:
        logits: (c, n) logits of rows that did not fit the scorers.
        y: (n,) labels 0 or 1.
        counts: (n,) what each row counts for (:func:`.run_weights.run_weights`); 1 when missing.
    """
    counts = np.ones(len(y)) if counts is None else counts
    a, b = np.ones(len(logits)), np.zeros(len(logits))
    for _ in range(30):
        p = expit(a[:, None] * logits + b[:, None])
        error = counts * (p - y)
        curve = counts * np.maximum(p * (1 - p), 1e-6)
        ga = (error * logits).sum(1) + _SLOPE_PRECISION * (a - 1)
        gb = error.sum(1) + _OFFSET_PRECISION * b
        haa = (curve * logits**2).sum(1) + _SLOPE_PRECISION
        hab = (curve * logits).sum(1)
        hbb = curve.sum(1) + _OFFSET_PRECISION
        determinant = haa * hbb - hab**2
        step_a = (hbb * ga - hab * gb) / determinant
        joint_b = (haa * gb - hab * ga) / determinant
        step_b = np.where(a > _LEAST_SLOPE, joint_b, gb / hbb)
        new_a = np.maximum(a - np.clip(step_a, -0.5, 0.5), _LEAST_SLOPE)
        new_b = b - np.clip(step_b, -2, 2)
        moved = max(np.abs(new_a - a).max(), np.abs(new_b - b).max())
        a, b = new_a, new_b
        if moved < _LEAST_MOVE:
            break
    return a, b


def fit_calibrator(
    logits: np.ndarray, y: np.ndarray, counts: np.ndarray | None = None
) -> Calibrator:
    """Platt scaling of one scorer's logits (n,) by labels (n,); see :func:`platt`.

    Of rows without a fault half a row counts as one: a share of 0 could not be moved to another.
    """
    slopes, offsets = platt(logits[None, :], y, counts)
    least = 0.5 / (len(y) + 1)
    share = float(np.clip(np.mean(y), least, 1 - least))
    return Calibrator(float(slopes[0]), float(offsets[0]), share)


def estimated_prevalence(
    probabilities: np.ndarray, fault_share: float, counts: np.ndarray | None = None
) -> float:
    """Share of faults among rows without labels, by expectation maximisation.

    After Saerens, Latinne & Decaestecker, 2002. It takes for granted that faults and normal rows
    look as they did when the probabilities were calibrated.

    Args:
        probabilities: (n,) calibrated probabilities.
        fault_share: share of faults that they hold for.
        counts: (n,) of how many rows each stands for; 1 if left out.
    """
    share = fault_share
    for _ in range(_EM_STEPS):
        faults = probabilities * share / fault_share
        normals = (1 - probabilities) * (1 - share) / (1 - fault_share)
        before, share = share, float(np.average(faults / (faults + normals), weights=counts))
        if abs(share - before) < _EM_TOLERANCE:
            break
    return share
