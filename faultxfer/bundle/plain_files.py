"""Read a bundle's files without trusting them.

Sizes are known before unpacking, and nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import lzma
import math
import stat
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np

from faultxfer.errors import BundleError

MANIFEST_BYTES = 32 * 2**20
TEXT_BYTES = 256 * 2**20
ARRAY_BYTES = 512 * 2**20
_CHUNK = 2**20
_HEADER_CHARACTERS = 10_000
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
# What a damaged or foreign file makes the readers raise; RuntimeError, which RecursionError is, for
# encryption.
UNREADABLE = (
    *(OSError, AttributeError, KeyError, TypeError, ValueError, EOFError),
    *(MemoryError, OverflowError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file, read in pieces.

    Raises:
        BundleError: it is a link, a device or another thing that may never end.
        OSError: it cannot be read.
    """
    _require_regular(path)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def read_text(path: Path, limit: int) -> str:
    """A UTF-8 file of at most ``limit`` bytes.

    Raises:
        ValueError: it is larger, or not UTF-8.
        BundleError: it is a link, a device or another thing that may never end.
        OSError: it cannot be read.
    """
    _require_regular(path)
    _require_size(path.name, path.stat().st_size, limit)
    return path.read_text(encoding="utf-8")


def load_array(path: Path, limit: int = ARRAY_BYTES) -> np.ndarray:
    """The array of an ``.npy`` file.

    Raises:
        ValueError: it is too large, holds objects, or is not of the size that it says.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    _require_size(path.name, size, limit)
    with path.open("rb") as file:
        return _array(file, path.name, size)


def load_arrays(path: Path, limit: int = ARRAY_BYTES) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` file by name; unpacked it may hold at most ``limit`` bytes.

    Raises:
        ValueError, zipfile.BadZipFile: as :func:`load_array`.
        OSError: it cannot be read.
    """
    with zipfile.ZipFile(path) as archive:
        _require_size(path.name, sum(item.file_size for item in archive.infolist()), limit)
        arrays = {}
        for item in archive.infolist():
            with archive.open(item) as file:
                arrays[item.filename.removesuffix(".npy")] = _array(
                    file, item.filename, item.file_size
                )
        return arrays


def _array(file: IO[bytes], name: str, size: int) -> np.ndarray:
    """Read the header first: it could claim any shape, and NumPy would make room for it."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"{name}: version {version} of the array format")
    shape, _, dtype = _HEADERS[version](file, max_header_size=_HEADER_CHARACTERS)
    if dtype.hasobject:
        raise ValueError(f"{name}: an array of objects")
    if file.tell() + math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"{name}: shape {shape} does not fit {size} bytes")
    file.seek(0)
    array: Any = np.lib.format.read_array(file, allow_pickle=False)
    return np.asarray(array)


def _require_size(name: str, size: int, limit: int) -> None:
    if size > limit:
        raise ValueError(f"{name}: {size} bytes, more than {limit}")


def _require_regular(path: Path) -> None:
    """Size 0 is what a device says of itself, and a link may lead to one or out of the bundle."""
    mode = path.lstat().st_mode
    if not stat.S_ISREG(mode):
        raise BundleError(
            "This is not a regular file, which is the only kind that is read",
            received={"mode": stat.filemode(mode)},
            where=path.name,
            remedy="Restore the version from a trusted copy, or transfer again",
        )
