"""The lines of a large file in the order of time, in temporary files of one period each.

A file with one reading in each line may have its tags one below the other, so that what belongs to
one moment stands far apart. Lines are dealt out to a file for each period, in which they keep their
order, and each period is read as a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from faultxfer.reading.parts import Part, opened

# Bytes that are dealt out at once, and times that show where periods begin.
_TOGETHER, _SHOWN = 32_000_000, 200_000
# A period of more than so many times its share is none that fits into memory for certain.
_MOST = 8
_LINE = np.dtype([("line", np.int64), ("seconds", np.float64)])


class UnevenError(Exception):
    """Too many lines have one time, or there are other lines than had their times read."""


@dataclass(frozen=True)
class Times:
    """Times of all lines of a file.

    Attributes:
        path: file of (n,) float64, in the order of the lines; NaN where unknown.
        head: lines at the head of the file, which have none.
    """

    path: Path
    head: int

    def __len__(self) -> int:
        return self.path.stat().st_size // 8

    def some(self, begin: int, count: int) -> np.ndarray:
        """(count,) of them from a line on."""
        found: np.ndarray = np.fromfile(self.path, dtype=np.float64, count=count, offset=8 * begin)
        return found

    def bounds(self, periods: int) -> np.ndarray:
        """Where periods begin that have about as many lines each, but for the first."""
        every = max(len(self) // _SHOWN, 1)
        shown = [self.some(begin, 1 << 20)[::every] for begin in range(0, len(self), 1 << 20)]
        known: np.ndarray = np.concatenate(shown)
        known = known[~np.isnan(known)]
        if not len(known):
            return known
        shares = np.arange(1, periods) / periods
        bounds: np.ndarray = np.unique(np.quantile(known, shares, method="lower"))
        return bounds


class Periods:
    """The lines of a file, by period.

    Args:
        path: of the file, packed or not.
        folder: for the files of the periods.
        times: of its lines.
        size: bytes of a period, about.
    """

    def __init__(self, path: Path, folder: Path, times: Times, size: int) -> None:
        self._folder, self._times, self._size = folder, times, size
        with opened(path) as file:
            self._header = b"".join(file.readline() for _ in range(times.head))
            self._bounds: np.ndarray | None = None
            self._done = 0
            length = path.stat().st_size
            while text := file.read(_TOGETHER):
                text += file.readline()
                if self._bounds is None:
                    # What is packed is as long as its first lines say.
                    lines = max(text.count(b"\n"), 1)
                    length = max(length, len(text) * len(times) // lines)
                    self._bounds = times.bounds(max(length // size, 1))
                self._deal(text)
        if self._done != len(times):
            raise UnevenError

    def _deal(self, text: bytes) -> None:
        lines = lines_of(text)
        seconds = self._times.some(self._done, len(lines))
        if len(seconds) != len(lines) or self._bounds is None:
            raise UnevenError
        period = np.searchsorted(self._bounds, seconds, side="right")
        order = np.argsort(period, kind="stable")
        about = np.empty(len(lines), dtype=_LINE)
        about["line"] = self._times.head + self._done + 1 + np.arange(len(lines))
        about["seconds"] = seconds
        about, period = about[order], period[order]
        sorted_lines = lines if (np.diff(order) == 1).all() else lines.take(pa.array(order))
        for begin, end in stretches_of_one(period):
            text_path, about_path = self._paths(int(period[begin]))
            with text_path.open("ab") as file:
                file.write(text_of(sorted_lines.slice(begin, end - begin)))
            with about_path.open("ab") as file:
                file.write(about[begin:end].tobytes())
        self._done += len(lines)

    def _paths(self, period: int) -> tuple[Path, Path]:
        return self._folder / f"period-{period}", self._folder / f"period-{period}-lines"

    @property
    def lines(self) -> int:
        """How many there are."""
        return self._done

    def parts(self, sight: int) -> Iterator[Part]:
        """The periods in their order, each with moments of the ones before and after it.

        Args:
            sight: how many moments.
        """
        count = 0 if self._bounds is None else len(self._bounds) + 1
        periods = (found for number in range(count) if (found := self._take(number)))
        before, own, number = None, next(periods, None), 0
        while own is not None:
            after = next(periods, None)
            yield self._part(number, before, own, after, sight)
            before, own, number = own, after, number + 1

    def _take(self, period: int) -> _Period | None:
        text, about = self._paths(period)
        if not about.exists():
            return None
        if text.stat().st_size > _MOST * max(self._size, 1 << 20):
            raise UnevenError
        found = _Period(text.read_bytes(), np.fromfile(about, dtype=_LINE))
        text.unlink()
        about.unlink()
        return found

    def _part(
        self, number: int, before: _Period | None, own: _Period, after: _Period | None, sight: int
    ) -> Part:
        pieces = [
            before.moments(sight, last=True) if before else None,
            own,
            after.moments(sight, last=False) if after else None,
        ]
        known = [piece for piece in pieces if piece]
        path = self._folder / f"part-{number}.csv"
        path.write_bytes(b"".join([self._header, *(piece.text for piece in known)]))
        head = self._times.head
        lines = np.concatenate([np.arange(head + 1), *(piece.about["line"] for piece in known)])
        first = head + (len(pieces[0].about) if pieces[0] else 0)
        return Part(path, first, first + len(own.about), 0, lines)


@dataclass(frozen=True)
class _Period:
    """Lines of a period, with the numbers and times that they have in the file."""

    text: bytes
    about: np.ndarray

    def moments(self, count: int, *, last: bool) -> _Period:
        """The lines of its last, or its first, moments."""
        seconds = self.about["seconds"]
        known = np.unique(seconds[~np.isnan(seconds)])
        if last:
            kept = seconds >= known[-count:][0] if len(known) else np.zeros(len(seconds), bool)
        else:
            kept = seconds <= known[:count][-1] if len(known) else np.zeros(len(seconds), bool)
        some = lines_of(self.text).take(pa.array(np.flatnonzero(kept)))
        return _Period(text_of(some), self.about[kept])


def stretches_of_one(numbers: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where each of some sorted whole numbers from 0 on begins and ends.

    >>> list(stretches_of_one(np.array([2, 2, 7])))
    [(0, 2), (2, 3)]
    """
    begins = np.flatnonzero(np.diff(numbers, prepend=-1)).tolist()
    return zip(begins, [*begins[1:], len(numbers)], strict=True)


def lines_of(text: bytes) -> Any:
    """The lines of a text as an Arrow array, each with its end, which the last one may lack."""
    if not text.endswith(b"\n"):
        text += b"\n"
    ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == ord("\n")) + 1
    offsets = np.concatenate([[0], ends]).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.large_binary(), len(ends), buffers)


def text_of(lines: Any) -> bytes:
    """The text of such lines."""
    if not len(lines):
        return b""
    _, offsets, text = lines.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int64)[lines.offset : lines.offset + len(lines) + 1]
    return bytes(memoryview(text)[bounds[0] : bounds[-1]])
