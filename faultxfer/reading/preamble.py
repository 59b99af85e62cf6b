"""What may stand above the header row: blank lines, and the line by which spreadsheets are told the separator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from faultxfer.errors import DataError

_ABOVE = re.compile(rb'(?:[ \t]*\n)*(?:"?sep=([^\n\w])"?[;,\t ]*\n)?(?:[ \t]*\n)*', re.IGNORECASE)


@dataclass(frozen=True)
class Preamble:
    """Lines above the header row.

    Attributes:
        lines: how many.
        separator: the one that a line ``sep=;`` names.
    """

    lines: int
    separator: str | None

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Add the lines to those that an error names."""
        try:
            yield
        except DataError as error:
            if not self.lines or error.line is None:
                raise
            raise _moved(error, error.line + self.lines) from error


def split_off(text: bytes) -> tuple[bytes, Preamble]:
    """The text from its header row on, and what stood above it."""
    above = _ABOVE.match(text)
    if above is None or not above.end():
        return text, Preamble(0, None)
    mark = above.group(1)
    return text[above.end() :], Preamble(
        above.group().count(b"\n"), mark.decode(errors="replace") if mark else None
    )


def _moved(error: DataError, line: int) -> DataError:
    return DataError(
        error.expected,
        received=error.received,
        where=re.sub(r"line \d+$", f"line {line}", error.where or "") or None,
        remedy=error.remedy,
        code=error.code,
        line=line,
        column=error.column,
    )
