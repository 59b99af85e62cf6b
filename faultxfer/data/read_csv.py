"""Read a CSV as text, so that every cell can be checked and named by line."""

from __future__ import annotations

import csv
import glob
import gzip
import hashlib
import io
import re
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from faultxfer.contract.table import RawTable
from faultxfer.errors import DataError

_SEPARATORS = ",;\t|"


def find_files(patterns: list[str]) -> list[Path]:
    """Expand files and glob patterns, each at most once, in the order given.

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
                remedy="Check the path; quote patterns such as 'data/*.csv'",
            )
        for path in files:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _matches(pattern: str) -> list[Path]:
    try:
        names = [pattern] if Path(pattern).exists() else sorted(glob.glob(pattern))  # noqa: PTH207  # may be absolute
        return [Path(name) for name in names if Path(name).is_file()]
    except OSError as error:
        raise DataError(
            "A file that can be reached was expected",
            received={"csv": pattern, "problem": error.strerror or str(error)},
            remedy="Check the path, and the permissions of its folders",
        ) from error


def read_csv(path: Path) -> RawTable:
    """Read one ``.csv`` or ``.csv.gz`` as text cells.

    Raises:
        DataError: the file is unreadable, has no header, two equal column names, or rows of different width.
    """
    content, digest = _bytes(path)
    text = _decoded(path, content)
    first_line = text.split("\n", 1)[0]
    if not first_line.strip():
        raise DataError(
            "A header row with column names was expected",
            received={"first line": first_line[:80]},
            where=path.name,
            remedy="Export the file again with its column names; an empty file cannot be used",
        )
    # A separator inside a quoted name, as in "temperature, bearing", separates nothing.
    separator = max(_SEPARATORS, key=re.sub(r'"[^"]*"', "", first_line).count)
    frame, lines = _table(path.name, text, separator)
    return RawTable(path.name, frame, lines, digest)


def _bytes(path: Path) -> tuple[bytes, str]:
    """The file's content, and the SHA-256 of the file as it lies on disk."""
    try:
        stored = path.read_bytes()
        content = gzip.decompress(stored) if path.suffix == ".gz" else stored
        return content, hashlib.sha256(stored).hexdigest()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            "A readable file was expected",
            received={"problem": str(error)},
            where=str(path),
            remedy="Check the permissions, or export the file again",
        ) from error


def _decoded(path: Path, content: bytes) -> str:
    try:
        return io.StringIO(content.decode("utf-8-sig"), newline=None).read()
    except UnicodeDecodeError as error:
        raise DataError(
            "Text in UTF-8 was expected",
            received={"byte": hex(content[error.start]), "at byte": error.start},
            where=path.name,
            remedy="Export the file as CSV (UTF-8)",
        ) from error


def _table(file: str, text: str, separator: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Cells of the rows that are not blank, and the line on which each row begins.

    pandas' own reader drops the cells of rows that are wider than the header, and does not tell where a row with a
    line break in a cell stands.
    """
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        names = _names(file, next(reader))
        begin = reader.line_num + 1
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(_fitted(file, begin, row, len(names)))
                lines.append(begin)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise _misshapen({"problem": str(error)}, f"{file}, line {reader.line_num}") from error
    return pd.DataFrame(rows, columns=names, dtype="str"), np.array(lines, dtype=int)


def _names(file: str, header: list[str]) -> list[str]:
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
