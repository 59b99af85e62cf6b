"""Bad files whose rows are text, but whose table is wrong: header, width, quotes, marks that need a pin, columns."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from cases import Bad, bad
from grid import Grid, Spelling, joined, text_lines, written
from packed import LOGIN_PAGE, gzipped, parquet_of
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, Plant, stamp

_COMMA, _GERMAN, _TAB = Spelling(), Spelling(separator=";", decimal=","), Spelling(separator="\t")


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _no_header()
    yield from _width()
    yield from _quotes()
    yield from _ambiguous_numbers()
    yield from _ambiguous_times()
    yield from _doubled()
    yield from _missing_columns()
    yield from _renamed_columns()
    yield from _unknown_columns()


def _lines(plant: Plant, spelling: Spelling, changed: dict[int, str]) -> bytes:
    """The clean file with some lines as given."""
    lines = text_lines(plant.grid, spelling)
    return joined([changed.get(number, line) for number, line in enumerate(lines, start=1)], spelling)


def _line(plant: Plant, number: int, spelling: Spelling = _COMMA) -> str:
    return text_lines(plant.grid, spelling)[number - 1]


def _no_header() -> Iterator[Bad]:
    code, line = "FILE-NO-HEADER", 1
    numbers = CONVEYORS.grid
    bare = Spelling(header=False)
    yield bad("numbers-first", "a logger without names", CONVEYORS, written(numbers, bare), code, line=line)
    yield bad(
        "numbers-first-decimal-comma", "the same in German", CONVEYORS,
        written(numbers, Spelling(";", ",", header=False)), code, line=line,
    )  # fmt: skip
    yield bad(
        "numbers-first-tab-crlf", "the same with tabs", CONVEYORS,
        written(numbers, Spelling("\t", header=False, line_end="\r\n")), code, line=line,
    )  # fmt: skip
    yield bad(
        "numbers-first-quoted", "every cell in quotes", CONVEYORS,
        written(numbers, Spelling(header=False, quotes="all")), code, line=line,
    )  # fmt: skip
    yield bad(
        "numbers-first-gz", "packed", CONVEYORS, gzipped(written(numbers, bare)), code, line=line, ending=".csv.gz"
    )
    yield bad(
        "spaces-between-columns", "a data file for a plotter", CONVEYORS,
        b"".join(b"  ".join(cell.encode() for cell in row) + b"\n" for row in numbers.rows), code, line=line,
    )  # fmt: skip
    yield bad(
        "scientific-first", "a measuring amplifier", FANS,
        b"0.000e+00,1.81e+00,2.11e+00,1.45e+01,4,0\n5.000e+00,1.92e+00,2.02e+00,1.40e+01,4,0\n", code, line=line,
    )  # fmt: skip
    title = b"Messprotokoll Kompressor K-07\n"
    yield bad(
        "title-above-semicolons", "a title of the report", COMPRESSORS,
        title + written(COMPRESSORS.grid, _GERMAN), code, line=line,
    )  # fmt: skip
    yield bad(
        "title-above-tabs", "a title of the report", FANS, b"Fan 12\n" + written(FANS.grid, _TAB), code, line=line
    )


def _width() -> Iterator[Bad]:
    code = "FILE-SHAPE"
    more = _line(PUMPS, 23) + ",77"
    merged = _line(FANS, 40) + "," + _line(FANS, 41)
    shifted = _line(COMPRESSORS, 9, _GERMAN).replace(";K-07;", ";K;07;")
    yield bad("one-cell-more", "a note with a comma", PUMPS, _lines(PUMPS, _COMMA, {23: more}), code, line=23)
    yield bad("two-rows-on-one-line", "a lost line end", FANS, _lines(FANS, _COMMA, {40: merged}), code, line=40)
    yield bad(
        "separator-in-a-name", "a machine called K;07", COMPRESSORS,
        _lines(COMPRESSORS, _GERMAN, {9: shifted}), code, line=9,
    )  # fmt: skip
    yield bad(
        "decimal-commas-bare", "decimal commas between commas", CONVEYORS,
        _lines(CONVEYORS, _COMMA, {n: _line(CONVEYORS, n).replace(".", ",") for n in range(2, 42)}), code, line=2,
    )  # fmt: skip
    yield bad(
        "decimal-comma-once", "one row typed by hand", PUMPS,
        _lines(PUMPS, _COMMA, {58: _line(PUMPS, 58).replace(".", ",", 1)}), code, line=58,
    )  # fmt: skip
    yield bad(
        "two-exports-in-one", "a wider export was appended", CHILLERS,
        written(CHILLERS.grid) + written(CHILLERS.grid.add("cop", ["4.1"] * 45), Spelling(header=False)), code, line=47,
    )  # fmt: skip
    yield bad(
        "title-above-commas", "a title of the report", PUMPS, b"Pump report\n" + written(PUMPS.grid), code, line=2
    )
    yield bad(
        "cell-more-after-blank-lines", "a note below gaps", FANS,
        written(FANS.grid.take(range(2, 20))) + b"\n\n" + b"95,1.8,2.0,14.1,11,healthy,checked\n", code, line=22,
    )  # fmt: skip
    yield bad(
        "pinned-columns-too-few", "the logger got a channel more", CONVEYORS,
        written(CONVEYORS.grid.add("spare", ["0.0"] * 40), Spelling(header=False)), code, line=1,
        contract={"csv": {"header": False, "columns": ["belt_speed", "torque", "load", "jam"]}},
    )  # fmt: skip


def _quotes() -> Iterator[Bad]:
    code = "FILE-SHAPE"
    inch = _line(PUMPS, 31).replace("B1", '"B1" rerun')
    yield bad(
        "quote-then-text",
        "text behind a quoted cell",
        PUMPS,
        _lines(PUMPS, _COMMA, {32: inch.replace("B1", "B2", 1)}),
        code,
        line=32,
    )
    opened = _line(FANS, 12).replace(",healthy", ',"healthy')
    yield bad(
        "quote-never-closed", "the logger stopped in a cell", FANS, _lines(FANS, _COMMA, {12: opened}), code, line=12
    )
    last = _line(COMPRESSORS, 49, _GERMAN).replace(";ja", ';"ja')
    yield bad(
        "quote-open-at-the-end",
        "cut inside the last cell",
        COMPRESSORS,
        _lines(COMPRESSORS, _GERMAN, {49: last})[:-1],
        code,
        line=49,
    )
    broken = _line(CHILLERS, 20).replace("CH-1", '"CH"-1')
    yield bad(
        "quote-inside-a-name",
        "quotes that are not doubled",
        CHILLERS,
        _lines(CHILLERS, _COMMA, {20: broken}),
        code,
        line=20,
    )


def _thousandths(grid: Grid, column: str) -> Grid:
    """One digit before the mark and three behind it: it may mean thousands."""
    return grid.change(column, lambda cell: f"{1 + float(cell) % 8:.3f}")


def _whole(grid: Grid, *columns: str) -> Grid:
    for column in columns:
        grid = grid.change(column, lambda cell: f"{float(cell):.0f}")
    return grid


def _ambiguous_numbers() -> Iterator[Bad]:
    code = "FILE-AMBIGUOUS"
    rest = ("flow_m3h", "discharge_pressure", "motor_current", "bearing_temperature")
    speeds = _whole(PUMPS.grid, "speed_rpm", *rest)
    comma = Spelling(";", thousands=",")
    yield bad(
        "thousand-or-decimal-comma", "speeds such as 1,480", PUMPS, speeds, code, "speed_rpm", line=2, spelling=comma
    )
    yield bad(
        "thousand-or-decimal-point", "speeds such as 2.960", COMPRESSORS,
        _whole(COMPRESSORS.grid, "Öldruck", "Gastemperatur", "Drehzahl", "Füllstand"),
        code, "Drehzahl", line=2, spelling=Spelling(";", thousands="."),
    )  # fmt: skip
    loads = _thousandths(_whole(CONVEYORS.grid, "belt_speed", "torque"), "load")
    yield bad("three-digits-tabs", "loads such as 4.125", CONVEYORS, loads, code, "load", line=2, spelling=_TAB)
    late = _whole(FANS.grid, "vibration_x", "vibration_y", "current").put("current", {37: "1,024"})
    yield bad(
        "one-cell-late", "a single 1,024 in whole numbers", FANS, late, code, "current", line=37, spelling=Spelling("|")
    )
    quoted = _whole(PUMPS.grid, "speed_rpm", *rest)
    yield bad(
        "thousand-or-decimal-quoted", "quoted cells between commas", PUMPS, quoted, code, "speed_rpm", line=2,
        spelling=Spelling(thousands=",", quotes="all"),
    )  # fmt: skip
    yield bad(
        "two-separators-fit", "one comma in each semicolon cell", CONVEYORS,
        b"belt,speed;torque,load\n" + b"".join(b"1,25;340,%d\n" % n for n in range(30)), code, line=1,
    )  # fmt: skip
    yield bad(
        "two-separators-pipe-tab", "pipes and tabs in turn", FANS,
        b"elapsed|vibration_x\tvibration_y|current\tstarts\n" + b"".join(b"%d|1\t2|14\t3\n" % n for n in range(20)),
        code, line=1,
    )  # fmt: skip


def _ambiguous_times() -> Iterator[Bad]:
    code = "FILE-AMBIGUOUS"
    # 3 April or 4 March: no day above 12 in the file.
    early = PUMPS.grid.change("timestamp", lambda cell: cell.replace("2026-03-17", "2026-04-03"))
    for name, style, spelling in (
        ("slashes", "%d/%m/%Y %H:%M:%S", _COMMA),
        ("slashes-short-year", "%m/%d/%y %H:%M", Spelling(";", ",", encoding="cp1252")),
        ("dashes", "%d-%m-%Y %H:%M:%S", _TAB),
        ("half-days", "%m/%d/%Y %I:%M:%S %p", Spelling("|", line_end="\r\n")),
    ):
        yield bad(
            f"day-or-month-{name}", f"{style} in the first days of a month", PUMPS,
            early.change("timestamp", stamp(style)), code, "timestamp", line=2, spelling=spelling,
        )  # fmt: skip
    german = COMPRESSORS.grid.change("Zeit", lambda cell: stamp("%d/%m/%Y %H:%M:%S")(cell.replace("-21 ", "-05 ")))
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
    yield bad("day-and-month-first", "two spreadsheets pasted", COMPRESSORS, mixed, code, "Zeit", line=2)


def _doubled() -> Iterator[Bad]:
    code = "COLUMN-TWICE"
    flows = PUMPS.grid.add("flow_m3h", PUMPS.grid.column("flow_m3h"))
    yield bad("sensor-twice", "the tag was picked twice", PUMPS, written(flows), code, "flow_m3h", line=1)
    times = COMPRESSORS.grid.add("Zeit", COMPRESSORS.grid.column("Zeit"), 3)
    yield bad("time-twice", "a join of two exports", COMPRESSORS, written(times, _GERMAN), code, "Zeit", line=1)
    spaced = FANS.grid.add(" current ", FANS.grid.column("current"), 1)
    yield bad("twice-but-for-spaces", "names with spaces around", FANS, written(spaced), code, "current", line=1)
    spare = PUMPS.grid.add("spare", ["0"] * 60).add("spare", ["1"] * 60)
    yield bad("unknown-twice", "two spare channels", PUMPS, written(spare, _TAB), code, "spare", line=1, ending=".tsv")
    labels = CHILLERS.grid.add("alarm", ["false"] * 45, 0)
    yield bad(
        "label-twice",
        "two alarm columns",
        CHILLERS,
        written(labels, Spelling(encoding="utf-16")),
        code,
        "alarm",
        line=1,
    )
    column = pa.array(["1.25", "1.31"])
    twice = pa.Table.from_arrays([column] * 4, names=["belt_speed", "torque", "load", "load"])
    yield bad(
        "parquet-twice", "a join in a notebook", CONVEYORS, parquet_of(twice), code, "load", line=1, ending=".parquet"
    )
    both = PUMPS.grid.add("PT-101", PUMPS.grid.column("discharge_pressure"))
    alias = {"equipment": {"pump-1": {"aliases": {"PT-101": "discharge_pressure"}}}}
    one = both.take(range(2, 32))
    yield bad(
        "alias-and-name",
        "old and new tag side by side",
        PUMPS,
        written(one),
        code,
        "discharge_pressure",
        line=1,
        contract=alias,
    )


def _missing_columns() -> Iterator[Bad]:
    code = "COLUMN-MISSING"
    yield bad("sensor-missing", "a tag was not exported", PUMPS, PUMPS.grid.without("motor_current"), code)
    yield bad(
        "two-sensors-missing",
        "a card of the logger is out",
        COMPRESSORS,
        COMPRESSORS.grid.without("Öldruck", "Drehzahl"),
        code,
        spelling=_GERMAN,
    )
    yield bad("equipment-missing", "an export of one machine", CHILLERS, CHILLERS.grid.without("chiller"), code)
    yield bad("run-missing", "recordings were merged", PUMPS, PUMPS.grid.without("run"), code, labelled=True)
    yield bad("time-missing", "the index was dropped", FANS, FANS.grid.without("elapsed"), code, labelled=True)
    yield bad("label-missing", "rows that nobody labelled", PUMPS, PUMPS.grid.without("fault"), code, labelled=True)
    yield bad(
        "label-missing-german",
        "the same in German",
        COMPRESSORS,
        COMPRESSORS.grid.without("Störung"),
        code,
        spelling=_GERMAN,
        labelled=True,
    )
    yield bad("only-times", "the selection was empty", PUMPS, PUMPS.grid.select(["timestamp", "machine", "run"]), code)
    yield bad("login-page", "the session had expired", CONVEYORS, LOGIN_PAGE, code)
    yield bad("one-column", "a wrong pin of the separator", FANS, FANS.grid.select(["elapsed"]), code)


def _renamed_columns() -> Iterator[Bad]:
    code, also = "COLUMN-MISSING", ("COLUMN-UNKNOWN",)
    yield bad(
        "tag-instead-of-name",
        "the control system's tags",
        PUMPS,
        PUMPS.grid.rename({"discharge_pressure": "PT-101"}),
        code,
        also=also,
    )
    yield bad(
        "capitals", "names in capitals", FANS, FANS.grid.rename({"current": "CURRENT"}), code, also=also, spelling=_TAB
    )
    yield bad(
        "umlaut-spelt-out",
        "Oeldruck for Öldruck",
        COMPRESSORS,
        COMPRESSORS.grid.rename({"Öldruck": "Oeldruck"}),
        code,
        also=also,
        spelling=_GERMAN,
    )
    yield bad(
        "umlaut-decomposed",
        "an umlaut as letter and mark",
        COMPRESSORS,
        COMPRESSORS.grid.rename({"Füllstand": "Fu\u0308llstand"}),
        code,
        also=also,
    )
    yield bad(
        "unit-in-the-name",
        "names with units",
        CONVEYORS,
        CONVEYORS.grid.rename({"load": "load [t]", "torque": "torque [Nm]"}),
        code,
        also=also,
    )
    yield bad(
        "alias-of-another-machine",
        "pump-2 has tags of pump-1",
        PUMPS,
        PUMPS.grid.take(range(32, 62)).rename({"flow_m3h": "FT-7"}),
        code,
        also=also,
        contract={"equipment": {"pump-1": {"aliases": {"FT-7": "flow_m3h"}}}},
    )


def _unknown_columns() -> Iterator[Bad]:
    code = "COLUMN-UNKNOWN"
    yield bad(
        "new-sensor", "a new transmitter", PUMPS, PUMPS.grid.add("seal_leakage", ["0.1"] * 60), code, severity="warn"
    )
    yield bad(
        "row-number",
        "a nameless index in front",
        FANS,
        FANS.grid.add("", [str(n) for n in range(72)], 0),
        code,
        severity="warn",
    )
    yield bad(
        "note-german",
        "a remark with semicolons",
        COMPRESSORS,
        COMPRESSORS.grid.add("Bemerkung", ["geprüft; i.O."] * 48),
        code,
        severity="warn",
        spelling=_GERMAN,
    )
