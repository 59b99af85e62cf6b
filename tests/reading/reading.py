"""Write tables in any dialect, to be read back."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from faultxfer.reading.csv_options import Csv
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.table import RawTable


@dataclass(frozen=True)
class Spelling:
    """How to write a table."""

    separator: str = ","
    decimal: str = "."
    thousands: str = ""
    encoding: str = "utf-8"
    line_end: str = "\n"
    quote_all: bool = False
    packing: str = ""

    def number(self, value: float) -> str:
        whole, _, rest = f"{abs(value):,.2f}".partition(".")
        return f"{'-' if value < 0 else ''}{whole.replace(',', self.thousands)}{self.decimal}{rest}"

    def cell(self, text: str) -> str:
        special = any(mark in text for mark in (self.separator, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if self.quote_all or special else text

    def table(self, names: list[str], rows: list[list[str]]) -> bytes:
        lines = [
            self.separator.join(map(self.cell, row)) for row in ([names] if names else []) + rows
        ]
        return self.packed("".join(line + self.line_end for line in lines).encode(self.encoding))

    def packed(self, content: bytes) -> bytes:
        if self.packing == ".gz":
            return gzip.compress(content)
        return zstd(content) if self.packing == ".zst" else content


def zstd(content: bytes) -> bytes:
    packed: bytes = pa.compress(content, codec="zstd", asbytes=True)
    return packed


def read(folder: Path, content: str | bytes, name: str = "a.csv", **pins: object) -> RawTable:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_csv(path, Csv.model_validate(pins))
