"""The rows of a large file dealt out by recording, into temporary files of some recordings each.

Rows of one recording may stand anywhere in a file, among those of hundreds of others. Each file has
all rows of its recordings in the order in which they stand, and is read as a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from faultxfer.reading.by_time import UnevenError, lines_of, stretches_of_one, text_of
from faultxfer.reading.parts import PARQUET, Part

# More files than this are not held open.
_MOST = 256


def names_of_recordings(keys: Sequence[pd.Series]) -> pd.Series:
    """(n,) one name for the recording of each row.

    Args:
        keys: (n,) each, of the machine and the run, or of one of them.
    """
    first, *others = (key.reset_index(drop=True).astype(str) for key in keys)
    for key in others:
        first = first + "\n" + key  # which no name has
    return first


class Recordings:
    """Files of recordings, to which the rows of a file are dealt out part by part.

    Args:
        folder: for these files.
        suffix: of the file, which says how its parts are written.
        head: lines at the head of the file, which each of these files has too.
        files: how many files there are to be, about.
    """

    def __init__(self, folder: Path, suffix: str, head: int, files: int) -> None:
        self._folder, self._head, self._files = folder, head, min(max(files, 1), _MOST)
        self._parquet = suffix.lower() == PARQUET
        self._known: dict[str, int] = {}
        self._writers: dict[int, pq.ParquetWriter] = {}
        self._blank: list[np.ndarray] = []

    def deal(self, part: Part, rows: np.ndarray, names: pd.Series) -> None:
        """Deal out the rows of the next part, and remove it.

        Args:
            part: which shows no rows around its own.
            rows: (n,) ascending numbers of the lines of it that are rows.
            names: (n,) of the recording of each.

        Raises:
            UnevenError: a row is not one line.
        """
        number, known = pd.factorize(names)
        # In turn, so that no file has many more of them than another.
        of_name = [self._known.setdefault(str(name), len(self._known)) for name in known]
        file = (np.array(of_name, dtype=np.int64) % self._files)[number]
        order = np.argsort(file, kind="stable")
        file, lines = file[order], part.placed(rows[order])
        sorted_rows = self._rows_of(part, rows, order)
        part.path.unlink()
        for begin, end in stretches_of_one(file):
            self._append(int(file[begin]), sorted_rows.slice(begin, end - begin))
            with self._lines(int(file[begin])).open("ab") as kept:
                kept.write(lines[begin:end].astype(np.int64).tobytes())

    def _rows_of(self, part: Part, rows: np.ndarray, order: np.ndarray) -> pa.Table | pa.Array:
        """The rows of a part in some order."""
        if self._parquet:
            table = pq.read_table(part.path)
            if len(table) != len(rows):
                raise UnevenError
            return table.take(pa.array(order))
        text = part.path.read_bytes()
        lines = lines_of(text)
        is_row = np.zeros(len(lines), dtype=bool)
        is_row[: self._head] = True
        is_row[rows - 1] = True
        others = np.flatnonzero(~is_row)
        if len(others):
            if text_of(lines.take(pa.array(others))).strip():
                raise UnevenError
            self._blank.append(part.placed(others + 1))
        header = self._folder / "header"
        if not header.exists():
            header.write_bytes(text_of(lines.slice(0, self._head)))
        return lines.take(pa.array(rows[order] - 1))

    def _append(self, number: int, rows: pa.Table | pa.Array) -> None:
        path = self._path(number)
        if isinstance(rows, pa.Table):
            if number not in self._writers:
                self._writers[number] = pq.ParquetWriter(
                    path, rows.schema, compression="none", use_dictionary=False
                )
            self._writers[number].write_table(rows)
            return
        if not path.exists():
            path.write_bytes((self._folder / "header").read_bytes())
        with path.open("ab") as kept:
            kept.write(text_of(rows))

    def _path(self, number: int) -> Path:
        return self._folder / f"recordings-{number}{PARQUET if self._parquet else '.csv'}"

    def _lines(self, number: int) -> Path:
        return self._folder / f"recordings-{number}-lines"

    def close(self) -> None:
        """Have all rows on the disk."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def row_of(self, lines: np.ndarray) -> np.ndarray:
        """(n,) how many rows stand before some rows of the file, given by their lines."""
        blank = np.concatenate(self._blank) if self._blank else np.empty(0, dtype=np.int64)
        rows: np.ndarray = lines - self._head - 1 - np.searchsorted(blank, lines)
        return rows

    def parts(self, most: int) -> Iterator[Part]:
        """The files, each as a part that shows nothing but its own.

        Args:
            most: bytes that one may have; of Parquet, rows.

        Raises:
            UnevenError: one has more.
        """
        self.close()
        for number in range(self._files):
            path, kept = self._path(number), self._lines(number)
            if not kept.exists():
                continue
            own = np.fromfile(kept, dtype=np.int64)
            if (len(own) if self._parquet else path.stat().st_size) > most:
                raise UnevenError
            lines = np.concatenate([np.arange(self._head + 1), own])
            yield Part(path, self._head, self._head + len(own), 0, lines)
