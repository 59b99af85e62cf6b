"""Columns that are no measurements, for the pumps: 60 rows, four runs, the last five rows faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from grid import Grid
from plants import PUMPS

FAULT = [cell == "1" for cell in PUMPS.grid.column("fault")]
ROWS = len(FAULT)
Make = Callable[[int], str]


def column(make: Make) -> list[str]:
    """One cell for each row, by its number from 0 on."""
    return [make(row) for row in range(ROWS)]


def codes(normal: list[str], faulty: list[str], late: int = 0) -> list[str]:
    """Codes in turn; those of faults come some rows after the fault."""
    cells = []
    since = 0
    for row, broken in enumerate(FAULT):
        since = since + 1 if broken else 0
        words = faulty if since > late else normal
        cells.append(words[row % len(words)])
    return cells


def rising(start: float, step: float, overflow: float = 1e12, digits: int = 1) -> list[str]:
    """Rises a little unevenly, and begins anew at its overflow."""
    return column(lambda row: f"{(start + step * row + 0.1 * (row % 3)) % overflow:.{digits}f}")


def held(cells: list[str], begins: tuple[int, ...], rows: int) -> tuple[list[str], list[bool]]:
    """The cells with a value held from each beginning on, and which rows hold it."""
    cells, bad = list(cells), [False] * len(cells)
    for begin in begins:
        for row in range(begin, begin + rows):
            cells[row], bad[row] = cells[begin - 1], True
    return cells, bad


def with_numbers(grid: Grid, name: str, cells: list[str], place: int) -> Grid:
    """One column of numbers more, written with the decimal mark of the file."""
    return replace(grid.add(name, cells, place), numeric=grid.numeric | {name})
