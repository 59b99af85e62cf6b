"""Values of the accepted rows of one file or several, which are looked at together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from faultxfer.contract.measured import every_so_many
from faultxfer.contract.rules.protocol import TableRows
from faultxfer.contract.schema import Contract
from faultxfer.reading import columns
from faultxfer.steps.in_parts.kept_values import KeptValues
from faultxfer.steps.in_parts.key_count import are_among
from faultxfer.steps.in_parts.sight import NotByPartsError


class ValuesOfAll:
    """Values of the accepted rows of files, one after the other.

    Args:
        files: the values of each.
        contract: says which sensors there are.
        without: by file, ascending lines of rows that are none of them.

    Attributes:
        rows: how many there are.
        timed: whether each has a time.
    """

    def __init__(
        self, files: Sequence[KeptValues], contract: Contract, without: Sequence[np.ndarray] = ()
    ) -> None:
        self._files, self._contract = files, contract
        self._without = without or [np.empty(0, dtype=np.int64)] * len(files)
        self.rows = sum(file.rows for file in files) - sum(map(len, self._without))
        self.timed = all(file.timed for file in files)
        self._known: dict[str, dict[str, int]] = {}
        for column in (columns.EQUIPMENT, columns.RUN):
            names = (name for file in files for name in file.in_order_of(column))
            self._known[column] = {name: number for number, name in enumerate(dict.fromkeys(names))}

    def batches(self) -> Iterator[np.ndarray]:
        """(k + 4, n) of n rows: their readings, label, machine, run and time."""
        for file, without in zip(self._files, self._without, strict=True):
            for batch in file.batches():
                *values, fault, machine, run, seconds, line = (
                    column.to_numpy() for column in batch.columns
                )
                machine = file.numbers_as(
                    machine, columns.EQUIPMENT, self._known[columns.EQUIPMENT]
                )
                run = file.numbers_as(run, columns.RUN, self._known[columns.RUN])
                rows = np.array([*values, fault, machine, run, seconds])
                yield rows[:, ~are_among(line.astype(np.int64), without)]

    def table(self, picked: np.ndarray) -> TableRows:
        """(k + 4, n) rows that were picked evenly."""
        *values, fault, machine, run, seconds = picked
        return TableRows(
            self._contract,
            dict(zip(self._contract.features, values, strict=True)),
            fault.astype(bool) if all(any(file.labelled) for file in self._files) else None,
            machine.astype(np.int64),
            run.astype(np.int64),
            seconds if self.timed else None,
            np.arange(len(machine)) * every_so_many(self.rows),
        )


class EvenlySome:
    """Evenly some of many rows, picked as they come.

    Args:
        rows: how many there are.
    """

    def __init__(self, rows: int) -> None:
        self._every, self._passed = every_so_many(rows), 0
        self._picked: list[np.ndarray] = []

    def add(self, rows: np.ndarray) -> None:
        """Take (k, n) further rows."""
        self._picked.append(rows[:, -self._passed % self._every :: self._every])
        self._passed += rows.shape[1]

    def picked(self) -> np.ndarray:
        """(k, m) of them."""
        return np.concatenate(self._picked, axis=1)


def some_of(files: Sequence[KeptValues], contract: Contract) -> TableRows:
    """Evenly some of the rows, from all over the files.

    Raises:
        NotByPartsError: there are none.
    """
    every = ValuesOfAll(files, contract)
    if not every.rows:
        raise NotByPartsError
    some = EvenlySome(every.rows)
    for rows in every.batches():
        some.add(rows)
    return every.table(some.picked())
