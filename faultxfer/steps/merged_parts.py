"""What the parts of a file say together, as its check as a whole would say it.

Every rule is judged on each part; what it leaves is small and adds up: counts and first examples of
rows, how many rows have a value, steps of time, one key a row by which equal readings are known,
the values of each class. Where that does not decide, the file is looked at as a whole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.contract.across import stacked_rows
from faultxfer.contract.check import Check
from faultxfer.contract.judged_rows import is_newest_first, newest_first, wholly_empty
from faultxfer.contract.lacking import lacked_by_all
from faultxfer.contract.losses import any_absent, machines_named, values_found
from faultxfer.contract.measured import every_so_many, findings_of
from faultxfer.contract.notes import Noted, with_tail
from faultxfer.contract.outcome import Checked
from faultxfer.contract.rules import labels, time
from faultxfer.contract.rules.protocol import MOST_SHARED, Breach, TableRows, keys_of
from faultxfer.contract.schema import Contract
from faultxfer.contract.selection import as_spelt, counted_values, spellings_in
from faultxfer.contract.tallies import NULL, mostly
from faultxfer.contract.typed_cells import held_told
from faultxfer.findings import MAX_EXAMPLES, SEVERITIES, Finding
from faultxfer.reading import columns
from faultxfer.reading.table import RawTable
from faultxfer.reading.write_csv import write_text
from faultxfer.steps.back_in_order import BackInOrder
from faultxfer.steps.key_count import Again, key_of
from faultxfer.steps.sight import NotByPartsError, RepeatedError

# Findings of rows that add up, by the step of the check that makes them. Whether a row has one is
# seen from the row itself, or from rows of its recording around it.
_NEWEST_FIRST, _HELD = "TIME-NEWEST-FIRST", "SENSOR-HELD"
_STEP = {
    "ROWS-LEFT-OUT": -1,
    "READING-QUALITY": 0,
    "SENSOR-PRESENT": 0,
    "SENSOR-NOT-A-NUMBER": 0,
    "KEY-MISSING": 1,
    "TIME-UNREADABLE": 2,
    _HELD: 3,
    "SENSOR-IMPUTED": 4,
    "SENSOR-MISSING": 4,
    "SENSOR-OUT-OF-RANGE": 4,
    _NEWEST_FIRST: 5,
    "SENSOR-NOT-WHOLE": 6,
    "ROW-DUPLICATE": 7,
    "TIME-DUPLICATE": 8,
    "TIME-BACKWARDS": 9,
    "TIME-GAP": 10,
    "TIME-STEP": 11,
    "SENSOR-RATE": 12,
    "SENSOR-STUCK": 13,
    "SENSORS-STILL": 14,
    "LABEL-ONE-CLASS": 15,
}
# What is judged again over all rows.
_JUDGED_AGAIN = frozenset({_NEWEST_FIRST, _HELD, "TIME-STEP", "LABEL-LEAK", "LABEL-ONE-CLASS"})
# What a part shows of the file as a whole, in the order of the check.
OF_THE_FILE = frozenset({"COLUMN-UNKNOWN", "COLUMN-LOST", "SENSOR-GONE"})
_COARSE = "coarser"
# Steps that see the rows outside `where` as well.
_OF_THE_CLOCK = frozenset({"TIME-DUPLICATE", "TIME-STEP"})
_OUTSIDE = "ROWS-LEFT-OUT"
# Rows set aside that are written at once, about.
_TOGETHER = 16_384
# More different cells than this in a column of states are none.
_MOST_STATES = 10_000

Words = tuple[str, str]


class NoReadingsError(Exception):
    """A sensor has no reading in any row."""


class RowsSaid(NamedTuple):
    """A finding of rows: what was noted, its message before and after their number, and itself.

    Beside it are the lines of the rows that are its examples; and, where the message ends with
    values, how many rows have each of them, and the first line that has.
    """

    noted: Noted
    words: Words
    found: Finding
    lines: list[int]
    values: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class PartSaid:
    """What a part says beside what is the same in all of them; of its own rows only.

    Attributes:
        noted: findings of rows.
        codes: by which single rows are set aside, in the order found.
        rejected: rows set aside.
        rows_used: how many rows are used.
        used: by sensor, how many rows are used in which its machine has it.
        gaps: by sensor, how many of them have no value.
        unread: by sensor, how many hold no number.
        held: by sensor, how many have a value held from an earlier row, where any sensor is held.
        read: sensors with a cell that is not missing.
        empty, filled: sensors and machines of which all such cells are missing, and others.
        machines, left: names of machines with rows, and with accepted ones.
        states: by column for which the contract asks for values, its cells.
        spellings: of these, which value of the contract each different cell is.
        shared, looked_at: how many rows share their time with an earlier one that it sees, and of
            how many.
        row_keys, time_keys: a number for each row that may repeat another one, equal where machine,
            time, label and readings are, and where recording and time are.
        back, forward: how many steps from row to row go back in time, and how many forward.
        newest_first: whether its rows were looked at in the order of time.
        rows: accepted rows, numbered within the part; None where nobody asks.
        steps: (m,) seconds between rows, where they grow; empty where nobody asks.
        limits: (2, 2, k) of each class and sensor the lowest and the highest value.
        dated: whether times are dates; None where nobody asks.
    """

    noted: tuple[RowsSaid, ...]
    codes: set[str]
    rejected: pd.DataFrame
    rows_used: int
    used: dict[str, int]
    gaps: dict[str, int]
    unread: dict[str, int]
    held: dict[str, int]
    read: set[str]
    empty: set[tuple[str, str]]
    filled: set[tuple[str, str]]
    machines: set[str]
    left: set[str]
    states: dict[str, set[str]]
    spellings: dict[str, dict[str, str]]
    shared: int
    looked_at: int
    row_keys: np.ndarray
    time_keys: np.ndarray
    back: int
    forward: int
    newest_first: bool
    rows: TableRows | None
    steps: np.ndarray
    limits: np.ndarray
    dated: bool | None


@dataclass(frozen=True)
class RemarkSaid:
    """What was found in a part while it was brought into its shape.

    Attributes:
        code, column, remedy: of the finding.
        words: of its message, before and after the number of readings.
        count: how many readings.
        line: the first of them.
    """

    code: str
    column: str
    remedy: str
    words: Words
    count: int
    line: int


def said_by(check: Check, outcome: Checked, own: tuple[int, int]) -> PartSaid:
    """What a part says.

    Args:
        check: of the part, ended.
        outcome: of it.
        own: places of its first own row, and behind its last one.

    Raises:
        NotByPartsError: something in it has to be judged over all rows.
    """
    contract = check.contract
    codes = {found.code for found in outcome.findings}
    if codes - {*_STEP, *_JUDGED_AGAIN, *OF_THE_FILE}:
        raise NotByPartsError
    if not check.scoring and (
        check.lacking or lacked_by_all([outcome.table], contract, check.equipment)
    ):
        raise NotByPartsError
    noted = tuple(_own(check, own))
    used = np.flatnonzero(check.mine)
    gaps = {}
    for tally in check.validation.tallies if check.validation else ():
        if tally.kind == NULL and tally.unmet:
            places = used[tally.places]
            gaps[tally.column] = int(_inside(places, own).sum())
    unread = {
        one.noted.column: len(one.noted.places)
        for one in noted
        if one.noted.code == "SENSOR-NOT-A-NUMBER"
    }
    accepted, aside = outcome.accepted, outcome.rejected
    if len(aside):
        aside = aside[_inside(np.flatnonzero(check.notes.aside()), own)]
    column = contract.equipment_column
    of_own = _inside(accepted[columns.ROW].to_numpy(), own)
    rows = None
    if not check.scoring:
        stacked = stacked_rows([outcome], contract)
        rows = stacked.only(of_own)
    steps, dated = _steps(check, own)
    shared, looked_at = _shared(check, own)
    row_keys, time_keys = _keys(check, own)
    back, forward = _turns(check, own)
    return PartSaid(
        noted=noted,
        codes=set(aside[columns.CODES]),
        rejected=aside,
        rows_used=int(check.mine[slice(*own)].sum()),
        gaps=gaps,
        unread=unread,
        held={name: int((of & check.mine)[slice(*own)].sum()) for name, of in check.held.items()},
        **_cells_of(check, own),
        machines=set(machines_named(outcome.table, column)) if check.equipment is None else set(),
        left=set(accepted[columns.EQUIPMENT][of_own].unique()),
        states=values_found(outcome.table, contract),
        spellings=spellings_in(outcome.table, {**contract.where, **contract.running}),
        shared=shared,
        looked_at=looked_at,
        row_keys=row_keys,
        time_keys=time_keys,
        back=back,
        forward=forward,
        newest_first=_NEWEST_FIRST in codes,
        rows=rows,
        steps=steps,
        limits=_limits(rows, contract),
        dated=dated,
    )


def _inside(places: np.ndarray, own: tuple[int, int]) -> np.ndarray:
    """(m,) bool: which of some places are its own."""
    return np.asarray((places >= own[0]) & (places < own[1]))


def _own(check: Check, own: tuple[int, int]) -> Iterator[RowsSaid]:
    """What was noted of own rows, and the finding of these alone."""
    for noted in check.notes.noted:
        hint = noted.code == "SENSOR-MISSING" and wholly_empty(check, noted.column)
        if noted.severity == "refuse" or hint or noted.message.startswith("The machine"):
            raise NotByPartsError
        few = noted.between(*own)
        if len(few.places):
            try:
                words = noted.words()
            except ValueError:
                raise NotByPartsError from None
            lines, values = check.table.lines[few.places], {}
            if few.code == _OUTSIDE:
                values = _values_of(check.table.stripped(few.column).iloc[few.places], lines)
                words = words[0], words[1].partition(": ")[0] + ": "
            examples = lines[:MAX_EXAMPLES].tolist()
            yield RowsSaid(few, words, check.notes.finding(few), examples, values)


def _values_of(cells: pd.Series, lines: np.ndarray) -> dict[str, tuple[int, int]]:
    """By value of some cells, how many there are and the first of their (n,) lines."""
    number, known = pd.factorize(cells)
    counts = np.bincount(number, minlength=len(known)).tolist()
    _, firsts = np.unique(number, return_index=True)
    pairs = zip(counts, lines[firsts].tolist(), strict=True)
    return dict(zip(map(str, known), pairs, strict=True))


class _Cells(TypedDict):
    used: dict[str, int]
    read: set[str]
    empty: set[tuple[str, str]]
    filled: set[tuple[str, str]]


def _cells_of(check: Check, own: tuple[int, int]) -> _Cells:
    """What cells there are of each sensor in own rows."""
    found = _Cells(used={}, read=set(), empty=set(), filled=set())
    some = slice(*own)
    names = check.key(check.contract.equipment_column)
    machine, known = (None, pd.Index([])) if names is None else pd.factorize(names.iloc[some])
    for name in check.contract.features:
        mine = check.mine[some]
        lacked = check.lacking.get(name)
        if lacked is not None:
            mine = mine & ~lacked[some]
        there = mine & ~check.notes.missing(name)[some]
        found["used"][name] = int(mine.sum())
        if there.any():
            found["read"].add(name)
        if machine is not None:
            had, has = (
                np.bincount(machine[rows], minlength=len(known)) > 0 for rows in (mine, there)
            )
            found["filled"] |= {(name, str(known[at])) for at in np.flatnonzero(has).tolist()}
            found["empty"] |= {(name, str(known[at])) for at in np.flatnonzero(had & ~has).tolist()}
    return found


def _left(check: Check, step: str) -> np.ndarray:
    """(n,) bool: rows that a rule of time sees: what the rules before it have left."""
    before = [code for code in check.notes.codes_aside() if _STEP[code] < _STEP[step]]
    seen = check.mine
    if check.unused and step in _OF_THE_CLOCK and check.seconds is not None:
        seen = check.asked & ~np.isnan(check.seconds)
    left: np.ndarray = ~np.any([~seen, *map(check.notes.aside, before)], axis=0)
    return left


def _left_by(check: Check, step: str) -> TableRows:
    """The rows that a rule of time sees."""
    left, rows = _left(check, step), check.every()
    return rows if left.all() else rows.only(left)


def _keys(check: Check, own: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A number for each own row by which its repetition is known, and one of its moment."""
    if check.seconds is None:
        return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint64)
    contract = check.contract
    machine = _hashed(check, contract.equipment_column, contract.family)
    run = _hashed(check, contract.run_column, check.table.file)  # without runs a file is one
    rows = _left_by(check, "ROW-DUPLICATE")
    rows = rows.only(_inside(rows.place, own))
    place, seconds = rows.place, check.seconds[rows.place]
    label = [] if rows.fault is None else [rows.fault.astype(np.float64)]
    of_rows = key_of([machine[place], seconds, *label, *rows.values.values()])
    moments = np.flatnonzero(_left(check, "TIME-DUPLICATE"))
    moments = moments[_inside(moments, own)]
    of_moments = key_of([machine[moments], run[moments], check.seconds[moments]])
    return of_rows, of_moments


