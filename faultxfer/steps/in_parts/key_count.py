"""Which rows of a file repeat an earlier one, known by a number for each row kept in files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

_BITS = 6
# Numbers that wait in memory until they are written.
_WAITING = 1 << 18
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
    """Numbers of rows that stand there again, in little memory for any number of them.

    Args:
        folder: for files.
        name: begins their names.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._waiting: list[np.ndarray] = []
        self._count = 0

    def add(self, keys: np.ndarray, places: np.ndarray) -> None:
        """Take (n,) further numbers, and the place of the row that each is of."""
        self._waiting.append(np.column_stack([keys, places.astype(np.uint64)]))
        self._count += len(keys)
        if self._count >= _WAITING:
            self._write()

    def add_all(self, other: KeyCount, before: int) -> None:
        """Take all that another one has, whose places stand behind so many."""
        for part in other._parts():
            self.add(part[:, 0], part[:, 1] + np.uint64(before))

    def repeated(self) -> int:
        """How many equal an earlier one."""
        return sum(len(part) - len(np.unique(part[:, 0])) for part in self._together())

    def groups(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Some rows after the other: (m,) places, and (m,) the first place of an equal number."""
        for part in self._together():
            keys, places = part[np.lexsort((part[:, 1], part[:, 0]))].T
            begins = np.concatenate(([True], keys[1:] != keys[:-1]))[: len(keys)]
            places = places.astype(np.int64)
            yield places, places[begins][np.cumsum(begins) - 1]

    def copies(self) -> np.ndarray:
        """(m,) ascending places of rows that repeat an earlier one."""
        found = [places[places != first] for places, first in self.groups()]
        return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *found]))

    def _together(self) -> Iterator[np.ndarray]:
        """All numbers with their places, equal ones in one part."""
        if any(map(Path.exists, self._paths)):
            self._write()
        yield from self._parts()

    def _parts(self) -> Iterator[np.ndarray]:
        if self._waiting:
            yield np.concatenate(self._waiting)
        for path in self._paths:
            if path.exists():
                yield np.fromfile(path, dtype=np.uint64).reshape(-1, 2)

    def _write(self) -> None:
        if not self._waiting:
            return
        rows = np.concatenate(self._waiting)
        first = rows[:, 0] >> np.uint64(64 - _BITS)
        order = np.argsort(first, kind="stable")
        ends = np.searchsorted(first[order], np.arange((1 << _BITS) + 1, dtype=np.uint64))
        for number, path in enumerate(self._paths):
            own = rows[order[ends[number] : ends[number + 1]]]
            if len(own):
                with path.open("ab") as file:
                    file.write(own.tobytes())
        self._waiting, self._count = [], 0

    @property
    def _paths(self) -> list[Path]:
        return [self._folder / f"{self._name}-{number}" for number in range(1 << _BITS)]


class Again:
    """Rows and moments of a file, by which it is known what is there again.

    Args:
        folder: for files.

    Attributes:
        rows, times: by line, of rows that may repeat another one, and of their moments.
        accepted, moments: the same of accepted rows.
        shared: how often a moment was seen to be that of an earlier row.
    """

    def __init__(self, folder: Path) -> None:
        self.rows, self.times, self.accepted, self.moments = (
            KeyCount(folder, name) for name in ("rows", "times", "accepted-rows", "moments")
        )
        self.shared = 0


def are_among(places: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(n,) bool: which of some places are among (m,) ascending ones."""
    if not len(known):
        return np.zeros(len(places), dtype=bool)
    at = np.minimum(np.searchsorted(known, places), len(known) - 1)
    found: np.ndarray = known[at] == places
    return found
