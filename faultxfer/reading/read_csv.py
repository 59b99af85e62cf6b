"""Read a file as text cells, so that every cell can be checked and named by line."""

from __future__ import annotations

import dataclasses
import glob
import io
import re
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from faultxfer.errors import DataError
from faultxfer.reading import (
    columns,
    content,
    decimal_marks,
    lines,
    preamble,
    rows,
    separator,
    time_parts,
    written_units,
)
from faultxfer.reading.content import digest, stored_bytes, unreadable
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.dialect import Dialect
from faultxfer.reading.endings import TABLES
from faultxfer.reading.table import RawTable, Reread
from faultxfer.reading.text import Numbers, ParsedRows, Text, first_row, unique_names


def find_files(patterns: list[str]) -> list[Path]:
    """Expand files, folders (all tables in them) and glob patterns, each file once, in this order.

    Raises:
        DataError: a pattern matches no file.
    """
    found: dict[Path, Path] = {}
    for pattern in patterns:
        files = _matches(pattern)
        if not files:
            raise DataError(
                "There is no such CSV file",
                received={"csv": pattern},
                remedy="Check the path; quote patterns such as 'data/*.csv'. "
                f"Of a folder these are read: {', '.join(TABLES)}",
            )
        for path in files:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _matches(pattern: str) -> list[Path]:
    path = Path(pattern)
    try:
        if pattern and path.is_dir():
            return sorted(file for file in path.iterdir() if _is_table(file))
        # The pattern may be absolute, which pathlib does not take.
        names = [pattern] if path.exists() else sorted(glob.glob(pattern))  # noqa: PTH207
        return [Path(name) for name in names if Path(name).is_file()]
    except OSError as error:
        raise DataError(
            "This file cannot be reached",
            received={"csv": pattern, "problem": error.strerror or str(error)},
            remedy="Check the path, and the permissions of its folders",
        ) from error


def _is_table(file: Path) -> bool:
    hidden = file.name.startswith((".", "~"))
    return file.is_file() and file.name.lower().endswith(TABLES) and not hidden


def names_of(paths: list[Path]) -> list[str]:
    """What to call each file.

    That is its name, with as many folders before it as files of one name differ by:

    >>> names_of([Path("/north/pump.csv"), Path("/south/pump.csv"), Path("/south/fan.csv")])
    ['north/pump.csv', 'south/pump.csv', 'fan.csv']
    """
    parts = [path.absolute().parts for path in paths]
    depths = [1] * len(paths)
    while True:
        names = ["/".join(part[-depth:]) for part, depth in zip(parts, depths, strict=True)]
        counts = Counter(names)
        if len(counts) == len(names):
            return names
        depths = [depth + (counts[name] > 1) for name, depth in zip(names, depths, strict=True)]


def read_csv(
    path: Path,
    options: Csv | None = None,
    numeric: frozenset[str] = frozenset(),
    keep: frozenset[str] | None = None,
) -> RawTable:
    """Read one ``.csv``, ``.csv.gz``, ``.csv.zst`` or ``.parquet`` as text cells.

    How it is written is detected.

    Args:
        path: the file.
        options: what the contract says of the way it is written; the rest is detected.
        numeric: columns that should hold numbers; they are read as such at once where all their
            cells are.
        keep: the columns that are needed; no memory is spent on others where that is possible.
            None: all.

    Raises:
        DataError: the file is unreadable or no table, has no header, two equal column names, or
            rows of different width, or does not look as pinned.
    """
    options = options or Csv()
    if path.suffix.lower() == ".parquet":
        table = read_parquet(path, options, keep)
    else:
        table = _read_text(path, options, numeric, keep)
    return time_parts.joined(table, options.time_parts)


def _read_text(
    path: Path, options: Csv, numeric: frozenset[str], keep: frozenset[str] | None
) -> RawTable:
    """As :func:`read_csv`, of a file that is text."""
    stored = content.stored_bytes(path)
    decoded, codec = content.decoded(path.name, content.unpacked(path, stored), options.encoding)
    whole, line_end = content.line_ends(decoded)
    text, above = preamble.cut_above(path.name, whole, options)
    with above.counted():
        divided = _divided(path.name, text, options, above.separator)
        divided, below = preamble.cut_below(divided, options)
    above = dataclasses.replace(above, below=below.rows)
    with above.counted():
        plain_commas = divided.separator == "," and b'"' not in text
        numbers = _numbers(divided, options, numeric, plain_commas=plain_commas)
        content.require_room(path, rows.memory_needed(divided, keep))
        read = rows.read_rows(divided, numbers, keep)
    frame, units = written_units.without_units(read.frame, numeric)
    known = numbers.decimal if read.typed and numbers else options.decimal
    known = known or ("." if plain_commas else None)
    marks = decimal_marks.find_decimal_marks(
        _proof(frame, numeric, keep, known=known is not None),
        decimal=known,
        thousands=options.thousands,
        plain_commas=plain_commas,
    )
    dialect = Dialect(
        encoding=codec,
        separator=divided.separator,
        decimal=marks.decimal,
        thousands=marks.thousands,
        header=divided.header,
        line_end=line_end,
        quoted=b'"' in text,
        missing=options.spellings,
        times=options.times,
        above=above.lines,
        below=below.rows,
    )
    return RawTable(
        path.name,
        frame,
        above.placed(read.lines),
        content.digest(stored),
        dialect,
        header=read.names,
        typed=read.typed,
        reread=_reread(read, divided, changed=bool(units)),
        units={**below.units, **units},
        descriptions=below.words,
    )


def _reread(read: ParsedRows, text: Text, *, changed: bool) -> Reread | None:
    """How to get the rows as they stand in the file, where the frame does not hold them."""
    if not read.whole:
        return rows.TextRows(text, read.lines)
    return read.frame.iloc.__getitem__ if changed else None


