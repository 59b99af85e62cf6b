"""Text cells as times: ISO 8601, day or month first, seconds or milliseconds since 1970, or a growing number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faultxfer.contract.cells import numbers
from faultxfer.contract.dialect import Dialect
from faultxfer.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_CLOCK = (
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:[.,]\d+)?))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$"
)
_YEAR_FIRST = r"^(?P<year>\d{4})(?P<mark>[-/.])(?P<one>\d{1,2})[-/.](?P<two>\d{1,2})" + _CLOCK
_YEAR_LAST = r"^(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})[-/.](?P<year>\d{4}|\d{2})" + _CLOCK
# Milliseconds since 1970 from 1973 to 2286; seconds since 1970 from 2001 to 2286.
_MILLISECONDS, _SECONDS = (1e11, 1e13), (1e9, 1e10)
_EPOCH = {"epoch_s": "seconds since 1970", "epoch_ms": "milliseconds since 1970", "number": "a number"}


@dataclass(frozen=True)
class Times:
    """A column of times.

    Attributes:
        seconds: float64 seconds since 1970 UTC, or the number itself; NaN where a cell cannot be read.
        style: how the cells are written, for people.
    """

    seconds: pd.Series
    style: str


def read_times(text: pd.Series, dialect: Dialect, *, where: str) -> Times:
    """Cells as times by what is pinned, else by what they look like.

    Raises:
        DataError: days and months cannot be told apart, or the decimal mark of numbers cannot.
    """
    pinned = dialect.times.format
    if pinned in (None, "iso"):
        quick = _plain_iso(text, dialect.times.zone)
        if quick is not None:
            return Times(quick, "year first")
    cells = text.str.strip()
    if pinned in _EPOCH or (pinned is None and _are_numbers(cells)):
        return _from_numbers(numbers(text, dialect, where=where), pinned)
    if pinned is not None and pinned != "iso":
        return Times(_in_seconds(_by_format(cells, pinned, dialect.times.zone)), f"written as {pinned}")
    parts = cells.str.extract(_YEAR_LAST)
    if pinned is None and parts["year"].notna().sum() > cells.str.match(_YEAR_FIRST).sum():
        day_first = _day_first(cells, parts, dialect.times.day_first, where)
        day, month = ("one", "two") if day_first else ("two", "one")
        return Times(
            _in_seconds(_assembled(parts, day, month, dialect.times.zone)), f"{'day' if day_first else 'month'} first"
        )
    return Times(_in_seconds(_year_first(cells, dialect.times.zone)), "year first")


def _plain_iso(text: pd.Series, zone: str | None) -> pd.Series | None:
    """Stamps such as 2026-03-31 14:05:00 at Arrow's speed; None if any cell is something else."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        stamps = pc.cast(pa.array(text, from_pandas=True), pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    if stamps.null_count or not len(stamps):
        return None
    if zone:
        return _in_seconds(_localized(pd.Series(stamps.to_pandas().to_numpy(), index=text.index), zone))
    return pd.Series(pc.cast(stamps, pa.int64()).to_numpy() / 1e6, index=text.index, dtype="float64")


def _are_numbers(cells: pd.Series) -> bool:
    plain = cells.str.fullmatch(r"[+-]?[\d.,]*\d[.,]?(?:[eE][+-]?\d+)?") & ~cells.str.match(_YEAR_LAST)
    return bool(plain.sum() >= cells.notna().sum() / 2)


def _from_numbers(values: pd.Series, pinned: str | None) -> Times:
    # The lower of two middle values: their mean may be too large for a float.
    style = pinned or _magnitude(float(values.abs().quantile(interpolation="lower")))
    return Times(values / 1000 if style == "epoch_ms" else values, _EPOCH[style])


def _magnitude(usual: float) -> str:
    if _MILLISECONDS[0] < usual < _MILLISECONDS[1]:
        return "epoch_ms"
    return "epoch_s" if _SECONDS[0] <= usual < _SECONDS[1] else "number"


