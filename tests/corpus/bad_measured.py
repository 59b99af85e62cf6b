"""Sensors that are no measurements: leaks, counters, clocks, qualities, names, copies."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import GERMAN, PIPE, TAB, Grid, Spelling
from measured import FAULT, codes, column, held, rising, with_numbers
from plants import FANS, PUMPS, Plant

_PLAIN, _QUOTED = Spelling(), Spelling(quotes="all")


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _leaks()
    yield from _counters()
    yield from _clocks()
    yield from _qualities()
    yield from _names()
    yield from _copies()


def _case(
    name: str, story: str, code: str, tag: str, cells: list[str], spelling: Spelling, place: int
) -> Bad:
    return _on(PUMPS, PUMPS.grid, name, story, code, tag, cells, spelling, place)


def _on(
    plant: Plant,
    grid: Grid,
    name: str,
    story: str,
    code: str,
    tag: str,
    cells: list[str],
    spelling: Spelling,
    place: int,
) -> Bad:
    return bad(
        name, story, plant, with_numbers(grid, tag, cells, place), code, tag,
        severity="warn", spelling=spelling, contract={"sensors": {tag: {}}},
    )  # fmt: skip


def _leaks() -> Iterator[Bad]:
    code = "LABEL-LEAK"
    for name, tag, cells, spelling, place in (
        ("state-word", "HMI_W17", codes(["16"], ["103", "205", "311"]), GERMAN, 3),
        ("state-word-late", "PLC.DB4", codes(["2"], ["9"], late=1), TAB, 0),
        ("step-chain", "Schritt", codes(["10", "20"], ["90", "91"]), PIPE, 8),
        ("stop-timer", "t_stop", [f"{7 * n + 3 if broken else 0}" for n, broken in enumerate(FAULT)],
         _QUOTED, 5),
        ("ready-words", "frei", codes(["7", "8", "9"], ["0"]), _PLAIN, 2),
    ):  # fmt: skip
        story = "a controller's own verdict stands among the sensors"
        yield _case(f"measured-{name}", story, code, tag, cells, spelling, place)


def _counters() -> Iterator[Bad]:
    code = "COLUMN-COUNTS"
    for name, tag, cells, spelling, place in (
        ("hours", "Betriebsstunden", rising(41250, 0.3), GERMAN, 3),
        ("energy-overflow", "E_akt", rising(8200, 97, overflow=10000), TAB, 0),
        ("litres-reset", "V_tot", rising(300, 31, overflow=1500, digits=2), PIPE, 9),
        ("strokes", "n", column(lambda row: str(700 + row // 4)), _PLAIN, 6),
        ("hours-left", "rest", column(lambda row: f"{900 - 1.5 * row - row % 2:.1f}"), _QUOTED, 4),
    ):
        yield _case(f"measured-{name}", "a counter was exported", code, tag, cells, spelling, place)
    hours = [f"{120 + step / 7:.3f}" for step in range(72)]
    yield _on(
        FANS, FANS.grid, "measured-fan-hours", "hours without machine or run", code, "h", hours,
        TAB, 1,
    )  # fmt: skip


def _clocks() -> Iterator[Bad]:
    code = "COLUMN-CLOCK"
    for name, tag, cells, spelling, place in (
        ("epoch", "recv", column(lambda row: str(1773756300 + 60 * row)), GERMAN, 0),
        ("epoch-ms", "t2", column(lambda row: str(1773756300123 + 60000 * row)), TAB, 7),
        ("digits", "stempel", column(lambda row: f"202603171{4 + row // 50}{row % 50:02d}"),
         PIPE, 9),
    ):  # fmt: skip
        yield _case(f"measured-{name}", "a second clock", code, tag, cells, spelling, place)


def _qualities() -> Iterator[Bad]:
    code = "COLUMN-QUALITY"
    bad_rows = {6, 7, 21, 22, 38, 51}
    opc = column(lambda row: "24" if row in bad_rows else "192")
    yield _case("measured-opc", "codes of OPC", code, "q1", opc, TAB, 4)
    for name, sensor, begins, words, spelling in (
        ("held-flow", "flow_m3h", (4, 33), ("0", "3"), GERMAN),
        ("held-current", "motor_current", (17, 48), ("100", "40"), _QUOTED),
    ):
        cells, doubtful = held(PUMPS.grid.column(sensor), begins, 4)
        flags = [words[bad] for bad in doubtful]
        grid = PUMPS.grid.put(sensor, dict(enumerate(cells, start=2)))
        story = "the line was down, and the tag kept its last value"
        place = PUMPS.grid.header.index(sensor) + 1
        yield _on(PUMPS, grid, f"measured-{name}", story, code, "st", flags, spelling, place)


def _names() -> Iterator[Bad]:
    code = "COLUMN-NAME"
    for name, tag, values, spelling, place in (
        ("number", "Nr", ("4711", "4712"), GERMAN, 0),
        ("power", "P_N", ("37", "55"), TAB, 8),
        ("year", "built", ("1998", "2015"), PIPE, 3),
    ):
        machines = PUMPS.grid.column("machine")
        cells = [values[machine == "pump-2"] for machine in machines]
        story = "the plate of the machine was exported"
        yield _case(f"measured-{name}", story, code, tag, cells, spelling, place)


def _copies() -> Iterator[Bad]:
    for name, sensor, tag, spelling in (
        ("flow-twice", "flow_m3h", "F2", GERMAN),
        ("current-twice", "motor_current", "Strom L2", TAB),
    ):
        cells = PUMPS.grid.column(sensor)
        yield bad(
            f"measured-{name}", "one tag was picked for two channels", PUMPS,
            with_numbers(PUMPS.grid, tag, cells, 1), "COLUMN-COPY", tag,
            severity="warn", spelling=spelling, contract={"sensors": {tag: {}}},
        )  # fmt: skip
