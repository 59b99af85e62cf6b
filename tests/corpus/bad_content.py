"""Bad files that hold no readable table: damaged, in a wrong format, in a wrong encoding, empty."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Bad, bad
from grid import GERMAN, Spelling, joined, text_lines, written
from packed import (
    OLD_WORKBOOK,
    PDF,
    PNG,
    archive,
    database,
    gzipped,
    parquet,
    workbook,
    zstandard,
)
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _damaged()
    yield from _other_formats()
    yield from _encodings()
    yield from _text_that_ends_in_bytes()
    yield from _empty()


def _damaged() -> Iterator[Bad]:
    pumps, code = written(PUMPS.grid), "FILE-UNREADABLE"
    fans, german = written(FANS.grid), written(COMPRESSORS.grid, GERMAN)
    flipped = bytearray(gzipped(fans))
    flipped[-6] ^= 0xFF
    yield bad(
        "gz-cut-half",
        "the copy stopped half way",
        PUMPS,
        gzipped(pumps)[:700],
        code,
        ending=".csv.gz",
    )
    yield bad(
        "gz-cut-trailer",
        "the last bytes are gone",
        FANS,
        gzipped(fans)[:-5],
        code,
        ending=".csv.gz",
    )
    yield bad(
        "gz-checksum", "a bit of the checksum flipped", FANS, bytes(flipped), code, ending=".csv.gz"
    )
    yield bad(
        "gz-not-packed", "plain text was renamed", COMPRESSORS, german, code, ending=".csv.gz"
    )
    yield bad(
        "gz-header-only",
        "only the first block arrived",
        CHILLERS,
        gzipped(pumps)[:10],
        code,
        ending=".csv.gz",
    )
    yield bad(
        "zst-cut", "the upload broke off", CHILLERS, zstandard(pumps)[:400], code, ending=".csv.zst"
    )
    yield bad(
        "zst-not-packed",
        "gzip data was named zst",
        CONVEYORS,
        gzipped(fans),
        code,
        ending=".csv.zst",
    )
    yield bad(
        "parquet-cut",
        "no footer was written",
        PUMPS,
        parquet(PUMPS.grid)[:-40],
        code,
        ending=".parquet",
    )
    yield bad("parquet-text", "CSV text was named parquet", FANS, fans, code, ending=".parquet")
    yield bad(
        "parquet-no-bytes", "a writer was opened only", CHILLERS, b"", code, ending=".parquet"
    )


def _other_formats() -> Iterator[Bad]:
    code = "FILE-UNREADABLE"
    yield bad("xlsx-as-csv", "a workbook was renamed", PUMPS, workbook(PUMPS.grid), code)
    yield bad("xls-as-csv", "an old workbook was renamed", COMPRESSORS, OLD_WORKBOOK, code)
    yield bad(
        "zip-as-csv",
        "the mail packed the file",
        FANS,
        archive("fans.csv", written(FANS.grid)),
        code,
    )
    yield bad("pdf-as-csv", "the report instead of the data", CHILLERS, PDF, code)
    yield bad("png-as-csv", "a picture of the trend", CONVEYORS, PNG, code)
    yield bad("sqlite-as-csv", "the logger's database", PUMPS, database(), code)
    yield bad(
        "gz-as-csv", "packed, and the ending was cut", FANS, gzipped(written(FANS.grid)), code
    )
    yield bad(
        "zst-as-csv",
        "packed, and the ending was cut",
        CHILLERS,
        zstandard(written(CHILLERS.grid)),
        code,
    )
    yield bad("parquet-as-csv", "a Parquet table was renamed", PUMPS, parquet(PUMPS.grid), code)
    yield bad(
        "zip-as-gz",
        "a workbook packed by hand",
        PUMPS,
        gzipped(workbook(FANS.grid)),
        code,
        ending=".csv.gz",
    )
    yield bad(
        "pdf-as-zst",
        "a report in the archive",
        COMPRESSORS,
        zstandard(PDF),
        code,
        ending=".csv.zst",
    )


def _encodings() -> Iterator[Bad]:
    code, german = "FILE-ENCODING", COMPRESSORS.grid
    little, big = Spelling(encoding="utf-16-le"), Spelling(";", ",", encoding="utf-16-be")
    latin = Spelling(";", ",", encoding="cp1252")
    pin = {"csv": {"encoding": "utf-8"}}
    yield bad("utf16-le-no-mark", "the mark was stripped", PUMPS, written(PUMPS.grid, little), code)
    yield bad("utf16-be-no-mark", "a Java logger", COMPRESSORS, written(german, big), code)
    yield bad(
        "utf16-no-mark-gz",
        "packed as well",
        FANS,
        gzipped(written(FANS.grid, little)),
        code,
        ending=".csv.gz",
    )
    yield bad(
        "cp1252-pinned-utf8",
        "umlauts of Windows",
        COMPRESSORS,
        written(german, latin),
        code,
        contract=pin,
    )
    yield bad(
        "latin-note-pinned-utf8",
        "one typed note is not UTF-8",
        PUMPS,
        written(
            PUMPS.grid.put("operator_note", {44: "Dichtung lässt"}), Spelling(encoding="cp1252")
        ),
        code,
        contract=pin,
    )
    yield bad(
        "umlauts-pinned-ascii",
        "a pin too narrow",
        COMPRESSORS,
        written(german),
        code,
        contract={"csv": {"encoding": "ascii"}},
    )
    yield bad(
        "utf8-pinned-utf16", "the pin of another logger", CHILLERS,
        written(CHILLERS.grid.put("chiller", {7: "CH-33"})) + b"\n" * (len(written(CHILLERS.grid)) % 2),
        code, contract={"csv": {"encoding": "utf-16-le"}},
    )  # fmt: skip
    yield bad(
        "greek-pinned-cp1253-hole", "a byte the code page lacks", FANS,
        written(FANS.grid).replace(b"healthy\n10,", b"healthy\xd2\n10,"), code,
        contract={"csv": {"encoding": "cp1253"}},
    )  # fmt: skip


def _text_that_ends_in_bytes() -> Iterator[Bad]:
    code = "FILE-ENCODING"
    marked = written(COMPRESSORS.grid, Spelling(encoding="utf-8-sig"))
    tail = written(COMPRESSORS.grid, Spelling(encoding="cp1252", header=False))
    yield bad(
        "marked-utf8-then-cp1252", "a second logger appended", COMPRESSORS,
        marked + tail.replace(b"Schicht", b"Schl\xe4uche"), code,
    )  # fmt: skip
    yield bad(
        "utf16-odd-bytes", "cut inside a character", PUMPS,
        written(PUMPS.grid, Spelling(encoding="utf-16"))[:-1], code,
    )  # fmt: skip
    yield bad(
        "cp1252-hole", "a byte that Windows-1252 lacks", COMPRESSORS,
        written(COMPRESSORS.grid, Spelling(encoding="cp1252")).replace(b"K-07", b"K\x81-07", 1), code,
    )  # fmt: skip
    yield bad(
        "utf32-marked", "an export setting of a script", FANS,
        written(FANS.grid, Spelling(encoding="utf-32-le", mark="\ufeff")), code,
    )  # fmt: skip


def _empty() -> Iterator[Bad]:
    code, none = "FILE-EMPTY", PUMPS.grid.take(())
    german = COMPRESSORS.grid.take(())
    yield bad("no-bytes", "the disk was full", PUMPS, b"", code)
    yield bad(
        "byte-order-mark-only", "a text editor saved nothing", COMPRESSORS, b"\xef\xbb\xbf", code
    )
    yield bad("blank-lines-only", "a macro wrote line ends", FANS, b"\r\n\r\n\r\n", code)
    yield bad("gz-no-bytes", "the disk was full", PUMPS, b"", code, ending=".csv.gz")
    yield bad(
        "gz-of-nothing", "an empty file was packed", CHILLERS, gzipped(b""), code, ending=".csv.gz"
    )
    yield bad("header-only", "a time range without data", PUMPS, none, code)
    yield bad("header-only-no-line-end", "the same from a script", FANS, written(none)[:-1], code)
    yield bad(
        "header-only-cp1252",
        "umlauts and semicolons",
        COMPRESSORS,
        german,
        code,
        spelling=Spelling(";", encoding="cp1252"),
    )
    yield bad(
        "header-only-utf16",
        "a spreadsheet export",
        CHILLERS,
        CHILLERS.grid.take(()),
        code,
        spelling=Spelling("\t", encoding="utf-16"),
    )
    yield bad(
        "header-only-gz",
        "packed",
        CONVEYORS,
        gzipped(written(CONVEYORS.grid.take(()))),
        code,
        ending=".csv.gz",
    )
    yield bad(
        "header-only-parquet",
        "no row group",
        FANS,
        parquet(FANS.grid.take(())),
        code,
        ending=".parquet",
    )
    yield bad(
        "header-and-blank-lines", "rows were deleted", PUMPS, written(none) + b"\n\n  \n\n", code
    )
    yield bad(
        "header-and-separators", "cells were cleared", COMPRESSORS,
        joined([*text_lines(german, GERMAN), ";;;;;;;", ";;;;;;;", " ; ; ; ; ; ; ; "], GERMAN), code,
    )  # fmt: skip
