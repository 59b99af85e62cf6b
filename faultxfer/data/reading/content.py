"""A file's bytes, unpacked, and the digest of the file as it lies on disk."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

from faultxfer.errors import DataError

TABLES = (".csv", ".csv.gz", ".csv.zst", ".tsv", ".parquet")

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
        DataError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error


def digest(stored: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(stored).hexdigest()


def unpacked(path: Path, stored: bytes) -> bytes:
    """The content of a plain, ``.gz`` or ``.zst`` file.

    Raises:
        DataError: it is damaged, or holds no text.
    """
    try:
        content = _unpack(path.suffix.lower(), stored)
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


def _unpack(suffix: str, stored: bytes) -> bytes:
    if suffix == ".gz":
        return gzip.decompress(stored)
    if suffix == ".zst":
        import pyarrow as pa

        with pa.CompressedInputStream(pa.BufferReader(stored), "zstd") as stream:
            content: bytes = stream.read()
            return content
    return stored


def unreadable(path: Path, error: Exception) -> DataError:
    """The error for a file that is absent, locked or damaged."""
    return DataError(
        "A readable file was expected",
        received={"problem": str(error)},
        where=str(path),
        code="FILE-UNREADABLE",
        remedy="Check the permissions, or export the file again",
    )
