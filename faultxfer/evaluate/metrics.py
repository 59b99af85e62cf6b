"""Row metrics of a fault detector; :mod:`faultxfer.metric_table` says what each is called."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from sklearn.metrics import log_loss

from faultxfer.errors import DataError
from faultxfer.evaluate.ranking import RankedRows

# Certainty that is wrong would cost infinitely much.
LEAST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Metrics:
    """Metrics on one set of rows.

    Attributes:
        pr_auc: average precision; a random ranking gets the fault share. None where no fold holds
            rows of both classes.
        roc_auc: area under the receiver operating characteristic; None likewise.
        recall: share of fault rows that alarm.
        precision: share of alarms that are faults; None without alarms.
        false_alarm_rate: share of normal rows that alarm.
        log_loss: of the calibrated probabilities, natural logarithm.
        calibration_error: adaptive expected calibration error: stated against observed fault share
            in bins of equal mass (Nixon et al., "Measuring Calibration in Deep Learning", 2019).
        rows, faults: how many rows there are.
    """

    pr_auc: float | None
    roc_auc: float | None
    recall: float
    precision: float | None
    false_alarm_rate: float
    log_loss: float
    calibration_error: float
    rows: int
    faults: int

    def as_dict(self) -> dict[str, float | int | None]:
        """Plain data for JSON."""
        return asdict(self)


def measure(
    y: np.ndarray, probabilities: np.ndarray, alarms: np.ndarray, fold: np.ndarray | None = None
) -> Metrics:
    """Metrics of (m,) probabilities and alarms against (m,) labels.

    PR-AUC and ROC-AUC compare a fault with normal rows of its own ``fold`` (m,); all rows are one
    fold if it is left out.

    Raises:
        DataError: one class only, or a probability that is not finite.
    """
    faults, rows = int(y.sum()), len(y)
    _require_measurable(faults, rows, probabilities)
    precision = None
    if alarms.any():
        precision = float(y[alarms].mean())
    sure = np.clip(probabilities, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    one_fold = np.zeros(rows, dtype=int)
    ranked = RankedRows.of(y, probabilities, one_fold if fold is None else fold)
    pr_auc, roc_auc = (_number(area[0]) for area in ranked.areas(np.ones((1, 1))))
    return Metrics(
        pr_auc=pr_auc,
        roc_auc=roc_auc,
        recall=float(alarms[y == 1].mean()),
        precision=precision,
        false_alarm_rate=float(alarms[y == 0].mean()),
        log_loss=float(log_loss(y, sure)),
        calibration_error=calibration_error(y, probabilities),
        rows=rows,
        faults=faults,
    )


def _number(value: float) -> float | None:
    """None for one that is not finite: no fold holds both classes."""
    return float(value) if np.isfinite(value) else None


def _require_measurable(faults: int, rows: int, probabilities: np.ndarray) -> None:
    if faults in (0, rows):
        raise DataError(
            "A detector can only be measured on rows of both classes",
            received={"rows": rows, "fault rows": faults},
            remedy="Judge on rows that hold faults and normal operation",
        )
    odd = int((~np.isfinite(probabilities)).sum())
    if odd:
        raise DataError(
            "Some probabilities are not finite",
            received={"not finite": odd},
            remedy="Report this: a model answered with something that is not a probability",
        )


def calibration_error(y: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean distance of stated and observed fault share over bins of equal mass, by their rows.

    Ten rows share one bin; 0.4 is stated, and 2 of 10 are faults:

    >>> calibration_error(np.repeat([0, 1], [8, 2]), np.full(10, 0.4))
    0.2
    """
    distance = 0.0
    for rows in equal_mass_bins(probabilities):
        off = abs(probabilities[rows].mean() - y[rows].mean())
        distance += off * len(rows)
    return float(distance / len(y))


def equal_mass_bins(
    probabilities: np.ndarray, most: int = 10, fewest_rows: int = 10
) -> list[np.ndarray]:
    """Row positions of up to ``most`` bins of growing probability; equal ones share a bin.

    Every bin has ``fewest_rows`` rows or more, unless there are fewer of the (m,) probabilities.
    """
    order = np.argsort(probabilities, kind="stable")
    size = max(fewest_rows, -(-len(order) // most))
    ends = np.flatnonzero(np.diff(probabilities[order])) + 1
    cuts = [0]
    for end in ends.tolist():
        if end - cuts[-1] >= size and len(order) - end >= fewest_rows:
            cuts.append(end)
    return np.split(order, cuts[1:])
