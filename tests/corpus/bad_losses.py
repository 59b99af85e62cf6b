"""What is lost without a mistake in a row: rows left out on purpose, machines, columns, pace."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import CP1252, GERMAN, PIPE, TAB, Grid, Spelling
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, Plant


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _outside_where()
    yield from _not_labelled()
    yield from _other_pace()
    yield from _still()
    yield from _machines()
    yield from _columns()
    yield from _values()


def with_mode(plant: Plant, column: str, usual: str, other: str, lines: range) -> Grid:
    """A column of operating modes at the end, the other one in some lines."""
    grid = plant.grid.add(column, [usual] * len(plant.grid.rows))
    return grid.fill(column, other, lines)


def _outside_where() -> Iterator[Bad]:
    for name, plant, column, usual, other, lines, spelling in (
        ("idle", PUMPS, "mode", "RUN", "IDLE", range(2, 10), Spelling()),
        ("stillstand", COMPRESSORS, "Betriebsart", "Lauf", "Stillstand", range(20, 27), GERMAN),
        ("numbered", CHILLERS, "stage", "2", "0", range(5, 13), PIPE),
        ("blank", CONVEYORS, "belt state", "ON", "", range(3, 9), TAB),
    ):
        grid = with_mode(plant, column, usual, other, lines)
        yield bad(
            f"where-{name}", "rows of another operating mode", plant, grid, "ROWS-LEFT-OUT", column,
            lines, severity="warn", spelling=spelling, contract={"where": {column: [usual]}},
        )  # fmt: skip


def _not_labelled() -> Iterator[Bad]:
    for name, plant, column, cell, lines, spelling, label in (
        ("asked", PUMPS, "fault", "?", range(3, 7), Spelling(), {"unknown": ["?"]}),
        ("service", FANS, "state", "service", range(4, 12), PIPE, {"exclude": ["service"]}),
        ("blank", CONVEYORS, "jam", "", range(5, 9), TAB, {"blank": "unknown"}),
        ("blank-out", COMPRESSORS, "Störung", "-", range(36, 40), CP1252, {"blank": "exclude"}),
    ):
        grid = plant.grid.fill(column, cell, lines)
        yield bad(
            f"label-left-out-{name}", "rows that nobody calls normal or fault", plant, grid, "LABEL-LEFT-OUT", column,
            lines, severity="warn", spelling=spelling, contract={"label": label},
        )  # fmt: skip


def _other_pace() -> Iterator[Bad]:
    for name, plant, column, period, also, spelling in (
        ("minutes-for-hours", PUMPS, "timestamp", 3600, (), Spelling()),
        ("seconds-for-minutes", COMPRESSORS, "Zeit", 600, (), GERMAN),
        ("steps", FANS, "elapsed", 60, (), TAB),
        ("sparse", CHILLERS, "ts", 30, ("TIME-GAP",), PIPE),
    ):
        yield bad(
            f"pace-{name}", "another sampling period than agreed", plant, plant.grid, "TIME-STEP", column,
            severity="warn", spelling=spelling, also=also, contract={"sampling_period": period},
        )  # fmt: skip


def _still() -> Iterator[Bad]:
    one_run = COMPRESSORS.grid.fill("Lauf", "Schicht 1")
    one_pump = PUMPS.grid.fill("machine", "pump-1").fill("run", "A1")
    for name, plant, grid, lines, column, spelling in (
        ("frozen", FANS, FANS.grid, range(10, 45), "elapsed", Spelling()),
        ("rest", COMPRESSORS, one_run, range(5, 45), "Zeit", GERMAN),
        ("at-the-end", PUMPS, one_pump, range(32, 62), "timestamp", TAB),
    ):
        frozen = grid
        for sensor in plant.sensors:
            frozen = frozen.fill(sensor, grid.cell(lines[0], sensor), lines)
        yield bad(
            f"still-{name}", "the logger repeats its last row", plant, frozen, "SENSORS-STILL", column, lines,
            severity="warn", spelling=spelling, also=("LABEL-CONFLICT",),
        )  # fmt: skip


def _machines() -> Iterator[Bad]:
    lines = range(32, 62)
    empty = PUMPS.grid.fill("flow_m3h", "", lines)
    yield bad(
        "machine-lost-to-a-sensor",
        "pump-2 has no flow meter",
        PUMPS,
        empty,
        "MACHINE-LOST",
        "machine",
        lines,
        severity="warn",
        also=("SENSOR-MISSING",),
        also_lines=tuple(lines),
        contract={"sensors": {"flow_m3h": {"max_missing": 0.6}}},
    )
    third = range(4, 47, 3)
    off = with_mode(CHILLERS, "demand", "cooling", "off", third)
    yield bad(
        "machine-lost-to-its-mode",
        "CH-3 stood still all the time",
        CHILLERS,
        off,
        "MACHINE-LOST",
        "chiller",
        third,
        severity="warn",
        spelling=TAB,
        also=("ROWS-LEFT-OUT",),
        contract={"where": {"demand": ["cooling"]}},
    )
    grid = with_mode(PUMPS, "Zustand", "ein", "aus", range(32, 62))
    yield bad(
        "machine-lost-with-its-file",
        "the second file is of a pump at rest",
        PUMPS,
        grid.take(range(32, 62)),
        "MACHINE-LOST",
        "machine",
        range(2, 32),
        severity="warn",
        spelling=GERMAN,
        beside=(grid.take(range(2, 32)),),
        also=("ROWS-LEFT-OUT",),
        contract={"where": {"Zustand": ["ein"]}},
    )


def _columns() -> Iterator[Bad]:
    for name, plant, column, spelling in (
        ("slice", PUMPS, "zone", Spelling()),
        ("product", CHILLERS, "product", PIPE),
        ("schicht", COMPRESSORS, "Sorte", GERMAN),
    ):
        yield bad(
            f"column-lost-{name}", "the export lacks a column", plant, plant.grid, "COLUMN-LOST", column,
            severity="warn", spelling=spelling, contract={"slices": [column]},
        )  # fmt: skip
    yield bad(
        "column-lost-time",
        "scores without times",
        FANS,
        FANS.grid.without("elapsed", "state"),
        "COLUMN-LOST",
        "elapsed",
        severity="warn",
        spelling=TAB,
        labelled=False,
    )


def _values() -> Iterator[Bad]:
    for name, plant, key, column, cell, wanted, spelling in (
        ("start", PUMPS, "where", "mode", "RUN", ["RUN", "START"], Spelling()),
        ("capitals", COMPRESSORS, "running", "Betrieb", "Ein", ["EIN"], GERMAN),
        ("number", CHILLERS, "running", "stage", "2", ["1", "3"], TAB),
    ):
        grid = plant.grid.add(column, [cell] * len(plant.grid.rows))
        yield bad(
            f"value-absent-{name}", "the contract asks for a mode that never occurs", plant, grid, "VALUE-ABSENT",
            column, severity="warn", spelling=spelling, contract={key: {column: wanted}},
        )  # fmt: skip
