"""Draft a data contract from example files, for a person to edit.

What the rows cannot tell (which limits are physical, what a column means) is written down as a comment, never guessed
in silence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from faultxfer.drafting.draft import (
    EQUIPMENT,
    RUN,
    TIME,
    Draft,
    Seen,
    plain_name,
    quoted,
    write_draft,
)
from faultxfer.drafting.labels import classes_of, sort_spellings
from faultxfer.drafting.sampling import Pace, fastest, longest_still, pace_of, usual_step
from faultxfer.errors import ContractError, DataError
from faultxfer.reading import columns
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.table import RawTable

if TYPE_CHECKING:
    import pandas as pd

# A column in which fewer of the filled cells than this are numbers is text with some digits in it.
MIN_NUMBERS = 0.8

_NUMBERED = ("", "_id", "_no", "_nr", "_number", "_name")
# The first name found wins, so the plainest stand first.
_USUAL = {
    EQUIPMENT: tuple(
        f"{name}{end}"
        for name in ("equipment", "machine", "asset", "unit", "device")
        for end in _NUMBERED
    ),
    RUN: tuple(
        f"{name}{end}"
        for name in ("run", "cycle_id", "recording", "batch", "episode", "experiment", "session")
        for end in _NUMBERED
    ),
    TIME: (
        *(
            "timestamp",
            "datetime",
            "date_time",
            "time",
            "ts",
            "time_s",
            "time_in_cycles",
            "time_cycles",
        ),
        *("cycle", "cycles", "seq", "sequence", "date"),
    ),
}
_COUNTERS = ("index", "id", "udi", "row", "row_number", "unnamed_0")
_KEY_NAMES = frozenset((*_COUNTERS, *(name for names in _USUAL.values() for name in names)))
# More different cells than this are a measurement; looking each up as a spelling would take seconds.
_MOST_SPELLINGS = 20
_LABEL_WORDS = ("label", "fault", "anomal", "failure", "changepoint")


def infer_contract(
    tables: list[RawTable],
    *,
    label: str,
    family: str,
    equipment_column: str | None = None,
    run_column: str | None = None,
    time_column: str | None = None,
    csv: Csv | None = None,
) -> str:
    """Draft a contract from labelled example rows.

    Args:
        tables: files of one equipment family, as read.
        label: the label column.
        family: name of the family.
        equipment_column: names the machine; recognised by its usual names if not given.
        run_column: names one recording; as above.
        time_column: timestamp or sequence number; as above.
        csv: what was pinned to read the files; the draft pins it too.

    Returns:
        A commented YAML file that follows the schema.

    Raises:
        ContractError: there are no rows, a named column is absent, the label's spellings cannot be sorted into normal
            and fault, or no column holds numbers.
        DataError: the numbers of a column can be read in more than one way.
    """
    named = {EQUIPMENT: equipment_column, RUN: run_column, TIME: time_column}
    cells = _common_cells(tables)
    _require_columns(tables, [label, *(name for name in named.values() if name)])
    spellings = sort_spellings(cells[label], column=label, where=_files(tables))
    keys = _key_columns(tables, cells, label, named)
    ignore = _not_common(tables, list(cells.columns))
    free = [name for name in cells.columns if name != label and name not in keys.values()]
    why = {name: _why_ignored(name, tables, cells, spellings.faulty) for name in free}
    ignore |= {name: reason for name, reason in why.items() if reason}
    filled = [table for table in tables if len(table.frame)]
    paces = [
        pace_of(table, keys[TIME], [name for name in (keys[EQUIPMENT], keys[RUN]) if name])
        for table in filled
    ]
    sensors = {name: _seen(name, filled, paces) for name, reason in why.items() if not reason}
    _require_sensors(sensors, ignore, tables)
    found = (label, spellings, keys, sensors, ignore, usual_step(paces))
    return write_draft(Draft(family, len(cells), _files(tables), *found, csv or Csv()))


def _files(tables: list[RawTable]) -> str:
    names = [quoted(table.file)[1:-1] for table in tables]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _common_cells(tables: list[RawTable]) -> pd.DataFrame:
    """All rows, with the columns that every file has, stripped of spaces around the cells."""
    import pandas as pd

    if not sum(len(table.frame) for table in tables):
        raise ContractError(
            "Files with data rows were expected",
            received={"rows": 0},
            where=_files(tables) or None,
            remedy="Name at least one labelled file of the equipment family",
        )
    common = [name for name in tables[0].frame if all(name in table.frame for table in tables)]
    rows = pd.concat([table.frame[common] for table in tables], ignore_index=True)
    return pd.DataFrame({name: rows[name].str.strip() for name in common})


def _require_columns(tables: list[RawTable], needed: list[str]) -> None:
    for table in tables:
        present = list(table.frame.columns)
        absent = [name for name in needed if name not in present]
        if absent:
            raise ContractError(
                f"A column named {absent[0]!r} was expected",
                received={"columns": present},
                where=table.file,
                remedy="Check the spelling, capitals included; name one of the columns listed"
                + _no_header(present),
            )
    if len(set(needed)) < len(needed):
        raise ContractError(
            "One role for each column was expected",
            received={"columns": needed},
            remedy="Name different columns for the label, the equipment, the run and the time",
        )


def _no_header(names: list[str]) -> str:
    """What to do where a number among the names tells that the first row is data."""
    if not any(re.fullmatch(r"[+-]?[\d.,]+", name.strip()) for name in names):
        return ""
    return f". If these are cells of a first row without names, name the {len(names)} columns with --columns a,b,c"


def _require_sensors(
    sensors: dict[str, Seen], ignore: dict[str, str], tables: list[RawTable]
) -> None:
    if not sensors:
        raise ContractError(
            "At least one column of numbers was expected beside the label and the keys",
            received={"columns": [f"{name}: {reason}" for name, reason in ignore.items()]},
            where=_files(tables),
            remedy="Export the sensors as numbers, with one decimal mark in the whole file",
        )


def _key_columns(
    tables: list[RawTable], cells: pd.DataFrame, label: str, named: dict[str, str | None]
) -> dict[str, str | None]:
    """The columns named, and for the other roles the first that goes by a usual name and could be meant."""
    keys = dict(named)
    for role, usual in _USUAL.items():
        free = [name for name in cells.columns if name != label and name not in keys.values()]
        if keys[role] is None:
            ranked = sorted(
                (usual.index(plain_name(name)), name) for name in free if plain_name(name) in usual
            )
            keys[role] = next((name for _, name in ranked if _could_be(role, name, tables)), None)
    return keys


def _could_be(role: str, name: str, tables: list[RawTable]) -> bool:
    """Rows with an unreadable key are set aside, so a guess that would cost many rows is no guess to make."""
    import pandas as pd

    if role == TIME:
        return all(_read_times(table, name) for table in tables)
    blank = pd.concat([table.missing(name) for table in tables])
    numbers = pd.concat([table.numbers(name) for table in tables]).dropna()
    # 3.75 is a measurement, not the name of a machine.
    return bool((~blank).mean() >= MIN_NUMBERS and (numbers == numbers.round()).all())


def _read_times(table: RawTable, name: str) -> bool:
    """Dates that need a pin are dates: the check will ask for it."""
    try:
        return not len(table.frame) or bool(table.times(name).seconds.notna().mean() >= MIN_NUMBERS)
    except DataError:
        return True


def _not_common(tables: list[RawTable], common: list[str]) -> dict[str, str]:
    """Columns that some files lack; a contract can only ask for what all of them have."""
    found = dict.fromkeys(
        name for table in tables for name in map(str, table.frame) if name not in common
    )
    lacking = {name: [table for table in tables if name not in table.frame] for name in found}
    return {
        name: f"not in every file: {_files(files)} has no such column"
        for name, files in lacking.items()
    }


def _why_ignored(
    name: str, tables: list[RawTable], cells: pd.DataFrame, faulty: pd.Series
) -> str | None:
    """Why a column cannot or should not be a sensor; None if it can."""
    if name in columns.BOOKKEEPING:
        return "faultxfer keeps its own notes under this name"
    words = plain_name(name).split("_")
    if words[0].startswith("target") or any(word.startswith(_LABEL_WORDS) for word in words):
        return "named like a label: it would leak the label to the model"
    if _tells_label(cells[name], faulty):
        return "equals the label in every row: it would leak the label to the model"
    if plain_name(name) in _KEY_NAMES:
        return "named like a key or a counter, not like a measurement"
    switch = _is_switch(name, tables)
    return next(
        (reason for table in tables if (reason := _without_values(table, name, switch=switch))),
        None,
    )


def _without_values(table: RawTable, name: str, *, switch: bool) -> str | None:
    """Why a file's column is no sensor: each file is checked by itself, so one without values would be refused."""
    if table.missing(name).all() and len(table.frame):
        return f"no value in any row of {_files([table])}"
    return None if _reads(table, name, switch=switch) else "text"


