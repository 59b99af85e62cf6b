"""Networks as ``.keras`` files, loaded only if they hold nothing but plain layers."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

from faultxfer.errors import BundleError

# Classes a stored network may name. Lambda, TFSMLayer, custom objects and everything else that could run code or read
# files is refused before Keras sees the file.
ALLOWED_CLASSES = frozenset(
    {
        "Functional",
        "InputLayer",
        "Rescaling",
        "Activation",
        "Dense",
        "Dropout",
        "Concatenate",
        "ReLU",
        "HeNormal",
        "GlorotUniform",
        "Zeros",
        "DTypePolicy",
        "__tuple__",
        "__keras_tensor__",
    }
)
ALLOWED_PACKAGES = {"keras", "builtins"}
ALLOWED_MEMBERS = ["config.json", "metadata.json", "model.weights.h5"]
MAX_BYTES = 64 * 2**20
# A network of a hundred layers takes a tenth of it.
MAX_CONFIG_BYTES = 2 * 2**20
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
# What a damaged or foreign archive makes zipfile and json raise; RuntimeError for encryption and endless nesting.
_UNREADABLE = (OSError, KeyError, ValueError, EOFError, RuntimeError, struct.error, zlib.error, zipfile.BadZipFile)


def save_network(network: Any, path: Path) -> None:
    """Write ``network`` without optimizer state."""
    from faultxfer.network.freeze import copy_network

    copy_network(network).save(path)


def load_network(path: Path) -> Any:
    """Check and load a ``.keras`` file, uncompiled.

    Raises:
        BundleError: the file is damaged, too large, or names a class that is not allowed.
    """
    check_network_file(path)
    import keras

    return keras.models.load_model(path, compile=False, safe_mode=True)


def check_network_file(path: Path) -> None:
    """Refuse a file that Keras should not be asked to parse.

    Raises:
        BundleError: see :func:`load_network`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive)
            strange = sorted(_class_names(json.loads(archive.read(_CONFIG))) - ALLOWED_CLASSES)
            links = _foreign_weights(archive.read(_WEIGHTS))
    except _UNREADABLE as error:
        raise _foreign(path, "problem", str(error)) from error
    if strange:
        raise _foreign(path, "classes", strange)
    if links:
        raise _foreign(path, "weights", links)


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
    room = 0

    def look(group: Any, place: str) -> None:
        nonlocal room
        for name in group:
            here = f"{place}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                found.append(here)
            elif isinstance(part := group[name], h5py.Dataset):
                room += part.nbytes
                if part.external or part.is_virtual:
                    found.append(here)
            else:
                look(part, here)

    with h5py.File(io.BytesIO(content), "r") as file:
        look(file, "")
    return [*found, *([f"{room} bytes"] if room > MAX_BYTES else [])]


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
        "A network file of plain layers, as faultxfer writes it, was expected",
        received={name: value},
        where=path.name,
        remedy="Do not load this model; restore the version from a trusted copy or transfer again",
    )
