"""Where a table begins in its file, which character divides its columns, and its header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from faultxfer.errors import DataError

# Blank lines, and the line by which spreadsheets are told the separator.
_ABOVE = re.compile(rb'(?:[ \t]*\n)*(?:"?sep=([^\n\w])"?[;,\t ]*\n)?(?:[ \t]*\n)*', re.IGNORECASE)
_CANDIDATES = ",;\t|"
_SAMPLE_LINES = 50
_QUOTED = re.compile(r'"[^"]*"')
# A number with any marks: the first row of a file without header.
_NUMBER = re.compile(r"[+-]?[\d.,]*\d[.,]?(?:[eE][+-]?\d+)?")


# What stands above the header row


@dataclass(frozen=True)
class Preamble:
    """Lines above the header row.

    Attributes:
        lines: how many.
        separator: the one that a line ``sep=;`` names.
        below: lines between the header row and the first readings.
    """

    lines: int
    separator: str | None
    below: int = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Add the lines to those that an error names."""
        try:
            yield
        except DataError as error:
            if error.line is None or not self.lines + self.below:
                raise
            raise _moved(error, int(self.placed(error.line))) from error

    def placed(self, line: Any) -> Any:
        """Lines of the table, one or an array of them, as lines of the file."""
        return line + self.lines + self.below * (line > 1)


def split_off(text: bytes) -> tuple[bytes, Preamble]:
    """The text from its header row on, and what stood above it.

    >>> split_off(b"sep=;" + bytes([10]) + b"flow;fault")
    (b'flow;fault', Preamble(lines=1, separator=';', below=0))
    """
    above = _ABOVE.match(text)
    if above is None or not above.end():
        return text, Preamble(0, None)
    mark = above.group(1)
    separator = mark.decode(errors="replace") if mark else None
    lines = above.group().count(b"\n")
    return text[above.end() :], Preamble(lines, separator)


def _moved(error: DataError, line: int) -> DataError:
    where = re.sub(r"line \d+$", f"line {line}", error.where or "")
    return DataError(
        error.expected,
        received=error.received,
        where=where or None,
        remedy=error.remedy,
        code=error.code,
        line=line,
        column=error.column,
    )


# The separator


def first_lines(text: bytes, lines: int = _SAMPLE_LINES) -> list[str]:
    """The first lines as they stand, for detection."""
    begin = text[: 1 << 20].decode(errors="ignore")
    return list(islice(begin.split("\n"), lines))


def find_separator(
    file: str, lines: list[str], pinned: str | None, width: int | None = None
) -> str:
    """The pinned separator, or the one that the rows agree on.

    >>> find_separator("a.csv", ["flow;fault", "1,5;0"], None)
    ';'

    Args:
        file: for errors.
        lines: the first lines of the file.
        pinned: the separator that the contract names.
        width: number of columns, where it is known.

    Raises:
        DataError: the pinned one is absent, two fit equally well, or the file is no table.
    """
    if pinned:
        _require_pinned(file, lines[0], pinned)
        return pinned
    header, *rows = _counts(lines)
    found = [mark for mark in _CANDIDATES if header[mark]]
    if not found:
        _require_one_column(file, lines, rows)
        return ","
    rivals = _rivals(found, header, rows)
    if width is not None and len(rivals) > 1:
        rivals = [mark for mark in rivals if header[mark] == width - 1] or rivals
    rivals.sort(key=lambda mark: -header[mark])
    if len(rivals) > 1:
        raise DataError(
            "Several characters may stand between columns",
            received={"characters": rivals, "first line": lines[0][:80]},
            where=f"{file}, line 1",
            code="FILE-AMBIGUOUS",
            line=1,
            remedy=f"Pin the right one in the contract: `csv: {{separator: {rivals[0]!r}}}`",
        )
    return rivals[0]


def unquoted(line: str) -> str:
    """The line without what stands in quotes."""
    return _QUOTED.sub("", line) if '"' in line else line


def _counts(lines: list[str]) -> list[dict[str, int]]:
    """How often each character stands outside quotes, by line.

    A line within quotes shows nothing, and is left out.
    """
    header, *rest = map(unquoted, lines)
    rows = [line for line in rest if line.strip() and '"' not in line]
    return [{mark: line.count(mark) for mark in _CANDIDATES} for line in (header, *rows)]


def _rivals(found: list[str], header: dict[str, int], rows: list[dict[str, int]]) -> list[str]:
    """The marks that occur equally often in all rows; else those most frequent in the header."""
    agreeing = [mark for mark in found if all(row[mark] == header[mark] for row in rows)]
    if rows and agreeing:
        return agreeing
    most = max(header[mark] for mark in found)
    return [mark for mark in found if header[mark] == most]


def _require_pinned(file: str, header: str, pinned: str) -> None:
    if pinned not in unquoted(header):
        raise DataError(
            "The first line does not have the separator that the contract pins",
            received={"separator": pinned, "first line": header[:80]},
            where=f"{file}, line 1",
            code="FILE-SHAPE",
            line=1,
            remedy="Correct `csv.separator` in the contract, or take it out to have it detected",
        )


def _require_one_column(file: str, lines: list[str], rows: list[dict[str, int]]) -> None:
    """A header without separators above rows with some, or above numbers, is no table of ours."""
    problem = None
    words = lines[0].split()
    if len(words) > 1 and all(_NUMBER.fullmatch(word) for word in words):
        problem = "columns are divided by spaces"
    for mark in ";\t|":
        if sum(row[mark] > 0 for row in rows) > len(rows) / 2:
            problem = "the first line has one name, the rows have more"
    if problem:
        raise DataError(
            "The file is no table with a header row and one character between columns",
            received={"first line": lines[0][:60], "problem": problem},
            where=f"{file}, line 1",
            code="FILE-NO-HEADER",
            line=1,
            remedy="Export the file with one header row above the rows, commas between columns and "
            "one row for each moment; if it has none, name the columns in the contract: "
            "`csv: {header: false, columns: [first, second, …]}`",
        )


# The header


def require_names(file: str, first_row: list[str]) -> None:
    """Refuse a first row of numbers: it would be lost as column names.

    Raises:
        DataError: with the pin that reads the file.
    """
    filled = [cell.strip() for cell in first_row if cell.strip()]
    if filled and all(_NUMBER.fullmatch(cell) for cell in filled):
        raise DataError(
            "There is no header row with column names: the first row holds only numbers",
            received={"first row": filled},
            where=f"{file}, line 1",
            code="FILE-NO-HEADER",
            line=1,
            remedy=f"Name the {len(first_row)} columns in the contract: "
            "`csv: {header: false, columns: [first, …]}`, "
            "or pin `csv: {header: true}` if the names are numbers",
        )
