"""Files of text that is no table: no header, rows of different width, stray quotes."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import GERMAN, Spelling, joined, text_lines, written
from packed import gzipped
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, Plant, whole

_COMMA = Spelling()


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _no_header()
    yield from _width()
    yield from _quotes()


def _lines(plant: Plant, spelling: Spelling, changed: dict[int, str]) -> bytes:
    """The clean file with some lines as given."""
    lines = text_lines(plant.grid, spelling)
    return joined(
        [changed.get(number, line) for number, line in enumerate(lines, start=1)], spelling
    )


def _line(plant: Plant, number: int, spelling: Spelling = _COMMA) -> str:
    return text_lines(plant.grid, spelling)[number - 1]


def _no_header() -> Iterator[Bad]:
    code, line = "FILE-NO-HEADER", 1
    numbers = CONVEYORS.grid
    bare = Spelling(header=False)
    yield bad(
        "numbers-first",
        "a logger without names",
        CONVEYORS,
        written(numbers, bare),
        code,
        line=line,
    )
    rounded = whole(numbers, "belt_speed", "torque", "load")
    yield bad(
        "numbers-first-semicolons", "whole numbers and semicolons", CONVEYORS,
        written(rounded, Spelling(";", header=False)), code, line=line,
    )  # fmt: skip
    yield bad(
        "numbers-first-tab-crlf", "the same with tabs", CONVEYORS,
        written(numbers, Spelling("\t", header=False, line_end="\r\n")), code, line=line,
    )  # fmt: skip
    yield bad(
        "numbers-first-quoted", "every cell in quotes", CONVEYORS,
        written(numbers, Spelling(header=False, quotes="all")), code, line=line,
    )  # fmt: skip
    yield bad(
        "numbers-first-gz",
        "packed",
        CONVEYORS,
        gzipped(written(numbers, bare)),
        code,
        line=line,
        ending=".csv.gz",
    )
    yield bad(
        "spaces-between-columns", "a data file for a plotter", CONVEYORS,
        b"".join(b"  ".join(cell.encode() for cell in row) + b"\n" for row in numbers.rows), code, line=line,
    )  # fmt: skip
    yield bad(
        "scientific-first", "a measuring amplifier", FANS,
        b"0.000e+00,1.81e+00,2.11e+00,1.45e+01,4,0\n5.000e+00,1.92e+00,2.02e+00,1.40e+01,4,0\n", code, line=line,
    )  # fmt: skip


def _width() -> Iterator[Bad]:
    code = "FILE-SHAPE"
    more = _line(PUMPS, 23) + ",77"
    merged = _line(FANS, 40) + "," + _line(FANS, 41)
    shifted = _line(COMPRESSORS, 9, GERMAN).replace(";K-07;", ";K;07;")
    yield bad(
        "one-cell-more",
        "a note with a comma",
        PUMPS,
        _lines(PUMPS, _COMMA, {23: more}),
        code,
        line=23,
    )
    yield bad(
        "two-rows-on-one-line",
        "a lost line end",
        FANS,
        _lines(FANS, _COMMA, {40: merged}),
        code,
        line=40,
    )
    yield bad(
        "separator-in-a-name", "a machine called K;07", COMPRESSORS,
        _lines(COMPRESSORS, GERMAN, {9: shifted}), code, line=9,
    )  # fmt: skip
    yield bad(
        "decimal-commas-bare", "decimal commas between commas", CONVEYORS,
        _lines(CONVEYORS, _COMMA, {n: _line(CONVEYORS, n).replace(".", ",") for n in range(2, 42)}), code, line=2,
    )  # fmt: skip
    yield bad(
        "decimal-comma-once", "one row typed by hand", PUMPS,
        _lines(PUMPS, _COMMA, {58: _line(PUMPS, 58).replace(".", ",", 1)}), code, line=58,
    )  # fmt: skip
    yield bad(
        "two-exports-in-one", "a wider export was appended", CHILLERS,
        written(CHILLERS.grid) + written(CHILLERS.grid.add("cop", ["4.1"] * 45), Spelling(header=False)), code, line=47,
    )  # fmt: skip
    yield bad(
        "cell-more-after-blank-lines", "a note below gaps", FANS,
        written(FANS.grid.take(range(2, 20))) + b"\n\n" + b"95,1.8,2.0,14.1,11,healthy,checked\n", code, line=22,
    )  # fmt: skip
    yield bad(
        "pinned-columns-too-few", "the logger got a channel more", CONVEYORS,
        written(CONVEYORS.grid.add("spare", ["0.0"] * 40), Spelling(header=False)), code, line=1,
        contract={"csv": {"header": False, "columns": ["belt_speed", "torque", "load", "jam"]}},
    )  # fmt: skip


def _quotes() -> Iterator[Bad]:
    code = "FILE-SHAPE"
    rerun = _line(PUMPS, 32).replace("B1", '"B1" rerun')
    yield bad(
        "quote-then-text",
        "text behind a quoted cell",
        PUMPS,
        _lines(PUMPS, _COMMA, {32: rerun}),
        code,
        line=32,
    )
    opened = _line(FANS, 12).replace(",healthy", ',"healthy')
    yield bad(
        "quote-never-closed",
        "the logger stopped in a cell",
        FANS,
        _lines(FANS, _COMMA, {12: opened}),
        code,
        line=12,
    )
    last = _line(COMPRESSORS, 49, GERMAN).replace(";ja", ';"ja')
    yield bad(
        "quote-open-at-the-end",
        "cut inside the last cell",
        COMPRESSORS,
        _lines(COMPRESSORS, GERMAN, {49: last})[:-1],
        code,
        line=49,
    )
    broken = _line(CHILLERS, 20).replace("CH-1", '"CH"-1')
    yield bad(
        "quote-inside-a-name",
        "quotes that are not doubled",
        CHILLERS,
        _lines(CHILLERS, _COMMA, {20: broken}),
        code,
        line=20,
    )
