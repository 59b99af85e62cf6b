"""The lines of a log of faults as intervals of time, each as wide as it is not known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faultxfer.contract.fault_log import FaultLog
from faultxfer.contract.spans import seconds_of
from faultxfer.errors import DataError
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.table import RawTable, Remark
from faultxfer.reading.times import name_a_zone
from faultxfer.spelling import asking
from faultxfer.wording import counted, listed

OPEN, BACKWARDS, UNREADABLE, UNNAMED = "LOG-OPEN", "LOG-BACKWARDS", "LOG-UNREADABLE", "LOG-CODE"
_CLOCK = r"^(?P<hours>\d+):(?P<minutes>\d{2})(?::(?P<seconds>\d{2}(?:\.\d+)?))?$"
# A day without a clock ends just before the next one.
_DAY = 86_400 - 1e-3
_SHOWN = 5


@dataclass(frozen=True)
class Interval:
    """One line of the log.

    Attributes:
        machine: as the log names it; None in a log of one machine.
        first, start: earliest and latest time at which it may have begun, in the files' clock.
        end, last: earliest and latest time at which it may have ended; infinite where it lasts.
        is_fault: whether its rows are faults; else they are neither fault nor normal, but for one
            that ``is_normal``.
        code: what it was, empty where the log does not say.
        line: of the log.
    """

    machine: str | None
    first: float
    start: float
    end: float
    last: float
    is_fault: bool
    code: str
    line: int
    is_normal: bool = False


@dataclass(frozen=True)
class Log:
    """A log of faults as read.

    Attributes:
        file, sha256: its name and digest.
        intervals: in the order of their start.
        remarks: what is to be said of it.
        absolute: whether its times name their zone, or the contract does.
        counts: whether its times are plain numbers.
        how: it is read.
    """

    file: str
    sha256: str
    intervals: tuple[Interval, ...]
    remarks: tuple[Remark, ...]
    absolute: bool
    counts: bool
    how: FaultLog


def read_log(path: Path, how: FaultLog) -> Log:
    """Read a log of faults.

    Raises:
        DataError: it is no table, or lacks a column that the contract names.
    """
    table = read_csv(path, how.csv)
    for name in how.columns:
        if name not in table.names:
            raise DataError(
                "The log of faults has no such column",
                received={"column": name, "columns": table.names},
                where=path.name,
                remedy=asking(name, table.names, "Correct `label.log` in the contract"),
            )
    lines = _Lines(table, how)
    intervals, remarks = lines.read()
    return Log(
        table.file,
        table.sha256,
        tuple(sorted(intervals, key=lambda each: (each.start, each.line))),
        tuple(remarks),
        is_absolute(table, how.start),
        table.times(how.start).style == "a number",
        how,
    )


def is_absolute(table: RawTable, column: str) -> bool:
    """Whether times name their zone, are counted since 1970, or have a zone by the contract."""
    if table.dialect.times.zone or table.times(column).style.endswith("since 1970"):
        return True
    return bool(name_a_zone(table.stripped(column)).any())


class _Lines:
    """What stands in each line."""

    def __init__(self, table: RawTable, how: FaultLog) -> None:
        self.table = table
        self.how = how
        self.first, self.start = table.either_time(how.start)
        self.end, self.last = self._ends()
        self.machine = table.stripped(how.equipment) if how.equipment else None
        self.code = table.stripped(how.code).fillna("") if how.code else None
        self.in_order = np.isin(self._codes(), how.normal)

    def _ends(self) -> tuple[np.ndarray, np.ndarray]:
        if self.how.duration is None:
            column = str(self.how.end)
            end, last = self.table.either_time(column)
            whole = _without_clock(self.table, column)
            return np.where(whole, end + _DAY, end), np.where(whole, last + _DAY, last)
        lasted = durations(self.table, self.how.duration, self.how.duration_unit)
        return self.first + lasted, self.start + lasted

    def read(self) -> tuple[list[Interval], list[Remark]]:
        """Intervals, and what is to be said of lines that say less than they should."""
        blank = self._blank_ends()
        lost = np.isnan(self.start) | (np.isnan(self.end) & ~blank)
        if self.machine is not None:
            lost |= self.machine.eq("").to_numpy() | self.machine.isna().to_numpy()
        back = ~lost & (self.last < self.first)
        kinds = self._kinds()
        unnamed = ~lost & ~self.in_order
        unnamed &= np.array([kind is None for kind in kinds], dtype=bool)
        remarks = [
            *self._remark(lost, UNREADABLE, _LOST, _MEND_LOG, self.how.start),
            *self._remark(back, BACKWARDS, _BACK, _MEND_LOG, self.how.end or self.how.start),
            *self._remark(blank & ~lost, OPEN, _OPEN, _GIVE_END, self.how.end or self.how.start),
            *self._remark(unnamed, UNNAMED, self._unnamed(unnamed), _NAME_CODE, self.how.code),
        ]
        ends = self._lasting(blank, lost)
        return [
            self._interval(place, kinds[place] is True and not back[place], ends)
            for place in map(int, np.flatnonzero(~lost))
        ], remarks

    def _blank_ends(self) -> np.ndarray:
        column = self.how.duration or self.how.end
        blank: np.ndarray = self.table.missing(str(column)).to_numpy(dtype=bool)
        return blank

    def _kinds(self) -> list[bool | None]:
        """Whether each line is a fault; None where the contract does not know its code."""
        if self.code is None:
            return [True] * len(self.table)
        codes, how = self._codes(), self.how
        if how.fault:
            known = {**dict.fromkeys(how.fault, True), **dict.fromkeys(how.exclude, False)}
            return [known.get(code) for code in codes]
        return [code not in (*how.exclude, *how.normal) for code in codes]

    def _codes(self) -> list[str]:
        """(m,) codes, empty where the log has none."""
        return [""] * len(self.table) if self.code is None else [str(code) for code in self.code]

    def _lasting(self, blank: np.ndarray, lost: np.ndarray) -> np.ndarray:
        """(m,) until when an interval without an end may have lasted: the machine's next line."""
        until = np.full(len(self.table), np.inf)
        names = self.machine if self.machine is not None else pd.Series("", index=range(len(until)))
        for place in np.flatnonzero(blank & ~lost):
            of_machine = (names == names.iloc[place]).to_numpy(dtype=bool) & ~lost
            later = self.first[of_machine & (self.first > self.start[place])]
            until[place] = later.min() if len(later) else np.inf
        return until

    def _interval(self, place: int, is_fault: bool, until: np.ndarray) -> Interval:
        first, start = self.first[place], self.start[place]
        end, last = self.end[place], self.last[place]
        if np.isnan(end):
            # The last of a machine still lasts; of others nobody wrote down when it was over.
            last = until[place]
            end = np.inf if np.isinf(last) else start
        elif last < first:
            first, start, last = end, first, start
        machine = None if self.machine is None else str(self.machine.iloc[place])
        code = "" if self.code is None else str(self.code.iloc[place])
        line = int(self.table.lines[place])
        is_normal = bool(self.in_order[place]) and last >= start
        return Interval(machine, first, start, end, last, is_fault, code, line, is_normal)

    def _unnamed(self, rows: np.ndarray) -> str:
        codes = [] if self.code is None else [repr(code) for code in self.code[rows].unique()]
        return "of a code that the contract does not name: " + listed(codes, most=_SHOWN)

    def _remark(
        self, rows: np.ndarray, code: str, what: str, remedy: str, column: str | None
    ) -> list[Remark]:
        places = np.flatnonzero(rows)
        if not len(places):
            return []
        message = f"{counted(len(places), 'line')} of the log of faults {what}"
        line, file = int(self.table.lines[places[0]]), self.table.file
        return [Remark(code, message, remedy, column or "", len(places), line, file)]


