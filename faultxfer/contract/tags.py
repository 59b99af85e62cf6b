"""One machine's own tags, units and scales, turned into the contract's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faultxfer.contract.notes import Notes
from faultxfer.contract.schema import Contract, Scale
from faultxfer.contract.schema import Equipment as OwnWay
from faultxfer.contract.table import RawTable
from faultxfer.contract.units import conversion

if TYPE_CHECKING:
    import pandas as pd

# More machines than this in one file have no tags of their own; looking each up would take seconds.
_MOST_MACHINES = 1000


def tags_of_sensors(contract: Contract) -> frozenset[str]:
    """Every name a column of numbers may have; sensors that say yes and no are left out."""
    measured = [name for name, sensor in contract.sensors.items() if sensor.dtype != "bool"]
    own = (tag for way in contract.equipment.values() for tag, name in way.aliases.items() if name in measured)
    return frozenset((*measured, *own))


def tags_of_columns(contract: Contract) -> frozenset[str]:
    """Every name a column that is used may have."""
    keys = (contract.equipment_column, contract.run_column, contract.time_column, contract.label.column)
    own = (tag for way in contract.equipment.values() for tag in way.aliases)
    return frozenset((*contract.features, *(key for key in keys if key), *own))


def translated(table: RawTable, contract: Contract, equipment: str | None) -> RawTable:
    """The table under the contract's column names."""
    ways = _ways(table, contract, equipment)
    tags = {name: tag for way in ways for tag, name in way.aliases.items() if tag in table.names}
    return table.with_tags(tags) if tags else table


def note_doubled(notes: Notes, contract: Contract, equipment: str | None) -> None:
    """Refuse a file with two columns for one: which of them is meant cannot be told."""
    table = notes.table.with_tags({})
    present = set(table.names)
    for way in _ways(table, contract, equipment):
        for tag, name in way.aliases.items():
            if {tag, name} <= present:
                notes.file(
                    "COLUMN-TWICE",
                    f"Columns {tag!r} and {name!r} both stand for {name!r}",
                    "Leave one of them out of the export, or take the alias out of the contract",
                    column=name,
                    line=1,
                    expected=f"one column for {name}",
                    received=f"{tag}, {name}",
                )


def converted(
    values: pd.Series, name: str, contract: Contract, equipment: str | None, machines: pd.Series | None
) -> pd.Series:
    """A sensor's values in the contract's unit.

    Args:
        values: as written in the file.
        name: the sensor.
        contract: says how machines differ.
        equipment: the machine, where it is known.
        machines: name of the machine of each row, where there is such a column.
    """
    for machine, own in contract.equipment.items():
        factor, offset = _linear(own, name, contract)
        if (factor, offset) == (1.0, 0.0):
            continue
        if machines is not None:
            values = values.where(machines != machine, values * factor + offset)
        elif machine == (equipment or contract.family):
            values = values * factor + offset
    return values


def _ways(table: RawTable, contract: Contract, equipment: str | None) -> list[OwnWay]:
    """How the machines of this file differ from the contract."""
    if not contract.equipment:
        return []
    if equipment is not None or contract.equipment_column not in table.names:
        names = [equipment or contract.family]
    else:
        names = list(table.cells(contract.equipment_column).str.strip().unique()[:_MOST_MACHINES])
    return [contract.equipment[name] for name in names if name in contract.equipment]


def _linear(own: OwnWay, name: str, contract: Contract) -> tuple[float, float]:
    """Scale first, in the machine's unit, then the unit."""
    scale = own.scale.get(name, Scale())
    unit = contract.sensors[name].unit
    factor, offset = conversion(own.units.get(name, unit), unit)
    return scale.factor * factor, scale.offset * factor + offset
