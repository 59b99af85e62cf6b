"""How many rows of a file repeat an earlier one, known by a number for each row kept in files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

_BITS = 6
# Numbers that wait in memory until they are written.
_WAITING = 1 << 20
_MIX = np.uint64(0x9E3779B97F4A7C15)


def key_of(columns: list[np.ndarray]) -> np.ndarray:
    """(n,) one number for each row, equal for equal rows and as good as never for others.

    Args:
        columns: of float64 or uint64, (n,) each; missing readings are equal.
    """
    key = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        bits = column
        if column.dtype != np.uint64:
            known = np.where(np.isnan(column), np.nan, column.astype(np.float64) + 0.0)
            bits = known.view(np.uint64)
        key = (key ^ bits) * _MIX
        key ^= key >> np.uint64(29)
    return key


class KeyCount:
    """Counts numbers that stand there again, in little memory for any number of them.

    Args:
        folder: for files.
        name: begins their names.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._waiting: list[np.ndarray] = []
        self._count = 0

    def add(self, keys: np.ndarray) -> None:
        """Take (n,) further ones."""
        self._waiting.append(keys)
        self._count += len(keys)
        if self._count >= _WAITING:
            self._write()

    def add_all(self, other: KeyCount) -> None:
        """Take all that another one has."""
        for keys in other._parts():
            self.add(keys)

    def repeated(self) -> int:
        """How many equal an earlier one."""
        if any(map(Path.exists, self._paths)):
            self._write()
        return sum(len(keys) - len(np.unique(keys)) for keys in self._parts())

    def _parts(self) -> Iterator[np.ndarray]:
        """All numbers, equal ones in one part where none is in a file yet, or all are."""
        if self._waiting:
            yield np.concatenate(self._waiting)
        for path in self._paths:
            if path.exists():
                yield np.fromfile(path, dtype=np.uint64)

    def _write(self) -> None:
        if not self._waiting:
            return
        keys = np.sort(np.concatenate(self._waiting))
        first = keys >> np.uint64(64 - _BITS)
        ends = np.searchsorted(first, np.arange((1 << _BITS) + 1, dtype=np.uint64))
        for number, path in enumerate(self._paths):
            own = keys[ends[number] : ends[number + 1]]
            if len(own):
                with path.open("ab") as file:
                    file.write(own.tobytes())
        self._waiting, self._count = [], 0

    @property
    def _paths(self) -> list[Path]:
        return [self._folder / f"{self._name}-{number}" for number in range(1 << _BITS)]


class Again:
    """Rows and moments of files, and how often each was seen to be there again.

    Args:
        folder: for files.
        name: begins their names.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.rows, self.times = (KeyCount(folder, f"{name}-{of}") for of in ("rows", "times"))
        self.copies = self.shared = 0

    @property
    def all_seen(self) -> bool:
        """Whether nothing is there again but what was seen to be."""
        return (self.rows.repeated(), self.times.repeated()) == (self.copies, self.shared)

    def add(self, other: Again) -> None:
        """Take what another file has."""
        self.rows.add_all(other.rows)
        self.times.add_all(other.times)
        self.copies += other.copies
        self.shared += other.shared
