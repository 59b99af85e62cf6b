"""Values against their limits, and the rules that see the rows one after the other."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from faultxfer.contract.checking import State
from faultxfer.contract.expectations import Validation
from faultxfer.contract.lacking import in_yaml
from faultxfer.contract.missing import Fillable, fillable_rows
from faultxfer.contract.rules import OF_THE_CLOCK, RULES
from faultxfer.contract.rules.protocol import Breach, Rule, TableRows
from faultxfer.contract.tallies import NULL, tallies
from faultxfer.contract.unmet import note_unmet
from faultxfer.wording import listed

# Rows stand newest first where this share of the steps goes back in time, and this many do.
_MOSTLY, _FEWEST_BACK = 0.9, 3


def judge_values(check: State) -> None:
    """Ranges, missing shares and label spellings of the rows that are used."""
    used = np.flatnonzero(check.mine)
    every = len(used) == len(check.mine)
    arrays = check.values
    lacking = check.lacking
    labels = check.labels.spelt if check.labelled and check.labels is not None else None
    if not every:
        arrays = {name: values[used] for name, values in arrays.items()}
        lacking = {name: lacked[used] for name, lacked in lacking.items()}
        labels = None if labels is None else labels.iloc[used]
    found = tallies(arrays, check.contract, labels=labels, lacking=lacking)
    check.validation = Validation(check.contract, found)
    unmet = [tally for tally in found if tally.unmet]
    if not unmet:
        return
    fillable = _fillable(check)
    for tally in unmet:
        hint = wholly_empty(check, tally.column) if tally.kind == NULL else ""
        # A version goes on where a sensor stops, row by row, whatever the share of such rows; and
        # a part does not show their share of the whole.
        row_by_row = check.scoring or check.of_a_part
        passed = tally.passed or (row_by_row and tally.kind == NULL)
        judged = dataclasses.replace(tally, places=used[tally.places], passed=passed)
        note_unmet(check.notes, judged, check.contract, len(used), fillable, hint)


def wholly_empty(check: State, name: str) -> str:
    """What to write where machines have no value of a sensor at all; empty where none is so."""
    machines = check.key(check.contract.equipment_column)
    if machines is None or not check.of_a_file or check.of_a_part:
        return ""
    missing = pd.Series(check.notes.missing(name)[check.mine])
    empty = missing.groupby(machines[check.mine].to_numpy()).all()
    lacked = check.lacking.get(name, np.zeros(len(check.table), dtype=bool))
    known = set(machines[lacked & check.mine])
    found = [str(machine) for machine in empty.index[empty] if machine not in known]
    if not found or check.contract.why_needed([name]):
        return ""
    return (
        f". {listed(list(map(repr, found)))} has no value of it in any row: where that is a "
        f"machine without the sensor, write `lacks: {in_yaml((name,))}` at its name under "
        "`equipment:`"
    )


def _fillable(check: State) -> Fillable:
    """Rows whose missing readings can be filled in, all of them."""
    missing = {name: np.isnan(values) for name, values in check.values.items()}
    lacking = {} if check.scoring else check.lacking
    for name, lacked in lacking.items():
        missing[name] = missing[name] & ~lacked
    now = fillable_rows(missing, check.contract, check.fills, lacking)
    if check.fills:
        return Fillable(now, np.zeros_like(now))
    every = frozenset(check.contract.features)
    return Fillable(now, fillable_rows(missing, check.contract, every, lacking))


def run_rules(check: State) -> None:
    """What Great Expectations cannot state, on the rows that are left."""
    if not check.of_a_part and not (check.mine & ~check.notes.aside()).any():
        _note_none_left(check)
        return
    rows = _rows(check)
    for rule in RULES:
        before = len(check.notes.findings)
        seen = _seen_by(check, rule, rows)
        if not len(seen) and (check.copies is not None or check.of_a_part):
            continue  # what is left of the whole is in other parts
        for breach in rule(seen):
            _note(check, _filled_where_stuck(check, breach, seen), seen)
        if any(found.severity == "quarantine" for found in check.notes.findings[before:]):
            rows = rows.only(~check.notes.aside()[rows.place])
    if not len(rows):
        _note_none_left(check)


def _filled_where_stuck(check: State, breach: Breach, rows: TableRows) -> Breach:
    """What is left of a breach after readings of a stuck sensor were taken for missing.

    Only where the contract sets such rows aside, and the model at hand fills the reading in.
    """
    name = breach.column
    aside = (breach.severity or check.contract.severity(breach.code)) == "quarantine"
    is_stuck = breach.code == "SENSOR-STUCK" and len(breach.places) > 0
    if not (is_stuck and aside and check.scoring and name in check.fills):
        return breach
    stuck = np.zeros(len(check.table), dtype=bool)
    stuck[rows.place[breach.places]] = True
    gaps = {key: np.isnan(values) for key, values in check.values.items()}
    gaps[name] = gaps[name] | stuck
    filled = stuck & fillable_rows(gaps, check.contract, check.fills)
    check.values[name] = np.where(filled, np.nan, check.values[name])
    check.notes.rows(
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


def _note_none_left(check: State) -> None:
    if check.of_a_file and not check.of_a_part and check.copies is None:
        check.notes.none_left(_not_done_without(check))


def _not_done_without(check: State) -> tuple[str, ...]:
    """Sensors for want of which no row can be scored."""
    lost = check.notes.aside("SENSOR-MISSING")
    if not check.scoring or not lost[check.mine].all():
        return ()
    aside = check.notes.columns_of("SENSOR-MISSING")
    return tuple(name for name in check.contract.features if name in aside)


def _seen_by(check: State, rule: Rule, used: TableRows) -> TableRows:
    """The rows that a rule is for."""
    if rule not in OF_THE_CLOCK or not check.unused or check.seconds is None:
        return used
    timed = ~np.isnan(check.seconds)
    every = dataclasses.replace(check.every(), newest_first=used.newest_first)
    return every.only(check.asked & timed & ~check.notes.aside())


def _rows(check: State) -> TableRows:
    if check.labelled and check.labels is not None:
        faults = check.contract.label.faults
        check.fault = check.labels.of(faults)
    rows = _in_time(check, check.every())
    place = np.flatnonzero(check.mine & ~check.notes.aside())
    return rows if len(place) == len(rows) else rows.only(place)


def _in_time(check: State, rows: TableRows) -> TableRows:
    """The rows, in the order of time where the file has the newest ones first."""
    steps = np.empty(0) if rows.seconds is None else rows.elapsed
    back, forward = int((steps < 0).sum()), int((steps > 0).sum())
    column = check.contract.time_column
    if column is None or not is_newest_first(back, forward):
        return rows
    breach = newest_first(column)
    check.notes.file(
        breach.code,
        breach.message,
        breach.remedy,
        severity=check.contract.severity(breach.code),
        column=check.table.tag(column),
        count=back,
    )
    return dataclasses.replace(rows, newest_first=True)


def is_newest_first(back: int, forward: int) -> bool:
    """Whether so many steps of time back, and so many forward, are of rows with the newest first.

    >>> is_newest_first(9, 1), is_newest_first(2, 0)
    (True, False)
    """
    return back >= _FEWEST_BACK and back >= _MOSTLY * (back + forward)


def newest_first(column: str) -> Breach:
    """What is said of such rows."""
    return Breach(
        "TIME-NEWEST-FIRST",
        np.array([], dtype=int),
        column,
        "The newest rows stand first; the rules look at them in the order of time",
        "Nothing has to be done",
        "",
    )


def _note(check: State, breach: Breach, rows: TableRows) -> None:
    severity = breach.severity or check.contract.severity(breach.code)
    if breach.received:
        check.notes.file(
            breach.code,
            breach.message,
            breach.remedy,
            severity=severity,
            column=check.table.tag(breach.column),
            expected=breach.expected,
            received=breach.received,
        )
        return
    check.notes.rows(
        breach.code,
        rows.place[breach.places],
        breach.column,
        breach.message,
        breach.remedy,
        expected=breach.expected,
        severity=severity,
    )
