"""Files of every shape that a contract describes, as rows for moments and columns for sensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from faultxfer.contract.machines import tags_of_columns, tags_of_sensors
from faultxfer.contract.schema import Contract
from faultxfer.reading.frames import table_of
from faultxfer.reading.join_tags import joined, name_of_set
from faultxfer.reading.long_form import pivoted
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.table import RawTable
from faultxfer.reading.tag_files import Roles, TagFiles, TagReadings, readings_of_tag


def read_shaped(path: Path, contract: Contract, also: frozenset[str] = frozenset()) -> RawTable:
    """Read a file and bring it into the shape that is checked, trained on and scored.

    A file of one tag stays as it is: see :func:`joined_tags`.

    Args:
        path: of the file.
        contract: what it must look like.
        also: further columns that are looked at where the file has them.

    Raises:
        DataError: as :func:`read_csv`, or a column of the shape is missing.
    """
    keep = None if contract.tag_files else tags_of_columns(contract) | also
    table = read_csv(path, contract.csv, tags_of_sensors(contract), keep)
    return pivoted(table, contract.long, keys_of_moments(contract))


def frame_shaped(frame: pd.DataFrame, contract: Contract) -> RawTable:
    """Rows that a caller gives, in the same shape; rows of moments in place of files of one tag.

    Raises:
        DataError: as :func:`table_of`, or a column of the shape is missing.
    """
    joined_already = contract.model_copy(update={"tag_files": None})
    table = table_of(frame, contract.csv, tags_of_sensors(joined_already))
    return pivoted(table, contract.long, keys_of_moments(contract))


def keys_of_moments(contract: Contract) -> tuple[str, ...]:
    """Columns that all readings of one moment share, where the file has them."""
    keys = (contract.equipment_column, contract.run_column, contract.label.column)
    return (*(key for key in keys if key), *contract.slices)


# Files of one tag each


def readings_in(path: Path, table: RawTable, contract: Contract) -> TagReadings:
    """What one of several files of one tag each holds.

    Raises:
        DataError: the file is none of those that ``tag_files`` describes.
    """
    return readings_of_tag(path, table, _shape(contract), roles_of_tags(contract))


def joined_tags(
    paths: Sequence[Path], parts: Sequence[TagReadings], contract: Contract
) -> RawTable:
    """Files of one tag each as one table in the shape that is checked, trained on and scored.

    Raises:
        DataError: two files contradict each other, or cannot be joined.
    """
    return joined(parts, _shape(contract), roles_of_tags(contract), name_of_set(paths))


def roles_of_tags(contract: Contract) -> Roles:
    """What the contract knows of tags and of columns beside their readings."""
    keys = tuple(filter(None, (contract.equipment_column, contract.run_column)))
    beside = (contract.label.column, *contract.slices, *contract.condition_columns)
    tags = {*contract.features, *beside}
    for own in contract.equipment.values():
        tags |= set(own.aliases)
    return Roles(
        frozenset(tags),
        keys,
        tuple(name for name in dict.fromkeys(beside) if name not in contract.sensors),
        frozenset(contract.ignore),
    )


def _shape(contract: Contract) -> TagFiles:
    if contract.tag_files is None:
        raise ValueError("the contract has no `tag_files`")
    return contract.tag_files
