"""The rules that hold between files: what each file alone does not show, all of them together may.

Runs are numbered anew in each file, clocks start anew, and files of two machines look alike where no column names the
machine. So between files a contradiction is told and changes nothing, unless a named machine has equal readings at one
date under two labels, or the contract gives the rule a severity.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from faultxfer.contract.check import Checked
from faultxfer.contract.copies import set_aside
from faultxfer.contract.notes import Notes
from faultxfer.contract.rules import label_conflict, label_leak, time_duplicate
from faultxfer.contract.rules.protocol import Breach, Rows, Rule
from faultxfer.contract.schema import Contract
from faultxfer.findings import Finding
from faultxfer.reading import columns

if TYPE_CHECKING:
    import numpy as np

# Seconds since 1970: of 1973 and later. What is smaller may count from the beginning of a file or a run.
_DATES_FROM = 1e8


def with_rules_across(checked: list[Checked], contract: Contract) -> list[Checked]:
    """Check the accepted rows of all files together, as far as no file is refused.

    Contradicting labels and times first, each on the rows that are left, then columns that are the label.
    """
    for rule in (_conflicts, _doubled_times):
        checked = _ruled(checked, contract, rule)
    return _with_leaks(_none_left(checked), contract)


def _ruled(checked: list[Checked], contract: Contract, rule: Rule) -> list[Checked]:
    """The files, with what a rule finds in them together and in none of them alone."""
    files = _files(checked, columns.FAULT if rule is _conflicts else columns.TIME)
    if len(files) < 2:
        return checked
    rows = _stacked([checked[file] for file in files], contract)
    checked = list(checked)
    for breach, places in _new(rule, rows):
        for number, file in enumerate(files):
            mine = places[rows.file[places] == number]  # type: ignore[index]
            checked[file] = _noted(checked[file], breach, rows.place[mine], contract)
    return checked


def _files(checked: list[Checked], column: str) -> list[int]:
    """Files that have rows, and a value of the column in each; none where one is refused."""
    if any(outcome.refused for outcome in checked):
        return []
    filled = [file for file, outcome in enumerate(checked) if len(outcome.accepted)]
    accepted = {file: checked[file].accepted for file in filled}
    return [
        file for file in filled if column in accepted[file] and accepted[file][column].notna().all()
    ]


def _stacked(outcomes: list[Checked], contract: Contract) -> Rows:
    """All accepted rows, each with its place in its own file. Where there is no run column, each file is one run."""
    import numpy as np
    import pandas as pd

    label = (
        [columns.FAULT] if all(columns.FAULT in outcome.accepted for outcome in outcomes) else []
    )
    keys = [columns.EQUIPMENT, columns.RUN, columns.TIME, columns.ROW]
    frames = [outcome.accepted[[*keys, *label, *contract.features]] for outcome in outcomes]
    rows = pd.concat(frames, ignore_index=True)
    return Rows(
        contract,
        {name: rows[name].to_numpy() for name in contract.features},
        rows[columns.FAULT].to_numpy(dtype=bool) if label else None,
        pd.factorize(rows[columns.EQUIPMENT])[0],
        pd.factorize(rows[columns.RUN])[0],
        None if rows[columns.TIME].isna().any() else rows[columns.TIME].to_numpy(),
        rows[columns.ROW].to_numpy(),
        np.repeat(np.arange(len(frames)), [len(frame) for frame in frames]),
    )


def _doubled_times(rows: Rows) -> Iterator[Breach]:
    """Rows with the time of another file's row of the same run: told, as runs may be numbered anew."""
    yield from (_softened(breach, rows) for breach in time_duplicate.check(rows))


def _conflicts(rows: Rows) -> Iterator[Breach]:
    """As within a file; besides, equal readings of one moment have one label, whatever their files and runs are called.

    The more serious finding comes first, and each row has one.
    """
    import numpy as np

    found = [
        _softened(breach, rows)
        for view in _loose_views(rows)
        for breach in label_conflict.check(view)
    ]
    alike = dataclasses.replace(rows, run=rows.readings)
    found += [
        breach if _certain(rows) else _softened(breach, rows)
        for breach in label_conflict.check(alike)
    ]
    told = np.array([], dtype=int)
    for breach in sorted(found, key=lambda breach: breach.severity == "warn"):
        places = np.setdiff1d(breach.places, told)
        told = np.union1d(told, places)
        yield dataclasses.replace(breach, places=places)


