"""How sure a figure is: cluster bootstrap for figures of rows, exact bounds for counts.

Every bound is one-sided and holds with the confidence asked for; low and high together are an interval of
``2 * confidence - 1``.
"""

from __future__ import annotations

import dataclasses
from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import beta, chi2
from scipy.stats import t as student

from faultxfer.evaluate.metrics import LEAST_PROBABILITY
from faultxfer.evaluate.rows import Clusters

RESAMPLES = 1000
# Scores are told apart up to this many levels when they are resampled.
_LEVELS = 1024
FIGURES = ("pr_auc", "roc_auc", "recall", "precision", "false_alarm_rate", "log_loss")


@dataclass(frozen=True)
class Interval:
    """A figure and how far it may be off.

    Attributes:
        estimate: on the rows as they are.
        low, high: one-sided bounds.
        error: standard error; None for exact bounds of a count.
    """

    estimate: float
    low: float
    high: float
    error: float | None = None

    def as_dict(self) -> dict[str, float | None]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Resamples:
    """How much each cluster counts in each resample.

    Attributes:
        clusters: what is drawn.
        weights: (1 + b, g), see :func:`resample`; in the first line, which gives the estimate, each counts once.
    """

    clusters: Clusters
    weights: np.ndarray

    def interval(
        self, values: np.ndarray, confidence: float, span: tuple[float, float]
    ) -> Interval | None:
        """Bounds from (1 + b,) values; None where too few resamples could be measured.

        Standard error of the resamples times Student's t with as many degrees of freedom as the rarer class has
        clusters, less one; percentiles of few clusters are too narrow (Cameron, Gelbach & Miller, "Bootstrap-Based
        Improvements for Inference with Clustered Errors", 2008).
        """
        freedom = min(self.clusters.faulty, self.clusters.normal) - 1
        drawn = values[1:][np.isfinite(values[1:])]
        if freedom < 1 or not np.isfinite(values[0]) or len(drawn) < 0.9 * (len(values) - 1):
            return None
        estimate, error = float(values[0]), float(drawn.std())
        reach = float(student.ppf(confidence, freedom)) * error
        return Interval(
            estimate, max(span[0], estimate - reach), min(span[1], estimate + reach), error
        )


def resample(y: np.ndarray, clusters: Clusters, seed: int = 0, count: int = RESAMPLES) -> Resamples:
    """Draw clusters with replacement, those with and without faults apart, so that no resample lacks a class.

    Of n clusters of a kind n - 1 are drawn, and each counts n / (n - 1) times: drawing n of n shows a mean with a
    variance too small by (n - 1) / n, which is a third where three runs hold faults (Rao & Wu, "Resampling Inference
    With Complex Survey Data", 1988; clusters as units: Field & Welsh, "Bootstrapping clustered data", 2007).
    """
    rng = np.random.default_rng(seed)
    faulty = np.bincount(clusters.index, weights=y, minlength=clusters.count) > 0
    weights = np.ones((1 + count, clusters.count))
    for group in (np.flatnonzero(faulty), np.flatnonzero(~faulty)):
        n = len(group)
        if n > 1:  # one of a kind is in every resample
            weights[1:, group] = rng.multinomial(n - 1, np.full(n, 1 / n), size=count) * (
                n / (n - 1)
            )
    return Resamples(clusters, weights)


