"""Valid files whose rows only look wrong: at the limits, equal, out of order, nearly leaking."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Valid, valid
from grid import GERMAN, PIPE, TAB, Grid, Spelling, written
from packed import parquet
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, Plant, scaled


def cases() -> Iterator[Valid]:
    """All of them."""
    yield from _several_files()
    yield from _at_the_limits()
    yield from _calm_times()
    yield from _equal_rows()
    yield from _near_leaks()


def _several_files() -> Iterator[Valid]:
    first, second = PUMPS.grid.take(range(2, 32)), PUMPS.grid.take(range(32, 62))
    yield valid("two-files-by-machine", "one file for each pump", PUMPS, second, beside=(first,))
    runs = tuple(COMPRESSORS.grid.take(range(begin, begin + 16)) for begin in (2, 18, 34))
    yield valid(
        "three-files-by-run",
        "one file for each shift",
        COMPRESSORS,
        runs[2],
        beside=runs[:2],
        spelling=GERMAN,
    )
    other = PUMPS.grid.take(range(32, 62)).select(list(reversed(PUMPS.grid.header)))
    yield valid(
        "two-files-two-orders",
        "columns in another order in the second",
        PUMPS,
        other,
        beside=(first,),
        spelling=TAB,
    )
    left, right = (
        written(first, Spelling(";", ",", encoding="utf-16")),
        written(second, Spelling("|")),
    )
    yield valid("two-files-two-dialects", "two loggers", PUMPS, right, beside=(left,))
    fans = (
        FANS.grid.take(range(2, 38)),
        FANS.grid.take(range(38, 74)).change("elapsed", lambda cell: str(int(cell) - 180)),
    )
    truth = FANS.grid.change("elapsed", lambda cell: str(int(cell) % 180))
    yield valid(
        "two-recordings", "each file starts at 0", FANS, fans[1], beside=(fans[0],), truth=truth
    )


def _at_the_limits() -> Iterator[Valid]:
    edges = PUMPS.grid.put("speed_rpm", {5: "0", 6: "4000"}).put(
        "discharge_pressure", {7: "-1", 8: "40.00"}
    )
    yield valid("limits-themselves", "the limits are allowed", PUMPS, edges, truth=edges)
    level = COMPRESSORS.grid.put("Füllstand", {2: "100", 49: "0"})
    yield valid("limits-german", "full and empty", COMPRESSORS, level, truth=level, spelling=GERMAN)
    free = {"sensors": {"flow_m3h": {"min": None, "max": None}}}
    far = PUMPS.grid.put("flow_m3h", {20: "-5000", 21: "1e6"})
    yield valid("no-limits", "a sensor without limits", PUMPS, far, truth=far, contract=free)
    steady = PUMPS.grid.fill("flow_m3h", "212.4", range(20, 25))
    yield valid(
        "stuck-below-the-limit",
        "five equal rows, six are the limit",
        PUMPS,
        steady,
        truth=steady,
        contract={"sensors": {"flow_m3h": {"stuck_after": 6}}},
    )
    runs = PUMPS.grid.fill("flow_m3h", "212.4", range(28, 36))
    yield valid(
        "stuck-across-runs",
        "four rows at the end and four at the beginning",
        PUMPS,
        runs,
        truth=runs,
        contract={"sensors": {"flow_m3h": {"stuck_after": 5}}},
        spelling=TAB,
    )
    turns = CHILLERS.grid.fill("power", "148.0", range(20, 26))
    yield valid(
        "stuck-across-machines",
        "six rows of three machines",
        CHILLERS,
        turns,
        truth=turns,
        contract={"sensors": {"power": {"stuck_after": 3}}},
    )
    calm = {"sensors": {"flow_m3h": {"max_rate": 1.0}, "speed_rpm": {"max_rate": 1.2}}}
    yield valid(
        "jumps-below-the-limit",
        "quick but believable",
        PUMPS,
        PUMPS.grid,
        contract=calm,
        spelling=PIPE,
    )
    per_row = {"sensors": {"torque": {"max_rate": 200}}}
    yield valid(
        "jumps-per-row",
        "rates by row where there is no time",
        CONVEYORS,
        CONVEYORS.grid,
        contract=per_row,
    )
    machines = CHILLERS.grid.change("power", scaled(4), range(4, 47, 3))
    yield valid(
        "jumps-between-machines",
        "CH-3 is four times as large",
        CHILLERS,
        machines,
        truth=machines,
        contract={"sensors": {"power": {"max_rate": 0.5}}},
    )


def _calm_times() -> Iterator[Valid]:
    jitter = PUMPS.grid.change("timestamp", lambda cell: cell[:-2] + "20", range(2, 62, 2))
    yield valid(
        "period-with-jitter",
        "steps of 40 and 80 seconds",
        PUMPS,
        jitter,
        truth=jitter,
        contract={"sampling_period": 60},
    )
    yield valid(
        "period-by-machine",
        "three machines in turn",
        CHILLERS,
        CHILLERS.grid,
        contract={"sampling_period": 300},
    )
    edge = FANS.grid.change("elapsed", lambda cell: str(int(cell) * 3 / 2))
    yield valid(
        "period-at-the-edge",
        "steps of just 1.5 periods",
        FANS,
        edge,
        truth=edge,
        contract={"sampling_period": 5},
    )
    runs = PUMPS.grid.take([*range(17, 32), *range(2, 17), *range(47, 62), *range(32, 47)])
    yield valid(
        "runs-in-another-order",
        "later runs first",
        PUMPS,
        runs,
        truth=runs,
        contract={"sampling_period": 60},
        spelling=GERMAN,
    )
    woven = PUMPS.grid.take([line for step in range(15) for line in range(2 + step, 62, 15)])
    yield valid(
        "runs-woven",
        "rows of four runs in turn",
        PUMPS,
        woven,
        truth=woven,
        contract={"sampling_period": 60},
        spelling=TAB,
    )
    hour = PUMPS.grid.change(
        "timestamp", lambda cell: cell.replace("2026-03-17", "2026-03-18"), range(17, 32)
    )
    yield valid(
        "runs-far-apart",
        "the second run a day later",
        PUMPS,
        hour,
        truth=hour,
        contract={"sampling_period": 60},
    )


def _equal_rows() -> Iterator[Valid]:
    again = CONVEYORS.grid.take([*CONVEYORS.grid.lines, 5, 6, 7])
    yield valid(
        "equal-without-time", "equal rows where there is no time", CONVEYORS, again, truth=again
    )
    still = _copied(PUMPS, ((3, 4), (3, 5), (3, 6)))
    yield valid("equal-readings-later", "a steady minute", PUMPS, still, truth=still)
    other = _copied(PUMPS, ((10, 40), (15, 44)))
    yield valid(
        "equal-readings-other-machine", "two pumps agree", PUMPS, other, truth=other, spelling=TAB
    )
    crossed = _copied(CHILLERS, ((5, 36), (44, 3)))
    yield valid(
        "equal-readings-other-label",
        "one machine is faulty, the other is not, at equal readings",
        CHILLERS,
        crossed,
        truth=crossed,
    )
    blocks = PUMPS.grid.put(
        "timestamp",
        {line: PUMPS.grid.cell(2 + (line - 2) % 30, "timestamp") for line in PUMPS.grid.lines},
    )
    yield valid(
        "equal-times-two-machines",
        "both pumps at the same time",
        PUMPS,
        blocks,
        truth=blocks,
        spelling=PIPE,
    )
    runs = PUMPS.grid.put(
        "timestamp",
        {line: PUMPS.grid.cell(2 + (line - 2) % 15, "timestamp") for line in PUMPS.grid.lines},
    )
    yield valid(
        "equal-times-two-runs", "test runs with a clock that starts anew", PUMPS, runs, truth=runs
    )


def _copied(plant: Plant, pairs: tuple[tuple[int, int], ...]) -> Grid:
    grid = plant.grid
    for source, copy in pairs:
        for name in plant.sensors:
            grid = grid.put(name, {copy: grid.cell(source, name)})
    return grid


def _near_leaks() -> Iterator[Valid]:
    flag = {
        line: "1480.0" if PUMPS.grid.cell(line, "fault") == "0" else "1450.0"
        for line in PUMPS.grid.lines
    }
    but_one = PUMPS.grid.put("speed_rpm", {**flag, 20: "1450.0"})
    yield valid(
        "setpoint-but-one",
        "a setpoint that follows the label in all rows but one",
        PUMPS,
        but_one,
        truth=but_one,
        said=("LABEL-LEAK",),
    )
    constant = COMPRESSORS.grid.fill("Füllstand", "71.0")
    yield valid(
        "constant-in-both",
        "a level that never moves",
        COMPRESSORS,
        constant,
        truth=constant,
        spelling=GERMAN,
    )
    few = CONVEYORS.grid.take(range(2, 36)).put(
        "load", {n: "12.40" if n < 27 else "13.90" for n in range(2, 36)}
    )
    yield valid("nine-faults-only", "too few faults to tell a leak", CONVEYORS, few, truth=few)
    grid = FANS.grid.change("starts", lambda cell: str(int(cell) % 2))
    yield valid(
        "state-of-two-values",
        "on and off in both classes",
        FANS,
        parquet(grid),
        truth=grid,
        ending=".parquet",
    )
