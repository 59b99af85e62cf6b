"""Labels of rows by a log of faults: inside an interval, near one, or outside of all."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.contract.fault_log import LEFT_OUT, NOBODY_KNOWS, FaultLog
from faultxfer.contract.intervals import Interval, Log, is_absolute, machines_of
from faultxfer.contract.schema import Contract, Label
from faultxfer.contract.selection import label_cells
from faultxfer.errors import ContractError, DataError
from faultxfer.reading.table import RawTable, Remark
from faultxfer.spelling import asking
from faultxfer.wording import counted, listed

DISAGREES, OVERLAPS, NO_ROWS = "LOG-DISAGREES", "LOG-OVERLAP", "LOG-NO-ROWS"
_SHOWN = 5


def labelled_by_log(tables: Sequence[RawTable], contract: Contract, log: Log) -> list[RawTable]:
    """The same files with a label column that the log fills.

    Args:
        tables: files as read.
        contract: with keys, label and machines.
        log: of faults.

    Raises:
        DataError: rows and log cannot be put on one clock, or the log knows none of the machines.
    """
    rows = [_Rows(table, contract) for table in tables]
    _require_common_clock(tables, contract, log)
    _require_machines(rows, log.how, log)
    labelled = [_labelled(each, contract.label, log.how, log) for each in rows]
    missed = _missed(rows, log)
    return [
        dataclasses.replace(table, remarks=(*table.remarks, *more))
        for table, more in zip(labelled, _told_once(log, missed, len(labelled)), strict=True)
    ]


def how_of(contract: Contract) -> FaultLog:
    """How the contract says that a log of faults is read.

    Raises:
        ContractError: it does not say so.
    """
    if contract.label.log is None:
        raise ContractError(
            "The contract does not say how a log of faults is read",
            received={"label.log": None},
            remedy="Draft it: `faultxfer contract infer CSV --events LOG --out FILE`, and copy "
            "`log:` below `label:`",
        )
    return contract.label.log


class _Rows:
    """Rows of a file by machine, in the order of time."""

    def __init__(self, table: RawTable, contract: Contract) -> None:
        time = _time_column(table, contract)
        self.table = table
        self.seconds = table.times(time).seconds.to_numpy()
        column = contract.equipment_column
        if column is None or column not in table.names:
            self.names = np.full(len(table), contract.machine_of_unnamed_rows or "", dtype=object)
        else:
            self.names = table.stripped(column).to_numpy(dtype=object)
        self.unnamed = column is None
        self._in_order: dict[str | None, tuple[np.ndarray, np.ndarray]] = {}

    def of(self, machine: str | None) -> np.ndarray:
        """(n,) bool: the rows of a machine; all where the log or the files name none."""
        if machine is None or self.unnamed:
            return np.ones(len(self.seconds), dtype=bool)
        found: np.ndarray = self.names == machine
        return found

    def between(self, machine: str | None, first: float, last: float) -> np.ndarray:
        """Places of a machine's rows from a time to another, both counted in."""
        places, seconds = self.in_order(machine)
        begin = np.searchsorted(seconds, first, side="left")
        return places[begin : np.searchsorted(seconds, last, side="right")]

    def in_order(self, machine: str | None) -> tuple[np.ndarray, np.ndarray]:
        """Places of a machine's rows that have a time, and these times, which grow."""
        if machine not in self._in_order:
            places = np.flatnonzero(self.of(machine) & ~np.isnan(self.seconds))
            places = places[np.argsort(self.seconds[places], kind="stable")]
            self._in_order[machine] = places, self.seconds[places]
        return self._in_order[machine]


def _time_column(table: RawTable, contract: Contract) -> str:
    if contract.time_column is None or contract.time_column not in table.names:
        raise DataError(
            "A log of faults needs the time of each row, and there is none",
            received={"time_column": contract.time_column, "columns": table.names},
            where=table.file,
            remedy="Name the column of times in the contract: `time_column`",
        )
    return contract.time_column


