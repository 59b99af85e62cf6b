"""Files that are no plain text.

Compressed ones, Parquet, spreadsheets, and what else ends up under .csv.
"""

from __future__ import annotations

import gzip
import io
import sqlite3
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
from grid import Grid


def gzipped(content: bytes) -> bytes:
    """The same bytes at any time of day."""
    return gzip.compress(content, mtime=0)


def zstandard(content: bytes) -> bytes:
    """One Zstandard frame."""
    packed: bytes = pa.Codec("zstd").compress(content, asbytes=True)
    return packed


def parquet(grid: Grid, types: dict[str, pa.DataType] | None = None) -> bytes:
    """A Parquet table; columns without a type hold numbers where the grid says so, else text."""
    arrays = []
    for name in grid.header:
        usual = pa.float64() if name in grid.numeric else pa.string()
        cells = pa.array([cell or None for cell in grid.column(name)], pa.string())
        arrays.append(cells.cast((types or {}).get(name, usual)))
    return parquet_of(pa.Table.from_arrays(arrays, names=list(grid.header)))


def parquet_of(table: pa.Table) -> bytes:
    """Any Arrow table."""
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def archive(name: str, content: bytes) -> bytes:
    """A zip archive of one file."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        packed.writestr(zipfile.ZipInfo(name), content)
    return sink.getvalue()


def workbook(grid: Grid) -> bytes:
    """The least that spreadsheet programs open."""
    rows = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>"
        for row in (grid.header, *grid.rows)
    )
    return archive(
        "xl/worksheets/sheet1.xml", f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode()
    )


def database() -> bytes:
    """A SQLite file with one table."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("create table readings (ts text, flow real)")
        return connection.serialize()
    finally:
        connection.close()


OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
LOGIN_PAGE = b"<!DOCTYPE html>\n<html>\n<head><title>Historian - sign in</title></head>\n<body>Session expired</body>\n"
