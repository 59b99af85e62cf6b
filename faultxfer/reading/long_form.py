"""Exports with a row for each reading (time, tag, value) as a row for each moment."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from faultxfer.errors import DataError
from faultxfer.reading.table import RawTable, Remark

GOOD = ("192", "Good", "good", "GOOD", "OK", "ok", "Valid", "valid")
_DUPLICATE = "READING-DUPLICATE"
_QUALITY = "READING-QUALITY"


class Long(BaseModel):
    """Columns of an export in long form, which has one reading in each row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time: str = Field(description="Column of the time; `time_column` names it too.")
    tag: str = Field(description="Column that says which sensor a reading is of.")
    value: str = Field(description="Column of the readings.")
    quality: str | None = Field(
        default=None, description="Column that says what a reading is worth."
    )
    good: tuple[str, ...] = Field(
        default=GOOD, min_length=1, description="Spellings of a quality that counts, in quotes."
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns named."""
        named = (self.time, self.tag, self.value, self.quality)
        return tuple(name for name in named if name)


@dataclass(frozen=True)
class _Readings:
    """Readings by moment and tag.

    Attributes:
        source: the table with a row for each reading.
        value: its column of readings.
        keys: (m, …) cells that all readings of a moment share.
        tags: names of the tags.
        place: (m, tags) row of the source that holds the reading; -1 where there is none.
    """

    source: RawTable
    value: str
    keys: pd.DataFrame
    tags: list[str] = field(default_factory=list)
    place: np.ndarray = field(default_factory=lambda: np.empty((0, 0), dtype=int))

    def rows(self, places: np.ndarray) -> pd.DataFrame:
        """Moments as text, each reading as it stands in the file."""
        wanted = self.place[places]
        known = wanted >= 0
        sources, which = np.unique(wanted[known], return_inverse=True)
        texts = self.source.rows(sources)[self.value].to_numpy(dtype=object)
        cells = np.full(wanted.shape, "", dtype=object)
        cells[known] = texts[which]
        readings = pd.DataFrame(cells, columns=self.tags, dtype="str")
        keys = self.keys.iloc[places].reset_index(drop=True)
        return pd.concat([keys, readings], axis="columns")


def pivoted(table: RawTable, long: Long | None, keys: tuple[str, ...]) -> RawTable:
    """The table with a row for each moment and a column for each tag.

    Of two readings of one tag and moment the first counts. Readings of bad quality are missing.

    Args:
        table: a row for each reading; ``value`` may be typed.
        long: which column is which; None leaves the table as it is.
        keys: further columns that tell moments apart (machine, run, label), where the file has
            them.

    Raises:
        DataError: a column named is not in the file.
    """
    if long is None:
        return table
    _require(table, long)
    shared = [name for name in dict.fromkeys((long.time, *keys)) if name in table.frame]
    cells = table.frame[shared].apply(lambda column: column.str.strip())
    moment = cells.groupby(shared, sort=False, dropna=False).ngroup().to_numpy()
    tag, tags = pd.factorize(table.stripped(long.tag))
    bad = _bad(table, long)
    twice = _twice(moment * len(tags) + tag, bad)
    first = np.unique(moment, return_index=True)[1]
    place = np.full((len(first), len(tags)), -1, dtype=np.int64)
    counts = ~twice & ~bad
    place[moment[counts], tag[counts]] = np.flatnonzero(counts)
    order = _by_time(table, long, first)
    of_moment = cells.iloc[first[order]].reset_index(drop=True)
    readings = _Readings(table, long.value, of_moment, list(map(str, tags)), place[order])
    remarks = (*_duplicates(table, long, twice), *_of_bad_quality(table, long, bad))
    return _table(readings, first[order], remarks)


def _require(table: RawTable, long: Long) -> None:
    absent = [name for name in long.columns if name not in table.names]
    if absent:
        raise DataError(
            "The file lacks columns that `long` names in the contract",
            received={"missing": absent, "columns": table.names},
            where=table.file,
            code="COLUMN-MISSING",
            remedy="Correct `long` in the contract, or take it out for files with a column for "
            "each sensor",
        )


def _bad(table: RawTable, long: Long) -> np.ndarray:
    """(n,) bool: readings whose quality does not count."""
    if long.quality is None:
        return np.zeros(len(table), dtype=bool)
    return ~is_good(table.stripped(long.quality), long.good)


def _twice(readings: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """(n,) bool: readings that repeat an earlier one; one of bad quality is no reading."""
    twice = np.zeros(len(readings), dtype=bool)
    twice[~bad] = pd.Series(readings[~bad]).duplicated().to_numpy()
    return twice


def is_good(cells: pd.Series, good: tuple[str, ...]) -> np.ndarray:
    """(n,) bool: whether a quality is one of the spellings; 192 and 192.0 are the same.

    >>> is_good(pd.Series(["192.0", "24", "Good"]), ("192", "Good")).tolist()
    [True, False, True]
    """
    plain = cells.str.strip().str.replace(r"^(\d+)[.,]0+$", r"\1", regex=True)
    spellings = {text.strip() for text in good}
    whole = {text.removesuffix(".0") for text in spellings}
    fits: np.ndarray = plain.isin(spellings | whole).to_numpy(dtype=bool)
    return fits


def _by_time(table: RawTable, long: Long, first: np.ndarray) -> np.ndarray:
    """(m,) moments in the order of time: tags may stand one below the other in the file."""
    seconds = table.times(long.time).seconds.to_numpy()[first]
    return np.argsort(seconds, kind="stable")


def _duplicates(table: RawTable, long: Long, twice: np.ndarray) -> list[Remark]:
    places = np.flatnonzero(twice)
    if not len(places):
        return []
    return [
        Remark(
            _DUPLICATE,
            f"{len(places)} reading(s) have the time and the tag of an earlier one, which counts",
            "Export each reading once, with times as fine as the readings",
            long.tag,
            len(places),
            int(table.lines[places[0]]),
            str(table.files_of(None, places[:1])[0]),
            table.lines[places],
        )
    ]


def _of_bad_quality(table: RawTable, long: Long, bad: np.ndarray) -> list[Remark]:
    places = np.flatnonzero(bad)
    if not len(places) or long.quality is None:
        return []
    seen = table.stripped(long.quality)[bad].value_counts().index[:5]
    return [
        Remark(
            _QUALITY,
            f"{len(places)} reading(s) have a quality that is not good "
            f"({', '.join(map(str, seen))}) and count as missing",
            "Name further good spellings under `good` in the contract, if these are",
            long.quality,
            len(places),
            int(table.lines[places[0]]),
            str(table.files_of(None, places[:1])[0]),
            table.lines[places],
        )
    ]


def _table(readings: _Readings, first: np.ndarray, remarks: tuple[Remark, ...]) -> RawTable:
    """The table of moments; ``first`` is the (m,) place of the first reading of each."""
    source, value = readings.source, readings.value
    typed: dict[str, np.ndarray] = {}
    texts: dict[str, pd.Series] = {}
    units: dict[str, str | pd.Series] = {}
    for name, places in zip(readings.tags, readings.place.T, strict=True):
        if value in source.typed:
            typed[name] = np.where(places >= 0, source.typed[value][places], np.nan)
        else:
            texts[name] = _picked(source.frame[value], places)
        if isinstance(stated := source.units.get(value), pd.Series):
            units[name] = _picked(stated, places)
    of_files = source.row_sources
    return RawTable(
        source.file,
        pd.concat([readings.keys, pd.DataFrame(texts)], axis="columns"),
        source.lines[first],
        source.sha256,
        source.dialect,
        header=(*readings.keys.columns, *readings.tags),
        typed=typed,
        reread=readings.rows,
        units=units,
        cell_lines=_of_cells(readings, source.lines),
        sources=source.sources,
        row_sources=None if of_files is None else of_files[first],
        cell_sources={} if of_files is None else _of_cells(readings, of_files),
        remarks=(*source.remarks, *remarks),
        made_of=made_of(len(source), len(readings.tags)),
    )


def made_of(readings: int, tags: int) -> str:
    """How many readings of how many tags a table was made of."""
    return f"made of {readings} readings of {tags} tags"


def with_all_tags(table: RawTable, tags: tuple[str, ...], readings: int) -> RawTable:
    """The table of a part of a file, with the columns that the whole file has.

    Args:
        table: rows of moments; it has no other tags.
        tags: of the whole file, in its order.
        readings: how many the whole file has.
    """
    keys = [name for name in table.header if name not in tags]
    header = (*keys, *tags)
    full = table.with_blank(name for name in tags if name not in table.header)
    inner = table.reread

    def reread(places: np.ndarray) -> pd.DataFrame:
        rows = table.frame.iloc[places] if inner is None else inner(places)
        return rows.reindex(columns=list(header), fill_value="").astype("str")

    return dataclasses.replace(
        full, header=header, reread=reread, made_of=made_of(readings, len(tags))
    )


def _of_cells(readings: _Readings, numbers: np.ndarray) -> dict[str, np.ndarray]:
    """By tag, a number of each (m,) cell's reading; 0 where there is none."""
    places = zip(readings.tags, readings.place.T, strict=True)
    return {name: np.where(of_tag >= 0, numbers[of_tag], 0) for name, of_tag in places}


def _picked(cells: pd.Series, places: np.ndarray) -> pd.Series:
    """Cells by their places; empty where there is none."""
    picked = cells.take(np.maximum(places, 0)).reset_index(drop=True)
    return picked.mask(places < 0, "")
