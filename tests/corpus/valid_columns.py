"""Valid files with other columns, number spellings, labels, and rows that only look wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from cases import Valid, valid
from grid import Grid, Spelling, written
from packed import gzipped, parquet
from plants import ALL, CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, Plant, scaled

_GERMAN, _TAB, _PIPE = Spelling(separator=";", decimal=","), Spelling(separator="\t"), Spelling(separator="|")
_UTF16 = Spelling("\t", encoding="utf-16")


def cases() -> Iterator[Valid]:
    """All of them."""
    yield from _orders()
    yield from _more_columns()
    yield from _headers()
    yield from _number_spellings()
    yield from _labels()
    yield from _several_files()
    yield from _at_the_limits()
    yield from _calm_times()
    yield from _equal_rows()
    yield from _near_leaks()


def _orders() -> Iterator[Valid]:
    for number, (plant, spelling) in enumerate(zip(ALL, (_PIPE, _GERMAN, _TAB, Spelling(), _UTF16), strict=True)):
        names = list(plant.grid.header)
        random.Random(number).shuffle(names)
        yield valid(
            f"shuffled-{plant.base['family']}",
            "columns in another order",
            plant,
            plant.grid.select(names),
            spelling=spelling,
        )
    yield valid(
        "label-first",
        "the label in front",
        PUMPS,
        PUMPS.grid.select(["fault", *[n for n in PUMPS.grid.header if n != "fault"]]),
    )
    yield valid("no-note", "an ignored column is absent", PUMPS, PUMPS.grid.without("operator_note"), spelling=_TAB)


def _more_columns() -> Iterator[Valid]:
    """Ignored columns may hold anything."""
    words = ["", "-", "#VALUE!", "NaN", "NULL", "Bad", "No Data", "n/a", "#NV", "I/O Timeout", "3.5", "1,234"]
    for name, plant, spelling in (
        ("pumps", PUMPS, Spelling()),
        ("compressors", COMPRESSORS, _GERMAN),
        ("fans", FANS, _TAB),
    ):
        cells = [words[n % len(words)] for n in range(len(plant.grid.rows))]
        grid = plant.grid.add("status", cells, 1)
        ignore = [*plant.base.get("ignore", []), "status"]
        yield valid(
            f"ignored-words-{name}",
            "gaps and words in an ignored column",
            plant,
            grid,
            spelling=spelling,
            contract={"ignore": ignore},
        )
    spare = CHILLERS.grid.add("spare_1", [""] * 45).add("spare_2", [""] * 45, 0)
    yield valid("spare-channels", "two empty channels", CHILLERS, spare, said=("COLUMN-UNKNOWN",))
    dates = CONVEYORS.grid.add("checked_on", ["03/04/2026"] * 40)
    yield valid(
        "ambiguous-but-unused", "a date nobody uses", CONVEYORS, dates, said=("COLUMN-UNKNOWN",), spelling=_PIPE
    )
    flag = FANS.grid.add("fault_code", ["0" if label == "healthy" else "9" for label in FANS.grid.column("state")])
    yield valid("leak-ignored", "a fault code under ignore", FANS, flag, contract={"ignore": ["fault_code"]})
    leak = PUMPS.grid.add("trip", PUMPS.grid.column("fault"))
    yield valid(
        "leak-unknown",
        "a trip flag that the contract does not name",
        PUMPS,
        leak,
        said=("COLUMN-UNKNOWN",),
        spelling=_GERMAN,
    )


def _headers() -> Iterator[Valid]:
    for name, plant, spelling in (
        ("conveyors", CONVEYORS, Spelling(header=False)),
        ("conveyors-german", CONVEYORS, Spelling(";", ",", header=False)),
        ("pumps", PUMPS, Spelling(header=False)),
        ("fans-tabs", FANS, Spelling("\t", header=False)),
        ("compressors-cp1252", COMPRESSORS, Spelling(";", ",", encoding="cp1252", header=False)),
    ):
        pin = {"csv": {"header": False, "columns": list(plant.grid.header)}}
        yield valid(f"headerless-{name}", "the names are pinned", plant, plant.grid, spelling=spelling, contract=pin)
    packed = gzipped(written(CHILLERS.grid, Spelling("|", header=False)))
    yield valid(
        "headerless-gz",
        "packed",
        CHILLERS,
        packed,
        ending=".csv.gz",
        contract={"csv": {"header": False, "columns": list(CHILLERS.grid.header)}},
    )
    wide = CONVEYORS.grid.rename({"load": " load ", "jam": "jam  "})
    yield valid("names-with-spaces", "spaces around the names", CONVEYORS, wide)
    yield valid(
        "names-quoted",
        "names in quotes",
        COMPRESSORS,
        COMPRESSORS.grid,
        spelling=Spelling(";", ",", encoding="cp1252", quotes="header"),
    )


def _numbers(plant: Plant, how: Callable[[str], str]) -> Grid:
    grid = plant.grid
    for name in plant.sensors:
        grid = grid.change(name, how)
    return grid


def _number_spellings() -> Iterator[Valid]:
    for name, plant, how, spelling in (
        ("scientific", FANS, lambda cell: f"{float(cell):.6e}", Spelling()),
        ("scientific-capital", PUMPS, lambda cell: f"{float(cell):.8E}", _TAB),
        ("scientific-comma", COMPRESSORS, lambda cell: f"{float(cell):.6e}".replace(".", ","), _GERMAN),
        ("plus-signs", CHILLERS, lambda cell: "+" + cell, _PIPE),
        ("zeros-behind", PUMPS, lambda cell: cell + "0000", Spelling(";")),
        ("zeros-before", CONVEYORS, lambda cell: "00" + cell, Spelling()),
        ("nine-digits", CHILLERS, lambda cell: f"{float(cell):.9f}", Spelling(";")),
        ("spaces", FANS, lambda cell: f"  {cell} ", Spelling(quotes="all")),
        ("no-zero-before", CONVEYORS, lambda cell: cell.removeprefix("0"), _TAB),
        ("full-length", PUMPS, lambda cell: repr(float(cell) * (1 + 2**-50)), Spelling()),
    ):
        yield valid(f"numbers-{name}", "another program writes numbers", plant, _numbers(plant, how), spelling=spelling)
    whole = FANS.grid.change("starts", lambda cell: cell + ".0")
    yield valid("numbers-whole-with-point", "4.0 is whole", FANS, whole)
    yield valid(
        "numbers-whole-scientific",
        "4.0e0 is whole",
        FANS,
        FANS.grid.change("starts", lambda cell: cell + ".0e0"),
        spelling=_PIPE,
    )
    small = CONVEYORS.grid.change("load", lambda cell: "7.5e-3")
    yield valid("numbers-tiny", "hardly any load", CONVEYORS, small, truth=small)
    below = COMPRESSORS.grid.change("Gastemperatur", scaled(-0.25))
    yield valid("numbers-negative", "a gas below zero", COMPRESSORS, below, truth=below, spelling=_GERMAN)


def _labels() -> Iterator[Valid]:
    for name, plant, words, label, spelling in (
        ("words", PUMPS, {"0": "normal", "1": "leak"}, {}, Spelling()),
        ("capitals", PUMPS, {"0": "OK", "1": "ALARM"}, {}, _TAB),
        ("decimals", CONVEYORS, {"0": "0.0", "1": "1.0"}, {}, Spelling()),
        ("booleans", CONVEYORS, {"0": "False", "1": "True"}, {}, _PIPE),
        ("digits-german", COMPRESSORS, {"nein": "0", "ja": "1"}, {}, _GERMAN),
        ("yes-no", CHILLERS, {"false": "no", "true": "yes"}, {}, _UTF16),
        ("french", CHILLERS, {"false": "FAUX", "true": "VRAI"}, {"normal": ["FAUX"], "fault": ["VRAI"]}, Spelling(";")),
        ("german-booleans", CONVEYORS, {"0": "FALSCH", "1": "WAHR"}, {"normal": ["FALSCH"], "fault": ["WAHR"]}, _GERMAN),
        ("umlaut", COMPRESSORS, {"nein": "normal", "ja": "Störfall"}, {"normal": ["normal"], "fault": ["Störfall"]}, Spelling(";", ",", encoding="cp1252")),
        ("with-comma", FANS, {"healthy": "ok, running", "imbalance": "not ok"}, {"normal": ["ok, running"], "fault": ["not ok"]}, Spelling()),
        ("missing-word", FANS, {"healthy": "None", "imbalance": "Bad"}, {"normal": ["None"], "fault": ["Bad"]}, _TAB),
    ):  # fmt: skip
        column = plant.base["label"]["column"]
        grid = plant.grid.change(column, words.__getitem__)
        yield valid(
            f"labels-{name}",
            "other spellings of the classes",
            plant,
            grid,
            spelling=spelling,
            contract={"label": label},
        )
    several = FANS.grid.put("state", {30: "bearing", 31: "bearing", 70: " imbalance "})
    yield valid("labels-several-faults", "two kinds of fault", FANS, several)
    mixed = PUMPS.grid.put("fault", {3: "OK", 4: "normal", 15: "ALARM", 16: "leak"})
    yield valid("labels-mixed", "several spellings in one file", PUMPS, mixed, spelling=_PIPE)


def _several_files() -> Iterator[Valid]:
    first, second = PUMPS.grid.take(range(2, 32)), PUMPS.grid.take(range(32, 62))
    yield valid("two-files-by-machine", "one file for each pump", PUMPS, second, beside=(first,))
    runs = tuple(COMPRESSORS.grid.take(range(begin, begin + 16)) for begin in (2, 18, 34))
    yield valid(
        "three-files-by-run", "one file for each shift", COMPRESSORS, runs[2], beside=runs[:2], spelling=_GERMAN
    )
    other = PUMPS.grid.take(range(32, 62)).select(list(reversed(PUMPS.grid.header)))
    yield valid(
        "two-files-two-orders", "columns in another order in the second", PUMPS, other, beside=(first,), spelling=_TAB
    )
    left, right = written(first, Spelling(";", ",", encoding="utf-16")), written(second, Spelling("|"))
    yield valid("two-files-two-dialects", "two loggers", PUMPS, right, beside=(left,))
    fans = (
        FANS.grid.take(range(2, 38)),
        FANS.grid.take(range(38, 74)).change("elapsed", lambda cell: str(int(cell) - 180)),
    )
    truth = FANS.grid.change("elapsed", lambda cell: str(int(cell) % 180))
    yield valid("two-recordings", "each file starts at 0", FANS, fans[1], beside=(fans[0],), truth=truth)


def _at_the_limits() -> Iterator[Valid]:
    edges = PUMPS.grid.put("speed_rpm", {5: "0", 6: "4000"}).put("discharge_pressure", {7: "-1", 8: "40.00"})
    yield valid("limits-themselves", "the limits are allowed", PUMPS, edges, truth=edges)
    level = COMPRESSORS.grid.put("Füllstand", {2: "100", 49: "0"})
    yield valid("limits-german", "full and empty", COMPRESSORS, level, truth=level, spelling=_GERMAN)
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
        spelling=_TAB,
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
    yield valid("jumps-below-the-limit", "quick but believable", PUMPS, PUMPS.grid, contract=calm, spelling=_PIPE)
    per_row = {"sensors": {"torque": {"max_rate": 200}}}
    yield valid("jumps-per-row", "rates by row where there is no time", CONVEYORS, CONVEYORS.grid, contract=per_row)
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
        "period-by-machine", "three machines in turn", CHILLERS, CHILLERS.grid, contract={"sampling_period": 300}
    )
    edge = FANS.grid.change("elapsed", lambda cell: str(int(cell) * 3 / 2))
    yield valid(
        "period-at-the-edge", "steps of just 1.5 periods", FANS, edge, truth=edge, contract={"sampling_period": 5}
    )
    runs = PUMPS.grid.take([*range(17, 32), *range(2, 17), *range(47, 62), *range(32, 47)])
    yield valid(
        "runs-in-another-order",
        "later runs first",
        PUMPS,
        runs,
        truth=runs,
        contract={"sampling_period": 60},
        spelling=_GERMAN,
    )
    woven = PUMPS.grid.take([line for step in range(15) for line in range(2 + step, 62, 15)])
    yield valid(
        "runs-woven",
        "rows of four runs in turn",
        PUMPS,
        woven,
        truth=woven,
        contract={"sampling_period": 60},
        spelling=_TAB,
    )
    hour = PUMPS.grid.change("timestamp", lambda cell: cell.replace("2026-03-17", "2026-03-18"), range(17, 32))
    yield valid(
        "runs-far-apart", "the second run a day later", PUMPS, hour, truth=hour, contract={"sampling_period": 60}
    )


def _equal_rows() -> Iterator[Valid]:
    again = CONVEYORS.grid.take([*CONVEYORS.grid.lines, 5, 6, 7])
    yield valid("equal-without-time", "equal rows where there is no time", CONVEYORS, again, truth=again)
    still = _copied(PUMPS, ((3, 4), (3, 5), (3, 6)))
    yield valid("equal-readings-later", "a steady minute", PUMPS, still, truth=still)
    other = _copied(PUMPS, ((10, 40), (15, 44)))
    yield valid("equal-readings-other-machine", "two pumps agree", PUMPS, other, truth=other, spelling=_TAB)
    crossed = _copied(CHILLERS, ((5, 36), (44, 3)))
    yield valid(
        "equal-readings-other-label",
        "one machine is faulty, the other is not, at equal readings",
        CHILLERS,
        crossed,
        truth=crossed,
    )
    blocks = PUMPS.grid.put(
        "timestamp", {line: PUMPS.grid.cell(2 + (line - 2) % 30, "timestamp") for line in PUMPS.grid.lines}
    )
    yield valid("equal-times-two-machines", "both pumps at the same time", PUMPS, blocks, truth=blocks, spelling=_PIPE)
    runs = PUMPS.grid.put(
        "timestamp", {line: PUMPS.grid.cell(2 + (line - 2) % 15, "timestamp") for line in PUMPS.grid.lines}
    )
    yield valid("equal-times-two-runs", "test runs with a clock that starts anew", PUMPS, runs, truth=runs)


def _copied(plant: Plant, pairs: tuple[tuple[int, int], ...]) -> Grid:
    grid = plant.grid
    for source, copy in pairs:
        for name in plant.sensors:
            grid = grid.put(name, {copy: grid.cell(source, name)})
    return grid


def _near_leaks() -> Iterator[Valid]:
    flag = {line: "1480.0" if PUMPS.grid.cell(line, "fault") == "0" else "1450.0" for line in PUMPS.grid.lines}
    but_one = PUMPS.grid.put("speed_rpm", {**flag, 20: "1450.0"})
    yield valid(
        "setpoint-but-one", "a setpoint that follows the label in all rows but one", PUMPS, but_one, truth=but_one
    )
    constant = COMPRESSORS.grid.fill("Füllstand", "71.0")
    yield valid("constant-in-both", "a level that never moves", COMPRESSORS, constant, truth=constant, spelling=_GERMAN)
    few = CONVEYORS.grid.take(range(2, 36)).put("load", {n: "12.40" if n < 27 else "13.90" for n in range(2, 36)})
    yield valid("nine-faults-only", "too few faults to tell a leak", CONVEYORS, few, truth=few)
    grid = FANS.grid.change("starts", lambda cell: str(int(cell) % 2))
    yield valid("state-of-two-values", "on and off in both classes", FANS, parquet(grid), truth=grid, ending=".parquet")
