"""Read a file as text cells, so that every cell can be checked and named by line."""

from __future__ import annotations

import dataclasses
import glob
from collections import Counter
from pathlib import Path

import pandas as pd

from faultxfer.errors import DataError
from faultxfer.reading import columns, content, decimal_marks, lines, rows, separator
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.dialect import Dialect
from faultxfer.reading.parquet import read_parquet
from faultxfer.reading.table import RawTable
from faultxfer.reading.text import Numbers, Text, first_row


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
                f"Of a folder these are read: {', '.join(content.TABLES)}",
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
    return file.is_file() and file.name.lower().endswith(content.TABLES) and not hidden


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
        return read_parquet(path, options, keep)
    stored = content.stored_bytes(path)
    decoded, codec = content.decoded(path.name, content.unpacked(path, stored), options.encoding)
    whole, line_end = content.line_ends(decoded)
    text, above = separator.split_off(whole)
    with above.counted():
        divided = _divided(path.name, text, options, above.separator)
        plain_commas = divided.separator == "," and b'"' not in text
        numbers = _numbers(divided, options, numeric, plain_commas=plain_commas)
        content.require_room(path, rows.memory_needed(divided, keep))
        read = rows.read_rows(divided, numbers, keep)
    known = numbers.decimal if read.typed and numbers else options.decimal
    marks = decimal_marks.find_decimal_marks(
        _proof(read.frame, numeric, keep, known=known is not None or plain_commas),
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
    )
    return RawTable(
        path.name,
        read.frame,
        read.lines + above.lines,
        content.digest(stored),
        dialect,
        header=read.names,
        typed=read.typed,
        reread=None if read.whole else rows.TextRows(divided, read.lines),
    )


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
    if decimal is None:
        few = dataclasses.replace(text, content=lines.some_lines(text.content))
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
    numbers = frame[[name for name in frame if name in numeric]]
    if known or decimal_marks.any_mark(numbers):
        return numbers
    return frame if keep is None else frame[[name for name in frame if name in keep]]