def _hashed(check: Check, column: str | None, default: str) -> np.ndarray:
    """(n,) a number for each name, the same in all parts."""
    names = check.key(column)
    if names is None:
        names = pd.Series([default]).repeat(len(check.table))
    number, known = pd.factorize(names)
    hashed: np.ndarray = pd.util.hash_array(np.asarray(known, dtype=object))[number]
    return hashed


def _turns(check: Check, own: tuple[int, int]) -> tuple[int, int]:
    """How many steps to own rows go back in time, and how many forward."""
    rows = check.every()
    if rows.seconds is None:
        return 0, 0
    steps = rows.elapsed[rows.ordered(_inside(rows.place, own))]
    return int((steps < 0).sum()), int((steps > 0).sum())


def _shared(check: Check, own: tuple[int, int]) -> tuple[int, int]:
    """How many rows share their time with an earlier one of their recording, and of how many."""
    codes = {noted.code for noted in check.notes.noted}
    if not codes & {"TIME-DUPLICATE", "ROW-DUPLICATE"}:
        return 0, int((check.asked if check.unused else check.mine)[slice(*own)].sum())
    rows = _left_by(check, "TIME-DUPLICATE")
    inside = _inside(rows.place, own)
    if rows.moments is None:
        return 0, int(inside.sum())
    return int(pd.Series(rows.moments).duplicated()[inside].sum()), int(inside.sum())


