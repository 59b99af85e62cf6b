"""What stands above the header row and between it and the first row of readings.

Loggers write comments, titles, units and descriptions there. They are left out where their content
leaves no doubt; in every other case nothing is left out.
"""

from __future__ import annotations

import csv
import dataclasses
import re
from collections import Counter
from dataclasses import dataclass, field

from faultxfer.errors import DataError
from faultxfer.reading import separator
from faultxfer.reading.columns import MISSING
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.separator import Preamble
from faultxfer.reading.text import Text
from faultxfer.reading.written_units import unit_in

_MARKS = ",;\t|"
_COMMENT = re.compile(r'^[\s"]*(?:#|//|%)\s*')
_SAMPLE_LINES, _MOST_ABOVE = 200, 100
_NUMBER = re.compile(r"[+-]?[\d.,' ]*\d[.,]?(?:[eE][+-]?\d+)?")
_TIME = re.compile(r"\d{1,4}\s?[-/.:T]\s?\w+")
# Cells of a row of units where a column has none.
_NO_UNIT = frozenset({"", "-", "--", "n/a", "none"})
# Rows below the header that are looked at: units, and descriptions before or behind them.
_MOST_BELOW = 3
# A column holds data where at least this share of its filled cells is a number or a time.
_MOST = 0.9
_HALF = 0.5
# A row of words alone needs this many columns of data above which it stands.
_FEWEST_WORDED = 3


# Above the header


def cut_above(file: str, text: bytes, options: Csv) -> tuple[bytes, Preamble]:
    """The text from its header row on, and what stood above it.

    A header row behind a comment mark loses the mark.

    Args:
        file: for errors.
        text: the whole file, UTF-8 with line feeds.
        options: what the contract pins; ``skip`` settles where the header row is.

    Raises:
        DataError: the file has no line below those that the contract skips.
    """
    pinned = options.skip or 0
    rest, above = separator.split_off(_without_lines(file, text, pinned))
    lines = separator.first_lines(rest, _SAMPLE_LINES)
    found = _header_place(lines, options) if options.skip is None else 0
    rest = _without_lines(file, rest, found)
    mark = _COMMENT.match(lines[found])
    if mark and found:
        rest = rest[len(mark.group().encode()) :]
    return rest, dataclasses.replace(above, lines=above.lines + pinned + found)


def _without_lines(file: str, text: bytes, lines: int) -> bytes:
    place = 0
    for _ in range(lines):
        place = text.find(b"\n", place) + 1
        if not place:
            raise DataError(
                "The file has no line below those that the contract skips",
                received={"skip": lines},
                where=file,
                code="FILE-EMPTY",
                remedy="Correct `csv.skip` in the contract, or take it out to have the header row "
                "found",
            )
    return text[place:]


def _header_place(lines: list[str], options: Csv) -> int:
    """The place of the header row among the lines; 0 also where nothing shows another one."""
    if any(map(_is_cut, lines[:_MOST_ABOVE])):
        return 0
    if options.header is False:
        return _comments(lines)
    marks = options.separator or _MARKS
    found = {_place_by(mark, lines) for mark in marks} - {None}
    only = found.pop() if len(found) == 1 else None
    return only or 0


def _is_cut(line: str) -> bool:
    """Whether a cell with a line break begins or ends here, so that lines are no rows."""
    return line.count('"') % 2 == 1


def _comments(lines: list[str]) -> int:
    """How many comment lines stand at the beginning, where readings follow them."""
    for place, line in enumerate(lines):
        if line.strip() and not _COMMENT.match(line):
            return place
    return 0


def _place_by(mark: str, lines: list[str]) -> int | None:
    """The place of the header row if this character divides the columns; None without one."""
    counts = [separator.unquoted(line).count(mark) for line in lines]
    width = _usual_width(lines, counts)
    for place, line in enumerate(lines):
        if not width or counts[place] != width:
            continue
        cells = _cells(_COMMENT.sub("", line), mark)
        if place == 0 and sum(map(bool, cells)) >= len(cells) / 2:
            return 0
        following = lines[place + 1] if place + 1 < len(lines) else ""
        if _are_names(cells) and _are_readings(following, mark, width):
            sparse = all(_is_no_header(above, mark, len(cells)) for above in lines[:place])
            return place if sparse else None
    return None


def _usual_width(lines: list[str], counts: list[int]) -> int:
    """How often the mark stands in nearly all of the later lines; 0 where they differ."""
    filled = [count for line, count in zip(lines, counts, strict=True) if line.strip()]
    later = filled[len(filled) // 2 :]
    width, times = Counter(later).most_common(1)[0] if later else (0, 0)
    return width if times >= _MOST * len(later) else 0


def _cells(line: str, mark: str) -> list[str]:
    if line and '"' not in line:
        return [cell.strip() for cell in line.split(mark)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=mark), [])]
    except csv.Error:
        return []


