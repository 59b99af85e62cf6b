"""Parquet tables as text cells, so that they are checked like any other file."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from faultxfer.contract.dialect import Dialect
from faultxfer.contract.pins import Csv
from faultxfer.contract.table import RawTable
from faultxfer.data.reading.content import digest, stored_bytes, unreadable
from faultxfer.data.reading.rows import unique_names
from faultxfer.errors import DataError

# pandas stores its row labels under such a name.
_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(path: Path, pins: Csv) -> RawTable:
    """Read one ``.parquet``; line numbers are those the rows would have in a CSV with a header.

    Raises:
        DataError: the file is unreadable, or a column holds lists, records or bytes.
    """
    stored = stored_bytes(path)
    try:
        unique_names(path.name, pq.read_schema(io.BytesIO(stored)).names)  # two of one name cannot be read at all
        table = pq.read_table(io.BytesIO(stored))
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error
    kept = [place for place, name in enumerate(table.column_names) if not _INDEX.fullmatch(name)]
    names = unique_names(path.name, [table.column_names[place] for place in kept])
    cells = {name: _text(path.name, name, table.column(place)) for name, place in zip(names, kept, strict=True)}
    dialect = Dialect("parquet", missing=pins.spellings, times=pins.times)
    return RawTable(path.name, pd.DataFrame(cells, dtype="str"), np.arange(len(table)) + 2, digest(stored), dialect)


def _text(file: str, name: str, column: pa.ChunkedArray) -> pd.Series:
    try:
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            raise pa.ArrowNotImplementedError(f"cells of type {column.type}")
        cells: pd.Series = pc.fill_null(pc.cast(column, pa.large_string()), "").to_pandas()
        return cells.astype("str")
    except pa.ArrowException as error:
        raise DataError(
            "Columns of numbers, text or times were expected",
            received={"type": str(column.type)},
            where=f"{file}, column {name!r}",
            code="FILE-UNREADABLE",
            column=name,
            remedy="Write one number, text or time into each cell, or leave the column out",
        ) from error