def _softened(breach: Breach, rows: Rows) -> Breach:
    """A warning, unless the contract gives the rule a severity."""
    return (
        breach
        if breach.code in rows.contract.rules
        else dataclasses.replace(breach, severity="warn")
    )


def _certain(rows: Rows) -> bool:
    """Whether equal rows of two files are one row: a column names the machine, and no clock starts anew."""
    return rows.contract.equipment_column is not None and (rows.seconds is None or _dated(rows))


def _dated(rows: Rows) -> bool:
    import numpy as np

    return rows.seconds is not None and bool(np.abs(rows.seconds).min() >= _DATES_FROM)


def _loose_views(rows: Rows) -> list[Rows]:
    """Rows of one recording by their run; without runs a machine has one label at one date."""
    import numpy as np

    if rows.contract.run_column is None and _dated(rows):
        return [dataclasses.replace(rows, run=np.zeros_like(rows.run))]
    return [rows]


def _new(rule: Rule, rows: Rows) -> Iterator[tuple[Breach, np.ndarray]]:
    """What a rule finds, and the places of rows about which it says less within their file."""
    import numpy as np

    found = [breach for breach in rule(rows) if len(breach.places)]
    if not found:
        return
    told: dict[str | None, list[np.ndarray]] = {}
    for number in np.unique(rows.file):  # type: ignore[arg-type]
        own = np.flatnonzero(rows.file == number)
        for breach in rule(rows.only(own)):
            told.setdefault(breach.severity, []).append(own[breach.places])
    for breach in found:
        places = np.setdiff1d(
            breach.places, np.concatenate(told.get(breach.severity, [np.array([], dtype=int)]))
        )
        if len(places):
            yield breach, places


def _noted(outcome: Checked, breach: Breach, places: np.ndarray, contract: Contract) -> Checked:
    """The outcome of a file of which these rows break a rule; its message begins with their number."""
    if not len(places):
        return outcome
    severity = breach.severity or contract.severity(breach.code)
    notes = Notes(outcome.table)
    notes.rows(
        breach.code,
        places,
        breach.column,
        f"{len(places)} {breach.message.partition(' ')[2]}, together with other files",
        breach.remedy,
        expected=breach.expected,
        severity=severity,
    )
    outcome = _told(outcome, notes.findings[0])
    if severity != "quarantine":
        return outcome
    return set_aside(
        outcome, outcome.accepted[columns.ROW].isin(places).to_numpy(), notes.rejected()
    )


def _told(outcome: Checked, finding: Finding) -> Checked:
    """Refusing findings stand first."""
    before = outcome.findings
    findings = (finding, *before) if finding.severity == "refuse" else (*before, finding)
    return dataclasses.replace(outcome, findings=findings)


def _none_left(checked: list[Checked]) -> list[Checked]:
    """Refuse files of which no row is left at all."""
    if any(len(outcome.accepted) or outcome.refused for outcome in checked):
        return checked
    file = max(file for file, outcome in enumerate(checked) if len(outcome.rejected))
    notes = Notes(checked[file].table)
    notes.findings = list(checked[file].findings)
    notes.none_left()
    return [
        *checked[:file],
        dataclasses.replace(checked[file], findings=notes.sorted),
        *checked[file + 1 :],
    ]


def _with_leaks(checked: list[Checked], contract: Contract) -> list[Checked]:
    """The files, with columns that are the label in all of them together; the first file carries the finding."""
    files = _files(checked, columns.FAULT)
    if len(files) < 2:
        return checked
    told = {(item.code, item.column) for outcome in checked for item in outcome.findings}
    first = checked[files[0]]
    for breach in label_leak.check(_stacked([checked[file] for file in files], contract)):
        column = first.table.tag(breach.column)
        if (breach.code, column) not in told:
            first = _told(first, _leak(breach, column, contract))
    return [first if file == files[0] else outcome for file, outcome in enumerate(checked)]


def _leak(breach: Breach, column: str, contract: Contract) -> Finding:
    return Finding(
        breach.code,
        contract.severity(breach.code),
        f"{breach.message}, over all files together",
        column=column,
        expected=breach.expected,
        received=breach.received,
        remedy=breach.remedy,
    )