_LOST = "cannot be placed: a start, an end or a machine is missing or cannot be read"
_BACK = "end before they begin: the rows between are neither fault nor normal"
_OPEN = (
    "have no end: the last of a machine still lasts, after others the rows up to the next line "
    "are neither fault nor normal"
)
_MEND_LOG = "Correct these lines in the log, or take them out"
_GIVE_END = "Write down when it was over"
_NAME_CODE = "Add the code to `label.log.fault` or to `label.log.exclude` in the contract"


# Times


def _without_clock(table: RawTable, column: str) -> np.ndarray:
    """(m,) bool: days, without a time of day."""
    if table.times(column).style.endswith(("a number", "since 1970")):
        return np.zeros(len(table), dtype=bool)
    cells = table.stripped(column).fillna("")
    found: np.ndarray = cells.str.fullmatch(r"[^:T]*").to_numpy(dtype=bool)
    return found & (table.times(column).seconds.mod(86_400) == 0).to_numpy()


def durations(table: RawTable, column: str, unit: str) -> np.ndarray:
    """(m,) float64 seconds that each lasted; NaN where a cell cannot be read.

    Cells such as 2:30 are hours and minutes, whatever the unit.
    """
    seconds = table.numbers(column).to_numpy(dtype=float) * seconds_of(f"1{unit}")
    clock = table.stripped(column).str.extract(_CLOCK).astype("float64")
    told = (clock["hours"] * 3600 + clock["minutes"] * 60 + clock["seconds"].fillna(0)).to_numpy()
    seconds = np.where(np.isnan(told), seconds, told)
    return np.where(seconds >= 0, seconds, np.nan)


def machines_of(intervals: Sequence[Interval]) -> list[str]:
    """Machines that a log names, each once, in order."""
    return sorted({each.machine for each in intervals if each.machine is not None})
