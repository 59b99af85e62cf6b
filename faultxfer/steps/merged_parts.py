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

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.contract.across import stacked_rows
from faultxfer.contract.check import Check
from faultxfer.contract.judged_rows import wholly_empty
from faultxfer.contract.lacking import lacked_by_all
from faultxfer.contract.measured import every_so_many, findings_of
from faultxfer.contract.notes import Noted, with_tail
from faultxfer.contract.outcome import Checked
from faultxfer.contract.rules import labels, time
from faultxfer.contract.rules.protocol import Breach, TableRows, keys_of
from faultxfer.contract.schema import Contract
from faultxfer.contract.tallies import NULL, mostly
from faultxfer.findings import MAX_EXAMPLES, SEVERITIES, Finding
from faultxfer.reading import columns
from faultxfer.reading.table import RawTable
from faultxfer.reading.write_csv import write_text

# Findings of rows that add up, by the step of the check that makes them. Whether a row has one is
# seen from the row itself, or from it and the one before it in its recording.
_STEP = {
    "SENSOR-NOT-A-NUMBER": 0,
    "SENSOR-MISSING": 1,
    "SENSOR-OUT-OF-RANGE": 1,
    "SENSOR-NOT-WHOLE": 2,
    "TIME-GAP": 3,
    "TIME-STEP": 4,
    "SENSOR-RATE": 5,
    "LABEL-ONE-CLASS": 6,
}
# What is judged again over all rows.
_JUDGED_AGAIN = frozenset({"TIME-STEP", "LABEL-LEAK", "LABEL-ONE-CLASS"})
# What a part shows of the file as a whole, in the order of the check.
OF_THE_FILE = frozenset({"COLUMN-UNKNOWN", "COLUMN-LOST", "SENSOR-GONE"})


Words = tuple[str, str]


class NotByPartsError(Exception):
    """The file is to be looked at as a whole."""


@dataclass(frozen=True)
class PartSaid:
    """What a part says beside what is the same in all of them; of its new rows only.

    Attributes:
        noted: findings of rows, and their messages before and after the number of rows.
        codes: by which rows are set aside, in the order found.
        rejected: rows set aside.
        used: how many rows are used.
        gaps: by sensor, how many of them have no value.
        unread: by sensor, how many hold no number.
        rows: accepted rows, numbered within the part.
        steps: (m,) seconds between rows, where they grow; empty where nobody asks.
        limits: (2, 2, k) of each class and sensor the lowest and the highest value.
        dated: whether times are dates.
    """

    noted: tuple[tuple[Noted, Words, Finding], ...]
    codes: tuple[str, ...]
    rejected: pd.DataFrame
    used: int
    gaps: dict[str, int]
    unread: dict[str, int]
    rows: TableRows
    steps: np.ndarray
    limits: np.ndarray
    dated: bool


def said_by(check: Check, outcome: Checked, before: int) -> PartSaid:
    """What a part says.

    Args:
        check: of the part, ended.
        outcome: of it.
        before: how many of its rows are of the part before.

    Raises:
        NotByPartsError: something in it has to be judged over all rows.
    """
    contract = check.contract
    if any(found.code not in {*_STEP, *_JUDGED_AGAIN, *OF_THE_FILE} for found in outcome.findings):
        raise NotByPartsError
    if check.lacking or lacked_by_all([outcome.table], contract, check.equipment):
        raise NotByPartsError
    noted = tuple(_new(check, before))
    rows = stacked_rows([outcome], contract)
    used = np.flatnonzero(check.mine)
    new = rows.place >= before
    gaps = {}
    for tally in check.validation.tallies if check.validation else ():
        if tally.kind == NULL and tally.unmet:
            gaps[tally.column] = int((used[tally.places] >= before).sum())
    unread = {
        one.column: len(one.places) for one, _, _ in noted if one.code == "SENSOR-NOT-A-NUMBER"
    }
    rejected = outcome.rejected
    aside = np.flatnonzero(check.notes.aside()) >= before
    steps, dated = _steps(check, rows, before)
    own = rows.only(new)
    return PartSaid(
        noted=noted,
        codes=check.notes.codes_aside(),
        rejected=rejected[aside] if len(rejected) else rejected,
        used=int((used >= before).sum()),
        gaps=gaps,
        unread=unread,
        rows=own,
        steps=steps,
        limits=_limits(own),
        dated=dated,
    )


def _new(check: Check, before: int) -> Iterator[tuple[Noted, Words, Finding]]:
    """What was noted of new rows, and the finding of these alone."""
    for noted in check.notes.noted:
        hint = noted.code == "SENSOR-MISSING" and wholly_empty(check, noted.column)
        if noted.severity == "refuse" or hint:
            raise NotByPartsError
        own = noted.since(before)
        if len(own.places):
            try:
                words = noted.words()
            except ValueError:
                raise NotByPartsError from None
            yield own, words, check.notes.finding(own)


def _steps(check: Check, rows: TableRows, before: int) -> tuple[np.ndarray, bool]:
    """Steps of time to new rows, for `sampling_period`; and whether times are dates."""
    new = rows.place >= before
    if rows.seconds is None:
        return np.empty(0), False
    dated = bool(np.abs(rows.seconds).min() >= time.DATES_FROM)
    if check.contract.sampling_period is None:
        return np.empty(0), dated
    codes = set(check.notes.codes_aside())
    if "TIME-GAP" in codes:
        raise NotByPartsError  # which rows the rule after it sees, only the whole file shows
    if "SENSOR-RATE" in codes:  # its rows are set aside after time was looked at
        aside = [check.notes.aside(code) for code in codes - {"SENSOR-RATE"}]
        rows = check.every().only(check.mine & ~np.any([*aside, ~check.mine], axis=0))
        new = rows.place >= before
    steps = rows.elapsed[rows.ordered(new)]
    return steps[steps > 0], dated


