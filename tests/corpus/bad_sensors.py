"""Bad cells of sensors: text, gaps, impossible values, fractions of counters; and machines that are not there."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import Spelling, written
from packed import gzipped, parquet, zstandard
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, scaled

_GERMAN, _TAB, _PIPE = Spelling(separator=";", decimal=","), Spelling(separator="\t"), Spelling(separator="|")
_CP1252 = Spelling(";", ",", encoding="cp1252", line_end="\r\n")


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _text()
    yield from _much_text()
    yield from _gaps()
    yield from _many_gaps()
    yield from _dead()
    yield from _impossible()
    yield from _wrong_unit()
    yield from _fractions()
    yield from _nobody_left()
    yield from _other_machines()
    yield from _keys()


def _text() -> Iterator[Bad]:
    code = "SENSOR-NOT-A-NUMBER"
    for name, plant, column, cells, spelling in (
        ("status-word", PUMPS, "flow_m3h", {17: "ERROR 14"}, Spelling()),
        ("over-range-word", PUMPS, "speed_rpm", {2: "OVERRANGE", 61: "OVERRANGE"}, _TAB),
        ("unit-in-the-cell", COMPRESSORS, "Öldruck", {8: "4,1 bar", 9: "4,2 bar"}, _GERMAN),
        ("below-detection", FANS, "vibration_x", {30: "<0.05"}, _PIPE),
        ("infinite", CONVEYORS, "belt_speed", {40: "inf"}, Spelling()),
        ("too-large", CHILLERS, "power", {11: "1e999", 13: "-1e999"}, Spelling()),
        ("point-among-commas", COMPRESSORS, "Gastemperatur", {21: "92.5"}, _CP1252),
        ("comma-among-points", PUMPS, "motor_current", {33: "88,4"}, Spelling(";")),
        ("two-points", FANS, "current", {5: "14.5.2"}, Spelling()),
        ("date-from-a-spreadsheet", CONVEYORS, "belt_speed", {12: "01. Feb"}, Spelling(line_end="\r\n")),
        ("hexadecimal", CHILLERS, "supply_temperature", {46: "0x1A"}, _PIPE),
        ("space-in-a-number", COMPRESSORS, "Füllstand", {30: "7 1,2"}, Spelling(";", ",", encoding="utf-16")),
        ("hash-signs", PUMPS, "bearing_temperature", {24: "########", 25: "########"}, Spelling(quotes="all")),
        ("question-mark-behind", FANS, "starts", {70: "27?"}, Spelling(encoding="utf-8-sig")),
    ):
        yield bad(
            f"text-{name}", "a few cells are no numbers", plant, plant.grid.put(column, cells), code, column,
            tuple(cells), severity="quarantine", spelling=spelling,
        )  # fmt: skip


def _much_text() -> Iterator[Bad]:
    code = "SENSOR-NOT-A-NUMBER"
    states = PUMPS.grid.fill("motor_current", "RUNNING", range(20, 34))
    yield bad("text-above-share", "states in a current column", PUMPS, states, code, "motor_current", range(20, 34))
    mixed = COMPRESSORS.grid.fill("Füllstand", "voll", range(30, 35))
    yield bad(
        "text-above-own-share",
        "five of 48, a tenth is allowed",
        COMPRESSORS,
        mixed,
        code,
        "Füllstand",
        range(30, 35),
        spelling=_GERMAN,
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
        spelling=_TAB,
    )
    words = FANS.grid.change("current", lambda cell: "high" if float(cell) > 14 else "low")
    yield bad("text-everywhere", "classes instead of numbers", FANS, words, code, "current", range(2, 74))
    half = COMPRESSORS.grid.change("Gastemperatur", lambda cell: cell.replace(".", ",") + " C", range(2, 26))
    yield bad(
        "text-first-half",
        "the logger's setting was changed",
        COMPRESSORS,
        half,
        code,
        "Gastemperatur",
        range(2, 26),
        spelling=_GERMAN,
    )


def _gaps() -> Iterator[Bad]:
    code = "SENSOR-MISSING"
    for name, plant, column, cells, spelling in (
        ("blank", PUMPS, "flow_m3h", {10: ""}, Spelling()),
        ("excel-division", PUMPS, "speed_rpm", {3: "#DIV/0!", 4: "#DIV/0!", 59: "#VALUE!"}, Spelling(";")),
        ("excel-german", COMPRESSORS, "Öldruck", {12: "#WERT!", 13: "#NV", 45: "#BEZUG!"}, _CP1252),
        ("historian-words", CHILLERS, "power", {5: "Bad Input", 6: "I/O Timeout", 29: "No Data"}, _TAB),
        ("not-connected", FANS, "current", {73: "Not Connect"}, _PIPE),
        ("nan-of-a-script", CONVEYORS, "belt_speed", {2: "nan", 20: "NaN", 38: "NAN"}, Spelling()),
        ("null-of-a-database", FANS, "starts", {14: "NULL", 15: "null"}, Spelling(quotes="all")),
        ("dashes", COMPRESSORS, "Gastemperatur", {49: "---", 48: "--", 47: "-"}, Spelling(";", ",", encoding="utf-16")),
        ("blanks-only", PUMPS, "bearing_temperature", {26: "   "}, Spelling(line_end="\r")),
        ("at-the-share", PUMPS, "discharge_pressure", {4: "", 5: "", 6: ""}, Spelling(encoding="utf-8-sig")),
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
        severity="quarantine", spelling=_GERMAN, contract=pin,
    )  # fmt: skip
    yield bad(
        "gap-parquet-null", "nulls of a Parquet table", CHILLERS,
        parquet(CHILLERS.grid.put("supply_temperature", {8: "", 44: ""})), code, "supply_temperature", (8, 44),
        severity="quarantine", ending=".parquet",
    )  # fmt: skip
    yield bad(
        "gap-cut-last-row", "the logger lost power", PUMPS, written(PUMPS.grid).rsplit(b",", 4)[0], code, "motor_current",
        (61,), severity="quarantine", also=("LABEL-UNKNOWN", "SENSOR-MISSING"), also_lines=(61,),
    )  # fmt: skip


def _many_gaps() -> Iterator[Bad]:
    code = "SENSOR-MISSING"
    late = PUMPS.grid.fill("flow_m3h", "", range(2, 15))
    yield bad("gaps-above-share", "the sensor was mounted later", PUMPS, late, code, "flow_m3h", range(2, 15))
    excel = COMPRESSORS.grid.fill("Füllstand", "#NV", range(40, 50))
    yield bad(
        "gaps-excel-in-bulk",
        "a lookup that failed",
        COMPRESSORS,
        excel,
        code,
        "Füllstand",
        range(40, 50),
        spelling=_CP1252,
    )
    every = tuple(range(2, 74, 2))
    slow = FANS.grid.fill("vibration_x", "", every)
    yield bad("gaps-every-other", "two sampling rates in one file", FANS, slow, code, "vibration_x", every)
    yield bad(
        "gaps-one-where-none",
        "max_missing is 0",
        CONVEYORS,
        CONVEYORS.grid.put("load", {41: ""}),
        code,
        "load",
        (41,),
        spelling=_TAB,
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
        spelling=_PIPE,
    )


def _dead() -> Iterator[Bad]:
    code = "SENSOR-ALL-MISSING"
    for name, plant, column, text, spelling in (
        ("blank", PUMPS, "flow_m3h", "", Spelling()),
        ("excel", COMPRESSORS, "Drehzahl", "#BEZUG!", _GERMAN),
        ("historian", CHILLERS, "return_temperature", "Pt Created", _TAB),
        ("nan", FANS, "vibration_y", "NaN", Spelling(encoding="utf-16")),
        ("dash", CONVEYORS, "torque", "-", _PIPE),
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
    yield bad("dead-in-one-machine", "CH-2 has no meter", CHILLERS, one, code, "power", line=3, equipment="CH-2")


def _impossible() -> Iterator[Bad]:
    code = "SENSOR-OUT-OF-RANGE"
    for name, plant, column, cells, spelling, severity in (
        ("negative-flow", PUMPS, "flow_m3h", {19: "-3.20"}, Spelling(), "quarantine"),
        ("saturated", PUMPS, "speed_rpm", {50: "32767", 51: "32767", 52: "32767"}, _TAB, "quarantine"),
        ("filler", COMPRESSORS, "Öldruck", {33: "-999.9"}, _GERMAN, "quarantine"),
        ("level-above-full", COMPRESSORS, "Füllstand", {2: "100.1", 49: "104.0"}, _CP1252, "quarantine"),
        ("scientific", FANS, "vibration_x", {16: "6.02e+01"}, Spelling(), "quarantine"),
        ("counter-overflow", FANS, "starts", {60: "4294967295"}, _PIPE, "quarantine"),
        ("frozen-pipe", CHILLERS, "supply_temperature", {7: "-10.5"}, Spelling(quotes="all"), "quarantine"),
        ("refusing-speed", COMPRESSORS, "Drehzahl", {28: "29600"}, _GERMAN, "refuse"),
        ("refusing-pressure", PUMPS, "discharge_pressure", {9: "61.0", 10: "61.5"}, Spelling(";"), "refuse"),
        ("warning-temperature", PUMPS, "bearing_temperature", {47: "850.0"}, Spelling(encoding="utf-16"), "warn"),
        ("warning-torque", CONVEYORS, "torque", {4: "-120.5", 39: "3000.1"}, Spelling(line_end="\r"), "warn"),
        ("reversed-belt", CONVEYORS, "belt_speed", {23: "-1.25"}, Spelling(encoding="utf-8-sig"), "quarantine"),
    ):
        yield bad(
            f"range-{name}", "a value no instrument can read there", plant, plant.grid.put(column, cells), code, column,
            tuple(cells), severity=severity, spelling=spelling,
        )  # fmt: skip


def _wrong_unit() -> Iterator[Bad]:
    code = "SENSOR-OUT-OF-RANGE"
    kilopascals = PUMPS.grid.change("discharge_pressure", scaled(100))
    yield bad(
        "unit-kpa-for-bar", "the new machine logs kPa", PUMPS, kilopascals, code, "discharge_pressure", range(2, 62)
    )
    pascals = CHILLERS.grid.change("refrigerant_pressure", scaled(1000), range(3, 47, 3))
    yield bad("unit-pa-one-machine", "CH-2 logs Pa", CHILLERS, pascals, code, "refrigerant_pressure", range(3, 47, 3))
    millibars = COMPRESSORS.grid.change("Öldruck", scaled(1000), range(34, 50))
    yield bad(
        "unit-mbar-one-run",
        "from the third shift on mbar",
        COMPRESSORS,
        millibars,
        code,
        "Öldruck",
        range(34, 50),
        severity="quarantine",
        spelling=_GERMAN,
    )
    kelvins = CHILLERS.grid.change("supply_temperature", scaled(1, 273.15), range(20, 26))
    yield bad(
        "unit-kelvin-some",
        "a gateway was restarted",
        CHILLERS,
        zstandard(written(kelvins)),
        code,
        "supply_temperature",
        range(20, 26),
        severity="quarantine",
        ending=".csv.zst",
    )
    watts = CHILLERS.grid.change("power", scaled(1000), range(2, 47, 3))
    yield bad(
        "unit-watt-one-machine",
        "CH-1 logs W",
        CHILLERS,
        watts,
        code,
        "power",
        range(2, 47, 3),
        severity="quarantine",
        equipment=None,
    )
    kilograms = CONVEYORS.grid.change("load", scaled(1000), range(2, 12))
    yield bad(
        "unit-kg-for-t",
        "the scale shows kg at first",
        CONVEYORS,
        gzipped(written(kilograms)),
        code,
        "load",
        range(2, 12),
        severity="quarantine",
        ending=".csv.gz",
    )


def _fractions() -> Iterator[Bad]:
    code = "SENSOR-NOT-WHOLE"
    half = FANS.grid.put("starts", {18: "9.5"})
    yield bad("whole-half", "a resampled counter", FANS, half, code, "starts", (18,), severity="quarantine")
    mean = FANS.grid.put("starts", {20: "9.333", 21: "10.667", 22: "10.333"})
    yield bad(
        "whole-means",
        "means of a counter",
        FANS,
        mean,
        code,
        "starts",
        (20, 21, 22),
        severity="quarantine",
        spelling=_GERMAN,
    )
    pin = {"sensors": {"Drehzahl": {"dtype": "whole"}}}
    rounded = COMPRESSORS.grid.change("Drehzahl", lambda cell: cell[:-2] + ".0").put("Drehzahl", {44: "2901.5"})
    yield bad(
        "whole-zero-decimals-but-one",
        "2960,0 is whole, 2901,5 is not",
        COMPRESSORS,
        rounded,
        code,
        "Drehzahl",
        (44,),
        severity="quarantine",
        spelling=_CP1252,
        contract=pin,
    )
    refuse = {"rules": {code: "refuse"}}
    yield bad(
        "whole-refused",
        "the contract refuses fractions",
        FANS,
        half,
        code,
        "starts",
        (18,),
        spelling=_TAB,
        contract=refuse,
    )
    tiny = FANS.grid.put("starts", {73: "1.5e-3"})
    yield bad(
        "whole-scientific",
        "a scientific fraction",
        FANS,
        tiny,
        code,
        "starts",
        (73,),
        severity="quarantine",
        spelling=_PIPE,
    )
    warn = {"rules": {code: "warn"}, "sensors": {"power": {"dtype": "whole"}}}
    whole = CHILLERS.grid.change("power", lambda cell: f"{float(cell):.0f}").put("power", {6: "148.2", 39: "160.9"})
    yield bad(
        "whole-warned",
        "the contract only warns",
        CHILLERS,
        whole,
        code,
        "power",
        (6, 39),
        severity="warn",
        contract=warn,
    )


def _nobody_left() -> Iterator[Bad]:
    code = "ROWS-NONE-LEFT"
    negative = PUMPS.grid.change("flow_m3h", scaled(-1))
    yield bad(
        "none-left-sign",
        "the sign is turned around",
        PUMPS,
        negative,
        code,
        "flow_m3h",
        line=2,
        also=("SENSOR-OUT-OF-RANGE",),
    )
    narrow = {"sensors": {"Öldruck": {"min": 40, "max": 60}}}
    yield bad(
        "none-left-limits",
        "limits of another unit",
        COMPRESSORS,
        COMPRESSORS.grid,
        code,
        "Öldruck",
        line=2,
        spelling=_GERMAN,
        contract=narrow,
        also=("SENSOR-OUT-OF-RANGE",),
    )
    runless = PUMPS.grid.fill("run", "")
    yield bad(
        "none-left-runs",
        "nobody filled in the run",
        PUMPS,
        runless,
        code,
        "run",
        line=2,
        spelling=_TAB,
        also=("KEY-MISSING",),
    )
    timeless = FANS.grid.fill("elapsed", "n/a")
    yield bad(
        "none-left-times",
        "the clock was not exported",
        FANS,
        timeless,
        code,
        "elapsed",
        line=2,
        also=("TIME-UNREADABLE",),
    )
    halves = CHILLERS.grid.fill("chiller", "", range(2, 24)).change("power", scaled(1000), range(24, 47))
    yield bad(
        "none-left-two-reasons",
        "one half for each reason",
        CHILLERS,
        halves,
        code,
        "power",
        line=24,
        also=("KEY-MISSING", "SENSOR-OUT-OF-RANGE"),
    )


def _other_machines() -> Iterator[Bad]:
    code = "EQUIPMENT-ABSENT"
    yield bad("absent-machine", "the file of another pump", PUMPS, PUMPS.grid, code, "machine", equipment="pump-3")
    yield bad(
        "absent-capitals",
        "K-07 is asked for as k-07",
        COMPRESSORS,
        COMPRESSORS.grid,
        code,
        "Maschine",
        equipment="k-07",
        spelling=_CP1252,
    )
    one = CHILLERS.grid.take(range(2, 47, 3))
    yield bad(
        "absent-one-machine",
        "CH-1 only",
        CHILLERS,
        gzipped(written(one)),
        code,
        "chiller",
        equipment="CH-2",
        ending=".csv.gz",
    )
    yield bad(
        "absent-blank",
        "no machine is named at all",
        PUMPS,
        PUMPS.grid.fill("machine", ""),
        code,
        "machine",
        equipment="pump-1",
        spelling=_TAB,
    )
    first, second = PUMPS.grid.take(range(2, 32)), PUMPS.grid.take(range(32, 62))
    yield bad(
        "absent-beside-another",
        "a folder of all pumps",
        PUMPS,
        second,
        code,
        "machine",
        severity="warn",
        beside=(first,),
        equipment="pump-1",
        left_out=30,
    )
    yield bad(
        "absent-in-both",
        "neither file is of the machine",
        PUMPS,
        second,
        code,
        "machine",
        beside=(first,),
        equipment="P1",
    )


def _keys() -> Iterator[Bad]:
    code = "KEY-MISSING"
    for name, plant, column, cells, spelling in (
        ("machine-blank", PUMPS, "machine", {28: ""}, Spelling()),
        ("run-blank", PUMPS, "run", {16: "", 17: "", 31: " "}, _TAB),
        ("run-dash", COMPRESSORS, "Lauf", {18: "-"}, _GERMAN),
        ("machine-null", CHILLERS, "chiller", {4: "NULL", 46: "N/A"}, _PIPE),
        ("run-excel-error", COMPRESSORS, "Lauf", {34: "#NAME?", 35: "#NAME?"}, _CP1252),
        ("machine-no-data", PUMPS, "machine", {61: "No Data"}, Spelling(encoding="utf-16")),
    ):
        yield bad(
            f"key-{name}", "who or which recording is not told", plant, plant.grid.put(column, cells), code, column,
            tuple(cells), severity="quarantine", spelling=spelling,
        )  # fmt: skip
    chosen = PUMPS.grid.put("run", {40: "", 12: ""})
    yield bad(
        "key-of-chosen-machine",
        "only pump-2 is asked for",
        PUMPS,
        chosen,
        code,
        "run",
        (40,),
        severity="quarantine",
        equipment="pump-2",
        left_out=30,
    )
