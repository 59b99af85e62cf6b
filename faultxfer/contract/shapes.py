"""Files of every shape that a contract describes, as rows for moments and columns for sensors."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from faultxfer.contract.machines import tags_of_columns, tags_of_sensors
from faultxfer.contract.schema import Contract
from faultxfer.reading.frames import table_of
from faultxfer.reading.long_form import pivoted
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.table import RawTable


def read_shaped(path: Path, contract: Contract) -> RawTable:
    """Read a file and bring it into the shape that is checked, trained on and scored.

    Raises:
        DataError: as :func:`read_csv`, or a column of the shape is missing.
    """
    table = read_csv(path, contract.csv, tags_of_sensors(contract), tags_of_columns(contract))
    return pivoted(table, contract.long, keys_of_moments(contract))


def frame_shaped(frame: pd.DataFrame, contract: Contract) -> RawTable:
    """Rows that a caller gives, in the same shape.

    Raises:
        DataError: as :func:`table_of`, or a column of the shape is missing.
    """
    table = table_of(frame, contract.csv, tags_of_sensors(contract))
    return pivoted(table, contract.long, keys_of_moments(contract))


def keys_of_moments(contract: Contract) -> tuple[str, ...]:
    """Columns that all readings of one moment share, where the file has them."""
    keys = (contract.equipment_column, contract.run_column, contract.label.column)
    return (*(key for key in keys if key), *contract.slices)
