"""Text to rows of cells: Arrow's reader where it can be trusted, else one row at a time."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from faultxfer.errors import DataError

_BLOCK = 1 << 24


@dataclass(frozen=True)
class Rows:
    """Rows that are not blank.

    Attributes:
        frame: cells as text, without the columns in ``typed``.
        lines: (n,) line on which each row begins; the first line is 1.
        typed: (n,) float64 values of the columns asked for as numbers; NaN where missing. Empty unless all of them
            hold nothing but numbers and missing values.
    """

    frame: pd.DataFrame
    lines: np.ndarray
    typed: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Numbers:
    """Columns to read as numbers at once, and how numbers and missing values are spelt.

    Attributes:
        names: the columns.
        decimal: decimal mark.
        missing: spellings of a missing value in lower case.
    """

    names: frozenset[str]
    decimal: str
    missing: frozenset[str]


def read_rows(file: str, text: bytes, separator: str, names: list[str] | None, numbers: Numbers | None = None) -> Rows:
    """Read all rows.

    Args:
        file: for errors.
        text: UTF-8 with line feeds.
        separator: one character.
        names: column names where the file has no header row.
        numbers: columns to read as numbers, if every cell of them can be.

    Raises:
        DataError: equal names, or rows of different width.
    """
    if not _plain_lines(text, ord(separator)):
        return _row_by_row(file, text, separator, names)
    typed = _quick(file, text, separator, names, numbers) if numbers else None
    return typed or _quick(file, text, separator, names) or _row_by_row(file, text, separator, names)


@dataclass(frozen=True)
class TextRows:
    """A read table's rows as text again, for files whose cells span no lines.

    Attributes:
        file, text, separator, names: as in :func:`read_rows`.
        lines: (n,) the line of each row.
    """

    file: str
    text: bytes
    separator: str
    names: list[str] | None
    lines: np.ndarray

    def __call__(self, places: np.ndarray) -> pd.DataFrame:
        """Rows by their places."""
        lines = self.lines[places]
        picked = b"\n".join(
            self.text[begin:end] for begin, end in zip(self._ends[lines - 1] + 1, self._ends[lines], strict=True)
        )
        head = b"" if self.names is not None else self.text[: self._ends[1]] + b"\n"
        return read_rows(self.file, head + picked, self.separator, self.names).frame

    @cached_property
    def _ends(self) -> np.ndarray:
        """Where each line ends, the one before the first included."""
        ends = np.flatnonzero(np.frombuffer(self.text, dtype=np.uint8) == ord("\n"))
        return np.concatenate(([-1], ends, [len(self.text)]))


def some_lines(text: bytes, blocks: int = 20, size: int = 1 << 13) -> bytes:
    """The first lines, and whole lines from all over a long text."""
    if len(text) <= blocks * size:
        return text
    picked = []
    for start in np.linspace(0, len(text) - size, blocks).astype(int):
        begin = text.find(b"\n", start) + 1 if start else 0
        picked.append(text[begin : text.rfind(b"\n", begin, start + size) + 1])
    return b"".join(picked)


def first_row(file: str, text: bytes, separator: str) -> list[str]:
    """Cells of the first row."""
    begin = io.StringIO(text[: 1 << 20].decode(errors="ignore"))
    try:
        return next(csv.reader(begin, delimiter=separator, strict=True), [])
    except csv.Error as error:
        raise _misshapen(file, 1, {"problem": str(error)}) from error


def _plain_lines(text: bytes, separator: int) -> bool:
    """Whether every quote opens or closes a cell and no cell spans lines: then Arrow reads what the csv module does."""
    if b'"' not in text:
        return True
    text = text.replace(b'""', b"")
    parity, before = 0, ord("\n")
    for start in range(0, len(text), _BLOCK):
        codes = np.frombuffer(text, dtype=np.uint8, count=min(_BLOCK + 1, len(text) - start), offset=start)
        block = codes[:_BLOCK]
        quotes = np.flatnonzero(block == ord('"'))
        if not _at_edges(codes, quotes, parity, before, (separator, ord("\n"))):
            return False
        ends = np.flatnonzero(block == ord("\n"))
        if ((np.searchsorted(quotes, ends) + parity) % 2).any():
            return False
        parity, before = (parity + len(quotes)) % 2, int(block[-1])
    return parity == 0


def _at_edges(codes: np.ndarray, quotes: np.ndarray, parity: int, before: int, edges: tuple[int, int]) -> bool:
    """Whether opening quotes stand behind an edge of a cell and closing ones before it."""
    padded = np.concatenate(([before], codes, [ord("\n")]))
    opening, closing = quotes[parity::2], quotes[1 - parity :: 2]
    return bool(np.isin(padded[opening], edges).all() and np.isin(padded[closing + 2], edges).all())


def _quick(
    file: str, text: bytes, separator: str, names: list[str] | None, numbers: Numbers | None = None
) -> Rows | None:
    """None where the rows are not all as wide as the header, or not all numbers; the slow way says which."""
    header = names is None
    names = names or unique_names(file, first_row(file, text, separator))
    body = memoryview(text)[text.find(b"\n") + 1 if b"\n" in text else len(text) :] if header else memoryview(text)
    wanted = [name for name in names if numbers and name in numbers.names]
    if numbers and not wanted:
        return None
    if not bytes(body[:1000]).strip():
        lines = _line_numbers(text)[1 if header else 0 :]
        return None if len(lines) else _no_rows(names)
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=1 << 22),
            parse_options=arrow_csv.ParseOptions(delimiter=separator),
            convert_options=_conversions(names, wanted, numbers),
        )
    except pa.ArrowInvalid:
        return None
    lines = _line_numbers(text, len(table) + header)[1 if header else 0 :]
    if len(table) != len(lines):
        return None
    return _with_numbers(table, lines, wanted) if wanted else _without_blank_rows(table, lines)


def _conversions(names: list[str], wanted: list[str], numbers: Numbers | None) -> arrow_csv.ConvertOptions:
    types = dict.fromkeys(names, pa.string()) | dict.fromkeys(wanted, pa.float64())
    if numbers is None:
        return arrow_csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    cases = (str, str.upper, str.capitalize, str.title)
    return arrow_csv.ConvertOptions(
        column_types=types,
        strings_can_be_null=False,
        decimal_point=numbers.decimal,
        null_values=sorted({case(text) for text in numbers.missing for case in cases}),
    )


def _with_numbers(table: pa.Table, lines: np.ndarray, wanted: list[str]) -> Rows | None:
    """None where a cell says infinity or the like, or where whole rows are blank: text tells them apart."""
    numbers = table.select(wanted).to_pandas()  # one block, filled by all cores
    nulls = sum(table.column(name).null_count for name in wanted)
    if int(np.isfinite(numbers.to_numpy()).sum()) != numbers.size - nulls:
        return None
    typed = {name: numbers[name].to_numpy() for name in wanted}
    first = table.column(wanted[0])
    if first.null_count and _without_blank_rows(_as_text(table, typed), lines).lines.size != lines.size:
        return None
    return Rows(_framed(table.drop_columns(wanted)), lines, typed)


def _as_text(table: pa.Table, typed: dict[str, np.ndarray]) -> pa.Table:
    """Numbers as any text, for the look at blank rows."""
    cells = {name: pc.fill_null(pc.cast(table.column(name), pa.string()), "") for name in typed}
    return pa.table({name: cells.get(name, table.column(name)) for name in table.column_names})


def _no_rows(names: list[str]) -> Rows:
    return Rows(_framed(pa.table({name: pa.array([], pa.string()) for name in names})), np.array([], dtype=int))


def _line_numbers(text: bytes, filled: int = -1) -> np.ndarray:
    """Numbers of the lines that are not empty; ``filled`` is how many there are, where that is known.

    For texts without line breaks in cells.
    """
    if text.count(b"\n") + (not text.endswith(b"\n")) == filled:
        return np.arange(1, filled + 1)
    ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == ord("\n"))
    ends = ends if text.endswith(b"\n") else np.append(ends, len(text))
    return np.flatnonzero(np.diff(ends, prepend=-1) > 1) + 1


def _without_blank_rows(table: pa.Table, lines: np.ndarray) -> Rows:
    blank = pa.chunked_array([pa.repeat(pa.scalar(True), len(table))])
    for column in table.columns:
        blank = pc.and_(blank, pc.equal(pc.utf8_trim_whitespace(column), ""))
        if not pc.any(blank).as_py():
            return Rows(_framed(table), lines)
    return Rows(_framed(table.filter(pc.invert(blank))), lines[~blank.to_numpy()])


def _framed(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    return frame.astype("str")


def _row_by_row(file: str, text: bytes, separator: str, names: list[str] | None) -> Rows:
    """For line breaks in cells and rows of different width, which Arrow cannot number or would refuse."""
    reader = csv.reader(io.StringIO(text.decode()), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    begin = 1
    try:
        names = names or unique_names(file, next(reader))
        begin = reader.line_num + 1
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(_fitted(file, begin, row, len(names)))
                lines.append(begin)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise _misshapen(file, begin, {"problem": str(error)}) from error
    return Rows(pd.DataFrame(rows, columns=names, dtype="str"), np.array(lines, dtype=int))


def unique_names(file: str, header: list[str]) -> list[str]:
    """Column names without spaces around them; a name for those that have none.

    Raises:
        DataError: a name occurs twice.
    """
    names = [name.strip() for name in header]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            "Column names that occur once were expected",
            received={"twice": twice},
            where=f"{file}, line 1",
            code="COLUMN-TWICE",
            line=1,
            column=twice[0],
            remedy="Rename or remove the doubled columns",
        )
    return [name or f"Unnamed: {place}" for place, name in enumerate(names)]


def _fitted(file: str, line: int, row: list[str], width: int) -> list[str]:
    """The row as wide as the header: cells that lack at its end count as blank, blank ones too many are dropped."""
    if any(cell.strip() for cell in row[width:]):
        raise _misshapen(file, line, {"cells": len(row), "columns": width})
    return row[:width] + [""] * (width - len(row))


def _misshapen(file: str, line: int, received: dict[str, object]) -> DataError:
    return DataError(
        "Rows with as many cells as the header were expected",
        received=received,
        where=f"{file}, line {line}",
        code="FILE-SHAPE",
        line=line,
        remedy="Look at the line named above; a stray separator or quote is the usual cause",
    )
