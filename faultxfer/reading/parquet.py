"""Parquet tables as text cells, so that they are checked like any other file."""

from __future__ import annotations

import io
import re
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from faultxfer.errors import DataError
from faultxfer.reading.content import digest, stored_bytes, unreadable
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.dialect import Dialect
from faultxfer.reading.table import RawTable
from faultxfer.reading.text import unique_names

# pandas stores its row labels under such a name.
_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(path: Path, options: Csv, keep: frozenset[str] | None = None) -> RawTable:
    """Read one ``.parquet``; line numbers are those the rows would have in a CSV with a header.

    Args:
        path: the file.
        options: what the contract says of missing values and times.
        keep: the columns that are needed; no memory is spent on others. None: all.

    Raises:
        DataError: the file is unreadable, or a needed column holds lists, records or bytes.
    """
    stored = stored_bytes(path)
    try:
        schema = pq.read_schema(io.BytesIO(stored))
        unique_names(path.name, schema.names)  # two of one name cannot be read at all
        stored_names = [name for name in schema.names if not _INDEX.fullmatch(name)]
        names = dict(zip(unique_names(path.name, stored_names), stored_names, strict=True))
        kept = names
        if keep is not None:
            kept = {name: there for name, there in names.items() if name in keep}
        frame = _frame(path.name, stored, kept)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error
    reread = None
    if len(kept) < len(names):
        reread = partial(_some_rows, path.name, stored, names)
    return RawTable(
        path.name,
        frame,
        np.arange(len(frame)) + 2,
        digest(stored),
        Dialect("parquet", missing=options.spellings, times=options.times),
        header=tuple(names),
        reread=reread,
    )


def _some_rows(file: str, stored: bytes, names: dict[str, str], rows: np.ndarray) -> pd.DataFrame:
    """All columns of some rows, for a table that holds the needed columns only."""
    return _frame(file, stored, names).iloc[rows]


def _frame(file: str, stored: bytes, names: dict[str, str]) -> pd.DataFrame:
    """Columns as text, by their names; ``names`` says what they are called in the file."""
    table = pq.read_table(io.BytesIO(stored), columns=list(names.values()))
    cells = {name: _text(file, name, table.column(there)) for name, there in names.items()}
    return pd.DataFrame(cells, index=pd.RangeIndex(len(table)), dtype="str")


def _text(file: str, name: str, column: pa.ChunkedArray) -> pd.Series:
    try:
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            raise pa.ArrowNotImplementedError(f"cells of type {column.type}")
        cells: pd.Series = pc.fill_null(pc.cast(column, pa.large_string()), "").to_pandas()
        return cells.astype("str")
    except pa.ArrowException as error:
        raise DataError(
            "The column holds neither numbers nor text nor times",
            received={"type": str(column.type)},
            where=f"{file}, column {name!r}",
            code="FILE-UNREADABLE",
            column=name,
            remedy="Write one number, text or time into each cell, or leave the column out",
        ) from error