def _day_first(cells: pd.Series, parts: pd.DataFrame, pinned: bool | None, where: str) -> bool:
    """Dots are written in day-first countries only; slashes and dashes need a day above 12 to tell."""
    if pinned is not None:
        return pinned
    if (parts["mark"].dropna() == ".").all():
        return True
    day = bool((parts["one"].astype("float64") > 12).any())
    month = bool((parts["two"].astype("float64") > 12).any())
    if day == month:
        raise DataError(
            "Dates that can be read in one way only were expected, but "
            + ("some have the day first and others the month" if day else "each may have the day or the month first"),
            received={"cells": list(cells[parts["year"].notna()].iloc[:3])},
            where=where,
            code="FILE-AMBIGUOUS",
            remedy="Pin it in the contract: `csv: {day_first: true}` or `csv: {day_first: false}`",
        )
    return day


def _by_format(cells: pd.Series, pinned: str, zone: str | None) -> pd.Series:
    import pandas as pd

    if "%z" in pinned:
        return pd.to_datetime(cells, format=pinned, errors="coerce", utc=True)
    return _localized(pd.to_datetime(cells, format=pinned, errors="coerce"), zone)


def _year_first(cells: pd.Series, zone: str | None) -> pd.Series:
    """The quick way for ISO 8601, and the slow way for what pandas does not take: slashes, 9:05, decimal commas."""
    import pandas as pd

    stamps = pd.to_datetime(cells, errors="coerce", utc=True, format="ISO8601")
    if zone:
        own = cells.str.contains(r"(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$") & cells.str.contains(":")
        stamps = stamps.where(own, _localized(stamps.dt.tz_localize(None), zone))
    # ISO 8601 takes 202603 for a month, which here is a number among stamps.
    stamps = stamps.where(cells.str.contains("-", regex=False) | cells.str.contains("T", regex=False))
    other = stamps.isna()
    if other.any():
        parts = cells[other].str.extract(_YEAR_FIRST)
        stamps = stamps.astype("datetime64[ns, UTC]")
        stamps[other] = _assembled(parts, "two", "one", zone).astype("datetime64[ns, UTC]")
    return stamps


def _assembled(parts: pd.DataFrame, day: str, month: str, zone: str | None) -> pd.Series:
    """Stamps in UTC from their parts; NaT where a part is missing or out of range."""
    import pandas as pd

    year = parts["year"].astype("float64")
    clock = {
        name: parts[name].str.replace(",", ".").astype("float64").fillna(0) for name in ("hour", "minute", "second")
    }
    dates = pd.to_datetime(
        pd.DataFrame({"year": year.where(year > 99, year + 2000), "month": parts[month], "day": parts[day]}).astype(
            "float64"
        ),
        errors="coerce",
    )
    hours, fits = _hours(clock["hour"], parts["half"].str.lower().str[0])
    fits &= (clock["minute"] < 60) & (clock["second"] < 60)
    seconds = hours * 3600 + clock["minute"] * 60 + clock["second"]
    stamps = (dates + pd.to_timedelta((seconds * 1e6).round(), unit="us")).where(fits)
    return _zoned(stamps, parts["zone"], zone)


def _hours(hour: pd.Series, half: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Hours from 0 to 23, and where they could be read."""
    twelve = half.notna()
    fits = (hour < 24).where(~twelve, (hour >= 1) & (hour <= 12))
    return (hour % 12 + 12 * (half == "p")).where(twelve, hour), fits


def _zoned(stamps: pd.Series, named: pd.Series, zone: str | None) -> pd.Series:
    """Stamps in UTC: by the zone each names, else by the pinned one."""
    import pandas as pd

    offsets = named.str.extract(r"^(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})?$")
    minutes = offsets["hours"].astype("float64") * 60 + offsets["minutes"].astype("float64").fillna(0)
    minutes = minutes.where(offsets["sign"] != "-", -minutes).fillna(0)
    own = (stamps - pd.to_timedelta(minutes, unit="min")).dt.tz_localize("UTC")
    return own if zone is None else own.where(named.notna(), _localized(stamps, zone))


def _localized(stamps: pd.Series, zone: str | None) -> pd.Series:
    """In UTC. The hour that occurs twice in autumn is NaT: its rows could stand in either order."""
    localized: pd.Series = stamps.dt.tz_localize(zone or "UTC", ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")
    return localized


def _in_seconds(stamps: pd.Series) -> pd.Series:
    import pandas as pd

    passed = (stamps - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
    return pd.Series(passed, dtype="float64")
