"""Date and time of day in two columns, joined to one column of times."""

from __future__ import annotations

import dataclasses

import pandas as pd

from faultxfer.errors import DataError
from faultxfer.reading.table import RawTable

_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[AaPp]\.?\s?[Mm]\.?)?"
# Spreadsheets write the first moment of a day behind a date, and their first day before a clock.
_MIDNIGHT = r"[ T]0{1,2}:00(?::00(?:[.,]0+)?)?$"
_FIRST_DAY = r"^(?:1899-12-30|1900-01-0[01]|1970-01-01)[ T]"
_DATES = (
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}",
    r"\d{1,2}[-/. ]+[^\W\d_]{3,}\.?[-/. ]+\d{2,4}",
    r"(?:19|20)\d{6}",
)
_MOST = 0.8


def joined(table: RawTable, parts: tuple[str, ...]) -> RawTable:
    """The table with a column of date and time more, called like both with a space between.

    Args:
        table: as read.
        parts: the column of the date and that of the time of day; empty where there are none.

    Raises:
        DataError: the file lacks one of them.
    """
    if not parts:
        return table
    absent = [name for name in parts if name not in table.frame]
    if absent:
        raise DataError(
            "The file lacks a column of which the contract makes the time",
            received={"missing": absent, "columns": table.names},
            where=table.file,
            code="COLUMN-MISSING",
            remedy="Correct `csv.time_parts` in the contract, or export the column",
        )
    day, clock = (table.frame[name].str.strip() for name in parts)
    day = day.str.replace(_MIDNIGHT, "", regex=True)
    clock = clock.str.replace(_FIRST_DAY, "", regex=True)
    time = (day + " " + clock).str.strip()
    name = " ".join(parts)
    frame = table.frame.assign(**{name: time.astype("str")})
    header = (*(table.header or map(str, table.frame.columns)), name)
    reread = table.reread or table.frame.iloc.__getitem__
    return dataclasses.replace(table, frame=frame, header=header, reread=reread)


def find_parts(table: RawTable) -> tuple[str, ...]:
    """The columns of date and time of day, where the file has just one of each.

    Dates and clocks both stand in columns of their own then, and no column holds both.
    """
    clocks = [name for name in table.frame if _share(table.frame[name], _CLOCK) >= _MOST]
    if len(clocks) != 1:
        return ()
    dates = [name for name in table.frame if name != clocks[0] and _are_dates(table.frame[name])]
    return (str(dates[0]), str(clocks[0])) if len(dates) == 1 else ()


def _are_dates(cells: pd.Series) -> bool:
    days = cells.str.strip().str.replace(_MIDNIGHT, "", regex=True)
    return _share(days, "|".join(_DATES)) >= _MOST


def _share(cells: pd.Series, pattern: str) -> float:
    """The share of a thousand filled cells that fit."""
    some = cells.iloc[:1000].str.strip().str.replace(_FIRST_DAY, "", regex=True)
    filled = some[some != ""]
    return float(filled.str.fullmatch(pattern).mean()) if len(filled) else 0.0
