"""What sensors look like: quantiles of each, and how they rise and fall together."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np

# Where statistics of the source come from: its bundle, rows kept with its run, files that were
# named, or nowhere, so that names and units are all there is.
Basis = Literal["model", "kept rows", "like", "names"]

# Shares of the rows below each quantile that is kept.
PROBABILITIES = np.array([0.01, 0.05, *np.arange(0.1, 0.95, 0.1).round(1), 0.95, 0.99])
MEDIAN, LOW, HIGH = 6, 2, 10
# Spread of a normal distribution between the quantiles LOW and HIGH, in standard deviations.
MIDDLE = 2.563
# Rows are divided into so many parts: how much these differ shows what is noise. Wide plants keep
# fewer, as the correlations of each part are as many as the sensors squared.
_PARTS, _WIDE_PARTS, _WIDE = 4, 2, 200
# Fewer rows than this in a part show nothing by themselves.
_FEWEST = 30
# Of more rows than this, evenly some are looked at.
_ROWS = 20_000


@dataclass(frozen=True)
class SensorStatistics:
    """What is known of d sensors without their rows.

    Attributes:
        names: of the sensors.
        rows: how many rows they are of.
        quantiles: (d, q) in engineering units, at ``PROBABILITIES``; NaN where nothing is known.
        correlations: (d, d) Spearman's rank correlation; 0 where one of two never moves.
        part_quantiles: (g, d, q) the same of parts of the rows.
        part_correlations: (g, d, d) the same of parts of the rows.
    """

    names: tuple[str, ...]
    rows: int
    quantiles: np.ndarray
    correlations: np.ndarray
    part_quantiles: np.ndarray
    part_correlations: np.ndarray

    def part(self, number: int) -> SensorStatistics:
        """One part of the rows alone."""
        quantiles, correlations = self.part_quantiles[number], self.part_correlations[number]
        return SensorStatistics(
            self.names,
            self.rows // max(1, len(self.part_quantiles)),
            quantiles,
            correlations,
            quantiles[None],
            correlations[None],
        )

    def converted(self, factor: np.ndarray, offset: np.ndarray) -> SensorStatistics:
        """The same in other units: (d,) factors above 0, and offsets; NaN where there is none."""
        quantiles = self.quantiles * factor[:, None] + offset[:, None]
        parts = self.part_quantiles * factor[:, None] + offset[:, None]
        return dataclasses.replace(self, quantiles=quantiles, part_quantiles=parts)

    def of(self, names: tuple[str, ...]) -> SensorStatistics:
        """The same of these sensors, in this order; nothing is known of others."""
        if names == self.names:
            return self
        place = {name: number for number, name in enumerate(self.names)}
        known = np.array([name in place for name in names])
        order = np.array([place.get(name, 0) for name in names], dtype=int)
        quantiles = np.where(known[:, None], self.quantiles[order], np.nan)
        parts = np.where(known[None, :, None], self.part_quantiles[:, order], np.nan)
        both = known[:, None] & known[None, :]
        square = np.ix_(order, order)
        correlations = np.where(both, self.correlations[square], 0.0)
        of_parts = self.part_correlations[:, order][:, :, order]
        return SensorStatistics(
            names, self.rows, quantiles, correlations, parts, np.where(both, of_parts, 0.0)
        )

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return len(self.part_quantiles)

    @property
    def noise(self) -> np.ndarray:
        """(d, d) standard error of the correlations, by how much the parts differ."""
        if self.parts < 2:
            return np.zeros(self.correlations.shape)
        apart = self.part_correlations.std(axis=0, ddof=1)
        return np.asarray(apart / np.sqrt(self.parts))

    @property
    def level(self) -> np.ndarray:
        """(d,) median."""
        return np.asarray(self.quantiles[:, MEDIAN])

    @property
    def spread(self) -> np.ndarray:
        """(d,) width of the middle eight tenths, as a standard deviation."""
        return np.asarray((self.quantiles[:, HIGH] - self.quantiles[:, LOW]) / MIDDLE)


def statistics_of(
    names: tuple[str, ...], X: np.ndarray, machine: np.ndarray | None = None
) -> SensorStatistics:
    """Statistics of rows in the order of time.

    Args:
        names: of the d sensors.
        X: (n, d) readings; NaN where one is missing.
        machine: (n,) whose row each is. What machines have in common is asked, so quantiles and
            correlations are those inside each machine, averaged.
    """
    every = slice(None, None, len(X) // _ROWS + 1)
    X = X[every]
    whose = np.zeros(len(X), dtype=int) if machine is None else machine[every]
    machines = [X[whose == name] for name in dict.fromkeys(whose.tolist())]
    machines = [rows for rows in machines if len(rows) >= _FEWEST] or [X]
    parts = machines if len(machines) > 1 else _in_parts(X)
    parts = parts[: _PARTS if X.shape[1] <= _WIDE else _WIDE_PARTS]
    correlations = np.nan_to_num(_mean([correlations_of(rows) for rows in machines]))
    of_parts = np.array([correlations_of(rows) for rows in parts])
    return SensorStatistics(
        names,
        len(X),
        _mean([quantiles_of(rows) for rows in machines]),
        correlations,
        np.array([quantiles_of(rows) for rows in parts]),
        # A machine that lacks a sensor says nothing of it.
        np.where(np.isfinite(of_parts), of_parts, correlations),
    )


def _in_parts(X: np.ndarray) -> list[np.ndarray]:
    """Rows of one machine, one stretch of time after the other."""
    wanted = _PARTS if X.shape[1] <= _WIDE else _WIDE_PARTS
    count = max(1, min(wanted, len(X) // _FEWEST))
    return np.array_split(X, count)


def _mean(each: list[np.ndarray]) -> np.ndarray:
    """The mean over machines of what is known; NaN where none knows."""
    stacked = np.array(each)
    known = np.isfinite(stacked)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    count = known.sum(axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def quantiles_of(X: np.ndarray) -> np.ndarray:
    """(d, q) quantiles of (n, d) readings; NaN where a sensor has none."""
    found = np.full((X.shape[1], len(PROBABILITIES)), np.nan)
    for sensor, values in enumerate(X.T):
        known = values[np.isfinite(values)]
        if len(known):
            found[sensor] = np.quantile(known, PROBABILITIES)
    return found


def correlations_of(X: np.ndarray) -> np.ndarray:
    """(d, d) Spearman's rank correlation of (n, d) readings, the missing ones in the middle.

    NaN where one of two sensors has no reading.
    """
    from scipy.stats import rankdata

    ranks = np.zeros(X.shape)
    for sensor, values in enumerate(X.T):
        known = np.isfinite(values)
        if known.any():
            ranks[known, sensor] = rankdata(values[known])
            ranks[known, sensor] -= ranks[known, sensor].mean()
    unknown = ~np.isfinite(X).any(axis=0)
    norm = np.sqrt((ranks**2).sum(axis=0))
    scaled = ranks / np.where(norm > 0, norm, 1.0)
    together: np.ndarray = np.clip(scaled.T @ scaled, -1.0, 1.0)
    np.fill_diagonal(together, 1.0)
    together[unknown], together[:, unknown] = np.nan, np.nan
    return together
