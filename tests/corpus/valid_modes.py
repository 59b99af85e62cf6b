"""Valid files with labels of more than two kinds, and with operating modes."""

from __future__ import annotations

from collections.abc import Iterator

from bad_losses import with_mode
from cases import Valid, valid
from grid import CP1252, GERMAN, PIPE, TAB, Spelling
from packed import parquet
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS


def cases() -> Iterator[Valid]:
    """All of them."""
    yield from _modes()
    yield from _left_out()
    yield from _spellings()
    yield from _types()
    yield from _calm()


def _modes() -> Iterator[Valid]:
    for name, plant, column, usual, contract, spelling in (
        ("where", PUMPS, "mode", "RUN", {"where": {"mode": ["RUN", "STOP"][:1]}}, Spelling()),
        ("running", COMPRESSORS, "Betrieb", "EIN", {"running": {"Betrieb": ["EIN"]}}, GERMAN),
        ("mode", FANS, "valve", "OPEN", {"mode_column": "valve"}, PIPE),
        ("slice", CHILLERS, "zone", "north", {"slices": ["zone"]}, TAB),
        ("numbered", CONVEYORS, "stage", "2.0", {"where": {"stage": ["2"]}}, TAB),
    ):
        grid = with_mode(plant, column, usual, usual, range(2, 4))
        yield valid(
            f"modes-{name}", "one operating mode", plant, grid, spelling=spelling, contract=contract
        )
    both = PUMPS.grid.add("mode", ["RUN"] * 60, 0).add("line", ["7"] * 60, 3)
    keys = {"where": {"mode": ["RUN"], "line": ["07"]}, "mode_column": "mode", "slices": ["mode"]}
    yield valid("modes-all-keys", "one column in three keys", PUMPS, both, contract=keys)
    yield valid(
        "modes-parquet",
        "stored with types",
        CHILLERS,
        parquet(CHILLERS.grid.add("mode", ["cooling"] * 45)),
        ending=".parquet",
        contract={"mode_column": "mode", "running": {"mode": ["cooling"]}},
    )


def _left_out() -> Iterator[Valid]:
    for name, plant, column, cell, lines, label, spelling in (
        ("unsure", PUMPS, "fault", "unsure", range(2, 6), {"unknown": ["unsure"]}, TAB),
        ("service", FANS, "state", "service", range(2, 9), {"exclude": ["service"]}, Spelling()),
        ("blank", COMPRESSORS, "Störung", "", range(2, 5), {"blank": "unknown"}, GERMAN),
        ("null", CHILLERS, "alarm", "NULL", range(2, 8), {"blank": "exclude"}, PIPE),
    ):
        grid = plant.grid.fill(column, cell, lines)
        for sensor in plant.sensors[:2]:
            grid = grid.fill(sensor, "9e9", lines)
        truth = plant.grid.take(n for n in plant.grid.lines if n not in lines)
        yield valid(
            f"left-out-{name}", "readings of rows without a label are not checked", plant, grid, truth=truth,
            spelling=spelling, contract={"label": label}, said=("LABEL-LEFT-OUT",),
        )  # fmt: skip
    idle = with_mode(PUMPS, "mode", "RUN", "IDLE", range(20, 26))
    yield valid(
        "left-out-idle",
        "sensors read nothing while the pump stands still",
        PUMPS,
        idle.fill("flow_m3h", "", range(20, 26)),
        truth=PUMPS.grid.take(n for n in PUMPS.grid.lines if n not in range(20, 26)),
        contract={"where": {"mode": ["RUN"]}, "sampling_period": 60},
        said=("ROWS-LEFT-OUT",),
    )


def _spellings() -> Iterator[Valid]:
    for name, plant, column, cells, spelling in (
        ("floats", PUMPS, "fault", {"0": "0.0", "1": "1.00"}, Spelling()),
        ("padded", CONVEYORS, "jam", {"0": "00", "1": "01"}, TAB),
    ):
        grid = plant.grid.change(column, lambda cell, cells=cells: cells[cell])
        yield valid(f"spelt-{name}", "numbers as labels", plant, grid, spelling=spelling)
    for name, plant, column, cell, meant, spelling in (
        ("normal", PUMPS, "fault", "0", "normal", PIPE),
        ("fault", CHILLERS, "alarm", "true", "fault", Spelling()),
        ("normal-german", COMPRESSORS, "Störung", "nein", "normal", CP1252),
    ):
        grid = plant.grid.change(column, lambda text, cell=cell: "" if text == cell else text)
        yield valid(
            f"blank-is-{name}", "an export that writes one class alone", plant, grid, spelling=spelling,
            contract={"label": {"blank": meant}},
        )  # fmt: skip


def _types() -> Iterator[Valid]:
    for name, plant, fault, spelling in (
        ("pumps", PUMPS, {"any": ["1"], "seal": ["leak"]}, Spelling()),
        ("fans", FANS, {"rotor": ["imbalance"], "bearing": ["bearing"]}, TAB),
        ("kompressoren", COMPRESSORS, {"Ölmangel": ["ja", "1"]}, GERMAN),
    ):
        grid = plant.grid
        yield valid(
            f"types-{name}",
            "types of fault",
            plant,
            grid,
            spelling=spelling,
            contract={"label": {"fault": fault}},
        )


def _calm() -> Iterator[Valid]:
    still = FANS.grid
    for sensor in FANS.sensors:
        still = still.fill(sensor, still.cell(39, sensor), range(39, 62))
    yield valid("still-for-a-while", "23 equal rows", FANS, still, truth=still, spelling=PIPE)
    for name, plant, period in (("denser", PUMPS, 110), ("sparser", CHILLERS, 210)):
        yield valid(
            f"pace-{name}",
            "nearly the period agreed",
            plant,
            plant.grid,
            contract={"sampling_period": period},
        )
