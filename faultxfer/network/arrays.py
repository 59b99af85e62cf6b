"""A network as arrays: what is stored, and what scores without Keras.

A ``.keras`` file holds the layers as JSON and their weights as HDF5. Both are plain data, and the
few kinds of layers that a network here is made of (see :mod:`faultxfer.network.store`) take a line
of NumPy each. Keras itself is needed where something is trained, and only there: importing it costs
more than scoring a week of rows.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from faultxfer.errors import BundleError

if TYPE_CHECKING:
    from faultxfer.network.tables import EnsembleTables

# Layers that other modules look for by name; see :mod:`faultxfer.network.ensemble`.
ENCODED, MEMBER_LOGITS, LOGIT = "encoded", "member_logits", "fault_logit"
ROBUST, CLIPPED, BINS = "robust", "clip_out", "bins"
_SHOWN = 300  # characters of an error of Keras, which may quote a whole config
# Rows in one pass, so that what is between two layers stays small.
_CHUNK = 4096
# From so many rows on it is worth while to make tables of the first layer.
_MANY = 4096


@dataclass(frozen=True)
class Layer:
    """One layer with its weights.

    Attributes:
        name: within the network.
        kind: Keras' class name, one of the kinds that :func:`.store.check_network_file` allows.
        inputs: names of the layers that feed it.
        settings: Keras' config of it, as plain data.
        weights: float32; of a ``Dense`` layer its (k, units) kernel and, if it has one, its
            (units,) offset.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    settings: Mapping[str, Any]
    weights: tuple[np.ndarray, ...] = ()

    def get_weights(self) -> list[np.ndarray]:
        """As of a Keras layer."""
        return list(self.weights)


