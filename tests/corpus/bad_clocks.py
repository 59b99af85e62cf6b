"""Clocks that went backwards, and two readings for one moment."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import CP1252, GERMAN, PIPE, TAB, UTF16
from plants import CHILLERS, COMPRESSORS, FANS, PUMPS, moved, stamp


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _backwards()
    yield from _clock_set_back()
    yield from _two_readings()
    yield from _coarse_times()
    yield from _two_files()


def _backwards() -> Iterator[Bad]:
    code = "TIME-BACKWARDS"
    swapped = PUMPS.grid.take([*range(2, 10), 11, 10, *range(12, 62)])
    yield bad(
        "back-two-rows",
        "two rows changed places",
        PUMPS,
        swapped,
        code,
        "timestamp",
        (11,),
        severity="warn",
    )
    newest = PUMPS.grid.take(reversed(PUMPS.grid.lines))
    yield bad(
        "back-newest-first",
        "a historian that lists the newest row first",
        PUMPS,
        newest,
        "TIME-NEWEST-FIRST",
        "timestamp",
        severity="warn",
        spelling=TAB,
    )
    by_value = COMPRESSORS.grid.take([*range(2, 34), *range(42, 50), *range(34, 42)])
    yield bad(
        "back-halves",
        "the halves of a run changed places",
        COMPRESSORS,
        by_value,
        code,
        "Zeit",
        (42,),
        severity="warn",
        spelling=CP1252,
    )
    turn = CHILLERS.grid.put("ts", {26: "1773757000"})
    yield bad(
        "back-one-of-three",
        "one late row of CH-1",
        CHILLERS,
        turn,
        code,
        "ts",
        (26,),
        severity="warn",
        spelling=PIPE,
    )
    refuse = {"rules": {code: "refuse"}}
    yield bad(
        "back-refused",
        "the contract refuses disorder",
        PUMPS,
        PUMPS.grid.take([*range(2, 60), 61, 60]),
        code,
        "timestamp",
        (61,),
        contract=refuse,
        spelling=UTF16,
    )


def _clock_set_back() -> Iterator[Bad]:
    code = "TIME-BACKWARDS"
    hour = moved(PUMPS.grid, "timestamp", range(40, 47), -3600)
    yield bad(
        "back-an-hour",
        "the clock was set back",
        PUMPS,
        hour,
        code,
        "timestamp",
        (40,),
        severity="warn",
    )
    reset = {line: str(60 * (line - 28)) for line in range(28, 47, 3)}
    yield bad(
        "back-to-1970",
        "the clock of CH-3 lost its battery",
        CHILLERS,
        CHILLERS.grid.put("ts", reset),
        code,
        "ts",
        (28,),
        severity="warn",
    )
    aside = {"rules": {code: "quarantine"}}
    dots = moved(COMPRESSORS.grid, "Zeit", range(9, 18), -900).change(
        "Zeit", stamp("%d.%m.%Y %H:%M:%S")
    )
    yield bad(
        "back-set-aside",
        "the contract sets such rows aside",
        COMPRESSORS,
        dots,
        code,
        "Zeit",
        (9,),
        severity="quarantine",
        contract=aside,
        spelling=GERMAN,
    )
    again = FANS.grid.change("elapsed", lambda cell: str(int(cell) - 180), range(38, 74))
    yield bad(
        "back-to-zero",
        "two recordings in one file",
        FANS,
        again,
        code,
        "elapsed",
        (38,),
        severity="warn",
        also=("TIME-DUPLICATE",),
    )


def _two_readings() -> Iterator[Bad]:
    code = "TIME-DUPLICATE"
    stuck = PUMPS.grid.put("timestamp", {13: PUMPS.grid.cell(12, "timestamp")})
    yield bad(
        "twice-stuck-clock",
        "the clock stood for one row",
        PUMPS,
        stuck,
        code,
        "timestamp",
        (13,),
        severity="quarantine",
    )
    spelt = PUMPS.grid.put(
        "timestamp", {34: PUMPS.grid.cell(33, "timestamp").replace(" ", "T") + "Z"}
    )
    yield bad(
        "twice-other-spelling",
        "the same moment in other words",
        PUMPS,
        spelt,
        code,
        "timestamp",
        (34,),
        severity="quarantine",
        spelling=TAB,
    )
    long = FANS.grid.fill("elapsed", "150", range(33, 37))
    yield bad(
        "twice-five-rows",
        "the counter stood for five rows",
        FANS,
        long,
        code,
        "elapsed",
        range(33, 37),
        severity="quarantine",
        spelling=PIPE,
    )
    mended = COMPRESSORS.grid.take([*COMPRESSORS.grid.lines, 40]).put("Öldruck", {50: "3.99"})
    yield bad(
        "twice-corrected-row",
        "a corrected row was appended",
        COMPRESSORS,
        mended,
        code,
        "Zeit",
        (50,),
        severity="quarantine",
        also=("TIME-BACKWARDS",),
        spelling=GERMAN,
    )
    same = CHILLERS.grid.put(
        "ts", {44: CHILLERS.grid.cell(41, "ts"), 46: CHILLERS.grid.cell(43, "ts")}
    )
    yield bad(
        "twice-two-of-three",
        "two gateways repeat the time",
        CHILLERS,
        same,
        code,
        "ts",
        (44, 46),
        severity="quarantine",
    )
    refuse = {"rules": {code: "refuse"}}
    yield bad(
        "twice-refused",
        "the contract refuses such files",
        PUMPS,
        stuck,
        code,
        "timestamp",
        (13,),
        contract=refuse,
        spelling=UTF16,
    )
    warn = {"rules": {code: "warn"}}
    yield bad(
        "twice-warned",
        "the contract only warns",
        CHILLERS,
        same,
        code,
        "ts",
        (44, 46),
        severity="warn",
        contract=warn,
    )


def _coarse_times() -> Iterator[Bad]:
    code = "TIME-DUPLICATE"
    minutes = COMPRESSORS.grid.change("Zeit", stamp("%Y-%m-%d %H:%M"))
    seen: set[tuple[str, str]] = set()
    lines = []
    for line in minutes.lines:
        key = (minutes.cell(line, "Lauf"), minutes.cell(line, "Zeit"))
        lines += [line] if key in seen else []
        seen.add(key)
    yield bad(
        "twice-no-seconds",
        "rows of ten seconds, times of a minute",
        COMPRESSORS,
        minutes,
        code,
        "Zeit",
        tuple(lines),
        severity="warn",
        spelling=CP1252,
    )


def _two_files() -> Iterator[Bad]:
    code = "TIME-DUPLICATE"
    other = PUMPS.grid.take(range(2, 17)).change("flow_m3h", lambda cell: f"{float(cell) + 3:.2f}")
    yield bad(
        "twice-two-loggers", "two loggers recorded run A1", PUMPS, other, code, "timestamp", range(2, 17),
        severity="quarantine", beside=(PUMPS.grid,), contract={"rules": {code: "quarantine"}},
    )  # fmt: skip
    tail = COMPRESSORS.grid.take(range(40, 50)).change(
        "Öldruck", lambda cell: f"{float(cell) + 0.1:.2f}"
    )
    yield bad(
        "twice-averaged", "the tail came again as averages", COMPRESSORS, tail, code, "Zeit", range(2, 12),
        severity="warn", beside=(COMPRESSORS.grid,), spelling=GERMAN, contract={"rules": {code: "warn"}},
        also=("LABEL-ONE-CLASS",),
    )  # fmt: skip
