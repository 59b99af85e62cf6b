"""Rows of files as the mapper looks at them: columns of numbers, their units, normal rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faultxfer.contract import machines
from faultxfer.contract.schema import Contract, Equipment
from faultxfer.contract.selection import holds, label_cells
from faultxfer.drafting.draft import unit_of_name
from faultxfer.errors import DataError
from faultxfer.mapping.matching import Known
from faultxfer.mapping.statistics import SensorStatistics, statistics_of
from faultxfer.reading.long_form import pivoted
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.table import RawTable
from faultxfer.reading.written_units import unit_in
from faultxfer.spelling import asking

# A column in which fewer of the filled cells than this are numbers holds no readings.
_NUMBERS = 0.8
# A column that goes up in this share of its steps counts, or is a clock.
_RISES, _FEWEST_STEPS = 0.99, 50
# A column of which fewer cells than this hold a number shows nothing.
_FILLED = 0.08
_BRACKETED = re.compile(r"[\[(]([^\])]+)[\])]\s*$")
# Names that end in one letter may mean anything by it: `winding_v` is not in volts.
_SHORTEST_UNIT = 2


@dataclass(frozen=True)
class Columns:
    """The columns of a machine's files that may be sensors.

    Attributes:
        known: names, units and descriptions.
        rows: statistics of the normal rows, or of all where the file has no label.
        left_out: by column, why it cannot be a sensor.
        labelled: whether the normal rows could be told.
        every: all columns of the files.
    """

    known: Known
    rows: SensorStatistics
    left_out: dict[str, str]
    labelled: bool
    every: tuple[str, ...]


def read_columns(paths: Sequence[Path], contract: Contract, machine: str) -> Columns:
    """Read what a machine's files hold, under the names that they have there.

    Args:
        paths: of files that all have the same columns.
        contract: says how files are written, and which columns are no sensors.
        machine: whose rows are wanted, where a column names machines.

    Raises:
        DataError: a file cannot be read, has no row of the machine, or no column of numbers.
    """
    tables = [_table(path, contract) for path in paths]
    first = tables[0]
    masks = [_used(table, contract, machine) for table in tables]
    used = np.concatenate([mask for mask, _ in masks])
    numbers: dict[str, np.ndarray] = {}
    left_out: dict[str, str] = {}
    for name in first.names:
        reason = _no_sensor(name, contract, machine) or _not_in_all(name, tables)
        if not reason:
            values = np.concatenate([_readings(table, name) for table in tables])
            reason = _no_readings(values)
            numbers[name] = values[used]
        if reason:
            numbers.pop(name, None)
            left_out[name] = reason
    if not numbers:
        raise DataError(
            "No column of the file holds readings that could be those of a sensor",
            received={"columns": first.names},
            where=first.file,
            remedy="Check that it is the right file, and how it is written: `csv` in the contract",
        )
    names = tuple(numbers)
    X = np.column_stack([numbers[name] for name in names])
    return Columns(
        Known(names, _units(first, names), dict(first.descriptions)),
        statistics_of(names, X),
        left_out,
        all(labelled for _, labelled in masks),
        tuple(first.names),
    )


def read_source(paths: Sequence[Path], contract: Contract) -> SensorStatistics:
    """Statistics of the contract's sensors on a machine whose files fit it.

    Sensors that no file has are unknown.

    Raises:
        DataError: a file cannot be read, or has none of the contract's sensors.
    """
    found, whose = [], []
    for path in paths:
        table = machines.translated(_table(path, contract), contract, None)
        mask, _ = _used(table, contract, None)
        column = contract.equipment_column
        named = table.stripped(column) if column and column in table.names else None
        readings = [_of_sensor(table, name, contract, named) for name in contract.features]
        found.append(np.column_stack(readings)[mask])
        names = np.full(len(table), path.name) if named is None else named.to_numpy(dtype=str)
        whose.append(names[mask])
    X = np.concatenate(found)
    if not np.isfinite(X).any():
        raise DataError(
            "The files to compare with have no readings of the contract's sensors",
            received={"like": [path.name for path in paths]},
            remedy="Give files of a machine that the contract fits; `faultxfer validate` shows "
            "whether it does",
        )
    return statistics_of(contract.features, X, np.concatenate(whose))


def _table(path: Path, contract: Contract) -> RawTable:
    if contract.tag_files is not None:
        raise DataError(
            "The contract joins files of one tag each, of which no columns can be compared",
            received={"tag_files": contract.tag_files.file},
            where=path.name,
            remedy="Name the machine's tags under `equipment` by hand, or join the files into a "
            "table with a column for each tag and take `tag_files` out of a copy of the contract",
        )
    keys = (contract.equipment_column, contract.run_column, contract.label.column)
    return pivoted(read_csv(path, contract.csv), contract.long, tuple(filter(None, keys)))


def _not_in_all(name: str, tables: Sequence[RawTable]) -> str:
    there = all(name in table.names for table in tables)
    return "" if there else "not in every file"


def _no_sensor(name: str, contract: Contract, machine: str) -> str:
    """Why the contract knows that a column is no sensor; empty where it does not."""
    own = contract.equipment.get(machine, Equipment())
    meant = own.aliases.get(name, name)
    if meant in {contract.label.column, *contract.key_columns}:
        return "a key or the label"
    others = {*contract.slices, *contract.condition_columns, *contract.quality_columns}
    others |= {*contract.csv.time_parts, *contract.ignore}
    if meant in others - set(contract.sensors):
        return "no sensor in the contract"
    return ""


def _readings(table: RawTable, name: str) -> np.ndarray:
    """(n,) numbers of a column, or of its yes and no; NaN elsewhere."""
    values = table.numbers(name)
    filled = ~table.missing(name)
    if filled.any() and values[filled].notna().mean() < _NUMBERS:
        said = table.booleans(name)
        if said[filled].notna().mean() >= _NUMBERS:
            values = said
    return values.to_numpy(dtype=np.float64)


def _no_readings(values: np.ndarray) -> str:
    """Why a column holds no readings; empty where it does."""
    known = values[np.isfinite(values)]
    if len(known) < max(1.0, _FILLED * len(values)):
        return "text, or nothing"
    if len(known) > _FEWEST_STEPS and (np.diff(known) > 0).mean() >= _RISES:
        return "it only rises, as a clock or a counter does"
    return ""


def _used(table: RawTable, contract: Contract, machine: str | None) -> tuple[np.ndarray, bool]:
    """(n,) bool: normal rows of the machine that the contract uses; whether labels said so."""
    used = np.ones(len(table), dtype=bool)
    column = contract.equipment_column
    if machine is not None and column is not None and column in table.names:
        names = table.stripped(column)
        used &= (names == machine).to_numpy(dtype=bool)
        _require_machine(table, machine, used, sorted(map(str, names.unique())))
    for name, values in contract.where.items():
        if name in table.names:
            used &= holds(table, {name: values})
    if contract.label.column not in table.names:
        return used, False
    label = contract.label
    normal = label_cells(table, label).spelt.isin(label.normal).to_numpy(dtype=bool)
    if not (used & normal).any():
        return used, False
    return used & normal, True


def _require_machine(table: RawTable, machine: str, used: np.ndarray, there: list[str]) -> None:
    if not used.any():
        raise DataError(
            f"Machine {machine!r} is not in the file",
            received={"machines": there},
            where=table.file,
            remedy=asking(machine, there, "Check --equipment, or take the right file"),
        )


def _of_sensor(
    table: RawTable, name: str, contract: Contract, machine: pd.Series | None
) -> np.ndarray:
    """(n,) readings of a sensor in the contract's unit; NaN where the file has none."""
    if name not in table.names:
        return np.full(len(table), np.nan)
    values = np.asarray(_readings(table, name), dtype=np.float64)
    named = None if machine is None else machine.reset_index(drop=True)
    return machines.converted(values, name, contract, None, named)


def _units(table: RawTable, names: Sequence[str]) -> dict[str, str]:
    """Units that the file states: beside the readings, or in the names."""
    found = {name: _stated(table, name) or _named(name) for name in names}
    return {name: unit for name, unit in found.items() if unit}


def _stated(table: RawTable, name: str) -> str:
    stated = table.stated_units(name)
    if stated is None or isinstance(stated, str):
        return stated or ""
    filled = stated[stated != ""]
    return str(filled.mode().iloc[0]) if len(filled) else ""


def _named(name: str) -> str:
    """The unit at the end of a name: in brackets, or as two letters and more."""
    bracketed = _BRACKETED.search(name)
    if bracketed:
        return unit_in(bracketed[1])
    unit = unit_of_name(name)
    last = re.split(r"[\W_]+", name)[-1]
    return unit if len(last) >= _SHORTEST_UNIT else ""
