"""Draft a data contract from example files, for a person to edit.

What the rows cannot show (which limits are physical, what a column means) is written down as a
comment, never guessed in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from faultxfer.column_kinds.found import NO_MEASUREMENT, Found
from faultxfer.drafting.draft import (
    EQUIPMENT,
    RUN,
    TIME,
    Draft,
    Seen,
    plain_name,
    quoted,
)
from faultxfer.drafting.holds import Hold, held, holds_of
from faultxfer.drafting.keys import KeysByContent, keys_by_content
from faultxfer.drafting.kinds import column_rows, kinds_of
from faultxfer.drafting.labels import Given, classes_of, sort_spellings
from faultxfer.drafting.nothing import values_for_nothing
from faultxfer.drafting.qualities import (
    FoundQuality,
    always_good,
    qualities_of,
    words_as_codes,
)
from faultxfer.drafting.sampling import (
    Sampling,
    fastest,
    sampling_of,
    usual_change,
    usual_period,
    usual_still,
)
from faultxfer.errors import ContractError, DataError
from faultxfer.reading import columns
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.table import RawTable
from faultxfer.spelling import asking
from faultxfer.wording import listed

# A column in which fewer of the filled cells than this are numbers is text with some digits in it.
MIN_NUMBERS = 0.8

_EQUIPMENT_NAMES = ("equipment", "machine", "asset", "unit", "device")
_RUN_NAMES = ("run", "cycle_id", "recording", "batch", "episode", "experiment", "session")
_NUMBERED = ("", "_id", "_no", "_nr", "_number", "_name")
# The first name found wins, so the plainest stand first.
_USUAL = {
    EQUIPMENT: tuple(name + end for name in _EQUIPMENT_NAMES for end in _NUMBERED),
    RUN: tuple(name + end for name in _RUN_NAMES for end in _NUMBERED),
    TIME: (
        *("timestamp", "datetime", "date_time", "time", "ts", "time_s"),
        *("time_in_cycles", "time_cycles", "cycle", "cycles", "seq", "sequence", "date"),
    ),
}
_COUNTERS = ("index", "id", "udi", "row", "row_number", "unnamed_0")
_KEY_NAMES = frozenset((*_COUNTERS, *(name for names in _USUAL.values() for name in names)))
# More different cells than this are a measurement; looking each up as a spelling takes seconds.
_MOST_SPELLINGS = 20
# A column of text with so many different cells at most holds states.
_MOST_STATES = 12
_LABEL_WORDS = ("label", "fault", "anomal", "failure", "changepoint")
# How many files a message names.
_SHOWN = 5


def draft_of(
    tables: list[RawTable],
    *,
    label: str,
    family: str,
    named: dict[str, str | None],
    csv_options: Csv,
    given: Given | None = None,
) -> Draft:
    """What labelled example rows show.

    Args:
        tables: files of one equipment family, as read.
        label: the label column.
        family: name of the family.
        named: the column of each key; None where it is to be recognised.
        csv_options: what had to be given to read the files; the draft pins it too.
        given: by class, spellings of the label.

    Raises:
        ContractError: there are no rows, a named column is absent, the label's spellings cannot be
            sorted into normal and fault, or no column holds numbers.
        DataError: the numbers of a column can be read in more than one way.
    """
    cells = _common_cells(tables)
    _require_columns(tables, [label, *filter(None, named.values())])
    spellings = sort_spellings(cells[label], column=label, where=_files(tables), given=given)
    filled = [table for table in tables if len(table.frame)]
    found = _keys(tables, cells, label, named)
    keys = found.keys
    _require_clear_times(filled, keys[TIME])
    free = [name for name in cells.columns if name != label and name not in keys.values()]
    reasons = {name: _why_ignored(name, tables, cells, spellings.faulty) for name in free}
    measured = [name for name, reason in reasons.items() if not reason]
    read = _numbers(measured, filled)
    holds = holds_of(read, filled, keys)
    values = held(read, holds, filled, keys)
    kinds = kinds_of(filled, values, keys, spellings.faulty)
    reasons |= _left_out(measured, kinds)
    texts = [name for name in free if _is_text(reasons[name])]
    texts = [name for name in texts if name not in csv_options.time_parts]
    words = words_as_codes(texts, filled)
    rows = column_rows(filled, read | words, keys, spellings.faulty)
    coded = [name for name, kind in kinds.items() if kind.kind == "quality"]
    qualities = qualities_of(rows, coded, words, filled)
    reasons |= {each.column: each.reason for each in qualities}
    reasons |= _always_good(free, filled, qualities)
    qualified = {each.of: each for each in qualities if each.of and not reasons[each.of]}
    ignore = _not_common(tables, list(cells.columns))
    used = {each.column for each in qualified.values()}
    ignore |= {name: reason for name, reason in reasons.items() if reason and name not in used}
    parts = [name for name in csv_options.time_parts if name in ignore]
    ignore |= dict.fromkeys(parts, "a part of the time")
    runs = [name for name in (keys[EQUIPMENT], keys[RUN]) if name]
    samplings = [sampling_of(table, keys[TIME], runs) for table in filled]
    measured = [name for name, reason in reasons.items() if not reason]
    _require_sensors(measured, ignore, tables)
    return Draft(
        family=family,
        rows=len(cells),
        files=_files(tables),
        label=label,
        spellings=spellings,
        keys=keys,
        sensors={
            name: _with_hold(
                _seen(name, filled, samplings, kinds.get(name), qualified.get(name)),
                values[name],
                holds.get(name),
            )
            for name in measured
        },
        ignore=ignore,
        period=usual_period(samplings),
        csv=csv_options,
        why=_why_keys(named, csv_options) | found.why,
        qualities={each.column: each.reason for each in qualified.values()},
        looks_like=_still_free(found.looks_like, kinds),
    )


def keys_of(tables: list[RawTable], label: str, named: dict[str, str | None]) -> KeysByContent:
    """The columns of time, machine and run, before anything is known of labels.

    Args:
        tables: files of one equipment family, as read.
        label: the label column, in the files or not.
        named: the column of each key; None where it is to be recognised.

    Raises:
        ContractError: there are no rows, or a named column is absent.
    """
    cells = _common_cells(tables)
    _require_columns(tables, [*filter(None, named.values())])
    return _keys(tables, cells, label, named)


def _keys(
    tables: list[RawTable], cells: pd.DataFrame, label: str, named: dict[str, str | None]
) -> KeysByContent:
    filled = [table for table in tables if len(table.frame)]
    by_name = _key_columns(tables, cells, label, named)
    free = [name for name in cells.columns if name != label and name not in by_name.values()]
    return keys_by_content(filled, by_name, _nameless(free))


def _is_text(reason: str | None) -> bool:
    return bool(reason and reason.startswith("text"))


def _always_good(
    free: list[str], tables: list[RawTable], qualities: list[FoundQuality]
) -> dict[str, str]:
    """Columns that hold nothing but what other qualities call good, with the reason."""
    known = {each.column for each in qualities}
    reasons = {}
    for name in free:
        told = [always_good(name, table, qualities) for table in tables]
        if name not in known and told and all(told):
            reasons[name] = str(told[0])
    return reasons


def _still_free(looks_like: dict[str, str], kinds: dict[str, Found]) -> dict[str, str]:
    """Columns that look like keys, without machines that are known to be something else.

    What looks like a time may well be a counter.
    """
    known = {name for name, kind in kinds.items() if kind.kind in NO_MEASUREMENT}
    return {role: name for role, name in looks_like.items() if role == TIME or name not in known}


def _why_keys(named: dict[str, str | None], options: Csv) -> dict[str, str]:
    """Why the columns that were named, or made of two, are keys."""
    why = {role: "as named" for role, name in named.items() if name}
    if options.time_parts and named[TIME] == options.joined_time:
        why[TIME] = f"joined from {' and '.join(options.time_parts)}"
    return why


def _left_out(measured: list[str], kinds: dict[str, Found]) -> dict[str, str]:
    """Columns that are no measurements, with the reason.

    Where nothing but counters would be left, they stay: a few rows of anything may rise.
    """
    out = {name: kind for name, kind in kinds.items() if kind.kind in NO_MEASUREMENT}
    if len(out) == len(measured):
        out = {name: kind for name, kind in out.items() if kind.kind != "counter"}
    return {name: kind.reason for name, kind in out.items()}


def _nameless(free: list[str]) -> list[str]:
    """Columns that may be a key by their content: not those that are notes or labels by name."""
    return [
        name for name in free if name not in columns.BOOKKEEPING and not named_like_a_label(name)
    ]


def _numbers(names: list[str], tables: list[RawTable]) -> dict[str, list[pd.Series]]:
    """By column, its values in each file."""
    values = {}
    for name in names:
        switch = _is_switch(name, tables)
        values[name] = [_values(table, name, switch=switch) for table in tables]
    return values


def _files(tables: list[RawTable]) -> str:
    return listed([quoted(table.file)[1:-1] for table in tables], most=_SHOWN)


def _common_cells(tables: list[RawTable]) -> pd.DataFrame:
    """All rows, with the columns that every file has, stripped of spaces around the cells."""
    if not sum(len(table.frame) for table in tables):
        raise ContractError(
            "The files have no data rows",
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
                f"There is no column named {absent[0]!r}",
                received={"columns": present},
                where=table.file,
                remedy=asking(
                    absent[0],
                    present,
                    "Check the spelling, capitals included; name one of the columns listed"
                    + _no_header(present),
                ),
            )
    if len(set(needed)) < len(needed):
        raise ContractError(
            "One column cannot have two roles",
            received={"columns": needed},
            remedy="Name different columns for the label, the equipment, the run and the time",
        )


def _no_header(names: list[str]) -> str:
    """What to do where a number among the names shows that the first row is data."""
    if not any(re.fullmatch(r"[+-]?[\d.,]+", name.strip()) for name in names):
        return ""
    return (
        ". If these are cells of a first row without names, "
        f"name the {len(names)} columns with --columns a,b,c"
    )


def _require_sensors(sensors: list[str], ignore: dict[str, str], tables: list[RawTable]) -> None:
    if not sensors:
        raise ContractError(
            "There is no column of numbers beside the label and the keys",
            received={"columns": [f"{name}: {reason}" for name, reason in ignore.items()]},
            where=_files(tables),
            remedy="Export the sensors as numbers, with one decimal mark in the whole file",
        )


# The roles of columns


def _key_columns(
    tables: list[RawTable], cells: pd.DataFrame, label: str, named: dict[str, str | None]
) -> dict[str, str | None]:
    """The columns named; for other roles the first that has a usual name and could be meant."""
    keys = dict(named)
    for role in _USUAL:
        if keys[role] is None:
            taken = {label, *keys.values()}
            free = [name for name in cells.columns if name not in taken]
            usual = _usually_named(role, free)
            keys[role] = next((name for name in usual if _could_be(role, name, tables)), None)
    return keys


def _usually_named(role: str, names: list[str]) -> list[str]:
    """The columns that have a usual name of the role, the most usual one first."""
    usual = _USUAL[role]
    found = [name for name in names if plain_name(name) in usual]
    return sorted(found, key=lambda name: (usual.index(plain_name(name)), name))


def names_machine_or_run(name: str) -> bool:
    """Whether a column has a usual name of machines or recordings."""
    return plain_name(name) in {*_USUAL[EQUIPMENT], *_USUAL[RUN]}


def names_time(name: str) -> bool:
    """Whether a column has a usual name of times."""
    return plain_name(name) in _USUAL[TIME]


def _could_be(role: str, name: str, tables: list[RawTable]) -> bool:
    """Whether a column may have the role.

    Rows with an unreadable key are set aside, so a guess that would cost many rows is no guess.
    """
    if role == TIME:
        return all(_has_times(table, name) for table in tables)
    blank = pd.concat([table.missing(name) for table in tables])
    numbers = pd.concat([table.numbers(name) for table in tables]).dropna()
    # 3.75 is a measurement, not the name of a machine.
    return bool((~blank).mean() >= MIN_NUMBERS and (numbers == numbers.round()).all())


def _has_times(table: RawTable, name: str) -> bool:
    """Whether nearly all cells are times. Dates that need a pin are: the check will ask for it."""
    if not len(table.frame):
        return True
    try:
        readable = table.times(name).seconds.notna()
    except DataError:
        return True
    return bool(readable.mean() >= MIN_NUMBERS)


def _require_clear_times(tables: list[RawTable], time: str | None) -> None:
    """Stop where times can be read in more than one way: every later command would.

    Raises:
        DataError: with the pin that decides.
    """
    for table in tables:
        if time is not None and len(table.frame):
            table.times(time)


# What is no sensor


def _not_common(tables: list[RawTable], common: list[str]) -> dict[str, str]:
    """Columns that some files lack; a contract can only ask for what all of them have."""
    found: dict[str, str] = {}
    for table in tables:
        for name in map(str, table.frame):
            if name not in common and name not in found:
                without = _files([other for other in tables if name not in other.frame])
                found[name] = f"not in every file: {without} has no such column"
    return found


def _why_ignored(
    name: str, tables: list[RawTable], cells: pd.DataFrame, faulty: pd.Series
) -> str | None:
    """Why a column cannot or should not be a sensor; None if it can."""
    if name in columns.BOOKKEEPING:
        return "faultxfer keeps its own notes under this name"
    if named_like_a_label(name):
        return "named like a label: it would leak the label to the model"
    if _equals_label(cells[name], faulty):
        return "equals the label in every row: it would leak the label to the model"
    if plain_name(name) in _KEY_NAMES:
        return "named like a key or a counter, not like a measurement"
    return next(_without_values(name, tables), None)


def named_like_a_label(name: str) -> bool:
    """Whether a column's name says that it holds a label, or something made of one."""
    words = plain_name(name).split("_")
    return words[0].startswith("target") or any(word.startswith(_LABEL_WORDS) for word in words)


