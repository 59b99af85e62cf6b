"""How a file spells its table: what was detected or pinned, as plain data and as a sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

_ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with byte order mark",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
    "parquet": "Parquet",
    "rows": "rows of a request",
}
# These have cells, and no text around them.
_CELLS = ("parquet", "rows")
_SEPARATORS = {"\t": "tab", " ": "space"}
_DECIMALS = {".": "decimal point", ",": "decimal comma"}


@dataclass(frozen=True)
class TimeOptions:
    """How times are written, as far as the contract pins it.

    Attributes:
        format: a strptime format, or ``iso``, ``number``, ``epoch_s``, ``epoch_ms``, ``epoch_us``,
            ``epoch_ns``; None detects it.
        day_first: whether 03/04/2026 is the third of April; None detects it.
        zone: IANA time zone of times that name none; UTC where None.
        in_order: whether the order of the rows tells the two hours apart that autumn makes of one.
    """

    format: str | None = None
    day_first: bool | None = None
    zone: str | None = None
    in_order: bool = False


@dataclass(frozen=True)
class Dialect:
    """How one file spells its table.

    Attributes:
        encoding: name of the codec, or ``parquet``, or ``rows`` that no file holds.
        separator: the character between columns.
        decimal: ``.`` or ``,``; None where the file does not tell.
        thousands: the mark between groups of three digits, None where there is none.
        header: whether the first row holds the column names.
        line_end: as in the file; ``mixed`` where several occur.
        quoted: whether the file has quotes.
        missing: further spellings of a missing value, in lower case.
        times: what is pinned of times.
        above: lines above the header row.
        below: rows between it and the first readings.
    """

    encoding: str = "utf-8"
    separator: str = ","
    decimal: str | None = "."
    thousands: str | None = None
    header: bool = True
    line_end: str = "\n"
    quoted: bool = False
    missing: frozenset[str] = frozenset()
    times: TimeOptions = field(default_factory=TimeOptions)
    above: int = 0
    below: int = 0

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        plain = asdict(self)
        # These two are only pinned, never detected in the file.
        del plain["missing"], plain["times"]
        return plain

    def sentence(self) -> str:
        """For people: ``UTF-8, ';' between columns, decimal comma``."""
        parts = [_ENCODINGS.get(self.encoding, self.encoding)]
        if self.encoding not in _CELLS:
            separator = _SEPARATORS.get(self.separator, repr(self.separator))
            parts.append(f"{separator} between columns")
            parts.append(_DECIMALS[self.decimal] if self.decimal else "no decimal mark")
        if self.thousands:
            parts.append(f"{self.thousands!r} between thousands")
        if not self.header:
            parts.append("no header row")
        if self.above:
            parts.append(f"header row on line {self.above + 1}")
        if self.below:
            parts.append(f"{self.below} row(s) of units or words below it")
        return ", ".join(parts)
