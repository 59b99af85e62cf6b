"""Affine maps from a target machine's readings to the source's units, fitted on target training rows only.

Equipment change is mostly input shift: gain, offset, duty. Which map is right differs from task to task, so the map
is a dimension of every candidate. Matching first and second moments is the diagonal case of CORAL (Sun et al.,
"Return of frustratingly easy domain adaptation", AAAI 2016); medians and quartile ranges stand in for moments here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np

from faultxfer.config import Scaling

MAPS: tuple[str, ...] = get_args(Scaling)
SOURCE, TARGET, NORMAL, OFFSET, BLEND = MAPS
# Rows at which a target's own statistics weigh as much as the source's in the blended map.
_PRIOR_ROWS = 50.0
_IQR_OF_NORMAL = 1.349
# A target spread beyond these ratios of the source's is taken for too few rows, not for a gain.
_GAIN_LIMITS = (0.1, 10.0)


@dataclass(frozen=True)
class Spread:
    """Centre and scale of each sensor, (d,) float64: median and IQR / 1.349, as of a normal distribution."""

    center: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True)
class InputMap:
    """x → gain * x + offset, with (d,) gain and offset."""

    gain: np.ndarray
    offset: np.ndarray

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """(n, d) target readings to (n, d) readings in source units."""
        return np.asarray(X * self.gain + self.offset)


def spread_of(X: np.ndarray) -> Spread:
    """Robust statistics of (n, d) rows; a sensor whose quartiles agree falls back on its standard deviation, then 1."""
    low, center, high = np.percentile(X, [25, 50, 75], axis=0)
    scale = (high - low) / _IQR_OF_NORMAL
    deviation = X.std(axis=0)
    scale = np.where(scale > 1e-9 * (1 + np.abs(center)), scale, deviation)
    return Spread(center, np.where(scale > 1e-9 * (1 + np.abs(center)), scale, 1.0))


def fit_maps(
    X: np.ndarray, y: np.ndarray, source: Spread, source_normal: Spread
) -> dict[str, InputMap]:
    """Every map, from (n, d) target training rows with labels (n,)."""
    ones, zeros = np.ones(X.shape[1]), np.zeros(X.shape[1])
    every, normal = spread_of(X), spread_of(X[y == 0] if (y == 0).any() else X)
    keep = len(X) / (len(X) + _PRIOR_ROWS)
    blended = Spread(
        keep * normal.center + (1 - keep) * source_normal.center,
        np.exp(keep * np.log(normal.scale) + (1 - keep) * np.log(source_normal.scale)),
    )
    return {
        SOURCE: InputMap(ones, zeros),
        TARGET: _match(every, source),
        NORMAL: _match(normal, source_normal),
        OFFSET: InputMap(ones, source_normal.center - normal.center),
        BLEND: _match(blended, source_normal),
    }


def _match(target: Spread, source: Spread) -> InputMap:
    gain = np.clip(source.scale / target.scale, *_GAIN_LIMITS)
    return InputMap(gain, source.center - gain * target.center)
