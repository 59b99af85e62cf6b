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
import pyarrow.parquet as pq

from faultxfer.reading.parts import PARQUET, Part, opened

# Bytes that are dealt out at once, and times that show where periods begin.
_TOGETHER, _SHOWN = 32_000_000, 200_000
# The same of Parquet, in rows.
_ROWS = 1 << 19
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
        cuts: ascending times at which periods had better begin; None where any will do.
    """

    path: Path
    head: int
    cuts: np.ndarray | None = None

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
        bounds: np.ndarray = np.quantile(known, shares, method="lower")
        if self.cuts is not None:
            # A part sees no further than the period beside it, which had better not be short.
            bounds = apart(nearest(bounds, self.cuts), np.sort(known), len(known) // (2 * periods))
        return np.unique(bounds)


class Periods:
    """The lines of a file, by period.

    Args:
        path: of the file, packed or not, or Parquet; or Arrow files of its rows, which are
            removed.
        folder: for the files of the periods.
        times: of its lines.
        size: bytes of a period, about; rows of one where the file is no text.
    """

    def __init__(self, path: Path | list[Path], folder: Path, times: Times, size: int) -> None:
        self._folder, self._times, self._size = folder, times, size
        self._form: _Texts | _Tables = _form_of(path, times.head)
        self._bounds: np.ndarray | None = None
        self._done = 0
        for rows in self._form.pieces():
            if self._bounds is None:
                length = self._form.length(rows, len(times))
                self._bounds = times.bounds(max(length // size, 1))
            self._deal(rows)
        if self._done != len(times):
            raise UnevenError

    def _deal(self, rows: Any) -> None:
        seconds = self._times.some(self._done, len(rows))
        if len(seconds) != len(rows) or self._bounds is None:
            raise UnevenError
        period = np.searchsorted(self._bounds, seconds, side="right")
        order = np.argsort(period, kind="stable")
        about = np.empty(len(rows), dtype=_LINE)
        about["line"] = self._times.head + self._done + 1 + np.arange(len(rows))
        about["seconds"] = seconds
        about, period = about[order], period[order]
        sorted_rows = rows if (np.diff(order) == 1).all() else rows.take(pa.array(order))
        for begin, end in stretches_of_one(period):
            path, about_path = self._paths(int(period[begin]))
            self._form.append(path, sorted_rows.slice(begin, end - begin))
            with about_path.open("ab") as file:
                file.write(about[begin:end].tobytes())
        self._done += len(rows)

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
        path, about = self._paths(period)
        if not about.exists():
            return None
        lines = np.fromfile(about, dtype=_LINE)
        if self._form.amount(path, len(lines)) > _MOST * max(self._size, self._form.LEAST):
            raise UnevenError
        found = _Period(self._form.read(path), lines)
        path.unlink()
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
        path = self._form.write(self._folder / f"part-{number}", [piece.rows for piece in known])
        head = self._times.head
        lines = np.concatenate([np.arange(head + 1), *(piece.about["line"] for piece in known)])
        first = head + (len(pieces[0].about) if pieces[0] else 0)
        return Part(path, first, first + len(own.about), 0, lines)


@dataclass(frozen=True)
class _Period:
    """Rows of a period, with the numbers and times that they have in the file."""

    rows: Any
    about: np.ndarray

    def moments(self, count: int, *, last: bool) -> _Period:
        """The rows of its last, or its first, moments."""
        seconds = self.about["seconds"]
        known = np.unique(seconds[~np.isnan(seconds)])
        if last:
            kept = seconds >= known[-count:][0] if len(known) else np.zeros(len(seconds), bool)
        else:
            kept = seconds <= known[:count][-1] if len(known) else np.zeros(len(seconds), bool)
        return _Period(self.rows.take(pa.array(np.flatnonzero(kept))), self.about[kept])


def _form_of(path: Path | list[Path], head: int) -> _Texts | _Tables:
    if isinstance(path, list):
        return _Batches(*path)
    return _Tables(path) if path.suffix.lower() == PARQUET else _Texts(path, head)


class _Texts:
    """Files of text; some lines of one are an array (:func:`lines_of`)."""

    # A period of fewer bytes is never too large.
    LEAST = 1 << 20

    def __init__(self, path: Path, head: int) -> None:
        self._path, self._head, self._header = path, head, b""

    def pieces(self) -> Iterator[Any]:
        """Its lines below the head, some at a time."""
        with opened(self._path) as file:
            self._header = b"".join(file.readline() for _ in range(self._head))
            while text := file.read(_TOGETHER):
                yield lines_of(text + file.readline())

    def length(self, first: Any, lines: int) -> int:
        """Its bytes; what is packed is as long as its first lines say."""
        return max(self._path.stat().st_size, len(text_of(first)) * lines // max(len(first), 1))

    def append(self, path: Path, rows: Any) -> None:
        """Put lines behind those of another file."""
        with path.open("ab") as file:
            file.write(text_of(rows))

    def amount(self, path: Path, lines: int) -> int:
        """Bytes of such a file."""
        return path.stat().st_size

    def read(self, path: Path) -> Any:
        """Its lines."""
        return lines_of(path.read_bytes())

    def write(self, path: Path, pieces: list[Any]) -> Path:
        """A file of the head and some lines; returns where it lies."""
        whole = path.with_suffix(".csv")
        whole.write_bytes(b"".join([self._header, *map(text_of, pieces)]))
        return whole


class _Tables:
    """Parquet files; some rows of one are a table. The header counts as their first line.

    Rows that wait lie in files of Arrow streams, one behind the other, so that none stays open.
    """

    LEAST = 1

    def __init__(self, *paths: Path) -> None:
        self._paths = paths

    def pieces(self) -> Iterator[Any]:
        """Its rows, some at a time."""
        for path in self._paths:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(_ROWS):
                    yield pa.Table.from_batches([batch])

    def length(self, first: Any, lines: int) -> int:
        """Its rows."""
        return lines

    def append(self, path: Path, rows: Any) -> None:
        """Put rows behind those of another file."""
        with path.open("ab") as file, pa.ipc.new_stream(file, rows.schema) as stream:
            stream.write_table(rows)

    def amount(self, path: Path, lines: int) -> int:
        """Rows of such a file."""
        return lines

    def read(self, path: Path) -> Any:
        """Its rows."""
        pieces, length = [], path.stat().st_size
        with path.open("rb") as file:
            while file.tell() < length:
                with pa.ipc.open_stream(file) as stream:
                    pieces.append(stream.read_all())
        return pa.concat_tables(pieces)

    def write(self, path: Path, pieces: list[Any]) -> Path:
        """A file of some rows; returns where it lies."""
        whole = path.with_suffix(PARQUET)
        every = pa.concat_tables(pieces)
        pq.write_table(every, whole, compression="none", use_dictionary=False)
        return whole


class _Batches(_Tables):
    """Rows in several Arrow files, which are removed as they are read."""

    def pieces(self) -> Iterator[Any]:
        """Their rows, some at a time."""
        waiting: list[pa.Table] = []
        for path in self._paths:
            with pa.OSFile(str(path)) as file:
                waiting.append(pa.ipc.open_file(file).read_all())
            path.unlink()
            if sum(map(len, waiting)) >= _ROWS:
                yield pa.concat_tables(waiting)
                waiting = []
        if waiting:
            yield pa.concat_tables(waiting)


def nearest(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(n,) for each value the nearest of some ascending ones.

    >>> nearest(np.array([1.0, 6.0, 99.0]), np.array([2.0, 5.0])).tolist()
    [2.0, 5.0, 5.0]
    """
    after = np.searchsorted(known, values).clip(1, max(len(known) - 1, 1)).clip(0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    closer = np.abs(values - known[before]) <= np.abs(known[after] - values)
    found: np.ndarray = known[np.where(closer, before, after)]
    return found


def apart(bounds: np.ndarray, known: np.ndarray, least: int) -> np.ndarray:
    """Those of some ascending bounds that have at least so many of the known times before them.

    >>> apart(np.array([2.0, 3.0, 6.0]), np.arange(9.0), 2).tolist()
    [2.0, 6.0]
    """
    kept, last = [], 0
    for bound, place in zip(bounds, np.searchsorted(known, bounds).tolist(), strict=True):
        if place - last >= least:
            kept.append(bound)
            last = place
    return np.array(kept)


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
