"""Bytes to UTF-8 with Unix line ends, and what they were before."""

from __future__ import annotations

import codecs

from faultxfer.errors import DataError

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
            "A table as text was expected, but the file has zero bytes",
            received={"begins with": content[:16].hex(" ")},
            where=file,
            code="FILE-ENCODING",
            remedy="Export the file as CSV (UTF-8); if it is UTF-16 without a byte order mark, pin it in the contract: "
            "`csv: {encoding: utf-16-le}`",
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
        f"Text in {encoding.upper()} was expected",
        received={
            "byte": hex(content[place]) if place < len(content) else "none",
            "at byte": place,
        },
        where=file,
        code="FILE-ENCODING",
        remedy="Export the file as CSV (UTF-8), or pin its encoding in the contract: `csv: {encoding: cp1250}`",
    )
