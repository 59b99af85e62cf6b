"""Rows that a caller gives as a data frame, as if they had been read from a file.

Numbers stay as they are. Text is read by what the contract pins for files, so that the rows of a
file mean the same, whoever took them out of it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from faultxfer.reading import time_parts, written_units
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.decimal_marks import any_mark, find_decimal_marks
from faultxfer.reading.dialect import Dialect
from faultxfer.reading.table import RawTable
from faultxfer.reading.text import unique_names

_FILE = "the rows"
# What pandas calls columns of objects that are all numbers or missing.
_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal", "empty")
# Larger numbers are not whole to the last digit as floats.
_WHOLE = 2.0**53


def table_of(frame: pd.DataFrame, options: Csv, numeric: frozenset[str]) -> RawTable:
    """The rows as text cells, and as numbers where a whole column holds them.

    Args:
        frame: the rows; its index does not count. Missing is None, NaN, or text as in a file.
        options: what the contract says of the way text is written; the rest is detected.
        numeric: columns that should hold numbers.

    Raises:
        DataError: two columns have one name, or ``csv.time_parts`` names one that is missing.
    """
    frame = frame.set_axis(unique_names(_FILE, list(map(str, frame.columns))), axis="columns")
    frame = frame.reset_index(drop=True)
    typed = _typed(frame, numeric)
    others = [name for name in map(str, frame) if name not in typed]
    text = {name: _strings(frame[name]) for name in others}
    strings, units = written_units.without_units(_as_text(text, len(frame)), numeric)
    dialect = _dialect(strings[[name for name in strings if name in numeric]], options)
    cells = {name: _merged(strings[name], frame[name], dialect) for name in text}
    table = RawTable(
        _FILE,
        _as_text(cells, len(frame)),
        np.arange(len(frame)) + 1,
        "",
        dialect,
        header=tuple(map(str, frame)),
        typed=typed,
        reread=_Cells(frame, dialect),
        units=units,
    )
    return time_parts.joined(table, options.time_parts)


class _Cells:
    """Rows as text, in all columns, for those who want to see them."""

    def __init__(self, frame: pd.DataFrame, dialect: Dialect) -> None:
        self.frame, self.dialect = frame, dialect

    def __call__(self, rows: np.ndarray) -> pd.DataFrame:
        some = self.frame.iloc[rows]
        cells = {name: _merged(_strings(some[name]), some[name], self.dialect) for name in some}
        return pd.DataFrame(cells, index=some.index, dtype="str")


def _typed(frame: pd.DataFrame, numeric: frozenset[str]) -> dict[str, np.ndarray]:
    """By name, the columns that should hold numbers and do."""
    found = {str(name): _floats(frame[name]) for name in frame if name in numeric}
    return {name: values for name, values in found.items() if values is not None}


def _floats(column: pd.Series) -> np.ndarray | None:
    """(n,) float64, NaN where missing; None where a cell is no finite number."""
    # What has a type of its own needs no look at each cell: single rows wait for this.
    has_type = column.dtype.kind in "fiu"
    if not has_type and pd.api.types.infer_dtype(column, skipna=True) not in _NUMBERS:
        return None
    values: np.ndarray = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return None if np.isinf(values).any() else values


def _strings(column: pd.Series) -> pd.Series:
    """Cells that are text as they are, the others empty."""
    if _is_all_text(column):
        return column.astype("str")
    return column.where(_is_text(column), "").astype("str")


def _is_all_text(column: pd.Series) -> bool:
    return not column.hasnans and pd.api.types.infer_dtype(column, skipna=False) == "string"


def _is_text(column: pd.Series) -> pd.Series:
    return column.map(lambda cell: isinstance(cell, str)).astype(bool)


def _merged(strings: pd.Series, column: pd.Series, dialect: Dialect) -> pd.Series:
    """The text, and beside it all other cells as text with the same decimal mark."""
    if _is_all_text(column):
        return strings.astype("str")
    shown = column.map(lambda cell: _shown(cell, dialect.decimal or "."))
    return strings.where(_is_text(column), shown).astype("str")


def _shown(cell: object, decimal: str) -> str:
    """What would stand in a file.

    >>> _shown(3.0, ","), _shown(1.5, ","), _shown(True, ","), _shown(None, ",")
    ('3', '1,5', 'True', '')
    """
    if cell is None or cell is pd.NA or cell is pd.NaT or cell != cell:
        return ""
    if not isinstance(cell, float):
        return str(cell)
    if cell.is_integer() and abs(cell) < _WHOLE:
        return str(int(cell))
    return repr(float(cell)).replace(".", decimal)


def _dialect(strings: pd.DataFrame, options: Csv) -> Dialect:
    """How numbers that stand as text are written; status words alone show no mark."""
    marks = find_decimal_marks(
        strings,
        decimal=options.decimal,
        thousands=options.thousands,
        plain_commas=not any_mark(strings),
    )
    return Dialect(
        encoding="rows",
        decimal=marks.decimal,
        thousands=marks.thousands,
        missing=options.spellings,
        times=options.times,
    )


def _as_text(cells: dict[str, pd.Series], rows: int) -> pd.DataFrame:
    return pd.DataFrame(cells, index=pd.RangeIndex(rows), dtype="str")
