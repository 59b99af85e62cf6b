"""Text to rows of cells: Arrow's reader where it can be trusted, else one row at a time."""

from __future__ import annotations

import csv
import dataclasses
import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from faultxfer.reading.arrow import read_plain, read_typed
from faultxfer.reading.lines import line_bounds, plain_lines, some_lines
from faultxfer.reading.text import Numbers, Rows, Text, misshapen, unique_names

# Measured: a number in Arrow's table, in the column made of it, and in what the check makes of the column.
_BYTES_OF_A_CELL = 32


def read_rows(
    text: Text, numbers: Numbers | None = None, keep: frozenset[str] | None = None
) -> Rows:
    """Read all rows.

    Args:
        text: the file.
        numbers: columns to read as numbers, each if every cell of it can be.
        keep: columns that are needed; memory is spared for the others where that is possible. None: all.

    Raises:
        DataError: equal names, or rows of different width.
    """
    if not plain_lines(text.content, ord(text.separator)):
        return _row_by_row(text)
    typed = read_typed(text, keep, numbers) if numbers else None
    return typed or read_plain(text, keep) or _row_by_row(text)


def memory_needed(text: Text, keep: frozenset[str] | None) -> int:
    """About how many bytes it takes to read the kept columns and check them, the text itself aside."""
    sample = some_lines(text.content)
    rows = len(text.content) * (sample.count(b"\n") + 1) // max(len(sample), 1)
    columns = [name for name in text.all_names() if keep is None or name in keep]
    return rows * len(columns) * _BYTES_OF_A_CELL


@dataclass(frozen=True)
class TextRows:
    """A read table's rows as text again, all columns of them, for files whose cells span no lines.

    Attributes:
        text: as in :func:`read_rows`.
        lines: (n,) the line of each row.
    """

    text: Text
    lines: np.ndarray

    def __call__(self, places: np.ndarray) -> pd.DataFrame:
        """Rows by their places."""
        content, ends = self.text.content, self._ends
        lines = self.lines[places]
        picked = b"\n".join(
            content[begin:end] for begin, end in zip(ends[lines - 1] + 1, ends[lines], strict=True)
        )
        head = content[: ends[1]] + b"\n" if self.text.header else b""
        return read_rows(dataclasses.replace(self.text, content=head + picked)).frame

    @cached_property
    def _ends(self) -> np.ndarray:
        return line_bounds(self.text.content)


def _row_by_row(text: Text) -> Rows:
    """For line breaks in cells and rows of different width, which Arrow cannot number or would refuse."""
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
    return Rows(
        tuple(names), pd.DataFrame(rows, columns=names, dtype="str"), np.array(lines, dtype=int)
    )


def _fitted(file: str, line: int, row: list[str], width: int) -> list[str]:
    """The row as wide as the header: cells that lack at its end count as blank, blank ones too many are dropped."""
    if any(cell.strip() for cell in row[width:]):
        raise misshapen(file, line, {"cells": len(row), "columns": width})
    return row[:width] + [""] * (width - len(row))
