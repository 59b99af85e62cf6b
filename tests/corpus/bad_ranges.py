"""Impossible numbers: out of range, in a wrong unit, fractions of counters.

A whole file of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import CP1252, GERMAN, PIPE, TAB, Spelling, written
from packed import gzipped, zstandard
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, scaled


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _impossible()
    yield from _wrong_unit()
    yield from _fractions()
    yield from _nobody_left()


def _impossible() -> Iterator[Bad]:
    code = "SENSOR-OUT-OF-RANGE"
    for name, plant, column, cells, spelling, severity in (
        ("negative-flow", PUMPS, "flow_m3h", {19: "-3.20"}, Spelling(), "quarantine"),
        (
            "saturated",
            PUMPS,
            "speed_rpm",
            {50: "32767", 51: "32767", 52: "32767"},
            TAB,
            "quarantine",
        ),
        ("filler", COMPRESSORS, "Öldruck", {33: "-999.9"}, GERMAN, "quarantine"),
        (
            "level-above-full",
            COMPRESSORS,
            "Füllstand",
            {2: "100.1", 49: "104.0"},
            CP1252,
            "quarantine",
        ),
        ("scientific", FANS, "vibration_x", {16: "6.02e+01"}, Spelling(), "quarantine"),
        ("counter-overflow", FANS, "starts", {60: "4294967295"}, PIPE, "quarantine"),
        (
            "frozen-pipe",
            CHILLERS,
            "supply_temperature",
            {7: "-10.5"},
            Spelling(quotes="all"),
            "quarantine",
        ),
        ("refusing-speed", COMPRESSORS, "Drehzahl", {28: "29600"}, GERMAN, "refuse"),
        (
            "refusing-pressure",
            PUMPS,
            "discharge_pressure",
            {9: "61.0", 10: "61.5"},
            Spelling(";"),
            "refuse",
        ),
        (
            "warning-temperature",
            PUMPS,
            "bearing_temperature",
            {47: "850.0"},
            Spelling(encoding="utf-16"),
            "warn",
        ),
        (
            "warning-torque",
            CONVEYORS,
            "torque",
            {4: "-120.5", 39: "3000.1"},
            Spelling(line_end="\r"),
            "warn",
        ),
        (
            "reversed-belt",
            CONVEYORS,
            "belt_speed",
            {23: "-1.25"},
            Spelling(encoding="utf-8-sig"),
            "quarantine",
        ),
    ):
        yield bad(
            f"range-{name}", "a value no instrument can read there", plant, plant.grid.put(column, cells), code, column,
            tuple(cells), severity=severity, spelling=spelling,
        )  # fmt: skip


def _wrong_unit() -> Iterator[Bad]:
    code = "SENSOR-OUT-OF-RANGE"
    kilopascals = PUMPS.grid.change("discharge_pressure", scaled(100))
    yield bad(
        "unit-kpa-for-bar",
        "the new machine logs kPa",
        PUMPS,
        kilopascals,
        code,
        "discharge_pressure",
        range(2, 62),
    )
    pascals = CHILLERS.grid.change("refrigerant_pressure", scaled(1000), range(3, 47, 3))
    yield bad(
        "unit-pa-one-machine",
        "CH-2 logs Pa",
        CHILLERS,
        pascals,
        code,
        "refrigerant_pressure",
        range(3, 47, 3),
    )
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
        spelling=GERMAN,
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
        also=("MACHINE-LOST",),
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
    yield bad(
        "whole-half",
        "a resampled counter",
        FANS,
        half,
        code,
        "starts",
        (18,),
        severity="quarantine",
    )
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
        spelling=GERMAN,
    )
    pin = {"sensors": {"Drehzahl": {"dtype": "whole"}}}
    rounded = COMPRESSORS.grid.change("Drehzahl", lambda cell: cell[:-2] + ".0").put(
        "Drehzahl", {44: "2901.5"}
    )
    yield bad(
        "whole-zero-decimals-but-one",
        "2960,0 is whole, 2901,5 is not",
        COMPRESSORS,
        rounded,
        code,
        "Drehzahl",
        (44,),
        severity="quarantine",
        spelling=CP1252,
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
        spelling=TAB,
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
        spelling=PIPE,
    )
    warn = {"rules": {code: "warn"}, "sensors": {"power": {"dtype": "whole"}}}
    whole = CHILLERS.grid.change("power", lambda cell: f"{float(cell):.0f}").put(
        "power", {6: "148.2", 39: "160.9"}
    )
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
        spelling=GERMAN,
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
        spelling=TAB,
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
    halves = CHILLERS.grid.fill("chiller", "", range(2, 24)).change(
        "power", scaled(1000), range(24, 47)
    )
    yield bad(
        "none-left-two-reasons",
        "one half for each reason",
        CHILLERS,
        halves,
        code,
        "power",
        line=24,
        # Without names the three machines look like one that repeats its times.
        also=("KEY-MISSING", "SENSOR-OUT-OF-RANGE", "TIME-DUPLICATE"),
    )
