"""Check one table against its contract: good rows through, bad rows aside, each with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from faultxfer.contract import machines, tags
from faultxfer.contract.expectations import Unmet, Validation, validate_table
from faultxfer.contract.header import note_columns
from faultxfer.contract.notes import Notes
from faultxfer.contract.rules import RULES
from faultxfer.contract.rules.protocol import Breach, Rows
from faultxfer.contract.schema import Contract, Sensor
from faultxfer.findings import Finding, Severity, refusing
from faultxfer.reading import columns
from faultxfer.reading.table import RawTable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# A file in which more rows than this share carry an unreadable label is a wrong file, not a dirty one.
MAX_BAD_LABELS = 0.2


class _NotRead(NamedTuple):
    """Words for cells that a sensor cannot hold."""

    instead: str
    remedy: str
    expected: str


_NOT_READ = {
    "number": _NotRead(
        "text instead of a number",
        "Mend the cells, or pin in the contract what they mean: `csv.missing`, `csv.decimal`, `csv.thousands`; a "
        "sensor that says yes and no has `dtype: bool`",
        "a finite number ({dialect})",
    ),
    "bool": _NotRead(
        "neither yes nor no",
        "Mend the cells, name them under `csv.missing`, or take `dtype: bool` out of the contract if they are numbers",
        "true or false, yes or no, on or off, 1 or 0",
    ),
}


@dataclass(frozen=True)
class Checked:
    """Outcome for one table.

    Attributes:
        accepted: sensor columns as float64 in feature order, and the bookkeeping columns of ``columns``.
        rejected: rows set aside, their cells as read, with the columns ``_file``, ``_line`` and ``_codes``.
        findings: all findings, refusing ones first.
        read: number of rows read.
        left_out: number of rows that belong to other equipment.
        table: the rows as read.
        validation: what Great Expectations found, or None where the file was refused before.
    """

    accepted: pd.DataFrame
    rejected: pd.DataFrame
    findings: tuple[Finding, ...]
    read: int
    left_out: int
    table: RawTable
    validation: Validation | None = None

    @property
    def refused(self) -> bool:
        """Whether the whole file was refused."""
        return bool(refusing(self.findings))


def check_table(
    table: RawTable, contract: Contract, *, labelled: bool | None, equipment: str | None = None
) -> Checked:
    """Check one table.

    Args:
        table: the rows as read.
        contract: what they must look like.
        labelled: whether the label column is needed (training) or ignored (scoring); None checks it where it is.
        equipment: keep only rows of this machine; others are left out and counted.

    Raises:
        DataError: numbers or times of the file can be read in more than one way, and the contract does not pin one.
    """
    check = _Check(table, contract, labelled, equipment)
    for step in (check.columns, check.equipment_rows, check.cells, check.expectations, check.rules):
        step()
        if check.notes.refused:
            return check.refused()
    return check.outcome()


class _Check:
    """The check of one table, step by step; each adds to ``notes``."""

    def __init__(
        self, table: RawTable, contract: Contract, labelled: bool | None, equipment: str | None
    ) -> None:
        self.contract, self.equipment = contract, equipment
        self.table = tags.translated(table, contract, equipment)
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
            tags.note_doubled(self.notes, self.contract, self.equipment)
            note_columns(self.notes, self.contract, self.labelled)

    def equipment_rows(self) -> None:
        """Which rows belong to the machine asked for."""
        import numpy as np

        column = self.contract.equipment_column
        self.mine = np.ones(len(self.table), dtype=bool)
        if self.equipment is None or column is None:
            return
        names = self.table.stripped(column)
        self.mine = (names == self.equipment).to_numpy(dtype=bool)
        if not self.mine.any():
            found = sorted(names.unique())
            self.notes.file(
                "EQUIPMENT-ABSENT",
                f"No row belongs to equipment {self.equipment!r}; the file has {', '.join(map(repr, found[:8]))}",
                "Check --equipment, or take the right file",
                column=self.table.tag(column),
                expected=self.equipment,
                received=", ".join(found[:8]),
            )

    def cells(self) -> None:
        """Every cell is what its column should hold: a number, a name, a time."""
        names = self._machines() if self.contract.equipment else None
        for name, sensor in self.contract.sensors.items():
            values = self.table.truths(name) if sensor.dtype == "bool" else self.table.numbers(name)
            self._note_numbers(name, values, sensor)
            self.values[name] = tags.converted(values, name, self.contract, self.equipment, names)
        for key in (self.contract.equipment_column, self.contract.run_column):
            if key and key in self.table.names:
                self._note_key(key)
        if self.contract.time_column and self.contract.time_column in self.table.names:
            self._note_times(self.contract.time_column)

    def _machines(self) -> pd.Series | None:
        column = self.contract.equipment_column
        return self.table.stripped(column) if column in self.table.names else None

    def _note_numbers(self, name: str, values: pd.Series, sensor: Sensor) -> None:
        """Great Expectations sees numbers only: text and all-missing columns are noted here."""
        if not values.isna().any():
            return
        blank = self.table.missing(name).to_numpy() & self.mine
        if blank.sum() == self.mine.sum():
            self.notes.file(
                "SENSOR-ALL-MISSING",
                f"Sensor {name!r} has no value in any row",
                "Check the tag in the export, or remove the sensor from the contract and pretrain again",
                column=self.table.tag(name),
                count=int(blank.sum()),
                line=int(self.table.lines[blank.argmax()]),
            )
            return
        unread = (values.isna().to_numpy() & ~blank & self.mine).nonzero()[0]
        severity: Severity = (
            "refuse" if len(unread) > sensor.max_missing * self.mine.sum() else "quarantine"
        )
        told = _NOT_READ["bool" if sensor.dtype == "bool" else "number"]
        self.notes.rows(
            "SENSOR-NOT-A-NUMBER",
            unread,
            name,
            f"Sensor {name!r} holds {told.instead} in {len(unread)} row(s)",
            told.remedy,
            expected=told.expected.format(dialect=self.table.dialect.sentence()),
            severity=severity,
        )

    def _note_key(self, key: str) -> None:
        empty = (self.table.missing(key).to_numpy() & self.mine).nonzero()[0]
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
        unread = (times.seconds.isna().to_numpy() & self.mine).nonzero()[0]
        self.notes.rows(
            "TIME-UNREADABLE",
            unread,
            column,
            f"The time cannot be read in {len(unread)} row(s)",
            "Write times as 2026-03-31 14:05:00 or as one growing number, or pin `csv.time_format` in the contract",
            expected=f"a time written like most in the file: {times.style}",
            severity="quarantine",
        )

    def expectations(self) -> None:
        """Ranges, missing shares and label spellings, by Great Expectations."""
        import pandas as pd

        typed: dict[str, pd.Series] = dict(self.values)
        if self.labelled:
            typed[self.contract.label.column] = self.table.stripped(self.contract.label.column)
        frame = pd.DataFrame(typed, copy=False)
        frame = frame if self.mine.all() else frame[self.mine]
        self.validation = validate_table(frame, self.contract, labelled=self.labelled)
        for unmet in self.validation.unmet:
            _NOTED[unmet.kind](self.notes, unmet, self.contract, len(frame))

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

    def _rows(self) -> Rows:
        import numpy as np

        place = np.flatnonzero(self.mine & ~self.notes.aside())
        every = len(place) == len(self.table)
        label = self.contract.label
        if self.labelled:
            self.fault = self.table.stripped(label.column).isin(label.fault).to_numpy(dtype=bool)
        rows = Rows(
            self.contract,
            {name: values.to_numpy() for name, values in self.values.items()},
            self.fault,
            self._numbered(self.contract.equipment_column),
            self._numbered(self.contract.run_column),
            None if self.seconds is None else self.seconds.to_numpy(),
            np.arange(len(self.table)),
        )
        return rows if every else rows.only(place)

    def _numbered(self, column: str | None) -> np.ndarray:
        """(n,) a number for each name in a key column, in order of appearance; 0 without the column."""
        import numpy as np
        import pandas as pd

        if column is None or column not in self.table.names:
            return np.zeros(len(self.table), dtype=np.int64)
        return pd.factorize(self.table.stripped(column))[0]

    def _note(self, breach: Breach, rows: Rows) -> None:
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
        places = rows.place[breach.places]
        self.notes.rows(
            breach.code,
            places,
            breach.column,
            breach.message,
            breach.remedy,
            expected=breach.expected,
            severity=severity,
        )

    def outcome(self) -> Checked:
        """Accepted and rejected rows."""
        aside = self.notes.aside()
        return Checked(
            accepted=self._bookkept((self.mine & ~aside).nonzero()[0]),
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
        return Checked(
            nothing, nothing, self.notes.sorted, len(self.table), 0, self.table, self.validation
        )

    def _bookkept(self, place: np.ndarray) -> pd.DataFrame:
        """Accepted sensors with who, when and from where beside them."""
        import pandas as pd

        contract, table = self.contract, self.table
        every = len(place) == len(table)
        kept = {
            name: values.to_numpy() if every else values.to_numpy()[place]
            for name, values in self.values.items()
        }
        out: dict[str, object] = dict(kept)
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
        out[columns.TIME] = float("nan") if self.seconds is None else self.seconds.to_numpy()[place]
        return pd.DataFrame(out, copy=False)

    def _names(self, column: str | None, default: str, place: np.ndarray) -> object:
        if column is None or column not in self.table.names:
            return _one_name(default, len(place))
        names = self.table.stripped(column)
        return (names if len(place) == len(names) else names.iloc[place]).array


def _one_name(name: str, rows: int) -> object:
    """The same text in every row, made at once."""
    import pandas as pd
    import pyarrow as pa

    return pd.array(pa.repeat(pa.scalar(name, pa.large_string()), rows), dtype="str")


def _note_missing(notes: Notes, unmet: Unmet, contract: Contract, _rows: int) -> None:
    import numpy as np

    # Cells with text instead of a number are missing to Great Expectations too; they have their own finding.
    blank = notes.table.missing(unmet.column).to_numpy()
    places = np.array([place for place in unmet.index if blank[place]], dtype=int)
    allowed = contract.sensors[unmet.column].max_missing
    notes.rows(
        "SENSOR-MISSING",
        places,
        unmet.column,
        f"Sensor {unmet.column!r} has no value in {len(places)} row(s)"
        + ("" if unmet.passed else f", more than the allowed share of {allowed:g}"),
        "Repair the export, or raise `max_missing` if the gaps are normal",
        expected=f"a value in at least {1 - allowed:.0%} of the rows",
        severity="quarantine" if unmet.passed else "refuse",
    )


def _note_range(notes: Notes, unmet: Unmet, contract: Contract, _rows: int) -> None:
    import numpy as np

    sensor = contract.sensors[unmet.column]
    low = "-∞" if sensor.min is None else f"{sensor.min:g}"
    high = "∞" if sensor.max is None else f"{sensor.max:g}"
    unit = f" {sensor.unit}" if sensor.unit else ""
    notes.rows(
        "SENSOR-OUT-OF-RANGE",
        np.array(unmet.index, dtype=int),
        unmet.column,
        f"Sensor {unmet.column!r} lies outside its range in {len(unmet.index)} row(s)",
        "Check the unit and the sensor; if the values are real, widen the range in the contract",
        expected=f"{low} to {high}{unit}",
        severity=sensor.on_breach,
    )


def _note_labels(notes: Notes, unmet: Unmet, contract: Contract, rows: int) -> None:
    import numpy as np

    label = contract.label
    notes.rows(
        "LABEL-UNKNOWN",
        np.array(unmet.index, dtype=int),
        label.column,
        f"The label is neither a normal nor a fault spelling in {len(unmet.index)} row(s)",
        "Mend the labels, or name their spelling under `label` in the contract",
        expected=f"one of {', '.join([*label.normal, *label.fault])}",
        severity="refuse" if len(unmet.index) > MAX_BAD_LABELS * rows else "quarantine",
    )


_NOTED = {"null": _note_missing, "range": _note_range, "label": _note_labels}
