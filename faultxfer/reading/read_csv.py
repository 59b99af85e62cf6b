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
    """Expand files, folders (all tables in them) and glob patterns, each at most once, in the order given.

    Raises:
        DataError: a pattern matches no file.
    """
    found: dict[Path, Path] = {}
    for pattern in patterns:
        files = _matches(pattern)
        if not files:
            raise DataError(
                "An existing CSV file was expected",
                received={"csv": pattern},
                remedy="Check the path; quote patterns such as 'data/*.csv'. Of a folder these are read: "
                + ", ".join(content.TABLES),
            )
        for path in files:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def names_of(paths: list[Path]) -> list[str]:
    """What to call each file: its name, with as many folders before it as files of one name differ by."""
    parts = [path.absolute().parts for path in paths]
    depths = [1] * len(paths)
    while doubled := _doubled([part[-depth:] for part, depth in zip(parts, depths, strict=True)]):
        depths = [depth + (place in doubled) for place, depth in enumerate(depths)]
    return ["/".join(part[-depth:]) for part, depth in zip(parts, depths, strict=True)]


def _doubled(names: list[tuple[str, ...]]) -> set[int]:
    """Places of names that another one equals."""
    counts = Counter(names)
    return {place for place, name in enumerate(names) if counts[name] > 1}


def read_csv(
    path: Path,
    options: Csv | None = None,
    numeric: frozenset[str] = frozenset(),
    keep: frozenset[str] | None = None,
) -> RawTable:
    """Read one ``.csv``, ``.csv.gz``, ``.csv.zst`` or ``.parquet`` as text cells, and detect how it is written.

    Args:
        path: the file.
        options: what the contract says of the way it is written; the rest is detected.
        numeric: columns that should hold numbers; they are read as such at once where all their cells are.
        keep: the columns that are needed; no memory is spent on others where that is possible. None: all.

    Raises:
        DataError: the file is unreadable or no table, has no header, two equal column names, or rows of different
            width, or does not look as pinned.
    """
    options = options or Csv()
    if path.suffix.lower() == ".parquet":
        return read_parquet(path, options, keep)
    stored = content.stored_bytes(path)
    decoded, codec = content.decoded(path.name, content.unpacked(path, stored), options.encoding)
    whole, line_end = content.line_ends(decoded)
    text, above = separator.split_off(whole)
    with above.counted():
        mark = _separator(path.name, text, options, above.separator)
        names = _pinned_names(path.name, text, mark, options)
        quoted = b'"' in text
        plain_commas = mark == "," and not quoted
        divided = Text(path.name, text, mark, names)
        numbers = _numbers(divided, options, numeric, plain_commas=plain_commas)
        content.require_room(path, rows.memory_needed(divided, keep))
        read = rows.read_rows(divided, numbers, keep)
    known = numbers.decimal if read.typed and numbers else options.decimal
    proof = _proof(read.frame, numeric, keep, told=known is not None or plain_commas)
    found = decimal_marks.find_decimal_marks(
        proof, decimal=known, thousands=options.thousands, plain_commas=plain_commas
    )
    dialect = Dialect(
        encoding=codec,
        separator=mark,
        decimal=found.decimal,
        thousands=found.thousands,
        header=options.header is not False,
        line_end=line_end,
        quoted=quoted,
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


def _proof(
    frame: pd.DataFrame, numeric: frozenset[str], keep: frozenset[str] | None, *, told: bool
) -> pd.DataFrame:
    """The columns that tell the marks: those of numbers alone, as others are written by other hands.

    Where no number has a mark, the other needed columns may tell it, as a time in seconds has one. ``told``: nothing
    has to.
    """
    if not numeric:
        return frame
    numbers = frame[[name for name in frame if name in numeric]]
    if told or decimal_marks.any_mark(numbers):
        return numbers
    return frame if keep is None else frame[[name for name in frame if name in keep]]


def _numbers(
    text: Text, options: Csv, numeric: frozenset[str], *, plain_commas: bool
) -> Numbers | None:
    """How to read numbers at once, where a look at some lines tells the decimal mark and finds no other one."""
    if not numeric or options.thousands:
        return None
    decimal: str | None = options.decimal
    if decimal is None:
        try:
            few = dataclasses.replace(text, content=lines.some_lines(text.content))
            sample = rows.read_rows(few).frame
        except DataError:
            return None  # reading all rows says it with the right line
        sensors = sample[[name for name in sample if name in numeric]]
        found = decimal_marks.find_decimal_marks(
            sensors, decimal=None, thousands=None, plain_commas=plain_commas
        )
        decimal = None if found.thousands else found.decimal
    return Numbers(numeric, decimal, columns.MISSING | options.spellings) if decimal else None


def _matches(pattern: str) -> list[Path]:
    path = Path(pattern)
    try:
        if pattern and path.is_dir():
            return sorted(file for file in path.iterdir() if _is_table(file))
        names = [pattern] if path.exists() else sorted(glob.glob(pattern))  # noqa: PTH207  # may be absolute
        return [Path(name) for name in names if Path(name).is_file()]
    except OSError as error:
        raise DataError(
            "A file that can be reached was expected",
            received={"csv": pattern, "problem": error.strerror or str(error)},
            remedy="Check the path, and the permissions of its folders",
        ) from error


def _is_table(file: Path) -> bool:
    return (
        file.is_file()
        and file.name.lower().endswith(content.TABLES)
        and not file.name.startswith((".", "~"))
    )


def _separator(file: str, text: bytes, options: Csv, named: str | None) -> str:
    """The one pinned, the one that the file itself names, or the one that the rows agree on."""
    lines = separator.first_lines(text)
    if not lines[0].strip():
        raise DataError(
            "A header row with column names was expected",
            received={"first line": lines[0][:80]},
            where=file,
            code="FILE-EMPTY",
            remedy="Export the file again with its column names; an empty file cannot be used",
        )
    if named and not options.separator and named in lines[0]:
        return named
    return separator.find_separator(file, lines, options.separator, len(options.columns) or None)


def _pinned_names(file: str, text: bytes, mark: str, options: Csv) -> list[str] | None:
    """Names for a file without header, None for one with."""
    first = first_row(file, text, mark)
    if options.header is None:
        separator.require_names(file, first)
    if options.header is not False:
        return None
    if len(first) != len(options.columns):
        raise DataError(
            "As many cells in the first row as `csv.columns` names were expected",
            received={"cells": len(first), "columns": list(options.columns)},
            where=f"{file}, line 1",
            code="FILE-SHAPE",
            line=1,
            remedy="Name every column of the file in the contract, in the order of the file",
        )
    return list(options.columns)
