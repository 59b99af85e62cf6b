"""Sensors that are stuck, and sensors that jump."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import CP1252, GERMAN, PIPE, TAB, UTF16, Spelling
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, scaled


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _stuck()
    yield from _stuck_by_rule()
    yield from _spikes()
    yield from _steps()


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
        spelling=GERMAN,
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
        spelling=TAB,
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
        spelling=PIPE,
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
        spelling=UTF16,
    )


def _stuck_by_rule() -> Iterator[Bad]:
    code = "SENSOR-STUCK"
    frozen = PUMPS.grid.fill("bearing_temperature", "61.0", range(50, 57))
    for kind in ("quarantine", "refuse"):
        rule = {**_limit("bearing_temperature", stuck_after=7), "rules": {code: kind}}
        spelling = Spelling(quotes="all") if kind == "refuse" else TAB
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
        ("first-row", PUMPS, "speed_rpm", {2: "20.0"}, (3,), 2.0, TAB),
        ("last-row", COMPRESSORS, "Gastemperatur", {49: "240.0"}, (49,), 5.0, GERMAN),
        ("first-of-a-run", COMPRESSORS, "Öldruck", {18: "15.90"}, (19,), 0.5, CP1252),
        ("elapsed", FANS, "vibration_x", {50: "45.10"}, (50, 51), 2.0, PIPE),
        ("one-of-three", CHILLERS, "power", {21: "890.0"}, (21, 24), 1.0, Spelling()),
        ("per-row", CONVEYORS, "load", {11: "70.00"}, (11, 12), 20.0, UTF16),
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
        spelling=GERMAN,
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
        spelling=TAB,
    )
