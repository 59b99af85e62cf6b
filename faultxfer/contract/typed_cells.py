"""Cells as numbers, names and times, and notes of those that are none."""

from __future__ import annotations

import shlex
from typing import NamedTuple

import numpy as np
import pandas as pd

from faultxfer.contract import machines
from faultxfer.contract.checking import State
from faultxfer.contract.holding import held_values
from faultxfer.contract.lacking import lacking_rows
from faultxfer.contract.missing import fillable_rows
from faultxfer.contract.named_columns import absent_of, going_on_without, note_gone
from faultxfer.contract.schema import Quality, Sensor
from faultxfer.contract.stated_units import in_expected_units
from faultxfer.findings import Severity
from faultxfer.reading.long_form import is_good


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


def read_cells(check: State) -> None:
    """Every cell is what its column should hold: a number, a name, a time."""
    contract, table = check.contract, check.table
    names = check.key(contract.equipment_column) if contract.equipment else None
    check.lacking = _lacking(check, names)
    for name in sorted(check.lacks.intersection(table.names)):
        _note_present(check, name, ~table.missing(name).to_numpy() & check.mine)
    for name, sensor in contract.sensors.items():
        values = table.readings(name, boolean=sensor.dtype == "bool")
        if sensor.quality is not None and sensor.quality.column in table.names:
            check.notes.bad[name] = _bad_quality(check, name, sensor.quality)
            values = np.where(check.notes.bad[name], np.nan, values)
        if _is_empty_and_filled(check, name, values, sensor):
            note_gone(check, [name], "has no value in any row")
            check.lacking[name] = np.ones(len(values), dtype=bool)
        if name in check.lacking:
            values = _without_lacked(check, name, values, check.lacking[name])
        _note_numbers(check, name, values, sensor)
        values = in_expected_units(values, name, check.notes, contract, check.equipment, names)
        check.values[name] = machines.converted(values, name, contract, check.equipment, names)
    for key in (contract.equipment_column, contract.run_column):
        if key and key in table.names:
            _note_key(check, key)
    if contract.time_column and contract.time_column in table.names:
        _note_times(check, contract.time_column)
    _hold_values(check)
    if check.scoring and check.lacking:
        _note_unscorable(check)


def _lacking(check: State, names: pd.Series | None) -> dict[str, np.ndarray]:
    """By sensor, (n,) bool: rows of machines that do not have it."""
    rows = len(check.table)
    if names is None:
        machine = check.equipment or check.contract.family
        every = dict.fromkeys(check.contract.lacking(machine), np.ones(rows, dtype=bool))
    else:
        every = dict(lacking_rows(names.to_numpy(dtype=object), check.contract))
    return every | dict.fromkeys(check.without | check.gone, np.ones(rows, dtype=bool))


def _is_empty_and_filled(check: State, name: str, values: np.ndarray, sensor: Sensor) -> bool:
    """Whether no used row has a reading of a sensor, and the model at hand fills it in."""
    whole = check.of_a_file and not check.of_a_part
    able = check.scoring and whole and name in check.fills and name not in check.lacking
    # Of a value that is held, a row that is not used itself may hold the reading.
    seen = check.asked if sensor.hold else check.mine
    if not able or (~np.isnan(values[seen])).any():
        return False
    return bool(check.notes.missing(name)[seen].all())


def _without_lacked(check: State, name: str, values: np.ndarray, lacked: np.ndarray) -> np.ndarray:
    """A sensor's values without those of machines that do not have it, which are noted."""
    if name not in check.without | check.gone:
        _note_present(check, name, ~np.isnan(values) & lacked & check.mine)
    return np.where(lacked, np.nan, values)


def _note_present(check: State, name: str, there: np.ndarray) -> None:
    """Ask about readings, in rows (n,) bool, of a sensor that the machine lacks."""
    places = np.flatnonzero(there)
    check.notes.rows(
        "SENSOR-PRESENT",
        places,
        name,
        f"{len(places)} row(s) have readings of {name!r} though their machine lacks the "
        "sensor by the contract; they are not used",
        "Does the machine have it? Then take it out of `lacks` in the contract; else "
        "leave the column empty in its rows",
        expected="no reading",
        severity=check.contract.severity("SENSOR-PRESENT"),
    )


def _note_unscorable(check: State) -> None:
    """Rows that cannot be scored, as their machine lacks what the model cannot do without."""
    none = np.zeros(len(check.table), dtype=bool)
    every = {name: check.lacking.get(name, none) for name in check.contract.features}
    able = fillable_rows(every, check.contract, check.fills)
    for name, lacked in check.lacking.items():
        places = np.flatnonzero(lacked & check.mine & ~able)
        check.notes.rows(
            "SENSOR-MISSING",
            places,
            name,
            f"The machine does not have sensor {name!r} in {len(places)} row(s), and the "
            "version that scores can neither do without it nor predict it",
            f"Make a version without it: `--without {shlex.quote(name)}` at `faultxfer transfer`",
            expected="a value",
            severity="quarantine",
        )


def _bad_quality(check: State, name: str, quality: Quality) -> np.ndarray:
    """(n,) bool: readings that do not count."""
    column = quality.column
    filled = ~check.table.missing(name).to_numpy() & check.mine
    good = is_good(check.table.stripped(column), quality.good)
    bad: np.ndarray = filled & ~good
    places = np.flatnonzero(bad)
    check.notes.rows(
        "READING-QUALITY",
        places,
        column,
        f"{len(places)} reading(s) of {name!r} have a quality that is not good and count as "
        "missing",
        "Name further good spellings under `quality` in the contract, if these are",
        expected=f"one of {', '.join(quality.good)}",
        severity=check.contract.severity("READING-QUALITY"),
    )
    return bad


