"""Which marks the numbers of a file have. Only cells that can be read in one way count as proof.

``1,5`` proves a decimal comma, ``1,234.5`` a comma between thousands; ``1,234`` proves nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_SAMPLE_ROWS = 2000
_SPACES = (" ", "\u00a0", "\u202f", "'", "’")
_OTHER = {".": ",", ",": "."}
# One of the spaces and three digits; it begins with single bytes, as few of them are looked behind.
_GROUPED = re.compile(rb"[ '\xc2\xe2](?:\xa0|\x80\xaf|\x80\x99)?\d{3}")
_EXPONENT = r"(?:[eE][+-]?\d+)?"


@dataclass(frozen=True)
class DecimalMarks:
    """Decimal mark (None: the file does not show it) and mark between thousands (None: none)."""

    decimal: str | None
    thousands: str | None


def find_decimal_marks(
    frame: pd.DataFrame, *, decimal: str | None, thousands: str | None, plain_commas: bool
) -> DecimalMarks:
    """Marks by what is pinned, else by proof.

    >>> cells = pd.DataFrame({"flow": ["1.234,5", "17", "2,25"]})
    >>> find_decimal_marks(cells, decimal=None, thousands=None, plain_commas=False)
    DecimalMarks(decimal=',', thousands='.')

    Args:
        frame: text cells.
        decimal: pinned mark.
        thousands: pinned mark.
        plain_commas: whether commas stand between columns and no cell has one, so that a point
            can only be decimal.
    """
    if decimal is None and thousands in _OTHER:
        decimal = _OTHER[thousands]
    if plain_commas:
        decimal = decimal or "."
    if decimal is None or thousands is None:
        if frame.empty:
            return DecimalMarks(decimal, thousands)
        cells = _sample(frame)
        decimal = decimal or _decimal(cells) or _decimal(_with_marks(frame, ".,"))
        thousands = thousands or _thousands(frame, cells, decimal, plain_commas)
    return DecimalMarks(decimal, thousands)


def may_group_thousands(text: bytes) -> bool:
    """Whether a space or an apostrophe stands between digits as it may between thousands."""
    return _GROUPED.search(text) is not None


def any_mark(frame: pd.DataFrame) -> bool:
    """Whether any cell has a digit beside a point or a comma."""
    return any(_count(_cells(frame[[name]]), r"\d[.,]|[.,]\d") for name in frame)


def _sample(frame: pd.DataFrame) -> pa.Array:
    """Cells of rows spread over the whole file."""
    last = max(len(frame) - 1, 0)
    places = np.unique(np.linspace(0, last, _SAMPLE_ROWS).astype(int))
    return _cells(frame.iloc[places[: len(frame)]])


def _with_marks(frame: pd.DataFrame, marks: str) -> pa.Array:
    """All cells that hold one of the marks, column by column to save memory."""
    found = [pa.array([], pa.large_string())]
    for name in frame:
        cells = _cells(frame[[name]])
        marked = pc.match_substring_regex(cells, f"[{re.escape(marks)}]")
        found.append(cells.filter(marked))
    return pa.concat_arrays(found)


def _cells(frame: pd.DataFrame) -> pa.Array:
    """All cells, stripped."""
    cells = [pa.array([], pa.large_string())]
    for name in frame:
        column = pa.array(frame[name], from_pandas=True)
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        cells.append(column.cast(pa.large_string()))
    return pc.utf8_trim_whitespace(pa.concat_arrays(cells))


def _decimal(cells: pa.Array) -> str | None:
    """The mark with more proofs; a tie proves nothing."""
    point, comma = _proofs_of_decimal(cells, "."), _proofs_of_decimal(cells, ",")
    if point == comma:
        return None
    return "." if point > comma else ","


def _proofs_of_decimal(cells: pa.Array, mark: str) -> int:
    return _count(cells, _proves_decimal(mark)) + _count(cells, _proves_thousands(_OTHER[mark]))


def _thousands(
    frame: pd.DataFrame, cells: pa.Array, decimal: str | None, plain_commas: bool
) -> str | None:
    """The mark between thousands.

    It is proven by a group that cannot be a decimal part, and disproven where it is a decimal mark
    as well.
    """
    for mark in _SPACES:
        if _count(cells, rf"^[+-]?\d{{1,3}}(?:{mark}\d{{3}})+(?:[.,]\d+)?$"):
            return mark
    if decimal is None or (plain_commas and decimal == "."):
        return None
    other = _OTHER[decimal]
    marked = _with_marks(frame, other)
    proven = _count(marked, _proves_thousands(other))
    return other if proven and not _count(marked, _proves_decimal(other)) else None


def _count(cells: pa.Array, pattern: str) -> int:
    return int(pc.sum(pc.match_substring_regex(cells, pattern)).as_py() or 0)


def _proves_decimal(mark: str) -> str:
    """A pattern of numbers in which the mark is decimal.

    There are not three digits behind it, or before it none, a zero, more than three, or groups of
    another mark.
    """
    decimal, other, spaces = re.escape(mark), re.escape(_OTHER[mark]), "".join(_SPACES)
    proofs = (
        rf"\d+{decimal}(?:\d{{0,2}}|\d{{4,}})",
        rf"0?{decimal}\d+",
        rf"(?:0\d+|\d{{4,}}){decimal}\d+",
        rf"\d+{decimal}\d+[eE][+-]?\d+",
        rf"\d{{1,3}}(?:{other}\d{{3}})+{decimal}\d+",
        rf"\d{{1,3}}(?:[{spaces}]\d{{3}})+{decimal}\d+",
    )
    return rf"^[+-]?(?:{'|'.join(proofs)}){_EXPONENT}$"


def _proves_thousands(mark: str) -> str:
    """A pattern of groups of three digits that cannot be a decimal part.

    There are two of them, or one before the other mark.
    """
    group, other = re.escape(mark), re.escape(_OTHER[mark])
    several = rf"(?:{group}\d{{3}}){{2,}}(?:{other}\d*)?"
    one = rf"{group}\d{{3}}{other}\d*"
    return rf"^[+-]?[1-9]\d{{0,2}}(?:{several}|{one})$"
