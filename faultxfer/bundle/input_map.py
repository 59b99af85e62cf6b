"""Affine maps from a target machine's readings to the source's units.

Fitted on target training rows only. Equipment change is mostly input shift: gain, offset, duty.
Which map is right differs from task to task, so the map is a dimension of every learner. Matching
first and second moments is the diagonal case of CORAL (Sun et al., "Return of frustratingly easy
domain adaptation", AAAI 2016); medians and quartile ranges stand in for moments here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np

from faultxfer.config import Scaling

MAPS: tuple[str, ...] = get_args(Scaling)
SOURCE, TARGET, NORMAL, OFFSET, BLEND = MAPS
# Of sensors that the source does not know: to the target's own robust units.
NEW = "new"
# Rows at which a target's own statistics weigh as much as the source's in the blended map.
_PRIOR_ROWS = 50.0
_IQR_OF_NORMAL = 1.349
_SORTED_AT_A_TIME = 4_000_000  # readings
# A target spread beyond these ratios of the source's is taken for too few rows, not for a gain.
_GAIN_LIMITS = (0.1, 10.0)


@dataclass(frozen=True)
class Spread:
    """Centre and scale of each sensor, (d,) float64.

    Median and IQR / 1.349, as of a normal distribution.
    """

    center: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True)
class InputMap:
    """x → gain * x + offset, with (d,) gain and offset."""

    gain: np.ndarray
    offset: np.ndarray

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """(n, d) target readings to (n, d) readings in source units.

        Sensors that the source does not know stand behind those it knows, and are left out.
        """
        return np.asarray(X[:, : len(self.gain)] * self.gain + self.offset)

    def back(self, X: np.ndarray) -> np.ndarray:
        """(n, d) readings in source units to (n, d) target readings."""
        return np.asarray((X - self.offset) / self.gain)


def spread_of(X: np.ndarray) -> Spread:
    """Robust statistics of (n, d) rows.

    A sensor whose quartiles agree falls back on its standard deviation, then 1:

    >>> constant, seldom = np.full(20, 7.0), np.eye(20)[0]
    >>> spread_of(np.column_stack([constant, seldom])).scale.round(3).tolist()
    [1.0, 0.218]
    """
    low, center, high = _quartiles(X)
    scale = (high - low) / _IQR_OF_NORMAL
    least = 1e-9 * (1 + np.abs(center))
    narrow = np.flatnonzero(scale <= least)
    scale[narrow] = X[:, narrow].std(axis=0)
    return Spread(center, np.where(scale > least, scale, 1.0))


def _quartiles(X: np.ndarray) -> np.ndarray:
    """(3, d) of (n, d) rows, exact; some sensors at a time, as each is sorted in a copy."""
    sensors = X.shape[1]
    step = max(1, _SORTED_AT_A_TIME // max(1, len(X)))
    parts = [
        np.percentile(X[:, start : start + step], [25, 50, 75], axis=0)
        for start in range(0, sensors, step)
    ]
    return np.hstack(parts) if parts else np.empty((3, 0))


def spread_of_gappy(X: np.ndarray, otherwise: Spread) -> tuple[Spread, np.ndarray]:
    """Robust statistics of (n, d) rows with missing readings.

    Returns:
        The spread, of each sensor by the readings there are and ``otherwise`` where there are none,
        and (d,) how many there are.
    """
    center, scale = otherwise.center.copy(), otherwise.scale.copy()
    there = ~np.isnan(X)
    for place in np.flatnonzero(there.any(axis=0)):
        own = spread_of(X[there[:, place]][:, [place]])
        center[place], scale[place] = own.center[0], own.scale[0]
    return Spread(center, scale), there.sum(axis=0)


def map_between(target: Spread, source: Spread, keep: np.ndarray) -> InputMap:
    """Location and scale matched, of each sensor ``keep`` (d,) of the way to the target's own."""
    return _match(_blend(target, source, keep), source)


def fit_maps(
    X: np.ndarray, y: np.ndarray, source: Spread, source_normal: Spread
) -> dict[str, InputMap]:
    """Every map, from target training rows with labels (n,).

    The (n, d) readings of the source's sensors come first; of (n, k) new ones behind them the last
    map knows the target's own location and scale.
    """
    rows, sensors = len(X), len(source.center)
    new, X = X[:, sensors:], X[:, :sensors]
    ones = np.ones(sensors)
    normals = X[y == 0]
    normal = spread_of(normals if len(normals) else X)
    blended = _blend(normal, source_normal, rows / (rows + _PRIOR_ROWS))
    maps = {
        SOURCE: InputMap(ones, np.zeros(sensors)),
        TARGET: _match(spread_of(X), source),
        NORMAL: _match(normal, source_normal),
        OFFSET: InputMap(ones, source_normal.center - normal.center),
        BLEND: _match(blended, source_normal),
    }
    if new.shape[1]:
        own = spread_of(new)
        maps[NEW] = InputMap(1 / own.scale, -own.center / own.scale)
    return maps


def _blend(target: Spread, source: Spread, keep: float | np.ndarray) -> Spread:
    """Between the two, ``keep`` of the way to the target's; scales are averaged as logarithms."""
    center = keep * target.center + (1 - keep) * source.center
    log_scale = keep * np.log(target.scale) + (1 - keep) * np.log(source.scale)
    return Spread(center, np.exp(log_scale))


def _match(target: Spread, source: Spread) -> InputMap:
    gain = np.clip(source.scale / target.scale, *_GAIN_LIMITS)
    return InputMap(gain, source.center - gain * target.center)
