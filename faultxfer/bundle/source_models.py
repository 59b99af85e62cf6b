"""What a source bundle holds beside its network, for transfer to start from: trees, a linear model, statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from faultxfer.bundle.frozen import Activations, FrozenSource, LinearModel
from faultxfer.bundle.input_map import Spread


@dataclass(frozen=True)
class SourceModels:
    """Source models as plain data.

    Attributes:
        spread: robust statistics of all source rows.
        normal: those of its normal rows.
        trees: gradient boosting fitted on source rows in engineering units, as LightGBM text.
        linear: logistic regression on soft-clipped robust-scaled sensors.
    """

    spread: Spread
    normal: Spread
    trees: str
    linear: LinearModel

    def frozen(self, network: Activations | None) -> FrozenSource:
        """The models ready to score, with the source network where candidates use it."""
        import lightgbm

        return FrozenSource(
            self.spread, self.normal, lightgbm.Booster(model_str=self.trees), self.linear, network
        )

    def as_dict(self) -> dict[str, Any]:
        """Everything but the trees, for JSON."""
        return {
            "spread": _spread(self.spread),
            "normal": _spread(self.normal),
            "linear": {"coef": self.linear.coef.tolist(), "intercept": self.linear.intercept},
        }


def source_models_from(stored: dict[str, Any], trees: str) -> SourceModels:
    """The inverse of :meth:`SourceModels.as_dict`.

    Raises:
        KeyError, TypeError, ValueError: something else was stored.
    """
    linear = stored["linear"]
    return SourceModels(
        _spread_from(stored["spread"]),
        _spread_from(stored["normal"]),
        trees,
        LinearModel(np.array(linear["coef"], dtype=np.float64), float(linear["intercept"])),
    )


def _spread(spread: Spread) -> dict[str, list[float]]:
    return {"center": spread.center.tolist(), "scale": spread.scale.tolist()}


def _spread_from(stored: dict[str, list[float]]) -> Spread:
    return Spread(
        np.array(stored["center"], dtype=np.float64), np.array(stored["scale"], dtype=np.float64)
    )