def _divided(file: str, text: bytes, options: Csv, named: str | None) -> Text:
    """The text with its separator, and with column names where it has no header row.

    Args:
        file: for errors.
        text: UTF-8 with line feeds, from the header row on.
        options: what is pinned.
        named: the separator that the file itself names.
    """
    mark = _separator(file, text, options, named)
    first = first_row(file, text, mark)
    if options.header is None:
        separator.require_names(file, first)
    if options.header is not False:
        return Text(file, text, mark)
    if len(first) != len(options.columns):
        raise DataError(
            "The first row does not have as many cells as `csv.columns` has names",
            received={"cells": len(first), "columns": list(options.columns)},
            where=f"{file}, line 1",
            code="FILE-SHAPE",
            line=1,
            remedy="Name every column of the file in the contract, in the order of the file",
        )
    return Text(file, text, mark, list(options.columns))


def _separator(file: str, text: bytes, options: Csv, named: str | None) -> str:
    """The one pinned, the one that the file itself names, or the one that the rows agree on."""
    first = separator.first_lines(text)
    if not first[0].strip():
        raise DataError(
            "The file has no header row with column names",
            received={"first line": first[0][:80]},
            where=file,
            code="FILE-EMPTY",
            remedy="Export the file again with its column names; an empty file cannot be used",
        )
    if named and not options.separator and named in first[0]:
        return named
    return separator.find_separator(file, first, options.separator, len(options.columns) or None)


def _numbers(
    text: Text, options: Csv, numeric: frozenset[str], *, plain_commas: bool
) -> Numbers | None:
    """How to read numbers at once, where some lines show the decimal mark and no other mark."""
    if not numeric or options.thousands:
        return None
    decimal: str | None = options.decimal
    some = lines.some_lines(text.content) if decimal is None else b""
    if plain_commas and not decimal_marks.may_group_thousands(some):
        decimal = decimal or "."
    if decimal is None:
        few = dataclasses.replace(text, content=some)
        try:
            sample = rows.read_rows(few).frame
        except DataError:
            return None  # reading all rows raises it with the right line
        sensors = sample[[name for name in sample if name in numeric]]
        marks = decimal_marks.find_decimal_marks(
            sensors, decimal=None, thousands=None, plain_commas=plain_commas
        )
        decimal = None if marks.thousands else marks.decimal
    return Numbers(numeric, decimal, columns.MISSING | options.spellings) if decimal else None


def _proof(
    frame: pd.DataFrame, numeric: frozenset[str], keep: frozenset[str] | None, *, known: bool
) -> pd.DataFrame:
    """The columns that prove the marks: those of numbers alone, as others have other authors.

    Where no number has a mark, the other needed columns may prove it, as a time in seconds does.
    ``known``: nothing has to.
    """
    if not numeric:
        return frame
    if known and numeric.isdisjoint(frame.columns):
        return frame.iloc[:0]
    numbers = frame[[name for name in frame if name in numeric]]
    if known or decimal_marks.any_mark(numbers):
        return numbers
    return frame if keep is None else frame[[name for name in frame if name in keep]]


# pandas stores its row labels under such a name.
_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(path: Path, options: Csv, keep: frozenset[str] | None = None) -> RawTable:
    """Read one ``.parquet``; line numbers are those the rows would have in a CSV with a header.

    Args:
        path: the file.
        options: what the contract says of missing values and times.
        keep: the columns that are needed; no memory is spent on others. None: all.

    Raises:
        DataError: the file is unreadable, or a needed column holds lists, records or bytes.
    """
    stored = stored_bytes(path)
    try:
        schema = pq.read_schema(io.BytesIO(stored))
        unique_names(path.name, schema.names)  # two of one name cannot be read at all
        stored_names = [name for name in schema.names if not _INDEX.fullmatch(name)]
        names = dict(zip(unique_names(path.name, stored_names), stored_names, strict=True))
        kept = names
        if keep is not None:
            kept = {name: there for name, there in names.items() if name in keep}
        frame = _frame(path.name, stored, kept)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error
    reread = None
    if len(kept) < len(names):
        reread = partial(_some_rows, path.name, stored, names)
    return RawTable(
        path.name,
        frame,
        np.arange(len(frame)) + 2,
        digest(stored),
        Dialect("parquet", missing=options.spellings, times=options.times),
        header=tuple(names),
        reread=reread,
    )


def _some_rows(file: str, stored: bytes, names: dict[str, str], rows: np.ndarray) -> pd.DataFrame:
    """All columns of some rows, for a table that holds the needed columns only."""
    return _frame(file, stored, names).iloc[rows]


def _frame(file: str, stored: bytes, names: dict[str, str]) -> pd.DataFrame:
    """Columns as text, by their names; ``names`` says what they are called in the file."""
    table = pq.read_table(io.BytesIO(stored), columns=list(names.values()))
    cells = {name: _text(file, name, table.column(there)) for name, there in names.items()}
    return pd.DataFrame(cells, index=pd.RangeIndex(len(table)), dtype="str")


def _text(file: str, name: str, column: pa.ChunkedArray) -> pd.Series:
    try:
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            raise pa.ArrowNotImplementedError(f"cells of type {column.type}")
        cells: pd.Series = pc.fill_null(pc.cast(column, pa.large_string()), "").to_pandas()
        return cells.astype("str")
    except pa.ArrowException as error:
        raise DataError(
            "The column holds neither numbers nor text nor times",
            received={"type": str(column.type)},
            where=f"{file}, column {name!r}",
            code="FILE-UNREADABLE",
            column=name,
            remedy="Write one number, text or time into each cell, or leave the column out",
        ) from error
