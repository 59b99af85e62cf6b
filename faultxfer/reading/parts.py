"""A large file cut into small ones of the same form, each with some rows around its own.

Whatever reads and checks files does so with the parts too; the rows of before and after let it see
what goes on over the cut.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PARQUET = ".parquet"


@dataclass(frozen=True)
class Part:
    """A part of a file.

    Attributes:
        path: where it lies; whoever takes it removes it.
        last_before: its last line that is of the part before it, or of the header.
        last_own: its last line that is not of the part after it.
        lines_before: lines of the whole file that stand before its own.
        lines: (m,) number in the whole file of each of its lines, the first being 0; None where
            they stand one after the other.
    """

    path: Path
    last_before: int
    last_own: int
    lines_before: int
    lines: np.ndarray | None = None

    def sides(self, lines: np.ndarray) -> tuple[int, int]:
        """How many of some lines stand before its own, and how many not after them.

        Args:
            lines: (n,) numbers of its lines, of which those before its own come first, and those
                after them last.
        """
        return int((lines <= self.last_before).sum()), int((lines <= self.last_own).sum())

    def placed(self, lines: np.ndarray) -> np.ndarray:
        """(n,) numbers in the whole file of some of its lines; 0 stays 0."""
        moved = lines + (self.lines_before - self.last_before)
        found: np.ndarray = (
            np.where(lines > 0, moved, 0) if self.lines is None else self.lines[lines]
        )
        return found


def parts_of(path: Path, folder: Path, head: int, sight: int, size: int) -> Iterator[Part]:
    """Cut a file.

    Args:
        path: of the file, as text, packed or not, or Parquet.
        folder: for the parts.
        head: lines at its head that each part has too.
        sight: lines before and after its own that each part has.
        size: bytes of a part, about; rows of one where the file is Parquet.
    """
    if path.suffix.lower() == PARQUET:
        yield from _parquet_parts(path, folder, sight, size)
        return
    with opened(path) as file:
        header = b"".join(file.readline() for _ in range(head))
        yield from _text_parts(file, header, folder, head, sight, size)


def first_part(path: Path, folder: Path, size: int) -> Path:
    """The beginning of a file as one of its own; a folder that is gone soon is its place."""
    if path.suffix.lower() == PARQUET:
        return next(_parquet_parts(path, folder, 0, size)).path
    part = folder / "first.csv"
    with opened(path) as file:
        part.write_bytes(file.read(size) + file.readline())
    return part


def opened(path: Path) -> Any:
    """The text of a file that may be packed, to be read from its beginning."""
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return gzip.open(path)
    if suffix == ".zst":
        return _Unpacked(path)
    return path.open("rb")


class _Unpacked:
    """Zstandard data as a file of lines."""

    def __init__(self, path: Path) -> None:
        self._file = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
        self._ahead = b""

    def __enter__(self) -> _Unpacked:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        while len(self._ahead) < size and (more := self._file.read(size)):
            self._ahead += more
        found, self._ahead = self._ahead[:size], self._ahead[size:]
        return found

    def readline(self) -> bytes:
        while b"\n" not in self._ahead and (more := self._file.read(1 << 16)):
            self._ahead += more
        end = self._ahead.find(b"\n") + 1 or len(self._ahead)
        found, self._ahead = self._ahead[:end], self._ahead[end:]
        return found


def _text_parts(
    file: IO[bytes], header: bytes, folder: Path, head: int, sight: int, size: int
) -> Iterator[Part]:
    before, number, done = b"", 0, head
    block = _block(file, size)
    while block:
        coming = _block(file, size)
        path = folder / f"part-{number}.csv"
        path.write_bytes(b"".join((header, before, block, _first_lines(coming, sight))))
        first, lines = head + before.count(b"\n"), block.count(b"\n")
        # The last line of a file may have no end.
        yield Part(path, first, first + lines + (not coming), done)
        done += lines
        before, number, block = _last_lines(before + block, sight), number + 1, coming


def _block(file: IO[bytes], size: int) -> bytes:
    block = file.read(size)
    return block + file.readline() if block else block


def _first_lines(text: bytes, lines: int) -> bytes:
    end = 0
    for _ in range(lines):
        end = text.find(b"\n", end) + 1
        if not end:
            return text
    return text[:end]


def _last_lines(text: bytes, lines: int) -> bytes:
    end = len(text)
    for _ in range(lines + 1):
        end = text.rfind(b"\n", 0, end)
        if end < 0:
            return text
    return text[end + 1 :]


def _parquet_parts(path: Path, folder: Path, sight: int, rows: int) -> Iterator[Part]:
    with pq.ParquetFile(path) as file:
        batches = (pa.Table.from_batches([batch]) for batch in file.iter_batches(rows))
        own, number, done = next(batches, None), 0, 0
        before = None if own is None else own.slice(0, 0)
        while own is not None:
            coming = next(batches, None)
            after = own.slice(0, 0) if coming is None else coming.slice(0, sight)
            part = folder / f"part-{number}{PARQUET}"
            seen = pa.concat_tables([before, own])
            pq.write_table(
                pa.concat_tables([seen, after]), part, compression="none", use_dictionary=False
            )
            # The header counts as the first line.
            yield Part(part, 1 + len(seen) - len(own), 1 + len(seen), 1 + done)
            done += len(own)
            before, number, own = seen.slice(max(0, len(seen) - sight)), number + 1, coming
