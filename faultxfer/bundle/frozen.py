"""The source's models with fixed weights, and what they give for rows: computed once, for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from faultxfer.bundle.input_map import InputMap, Spread

# Source logits beyond this say nothing more, and would swamp a head fitted on 50 rows.
_LOGIT_LIMIT = 8.0
_SOFT_CLIP = 4.0


class Booster(Protocol):
    """What is used of :class:`lightgbm.Booster`."""

    def predict(self, data: Any, *, raw_score: bool = False, **settings: Any) -> Any:
        """(n, d) rows to (n,) scores."""
        ...


class Activations(Protocol):
    """A frozen network: see :class:`faultxfer.network.features.NetworkFeatures`."""

    head: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    network: Any

    @property
    def adapter(self) -> Any:
        """Fits gains and offsets through the network."""
        ...

    def __call__(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, d) readings in source units to features of the heads and logits of the members.

        Returns:
            (n, h) features and (n, k) logits.
        """
        ...


@dataclass(frozen=True)
class LinearModel:
    """A logistic regression on soft-clipped robust-scaled sensors: (d,) coefficients and an intercept."""

    coef: np.ndarray
    intercept: float


@dataclass(frozen=True)
class FrozenSource:
    """The source as learners see it; nothing in it is ever changed.

    Attributes:
        spread: robust statistics of all source rows.
        normal: those of its normal rows.
        trees: LightGBM fitted on source rows in engineering units.
        linear: logistic regression fitted on the same rows.
        network: the source network, or None where there is none.
    """

    spread: Spread
    normal: Spread
    trees: Booster
    linear: LinearModel
    network: Activations | None = None


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

        trees = lightgbm.Booster(model_str=self.trees)
        return FrozenSource(self.spread, self.normal, trees, self.linear, network)

    def as_dict(self) -> dict[str, Any]:
        """Everything but the trees, for JSON."""
        linear = {"coef": self.linear.coef.tolist(), "intercept": self.linear.intercept}
        return {
            "spread": _plain_spread(self.spread),
            "normal": _plain_spread(self.normal),
            "linear": linear,
        }


def source_models_from(stored: dict[str, Any], trees: str) -> SourceModels:
    """The inverse of :meth:`SourceModels.as_dict`.

    Raises:
        KeyError, TypeError, ValueError: something else was stored.
    """
    plain = stored["linear"]
    coef = np.array(plain["coef"], dtype=np.float64)
    linear = LinearModel(coef, float(plain["intercept"]))
    spread, normal = _spread_from(stored["spread"]), _spread_from(stored["normal"])
    return SourceModels(spread, normal, trees, linear)


def _plain_spread(spread: Spread) -> dict[str, list[float]]:
    return {"center": spread.center.tolist(), "scale": spread.scale.tolist()}


def _spread_from(stored: dict[str, list[float]]) -> Spread:
    center = np.array(stored["center"], dtype=np.float64)
    return Spread(center, np.array(stored["scale"], dtype=np.float64))


class Views:
    """Rows seen through the source: blocks of features by name, each computed when first asked for.

    A block is named ``kind@map``: ``sensors`` (n, d) soft-clipped robust-scaled readings; ``hidden`` (n, h);
    ``network``, ``trees`` and ``linear`` (n, 1) source logits.
    """

    def __init__(self, source: FrozenSource, maps: dict[str, InputMap], X: np.ndarray) -> None:
        self.source, self.maps, self.X = source, maps, X
        self._blocks: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.X)

    def block(self, name: str) -> np.ndarray:
        """(n, k) float64 features."""
        if name not in self._blocks:
            kind, _, map_name = name.partition("@")
            self._fill(kind, map_name)
        return self._blocks[name]

    def blocks(self, names: tuple[str, ...]) -> np.ndarray:
        """(n, k) blocks side by side."""
        return np.hstack([self.block(name) for name in names])

    def take(self, rows: np.ndarray) -> Views:
        """The rows at the given positions, with what is already computed and what can be computed later."""
        part = _Part(self.source, self.maps, self.X[rows])
        part.whole, part.rows = self, rows
        return part

    def _fill(self, kind: str, map_name: str) -> None:
        blocks, source = self._blocks, self.source
        mapped = self.maps[map_name](self.X)
        if kind in ("hidden", "network"):
            if source.network is None:
                raise ValueError(f"There is no source network. Received: block={kind}@{map_name}")
            # Both come of one pass through the network.
            hidden, logits = source.network(mapped)
            blocks[f"hidden@{map_name}"] = hidden.astype(np.float64)
            blocks[f"network@{map_name}"] = _clipped(logits.mean(axis=1))
        elif kind == "trees":
            scores = source.trees.predict(mapped, raw_score=True, num_threads=1)
            blocks[f"trees@{map_name}"] = _clipped(scores)
        elif kind == "linear":
            linear = source.linear
            scores = self.block(f"sensors@{map_name}") @ linear.coef + linear.intercept
            blocks[f"linear@{map_name}"] = _clipped(scores)
        else:
            blocks[f"sensors@{map_name}"] = soft_clipped(mapped, source.spread)


class _Part(Views):
    """Some rows of other views: every block is computed once, for all rows."""

    whole: Views
    rows: np.ndarray

    def _fill(self, kind: str, map_name: str) -> None:
        name = f"{kind}@{map_name}"
        self._blocks[name] = self.whole.block(name)[self.rows]


def soft_clipped(X: np.ndarray, spread: Spread) -> np.ndarray:
    """(n, d) readings, robust-scaled and clipped smoothly: r / √(1 + (r / 4)²)."""
    r = (X - spread.center) / spread.scale
    squeeze = np.sqrt(1 + (r / _SOFT_CLIP) ** 2)
    return np.asarray(r / squeeze)


def _clipped(logits: np.ndarray) -> np.ndarray:
    """(n,) logits to an (n, 1) block within ±8."""
    exact = np.asarray(logits, dtype=np.float64)
    return np.clip(exact, -_LOGIT_LIMIT, _LOGIT_LIMIT)[:, None]