def _without_values(name: str, tables: list[RawTable]) -> Iterator[str]:
    """Files whose column is no sensor: each is checked by itself, and would be refused."""
    switch = _is_switch(name, tables)
    for table in tables:
        if table.missing(name).all() and len(table.frame):
            yield f"no value in any row of {_files([table])}"
        elif not _reads(table, name, switch=switch):
            yield _text(table, name)


def _text(table: RawTable, name: str) -> str:
    """What text columns hold: states can be used to choose rows, other text cannot."""
    words = [word for word in table.stripped(name)[~table.missing(name)].unique() if word]
    if not 2 <= len(words) <= _MOST_STATES:
        return "text"
    shown = listed([quoted(word)[1:-1] for word in words], most=_SHOWN)
    states = f"text, {len(words)} states ({shown})"
    return f"{states}: for `where`, `running`, `mode_column` or `slices`"


def _reads(table: RawTable, name: str, *, switch: bool) -> bool:
    """Whether nearly all filled cells are numbers, or yes and no."""
    filled = ~table.missing(name)
    readable = _values(table, name, switch=switch).notna()
    return bool(readable.sum() >= MIN_NUMBERS * filled.sum())


def _values(table: RawTable, name: str, *, switch: bool) -> pd.Series:
    return table.booleans(name) if switch else table.numbers(name)


