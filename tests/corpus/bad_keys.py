"""Files of other machines, and rows that do not tell their machine or recording."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import CP1252, GERMAN, PIPE, TAB, Spelling, written
from packed import gzipped
from plants import CHILLERS, COMPRESSORS, PUMPS


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _other_machines()
    yield from _keys()


def _other_machines() -> Iterator[Bad]:
    code = "EQUIPMENT-ABSENT"
    yield bad(
        "absent-machine",
        "the file of another pump",
        PUMPS,
        PUMPS.grid,
        code,
        "machine",
        equipment="pump-3",
    )
    yield bad(
        "absent-capitals",
        "K-07 is asked for as k-07",
        COMPRESSORS,
        COMPRESSORS.grid,
        code,
        "Maschine",
        equipment="k-07",
        spelling=CP1252,
    )
    one = CHILLERS.grid.take(range(2, 47, 3))
    yield bad(
        "absent-one-machine",
        "CH-1 only",
        CHILLERS,
        gzipped(written(one)),
        code,
        "chiller",
        equipment="CH-2",
        ending=".csv.gz",
    )
    yield bad(
        "absent-blank",
        "no machine is named at all",
        PUMPS,
        PUMPS.grid.fill("machine", ""),
        code,
        "machine",
        equipment="pump-1",
        spelling=TAB,
    )
    first, second = PUMPS.grid.take(range(2, 32)), PUMPS.grid.take(range(32, 62))
    yield bad(
        "absent-beside-another",
        "a folder of all pumps",
        PUMPS,
        second,
        code,
        "machine",
        severity="warn",
        beside=(first,),
        equipment="pump-1",
        left_out=30,
    )
    yield bad(
        "absent-in-both",
        "neither file is of the machine",
        PUMPS,
        second,
        code,
        "machine",
        beside=(first,),
        equipment="P1",
        also=(code,),
    )


def _keys() -> Iterator[Bad]:
    code = "KEY-MISSING"
    for name, plant, column, cells, spelling in (
        ("machine-blank", PUMPS, "machine", {28: ""}, Spelling()),
        ("run-blank", PUMPS, "run", {16: "", 17: "", 31: " "}, TAB),
        ("run-dash", COMPRESSORS, "Lauf", {18: "-"}, GERMAN),
        ("machine-null", CHILLERS, "chiller", {4: "NULL", 46: "N/A"}, PIPE),
        ("run-excel-error", COMPRESSORS, "Lauf", {34: "#NAME?", 35: "#NAME?"}, CP1252),
        ("machine-no-data", PUMPS, "machine", {61: "No Data"}, Spelling(encoding="utf-16")),
    ):
        yield bad(
            f"key-{name}", "who or which recording is not told", plant, plant.grid.put(column, cells), code, column,
            tuple(cells), severity="quarantine", spelling=spelling,
        )  # fmt: skip
    chosen = PUMPS.grid.put("run", {40: "", 12: ""})
    yield bad(
        "key-of-chosen-machine",
        "only pump-2 is asked for",
        PUMPS,
        chosen,
        code,
        "run",
        (40,),
        severity="quarantine",
        equipment="pump-2",
        left_out=30,
    )