def _steps(check: Check, own: tuple[int, int]) -> tuple[np.ndarray, bool | None]:
    """Steps of time to own rows, for `sampling_period`; and whether times are dates."""
    if check.seconds is None or check.contract.sampling_period is None:
        return np.empty(0), None
    rows = _left_by(check, "TIME-STEP")
    if rows.seconds is None or not len(rows):
        return np.empty(0), None
    steps = rows.elapsed[rows.ordered(_inside(rows.place, own))]
    return steps[steps > 0], bool(np.abs(rows.seconds).min() >= time.DATES_FROM)


def _limits(rows: TableRows | None, contract: Contract) -> np.ndarray:
    """(2, 2, k) lowest and highest value of normal and of fault rows; NaN where there is none."""
    limits = np.full((2, 2, len(contract.features)), np.nan)
    if rows is None or rows.fault is None:
        return limits
    for number, mask in enumerate((~rows.fault, rows.fault)):
        if mask.any():
            for place, values in enumerate(rows.values.values()):
                own = values[mask]
                limits[number, :, place] = np.nanmin(own), np.nanmax(own)
    return limits


@dataclass
class _Sum:
    """A finding of rows over the parts so far."""

    noted: Noted
    first: Finding
    words: Words
    count: int = 0
    some: int = 0
    # By line where the rows do not come in the order of the file.
    examples: tuple[tuple[int, str], ...] = ()
    values: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, said: RowsSaid, *, by_line: bool) -> None:
        """Add what another part says."""
        self.count += said.found.count
        self.some += said.noted.more
        for value, (count, line) in said.values.items():
            known, first = self.values.get(value, (0, line))
            self.values[value] = known + count, min(first, line)
        examples = (*self.examples, *zip(said.lines, said.found.examples, strict=True))
        if by_line:
            examples = tuple(sorted(examples, key=lambda one: one[0]))
            if examples[0][0] == said.lines[0]:
                self.first = said.found
        self.examples = examples[:MAX_EXAMPLES]

    def finding(self) -> Finding:
        """As that of the whole file."""
        before, after = self.words
        ranked = sorted(self.values.items(), key=lambda one: (-one[1][0], one[1][1]))
        after += counted_values({value: count for value, (count, _) in ranked})
        message = with_tail(f"{before}{self.count}{after}", self.noted.tail, self.some)
        examples = tuple(text for _, text in self.examples)
        return dataclasses.replace(self.first, message=message, count=self.count, examples=examples)


