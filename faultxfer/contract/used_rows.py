"""Which rows of a file are used: of the machine asked for, inside `where`, with a label."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from faultxfer.contract import machines
from faultxfer.contract.checking import State
from faultxfer.contract.selection import common_values, holds, label_cells


class _LeftOut(NamedTuple):
    """Why rows are left out on purpose."""

    name: str
    code: str
    field: str


_OUTSIDE = _LeftOut("outside `where`", "ROWS-LEFT-OUT", "`where`")


WITHOUT_LABEL = "without a label"
_NO_LABEL = _LeftOut(WITHOUT_LABEL, "LABEL-LEFT-OUT", "`label.unknown`")


_EXCLUDED = _LeftOut("excluded by their label", "LABEL-LEFT-OUT", "`label.exclude`")


def choose_machine(check: State) -> None:
    """Which rows belong to the machine asked for."""
    column = check.contract.equipment_column
    check.asked = check.mine = np.ones(len(check.table), dtype=bool)
    if check.equipment is None or column is None:
        return
    names = check.table.stripped(column)
    check.asked = check.mine = (names == check.equipment).to_numpy(dtype=bool)
    if not check.mine.any() and not check.of_a_part:
        machines.note_absent(check.notes, check.equipment, column, sorted(names.unique()))


def choose_used(check: State) -> None:
    """Which rows the contract uses: by `where`, and by the label where it is needed."""
    check.outside = np.zeros(len(check.table), dtype=bool)
    for column, values in check.contract.where.items():
        outside = check.mine & ~holds(check.table, {column: values})
        check.outside |= outside
        _leave_out(check, outside, _OUTSIDE, column, values)
    label = check.contract.label
    if label.column not in check.table.names or not (check.labelled or label.marks):
        return
    check.labels = label_cells(check.table, label)
    if check.labelled:
        known = (*label.normal, *label.faults)
        unknown = check.labels.unknown & ~_joined_without_time(check)
        _leave_out(check, unknown, _NO_LABEL, label.column, known)
        _leave_out(check, check.labels.exclude, _EXCLUDED, label.column, known)


def _remedy(check: State, reason: _LeftOut) -> str:
    log = check.contract.label.log
    if reason is _NO_LABEL and log is not None and not log.complete:
        return (
            "If every fault stands in the log, say so in the contract: `label.log.complete: true`"
        )
    return f"Nothing, if that is meant; else change {reason.field} in the contract"


def _joined_without_time(check: State) -> np.ndarray:
    """(n,) bool: readings that could not be joined, as nothing shows when they were made."""
    time = check.contract.time_column
    if not check.table.sources or time is None:
        return np.zeros(len(check.table), dtype=bool)
    lost: np.ndarray = check.table.times(time).seconds.isna().to_numpy()
    return lost


def _leave_out(
    check: State, rows: np.ndarray, reason: _LeftOut, column: str, used: tuple[str, ...]
) -> None:
    """Leave rows out that the contract does not use, count them, and say so."""
    places = np.flatnonzero(rows & check.mine)
    if not len(places):
        return
    check.mine = check.mine & ~rows
    check.unused[reason.name] = check.unused.get(reason.name, 0) + len(places)
    values = common_values(check.table.stripped(column).iloc[places])
    check.notes.rows(
        reason.code,
        places,
        column,
        f"{len(places)} row(s) are {reason.name} and not used: {values}",
        _remedy(check, reason),
        expected=", ".join(used),
        severity="warn",
    )
