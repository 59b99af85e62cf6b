"""Clean tables in the shapes that historians write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grid import Grid, Spelling
from plants import Plant


def long_form(plant: Plant, tag: str, value: str, *, by_tag: bool = False) -> Grid:
    """One reading in each row; keys and label stand beside it. Other columns are left out."""
    base = plant.base
    roles = ("time_column", "equipment_column", "run_column")
    keys = [base[role] for role in roles if role in base]
    label = base["label"]["column"]
    rows = [
        (
            *(plant.grid.cell(line, key) for key in keys),
            name,
            plant.grid.cell(line, name),
            plant.grid.cell(line, label),
        )
        for line in plant.grid.lines
        for name in plant.sensors
    ]
    if by_tag:
        rows.sort(key=lambda row: plant.sensors.index(row[len(keys)]))
    return Grid((*keys, tag, value, label), tuple(rows), frozenset({value}))


def long_pin(plant: Plant, tag: str, value: str) -> dict[str, object]:
    """The contract's word for it."""
    return {"long": {"time": plant.base["time_column"], "tag": tag, "value": value}}


def tag_grids(plant: Plant) -> list[Grid]:
    """A table for each sensor and for the label, named in the header; keys stand beside it."""
    base = plant.base
    roles = ("time_column", "equipment_column", "run_column")
    keys = [base[role] for role in roles if role in base]
    return [plant.grid.select([*keys, name]) for name in (*plant.sensors, base["label"]["column"])]


def tag_pin(plant: Plant) -> dict[str, object]:
    """The contract's word for it."""
    return {"tag_files": {"time": plant.base["time_column"]}}


def with_quality(plant: Plant, column: str, good: str, other: str, lines: Iterable[int]) -> Grid:
    """The clean table with a column of quality, not good on some lines."""
    bad = set(lines)
    cells = [other if line in bad else good for line in plant.grid.lines]
    return plant.grid.add(column, cells)


def unit_row(plant: Plant, changed: Mapping[str, str], spelling: Spelling) -> str:
    """The contract's units, some of them changed, as a line below the header."""
    units = {name: fields.get("unit", "") for name, fields in plant.base["sensors"].items()}
    units |= changed
    return spelling.separator.join(units.get(name, "") for name in plant.grid.header)
