"""Bad times: unreadable ones, gaps, clocks that went backwards, two readings for one moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from cases import Bad, bad
from grid import Grid, Spelling
from plants import CHILLERS, COMPRESSORS, FANS, PUMPS, stamp

_GERMAN, _TAB, _PIPE = Spelling(separator=";", decimal=","), Spelling(separator="\t"), Spelling(separator="|")
_CP1252 = Spelling(";", ",", encoding="cp1252", line_end="\r\n")
_UTF16 = Spelling("\t", encoding="utf-16")


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _unreadable()
    yield from _changed_clocks()
    yield from _gaps()
    yield from _gaps_by_rule()
    yield from _backwards()
    yield from _clock_set_back()
    yield from _two_readings()
    yield from _coarse_times()


def _moved(grid: Grid, column: str, lines: range, seconds: int) -> Grid:
    shift = timedelta(seconds=seconds)
    return grid.change(column, lambda cell: str(datetime.fromisoformat(cell) + shift), lines)


def _unreadable() -> Iterator[Bad]:
    code = "TIME-UNREADABLE"
    for name, plant, column, cells, spelling in (
        ("blank", PUMPS, "timestamp", {6: ""}, Spelling()),
        ("spreadsheet-number", PUMPS, "timestamp", {21: "46098.5868", 22: "46098.5875"}, Spelling(";")),
        ("day-first-among-iso", COMPRESSORS, "Zeit", {49: "21.10.2026 06:07:50"}, _CP1252),
        ("hour-25", PUMPS, "timestamp", {2: "2026-03-17 25:05:00"}, _TAB),
        ("february-30", COMPRESSORS, "Zeit", {14: "2026-02-30 06:02:00"}, _GERMAN),
        ("no-data", FANS, "elapsed", {73: "No Data"}, _PIPE),
        ("clock-among-seconds", FANS, "elapsed", {33: "00:02:35"}, Spelling()),
        ("word-among-epochs", CHILLERS, "ts", {17: "pending", 18: "pending"}, _UTF16),
        ("month-name", COMPRESSORS, "Zeit", {26: "21. Okt 2026 06:04"}, Spelling(encoding="utf-8-sig")),
    ):
        yield bad(
            f"time-{name}", "a few times are written otherwise", plant, plant.grid.put(column, cells), code, column,
            tuple(cells), severity="quarantine", spelling=spelling,
        )  # fmt: skip
    pin = {"csv": {"time_format": "%d.%m.%Y %H:%M:%S"}}
    dots = PUMPS.grid.change("timestamp", stamp("%d.%m.%Y %H:%M:%S"))
    short = dots.change("timestamp", lambda cell: cell[:-3], range(30, 33))
    yield bad(
        "time-pinned-format",
        "three times lack the pinned seconds",
        PUMPS,
        short,
        code,
        "timestamp",
        range(30, 33),
        severity="quarantine",
        contract=pin,
    )


def _changed_clocks() -> Iterator[Bad]:
    code = "TIME-UNREADABLE"
    berlin = {"csv": {"timezone": "Europe/Berlin"}}
    # 48 rows every ten minutes from midnight; in October the hour from 02:00 comes twice, in March it does not come.
    for name, day in (("autumn", datetime(2026, 10, 25)), ("spring", datetime(2026, 3, 29))):
        cells = {line: str(day + timedelta(minutes=10 * (line - 2))) for line in COMPRESSORS.grid.lines}
        changed = COMPRESSORS.grid.put("Zeit", cells)
        yield bad(
            f"time-{name}",
            "the clocks change in this night",
            COMPRESSORS,
            changed,
            code,
            "Zeit",
            range(14, 20),
            severity="quarantine",
            spelling=_GERMAN,
            contract=berlin,
        )


def _gaps() -> Iterator[Bad]:
    code, minutes = "TIME-GAP", {"sampling_period": 60}
    lost = PUMPS.grid.drop(8)
    yield bad(
        "hole-one-row",
        "one row of a minute is lost",
        PUMPS,
        lost,
        code,
        "timestamp",
        (8,),
        severity="warn",
        contract=minutes,
    )
    two = PUMPS.grid.drop(20, 21, 22, 40, 41)
    yield bad(
        "hole-two-runs",
        "the network failed twice",
        PUMPS,
        two,
        code,
        "timestamp",
        (20, 37),
        severity="warn",
        contract=minutes,
        spelling=_UTF16,
    )
    late = _moved(COMPRESSORS.grid, "Zeit", range(12, 18), 3600)
    yield bad(
        "hole-an-hour",
        "the logger restarted",
        COMPRESSORS,
        late,
        code,
        "Zeit",
        (12,),
        severity="warn",
        contract={"sampling_period": 10},
        spelling=_GERMAN,
    )
    steps = FANS.grid.drop(*range(30, 36))
    yield bad(
        "hole-in-elapsed",
        "half a minute is lost",
        FANS,
        steps,
        code,
        "elapsed",
        (30,),
        severity="warn",
        contract={"sampling_period": 5},
    )
    one = CHILLERS.grid.drop(21)
    yield bad(
        "hole-one-of-three",
        "CH-2 misses a row among the others",
        CHILLERS,
        one,
        code,
        "ts",
        (23,),
        severity="warn",
        contract={"sampling_period": 300},
        spelling=_TAB,
    )
    slow = COMPRESSORS.grid.take(range(2, 50, 2))
    yield bad(
        "hole-everywhere",
        "half the rate of the contract",
        COMPRESSORS,
        slow,
        code,
        "Zeit",
        tuple(n for n in range(3, 26) if n not in (10, 18)),
        severity="warn",
        contract={"sampling_period": 10},
    )


def _gaps_by_rule() -> Iterator[Bad]:
    code = "TIME-GAP"
    refuse, aside = ({"sampling_period": 60, "rules": {code: kind}} for kind in ("refuse", "quarantine"))
    yield bad(
        "hole-refused",
        "the contract refuses gaps",
        PUMPS,
        PUMPS.grid.drop(50),
        code,
        "timestamp",
        (50,),
        contract=refuse,
        spelling=_PIPE,
    )
    yield bad(
        "hole-set-aside",
        "the row behind a gap is set aside",
        PUMPS,
        PUMPS.grid.drop(3, 60),
        code,
        "timestamp",
        (3, 59),
        severity="quarantine",
        contract=aside,
    )


def _backwards() -> Iterator[Bad]:
    code = "TIME-BACKWARDS"
    swapped = PUMPS.grid.take([*range(2, 10), 11, 10, *range(12, 62)])
    yield bad("back-two-rows", "two rows changed places", PUMPS, swapped, code, "timestamp", (11,), severity="warn")
    newest = PUMPS.grid.take(reversed(PUMPS.grid.lines))
    lines = tuple(line for line in range(2, 62) if (line - 2) % 15)
    yield bad(
        "back-newest-first",
        "a historian that lists the newest row first",
        PUMPS,
        newest,
        code,
        "timestamp",
        lines,
        severity="warn",
        spelling=_TAB,
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
        spelling=_CP1252,
    )
    turn = CHILLERS.grid.put("ts", {26: "1773757000"})
    yield bad(
        "back-one-of-three", "one late row of CH-1", CHILLERS, turn, code, "ts", (26,), severity="warn", spelling=_PIPE
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
        spelling=_UTF16,
    )


def _clock_set_back() -> Iterator[Bad]:
    code = "TIME-BACKWARDS"
    hour = _moved(PUMPS.grid, "timestamp", range(40, 47), -3600)
    yield bad("back-an-hour", "the clock was set back", PUMPS, hour, code, "timestamp", (40,), severity="warn")
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
    dots = _moved(COMPRESSORS.grid, "Zeit", range(9, 18), -900).change("Zeit", stamp("%d.%m.%Y %H:%M:%S"))
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
        spelling=_GERMAN,
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
        also_lines=tuple(range(38, 74)),
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
    spelt = PUMPS.grid.put("timestamp", {34: PUMPS.grid.cell(33, "timestamp").replace(" ", "T") + "Z"})
    yield bad(
        "twice-other-spelling",
        "the same moment in other words",
        PUMPS,
        spelt,
        code,
        "timestamp",
        (34,),
        severity="quarantine",
        spelling=_TAB,
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
        spelling=_PIPE,
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
        spelling=_GERMAN,
    )
    same = CHILLERS.grid.put("ts", {44: CHILLERS.grid.cell(41, "ts"), 46: CHILLERS.grid.cell(43, "ts")})
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
        spelling=_UTF16,
    )
    warn = {"rules": {code: "warn"}}
    yield bad(
        "twice-warned", "the contract only warns", CHILLERS, same, code, "ts", (44, 46), severity="warn", contract=warn
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
        severity="quarantine",
        spelling=_CP1252,
    )
