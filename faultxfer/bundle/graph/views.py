"""Blocks of features in the graph, as :class:`faultxfer.bundle.frozen.Views` computes them.

Rows seen through several maps go through a model of the source at once, one map below the other:
a runtime spends more on the number of operators than on single rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from faultxfer.bundle.frozen import (
    FILLED,
    FILLED_LINEAR,
    FILLED_TREES,
    LOGIT_LIMIT,
    Block,
    LinearModel,
    SourceModels,
)
from faultxfer.bundle.graph.builder import GraphBuilder, NoConverterError
from faultxfer.bundle.graph.missing import mapped, soft_clipped, squeezed, unmapped
from faultxfer.bundle.graph.network import NetworkGraph
from faultxfer.bundle.graph.trees import read_forest, tree_sums
from faultxfer.bundle.input_map import NEW, InputMap, Spread
from faultxfer.bundle.whole_source import WholeSource


class GraphViews:
    """Rows seen through the source: blocks of features by name, as values of a graph.

    Args:
        graph: to add to.
        readings: (n, width) readings of the machine, none of them missing.
        width: number of its sensors.
        models: of the source.
        network: of the source.
        maps: from the machine's readings to source units, by name.
        blocks: all that will be asked for.
    """

    def __init__(
        self,
        graph: GraphBuilder,
        readings: str,
        width: int,
        models: SourceModels,
        network: NetworkGraph,
        maps: dict[str, InputMap],
        blocks: Iterable[Block],
    ) -> None:
        self.graph, self.readings, self.width = graph, readings, width
        self.models, self.network, self.maps = models, network, maps
        asked = sorted(set(blocks))
        self._names = {model: _maps_of(model, asked) for model in set(_MODELS.values())}
        self._blocks: dict[Block, str] = {}

    def block(self, block: Block) -> str:
        """(n, k) float64 features."""
        if block.kind not in _EXPORTS:
            raise NoConverterError(f"features of the kind {block.kind}")
        if block not in self._blocks:
            self._blocks |= _EXPORTS[block.kind](self, block)
        return self._blocks[block]

    def blocks(self, blocks: tuple[Block, ...]) -> str:
        """(n, k) blocks side by side."""
        return self.graph.side_by_side([self.block(block) for block in blocks])

    def member_logits(self, input_map: InputMap) -> str:
        """(n, members) float32 logits of the source network behind a map of its own."""
        rows = mapped(self.graph, self.readings, input_map, self.width)
        return self.network.features(rows)[1]

    @property
    def whole(self) -> WholeSource:
        """The source with every sensor of its own."""
        if self.models.whole is None:
            raise NoConverterError("features of a whole source that is not there")
        return self.models.whole

    def rows_of(self, model: str) -> str:
        """(m · n, c) rows in source units, through each of the m maps that a model reads."""
        graph, maps = self.graph, [self.maps[name] for name in self._names[model]]
        if len(maps) == 1:
            return mapped(graph, self.readings, maps[0], self.width)
        gain, offset = (
            np.stack([getattr(one, part) for one in maps])[:, None] for part in ("gain", "offset")
        )
        sensors = gain.shape[-1]
        own = graph.first_columns(self.readings, sensors, self.width)
        scaled = graph.op("Mul", own, graph.constant(gain))
        moved = graph.op("Add", scaled, graph.constant(offset))
        return graph.op("Reshape", moved, graph.whole(-1, sensors))

    def apart(self, kind: str, values: str) -> dict[Block, str]:
        """Blocks of a kind, from (m · n, k) features through all maps of its model."""
        names = self._names[_MODELS[kind]]
        parts: tuple[str, ...] = (values,)
        if len(names) > 1:
            parts = self.graph.ops("Split", len(names), values, axis=0, num_outputs=len(names))
        return {Block(kind, name): part for name, part in zip(names, parts, strict=True)}


def completed(graph: GraphBuilder, rows: str, whole: WholeSource) -> str:
    """(n, c) readings in source units to (n, d), as :meth:`WholeSource.completed` has them.

    Which sensors are lacking is known, so that each is one weighted sum of the others.
    """
    imputer, lacking, common = whole.imputer, whole.lacking, whole.common
    gaps = np.isin(np.arange(len(whole.features)), lacking)
    weights = imputer.conditional(np.eye(len(gaps))[common], gaps)
    own = mapped(graph, rows, _map_at(imputer.to_source, common), len(common))
    known = soft_clipped(graph, own, _spread_at(imputer.spread, common))
    centred = graph.op("Sub", known, graph.constant(imputer.mean[common]))
    guessed = graph.op("MatMul", centred, graph.constant(weights))
    around = graph.op("Add", guessed, graph.constant(imputer.mean[lacking]))
    below = graph.op("Min", around, graph.constant(imputer.high[lacking]))
    inside = graph.op("Max", below, graph.constant(imputer.low[lacking]))
    spread, to_source = _spread_at(imputer.spread, lacking), _map_at(imputer.to_source, lacking)
    filled = unmapped(graph, inside, spread, to_source)
    together = graph.op("Concat", rows, filled, axis=1)
    return graph.columns(together, np.argsort(np.r_[common, lacking]))


def _spread_at(spread: Spread, places: np.ndarray) -> Spread:
    return Spread(spread.center[places], spread.scale[places])


def _map_at(input_map: InputMap, places: np.ndarray) -> InputMap:
    return InputMap(input_map.gain[places], input_map.offset[places])


def _linear_logits(graph: GraphBuilder, sensors: str, model: LinearModel) -> str:
    logits = graph.sum_of_products(sensors, model.coef, model.intercept)
    return graph.clipped(logits, -LOGIT_LIMIT, LOGIT_LIMIT)


def _tree_logits(graph: GraphBuilder, rows: str, text: str) -> str:
    logits = tree_sums(graph, read_forest(text), rows)
    return graph.clipped(logits, -LOGIT_LIMIT, LOGIT_LIMIT)


def _sensors(views: GraphViews, block: Block) -> dict[Block, str]:
    return views.apart(block.kind, _clipped_sensors(views))


def _clipped_sensors(views: GraphViews) -> str:
    return soft_clipped(views.graph, views.rows_of("sensors"), views.models.spread)


def _linear(views: GraphViews, block: Block) -> dict[Block, str]:
    sensors = _clipped_sensors(views)
    return views.apart(block.kind, _linear_logits(views.graph, sensors, views.models.linear))


def _trees(views: GraphViews, block: Block) -> dict[Block, str]:
    rows, text = views.rows_of("trees"), views.models.trees
    if not text:  # trees that could not be refitted read guesses of what the machine lacks
        rows, text = completed(views.graph, rows, views.whole), views.whole.trees
    return views.apart(block.kind, _tree_logits(views.graph, rows, text))


def _network(views: GraphViews, block: Block) -> dict[Block, str]:
    """Both blocks of the network at once, as one pass gives features and logits."""
    graph = views.graph
    hidden, logits = views.network.features(views.rows_of("network"))
    mean = graph.op("ReduceMean", logits, graph.whole(1), keepdims=1)
    clipped = graph.clipped(graph.exact(mean), -LOGIT_LIMIT, LOGIT_LIMIT)
    return views.apart("hidden", graph.exact(hidden)) | views.apart("network", clipped)


def _new(views: GraphViews, block: Block) -> dict[Block, str]:
    graph, scale = views.graph, views.maps[NEW]
    places = np.arange(views.width - len(scale.gain), views.width)
    own = mapped(graph, graph.columns(views.readings, places), scale, len(places))
    return {block: squeezed(graph, own)}


def _filled_rows(views: GraphViews) -> str:
    return completed(views.graph, views.rows_of("filled"), views.whole)


def _filled(views: GraphViews, block: Block) -> dict[Block, str]:
    sensors = soft_clipped(views.graph, _filled_rows(views), views.whole.spread)
    return views.apart(block.kind, sensors)


def _filled_trees(views: GraphViews, block: Block) -> dict[Block, str]:
    logits = _tree_logits(views.graph, _filled_rows(views), views.whole.trees)
    return views.apart(block.kind, logits)


def _filled_linear(views: GraphViews, block: Block) -> dict[Block, str]:
    sensors = soft_clipped(views.graph, _filled_rows(views), views.whole.spread)
    return views.apart(block.kind, _linear_logits(views.graph, sensors, views.whole.linear))


def _maps_of(model: str, blocks: list[Block]) -> tuple[str, ...]:
    """Maps through which blocks look at rows that a model reads."""
    names = (block.map for block in blocks if _MODELS.get(block.kind) == model)
    return tuple(dict.fromkeys(names))


# The model that gives a kind of blocks; maps of one model are computed together.
_MODELS = {
    "sensors": "sensors",
    "linear": "sensors",
    "hidden": "network",
    "network": "network",
    "trees": "trees",
    FILLED: "filled",
    FILLED_TREES: "filled",
    FILLED_LINEAR: "filled",
}
# What writes a kind of blocks into the graph; a kind without a line here has no converter.
_EXPORTS: dict[str, Callable[[GraphViews, Block], dict[Block, str]]] = {
    "sensors": _sensors,
    "linear": _linear,
    "hidden": _network,
    "network": _network,
    "trees": _trees,
    NEW: _new,
    FILLED: _filled,
    FILLED_TREES: _filled_trees,
    FILLED_LINEAR: _filled_linear,
}
