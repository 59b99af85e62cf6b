"""Machines that cannot be told, that are misspelt.

And that have one sensor under different tags.
"""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import CP1252, GERMAN, PIPE, TAB, UTF16, Spelling
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, Changes


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _misspelt()
    yield from _unnamed()
    yield from _mixed()


def _psi(*machines: str) -> Changes:
    return {
        "equipment": {machine: {"units": {"discharge_pressure": "psi"}} for machine in machines}
    }


def _misspelt() -> Iterator[Bad]:
    code = "EQUIPMENT-UNKNOWN"
    for name, listed, spelling in (
        ("capitals", "PUMP-2", Spelling()),
        ("underscore", "pump_2", TAB),
        ("space", "pump 2", GERMAN),
        ("run-together", "Pump2", UTF16),
    ):
        yield bad(
            f"machine-{name}", "the contract writes pump-2 otherwise", PUMPS, PUMPS.grid, code, "machine",
            contract=_psi(listed), spelling=spelling,
        )  # fmt: skip
    yield bad(
        "machine-asked-otherwise", "typed without the dash", PUMPS, PUMPS.grid, code,
        contract=_psi("pump-2"), equipment="pump2", spelling=PIPE,
    )  # fmt: skip
    own = {"equipment": {"fan-1": {"units": {"vibration_x": "inch/s"}}}}
    yield bad(
        "machine-asked-no-column",
        "typed without the dash",
        FANS,
        FANS.grid,
        code,
        contract=own,
        equipment="FAN1",
    )


def _unnamed() -> Iterator[Bad]:
    code = "EQUIPMENT-UNKNOWN"
    inches = {"units": {"vibration_x": "inch/s"}}
    yield bad(
        "machine-unnamed",
        "which fan is it?",
        FANS,
        FANS.grid,
        code,
        contract={"equipment": {"fan-1": inches}},
    )
    yield bad(
        "machine-unnamed-beside-family", "the family has an entry too", FANS, FANS.grid, code,
        contract={"equipment": {"fans": inches, "fan-1": {"scale": {"current": {"factor": 20}}}}}, spelling=TAB,
    )  # fmt: skip
    yield bad(
        "machine-not-the-family", "the family has an entry, the machine has none", CONVEYORS, CONVEYORS.grid, code,
        contract={"equipment": {"conveyors": {"units": {"load": "kg"}}}}, equipment="line-4", spelling=GERMAN,
    )  # fmt: skip


def _mixed() -> Iterator[Bad]:
    code = "EQUIPMENT-MIXED"
    crossed: Changes = {
        "equipment": {
            "CH-1": {"aliases": {"X": "supply_temperature", "Y": "return_temperature"}},
            "CH-2": {"aliases": {"X": "return_temperature", "Y": "supply_temperature"}},
            "CH-3": {"aliases": {"X": "supply_temperature", "Y": "return_temperature"}},
        }
    }
    tags = CHILLERS.grid.rename({"supply_temperature": "X", "return_temperature": "Y"})
    yield bad(
        "mixed-crossed-tags", "X and Y are swapped at one chiller", CHILLERS, tags, code, "supply_temperature",
        line=1, contract=crossed, also=(code,),
    )  # fmt: skip
    meters = {"equipment": {f"pump-{n}": {"aliases": {f"F{n}": "flow_m3h"}} for n in (1, 2)}}
    both = PUMPS.grid.rename({"flow_m3h": "F1"}).add("F2", PUMPS.grid.column("flow_m3h"))
    yield bad(
        "mixed-two-meters", "each pump has its own meter", PUMPS, both, code, "flow_m3h",
        line=1, contract=meters, spelling=CP1252,
    )  # fmt: skip
    one = {"equipment": {"pump-1": {"aliases": {"PT-101": "discharge_pressure"}}}}
    yield bad(
        "mixed-tag-of-another", "pump-2 has no such tag", PUMPS, PUMPS.grid.rename({"discharge_pressure": "PT-101"}),
        code, "discharge_pressure", line=1, contract=one, spelling=PIPE,
    )  # fmt: skip
    old = COMPRESSORS.grid.fill("Maschine", "K-08", range(30, 50))
    yield bad(
        "mixed-labels", "the label of K-07 has another name", COMPRESSORS, old.rename({"Störung": "TRIP"}),
        code, "Störung", line=1, contract={"equipment": {"K-07": {"aliases": {"TRIP": "Störung"}}}}, labelled=True,
    )  # fmt: skip
