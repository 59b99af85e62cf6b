"""Which part of dates such as 03/04/2026 is the day, by all rows of large files.

A part of a file may have a few days of a month only, by which nobody can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from faultxfer.reading.csv_options import Csv
from faultxfer.reading.dates import PARTS, Order
from faultxfer.reading.parts import Part, first_part
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.times import orders_of_dates

# Bytes at the beginning of a file that show how its dates look; of Parquet, rows.
_GLANCE = 1 << 16


def may_be_unclear(path: Path, folder: Path, options: Csv, column: str | None) -> bool:
    """Whether a file has such dates and nothing is pinned of them.

    Args:
        path: of the file.
        folder: for its beginning.
        options: how it is written, as a contract pins it.
        column: of the time.

    Raises:
        DataError: it cannot be read.
    """
    pinned = options.day_first is not None or options.time_format or options.time_parts
    if column is None or pinned:
        return False
    return _orders(first_part(path, folder, _GLANCE), options, column) is not None


def day_first(parts: Iterator[tuple[Part, Csv]], column: str) -> bool | None:
    """Whether the day comes first in all parts, which are removed; None where it may not.

    Args:
        parts: and how the file of each is written.
        column: of the time.

    Raises:
        DataError: one cannot be read.
    """
    orders: set[Order] = set(PARTS)
    for part, options in parts:
        found = _orders(part.path, options, column)
        orders &= set(PARTS) if found is None else found
    return orders == {"day"} if orders in ({"day"}, {"month"}) else None


def _orders(path: Path, options: Csv, column: str) -> set[Order] | None:
    """Orders in which all dates of a file can be read, which is removed."""
    try:
        table = read_csv(path, options, frozenset(), frozenset((column,)))
    finally:
        path.unlink()
    return orders_of_dates(table.frame[column]) if column in table.names and len(table) else None
