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
        recall: share of fault rows that alarm; None without fault rows.
        precision: share of alarms that are faults; None without alarms, or rows of one class.
        false_alarm_rate: share of normal rows that alarm; None without normal rows.
        log_loss: of the calibrated probabilities, natural logarithm; None for rows of one class.
        calibration_error: adaptive expected calibration error: stated against observed fault share
            in bins of equal mass (Nixon et al., "Measuring Calibration in Deep Learning", 2019);
            None likewise.
        rows, faults: how many rows there are.
    """

    pr_auc: float | None
    roc_auc: float | None
    recall: float | None
    precision: float | None
    false_alarm_rate: float | None
    log_loss: float | None
    calibration_error: float | None
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
    fold if it is left out. Rows of one class show no more than that class does, and rows without a
    label (-1) nothing.

    Raises:
        DataError: a probability that is not finite.
    """
    _require_finite(probabilities)
    faults, rows = int((y == 1).sum()), len(y)
    if min(faults, int((y == 0).sum())) == 0:
        return _of_one_class(y, alarms)
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


def _of_one_class(y: np.ndarray, alarms: np.ndarray) -> Metrics:
    """What alarms show where faults or normal rows are lacking, or both."""
    fault, normal = alarms[y == 1], alarms[y == 0]
    return Metrics(
        pr_auc=None,
        roc_auc=None,
        recall=float(fault.mean()) if len(fault) else None,
        precision=None,
        false_alarm_rate=float(normal.mean()) if len(normal) else None,
        log_loss=None,
        calibration_error=None,
        rows=len(fault) + len(normal),
        faults=len(fault),
    )


def _number(value: float) -> float | None:
    """None for one that is not finite: no fold holds both classes."""
    return float(value) if np.isfinite(value) else None


def _require_finite(probabilities: np.ndarray) -> None:
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
