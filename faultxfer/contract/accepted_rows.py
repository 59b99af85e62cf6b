"""What is left of a file: accepted rows, and those set aside."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.contract.checking import State
from faultxfer.contract.outcome import Checked
from faultxfer.contract.selection import LabelCells, first_breach, holds
from faultxfer.reading import columns


def outcome(check: State) -> Checked:
    """Accepted and rejected rows."""
    kept = check.mine & ~check.notes.aside()
    return Checked(
        accepted=_accepted(check, np.flatnonzero(kept)),
        rejected=check.notes.rejected(),
        findings=check.notes.sorted,
        read=len(check.table),
        left_out=int((~check.asked).sum()),
        table=check.table,
        validation=check.validation,
        unused=check.unused,
        unscored=_unscored(check),
    )


def _unscored(check: State) -> pd.DataFrame | None:
    """Rows outside `where` of a file to be scored."""
    if check.labelled or not check.contract.where:
        return None
    place = np.flatnonzero(check.outside)
    why = first_breach(check.table, check.contract.where)[place]
    remarks = [f"not scored: {reason}" for reason in why]
    return pd.DataFrame(_bookkeeping(check, place) | {columns.REMARK: remarks}, copy=False)


def refused(check: State) -> Checked:
    """Nothing but the findings."""
    nothing = check.table.frame.iloc[0:0]
    read = len(check.table)
    return Checked(nothing, nothing, check.notes.sorted, read, 0, check.table, check.validation)


def _accepted(check: State, place: np.ndarray) -> pd.DataFrame:
    """Accepted sensors with who, when and from where beside them."""
    every = len(place) == len(check.table)
    out: dict[str, object] = {}
    for name, values in check.values.items():
        out[name] = values if every else values[place]
    if check.fault is not None:
        out[columns.FAULT] = check.fault[place].astype("int8")
    out |= _bookkeeping(check, place)
    out |= _conditions(check, place)
    out[columns.TIME] = np.nan if check.seconds is None else check.seconds[place]
    return pd.DataFrame(out, copy=False)


def _bookkeeping(check: State, place: np.ndarray) -> dict[str, object]:
    """Whose the rows are, and where they stand."""
    contract, table = check.contract, check.table
    return {
        columns.FILE: _files(check, place),
        columns.ROW: place,
        columns.LINE: table.lines[place],
        columns.EQUIPMENT: _names(check, contract.equipment_column, contract.family, place),
        columns.RUN: _names(check, contract.run_column, table.file, place),
        columns.TIME_TEXT: _names(check, contract.time_column, "", place),
    }


def _files(check: State, place: np.ndarray) -> object:
    """The file of each row."""
    table = check.table
    if not table.sources:
        return _one_name(table.file, len(place))
    return pd.array(table.files_of(None, place), dtype="str")


def _conditions(check: State, place: np.ndarray) -> dict[str, object]:
    """Under which conditions the rows were recorded, as far as the contract asks."""
    contract = check.contract
    out: dict[str, object] = {}
    for name in contract.slices:
        out[columns.SLICE + name] = _names(check, name, "", place)
    if contract.mode_column:
        out[columns.MODE] = _names(check, contract.mode_column, "", place)
    if contract.running and set(contract.running) <= set(check.table.names):
        out[columns.RUNNING] = holds(check.table, contract.running)[place]
    if check.labels is not None:
        out |= _of_the_label(check, check.labels, place)
    return out


def _of_the_label(check: State, labels: LabelCells, place: np.ndarray) -> dict[str, object]:
    """The type of fault of rows to learn from; which rows to score the contract excludes."""
    if check.labelled:
        kind = labels.kind
        return {} if kind is None else {columns.FAULT_TYPE: kind.iloc[place].array}
    cells = check.table.stripped(check.contract.label.column).iloc[place]
    reason = f"excluded: {check.contract.label.column} is " + cells.replace("", "blank")
    return {columns.REMARK: reason.where(labels.exclude[place], "").array}


def _names(check: State, column: str | None, default: str, place: np.ndarray) -> object:
    names = check.key(column)
    if names is None:
        return _one_name(default, len(place))
    return (names if len(place) == len(names) else names.iloc[place]).array


def _one_name(name: str, rows: int) -> object:
    """The same text in every row, made at once."""
    text = pa.scalar(name, pa.large_string())
    return pd.array(pa.repeat(text, rows), dtype="str")
