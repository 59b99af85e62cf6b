"""A table that is written while it is made, as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PARQUET = ".parquet"
# What a cell may not hold as it stands.
_QUOTED = '[",\r\n]'


class RowsFile(Protocol):
    """Takes the rows of a table, some at a time."""

    def encoded(self, table: pa.Table) -> Any:
        """Rows as they will be written; any thread may do it."""
        ...

    def write(self, encoded: Any) -> None:
        """Write what :meth:`encoded` gave."""
        ...


class _CsvFile:
    def __init__(self, file: Any) -> None:
        self._file, self._begun = file, False

    def encoded(self, table: pa.Table) -> tuple[list[str], pa.Buffer]:
        return table.column_names, _lines(table)

    def write(self, encoded: tuple[list[str], pa.Buffer]) -> None:
        names, lines = encoded
        if not self._begun:
            head = pa.table([[name] for name in names], names=names)
            self._file.write(_lines(head))
            self._begun = True
        self._file.write(lines)


class _ParquetFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def encoded(self, table: pa.Table) -> pa.Table:
        return table

    def write(self, encoded: pa.Table) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, encoded.schema)
        self._writer.write_table(encoded)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


@contextmanager
def rows_file(path: Path, like: Path) -> Iterator[RowsFile]:
    """A file for the rows of tables of one schema; those of a Parquet file have their types.

    Args:
        path: where it is written.
        like: its name later, whose ending says what it is: Parquet, or CSV like any other.
    """
    if like.suffix.lower() == PARQUET:
        parquet = _ParquetFile(path)
        yield parquet
        parquet.close()
        return
    with path.open("wb") as file:
        yield _CsvFile(file)


def _lines(table: pa.Table) -> pa.Buffer:
    """The rows as lines of CSV, as pandas writes them but for the spelling of small numbers."""
    if not len(table):
        return pa.py_buffer(b"")
    cells = [_cells(column) for column in table.itercolumns()]
    ended = _joined(_joined(*cells, by=","), "", by="\n")
    whole = ended.combine_chunks() if isinstance(ended, pa.ChunkedArray) else ended
    _, ends, text = whole.buffers()
    bounds = pa.Array.from_buffers(pa.int64(), len(whole) + 1, [None, ends], offset=whole.offset)
    begin, end = bounds[0].as_py(), bounds[len(whole)].as_py()
    return text.slice(begin, end - begin)


def _cells(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as text, blank where it is null, with quotes where they are needed."""
    text = pa.large_string()
    if pa.types.is_boolean(column.type):
        column = pc.if_else(column, pa.scalar("True", text), pa.scalar("False", text))
    cells = pc.fill_null(pc.cast(column, text), "")
    named = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    quoted = pc.match_substring_regex(cells, _QUOTED) if named else None
    if quoted is not None and pc.any(quoted).as_py():
        doubled = pc.replace_substring(cells, '"', '""')
        cells = pc.if_else(quoted, _joined('"', doubled, '"', by=""), cells)
    return cells


def _joined(*parts: Any, by: str) -> Any:
    """Texts side by side, row by row."""
    text = pa.large_string()
    given = [pa.scalar(part, text) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*given, pa.scalar(by, text))
