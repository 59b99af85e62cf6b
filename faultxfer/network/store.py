"""Networks as ``.keras`` files, loaded only if they hold nothing but plain layers."""

from __future__ import annotations

import io
import json
import lzma
import struct
import zipfile
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.errors import BundleError
from faultxfer.network.arrays import ArrayNetwork, Layer, weight_paths

_LAYER_KEYS = {"name", "trainable", "dtype"}
# Keys that Keras' get_config of each layer writes. Others, such as lora_rank, make Keras build more
# than the layer.
_LAYERS = {
    "InputLayer": {"batch_shape", "dtype", "sparse", "ragged", "name", "optional"},
    "Rescaling": _LAYER_KEYS | {"scale", "offset"},
    "Activation": _LAYER_KEYS | {"activation"},
    "Dense": _LAYER_KEYS
    | {
        "units",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
    }
    | {"bias_regularizer", "kernel_constraint", "bias_constraint", "quantization_config"},
    "Dropout": _LAYER_KEYS | {"rate", "seed", "noise_shape"},
    "Concatenate": _LAYER_KEYS | {"axis"},
    "ReLU": _LAYER_KEYS | {"max_value", "negative_slope", "threshold"},
}
# The same for what stands around and inside layers.
_PARTS = {
    "Functional": {"name", "trainable", "layers", "input_layers", "output_layers"},
    "HeNormal": {"seed", "input_axes", "output_axes"},
    "GlorotUniform": {"seed", "input_axes", "output_axes"},
    "Zeros": set(),
    "DTypePolicy": {"name"},
    "__keras_tensor__": {"shape", "dtype", "keras_history"},
}
# Written by Keras and never used here.
_UNUSED = {
    "kernel_regularizer",
    "bias_regularizer",
    "kernel_constraint",
    "bias_constraint",
    "quantization_config",
}
# What Keras writes beside the config of a layer.
_BESIDE = {
    "module",
    "class_name",
    "config",
    "registered_name",
    "build_config",
    "name",
    "inbound_nodes",
}
# Classes a stored network may name. Lambda, TFSMLayer, custom objects and everything else that
# could run code or read files is refused before Keras sees the file.
ALLOWED_CLASSES = frozenset({*_LAYERS, *_PARTS, "__tuple__"})
ALLOWED_PACKAGES = {"keras", "builtins"}
ALLOWED_MEMBERS = ["config.json", "metadata.json", "model.weights.h5"]
MAX_BYTES = 64 * 2**20
# A network of a hundred layers takes a tenth of it.
MAX_CONFIG_BYTES = 2 * 2**20
_SHOWN = 300  # characters of a library's error, which may quote a whole config
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
# Of one layer; the widest that faultxfer writes has some hundred.
MAX_UNITS = 65_536
# What a damaged or foreign archive makes zipfile, json and h5py raise, and a config of another form
# makes the checks raise; RuntimeError for encryption and endless nesting.
_UNREADABLE = (
    *(OSError, LookupError, ValueError, TypeError, AttributeError, EOFError, RuntimeError),
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)


def save_network(network: ArrayNetwork, path: Path) -> None:
    """Write a network as Keras would: the same content gives the same bytes."""
    content = {
        _CONFIG: json.dumps(network.config).encode(),
        _METADATA: json.dumps({"keras_version": version("keras")}).encode(),
        _WEIGHTS: _packed(network),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in content.items():
            archive.writestr(zipfile.ZipInfo(name), part)


def load_network(path: Path) -> ArrayNetwork:
    """Check and load a ``.keras`` file.

    Raises:
        BundleError: the file is damaged, too large, or names a class or an option that is not
            allowed.
    """
    check_network_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read(_CONFIG))
            return ArrayNetwork(config, _unpacked(config, archive.read(_WEIGHTS)))
    except _UNREADABLE as error:
        problem = f"{type(error).__name__}: {str(error)[:_SHOWN]}"
        raise _foreign(path, "problem", problem) from error