def _is_switch(name: str, tables: list[RawTable]) -> bool:
    """Whether a column says yes and no in words."""
    if all(_reads(table, name, switch=False) for table in tables):
        return False
    return all(_reads(table, name, switch=True) for table in tables)


def _equals_label(cells: pd.Series, faulty: pd.Series) -> bool:
    """Whether a column is the label in any spelling, or its opposite; one class proves nothing."""
    known = faulty.dropna()
    if known.nunique() < 2 or cells.nunique() > _MOST_SPELLINGS:
        return False
    seen = classes_of(cells[known.index])
    return bool((seen == known).all() or (seen == 1 - known).all())


# What is seen of a sensor


def _seen(
    name: str,
    tables: list[RawTable],
    samplings: list[Sampling],
    kind: Found | None,
    quality: FoundQuality | None,
) -> Seen:
    """What is seen of a sensor, bad readings and those far off all others left out."""
    switch = _is_switch(name, tables)
    read = [_values(table, name, switch=switch) for table in tables]
    if quality is not None:
        parts = zip(read, tables, strict=True)
        read = [numbers.mask(quality.bad(table)) for numbers, table in parts]
    codes = () if switch else values_for_nothing(read)
    files = [numbers.mask(numbers.isin(codes)) for numbers in read] if codes else read
    # One clock for all: rates of a file without readable times would be rates per row.
    same_clock = len({sampling.per for sampling in samplings}) == 1
    return Seen(
        low=float(min(numbers.min() for numbers in files)),
        high=float(max(numbers.max() for numbers in files)),
        missing=max(float(numbers.isna().mean()) for numbers in read),
        step=usual_change(files, samplings),
        still=usual_still(files, samplings),
        rate=max(map(fastest, files, samplings)) if same_clock else 0.0,
        per=samplings[0].per,
        switch=switch,
        note=kind.reason if kind and kind.kind != "constant" else "",
        keep=kind.reason if kind and kind.kind == "kept" else "",
        nothing=tuple(dict.fromkeys(_spellings(name, tables, read, codes))),
        quality=quality.column if quality else "",
        good=quality.good if quality else (),
        unit=next(filter(None, (_stated_unit(table, name) for table in tables)), ""),
    )


def _with_hold(seen: Seen, values: list[pd.Series], hold: Hold | None) -> Seen:
    """The same of a sensor that is held; what is still missing then, is."""
    if hold is None:
        return seen
    missing = max(float(numbers.isna().mean()) for numbers in values)
    return replace(seen, missing=missing, hold=hold.text, every=hold.every)


def _spellings(
    name: str, tables: list[RawTable], read: list[pd.Series], codes: tuple[float, ...]
) -> Iterator[str]:
    """How values that stand for no reading are written in the files."""
    for table, numbers in zip(tables, read, strict=True):
        if numbers.isin(codes).any():
            yield from table.stripped(name)[numbers.isin(codes).to_numpy()].unique()


def _stated_unit(table: RawTable, name: str) -> str:
    """The unit that the file itself states most often for a column; empty where it states none."""
    stated = table.stated_units(name)
    if stated is None or isinstance(stated, str):
        return stated or ""
    return str(stated[stated != ""].mode().iloc[0])
