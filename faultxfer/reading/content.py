"""A file's bytes: unpacked, their digest, and as UTF-8 text with Unix line ends."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa

from faultxfer.errors import DataError
from faultxfer.reading.memory import available_memory

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
    available = available_memory()
    if available is not None and needed > available:
        raise DataError(
            "The needed columns of the file do not fit into memory",
            received={
                "needed, GB": round(needed / 1e9, 1),
                "available, GB": round(available / 1e9, 1),
            },
            where=path.name,
            code="FILE-TOO-LARGE",
            remedy="Split the file by period and check the parts one by one, or take columns that "
            "are not needed out of the contract",
        )


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
            "The file is no table as text",
            received={"file": kind},
            where=path.name,
            code="FILE-UNREADABLE",
            remedy="Export the file as CSV (UTF-8), or give it the ending of its format",
        )
    return content


def _unpack(path: Path, stored: bytes) -> bytes:
    suffix = path.suffix.lower()
    if suffix == ".gz":
        with gzip.open(io.BytesIO(stored)) as stream:
            return _all_of(path, stream)
    if suffix == ".zst":
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
        "The file cannot be read",
        received={"problem": str(error)},
        where=str(path),
        code="FILE-UNREADABLE",
        remedy="Check the permissions, or export the file again",
    )


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(file: str, content: bytes, pinned: str | None) -> tuple[bytes, str]:
    """The text as UTF-8 bytes without byte order mark, and the codec's name.

    Raises:
        DataError: the bytes are no text in the pinned codec, in UTF-8 or in Windows-1252.
    """
    encoding = _pinned(file, content, pinned) or _detected(file, content)
    if encoding == "utf-8":
        return content, encoding
    if encoding == "utf-8-sig":
        return content.removeprefix(codecs.BOM_UTF8), encoding
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        raise _no_text(file, content, encoding, error) from error
    return text.removeprefix("\ufeff").encode(), encoding


def line_ends(text: bytes) -> tuple[bytes, str]:
    """The text with a line feed at the end of each line, and which line end it had."""
    if b"\r" not in text:
        return text, "\n"
    both, returns, feeds = text.count(b"\r\n"), text.count(b"\r"), text.count(b"\n")
    kind = "\r\n" if both == returns == feeds else "\r" if not feeds else "mixed"
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), kind


def _pinned(file: str, content: bytes, pinned: str | None) -> str | None:
    name = codecs.lookup(pinned).name if pinned else None
    if name != "utf-8":
        return name
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise _no_text(file, content, "utf-8", error) from error
    # A byte order mark does not break a pin on UTF-8.
    return "utf-8-sig" if content.startswith(codecs.BOM_UTF8) else "utf-8"


def _detected(file: str, content: bytes) -> str:
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    wide = content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE))  # begins like UTF-16
    if marked == "utf-16" and not wide:
        return marked
    if b"\0" in content[:4096]:
        raise DataError(
            "The file is no table as text: it has zero bytes",
            received={"begins with": content[:16].hex(" ")},
            where=file,
            code="FILE-ENCODING",
            remedy="Export the file as CSV (UTF-8); if it is UTF-16 without a byte order mark, pin "
            "it in the contract: `csv: {encoding: utf-16-le}`",
        )
    try:
        if not content.isascii():
            content.decode()
        return marked or "utf-8"
    except UnicodeDecodeError as error:
        if marked:
            raise _no_text(file, content, "utf-8", error) from error
        return "cp1252"


def _no_text(file: str, content: bytes, encoding: str, error: UnicodeError) -> DataError:
    place = error.start if isinstance(error, UnicodeDecodeError) else 0
    return DataError(
        f"The file is no text in {encoding.upper()}",
        received={
            "byte": hex(content[place]) if place < len(content) else "none",
            "at byte": place,
        },
        where=file,
        code="FILE-ENCODING",
        remedy="Export the file as CSV (UTF-8), or pin its encoding in the contract: "
        "`csv: {encoding: cp1250}`",
    )