def _reads(table: RawTable, name: str, *, switch: bool) -> bool:
    """Whether nearly all filled cells are numbers, or yes and no."""
    read = table.booleans(name) if switch else table.numbers(name)
    return bool(read.notna().sum() >= MIN_NUMBERS * (~table.missing(name)).sum())


def _is_switch(name: str, tables: list[RawTable]) -> bool:
    """Whether a column says yes and no in words."""
    if all(_reads(table, name, switch=False) for table in tables):
        return False
    return all(_reads(table, name, switch=True) for table in tables)


def _tells_label(cells: pd.Series, faulty: pd.Series) -> bool:
    """Whether a column is the label in any spelling, or its opposite; one class alone proves nothing."""
    known = faulty.dropna()
    if known.nunique() < 2 or cells.nunique() > _MOST_SPELLINGS:
        return False
    seen = classes_of(cells[known.index])
    return bool((seen == known).all() or (seen == 1 - known).all())


def _seen(name: str, tables: list[RawTable], paces: list[Pace]) -> Seen:
    switch = _is_switch(name, tables)
    files = [table.booleans(name) if switch else table.numbers(name) for table in tables]
    # One clock for all: rates of a file without readable times would be rates per row.
    same_clock = len({pace.per for pace in paces}) == 1
    return Seen(
        low=float(min(numbers.min() for numbers in files)),
        high=float(max(numbers.max() for numbers in files)),
        missing=max(float(numbers.isna().mean()) for numbers in files),
        still=max(map(longest_still, files, paces)),
        rate=max(map(fastest, files, paces)) if same_clock else 0.0,
        per=paces[0].per,
        switch=switch,
    )
