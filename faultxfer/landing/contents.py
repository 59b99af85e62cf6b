"""Whose rows a file holds, and whether they are labelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from faultxfer.contract.machines import translated
from faultxfer.contract.schema import Contract
from faultxfer.contract.shapes import read_shaped
from faultxfer.errors import ConfigError, DataError
from faultxfer.landing.ledger import Part
from faultxfer.reading.endings import TABLES
from faultxfer.reading.table import RawTable
from faultxfer.registry.names import check_name


def require_watchable(contract: Contract) -> None:
    """Each file has to be a table by itself.

    Raises:
        ConfigError: the contract is for files of one tag each, which only make sense together.
    """
    if contract.tag_files:
        raise ConfigError(
            "A watch folder takes each file by itself, and this contract is for files of one tag "
            "each",
            received={"contract": contract.family},
            remedy="Score such files together: `faultxfer score FOLDER --model NAME --equipment "
            "EQ --out FILE`",
        )


def parts_of(path: Path, folder: str | None, contract: Contract) -> tuple[Part, ...]:
    """The machines whose rows a file holds.

    The contract's column of machines names them, else the sub-folder does.

    Args:
        path: the file.
        folder: the sub-folder in which it lies; None for the watched folder itself.
        contract: of the family.

    Raises:
        DataError: the file cannot be read, or nothing shows whose rows it holds.
        ConfigError: a machine's name is not allowed.
    """
    _require_table(path)
    table = read_shaped(path, contract)
    column = contract.equipment_column
    if column is None or column not in table.names:
        machine = _of_folder(folder, path, column)
        return (Part(machine, _is_labelled(table, contract, machine)),)
    cells = table.stripped(column)
    named = cells[~table.missing(column)]
    if named.empty:
        raise _nameless(path, column)
    return tuple(
        Part(
            check_name("equipment", str(machine)),
            _is_labelled(table, contract, str(machine), (cells == machine).to_numpy(dtype=bool)),
        )
        for machine in named.unique()
    )


def _require_table(path: Path) -> None:
    if not path.name.lower().endswith(TABLES):
        raise DataError(
            "This is no table that can be read",
            received={"file": path.name},
            remedy=f"Export it as one of {', '.join(TABLES)}",
        )


def _of_folder(folder: str | None, path: Path, column: str | None) -> str:
    if folder is None:
        raise _nameless(path, column)
    return check_name("equipment", folder)


def _nameless(path: Path, column: str | None) -> DataError:
    return DataError(
        "Nothing shows which machine these rows are of",
        received={"column of machines": column},
        where=path.name,
        remedy="Put the file into a sub-folder that is named as the machine",
    )


def _is_labelled(
    table: RawTable, contract: Contract, machine: str, rows: np.ndarray | None = None
) -> bool:
    """Whether a row of the machine says normal or fault."""
    own, column = translated(table, contract, machine), contract.label.column
    if column not in own.names:
        return False
    unknown = ["", *contract.label.unknown]
    told = ~own.stripped(column).isin(unknown) & ~own.missing(column)
    labelled = told.to_numpy(dtype=bool)
    return bool(labelled.any() if rows is None else labelled[rows].any())
