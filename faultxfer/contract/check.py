"""Check one table against its contract: good rows through, bad rows aside, each with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faultxfer.contract import columns
from faultxfer.contract.expectations import Unmet, Validation, validate_table
from faultxfer.contract.schema import Contract
from faultxfer.contract.table import RawTable
from faultxfer.findings import MAX_EXAMPLES, Finding, Severity, refusing

if TYPE_CHECKING:
    import pandas as pd

# A file in which more rows than this share carry an unreadable label is a wrong file, not a dirty one.
MAX_BAD_LABELS = 0.2


@dataclass(frozen=True)
class Checked:
    """Outcome for one table.

    Attributes:
        accepted: sensor columns as float64 in feature order, and the bookkeeping columns of ``columns``.
        rejected: rows set aside, their cells as read, with the columns ``_file``, ``_line`` and ``_codes``.
        findings: all findings, refusing ones first.
        read: number of rows read.
        left_out: number of rows that belong to other equipment.
        validation: what Great Expectations found, or None where the file was refused before.
    """

    accepted: pd.DataFrame
    rejected: pd.DataFrame
    findings: tuple[Finding, ...]
    read: int
    left_out: int
    validation: Validation | None = None

    @property
    def refused(self) -> bool:
        """Whether the whole file was refused."""
        return bool(refusing(self.findings))


class _Notes:
    """Findings of one table, and which rows they set aside."""

    def __init__(self, table: RawTable) -> None:
        self.table = table
        self.findings: list[Finding] = []
        self.codes: dict[int, list[tuple[str, str]]] = {}
        self.validation: Validation | None = None

    def file(self, code: str, message: str, remedy: str, *, severity: Severity = "refuse", **more: object) -> None:
        self.findings.append(
            Finding(code, severity, message, file=self.table.file, remedy=remedy, **more)  # type: ignore[arg-type]
        )

    def rows(
        self, code: str, index: list[int], column: str, message: str, remedy: str, *, expected: str, severity: Severity
    ) -> None:
        """Note rows by index label; severity ``quarantine`` sets them aside."""
        if not index:
            return
        cells = self.table.frame[column]
        lines = self.table.lines
        examples = tuple(f"line {lines[label]}: {str(cells[label])[:40]!r}" for label in index[:MAX_EXAMPLES])
        self.findings.append(
            Finding(
                code,
                severity,
                message,
                file=self.table.file,
                column=column,
                line=int(lines[index[0]]),
                count=len(index),
                expected=expected,
                received=str(cells[index[0]])[:40],
                examples=examples,
                remedy=remedy,
            )
        )
        if severity == "quarantine":
            for label in index:
                self.codes.setdefault(label, []).append((code, column))

    def none_left(self) -> None:
        """Refuse the file, and say which rules took most rows."""
        most = sorted(
            (found for found in self.findings if found.severity == "quarantine"), key=lambda found: -found.count
        )
        causes = "; ".join(f"{found.code} in {found.column!r}, {found.count} rows" for found in most[:3])
        self.file(
            "ROWS-NONE-LEFT",
            f"Every row breaks a rule: {causes}",
            most[0].remedy,
            column=most[0].column,
            line=most[0].line,
            expected=most[0].expected,
            received=most[0].received,
        )


def check_table(table: RawTable, contract: Contract, *, labelled: bool, equipment: str | None = None) -> Checked:
    """Check one table.

    Args:
        table: the rows as read.
        contract: what they must look like.
        labelled: whether the label column is needed (training) or ignored (scoring).
        equipment: keep only rows of this machine; others are left out and counted.

    Raises:
        DataError: numbers or times of the file can be read in more than one way, and the contract does not pin one.
    """
    notes = _Notes(table)
    _check_columns(notes, contract, labelled)
    if refusing(notes.findings):
        return _refused(table, notes)
    mine = _of_equipment(notes, contract, equipment)
    if refusing(notes.findings):
        return _refused(table, notes)
    typed = _typed(notes, mine, contract, labelled)
    if refusing(notes.findings):
        return _refused(table, notes)
    _apply_expectations(notes, typed, contract, labelled)
    if refusing(notes.findings):
        return _refused(table, notes)
    good = typed.drop(index=list(notes.codes))
    if good.empty:
        notes.none_left()
        return _refused(table, notes)
    return Checked(
        accepted=_bookkept(good, table, contract, labelled),
        rejected=_rejected(notes),
        findings=_sorted(notes.findings),
        read=len(table.frame),
        left_out=len(table.frame) - len(mine),
        validation=notes.validation,
    )


def _sorted(findings: list[Finding]) -> tuple[Finding, ...]:
    order = {"refuse": 0, "quarantine": 1, "warn": 2}
    return tuple(sorted(findings, key=lambda finding: order[finding.severity]))


def _refused(table: RawTable, notes: _Notes) -> Checked:
    nothing = table.frame.iloc[0:0]
    return Checked(nothing, nothing, _sorted(notes.findings), len(table.frame), 0, notes.validation)


def _check_columns(notes: _Notes, contract: Contract, labelled: bool) -> None:
    present = list(notes.table.frame.columns)
    if notes.table.frame.empty:
        notes.file("FILE-EMPTY", "The file has no data rows", "Check the export; at least a header and rows are needed")
        return
    keys = [contract.equipment_column, contract.run_column, contract.time_column]
    needed = [*contract.features, *([contract.label.column] if labelled else [])]
    # Without a run column a file to be scored is one recording; time is only copied to the output.
    needed += [key for key in keys if key] if labelled else [contract.equipment_column or contract.features[0]]
    missing = [name for name in dict.fromkeys(needed) if name not in present]
    if missing:
        notes.file(
            "COLUMN-MISSING",
            f"{len(missing)} column(s) of the contract are missing: {', '.join(missing[:8])}",
            "Rename the columns in the export, or change the contract",
            count=len(missing),
            expected=", ".join(needed),
            received=", ".join(present),
        )
    known = {*contract.features, *contract.ignore, contract.label.column, *[key for key in keys if key]}
    unknown = [name for name in present if name not in known]
    if unknown:
        notes.file(
            "COLUMN-UNKNOWN",
            f"{len(unknown)} column(s) are not in the contract and are not used: {', '.join(unknown[:8])}",
            "Name them under `ignore` to silence this",
            severity="warn",
            count=len(unknown),
        )


def _of_equipment(notes: _Notes, contract: Contract, equipment: str | None) -> pd.DataFrame:
    frame = notes.table.frame
    if equipment is None or contract.equipment_column is None:
        return frame
    names = frame[contract.equipment_column].str.strip()
    mine = frame[names == equipment]
    if mine.empty:
        found = sorted(names.unique())
        notes.file(
            "EQUIPMENT-ABSENT",
            f"No row belongs to equipment {equipment!r}; the file has {', '.join(map(repr, found[:8]))}",
            "Check --equipment, or take the right file",
            column=contract.equipment_column,
            expected=equipment,
            received=", ".join(found[:8]),
        )
    return mine


def _typed(notes: _Notes, frame: pd.DataFrame, contract: Contract, labelled: bool) -> pd.DataFrame:
    """Sensors as float64 (NaN where missing or not a number); the label as stripped text."""
    import pandas as pd

    typed: dict[str, pd.Series] = {}
    for name, sensor in contract.sensors.items():
        blank = notes.table.missing(name).loc[frame.index]
        typed[name] = values = notes.table.numbers(name).loc[frame.index]
        _note_numbers(notes, name, values, blank, sensor.max_missing)
    if labelled:
        typed[contract.label.column] = frame[contract.label.column].str.strip()
    _note_keys(notes, frame, contract)
    return pd.DataFrame(typed, index=frame.index)


def _note_numbers(notes: _Notes, name: str, values: pd.Series, blank: pd.Series, max_missing: float) -> None:
    """Great Expectations sees numbers only: text and all-missing columns are noted here."""
    text = values.isna() & ~blank
    unread = list(values.index[text])
    if blank.all():
        notes.file(
            "SENSOR-ALL-MISSING",
            f"Sensor {name!r} has no value in any row",
            "Check the tag in the export, or remove the sensor from the contract and pretrain again",
            column=name,
            count=len(blank),
            line=int(notes.table.lines[blank.index[0]]),
        )
        return
    share = float(text.mean())
    severity: Severity = "refuse" if share > max_missing else "quarantine"
    notes.rows(
        "SENSOR-NOT-A-NUMBER",
        unread,
        name,
        f"Sensor {name!r} holds text instead of a number in {len(unread)} row(s)",
        "Mend the cells, or pin in the contract what they mean: `csv.missing`, `csv.decimal`, `csv.thousands`",
        expected=f"a finite number ({notes.table.dialect.sentence()})",
        severity=severity,
    )


def _note_keys(notes: _Notes, frame: pd.DataFrame, contract: Contract) -> None:
    for key in (contract.equipment_column, contract.run_column):
        if key and key in frame:
            empty = notes.table.missing(key).loc[frame.index]
            notes.rows(
                "KEY-MISSING",
                list(frame.index[empty]),
                key,
                f"Column {key!r} is blank in {int(empty.sum())} row(s)",
                "Every row must say which machine and which recording it belongs to",
                expected="a name",
                severity="quarantine",
            )
    if contract.time_column and contract.time_column in frame:
        times = notes.table.times(contract.time_column)
        unread = times.seconds.loc[frame.index].isna()
        notes.rows(
            "TIME-UNREADABLE",
            list(frame.index[unread]),
            contract.time_column,
            f"The time cannot be read in {int(unread.sum())} row(s)",
            "Write times as 2026-03-31 14:05:00 or as one growing number, or pin `csv.time_format` in the contract",
            expected=f"a time written like most in the file: {times.style}",
            severity="quarantine",
        )


def _apply_expectations(notes: _Notes, typed: pd.DataFrame, contract: Contract, labelled: bool) -> None:
    notes.validation = validate_table(typed, contract, labelled=labelled)
    for unmet in notes.validation.unmet:
        if unmet.kind == "null":
            _note_missing(notes, unmet, contract)
        elif unmet.kind == "range":
            _note_range(notes, unmet, contract)
        else:
            _note_labels(notes, unmet, contract, len(typed))


def _note_missing(notes: _Notes, unmet: Unmet, contract: Contract) -> None:
    # Cells with text instead of a number are missing to Great Expectations too; they have their own finding.
    text = ("SENSOR-NOT-A-NUMBER", unmet.column)
    index = [label for label in unmet.index if text not in notes.codes.get(label, [])]
    allowed = contract.sensors[unmet.column].max_missing
    notes.rows(
        "SENSOR-MISSING",
        index,
        unmet.column,
        f"Sensor {unmet.column!r} has no value in {len(index)} row(s)"
        + ("" if unmet.passed else f", more than the allowed share of {allowed:g}"),
        "Repair the export, or raise `max_missing` if the gaps are normal",
        expected=f"a value in at least {1 - allowed:.0%} of the rows",
        severity="quarantine" if unmet.passed else "refuse",
    )


def _note_range(notes: _Notes, unmet: Unmet, contract: Contract) -> None:
    sensor = contract.sensors[unmet.column]
    low = "-∞" if sensor.min is None else f"{sensor.min:g}"
    high = "∞" if sensor.max is None else f"{sensor.max:g}"
    unit = f" {sensor.unit}" if sensor.unit else ""
    notes.rows(
        "SENSOR-OUT-OF-RANGE",
        list(unmet.index),
        unmet.column,
        f"Sensor {unmet.column!r} lies outside its range in {len(unmet.index)} row(s)",
        "Check the unit and the sensor; if the values are real, widen the range in the contract",
        expected=f"{low} to {high}{unit}",
        severity=sensor.on_breach,
    )


def _note_labels(notes: _Notes, unmet: Unmet, contract: Contract, rows: int) -> None:
    label = contract.label
    notes.rows(
        "LABEL-UNKNOWN",
        list(unmet.index),
        label.column,
        f"The label is neither a normal nor a fault spelling in {len(unmet.index)} row(s)",
        "Mend the labels, or name their spelling under `label` in the contract",
        expected=f"one of {', '.join([*label.normal, *label.fault])}",
        severity="refuse" if len(unmet.index) > MAX_BAD_LABELS * rows else "quarantine",
    )


def _bookkept(good: pd.DataFrame, table: RawTable, contract: Contract, labelled: bool) -> pd.DataFrame:
    """Accepted sensors with who, when and from where beside them."""
    raw = table.frame.loc[good.index]
    out = good[list(contract.features)].copy()
    if labelled:
        out[columns.FAULT] = good[contract.label.column].isin(contract.label.fault).astype("int8")
    out[columns.FILE] = table.file
    out[columns.ROW] = good.index.to_numpy()
    out[columns.LINE] = table.lines[good.index.to_numpy()]
    out[columns.EQUIPMENT] = _text(raw, contract.equipment_column, contract.family)
    out[columns.RUN] = _text(raw, contract.run_column, table.file)
    out[columns.TIME_TEXT] = _text(raw, contract.time_column, "")
    timed = contract.time_column if contract.time_column in raw else None
    out[columns.TIME] = table.times(timed).seconds.loc[good.index] if timed else float("nan")
    return out.reset_index(drop=True)


def _text(raw: pd.DataFrame, column: str | None, default: str) -> pd.Series | str:
    return raw[column].str.strip() if column and column in raw else default


def _rejected(notes: _Notes) -> pd.DataFrame:
    index = sorted(notes.codes)
    rejected = notes.table.frame.loc[index].copy()
    rejected[columns.FILE] = notes.table.file
    rejected[columns.LINE] = notes.table.lines[index]
    rejected[columns.CODES] = [" ".join(dict.fromkeys(code for code, _ in notes.codes[label])) for label in index]
    return rejected
