"""Which of the contract's machines the rows belong to: another one's units and tags would be wrong without a word."""

from __future__ import annotations

import re
from collections.abc import Iterable

from faultxfer.contract.notes import Notes
from faultxfer.contract.schema import Contract, Equipment
from faultxfer.contract.tags import machines_of, note_disagreeing

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
