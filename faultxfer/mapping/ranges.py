"""How far the readings of two columns lie apart, each as its machine may write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from faultxfer.mapping.quantities import Writing
from faultxfer.mapping.statistics import HIGH, LOW, MEDIAN, MIDDLE

# Machines of one family differ: their levels by this share of the level besides the spread of the
# readings, their spreads by this factor's logarithm, the shapes of their distributions by this.
_LEVEL_SHARE, _SPREAD_LOG, _SHAPE = 0.1, 0.7, 0.36
_WEIGHTS = (1.4, 0.65, 0.5)
_AS_IT_IS = Writing("", 1.0, 1.0, 0.0, 0.0)
# Factors that differ by less are the same.
_SAME = 1e-3
# Readings that never move have this share of their level as spread.
_STILL = 1e-4


@dataclass(frozen=True)
class Ranges:
    """What lies between each of d sensors and each of t columns.

    Attributes:
        cost: (d, t) for the best way to write; at least 0.
        writing: by sensor and column, the best way.
    """

    cost: np.ndarray
    writing: list[list[Writing]]


def compare_ranges(
    source: np.ndarray,
    target: np.ndarray,
    ways: Sequence[Sequence[Sequence[Writing]]],
    zeros: Sequence[float],
) -> Ranges:
    """Compare all pairs.

    Args:
        source: (d, q) quantiles in the contract's units.
        target: (t, q) quantiles of the numbers in the file.
        ways: by sensor and column, how the column may write the sensor's readings.
        zeros: by sensor, where the size of its readings is counted from.
    """
    costs = np.zeros((len(source), len(target)))
    best: list[list[Writing]] = []
    for row, quantiles in enumerate(source):
        chosen: list[Writing] = [_AS_IT_IS] * len(target)
        for same, columns in _alike(ways[row]):
            found = _costs(quantiles, target[columns], same, zeros[row])
            places = found.argmin(axis=1)
            costs[row, columns] = found.min(axis=1)
            for column, place in zip(columns, places, strict=True):
                chosen[column] = same[place]
        best.append(chosen)
    return Ranges(costs, best)


def _alike(ways: Sequence[Sequence[Writing]]) -> list[tuple[Sequence[Writing], list[int]]]:
    """Columns that may be written in the same ways, together."""
    columns: dict[int, list[int]] = {}
    for column, each in enumerate(ways):
        columns.setdefault(id(each), []).append(column)
    return [(ways[places[0]], places) for places in columns.values()]


def _costs(
    source: np.ndarray, target: np.ndarray, ways: Sequence[Writing], zero: float
) -> np.ndarray:
    """(t, w) what each of w ways costs for each of (t, q) columns."""
    factors = np.array([way.factor for way in ways])
    offsets = np.array([way.offset for way in ways])
    usual = np.array([way.cost for way in ways])
    brought = target[:, None, :] * factors[:, None] + offsets[:, None]
    apart = distance(source, brought.reshape(-1, brought.shape[-1]), zero)
    return np.asarray(usual + apart.reshape(len(target), len(ways)))


def next_best(
    source: np.ndarray, target: np.ndarray, ways: Sequence[Writing], zero: float
) -> tuple[Writing, float] | None:
    """The best way to write that gives other numbers than the best one, and what it costs more.

    None where there is one way alone.
    """
    costs = _costs(source, target[None], ways, zero)[0]
    best = ways[int(costs.argmin())]
    for place in np.argsort(costs, kind="stable"):
        other = ways[place]
        if not np.allclose((other.factor, other.offset), (best.factor, best.offset), rtol=_SAME):
            return other, float(costs[place] - costs.min())
    return None


def distance(source: np.ndarray, target: np.ndarray, zero: float = 0.0) -> np.ndarray:
    """(k,) how far (k, q) quantiles lie from (q,) others, in level, spread and shape.

    Each part is that of a Cauchy distribution, the logarithm of 1 plus the square of the difference
    in usual differences, so that one that is far off does not decide by how far.
    """
    level, other = source[MEDIAN], target[:, MEDIAN]
    spread, others = _spread(source[None])[0], _spread(target)
    usual = np.sqrt((spread**2 + others**2) / 2) + _LEVEL_SHARE * np.abs(level - zero)
    moved = (other - level) / usual
    wider = np.log(others / spread) / _SPREAD_LOG
    own = (source - level) / spread
    shape = np.abs((target - other[:, None]) / others[:, None] - own).mean(axis=1) / _SHAPE
    parts = np.log1p(np.array([moved, wider, shape]) ** 2)
    cost = np.asarray(np.array(_WEIGHTS) @ parts)
    # Nothing is known of a sensor without readings.
    return np.asarray(np.where(np.isfinite(cost), cost, 0.0))


def _spread(quantiles: np.ndarray) -> np.ndarray:
    """(k,) width of the middle eight tenths; never 0."""
    level = np.abs(quantiles[:, MEDIAN])
    width = quantiles[:, HIGH] - quantiles[:, LOW]
    ends = quantiles[:, -1] - quantiles[:, 0]
    # Mostly still, as a valve that opens now and then: the ends show whether it moves at all.
    width = np.where(width > 0, width, ends / 4)
    return np.asarray(np.maximum(width / MIDDLE, _STILL * level + 1e-9))
