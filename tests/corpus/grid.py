"""A table of text cells, addressed by line and column, and the ways to write it as a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


@dataclass(frozen=True)
class Grid:
    """Rows of text; line 1 is the header, line 2 the first row, as in a file without blank lines.

    Attributes:
        header: column names.
        rows: cells, each row as wide as the header.
        numeric: columns whose numbers follow the decimal mark of the file.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str] = frozenset()

    @property
    def lines(self) -> range:
        """The lines of the rows."""
        return range(2, len(self.rows) + 2)

    def cell(self, line: int, column: str) -> str:
        """The cell of a column on a line."""
        return self.rows[line - 2][self.header.index(column)]

    def column(self, name: str) -> list[str]:
        """All cells of a column."""
        place = self.header.index(name)
        return [row[place] for row in self.rows]

    def put(self, column: str, cells: Mapping[int, str]) -> Grid:
        """Other cells in one column, by line."""
        return self._with(column, [cells.get(line, self.cell(line, column)) for line in self.lines])

    def fill(self, column: str, text: str, lines: Iterable[int] | None = None) -> Grid:
        """The same text on several lines, or on all."""
        return self.put(column, dict.fromkeys(self.lines if lines is None else lines, text))

    def change(
        self, column: str, how: Callable[[str], str], lines: Iterable[int] | None = None
    ) -> Grid:
        """Each cell by a function, on some lines or all."""
        wanted = self.lines if lines is None else lines
        return self.put(column, {line: how(self.cell(line, column)) for line in wanted})

    def take(self, lines: Iterable[int]) -> Grid:
        """These lines in this order: leaves rows out, copies and moves them."""
        return replace(self, rows=tuple(self.rows[line - 2] for line in lines))

    def drop(self, *lines: int) -> Grid:
        """All rows but these."""
        return self.take(line for line in self.lines if line not in lines)

    def without(self, *columns: str) -> Grid:
        """All columns but these."""
        return self.select([name for name in self.header if name not in columns])

    def select(self, columns: Sequence[str]) -> Grid:
        """These columns in this order."""
        places = [self.header.index(name) for name in columns]
        rows = tuple(tuple(row[place] for place in places) for row in self.rows)
        return replace(self, header=tuple(columns), rows=rows)

    def rename(self, names: Mapping[str, str]) -> Grid:
        """Other column names; the numbers stay numbers."""
        numeric = frozenset(names.get(name, name) for name in self.numeric)
        return replace(
            self, header=tuple(names.get(name, name) for name in self.header), numeric=numeric
        )

    def add(self, name: str, cells: Sequence[str], place: int | None = None) -> Grid:
        """One column more, at the end or before the column at ``place``."""
        at = len(self.header) if place is None else place
        rows = tuple(
            (*row[:at], cell, *row[at:]) for row, cell in zip(self.rows, cells, strict=True)
        )
        return replace(self, header=(*self.header[:at], name, *self.header[at:]), rows=rows)

    def _with(self, column: str, cells: Sequence[str]) -> Grid:
        at = self.header.index(column)
        rows = tuple(
            (*row[:at], cell, *row[at + 1 :]) for row, cell in zip(self.rows, cells, strict=True)
        )
        return replace(self, rows=rows)


@dataclass(frozen=True)
class Spelling:
    """How a grid is written.

    Attributes:
        separator, decimal, thousands, encoding, line_end: as named.
        quotes: cells in quotes: those that need it, all, or the column names.
        header: whether the column names are written.
        pad: stands on both sides of each cell.
        mark: stands at the very beginning, such as a byte order mark.
        ended: whether the last line has a line end.
    """

    separator: str = ","
    decimal: str = "."
    thousands: str = ""
    encoding: str = "utf-8"
    line_end: str = "\n"
    quotes: Literal["needed", "all", "header"] = "needed"
    header: bool = True
    pad: str = ""
    mark: str = ""
    ended: bool = True


# What other programs write most often.
GERMAN, TAB, PIPE = (
    Spelling(separator=";", decimal=","),
    Spelling(separator="\t"),
    Spelling(separator="|"),
)
CP1252 = Spelling(";", ",", encoding="cp1252", line_end="\r\n")
UTF16 = Spelling("\t", encoding="utf-16")


def text_lines(grid: Grid, spelling: Spelling) -> list[str]:
    """The lines without their ends, for files that are damaged afterwards."""
    header = [
        spelling.separator.join(
            _quoted(name, spelling, spelling.quotes != "needed") for name in grid.header
        )
    ]
    return [
        *(header if spelling.header else []),
        *(_line(grid, row, spelling) for row in grid.rows),
    ]


def joined(lines: Sequence[str], spelling: Spelling) -> bytes:
    """Lines as the bytes of a file."""
    text = (
        spelling.mark
        + spelling.line_end.join(lines)
        + (spelling.line_end if spelling.ended else "")
    )
    return text.encode(spelling.encoding)


def written(grid: Grid, spelling: Spelling | None = None) -> bytes:
    """The grid as the bytes of a file."""
    spelling = spelling or Spelling()
    return joined(text_lines(grid, spelling), spelling)


def spelt(number: str, decimal: str, thousands: str) -> str:
    """A plain number with other marks; what is no plain number stays as it is."""
    if not _NUMBER.fullmatch(number):
        return number
    whole, point, rest = number.partition(".")
    if thousands:
        whole = f"{int(whole):,}".replace(",", thousands)
    return whole + (decimal if point else "") + rest


def _line(grid: Grid, row: tuple[str, ...], spelling: Spelling) -> str:
    cells = [
        spelt(cell, spelling.decimal, spelling.thousands) if name in grid.numeric else cell
        for name, cell in zip(grid.header, row, strict=True)
    ]
    return spelling.separator.join(
        _quoted(cell, spelling, spelling.quotes == "all") for cell in cells
    )


def _quoted(cell: str, spelling: Spelling, always: bool) -> str:
    if always or any(mark in cell for mark in (spelling.separator, '"', "\n")):
        return '"' + cell.replace('"', '""') + '"'
    return spelling.pad + cell + spelling.pad
