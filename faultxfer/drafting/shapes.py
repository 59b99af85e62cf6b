"""Shapes of exports that a draft can pin: found in the examples, and undone before drafting."""

from __future__ import annotations

import json
from dataclasses import dataclass

from faultxfer.drafting.draft import TIME
from faultxfer.drafting.infer import names_machine_or_run
from faultxfer.drafting.roles import line
from faultxfer.reading import time_parts
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.find_long import find_long
from faultxfer.reading.long_form import Long, pivoted
from faultxfer.reading.table import RawTable

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
    """

    tables: list[RawTable]
    options: Csv
    time_column: str | None
    long: Long | None = None
    dropped: tuple[str, ...] = ()

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
        if self.long is None:
            return ""
        fields = self.long.model_dump(exclude_none=True, exclude_defaults=True)
        quoted = {name: json.dumps(value, ensure_ascii=False) for name, value in fields.items()}
        lines = [f"  {name}: {text}" for name, text in quoted.items()]
        comment = "# The files have one reading in each row; these are its columns."
        return "\n".join(["", comment, "long:", *lines, ""])


def shaped(
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
        tables: as read with ``options``.
        options: what the user said of the way they are written.
        label: the label column, or the tag of it.
        equipment_column: as the user named it; None where not.
        run_column: as the user named it; None where not.
        time_column: as the user named it; None where not.
    """
    named = frozenset(filter(None, (label, equipment_column, run_column)))
    found = [find_long(table, named) for table in tables if len(table)]
    if found and all(found):
        long = found[0]
        pivots = [_pivoted(table, long, named) for table in tables]
        time = long.time if long else None
        return Shaped(pivots, options, time, long, _dropped(tables[0], pivots[0], long))
    parts = options.time_parts
    if not parts and time_column is None:
        parts = _parts_of_time(tables)
        tables = [time_parts.joined(table, parts) for table in tables]
    if parts:
        options = options.model_copy(update={"time_parts": parts})
    return Shaped(tables, options, time_column or options.joined_time)


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


def _parts_of_time(tables: list[RawTable]) -> tuple[str, ...]:
    """Columns of date and time of day, where all files with rows have the same."""
    found = {time_parts.find_parts(table) for table in tables if len(table)}
    return found.pop() if len(found) == 1 else ()
