"""Shapes of exports that a draft can pin: found in the examples, and undone before drafting."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from faultxfer.drafting.draft import EQUIPMENT, RUN, TIME, Draft
from faultxfer.drafting.infer import names_machine_or_run
from faultxfer.drafting.roles import line
from faultxfer.drafting.tag_files import FoundTags, find_tag_files
from faultxfer.reading import time_parts
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.find_long import find_long
from faultxfer.reading.join_tags import joined, name_of_set
from faultxfer.reading.long_form import Long, pivoted
from faultxfer.reading.table import RawTable
from faultxfer.reading.tag_files import Roles, TagFiles, readings_of_tag

# Of readings, this share may repeat the time of another of their tag and machine.
_FEW = 0.1


@dataclass(frozen=True)
class Shaped:
    """Examples as tables with a row for each moment and a column for each sensor.

    Attributes:
        tables: the files.
        options: how they are written, with what was found.
        time_column: the time column, named or found; None where neither.
        long: the columns of a long form, where the files had it.
        dropped: columns beside the readings of a long form that no moment keeps.
        tag_files: where tag and readings stand, where each file was of one tag.
        equipment_column: the column of the machine, named or made of the files' names.
    """

    tables: list[RawTable]
    options: Csv
    time_column: str | None
    long: Long | None = None
    dropped: tuple[str, ...] = ()
    tag_files: TagFiles | None = None
    equipment_column: str | None = None

    @property
    def why(self) -> dict[str, str]:
        """By role, what shows a key that the shape brings with it."""
        return {} if self.long is None else {TIME: "when each reading was taken"}

    def roles(self) -> list[dict[str, str | None]]:
        """What the columns of a long form are, a line each as :func:`roles_of` has them."""
        if self.long is None:
            return []
        why = f"names the sensor of each reading in {self.long.value!r}; each is a column below"
        lines = [line("tag", self.long.tag, why)]
        if self.long.quality:
            good = ", ".join(self.long.good)
            lines.append(line("quality", self.long.quality, f"readings count where it is {good}"))
        lines += [line("left out", name, "stands beside the readings") for name in self.dropped]
        return lines

    def section(self) -> str:
        """What the contract says of the shape, as YAML with a comment; empty for usual files."""
        if self.long is not None:
            comment = "# The files have one reading in each row; these are its columns."
            return _section("long", self.long, comment)
        if self.tag_files is not None:
            return _section("tag_files", self.tag_files, f"# {self.sentence()}")
        return ""

    def sentence(self) -> str:
        """Where tag and machine stand in files of one tag each, for people."""
        shape = self.tag_files
        if shape is None:
            return ""
        where = f"in the name of the file, {shape.file!r}"
        if shape.tag:
            where = f"in column {shape.tag!r}, {shape.name!r}"
        elif not shape.by_file:
            where = f"in the header, {shape.name!r}"
        machine = f"; the machine in the path, {shape.file!r}" if "/" in shape.file else ""
        return f"One file for each tag, joined on time. The tag stands {where}{machine}."


def _section(key: str, shape: BaseModel, comment: str) -> str:
    fields = shape.model_dump(exclude_none=True, exclude_defaults=True)
    quoted = {name: json.dumps(value, ensure_ascii=False) for name, value in fields.items()}
    lines = [f"  {name}: {text}" for name, text in quoted.items()]
    return "\n".join(["", comment, f"{key}:", *lines, ""])


def shaped(
    paths: list[Path],
    tables: list[RawTable],
    options: Csv,
    *,
    label: str,
    equipment_column: str | None = None,
    run_column: str | None = None,
    time_column: str | None = None,
) -> Shaped:
    """Bring example files into the usual shape.

    Args:
        paths: the files.
        tables: the same as read with ``options``.
        options: what the user said of the way they are written.
        label: the label column, or the tag of it.
        equipment_column: as the user named it; None where not.
        run_column: as the user named it; None where not.
        time_column: as the user named it; None where not.
    """
    named = frozenset(filter(None, (label, equipment_column, run_column)))
    keys = {EQUIPMENT: equipment_column, RUN: run_column, TIME: time_column}
    tags = find_tag_files(paths, tables, label, keys)
    if tags is not None:
        return _joined(paths, tables, tags, options, label, keys)
    found = [find_long(table, named) for table in tables if len(table)]
    if found and all(found):
        long = found[0]
        pivots = [_pivoted(table, long, named) for table in tables]
        time = long.time if long else None
        dropped = _dropped(tables[0], pivots[0], long)
        return Shaped(pivots, options, time, long, dropped, equipment_column=equipment_column)
    parts = options.time_parts
    if not parts and time_column is None:
        parts = _parts_of_time(tables)
        tables = [time_parts.joined(table, parts) for table in tables]
    if parts:
        options = options.model_copy(update={"time_parts": parts})
    time = time_column or options.joined_time
    return Shaped(tables, options, time, equipment_column=equipment_column)


def _joined(
    paths: list[Path],
    tables: list[RawTable],
    found: FoundTags,
    options: Csv,
    label: str,
    named: dict[str, str | None],
) -> Shaped:
    """Files of one tag each as one table."""
    shape = found.shape
    keys = [*shape.fields, *filter(None, (named[EQUIPMENT], named[RUN]))]
    for table in tables:
        keys += filter(names_machine_or_run, table.names)
    roles = Roles(found.tags, tuple(dict.fromkeys(keys)), (label,))
    parts = [
        readings_of_tag(path, table, shape, roles)
        for path, table in zip(paths, tables, strict=True)
    ]
    every = {tag for part in parts for tag in part.columns}
    table = joined(
        parts, shape, dataclasses.replace(roles, tags=frozenset(every)), name_of_set(paths)
    )
    made = shape.fields[0] if shape.fields else None
    machine = named[EQUIPMENT] or made
    return Shaped([table], options, shape.time, tag_files=shape, equipment_column=machine)


def _pivoted(table: RawTable, long: Long | None, named: frozenset[str]) -> RawTable:
    """A row for each moment, all cells as text; columns of few names tell moments apart."""
    if long is None:
        return table
    others = [str(name) for name in table.frame if name not in long.columns]
    usual = [name for name in others if names_machine_or_run(name) or name in named]
    free = [name for name in others if name not in usual]
    return pivoted(table, long, (*usual, *_telling_apart(table, long, usual, free)))


def _telling_apart(table: RawTable, long: Long, keys: list[str], free: list[str]) -> list[str]:
    """The first column that tells moments apart where many readings of a tag share a time.

    That is a machine whose column has a name of its own.
    """
    if _shared(table, [long.time, long.tag, *keys]) <= _FEW:
        return []
    fitting = [name for name in free if _shared(table, [long.time, long.tag, *keys, name]) <= _FEW]
    return fitting[:1]


def _shared(table: RawTable, names: list[str]) -> float:
    """The share of rows whose cells in these columns stood in an earlier row."""
    return float(table.frame[names].duplicated().mean())


def _dropped(table: RawTable, pivot: RawTable, long: Long | None) -> tuple[str, ...]:
    """Columns of the file that are neither readings nor in the pivot."""
    known = {*pivot.names, *(long.columns if long else ())}
    return tuple(str(name) for name in table.frame if name not in known)


def for_tag_files(draft: Draft) -> Draft:
    """The draft of a joined table: rows at times without a label are no mistakes."""
    why = draft.why | {TIME: "the same column in all files"}
    if draft.keys[EQUIPMENT] is not None:
        why = why | {EQUIPMENT: "found in the names of files or tags, or beside the readings"}
    if not draft.spellings.blank:
        return dataclasses.replace(draft, why=why)
    spellings = dataclasses.replace(draft.spellings, blank=0)
    reason = "rows at the times of other tags have no label, and are not learnt from"
    return dataclasses.replace(draft, spellings=spellings, blank=reason, why=why)


def _parts_of_time(tables: list[RawTable]) -> tuple[str, ...]:
    """Columns of date and time of day, where all files with rows have the same."""
    found = {time_parts.find_parts(table) for table in tables if len(table)}
    return found.pop() if len(found) == 1 else ()
