"""What a command loses without a mistake in any single row: machines, columns, values asked for.

Each is a finding over all files together, as one file may hold what another lacks.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd

from faultxfer.contract.outcome import Checked
from faultxfer.contract.schema import Contract
from faultxfer.contract.selection import as_spelt, common_values
from faultxfer.findings import Finding
from faultxfer.reading import columns
from faultxfer.reading.cells import missing_cells
from faultxfer.reading.table import RawTable
from faultxfer.wording import listed

_SHOWN = 3


def with_losses(
    checked: list[Checked], contract: Contract, equipment: str | None = None
) -> list[Checked]:
    """The files, with findings of what is lost; none where a file was refused.

    Args:
        checked: the outcome of each file.
        contract: what they were checked against.
        equipment: the machine asked for; all where it is None.
    """
    if any(outcome.refused for outcome in checked):
        return checked
    found = [
        *_machines(checked, contract, equipment),
        *columns_lost([outcome.table for outcome in checked], contract),
        *_values(checked, contract),
    ]
    checked = list(checked)
    for place, finding in found:
        checked[place] = checked[place].with_finding(_in_its_file(finding, place, checked))
    return checked


def _in_its_file(finding: Finding, place: int, checked: list[Checked]) -> Finding:
    """The finding with its file, unless it is about several."""
    if finding.file is None and len(checked) == 1:
        return dataclasses.replace(finding, file=checked[place].table.file)
    return finding


# Machines


def _machines(
    checked: list[Checked], contract: Contract, equipment: str | None
) -> Iterator[tuple[int, Finding]]:
    """Machines of which rows were read and none is left."""
    column = contract.equipment_column
    if column is None or equipment is not None:
        return
    if not any(len(one.rejected) or one.unused for one in checked):
        return
    left: set[str] = set()
    for outcome in checked:
        if outcome.has(columns.EQUIPMENT):
            left.update(outcome.accepted[columns.EQUIPMENT].unique())
    for name, places in _files_of_machines(checked, column).items():
        if name not in left:
            yield places[-1], _lost_machine(name, [checked[place] for place in places], contract)


def _files_of_machines(checked: list[Checked], column: str) -> dict[str, list[int]]:
    """By machine, the places of the files that have rows of it."""
    places: dict[str, list[int]] = {}
    for place, outcome in enumerate(checked):
        for name in machines_named(outcome.table, column):
            places.setdefault(name, []).append(place)
    return places


def machines_named(table: RawTable, column: str | None) -> list[str]:
    """The machines of a table, in their order; none without a column of them."""
    if column is None or column not in table.names or not len(table):
        return []
    names = pd.Series(table.stripped(column).unique())
    return list(map(str, names[~missing_cells(names, table.dialect)]))


def _lost_machine(name: str, outcomes: list[Checked], contract: Contract) -> Finding:
    code, column = "MACHINE-LOST", str(contract.equipment_column)
    rows = sum(int((one.table.stripped(column) == name).sum()) for one in outcomes)
    reasons = ", ".join(f"{why} {count}" for why, count in _reasons(name, outcomes, column))
    first = outcomes[-1].table
    mine = (first.stripped(column) == name).to_numpy()
    place = np.array([mine.argmax()])
    return Finding(
        code,
        contract.severity(code),
        f"Machine {name!r} has {rows} row(s), and none of them is used: {reasons}",
        file=str(first.files_of(None, place)[0]),
        column=first.tag(column),
        line=int(first.lines[place[0]]),
        count=rows,
        expected=f"rows of {name} that can be used",
        received=reasons,
        remedy=f"Mend what the findings of this file say of the rows of {name}, or leave the "
        "machine out of the command on purpose",
    )


def _reasons(name: str, outcomes: list[Checked], column: str) -> list[tuple[str, int]]:
    """Why rows of a machine are not used, with counts; the most frequent first."""
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        asked = outcome.table.stripped(column) == name
        aside = outcome.rejected
        tag = outcome.table.tag(column)
        mine = aside[aside[tag].str.strip() == name] if tag in aside else aside.iloc[:0]
        for codes in mine[columns.CODES] if len(mine) else ():
            counts.update(codes.split())
        left_out = int(asked.sum()) - len(mine)
        if left_out and outcome.unused:
            counts[f"left out ({', '.join(outcome.unused)})"] += left_out
    return counts.most_common(_SHOWN)


# Columns


def lost_columns(outcome: Checked, contract: Contract) -> list[Finding]:
    """What is said of columns that a file by itself lacks, of which nothing else is needed."""
    found = columns_lost([outcome.table], contract)
    return [_in_its_file(one, 0, [outcome]) for _, one in found]


def columns_lost(tables: list[RawTable], contract: Contract) -> Iterator[tuple[int, Finding]]:
    """Columns that the contract names and that files may lack without being refused.

    Beside each finding stands the place of the file that carries it.
    """
    meant: dict[str | None, str] = {
        contract.time_column: "the rules of time are off, and rows keep their order",
        contract.mode_column: "its rows have no operating mode",
        **dict.fromkeys(contract.running, "nothing shows when the machine runs"),
        **dict.fromkeys(contract.slices, "its rows are of no slice"),
    }
    for name, consequence in meant.items():
        lacking = [place for place, table in enumerate(tables) if _lacks(table, name)]
        if name is not None and lacking:
            yield lacking[-1], _lost_column(name, consequence, lacking, tables, contract)


def _lacks(table: RawTable, name: str | None) -> bool:
    return len(table) > 0 and name not in table.names


def _lost_column(
    name: str, consequence: str, lacking: list[int], tables: list[RawTable], contract: Contract
) -> Finding:
    code = "COLUMN-LOST"
    names = [tables[place].file for place in lacking]
    return Finding(
        code,
        contract.severity(code),
        f"Column {name!r} of the contract is not in {listed(names, most=_SHOWN)}: {consequence}",
        file=names[-1] if len(names) == 1 else None,
        column=name,
        count=len(names),
        expected=name,
        received=", ".join(tables[lacking[-1]].names)[:200],
        remedy="Export the column, or name the machine's own tag for it under `equipment` in the "
        "contract",
    )


# Values


def _values(checked: list[Checked], contract: Contract) -> Iterator[tuple[int, Finding]]:
    """Values that the contract asks for and that no row of any file has."""
    for key, column, wanted in _asked(contract):
        tables = [one.table for one in checked if column in one.table.names]
        if not tables:
            continue
        cells = pd.concat([table.stripped(column) for table in tables], ignore_index=True)
        if absent := _not_among(cells, wanted):
            yield 0, _absent(key, column, absent, cells, contract)


def values_found(table: RawTable, contract: Contract) -> dict[str, set[str]]:
    """By column, the cells of a table where the contract asks for some."""
    asked = {column for _, column, _ in _asked(contract)}
    return {name: set(table.stripped(name).unique()) for name in asked & set(table.names)}


def any_absent(found: dict[str, set[str]], contract: Contract) -> bool:
    """Whether the contract asks for a value that is not among the cells of its column."""
    cells = {name: pd.Series(sorted(values), dtype="str") for name, values in found.items()}
    return any(
        _not_among(cells[column], wanted)
        for _, column, wanted in _asked(contract)
        if column in cells
    )


def _asked(contract: Contract) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Field of the contract, column, and the values that are asked for."""
    for key, values in (("where", contract.where), ("running", contract.running)):
        for column, wanted in values.items():
            yield key, column, tuple(wanted)


def _not_among(cells: pd.Series, wanted: tuple[str, ...]) -> list[str]:
    return sorted(set(wanted) - set(as_spelt(cells, wanted)))


def _absent(
    key: str, column: str, absent: list[str], cells: pd.Series, contract: Contract
) -> Finding:
    code = "VALUE-ABSENT"
    seen = common_values(cells)
    return Finding(
        code,
        contract.severity(code),
        f"No row has {', '.join(map(repr, absent))} in column {column!r}, which `{key}` of the "
        "contract names",
        column=column,
        count=len(absent),
        expected=", ".join(absent),
        received=seen,
        remedy=f"Write the values under `{key}` as they stand in the file: {seen}",
    )
