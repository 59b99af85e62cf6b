"""The rules that hold between files: together they may show what each file alone does not.

Runs are numbered anew in each file, clocks start anew, and files of two machines look alike where
no column names the machine. So a contradiction between files is a warning and changes nothing,
unless a named machine has equal readings at one date under two labels, or the contract gives the
rule a severity. Rows that stand in an earlier file too are set aside: one of the files would judge
what the other one taught.
"""

from __future__ import annotations

import dataclasses
import itertools
import operator
from collections.abc import Iterator

import numpy as np
import pandas as pd

from faultxfer.contract.notes import Notes
from faultxfer.contract.outcome import Checked
from faultxfer.contract.rules import labels, time
from faultxfer.contract.rules.protocol import Breach, Rule, TableRows
from faultxfer.contract.schema import Contract
from faultxfer.findings import Finding
from faultxfer.reading import columns
from faultxfer.reading.table import RawTable

_COPY = "ROW-DUPLICATE"
_NO_ROWS = np.array([], dtype=int)


# Copies


def without_copies(checked: list[Checked], contract: Contract) -> list[Checked]:
    """Set rows aside that stand in an earlier file too: same machine, time, label and readings.

    Without a time column equal rows may be real; then nothing is done.
    """
    accepted = [outcome for outcome in checked if not outcome.refused and len(outcome.accepted)]
    if contract.time_column is None or len(accepted) < 2:
        return checked
    frames = [outcome.accepted for outcome in accepted]
    if not _share_times(frames):
        return checked
    keys = [columns.EQUIPMENT, columns.TIME, *contract.features]
    if all(outcome.has(columns.FAULT) for outcome in accepted):
        keys.append(columns.FAULT)
    rows = pd.DataFrame({name: _stacked_column(frames, name) for name in keys}, copy=False)
    hashed = pd.util.hash_pandas_object(rows, index=False).to_numpy()
    file = _file_numbers(frames)
    _, first, same = np.unique(hashed, return_index=True, return_inverse=True)
    # A row without a time is no copy of another one.
    copies = (file > file[first][same]) & rows[columns.TIME].notna().to_numpy()
    by_file = iter(np.split(copies, np.cumsum([len(frame) for frame in frames])[:-1]))
    return [
        outcome
        if outcome.refused or outcome.accepted.empty
        else _without_rows(outcome, next(by_file), contract)
        for outcome in checked
    ]


def _share_times(frames: list[pd.DataFrame]) -> bool:
    """Whether the times of two files overlap, so that one may hold rows of the other."""
    known = [frame[columns.TIME].to_numpy() for frame in frames]
    spans = sorted(
        (np.nanmin(times), np.nanmax(times)) for times in known if not np.isnan(times).all()
    )
    return any(begin <= end for (_, end), (begin, _) in itertools.pairwise(spans))


def _stacked_column(frames: list[pd.DataFrame], name: str) -> np.ndarray:
    """(n,) a column of all files, one after the other."""
    columns = [frame[name].to_numpy() for frame in frames]
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _stacked_values(frames: list[pd.DataFrame], names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """By sensor, (n,) its values in all files, one after the other."""
    if len(frames) == 1:
        return {name: frames[0][name].to_numpy() for name in names}
    # Sensors stand first in every frame: all of them are taken at once, as files may be many.
    blocks = [frame.iloc[:, : len(names)].to_numpy().T for frame in frames]
    return dict(zip(names, np.concatenate(blocks, axis=1), strict=True))


def _file_numbers(frames: list[pd.DataFrame]) -> np.ndarray:
    """(n,) number of each row's file."""
    return np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])


def _without_rows(outcome: Checked, copies: np.ndarray, contract: Contract) -> Checked:
    if not copies.any():
        return outcome
    places = outcome.accepted.loc[copies, columns.ROW].to_numpy()
    notes = copies_noted(outcome.table, places, contract)
    outcome = dataclasses.replace(outcome, findings=(*outcome.findings, *notes.findings))
    aside = contract.severity(_COPY) == "quarantine"
    return outcome.without(places, notes.rejected()) if aside else outcome


