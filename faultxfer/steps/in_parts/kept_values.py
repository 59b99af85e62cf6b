"""Values of accepted rows that rules look at again once all parts are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

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
            accepted[columns.LINE].to_numpy(dtype=np.float64),
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

    def _names(self, column: str) -> list[str]:
        """The names in a column, by their numbers."""
        return list(self._numbers.get(column, {}))

    def in_order_of(self, column: str) -> list[str]:
        """The names in a column, by order of appearance in the file."""
        first, names = self._first.get(column, {}), self._names(column)
        return [names[number] for number in sorted(first, key=first.__getitem__)]

    def numbers_as(self, numbers: np.ndarray, column: str, known: dict[str, int]) -> np.ndarray:
        """(n,) the numbers that known names have, for those that they have here."""
        own = np.array([known[name] for name in self._names(column)])
        found: np.ndarray = own[numbers.astype(np.int64)]
        return found

    def add_limits(self, limits: np.ndarray) -> None:
        """Take (2, 2, k) of each class and sensor the lowest and the highest value of a part."""
        self._limits = limits if self._limits is None else wider(self._limits, limits)

    @property
    def labelled(self) -> tuple[int, int]:
        """How many rows are normal and how many faults; 0 and 0 without labels."""
        normal, fault = (sum(map(len, keys)) for keys in self._keys)
        return normal, fault

    @property
    def limits(self) -> np.ndarray:
        """(2, 2, k) lowest and highest value of each class and sensor."""
        nothing = np.full((2, 2, len(self._contract.features)), np.nan)
        return nothing if self._limits is None else self._limits

    def require_labels(self) -> None:
        """No readings have both labels, and no sensor has one value in each class.

        Raises:
            NotByPartsError: some have.
        """
        require_labels(*self._keys, self._limits)

    def close(self) -> None:
        """Have all that was written on the disk."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def batches(self) -> Iterator[pa.RecordBatch | pa.Table]:
        """All values in the order of the file, and the line of each row last."""
        self.close()
        if self._dealt is not None:
            for rows in self._dealt.parts(_TOGETHER):
                yield rows.drop_columns([columns.ROW])
            return
        with pa.OSFile(str(self._path)) as file:
            reader = pa.ipc.open_file(file)
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)


def wider(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(2, 2, k) limits within which both lie."""
    low, high = np.fmin(one[:, 0], other[:, 0]), np.fmax(one[:, 1], other[:, 1])
    return np.stack([low, high], axis=1)


def require_labels(
    normal_keys: list[np.ndarray], fault_keys: list[np.ndarray], limits: np.ndarray | None
) -> None:
    """No readings have both labels, and no sensor has one value in each class.

    Args:
        normal_keys: one number for the readings of each normal row.
        fault_keys: the same of fault rows.
        limits: (2, 2, k) lowest and highest value of each class and sensor.

    Raises:
        NotByPartsError: some have.
    """
    normal, fault = (
        np.concatenate(keys) if keys else np.empty(0) for keys in (normal_keys, fault_keys)
    )
    if not len(normal) or not len(fault):
        return
    if len(np.intersect1d(normal, fault)) or limits is None:
        raise NotByPartsError
    low, high = limits[:, 0], limits[:, 1]
    if ((low == high).all(axis=0) & (low[0] != low[1])).any():
        raise NotByPartsError
