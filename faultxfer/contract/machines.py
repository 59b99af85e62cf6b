"""Which machine rows belong to, and its own tags, units and scales turned into the contract's.

Another machine's units and tags would be wrong without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from faultxfer.contract.notes import Notes
from faultxfer.contract.schema import Contract, Equipment, Scale
from faultxfer.contract.units import conversion
from faultxfer.reading.table import RawTable
from faultxfer.spelling import asking

_UNKNOWN = "EQUIPMENT-UNKNOWN"
_SHOWN = 8


def machines_of(table: RawTable, contract: Contract, equipment: str | None) -> list[str]:
    """Machines whose rows are wanted, by name.

    That is the one asked for, or those of the file, or the family for all.
    """
    column = contract.equipment_column
    if equipment is not None or column is None or column not in table.names:
        return [equipment or contract.family]
    filled = table.stripped(column)[~table.missing(column)]
    return [str(name) for name in filled.unique()]


# Tags


def tags_of_sensors(contract: Contract) -> frozenset[str]:
    """Every name a column of numbers may have; sensors that say yes and no are left out."""
    measured = {name for name, sensor in contract.sensors.items() if sensor.dtype != "bool"}
    tags = set(measured)
    for own in contract.equipment.values():
        tags |= {tag for tag, name in own.aliases.items() if name in measured}
    shape = contract.tag_files
    if shape:
        return frozenset({shape.value} if shape.value else ())
    return frozenset({contract.long.value} if contract.long else tags)


def tags_of_columns(contract: Contract) -> frozenset[str]:
    """Every name a column that is used may have."""
    tags = {*contract.features, *contract.key_columns, contract.label.column}
    tags |= {*contract.csv.time_parts, *contract.slices, *contract.quality_columns}
    tags |= {*contract.condition_columns, *(contract.long.columns if contract.long else ())}
    tags |= set(contract.tag_files.columns if contract.tag_files else ())
    for own in contract.equipment.values():
        tags |= set(own.aliases)
    return frozenset(tags)


def translated(table: RawTable, contract: Contract, equipment: str | None) -> RawTable:
    """The table under the contract's column names, unless its machines disagree about them."""
    tags = {}
    for name, meant in _columns_meant(table, contract, equipment).items():
        tag = meant.pop() if len(meant) == 1 else None
        if tag is not None and tag != name:
            tags[name] = tag
    return table.with_tags(tags) if tags else table


def _ways(table: RawTable, contract: Contract, equipment: str | None) -> list[Equipment]:
    """How the machines of this file differ; one without an entry follows the contract."""
    if not contract.equipment:
        return []
    names = set(machines_of(table, contract, equipment))
    listed = [own for name, own in contract.equipment.items() if name in names]
    return listed if len(listed) == len(names) else [*listed, Equipment()]


def _columns_meant(
    table: RawTable, contract: Contract, equipment: str | None
) -> dict[str, set[str | None]]:
    """By column of the contract that has a tag: the columns of the file that machines mean by it.

    None stands for a machine that has none.
    """
    present, ways = set(table.names), _ways(table, contract, equipment)
    tagged: list[str] = []
    for own in ways:
        tagged += own.aliases.values()
    return {name: {_tag(name, own, present) for own in ways} for name in dict.fromkeys(tagged)}


def _tag(name: str, own: Equipment, present: set[str]) -> str | None:
    """One machine's column of the file for a column of the contract."""
    for tag, meant in own.aliases.items():
        if meant == name and tag in present:
            return tag
    return name if name in present else None


def note_doubled(notes: Notes, contract: Contract, equipment: str | None) -> None:
    """Refuse a file with two columns for one: nothing shows which of them is meant."""
    table = notes.table.with_tags({})
    present = set(table.names)
    for own in _ways(table, contract, equipment):
        for tag, name in own.aliases.items():
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


# Units and scales


def converted(
    values: np.ndarray,
    name: str,
    contract: Contract,
    equipment: str | None,
    machines: pd.Series | None,
) -> np.ndarray:
    """A sensor's values in the contract's unit.

    Args:
        values: (n,) as written in the file.
        name: the sensor.
        contract: says how machines differ.
        equipment: the machine, where it is known.
        machines: (n,) name of the machine of each row, where there is such a column.
    """
    for machine, own in contract.equipment.items():
        factor, offset = to_contract(own, name, contract)
        if (factor, offset) == (1.0, 0.0):
            continue
        if machines is not None:
            theirs = (machines == machine).to_numpy(dtype=bool)
            values = np.where(theirs, values * factor + offset, values)
        elif machine == (equipment or contract.family):
            values = values * factor + offset
    return values


