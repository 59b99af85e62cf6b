"""The file of accepted rows, read a part at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.contract.schema import Contract
from faultxfer.reading import columns

# Rows of a part: enough for whatever costs the same for each part, and few enough that parts in the
# hands of several threads take little memory.
PART_ROWS = 16_384


class AcceptedRows:
    """Rows that passed the check, in the order of the files and of their rows.

    Args:
        path: Arrow file. It is read and not mapped: mapped memory counts as that of the process.
        part_rows: rows of a part.
        completed: whether any reading was filled in; else nothing is said of that.
    """

    def __init__(self, path: Path, part_rows: int = PART_ROWS, *, completed: bool = True) -> None:
        self.path, self._part_rows = path, part_rows
        self._left_out = [] if completed else [columns.IMPUTED]
        with self._opened() as file:
            self.columns = tuple(name for name in file.schema.names if name not in self._left_out)
        # Where each batch of the file ends, as far as they were read.
        self._ends: list[int] = []

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else sum(map(len, self.parts()))

    def parts(self, names: Collection[str] | None = None) -> Iterator[pd.DataFrame]:
        """All rows, some at a time; one part without rows where there are none.

        Args:
            names: of columns that are read, as far as there are such; all if left out.
        """
        self._ends = []
        with self._opened(names) as file:
            for number in range(file.num_record_batches):
                batch = file.get_batch(number)
                before = self._ends[-1] if number else 0
                self._ends.append(before + batch.num_rows)
                for start in range(0, batch.num_rows, self._part_rows):
                    yield self._frame(batch.slice(start, self._part_rows))
            if not self._ends or not self._ends[-1]:
                yield self._frame(file.schema.empty_table())

    def take(self, places: np.ndarray) -> pd.DataFrame:
        """The rows at some places, in this order."""
        order = np.argsort(places, kind="stable")
        wanted = places[order]
        of_batch = np.searchsorted(np.array(self._ends), wanted, side="right")
        parts = []
        with self._opened() as file:
            for number in np.unique(of_batch).tolist():
                begin = self._ends[number - 1] if number else 0
                own = pa.array(wanted[of_batch == number] - begin)
                parts.append(self._frame(file.get_batch(number).take(own)))
            if not parts:
                return self._frame(file.schema.empty_table())
        found = pd.concat(parts, ignore_index=True)
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return found.iloc[back].reset_index(drop=True)

    def _frame(self, rows: pa.RecordBatch | pa.Table) -> pd.DataFrame:
        frame: pd.DataFrame = rows.to_pandas()
        return frame.drop(columns=self._left_out, errors="ignore")

    @contextmanager
    def _opened(self, names: Collection[str] | None = None) -> Iterator[pa.RecordBatchFileReader]:
        with pa.OSFile(str(self.path)) as stored, pa.ipc.open_file(stored) as file:
            if names is None:
                yield file
                return
            places = [place for place, name in enumerate(file.schema.names) if name in names]
            some = pa.ipc.IpcReadOptions(included_fields=places)
            with pa.ipc.open_file(stored, options=some) as narrow:
                yield narrow


class RowsBetween:
    """Rows that stand between accepted ones, handed out as these go by.

    Args:
        path: Arrow file of them, in the same order; None where there are none.
        files: names of all files that were read, in their order.
    """

    def __init__(self, path: Path | None, files: list[str]) -> None:
        self.there, self.handed_out = path is not None, 0
        self._place = {name: place for place, name in enumerate(files)}
        self._parts = iter(()) if path is None else AcceptedRows(path).parts()
        self._ahead = next(self._parts, None)

    def up_to(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Those before the last of some accepted rows that were not handed out yet."""
        return self._until(self.keys(rows.iloc[-1:])[0]) if len(rows) else pd.DataFrame()

    def rest(self) -> pd.DataFrame:
        """Those behind all accepted rows."""
        return self._until(np.inf)

    def keys(self, rows: pd.DataFrame) -> np.ndarray:
        """(n,) numbers in the order of files and rows."""
        file = rows[columns.FILE].map(self._place).to_numpy(dtype=np.float64)
        # Beyond any number of rows, and exact.
        return np.asarray(file * 2.0**40 + rows[columns.ROW].to_numpy(dtype=np.float64))

    def _until(self, key: float) -> pd.DataFrame:
        found = []
        while self._ahead is not None:
            before = int(np.searchsorted(self.keys(self._ahead), key))
            found.append(self._ahead.iloc[:before])
            if before < len(self._ahead):
                self._ahead = self._ahead.iloc[before:]
                break
            self._ahead = next(self._parts, None)
        self.handed_out += sum(map(len, found))
        return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def filled_rows(accepted: pd.DataFrame, contract: Contract) -> np.ndarray:
    """(n,) bool: rows of which readings were missing that their machine has."""
    filled, machines = (accepted[name].astype(str) for name in (columns.IMPUTED, columns.EQUIPMENT))
    lacked = {name: columns.BETWEEN.join(contract.lacking(name)) for name in machines.unique()}
    return np.asarray(filled.ne("") & filled.ne(machines.map(lacked)))