def resampled_figures(
    y: np.ndarray, probabilities: np.ndarray, alarms: np.ndarray, resamples: Resamples
) -> dict[str, np.ndarray]:
    """Each of :data:`FIGURES` in every resample, as (1 + b,) arrays; NaN where it has no value.

    Args:
        y: (m,) labels.
        probabilities: (m,) of a fault, by one contestant.
        alarms: (m,) bool.
        resamples: of the same rows; the same ones for two contestants give paired differences.
    """
    totals = _Totals(y, resamples)
    p = np.clip(probabilities, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    pr_auc, roc_auc = _ranking(y, probabilities, resamples)
    with np.errstate(invalid="ignore", divide="ignore"):
        hits, false_alarms = totals.of(y * alarms), totals.of((1 - y) * alarms)
        return {
            "pr_auc": pr_auc,
            "roc_auc": roc_auc,
            "recall": hits / totals.faults,
            "precision": hits / (hits + false_alarms),
            "false_alarm_rate": false_alarms / totals.normals,
            "log_loss": totals.of(-np.log(np.where(y == 1, p, 1 - p)))
            / (totals.faults + totals.normals),
        }


class _Totals:
    """Weighted sums over rows, by way of sums over each cluster."""

    def __init__(self, y: np.ndarray, resamples: Resamples) -> None:
        self._resamples = resamples
        self.faults, self.normals = self.of(y), self.of(1 - y)

    def of(self, values: np.ndarray) -> np.ndarray:
        clusters = self._resamples.clusters
        sums: np.ndarray = np.bincount(clusters.index, weights=values, minlength=clusters.count)
        return np.asarray(self._resamples.weights @ sums)


def _ranking(
    y: np.ndarray, scores: np.ndarray, resamples: Resamples
) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and area under the ROC curve, (1 + b,) each; the estimate sees every level of the scores."""
    clusters, level = resamples.clusters, _levels(scores)
    merged = level if level.max() < _LEVELS else level * _LEVELS // (int(level.max()) + 1)
    everything = dataclasses.replace(clusters, index=np.zeros_like(clusters.index))
    parts = zip(
        _areas(y, level, everything, np.ones((1, 1))),
        _areas(y, merged, clusters, resamples.weights[1:]),
        strict=True,
    )
    pr_auc, roc_auc = (np.concatenate(part) for part in parts)
    return pr_auc, roc_auc


def _levels(scores: np.ndarray) -> np.ndarray:
    """(m,) rank of each score's level, the highest score first; equal scores share a level."""
    return np.asarray(np.unique(-scores, return_inverse=True)[1])


def _areas(
    y: np.ndarray, level: np.ndarray, clusters: Clusters, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Both areas for (b, g) weights.

    Both are sums over faults alone: of the precision at each fault's level, and of the normal rows below it. Weighing
    clusters commutes with counting along the scores, so the counts are made once for each cluster.
    """
    faults, normals = (_counts(level, clusters, y == label) for label in (1, 0))
    at = faults.any(axis=0)  # levels with a fault
    false = np.cumsum(normals, axis=1)
    # A fault and a normal row of one level count half.
    below = (false[:, -1:] - false + normals / 2)[:, at]
    here, found, wrong = faults[:, at], np.cumsum(faults, axis=1)[:, at], false[:, at]
    hits, hits_so_far = weights @ here, weights @ found
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = hits_so_far / np.maximum(hits_so_far + weights @ wrong, 1)
        pr_auc = (hits * precision).sum(axis=1) / hits.sum(axis=1)
        roc_auc = (hits * (weights @ below)).sum(axis=1) / (
            hits.sum(axis=1) * (weights @ normals.sum(axis=1))
        )
    return pr_auc, roc_auc


def _counts(level: np.ndarray, clusters: Clusters, rows: np.ndarray) -> np.ndarray:
    """(g, k) rows of each cluster at each level, among those of a mask."""
    levels = int(level.max()) + 1
    flat = clusters.index[rows] * levels + level[rows]
    return (
        np.bincount(flat, minlength=clusters.count * levels)
        .reshape(clusters.count, levels)
        .astype(float)
    )


def clopper_pearson(hits: int, trials: int, confidence: float) -> Interval:
    """Exact bounds of a share (Clopper & Pearson, "The use of confidence or fiducial limits", 1934)."""
    low = 0.0 if hits == 0 else float(beta.ppf(1 - confidence, hits, trials - hits + 1))
    high = 1.0 if hits == trials else float(beta.ppf(confidence, hits + 1, trials - hits))
    return Interval(hits / trials, low, high)


def poisson_rate(count: int, exposure: float, confidence: float) -> Interval:
    """Exact bounds of a rate of rare events (Garwood, "Fiducial limits for the Poisson distribution", 1936)."""
    low = 0.0 if count == 0 else float(chi2.ppf(1 - confidence, 2 * count)) / 2
    high = float(chi2.ppf(confidence, 2 * count + 2)) / 2
    return Interval(count / exposure, low / exposure, high / exposure)
