"""Valid files in other shapes: comments, titles, unit rows, long form, dates in two columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cases import Valid, valid
from grid import GERMAN, PIPE, TAB, Spelling, joined, text_lines, written
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS
from reshape import long_form, long_pin, tag_grids, tag_pin, unit_row, with_quality

_PLANTS = {
    "pumps": (PUMPS, Spelling()),
    "compressors": (COMPRESSORS, GERMAN),
    "chillers": (CHILLERS, TAB),
    "fans": (FANS, PIPE),
}


def cases() -> Iterator[Valid]:
    """All of them."""
    yield from _above()
    yield from _below()
    yield from _long()
    yield from _tag_files()
    yield from _two_columns()
    yield from _words_of_time()
    yield from _units_in_cells()
    yield from _qualities()
    yield from _held()


def _above() -> Iterator[Valid]:
    above = {
        "comments": ["# made by a tool; version 2", "#", "# Machine: all, rows: many"],
        "title": ["Report of March"],
        "title-and-gap": ["Messprotokoll", "", ""],
        "pairs": ["Line: 3", "Exported: 2026-03-31 12:00:00", ""],
    }
    for name, (plant, spelling) in _PLANTS.items():
        for kind, lines in above.items():
            yield valid(
                f"above-{kind}-{name}",
                "a logger that says where the rows come from",
                plant,
                joined([*lines, *text_lines(plant.grid, spelling)], spelling),
            )
        content = joined(["x" + spelling.separator, *text_lines(plant.grid, spelling)], spelling)
        yield valid(
            f"above-pinned-{name}", "one line to be skipped", plant, content,
            contract={"csv": {"skip": 1}},
        )  # fmt: skip
    commented = text_lines(CONVEYORS.grid, Spelling())
    commented[0] = f"# {commented[0]}"
    yield valid(
        "above-commented-header", "names behind a comment mark", CONVEYORS,
        joined(["# a numerical program", *commented], Spelling()),
    )  # fmt: skip


def _below() -> Iterator[Valid]:
    for name, (plant, spelling) in _PLANTS.items():
        header, *rows = text_lines(plant.grid, spelling)
        units = unit_row(plant, {}, spelling)
        words = spelling.separator.join(
            f"column {place}" for place, _ in enumerate(plant.grid.header)
        )
        yield valid(
            f"below-units-{name}", "a row of units", plant,
            joined([header, units, *rows], spelling),
        )  # fmt: skip
        yield valid(
            f"below-words-{name}", "a row of descriptions and one of units", plant,
            joined([header, words, units, *rows], spelling),
        )  # fmt: skip


def _long() -> Iterator[Valid]:
    for name, (plant, spelling) in _PLANTS.items():
        if name == "chillers":
            continue  # the order of its machines at one time is not that of the clean table
        for kind, by_tag in (("by-time", False), ("by-tag", True)):
            if by_tag and name == "pumps":
                continue
            yield valid(
                f"long-{kind}-{name}",
                "a historian's export of readings",
                plant,
                written(long_form(plant, "Tag", "Reading", by_tag=by_tag), spelling),
                contract=long_pin(plant, "Tag", "Reading"),
            )


def _tag_files() -> Iterator[Valid]:
    for name, (plant, spelling) in _PLANTS.items():
        if name == "chillers" or "run_column" not in plant.base:
            continue  # as above; and without a column of runs the whole set is one
        *others, last = tag_grids(plant)
        yield valid(
            f"tag-files-{name}", "a folder with a file for each tag", plant, last,
            beside=tuple(others), spelling=spelling, contract=tag_pin(plant),
        )  # fmt: skip
        turned = [grid.take(reversed(grid.lines)) for grid in others]
        yield valid(
            f"tag-files-by-hand-{name}", "some of the files have the newest rows first", plant,
            last, beside=(*turned[:2], *others[2:]), spelling=spelling, contract=tag_pin(plant),
        )  # fmt: skip


def _two_columns() -> Iterator[Valid]:
    for name, plant, column, day, clock, spelling in (
        ("pumps", PUMPS, "timestamp", "%Y/%m/%d", "%H:%M:%S", Spelling()),
        ("compressors", COMPRESSORS, "Zeit", "%d.%m.%Y", "%H:%M:%S", GERMAN),
        ("pumps-half-days", PUMPS, "timestamp", "%m/%d/%Y", "%I:%M:%S %p", TAB),
        ("pumps-names", PUMPS, "timestamp", "%d-%b-%y", "%H:%M:%S", PIPE),
    ):
        moments = [datetime.fromisoformat(cell) for cell in plant.grid.column(column)]
        grid = plant.grid.without(column)
        grid = grid.add("D", [moment.strftime(day) for moment in moments], 0)
        grid = grid.add("C", [moment.strftime(clock) for moment in moments], 1)
        yield valid(
            f"two-columns-{name}", "date and time of day apart", plant, grid, spelling=spelling,
            contract={"time_column": "D C", "csv": {"time_parts": ["D", "C"]}},
        )  # fmt: skip


def _words_of_time() -> Iterator[Valid]:
    months = {
        "3": ["Mär", "mars", "mrt.", "marzo", "março"],
        "10": ["Okt.", "octobre", "ott", "out", "oktober"],
    }
    for plant, column, month, name in (
        (PUMPS, "timestamp", "3", "pumps"),
        (COMPRESSORS, "Zeit", "10", "compressors"),
    ):
        for place, word in enumerate(months[month]):
            grid = plant.grid.change(
                column,
                lambda cell, word=word: datetime.fromisoformat(cell).strftime(
                    f"%d {word} %Y %H:%M:%S"
                ),  # type: ignore[misc]
            )
            yield valid(
                f"month-{place}-{name}", f"a month called {word}", plant, grid,
                spelling=(Spelling(), TAB, GERMAN)[place % 3],
            )  # fmt: skip


def _units_in_cells() -> Iterator[Valid]:
    for name, (plant, spelling) in _PLANTS.items():
        grid = plant.grid
        for sensor, fields in plant.base["sensors"].items():
            unit, mark = fields.get("unit", ""), spelling.decimal
            if unit:
                grid = grid.change(
                    sensor,
                    lambda cell, u=unit, m=mark: f"{cell.replace('.', m)} {u}",  # type: ignore[misc]
                )
        yield valid(
            f"unit-cells-{name}", "units behind the numbers", plant, written(grid, spelling)
        )


def _qualities() -> Iterator[Valid]:
    for name, plant, sensor, good in (
        ("pumps", PUMPS, "motor_current", "192"),
        ("compressors", COMPRESSORS, "Öldruck", "Good"),
        ("fans", FANS, "current", "0"),
    ):
        quality = {"column": "state of it", "good": [good, "x"]}
        yield valid(
            f"quality-good-{name}", "all readings are good", plant,
            with_quality(plant, "state of it", good, good, ()), spelling=TAB,
            contract={"sensors": {sensor: {"quality": quality}}},
        )  # fmt: skip


def _held() -> Iterator[Valid]:
    """A counter that is written when it changes: held, it is what it was."""
    starts = FANS.grid.column("starts")
    kept = {line: "" for line in FANS.grid.lines[1:] if starts[line - 2] == starts[line - 3]}
    for hold in ("15", "1h"):
        yield valid(
            f"held-counter-{hold}", "a counter that is written when it changes", FANS,
            FANS.grid.put("starts", kept), said=("SENSOR-HELD",),
            contract={"sensors": {"starts": {"hold": hold}}},
        )  # fmt: skip