def _hold_values(check: State) -> None:
    """Hold the last values of the sensors for which the contract says so."""
    sensors = check.contract.sensors.items()
    limits = {name: sensor.hold_seconds for name, sensor in sensors}
    asked = {name: limit for name, limit in limits.items() if limit is not None}
    if asked and check.seconds is not None:
        recording = check.every().recording
        for name, limit in asked.items():
            _hold(check, name, limit, check.seconds, recording)


def _hold(
    check: State, name: str, limit: float, seconds: np.ndarray, recording: np.ndarray
) -> None:
    """Hold the last value of a sensor for so many seconds, and note the share."""
    values, origin = held_values(check.values[name], seconds, recording, limit)
    held = origin != np.arange(len(origin))
    check.values[name], check.held[name] = values, held
    check.table = check.notes.table = check.table.held_from(name, origin)
    count = int((held & check.mine).sum())
    if count:
        told = held_told(name, check.contract.sensors[name], count / check.mine.sum())
        check.notes.file(
            "SENSOR-HELD",
            *told,
            severity=check.contract.severity("SENSOR-HELD"),
            column=check.table.tag(name),
            count=count,
        )


def held_told(name: str, sensor: Sensor, share: float) -> tuple[str, str]:
    """What is said of a sensor of which such a share of the values is held, and what to do."""
    return (
        f"{share:.0%} of the values of {name!r} are held from the row with the last one, for "
        f"{sensor.hold} at most",
        "Nothing, if the sensor is read that seldom; a shorter `hold` holds fewer",
    )


def _note_numbers(check: State, name: str, values: np.ndarray, sensor: Sensor) -> None:
    """Great Expectations sees numbers only: text and all-missing columns are noted here."""
    gaps = np.isnan(values)
    if not gaps.any():
        return
    mine = check.mine
    lacked = check.lacking.get(name, np.zeros(len(values), dtype=bool))
    missing, mine = check.notes.missing(name) | lacked, mine & ~lacked
    # Of a value that is held, a row that is not used itself may hold the reading.
    seen = check.asked & ~lacked if sensor.hold else mine
    if not seen.any():
        return
    whole = check.of_a_file and not check.of_a_part
    if whole and (missing & seen).sum() == seen.sum():
        _note_empty(check, name, missing & seen)
        return
    no_number = gaps & ~missing
    _note_unused(check, name, np.flatnonzero(no_number & seen & ~mine))
    unread = np.flatnonzero(no_number & mine)
    allowed = (sensor.max_missing if whole else 1.0) * mine.sum()
    severity: Severity = "refuse" if len(unread) > allowed else "quarantine"
    words = _NOT_READ["bool" if sensor.dtype == "bool" else "number"]
    check.notes.rows(
        "SENSOR-NOT-A-NUMBER",
        unread,
        name,
        f"Sensor {name!r} holds {words.instead} in {len(unread)} row(s)",
        words.remedy,
        expected=words.expected.format(dialect=check.table.dialect.sentence()),
        severity=severity,
    )


def _note_unused(check: State, name: str, unread: np.ndarray) -> None:
    """Note cells that cannot be held, in rows that are not used themselves."""
    words = _NOT_READ["bool" if check.contract.sensors[name].dtype == "bool" else "number"]
    check.notes.rows(
        "SENSOR-NOT-A-NUMBER",
        unread,
        name,
        f"Sensor {name!r} holds {words.instead} in {len(unread)} row(s) that are not used "
        "themselves; the value before is held instead",
        words.remedy,
        expected=words.expected.format(dialect=check.table.dialect.sentence()),
        severity="warn",
    )


def _note_empty(check: State, name: str, blank: np.ndarray) -> None:
    first = np.array([blank.argmax()])
    absent = absent_of([name], check.contract)
    check.notes.file(
        "SENSOR-ALL-MISSING",
        f"Sensor {name!r} has no value in any row",
        f"Check the tag in the export{going_on_without(check, absent)}",
        file=str(check.table.files_of(name, first)[0]),
        column=check.table.tag(name),
        count=int(blank.sum()),
        line=int(check.table.lines_of(name, first)[0]),
        absent=absent,
    )


def _note_key(check: State, key: str) -> None:
    blank = check.table.missing(key).to_numpy()
    empty = np.flatnonzero(blank & check.mine)
    check.notes.rows(
        "KEY-MISSING",
        empty,
        key,
        f"Column {key!r} is blank in {len(empty)} row(s)",
        "Every row must say which machine and which recording it belongs to",
        expected="a name",
        severity="quarantine",
    )


def _note_times(check: State, column: str) -> None:
    times = check.table.times(column)
    check.seconds = times.seconds.to_numpy()
    unread = np.isnan(check.seconds) & check.mine
    if not unread.any():
        return
    changes = check.table.clock_changes(column)
    for change, words in _TIME_LOST.items():
        places = np.flatnonzero(unread & (changes == change).to_numpy())
        check.notes.rows(
            "TIME-UNREADABLE",
            places,
            column,
            words.instead.format(rows=len(places), zone=check.contract.csv.timezone),
            words.remedy,
            expected=words.expected.format(style=times.style),
            severity="quarantine",
        )
