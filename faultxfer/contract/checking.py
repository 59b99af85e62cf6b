"""What is known of one table while it is checked; each step of the check adds to it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from faultxfer.contract import machines
from faultxfer.contract.expectations import Validation
from faultxfer.contract.notes import Notes
from faultxfer.contract.rules.protocol import TableRows
from faultxfer.contract.schema import Contract
from faultxfer.contract.selection import LabelCells
from faultxfer.reading.table import RawTable


class State:
    """The table, what it is checked against, and what was found so far."""

    def __init__(
        self,
        table: RawTable,
        contract: Contract,
        labelled: bool | None,
        equipment: str | None,
        fills: frozenset[str],
        *,
        without: frozenset[str] = frozenset(),
        lacks: frozenset[str] = frozenset(),
        of_a_file: bool = True,
        of_a_part: bool = False,
        copies: np.ndarray | None = None,
    ) -> None:
        self.contract, self.equipment, self.fills = contract, equipment, fills
        self.without, self.lacks = without, lacks
        # A model that scores needs a value of every sensor, measured or filled in.
        self.scoring = labelled is False
        # By sensor, (n,) bool: rows of machines that do not have it.
        self.lacking: dict[str, np.ndarray] = {}
        # Sensors that the file has no reading of and the model at hand fills in, in every row.
        self.gone: frozenset[str] = frozenset()
        self.of_a_file, self.of_a_part, self.copies = of_a_file, of_a_part, copies
        self.table = machines.translated(table, contract, equipment)
        self.labelled = contract.label.column in self.table.names if labelled is None else labelled
        self.notes = Notes(self.table)
        # Rows of the machine asked for, and those of them that are used.
        self.asked: np.ndarray
        self.mine: np.ndarray
        self.outside: np.ndarray
        self.labels: LabelCells | None = None
        self.unused: dict[str, int] = {}
        # By sensor, (n,) float64 in the contract's unit, and (n,) bool: values that are held.
        self.values: dict[str, np.ndarray] = {}
        self.held: dict[str, np.ndarray] = {}
        # (n,) float64 and (n,) bool.
        self.seconds: np.ndarray | None = None
        self.fault: np.ndarray | None = None
        self.validation: Validation | None = None

    @property
    def has_rows(self) -> bool:
        """Whether there are rows to look at: the table is not refused, and some are used.

        Of a part, those outside `where` suffice: the rules of the clock see them too.
        """
        if self.notes.refused:
            return False
        return bool((self.mine | self.outside if self.of_a_part else self.mine).any())

    def key(self, column: str | None) -> pd.Series | None:
        """A column of names, where the contract has it and the file too."""
        if column is None or column not in self.table.names:
            return None
        return self.table.stripped(column)

    def every(self) -> TableRows:
        """All rows of the file."""
        return TableRows(
            self.contract,
            values=dict(self.values),
            fault=self.fault,
            machine=self._numbered(self.contract.equipment_column),
            run=self._numbered(self.contract.run_column),
            seconds=self.seconds,
            place=np.arange(len(self.table)),
            held=self.held,
            copies=self.copies,
        )

    def _numbered(self, column: str | None) -> np.ndarray:
        """(n,) a number for each name in a key column, in order of appearance; 0 without it."""
        names = self.key(column)
        if names is None:
            return np.zeros(len(self.table), dtype=np.int64)
        numbers, _ = pd.factorize(names)
        return numbers