def _require_common_clock(tables: Sequence[RawTable], contract: Contract, log: Log) -> None:
    time = str(contract.time_column)
    for table in tables:
        if not len(table):
            continue
        rows_count = table.times(time).style == "a number"
        if rows_count != log.counts:
            raise DataError(
                "The log of faults and the rows do not count time alike",
                received={"log": _clock(log.counts), "rows": _clock(rows_count)},
                where=f"{log.file} and {table.file}",
                remedy="Give the log in the units of the time column",
            )
        if is_absolute(table, time) != log.absolute:
            named, silent = ("log", "rows") if log.absolute else ("rows", "log")
            field = "csv" if log.absolute else "label.log.csv"
            raise DataError(
                f"The times of the {named} name their zone, and those of the {silent} do not",
                received={"log names a zone": log.absolute},
                where=f"{log.file} and {table.file}",
                remedy=f"Say in the contract in which zone the {silent} are: "
                f"`{field}: {{timezone: Europe/Berlin}}`",
            )


def _clock(counts: bool) -> str:
    return "plain numbers" if counts else "times"


def _require_machines(rows: Sequence[_Rows], how: FaultLog, log: Log) -> None:
    """A log of other machines would call every row of these normal."""
    present = sorted({str(name) for each in rows for name in pd.unique(each.names)})
    if how.equipment is None and len(present) > 1:
        raise DataError(
            "The files hold several machines, and the log does not say whose faults it has",
            received={"machines": present[:_SHOWN]},
            where=log.file,
            remedy="Name the column of the log that says the machine: `label.log.equipment`",
        )
    named = machines_of(log.intervals)
    if rows and rows[0].unnamed and len(named) > 1:
        raise DataError(
            "The log names several machines, and no column of the files says whose rows they are",
            received={"machines": named[:_SHOWN]},
            where=log.file,
            remedy="Give the lines of one machine, or name `equipment_column` in the contract",
        )
    if named and present and not rows[0].unnamed and not set(named) & set(present):
        raise DataError(
            "The log of faults names none of the machines of the files",
            received={"log": listed(named, most=_SHOWN), "files": listed(present, most=_SHOWN)},
            where=log.file,
            remedy=asking(
                named[0], present, "Give machines the same names in both, or give the right log"
            ),
        )


# One file


def _labelled(rows: _Rows, label: Label, how: FaultLog, log: Log) -> RawTable:
    fault, left_out, overlap = _marked(rows, how, log)
    outside = label.normal[0] if how.complete else NOBODY_KNOWS
    said = np.full(len(rows.table), outside, dtype=object)
    in_order = _in_order(rows, log)
    said[in_order] = label.normal[0]
    said[fault >= 0] = [_spelling(log.intervals[which], label) for which in fault[fault >= 0]]
    said[left_out] = LEFT_OUT
    told = _counted(log, fault, left_out, how, in_order & (fault < 0) & ~left_out)
    table, remarks = rows.table, _overlapping(rows.table, how, log, overlap)
    if label.column in table.names:
        said, disagreeing = _beside_column(table, label, said)
        remarks += _disagreeing(table, label, log, disagreeing)
    cells = {table.tag(label.column): pa.array(said, pa.large_string())}
    return dataclasses.replace(
        table.with_text(cells),
        remarks=(*table.remarks, *remarks),
        made_of=", ".join(filter(None, [table.made_of, told])),
    )


def _marked(rows: _Rows, how: FaultLog, log: Log) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the log says of each row.

    Returns:
        (n,) number of the interval in which a row is a fault, -1 elsewhere; (n,) bool, left out;
        (n,) bool, inside a fault and inside what is left out.
    """
    count = len(rows.table)
    fault, near, aside = np.full(count, -1), np.zeros(count, bool), np.zeros(count, bool)
    for number, each in enumerate(log.intervals):
        inside = rows.between(each.machine, each.start, each.end)
        first, last = each.first - how.before_seconds, each.last + how.after_seconds
        if each.is_normal:
            continue
        if each.is_fault:
            fault[inside] = np.where(fault[inside] < 0, number, fault[inside])
            near[rows.between(each.machine, first, last)] = True
        else:
            aside[rows.between(each.machine, each.first, each.last)] = True
    aside |= (fault >= 0) & _in_order(rows, log)
    overlap = (fault >= 0) & aside
    return np.where(aside, -1, fault), aside | (near & (fault < 0)), overlap


def _in_order(rows: _Rows, log: Log) -> np.ndarray:
    """(n,) bool: rows that somebody looked at and found normal."""
    found = np.zeros(len(rows.table), dtype=bool)
    for each in log.intervals:
        if each.is_normal:
            found[rows.between(each.machine, each.start, each.end)] = True
    return found


def _spelling(interval: Interval, label: Label) -> str:
    """How the label column says this fault: by its code, where the contract knows types."""
    return interval.code if interval.code in label.types else label.faults[0]


def _beside_column(
    table: RawTable, label: Label, said: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Log and label column together, where a file has both.

    Returns:
        (n,) text; (n,) bool, rows of which one says fault and the other normal: they are left out.
    """
    column = table.stripped(label.column).fillna("").to_numpy(dtype=object)
    cells = label_cells(table, label)
    by_column = {"fault": cells.of(label.faults), "normal": cells.of(label.normal)}
    by_log = {"fault": np.isin(said, label.faults), "normal": np.isin(said, label.normal)}
    against = (by_column["fault"] & by_log["normal"]) | (by_column["normal"] & by_log["fault"])
    silent = (column == "") | (by_log["fault"] & by_column["fault"])
    together = np.where(silent | (said == LEFT_OUT), said, column)
    return np.where(against, LEFT_OUT, together), against


