"""Valid files in other dialects.

Separators, marks, encodings, line ends, quotes, blank lines, containers.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from cases import Valid, valid
from grid import Spelling, joined, text_lines, written
from packed import gzipped, parquet, zstandard
from plants import ALL, CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, Plant, whole

_DIALECTS = {
    "plain": Spelling(),
    "semicolon-point": Spelling(";"),
    "semicolon-comma": Spelling(";", ","),
    "tab-comma-crlf": Spelling("\t", ",", line_end="\r\n"),
    "pipe-comma-cr": Spelling("|", ",", line_end="\r"),
    "comma-comma-in-quotes": Spelling(",", ","),
    "all-quoted": Spelling(";", ",", quotes="all"),
    "names-quoted-marked": Spelling(quotes="header", encoding="utf-8-sig"),
    "utf16-tab": Spelling("\t", encoding="utf-16"),
    "utf16-big-semicolon": Spelling(";", ",", encoding="utf-16-be", mark="\ufeff", line_end="\r\n"),
    "padded": Spelling(";", ",", pad=" "),
    "no-last-line-end": Spelling("|", ended=False, line_end="\r\n"),
}
_NAMES = dict(zip(("pumps", "compressors", "fans", "chillers", "conveyors"), ALL, strict=True))


def cases() -> Iterator[Valid]:
    """All of them."""
    for name, plant in _NAMES.items():
        for dialect, spelling in _DIALECTS.items():
            yield valid(
                f"{name}-{dialect}", "another program exports", plant, plant.grid, spelling=spelling
            )
    yield from _encodings()
    yield from _containers()
    yield from _thousands()
    yield from _pins()
    yield from _blank_lines()
    yield from _quotes()


def _encodings() -> Iterator[Valid]:
    german = COMPRESSORS.grid
    for name, separator, decimal, line_end in (
        ("excel", ";", ",", "\r\n"), ("tabs", "\t", ",", "\n"), ("pipes", "|", ".", "\r\n"), ("commas", ",", ".", "\r"),
    ):  # fmt: skip
        spelling = Spelling(separator, decimal, encoding="cp1252", line_end=line_end)
        yield valid(f"cp1252-{name}", "umlauts of Windows", COMPRESSORS, german, spelling=spelling)
    for pinned in (
        "cp1252",
        "cp1250",
        "iso8859-15",
        "mac-roman",
        "utf-16-le",
        "utf-16-be",
        "cp850",
    ):
        spelling = Spelling(";", ",", encoding=pinned)
        yield valid(
            f"pinned-{pinned}",
            "the code page is pinned",
            COMPRESSORS,
            german,
            spelling=spelling,
            contract={"csv": {"encoding": pinned}},
        )
    marked = Spelling(";", ",", encoding="utf-8-sig")
    yield valid(
        "pinned-utf8-marked",
        "a mark does not break the pin",
        COMPRESSORS,
        german,
        spelling=marked,
        contract={"csv": {"encoding": "utf-8"}},
    )
    note = PUMPS.grid.put("operator_note", {3: "Dichtung lässt", 60: "süß"})
    yield valid(
        "cp1252-in-a-note",
        "one umlaut in an ignored column",
        PUMPS,
        note,
        spelling=Spelling(encoding="cp1252"),
        truth=PUMPS.grid,
    )
    greek = FANS.grid.rename({"vibration_x": "δόνηση"})
    yield valid(
        "pinned-cp1253",
        "a Greek tag under an alias",
        FANS,
        greek,
        spelling=Spelling(";", encoding="cp1253"),
        contract={
            "csv": {"encoding": "cp1253"},
            "equipment": {"fans": {"aliases": {"δόνηση": "vibration_x"}}},
        },
    )


def _containers() -> Iterator[Valid]:
    german = Spelling(";", ",", encoding="cp1252")
    wide = Spelling("\t", encoding="utf-16")
    for name, plant, spelling in (
        ("pumps", PUMPS, None),
        ("compressors", COMPRESSORS, german),
        ("fans", FANS, wide),
    ):
        content = written(plant.grid, spelling)
        yield valid(f"{name}-packed-gz", "an archive", plant, gzipped(content), ending=".csv.gz")
        yield valid(
            f"{name}-packed-zst", "an archive", plant, zstandard(content), ending=".csv.zst"
        )
    halves = (
        written(CHILLERS.grid.take(range(2, 20))),
        written(CHILLERS.grid.take(range(20, 47)), Spelling(header=False)),
    )
    yield valid(
        "gz-two-members",
        "two days packed one after the other",
        CHILLERS,
        gzipped(halves[0]) + gzipped(halves[1]),
        ending=".csv.gz",
    )
    yield valid(
        "tsv",
        "tabs under their own ending",
        CONVEYORS,
        CONVEYORS.grid,
        spelling=Spelling("\t"),
        ending=".tsv",
    )
    yield valid("upper-case-ending", "an old logger", PUMPS, written(PUMPS.grid), ending=".CSV")
    yield valid(
        "text-ending", "exported as text", FANS, written(FANS.grid, Spelling(";")), ending=".txt"
    )
    yield from _parquet()


def _parquet() -> Iterator[Valid]:
    for name, plant in _NAMES.items():
        yield valid(
            f"parquet-{name}", "from a data lake", plant, parquet(plant.grid), ending=".parquet"
        )
    stamps = {
        "timestamp": pa.timestamp("us"),
        "fault": pa.int8(),
        "machine": pa.dictionary(pa.int32(), pa.string()),
    }
    yield valid(
        "parquet-typed",
        "times, numbers and categories",
        PUMPS,
        parquet(
            PUMPS.grid.change("operator_note", lambda _: "x"),
            {k: v for k, v in stamps.items() if k != "machine"},
        ),
        ending=".parquet",
    )
    yield valid(
        "parquet-whole",
        "a counter as integer",
        FANS,
        parquet(FANS.grid, {"starts": pa.int64(), "elapsed": pa.int32()}),
        ending=".parquet",
    )
    yield valid(
        "parquet-booleans",
        "alarms as booleans",
        CHILLERS,
        parquet(CHILLERS.grid, {"alarm": pa.bool_(), "ts": pa.int64()}),
        ending=".parquet",
    )
    yield valid(
        "parquet-text-numbers",
        "numbers as text",
        CONVEYORS,
        parquet(CONVEYORS.grid, dict.fromkeys(CONVEYORS.sensors, pa.string())),
        ending=".parquet",
    )


def _thousands() -> Iterator[Valid]:
    for mark, name in (
        (",", "comma"),
        (" ", "space"),
        ("'", "apostrophe"),
        ("\u00a0", "no-break"),
        ("’", "quote"),
    ):
        spelling = Spelling(";", ".", mark)
        yield valid(
            f"thousands-{name}", "1 480.3 proves the mark", PUMPS, PUMPS.grid, spelling=spelling
        )
    for mark, name in ((".", "point"), (" ", "space"), ("\u202f", "narrow")):
        spelling = Spelling(";", ",", mark)
        yield valid(
            f"thousands-german-{name}",
            "2.960,1 proves both",
            COMPRESSORS,
            COMPRESSORS.grid,
            spelling=spelling,
        )
    yield valid(
        "thousands-in-quotes",
        "1,480.3 in quotes between commas",
        PUMPS,
        PUMPS.grid,
        spelling=Spelling(",", ".", ","),
    )
    yield valid(
        "thousands-cp1252-no-break",
        "a no-break space of Windows",
        COMPRESSORS,
        COMPRESSORS.grid,
        spelling=Spelling(";", ",", "\u00a0", encoding="cp1252"),
    )


def _pins() -> Iterator[Valid]:
    """What is ambiguous without a pin."""
    pumps, german, belts = (
        whole(PUMPS.grid, *PUMPS.sensors),
        whole(COMPRESSORS.grid, *COMPRESSORS.sensors),
        CONVEYORS.grid,
    )
    belts = belts.change("belt_speed", lambda cell: f"{float(cell):.3f}").change(
        "torque", lambda cell: f"{float(cell):.3f}"
    )
    belts = belts.change("load", lambda cell: f"{float(cell):.3f}")
    for name, plant, grid, spelling, csv in (
        ("thousands-comma", PUMPS, pumps, Spelling(";", thousands=","), {"thousands": ","}),
        (
            "thousands-comma-decimal",
            PUMPS,
            pumps,
            Spelling("\t", thousands=","),
            {"decimal": ".", "thousands": ","},
        ),
        ("thousands-point", COMPRESSORS, german, Spelling(";", thousands="."), {"thousands": "."}),
        (
            "thousands-quoted",
            PUMPS,
            pumps,
            Spelling(thousands=",", quotes="all"),
            {"thousands": ","},
        ),
        ("decimal-comma", CONVEYORS, belts, Spelling(";", ","), {"decimal": ","}),
        ("decimal-point", CONVEYORS, belts, Spelling("|"), {"decimal": "."}),
        ("separator", CONVEYORS, CONVEYORS.grid, Spelling("^"), {"separator": "^"}),
        ("separator-space", FANS, FANS.grid, Spelling(" "), {"separator": " "}),
        ("separator-colon", CHILLERS, CHILLERS.grid, Spelling(":", ","), {"separator": ":"}),
    ):
        yield valid(
            f"pinned-{name}",
            "detection cannot tell",
            plant,
            grid,
            spelling=spelling,
            truth=grid,
            contract={"csv": csv},
            # In whole bars the pumps' pressure is 6 in all normal rows and 5 in most faults.
            said=("LABEL-LEAK",) if grid is pumps else (),
        )


def _with_blank_lines(plant: Plant, spelling: Spelling, places: dict[int, str]) -> bytes:
    lines = text_lines(plant.grid, spelling)
    mixed = [
        part
        for number, line in enumerate(lines, start=1)
        for part in (line, *([places[number]] if number in places else []))
    ]
    return joined(mixed, spelling)


def _blank_lines() -> Iterator[Valid]:
    plain, german = Spelling(), Spelling(";", ",", encoding="cp1252", line_end="\r\n")
    yield valid(
        "blank-between-runs",
        "a blank line behind each run",
        PUMPS,
        _with_blank_lines(PUMPS, plain, {16: "", 31: "", 46: ""}),
    )
    yield valid(
        "blank-below-header",
        "a blank line below the names",
        FANS,
        _with_blank_lines(FANS, plain, {1: ""}),
    )
    yield valid(
        "blank-of-spaces",
        "lines of spaces",
        COMPRESSORS,
        _with_blank_lines(COMPRESSORS, german, {5: "   ", 20: " "}),
    )
    yield valid(
        "blank-of-separators",
        "cleared rows",
        COMPRESSORS,
        _with_blank_lines(COMPRESSORS, german, {9: ";;;;;;;", 49: ";;;;;;;"}),
    )
    yield valid(
        "blank-above-header",
        "a macro began with line ends",
        FANS,
        b"\r\n \r\n" + written(FANS.grid),
    )
    named = b"sep=;\r\n" + written(COMPRESSORS.grid, german)
    yield valid("separator-named", "a spreadsheet is told the separator", COMPRESSORS, named)
    yield valid(
        "blank-at-the-end", "many line ends", CHILLERS, written(CHILLERS.grid) + b"\n\n\n\n"
    )
    yield valid(
        "blank-at-the-end-crlf",
        "many line ends",
        COMPRESSORS,
        written(COMPRESSORS.grid, german) + b"\r\n\r\n",
    )
    yield valid(
        "mixed-line-ends",
        "parts of two systems",
        PUMPS,
        written(PUMPS.grid).replace(b"\n", b"\r\n", 20),
    )
    rows = text_lines(FANS.grid, plain)
    yield valid(
        "separator-behind-rows",
        "a separator ends each row but not the names",
        FANS,
        joined([rows[0], *(row + "," for row in rows[1:])], plain),
    )
    yield valid(
        "separator-behind-all",
        "a separator ends each line",
        CHILLERS,
        joined([row + ";" for row in text_lines(CHILLERS.grid, Spelling(";"))], plain),
        said=("COLUMN-UNKNOWN",),
    )


def _quotes() -> Iterator[Valid]:
    notes = {
        5: "seal, gland; both",
        20: 'bearing "hot"',
        33: "first line\nsecond line",
        60: "tab\there",
    }
    noted = PUMPS.grid.put("operator_note", notes)
    for name, spelling in (
        ("comma", Spelling()),
        ("semicolon", Spelling(";", ",")),
        ("tab-utf16", Spelling("\t", encoding="utf-16")),
        ("all", Spelling("|", quotes="all")),
    ):
        yield valid(
            f"notes-in-quotes-{name}",
            "marks and line ends in an ignored cell",
            PUMPS,
            noted,
            spelling=spelling,
        )
    short = [line.rstrip(",") for line in text_lines(PUMPS.grid, Spelling())]
    yield valid(
        "blank-last-cells-left-out",
        "rows end before the blank note",
        PUMPS,
        joined(short, Spelling()),
    )
