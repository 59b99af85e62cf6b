"""Where a table begins in its file, which character stands between columns, and whether it has a header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

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


_CANDIDATES = ",;\t|"
_SAMPLE_LINES = 50
_QUOTED = re.compile(r'"[^"]*"')
# A number with any marks: the first row of a file without header.
_NUMBER = re.compile(r"[+-]?[\d.,]*\d[.,]?(?:[eE][+-]?\d+)?")
_HEADER_REMEDY = (
    "Export the file with one header row above the rows and one row for each moment; if it has none, name the "
    "columns in the contract: `csv: {header: false, columns: [first, second, …]}`"
)


def first_lines(text: bytes) -> list[str]:
    """The first lines as they stand, for detection."""
    begin = text[: 1 << 20].decode(errors="ignore")
    return list(islice(begin.split("\n"), _SAMPLE_LINES))


def find_separator(
    file: str, lines: list[str], pinned: str | None, width: int | None = None
) -> str:
    """The pinned separator, or the one that the rows agree on; ``width`` is the number of columns, where it is known.

    Raises:
        DataError: the pinned one is absent, two fit equally well, or the file is no table.
    """
    counts = _counts(lines)
    if pinned:
        _require_pinned(file, lines[0], pinned)
        return pinned
    found = [mark for mark in _CANDIDATES if counts[0][mark]]
    if not found:
        _require_one_column(file, lines, counts[1:])
        return ","
    agreeing = [mark for mark in found if all(row[mark] == counts[0][mark] for row in counts[1:])]
    best = max(found, key=lambda mark: counts[0][mark])
    rivals = (
        agreeing
        if len(counts) > 1 and agreeing
        else [m for m in found if counts[0][m] == counts[0][best]]
    )
    if width is not None and len(rivals) > 1:
        rivals = [mark for mark in rivals if counts[0][mark] == width - 1] or rivals
    rivals.sort(key=lambda mark: -counts[0][mark])
    if len(rivals) > 1:
        raise DataError(
            "One character between columns was expected, but several fit",
            received={"characters": rivals, "first line": lines[0][:80]},
            where=f"{file}, line 1",
            code="FILE-AMBIGUOUS",
            line=1,
            remedy=f"Pin the right one in the contract: `csv: {{separator: {rivals[0]!r}}}`",
        )
    return rivals[0]


def require_names(file: str, first_row: list[str]) -> None:
    """Refuse a first row of numbers: it would be lost as column names.

    Raises:
        DataError: with the pin that reads the file.
    """
    filled = [cell.strip() for cell in first_row if cell.strip()]
    if filled and all(_NUMBER.fullmatch(cell) for cell in filled):
        raise DataError(
            "A header row with column names was expected, but the first row holds only numbers",
            received={"first row": filled},
            where=f"{file}, line 1",
            code="FILE-NO-HEADER",
            line=1,
            remedy=f"Name the {len(first_row)} columns in the contract: `csv: {{header: false, columns: [first, …]}}`, "
            "or pin `csv: {header: true}` if the names are numbers",
        )


def _counts(lines: list[str]) -> list[dict[str, int]]:
    """How often each candidate stands outside quotes, by line; a line within quotes says nothing."""
    plain = [_QUOTED.sub("", line) for line in lines]
    rows = [line for line in plain[1:] if line.strip() and '"' not in line]
    return [{mark: line.count(mark) for mark in _CANDIDATES} for line in (plain[0], *rows)]


def _require_pinned(file: str, header: str, pinned: str) -> None:
    if pinned not in _QUOTED.sub("", header):
        raise DataError(
            "The separator pinned in the contract was expected in the first line",
            received={"separator": pinned, "first line": header[:80]},
            where=f"{file}, line 1",
            code="FILE-SHAPE",
            line=1,
            remedy="Correct `csv.separator` in the contract, or take it out to have it detected",
        )


def _require_one_column(file: str, lines: list[str], rows: list[dict[str, int]]) -> None:
    """A header without separators above rows with some, or several words of numbers, is another kind of file."""
    divided = [
        mark for mark in ";\t|" if rows and sum(row[mark] > 0 for row in rows) > len(rows) / 2
    ]
    words = lines[0].split()
    if divided or (len(words) > 1 and all(_NUMBER.fullmatch(word) for word in words)):
        problem = (
            "columns are divided by spaces"
            if not divided
            else "the first line has one name, the rows have more"
        )
        raise DataError(
            "A table with a header row and one character between columns was expected",
            received={"first line": lines[0][:60], "problem": problem},
            where=f"{file}, line 1",
            code="FILE-NO-HEADER",
            line=1,
            remedy=_HEADER_REMEDY.replace("the rows and", "the rows, commas between columns and"),
        )
