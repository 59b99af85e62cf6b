"""Units that a file itself states, compared with those that the contract expects of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.contract.notes import Notes
from faultxfer.contract.schema import Contract, Equipment
from faultxfer.contract.units import conversion
from faultxfer.reading.table import RawTable

_CODE = "SENSOR-UNIT"


def in_expected_units(
    values: np.ndarray,
    name: str,
    notes: Notes,
    contract: Contract,
    equipment: str | None,
    machines: pd.Series | None,
) -> np.ndarray:
    """A sensor's values in the unit that the contract expects of each row's machine.

    Values in another unit of the same quantity are converted, and that is noted. A unit that
    cannot be converted, or that contradicts the machine's own entry, is noted by its severity.

    Args:
        values: (n,) as written in the file.
        name: the sensor.
        notes: of the table.
        contract: says which unit each machine has.
        equipment: the machine, where it is known.
        machines: (n,) name of the machine of each row, where there is such a column.
    """
    stated = notes.table.stated_units(name)
    if stated is None:
        return values
    for own, rows in _by_machine(name, contract, equipment, machines, len(values)):
        for unit in _units(stated, rows):
            places = np.flatnonzero(rows & _has(stated, unit))
            factor, offset = _agreed(name, unit, own, places, notes, contract)
            if (factor, offset) != (1.0, 0.0):
                values = values.copy()
                values[places] = values[places] * factor + offset
    return values


def _by_machine(
    name: str,
    contract: Contract,
    equipment: str | None,
    machines: pd.Series | None,
    rows: int,
) -> Iterator[tuple[Equipment, np.ndarray]]:
    """Machines with an entry for the sensor and a mask of their rows, and then all other rows."""
    others = np.ones(rows, dtype=bool)
    for machine, own in contract.equipment.items():
        if name not in {*own.units, *own.scale}:
            continue
        mine = np.full(rows, machine == (equipment or contract.family))
        if machines is not None:
            mine = (machines == machine).to_numpy(dtype=bool)
        others &= ~mine
        yield own, mine
    yield Equipment(), others


def _units(stated: str | pd.Series, rows: np.ndarray) -> list[str]:
    if isinstance(stated, str):
        return [stated] if rows.any() else []
    return [str(unit) for unit in stated[rows].unique() if unit]


def _has(stated: str | pd.Series, unit: str) -> np.ndarray | bool:
    return True if isinstance(stated, str) else (stated == unit).to_numpy(dtype=bool)


def _agreed(
    name: str, unit: str, own: Equipment, places: np.ndarray, notes: Notes, contract: Contract
) -> tuple[float, float]:
    """Factor and offset from the stated unit to the expected one, with a note if they differ."""
    expected = own.units.get(name, contract.sensors[name].unit)
    same = (1.0, 0.0)
    if not expected or not len(places):
        return same
    try:
        found = conversion(unit, expected)
    except ValueError as error:
        _note(name, unit, expected, places, notes, contract, f"which cannot be converted: {error}")
        return same
    if np.allclose(found, same):
        return same
    if own != Equipment():
        entry = "and the machine's own entry under `equipment` contradicts it"
        _note(name, unit, expected, places, notes, contract, entry)
        return same
    notes.file(
        _CODE,
        f"The file gives {name!r} in {unit}, the contract in {expected}: "
        f"{len(places)} value(s) were converted",
        "Nothing, if the file is right; if not, mend the unit in the export",
        severity="warn",
        **_place(name, unit, expected, places, notes.table),
    )
    return found


def _note(
    name: str,
    unit: str,
    expected: str,
    places: np.ndarray,
    notes: Notes,
    contract: Contract,
    reason: str,
) -> None:
    severity = contract.severity(_CODE)
    notes.file(
        _CODE,
        f"The file gives {name!r} in {unit}, the contract in {expected}, {reason}",
        "Mend the unit in the export or in the contract; if the values are right as they stand, "
        "set `rules: {SENSOR-UNIT: warn}`",
        severity="refuse" if severity == "quarantine" else severity,
        **_place(name, unit, expected, places, notes.table),
    )


def _place(
    name: str, unit: str, expected: str, places: np.ndarray, table: RawTable
) -> dict[str, Any]:
    first = places[:1]
    return {
        "file": str(table.files_of(name, first)[0]),
        "column": table.tag(name),
        "line": int(table.lines_of(name, first)[0]),
        "count": len(places),
        "expected": expected,
        "received": unit,
    }