def _limits(rows: TableRows) -> np.ndarray:
    """(2, 2, k) lowest and highest value of normal and of fault rows; NaN where there is none."""
    limits = np.full((2, 2, len(rows.values)), np.nan)
    if rows.fault is None:
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
    examples: tuple[str, ...] = ()

    def finding(self) -> Finding:
        """As that of the whole file."""
        before, after = self.words
        message = with_tail(f"{before}{self.count} row(s){after}", self.noted.tail, self.some)
        return dataclasses.replace(
            self.first, message=message, count=self.count, examples=self.examples
        )


@dataclass
class Merged:
    """What all parts so far say together.

    Args:
        contract: what they are checked against.
        folder: for rows set aside, and for values of rows that are looked at again.
        training: whether a model is made of the rows.
    """

    contract: Contract
    folder: Path
    training: bool
    quarantined: int = 0
    _sums: dict[tuple[str, str], _Sum] = field(default_factory=dict)
    _orders: set[tuple[str, ...]] = field(default_factory=set)
    _used: int = 0
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
        for noted, words, found in said.noted:
            self._add_finding(noted, words, found)
        self._orders.add(said.codes)
        self._used += said.used
        for total, own in ((self._gaps, said.gaps), (self._unread, said.unread)):
            for name, count in own.items():
                total[name] = total.get(name, 0) + count
        if self._dated not in (None, said.dated):
            raise NotByPartsError
        self._dated = said.dated
        self._steps.append(said.steps)
        limits = said.limits
        if self._limits is not None:
            low, high = self._limits[:, 0], self._limits[:, 1]
            limits = np.stack([np.fmin(low, limits[:, 0]), np.fmax(high, limits[:, 1])], axis=1)
        self._limits = limits
        self._add_rows(said.rows, accepted)
        if len(said.rejected):
            self._add_rejected(said.rejected)

    def _add_finding(self, noted: Noted, words: Words, found: Finding) -> None:
        known = self._sums.setdefault((noted.code, noted.column), _Sum(noted, found, words))
        same = (known.words, known.noted.severity, known.noted.remedy, known.noted.expected)
        if same != (words, noted.severity, noted.remedy, noted.expected):
            raise NotByPartsError
        known.count += found.count
        known.some += noted.more
        known.examples = (*known.examples, *found.examples)[:MAX_EXAMPLES]

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
        self._require_shares()
        self._require_labels()
        ranked = sorted(self._sums.values(), key=self._rank)
        codes = dict.fromkeys(
            one.noted.code for one in ranked if one.noted.severity == "quarantine"
        )
        place = {code: number for number, code in enumerate(codes)}
        for order in self._orders:
            # A code that is of rows of the part before alone is of that part as well.
            if sorted(order, key=place.__getitem__) != list(order):
                raise NotByPartsError
        lost = [found for found in of_the_file if found.code == "COLUMN-LOST"]
        found = [one for one in of_the_file if one.code != "COLUMN-LOST"]
        again = sorted(self._judged_again(table), key=lambda one: _STEP[one.code])
        rows = [(self._rank(one), one.finding()) for one in ranked]
        whole = [((_STEP[one.code], 0, one.code), one) for one in again]
        found += [one for _, one in sorted((*rows, *whole), key=lambda pair: pair[0])]
        found.sort(key=lambda one: SEVERITIES.index(one.severity))
        return self._with_kinds((*found, *lost), table)

    def _rank(self, one: _Sum) -> tuple[int, int, str]:
        """Where the check comes to a finding: by step, by sensor, and by what is expected of it."""
        names = self.contract.features
        column = one.noted.column
        return _STEP[one.noted.code], names.index(column) if column in names else 0, one.noted.code

    def _require_order_of_codes(self, ranked: list[Noted]) -> None:
        """Rows set aside have their codes in the order in which the whole file has them."""
        aside = [noted.code for noted in ranked if noted.severity == "quarantine"]
        codes = list(dict.fromkeys(aside))
        for order in self._orders:
            if [code for code in codes if code in order] != list(order):
                raise NotByPartsError

    def _require_shares(self) -> None:
        """No more cells are missing or not read than a part may lack."""
        for name, sensor in self.contract.sensors.items():
            unread, gaps = self._unread.get(name, 0), self._gaps.get(name, 0)
            share = (self._used - gaps) / self._used if self._used else 1.0
            if unread > sensor.max_missing * self._used or share < mostly(sensor):
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

    def _judged_again(self, table: RawTable) -> Iterator[Finding]:
        """Findings of rules that need a number of all rows only."""
        steps = np.concatenate(self._steps) if self._steps else np.empty(0)
        normal, fault = (sum(map(len, keys)) for keys in self._keys)
        breaches: list[Breach] = []
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
                expected=breach.expected,
                received=breach.received,
                remedy=breach.remedy,
            )

    def _with_kinds(self, found: tuple[Finding, ...], table: RawTable) -> tuple[Finding, ...]:
        """The findings, with those of sensors that are no measurements."""
        kinds = findings_of(self._some_rows(), table, training=self.training, file=table.file)
        known = {(one.code, one.column) for one in found}
        for one in kinds:
            if (one.code, one.column) not in known:
                found = (one, *found) if one.severity == "refuse" else (*found, one)
        return found

    def _some_rows(self) -> TableRows:
        """Evenly some of the accepted rows, from all over the file."""
        if self._writer is None:
            raise NotByPartsError
        self._writer.close()
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
