"""Whether a file has one reading in each row, by its content: several tags share one column."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pandas as pd

from faultxfer.errors import DataError
from faultxfer.reading.long_form import GOOD, Long
from faultxfer.reading.table import RawTable

_TAG_NAMES = re.compile(
    r"(?:(?:var|tag|signal|point|sensor|channel|item|parameter|metric)[ _-]?(?:name|id)?)|variable|"
    r"measurement|messstelle|kanal|größe|groesse|grandeur|variabile|grootheid|señal|sinal",
    re.IGNORECASE,
)
_VALUE_NAMES = re.compile(
    r"(?:var|tag|point|signal)?[ _-]?(?:value|val)|(?:mess)?wert|valeur|valore?|waarde|reading|v",
    re.IGNORECASE,
)
_QUALITY_NAMES = re.compile(
    r"(?:var|tag|value)?[ _-]?(?:quality|qual|q|status|validity|valid|qualität|qualité|calidad|"
    r"qualità|qualidade|kwaliteit|gültig)",
    re.IGNORECASE,
)
# Codes of quality that say good where the words do not: WinCC has 1.
_MOST_CODES, _MOST_TAGS = 8, 5000
# Rows that are looked at; tags may stand one below the other.
_LOOK = 300_000
# A few rows show what kind of columns there are. Beside the value there may be codes and the time
# as a number, but not more.
_FEW_ROWS, _MOST_MEASURED = 500, 3
_ARE_NUMBERS, _ARE_PAIRS, _SHARE_TIMES = 0.8, 0.8, 0.5
# Groups that lie apart are tags rather than machines: in this share of pairs, or by this factor.
_APART, _FACTOR = 0.5, 10.0


def find_long(table: RawTable, taken: frozenset[str] = frozenset()) -> Long | None:
    """The columns of an export in long form; None where the rows are moments.

    A tag is a text column whose groups share times, have each time once, and hold readings of
    different size, or that has a usual name beside a column of values with one.

    Args:
        table: all columns as text.
        taken: columns that are known to be something else: the label, the machine, the run.
    """
    if not _may_be_long(table, taken):
        return None
    frame = table.rows(np.arange(min(len(table), _LOOK)))
    table = RawTable(table.file, frame, table.lines[:_LOOK], table.sha256, table.dialect)
    names = [str(name) for name in frame if name not in taken]
    numbers = [name for name in names if _are_numbers(frame[name])]
    texts = [name for name in names if name not in numbers and frame[name].nunique() > 1]
    times = [name for name in texts if _are_times(table, name)]
    tags = [name for name in texts if name not in times and frame[name].nunique() <= _MOST_TAGS]
    keys = [str(name) for name in frame if name in taken]
    for time in times or numbers:
        value = _value(frame, numbers, time)
        found = [tag for tag in tags if value and _is_tag(frame, time, tag, value, keys, tags)]
        if time in numbers:
            found = [tag for tag in found if _rises(frame, time, [tag, *keys])]
        if value and found:
            tag = max(found, key=lambda name: (_is_named(name, _TAG_NAMES), frame[name].nunique()))
            quality, good = _quality(frame, {time, tag, value}, names)
            return Long(time=time, tag=tag, value=value, quality=quality, good=good)
    return None


def _may_be_long(table: RawTable, taken: frozenset[str]) -> bool:
    """Whether few enough columns hold numbers that are no codes: wide files are known at once."""
    if not len(table):
        return False
    places = np.unique(np.linspace(0, len(table) - 1, _FEW_ROWS).astype(int))
    few = table.rows(places)
    measured = [
        name
        for name in map(str, few)
        if name not in taken and few[name].nunique() > _MOST_CODES and _are_numbers(few[name])
    ]
    return 0 < len(measured) <= _MOST_MEASURED


def _are_numbers(cells: pd.Series) -> bool:
    filled = cells[cells.str.strip() != ""]
    numbers = filled.str.fullmatch(r"\s*[+-]?[\d.,]*\d[.,]?(?:[eE][+-]?\d+)?\s*")
    return len(filled) > 0 and bool(numbers.mean() >= _ARE_NUMBERS)


def _are_times(table: RawTable, name: str) -> bool:
    try:
        return bool(table.times(name).seconds.notna().mean() >= _ARE_NUMBERS)
    except DataError:
        return True  # dates that need a pin are times


def _rises(frame: pd.DataFrame, name: str, of: list[str]) -> bool:
    """Whether a number grows from reading to reading of one tag, as time does."""
    plain = frame[name].str.strip().str.replace(",", ".", regex=False)
    values = pd.to_numeric(plain, errors="coerce")
    groups = [frame[key] for key in of]
    steps = values.groupby(groups).diff().dropna()
    return bool(len(steps) and (steps > 0).mean() >= _ARE_PAIRS)


def _value(frame: pd.DataFrame, numbers: list[str], time: str) -> str | None:
    """The only column of numbers that are neither few codes nor another form of the time."""
    free = [name for name in numbers if name != time]
    named = [name for name in free if _is_named(name, _VALUE_NAMES)]
    if len(named) == 1:
        return named[0]
    measured = []
    for name in free:
        codes = frame[name].nunique() <= _MOST_CODES
        by_time = (frame.groupby(time)[name].nunique() <= 1).all()
        if not codes and not by_time and not _counts(frame[name]):
            measured.append(name)
    return measured[0] if len(measured) == 1 else None


def _counts(cells: pd.Series) -> bool:
    """Whether a column numbers the rows: readings of several tags do not rise all the time."""
    values = pd.to_numeric(cells.str.strip(), errors="coerce")
    return bool(values.is_unique and values.is_monotonic_increasing)


def _is_named(name: str, usual: re.Pattern[str]) -> bool:
    return usual.fullmatch(name.strip()) is not None


def _is_tag(
    frame: pd.DataFrame, time: str, tag: str, value: str, keys: list[str], texts: list[str]
) -> bool:
    by_moment = [
        time,
        *keys,
        *(name for name in texts if name != tag and _names_rows(frame, name, tag)),
    ]
    pairs = ~frame.duplicated([*by_moment, tag])
    shared = frame.groupby(time)[tag].transform("nunique") > 1
    if pairs.mean() < _ARE_PAIRS or shared.mean() < _SHARE_TIMES:
        return False
    named = _is_named(tag, _TAG_NAMES) and _is_named(value, _VALUE_NAMES)
    return named or _lie_apart(frame[tag], frame[value])


def _names_rows(frame: pd.DataFrame, name: str, tag: str) -> bool:
    """Whether a text column may name machines: it does not follow from the tag."""
    return bool((frame.groupby(tag)[name].nunique() > 1).any())


def _lie_apart(tags: pd.Series, cells: pd.Series) -> bool:
    """Whether the readings of the groups differ in size, as those of other quantities do."""
    plain = cells.str.strip().str.replace(",", ".", regex=False)
    values = pd.to_numeric(plain, errors="coerce")
    quarters = values.groupby(tags).quantile(np.array([0.25, 0.5, 0.75])).unstack()
    pairs = list(combinations(quarters.to_numpy()[:50], 2))
    apart = [one[2] < other[0] or other[2] < one[0] for one, other in pairs]
    middle = np.abs(quarters[0.5])
    wide = middle.max() > _FACTOR * max(middle.min(), 1e-12)
    return bool(len(quarters) > 2 and wide and np.mean(apart) >= _APART)


def _quality(
    frame: pd.DataFrame, taken: set[str], names: list[str]
) -> tuple[str | None, tuple[str, ...]]:
    """The column of quality, and its spellings that are good: usual ones, else the commonest."""
    for name in names:
        cells = frame[name].str.strip()
        usual = _is_named(name, _QUALITY_NAMES) or set(cells.unique()) & set(GOOD[1:])
        if name in taken or not usual or cells.nunique() > _MOST_CODES:
            continue
        known = tuple(text for text in GOOD if (cells == text).any())
        return name, known or (str(cells.mode().iloc[0]),)
    return None, GOOD
