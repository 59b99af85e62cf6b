"""Missing readings from the other sensors: the conditional mean of a Gaussian of source rows.

Everything happens in the source's robust-scaled, soft-clipped units, in which heavy tails weigh
little. The covariance is shrunk (Ledoit and Wolf, "A well-conditioned estimator for
large-dimensional covariance matrices", Journal of Multivariate Analysis 2004), so any pattern of
missing sensors can be filled, with many sensors and few rows too. A machine's readings are brought
to the source's units first, sensor by sensor, by the map that belongs to the imputer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from faultxfer.bundle.frozen import soft_clipped, soft_unclipped
from faultxfer.bundle.input_map import InputMap, Spread, map_between, spread_of, spread_of_gappy
from faultxfer.bundle.plain_files import load_arrays

IMPUTER = "imputer.npz"

# A sensor of which the others explain less than this share cannot be predicted ...
LEAST_R2 = 0.5
# ... and matters where guessing it costs more than this of the source's own score (mean of PR-AUC
# and ROC-AUC) on held-out source runs.
MOST_COST = 0.02
# Rows that are enough for a covariance.
_FIT_ROWS = 50_000
# Rows of a machine as many as these weigh as much as the source: in location and scale, and in
# the covariance.
_PRIOR_ROWS = 50.0
# Rows of a machine that are enough, and rounds after which nothing changes that matters.
_MACHINE_ROWS, _ROUNDS = 2_000, 5
_RIDGE = 1e-6
# Of a sensor that the source does not know, before a row of the machine was seen.
_NEW = (("mean", 0.0), ("low", -3.9), ("high", 3.9), ("r2", 0.0), ("cost", 0.0))
# Of rows with gaps so many are enough, as each round looks at all of them again; after so many
# rounds nothing changes that matters.
_GAPPY_ROWS, _GAPPY_ROUNDS = 10_000, 40


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
        allowed: (d,) bool: sensors that the contract allows to fill in.
        max_share: largest share of a row's sensors that may be filled in.
    """

    spread: Spread
    mean: np.ndarray
    covariance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    r2: np.ndarray
    cost: np.ndarray
    to_source: InputMap
    allowed: np.ndarray
    max_share: float

    @property
    def fills(self) -> np.ndarray:
        """(d,) bool: sensors that may be filled in, and can be predicted or do not matter."""
        able = (self.r2 >= LEAST_R2) | (self.cost <= MOST_COST)
        return np.asarray(able & self.allowed)

    def names_filled(self, features: tuple[str, ...]) -> frozenset[str]:
        """Those of the names (d,) of its sensors that it fills in."""
        filled = zip(features, self.fills, strict=True)
        return frozenset(name for name, fills in filled if fills)

    def can_fill(self, X: np.ndarray) -> np.ndarray:
        """(n,) bool: rows of (n, d) readings of which every missing one may be filled in."""
        missing = np.isnan(X)
        few = missing.mean(axis=1) <= self.max_share
        return np.asarray(few & ~missing[:, ~self.fills].any(axis=1))

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

    def drawn(self, X: np.ndarray, drawn: np.ndarray, seed: int) -> np.ndarray:
        """(n, d) readings with every NaN filled, some of them by a draw.

        A machine that lacks a sensor is given, row by row, what the sensor might have read: a
        draw from the distribution that the other sensors leave open (Rubin, "Multiple Imputation
        for Nonresponse in Surveys", 1987). A mean would vary less than readings do, and a tree
        could tell the machine's rows from the others by that.

        Args:
            X: (n, d) readings, NaN where missing.
            drawn: (n, d) bool: cells that are drawn; the other missing ones get the mean.
            seed: of the draws.
        """
        missing = np.isnan(X)
        rows = np.flatnonzero(missing.any(axis=1))
        if not len(rows):
            return X
        noise = np.random.default_rng(seed).standard_normal((len(rows), X.shape[1]))
        filled = X.copy()
        filled[rows] = self._filled(X[rows], missing[rows], np.where(drawn[rows], noise, np.nan))
        return filled

    def _filled(
        self, X: np.ndarray, missing: np.ndarray, noise: np.ndarray | None = None
    ) -> np.ndarray:
        known = soft_clipped(self.to_source(X), self.spread) - self.mean
        known[missing] = 0.0
        guessed = np.zeros_like(known)
        for rows, gaps in _patterns(missing):
            guessed[np.ix_(rows, gaps)] = self.conditional(known[rows], gaps)
            if noise is not None:
                guessed[np.ix_(rows, gaps)] += self._residual(noise[rows][:, gaps], gaps)
        inside = self._inside(guessed + self.mean, mirrored=noise is not None)
        readings = self.to_source.back(soft_unclipped(inside, self.spread))
        return np.where(missing, readings, X)

    def _residual(self, noise: np.ndarray, gaps: np.ndarray) -> np.ndarray:
        """(k, m) what m missing sensors differ from their mean by; 0 where the noise is NaN."""
        covariance = np.linalg.inv(self.precision[np.ix_(gaps, gaps)])
        residual = np.nan_to_num(noise) @ np.linalg.cholesky(covariance).T
        return np.asarray(np.where(np.isnan(noise), 0.0, residual))

    def _inside(self, z: np.ndarray, *, mirrored: bool) -> np.ndarray:
        """(n, d) values within the range that was seen.

        Draws beyond an end are mirrored at it: heaped up there they would give their machine away.
        """
        if mirrored:
            z = np.where(z > self.high, 2 * self.high - z, z)
            z = np.where(z < self.low, 2 * self.low - z, z)
        return np.asarray(np.clip(z, self.low, self.high))

    def conditional(self, known: np.ndarray, gaps: np.ndarray) -> np.ndarray:
        """(k, m) mean of the m missing sensors, given centred rows (k, d) with 0 in the gaps."""
        precision = self.precision
        pull = known @ precision[:, gaps]
        return np.asarray(-np.linalg.solve(precision[np.ix_(gaps, gaps)], pull.T).T)

    def regression(self, gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The conditional mean of some sensors given all others, where no reading is far out.

        Args:
            gaps: (d,) bool: the m sensors.

        Returns:
            (d - m, m) weights and (m,) offset, both in the source's engineering units.
        """
        precision = self.precision
        inside = np.linalg.solve(precision[np.ix_(gaps, gaps)], precision[np.ix_(gaps, ~gaps)])
        scale = self.spread.scale
        weights = -inside.T * scale[gaps] / scale[~gaps][:, None]
        usual = self.spread.center + scale * self.mean
        return weights, usual[gaps] - usual[~gaps] @ weights

    def each_from_others(self, X: np.ndarray) -> np.ndarray:
        """(n, d) readings, each as it would be filled in if it were missing too.

        Missing ones are filled in.
        """
        if np.isnan(X).any():
            return self._each_of_gappy(X)
        z = soft_clipped(self.to_source(X), self.spread)
        surprise = (z - self.mean) @ self.precision / np.diag(self.precision)
        inside = np.clip(z - surprise, self.low, self.high)
        return self.to_source.back(soft_unclipped(inside, self.spread))

    def _each_of_gappy(self, X: np.ndarray) -> np.ndarray:
        guessed = self(X)
        for sensor in range(X.shape[1]):
            rows = np.flatnonzero(~np.isnan(X[:, sensor]))
            without = X[rows]
            without[:, sensor] = np.nan
            guessed[rows, sensor] = self(without)[:, sensor]
        return guessed

    @cached_property
    def precision(self) -> np.ndarray:
        """(d, d); a block of it is far smaller to solve than one of the covariance."""
        return np.asarray(np.linalg.inv(self.covariance))

    def for_sensors(self, common: np.ndarray, new: int) -> Imputer:
        """The same for a machine that lacks sensors of the source, or has others.

        Of new ones nothing is known before :meth:`for_machine`: they go with no other sensor, and
        as no model of the source looks at them, guessing them costs nothing there.

        Args:
            common: (c,) positions of the sensors that both have; they come first.
            new: how many new sensors stand behind them.
        """
        ones, zeros = np.ones(new), np.zeros(new)
        kept = {name: np.r_[getattr(self, name)[common], fill * ones] for name, fill in _NEW}
        center, scale = self.spread.center[common], self.spread.scale[common]
        gain, offset = self.to_source.gain[common], self.to_source.offset[common]
        covariance = np.eye(len(common) + new)
        covariance[: len(common), : len(common)] = self.covariance[np.ix_(common, common)]
        return dataclasses.replace(
            self,
            **kept,
            spread=Spread(np.r_[center, zeros], np.r_[scale, ones]),
            covariance=covariance,
            to_source=InputMap(np.r_[gain, ones], np.r_[offset, zeros]),
            allowed=np.r_[self.allowed[common], ones > 0],
        )

    def for_machine(self, X: np.ndarray, new: int = 0) -> Imputer:
        """The same for a machine, of which (n, d) readings, some of them missing, are known.

        Their location and scale lead to the source's units; there the machine's rows move mean and
        covariance away from the source's, which weigh as much as 50 rows.

        Args:
            X: readings.
            new: how many sensors behind the others the source does not know; the machine's own
                location and scale are theirs.
        """
        if new:
            return self._on_scale_of(X, new).for_machine(X)
        some = X[np.sort(np.random.default_rng(0).permutation(len(X))[:_MACHINE_ROWS])]
        machine, rows = spread_of_gappy(some, self.spread)
        to_source = map_between(machine, self.spread, rows / (rows + _PRIOR_ROWS))
        mapped = dataclasses.replace(self, to_source=to_source)
        return mapped._learnt(some)

    def _on_scale_of(self, X: np.ndarray, new: int) -> Imputer:
        """With the machine's location and scale of the last sensors as those of the source."""
        own, _ = spread_of_gappy(X, self.spread)
        center, scale = self.spread.center.copy(), self.spread.scale.copy()
        center[-new:], scale[-new:] = own.center[-new:], own.scale[-new:]
        return dataclasses.replace(self, spread=Spread(center, scale))

    def _learnt(self, X: np.ndarray) -> Imputer:
        """Mean and covariance after a machine's rows, by expectation and maximisation."""
        missing = np.isnan(X)
        z = soft_clipped(self.to_source(X), self.spread)
        now = self
        for _ in range(_ROUNDS):
            mean, scatter = now._moments(z, missing)
            total = _PRIOR_ROWS * self.covariance + scatter
            now = dataclasses.replace(now, mean=mean, covariance=total / (_PRIOR_ROWS + len(X)))
        known = np.where(missing, now.mean, z)
        low, high = np.minimum(now.low, known.min(axis=0)), np.maximum(now.high, known.max(axis=0))
        return dataclasses.replace(now, low=low, high=high)

    def _moments(self, z: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Expected mean (d,) and scatter (d, d) of (n, d) rows of which some values are missing.

        A guess varies less than what it stands for; what it lacks is added to the scatter.
        """
        known = np.where(missing, 0.0, z - self.mean)
        guessed, lacking = known.copy(), np.zeros_like(self.covariance)
        for rows, gaps in _patterns(missing):
            guessed[np.ix_(rows, gaps)] = self.conditional(known[rows], gaps)
            inverse = np.linalg.inv(self.precision[np.ix_(gaps, gaps)])
            lacking[np.ix_(gaps, gaps)] += len(rows) * inverse
        moved = guessed.mean(axis=0)
        around = guessed - moved
        return self.mean + moved, around.T @ around + lacking


def _patterns(missing: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions of the rows that lack the same sensors, and (d,) bool: these sensors."""
    patterns, which = np.unique(missing, axis=0, return_inverse=True)
    for number, gaps in enumerate(patterns):
        if gaps.any():
            yield np.flatnonzero(which.ravel() == number), gaps


def fit_imputer(X: np.ndarray) -> Imputer:
    """Fit on (n, d) source rows; nothing is known of R² and cost yet.

    Readings may be missing, of each sensor some must be there.
    """
    from sklearn.covariance import LedoitWolf

    if np.isnan(X).any():
        return _fit_gappy(X)
    spread = spread_of(X)
    some = np.random.default_rng(0).permutation(len(X))[:_FIT_ROWS]
    z = soft_clipped(X[some], spread)
    sensors = X.shape[1]
    covariance = LedoitWolf(store_precision=False).fit(z).covariance_ + _RIDGE * np.eye(sensors)
    return _fitted(z, spread, z.mean(axis=0), np.asarray(covariance))


def _fit_gappy(X: np.ndarray) -> Imputer:
    """Fit on rows of machines that do not all have the same sensors.

    Mean and covariance by expectation and maximisation (Dempster, Laird and Rubin, 1977), from
    sensors that are independent of each other on; so two sensors that no machine has both of are
    related by what others tell of both, and by nothing else. Shrunk as without gaps.
    """
    from sklearn.covariance import ledoit_wolf_shrinkage

    sensors = X.shape[1]
    unknown = Spread(np.zeros(sensors), np.ones(sensors))
    spread, _ = spread_of_gappy(X, unknown)
    some = np.random.default_rng(0).permutation(len(X))[:_GAPPY_ROWS]
    z = soft_clipped(X[some], spread)
    missing = np.isnan(z)
    start = np.diag(np.nanvar(z, axis=0) + _RIDGE)
    now = _fitted(z, spread, np.nanmean(z, axis=0), start)
    for _ in range(_GAPPY_ROUNDS):
        mean, scatter = now._moments(z, missing)
        covariance = scatter / len(z) + _RIDGE * np.eye(sensors)
        now = dataclasses.replace(now, mean=mean, covariance=covariance)
    shrinkage = ledoit_wolf_shrinkage(np.where(missing, now.mean, z))
    usual = np.trace(now.covariance) / sensors * np.eye(sensors)
    shrunk = (1 - shrinkage) * now.covariance + shrinkage * usual
    return dataclasses.replace(now, covariance=shrunk)


def _fitted(z: np.ndarray, spread: Spread, mean: np.ndarray, covariance: np.ndarray) -> Imputer:
    """An imputer of which nothing is judged yet, from (n, d) rows in its units."""
    sensors = z.shape[1]
    ones, zeros = np.ones(sensors), np.zeros(sensors)
    return Imputer(
        spread=spread,
        mean=mean,
        covariance=covariance,
        low=np.nanmin(z, axis=0),
        high=np.nanmax(z, axis=0),
        r2=zeros,
        cost=zeros,
        to_source=InputMap(ones, zeros),
        allowed=np.ones(sensors, dtype=bool),
        max_share=1.0,
    )


Score = Callable[[np.ndarray, np.ndarray], float]


def judged(
    imputer: Imputer, X: np.ndarray, score: Score, uses: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """R² (d,) and cost (d,) of each sensor, on rows that have a reading of it.

    Args:
        imputer: fitted on other source runs.
        X: (n, d) held-out source rows; NaN where a machine does not have the sensor.
        score: of the source's model, for rows (k, d) without NaN and their k positions in ``X``;
            higher is better.
        uses: (d,) bool: sensors that this model looks at; guessing the others costs nothing.
    """
    guessed, whole = imputer.each_from_others(X), imputer(X)
    r2, cost = _explained(imputer, X, guessed), np.zeros(X.shape[1])
    for sensor in np.flatnonzero((r2 < LEAST_R2) & uses):
        rows = np.flatnonzero(~np.isnan(X[:, sensor]))
        without = whole[rows]
        without[:, sensor] = guessed[rows, sensor]
        cost[sensor] = max(0.0, score(whole[rows], rows) - score(without, rows))
    return r2, cost


def _explained(imputer: Imputer, X: np.ndarray, guessed: np.ndarray) -> np.ndarray:
    """(d,) R² in the imputer's units; 0 where a sensor never moves."""
    true, guess = soft_clipped(X, imputer.spread), soft_clipped(guessed, imputer.spread)
    varies = np.nansum((true - imputer.mean) ** 2, axis=0)
    missed = np.nansum((true - guess) ** 2, axis=0)
    return np.asarray(np.where(varies > 0, 1 - missed / np.maximum(varies, 1e-12), 0.0))


# By name in the file: how many dimensions of d sensors each has.
_DIMENSIONS = {
    **dict.fromkeys(("center", "scale", "mean", "low", "high", "r2", "cost"), 1),
    **dict.fromkeys(("gain", "offset", "allowed"), 1),
    "covariance": 2,
    "max_share": 0,
}


def save_imputer(imputer: Imputer, folder: Path, name: str = IMPUTER) -> None:
    """Write the numbers beside the bundle's other files."""
    own = {name: getattr(imputer, name) for name in _DIMENSIONS if hasattr(imputer, name)}
    spread, to_source = imputer.spread, imputer.to_source
    moved = {"gain": to_source.gain, "offset": to_source.offset}
    units = {"center": spread.center, "scale": spread.scale}
    arrays = {name: np.asarray(found, dtype="<f8") for name, found in (own | moved | units).items()}
    np.savez(folder / name, allow_pickle=False, **arrays)


def load_imputer(folder: Path, sensors: int, file: str = IMPUTER) -> Imputer:
    """The inverse of :func:`save_imputer`; the hash of the file is checked before.

    Raises:
        KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile: something else was stored.
    """
    arrays = load_arrays(folder / file)
    found = {}
    for name, dimensions in _DIMENSIONS.items():
        found[name] = _finite(name, arrays[name], (sensors,) * dimensions)
    np.linalg.cholesky(found["covariance"])
    return Imputer(
        spread=Spread(found.pop("center"), found.pop("scale")),
        to_source=InputMap(found.pop("gain"), found.pop("offset")),
        allowed=found.pop("allowed") > 0,
        max_share=float(found.pop("max_share")),
        **found,
    )


def _finite(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The values as they stand, where they have the right shape and are numbers."""
    if values.shape != shape or not np.isfinite(values).all():
        raise ValueError(f"The imputer is damaged. Received: {name} of shape {values.shape}")
    return values
