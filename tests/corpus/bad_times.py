"""Times that cannot be read, and gaps between them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from cases import Bad, bad
from grid import CP1252, GERMAN, PIPE, TAB, UTF16, Spelling
from plants import CHILLERS, COMPRESSORS, FANS, PUMPS, moved, stamp


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _unreadable()
    yield from _changed_clocks()
    yield from _gaps()
    yield from _gaps_by_rule()


def _unreadable() -> Iterator[Bad]:
    code = "TIME-UNREADABLE"
    for name, plant, column, cells, spelling in (
        ("blank", PUMPS, "timestamp", {6: ""}, Spelling()),
        (
            "spreadsheet-number",
            PUMPS,
            "timestamp",
            {21: "46098.5868", 22: "46098.5875"},
            Spelling(";"),
        ),
        ("day-first-among-iso", COMPRESSORS, "Zeit", {49: "21.10.2026 06:07:50"}, CP1252),
        ("hour-25", PUMPS, "timestamp", {2: "2026-03-17 25:05:00"}, TAB),
        ("february-30", COMPRESSORS, "Zeit", {14: "2026-02-30 06:02:00"}, GERMAN),
        ("no-data", FANS, "elapsed", {73: "No Data"}, PIPE),
        ("clock-among-seconds", FANS, "elapsed", {33: "00:02:35"}, Spelling()),
        ("word-among-epochs", CHILLERS, "ts", {17: "pending", 18: "pending"}, UTF16),
        (
            "month-name",
            COMPRESSORS,
            "Zeit",
            {26: "21. Okt 2026 06:04"},
            Spelling(encoding="utf-8-sig"),
        ),
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
    # 48 rows every ten minutes from midnight; in October the hour from 02:00 comes twice, in March
    # it does not come.
    for name, day in (("autumn", datetime(2026, 10, 25)), ("spring", datetime(2026, 3, 29))):
        cells = {
            line: str(day + timedelta(minutes=10 * (line - 2))) for line in COMPRESSORS.grid.lines
        }
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
            spelling=GERMAN,
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
        spelling=UTF16,
    )
    late = moved(COMPRESSORS.grid, "Zeit", range(12, 18), 3600)
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
        spelling=GERMAN,
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
        spelling=TAB,
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
        also=("TIME-STEP",),
        contract={"sampling_period": 10},
    )


def _gaps_by_rule() -> Iterator[Bad]:
    code = "TIME-GAP"
    refuse, aside = (
        {"sampling_period": 60, "rules": {code: kind}} for kind in ("refuse", "quarantine")
    )
    yield bad(
        "hole-refused",
        "the contract refuses gaps",
        PUMPS,
        PUMPS.grid.drop(50),
        code,
        "timestamp",
        (50,),
        contract=refuse,
        spelling=PIPE,
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
