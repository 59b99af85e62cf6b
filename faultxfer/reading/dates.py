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
        cells: (n,) as written, for the error.
        parts: (n, …) text in columns ``one``, ``two``, ``three`` and ``mark``, missing where a
            cell is no such date.
        day_first: what the contract pins.
        where: file and column, for the error.

    Raises:
        DataError: two orders fit, or none fits all dates.
    """
    if day_first is not None:
        return "day" if day_first else "month"
    fits = _fitting(parts)
    dates = fits.any(axis=1)
    if not dates.any():
        return "day"  # there is no date among them
    orders: list[Order] = [order for order in PARTS if fits.loc[dates, order].all()]
    nearer = None
    if "day" in orders and "year" in orders:
        nearer = _nearer(parts[dates])
        if nearer == "day":
            orders.remove("year")
    if "day" in orders and _dotted_days(parts, dates, nearer, orders):
        return "day"
    if len(orders) != 1:
        raise _ambiguous(cells, parts, orders, where)
    return orders[0]


def orders_of(parts: pd.DataFrame) -> set[Order] | None:
    """Orders in which all dates can be read; None where dots decide, or there is no date.

    Args:
        parts: as of :func:`date_order`.
    """
    marks = parts["mark"].dropna()
    if not len(marks) or (marks == ".").all():
        return None
    fits = _fitting(parts)
    dates = fits.any(axis=1)
    return {order for order in PARTS if fits.loc[dates, order].all()}


def _fitting(parts: pd.DataFrame) -> pd.DataFrame:
    """(n, 3) bool: by order, whether each date can be read in it.

    A year has two digits or four, and stands first with two.
    """
    one, two, three = (parts[name].astype("float64") for name in ("one", "two", "three"))
    first, last = parts["one"].str.len(), parts["three"].str.len()
    year_last, year_first = last > 1, (first == 2) & (last <= 2)
    days_and_months = one.between(1, _MOST_DAYS) & two.between(1, _MOST_MONTHS)
    months_and_days = one.between(1, _MOST_MONTHS) & two.between(1, _MOST_DAYS)
    ends_in_day = two.between(1, _MOST_MONTHS) & three.between(1, _MOST_DAYS)
    return pd.DataFrame(
        {
            "day": days_and_months & year_last,
            "month": months_and_days & year_last,
            "year": ends_in_day & year_first,
        }
    )


def _nearer(parts: pd.DataFrame) -> Order | None:
    """The order, day or year first, in which all dates lie much nearer to each other."""
    by_day, by_year = _span(parts, "day"), _span(parts, "year")
    if by_day * _CLEARLY < by_year:
        return "day"
    return "year" if by_year * _CLEARLY < by_day else None


def _span(parts: pd.DataFrame, order: Order) -> float:
    """Days between the first and the last date."""
    year, month, day = (parts[name].astype("float64") for name in PARTS[order])
    days = year * 365.25 + month * 30.44 + day
    return float(days.max() - days.min())


def _dotted_days(
    parts: pd.DataFrame, dates: pd.Series, nearer: Order | None, orders: list[Order]
) -> bool:
    """Whether dots decide: they are written where the day stands first, unless the year may."""
    if not (parts["mark"].dropna() == ".").all():
        return False
    if nearer == "day" or "year" not in orders:
        return True
    return nearer is None and _recent_with_day_first(parts[dates])


def _recent_with_day_first(parts: pd.DataFrame) -> bool:
    """Whether the day first makes the likelier year.

    26.03.01 is hardly a day of 2001, nor 31.03.26 one of 2031.
    """
    first, last = (float(parts[name].astype("float64").max()) for name in ("one", "three"))
    return first - last < _LONG_AGO or first > datetime.now(UTC).year % 100


def _ambiguous(cells: pd.Series, parts: pd.DataFrame, orders: list[Order], where: str) -> DataError:
    dates = parts["mark"].notna()
    day, month = "`csv: {day_first: true}`", "`csv: {day_first: false}`"
    pins = f"{day} or {month}"
    problem = "some have the day first and others the month"
    if "year" in orders:
        form = _form(cells[dates].iloc[0], parts[dates].iloc[0])
        year = f'`csv: {{time_format: "{form}"}}`'
        pins = f"{year} where the year stands first or {day} where the day does"
        problem = "each may have the year first as well"
    elif orders:
        problem = "each may have the day or the month first"
    return DataError(
        f"The dates cannot be read in one way only: {problem}",
        received={"cells": list(cells[dates].iloc[:3])},
        where=where,
        code="FILE-AMBIGUOUS",
        remedy=f"Pin it in the contract: {pins}",
    )


def _form(cell: str, parts: pd.Series) -> str:
    """The format of a date with the year first, and of its clock."""
    mark, month = re.findall(r"\W+|\w+", cell)[1:3]
    date = f"%y{mark}{'%b' if month.isalpha() else '%m'}{mark}%d"
    if pd.isna(parts["hour"]):
        return date
    return f"{date} %H:%M" if pd.isna(parts["second"]) else f"{date} %H:%M:%S"


# Digits alone

# By the number of digits.
_FORMS = {
    8: ("%Y%m%d",),
    10: ("%y%m%d%H%M",),
    12: ("%Y%m%d%H%M", "%y%m%d%H%M%S"),
    14: ("%Y%m%d%H%M%S",),
}
_FIRST_YEAR, _LAST_YEAR = 1990, 2100
# This many cells show whether it is worth while to look at all of them.
_LOOK = 1000
_DAY_ALONE = 8


def compact_form(cells: pd.Series, otherwise: str, where: str) -> str | None:
    """The format of dates in digits alone; None where the numbers are plain ones.

    >>> compact_form(pd.Series(["20260331140500", "20260331141000"]), "number", "a.csv")
    '%Y%m%d%H%M%S'

    Args:
        cells: (n,) stripped text cells, missing ones left out.
        otherwise: the pin under which they would be read as numbers.
        where: file and column, for the error.

    Raises:
        DataError: they may be dates or numbers, or have a year of two digits.
    """
    digits = cells[cells.str.fullmatch(r"\d+")]
    if not len(digits):
        return None
    length = int(digits.str.len().mode()[0])
    shares = {}
    for form in _FORMS.get(length, ()):
        if _share(digits.iloc[:_LOOK], form, length) >= 0.5:
            shares[form] = _share(digits, form, length)
    certain = [form for form, share in shares.items() if share == 1]
    if len(certain) == 1 and certain[0].startswith("%Y"):
        return certain[0]
    likely = [form for form, share in shares.items() if share >= 0.5]
    # A counter may well pass through numbers that look like a day.
    doubtful = certain or (likely if length > _DAY_ALONE else [])
    if doubtful:
        raise _date_or_number(digits, [*doubtful, otherwise], where)
    return None


def _share(digits: pd.Series, form: str, length: int) -> float:
    """The share of cells that are a moment of these years."""
    years = pd.to_datetime(digits, format=form, errors="coerce").dt.year
    recent = years.between(_FIRST_YEAR, _LAST_YEAR)
    return float((recent & (digits.str.len() == length)).mean())


def _date_or_number(digits: pd.Series, formats: list[str], where: str) -> DataError:
    pins = [f'`csv: {{time_format: "{form}"}}`' for form in formats]
    return DataError(
        "The times can be dates in digits or numbers",
        received={"cells": list(digits.iloc[:3])},
        where=where,
        code="FILE-AMBIGUOUS",
        remedy=f"Pin it in the contract: {' or '.join(pins)}",
    )
