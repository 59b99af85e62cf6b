"""Valid files with other columns, number spellings and labels."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from cases import Valid, valid
from grid import CP1252, GERMAN, PIPE, TAB, UTF16, Grid, Spelling, written
from packed import gzipped
from plants import ALL, CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, Plant, scaled


def cases() -> Iterator[Valid]:
    """All of them."""
    yield from _orders()
    yield from _more_columns()
    yield from _headers()
    yield from _number_spellings()
    yield from _labels()


def _orders() -> Iterator[Valid]:
    for number, (plant, spelling) in enumerate(
        zip(ALL, (PIPE, GERMAN, TAB, Spelling(), UTF16), strict=True)
    ):
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
    yield valid(
        "no-note",
        "an ignored column is absent",
        PUMPS,
        PUMPS.grid.without("operator_note"),
        spelling=TAB,
    )


def _more_columns() -> Iterator[Valid]:
    """Ignored columns may hold anything."""
    words = [
        "",
        "-",
        "#VALUE!",
        "NaN",
        "NULL",
        "Bad",
        "No Data",
        "n/a",
        "#NV",
        "I/O Timeout",
        "3.5",
        "1,234",
    ]
    for name, plant, spelling in (
        ("pumps", PUMPS, Spelling()),
        ("compressors", COMPRESSORS, GERMAN),
        ("fans", FANS, TAB),
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
        "ambiguous-but-unused",
        "a date nobody uses",
        CONVEYORS,
        dates,
        said=("COLUMN-UNKNOWN",),
        spelling=PIPE,
    )
    flag = FANS.grid.add(
        "fault_code", ["0" if label == "healthy" else "9" for label in FANS.grid.column("state")]
    )
    yield valid(
        "leak-ignored", "a fault code under ignore", FANS, flag, contract={"ignore": ["fault_code"]}
    )
    leak = PUMPS.grid.add("trip", PUMPS.grid.column("fault"))
    yield valid(
        "leak-unknown",
        "a trip flag that the contract does not name",
        PUMPS,
        leak,
        said=("COLUMN-UNKNOWN",),
        spelling=GERMAN,
    )


def _headers() -> Iterator[Valid]:
    for name, plant, spelling in (
        ("conveyors", CONVEYORS, Spelling(header=False)),
        ("conveyors-german", CONVEYORS, Spelling(";", ",", header=False)),
        ("pumps", PUMPS, Spelling(header=False)),
        ("fans-tabs", FANS, Spelling("\t", header=False)),
        ("compressors-cp1252", COMPRESSORS, Spelling(";", ",", encoding="cp1252", header=False)),
    ):
        # Decimal commas may be as many as semicolons.
        tie = {"separator": ";"} if name == "conveyors-german" else {}
        pin = {"csv": {"header": False, "columns": list(plant.grid.header), **tie}}
        yield valid(
            f"headerless-{name}",
            "the names are pinned",
            plant,
            plant.grid,
            spelling=spelling,
            contract=pin,
        )
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
        ("scientific-capital", PUMPS, lambda cell: f"{float(cell):.8E}", TAB),
        (
            "scientific-comma",
            COMPRESSORS,
            lambda cell: f"{float(cell):.6e}".replace(".", ","),
            GERMAN,
        ),
        ("plus-signs", CHILLERS, lambda cell: "+" + cell, PIPE),
        ("zeros-behind", PUMPS, lambda cell: cell + "0000", Spelling(";")),
        ("zeros-before", CONVEYORS, lambda cell: "00" + cell, Spelling()),
        ("nine-digits", CHILLERS, lambda cell: f"{float(cell):.9f}", Spelling(";")),
        ("spaces", FANS, lambda cell: f"  {cell} ", Spelling(quotes="all")),
        ("no-zero-before", CONVEYORS, lambda cell: cell.removeprefix("0"), TAB),
        ("full-length", PUMPS, lambda cell: repr(float(cell) * (1 + 2**-50)), Spelling()),
    ):
        yield valid(
            f"numbers-{name}",
            "another program writes numbers",
            plant,
            _numbers(plant, how),
            spelling=spelling,
        )
    whole = FANS.grid.change("starts", lambda cell: cell + ".0")
    yield valid("numbers-whole-with-point", "4.0 is whole", FANS, whole)
    yield valid(
        "numbers-whole-scientific",
        "4.0e0 is whole",
        FANS,
        FANS.grid.change("starts", lambda cell: cell + ".0e0"),
        spelling=PIPE,
    )
    small = CONVEYORS.grid.change("load", lambda cell: "7.5e-3")
    yield valid("numbers-tiny", "hardly any load", CONVEYORS, small, truth=small)
    below = COMPRESSORS.grid.change("Gastemperatur", scaled(-0.25))
    yield valid(
        "numbers-negative", "a gas below zero", COMPRESSORS, below, truth=below, spelling=GERMAN
    )


def _labels() -> Iterator[Valid]:
    for name, plant, normal, fault, spelling in (
        ("words", PUMPS, "normal", "leak", Spelling()),
        ("capitals", PUMPS, "OK", "ALARM", TAB),
        ("decimals", CONVEYORS, "0.0", "1.0", Spelling()),
        ("booleans", CONVEYORS, "False", "True", PIPE),
        ("digits-german", COMPRESSORS, "0", "1", GERMAN),
        ("yes-no", CHILLERS, "no", "yes", UTF16),
    ):
        yield valid(
            f"labels-{name}",
            "other spellings of the classes",
            plant,
            _relabelled(plant, normal, fault),
            spelling=spelling,
        )
    for name, plant, normal, fault, spelling in (
        ("french", CHILLERS, "FAUX", "VRAI", Spelling(";")),
        ("german-booleans", CONVEYORS, "FALSCH", "WAHR", GERMAN),
        ("umlaut", COMPRESSORS, "normal", "Störfall", CP1252),
        ("with-comma", FANS, "ok, running", "not ok", Spelling()),
        ("missing-word", FANS, "None", "Bad", TAB),
    ):
        label = {"label": {"normal": [normal], "fault": [fault]}}
        yield valid(
            f"labels-{name}",
            "the contract names other spellings",
            plant,
            _relabelled(plant, normal, fault),
            spelling=spelling,
            contract=label,
        )
    several = FANS.grid.put("state", {30: "bearing", 31: "bearing", 70: " imbalance "})
    yield valid("labels-several-faults", "two kinds of fault", FANS, several)
    mixed = PUMPS.grid.put("fault", {3: "OK", 4: "normal", 15: "ALARM", 16: "leak"})
    yield valid("labels-mixed", "several spellings in one file", PUMPS, mixed, spelling=PIPE)


def _relabelled(plant: Plant, normal: str, fault: str) -> Grid:
    label = plant.base["label"]
    faulty = label.get("fault", ["1"])
    return plant.grid.change(label["column"], lambda cell: fault if cell in faulty else normal)
