"""Bad labels: unknown spellings, sensors that know the answer, one class only."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import CP1252, GERMAN, PIPE, TAB, Spelling, written
from packed import gzipped, parquet
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _unknown()
    yield from _many_unknown()
    yield from _leaks()
    yield from _leaks_of_more()
    yield from _one_class()


# A row without a label is in order, unless the contract says that every row has one.
_BLANK_IS_WRONG = {"label": {"blank": None}}


def _unknown() -> Iterator[Bad]:
    code = "LABEL-UNKNOWN"
    for name, plant, column, cells, spelling in (
        ("word", PUMPS, "fault", {9: "unsure"}, Spelling()),
        ("blank", PUMPS, "fault", {31: "", 32: ""}, TAB),
        ("third-class", FANS, "state", {40: "looseness"}, PIPE),
        ("number", CONVEYORS, "jam", {2: "2", 41: "-1"}, Spelling()),
        ("capitals", COMPRESSORS, "Störung", {45: "JA"}, GERMAN),
        ("english", COMPRESSORS, "Störung", {7: "no", 46: "yes"}, CP1252),
        ("spreadsheet-error", CHILLERS, "alarm", {22: "#N/A"}, Spelling(quotes="all")),
        ("capital-true", CHILLERS, "alarm", {30: "TRUE", 31: "TRUE"}, Spelling(encoding="utf-16")),
    ):
        yield bad(
            f"label-{name}", "a spelling that the contract lacks", plant, plant.grid.put(column, cells), code, column,
            tuple(cells), severity="quarantine", spelling=spelling, contract=_BLANK_IS_WRONG,
        )  # fmt: skip


def _many_unknown() -> Iterator[Bad]:
    code = "LABEL-UNKNOWN"
    words = CONVEYORS.grid.change("jam", lambda cell: {"0": "free", "1": "jammed"}[cell])
    yield bad(
        "label-all-words",
        "words where numbers are agreed",
        CONVEYORS,
        words,
        code,
        "jam",
        range(2, 42),
    )
    faults = PUMPS.grid.change("fault", lambda cell: "cavitation" if cell == "1" else cell)
    lines = tuple(line for line in PUMPS.grid.lines if PUMPS.grid.cell(line, "fault") == "1")
    yield bad(
        "label-kind-of-fault",
        "the kind of fault instead of 1",
        PUMPS,
        faults,
        code,
        "fault",
        lines,
        spelling=TAB,
        also=("LABEL-ONE-CLASS",),
    )
    open_end = COMPRESSORS.grid.fill("Störung", "", range(40, 50))
    yield bad(
        "label-rest-blank",
        "ten of 48 rows were never labelled",
        COMPRESSORS,
        open_end,
        code,
        "Störung",
        range(40, 50),
        spelling=GERMAN,
        contract=_BLANK_IS_WRONG,
    )
    fifth = CHILLERS.grid.fill("alarm", "maintenance", range(2, 12))
    yield bad(
        "label-above-a-fifth",
        "ten of 45 rows",
        CHILLERS,
        gzipped(written(fifth)),
        code,
        "alarm",
        range(2, 12),
        ending=".csv.gz",
    )


def _by_class(plant_labels: list[str], faulty: str, values: tuple[str, str]) -> list[str]:
    return [values[label == faulty] for label in plant_labels]


def _leaks() -> Iterator[Bad]:
    code = "LABEL-LEAK"
    for name, plant, column, faulty, values, spelling in (
        ("label-itself", PUMPS, "trip_flag", "1", ("0", "1"), Spelling()),
        ("fault-code", PUMPS, "fault_code", "1", ("0", "17"), TAB),
        ("turned-around", COMPRESSORS, "Freigabe", "ja", ("1", "0"), GERMAN),
        ("severity", FANS, "alarm_class", "imbalance", ("10", "90"), PIPE),
        ("fraction", CHILLERS, "health_index", "true", ("0.97", "0.41"), Spelling(quotes="all")),
        ("negative", CONVEYORS, "clutch", "1", ("-1", "1"), Spelling(encoding="utf-16")),
    ):
        labels = plant.grid.column(plant.base["label"]["column"])
        grid = plant.grid.add(column, _by_class(labels, faulty, values), 1)
        yield bad(
            f"leak-{name}", "a column that knows the answer stands among the sensors", plant, grid, code, column,
            spelling=spelling, contract={"sensors": {column: {}}},
        )  # fmt: skip


def _leaks_of_more() -> Iterator[Bad]:
    code = "LABEL-LEAK"
    setpoint = PUMPS.grid.put(
        "speed_rpm",
        {n: "1480.0" if PUMPS.grid.cell(n, "fault") == "0" else "1450.0" for n in PUMPS.grid.lines},
    )
    yield bad(
        "leak-setpoint", "the speed is set back at each fault", PUMPS, setpoint, code, "speed_rpm"
    )
    steps = COMPRESSORS.grid.put(
        "Füllstand",
        {
            n: "71.0" if COMPRESSORS.grid.cell(n, "Störung") == "nein" else "60.0"
            for n in COMPRESSORS.grid.lines
        },
    )
    yield bad(
        "leak-with-gaps",
        "two cells of it are missing",
        COMPRESSORS,
        steps.put("Füllstand", {8: "", 30: "#NV"}),
        code,
        "Füllstand",
        spelling=CP1252,
        also=("SENSOR-MISSING",),
    )
    flag = CHILLERS.grid.add("lamp", _by_class(CHILLERS.grid.column("alarm"), "true", ("0", "1")))
    yield bad(
        "leak-warned",
        "the contract only warns",
        CHILLERS,
        flag,
        code,
        "lamp",
        severity="warn",
        spelling=TAB,
        contract={"sensors": {"lamp": {}}, "rules": {code: "warn"}},
    )
    state = FANS.grid.put(
        "starts",
        {n: "4" if FANS.grid.cell(n, "state") == "healthy" else "5" for n in FANS.grid.lines},
    )
    yield bad(
        "leak-counter-parquet",
        "the counter counts faults",
        FANS,
        parquet(state),
        code,
        "starts",
        ending=".parquet",
        contract={"sensors": {"starts": {"keep": ""}}},
    )


def _one_class() -> Iterator[Bad]:
    code = "LABEL-ONE-CLASS"
    normal = PUMPS.grid.take(n for n in PUMPS.grid.lines if PUMPS.grid.cell(n, "fault") == "0")
    yield bad(
        "class-normal-only", "faults were cut out", PUMPS, normal, code, "fault", severity="warn"
    )
    healthy = FANS.grid.fill("state", "healthy")
    yield bad(
        "class-never-labelled",
        "the label is a default",
        FANS,
        healthy,
        code,
        "state",
        severity="warn",
        spelling=TAB,
    )
    faults = COMPRESSORS.grid.take(
        n for n in COMPRESSORS.grid.lines if COMPRESSORS.grid.cell(n, "Störung") == "ja"
    )
    yield bad(
        "class-faults-only",
        "an export of alarms",
        COMPRESSORS,
        faults,
        code,
        "Störung",
        severity="warn",
        spelling=GERMAN,
    )
    refuse = {"rules": {code: "refuse"}}
    yield bad(
        "class-refused",
        "the contract wants both",
        CONVEYORS,
        CONVEYORS.grid.fill("jam", "0.0"),
        code,
        "jam",
        spelling=PIPE,
        contract=refuse,
    )
    mixed = CHILLERS.grid.change("alarm", lambda cell: "no" if cell == "true" else cell)
    yield bad(
        "class-two-spellings",
        "two spellings of normal",
        CHILLERS,
        mixed,
        code,
        "alarm",
        severity="warn",
    )
    early = CHILLERS.grid.change("alarm", lambda cell: "false", range(4, 47, 3))
    yield bad(
        "class-of-chosen-machine",
        "CH-3 never failed",
        CHILLERS,
        early,
        code,
        "alarm",
        severity="warn",
        equipment="CH-3",
        left_out=30,
    )
