"""Which rows are used: those of the operating modes asked for, with a label that teaches.

Rows that are left out here are no mistakes. They are counted and not set aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from faultxfer.contract.schema import Label
from faultxfer.reading.table import RawTable

# How many values a message lists.
_SHOWN = 5


def as_spelt(cells: pd.Series, spellings: Iterable[str]) -> pd.Series:
    """Cells under the contract's spelling; 3, 3.0 and 03 are one where the column is numeric.

    >>> as_spelt(pd.Series(["3.0", "4", "?"]), ["3", "?"]).tolist()
    ['3', '4', '?']

    Args:
        cells: (n,) text without spaces around it.
        spellings: of the contract. A column is numeric if every other filled cell is a number.
    """
    known = list(spellings)
    others = [cell for cell in cells.unique() if cell and cell not in known]
    numbers = [_number(cell) for cell in others]
    if not others or None in numbers:
        return cells
    meant = {_number(text): text for text in reversed(known)}
    pairs = zip(others, numbers, strict=True)
    return cells.replace({cell: meant[number] for cell, number in pairs if number in meant})


def _spelt(table: RawTable, column: str, spellings: Iterable[str]) -> pd.Series:
    """A column under the contract's spelling; a cell without a value is empty."""
    known = list(spellings)
    cells = table.stripped(column)
    if cells.isin(known).all():
        return cells
    return as_spelt(cells.mask(table.missing(column) & ~cells.isin(known), ""), known)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


# Rows outside `where`


def holds(table: RawTable, values: Mapping[str, tuple[str, ...]]) -> np.ndarray:
    """(n,) bool: rows that have one of the values in each of the columns."""
    held = np.ones(len(table), dtype=bool)
    for column, allowed in values.items():
        held &= _spelt(table, column, allowed).isin(allowed).to_numpy(dtype=bool)
    return held


def first_breach(table: RawTable, values: Mapping[str, tuple[str, ...]]) -> np.ndarray:
    """(n,) text: the first column whose value is not asked for, with it; empty where all are.

    >>> cells = pd.DataFrame({"mode": ["RUN", "IDLE"]}, dtype="str")
    >>> first_breach(RawTable("a.csv", cells, np.array([2, 3]), ""), {"mode": ("RUN",)}).tolist()
    ['', 'mode is IDLE']
    """
    why = np.full(len(table), "", dtype=object)
    for column, allowed in values.items():
        cells = table.stripped(column)
        fails = ~holds(table, {column: allowed}) & (why == "")
        why[fails] = [f"{column} is {cell or 'blank'}" for cell in cells[fails]]
    return why


def common_values(cells: pd.Series) -> str:
    """The most frequent values with their counts, for a message.

    >>> common_values(pd.Series(["RUN", "RUN", ""]))
    "'RUN' (2 rows), '' (1 row)"
    """
    counts = cells.value_counts(sort=False).sort_values(ascending=False, kind="stable")
    return counted_values({str(value): int(rows) for value, rows in counts.items()})


def counted_values(counts: Mapping[str, int]) -> str:
    """The same of values and their counts, the most frequent first."""
    shown = [f"{value!r} ({_rows(rows)})" for value, rows in list(counts.items())[:_SHOWN]]
    more = [f"{len(counts) - _SHOWN} other values"] if len(counts) > _SHOWN else []
    return ", ".join([*shown, *more])


def spellings_in(table: RawTable, values: Mapping[str, Iterable[str]]) -> dict[str, dict[str, str]]:
    """By column of those asked for, its different cells and how they are spelt in the contract."""
    found = {}
    for column, spellings in values.items():
        if column in table.names:
            known = list(spellings)
            cells = table.stripped(column)
            filled = cells.mask(table.missing(column) & ~cells.isin(known), "").unique()
            spelt = as_spelt(pd.Series(filled, dtype="str"), known)
            found[column] = dict(zip(map(str, filled), map(str, spelt), strict=True))
    return found


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


# Labels


@dataclass(frozen=True)
class LabelCells:
    """The label column as the contract understands it.

    Attributes:
        spelt: (n,) the cell under the contract's spelling; a blank one under a spelling of what
            ``blank`` makes of it, where that is normal or fault.
        unknown, exclude: (n,) bool, rows that teach nothing and judge nothing.
        kind: (n,) text, the type of fault, empty for other rows; None without types.
    """

    spelt: pd.Series
    unknown: np.ndarray
    exclude: np.ndarray
    kind: pd.Series | None

    def of(self, texts: Iterable[str]) -> np.ndarray:
        """(n,) bool: whether each cell is one of these."""
        return _is_one_of(self._numbered, texts)

    @cached_property
    def _numbered(self) -> _Numbered:
        return _numbered(self.spelt)


class _Numbered(NamedTuple):
    """(n,) the number of each cell among the different ones, and these."""

    numbers: np.ndarray
    texts: list[str]


def _numbered(cells: pd.Series) -> _Numbered:
    numbers, texts = pd.factorize(cells)
    return _Numbered(numbers, list(texts))


def label_cells(table: RawTable, label: Label) -> LabelCells:
    """Read the label column."""
    classes = label.classes
    known = [text for spellings in classes.values() for text in spellings]
    spelt = _spelt(table, label.column, known)
    numbered = _numbered(spelt)
    found = {name: _is_one_of(numbered, texts) for name, texts in classes.items()}
    if label.blank is not None:
        blank = spelt.eq("").to_numpy(dtype=bool) & ~found[label.blank]
        found[label.blank] = found[label.blank] | blank
        if label.blank in ("normal", "fault"):
            spelt = spelt.mask(blank, classes[label.blank][0])
    return LabelCells(spelt, found["unknown"], found["exclude"], _kind(spelt, label))


def _is_one_of(cells: _Numbered, texts: Iterable[str]) -> np.ndarray:
    wanted = set(texts)
    # The last one stands for a missing cell, whose number is -1.
    asked = np.array([*(text in wanted for text in cells.texts), False])
    found: np.ndarray = asked[cells.numbers]
    return found


def _kind(spelt: pd.Series, label: Label) -> pd.Series | None:
    types = label.types
    if not types:
        return None
    return spelt.map({text: types.get(text, "") for text in spelt.unique()}).astype("str")
