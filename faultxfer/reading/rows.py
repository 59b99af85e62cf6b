"""Text to rows of cells: Arrow's reader where it can be trusted, else one row at a time."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from faultxfer.reading.cells import missing_cells
from faultxfer.reading.cells import numbers as cells_as_numbers
from faultxfer.reading.dialect import Dialect
from faultxfer.reading.lines import line_bounds, line_numbers, plain_lines, some_lines
from faultxfer.reading.text import Numbers, ParsedRows, Text, misshapen, unique_names

# Measured: a number in Arrow's table, in the column made of it, and in what the check makes of it.
_BYTES_OF_A_CELL = 32
# Each column that holds text against expectation costs another attempt; with more of them, all
# columns are read as text.
_MOST_MISTAKEN = 6
_PIECE = 1 << 26
_FEW = 500
# What Arrow parses at a time; threads are no gain below it.
_BLOCK = 1 << 22


def read_rows(
    text: Text, numbers: Numbers | None = None, keep: frozenset[str] | None = None
) -> ParsedRows:
    """Read all rows.

    Args:
        text: the file.
        numbers: columns to read as numbers, each if every cell of it can be.
        keep: columns that are needed; memory is spared for the others where that is possible.
            None: all.

    Raises:
        DataError: equal names, or rows of different width.
    """
    if not plain_lines(text.content, ord(text.separator)):
        return _row_by_row(text)
    typed = _read_typed(text, keep, numbers) if numbers else None
    return typed or _read_plain(text, keep) or _row_by_row(text)


def memory_needed(text: Text, keep: frozenset[str] | None) -> int:
    """About how many bytes it takes to read and check the kept columns, the text itself aside."""
    sample = some_lines(text.content)
    rows = len(text.content) * (sample.count(b"\n") + 1) // max(len(sample), 1)
    columns = [name for name in text.all_names() if keep is None or name in keep]
    return rows * len(columns) * _BYTES_OF_A_CELL


@dataclass(frozen=True)
class TextRows:
    """A read table's rows as text again, all columns, for files whose cells span no lines.

    Attributes:
        text: as in :func:`read_rows`.
        lines: (n,) the line of each row.
    """

    text: Text
    lines: np.ndarray

    def __call__(self, places: np.ndarray) -> pd.DataFrame:
        """Rows by their places."""
        if len(places) <= _FEW:
            # Columns of text take a hundred times as long to make as so few rows to read.
            return pd.DataFrame(self._few(places), columns=self._names, dtype=object)
        head = self.text.content[: self._ends[1]] + b"\n" if self.text.header else b""
        picked = head + b"\n".join(self._picked(places))
        return read_rows(dataclasses.replace(self.text, content=picked)).frame

    def column(self, name: str, places: np.ndarray) -> pd.Series:
        """Cells of a column, by their places."""
        if len(places) > _FEW:
            return self(places)[name]
        column = self._names.index(name)
        return pd.Series([row[column] for row in self._few(places)], dtype=object)

    def _few(self, places: np.ndarray) -> list[list[str]]:
        """The cells of a few rows."""
        lines = [line.decode() for line in self._picked(places)]
        return list(csv.reader(lines, delimiter=self.text.separator, strict=True))

    def _picked(self, places: np.ndarray) -> Iterator[bytes]:
        """The lines of rows."""
        content, ends, lines = self.text.content, self._ends, self.lines[places]
        bounds = zip((ends[lines - 1] + 1).tolist(), ends[lines].tolist(), strict=True)
        return (content[begin:end] for begin, end in bounds)

    @cached_property
    def _names(self) -> list[str]:
        return self.text.all_names()

    @cached_property
    def _ends(self) -> np.ndarray:
        return line_bounds(self.text.content)


# By Arrow


class _NotNumbersError(Exception):
    """Columns taken for numbers hold something else."""

    def __init__(self, columns: set[str]) -> None:
        super().__init__(columns)
        self.columns = columns


def _read_typed(text: Text, keep: frozenset[str] | None, numbers: Numbers) -> ParsedRows | None:
    """Columns of numbers as such, the few that hold text as text; None where that is no gain."""
    numbers = _without_mistaken(text, numbers)
    for _ in range(_MOST_MISTAKEN):
        try:
            return _read_plain(text, keep, numbers)
        except _NotNumbersError as error:
            numbers = dataclasses.replace(numbers, names=numbers.names - error.columns)
    return None


def _without_mistaken(text: Text, numbers: Numbers) -> Numbers:
    """The columns of numbers without those in which some lines of a long text show other cells.

    So a long text is not read again for each of them.
    """
    some = some_lines(text.content)
    if len(some) == len(text.content):
        return numbers
    few = dataclasses.replace(text, content=some)
    try:
        _read_plain(few, frozenset(), numbers)
    except _NotNumbersError:
        return dataclasses.replace(numbers, names=numbers.names - _mistaken(few, numbers))
    return numbers


def _mistaken(few: Text, numbers: Numbers) -> set[str]:
    """Columns of numbers in which some lines hold other cells."""
    read = _read_plain(few, None)
    if read is None:
        return set()
    dialect = Dialect(decimal=numbers.decimal, missing=numbers.missing)
    held = [name for name in read.frame if name in numbers.names]
    return {name for name in held if _holds_text(read.frame[name], dialect)}


def _holds_text(cells: pd.Series, dialect: Dialect) -> bool:
    """Whether a cell is neither a number nor missing."""
    unread = cells_as_numbers(cells, dialect, where="").isna() & ~missing_cells(cells, dialect)
    return bool(unread.any())


def _read_plain(
    text: Text, keep: frozenset[str] | None, numbers: Numbers | None = None
) -> ParsedRows | None:
    """None where the rows are not all as wide as the header, or no column holds numbers.

    The slow way says which row it is.

    Raises:
        _NotNumbersError: a column taken for numbers holds text.
    """
    names, content = text.all_names(), text.content
    wanted = [name for name in names if numbers and name in numbers.names]
    if numbers and not wanted:
        return None
    begin = (content.find(b"\n") + 1 or len(content)) if text.header else 0
    if not content[begin : begin + 1000].strip():
        lines = _numbers_of_rows(text)
        return None if len(lines) else _no_rows(names)
    kept = [name for name in names if keep is None or name in keep or name in wanted]
    conversions = _conversions(kept or names[:1], wanted, numbers)
    table = _table(text, begin, names, conversions)
    if table is None:
        return None
    lines = _numbers_of_rows(text, len(table))
    if len(table) != len(lines):
        return None
    filled = ~_blank_rows(text, table, lines)
    if not filled.all():
        table, lines = table.filter(pa.array(filled)), lines[filled]
    numbered = {name: table.column(name) for name in wanted}
    table = table.drop_columns(wanted)
    return ParsedRows(tuple(names), _framed(table), lines, _typed(numbered))


def _numbers_of_rows(text: Text, rows: int | None = None) -> np.ndarray:
    """The line of each row that is not blank; ``rows`` is how many there are, where known."""
    filled = -1 if rows is None else rows + text.header
    return line_numbers(text.content, filled)[int(text.header) :]


def _table(
    text: Text, begin: int, names: list[str], conversions: arrow_csv.ConvertOptions
) -> pa.Table | None:
    """None where the rows are not all as wide as the header.

    Raises:
        _NotNumbersError: a cell of a column of numbers is none.
    """
    whole = memoryview(text.content)
    parsing = arrow_csv.ParseOptions(delimiter=text.separator)
    reading = arrow_csv.ReadOptions(
        column_names=names,
        # What a block may hold is taken for it at once.
        block_size=min(_BLOCK, len(whole) + 1),
        use_threads=len(whole) > _BLOCK,
    )
    tables = []
    try:
        for start, end in _pieces(text.content, begin):
            piece = pa.BufferReader(pa.py_buffer(whole[start:end]))
            tables.append(arrow_csv.read_csv(piece, reading, parsing, conversions))
        return pa.concat_tables(tables)
    except pa.ArrowInvalid as error:
        if mistaken := _text_column(error, names):
            raise _NotNumbersError({mistaken}) from error
        return None


def _pieces(content: bytes, begin: int) -> Iterator[tuple[int, int]]:
    """Where to cut, at line ends.

    Arrow keeps what it parsed of columns nobody asked for until it has read a piece.
    """
    while begin < len(content):
        last = content.rfind(b"\n", begin, begin + _PIECE) + 1
        following = content.find(b"\n", begin + _PIECE) + 1
        end = last or following or len(content)
        yield begin, end
        begin = end


def _text_column(error: pa.ArrowInvalid, names: list[str]) -> str | None:
    """The column in which Arrow met text instead of a number; None if the rows are at fault."""
    found = re.match(r"In CSV column #(\d+): (?:Row #\d+: )?CSV conversion error", str(error))
    return names[int(found.group(1))] if found else None


def _conversions(
    kept: list[str], wanted: list[str], numbers: Numbers | None
) -> arrow_csv.ConvertOptions:
    types = dict.fromkeys(kept, pa.string()) | dict.fromkeys(wanted, pa.float64())
    options = arrow_csv.ConvertOptions(
        column_types=types, include_columns=kept, strings_can_be_null=False
    )
    if numbers is not None:
        cases = (str, str.upper, str.capitalize, str.title)
        options.decimal_point = numbers.decimal
        options.null_values = sorted({case(text) for text in numbers.missing for case in cases})
    return options


def _typed(numbered: dict[str, pa.ChunkedArray]) -> dict[str, np.ndarray]:
    """Values of the columns of numbers, which are taken one by one, as both need much memory.

    Raises:
        _NotNumbersError: cells say infinity or the like.
    """
    typed, mistaken = {}, set()
    for name in list(numbered):
        column = numbered.pop(name)
        typed[name] = column.to_numpy()
        if np.isfinite(typed[name]).sum() != len(column) - column.null_count:
            mistaken.add(name)
    if mistaken:
        raise _NotNumbersError(mistaken)
    return typed


def _no_rows(names: list[str]) -> ParsedRows:
    frame = _framed(pa.table({name: pa.array([], pa.string()) for name in names}))
    return ParsedRows(tuple(names), frame, np.array([], dtype=int))


def _blank_rows(text: Text, table: pa.Table, lines: np.ndarray) -> np.ndarray:
    """(n,) bool: rows with nothing in any column, also in those that were not kept."""
    blank = pa.chunked_array([pa.repeat(pa.scalar(True), len(table))])
    for column in table.columns:
        blank = pc.and_(blank, _blank_cells(column))
        if not pc.any(blank).as_py():
            return np.zeros(len(table), dtype=bool)
    found: np.ndarray = blank.to_numpy().copy()
    bounds = line_bounds(text.content)
    for place in np.flatnonzero(found):
        line = lines[place]
        row = text.content[bounds[line - 1] + 1 : bounds[line]].decode()
        # A missing value may be spelt by a word.
        found[place] = not row.replace(text.separator, "").replace('"', "").strip()
    return found


def _blank_cells(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_floating(column.type):
        return pc.is_null(column)
    return pc.equal(pc.utf8_trim_whitespace(column), "")


def _framed(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    return frame.astype("str")


# By the csv module


def _row_by_row(text: Text) -> ParsedRows:
    """For line breaks in cells and rows of different width, which Arrow would refuse."""
    reader = csv.reader(io.StringIO(text.content.decode()), delimiter=text.separator, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    begin = 1
    try:
        names = text.names or unique_names(text.file, next(reader))
        begin = reader.line_num + 1
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(_fitted(text.file, begin, row, len(names)))
                lines.append(begin)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise misshapen(text.file, begin, {"problem": str(error)}) from error
    frame = pd.DataFrame(rows, columns=names, dtype="str")
    return ParsedRows(tuple(names), frame, np.array(lines, dtype=int))


def _fitted(file: str, line: int, row: list[str], width: int) -> list[str]:
    """The row as wide as the header.

    Cells that lack at its end count as blank, blank ones too many are dropped:

    >>> _fitted("a.csv", 2, ["1", "2", " "], 2), _fitted("a.csv", 3, ["1"], 2)
    (['1', '2'], ['1', ''])
    """
    if any(cell.strip() for cell in row[width:]):
        raise misshapen(file, line, {"cells": len(row), "columns": width})
    return row[:width] + [""] * (width - len(row))