def copies_noted(table: RawTable, places: np.ndarray, contract: Contract) -> Notes:
    """What is said of rows of a file that stand in an earlier one too.

    Args:
        table: the file, or a part of it.
        places: of the rows in it.
        contract: that the files were checked against.
    """
    notes = Notes(table)
    notes.rows(
        _COPY,
        places,
        str(contract.time_column),
        f"{len(places)} row(s) stand in an earlier file as well",
        "Export each period once, or leave one of the files out; "
        "the rows of the first file were kept",
        expected="each row once",
        severity=contract.severity(_COPY),
    )
    return notes


# Contradictions


def with_rules_across(checked: list[Checked], stack: Stack) -> list[Checked]:
    """Check the accepted rows of all files together, as far as no file is refused.

    Contradicting labels and times first, each on the rows that are left, then columns that are the
    label.
    """
    checked = _ruled(checked, stack, _conflicts, columns.FAULT)
    checked = _ruled(checked, stack, _doubled_times, columns.TIME)
    return _with_leaks(_none_left(checked), stack)


class Stack:
    """The rows of files, stacked once for the rules that see the same ones.

    Args:
        contract: what they were checked against.
    """

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._frames: list[pd.DataFrame] = []
        self._rows: TableRows | None = None

    def of(self, outcomes: list[Checked]) -> TableRows:
        """All accepted rows of the files."""
        frames = [outcome.accepted for outcome in outcomes]
        same = len(frames) == len(self._frames) and all(map(operator.is_, frames, self._frames))
        if self._rows is None or not same:
            self._frames, self._rows = frames, stacked_rows(outcomes, self.contract)
        return self._rows


def _ruled(checked: list[Checked], stack: Stack, rule: Rule, needed: str) -> list[Checked]:
    """The files, with what a rule finds in them together and in none of them alone.

    Args:
        checked: the outcome of each file.
        stack: their rows, and what they were checked against.
        rule: the rule.
        needed: the column without which a file has no part in it.
    """
    files = files_with(checked, needed)
    if len(files) < 2:
        return checked
    rows = stack.of([checked[file] for file in files])
    checked = list(checked)
    for breach in _new(rule, rows):
        for number, file in enumerate(files):
            mine = breach.places[_file_of(rows)[breach.places] == number]
            checked[file] = _noted(checked[file], breach, rows.place[mine], stack.contract)
    return checked


def _file_of(rows: TableRows) -> np.ndarray:
    """(n,) number of each row's file."""
    return np.zeros(len(rows), dtype=int) if rows.file is None else rows.file


def files_with(checked: list[Checked], column: str) -> list[int]:
    """Files that have rows, and a value of the column in each; none where one is refused."""
    if any(outcome.refused for outcome in checked):
        return []
    found = []
    for file, outcome in enumerate(checked):
        if outcome.has(column) and _is_filled(outcome.accepted[column]):
            found.append(file)
    return found


def _is_filled(values: pd.Series) -> bool:
    if values.dtype.kind == "f":
        return not np.isnan(values.to_numpy()).any()
    return values.dtype.kind in "ib" or bool(values.notna().all())


def stacked_rows(outcomes: list[Checked], contract: Contract) -> TableRows:
    """All accepted rows, each with its place in its file; without a run column a file is a run."""
    labelled = all(outcome.has(columns.FAULT) for outcome in outcomes)
    frames = [outcome.accepted for outcome in outcomes]
    seconds = _stacked_column(frames, columns.TIME)
    return TableRows(
        contract,
        _stacked_values(frames, contract.features),
        _stacked_column(frames, columns.FAULT).astype(bool) if labelled else None,
        _numbered(frames, columns.EQUIPMENT),
        _numbered(frames, columns.RUN),
        None if np.isnan(seconds).any() else seconds,
        _stacked_column(frames, columns.ROW),
        _file_numbers(frames),
    )


def _numbered(frames: list[pd.DataFrame], name: str) -> np.ndarray:
    """(n,) a number for each name in a column of all files, in order of appearance."""
    names = pd.concat([frame[name] for frame in frames], ignore_index=True)
    numbers: np.ndarray = pd.factorize(names)[0]
    return numbers


def _doubled_times(rows: TableRows) -> Iterator[Breach]:
    """Rows with the time of another file's row of their run; a warning, as runs are renumbered."""
    for breach in time.time_duplicate(rows):
        yield _softened(breach, rows)


