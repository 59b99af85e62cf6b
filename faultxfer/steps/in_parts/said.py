"""What one part of a file says: counts and examples of its own rows, which can be added up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypedDict

import numpy as np
import pandas as pd

from faultxfer.contract.across import stacked_rows
from faultxfer.contract.check import Check
from faultxfer.contract.judged_rows import wholly_empty
from faultxfer.contract.lacking import lacked_by_all
from faultxfer.contract.losses import machines_named, values_found
from faultxfer.contract.notes import Noted
from faultxfer.contract.outcome import Checked
from faultxfer.contract.rules import time
from faultxfer.contract.rules.protocol import TableRows
from faultxfer.contract.schema import Contract
from faultxfer.contract.selection import spellings_in
from faultxfer.contract.tallies import NULL
from faultxfer.findings import MAX_EXAMPLES, Finding
from faultxfer.reading import columns
from faultxfer.steps.in_parts.key_count import key_of
from faultxfer.steps.in_parts.order import JUDGED_AGAIN, NEWEST_FIRST, OF_THE_FILE, OUTSIDE, STEP
from faultxfer.steps.in_parts.sight import NotByPartsError

# Steps that see the rows outside `where` as well.
_OF_THE_CLOCK = frozenset({"TIME-DUPLICATE", "TIME-STEP"})

Words = tuple[str, str]


class RowsSaid(NamedTuple):
    """A finding of rows: what was noted, its message before and after their number, and itself.

    Beside it are the lines of the rows that are its examples; and, where the message ends with
    values, how many rows have each of them, and the first line that has.
    """

    noted: Noted
    words: Words
    found: Finding
    lines: list[int]
    values: dict[str, tuple[int, int]]


class Keys(NamedTuple):
    """A number for each of n rows.

    Attributes:
        keys: (n,) uint64, equal where rows are.
        lines: (n,) in the file.
        accepted: (n,) bool: whether the row is accepted.
    """

    keys: np.ndarray
    lines: np.ndarray
    accepted: np.ndarray


@dataclass(frozen=True)
class PartSaid:
    """What a part says beside what is the same in all of them; of its own rows only.

    Attributes:
        noted: findings of rows.
        rejected: rows set aside.
        rows_used: how many rows are used.
        used: by sensor, how many rows are used in which its machine has it.
        gaps: by sensor, how many of them have no value.
        unread: by sensor, how many hold no number.
        held: by sensor, how many have a value held from an earlier row, where any sensor is held.
        read: sensors with a cell that is not missing.
        empty, filled: sensors and machines of which all such cells are missing, and others.
        machines, left: names of machines with rows, and with accepted ones.
        states: by column for which the contract asks for values, its cells.
        spellings: of these, which value of the contract each different cell is.
        shared, looked_at: how many rows share their time with an earlier one that it sees, and of
            how many.
        row_keys: of rows that may repeat another one, by machine, time, label and readings.
        time_keys: of their moments, by recording and time.
        back, forward: how many steps from row to row go back in time, and how many forward.
        newest_first: whether its rows were looked at in the order of time.
        rows: accepted rows, numbered within the part; None where nobody asks.
        steps: (m,) seconds between rows, where they grow; empty where nobody asks.
        limits: (2, 2, k) of each class and sensor the lowest and the highest value.
        dated: whether times are dates; None where nobody asks.
    """

    noted: tuple[RowsSaid, ...]
    rejected: pd.DataFrame
    rows_used: int
    used: dict[str, int]
    gaps: dict[str, int]
    unread: dict[str, int]
    held: dict[str, int]
    read: set[str]
    empty: set[tuple[str, str]]
    filled: set[tuple[str, str]]
    machines: set[str]
    left: set[str]
    states: dict[str, set[str]]
    spellings: dict[str, dict[str, str]]
    shared: int
    looked_at: int
    row_keys: Keys
    time_keys: Keys
    back: int
    forward: int
    newest_first: bool
    rows: TableRows | None
    steps: np.ndarray
    limits: np.ndarray
    dated: bool | None


@dataclass(frozen=True)
class RemarkSaid:
    """What was found in a part while it was brought into its shape.

    Attributes:
        code, column, remedy: of the finding.
        words: of its message, before and after the number of readings.
        count: how many readings.
        place: of the first of them among all.
        line, file: of it; None where there is but one file.
    """

    code: str
    column: str
    remedy: str
    words: Words
    count: int
    place: int
    line: int
    file: str | None = None


def said_by(check: Check, outcome: Checked, own: tuple[int, int]) -> PartSaid:
    """What a part says.

    Args:
        check: of the part, ended.
        outcome: of it.
        own: places of its first own row, and behind its last one.

    Raises:
        NotByPartsError: something in it has to be judged over all rows.
    """
    contract = check.contract
    codes = {found.code for found in outcome.findings}
    if codes - {*STEP, *JUDGED_AGAIN, *OF_THE_FILE}:
        raise NotByPartsError
    if not check.scoring and (
        check.lacking or lacked_by_all([outcome.table], contract, check.equipment)
    ):
        raise NotByPartsError
    noted = tuple(_own(check, own))
    used = np.flatnonzero(check.mine)
    gaps = {}
    for tally in check.validation.tallies if check.validation else ():
        if tally.kind == NULL and tally.unmet:
            places = used[tally.places]
            gaps[tally.column] = int(_inside(places, own).sum())
    unread = {
        one.noted.column: len(one.noted.places)
        for one in noted
        if one.noted.code == "SENSOR-NOT-A-NUMBER"
    }
    accepted, aside = outcome.accepted, outcome.rejected
    if len(aside):
        aside = aside[_inside(np.flatnonzero(check.notes.aside()), own)]
    column = contract.equipment_column
    of_own = _inside(accepted[columns.ROW].to_numpy(), own)
    rows = None
    if not check.scoring:
        stacked = stacked_rows([outcome], contract)
        rows = stacked.only(of_own)
    steps, dated = _steps(check, own)
    shared, looked_at = _shared(check, own)
    row_keys, time_keys = _keys(check, outcome, own)
    back, forward = _turns(check, own)
    return PartSaid(
        noted=noted,
        rejected=aside,
        rows_used=int(check.mine[slice(*own)].sum()),
        gaps=gaps,
        unread=unread,
        held={name: int((of & check.mine)[slice(*own)].sum()) for name, of in check.held.items()},
        **_cells_of(check, own),
        machines=set(machines_named(outcome.table, column)) if check.equipment is None else set(),
        left=set(accepted[columns.EQUIPMENT][of_own].unique()),
        states=values_found(outcome.table, contract),
        spellings=spellings_in(outcome.table, {**contract.where, **contract.running}),
        shared=shared,
        looked_at=looked_at,
        row_keys=row_keys,
        time_keys=time_keys,
        back=back,
        forward=forward,
        newest_first=NEWEST_FIRST in codes,
        rows=rows,
        steps=steps,
        limits=_limits(rows, contract),
        dated=dated,
    )


def _inside(places: np.ndarray, own: tuple[int, int]) -> np.ndarray:
    """(m,) bool: which of some places are its own."""
    return np.asarray((places >= own[0]) & (places < own[1]))


def _own(check: Check, own: tuple[int, int]) -> Iterator[RowsSaid]:
    """What was noted of own rows, and the finding of these alone."""
    for noted in check.notes.noted:
        hint = noted.code == "SENSOR-MISSING" and wholly_empty(check, noted.column)
        if noted.severity == "refuse" or hint or noted.message.startswith("The machine"):
            raise NotByPartsError
        few = noted.between(*own)
        if len(few.places):
            try:
                words = noted.words()
            except ValueError:
                raise NotByPartsError from None
            lines, values = check.table.lines[few.places], {}
            if few.code == OUTSIDE:
                values = _values_of(check.table.stripped(few.column).iloc[few.places], lines)
                words = words[0], words[1].partition(": ")[0] + ": "
            examples = lines[:MAX_EXAMPLES].tolist()
            yield RowsSaid(few, words, check.notes.finding(few), examples, values)


def _values_of(cells: pd.Series, lines: np.ndarray) -> dict[str, tuple[int, int]]:
    """By value of some cells, how many there are and the first of their (n,) lines."""
    number, known = pd.factorize(cells)
    counts = np.bincount(number, minlength=len(known)).tolist()
    _, firsts = np.unique(number, return_index=True)
    pairs = zip(counts, lines[firsts].tolist(), strict=True)
    return dict(zip(map(str, known), pairs, strict=True))


class _Cells(TypedDict):
    used: dict[str, int]
    read: set[str]
    empty: set[tuple[str, str]]
    filled: set[tuple[str, str]]


def _cells_of(check: Check, own: tuple[int, int]) -> _Cells:
    """What cells there are of each sensor in own rows."""
    found = _Cells(used={}, read=set(), empty=set(), filled=set())
    some = slice(*own)
    names = check.key(check.contract.equipment_column)
    machine, known = (None, pd.Index([])) if names is None else pd.factorize(names.iloc[some])
    for name in check.contract.features:
        mine = check.mine[some]
        lacked = check.lacking.get(name)
        if lacked is not None:
            mine = mine & ~lacked[some]
        there = mine & ~check.notes.missing(name)[some]
        found["used"][name] = int(mine.sum())
        if there.any():
            found["read"].add(name)
        if machine is not None:
            had, has = (
                np.bincount(machine[rows], minlength=len(known)) > 0 for rows in (mine, there)
            )
            found["filled"] |= {(name, str(known[at])) for at in np.flatnonzero(has).tolist()}
            found["empty"] |= {(name, str(known[at])) for at in np.flatnonzero(had & ~has).tolist()}
    return found


def _left(check: Check, step: str) -> np.ndarray:
    """(n,) bool: rows that a rule of time sees: what the rules before it have left."""
    before = [code for code in check.notes.codes_aside() if STEP[code] < STEP[step]]
    seen = check.mine
    if check.unused and step in _OF_THE_CLOCK and check.seconds is not None:
        seen = check.asked & ~np.isnan(check.seconds)
    left: np.ndarray = ~np.any([~seen, *map(check.notes.aside, before)], axis=0)
    return left


def _left_by(check: Check, step: str) -> TableRows:
    """The rows that a rule of time sees."""
    left, rows = _left(check, step), check.every()
    return rows if left.all() else rows.only(left)


def _keys(check: Check, outcome: Checked, own: tuple[int, int]) -> tuple[Keys, Keys]:
    """Of each own row a number by which its repetition is known, and one of its moment."""
    accepted = np.zeros(len(check.table), dtype=bool)
    accepted[outcome.accepted[columns.ROW].to_numpy()] = True

    def keyed(places: np.ndarray, values: list[np.ndarray]) -> Keys:
        return Keys(key_of(values), check.table.lines[places], accepted[places])

    if check.seconds is None:
        nothing = np.empty(0, dtype=np.int64)
        return keyed(nothing, [np.empty(0)]), keyed(nothing, [np.empty(0)])
    contract = check.contract
    machine = _hashed(check, contract.equipment_column, contract.family)
    run = _hashed(check, contract.run_column, check.table.file)  # without runs a file is one
    rows = _left_by(check, "ROW-DUPLICATE")
    rows = rows.only(_inside(rows.place, own))
    place, seconds = rows.place, check.seconds[rows.place]
    label = [] if rows.fault is None else [rows.fault.astype(np.float64)]
    of_rows = keyed(place, [machine[place], seconds, *label, *rows.values.values()])
    moments = np.flatnonzero(_left(check, "TIME-DUPLICATE"))
    moments = moments[_inside(moments, own)]
    return of_rows, keyed(moments, [machine[moments], run[moments], check.seconds[moments]])


def _hashed(check: Check, column: str | None, default: str) -> np.ndarray:
    """(n,) a number for each name, the same in all parts."""
    names = check.key(column)
    if names is None:
        names = pd.Series([default]).repeat(len(check.table))
    number, known = pd.factorize(names)
    hashed: np.ndarray = pd.util.hash_array(np.asarray(known, dtype=object))[number]
    return hashed


def _turns(check: Check, own: tuple[int, int]) -> tuple[int, int]:
    """How many steps to own rows go back in time, and how many forward."""
    rows = check.every()
    if rows.seconds is None:
        return 0, 0
    steps = rows.elapsed[rows.ordered(_inside(rows.place, own))]
    return int((steps < 0).sum()), int((steps > 0).sum())


def _shared(check: Check, own: tuple[int, int]) -> tuple[int, int]:
    """How many rows share their time with an earlier one of their recording, and of how many."""
    codes = {noted.code for noted in check.notes.noted}
    if not codes & {"TIME-DUPLICATE", "ROW-DUPLICATE"}:
        return 0, int((check.asked if check.unused else check.mine)[slice(*own)].sum())
    rows = _left_by(check, "TIME-DUPLICATE")
    inside = _inside(rows.place, own)
    if rows.moments is None:
        return 0, int(inside.sum())
    return int(pd.Series(rows.moments).duplicated()[inside].sum()), int(inside.sum())


def _steps(check: Check, own: tuple[int, int]) -> tuple[np.ndarray, bool | None]:
    """Steps of time to own rows, for `sampling_period`; and whether times are dates."""
    if check.seconds is None or check.contract.sampling_period is None:
        return np.empty(0), None
    rows = _left_by(check, "TIME-STEP")
    if rows.seconds is None or not len(rows):
        return np.empty(0), None
    steps = rows.elapsed[rows.ordered(_inside(rows.place, own))]
    return steps[steps > 0], bool(np.abs(rows.seconds).min() >= time.DATES_FROM)


def _limits(rows: TableRows | None, contract: Contract) -> np.ndarray:
    """(2, 2, k) lowest and highest value of normal and of fault rows; NaN where there is none."""
    limits = np.full((2, 2, len(contract.features)), np.nan)
    if rows is None or rows.fault is None:
        return limits
    for number, mask in enumerate((~rows.fault, rows.fault)):
        if mask.any():
            for place, values in enumerate(rows.values.values()):
                own = values[mask]
                limits[number, :, place] = np.nanmin(own), np.nanmax(own)
    return limits
