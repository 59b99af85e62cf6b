"""A file's bytes, unpacked, and the digest of the file as it lies on disk."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from pathlib import Path
from typing import Any

from faultxfer.errors import DataError

TABLES = (".csv", ".csv.gz", ".csv.zst", ".tsv", ".parquet")

_BLOCK = 1 << 24

# What spreadsheets and archives begin with, whatever their name ends with.
_MAGIC = {
    b"PK\x03\x04": "a spreadsheet (xlsx) or a zip archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet (xls)",
    b"\x1f\x8b": "gzip data in a file that is not called .gz",
    b"\x28\xb5\x2f\xfd": "Zstandard data in a file that is not called .zst",
    b"PAR1": "a Parquet table in a file that is not called .parquet",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLite format 3": "a database",
}


def stored_bytes(path: Path) -> bytes:
    """The file as it lies on disk.

    Raises:
        DataError: it cannot be read, or does not fit into memory.
    """
    try:
        require_room(path, path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error


def require_room(path: Path, needed: int) -> None:
    """Refuse a file before the machine runs out of memory and ends the process.

    Args:
        path: the file.
        needed: bytes it will take.

    Raises:
        DataError: there is less.
    """
    available = _available_memory()
    if available is not None and needed > available:
        raise DataError(
            "A file whose needed columns fit into memory was expected",
            received={
                "needed, GB": round(needed / 1e9, 1),
                "available, GB": round(available / 1e9, 1),
            },
            where=path.name,
            code="FILE-TOO-LARGE",
            remedy="Split the file by period and check the parts one by one, or take columns that are not needed out "
            "of the contract",
        )


def _available_memory() -> int | None:
    """Bytes that can be had without swapping; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(
            int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")
        )
    except (OSError, StopIteration, ValueError):
        return None


def digest(stored: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(stored).hexdigest()


def unpacked(path: Path, stored: bytes) -> bytes:
    """The content of a plain, ``.gz`` or ``.zst`` file.

    Raises:
        DataError: it is damaged, or holds no text.
    """
    try:
        content = _unpack(path, stored)
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(path, error) from error
    kind = next((kind for magic, kind in _MAGIC.items() if content.startswith(magic)), None)
    if kind:
        raise DataError(
            "A table as text was expected",
            received={"file": kind},
            where=path.name,
            code="FILE-UNREADABLE",
            remedy="Export the file as CSV (UTF-8), or give it the ending that belongs to its format",
        )
    return content


def _unpack(path: Path, stored: bytes) -> bytes:
    suffix = path.suffix.lower()
    if suffix == ".gz":
        with gzip.open(io.BytesIO(stored)) as stream:
            return _all_of(path, stream)
    if suffix == ".zst":
        import pyarrow as pa

        with pa.CompressedInputStream(pa.BufferReader(stored), "zstd") as stream:
            return _all_of(path, stream)
    return stored


def _all_of(path: Path, stream: Any) -> bytes:
    """What is packed may be a thousand times as long as the packing."""
    parts: list[bytes] = []
    while part := stream.read(_BLOCK):
        parts.append(part)
        require_room(path, 2 * _BLOCK + sum(map(len, parts)))  # joining them takes as much again
    return b"".join(parts)


def unreadable(path: Path, error: Exception) -> DataError:
    """The error for a file that is absent, locked or damaged."""
    return DataError(
        "A readable file was expected",
        received={"problem": str(error)},
        where=str(path),
        code="FILE-UNREADABLE",
        remedy="Check the permissions, or export the file again",
    )
