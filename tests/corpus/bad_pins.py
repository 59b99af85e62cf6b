"""Files that can be read in two ways, and need a pin."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import TAB, Grid, Spelling, written
from plants import COMPRESSORS, CONVEYORS, FANS, PUMPS, stamp, whole


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _ambiguous_separators()
    yield from _ambiguous_numbers()
    yield from _ambiguous_times()


def _thousandths(grid: Grid, column: str) -> Grid:
    """One digit before the mark and three behind it: it may mean thousands."""
    return grid.change(column, lambda cell: f"{1 + float(cell) % 8:.3f}")


def _ambiguous_separators() -> Iterator[Bad]:
    code = "FILE-AMBIGUOUS"
    yield bad(
        "two-separators-fit", "one comma in each semicolon cell", CONVEYORS,
        b"belt,speed;torque,load\n" + b"".join(b"1,25;340,%d\n" % n for n in range(30)), code, line=1,
    )  # fmt: skip
    yield bad(
        "two-separators-no-header", "as many decimal commas as semicolons, and no names", CONVEYORS,
        written(CONVEYORS.grid, Spelling(";", ",", header=False)), code, line=1,
    )  # fmt: skip
    yield bad(
        "two-separators-pipe-tab", "pipes and tabs in turn", FANS,
        b"elapsed|vibration_x\tvibration_y|current\tstarts\n" + b"".join(b"%d|1\t2|14\t3\n" % n for n in range(20)),
        code, line=1,
    )  # fmt: skip


def _ambiguous_numbers() -> Iterator[Bad]:
    code = "FILE-AMBIGUOUS"
    rest = ("flow_m3h", "discharge_pressure", "motor_current", "bearing_temperature")
    speeds = whole(PUMPS.grid, "speed_rpm", *rest)
    comma = Spelling(";", thousands=",")
    yield bad(
        "thousand-or-decimal-comma",
        "speeds such as 1,480",
        PUMPS,
        speeds,
        code,
        "speed_rpm",
        line=2,
        spelling=comma,
    )
    yield bad(
        "thousand-or-decimal-point", "speeds such as 2.960", COMPRESSORS,
        whole(COMPRESSORS.grid, "Öldruck", "Gastemperatur", "Drehzahl", "Füllstand"),
        code, "Drehzahl", line=2, spelling=Spelling(";", thousands="."),
    )  # fmt: skip
    loads = _thousandths(whole(CONVEYORS.grid, "belt_speed", "torque"), "load")
    yield bad(
        "three-digits-tabs",
        "loads such as 4.125",
        CONVEYORS,
        loads,
        code,
        "load",
        line=2,
        spelling=TAB,
    )
    late = whole(FANS.grid, "vibration_x", "vibration_y", "current").put("current", {37: "1,024"})
    yield bad(
        "one-cell-late",
        "a single 1,024 in whole numbers",
        FANS,
        late,
        code,
        "current",
        line=37,
        spelling=Spelling("|"),
    )
    quoted = whole(PUMPS.grid, "speed_rpm", *rest)
    yield bad(
        "thousand-or-decimal-quoted", "quoted cells between commas", PUMPS, quoted, code, "speed_rpm", line=2,
        spelling=Spelling(thousands=",", quotes="all"),
    )  # fmt: skip


def _ambiguous_times() -> Iterator[Bad]:
    code = "FILE-AMBIGUOUS"
    # 3 April or 4 March: no day above 12 in the file.
    early = PUMPS.grid.change("timestamp", lambda cell: cell.replace("2026-03-17", "2026-04-03"))
    for name, style, spelling in (
        ("slashes", "%d/%m/%Y %H:%M:%S", Spelling()),
        ("slashes-short-year", "%m/%d/%y %H:%M", Spelling(";", ",", encoding="cp1252")),
        ("dashes", "%d-%m-%Y %H:%M:%S", TAB),
        ("half-days", "%m/%d/%Y %I:%M:%S %p", Spelling("|", line_end="\r\n")),
        ("year-of-two-digits", "%y-%m-%d %H:%M:%S", Spelling(";")),
        ("digits-of-two-digit-years", "%y%m%d%H%M", Spelling()),
    ):
        yield bad(
            f"day-or-month-{name}", f"{style} in the first days of a month", PUMPS,
            early.change("timestamp", stamp(style)), code, "timestamp", line=2, spelling=spelling,
        )  # fmt: skip
    german = COMPRESSORS.grid.change(
        "Zeit", lambda cell: stamp("%d/%m/%Y %H:%M:%S")(cell.replace("-21 ", "-05 "))
    )
    mixed = COMPRESSORS.grid.change("Zeit", stamp("%d/%m/%Y %H:%M:%S"), range(2, 26))
    mixed = mixed.change("Zeit", stamp("%m/%d/%Y %H:%M:%S"), range(26, 50))
    yield bad(
        "day-or-month-utf16",
        "a spreadsheet",
        COMPRESSORS,
        german,
        code,
        "Zeit",
        line=2,
        spelling=Spelling("\t", encoding="utf-16"),
    )
    yield bad(
        "day-and-month-first", "two spreadsheets pasted", COMPRESSORS, mixed, code, "Zeit", line=2
    )
