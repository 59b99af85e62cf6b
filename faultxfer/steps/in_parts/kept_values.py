"""Values of accepted rows that rules look at again once all parts are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.contract.measured import every_so_many
from faultxfer.contract.rules.protocol import TableRows, keys_of
from faultxfer.contract.schema import Contract
from faultxfer.reading import columns
from faultxfer.steps.in_parts.back_in_order import BackInOrder
from faultxfer.steps.in_parts.sight import NotByPartsError

# Rows that are brought into order at once, about.
_TOGETHER = 16_384


class KeptValues:
    """Values of the accepted rows of a file that is only checked, in a temporary file.

    Args:
        contract: says which sensors there are.
        folder: for the file.
        dealt_out: whether rows come from all over the file, part by part.

    Attributes:
        rows: how many there are.
        timed: whether each has a time.
    """

    def __init__(self, contract: Contract, folder: Path, *, dealt_out: bool) -> None:
        self.rows, self.timed = 0, True
        self._contract, self._path = contract, folder / "values.arrow"
        self._writer: pa.RecordBatchFileWriter | None = None
        self._dealt = BackInOrder(folder, "values", columns.ROW) if dealt_out else None
        # By column, the first row of each name, by its number.
        self._first: dict[str, dict[int, int]] = {}
        # By column, a number for each name; keys of the readings of normal and of fault rows.
        self._numbers: dict[str, dict[str, int]] = {}
        self._keys: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        self._limits: np.ndarray | None = None

    def add(self, rows: TableRows, accepted: pd.DataFrame) -> None:
        """Take the rows of another part, and the same with their names."""
        if not len(rows):
            return
        machine = self._numbered(accepted, columns.EQUIPMENT)
        run = self._numbered(accepted, columns.RUN)
        if rows.fault is not None:
            key = keys_of([machine, *rows.values.values()])
            self._keys[0].append(key[~rows.fault])
            self._keys[1].append(key[rows.fault])
        self.timed &= rows.seconds is not None
        nothing = np.zeros(len(rows))
        arrays = [
            *rows.values.values(),
            nothing if rows.fault is None else rows.fault.astype(np.float64),
            machine.astype(np.float64),
            run.astype(np.float64),
            nothing if rows.seconds is None else rows.seconds,
        ]
        self.rows += len(rows)
        named = {str(number): values for number, values in enumerate(arrays)}
        if self._dealt is not None:
            self._dealt.add(pd.DataFrame(named | {columns.ROW: accepted[columns.ROW].to_numpy()}))
            return
        batch = pa.record_batch(named)
        if self._writer is None:
            self._writer = pa.ipc.new_file(str(self._path), batch.schema)
        self._writer.write_batch(batch)

    def _numbered(self, accepted: pd.DataFrame, column: str) -> np.ndarray:
        """(n,) a number for each name, in order of appearance."""
        numbers = self._numbers.setdefault(column, {})
        own, names = pd.factorize(accepted[column])
        known = [numbers.setdefault(str(name), len(numbers)) for name in names]
        first = self._first.setdefault(column, {})
        rows = accepted[columns.ROW].to_numpy()[np.unique(own, return_index=True)[1]]
        for number, row in zip(known, rows.tolist(), strict=True):
            first[number] = min(row, first.get(number, row))
        found: np.ndarray = np.array(known, dtype=np.int64)[own]
        return found

    def _as_in_file(self, numbers: np.ndarray, column: str) -> np.ndarray:
        """(n,) the same numbers by order of appearance in the file."""
        first = self._first[column]
        place = np.argsort(np.argsort([first[number] for number in range(len(first))]))
        found: np.ndarray = place[numbers.astype(np.int64)]
        return found

    def add_limits(self, limits: np.ndarray) -> None:
        """Take (2, 2, k) of each class and sensor the lowest and the highest value of a part."""
        if self._limits is not None:
            low, high = self._limits[:, 0], self._limits[:, 1]
            limits = np.stack([np.fmin(low, limits[:, 0]), np.fmax(high, limits[:, 1])], axis=1)
        self._limits = limits

    @property
    def labelled(self) -> tuple[int, int]:
        """How many rows are normal and how many faults; 0 and 0 without labels."""
        normal, fault = (sum(map(len, keys)) for keys in self._keys)
        return normal, fault

    def require_labels(self) -> None:
        """No readings have both labels, and no sensor has one value in each class.

        Raises:
            NotByPartsError: some have.
        """
        normal, fault = (np.concatenate(keys) if keys else np.empty(0) for keys in self._keys)
        if not len(normal) or not len(fault):
            return
        if len(np.intersect1d(normal, fault)) or self._limits is None:
            raise NotByPartsError
        low, high = self._limits[:, 0], self._limits[:, 1]
        if ((low == high).all(axis=0) & (low[0] != low[1])).any():
            raise NotByPartsError

    def close(self) -> None:
        """Have all that was written on the disk."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def some(self) -> TableRows:
        """Evenly some of the rows, from all over the file.

        Raises:
            NotByPartsError: there are none.
        """
        if not self.rows:
            raise NotByPartsError
        every, passed = every_so_many(self.rows), 0
        picked = []
        for batch in self._batches():
            places = np.arange(-passed % every, batch.num_rows, every)
            picked.append(np.array([column.to_numpy()[places] for column in batch.columns]))
            passed += batch.num_rows
        *values, fault, machine, run, seconds = np.concatenate(picked, axis=1)
        return TableRows(
            self._contract,
            dict(zip(self._contract.features, values, strict=True)),
            fault.astype(bool) if any(self.labelled) else None,
            self._as_in_file(machine, columns.EQUIPMENT),
            self._as_in_file(run, columns.RUN),
            seconds if self.timed else None,
            np.arange(len(machine)) * every,
        )

    def _batches(self) -> Iterator[pa.RecordBatch | pa.Table]:
        """All values in the order of the file."""
        self.close()
        if self._dealt is not None:
            for rows in self._dealt.parts(_TOGETHER):
                yield rows.drop_columns([columns.ROW])
            return
        with pa.OSFile(str(self._path)) as file:
            reader = pa.ipc.open_file(file)
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)
