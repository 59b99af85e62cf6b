"""The source's models with fixed weights, and what they give for rows: computed once, for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from faultxfer.bundle.input_map import NEW, InputMap, Spread
from faultxfer.bundle.trees import Trees
from faultxfer.data.windows import Windows

if TYPE_CHECKING:
    from faultxfer.bundle.whole_source import WholeSource

# Source logits beyond this say nothing more, and would swamp a head fitted on 50 rows.
LOGIT_LIMIT = 8.0
SOFT_CLIP = 4.0
# Kinds of blocks of a source of which the machine lacks sensors.
FILLED, FILLED_TREES, FILLED_LINEAR = "filled", "filled-trees", "filled-linear"
OF_WHOLE = frozenset({FILLED, FILLED_TREES, FILLED_LINEAR})
LOGITS = ("trees", "linear", FILLED_TREES, FILLED_LINEAR)
# Key for models that read windows, where a manifest has some.
OVER_WINDOWS = "over_windows"


class Booster(Protocol):
    """What is used of :class:`lightgbm.Booster`, and offered by :class:`.trees.Trees`."""

    def predict(self, data: Any, *, raw_score: bool = False, **settings: Any) -> Any:
        """(n, d) rows to (n,) scores."""
        ...

    def feature_importance(self, importance_type: str = ...) -> Any:
        """(d,) what the sensors are worth to the trees."""
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

    def logits(self, X: np.ndarray) -> np.ndarray:
        """(n, d) readings in source units to (n, k) logits of the members alone."""
        ...


@dataclass(frozen=True)
class LinearModel:
    """A logistic regression on soft-clipped robust-scaled sensors.

    (d,) coefficients and an intercept.
    """

    coef: np.ndarray
    intercept: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"coef": self.coef.tolist(), "intercept": self.intercept}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> LinearModel:
        """The inverse of :meth:`as_dict`."""
        coef = np.array(stored["coef"], dtype=np.float64)
        return cls(coef, float(stored["intercept"]))


class GuessingTrees:
    """The whole source's trees on (n, c) readings of the sensors that a machine has."""

    def __init__(self, whole: WholeSource) -> None:
        self._whole = whole

    def predict(self, data: Any, *, raw_score: bool = False, **settings: Any) -> Any:
        """As :class:`lightgbm.Booster`, of readings in source units."""
        filled = self._whole.completed(data)
        return self._whole.booster.predict(filled, raw_score=raw_score, **settings)

    def feature_importance(self, importance_type: str = "split") -> Any:
        """(c,) of the sensors there are."""
        gains = self._whole.booster.feature_importance(importance_type=importance_type)
        return gains[self._whole.common]


@dataclass(frozen=True)
class FrozenSource:
    """The source as learners see it; nothing in it is ever changed.

    Attributes:
        spread: robust statistics of all source rows.
        normal: those of its normal rows.
        trees: LightGBM fitted on source rows in engineering units.
        linear: logistic regression fitted on the same rows.
        network: the source network, or None where there is none.
        whole: the source with every sensor of its own, where the machine lacks some; all else is
            of the sensors that both have then.
        over_windows: the same of readings and windows side by side; None where the source has no
            such models.
    """

    spread: Spread
    normal: Spread
    trees: Booster
    linear: LinearModel
    network: Activations | None = None
    whole: WholeSource | None = None
    over_windows: FrozenSource | None = None


@dataclass(frozen=True)
class WindowModels:
    """Models of the source that read windows beside readings.

    Attributes:
        windows: of the source's rows.
        steps: its half-lives in usual steps of its recordings.
        clock: whether its rows have times; else the half-lives are rows.
        models: of (n, 4c) readings and windows.
    """

    windows: Windows
    steps: tuple[float, float]
    clock: bool
    models: SourceModels

    def as_dict(self) -> dict[str, Any]:
        """Everything but the trees, for JSON."""
        return {
            "windows": self.windows.as_dict(),
            "steps": list(self.steps),
            "clock": self.clock,
            "models": self.models.as_dict(),
        }

    @classmethod
    def of(cls, stored: dict[str, Any], trees: str) -> WindowModels:
        """The inverse of :meth:`as_dict`.

        Raises:
            KeyError, TypeError, ValueError: something else was stored.
        """
        short, long = map(float, stored["steps"])
        models = source_models_from(stored["models"], trees)
        return cls(Windows.of(stored["windows"]), (short, long), bool(stored["clock"]), models)


