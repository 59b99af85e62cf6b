"""Rows that came twice, and equal rows with conflicting labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cases import Bad, bad
from grid import CP1252, GERMAN, PIPE, TAB, UTF16, Grid, Spelling, written
from packed import gzipped, parquet
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, Changes, Plant


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _copied_rows()
    yield from _copied_files()
    yield from _conflicts()
    yield from _conflicts_of_copies()


def _time(plant: Plant) -> str:
    return str(plant.base["time_column"])


def _copied_rows() -> Iterator[Bad]:
    code, back = "ROW-DUPLICATE", ("TIME-BACKWARDS",)
    block = PUMPS.grid.take([*range(2, 37), *range(32, 37), *range(37, 62)])
    yield bad(
        "copy-block",
        "five rows were pasted twice",
        PUMPS,
        block,
        code,
        _time(PUMPS),
        range(37, 42),
        severity="quarantine",
        also=back,
    )
    every = FANS.grid.take([line for line in FANS.grid.lines for _ in range(2)])
    yield bad(
        "copy-each-row",
        "two loggers on one bus",
        FANS,
        every,
        code,
        _time(FANS),
        range(3, 146, 2),
        severity="quarantine",
        spelling=PIPE,
    )
    whole = COMPRESSORS.grid.take([*COMPRESSORS.grid.lines, *range(34, 50)])
    yield bad(
        "copy-last-run",
        "the last run was appended again",
        COMPRESSORS,
        whole,
        code,
        _time(COMPRESSORS),
        range(50, 66),
        severity="quarantine",
        also=back,
        spelling=GERMAN,
    )
    renamed = PUMPS.grid.take([*PUMPS.grid.lines, *range(47, 62)]).fill("run", "B3", range(62, 77))
    yield bad(
        "copy-other-run",
        "a run came again under another name",
        PUMPS,
        renamed,
        code,
        _time(PUMPS),
        range(62, 77),
        severity="quarantine",
        spelling=TAB,
    )
    spelt = CHILLERS.grid.take([*range(2, 5), 4, *range(5, 47)]).change(
        "power", lambda cell: cell + "00", (5,)
    )
    yield bad(
        "copy-other-spelling",
        "one value with more zeros",
        CHILLERS,
        spelt,
        code,
        _time(CHILLERS),
        (5,),
        severity="quarantine",
    )
    note = PUMPS.grid.take([*range(2, 62), 61]).fill("operator_note", "see log", (62,))
    yield bad(
        "copy-other-note",
        "only the note differs",
        PUMPS,
        note,
        code,
        _time(PUMPS),
        (62,),
        severity="quarantine",
        spelling=Spelling(";", encoding="cp1252"),
    )
    refuse = {"rules": {code: "refuse"}}
    yield bad(
        "copy-refused",
        "the contract refuses copies",
        PUMPS,
        block,
        code,
        _time(PUMPS),
        range(37, 42),
        also=back,
        contract=refuse,
    )
    last = CHILLERS.grid.take([*CHILLERS.grid.lines, 44, 45, 46])
    yield bad(
        "copy-warned",
        "the contract only warns",
        CHILLERS,
        parquet(last),
        code,
        _time(CHILLERS),
        (47, 48, 49),
        severity="warn",
        ending=".parquet",
        contract={"rules": {code: "warn"}},
    )


def _copied_files() -> Iterator[Bad]:
    code, back = "ROW-DUPLICATE", ("TIME-BACKWARDS",)
    first, second = COMPRESSORS.grid.take(range(2, 34)), COMPRESSORS.grid.take(range(28, 50))
    yield bad(
        "copy-overlapping-files",
        "two exports overlap",
        COMPRESSORS,
        second,
        code,
        _time(COMPRESSORS),
        range(2, 8),
        severity="quarantine",
        beside=(first,),
        also=back,
        spelling=CP1252,
    )
    pump, more = PUMPS.grid.take(range(2, 47)), PUMPS.grid.take([*range(32, 37), *range(47, 62)])
    yield bad(
        "copy-rows-of-another-file",
        "rows of B1 in both files",
        PUMPS,
        more,
        code,
        _time(PUMPS),
        range(2, 7),
        severity="quarantine",
        beside=(pump,),
        also=back,
    )
    sent, again = (
        gzipped(written(CHILLERS.grid.take(lines))) for lines in (range(2, 41), range(38, 47))
    )
    yield bad(
        "copy-tail-packed", "the tail was sent again", CHILLERS, again, code, _time(CHILLERS), (2, 3, 4),
        severity="quarantine",
        beside=(sent,), ending=".csv.gz", also=("TIME-BACKWARDS", "LABEL-ONE-CLASS"),
    )  # fmt: skip


def _twins(
    plant: Plant, pairs: Sequence[tuple[int, int]], labels: dict[int, str] | None = None
) -> Grid:
    """The second line of each pair gets the sensor readings of the first.

    Labels where they are given.
    """
    grid = plant.grid
    for source, copy in pairs:
        for name in plant.sensors:
            grid = grid.put(name, {copy: grid.cell(source, name)})
    return grid.put(plant.base["label"]["column"], labels or {})


def _conflicts() -> Iterator[Bad]:
    code = "LABEL-CONFLICT"
    free: Changes = {}
    for name, grid, plant, lines, spelling, changes in (
        ("two-rows", _twins(PUMPS, [(5, 14)]), PUMPS, (5, 14), Spelling(), free),
        (
            "three-rows",
            _twins(COMPRESSORS, [(3, 4), (3, 48)]),
            COMPRESSORS,
            (3, 4, 48),
            GERMAN,
            free,
        ),
        ("no-machine", _twins(CONVEYORS, [(2, 41)]), CONVEYORS, (2, 41), TAB, free),
        ("two-pairs", _twins(FANS, [(10, 30), (11, 70)]), FANS, (10, 11, 30, 70), PIPE, free),
        ("other-run", _twins(PUMPS, [(33, 60)]), PUMPS, (33, 60), UTF16, free),
        (
            "one-of-three",
            _twins(CHILLERS, [(4, 46)]),
            CHILLERS,
            (4, 46),
            Spelling(quotes="all"),
            free,
        ),
    ):
        yield bad(
            f"conflict-{name}", "equal readings are normal and faulty", plant, grid, code,
            plant.base["label"]["column"], lines, spelling=spelling, contract=changes,
            severity="warn" if "time_column" in plant.base else "quarantine",
        )  # fmt: skip


def _conflicts_of_copies() -> Iterator[Bad]:
    code = "LABEL-CONFLICT"
    other = COMPRESSORS.grid.take([*COMPRESSORS.grid.lines, *range(44, 50)]).fill(
        "Störung", "nein", range(50, 56)
    )
    lines = (*range(44, 50), *range(50, 56))
    yield bad(
        "conflict-two-operators",
        "a fault was labelled twice",
        COMPRESSORS,
        other,
        code,
        "Störung",
        lines,
        severity="quarantine",
        also=("TIME-BACKWARDS",),
        spelling=CP1252,
    )
    twice = FANS.grid.take([*range(2, 31), 30, *range(31, 74)]).fill("state", "healthy", (31,))
    yield bad(
        "conflict-same-moment",
        "one row with both labels",
        FANS,
        twice,
        code,
        "state",
        (30, 31),
        severity="quarantine",
    )
    refuse = {"rules": {code: "refuse"}}
    yield bad(
        "conflict-refused",
        "the contract refuses such labels",
        PUMPS,
        _twins(PUMPS, [(20, 29)]),
        code,
        "fault",
        (20, 29),
        contract=refuse,
        spelling=PIPE,
    )