def _packed(network: ArrayNetwork) -> bytes:
    """The weights of all layers as HDF5."""
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for layer in network.layers:
            group = file.create_group(weight_paths(network.layers)[layer.name])
            group.attrs["name"] = layer.name
            for number, values in enumerate(layer.weights):
                group.create_dataset(str(number), data=values)
        file.create_group("vars").attrs["name"] = network.name
    return content.getvalue()


def _unpacked(config: dict[str, Any], content: bytes) -> dict[str, list[np.ndarray]]:
    """The weights of each layer, by its name."""
    import h5py

    layers = [
        Layer(one["config"]["name"], one["class_name"], (), {})
        for one in config["config"]["layers"]
    ]
    found = {}
    with h5py.File(io.BytesIO(content), "r") as file:
        for name, path in weight_paths(layers).items():
            own = file.get(path, {})
            found[name] = [np.asarray(own[str(number)]) for number in range(len(own))]
    return found


def check_network_file(path: Path) -> None:
    """Refuse a file that Keras should not be asked to parse.

    Raises:
        BundleError: see :func:`load_network`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive)
            config = json.loads(archive.read(_CONFIG))
            if strange := sorted(_class_names(config) - ALLOWED_CLASSES):
                raise _foreign(path, "classes", strange)
            if options := sorted(_foreign_options(config)):
                raise _foreign(path, "options", options)
            _require_room(config)
            if links := _foreign_weights(archive.read(_WEIGHTS)):
                raise _foreign(path, "weights", links)
    except _UNREADABLE as error:
        raise _foreign(path, "problem", str(error)) from error


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    """Names and sizes, before anything is unpacked."""
    sizes = {item.filename: item.file_size for item in archive.infolist()}
    members = sorted(item.filename for item in archive.infolist())  # a name may come twice
    if sum(item.file_size for item in archive.infolist()) > MAX_BYTES:
        raise _foreign(path, "bytes", sum(sizes.values()))
    if members != ALLOWED_MEMBERS:
        raise _foreign(path, "members", members)
    if sizes[_CONFIG] > MAX_CONFIG_BYTES:
        raise _foreign(path, "bytes of config.json", sizes[_CONFIG])


def _foreign_weights(content: bytes) -> list[str]:
    """Parts of the weights that lie in other files, or claim more room than a network takes."""
    import h5py

    found: list[str] = []
    seen: set[int] = set()
    room = 0

    def look(group: Any, place: str) -> None:
        nonlocal room
        for name in group:
            here = f"{place}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                found.append(here)
                continue
            part = group[name]
            address = h5py.h5o.get_info(part.id).addr
            if address in seen:  # groups that share groups have more paths than anybody can walk
                found.append(here)
                continue
            seen.add(address)
            if isinstance(part, h5py.Dataset):
                room += part.nbytes
                if part.external or part.is_virtual:
                    found.append(here)
            else:
                look(part, here)

    with h5py.File(io.BytesIO(content), "r") as file:
        seen.add(h5py.h5o.get_info(file.id).addr)
        look(file, "")
    return [*found, *([f"{room} bytes"] if room > MAX_BYTES else [])]


def _foreign_options(node: Any) -> set[str]:
    """Options that Keras does not write for a class, or that faultxfer never sets, at any depth."""
    if isinstance(node, list):
        return set().union(*map(_foreign_options, node))
    if not isinstance(node, dict):
        return set()
    found = set().union(*map(_foreign_options, node.values()))
    name, config = node.get("class_name"), node.get("config", {})
    known = {**_LAYERS, **_PARTS}.get(str(name))
    if known is None:
        return found
    if not isinstance(config, dict):
        raise ValueError(f"{name} without a config")
    found |= {f"{name}.{key}" for key in set(config) - known}
    found |= {f"{name}.{key}" for key in _UNUSED & set(config) if config[key] is not None}
    return found | {f"{name}.dtype" for policy in [_dtype(name, config)] if policy != "float32"}


def _dtype(name: Any, config: dict[str, Any]) -> Any:
    """The number format that a part asks for.

    Others than float32 may stand for quantised layers.
    """
    value = config.get("name" if name == "DTypePolicy" else "dtype", "float32")
    return value["config"]["name"] if isinstance(value, dict) else value


def _require_room(config: Any) -> None:
    """Follow the widths through the layers.

    Keras makes room for what they claim, whatever the weights hold.

    Raises:
        ValueError, and others of ``_UNREADABLE``: the claim is too large, or the graph is not of
            the form that Keras writes for a chain of layers on one vector per row.
    """
    if config["class_name"] != "Functional":
        raise ValueError(f"a {config['class_name']} in place of a network")
    _require_built(config, None)
    widths: dict[str, int] = {}
    claimed = 0
    for layer in config["config"]["layers"]:
        name, entering = layer["name"], _entering(layer, widths)
        if name in widths:
            raise ValueError(f"two layers {name!r}")
        widths[name] = _width(layer, entering)
        if layer["class_name"] == "Dense":
            claimed += (entering + 1) * widths[name]
    if 4 * claimed > MAX_BYTES:  # bytes of a float32
        raise ValueError(f"layers that claim {claimed} parameters, more than {MAX_BYTES // 4}")


def _entering(layer: dict[str, Any], widths: dict[str, int]) -> int:
    """Numbers per row that enter a layer.

    What feeds it must stand before it, as Keras writes it.
    """
    if layer["class_name"] not in _LAYERS or set(layer) - _BESIDE:
        raise ValueError(f"layer {layer['name']!r} with {sorted(layer)}")
    nodes = layer["inbound_nodes"]
    if layer["class_name"] == "InputLayer":
        if nodes:
            raise ValueError(f"an input {layer['name']!r} that something feeds")
        return 0
    (node,) = nodes
    if set(node) != {"args", "kwargs"} or any(
        isinstance(value, (dict, list)) for value in node["kwargs"].values()
    ):
        raise ValueError(f"layer {layer['name']!r} called with {sorted(node)}")
    (fed,) = node["args"]
    tensors = fed if layer["class_name"] == "Concatenate" else [fed]
    entering = sum(widths[tensor["config"]["keras_history"][0]] for tensor in tensors)
    _require_built(layer, entering if layer["class_name"] == "Dense" else None)
    return entering


def _require_built(layer: dict[str, Any], width: int | None) -> None:
    """Keras builds a layer for the shape stored with it.

    Before it has seen the layer's true input.
    """
    stored = layer.get("build_config") or {}
    if set(stored) - {"input_shape"}:
        raise ValueError(f"a layer built from {sorted(stored)}")
    shape = stored.get("input_shape")
    if width is not None and shape is not None and shape != [None, width]:
        raise ValueError(f"layer {layer['name']!r} built for {shape} and fed {width}")


def _width(layer: dict[str, Any], entering: int) -> int:
    """Numbers per row that leave a layer."""
    width = entering
    if layer["class_name"] == "InputLayer":
        rows, width = layer["config"]["batch_shape"]
        if rows is not None:
            raise ValueError(f"an input of {rows} rows")
    elif layer["class_name"] == "Dense":
        width = layer["config"]["units"]
    if type(width) is not int or not 0 < width <= MAX_UNITS:
        raise ValueError(f"layer {layer['name']!r} of width {width}, not of 1 to {MAX_UNITS}")
    return width


def _class_names(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_class_names, node))
    if not isinstance(node, dict):
        return set()
    found = set().union(*map(_class_names, node.values()))
    if "class_name" in node:
        found.add(str(node["class_name"]))
    if node.get("registered_name") not in (None, node.get("class_name")):
        found.add(str(node["registered_name"]))
    module = node.get("module")
    if module is not None and str(module).split(".")[0] not in ALLOWED_PACKAGES:
        found.add(str(module))
    return found


def _foreign(path: Path, name: str, value: object) -> BundleError:
    return BundleError(
        "The network file holds something else than plain layers as faultxfer writes them",
        received={name: value},
        where=path.name,
        remedy="Do not load this model; restore the version from a trusted copy or transfer again",
    )
