"""What cells the parts of a file have: how many hold a reading, and which machines and states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from faultxfer.contract.losses import any_absent
from faultxfer.contract.schema import Contract
from faultxfer.contract.selection import as_spelt
from faultxfer.contract.tallies import mostly
from faultxfer.contract.typed_cells import held_told
from faultxfer.findings import Finding
from faultxfer.reading.table import RawTable
from faultxfer.steps.in_parts.order import HELD
from faultxfer.steps.in_parts.said import PartSaid
from faultxfer.steps.in_parts.sight import NotByPartsError

# More different cells than this in a column of states are none.
_MOST_STATES = 10_000


class NoReadingsError(Exception):
    """A sensor has no reading in any row."""


class CellCounts:
    """Counts of cells over the parts so far.

    Args:
        contract: what they are checked against.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._rows_used = 0
        self._used, self._gaps, self._unread, self._held = (Counter[str]() for _ in range(4))
        self._read: set[str] = set()
        self._empty: set[tuple[str, str]] = set()
        self._filled: set[tuple[str, str]] = set()
        self._machines: set[str] = set()
        self._left: set[str] = set()
        self._states: dict[str, set[str]] = {}
        self._spellings: dict[str, dict[str, str]] = {}

    def add(self, said: PartSaid) -> None:
        """Take what the next part says.

        Raises:
            NotByPartsError: a column of states has too many of them.
        """
        self._rows_used += said.rows_used
        self._used.update(said.used)
        self._gaps.update(said.gaps)
        self._unread.update(said.unread)
        self._held.update(said.held)
        self._read |= said.read
        self._empty |= said.empty
        self._filled |= said.filled
        self._machines |= said.machines
        self._left |= said.left
        for column, cells in said.states.items():
            known = self._states.setdefault(column, set())
            known |= cells
            if len(known) > _MOST_STATES:
                raise NotByPartsError
        for column, spelt in said.spellings.items():
            self._spellings.setdefault(column, {}).update(spelt)

    @property
    def loses_a_machine(self) -> bool:
        """Whether a machine has rows and none that is accepted."""
        return not self._machines <= self._left

    def require_readings(self, missing: set[str]) -> None:
        """Of no sensor all cells are missing, of a machine's neither where that is told.

        Args:
            missing: sensors of which rows are told to have no reading.

        Raises:
            NoReadingsError: of one they are.
            NotByPartsError: of one they are in the rows of a machine.
        """
        if any(used and name not in self._read for name, used in self._used.items()):
            raise NoReadingsError
        if any(name in missing for name, _ in self._empty - self._filled):
            raise NotByPartsError

    def require_shares(self, *, of_missing: bool) -> None:
        """No more cells are missing or not read than a part may lack.

        Args:
            of_missing: whether there is a rule for missing ones.

        Raises:
            NotByPartsError: there are more.
        """
        for name, sensor in self._contract.sensors.items():
            used = self._used[name]
            share = (used - self._gaps[name]) / used if used and of_missing else 1.0
            if self._unread[name] > sensor.max_missing * used or share < mostly(sensor):
                raise NotByPartsError

    def require_states(self) -> None:
        """What a cell means in a part it means beside all others, and no state is absent.

        Raises:
            NotByPartsError: one means something else, or is.
        """
        for column, spelt in self._spellings.items():
            wanted = {**self._contract.where, **self._contract.running}[column]
            cells = as_spelt(pd.Series(list(spelt), dtype="str"), wanted)
            if cells.tolist() != list(spelt.values()):
                raise NotByPartsError
        if any_absent(self._states, self._contract):
            raise NotByPartsError

    def holding(self, table: RawTable) -> Iterator[Finding]:
        """Of which sensors values are held, and how many."""
        for name, sensor in self._contract.sensors.items():
            if count := self._held[name]:
                message, remedy = held_told(name, sensor, count / self._rows_used)
                severity, tag = self._contract.severity(HELD), table.tag(name)
                yield Finding(
                    HELD,
                    severity,
                    message,
                    file=table.file,
                    column=tag,
                    count=count,
                    remedy=remedy,
                )
