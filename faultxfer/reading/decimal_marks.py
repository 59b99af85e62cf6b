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
_EXPONENT = r"(?:[eE][+-]?\d+)?"


@dataclass(frozen=True)
class DecimalMarks:
    """Decimal mark (None: the file does not tell) and mark between thousands (None: there is none)."""

    decimal: str | None
    thousands: str | None


def find_decimal_marks(
    frame: pd.DataFrame, *, decimal: str | None, thousands: str | None, plain_commas: bool
) -> DecimalMarks:
    """DecimalMarks by what is pinned, else by proof.

    Args:
        frame: text cells.
        decimal: pinned mark.
        thousands: pinned mark.
        plain_commas: whether commas stand between columns and no cell has one, so that a point can only be decimal.
    """
    if decimal is None and thousands in _OTHER:
        decimal = _OTHER[thousands]
    if plain_commas:
        decimal = decimal or "."
    if decimal is None or thousands is None:
        cells = _sample(frame)
        decimal = decimal or _decimal(cells) or _decimal(_with_marks(frame, ".,"))
        thousands = thousands or _thousands(frame, cells, decimal, plain_commas)
    return DecimalMarks(decimal, thousands)


def any_mark(frame: pd.DataFrame) -> bool:
    """Whether any cell has a digit beside a point or a comma."""
    return any(_count(_cells(frame[[name]]), r"\d[.,]|[.,]\d") for name in frame)


def _sample(frame: pd.DataFrame) -> pa.Array:
    """Cells of rows spread over the whole file."""
    places = np.unique(np.linspace(0, max(len(frame) - 1, 0), _SAMPLE_ROWS).astype(int))
    return _cells(frame.iloc[places[: len(frame)]])


def _with_marks(frame: pd.DataFrame, marks: str) -> pa.Array:
    """All cells that hold one of the marks."""
    held = [_cells(frame[[name]]) for name in frame]
    found = [
        cells.filter(pc.match_substring_regex(cells, f"[{re.escape(marks)}]")) for cells in held
    ]
    return pa.concat_arrays(found) if found else pa.array([], pa.large_string())


def _cells(frame: pd.DataFrame) -> pa.Array:
    columns = [pa.array(frame[name], from_pandas=True) for name in frame]
    flat = [col.combine_chunks() if isinstance(col, pa.ChunkedArray) else col for col in columns]
    joined = (
        pa.concat_arrays([col.cast(pa.large_string()) for col in flat])
        if flat
        else pa.array([], pa.large_string())
    )
    return pc.utf8_trim_whitespace(joined)


def _decimal(cells: pa.Array) -> str | None:
    """The mark with more proofs; a tie proves nothing."""
    point, comma = (
        _count(cells, _proves_decimal(mark)) + _count(cells, _groups(_OTHER[mark])) for mark in ".,"
    )
    return None if point == comma else "." if point > comma else ","


def _thousands(
    frame: pd.DataFrame, cells: pa.Array, decimal: str | None, plain_commas: bool
) -> str | None:
    """A mark is proven by a group that cannot be a decimal part, and disproven where it is a decimal mark as well."""
    spaced = [
        mark
        for mark in _SPACES
        if _count(cells, rf"^[+-]?\d{{1,3}}(?:{mark}\d{{3}})+(?:[.,]\d+)?$")
    ]
    if spaced:
        return spaced[0]
    if decimal is None or (plain_commas and decimal == "."):
        return None
    other = _OTHER[decimal]
    held = _with_marks(frame, other)
    return (
        other if _count(held, _groups(other)) and not _count(held, _proves_decimal(other)) else None
    )


def _count(cells: pa.Array, pattern: str) -> int:
    return int(pc.sum(pc.match_substring_regex(cells, pattern)).as_py() or 0)


def _proves_decimal(mark: str) -> str:
    """Not three digits behind the mark, or before it none, a zero, more than three, or groups of another mark."""
    decimal, other = re.escape(mark), re.escape(_OTHER[mark])
    proofs = (
        rf"\d+{decimal}(?:\d{{0,2}}|\d{{4,}})",
        rf"0?{decimal}\d+",
        rf"(?:0\d+|\d{{4,}}){decimal}\d+",
        rf"\d+{decimal}\d+[eE][+-]?\d+",
        rf"\d{{1,3}}(?:{other}\d{{3}})+{decimal}\d+",
        rf"\d{{1,3}}(?:[{''.join(_SPACES)}]\d{{3}})+{decimal}\d+",
    )
    return rf"^[+-]?(?:{'|'.join(proofs)}){_EXPONENT}$"


def _groups(mark: str) -> str:
    """Groups of three digits that cannot be a decimal part: two of them, or one before the other mark."""
    group, other = re.escape(mark), re.escape(_OTHER[mark])
    return rf"^[+-]?[1-9]\d{{0,2}}(?:(?:{group}\d{{3}}){{2,}}(?:{other}\d*)?|{group}\d{{3}}{other}\d*)$"