class ArrayNetwork:
    """A stored network, from (n, d) scaled sensors to (n, 1) logits; never changed.

    Args:
        config: the network as Keras writes it into ``config.json``.
        weights: of each layer that has some, by name.

    Raises:
        ValueError, LookupError, TypeError: it is not of the form that Keras writes, or weights do
            not fit.
    """

    def __init__(self, config: dict[str, Any], weights: Mapping[str, Iterable[np.ndarray]]) -> None:
        self.config = config
        stored = config["config"]
        self.name = str(stored["name"])
        self.layers = [_layer(one, weights) for one in stored["layers"]]
        self._named = {layer.name: layer for layer in self.layers}
        self.input_shape = (None, int(self.layers[0].settings["batch_shape"][1]))
        (self.output,) = _outputs(stored["output_layers"])
        self._widths = _widths(self.layers)

    def get_layer(self, name: str) -> Layer:
        """The layer of that name."""
        return self._named[name]

    def get_weights(self) -> list[np.ndarray]:
        """Of all layers, in order."""
        return [one for layer in self.layers for one in layer.weights]

    def width(self, name: str) -> int:
        """Numbers per row that leave a layer."""
        return self._widths[name]

    @property
    def is_ensemble(self) -> bool:
        """Whether it has members, as :func:`.ensemble.build_ensemble` makes them."""
        return MEMBER_LOGITS in self._named

    @property
    def positions_read(self) -> np.ndarray:
        """(k,) positions of the sensors that an ensemble looks at; a wide plant has more."""
        return np.flatnonzero(self.get_layer(ROBUST).weights[0].any(axis=1))

    def outputs(self, X: np.ndarray, *names: str) -> list[np.ndarray]:
        """What the named layers give for (n, d) scaled sensors, (n, width) float32 each."""
        found = {name: np.empty((len(X), self.width(name)), np.float32) for name in names}
        tables = self._tables if len(X) >= _MANY else None
        for start in range(0, len(X), _CHUNK):
            part = np.asarray(X[start : start + _CHUNK], dtype=np.float32)
            own = {name: whole[start : start + _CHUNK] for name, whole in found.items()}
            if tables is not None and tables.names.issuperset(names):
                tables.outputs(part, own)
                continue
            done = self._pass(part, self.layers)
            for name, values in own.items():
                values[:] = done[name]
        return [found[name] for name in names]

    def front(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, d) scaled sensors of an ensemble to (n, k) robust-scaled and (n, k) clipped ones."""
        done = self._pass(x, self._front)
        return done[ROBUST], done[CLIPPED]

    @cached_property
    def _front(self) -> list[Layer]:
        """The layers that give the clipped sensors, in order."""
        wanted = {CLIPPED}
        for layer in reversed(self.layers):
            if layer.name in wanted:
                wanted.update(layer.inputs)
        return [layer for layer in self.layers if layer.name in wanted]

    @cached_property
    def _tables(self) -> EnsembleTables | None:
        from faultxfer.network.tables import tables_of

        return tables_of(self)

    def logits(self, X: np.ndarray) -> np.ndarray:
        """(n,) float64 fault logits for (n, d) scaled sensors."""
        if self.is_ensemble and self.output == LOGIT:
            (members,) = self.outputs(X, MEMBER_LOGITS)
            found = members @ self.get_layer(LOGIT).weights[0]
        else:
            (found,) = self.outputs(X, self.output)
        return np.asarray(found.astype(np.float64).mean(axis=1))

    def with_weights(self, weights: Mapping[str, Iterable[np.ndarray]]) -> ArrayNetwork:
        """The same network with other weights in the named layers."""
        kept = {layer.name: layer.weights for layer in self.layers}
        return ArrayNetwork(self.config, {**kept, **weights})

    def narrowed(self, sensors: int, robust: Iterable[np.ndarray]) -> ArrayNetwork:
        """The same network on fewer sensors, which a first layer of its own reads.

        Args:
            sensors: how many it has now.
            robust: (sensors, k) kernel and (k,) offset of its first layer.
        """
        config = copy.deepcopy(self.config)
        for layer in config["config"]["layers"]:
            layer.pop("build_config", None)  # shapes that it was built with
            if layer["class_name"] == "InputLayer":
                layer["config"]["batch_shape"] = [None, sensors]
        kept = {layer.name: layer.weights for layer in self.layers}
        return ArrayNetwork(config, {**kept, ROBUST: robust})

    def keras(self) -> Any:
        """A Keras model of its own, to train.

        Raises:
            BundleError: the Keras that is installed cannot build it.
        """
        from keras.saving import deserialize_keras_object

        try:
            # Keras takes apart what it is given.
            model = deserialize_keras_object(copy.deepcopy(self.config), safe_mode=True)
            model.set_weights(self.get_weights())
        # Keras and TensorFlow raise classes of their own, and any of them means: not built.
        except Exception as error:
            raise BundleError(
                "Keras cannot build the stored network, so it cannot be trained on",
                received={"problem": f"{type(error).__name__}: {str(error)[:_SHOWN]}"},
                where=f"network {self.name!r}",
                remedy="Install the versions of keras and tensorflow that `pyproject.toml` names, "
                "or pretrain again with those that are installed",
            ) from error
        return model

    @staticmethod
    def _pass(x: np.ndarray, layers: list[Layer]) -> dict[str, np.ndarray]:
        done: dict[str, np.ndarray] = {}
        for layer in layers:
            fed = [done[name] for name in layer.inputs] or [x]
            done[layer.name] = _KINDS[layer.kind](layer, fed)
        return done


def as_arrays(network: Any) -> ArrayNetwork:
    """A Keras model as arrays; later training of the model leaves them as they are."""
    weights = {layer.name: layer.get_weights() for layer in network.layers}
    return ArrayNetwork(json.loads(network.to_json()), weights)


def weight_paths(layers: Iterable[Layer]) -> dict[str, str]:
    """Where the weights of each layer lie in the file, by name: Keras counts layers of a class.

    >>> weight_paths([Layer("a", "Dense", (), {}), Layer("b", "ReLU", ("a",), {})])
    {'a': 'layers/dense/vars', 'b': 'layers/re_lu/vars'}
    """
    seen: Counter[str] = Counter()
    paths = {}
    for layer in layers:
        kind = _FOLDERS[layer.kind]
        number = f"_{seen[kind]}" if seen[kind] else ""
        paths[layer.name] = f"layers/{kind}{number}/vars"
        seen[kind] += 1
    return paths


def _layer(stored: dict[str, Any], weights: Mapping[str, Iterable[np.ndarray]]) -> Layer:
    settings = stored["config"]
    name, kind = settings["name"], stored["class_name"]
    if kind in ("Activation", "Dense") and settings["activation"] not in _ACTIVATIONS:
        raise ValueError(f"layer {name!r} with the activation {settings['activation']!r}")
    own = tuple(_fixed(one) for one in weights.get(name, ()))
    return Layer(name, kind, tuple(_feeding(stored)), settings, own)


def _fixed(values: np.ndarray) -> np.ndarray:
    """A copy that nobody can change: networks share their weights."""
    own = np.array(values, dtype=np.float32)
    own.flags.writeable = False
    return own


def _feeding(stored: dict[str, Any]) -> Iterable[str]:
    for node in stored["inbound_nodes"]:
        (fed,) = node["args"]
        for tensor in fed if isinstance(fed, list) else [fed]:
            yield str(tensor["config"]["keras_history"][0])


def _outputs(stored: list[Any]) -> list[str]:
    """Names of the layers whose outputs are the network's; a single one stands without brackets."""
    if stored and isinstance(stored[0], str):
        stored = [stored]
    return [str(one[0]) for one in stored]


