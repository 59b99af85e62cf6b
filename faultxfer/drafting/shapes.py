"""Shapes of exports that a draft can pin: found in the examples, and undone before drafting."""

from __future__ import annotations

from dataclasses import dataclass

from faultxfer.reading import time_parts
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.table import RawTable


@dataclass(frozen=True)
class Shaped:
    """Examples as tables with a row for each moment and a column for each sensor.

    Attributes:
        tables: the files.
        options: how they are written, with what was found.
        time_column: the time column, named or found; None where neither.
    """

    tables: list[RawTable]
    options: Csv
    time_column: str | None


def shaped(tables: list[RawTable], options: Csv, time_column: str | None) -> Shaped:
    """Bring example files into the usual shape.

    Args:
        tables: as read with ``options``.
        options: what the user said of the way they are written.
        time_column: the time column that the user named; None where none.
    """
    parts = options.time_parts
    if not parts and time_column is None:
        parts = _parts_of_time(tables)
        tables = [time_parts.joined(table, parts) for table in tables]
    if parts:
        options = options.model_copy(update={"time_parts": parts})
    return Shaped(tables, options, time_column or options.joined_time)


def _parts_of_time(tables: list[RawTable]) -> tuple[str, ...]:
    """Columns of date and time of day, where all files with rows have the same."""
    found = {time_parts.find_parts(table) for table in tables if len(table)}
    return found.pop() if len(found) == 1 else ()
