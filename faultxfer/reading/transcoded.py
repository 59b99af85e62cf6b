"""A file in another encoding as a temporary one in UTF-8, of which a line ends with one byte."""

from __future__ import annotations

import codecs
import dataclasses
from dataclasses import dataclass
from pathlib import Path

from faultxfer.reading.csv_options import Csv
from faultxfer.reading.parts import PARQUET, opened
from faultxfer.reading.table import RawTable

# Encodings in which a line ends with the byte of a line feed, and which are cut as they are.
CUT_AS_THEY_ARE = frozenset({"utf-8", "utf-8-sig", "cp1252"})
_BLOCK = 1 << 22
_WIDE = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)  # begins like UTF-16


@dataclass(frozen=True)
class Transcoded:
    """A file to be read in place of another.

    Attributes:
        path: of it.
        options: how it is written, as a contract pins it.
        encoding: that of the other one; None where it is that file itself.
    """

    path: Path
    options: Csv
    encoding: str | None = None

    def told(self, table: RawTable) -> RawTable:
        """A table that was read from it, as if it had been read from the other file."""
        if self.encoding is None:
            return table
        dialect = dataclasses.replace(table.dialect, encoding=self.encoding)
        return dataclasses.replace(table, dialect=dialect)


def transcoded(path: Path, options: Csv, out: Path) -> Transcoded:
    """The file in UTF-8, which is itself where it can be cut as it is.

    Args:
        path: of the file, packed or not, or Parquet.
        options: how it is written, as a contract pins it.
        out: where to, without a suffix.

    Raises:
        UnicodeError: it is no text in its encoding.
        OSError: it cannot be read or written.
    """
    if path.suffix.lower() == PARQUET:
        return Transcoded(path, options)
    encoding = _encoding(path, options)
    if encoding in CUT_AS_THEY_ARE:
        return Transcoded(path, options)
    written, decoder = out.with_suffix(".csv"), codecs.getincrementaldecoder(encoding)()
    with opened(path) as file, written.open("wb") as text:
        mark = "\ufeff"  # may stand at the very beginning
        while block := file.read(_BLOCK):
            text.write(decoder.decode(block).removeprefix(mark).encode())
            mark = ""
        text.write(decoder.decode(b"", final=True).encode())
    return Transcoded(written, options.model_copy(update={"encoding": "utf-8"}), encoding)


def _encoding(path: Path, options: Csv) -> str:
    """As the contract pins it, or by its first bytes; UTF-8 stands for all that can be cut."""
    if options.encoding:
        return codecs.lookup(options.encoding).name
    with opened(path) as file:
        begin = file.read(4)
    marked = begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return "utf-16" if marked and not begin.startswith(_WIDE) else "utf-8"