def _are_names(cells: list[str]) -> bool:
    """Whether all cells are different words; one may be blank, as above row numbers."""
    filled = [cell for cell in cells if cell]
    enough = len(filled) >= max(2, len(cells) - 1)
    return enough and len(set(filled)) == len(filled) and not any(map(_is_datum, filled))


def _are_readings(line: str, mark: str, width: int) -> bool:
    cells = _cells(line, mark)
    worded = any(map(unit_in, cells))
    readings = any(map(_is_datum, cells)) and not _COMMENT.match(line)
    return len(cells) == width + 1 and (readings or worded)


def _is_no_header(line: str, mark: str, width: int) -> bool:
    """Whether a line is a comment, blank, or has at most half as many cells as the header row."""
    filled = [cell for cell in _cells(line, mark) if cell]
    few = len(filled) <= max(1, width / 2)
    return few or _COMMENT.match(line) is not None


def _is_datum(cell: str) -> bool:
    """Whether a cell is a number or begins like a time."""
    number = _NUMBER.fullmatch(cell) is not None
    return number or (_TIME.match(cell) is not None and not unit_in(cell))


# Below the header


@dataclass(frozen=True)
class Below:
    """Rows between the header and the first readings.

    Attributes:
        rows: how many.
        units: by column, the unit stated.
        words: by column, what else stands there and describes it.
    """

    rows: int = 0
    units: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


def cut_below(text: Text, options: Csv) -> tuple[Text, Below]:
    """The table without rows of units and descriptions, and what they said.

    Raises:
        DataError: the file has fewer rows than the contract pins.
    """
    lines = separator.first_lines(text.content)
    if not text.header or any(map(_is_cut, lines[: _MOST_BELOW + 1])):
        return text, Below()
    rows = [_cells(line, text.separator) for line in lines]
    pinned = max(options.units_row or 0, options.rows_below or 0)
    settled = options.units_row is not None or options.rows_below is not None
    count = pinned if settled else _worded_rows(rows)
    if not count:
        return text, Below()
    head, rest = lines[0].encode() + b"\n", _without_lines(text.file, text.content, 1)
    content = head + _without_lines(text.file, rest, count)
    units = _stated(rows[0], rows[1 : count + 1], options.units_row)
    words = _described(rows[0], rows[1 : count + 1])
    return dataclasses.replace(text, content=content), Below(count, units, words)


def _worded_rows(rows: list[list[str]]) -> int:
    """How many rows below the header hold units and descriptions, where that is certain."""
    header, body = rows[0], [row for row in rows[1:] if any(row)]
    for count in range(_MOST_BELOW, 0, -1):
        words, readings = body[:count], body[count:]
        fits = all(len(row) == len(header) for row in words)
        if fits and readings and _are_worded(words, readings):
            return count
    return 0


def _are_worded(words: list[list[str]], readings: list[list[str]]) -> bool:
    """Whether rows say what the columns below them hold.

    None of their cells is one that such a column may hold, and one of them is a row of units, or
    it is a single row with a word of its own for each column.
    """
    data = []
    for place in range(len(words[0])):
        cells = _column(readings, place)
        of_data = _holds_data(cells)
        if not all(_may_be_word(row[place], cells, of_data) for row in words):
            return False
        data += [place] * of_data
    if not data:
        return False
    if any(_is_row_of_units([row[place] for place in data]) for row in words):
        return True
    own = {words[0][place] for place in data}
    return len(words) == 1 and len(own) == len(data) >= _FEWEST_WORDED and "" not in own


def _column(rows: list[list[str]], place: int) -> list[str]:
    return [row[place] for row in rows if len(row) > place and row[place]]


def _holds_data(cells: list[str]) -> bool:
    known = [cell for cell in cells if cell.lower() not in MISSING]
    return bool(known) and sum(map(_is_datum, known)) >= _MOST * len(known)


def _may_be_word(cell: str, below: list[str], of_data: bool) -> bool:
    if cell.lower() in _NO_UNIT or unit_in(cell):
        return True
    if of_data:
        return not _is_datum(cell) and cell.lower() not in MISSING
    return cell not in below


def _is_row_of_units(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell.lower() not in _NO_UNIT]
    units = [cell for cell in filled if unit_in(cell)]
    return bool(units) and len(units) >= _HALF * len(filled)


def _stated(header: list[str], words: list[list[str]], pinned: int | None) -> dict[str, str]:
    """By column, the unit in the pinned row, or in the first row of units."""
    if pinned is not None:
        row = words[pinned - 1] if pinned <= len(words) else []
    else:
        row = next((row for row in words if _is_row_of_units(row)), [])
    units = {name: unit_in(cell) for name, cell in zip(header, row, strict=False)}
    return {name: unit for name, unit in units.items() if unit}


def _described(header: list[str], below: list[list[str]]) -> dict[str, str]:
    """By column, the words below its name that are no unit."""
    found = {}
    for name, *cells in zip(header, *below, strict=False):
        words = [cell for cell in cells if cell.lower() not in _NO_UNIT and not unit_in(cell)]
        if words:
            found[name] = " ".join(words)
    return found