@dataclass
class Merged:
    """What all parts so far say together.

    Args:
        contract: what they are checked against.
        folder: for rows set aside, and for values of rows that are looked at again.
        training: whether a model is made of the rows; None where they are to be scored, and
            nothing is asked of labels or of what columns are.
        equipment: the machine asked for; all where it is None.
        dealt_out: whether parts hold recordings, with rows from all over the file.
    """

    contract: Contract
    folder: Path
    training: bool | None
    equipment: str | None = None
    dealt_out: bool = False
    quarantined: int = 0
    _sums: dict[tuple[str, str], _Sum] = field(default_factory=dict)
    _remarks: dict[str, RemarkSaid] = field(default_factory=dict)
    _orders: set[str] = field(default_factory=set)
    _used: dict[str, int] = field(default_factory=dict)
    _read: set[str] = field(default_factory=set)
    _empty: set[tuple[str, str]] = field(default_factory=set)
    _filled: set[tuple[str, str]] = field(default_factory=set)
    _machines: set[str] = field(default_factory=set)
    _left: set[str] = field(default_factory=set)
    _states: dict[str, set[str]] = field(default_factory=dict)
    _spellings: dict[str, dict[str, str]] = field(default_factory=dict)
    _shared: int = 0
    _looked_at: int = 0
    _back: int = 0
    _forward: int = 0
    _newest_first: set[bool] = field(default_factory=set)
    _rows_used: int = 0
    _held: dict[str, int] = field(default_factory=dict)
    _gaps: dict[str, int] = field(default_factory=dict)
    _unread: dict[str, int] = field(default_factory=dict)
    _numbers: dict[str, dict[str, int]] = field(default_factory=dict)
    _keys: tuple[list[np.ndarray], list[np.ndarray]] = field(default_factory=lambda: ([], []))
    _steps: list[np.ndarray] = field(default_factory=list)
    _limits: np.ndarray | None = None
    _dated: bool | None = None
    _writer: pa.RecordBatchFileWriter | None = None
    _rows: int = 0
    _timed: bool = True

    def __post_init__(self) -> None:
        self.again = Again(self.folder, "part")
        self._aside = BackInOrder(self.folder, "aside", columns.LINE)

    @property
    def rejected(self) -> Path:
        """CSV of the rows set aside."""
        return self.folder / "rejected.csv"

    def add(self, said: PartSaid, accepted: pd.DataFrame) -> None:
        """Take the next part.

        Args:
            said: what it says.
            accepted: its new rows.

        Raises:
            NotByPartsError: it says something else than the parts before.
        """
        for one in said.noted:
            self._add_finding(one)
        self._orders |= said.codes
        self._rows_used += said.rows_used
        counts = ((self._used, said.used), (self._gaps, said.gaps), (self._unread, said.unread))
        for total, own in (*counts, (self._held, said.held)):
            for name, count in own.items():
                total[name] = total.get(name, 0) + count
        self._add_names(said)
        self._shared += said.shared
        self._looked_at += said.looked_at
        self.again.rows.add(said.row_keys)
        self.again.times.add(said.time_keys)
        self.again.shared += said.shared
        self._back += said.back
        self._forward += said.forward
        if said.back + said.forward:
            self._newest_first.add(said.newest_first)
        if said.dated is not None:
            if self._dated not in (None, said.dated):
                raise NotByPartsError
            self._dated = said.dated
        self._steps.append(said.steps)
        limits = said.limits
        if self._limits is not None:
            low, high = self._limits[:, 0], self._limits[:, 1]
            limits = np.stack([np.fmin(low, limits[:, 0]), np.fmax(high, limits[:, 1])], axis=1)
        self._limits = limits
        if said.rows is not None:
            self._add_rows(said.rows, accepted)
        if len(said.rejected) and self.dealt_out:
            self._aside.add(said.rejected)
        elif len(said.rejected):
            self._add_rejected(said.rejected)

    def remark(self, remarks: tuple[RemarkSaid, ...]) -> None:
        """Take what was found while the next part was brought into its shape.

        Raises:
            NotByPartsError: it is something else than in the parts before.
        """
        for one in remarks:
            known = self._remarks.get(one.code, dataclasses.replace(one, count=0))
            if (known.words, known.column) != (one.words, one.column):
                raise NotByPartsError
            self._remarks[one.code] = dataclasses.replace(
                one, count=known.count + one.count, line=min(known.line, one.line)
            )

    def _remarked(self, table: RawTable) -> Iterator[Finding]:
        """What was found while the file was brought into its shape."""
        for _, one in sorted(self._remarks.items()):
            before, after = one.words
            yield Finding(
                one.code,
                self.contract.severity(one.code),
                f"{before}{one.count}{after}",
                file=table.file,
                column=one.column,
                line=one.line,
                count=one.count,
                remedy=one.remedy,
            )

    def _add_names(self, said: PartSaid) -> None:
        self._read |= said.read
        self._empty |= said.empty
        self._filled |= said.filled
        self._machines |= said.machines
        self._left |= said.left
        for column, cells in said.states.items():
            known = self._states.setdefault(column, set())
            known |= cells
            if len(known) > _MOST_STATES:
                raise NotByPartsError
        for column, spelt in said.spellings.items():
            self._spellings.setdefault(column, {}).update(spelt)

    def _add_finding(self, said: RowsSaid) -> None:
        noted = said.noted
        first = _Sum(noted, said.found, said.words)
        known = self._sums.setdefault((noted.code, noted.column), first)
        same = (known.words, known.noted.severity, known.noted.remedy, known.noted.expected)
        if same != (said.words, noted.severity, noted.remedy, noted.expected):
            raise NotByPartsError
        known.add(said, by_line=self.dealt_out)

    def _add_rejected(self, rows: pd.DataFrame) -> None:
        part = self.folder / "part.csv"
        write_text(rows, part)
        with part.open("rb") as source, self.rejected.open("ab") as kept:
            if self.quarantined:
                source.readline()
            kept.write(source.read())
        self.quarantined += len(rows)

    def _add_rows(self, rows: TableRows, accepted: pd.DataFrame) -> None:
        machine = self._numbered(accepted, columns.EQUIPMENT)
        run = self._numbered(accepted, columns.RUN)
        if rows.fault is not None:
            key = keys_of([machine, *rows.values.values()])
            self._keys[0].append(key[~rows.fault])
            self._keys[1].append(key[rows.fault])
        self._timed &= rows.seconds is not None
        nothing = np.zeros(len(rows))
        arrays = [
            *rows.values.values(),
            nothing if rows.fault is None else rows.fault.astype(np.float64),
            machine.astype(np.float64),
            run.astype(np.float64),
            nothing if rows.seconds is None else rows.seconds,
        ]
        batch = pa.record_batch(
            [pa.array(values) for values in arrays], names=list(map(str, range(len(arrays))))
        )
        if self._writer is None:
            self._writer = pa.ipc.new_file(str(self._kept), batch.schema)
        self._writer.write_batch(batch)
        self._rows += len(rows)

    @property
    def _kept(self) -> Path:
        return self.folder / "values.arrow"

    def _numbered(self, accepted: pd.DataFrame, column: str) -> np.ndarray:
        """(n,) a number for each name, in order of appearance in the file."""
        numbers = self._numbers.setdefault(column, {})
        own, names = pd.factorize(accepted[column])
        known = [numbers.setdefault(str(name), len(numbers)) for name in names]
        found: np.ndarray = np.array(known, dtype=np.int64)[own]
        return found

    def findings(self, of_the_file: tuple[Finding, ...], table: RawTable) -> tuple[Finding, ...]:
        """What is said of the whole file.

        Args:
            of_the_file: what every part says.
            table: the first part's.

        Raises:
            NotByPartsError: it is to be judged over all rows after all.
        """
        for rows in self._aside.parts(_TOGETHER):
            self._add_rejected(rows.to_pandas())
        self._require_readings()
        self._require_shares()
        self._require_labels()
        self._require_times()
        self._require_spellings()
        if any_absent(self._states, self.contract) or self._loses_a_machine():
            raise NotByPartsError
        ranked = sorted(self._sums.values(), key=self._rank)
        codes = dict.fromkeys(
            one.noted.code for one in ranked if one.noted.severity == "quarantine"
        )
        self._put_codes_in_order({code: number for number, code in enumerate(codes)})
        lost = [found for found in of_the_file if found.code == "COLUMN-LOST"]
        found = [one for one in of_the_file if one.code != "COLUMN-LOST"]
        found = [*self._remarked(table), *found]
        again = [*self._holding(table), *self._judged_again(table)]
        rows = [(self._rank(one), one.finding()) for one in ranked]
        whole = [((_STEP[one.code], place, 0), one) for place, one in enumerate(again)]
        found += [one for _, one in sorted((*rows, *whole), key=lambda pair: pair[0])]
        found.sort(key=lambda one: SEVERITIES.index(one.severity))
        return self._with_kinds((*found, *lost), table)

    def _rank(self, one: _Sum) -> tuple[int, int, int]:
        """Where the check comes to a finding: by step, by sensor, and by what is expected of it."""
        code, column, contract = one.noted.code, one.noted.column, self.contract
        if code == "READING-QUALITY":
            sensors = contract.sensors.items()
            of = {sensor.quality.column: name for name, sensor in sensors if sensor.quality}
            column = of.get(column, column)
        keys = (contract.equipment_column, contract.run_column)
        names = tuple(contract.where) if code == _OUTSIDE else (*contract.features, *keys)
        place = names.index(column) if column in names else -1
        return _STEP[code], place, list(_STEP).index(code)

    def _put_codes_in_order(self, place: dict[str, int]) -> None:
        """Name the codes of each row set aside in the order in which the whole file has them."""
        ordered = {}
        for order in self._orders:
            wanted = " ".join(sorted(order.split(), key=place.__getitem__))
            if wanted != order:
                ordered[order.encode()] = wanted.encode()
        if not ordered:
            return
        before = self.rejected.rename(self.folder / "rejected-before.csv")
        with before.open("rb") as source, self.rejected.open("wb") as kept:
            for line in source:
                cells, comma, last = line.rpartition(b",")
                code = last.rstrip(b"\r\n")
                kept.write(cells + comma + ordered.get(code, code) + last[len(code) :])
        before.unlink()

    def _loses_a_machine(self) -> bool:
        """Whether rows of a machine were read and none is left."""
        asked = self.equipment is None and self.contract.equipment_column is not None
        left_out = (_OUTSIDE in {code for code, _ in self._sums}) or self.quarantined > 0
        return asked and left_out and not self._machines <= self._left

    def _require_readings(self) -> None:
        """Of no sensor all cells are missing, of a machine's neither where that is told."""
        lost = [name for name, used in self._used.items() if used and name not in self._read]
        if lost:
            raise NoReadingsError
        missing = {column for code, column in self._sums if code == "SENSOR-MISSING"}
        if any(name in missing for name, _ in self._empty - self._filled):
            raise NotByPartsError

    def _require_spellings(self) -> None:
        """What a cell means in a part it means beside all others too."""
        for column, spelt in self._spellings.items():
            wanted = {**self.contract.where, **self.contract.running}[column]
            cells = as_spelt(pd.Series(list(spelt), dtype="str"), wanted)
            if cells.tolist() != list(spelt.values()):
                raise NotByPartsError

    def _require_times(self) -> None:
        """Each part saw what its rows repeat, and took times for what they are in the whole."""
        copies = [one.count for (code, _), one in self._sums.items() if code == "ROW-DUPLICATE"]
        self.again.copies = sum(copies)
        if not self.again.all_seen:
            raise RepeatedError
        newest_first = is_newest_first(self._back, self._forward)
        if self._newest_first != {newest_first} and self._back + self._forward:
            raise NotByPartsError
        coarse = self._shared > MOST_SHARED * self._looked_at
        for (code, _), found in self._sums.items():
            if code == "TIME-DUPLICATE" and (_COARSE in found.words[1]) != coarse:
                raise NotByPartsError

    def _require_shares(self) -> None:
        """No more cells are missing or not read than a part may lack."""
        for name, sensor in self.contract.sensors.items():
            used = self._used.get(name, 0)
            unread, gaps = self._unread.get(name, 0), self._gaps.get(name, 0)
            share = (used - gaps) / used if used and self.training is not None else 1.0
            if unread > sensor.max_missing * used or share < mostly(sensor):
                raise NotByPartsError

    def _require_labels(self) -> None:
        """No readings have both labels, and no sensor has one value in each class."""
        normal, fault = (np.concatenate(keys) if keys else np.empty(0) for keys in self._keys)
        if not len(normal) or not len(fault):
            return
        if len(np.intersect1d(normal, fault)) or self._limits is None:
            raise NotByPartsError
        low, high = self._limits[:, 0], self._limits[:, 1]
        if ((low == high).all(axis=0) & (low[0] != low[1])).any():
            raise NotByPartsError

    def _holding(self, table: RawTable) -> Iterator[Finding]:
        """Of which sensors values are held, and how many."""
        for name, sensor in self.contract.sensors.items():
            if count := self._held.get(name):
                message, remedy = held_told(name, sensor, count / self._rows_used)
                severity, tag = self.contract.severity(_HELD), table.tag(name)
                yield Finding(
                    _HELD,
                    severity,
                    message,
                    file=table.file,
                    column=tag,
                    count=count,
                    remedy=remedy,
                )

    def _judged_again(self, table: RawTable) -> Iterator[Finding]:
        """Findings of rules that need a number of all rows only."""
        steps = np.concatenate(self._steps) if self._steps else np.empty(0)
        normal, fault = (sum(map(len, keys)) for keys in self._keys)
        breaches: list[Breach] = []
        if self.contract.time_column and True in self._newest_first:
            breaches.append(newest_first(self.contract.time_column))
        if self.contract.time_column and self.contract.sampling_period and self._timed:
            breaches += time.of_pace(steps, self.contract, dated=bool(self._dated))
        if bool(normal) != bool(fault):
            breaches.append(
                labels.of_one_class(self.contract, is_fault=bool(fault), rows=self._rows)
            )
        for breach in breaches:
            yield Finding(
                breach.code,
                breach.severity or self.contract.severity(breach.code),
                breach.message,
                file=table.file,
                column=table.tag(breach.column),
                count=self._back if breach.code == _NEWEST_FIRST else 1,
                expected=breach.expected,
                received=breach.received,
                remedy=breach.remedy,
            )

    def _with_kinds(self, found: tuple[Finding, ...], table: RawTable) -> tuple[Finding, ...]:
        """The findings, with those of sensors that are no measurements."""
        if self.training is None:
            return found
        kinds = findings_of(self._some_rows(), table, training=self.training, file=table.file)
        known = {(one.code, one.column) for one in found}
        for one in kinds:
            if (one.code, one.column) not in known:
                found = (one, *found) if one.severity == "refuse" else (*found, one)
        return found

    def close(self) -> None:
        """Have all that was written on the disk."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _some_rows(self) -> TableRows:
        """Evenly some of the accepted rows, from all over the file."""
        if self._writer is None:
            raise NotByPartsError
        self.close()
        every, passed = every_so_many(self._rows), 0
        picked = []
        with pa.OSFile(str(self._kept)) as file:
            reader = pa.ipc.open_file(file)
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                places = np.arange(-passed % every, batch.num_rows, every)
                picked.append(np.array([column.to_numpy()[places] for column in batch.columns]))
                passed += batch.num_rows
        *values, fault, machine, run, seconds = np.concatenate(picked, axis=1)
        return TableRows(
            self.contract,
            dict(zip(self.contract.features, values, strict=True)),
            fault.astype(bool) if any(map(len, self._keys)) else None,
            machine.astype(np.int64),
            run.astype(np.int64),
            seconds if self._timed else None,
            np.arange(len(machine)) * every,
        )
