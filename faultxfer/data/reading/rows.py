"""Text to rows of cells: Arrow's reader where it can be trusted, else one row at a time."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from faultxfer.errors import DataError

_BLOCK = 1 << 24


@dataclass(frozen=True)
class Rows:
    """Cells of the rows that are not blank, and the line on which each row begins (the first line is 1)."""

    frame: pd.DataFrame
    lines: np.ndarray


def read_rows(file: str, text: bytes, separator: str, names: list[str] | None) -> Rows:
    """Read all rows.

    Args:
        file: for errors.
        text: UTF-8 with line feeds.
        separator: one character.
        names: column names where the file has no header row.

    Raises:
        DataError: equal names, or rows of different width.
    """
    quick = _quick(file, text, separator, names) if _plain_lines(text, ord(separator)) else None
    return quick or _row_by_row(file, text, separator, names)


def first_row(file: str, text: bytes, separator: str) -> list[str]:
    """Cells of the first row."""
    begin = io.StringIO(text[: 1 << 20].decode(errors="ignore"))
    try:
        return next(csv.reader(begin, delimiter=separator, strict=True), [])
    except csv.Error as error:
        raise _misshapen({"problem": str(error)}, f"{file}, line 1") from error


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


def _quick(file: str, text: bytes, separator: str, names: list[str] | None) -> Rows | None:
    """None where the rows are not all as wide as the header; the slow way says which."""
    header = names is None
    names = names or unique_names(file, first_row(file, text, separator))
    lines = _line_numbers(text)[1 if header else 0 :]
    body = memoryview(text)[text.find(b"\n") + 1 if b"\n" in text else len(text) :] if header else memoryview(text)
    if not len(lines):
        return Rows(_framed(pa.table({name: pa.array([], pa.string()) for name in names})), lines)
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=1 << 22),
            parse_options=arrow_csv.ParseOptions(delimiter=separator),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    return _without_blank_rows(table, lines) if len(table) == len(lines) else None


def _line_numbers(text: bytes) -> np.ndarray:
    """Numbers of the lines that are not empty, in a text without line breaks in cells."""
    if b"\n\n" not in text and not text.startswith(b"\n"):
        return np.arange(1, text.count(b"\n") + (not text.endswith(b"\n") and bool(text)) + 1)
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
    try:
        names = names or unique_names(file, next(reader))
        begin = reader.line_num + 1
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(_fitted(file, begin, row, len(names)))
                lines.append(begin)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise _misshapen({"problem": str(error)}, f"{file}, line {reader.line_num}") from error
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
            remedy="Rename or remove the doubled columns",
        )
    return [name or f"Unnamed: {place}" for place, name in enumerate(names)]


def _fitted(file: str, line: int, row: list[str], width: int) -> list[str]:
    """The row as wide as the header: cells that lack at its end count as blank, blank ones too many are dropped."""
    if any(cell.strip() for cell in row[width:]):
        raise _misshapen({"cells": len(row), "columns": width}, f"{file}, line {line}")
    return row[:width] + [""] * (width - len(row))


def _misshapen(received: dict[str, object], where: str) -> DataError:
    return DataError(
        "Rows with as many cells as the header were expected",
        received=received,
        where=where,
        remedy="Look at the line named above; a stray separator or quote is the usual cause",
    )
