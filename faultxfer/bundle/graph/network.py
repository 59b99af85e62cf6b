"""A network's layers as ONNX operators, in single precision as it was trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from faultxfer.bundle.graph.builder import SINGLE, GraphBuilder, NoConverterError
from faultxfer.network.arrays import CLIPPED, MEMBER_LOGITS, ArrayNetwork, Layer


class NetworkGraph:
    """A network in a graph, with the scaling stage in front of it.

    Args:
        graph: to add to.
        network: on scaled sensors.
        mean, scale: (d,) of the scaling stage.
    """

    def __init__(
        self, graph: GraphBuilder, network: ArrayNetwork, mean: np.ndarray, scale: np.ndarray
    ) -> None:
        self.graph, self.network = graph, network
        self.mean, self.scale = mean, scale

    def logits(self, readings: str) -> str:
        """(n, d) readings in source units to (n, 1) float32 logits."""
        return self._given(readings)[self.network.output]

    def features(self, readings: str) -> tuple[str, str]:
        """(n, d) readings to (n, h) features of the heads and (n, members) logits, both float32.

        As :class:`faultxfer.network.features.NetworkFeatures`.
        """
        given = self._given(readings)
        last: dict[str, str] = {}
        for name, value in given.items():
            member, found, _ = name.rpartition("_hidden_")
            if found and member.startswith("member_"):
                last[member] = value
        hidden = self.graph.op("Concat", *last.values(), given[CLIPPED], axis=1)
        return hidden, given[MEMBER_LOGITS]

    def _given(self, readings: str) -> dict[str, str]:
        """What every layer gives; a runtime leaves out those that nothing asks for.

        Raises:
            NoConverterError: a layer is of a kind or has a setting that is not known here.
        """
        graph = self.graph
        centred = graph.op("Sub", readings, graph.constant(self.mean))
        scaled = graph.op("Div", centred, graph.constant(self.scale))
        rows, given = graph.op("Cast", scaled, to=SINGLE), dict[str, str]()
        for layer in self.network.layers:
            if layer.kind not in _LAYERS:
                raise NoConverterError(f"a layer of the kind {layer.kind}")
            entering = [given[name] for name in layer.inputs] or [rows]
            given[layer.name] = _LAYERS[layer.kind](graph, layer, entering)
        return given


def _as_it_is(graph: GraphBuilder, layer: Layer, entering: list[str]) -> str:
    return entering[0]


def _rescaling(graph: GraphBuilder, layer: Layer, entering: list[str]) -> str:
    values = entering[0]
    scale, offset = (np.float32(layer.settings.get(key, usual)) for key, usual in _RESCALING)
    if scale != 1:
        values = graph.op("Mul", values, _single(graph, scale))
    return graph.op("Add", values, _single(graph, offset)) if offset != 0 else values


def _dense(graph: GraphBuilder, layer: Layer, entering: list[str]) -> str:
    kernel, *bias = layer.weights
    values = graph.op("MatMul", entering[0], _single(graph, kernel))
    if bias:
        values = graph.op("Add", values, _single(graph, bias[0]))
    return _activated(graph, layer, values)


def _activation(graph: GraphBuilder, layer: Layer, entering: list[str]) -> str:
    return _activated(graph, layer, entering[0])


def _concatenate(graph: GraphBuilder, layer: Layer, entering: list[str]) -> str:
    return graph.op("Concat", *entering, axis=1)


def _relu(graph: GraphBuilder, layer: Layer, entering: list[str]) -> str:
    settings = layer.settings
    if settings.get("negative_slope") or settings.get("threshold"):
        raise NoConverterError("a ReLU with a slope or a threshold of its own")
    highest = settings.get("max_value")
    if highest is None:
        return graph.op("Relu", entering[0])
    return graph.op("Clip", entering[0], _single(graph, 0.0), _single(graph, highest))


def _activated(graph: GraphBuilder, layer: Layer, values: str) -> str:
    name = layer.settings.get("activation") or "linear"
    if name not in _ACTIVATIONS:
        raise NoConverterError(f"the activation {name}")
    return _ACTIVATIONS[name](graph, values)


def _silu(graph: GraphBuilder, values: str) -> str:
    return graph.op("Mul", values, graph.op("Sigmoid", values))


def _single(graph: GraphBuilder, values: Any) -> str:
    return graph.constant(np.asarray(values, dtype=np.float32))


_RESCALING = (("scale", 1.0), ("offset", 0.0))
_LAYERS: dict[str, Callable[[GraphBuilder, Layer, list[str]], str]] = {
    "InputLayer": _as_it_is,
    "Rescaling": _rescaling,
    "Activation": _activation,
    "Dense": _dense,
    "Dropout": _as_it_is,
    "Concatenate": _concatenate,
    "ReLU": _relu,
}
_ACTIVATIONS: dict[str, Callable[[GraphBuilder, str], str]] = {
    "linear": lambda graph, values: values,
    "relu": lambda graph, values: graph.op("Relu", values),
    "sigmoid": lambda graph, values: graph.op("Sigmoid", values),
    "silu": _silu,
    "swish": _silu,
    "tanh": lambda graph, values: graph.op("Tanh", values),
}
