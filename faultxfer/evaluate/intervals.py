"""How sure a metric is: cluster bootstrap for metrics of rows, exact bounds for counts.

Every bound is one-sided and holds with the confidence asked for; low and high together are an
interval of ``2 * confidence - 1``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from faultxfer.evaluate.metrics import LEAST_PROBABILITY
from faultxfer.evaluate.ranking import RankedRows
from faultxfer.evaluate.rows import Clusters, ScoredRows
from faultxfer.exact_bounds import highest_count, highest_share, lowest_count, lowest_share

RESAMPLES = 1000
# Scores are told apart up to this many levels when they are resampled.
_LEVELS = 1024
# Few runs, one of them long: their own spread shows too little of what other runs would do, most
# of all where they happen to be ranked without a mistake. Both constants were chosen on simulated
# weeks and measured on others (benchmarks/crossfit_truth.py, docs/gate.md).
_UNEQUAL, _LEAST_VARIANCE = 0.2, 0.05


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
        error = float(drawn.std()) * self.clusters.unequal**_UNEQUAL
        if least == 0 and np.isfinite(most):
            error = math.hypot(error, _least_error(estimate, most, freedom + 1))
        reach = float(student.ppf(confidence, freedom)) * error
        low, high = max(least, estimate - reach), min(most, estimate + reach)
        return Interval(estimate, low, high, error)


def _least_error(estimate: float, most: float, clusters: int) -> float:
    """Part of the standard error that is there even where all resamples agree."""
    share = (estimate / most * clusters + 1) / (clusters + 2)
    return most * math.sqrt(_LEAST_VARIANCE * share * (1 - share) / clusters)


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
    pr_auc, roc_auc = _ranking(rows, resamples)
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


def _ranking(rows: ScoredRows, resamples: Resamples) -> tuple[np.ndarray, np.ndarray]:
    """PR-AUC and ROC-AUC, (1 + b,) each.

    The estimate sees every level of the scores; resamples see levels that are merged if many.
    """
    judged = rows.y, rows.probabilities, rows.fold
    estimates = RankedRows.of(*judged).areas(np.ones((1, 1)))
    merged = RankedRows.of(*judged, resamples.clusters.index, _LEVELS)
    drawn = merged.areas(resamples.weights[1:])
    pr_auc, roc_auc = (np.concatenate(pair) for pair in zip(estimates, drawn, strict=True))
    return pr_auc, roc_auc


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
    low, high = lowest_count(count, confidence), highest_count(count, confidence)
    return Interval(count / exposure, low / exposure, high / exposure)
