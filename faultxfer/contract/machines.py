"""Which machine rows belong to, and its own tags, units and scales turned into the contract's.

Another machine's units and tags would be wrong without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from faultxfer.contract.notes import Notes
from faultxfer.contract.schema import Contract, Equipment, Scale
from faultxfer.contract.schema import Equipment as OwnWay
from faultxfer.contract.units import conversion
from faultxfer.reading.table import RawTable


def tags_of_sensors(contract: Contract) -> frozenset[str]:
    """Every name a column of numbers may have; sensors that say yes and no are left out."""
    measured = [name for name, sensor in contract.sensors.items() if sensor.dtype != "bool"]
    own = (
        tag
        for way in contract.equipment.values()
        for tag, name in way.aliases.items()
        if name in measured
    )
    return frozenset((*measured, *own))


def tags_of_columns(contract: Contract) -> frozenset[str]:
    """Every name a column that is used may have."""
    keys = (
        contract.equipment_column,
        contract.run_column,
        contract.time_column,
        contract.label.column,
    )
    own = (tag for way in contract.equipment.values() for tag in way.aliases)
    return frozenset((*contract.features, *(key for key in keys if key), *own))


def translated(table: RawTable, contract: Contract, equipment: str | None) -> RawTable:
    """The table under the contract's column names, unless its machines disagree about them."""
    found = {
        name: meant.pop()
        for name, meant in _meanings(table, contract, equipment).items()
        if len(meant) == 1
    }
    tags = {name: tag for name, tag in found.items() if tag not in (None, name)}
    return table.with_tags(tags) if tags else table


def note_disagreeing(notes: Notes, contract: Contract, equipment: str | None) -> None:
    """Refuse a file in which one column of the contract is another column of the file for each machine."""
    table = notes.table.with_tags({})
    for name, meant in _meanings(table, contract, equipment).items():
        if len(meant) > 1:
            tags = ", ".join(sorted(map(repr, meant - {None}))) + (
                " or none" if None in meant else ""
            )
            notes.file(
                "EQUIPMENT-MIXED",
                f"The machines of this file have {name!r} under different tags: {tags}",
                "Give each machine a file of its own, take one machine's rows with --equipment, or rename the columns",
                column=name,
                line=1,
                expected=f"one column for {name} in the rows of all machines",
                received=tags.replace("'", ""),
            )


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
    values: pd.Series,
    name: str,
    contract: Contract,
    equipment: str | None,
    machines: pd.Series | None,
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


def machines_of(table: RawTable, contract: Contract, equipment: str | None) -> list[str]:
    """Machines whose rows are wanted, by name: the one asked for, those of the file, or the family for all."""
    column = contract.equipment_column
    if equipment is not None or column is None or column not in table.names:
        return [equipment or contract.family]
    return [str(name) for name in table.stripped(column)[~table.missing(column)].unique()]


def _ways(table: RawTable, contract: Contract, equipment: str | None) -> list[OwnWay]:
    """How the machines of this file have their columns; machines without an entry follow the contract."""
    if not contract.equipment:
        return []
    names = set(machines_of(table, contract, equipment))
    listed = [contract.equipment[name] for name in contract.equipment if name in names]
    return listed if len(listed) == len(names) else [*listed, OwnWay()]


def _meanings(
    table: RawTable, contract: Contract, equipment: str | None
) -> dict[str, set[str | None]]:
    """By column of the contract that has a tag: which columns of the file it is for the machines; None for none."""
    present, ways = set(table.names), _ways(table, contract, equipment)
    named = dict.fromkeys(name for way in ways for name in way.aliases.values())
    return {name: {_tag(name, way, present) for way in ways} for name in named}


def _tag(name: str, way: OwnWay, present: set[str]) -> str | None:
    """One machine's column of the file for a column of the contract."""
    own = [tag for tag, meant in way.aliases.items() if meant == name]
    return next((tag for tag in (*own, name) if tag in present), None)


def _linear(own: OwnWay, name: str, contract: Contract) -> tuple[float, float]:
    """Scale first, in the machine's unit, then the unit."""
    scale = own.scale.get(name, Scale())
    unit = contract.sensors[name].unit
    factor, offset = conversion(own.units.get(name, unit), unit)
    return scale.factor * factor, scale.offset * factor + offset


_CODE = "EQUIPMENT-UNKNOWN"
_SHOWN = 8


def note_machines(notes: Notes, contract: Contract, equipment: str | None) -> None:
    """Refuse a file whose machines cannot be told, are misspelt, or have different tags for one column."""
    if not contract.equipment or not len(notes.table):
        return
    if contract.equipment_column is None:
        _note_unnamed(notes, contract, equipment)
    _note_misspelt(notes, contract, equipment)
    note_disagreeing(notes, contract, equipment)


def _note_unnamed(notes: Notes, contract: Contract, equipment: str | None) -> None:
    """Without a column of machines one has to be named where they differ; the family may stand for all of them."""
    own = [name for name, way in contract.equipment.items() if way != Equipment()]
    if equipment is None and set(own) - {contract.family}:
        notes.file(
            _CODE,
            f"The contract has tags, units or scales of {_listed(own)}, and nothing tells whose rows these are",
            "Name the machine with --equipment, or add a column that names it and set `equipment_column`",
            expected="a machine",
            received="none",
        )
    elif contract.family in own and equipment not in (None, *contract.equipment):
        notes.file(
            _CODE,
            f"Machine {equipment!r} has no entry under `equipment`, but the family {contract.family!r} has one",
            f"Give {equipment!r} an entry of its own in the contract; `{{}}` if its files differ in nothing",
            expected=_listed(contract.equipment),
            received=str(equipment),
        )


def _note_misspelt(notes: Notes, contract: Contract, equipment: str | None) -> None:
    """A machine without an entry follows the contract; one that is called nearly like an entry is that machine."""
    listed = {_plain(name): name for name in contract.equipment}
    names = machines_of(notes.table, contract, equipment)
    meant = {
        name: listed[_plain(name)]
        for name in names
        if name not in contract.equipment and _plain(name) in listed
    }
    if meant:
        column = contract.equipment_column if equipment is None else None
        notes.file(
            _CODE,
            f"{_listed(meant)} is not in the contract, but {_listed(meant.values())} is",
            "Write the machine in one way: in the file, after --equipment and under `equipment` in the contract",
            column=column,
            count=len(meant),
            expected=", ".join(meant.values()),
            received=", ".join(list(meant)[:_SHOWN]),
        )


def _plain(name: str) -> str:
    """A name without what people and spreadsheets write now so, now so: ``pump-09``, ``Pump 9``, ``9.0``."""
    whole = re.sub(r"(?<=\d)\.0+$", "", name)
    return re.sub(r"[\s_-]|(?<!\d)0+(?=\d)", "", whole).casefold()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, list(names)[:_SHOWN]))