def _conflicts(rows: TableRows) -> Iterator[Breach]:
    """As within a file; besides, equal readings of one moment have one label in all runs and files.

    The more serious finding comes first, and each row has one.
    """
    loose = [_softened(breach, rows) for breach in labels.label_conflict(_by_run(rows))]
    alike = list(labels.label_conflict(dataclasses.replace(rows, run=rows.readings)))
    if not _certain(rows):
        alike = [_softened(breach, rows) for breach in alike]
    reported = _NO_ROWS
    for breach in sorted(loose + alike, key=lambda breach: breach.severity == "warn"):
        places = np.setdiff1d(breach.places, reported)
        reported = np.union1d(reported, places)
        yield dataclasses.replace(breach, places=places)


def _softened(breach: Breach, rows: TableRows) -> Breach:
    """A warning, unless the contract gives the rule a severity."""
    if breach.code in rows.contract.rules:
        return breach
    return dataclasses.replace(breach, severity="warn")


def _certain(rows: TableRows) -> bool:
    """Whether equal rows of two files are one row.

    They are where a column names the machine, and no clock starts anew.
    """
    named = rows.contract.equipment_column is not None
    return named and (rows.seconds is None or _dated(rows))


def _dated(rows: TableRows) -> bool:
    return rows.seconds is not None and bool(np.abs(rows.seconds).min() >= time.DATES_FROM)


def _by_run(rows: TableRows) -> TableRows:
    """Rows of one recording by their run; without runs a machine has one label at one date."""
    if rows.contract.run_column is None and _dated(rows):
        return dataclasses.replace(rows, run=np.zeros_like(rows.run))
    return rows


def _new(rule: Rule, rows: TableRows) -> Iterator[Breach]:
    """What a rule finds, without the rows that it finds as serious within their file."""
    found = [breach for breach in rule(rows) if len(breach.places)]
    if not found:
        return
    known: dict[str | None, np.ndarray] = {}
    file_of = _file_of(rows)
    for number in np.unique(file_of):
        own = np.flatnonzero(file_of == number)
        for breach in rule(rows.only(own)):
            before = known.get(breach.severity, _NO_ROWS)
            known[breach.severity] = np.union1d(before, own[breach.places])
    for breach in found:
        places = np.setdiff1d(breach.places, known.get(breach.severity, _NO_ROWS))
        if len(places):
            yield dataclasses.replace(breach, places=places)


def _noted(outcome: Checked, breach: Breach, places: np.ndarray, contract: Contract) -> Checked:
    """The outcome of a file in which these rows break a rule; the message starts with how many."""
    if not len(places):
        return outcome
    severity = breach.severity or contract.severity(breach.code)
    _, _, message = breach.message.partition(" ")
    notes = Notes(outcome.table)
    notes.rows(
        breach.code,
        places,
        breach.column,
        f"{len(places)} {message}, together with other files",
        breach.remedy,
        expected=breach.expected,
        severity=severity,
    )
    outcome = outcome.with_finding(notes.findings[0])
    return outcome.without(places, notes.rejected()) if severity == "quarantine" else outcome


def _none_left(checked: list[Checked]) -> list[Checked]:
    """Refuse files of which no row is left at all."""
    if any(len(outcome.accepted) or outcome.refused for outcome in checked):
        return checked
    emptied = [file for file, one in enumerate(checked) if len(one.rejected) or one.unused]
    last = max(emptied)
    notes = Notes(checked[last].table)
    notes.findings = list(checked[last].findings)
    notes.none_left()
    checked = list(checked)
    checked[last] = dataclasses.replace(checked[last], findings=notes.sorted)
    return checked


# Sensors that are the label


def _with_leaks(checked: list[Checked], stack: Stack) -> list[Checked]:
    """The files, with columns that are the label in all of them together.

    The first file carries the finding.
    """
    files = files_with(checked, columns.FAULT)
    if len(files) < 2:
        return checked
    reported = set()
    for outcome in checked:
        reported |= {(finding.code, finding.column) for finding in outcome.findings}
    checked = list(checked)
    for breach in labels.label_leak(stack.of([checked[file] for file in files])):
        first = checked[files[0]]
        column = first.table.tag(breach.column)
        if (breach.code, column) not in reported:
            checked[files[0]] = first.with_finding(_leak(breach, column, stack.contract))
    return checked


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
