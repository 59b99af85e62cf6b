"""Columns of a file: which are there, which the check goes on without, which it does not know."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from faultxfer.contract import machines
from faultxfer.contract.checking import State
from faultxfer.contract.lacking import in_yaml, lacked_by_all, without_at_scoring
from faultxfer.contract.notes import Notes
from faultxfer.contract.schema import Contract
from faultxfer.reading.find_long import find_long
from faultxfer.spelling import meant

# How many names a message lists.
_SHOWN = 8


class _Lacking(NamedTuple):
    """Words for columns that are not there."""

    instead: str
    remedy: str


# By what holds the sensors of a contract.
_LACKING = {
    "columns": _Lacking(
        "column(s) of the contract are missing",
        "Rename the columns in the export, or name the machine's own tags under `equipment` "
        "in the contract, which `faultxfer contract map` drafts",
    ),
    "files": _Lacking(
        "tag(s) of the contract have no file",
        "Name the files of all tags in one command, rename them, or name the machine's own tags "
        "under `equipment` in the contract",
    ),
}
_GIVE_LOG = "Name the log of faults that labels the rows: `--events LOG.csv`"


def note_columns(check: State) -> None:
    """The machines are known, and the columns are there, each once."""
    check.notes.remarks(check.contract.severity)
    machines.note_machines(check.notes, check.contract, check.equipment)
    if not check.notes.refused:
        machines.note_doubled(check.notes, check.contract, check.equipment)
        lacked = lacked_by_all([check.table], check.contract, check.equipment) | check.without
        note_gone(check, _absent_and_filled(check, lacked), "is not in the file")
        lacked |= check.gone
        needed = _needed(check.contract, check.labelled, lacked)
        _note_columns(check.notes, check.contract, needed, partial(going_on_without, check))
        absent = [name for name in check.contract.features if name not in check.table.names]
        check.table = check.notes.table = check.table.with_blank(lacked.intersection(absent))


def _absent_and_filled(check: State, lacked: frozenset[str]) -> frozenset[str]:
    """Sensors without a column that the model at hand fills in; none where it is no loss.

    A column that may be there under a misspelt name is asked about. So is a file of which most
    is missing: it is another one.

    Args:
        check: of the file.
        lacked: sensors that no row has, as is known before.
    """
    present = check.table.names
    every = [name for name in check.contract.features if name not in present]
    absent = [name for name in every if name not in lacked]
    if not check.scoring or not len(check.table) or _meant(absent, present, check.contract):
        return frozenset()
    share = len(every) / len(check.contract.features)
    is_other = check.of_a_file and share > check.contract.max_imputed
    if is_other or check.contract.why_needed(every):
        return frozenset()
    return check.fills.intersection(absent)


def note_gone(check: State, names: Iterable[str], problem: str) -> None:
    """Sensors that are filled in in every row."""
    for name in names:
        check.gone |= {name}
        check.notes.file(
            "SENSOR-GONE",
            f"Sensor {name!r} {problem}, and is filled in from the other sensors in every row",
            "Repair the sensor or its export; if it does not come back, make a version without "
            f"it: `--without {shlex.quote(name)}` at `faultxfer transfer`",
            column=check.table.tag(name),
            count=len(check.table),
            expected="a value",
        )


def going_on_without(check: State, absent: tuple[str, ...]) -> str:
    """What to do where a file has nothing of these sensors and that is all that is wrong."""
    return without_at_scoring(absent) if check.scoring else lacking_by(absent, check.equipment)


def _note_columns(
    notes: Notes,
    contract: Contract,
    needed: list[str],
    go_on: Callable[[tuple[str, ...]], str],
) -> None:
    """Note an empty file, and columns that are missing or unknown.

    Args:
        notes: of the table.
        contract: what the file must look like.
        needed: columns that must be there.
        go_on: what to do where nothing but these sensors is missing.
    """
    if not len(notes.table):
        notes.file(
            "FILE-EMPTY",
            "The file has no data rows",
            "Check the export; at least a header and rows are needed",
        )
        return
    present = notes.table.names
    missing = [name for name in needed if name not in present]
    if _note_long(notes, contract, missing):
        return
    if missing:
        words = _LACKING["files" if contract.tag_files else "columns"]
        asked = _meant(missing, notes.table.names, contract)
        absent = () if asked else absent_of(missing, contract)
        by_log = contract.label.log is not None and missing == [contract.label.column]
        remedy = _GIVE_LOG if by_log else words.remedy
        notes.file(
            "COLUMN-MISSING",
            f"{len(missing)} {words.instead}: {', '.join(missing[:_SHOWN])}",
            f"{asked}{remedy}{go_on(absent)}",
            count=len(missing),
            expected=", ".join(needed),
            received=", ".join(present),
            absent=absent,
        )
    known = _known(contract)
    unknown = [name for name in present if name not in known]
    if unknown:
        notes.file(
            "COLUMN-UNKNOWN",
            f"{len(unknown)} column(s) are not in the contract and are not used: "
            f"{', '.join(unknown[:_SHOWN])}",
            "Name them under `ignore` to silence this",
            count=len(unknown),
        )


def absent_of(missing: list[str], contract: Contract) -> tuple[str, ...]:
    """Sensors that a machine may lack, where nothing else is missing; none where more is."""
    absent = [name for name in missing if name in contract.sensors]
    qualities = [contract.sensors[name].quality for name in absent]
    explained = {*absent, *(quality.column for quality in qualities if quality)}
    if contract.why_needed(absent) or not explained.issuperset(missing):
        return ()
    return tuple(absent)


def lacking_by(absent: tuple[str, ...], equipment: str | None) -> str:
    """What to write where the machine does not have these sensors; empty where none is meant."""
    if not absent:
        return ""
    option = " ".join(f"--without {shlex.quote(name)}" for name in absent)
    machine = f" {equipment!r}" if equipment else ""
    return (
        f". Where the machine{machine} has no such sensor, write `lacks: {in_yaml(absent)}` at its "
        f"name under `equipment:` in the contract, or go on with `{option}`, which commands for "
        "one machine take"
    )


def _meant(missing: list[str], present: Iterable[str], contract: Contract) -> str:
    """Columns of the file that missing ones may be under a misspelt name, each once."""
    known, told = _known(contract), []
    free = [name for name in present if name not in known]
    for name in missing:
        found = meant(name, free)
        if found is not None:
            free.remove(found)
            told.append(f"{found!r} for {name!r}")
    return f"Is it {', '.join(told[:_SHOWN])}? " if told else ""


def _note_long(notes: Notes, contract: Contract, missing: list[str]) -> bool:
    """Refuse a file with one reading in each row where the contract describes none.

    Its columns are missing, or its only sensor is the column that all tags share.
    """
    sensors = set(contract.features)
    if contract.long or not (sensors <= set(missing) or len(sensors) == 1):
        return False
    keys = {contract.label.column, contract.equipment_column, contract.run_column}
    found = find_long(notes.table, frozenset(filter(None, keys)))
    if found is None or not (sensors <= set(missing) or found.value in sensors):
        return False
    notes.file(
        "FILE-LONG",
        f"The file has one reading in each row: several tags share one column, {found.value!r}",
        "Say so in the contract: "
        f"`long: {{time: {found.time}, tag: {found.tag}, value: {found.value}}}`, with "
        f"`time_column: {found.time}` and the tags under `sensors`; `faultxfer contract infer` "
        "drafts it",
        column=found.tag,
        line=1,
        expected="a column for each sensor",
        received=f"{found.time}, {found.tag}, {found.value}",
    )
    return True


def _needed(contract: Contract, labelled: bool, lacked: frozenset[str]) -> list[str]:
    """Columns without which a file is refused, each once.

    Args:
        contract: what the file must look like.
        labelled: whether the label is needed.
        lacked: sensors that no machine of the file has.
    """
    had = {name: sensor for name, sensor in contract.sensors.items() if name not in lacked}
    qualities = {sensor.quality.column for sensor in had.values() if sensor.quality}
    needed = [*had, *sorted(qualities)]
    if labelled:
        needed += [contract.label.column, *contract.key_columns, *contract.condition_columns]
        return list(dict.fromkeys(needed))
    needed += contract.where
    if contract.equipment_column:
        # Without a run column a file to be scored is one recording; time is only copied.
        needed.append(contract.equipment_column)
    return list(dict.fromkeys(needed))


def _known(contract: Contract) -> set[str]:
    others = (contract.label.column, *contract.key_columns, *contract.condition_columns)
    parts = (*contract.csv.time_parts, *contract.quality_columns)
    return {*contract.features, *contract.ignore, *contract.slices, *others, *parts}
