"""Missing readings from the other sensors: the conditional mean of a Gaussian of source rows.

Everything happens in the source's robust-scaled, soft-clipped units, in which heavy tails weigh
little. The covariance is shrunk (Ledoit and Wolf, "A well-conditioned estimator for
large-dimensional covariance matrices", Journal of Multivariate Analysis 2004), so any pattern of
missing sensors can be filled, with many sensors and few rows too. A machine's readings are brought
to the source's units first, sensor by sensor, by the map that belongs to the imputer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.covariance import LedoitWolf

from faultxfer.bundle.frozen import soft_clipped, soft_unclipped
from faultxfer.bundle.input_map import InputMap, Spread, map_between, spread_of, spread_of_gappy

# A sensor of which the others explain less than this share cannot be predicted ...
LEAST_R2 = 0.5
# ... and matters where guessing it costs more than this of the source's own score (mean of PR-AUC
# and ROC-AUC) on held-out source runs.
MOST_COST = 0.02
# Rows that are enough for a covariance, and for R² and costs.
_FIT_ROWS, _JUDGE_ROWS = 50_000, 4_000
# Fewer rows with a reading than this say too little of a machine's location and scale.
_PRIOR_ROWS = 50.0
_RIDGE = 1e-6


@dataclass(frozen=True)
class Imputer:
    """Fills missing readings of d sensors.

    Attributes:
        spread: robust statistics of the source's rows, the units of everything below.
        mean: (d,) of soft-clipped source rows.
        covariance: (d, d) of the same, shrunk.
        low, high: (d,) smallest and largest value of the same.
        r2: (d,) share of a sensor's variance that the other sensors explain on held-out source
            runs; below 0 where the guess is worse than the mean.
        cost: (d,) score that the source loses on held-out source runs where the sensor is imputed
            in every row; 0 where it can be predicted.
        to_source: from the machine's readings to source units.
    """

    spread: Spread
    mean: np.ndarray
    covariance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    r2: np.ndarray
    cost: np.ndarray
    to_source: InputMap

    @property
    def fills(self) -> np.ndarray:
        """(d,) bool: sensors that can be predicted, or do not matter."""
        return np.asarray((self.r2 >= LEAST_R2) | (self.cost <= MOST_COST))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """(n, d) readings, NaN where missing, to the same with every NaN filled.

        Rows without a missing reading are not touched.
        """
        missing = np.isnan(X)
        rows = np.flatnonzero(missing.any(axis=1))
        if not len(rows):
            return X
        filled = X.copy()
        filled[rows] = self._filled(X[rows], missing[rows])
        return filled

    def _filled(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        known = soft_clipped(self.to_source(X), self.spread) - self.mean
        known[missing] = 0.0
        patterns, which = np.unique(missing, axis=0, return_inverse=True)
        guessed = np.zeros_like(known)
        for number, gaps in enumerate(patterns):
            rows = which.ravel() == number
            guessed[np.ix_(rows, gaps)] = self._conditional(known[rows], gaps)
        inside = np.clip(guessed + self.mean, self.low, self.high)
        readings = self.to_source.back(soft_unclipped(inside, self.spread))
        return np.where(missing, readings, X)

    def _conditional(self, known: np.ndarray, gaps: np.ndarray) -> np.ndarray:
        """(k, m) mean of the m missing sensors, given centred rows (k, d) with 0 in the gaps."""
        precision = self._precision
        pull = known @ precision[:, gaps]
        return np.asarray(-np.linalg.solve(precision[np.ix_(gaps, gaps)], pull.T).T)

    @cached_property
    def _precision(self) -> np.ndarray:
        """(d, d); a block of it is far smaller to solve than one of the covariance."""
        return np.asarray(np.linalg.inv(self.covariance))

    def for_machine(self, X: np.ndarray) -> Imputer:
        """The same for a machine, of which (n, d) readings, some of them missing, are known."""
        machine, rows = spread_of_gappy(X, self.spread)
        to_source = map_between(machine, self.spread, rows / (rows + _PRIOR_ROWS))
        return dataclasses.replace(self, to_source=to_source)


def fit_imputer(X: np.ndarray) -> Imputer:
    """Fit on (n, d) source rows without missing readings; nothing is known of R² and cost yet."""
    spread = spread_of(X)
    some = np.random.default_rng(0).permutation(len(X))[:_FIT_ROWS]
    z = soft_clipped(X[some], spread)
    sensors = X.shape[1]
    covariance = LedoitWolf().fit(z).covariance_ + _RIDGE * np.eye(sensors)
    ones, zeros = np.ones(sensors), np.zeros(sensors)
    return Imputer(
        spread=spread,
        mean=z.mean(axis=0),
        covariance=np.asarray(covariance),
        low=z.min(axis=0),
        high=z.max(axis=0),
        r2=zeros,
        cost=zeros,
        to_source=InputMap(ones, zeros),
    )


def judged(
    imputer: Imputer, X: np.ndarray, score: Callable[[np.ndarray, np.ndarray], float]
) -> Imputer:
    """The same with R² and cost of each sensor.

    Args:
        imputer: fitted on other source runs.
        X: (n, d) held-out source rows without missing readings.
        score: of the source's model, from (k, d) rows and their (k,) places in ``X``.
    """
    places = np.sort(np.random.default_rng(0).permutation(len(X))[:_JUDGE_ROWS])
    X = X[places]
    r2, cost = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    whole = score(X, places)
    for sensor in range(X.shape[1]):
        guessed = _without(imputer, X, sensor)
        r2[sensor] = _explained(imputer, X, guessed, sensor)
        if r2[sensor] < LEAST_R2:
            cost[sensor] = max(0.0, whole - score(guessed, places))
    return dataclasses.replace(imputer, r2=r2, cost=cost)


def _without(imputer: Imputer, X: np.ndarray, sensor: int) -> np.ndarray:
    """(n, d) rows in which one sensor is imputed."""
    gaps = X.copy()
    gaps[:, sensor] = np.nan
    return imputer(gaps)


def _explained(imputer: Imputer, X: np.ndarray, guessed: np.ndarray, sensor: int) -> float:
    """R² of one sensor in the imputer's units; 0 where it never moves."""
    true, guess = (soft_clipped(rows, imputer.spread)[:, sensor] for rows in (X, guessed))
    varies = float(((true - imputer.mean[sensor]) ** 2).sum())
    return 1 - float(((true - guess) ** 2).sum()) / varies if varies > 0 else 0.0
