"""The source as it was with every sensor of its own, for a machine that lacks some of them.

What the machine lacks is filled in from the sensors that it has, by the imputer of missing
readings: the conditional mean that was learnt on the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.bundle.frozen import (
    Booster,
    LinearModel,
    plain_spread,
    soft_clipped,
    spread_from,
)
from faultxfer.bundle.imputer import Imputer, load_imputer, save_imputer
from faultxfer.bundle.input_map import Spread
from faultxfer.bundle.plain_files import TEXT_BYTES, read_text
from faultxfer.bundle.trees import Trees

WHOLE_IMPUTER, WHOLE_TREES = "whole_imputer.npz", "whole_trees.txt"
FILES = (WHOLE_IMPUTER, WHOLE_TREES)


@dataclass(frozen=True)
class WholeSource:
    """Models that read d sensors, of which a machine has c.

    Attributes:
        features: names of the d sensors, in the source's order.
        common: (c,) positions among them of those that the machine has, ascending.
        imputer: of the source's readings, in its own units.
        spread: robust statistics of the source's rows.
        trees: as LightGBM text.
        linear: logistic regression on soft-clipped robust-scaled sensors.
    """

    features: tuple[str, ...]
    common: np.ndarray
    imputer: Imputer
    spread: Spread
    trees: str
    linear: LinearModel

    @property
    def lacking(self) -> np.ndarray:
        """(d - c,) positions of the sensors that the machine lacks."""
        return np.setdiff1d(np.arange(len(self.features)), self.common)

    @cached_property
    def booster(self) -> Booster:
        """The trees, parsed once."""
        return Trees(self.trees)

    def completed(self, X: np.ndarray) -> np.ndarray:
        """(n, c) readings in source units to (n, d), those that are lacking filled in."""
        wide = np.full((len(X), len(self.features)), np.nan)
        wide[:, self.common] = X
        return self.imputer(wide)

    def guessing(self) -> tuple[np.ndarray, np.ndarray]:
        """(c, m) weights and (m,) offset by which the m lacking sensors follow the others."""
        gaps = np.isin(np.arange(len(self.features)), self.common, invert=True)
        return self.imputer.regression(gaps)

    def clipped(self, X: np.ndarray) -> np.ndarray:
        """(n, d) readings in source units, robust-scaled and soft-clipped."""
        return soft_clipped(X, self.spread)

    def as_dict(self) -> dict[str, Any]:
        """What is no array and no tree, for the manifest."""
        return {
            "features": list(self.features),
            "common": self.common.tolist(),
            "spread": plain_spread(self.spread),
            "linear": self.linear.as_dict(),
        }

    def save(self, folder: Path) -> None:
        """Write the imputer and the trees beside the bundle's other files."""
        save_imputer(self.imputer, folder, WHOLE_IMPUTER)
        (folder / WHOLE_TREES).write_text(self.trees, encoding="utf-8")


def load_whole(stored: dict[str, Any], folder: Path) -> WholeSource:
    """The inverse of :meth:`WholeSource.as_dict` and :meth:`WholeSource.save`.

    Raises:
        KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile: something else was stored.
    """
    features = tuple(map(str, stored["features"]))
    common = np.array(stored["common"], dtype=int)
    if not len(common) or np.any(np.diff(common) <= 0) or common[-1] >= len(features):
        raise ValueError(f"Positions of sensors are damaged. Received: common={common.tolist()}")
    return WholeSource(
        features=features,
        common=common,
        imputer=load_imputer(folder, len(features), WHOLE_IMPUTER),
        spread=spread_from(stored["spread"]),
        trees=read_text(folder / WHOLE_TREES, TEXT_BYTES),
        linear=LinearModel.of(stored["linear"]),
    )
