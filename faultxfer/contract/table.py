"""The table as read, before any check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from faultxfer.contract.cells import missing_cells, numbers
from faultxfer.contract.dialect import Dialect
from faultxfer.contract.times import Times, read_times

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class RawTable:
    """Rows of one file as text.

    Attributes:
        file: name shown in findings.
        frame: every cell as text, index 0 … n-1.
        lines: (n,) line number of each row in the file; the header is line 1.
        sha256: digest of the file's bytes.
        dialect: how the cells are written.
    """

    file: str
    frame: pd.DataFrame
    lines: np.ndarray
    sha256: str
    dialect: Dialect = field(default_factory=Dialect)

    def missing(self, name: str) -> pd.Series:
        """Whether each cell of a column is blank or a spelling of a missing value."""
        return missing_cells(self.frame[name], self.dialect)

    def numbers(self, name: str) -> pd.Series:
        """A column as float64; NaN where a cell is missing or no finite number of the file's dialect.

        Raises:
            DataError: the file does not tell what its decimal mark is.
        """
        return numbers(self.frame[name], self.dialect, where=self._where(name))

    def times(self, name: str) -> Times:
        """A column as times, and how they are written.

        Raises:
            DataError: the column can be read in more than one way, as 03/04/2026 can.
        """
        return read_times(self.frame[name], self.dialect, where=self._where(name))

    def _where(self, name: str) -> str:
        return f"{self.file}, column {name!r}"