# What is said


def _counted(
    log: Log, fault: np.ndarray, left_out: np.ndarray, how: FaultLog, in_order: np.ndarray
) -> str:
    """In how many faults how many rows lie, and what the others are."""
    faults = len(np.unique(fault[fault >= 0]))
    outside = len(fault) - int((fault >= 0).sum()) - int(left_out.sum()) - int(in_order.sum())
    parts = [f"{counted(int((fault >= 0).sum()), 'row')} in {counted(faults, 'fault')}"]
    if in_order.any():
        parts.append(f"{int(in_order.sum())} looked at and normal")
    if left_out.any():
        parts.append(f"{int(left_out.sum())} near one or left out")
    parts.append(f"{outside} {'normal' if how.complete else 'of which nobody knows'}")
    return f"by {log.file}: {', '.join(parts)}"


_OVERLAP = "{rows} lie in a fault and in an interval that is none at once: neither fault nor normal"
_DISAGREE = (
    "Of {rows} the label column and the log of faults say different things: they are neither "
    "fault nor normal"
)


def _overlapping(table: RawTable, how: FaultLog, log: Log, rows: np.ndarray) -> list[Remark]:
    remedy = f"Nothing, if the machine was being looked after; else correct {log.file}"
    return _of_rows(OVERLAPS, _OVERLAP, remedy, how.code or "", table, rows)


def _disagreeing(table: RawTable, label: Label, log: Log, rows: np.ndarray) -> list[Remark]:
    remedy = f"Ask who labelled the rows which is right, and correct the file or {log.file}"
    return _of_rows(DISAGREES, _DISAGREE, remedy, label.column, table, rows)


def _of_rows(
    code: str, message: str, remedy: str, column: str, table: RawTable, rows: np.ndarray
) -> list[Remark]:
    """A remark on (n,) rows; none where there are none."""
    count = int(rows.sum())
    if not count:
        return []
    line = int(table.lines[int(rows.argmax())])
    return [Remark(code, message.format(rows=counted(count, "row")), remedy, column, count, line)]


def _missed(rows: Sequence[_Rows], log: Log) -> list[Interval]:
    """Faults inside the time of the files of which no row shows anything."""
    return [
        each
        for each in log.intervals
        if each.is_fault
        and any(_passes_by(part, each) for part in rows)
        and not any(len(part.between(each.machine, each.start, each.end)) for part in rows)
    ]


def _passes_by(rows: _Rows, interval: Interval) -> bool:
    _, seconds = rows.in_order(interval.machine)
    return bool(len(seconds) and seconds[0] <= interval.start and interval.end <= seconds[-1])


def _told_once(log: Log, missed: Sequence[Interval], tables: int) -> list[tuple[Remark, ...]]:
    """What is to be said of the log itself: with the first of the files."""
    told = list(log.remarks)
    if missed:
        lines = listed([f"line {each.line}" for each in missed], most=_SHOWN)
        message = (
            f"{counted(len(missed), 'fault')} of the log fall between two rows, so that no row "
            f"shows them: {lines}"
        )
        remedy = "Nothing, if they were shorter than the sampling; else look for the rows"
        line = missed[0].line
        told.append(Remark(NO_ROWS, message, remedy, "", len(missed), line, log.file))
    return [tuple(told) if place == 0 else () for place in range(tables)]
