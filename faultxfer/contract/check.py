"""Check one table against its contract: good rows through, bad rows aside, each with a reason."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.contract import machines
from faultxfer.contract.expectations import Validation, note_unmet, validate_table
from faultxfer.contract.missing import fillable_rows
from faultxfer.contract.notes import Notes
from faultxfer.contract.outcome import Checked
from faultxfer.contract.rules import RULES
from faultxfer.contract.rules.protocol import Breach, TableRows
from faultxfer.contract.schema import Contract, Sensor
from faultxfer.findings import Severity
from faultxfer.reading import columns
from faultxfer.reading.table import RawTable

# How many names a message lists.
_SHOWN = 8


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


def check_table(
    table: RawTable,
    contract: Contract,
    *,
    labelled: bool | None,
    equipment: str | None = None,
    fills: frozenset[str] = frozenset(),
) -> Checked:
    """Check one table.

    Args:
        table: the rows as read.
        contract: what they must look like.
        labelled: whether the label column is needed (training) or ignored (scoring); None checks
            it where it is.
        equipment: keep only rows of this machine; others are left out and counted.
        fills: sensors whose missing readings the model at hand can fill; rows that lack others are
            set aside, the rest are accepted with NaN in these sensors.

    Raises:
        DataError: numbers or times of the file can be read in more than one way, and the contract
            does not pin one.
    """
    check = _Check(table, contract, labelled, equipment, fills)
    for step in (check.columns, check.equipment_rows, check.cells, check.expectations, check.rules):
        step()
        if check.notes.refused:
            return check.refused()
    return check.outcome()


class _Check:
    """The check of one table, step by step; each adds to ``notes``."""

    def __init__(
        self,
        table: RawTable,
        contract: Contract,
        labelled: bool | None,
        equipment: str | None,
        fills: frozenset[str],
    ) -> None:
        self.contract, self.equipment, self.fills = contract, equipment, fills
        self.table = machines.translated(table, contract, equipment)
        self.labelled = contract.label.column in self.table.names if labelled is None else labelled
        self.notes = Notes(self.table)
        self.mine: np.ndarray
        self.values: dict[str, pd.Series] = {}
        self.seconds: pd.Series | None = None
        self.fault: np.ndarray | None = None
        self.validation: Validation | None = None

    def columns(self) -> None:
        """The machines are known, and the columns are there, each once."""
        machines.note_machines(self.notes, self.contract, self.equipment)
        if not self.notes.refused:
            machines.note_doubled(self.notes, self.contract, self.equipment)
            _note_columns(self.notes, self.contract, self.labelled)

    def equipment_rows(self) -> None:
        """Which rows belong to the machine asked for."""
        column = self.contract.equipment_column
        self.mine = np.ones(len(self.table), dtype=bool)
        if self.equipment is None or column is None:
            return
        names = self.table.stripped(column)
        self.mine = (names == self.equipment).to_numpy(dtype=bool)
        if not self.mine.any():
            found = sorted(names.unique())[:_SHOWN]
            self.notes.file(
                "EQUIPMENT-ABSENT",
                f"No row belongs to equipment {self.equipment!r}; "
                f"the file has {', '.join(map(repr, found))}",
                "Check --equipment, or take the right file",
                column=self.table.tag(column),
                expected=self.equipment,
                received=", ".join(found),
            )

    def cells(self) -> None:
        """Every cell is what its column should hold: a number, a name, a time."""
        contract, table = self.contract, self.table
        names = self._key(contract.equipment_column) if contract.equipment else None
        for name, sensor in contract.sensors.items():
            values = table.booleans(name) if sensor.dtype == "bool" else table.numbers(name)
            self._note_numbers(name, values, sensor)
            self.values[name] = machines.converted(values, name, contract, self.equipment, names)
        for key in (contract.equipment_column, contract.run_column):
            if key and key in table.names:
                self._note_key(key)
        if contract.time_column and contract.time_column in table.names:
            self._note_times(contract.time_column)

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
        blank = self.table.missing(name).to_numpy() & mine
        if blank.sum() == mine.sum():
            self._note_empty(name, blank)
            return
        no_number = values.isna().to_numpy()
        unread = np.flatnonzero(no_number & ~blank & mine)
        allowed = sensor.max_missing * mine.sum()
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

    def _note_empty(self, name: str, blank: np.ndarray) -> None:
        self.notes.file(
            "SENSOR-ALL-MISSING",
            f"Sensor {name!r} has no value in any row",
            "Check the tag in the export, or remove the sensor from the contract and "
            "pretrain again",
            column=self.table.tag(name),
            count=int(blank.sum()),
            line=int(self.table.lines[blank.argmax()]),
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
        no_time = times.seconds.isna().to_numpy()
        unread = np.flatnonzero(no_time & self.mine)
        self.notes.rows(
            "TIME-UNREADABLE",
            unread,
            column,
            f"The time cannot be read in {len(unread)} row(s)",
            "Write times as 2026-03-31 14:05:00 or as one growing number, or pin `csv.time_format` "
            "in the contract",
            expected=f"a time written like most in the file: {times.style}",
            severity="quarantine",
        )

    def expectations(self) -> None:
        """Ranges, missing shares and label spellings, by Great Expectations."""
        label = self.contract.label.column
        typed = dict(self.values)
        if self.labelled:
            typed[label] = self.table.stripped(label)
        frame = pd.DataFrame(typed, copy=False)
        if not self.mine.all():
            frame = frame[self.mine]
        self.validation = validate_table(frame, self.contract, labelled=self.labelled)
        fillable = self._fillable()
        for unmet in self.validation.unmet:
            note_unmet(self.notes, unmet, self.contract, len(frame), fillable)

    def _fillable(self) -> np.ndarray:
        """(n,) bool: rows whose missing readings the model at hand can fill, all of them."""
        missing = {name: values.isna().to_numpy() for name, values in self.values.items()}
        return fillable_rows(missing, self.contract, self.fills)

    def rules(self) -> None:
        """What Great Expectations cannot state, on the rows that are left."""
        if not (self.mine & ~self.notes.aside()).any():
            self.notes.none_left()
            return
        rows = self._rows()
        for rule in RULES:
            before = len(self.notes.findings)
            for breach in rule(rows):
                self._note(breach, rows)
            if any(found.severity == "quarantine" for found in self.notes.findings[before:]):
                rows = rows.only(~self.notes.aside()[rows.place])
        if not len(rows):
            self.notes.none_left()

    def _rows(self) -> TableRows:
        contract, table = self.contract, self.table
        if self.labelled:
            spelt = table.stripped(contract.label.column)
            self.fault = spelt.isin(contract.label.fault).to_numpy(dtype=bool)
        rows = TableRows(
            contract,
            values={name: values.to_numpy() for name, values in self.values.items()},
            fault=self.fault,
            machine=self._numbered(contract.equipment_column),
            run=self._numbered(contract.run_column),
            seconds=None if self.seconds is None else self.seconds.to_numpy(),
            place=np.arange(len(table)),
        )
        place = np.flatnonzero(self.mine & ~self.notes.aside())
        return rows if len(place) == len(rows) else rows.only(place)

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
            left_out=int((~self.mine).sum()),
            table=self.table,
            validation=self.validation,
        )

    def refused(self) -> Checked:
        """Nothing but the findings."""
        nothing = self.table.frame.iloc[0:0]
        read = len(self.table)
        return Checked(nothing, nothing, self.notes.sorted, read, 0, self.table, self.validation)

    def _accepted(self, place: np.ndarray) -> pd.DataFrame:
        """Accepted sensors with who, when and from where beside them."""
        contract, table = self.contract, self.table
        every = len(place) == len(table)
        out: dict[str, object] = {}
        for name, values in self.values.items():
            out[name] = values.to_numpy() if every else values.to_numpy()[place]
        if self.fault is not None:
            out[columns.FAULT] = self.fault[place].astype("int8")
        out[columns.FILE] = _one_name(table.file, len(place))
        out[columns.ROW] = place
        out[columns.LINE] = table.lines[place]
        out[columns.EQUIPMENT] = self._names(contract.equipment_column, contract.family, place)
        out[columns.RUN] = self._names(contract.run_column, table.file, place)
        out[columns.TIME_TEXT] = self._names(contract.time_column, "", place)
        for name in contract.slices:
            out[columns.SLICE + name] = self._names(name, "", place)
        out[columns.TIME] = np.nan if self.seconds is None else self.seconds.to_numpy()[place]
        return pd.DataFrame(out, copy=False)

    def _names(self, column: str | None, default: str, place: np.ndarray) -> object:
        names = self._key(column)
        if names is None:
            return _one_name(default, len(place))
        return (names if len(place) == len(names) else names.iloc[place]).array


def _one_name(name: str, rows: int) -> object:
    """The same text in every row, made at once."""
    text = pa.scalar(name, pa.large_string())
    return pd.array(pa.repeat(text, rows), dtype="str")


def _note_columns(notes: Notes, contract: Contract, labelled: bool) -> None:
    """Note an empty file, and columns that are missing or unknown."""
    if not len(notes.table):
        notes.file(
            "FILE-EMPTY",
            "The file has no data rows",
            "Check the export; at least a header and rows are needed",
        )
        return
    present, needed = notes.table.names, _needed(contract, labelled)
    missing = [name for name in needed if name not in present]
    if missing:
        notes.file(
            "COLUMN-MISSING",
            f"{len(missing)} column(s) of the contract are missing: {', '.join(missing[:_SHOWN])}",
            "Rename the columns in the export, or name the machine's own tags under `equipment` "
            "in the contract",
            count=len(missing),
            expected=", ".join(needed),
            received=", ".join(present),
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


def _needed(contract: Contract, labelled: bool) -> list[str]:
    """Columns without which a file is refused, each once."""
    needed = list(contract.features)
    if labelled:
        needed += [contract.label.column, *contract.key_columns]
    elif contract.equipment_column:
        # Without a run column a file to be scored is one recording; time is only copied.
        needed.append(contract.equipment_column)
    return list(dict.fromkeys(needed))


def _known(contract: Contract) -> set[str]:
    others = (contract.label.column, *contract.key_columns)
    return {*contract.features, *contract.ignore, *contract.slices, *others}
