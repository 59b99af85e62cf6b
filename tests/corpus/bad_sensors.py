"""Bad cells of sensors: text, gaps, tags without any value."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import CP1252, GERMAN, PIPE, TAB, Spelling, written
from packed import parquet
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _text()
    yield from _much_text()
    yield from _gaps()
    yield from _many_gaps()
    yield from _dead()


def _text() -> Iterator[Bad]:
    code = "SENSOR-NOT-A-NUMBER"
    for name, plant, column, cells, spelling in (
        ("status-word", PUMPS, "flow_m3h", {17: "ERROR 14"}, Spelling()),
        ("over-range-word", PUMPS, "speed_rpm", {2: "OVERRANGE", 61: "OVERRANGE"}, TAB),
        ("remark-in-the-cell", COMPRESSORS, "Öldruck", {8: "4,1 alt", 9: "4,2 alt"}, GERMAN),
        ("below-detection", FANS, "vibration_x", {30: "<0.05"}, PIPE),
        ("infinite", CONVEYORS, "belt_speed", {40: "inf"}, Spelling()),
        ("too-large", CHILLERS, "power", {11: "1e999", 13: "-1e999"}, Spelling()),
        ("comma-among-points", PUMPS, "motor_current", {33: "88,4"}, Spelling(";")),
        ("two-points", FANS, "current", {5: "14.5.2"}, Spelling()),
        (
            "date-from-a-spreadsheet",
            CONVEYORS,
            "belt_speed",
            {12: "01. Feb"},
            Spelling(line_end="\r\n"),
        ),
        ("hexadecimal", CHILLERS, "supply_temperature", {46: "0x1A"}, PIPE),
        (
            "space-in-a-number",
            COMPRESSORS,
            "Füllstand",
            {30: "7 1,2"},
            Spelling(";", ",", encoding="utf-16"),
        ),
        (
            "hash-signs",
            PUMPS,
            "bearing_temperature",
            {24: "########", 25: "########"},
            Spelling(quotes="all"),
        ),
        ("question-mark-behind", FANS, "starts", {70: "27?"}, Spelling(encoding="utf-8-sig")),
    ):
        yield bad(
            f"text-{name}", "a few cells are no numbers", plant, plant.grid.put(column, cells), code, column,
            tuple(cells), severity="quarantine", spelling=spelling,
        )  # fmt: skip
    mark = written(COMPRESSORS.grid.put("Gastemperatur", {21: "POINT"}), CP1252).replace(
        b"POINT", b"92.5"
    )
    yield bad(
        "text-point-among-commas", "one row typed by hand", COMPRESSORS, mark, code, "Gastemperatur", (21,),
        severity="quarantine",
    )  # fmt: skip


def _much_text() -> Iterator[Bad]:
    code = "SENSOR-NOT-A-NUMBER"
    states = PUMPS.grid.fill("motor_current", "RUNNING", range(20, 34))
    yield bad(
        "text-above-share",
        "states in a current column",
        PUMPS,
        states,
        code,
        "motor_current",
        range(20, 34),
    )
    mixed = COMPRESSORS.grid.fill("Füllstand", "voll", range(30, 35))
    yield bad(
        "text-above-own-share",
        "five of 48, a tenth is allowed",
        COMPRESSORS,
        mixed,
        code,
        "Füllstand",
        range(30, 35),
        spelling=GERMAN,
    )
    one = CONVEYORS.grid.put("load", {27: "ca. 12"})
    yield bad("text-none-allowed", "max_missing is 0", CONVEYORS, one, code, "load", (27,))
    pressed = PUMPS.grid.fill("discharge_pressure", "trip", (7, 18, 40, 51))
    yield bad(
        "text-four-of-sixty",
        "a twentieth is allowed",
        PUMPS,
        pressed,
        code,
        "discharge_pressure",
        (7, 18, 40, 51),
        spelling=TAB,
    )
    words = FANS.grid.change("current", lambda cell: "high" if float(cell) > 14 else "low")
    yield bad(
        "text-everywhere", "classes instead of numbers", FANS, words, code, "current", range(2, 74)
    )
    half = COMPRESSORS.grid.change(
        "Gastemperatur", lambda cell: cell.replace(".", ",") + " warm", range(2, 26)
    )
    yield bad(
        "text-first-half",
        "the logger's setting was changed",
        COMPRESSORS,
        half,
        code,
        "Gastemperatur",
        range(2, 26),
        spelling=GERMAN,
    )


def _gaps() -> Iterator[Bad]:
    code = "SENSOR-MISSING"
    for name, plant, column, cells, spelling in (
        ("blank", PUMPS, "flow_m3h", {10: ""}, Spelling()),
        (
            "excel-division",
            PUMPS,
            "speed_rpm",
            {3: "#DIV/0!", 4: "#DIV/0!", 59: "#VALUE!"},
            Spelling(";"),
        ),
        ("excel-german", COMPRESSORS, "Öldruck", {12: "#WERT!", 13: "#NV", 45: "#BEZUG!"}, CP1252),
        (
            "historian-words",
            CHILLERS,
            "power",
            {5: "Bad Input", 6: "I/O Timeout", 29: "No Data"},
            TAB,
        ),
        ("not-connected", FANS, "current", {73: "Not Connect"}, PIPE),
        ("nan-of-a-script", CONVEYORS, "belt_speed", {2: "nan", 20: "NaN", 38: "NAN"}, Spelling()),
        ("null-of-a-database", FANS, "starts", {14: "NULL", 15: "null"}, Spelling(quotes="all")),
        (
            "dashes",
            COMPRESSORS,
            "Gastemperatur",
            {49: "---", 48: "--", 47: "-"},
            Spelling(";", ",", encoding="utf-16"),
        ),
        ("blanks-only", PUMPS, "bearing_temperature", {26: "   "}, Spelling(line_end="\r")),
        (
            "at-the-share",
            PUMPS,
            "discharge_pressure",
            {4: "", 5: "", 6: ""},
            Spelling(encoding="utf-8-sig"),
        ),
    ):
        lines = tuple(sorted(cells))
        yield bad(
            f"gap-{name}", "a few cells have no value", plant, plant.grid.put(column, cells), code, column, lines,
            severity="quarantine", spelling=spelling,
        )  # fmt: skip
    pin = {"csv": {"missing": ["-9999", "Wartung"]}}
    filler = PUMPS.grid.put("motor_current", {36: "-9999", 37: "-9999.0"})
    yield bad(
        "gap-pinned-filler", "-9999 stands for a gap; -9999.0 is a number out of range", PUMPS, filler, code,
        "motor_current", (36,), severity="quarantine", contract=pin, also=("SENSOR-OUT-OF-RANGE",), also_lines=(37,),
    )  # fmt: skip
    yield bad(
        "gap-pinned-word", "maintenance is written as a word", COMPRESSORS,
        COMPRESSORS.grid.put("Öldruck", {22: "Wartung", 23: "WARTUNG"}), code, "Öldruck", (22, 23),
        severity="quarantine", spelling=GERMAN, contract=pin,
    )  # fmt: skip
    yield bad(
        "gap-parquet-null", "nulls of a Parquet table", CHILLERS,
        parquet(CHILLERS.grid.put("supply_temperature", {8: "", 44: ""})), code, "supply_temperature", (8, 44),
        severity="quarantine", ending=".parquet",
    )  # fmt: skip
    yield bad(
        "gap-cut-last-row", "the logger lost power", PUMPS, written(PUMPS.grid).rsplit(b",", 4)[0], code,
        "motor_current", (61,), severity="quarantine", also=("LABEL-UNKNOWN", "SENSOR-MISSING"), also_lines=(61,),
        contract={"label": {"blank": None}},
    )  # fmt: skip


def _many_gaps() -> Iterator[Bad]:
    code = "SENSOR-MISSING"
    late = PUMPS.grid.fill("flow_m3h", "", range(2, 15))
    yield bad(
        "gaps-above-share",
        "the sensor was mounted later",
        PUMPS,
        late,
        code,
        "flow_m3h",
        range(2, 15),
    )
    excel = COMPRESSORS.grid.fill("Füllstand", "#NV", range(40, 50))
    yield bad(
        "gaps-excel-in-bulk",
        "a lookup that failed",
        COMPRESSORS,
        excel,
        code,
        "Füllstand",
        range(40, 50),
        spelling=CP1252,
    )
    every = tuple(range(2, 74, 2))
    slow = FANS.grid.fill("vibration_x", "", every)
    yield bad(
        "gaps-every-other", "two sampling rates in one file", FANS, slow, code, "vibration_x", every
    )
    yield bad(
        "gaps-one-where-none",
        "max_missing is 0",
        CONVEYORS,
        CONVEYORS.grid.put("load", {41: ""}),
        code,
        "load",
        (41,),
        spelling=TAB,
    )
    pressed = PUMPS.grid.fill("discharge_pressure", "Bad", (2, 20, 40, 60))
    yield bad(
        "gaps-four-of-sixty",
        "one more than allowed",
        PUMPS,
        pressed,
        code,
        "discharge_pressure",
        (2, 20, 40, 60),
        spelling=PIPE,
    )


def _dead() -> Iterator[Bad]:
    code = "SENSOR-ALL-MISSING"
    for name, plant, column, text, spelling in (
        ("blank", PUMPS, "flow_m3h", "", Spelling()),
        ("excel", COMPRESSORS, "Drehzahl", "#BEZUG!", GERMAN),
        ("historian", CHILLERS, "return_temperature", "Pt Created", TAB),
        ("nan", FANS, "vibration_y", "NaN", Spelling(encoding="utf-16")),
        ("dash", CONVEYORS, "torque", "-", PIPE),
    ):
        yield bad(
            f"dead-{name}",
            "a tag without any value",
            plant,
            plant.grid.fill(column, text),
            code,
            column,
            line=2,
            spelling=spelling,
        )
    tolerant = {"sensors": {"power": {"max_missing": 1.0}}}
    dead = CHILLERS.grid.fill("power", "")
    yield bad(
        "dead-all-allowed",
        "max_missing of 1 allows no dead sensor",
        CHILLERS,
        dead,
        code,
        "power",
        line=2,
        contract=tolerant,
    )
    yield bad(
        "dead-parquet",
        "a column of nulls",
        PUMPS,
        parquet(PUMPS.grid.fill("motor_current", "")),
        code,
        "motor_current",
        line=2,
        ending=".parquet",
    )
    one = CHILLERS.grid.fill("power", "", range(3, 47, 3))
    yield bad(
        "dead-in-one-machine",
        "CH-2 has no meter",
        CHILLERS,
        one,
        code,
        "power",
        line=3,
        equipment="CH-2",
    )