@dataclass(frozen=True)
class SourceModels:
    """Source models as plain data.

    Attributes:
        spread: robust statistics of all source rows.
        normal: those of its normal rows.
        trees: gradient boosting fitted on source rows in engineering units, as LightGBM text.
        linear: logistic regression on soft-clipped robust-scaled sensors.
        whole: see :class:`FrozenSource`.
        over_windows: models that read windows too; None where the source has none.
    """

    spread: Spread
    normal: Spread
    trees: str
    linear: LinearModel
    whole: WholeSource | None = None
    over_windows: WindowModels | None = None

    def frozen(self, network: Activations | None) -> FrozenSource:
        """The models ready to score, with the source network where candidates use it.

        Trees that could not be refitted for want of source rows read guesses of what is lacking,
        and the logistic regression likewise.
        """
        if self.whole is not None and not self.trees:
            trees: Booster = GuessingTrees(self.whole)
        else:
            trees = Trees(self.trees)
        over = None if self.over_windows is None else self.over_windows.models.frozen(None)
        known = self.spread, self.normal, trees, self.linear
        return FrozenSource(*known, network, self.whole, over)

    def gains(self) -> np.ndarray:
        """(d,) what the trees gained by splits on each sensor."""
        trees = self.frozen(None).trees
        return np.asarray(trees.feature_importance(importance_type="gain"))

    def as_dict(self) -> dict[str, Any]:
        """Everything but the trees, for JSON."""
        whole = {} if self.whole is None else {"whole": self.whole.as_dict()}
        over = self.over_windows
        return {
            **whole,
            **({} if over is None else {OVER_WINDOWS: over.as_dict()}),
            "spread": plain_spread(self.spread),
            "normal": plain_spread(self.normal),
            "linear": self.linear.as_dict(),
        }


def source_models_from(stored: dict[str, Any], trees: str) -> SourceModels:
    """The inverse of :meth:`SourceModels.as_dict`.

    Raises:
        KeyError, TypeError, ValueError: something else was stored.
    """
    linear = LinearModel.of(stored["linear"])
    spread, normal = spread_from(stored["spread"]), spread_from(stored["normal"])
    return SourceModels(spread, normal, trees, linear)


def plain_spread(spread: Spread) -> dict[str, list[float]]:
    """Plain data for JSON."""
    return {"center": spread.center.tolist(), "scale": spread.scale.tolist()}


def spread_from(stored: dict[str, list[float]]) -> Spread:
    """The inverse of :func:`plain_spread`."""
    center = np.array(stored["center"], dtype=np.float64)
    return Spread(center, np.array(stored["scale"], dtype=np.float64))


class Block(NamedTuple):
    """Features of rows: of which kind, and through which input map the source sees the rows.

    Bundles store it as one word:

    >>> str(Block("sensors", "target"))
    'sensors@target'
    >>> Block.parse("sensors@target").map
    'target'
    """

    kind: str
    map: str

    def __str__(self) -> str:
        return f"{self.kind}@{self.map}"

    @classmethod
    def parse(cls, word: str) -> Block:
        """The inverse of ``str``."""
        kind, _, map_name = str(word).partition("@")
        return cls(kind, map_name)


