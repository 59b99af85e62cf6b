"""A text that is divided into cells, its names, and the rows made of it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from faultxfer.errors import DataError


@dataclass(frozen=True)
class ParsedRows:
    """Rows of a file that are not blank.

    Attributes:
        names: all columns of the file.
        frame: cells as text, without the columns in ``typed`` and those nobody asked for.
        lines: (n,) line on which each row begins; the first line is 1.
        typed: (n,) float64 values of columns asked for as numbers; NaN where missing. Of those
            alone that hold nothing but numbers and missing values.
    """

    names: tuple[str, ...]
    frame: pd.DataFrame
    lines: np.ndarray
    typed: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether all cells of the file are in ``frame`` as text."""
        return len(self.frame.columns) == len(self.names)


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


@dataclass(frozen=True)
class Text:
    """A file's content and how it is divided.

    Attributes:
        file: for errors.
        content: UTF-8 with line feeds.
        separator: one character.
        names: column names where the file has no header row.
    """

    file: str
    content: bytes
    separator: str
    names: list[str] | None = None

    @property
    def header(self) -> bool:
        """Whether the first row holds the names."""
        return self.names is None

    def all_names(self) -> list[str]:
        """Every column's name. Raises DataError where one occurs twice."""
        if self.names:
            return self.names
        first = first_row(self.file, self.content, self.separator)
        return unique_names(self.file, first)


def first_row(file: str, text: bytes, separator: str) -> list[str]:
    """Cells of the first row."""
    begin = io.StringIO(text[: 1 << 20].decode(errors="ignore"))
    try:
        return next(csv.reader(begin, delimiter=separator, strict=True), [])
    except csv.Error as error:
        raise misshapen(file, 1, {"problem": str(error)}) from error


def unique_names(file: str, header: list[str]) -> list[str]:
    """Column names without spaces around them; a name for those that have none.

    >>> unique_names("a.csv", [" flow ", ""])
    ['flow', 'Unnamed: 1']

    Raises:
        DataError: a name occurs twice.
    """
    names = [name.strip() for name in header]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            "A column name occurs twice",
            received={"twice": twice},
            where=f"{file}, line 1",
            code="COLUMN-TWICE",
            line=1,
            column=twice[0],
            remedy="Rename or remove the doubled columns",
        )
    return [name or f"Unnamed: {place}" for place, name in enumerate(names)]


def misshapen(file: str, line: int, received: dict[str, object]) -> DataError:
    """The error for a row that does not fit the others."""
    return DataError(
        "The row does not fit the header",
        received=received,
        where=f"{file}, line {line}",
        code="FILE-SHAPE",
        line=line,
        remedy="Look at the line named above; a stray separator or quote is the usual cause",
    )