def _widths(layers: Iterable[Layer]) -> dict[str, int]:
    """Numbers per row that leave each layer.

    Raises:
        ValueError: a layer has weights of another shape than its input asks for.
    """
    widths: dict[str, int] = {}
    for layer in layers:
        entering = sum(widths[name] for name in layer.inputs)
        widths[layer.name] = entering
        if layer.kind == "InputLayer":
            widths[layer.name] = int(layer.settings["batch_shape"][1])
        elif layer.kind == "Dense":
            units = int(layer.settings["units"])
            wanted = [(entering, units), *([(units,)] if layer.settings["use_bias"] else [])]
            if [one.shape for one in layer.weights] != wanted:
                raise ValueError(f"layer {layer.name!r} with other weights than {wanted}")
            widths[layer.name] = units
        elif layer.weights:
            raise ValueError(f"layer {layer.name!r} with weights")
    return widths


def _linear(x: np.ndarray) -> np.ndarray:
    return x


def _tanh(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.tanh(x))


def silu(x: np.ndarray) -> np.ndarray:
    """``x * sigmoid(x)``."""
    with np.errstate(over="ignore"):  # x over infinity is the right 0
        return np.asarray(x / (1 + np.exp(-x)))


def _dense(layer: Layer, fed: list[np.ndarray]) -> np.ndarray:
    out = fed[0] @ layer.weights[0]
    if len(layer.weights) > 1:
        out += layer.weights[1]
    activation = _ACTIVATIONS[layer.settings["activation"]]
    return np.asarray(activation(out))


def _activated(layer: Layer, fed: list[np.ndarray]) -> np.ndarray:
    return _ACTIVATIONS[layer.settings["activation"]](fed[0])


def _rescaled(layer: Layer, fed: list[np.ndarray]) -> np.ndarray:
    scale, offset = layer.settings["scale"], layer.settings["offset"]
    return np.asarray(fed[0] * np.float32(scale) + np.float32(offset))


def _relu(layer: Layer, fed: list[np.ndarray]) -> np.ndarray:
    settings = layer.settings
    if settings.get("negative_slope") or settings.get("threshold"):
        raise ValueError(f"layer {layer.name!r} with a slope or a threshold")
    return np.asarray(np.clip(fed[0], 0, settings["max_value"]))


def _same(layer: Layer, fed: list[np.ndarray]) -> np.ndarray:
    return fed[0]


_ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": _linear,
    "silu": silu,
    "tanh": _tanh,
}
_KINDS: dict[str, Callable[[Layer, list[np.ndarray]], np.ndarray]] = {
    "InputLayer": _same,
    "Dropout": _same,
    "Dense": _dense,
    "Rescaling": _rescaled,
    "Activation": _activated,
    "ReLU": _relu,
    "Concatenate": lambda layer, fed: np.concatenate(fed, axis=-1),
}
_FOLDERS = {
    "InputLayer": "input_layer",
    "Dropout": "dropout",
    "Dense": "dense",
    "Rescaling": "rescaling",
    "Activation": "activation",
    "ReLU": "re_lu",
    "Concatenate": "concatenate",
}