def to_contract(own: Equipment, name: str, contract: Contract) -> tuple[float, float]:
    """Factor and offset from a machine's cells to the contract's numbers.

    The scale comes first, in the machine's unit, then the unit.
    """
    scale = own.scale.get(name, Scale())
    unit = contract.sensors[name].unit
    factor, offset = conversion(own.units.get(name, unit), unit)
    return scale.factor * factor, scale.offset * factor + offset


# Files whose machines cannot be told


def note_machines(notes: Notes, contract: Contract, equipment: str | None) -> None:
    """Refuse a file if its machines are not known, misspelt, or differ in a column's tag."""
    if not contract.equipment or not len(notes.table):
        return
    if contract.equipment_column is None:
        _note_unnamed(notes, contract, equipment)
    _note_misspelt(notes, contract, equipment)
    _note_disagreeing(notes, contract, equipment)


def note_absent(notes: Notes, machine: str, column: str, found: list[str]) -> None:
    """Refuse a file that has no row of the machine asked for."""
    notes.file(
        "EQUIPMENT-ABSENT",
        _without("file", [machine], found),
        asking(machine, found, "Check --equipment, or take the right file"),
        column=notes.table.tag(column),
        expected=machine,
        received=", ".join(found[:_SHOWN]),
    )


def _without(where: str, wanted: Iterable[str], there: Sequence[str]) -> str:
    """That machines are not in the contract, or not in the file, and which ones are.

    >>> _without("file", ["pump-9"], ["pump-1", "pump-2"])
    "Machine 'pump-9' is not in the file, which has 'pump-1', 'pump-2'"
    """
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    return f"Machine {_listed(wanted)} is not in the {where}, which has {_listed(there)}{more}"


def _note_unnamed(notes: Notes, contract: Contract, equipment: str | None) -> None:
    """Without a column of machines one has to be named where they differ.

    The family may stand for all of them.
    """
    own = [name for name, way in contract.equipment.items() if way != Equipment()]
    if equipment is None and set(own) - {contract.family}:
        notes.file(
            _UNKNOWN,
            f"The contract has tags, units, scales or missing sensors of {_listed(own)}, "
            "and nothing shows whose rows these are",
            "Name the machine with --equipment, or add a column that names it and set "
            "`equipment_column`",
            expected="a machine",
            received="none",
        )
    elif contract.family in own and equipment not in (None, *contract.equipment):
        notes.file(
            _UNKNOWN,
            _without("contract", [str(equipment)], [*contract.equipment]),
            f"The family {contract.family!r} has an entry under `equipment`, so give {equipment!r} "
            "one of its own in the contract; `{}` if its files differ in nothing",
            expected=_listed(contract.equipment),
            received=str(equipment),
        )


def _note_misspelt(notes: Notes, contract: Contract, equipment: str | None) -> None:
    """Refuse machines that have no entry, but nearly the name of one.

    Other machines without an entry follow the contract.
    """
    listed = {_plain(name): name for name in contract.equipment}
    meant = {}
    for name in machines_of(notes.table, contract, equipment):
        if name not in contract.equipment and _plain(name) in listed:
            meant[name] = listed[_plain(name)]
    if meant:
        notes.file(
            _UNKNOWN,
            _without("contract", meant, [*contract.equipment]),
            f"Did you mean {_listed(meant.values())}? Write the machine in one way: in the file, "
            "after --equipment and under `equipment` "
            "in the contract",
            column=contract.equipment_column if equipment is None else None,
            count=len(meant),
            expected=", ".join(meant.values()),
            received=", ".join(list(meant)[:_SHOWN]),
        )


def _plain(name: str) -> str:
    """A name without what people and spreadsheets write in one way or another.

    >>> _plain("pump-09") == _plain("Pump 9"), _plain("9.0")
    (True, '9')
    """
    whole = re.sub(r"(?<=\d)\.0+$", "", name)
    return re.sub(r"[\s_-]|(?<!\d)0+(?=\d)", "", whole).casefold()


def _note_disagreeing(notes: Notes, contract: Contract, equipment: str | None) -> None:
    """Refuse a file whose machines mean different columns of it by one of the contract."""
    table = notes.table.with_tags({})
    for name, meant in _columns_meant(table, contract, equipment).items():
        if len(meant) < 2:
            continue
        tags = ", ".join(sorted(map(repr, meant - {None})))
        if None in meant:
            tags += " or none"
        notes.file(
            "EQUIPMENT-MIXED",
            f"The machines of this file have {name!r} under different tags: {tags}",
            "Give each machine a file of its own, take one machine's rows with --equipment, "
            "or rename the columns",
            column=name,
            line=1,
            expected=f"one column for {name} in the rows of all machines",
            received=tags.replace("'", ""),
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, list(names)[:_SHOWN]))
