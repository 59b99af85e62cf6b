"""Rows set aside, written as CSV part by part."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from faultxfer.reading import columns
from faultxfer.reading.write_csv import write_text
from faultxfer.steps.in_parts.back_in_order import BackInOrder

# Rows that are written at once, about.
_TOGETHER = 16_384


class SetAside:
    """The rows set aside of a file.

    Args:
        folder: for the file of them, and for temporary ones.
        dealt_out: whether they come from all over the file, part by part.

    Attributes:
        path: CSV of the rows.
        rows: how many there are in it.
    """

    def __init__(self, folder: Path, *, dealt_out: bool) -> None:
        self.path, self.rows = folder / "rejected.csv", 0
        self._folder = folder
        self._waiting = BackInOrder(folder, "aside", columns.LINE) if dealt_out else None
        # The codes of rows, as they are written beside one.
        self._codes: set[str] = set()

    def add(self, rows: pd.DataFrame) -> None:
        """Take the rows of another part."""
        if not len(rows):
            return
        self._codes |= set(rows[columns.CODES])
        if self._waiting is not None:
            self._waiting.add(rows)
        else:
            self._append(rows)

    def _append(self, rows: pd.DataFrame) -> None:
        part = self._folder / "part.csv"
        write_text(rows, part)
        with part.open("rb") as source, self.path.open("ab") as kept:
            if self.rows:
                source.readline()
            kept.write(source.read())
        self.rows += len(rows)

    def bring_in_order(self) -> None:
        """Write them in the order of the file."""
        if self._waiting is not None:
            for rows in self._waiting.parts(_TOGETHER):
                self._append(rows.to_pandas())

    def put_codes_in_order(self, place: dict[str, int]) -> None:
        """Name the codes of each row in the order in which the whole file has them."""
        ordered = {}
        for codes in self._codes:
            wanted = " ".join(sorted(codes.split(), key=place.__getitem__))
            if wanted != codes:
                ordered[codes.encode()] = wanted.encode()
        if not ordered:
            return
        before = self.path.rename(self._folder / "rejected-before.csv")
        with before.open("rb") as source, self.path.open("wb") as kept:
            for line in source:
                cells, comma, last = line.rpartition(b",")
                code = last.rstrip(b"\r\n")
                kept.write(cells + comma + ordered.get(code, code) + last[len(code) :])
        before.unlink()