class Views:
    """Rows seen through the source: blocks of features by name, each computed when first asked for.

    Kinds of blocks are ``sensors`` (n, d) soft-clipped robust-scaled readings; ``hidden`` (n, h);
    ``network``, ``trees`` and ``linear`` (n, 1) source logits. Where the machine lacks sensors of
    the source, ``filled`` holds all of those, guessed where they are lacking, and ``filled-trees``
    and ``filled-linear`` are logits of the source that read them. Where it has new ones, ``new``
    are these, on the machine's own scale; they stand behind the others in ``X``.
    """

    # Whether hidden features are asked for; they are made beside the logits of the network then.
    hidden = True

    def __init__(self, source: FrozenSource, maps: dict[str, InputMap], X: np.ndarray) -> None:
        self.source, self.maps, self.X = source, maps, X
        self._blocks: dict[Block, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.X)

    def block(self, block: Block) -> np.ndarray:
        """(n, k) float64 features."""
        if block not in self._blocks:
            self._fill(block)
        return self._blocks[block]

    def blocks(self, blocks: tuple[Block, ...]) -> np.ndarray:
        """(n, k) blocks side by side."""
        return np.hstack([self.block(block) for block in blocks])

    def take(self, rows: np.ndarray) -> Views:
        """The rows at the given positions, with what is computed already or can be later."""
        part = _Part(self.source, self.maps, self.X[rows])
        part.whole, part.rows = self, rows
        return part

    def _fill(self, block: Block) -> None:
        if block.kind in ("hidden", "network"):
            self._fill_from_network(block)
        elif block.kind in LOGITS:
            self._blocks[block] = _clipped(self.unclipped(block))
        elif block.kind == FILLED:
            self._blocks[block] = self._whole.clipped(self.completed(block.map))
        elif block.kind == NEW:
            self._blocks[block] = self._new()
        else:
            mapped = self.maps[block.map](self.X)
            self._blocks[block] = soft_clipped(mapped, self.source.spread)

    def unclipped(self, block: Block) -> np.ndarray:
        """(n,) logits of a model of the source before they are clipped to ±8."""
        if block.kind == "linear":
            linear = self.source.linear
            sensors = self.block(Block("sensors", block.map))
            return np.asarray(sensors @ linear.coef + linear.intercept)
        if block.kind == "trees":
            mapped = self.maps[block.map](self.X)
            return np.asarray(self.source.trees.predict(mapped, raw_score=True))
        if block.kind == FILLED_TREES:
            filled = self.completed(block.map)
            return np.asarray(self._whole.booster.predict(filled, raw_score=True))
        if block.kind == FILLED_LINEAR:
            linear = self._whole.linear
            filled = self.block(Block(FILLED, block.map))
            return np.asarray(filled @ linear.coef + linear.intercept)
        hidden, head = self.block(Block("hidden", block.map)), self._network.head
        return np.asarray(hidden @ head[:-1] + head[-1])

    def completed(self, map_name: str) -> np.ndarray:
        """(n, d) readings of every sensor of the source, in its units."""
        return self._whole.completed(self.maps[map_name](self.X))

    def _new(self) -> np.ndarray:
        """(n, k) readings of the sensors that the source does not know, soft-clipped."""
        scale = self.maps[NEW]
        return _squeezed(scale.gain * self.X[:, -len(scale.gain) :] + scale.offset)

    @property
    def _whole(self) -> WholeSource:
        if self.source.whole is None:
            raise ValueError("The machine lacks no sensor of the source. Received: whole=None")
        return self.source.whole

    @property
    def _network(self) -> Activations:
        if self.source.network is None:
            raise ValueError("There is no source network. Received: network=None")
        return self.source.network

    def _fill_from_network(self, block: Block) -> None:
        """Both blocks of the network at once, as one pass gives features and logits."""
        if not self.hidden:
            logits = self._network.logits(self.maps[block.map](self.X))
            self._blocks[block] = _clipped(logits.mean(axis=1))
            return
        hidden, logits = self._network(self.maps[block.map](self.X))
        self._blocks[Block("hidden", block.map)] = hidden.astype(np.float64)
        self._blocks[Block("network", block.map)] = _clipped(logits.mean(axis=1))


class _Part(Views):
    """Some rows of other views: every block is computed once, for all rows."""

    whole: Views
    rows: np.ndarray

    def _fill(self, block: Block) -> None:
        self._blocks[block] = self.whole.block(block)[self.rows]


def soft_clipped(X: np.ndarray, spread: Spread) -> np.ndarray:
    """(n, d) readings, robust-scaled and clipped smoothly: r / √(1 + (r / 4)²)."""
    return _squeezed((X - spread.center) / spread.scale)


def _squeezed(r: np.ndarray) -> np.ndarray:
    squeeze = np.sqrt(1 + (r / SOFT_CLIP) ** 2)
    return np.asarray(r / squeeze)


def soft_unclipped(z: np.ndarray, spread: Spread) -> np.ndarray:
    """The inverse of :func:`soft_clipped`, of values inside ±4."""
    r = z / np.sqrt(1 - (z / SOFT_CLIP) ** 2)
    return np.asarray(r * spread.scale + spread.center)


def _clipped(logits: np.ndarray) -> np.ndarray:
    """(n,) logits to an (n, 1) block within ±8."""
    exact = np.asarray(logits, dtype=np.float64)
    return np.clip(exact, -LOGIT_LIMIT, LOGIT_LIMIT)[:, None]
