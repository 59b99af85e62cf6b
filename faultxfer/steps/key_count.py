"""How many rows of a file repeat an earlier one, known by a number for each row kept in files."""

from __future__ import annotations

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

    def repeated(self) -> int:
        """How many equal an earlier one."""
        self._write()
        found = 0
        for number in range(1 << _BITS):
            path = self._path(number)
            if path.exists():
                keys = np.fromfile(path, dtype=np.uint64)
                found += len(keys) - len(np.unique(keys))
                path.unlink()
        return found

    def _write(self) -> None:
        if not self._waiting:
            return
        keys = np.sort(np.concatenate(self._waiting))
        first = keys >> np.uint64(64 - _BITS)
        ends = np.searchsorted(first, np.arange((1 << _BITS) + 1, dtype=np.uint64))
        for number in range(1 << _BITS):
            own = keys[ends[number] : ends[number + 1]]
            if len(own):
                with self._path(number).open("ab") as file:
                    own.tofile(file)
        self._waiting, self._count = [], 0

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._name}-{number}"
