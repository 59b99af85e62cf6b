"""What written dates mean: which part is the day, and digits alone such as 202603311405.

Only what the cells prove counts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import pandas as pd

from faultxfer.errors import DataError

Order = Literal["day", "month", "year"]


class Parts(NamedTuple):
    """Names of the three parts of a date: ``one``, ``two`` or ``three``."""

    year: str
    month: str
    day: str


PARTS: dict[Order, Parts] = {
    "day": Parts("three", "two", "one"),
    "month": Parts("three", "one", "two"),
    "year": Parts("one", "two", "three"),
}
_MOST_DAYS, _MOST_MONTHS = 31, 12
# Read wrongly, days become years: the dates lie much further apart, at least by this factor.
_CLEARLY = 2
# Years by which a recording is likelier the younger one.
_LONG_AGO = 10


def date_order(cells: pd.Series, parts: pd.DataFrame, day_first: bool | None, where: str) -> Order:
    """What stands first in dates such as 31/03/2026, 03/31/26 or 26-03-31.

    Args:
        cells: as written, for the error.
        parts: text in columns ``one``, ``two``, ``three`` and ``mark``, missing where a cell is no such date.
        day_first: what the contract pins.
        where: file and column, for the error.

    Raises:
        DataError: two orders fit, or none fits all dates.
    """
    if day_first is not None:
        return "day" if day_first else "month"
    fits = _fitting(parts)
    told = fits[fits.any(axis=1)]
    if told.empty:
        return "day"  # there is no date among them
    orders: list[Order] = [order for order in PARTS if bool(told[order].all())]
    dots = bool((parts["mark"].dropna() == ".").all())
    if "day" in orders and "year" in orders:
        shorter = _shorter(parts.loc[told.index])
        if shorter == "day":
            orders.remove("year")
        dots = (
            dots
            and shorter != "year"
            and (shorter == "day" or _recent_with_day_first(parts.loc[told.index]))
        )
    if dots and "day" in orders:
        return "day"  # dots are written where the day stands first
    if len(orders) != 1:
        raise _ambiguous(cells, parts, orders, where)
    return orders[0]


def _fitting(parts: pd.DataFrame) -> pd.DataFrame:
    """By order, whether each date can be read in it. A year has two digits or four, and stands first with two."""
    one, two, three = (parts[name].astype("float64") for name in ("one", "two", "three"))
    last, first = (
        parts["three"].str.len() > 1,
        (parts["one"].str.len() == 2) & (parts["three"].str.len() <= 2),
    )
    return pd.DataFrame(
        {
            "day": one.between(1, _MOST_DAYS) & two.between(1, _MOST_MONTHS) & last,
            "month": one.between(1, _MOST_MONTHS) & two.between(1, _MOST_DAYS) & last,
            "year": two.between(1, _MOST_MONTHS) & three.between(1, _MOST_DAYS) & first,
        }
    )


def _shorter(parts: pd.DataFrame) -> Order | None:
    """With the day or with the year first: the order in which all dates lie much nearer to each other."""
    day, year = (_span(parts, order) for order in ("day", "year"))
    if day * _CLEARLY < year:
        return "day"
    return "year" if year * _CLEARLY < day else None


def _recent_with_day_first(parts: pd.DataFrame) -> bool:
    """Whether the day first makes the likelier year: 26.03.01 is hardly a day of 2001, nor 31.03.26 one of 2031."""
    first, last = (float(parts[name].astype("float64").max()) for name in ("one", "three"))
    return first - last < _LONG_AGO or first > datetime.now(UTC).year % 100


def _span(parts: pd.DataFrame, order: Literal["day", "year"]) -> float:
    year, month, day = (parts[name].astype("float64") for name in PARTS[order])
    days = year * 365.25 + month * 30.44 + day
    return float(days.max() - days.min())


def _ambiguous(cells: pd.Series, parts: pd.DataFrame, orders: list[Order], where: str) -> DataError:
    dates = parts["mark"].notna()
    problem = "some have the day first and others the month"
    if "year" in orders:
        problem = "each may have the year first as well"
    elif orders:
        problem = "each may have the day or the month first"
    pins = ["`csv: {day_first: true}`", "`csv: {day_first: false}`"]
    if "year" in orders:
        form = _form(cells[dates].iloc[0], parts[dates].iloc[0])
        pins = [
            f'`csv: {{time_format: "{form}"}}` where the year stands first',
            f"{pins[0]} where the day does",
        ]
    return DataError(
        f"Dates that can be read in one way only were expected, but {problem}",
        received={"cells": list(cells[dates].iloc[:3])},
        where=where,
        code="FILE-AMBIGUOUS",
        remedy=f"Pin it in the contract: {' or '.join(pins)}",
    )


def _form(cell: str, parts: pd.Series) -> str:
    """The format of a date with the year first, and of its clock."""
    mark, month = re.findall(r"\W+|\w+", cell)[1:3]
    clock = "" if pd.isna(parts["hour"]) else " %H:%M" + ("" if pd.isna(parts["second"]) else ":%S")
    return f"%y{mark}{'%b' if month.isalpha() else '%m'}{mark}%d{clock}"


# By the number of digits.
_FORMS = {
    8: ("%Y%m%d",),
    10: ("%y%m%d%H%M",),
    12: ("%Y%m%d%H%M", "%y%m%d%H%M%S"),
    14: ("%Y%m%d%H%M%S",),
}
_FIRST_YEAR, _LAST_YEAR = 1990, 2100
# So many cells tell whether it is worth while to look at all of them.
_LOOK = 1000
_DAY_ALONE = 8


def compact_form(cells: pd.Series, otherwise: str, where: str) -> str | None:
    """The format of compact moments; None where the numbers are plain ones.

    Args:
        cells: stripped text cells, missing ones left out.
        otherwise: the pin under which they would be read as numbers.
        where: file and column, for the error.

    Raises:
        DataError: they may be moments or numbers, or have a year of two digits.
    """
    digits = cells[cells.str.fullmatch(r"\d+")]
    if not len(digits):
        return None
    length = int(digits.str.len().mode()[0])
    forms = [form for form in _FORMS.get(length, ()) if _share(digits.iloc[:_LOOK], form) >= 0.5]
    shares = {form: _share(digits, form) for form in forms}
    certain = [form for form, share in shares.items() if share == 1]
    if len(certain) == 1 and certain[0].startswith("%Y"):
        return certain[0]
    # A counter may well pass through numbers that look like a day.
    doubtful = certain or [
        form for form, share in shares.items() if share >= 0.5 and length > _DAY_ALONE
    ]
    if doubtful:
        raise _date_or_number(digits, [*doubtful, otherwise], where)
    return None


def _share(digits: pd.Series, form: str) -> float:
    """The share of cells that are a moment of these years."""
    years = pd.to_datetime(digits, format=form, errors="coerce").dt.year
    return float(
        (years.between(_FIRST_YEAR, _LAST_YEAR) & (digits.str.len() == _length(form))).mean()
    )


def _length(form: str) -> int:
    return next(length for length, forms in _FORMS.items() if form in forms)


def _date_or_number(digits: pd.Series, pins: list[str], where: str) -> DataError:
    return DataError(
        "Times that can be read in one way only were expected, but these may be a date in digits or a number",
        received={"cells": list(digits.iloc[:3])},
        where=where,
        code="FILE-AMBIGUOUS",
        remedy="Pin it in the contract: "
        + " or ".join(f'`csv: {{time_format: "{pin}"}}`' for pin in pins),
    )
