"""How sure a metric is: cluster bootstrap for metrics of rows, exact bounds for counts.

Every bound is one-sided and holds with the confidence asked for; low and high together are an
interval of ``2 * confidence - 1``.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2
from scipy.stats import t as student

from faultxfer.evaluate.metrics import LEAST_PROBABILITY
from faultxfer.evaluate.rows import Clusters, ScoredRows
from faultxfer.exact_bounds import highest_share, lowest_share

RESAMPLES = 1000
# Scores are told apart up to this many levels when they are resampled.
_LEVELS = 1024


@dataclass(frozen=True)
class Interval:
    """A metric and how far it may be off.

    Attributes:
        estimate: on the rows as they are.
        low, high: one-sided bounds.
        error: standard error; None for exact bounds of a count.
    """

    estimate: float
    low: float
    high: float
    error: float | None = None

    @classmethod
    def at(cls, value: float) -> Interval:
        """A value that is known exactly."""
        return cls(value, value, value)

    def __neg__(self) -> Interval:
        return Interval(-self.estimate, -self.high, -self.low, self.error)


@dataclass(frozen=True)
class Resamples:
    """How much each cluster counts in each resample.

    Attributes:
        clusters: what is drawn.
        weights: (1 + b, g), see :func:`resample`; in the first line, which gives the estimate, each
            counts once.
    """

    clusters: Clusters
    weights: np.ndarray

    def interval(
        self, values: np.ndarray, confidence: float, least: float, most: float
    ) -> Interval | None:
        """Bounds from (1 + b,) values; None where too few resamples could be measured.

        Standard error of the resamples times Student's t with as many degrees of freedom as the
        rarer class has clusters, less one; percentiles of few clusters are too narrow (Cameron,
        Gelbach & Miller, "Bootstrap-Based Improvements for Inference with Clustered Errors", 2008).

        Args:
            values: on the rows as they are, then in each resample.
            confidence: of each bound.
            least: the lowest value that is possible.
            most: the highest.
        """
        freedom = min(self.clusters.faulty, self.clusters.normal) - 1
        estimate, resampled = float(values[0]), values[1:]
        drawn = resampled[np.isfinite(resampled)]
        if freedom < 1 or not np.isfinite(estimate) or len(drawn) < 0.9 * len(resampled):
            return None
        error = float(drawn.std())
        reach = float(student.ppf(confidence, freedom)) * error
        low, high = max(least, estimate - reach), min(most, estimate + reach)
        return Interval(estimate, low, high, error)


def resample(y: np.ndarray, clusters: Clusters, seed: int = 0, count: int = RESAMPLES) -> Resamples:
    """Draw clusters with replacement, those with and without faults apart.

    So no resample lacks a class. Of n clusters of a kind n - 1 are drawn, and each counts
    n / (n - 1) times: drawing n of n shows a mean with a variance too small by (n - 1) / n, which
    is a third where three runs hold faults (Rao & Wu, "Resampling Inference With Complex Survey
    Data", 1988; clusters as units: Field & Welsh, "Bootstrapping clustered data", 2007).

    Args:
        y: (m,) labels.
        clusters: of the same rows.
        seed: of the draws.
        count: b, how many resamples.
    """
    rng = np.random.default_rng(seed)
    faulty = np.bincount(clusters.index, weights=y, minlength=clusters.count) > 0
    weights = np.ones((1 + count, clusters.count))
    for group in (np.flatnonzero(faulty), np.flatnonzero(~faulty)):
        n = len(group)
        # One of a kind is in every resample.
        if n > 1:
            drawn = rng.multinomial(n - 1, np.full(n, 1 / n), size=count)
            weights[1:, group] = drawn * (n / (n - 1))
    return Resamples(clusters, weights)


def resampled_metrics(rows: ScoredRows, resamples: Resamples) -> dict[str, np.ndarray]:
    """Each metric with an interval in every resample, as (1 + b,) arrays; NaN without a value.

    Args:
        rows: (m,) rows, scored by one contestant.
        resamples: of the same rows; the same ones for two contestants give paired differences.
    """
    y, totals = rows.y, _Totals(rows.y, resamples)
    sure = np.clip(rows.probabilities, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    losses = -np.log(np.where(y == 1, sure, 1 - sure))
    hits, false_alarms = totals.of(y * rows.alarms), totals.of((1 - y) * rows.alarms)
    pr_auc, roc_auc = _ranking(y, rows.probabilities, resamples)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "pr_auc": pr_auc,
            "roc_auc": roc_auc,
            "recall": hits / totals.faults,
            "precision": hits / (hits + false_alarms),
            "false_alarm_rate": false_alarms / totals.normals,
            "log_loss": totals.of(losses) / (totals.faults + totals.normals),
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
    """Average precision and area under the ROC curve, (1 + b,) each.

    The estimate sees every level of the scores; resamples see levels that are merged if many.
    """
    clusters, level = resamples.clusters, _levels(scores)
    merged = level
    if level.max() >= _LEVELS:
        merged = level * _LEVELS // (int(level.max()) + 1)
    everything = dataclasses.replace(clusters, index=np.zeros_like(clusters.index))
    pr_auc, roc_auc = _areas(y, level, everything, np.ones((1, 1)))
    pr_aucs, roc_aucs = _areas(y, merged, clusters, resamples.weights[1:])
    return np.concatenate([pr_auc, pr_aucs]), np.concatenate([roc_auc, roc_aucs])


def _levels(scores: np.ndarray) -> np.ndarray:
    """(m,) rank of each score's level, the highest score first; equal scores share a level."""
    return np.asarray(np.unique(-scores, return_inverse=True)[1])


def _areas(
    y: np.ndarray, level: np.ndarray, clusters: Clusters, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Both areas for (b, g) weights.

    Both are sums over faults alone: of the precision at each fault's level, and of the normal rows
    below it. Weighing clusters commutes with counting along the scores, so the counts are made once
    for each cluster.
    """
    faults, normals = _counts(level, clusters, y == 1), _counts(level, clusters, y == 0)
    normals_so_far = np.cumsum(normals, axis=1)
    # A fault and a normal row of one level count half.
    below = normals_so_far[:, -1:] - normals_so_far + normals / 2
    at = faults.any(axis=0)  # levels with a fault
    hits = weights @ faults[:, at]
    hits_so_far = weights @ np.cumsum(faults, axis=1)[:, at]
    alarms_so_far = hits_so_far + weights @ normals_so_far[:, at]
    pairs = hits.sum(axis=1) * (weights @ normals.sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = hits_so_far / np.maximum(alarms_so_far, 1)
        pr_auc = (hits * precision).sum(axis=1) / hits.sum(axis=1)
        roc_auc = (hits * (weights @ below[:, at])).sum(axis=1) / pairs
    return pr_auc, roc_auc


def _counts(level: np.ndarray, clusters: Clusters, rows: np.ndarray) -> np.ndarray:
    """(g, k) rows of each cluster at each level, among those of a mask."""
    shape = clusters.count, int(level.max()) + 1
    cells = clusters.index[rows] * shape[1] + level[rows]
    counts = np.bincount(cells, minlength=shape[0] * shape[1])
    return counts.reshape(shape).astype(float)


def clopper_pearson(hits: float, trials: float, confidence: float) -> Interval:
    """A share and its exact bounds, see :mod:`faultxfer.exact_bounds`.

    Args:
        hits: successes; need not be whole where a larger sample is imagined.
        trials: of which they are some; likewise.
        confidence: of each bound.
    """
    low = float(lowest_share(hits, trials, confidence))
    high = float(highest_share(hits, trials, confidence))
    return Interval(hits / trials, low, high)


def poisson_rate(count: float, exposure: float, confidence: float) -> Interval:
    """Exact bounds of a rate (Garwood, "Fiducial limits for the Poisson distribution", 1936).

    Args:
        count: rare events seen; need not be whole where a larger sample is imagined.
        exposure: the time in which they were seen.
        confidence: of each bound.
    """
    low = 0.0
    if count > 0:
        low = float(chi2.ppf(1 - confidence, 2 * count)) / 2
    high = float(chi2.ppf(confidence, 2 * count + 2)) / 2
    return Interval(count / exposure, low / exposure, high / exposure)
