"""Files in other shapes than rows of moments: long form, quality, held values, stated units."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import GERMAN, PIPE, TAB, Grid, Spelling, joined, text_lines, written
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, Plant
from reshape import long_form, tag_grids, tag_pin, unit_row, with_quality


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _long()
    yield from _duplicates()
    yield from _tag_files()
    yield from _qualities()
    yield from _held()
    yield from _units()
    yield from _turned()


def _long() -> Iterator[Bad]:
    """One reading in each row, and a contract that does not say so."""
    for name, plant, tag, spelling in (
        ("pumps", PUMPS, "TagName", Spelling()),
        ("compressors", COMPRESSORS, "Messstelle", GERMAN),
        ("chillers", CHILLERS, "point", TAB),
        ("fans", FANS, "channel", PIPE),
    ):
        yield bad(
            f"long-{name}",
            "a historian's export of readings",
            plant,
            written(long_form(plant, tag, "value"), spelling),
            "FILE-LONG",
            tag,
            line=1,
        )


def _duplicates() -> Iterator[Bad]:
    for name, plant, spelling in (("pumps", PUMPS, Spelling()), ("chillers", CHILLERS, TAB)):
        grid = long_form(plant, "tag", "value")
        doubled = grid.take([*grid.lines, 5, 6, 7])
        time = plant.base["time_column"]
        yield bad(
            f"reading-twice-{name}",
            "a period that was exported twice",
            plant,
            written(doubled, spelling),
            "READING-DUPLICATE",
            "tag",
            line=len(grid.rows) + 2,
            severity="warn",
            contract={"long": {"time": time, "tag": "tag", "value": "value"}},
        )


def _tag_files() -> Iterator[Bad]:
    """One file of a set is none of it, says something else, or holds text."""
    for name, plant, spelling in (
        ("pumps", PUMPS, Spelling()),
        ("compressors", COMPRESSORS, GERMAN),
        ("fans", FANS, TAB),
    ):
        first, second, *others = tag_grids(plant)
        sensor, other, time = plant.sensors[0], plant.sensors[1], _time(plant)
        both = first.add(other, second.column(other))
        for kind, grid in (("wide", both), ("no-time", first.rename({time: "then"}))):
            yield bad(
                f"tag-files-{kind}-{name}",
                "a file of another export in the same folder",
                plant,
                written(grid, spelling),
                "FILE-NO-TAG",
                line=1,
                spelling=spelling,
                beside=(first, second, *others),
                contract=tag_pin(plant),
            )
        yield bad(
            f"tag-files-conflict-{name}",
            "a tag that was exported twice, once for another machine",
            plant,
            written(first.fill(sensor, "1.5", [9]), spelling),
            "READING-CONFLICT",
            sensor,
            line=9,
            spelling=spelling,
            beside=(first, second, *others),
            contract=tag_pin(plant),
        )
        yield bad(
            f"tag-files-text-{name}",
            "a broken transmitter",
            plant,
            written(first.fill(sensor, "Err 7", [6, 11]), spelling),
            "SENSOR-NOT-A-NUMBER",
            sensor,
            (6, 11),
            severity="quarantine",
            spelling=spelling,
            beside=(second, *others),
            contract=tag_pin(plant),
        )


def _qualities() -> Iterator[Bad]:
    for name, plant, sensor, good, other in (
        ("pumps", PUMPS, "motor_current", "192", "24"),
        ("compressors", COMPRESSORS, "Öldruck", "Good", "Bad"),
        ("fans", FANS, "current", "0", "4"),
    ):
        lines = (6, 9)
        grid = with_quality(plant, f"{sensor}_q", good, other, lines)
        quality = {"column": f"{sensor}_q", "good": [good]}
        yield bad(
            f"quality-{name}",
            "a connection that was lost",
            plant,
            grid,
            "SENSOR-MISSING",
            sensor,
            lines,
            severity="quarantine",
            contract={"sensors": {sensor: {"quality": quality, "max_missing": 0.5}}},
            also=("READING-QUALITY",),
        )
        yield bad(
            f"quality-said-{name}",
            "readings that are not good, in a file of which most are",
            plant,
            written(grid, TAB),
            "READING-QUALITY",
            f"{sensor}_q",
            line=6,
            severity="warn",
            contract={"sensors": {sensor: {"quality": quality, "max_missing": 0.5}}},
            also=("SENSOR-MISSING",),
            also_lines=lines,
        )


def _held() -> Iterator[Bad]:
    """The last value is held for a while, and not longer."""
    for name, plant, sensor, hold, gap in (
        ("pumps", PUMPS, "flow_m3h", "2min", range(20, 26)),
        ("compressors", COMPRESSORS, "Drehzahl", "20s", range(4, 10)),
        ("fans", FANS, "vibration_x", "10", range(30, 36)),
    ):
        grid = plant.grid.fill(sensor, "", gap)
        yield bad(
            f"held-too-long-{name}",
            "a tag that stopped for a while",
            plant,
            grid,
            "SENSOR-MISSING",
            sensor,
            gap[2:],
            severity="quarantine",
            contract={"sensors": {sensor: {"hold": hold, "max_missing": 0.5}}},
            also=("SENSOR-HELD",),
        )
        yield bad(
            f"held-said-{name}",
            "a tag that is read seldom",
            plant,
            plant.grid.fill(sensor, "", gap[:2]),
            "SENSOR-HELD",
            sensor,
            severity="warn",
            contract={"sensors": {sensor: {"hold": hold, "max_missing": 0.5}}},
        )


def _units() -> Iterator[Bad]:
    """A unit of another quantity, in a row below the header or behind the numbers."""
    for name, plant, sensor, unit, spelling in (
        ("pumps", PUMPS, "discharge_pressure", "degC", Spelling()),
        ("compressors", COMPRESSORS, "Gastemperatur", "bar", GERMAN),
        ("chillers", CHILLERS, "power", "m3/h", TAB),
        ("conveyors", CONVEYORS, "torque", "rpm", PIPE),
    ):
        lines = text_lines(plant.grid, spelling)
        units = unit_row(plant, {sensor: unit}, spelling)
        yield bad(
            f"unit-row-{name}",
            "a tag that was exported under another name",
            plant,
            joined([lines[0], units, *lines[1:]], spelling),
            "SENSOR-UNIT",
            sensor,
            line=3,
        )
        yield bad(
            f"unit-cells-wrong-{name}",
            "a tag that was exported under another name",
            plant,
            _with_unit(plant.grid, sensor, unit, spelling),
            "SENSOR-UNIT",
            sensor,
            line=2,
        )


def _with_unit(grid: Grid, sensor: str, unit: str, spelling: Spelling) -> bytes:
    mark = spelling.decimal
    cells = grid.change(sensor, lambda cell: f"{cell.replace('.', mark)} {unit}")
    return written(cells, spelling)


def _turned() -> Iterator[Bad]:
    for name, plant, spelling in (
        ("pumps", PUMPS, Spelling()),
        ("compressors", COMPRESSORS, GERMAN),
        ("fans", FANS, TAB),
    ):
        turned = plant.grid.take(reversed(plant.grid.lines))
        yield bad(
            f"newest-first-{name}",
            "a viewer that shows the newest rows first",
            plant,
            written(turned, spelling),
            "TIME-NEWEST-FIRST",
            _time(plant),
            severity="warn",
        )


def _time(plant: Plant) -> str:
    return str(plant.base["time_column"])
