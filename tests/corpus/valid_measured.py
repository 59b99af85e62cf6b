"""Sensors that only look a little like no measurements, and those that are kept on purpose."""

from __future__ import annotations

import random
from collections.abc import Iterator

from cases import Valid, valid
from grid import GERMAN, PIPE, TAB, Spelling
from measured import FAULT, ROWS, codes, column, rising, with_numbers
from plants import PUMPS

_PLAIN, _QUOTED = Spelling(), Spelling(quotes="all")


def cases() -> Iterator[Valid]:
    """All of them."""
    yield from _harmless()
    yield from _kept()


def _drawn(seed: int, values: list[str]) -> list[str]:
    draw = random.Random(seed)
    return [draw.choice(values) for _ in range(ROWS)]


def _harmless() -> Iterator[Valid]:
    flow = [float(cell) for cell in PUMPS.grid.column("flow_m3h")]
    noisy = random.Random(5)
    for name, tag, cells, spelling, place in (
        ("set-point", "SP", column(lambda row: str(50 + 5 * (row // 11 % 3))), GERMAN, 3),
        ("set-point-fine", "w", column(lambda row: f"{20 + 0.5 * (row // 7 % 4):.1f}"), TAB, 0),
        ("valve", "V3", [str(2 if cell > 211 else 1) for cell in flow], PIPE, 8),
        ("stand-by", "B", column(lambda row: str(row // 10 % 2)), _QUOTED, 5),
        ("stage", "Stufe", _drawn(1, ["0", "1", "2", "3"]), GERMAN, 4),
        ("late-flag", "x", _drawn(2, ["0"] * 9 + ["1"]), _PLAIN, 6),
        ("ramp", "T_amb", column(lambda row: f"{15 + 0.1 * row + noisy.uniform(-1, 1):.2f}"),
         TAB, 2),
        ("day-and-night", "L", column(lambda row: f"{abs(30 - row):.0f}"), GERMAN, 1),
        ("always", "k", ["7.5"] * ROWS, PIPE, 3),
        ("half-known", "hint", ["1" if bad and n % 4 == 0 else "0" for n, bad in enumerate(FAULT)],
         TAB, 7),
    ):  # fmt: skip
        yield valid(
            f"harmless-{name}", "a column that only looks like something else", PUMPS,
            with_numbers(PUMPS.grid, tag, cells, place), spelling=spelling, contract={"sensors": {tag: {}}},
        )  # fmt: skip


def _kept() -> Iterator[Valid]:
    machines = PUMPS.grid.column("machine")
    for name, tag, cells, spelling, place in (
        ("leak", "ZST", codes(["0"], ["4", "5"]), GERMAN, 2),
        ("label", "trip", codes(["0"], ["1"]), TAB, 9),
        ("counter", "h", rising(800, 0.7), PIPE, 0),
        ("overflow", "kWh", rising(900, 21, overflow=1000), _QUOTED, 4),
        ("clock", "t_rx", column(lambda row: str(1773756300 + 60 * row)), _PLAIN, 1),
        ("name", "kW_N", ["30" if machine == "pump-1" else "45" for machine in machines], TAB, 5),
        ("copy", "Q2", PUMPS.grid.column("flow_m3h"), GERMAN, 6),
        ("quality", "q", column(lambda row: "0" if row % 9 == 4 else "192"), PIPE, 3),
    ):
        yield valid(
            f"kept-{name}", "the contract says why it is a sensor", PUMPS,
            with_numbers(PUMPS.grid, tag, cells, place), spelling=spelling,
            contract={"sensors": {tag: {"keep": "known before the fault, asked on 3 March"}}},
        )  # fmt: skip
