"""A log of faults beside sensor files: which table is one, and which of its columns say what."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from faultxfer.contract.fault_log import FaultLog, Unit
from faultxfer.drafting.draft import quoted
from faultxfer.errors import DataError
from faultxfer.reading.find_long import are_numbers, are_times
from faultxfer.reading.table import RawTable
from faultxfer.spelling import asking

_START = re.compile(
    r"start|begin|began|from|raised|onset|since|von|beginn|anfang|debut|début|inicio"
)
_END = re.compile(r"end|stop|until|till|cleared|finish|\bto\b|_to\b|bis|fin\b|fine\b|ende")
_DURATION = re.compile(r"dur|down ?_?time|length|minutes|hours|lasted|dauer|durée|duree")
_CODE = re.compile(r"code|desc|reason|cause|category|type|text|message|alarm|event|fault|grund")
_UNITS: dict[Unit, re.Pattern[str]] = {
    "h": re.compile(r"hour|(?:_|\b)h(?:rs?)?\b|stunden"),
    "min": re.compile(r"min"),
    "s": re.compile(r"sec|(?:_|\b)s\b|sek"),
    "d": re.compile(r"day|(?:_|\b)d\b|tage"),
}
_NEITHER = re.compile(
    r"maint|servic|inspect|planned|shut ?down|stand ?still|stopp|idle|calibrat|test|clean|repair|"
    r"wartung|stillstand|reinig|kalibr|geplant|entretien|arrêt|parada|mantenim",
    re.IGNORECASE,
)
# A log has a few numbers beside its times: an id, a duration, a count.
_MOST_NUMBERS, _MOST_CODES = 3, 60
_IN_ORDER = 0.8


@dataclass(frozen=True)
class FoundLog:
    """What a log of faults seems to say.

    Attributes:
        how: its columns.
        codes: what happened, the most frequent first; empty without a column for it.
        machines: that it names, in order.
        file: its name.
    """

    how: FaultLog
    codes: tuple[str, ...]
    machines: tuple[str, ...]
    file: str

    @property
    def questions(self) -> list[str]:
        """What a person has to decide about the log, a sentence each."""
        sure = "Is every fault of these machines in it? If so, set `complete: true`; until then no"
        asked = [f"{self.file}: {sure} row is known to be normal."]
        if self.how.exclude:
            words = ", ".join(map(repr, self.how.exclude))
            asked.append(
                f"{self.file}: taken for neither fault nor normal, by their words: {words}."
            )
        return asked

    def section(self) -> list[str]:
        """Lines below ``label:`` of a contract."""
        how = self.how
        ends = [f"    end: {quoted(how.end)}"] if how.end else []
        if how.duration:
            ends = [f"    duration: {quoted(how.duration)}"]
            ends += [f"    duration_unit: {how.duration_unit}"]
        machine = [f"    equipment: {quoted(how.equipment)}"] if how.equipment else []
        return [
            f"  # From {self.file}; `--events` names such a file. Rows in an interval are faults.",
            "  log:",
            f"    start: {quoted(how.start)}",
            *ends,
            *machine,
            *self._codes(),
            "    # How much earlier a fault may have begun than was written down, and how much",
            "    # longer it may have lasted; these rows are neither fault nor normal.",
            "    # before: 30min",
            "    # after: 30min",
            "    # Whether every fault of these machines stands in the log. Only then are all",
            "    # other rows normal; else nobody knows what they are, and they teach nothing.",
            "    complete: false",
            *self._pins(),
        ]

    def _pins(self) -> list[str]:
        pins = self.how.csv.model_dump(exclude_unset=True)
        return [f"    csv: {json.dumps(pins)}"] if pins else []

    def _codes(self) -> list[str]:
        if self.how.code is None:
            return []
        lines = [f"    code: {quoted(self.how.code)}"]
        if self.how.exclude:
            lines.append(
                "    # Neither fault nor normal, as their words say; all others are faults."
            )
            lines.append(f"    exclude: [{', '.join(map(quoted, self.how.exclude))}]")
        seen = [code for code in self.codes if code not in self.how.exclude]
        return [*lines, f"    # Taken for faults: {', '.join(map(quoted, seen[:8]))}"]


def looks_like_a_log(table: RawTable) -> bool:
    """Whether a file has intervals and no readings."""
    names = table.names
    if not len(table) or len(_numbers(table)) > _MOST_NUMBERS:
        return False
    times = _times(table)
    if len(times) >= 2:
        return _pair(table, times) is not None
    return bool(times) and any(_DURATION.search(name.lower()) for name in names)


def log_of(table: RawTable, machines: Iterable[str]) -> FoundLog:
    """Which columns of a log say what.

    Args:
        table: the log as read.
        machines: of the sensor files.

    Raises:
        DataError: no column says when faults began, or when they ended.
    """
    times = _times(table)
    pair = _pair(table, times)
    duration = None if pair else _duration(table)
    if not times or (pair is None and duration is None):
        raise DataError(
            "The log of faults shows no intervals: a time of the start, and one of the end or a "
            "duration",
            received={"columns": table.names, "times": times},
            where=table.file,
            remedy=asking("start", table.names, "Write `label.log` in the contract by hand"),
        )
    start, end = pair or (times[0], None)
    taken = {start, end, duration}
    machine = _machine(table, set(machines), taken)
    code = _code(table, {*taken, machine})
    codes = () if code is None else tuple(map(str, table.stripped(code).value_counts().index))
    return FoundLog(
        FaultLog(
            start=start,
            end=end,
            duration=duration,
            duration_unit=_unit(duration) if duration else "min",
            equipment=machine,
            code=code,
            exclude=tuple(text for text in codes if _NEITHER.search(text)),
        ),
        codes,
        () if machine is None else tuple(sorted(map(str, table.stripped(machine).unique()))),
        table.file,
    )


def _numbers(table: RawTable) -> list[str]:
    return [name for name in table.names if are_numbers(table.cells(name))]


def _times(table: RawTable) -> list[str]:
    numbers = set(_numbers(table))
    found = [name for name in table.names if name not in numbers and are_times(table, name)]
    # Seconds since 1970 are numbers, and times all the same.
    epochs = [name for name in numbers if _since_1970(table, name)]
    return [name for name in table.names if name in found or name in epochs]


def _since_1970(table: RawTable, name: str) -> bool:
    try:
        return table.times(name).style.endswith("since 1970")
    except DataError:
        return False


def _pair(table: RawTable, times: list[str]) -> tuple[str, str] | None:
    """Start and end: by their names, else the two that are in order in nearly all lines."""
    starts = [name for name in times if _START.search(name.lower())]
    ends = [name for name in times if _END.search(name.lower()) and name not in starts]
    for start in starts or times:
        for end in ends or times:
            if start != end and _in_order(table, start, end):
                return start, end
    return None


def _in_order(table: RawTable, start: str, end: str) -> bool:
    first, last = table.times(start).seconds, table.times(end).seconds
    both = first.notna() & last.notna()
    return bool(both.any() and (first <= last)[both].mean() >= _IN_ORDER)


def _duration(table: RawTable) -> str | None:
    named = [name for name in table.names if _DURATION.search(name.lower())]
    return named[0] if named else None


def _unit(column: str) -> Unit:
    return next((unit for unit, words in _UNITS.items() if words.search(column.lower())), "min")


def _machine(table: RawTable, machines: set[str], taken: set[str | None]) -> str | None:
    """The column that holds most names of machines; none where no column holds any."""
    shares = {
        name: float(np.mean(table.stripped(name).isin(machines)))
        for name in table.names
        if name not in taken
    }
    best = max(shares, key=lambda name: shares[name], default=None)
    return best if best is not None and shares[best] > 0 else None


def _code(table: RawTable, taken: set[str | None]) -> str | None:
    """The column of words whose name or entries say what happened."""
    free = [name for name in table.names if name not in taken]
    few = [name for name in free if 0 < table.stripped(name).nunique() <= _MOST_CODES]
    words = [name for name in few if name not in _numbers(table)]
    named = [name for name in words if _CODE.search(name.lower())]
    return next(iter(named or words), None)
