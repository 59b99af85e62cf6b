"""The table as read, before any check."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.errors import DataError
from faultxfer.reading.cells import booleans, missing_cells, numbers
from faultxfer.reading.dialect import Dialect
from faultxfer.reading.rows import TextRows
from faultxfer.reading.times import Times, clock_changes, either_time, read_times

# Rows by their places, all columns as text, as they stand in the file.
Reread = Callable[[np.ndarray], pd.DataFrame]


@dataclass(frozen=True)
class Remark:
    """Something to be said of a file, found while it was brought into the usual shape.

    Attributes:
        code: the finding code.
        message, remedy: for a plant engineer, one sentence each.
        column: the column of the file.
        count: how many readings.
        line: the first line concerned.
        file: its file, where the table was joined from several.
        lines: (count,) of all readings.
    """

    code: str
    message: str
    remedy: str
    column: str
    count: int
    line: int
    file: str | None = None
    lines: np.ndarray | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class RawTable:
    """Rows of one file: cells as text, and as numbers where a whole column could be read so.

    Attributes:
        file: name shown in findings; with folders before it where several files have one name.
        frame: cells as text, index 0 … n-1; without the columns in ``typed`` and those nobody asked
            for.
        lines: (n,) line number of each row in the file; the header is line 1.
        sha256: digest of the file's bytes.
        dialect: how the cells are written.
        header: all columns of the file; empty where ``frame`` has them all.
        typed: by column of the file, its (n,) float64 values; NaN where the cell is missing.
        reread: the text of all columns for some rows, where ``frame`` lacks some.
        tags: by column of the contract, the name it has in the file, where the two differ.
        units: by column of the file, the unit that it states: in a row below the header, or (n,)
            one for each cell, empty where a cell has none.
        descriptions: by column of the file, the words below its name that describe it.
        cell_lines: by column of the file, the (n,) line of each cell where cells of one row stand
            on several lines; 0 where there is no cell.
        sources: name and digest of each file that the rows were joined from; empty where they
            are of one file.
        row_sources: (n,) number of each row's file among ``sources``.
        cell_sources: by column, the (n,) number of each cell's file, where rows were joined.
        origins: by column, the (n,) place of the row whose cell counts in each row, where values
            are held.
        remarks: what was found while the file was brought into this shape.
        made_of: what the rows were made of, for people; empty where they are the file's own.
    """

    file: str
    frame: pd.DataFrame
    lines: np.ndarray
    sha256: str
    dialect: Dialect = field(default_factory=Dialect)
    header: tuple[str, ...] = ()
    typed: Mapping[str, np.ndarray] = field(default_factory=dict)
    reread: Reread | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str | pd.Series] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    cell_lines: Mapping[str, np.ndarray] = field(default_factory=dict)
    sources: tuple[tuple[str, str], ...] = ()
    row_sources: np.ndarray | None = None
    cell_sources: Mapping[str, np.ndarray] = field(default_factory=dict)
    origins: Mapping[str, np.ndarray] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    made_of: str = ""
    # Times are looked at twice, and reading a million of them takes a while.
    _times: dict[str, Times] = field(default_factory=dict, repr=False, compare=False)
    # So are gaps and names.
    _missing: dict[str, pd.Series] = field(default_factory=dict, repr=False, compare=False)
    _stripped: dict[str, pd.Series] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.lines)

    @cached_property
    def names(self) -> list[str]:
        """Columns, under the contract's names where the file has other tags."""
        contract_names = {tag: name for name, tag in self.tags.items()}
        return [contract_names.get(tag, tag) for tag in self.header or map(str, self.frame.columns)]

    def with_tags(self, tags: Mapping[str, str]) -> RawTable:
        """The same table with the contract's names for the file's tags."""
        return dataclasses.replace(self, tags=dict(tags))

    def with_blank(self, names: Iterable[str]) -> RawTable:
        """The same table with further columns, in which no row has a cell."""
        blank = pa.repeat(pa.scalar("", pa.large_string()), len(self))
        return self.with_text(dict.fromkeys(names, blank))

    def with_text(self, cells: Mapping[str, pa.Array]) -> RawTable:
        """The same table with (n,) text cells in some columns, new ones or in place of others.

        Args:
            cells: by column as the file calls it; of large strings.
        """
        if not cells:
            return self
        header = dict.fromkeys([*(self.header or map(str, self.frame.columns)), *cells])
        text = {name: pd.array(own, dtype="str") for name, own in cells.items()}
        return dataclasses.replace(
            self,
            frame=self.frame.assign(**text),
            header=tuple(header),
            typed={name: own for name, own in self.typed.items() if name not in cells},
            _missing={name: own for name, own in self._missing.items() if name not in cells},
            _stripped={name: own for name, own in self._stripped.items() if name not in cells},
        )

    def tag(self, name: str) -> str:
        """What a column is called in the file."""
        return self.tags.get(name, name)

    def lines_of(self, name: str, places: np.ndarray) -> np.ndarray:
        """The line of each of some cells of a column; that of the row where there is no cell."""
        own = self.cell_lines.get(self.tag(name))
        lines: np.ndarray = self.lines[places]
        if own is None:
            return lines
        there = own[self.origin_of(name, places)]
        return np.where(there > 0, there, lines)

    def held_from(self, name: str, origin: np.ndarray) -> RawTable:
        """The same table, with the (n,) places of the cells that count in a column."""
        return dataclasses.replace(self, origins={**self.origins, self.tag(name): origin})

    def origin_of(self, name: str, places: np.ndarray) -> np.ndarray:
        """The rows whose cells of a column count in some rows: earlier ones of held values."""
        origin = self.origins.get(self.tag(name))
        return places if origin is None else origin[places]

    def files_of(self, name: str | None, places: np.ndarray) -> np.ndarray:
        """The file of each of some cells of a column, as text; that of the row without ``name``.

        As with lines, a cell that is not there has the file of its row.
        """
        if self.row_sources is None:
            return np.full(len(places), self.file, dtype=object)
        files = np.array([file for file, _ in self.sources], dtype=object)
        numbers = self.row_sources[places]
        own = self.cell_sources.get(self.tag(name)) if name else None
        if name and own is not None:
            cells = self.origin_of(name, places)
            there = self.cell_lines[self.tag(name)][cells] > 0
            numbers = np.where(there, own[cells], numbers)
        found: np.ndarray = files[numbers]
        return found

    def stated_units(self, name: str) -> str | pd.Series | None:
        """The unit of a column, or of each of its (n,) cells, as the file says; None if not."""
        return self.units.get(self.tag(name))

    def cells(self, name: str, rows: np.ndarray | None = None) -> pd.Series:
        """A column as text, all of it or some rows."""
        tag = self.tag(name)
        if tag in self.typed:
            if rows is not None and isinstance(self.reread, TextRows):
                return self.reread.column(tag, rows)
            return self.rows(rows)[tag]
        column = self.frame[tag]
        return column if rows is None else column.iloc[rows]

    def stripped(self, name: str) -> pd.Series:
        """A column of names without spaces around them: two names never differ by these."""
        tag = self.tag(name)
        if tag not in self._stripped:
            self._stripped[tag] = self.cells(name).str.strip()
        return self._stripped[tag]

    def rows(self, rows: np.ndarray | None = None) -> pd.DataFrame:
        """Rows as they stand in the file, in all columns; all rows without ``rows``."""
        if self.reread is not None:
            return self.reread(np.arange(len(self)) if rows is None else rows)
        return self.frame if rows is None else self.frame.iloc[rows]

    def missing(self, name: str) -> pd.Series:
        """Whether each cell of a column is blank or a spelling of a missing value."""
        tag = self.tag(name)
        if tag in self.typed:
            return self.numbers(name).isna()
        if tag not in self._missing:
            self._missing[tag] = missing_cells(self.frame[tag], self.dialect)
        return self._missing[tag]

    def numbers(self, name: str) -> pd.Series:
        """A column as float64, as it is written; NaN where a cell is missing or no finite number.

        Raises:
            DataError: the file does not tell what its decimal mark is.
        """
        tag = self.tag(name)
        if tag in self.typed:
            return pd.Series(self.typed[tag], name=tag, copy=False)
        with self._placing(tag):
            return numbers(self.frame[tag], self.dialect, where=self._where(tag))

    def readings(self, name: str, *, boolean: bool = False) -> np.ndarray:
        """(n,) float64 of :meth:`numbers`, or of :meth:`booleans`.

        Raises:
            DataError: the file does not tell what its decimal mark is.
        """
        tag = self.tag(name)
        if boolean or tag not in self.typed:
            return (self.booleans(name) if boolean else self.numbers(name)).to_numpy()
        return self.typed[tag]

    def booleans(self, name: str) -> pd.Series:
        """A column of yes and no as 1.0 and 0.0; NaN where a cell is missing or says neither."""
        tag = self.tag(name)
        if tag in self.typed:
            values = self.numbers(name)
            return values.where(values.isin((0.0, 1.0)))
        return booleans(self.frame[tag], self.dialect)

    def times(self, name: str) -> Times:
        """A column as times, and how they are written.

        Raises:
            DataError: the column can be read in more than one way, as 03/04/2026 can.
        """
        tag = self.tag(name)
        if tag not in self._times:
            with self._placing(tag):
                self._times[tag] = read_times(self.frame[tag], self.dialect, where=self._where(tag))
        return self._times[tag]

    def clock_changes(self, name: str) -> pd.Series:
        """(n,) ``repeated``, ``skipped`` or empty: what a change of the clocks does to a time."""
        tag = self.tag(name)
        return clock_changes(self.frame[tag], self.dialect, where=self._where(tag))

    def either_time(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(n,) float64 earliest and latest time of each cell of a column; NaN where unreadable.

        Raises:
            DataError: the column can be read in more than one way.
        """
        tag = self.tag(name)
        with self._placing(tag):
            early, late = either_time(self.frame[tag], self.dialect, where=self._where(tag))
        return early.to_numpy(), late.to_numpy()

    @contextmanager
    def _placing(self, tag: str) -> Iterator[None]:
        """Add column and line to the error of a column that can be read in several ways."""
        try:
            yield
        except DataError as error:
            cells = error.received.get("cells")
            first = cells[0] if isinstance(cells, list) else None
            shown = (self.frame[tag].str.strip() == first).to_numpy()
            error.column, error.line = tag, int(self.lines[shown.argmax()])
            raise

    def _where(self, tag: str) -> str:
        return f"{self.file}, column {tag!r}"
