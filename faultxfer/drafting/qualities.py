"""Which sensor a column of quality is of, by which readings are doubtful where it is not good."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
import pandas as pd

from faultxfer.column_kinds.quality import qualified_columns, usual_code
from faultxfer.column_kinds.rows import ColumnRows
from faultxfer.drafting.draft import plain_name, quoted
from faultxfer.reading.long_form import GOOD, is_good
from faultxfer.reading.table import RawTable

# What OPC and others write for readings that are to be believed.
_GOOD_CODES = (192.0, 216.0)
_GOOD_WORDS = frozenset((*map(str.casefold, GOOD[1:]), "gut", "bon", "bueno", "buono", "goed"))
_OTHER_WORDS = frozenset(
    ("bad", "uncertain", "questionable", "invalid", "stale", "simulated", "substituted", "doubtful",
     "unreliable", "offline", "comm fail", "schlecht", "ungültig", "unsicher", "mauvais", "malo",
     "incerto", "slecht")
)  # fmt: skip
_MOST_WORDS = 8
# Sensors whose bad readings go as well with a quality, within this, are told apart by their names,
# where one name is more alike than all others by this.
_AS_WELL, _MORE_ALIKE = 0.1, 0.05


@dataclass(frozen=True)
class FoundQuality:
    """A column of quality.

    Attributes:
        column: its name.
        of: the sensor that it qualifies; None where that is not clear.
        good: spellings of a reading that counts.
        reason: why, in words that go on after "the column".
    """

    column: str
    of: str | None
    good: tuple[str, ...]
    reason: str

    def bad(self, table: RawTable) -> np.ndarray:
        """(n,) bool: readings of the sensor that do not count."""
        return ~is_good(table.stripped(self.column), self.good)


def words_as_codes(names: Iterable[str], tables: list[RawTable]) -> dict[str, list[pd.Series]]:
    """Columns of few words as codes, file by file, in the order in which the words come up."""
    coded = {}
    for name in names:
        cells = pd.concat([table.stripped(name) for table in tables], ignore_index=True)
        codes, words = pd.factorize(cells.where(cells != ""))
        if 1 < len(words) <= _MOST_WORDS:
            numbers = pd.Series(np.where(codes < 0, np.nan, codes), name=name)
            ends = np.cumsum([len(table) for table in tables])[:-1]
            coded[name] = [pd.Series(part) for part in np.split(numbers.to_numpy(), ends)]
    return coded


def qualities_of(
    rows: ColumnRows, numbers: Iterable[str], words: Iterable[str], tables: list[RawTable]
) -> list[FoundQuality]:
    """The qualities among some columns, and what they are of.

    Args:
        rows: with sensors, columns of codes, and columns of words as codes.
        numbers: columns that hold codes of quality, as their content shows.
        words: columns of words that may be qualities.
        tables: the files.
    """
    found = [_quality(rows, name, _code_spellings(rows, name)) for name in numbers]
    for name in words:
        spellings = _word_spellings(name, tables)
        if spellings is not None:
            found.append(_quality(rows, name, spellings))
        elif len(qualified_columns(rows, name)) == 1:
            found.append(_quality(rows, name, (_commonest(name, tables),)))
    return _one_each(found)


def _code_spellings(rows: ColumnRows, name: str) -> tuple[str, ...]:
    usual = usual_code(rows, name)
    if usual is None:
        return ()
    values = rows.values[name]
    good = [code for code in _GOOD_CODES if (values == code).any()]
    return tuple(f"{code:g}" for code in (good if usual in _GOOD_CODES else [usual]))


def _word_spellings(name: str, tables: list[RawTable]) -> tuple[str, ...] | None:
    """The words for good; None where the words are not those of a quality."""
    cells = pd.concat([table.stripped(name) for table in tables])
    seen = [str(word) for word in cells.unique() if word]
    good = tuple(word for word in seen if word.casefold() in _GOOD_WORDS)
    known = all(word.casefold() in _GOOD_WORDS | _OTHER_WORDS for word in seen)
    return good if good and known else None


def _commonest(name: str, tables: list[RawTable]) -> str:
    cells = pd.concat([table.stripped(name) for table in tables])
    return str(cells[cells != ""].mode().iloc[0])


def _quality(rows: ColumnRows, name: str, good: tuple[str, ...]) -> FoundQuality:
    matches = qualified_columns(rows, name)
    spelt = ", ".join(good)
    if not matches:
        return _unclear(name, good, "is a quality, and no readings are doubtful where it is not "
                        f"{spelt}")  # fmt: skip
    best = max(matches.values())
    alike = [other for other, match in matches.items() if match >= best - _AS_WELL]
    of = alike[0] if len(alike) == 1 else _by_name(name, alike)
    if of is None:
        return _unclear(name, good, f"is the quality of one of {', '.join(alike[:5])}")
    why = f"its readings are doubtful where it is not {spelt}"
    if len(alike) > 1:
        others = ", ".join(other for other in alike if other != of)
        why += f", as are those of {others}, but the names are alike"
    return FoundQuality(name, of, good, f"is the quality of {of!r}: {why}")


def _unclear(name: str, good: tuple[str, ...], reason: str) -> FoundQuality:
    return FoundQuality(name, None, good, f"{reason}; {advice(name, good)}")


def advice(name: str, good: tuple[str, ...]) -> str:
    """What to write where it is not clear which sensor a quality is of."""
    spelt = ", ".join(map(quoted, good))
    return f"write `quality: {{column: {name}, good: [{spelt}]}}` at the sensor that it is of"


def _by_name(name: str, others: list[str]) -> str | None:
    """The column whose name is most alike; None where two are as much alike."""
    alike = [_likeness(plain_name(name), plain_name(other)) for other in others]
    first, second = sorted(alike, reverse=True)[:2]
    return others[int(np.argmax(alike))] if first - second >= _MORE_ALIKE else None


def _likeness(name: str, other: str) -> float:
    """How much a name is like another one: in all, and in what both begin or end with.

    >>> _likeness("x_state", "x") > _likeness("x_state", "a")
    True
    """
    shared = max(_shared_begin(name, other), _shared_begin(name[::-1], other[::-1]))
    return SequenceMatcher(None, name, other).ratio() + shared / max(len(other), 1)


def _shared_begin(one: str, other: str) -> int:
    """With how many equal letters two texts begin."""
    pairs = zip(one, other, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _one_each(found: list[FoundQuality]) -> list[FoundQuality]:
    """A sensor has one quality: the first column keeps it."""
    taken: set[str] = set()
    out = []
    for each in found:
        if each.of in taken:
            out.append(_unclear(each.column, each.good, f"is another quality of {each.of!r}"))
            continue
        taken |= {each.of} if each.of else set()
        out.append(each)
    return out


def always_good(name: str, table: RawTable, found: list[FoundQuality]) -> str | None:
    """Why a column with one value in all rows is a quality too, beside others of its kind."""
    cells = table.stripped(name)
    good = tuple(dict.fromkeys(spelling for each in found for spelling in each.good))
    if not len(cells) or not good or not is_good(cells, good).all():
        return None
    return f"is a quality that is good in all rows, like others here; {advice(name, good[:1])}"
