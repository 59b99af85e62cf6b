"""Rows that are wrong beside their neighbours: stuck sensors, jumps, copies, conflicting labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cases import Bad, bad
from grid import Grid, Spelling, written
from packed import gzipped, parquet
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, Changes, Plant, scaled

_GERMAN, _TAB, _PIPE = Spelling(separator=";", decimal=","), Spelling(separator="\t"), Spelling(separator="|")
_CP1252 = Spelling(";", ",", encoding="cp1252", line_end="\r\n")
_UTF16 = Spelling("\t", encoding="utf-16")


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _stuck()
    yield from _stuck_by_rule()
    yield from _spikes()
    yield from _steps()
    yield from _copied_rows()
    yield from _copied_files()
    yield from _conflicts()
    yield from _conflicts_of_copies()


def _limit(sensor: str, **limits: object) -> dict[str, object]:
    return {"sensors": {sensor: limits}}


def _stuck() -> Iterator[Bad]:
    code = "SENSOR-STUCK"
    frozen = PUMPS.grid.fill("flow_m3h", "212.40", range(20, 28))
    yield bad(
        "stuck-eight-rows",
        "a frozen flow meter",
        PUMPS,
        frozen,
        code,
        "flow_m3h",
        range(20, 28),
        severity="warn",
        contract=_limit("flow_m3h", stuck_after=6),
    )
    just = COMPRESSORS.grid.fill("Öldruck", "4.20", range(30, 34))
    yield bad(
        "stuck-just-at-the-limit",
        "four rows, four are the limit",
        COMPRESSORS,
        just,
        code,
        "Öldruck",
        range(30, 34),
        severity="warn",
        contract=_limit("Öldruck", stuck_after=4),
        spelling=_GERMAN,
    )
    run = PUMPS.grid.fill("motor_current", "88.0", range(32, 47))
    yield bad(
        "stuck-whole-run",
        "no signal in run B1",
        PUMPS,
        run,
        code,
        "motor_current",
        range(32, 47),
        severity="warn",
        contract=_limit("motor_current", stuck_after=10),
        spelling=_TAB,
    )
    lines = (3, 6, 9, 12, 15)
    turn = CHILLERS.grid.fill("power", "148.0", lines)
    yield bad(
        "stuck-one-of-three",
        "CH-2 is stuck between rows of others",
        CHILLERS,
        turn,
        code,
        "power",
        lines,
        severity="warn",
        contract=_limit("power", stuck_after=5),
    )
    spelt = FANS.grid.put("current", {60: "14.5", 61: "14.50", 62: "1.45e1", 63: "14.500"})
    yield bad(
        "stuck-other-spellings",
        "one value in four spellings",
        FANS,
        spelt,
        code,
        "current",
        range(60, 64),
        severity="warn",
        contract=_limit("current", stuck_after=4),
        spelling=_PIPE,
    )
    order = CONVEYORS.grid.fill("load", "12.40", range(2, 9))
    yield bad(
        "stuck-from-the-start",
        "the scale was off at first",
        CONVEYORS,
        order,
        code,
        "load",
        range(2, 9),
        severity="warn",
        contract=_limit("load", stuck_after=7),
    )
    end = FANS.grid.fill("vibration_y", "0.00", range(66, 74))
    yield bad(
        "stuck-at-zero-to-the-end",
        "the cable broke",
        FANS,
        end,
        code,
        "vibration_y",
        range(66, 74),
        severity="warn",
        contract=_limit("vibration_y", stuck_after=3),
        spelling=_UTF16,
    )


def _stuck_by_rule() -> Iterator[Bad]:
    code = "SENSOR-STUCK"
    frozen = PUMPS.grid.fill("bearing_temperature", "61.0", range(50, 57))
    for kind in ("quarantine", "refuse"):
        rule = {**_limit("bearing_temperature", stuck_after=7), "rules": {code: kind}}
        spelling = Spelling(quotes="all") if kind == "refuse" else _TAB
        yield bad(
            f"stuck-{kind}",
            "the contract is stricter",
            PUMPS,
            frozen,
            code,
            "bearing_temperature",
            range(50, 57),
            severity=kind,
            contract=rule,
            spelling=spelling,
        )  # type: ignore[arg-type]


def _spikes() -> Iterator[Bad]:
    code = "SENSOR-RATE"
    for name, plant, column, cells, lines, rate, spelling in (
        ("flow", PUMPS, "flow_m3h", {20: "402.00"}, (20, 21), 1.0, Spelling()),
        ("first-row", PUMPS, "speed_rpm", {2: "20.0"}, (3,), 2.0, _TAB),
        ("last-row", COMPRESSORS, "Gastemperatur", {49: "240.0"}, (49,), 5.0, _GERMAN),
        ("first-of-a-run", COMPRESSORS, "Öldruck", {18: "15.90"}, (19,), 0.5, _CP1252),
        ("elapsed", FANS, "vibration_x", {50: "45.10"}, (50, 51), 2.0, _PIPE),
        ("one-of-three", CHILLERS, "power", {21: "890.0"}, (21, 24), 1.0, Spelling()),
        ("per-row", CONVEYORS, "load", {11: "70.00"}, (11, 12), 20.0, _UTF16),
    ):
        yield bad(
            f"jump-{name}", "a spike up and down again", plant, plant.grid.put(column, cells), code, column, lines,
            severity="quarantine", contract=_limit(column, max_rate=rate), spelling=spelling,
        )  # fmt: skip


def _steps() -> Iterator[Bad]:
    code = "SENSOR-RATE"
    step = PUMPS.grid.change("discharge_pressure", scaled(1, 12), range(24, 32))
    yield bad(
        "jump-step",
        "a new range of the transmitter",
        PUMPS,
        step,
        code,
        "discharge_pressure",
        (24,),
        severity="quarantine",
        contract=_limit("discharge_pressure", max_rate=0.1),
    )
    torque = CONVEYORS.grid.change("torque", scaled(1, 900), range(20, 42))
    yield bad(
        "jump-step-per-row",
        "no time, so by row",
        CONVEYORS,
        torque,
        code,
        "torque",
        (20,),
        severity="quarantine",
        contract=_limit("torque", max_rate=300),
        spelling=_GERMAN,
    )
    refuse = {**_limit("speed_rpm", max_rate=2), "rules": {code: "refuse"}}
    yield bad(
        "jump-refused",
        "the contract refuses jumps",
        PUMPS,
        PUMPS.grid.put("speed_rpm", {36: "900.0"}),
        code,
        "speed_rpm",
        (36, 37),
        contract=refuse,
    )
    warn = {**_limit("supply_temperature", max_rate=0.05), "rules": {code: "warn"}}
    yield bad(
        "jump-warned",
        "the contract only warns",
        CHILLERS,
        CHILLERS.grid.put("supply_temperature", {10: "31.00"}),
        code,
        "supply_temperature",
        (10, 13),
        severity="warn",
        contract=warn,
        spelling=_TAB,
    )


def _copied_rows() -> Iterator[Bad]:
    code, back = "ROW-DUPLICATE", ("TIME-BACKWARDS",)
    block = PUMPS.grid.take([*range(2, 37), *range(32, 37), *range(37, 62)])
    yield bad(
        "copy-block",
        "five rows were pasted twice",
        PUMPS,
        block,
        code,
        None,
        range(37, 42),
        severity="quarantine",
        also=back,
    )
    every = FANS.grid.take([line for line in FANS.grid.lines for _ in range(2)])
    yield bad(
        "copy-each-row",
        "two loggers on one bus",
        FANS,
        every,
        code,
        None,
        range(3, 146, 2),
        severity="quarantine",
        spelling=_PIPE,
    )
    whole = COMPRESSORS.grid.take([*COMPRESSORS.grid.lines, *range(34, 50)])
    yield bad(
        "copy-last-run",
        "the last run was appended again",
        COMPRESSORS,
        whole,
        code,
        None,
        range(50, 66),
        severity="quarantine",
        also=back,
        spelling=_GERMAN,
    )
    renamed = PUMPS.grid.take([*PUMPS.grid.lines, *range(47, 62)]).fill("run", "B3", range(62, 77))
    yield bad(
        "copy-other-run",
        "a run came again under another name",
        PUMPS,
        renamed,
        code,
        None,
        range(62, 77),
        severity="quarantine",
        spelling=_TAB,
    )
    spelt = CHILLERS.grid.take([*range(2, 5), 4, *range(5, 47)]).change("power", lambda cell: cell + "00", (5,))
    yield bad(
        "copy-other-spelling", "one value with more zeros", CHILLERS, spelt, code, None, (5,), severity="quarantine"
    )
    note = PUMPS.grid.take([*range(2, 62), 61]).fill("operator_note", "see log", (62,))
    yield bad(
        "copy-other-note",
        "only the note differs",
        PUMPS,
        note,
        code,
        None,
        (62,),
        severity="quarantine",
        spelling=Spelling(";", encoding="cp1252"),
    )
    refuse = {"rules": {code: "refuse"}}
    yield bad(
        "copy-refused",
        "the contract refuses copies",
        PUMPS,
        block,
        code,
        None,
        range(37, 42),
        also=back,
        contract=refuse,
    )
    last = CHILLERS.grid.take([*CHILLERS.grid.lines, 44, 45, 46])
    yield bad(
        "copy-warned",
        "the contract only warns",
        CHILLERS,
        parquet(last),
        code,
        None,
        (47, 48, 49),
        severity="warn",
        ending=".parquet",
        contract={"rules": {code: "warn"}},
    )


def _copied_files() -> Iterator[Bad]:
    code, back = "ROW-DUPLICATE", ("TIME-BACKWARDS",)
    first, second = COMPRESSORS.grid.take(range(2, 34)), COMPRESSORS.grid.take(range(28, 50))
    yield bad(
        "copy-overlapping-files",
        "two exports overlap",
        COMPRESSORS,
        second,
        code,
        None,
        range(2, 8),
        severity="quarantine",
        beside=(first,),
        also=back,
        spelling=_CP1252,
    )
    pump, more = PUMPS.grid.take(range(2, 47)), PUMPS.grid.take([*range(32, 37), *range(47, 62)])
    yield bad(
        "copy-rows-of-another-file",
        "rows of B1 in both files",
        PUMPS,
        more,
        code,
        None,
        range(2, 7),
        severity="quarantine",
        beside=(pump,),
        also=back,
    )
    sent, again = (gzipped(written(CHILLERS.grid.take(lines))) for lines in (range(2, 41), range(38, 47)))
    yield bad(
        "copy-tail-packed", "the tail was sent again", CHILLERS, again, code, None, (2, 3, 4), severity="quarantine",
        beside=(sent,), ending=".csv.gz", also=("TIME-BACKWARDS", "LABEL-ONE-CLASS"),
    )  # fmt: skip


def _twins(plant: Plant, pairs: Sequence[tuple[int, int]], labels: dict[int, str] | None = None) -> Grid:
    """The second line of each pair gets the sensor readings of the first; labels where they are given."""
    grid = plant.grid
    for source, copy in pairs:
        for name in plant.sensors:
            grid = grid.put(name, {copy: grid.cell(source, name)})
    return grid.put(plant.base["label"]["column"], labels or {})


def _conflicts() -> Iterator[Bad]:
    code = "LABEL-CONFLICT"
    free: Changes = {}
    for name, grid, plant, lines, spelling, changes in (
        ("two-rows", _twins(PUMPS, [(5, 14)]), PUMPS, (5, 14), Spelling(), free),
        ("three-rows", _twins(COMPRESSORS, [(3, 4), (3, 48)]), COMPRESSORS, (3, 4, 48), _GERMAN, free),
        ("no-machine", _twins(CONVEYORS, [(2, 41)]), CONVEYORS, (2, 41), _TAB, free),
        ("two-pairs", _twins(FANS, [(10, 30), (11, 70)]), FANS, (10, 11, 30, 70), _PIPE, free),
        ("other-run", _twins(PUMPS, [(33, 60)]), PUMPS, (33, 60), _UTF16, free),
        ("one-of-three", _twins(CHILLERS, [(4, 46)]), CHILLERS, (4, 46), Spelling(quotes="all"), free),
    ):
        yield bad(
            f"conflict-{name}", "equal readings are normal and faulty", plant, grid, code,
            plant.base["label"]["column"], lines, severity="quarantine", spelling=spelling, contract=changes,
        )  # fmt: skip


def _conflicts_of_copies() -> Iterator[Bad]:
    code = "LABEL-CONFLICT"
    other = COMPRESSORS.grid.take([*COMPRESSORS.grid.lines, *range(44, 50)]).fill("Störung", "nein", range(50, 56))
    lines = (*range(44, 50), *range(50, 56))
    yield bad(
        "conflict-two-operators",
        "a fault was labelled twice",
        COMPRESSORS,
        other,
        code,
        "Störung",
        lines,
        severity="quarantine",
        also=("TIME-BACKWARDS",),
        spelling=_CP1252,
    )
    twice = FANS.grid.take([*range(2, 31), 30, *range(31, 74)]).fill("state", "healthy", (31,))
    yield bad(
        "conflict-same-moment", "one row with both labels", FANS, twice, code, "state", (30, 31), severity="quarantine"
    )
    refuse = {"rules": {code: "refuse"}}
    yield bad(
        "conflict-refused",
        "the contract refuses such labels",
        PUMPS,
        _twins(PUMPS, [(20, 29)]),
        code,
        "fault",
        (20, 29),
        contract=refuse,
        spelling=_PIPE,
    )
