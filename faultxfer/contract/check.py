"""Check one table against its contract: good rows through, bad rows aside, each with a reason."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.contract import machines
from faultxfer.contract.expectations import Validation
from faultxfer.contract.holding import held_values
from faultxfer.contract.lacking import in_yaml, lacked_by_all, lacking_rows, without_at_scoring
from faultxfer.contract.missing import Fillable, fillable_rows
from faultxfer.contract.notes import Notes
from faultxfer.contract.outcome import Checked
from faultxfer.contract.rules import OF_THE_CLOCK, RULES
from faultxfer.contract.rules.protocol import Breach, Rule, TableRows
from faultxfer.contract.schema import Contract, Quality, Sensor
from faultxfer.contract.selection import (
    LabelCells,
    common_values,
    first_breach,
    holds,
    label_cells,
)
from faultxfer.contract.stated_units import in_expected_units
from faultxfer.contract.tallies import NULL, tallies
from faultxfer.contract.unmet import note_unmet
from faultxfer.findings import Severity
from faultxfer.reading import columns
from faultxfer.reading.find_long import find_long
from faultxfer.reading.long_form import is_good
from faultxfer.reading.table import RawTable
from faultxfer.spelling import meant
from faultxfer.wording import listed

# How many names a message lists.
_SHOWN = 8
# Rows stand newest first where this share of the steps goes back in time, and this many do.
_MOSTLY, _FEWEST_BACK = 0.9, 3


class _NotRead(NamedTuple):
    """Words for cells that a sensor cannot hold."""

    instead: str
    remedy: str
    expected: str


_NOT_READ = {
    "number": _NotRead(
        "text instead of a number",
        "Mend the cells, or pin in the contract what they mean: `csv.missing`, `csv.decimal`, "
        "`csv.thousands`; a sensor that says yes and no has `dtype: bool`",
        "a finite number ({dialect})",
    ),
    "bool": _NotRead(
        "neither yes nor no",
        "Mend the cells, name them under `csv.missing`, or take `dtype: bool` out of the contract "
        "if they are numbers",
        "true or false, yes or no, on or off, 1 or 0",
    ),
}

# By what holds the sensors of a contract.
_LACKING = {
    "columns": _NotRead(
        "column(s) of the contract are missing",
        "Rename the columns in the export, or name the machine's own tags under `equipment` "
        "in the contract, which `faultxfer contract map` drafts",
        "",
    ),
    "files": _NotRead(
        "tag(s) of the contract have no file",
        "Name the files of all tags in one command, rename them, or name the machine's own tags "
        "under `equipment` in the contract",
        "",
    ),
}

# By what a change of the clocks does to the time.
_TIME_LOST = {
    "": _NotRead(
        "The time cannot be read in {rows} row(s)",
        "Write times as 2026-03-31 14:05:00 or as one growing number, or pin `csv.time_format` "
        "in the contract",
        "a time written like most in the file: {style}",
    ),
    "repeated": _NotRead(
        "{rows} row(s) lie in the hour that the clocks of {zone} repeat in autumn, and could be "
        "an hour earlier or later",
        "Export times in UTC or with their offset, as 2026-10-25T02:30:00+01:00; or, where rows "
        "stand in the order of time, pin `csv: {{repeated_hour: in_order}` beside the timezone",
        "a time that is one moment",
    ),
    "skipped": _NotRead(
        "{rows} row(s) lie in the hour that the clocks of {zone} leave out in spring",
        "The logger's clock does not follow that zone: pin the one it follows under "
        "`csv.timezone`, such as Etc/GMT-1 for a clock that is always one hour before UTC",
        "a time that exists in the zone",
    ),
}


class _LeftOut(NamedTuple):
    """Why rows are left out on purpose."""

    name: str
    code: str
    field: str


_OUTSIDE = _LeftOut("outside `where`", "ROWS-LEFT-OUT", "`where`")
_NO_LABEL = _LeftOut("without a label", "LABEL-LEFT-OUT", "`label.unknown`")
_EXCLUDED = _LeftOut("excluded by their label", "LABEL-LEFT-OUT", "`label.exclude`")


def begin_check(
    table: RawTable,
    contract: Contract,
    *,
    labelled: bool | None,
    equipment: str | None = None,
    fills: frozenset[str] = frozenset(),
    without: frozenset[str] = frozenset(),
    lacks: frozenset[str] = frozenset(),
    of_a_file: bool = True,
) -> Check:
    """Check what a table is, before its values are judged.

    Args:
        table: the rows as read.
        contract: what they must look like.
        labelled: whether the label column is needed (training) or ignored (scoring); None checks
            it where it is.
        equipment: keep only rows of this machine; others are left out and counted.
        fills: sensors whose missing readings the model at hand can fill; rows that lack others are
            set aside, the rest are accepted with NaN in these sensors.
        without: sensors that no row has, whatever the file and the contract say.
        lacks: sensors that are not in the contract, as the machine lacks them.
        of_a_file: whether the rows are a file. Of others nothing is refused for the share or the
            number of rows that are bad, as a single row that somebody asks for is all or nothing.

    Raises:
        DataError: numbers or times of the file can be read in more than one way, and the contract
            does not pin one.
    """
    check = Check(table, contract, labelled, equipment, fills, without=without, of_a_file=of_a_file)
    check.lacks = lacks
    for step in (check.columns, check.equipment_rows, check.used_rows):
        step()
        if check.notes.refused:
            return check
    if check.has_rows:
        check.cells()
    return check


class Check:
    """The check of one table, step by step; each adds to ``notes``."""

    def __init__(
        self,
        table: RawTable,
        contract: Contract,
        labelled: bool | None,
        equipment: str | None,
        fills: frozenset[str],
        *,
        without: frozenset[str] = frozenset(),
        of_a_file: bool = True,
    ) -> None:
        self.contract, self.equipment, self.fills = contract, equipment, fills
        self.without = without
        self.lacks: frozenset[str] = frozenset()
        # A model that scores needs a value of every sensor, measured or filled in.
        self.scoring = labelled is False
        # By sensor, (n,) bool: rows of machines that do not have it.
        self.lacking: dict[str, np.ndarray] = {}
        # Sensors that the file has no reading of and the model at hand fills in, in every row.
        self.gone: frozenset[str] = frozenset()
        self.of_a_file = of_a_file
        self.table = machines.translated(table, contract, equipment)
        self.labelled = contract.label.column in self.table.names if labelled is None else labelled
        self.notes = Notes(self.table)
        # Rows of the machine asked for, and those of them that are used.
        self.asked: np.ndarray
        self.mine: np.ndarray
        self.outside: np.ndarray
        self.labels: LabelCells | None = None
        self.unused: dict[str, int] = {}
        self.values: dict[str, pd.Series] = {}
        self.held: dict[str, np.ndarray] = {}
        self.seconds: pd.Series | None = None
        self.fault: np.ndarray | None = None
        self.validation: Validation | None = None

    @property
    def has_rows(self) -> bool:
        """Whether there are rows to look at: the table is not refused, and some are used."""
        return not self.notes.refused and bool(self.mine.any())

    def columns(self) -> None:
        """The machines are known, and the columns are there, each once."""
        self.notes.remarks(self.contract.severity)
        machines.note_machines(self.notes, self.contract, self.equipment)
        if not self.notes.refused:
            machines.note_doubled(self.notes, self.contract, self.equipment)
            lacked = lacked_by_all([self.table], self.contract, self.equipment) | self.without
            self._note_gone(self._absent_and_filled(lacked), "is not in the file")
            lacked |= self.gone
            needed = _needed(self.contract, self.labelled, lacked)
            _note_columns(self.notes, self.contract, needed, self._going_on_without)
            absent = [name for name in self.contract.features if name not in self.table.names]
            self.table = self.notes.table = self.table.with_blank(lacked.intersection(absent))

    def _absent_and_filled(self, lacked: frozenset[str]) -> frozenset[str]:
        """Sensors without a column that the model at hand fills in; none where it is no loss.

        A column that may be there under a misspelt name is asked about. So is a file of which most
        is missing: it is another one.

        Args:
            lacked: sensors that no row has, as is known before.
        """
        present = self.table.names
        every = [name for name in self.contract.features if name not in present]
        absent = [name for name in every if name not in lacked]
        if not self.scoring or not len(self.table) or _meant(absent, present, self.contract):
            return frozenset()
        share = len(every) / len(self.contract.features)
        is_other = self.of_a_file and share > self.contract.max_imputed
        if is_other or self.contract.why_needed(every):
            return frozenset()
        return self.fills.intersection(absent)

    def _note_gone(self, names: Iterable[str], problem: str) -> None:
        """Sensors that are filled in in every row."""
        for name in names:
            self.gone |= {name}
            self.notes.file(
                "SENSOR-GONE",
                f"Sensor {name!r} {problem}, and is filled in from the other sensors in every row",
                "Repair the sensor or its export; if it does not come back, make a version without "
                f"it: `--without {shlex.quote(name)}` at `faultxfer transfer`",
                column=self.table.tag(name),
                count=len(self.table),
                expected="a value",
            )

    def _going_on_without(self, absent: tuple[str, ...]) -> str:
        """What to do where a file has nothing of these sensors and that is all that is wrong."""
        return without_at_scoring(absent) if self.scoring else lacking_by(absent, self.equipment)

    def equipment_rows(self) -> None:
        """Which rows belong to the machine asked for."""
        column = self.contract.equipment_column
        self.asked = self.mine = np.ones(len(self.table), dtype=bool)
        if self.equipment is None or column is None:
            return
        names = self.table.stripped(column)
        self.asked = self.mine = (names == self.equipment).to_numpy(dtype=bool)
        if not self.mine.any():
            machines.note_absent(self.notes, self.equipment, column, sorted(names.unique()))

    def used_rows(self) -> None:
        """Which rows the contract uses: by `where`, and by the label where it is needed."""
        self.outside = np.zeros(len(self.table), dtype=bool)
        for column, values in self.contract.where.items():
            outside = self.mine & ~holds(self.table, {column: values})
            self.outside |= outside
            self._leave_out(outside, _OUTSIDE, column, values)
        label = self.contract.label
        if label.column not in self.table.names or not (self.labelled or label.marks):
            return
        self.labels = label_cells(self.table, label)
        if self.labelled:
            known = (*label.normal, *label.faults)
            unknown = self.labels.unknown & ~self._joined_without_time()
            self._leave_out(unknown, _NO_LABEL, label.column, known)
            self._leave_out(self.labels.exclude, _EXCLUDED, label.column, known)

    def _joined_without_time(self) -> np.ndarray:
        """(n,) bool: readings that could not be joined, as nothing shows when they were made."""
        time = self.contract.time_column
        if not self.table.sources or time is None:
            return np.zeros(len(self.table), dtype=bool)
        lost: np.ndarray = self.table.times(time).seconds.isna().to_numpy()
        return lost

    def _leave_out(
        self, rows: np.ndarray, reason: _LeftOut, column: str, used: tuple[str, ...]
    ) -> None:
        """Leave rows out that the contract does not use, count them, and say so."""
        places = np.flatnonzero(rows & self.mine)
        if not len(places):
            return
        self.mine = self.mine & ~rows
        self.unused[reason.name] = self.unused.get(reason.name, 0) + len(places)
        values = common_values(self.table.stripped(column).iloc[places])
        self.notes.rows(
            reason.code,
            places,
            column,
            f"{len(places)} row(s) are {reason.name} and not used: {values}",
            f"Nothing, if that is meant; else change {reason.field} in the contract",
            expected=", ".join(used),
            severity="warn",
        )

    def cells(self) -> None:
        """Every cell is what its column should hold: a number, a name, a time."""
        contract, table = self.contract, self.table
        names = self._key(contract.equipment_column) if contract.equipment else None
        self.lacking = self._lacking(names)
        for name in sorted(self.lacks.intersection(table.names)):
            self._note_present(name, ~table.missing(name).to_numpy() & self.mine)
        for name, sensor in contract.sensors.items():
            values = table.booleans(name) if sensor.dtype == "bool" else table.numbers(name)
            if sensor.quality is not None and sensor.quality.column in table.names:
                self.notes.bad[name] = self._bad_quality(name, sensor.quality)
                values = values.mask(self.notes.bad[name])
            if self._is_empty_and_filled(name, values, sensor):
                self._note_gone([name], "has no value in any row")
                self.lacking[name] = np.ones(len(values), dtype=bool)
            if name in self.lacking:
                values = self._without_lacked(name, values, self.lacking[name])
            self._note_numbers(name, values, sensor)
            values = in_expected_units(values, name, self.notes, contract, self.equipment, names)
            self.values[name] = machines.converted(values, name, contract, self.equipment, names)
        for key in (contract.equipment_column, contract.run_column):
            if key and key in table.names:
                self._note_key(key)
        if contract.time_column and contract.time_column in table.names:
            self._note_times(contract.time_column)
        self._hold_values()
        if self.scoring and self.lacking:
            self._note_unscorable()

    def _lacking(self, names: pd.Series | None) -> dict[str, np.ndarray]:
        """By sensor, (n,) bool: rows of machines that do not have it."""
        rows = len(self.table)
        if names is None:
            machine = self.equipment or self.contract.family
            every = dict.fromkeys(self.contract.lacking(machine), np.ones(rows, dtype=bool))
        else:
            every = dict(lacking_rows(names.to_numpy(dtype=object), self.contract))
        return every | dict.fromkeys(self.without | self.gone, np.ones(rows, dtype=bool))

    def _is_empty_and_filled(self, name: str, values: pd.Series, sensor: Sensor) -> bool:
        """Whether no used row has a reading of a sensor, and the model at hand fills it in."""
        able = self.scoring and self.of_a_file and name in self.fills and name not in self.lacking
        # Of a value that is held, a row that is not used itself may hold the reading.
        seen = self.asked if sensor.hold else self.mine
        if not able or values.notna().to_numpy()[seen].any():
            return False
        return bool(self.notes.missing(name)[seen].all())

    def _without_lacked(self, name: str, values: pd.Series, lacked: np.ndarray) -> pd.Series:
        """A sensor's values without those of machines that do not have it, which are noted."""
        if name not in self.without | self.gone:
            self._note_present(name, values.notna().to_numpy() & lacked & self.mine)
        return values.mask(lacked)

    def _note_present(self, name: str, there: np.ndarray) -> None:
        """Ask about readings, in rows (n,) bool, of a sensor that the machine lacks."""
        places = np.flatnonzero(there)
        self.notes.rows(
            "SENSOR-PRESENT",
            places,
            name,
            f"{len(places)} row(s) have readings of {name!r} though their machine lacks the "
            "sensor by the contract; they are not used",
            "Does the machine have it? Then take it out of `lacks` in the contract; else "
            "leave the column empty in its rows",
            expected="no reading",
            severity=self.contract.severity("SENSOR-PRESENT"),
        )

    def _note_unscorable(self) -> None:
        """Rows that cannot be scored, as their machine lacks what the model cannot do without."""
        none = np.zeros(len(self.table), dtype=bool)
        every = {name: self.lacking.get(name, none) for name in self.contract.features}
        able = fillable_rows(every, self.contract, self.fills)
        for name, lacked in self.lacking.items():
            places = np.flatnonzero(lacked & self.mine & ~able)
            self.notes.rows(
                "SENSOR-MISSING",
                places,
                name,
                f"The machine does not have sensor {name!r} in {len(places)} row(s), and the "
                "version that scores can neither do without it nor predict it",
                f"Make a version without it: `--without {shlex.quote(name)}` at `faultxfer "
                "transfer`",
                expected="a value",
                severity="quarantine",
            )

    def _bad_quality(self, name: str, quality: Quality) -> np.ndarray:
        """(n,) bool: readings that do not count."""
        column = quality.column
        filled = ~self.table.missing(name).to_numpy() & self.mine
        good = is_good(self.table.stripped(column), quality.good)
        bad: np.ndarray = filled & ~good
        places = np.flatnonzero(bad)
        self.notes.rows(
            "READING-QUALITY",
            places,
            column,
            f"{len(places)} reading(s) of {name!r} have a quality that is not good and count as "
            "missing",
            "Name further good spellings under `quality` in the contract, if these are",
            expected=f"one of {', '.join(quality.good)}",
            severity=self.contract.severity("READING-QUALITY"),
        )
        return bad

    def _hold_values(self) -> None:
        """Hold the last values of the sensors for which the contract says so."""
        sensors = self.contract.sensors.items()
        limits = {name: sensor.hold_seconds for name, sensor in sensors}
        asked = {name: limit for name, limit in limits.items() if limit is not None}
        if asked and self.seconds is not None:
            recording = self._every().recording
            for name, limit in asked.items():
                self._hold(name, limit, self.seconds, recording)

    def _hold(self, name: str, limit: float, seconds: pd.Series, recording: np.ndarray) -> None:
        """Hold the last value of a sensor for so many seconds, and note the share."""
        values, origin = held_values(
            self.values[name].to_numpy(), seconds.to_numpy(), recording, limit
        )
        held = origin != np.arange(len(origin))
        self.values[name], self.held[name] = pd.Series(values, name=name), held
        self.table = self.notes.table = self.table.held_from(name, origin)
        count = int((held & self.mine).sum())
        if count:
            self.notes.file(
                "SENSOR-HELD",
                f"{count / self.mine.sum():.0%} of the values of {name!r} are held from the row "
                f"with the last one, for {self.contract.sensors[name].hold} at most",
                "Nothing, if the sensor is read that seldom; a shorter `hold` holds fewer",
                severity=self.contract.severity("SENSOR-HELD"),
                column=self.table.tag(name),
                count=count,
            )

    def _key(self, column: str | None) -> pd.Series | None:
        """A column of names, where the contract has it and the file too."""
        if column is None or column not in self.table.names:
            return None
        return self.table.stripped(column)

    def _note_numbers(self, name: str, values: pd.Series, sensor: Sensor) -> None:
        """Great Expectations sees numbers only: text and all-missing columns are noted here."""
        if not values.isna().any():
            return
        mine = self.mine
        lacked = self.lacking.get(name, np.zeros(len(values), dtype=bool))
        missing, mine = self.notes.missing(name) | lacked, mine & ~lacked
        # Of a value that is held, a row that is not used itself may hold the reading.
        seen = self.asked & ~lacked if sensor.hold else mine
        if not seen.any():
            return
        if self.of_a_file and (missing & seen).sum() == seen.sum():
            self._note_empty(name, missing & seen)
            return
        no_number = values.isna().to_numpy() & ~missing
        self._note_unused(name, np.flatnonzero(no_number & seen & ~mine))
        unread = np.flatnonzero(no_number & mine)
        allowed = (sensor.max_missing if self.of_a_file else 1.0) * mine.sum()
        severity: Severity = "refuse" if len(unread) > allowed else "quarantine"
        words = _NOT_READ["bool" if sensor.dtype == "bool" else "number"]
        self.notes.rows(
            "SENSOR-NOT-A-NUMBER",
            unread,
            name,
            f"Sensor {name!r} holds {words.instead} in {len(unread)} row(s)",
            words.remedy,
            expected=words.expected.format(dialect=self.table.dialect.sentence()),
            severity=severity,
        )

    def _note_unused(self, name: str, unread: np.ndarray) -> None:
        """Note cells that cannot be held, in rows that are not used themselves."""
        words = _NOT_READ["bool" if self.contract.sensors[name].dtype == "bool" else "number"]
        self.notes.rows(
            "SENSOR-NOT-A-NUMBER",
            unread,
            name,
            f"Sensor {name!r} holds {words.instead} in {len(unread)} row(s) that are not used "
            "themselves; the value before is held instead",
            words.remedy,
            expected=words.expected.format(dialect=self.table.dialect.sentence()),
            severity="warn",
        )

    def _note_empty(self, name: str, blank: np.ndarray) -> None:
        first = np.array([blank.argmax()])
        absent = absent_of([name], self.contract)
        self.notes.file(
            "SENSOR-ALL-MISSING",
            f"Sensor {name!r} has no value in any row",
            f"Check the tag in the export{self._going_on_without(absent)}",
            file=str(self.table.files_of(name, first)[0]),
            column=self.table.tag(name),
            count=int(blank.sum()),
            line=int(self.table.lines_of(name, first)[0]),
            absent=absent,
        )

    def _note_key(self, key: str) -> None:
        blank = self.table.missing(key).to_numpy()
        empty = np.flatnonzero(blank & self.mine)
        self.notes.rows(
            "KEY-MISSING",
            empty,
            key,
            f"Column {key!r} is blank in {len(empty)} row(s)",
            "Every row must say which machine and which recording it belongs to",
            expected="a name",
            severity="quarantine",
        )

    def _note_times(self, column: str) -> None:
        times = self.table.times(column)
        self.seconds = times.seconds
        unread = times.seconds.isna().to_numpy() & self.mine
        if not unread.any():
            return
        changes = self.table.clock_changes(column)
        for change, words in _TIME_LOST.items():
            places = np.flatnonzero(unread & (changes == change).to_numpy())
            self.notes.rows(
                "TIME-UNREADABLE",
                places,
                column,
                words.instead.format(rows=len(places), zone=self.contract.csv.timezone),
                words.remedy,
                expected=words.expected.format(style=times.style),
                severity="quarantine",
            )

    def judge(self) -> None:
        """Ranges, missing shares and label spellings of the rows that are used."""
        used = np.flatnonzero(self.mine)
        every = len(used) == len(self.mine)
        arrays = {name: values.to_numpy() for name, values in self.values.items()}
        lacking = self.lacking
        labels = self.labels.spelt if self.labelled and self.labels is not None else None
        if not every:
            arrays = {name: values[used] for name, values in arrays.items()}
            lacking = {name: lacked[used] for name, lacked in lacking.items()}
            labels = None if labels is None else labels.iloc[used]
        found = tallies(arrays, self.contract, labels=labels, lacking=lacking)
        self.validation = Validation(self.contract, found)
        unmet = [tally for tally in found if tally.unmet]
        if not unmet:
            return
        fillable = self._fillable()
        for tally in unmet:
            hint = self._wholly_empty(tally.column) if tally.kind == NULL else ""
            # A version goes on where a sensor stops, row by row, whatever the share of such rows.
            passed = tally.passed or (self.scoring and tally.kind == NULL)
            judged = dataclasses.replace(tally, places=used[tally.places], passed=passed)
            note_unmet(self.notes, judged, self.contract, len(used), fillable, hint)

    def _wholly_empty(self, name: str) -> str:
        """What to write where machines have no value of a sensor at all; empty where none is so."""
        machines = self._key(self.contract.equipment_column)
        if machines is None or not self.of_a_file:
            return ""
        missing = pd.Series(self.notes.missing(name)[self.mine])
        empty = missing.groupby(machines[self.mine].to_numpy()).all()
        lacked = self.lacking.get(name, np.zeros(len(self.table), dtype=bool))
        known = set(machines[lacked & self.mine])
        found = [str(machine) for machine in empty.index[empty] if machine not in known]
        if not found or self.contract.why_needed([name]):
            return ""
        return (
            f". {listed(list(map(repr, found)))} has no value of it in any row: where that is a "
            f"machine without the sensor, write `lacks: {in_yaml((name,))}` at its name under "
            "`equipment:`"
        )

    def ended(self) -> Checked:
        """The outcome, after the values are judged and the rules have seen what is left."""
        if self.has_rows:
            self.judge()
        if self.has_rows:
            self.rules()
        return self.refused() if self.notes.refused else self.outcome()

    def _fillable(self) -> Fillable:
        """Rows whose missing readings can be filled in, all of them."""
        missing = {name: values.isna().to_numpy() for name, values in self.values.items()}
        lacking = {} if self.scoring else self.lacking
        for name, lacked in lacking.items():
            missing[name] = missing[name] & ~lacked
        now = fillable_rows(missing, self.contract, self.fills, lacking)
        if self.fills:
            return Fillable(now, np.zeros_like(now))
        every = frozenset(self.contract.features)
        return Fillable(now, fillable_rows(missing, self.contract, every, lacking))

    def rules(self) -> None:
        """What Great Expectations cannot state, on the rows that are left."""
        if not (self.mine & ~self.notes.aside()).any():
            self._note_none_left()
            return
        rows = self._rows()
        for rule in RULES:
            before = len(self.notes.findings)
            seen = self._seen_by(rule, rows)
            for breach in rule(seen):
                self._note(self._filled_where_stuck(breach, seen), seen)
            if any(found.severity == "quarantine" for found in self.notes.findings[before:]):
                rows = rows.only(~self.notes.aside()[rows.place])
        if not len(rows):
            self._note_none_left()

    def _filled_where_stuck(self, breach: Breach, rows: TableRows) -> Breach:
        """What is left of a breach after readings of a stuck sensor were taken for missing.

        Only where the contract sets such rows aside, and the model at hand fills the reading in.
        """
        name = breach.column
        aside = (breach.severity or self.contract.severity(breach.code)) == "quarantine"
        is_stuck = breach.code == "SENSOR-STUCK" and len(breach.places) > 0
        if not (is_stuck and aside and self.scoring and name in self.fills):
            return breach
        stuck = np.zeros(len(self.table), dtype=bool)
        stuck[rows.place[breach.places]] = True
        gaps = {key: values.isna().to_numpy() for key, values in self.values.items()}
        gaps[name] = gaps[name] | stuck
        filled = stuck & fillable_rows(gaps, self.contract, self.fills)
        self.values[name] = self.values[name].mask(filled)
        self.notes.rows(
            breach.code,
            np.flatnonzero(filled),
            name,
            f"{breach.message}; {int(filled.sum())} of them are scored with the reading filled in",
            breach.remedy,
            expected=breach.expected,
            severity="warn",
        )
        left = ~filled[rows.place[breach.places]]
        return dataclasses.replace(breach, places=breach.places[left])

    def _note_none_left(self) -> None:
        if self.of_a_file:
            self.notes.none_left(self._not_done_without())

    def _not_done_without(self) -> tuple[str, ...]:
        """Sensors for want of which no row can be scored."""
        lost = self.notes.aside("SENSOR-MISSING")
        if not self.scoring or not lost[self.mine].all():
            return ()
        aside = self.notes.columns_of("SENSOR-MISSING")
        return tuple(name for name in self.contract.features if name in aside)

    def _seen_by(self, rule: Rule, used: TableRows) -> TableRows:
        """The rows that a rule is for."""
        if rule not in OF_THE_CLOCK or not self.unused or self.seconds is None:
            return used
        timed = self.seconds.notna().to_numpy()
        every = dataclasses.replace(self._every(), newest_first=used.newest_first)
        return every.only(self.asked & timed & ~self.notes.aside())

    def _rows(self) -> TableRows:
        if self.labelled and self.labels is not None:
            faults = self.contract.label.faults
            self.fault = self.labels.spelt.isin(faults).to_numpy(dtype=bool)
        rows = self._in_time(self._every())
        place = np.flatnonzero(self.mine & ~self.notes.aside())
        return rows if len(place) == len(rows) else rows.only(place)

    def _every(self) -> TableRows:
        """All rows of the file."""
        contract, table = self.contract, self.table
        return TableRows(
            contract,
            values={name: values.to_numpy() for name, values in self.values.items()},
            fault=self.fault,
            machine=self._numbered(contract.equipment_column),
            run=self._numbered(contract.run_column),
            seconds=None if self.seconds is None else self.seconds.to_numpy(),
            place=np.arange(len(table)),
            held=self.held,
        )

    def _in_time(self, rows: TableRows) -> TableRows:
        """The rows, in the order of time where the file has the newest ones first."""
        steps = np.empty(0) if rows.seconds is None else rows.elapsed
        back, forward = int((steps < 0).sum()), int((steps > 0).sum())
        column = self.contract.time_column
        if column is None or back < _FEWEST_BACK or back < _MOSTLY * (back + forward):
            return rows
        self.notes.file(
            "TIME-NEWEST-FIRST",
            "The newest rows stand first; the rules look at them in the order of time",
            "Nothing has to be done",
            severity=self.contract.severity("TIME-NEWEST-FIRST"),
            column=self.table.tag(column),
            count=back,
        )
        return dataclasses.replace(rows, newest_first=True)

    def _numbered(self, column: str | None) -> np.ndarray:
        """(n,) a number for each name in a key column, in order of appearance; 0 without it."""
        names = self._key(column)
        if names is None:
            return np.zeros(len(self.table), dtype=np.int64)
        numbers, _ = pd.factorize(names)
        return numbers

    def _note(self, breach: Breach, rows: TableRows) -> None:
        severity = breach.severity or self.contract.severity(breach.code)
        if breach.received:
            self.notes.file(
                breach.code,
                breach.message,
                breach.remedy,
                severity=severity,
                column=self.table.tag(breach.column),
                expected=breach.expected,
                received=breach.received,
            )
            return
        self.notes.rows(
            breach.code,
            rows.place[breach.places],
            breach.column,
            breach.message,
            breach.remedy,
            expected=breach.expected,
            severity=severity,
        )

    def outcome(self) -> Checked:
        """Accepted and rejected rows."""
        kept = self.mine & ~self.notes.aside()
        return Checked(
            accepted=self._accepted(np.flatnonzero(kept)),
            rejected=self.notes.rejected(),
            findings=self.notes.sorted,
            read=len(self.table),
            left_out=int((~self.asked).sum()),
            table=self.table,
            validation=self.validation,
            unused=self.unused,
            unscored=self._unscored(),
        )

    def _unscored(self) -> pd.DataFrame | None:
        """Rows outside `where` of a file to be scored."""
        if self.labelled or not self.contract.where:
            return None
        place = np.flatnonzero(self.outside)
        why = first_breach(self.table, self.contract.where)[place]
        remarks = [f"not scored: {reason}" for reason in why]
        return pd.DataFrame(self._bookkeeping(place) | {columns.REMARK: remarks}, copy=False)

    def refused(self) -> Checked:
        """Nothing but the findings."""
        nothing = self.table.frame.iloc[0:0]
        read = len(self.table)
        return Checked(nothing, nothing, self.notes.sorted, read, 0, self.table, self.validation)

    def _accepted(self, place: np.ndarray) -> pd.DataFrame:
        """Accepted sensors with who, when and from where beside them."""
        every = len(place) == len(self.table)
        out: dict[str, object] = {}
        for name, values in self.values.items():
            out[name] = values.to_numpy() if every else values.to_numpy()[place]
        if self.fault is not None:
            out[columns.FAULT] = self.fault[place].astype("int8")
        out |= self._bookkeeping(place)
        out |= self._conditions(place)
        out[columns.TIME] = np.nan if self.seconds is None else self.seconds.to_numpy()[place]
        return pd.DataFrame(out, copy=False)

    def _bookkeeping(self, place: np.ndarray) -> dict[str, object]:
        """Whose the rows are, and where they stand."""
        contract, table = self.contract, self.table
        return {
            columns.FILE: self._files(place),
            columns.ROW: place,
            columns.LINE: table.lines[place],
            columns.EQUIPMENT: self._names(contract.equipment_column, contract.family, place),
            columns.RUN: self._names(contract.run_column, table.file, place),
            columns.TIME_TEXT: self._names(contract.time_column, "", place),
        }

    def _files(self, place: np.ndarray) -> object:
        """The file of each row."""
        table = self.table
        if not table.sources:
            return _one_name(table.file, len(place))
        return pd.array(table.files_of(None, place), dtype="str")

    def _conditions(self, place: np.ndarray) -> dict[str, object]:
        """Under which conditions the rows were recorded, as far as the contract asks."""
        contract = self.contract
        out: dict[str, object] = {}
        for name in contract.slices:
            out[columns.SLICE + name] = self._names(name, "", place)
        if contract.mode_column:
            out[columns.MODE] = self._names(contract.mode_column, "", place)
        if contract.running and set(contract.running) <= set(self.table.names):
            out[columns.RUNNING] = holds(self.table, contract.running)[place]
        if self.labels is not None:
            out |= self._of_the_label(self.labels, place)
        return out

    def _of_the_label(self, labels: LabelCells, place: np.ndarray) -> dict[str, object]:
        """The type of fault of rows to learn from; which rows to score the contract excludes."""
        if self.labelled:
            kind = labels.kind
            return {} if kind is None else {columns.FAULT_TYPE: kind.iloc[place].array}
        cells = self.table.stripped(self.contract.label.column).iloc[place]
        reason = f"excluded: {self.contract.label.column} is " + cells.replace("", "blank")
        return {columns.REMARK: reason.where(labels.exclude[place], "").array}

    def _names(self, column: str | None, default: str, place: np.ndarray) -> object:
        names = self._key(column)
        if names is None:
            return _one_name(default, len(place))
        return (names if len(place) == len(names) else names.iloc[place]).array


def _one_name(name: str, rows: int) -> object:
    """The same text in every row, made at once."""
    text = pa.scalar(name, pa.large_string())
    return pd.array(pa.repeat(text, rows), dtype="str")


def _note_columns(
    notes: Notes,
    contract: Contract,
    needed: list[str],
    going_on_without: Callable[[tuple[str, ...]], str],
) -> None:
    """Note an empty file, and columns that are missing or unknown.

    Args:
        notes: of the table.
        contract: what the file must look like.
        needed: columns that must be there.
        going_on_without: what to do where nothing but these sensors is missing.
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
        notes.file(
            "COLUMN-MISSING",
            f"{len(missing)} {words.instead}: {', '.join(missing[:_SHOWN])}",
            f"{asked}{words.remedy}{going_on_without(absent)}",
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
