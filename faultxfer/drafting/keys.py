"""Columns of times and machines, found by what they hold where no usual name shows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from faultxfer.drafting.draft import EQUIPMENT, RUN, TIME
from faultxfer.errors import DataError
from faultxfer.reading.table import RawTable

# A column of times can be read in this share of its cells at least.
_READABLE = 0.8
# Of the steps in which time does not go on, inside machines this share is left at most.
_LEFT = 0.1
# Seconds since 1970, of 1973. What is smaller may count from the beginning of a file or a run.
_DATES_FROM = 1e8
# A machine has so many rows at least, in the mean; more names than this are of something else.
_ROWS_EACH, _MOST_MACHINES = 5, 500
# Names that stand once below the other are machines only where each has so many rows.
_FEWEST_IN_A_BLOCK = 20
# Steps of a clock that was rounded differ by so much.
_EVEN = 0.02
_NUMBER = "a number"


@dataclass(frozen=True)
class KeysByContent:
    """What was found.

    Attributes:
        keys: column of each key, None where there is none.
        why: by role, what shows it, for keys found by content.
        looks_like: by role, a column that may be meant where none is sure.
    """

    keys: dict[str, str | None]
    why: dict[str, str]
    looks_like: dict[str, str]


def keys_by_content(
    tables: list[RawTable], keys: dict[str, str | None], free: list[str]
) -> KeysByContent:
    """Fill the roles of time and machine that no name fills.

    Args:
        tables: the files that have rows.
        keys: column of each key by its name, None where there is none.
        free: columns of all files that have no role yet.
    """
    found = KeysByContent(dict(keys), {}, {})
    if not tables:
        return found
    if keys[TIME] is None:
        _find_time(found, tables, free)
    if keys[EQUIPMENT] is None:
        left = [name for name in free if name not in found.keys.values()]
        _find_machine(found, tables, left)
    return found


# Times


def _find_time(found: KeysByContent, tables: list[RawTable], free: list[str]) -> None:
    for name in free:
        style = _dates_in(name, tables)
        if style:
            found.keys[TIME] = name
            found.why[TIME] = f"found by its cells: {style}"
            return
    for name in free:
        if _counts_rows(name, tables):
            found.looks_like[TIME] = name
            return


def _dates_in(name: str, tables: list[RawTable]) -> str | None:
    """How dates are written in the column; None where there are none, or they go no way."""
    styles = []
    for table in tables:
        try:
            times = table.times(name)
        except DataError:
            return "dates"
        known = times.seconds[times.seconds.notna()].to_numpy()
        if times.style == _NUMBER or len(known) < _READABLE * len(table):
            return None
        if len(known) > 1 and len(np.unique(known)) == 1:
            return None
        styles.append(times.style)
    return styles[0]


def _counts_rows(name: str, tables: list[RawTable]) -> bool:
    """Whether numbers rise by the same step from row to row, nearly everywhere."""
    return all(_rises_evenly(_numbers(table, name)) for table in tables)


def _rises_evenly(values: np.ndarray) -> bool:
    """As row numbers do, the days of a spreadsheet, or seconds from the beginning.

    >>> _rises_evenly(46000 + np.arange(9) / 144), _rises_evenly(np.array([0, 3, 4, 9, 9, 9.5]))
    (True, False)
    """
    if len(values) < _ROWS_EACH:
        return False
    steps = np.diff(values)
    usual = np.median(steps)
    return bool(usual > 0 and np.isclose(steps, usual, rtol=_EVEN, atol=0).mean() >= _READABLE)


# Machines


def _find_machine(found: KeysByContent, tables: list[RawTable], free: list[str]) -> None:
    """The column with a name for each file, or inside whose values time goes on."""
    if _differs_by_file(found, tables, free):
        return
    if not _by_time(found, tables, free):
        _look_for_blocks(found, tables, free)


def _by_time(found: KeysByContent, tables: list[RawTable], free: list[str]) -> bool:
    """Whether a column separates times that overlap, or begin anew."""
    time = found.keys[TIME]
    if time is None or found.keys[RUN] is not None:
        return False
    seconds = _seconds(tables, time)
    if seconds is None:
        return False
    back = _steps_back(seconds, np.zeros(len(seconds)))
    fitting = []
    for place, name in enumerate(free):
        names = _names(tables, name)
        if names is not None and _steps_back(seconds, names) < back * _LEFT:
            # Of columns with as many names the first: numbers such as a rated power stand behind.
            text = all(_is_text(table, name) for table in tables)
            fitting.append((int(names.max()) + 1, not text, place, name))
    if not fitting:
        return False
    count, *_, name = min(fitting)
    # Dates that overlap are those of several machines; a count that begins anew is a run's.
    role = EQUIPMENT if np.nanmedian(seconds) > _DATES_FROM else RUN
    found.keys[role] = name
    found.why[role] = f"found by its cells: time begins anew in each of {count} values"
    return True


def _look_for_blocks(found: KeysByContent, tables: list[RawTable], free: list[str]) -> None:
    """A column whose names stand one below the other, each once, may name machines or runs.

    Their times show nothing where one machine begins after the other has ended, and a set value
    that was changed now and then looks the same: so it is only said.
    """
    for name in free:
        names = _names(tables, name)
        if names is not None and _in_blocks(names) and _blocks_are_long(names):
            missing = [role for role in (EQUIPMENT, RUN) if found.keys[role] is None]
            found.looks_like.update(dict.fromkeys(missing, name))
            return


def _in_blocks(names: np.ndarray) -> bool:
    """Whether each name stands in one piece.

    >>> _in_blocks(np.array([0, 0, 1, 1])), _in_blocks(np.array([0, 1, 0, 1]))
    (True, False)
    """
    changes = int((np.diff(names) != 0).sum())
    return changes == len(np.unique(names)) - 1


def _blocks_are_long(names: np.ndarray) -> bool:
    return bool(np.bincount(names).min() >= _FEWEST_IN_A_BLOCK)


def _differs_by_file(found: KeysByContent, tables: list[RawTable], free: list[str]) -> bool:
    """Whether a column holds one name in each file, and not the same in all."""
    if len(tables) < 2:
        return False
    for name in free:
        each = [table.stripped(name).unique() for table in tables]
        of_files = {names[0] for names in each if len(names) == 1}
        if (
            all(len(names) == 1 for names in each)
            and len(of_files) > 1
            and _whole_or_text(tables, name)
        ):
            found.keys[EQUIPMENT] = name
            found.why[EQUIPMENT] = f"found by its cells: one name in each of {len(tables)} files"
            return True
    return False


def _whole_or_text(tables: list[RawTable], name: str) -> bool:
    return all(_is_text(table, name) or _whole(table, name) is not None for table in tables)


def _names(tables: list[RawTable], name: str) -> np.ndarray | None:
    """(n,) a number for each name; None for a column that names nothing."""
    if any(table.missing(name).any() for table in tables) or not _whole_or_text(tables, name):
        return None
    cells = pd.concat([table.stripped(name) for table in tables], ignore_index=True)
    numbers, names = pd.factorize(cells)
    most = min(_MOST_MACHINES, len(cells) // _ROWS_EACH)
    return numbers if 2 <= len(names) <= most else None


def _is_text(table: RawTable, name: str) -> bool:
    try:
        return bool(table.numbers(name).isna().all() and not table.missing(name).any())
    except DataError:
        return False


def _numbers(table: RawTable, name: str) -> np.ndarray:
    """(n,) numbers; without any where they can be read in more than one way."""
    try:
        return np.asarray(table.numbers(name).to_numpy(), dtype=np.float64)
    except DataError:
        return np.array([])


def _whole(table: RawTable, name: str) -> np.ndarray | None:
    """The column as whole numbers; None where it holds anything else."""
    try:
        values = table.numbers(name).to_numpy()
    except DataError:
        return None
    return values if (values == np.round(values)).all() else None


def _seconds(tables: list[RawTable], time: str) -> np.ndarray | None:
    try:
        parts = [table.times(time).seconds.to_numpy() for table in tables]
    except DataError:
        return None
    return np.concatenate(parts)


def _steps_back(seconds: np.ndarray, group: np.ndarray) -> int:
    """How many steps inside groups, in the file's order, lead to no later time.

    >>> _steps_back(np.array([1.0, 1.0, 2.0, 2.0]), np.array([0, 1, 0, 1]))
    0
    """
    order = np.argsort(group, kind="stable")
    inside = np.diff(group[order]) == 0
    return int((~(np.diff(seconds[order])[inside] > 0)).sum())
