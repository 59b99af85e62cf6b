"""Rows that lie in several files, each in order, read as one file in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# Rows of each file that wait in memory.
_ROWS = 4_096


class BackInOrder:
    """Rows kept in temporary files until they can be brought into one order.

    Args:
        folder: for these files.
        name: begins their names.
        key: column of whole numbers that gives the order.
    """

    def __init__(self, folder: Path, name: str, key: str) -> None:
        self._folder, self._name, self._key = folder, name, key
        self._files: list[Path] = []
        self._schema: pa.Schema | None = None

    def add(self, rows: pd.DataFrame) -> None:
        """Keep further rows, which ascend by the key among themselves."""
        table = pa.Table.from_pandas(rows, schema=self._schema, preserve_index=False)
        self._schema = table.schema
        path = self._folder / f"{self._name}-{len(self._files)}.arrow"
        with pa.ipc.new_file(str(path), table.schema) as writer:
            writer.write_table(table.combine_chunks(), max_chunksize=_ROWS)
        self._files.append(path)

    def written(self, out: Path, least: int) -> Path | None:
        """An Arrow file of all rows in order; None where there are none."""
        if not self._files:
            return None
        with pa.ipc.new_file(str(out), self._schema) as writer:
            for rows in self.parts(least):
                writer.write_table(rows.combine_chunks())
        return out

    def parts(self, least: int) -> Iterator[pa.Table]:
        """All rows in order, so many at a time at least; the files are gone afterwards."""
        waiting: list[pa.Table] = []
        for rows in self._merged():
            waiting.append(rows)
            if sum(map(len, waiting)) >= least:
                yield pa.concat_tables(waiting)
                waiting = []
        if waiting:
            yield pa.concat_tables(waiting)

    def _merged(self) -> Iterator[pa.Table]:
        with ExitStack() as opened:
            files = [opened.enter_context(pa.OSFile(str(path))) for path in self._files]
            runs = [_Run(pa.ipc.open_file(file), self._key) for file in files]
            while ahead := [run for run in runs if run.ahead is not None]:
                bound = min(run.last for run in ahead)
                rows = pa.concat_tables(piece for run in ahead for piece in run.up_to(bound))
                yield rows.take(pc.sort_indices(rows, [(self._key, "ascending")]))
        for path in self._files:
            path.unlink()
        self._files = []


class _Run:
    """The rows of one file, of which some are in memory."""

    def __init__(self, file: pa.RecordBatchFileReader, key: str) -> None:
        self._batches = map(file.get_batch, range(file.num_record_batches))
        self._key = key
        self._go_on()

    def _go_on(self) -> None:
        batch = next((one for one in self._batches if one.num_rows), None)
        self.ahead = None if batch is None else pa.Table.from_batches([batch])
        self._keys = np.empty(0) if batch is None else batch[self._key].to_numpy()

    @property
    def last(self) -> int:
        """The key of the last row in memory."""
        return int(self._keys[-1])

    def up_to(self, bound: int) -> Iterator[pa.Table]:
        """The rows whose key is not above ``bound``, none of which is beyond those in memory."""
        if self.ahead is None:
            return
        count = int(np.searchsorted(self._keys, bound, side="right"))
        yield self.ahead.slice(0, count)
        self.ahead, self._keys = self.ahead.slice(count), self._keys[count:]
        if not len(self._keys):
            self._go_on()
