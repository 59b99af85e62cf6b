"""Text cells as times: ISO 8601, day or month first, digits alone, seconds since 1970, or a growing number."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from faultxfer.reading.cells import missing_cells, numbers
from faultxfer.reading.dates import PARTS, Parts, compact_form, date_order
from faultxfer.reading.dialect import Dialect

_CLOCK = (
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:[.,]\d+)?))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$"
)
_YEAR_FIRST = r"^(?P<one>\d{4})(?P<mark>[-/.])(?P<two>\d{1,2})[-/.](?P<three>\d{1,2})" + _CLOCK
_SHORT_FIRST = (
    r"^(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})[-/.](?P<three>\d{4}|\d{1,2})" + _CLOCK
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = rf"^(\d{{1,2}})[-/. ]+({'|'.join(_MONTHS)})[a-z]*[-/. ]+(\d{{4}}|\d{{2}})\b"
# Milliseconds since 1970 from 1973 to 2286; seconds since 1970 from 2001 to 2286.
_MILLISECONDS, _SECONDS = (1e11, 1e13), (1e9, 1e10)
_EPOCH = {
    "epoch_s": "seconds since 1970",
    "epoch_ms": "milliseconds since 1970",
    "number": "a number",
}


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
        return (
            _from_digits(text, dialect, where)
            if pinned is None
            else _from_numbers(text, dialect, where)
        )
    if pinned is not None and pinned != "iso":
        return _formatted(cells, pinned, dialect)
    dates = _without_month_names(cells)
    parts = dates.str.extract(_SHORT_FIRST)
    if pinned is None and parts["mark"].notna().sum() > cells.str.match(_YEAR_FIRST).sum():
        order = date_order(cells, parts, dialect.times.day_first, where)
        return Times(
            _in_seconds(_assembled(parts, PARTS[order], dialect.times.zone)), f"{order} first"
        )
    return Times(_in_seconds(_year_first(cells, dialect.times.zone)), "year first")


def _plain_iso(text: pd.Series, zone: str | None) -> pd.Series | None:
    """Stamps such as 2026-03-31 14:05:00 at Arrow's speed; None if any cell is something else."""
    try:
        moments = pc.cast(pa.array(text, from_pandas=True), pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    if moments.null_count or not len(moments):
        return None
    if zone:
        return _in_seconds(
            _localized(pd.Series(moments.to_pandas().to_numpy(), index=text.index), zone)
        )
    return pd.Series(
        pc.cast(moments, pa.int64()).to_numpy() / 1e6, index=text.index, dtype="float64"
    )


def _are_numbers(cells: pd.Series) -> bool:
    plain = cells.str.fullmatch(r"[+-]?[\d.,]*\d[.,]?(?:[eE][+-]?\d+)?") & ~cells.str.match(
        _SHORT_FIRST
    )
    return bool(plain.sum() >= cells.notna().sum() / 2)


def _from_digits(text: pd.Series, dialect: Dialect, where: str) -> Times:
    """Numbers, or dates written in digits alone."""
    cells = text.str.strip()
    times = _from_numbers(text, dialect, where)
    otherwise = next(pin for pin, style in _EPOCH.items() if style == times.style)
    form = compact_form(cells[~missing_cells(text, dialect)], otherwise, where)
    return times if form is None else _formatted(cells, form, dialect)


def _from_numbers(text: pd.Series, dialect: Dialect, where: str) -> Times:
    values = numbers(text, dialect, where=where)
    # The lower of two middle values: their mean may be too large for a float.
    style = dialect.times.format or _magnitude(float(values.abs().quantile(interpolation="lower")))
    return Times(values / 1000 if style == "epoch_ms" else values, _EPOCH[style])


def _magnitude(usual: float) -> str:
    if _MILLISECONDS[0] < usual < _MILLISECONDS[1]:
        return "epoch_ms"
    return "epoch_s" if _SECONDS[0] <= usual < _SECONDS[1] else "number"


def _without_month_names(cells: pd.Series) -> pd.Series:
    """31-Mar-2026 as 31.03.2026; the names are English."""
    if not cells.str.match(_NAMED, case=False).any():
        return cells
    return cells.str.replace(_NAMED, _numbered, flags=re.IGNORECASE, regex=True)


def _numbered(date: re.Match[str]) -> str:
    day, month, year = date.groups()
    return f"{day}.{_MONTHS.index(month.lower()) + 1:02d}.{year}"


def _formatted(cells: pd.Series, form: str, dialect: Dialect) -> Times:
    return Times(_in_seconds(_by_format(cells, form, dialect.times.zone)), f"written as {form}")


def _by_format(cells: pd.Series, pinned: str, zone: str | None) -> pd.Series:

    if "%z" in pinned:
        return pd.to_datetime(cells, format=pinned, errors="coerce", utc=True)
    return _localized(pd.to_datetime(cells, format=pinned, errors="coerce"), zone)


def _year_first(cells: pd.Series, zone: str | None) -> pd.Series:
    """The quick way for ISO 8601, and the slow way for what pandas does not take: slashes, 9:05, decimal commas."""
    moments = pd.to_datetime(cells, errors="coerce", utc=True, format="ISO8601")
    if zone:
        own = cells.str.contains(r"(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$") & cells.str.contains(":")
        moments = moments.where(own, _localized(moments.dt.tz_localize(None), zone))
    # ISO 8601 takes 202603 for a month, which here is a number among moments.
    moments = moments.where(
        cells.str.contains("-", regex=False) | cells.str.contains("T", regex=False)
    )
    other = moments.isna()
    if other.any():
        parts = cells[other].str.extract(_YEAR_FIRST)
        moments = moments.astype("datetime64[ns, UTC]")
        moments[other] = _assembled(parts, PARTS["year"], zone).astype("datetime64[ns, UTC]")
    return moments


def _assembled(parts: pd.DataFrame, order: Parts, zone: str | None) -> pd.Series:
    """Stamps in UTC from their parts; NaT where a part is missing or out of range."""
    date = pd.DataFrame(
        {
            name: parts[part].astype("float64")
            for name, part in zip(Parts._fields, order, strict=True)
        }
    )
    digits = parts[order.year].str.len()
    date["year"] = date["year"].where(digits > 2, date["year"] + 2000).where(digits > 1)
    clock = {
        name: parts[name].str.replace(",", ".").astype("float64").fillna(0)
        for name in ("hour", "minute", "second")
    }
    hours, fits = _hours(clock["hour"], parts["half"].str.lower().str[0])
    fits &= (clock["minute"] < 60) & (clock["second"] < 60)
    seconds = hours * 3600 + clock["minute"] * 60 + clock["second"]
    # 24:00 ends a day, nothing follows it.
    fits &= seconds <= 24 * 3600
    moments = pd.to_datetime(date, errors="coerce") + pd.to_timedelta(
        (seconds * 1e6).round(), unit="us"
    )
    return _zoned(moments.where(fits), parts["zone"], zone)


def _hours(hour: pd.Series, half: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Hours from 0 to 24, and where they could be read."""
    twelve = half.notna()
    fits = (hour <= 24).where(~twelve, (hour >= 1) & (hour <= 12))
    return (hour % 12 + 12 * (half == "p")).where(twelve, hour), fits


def _zoned(moments: pd.Series, named: pd.Series, zone: str | None) -> pd.Series:
    """Stamps in UTC: by the zone each names, else by the pinned one."""
    offsets = named.str.extract(r"^(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})?$")
    minutes = offsets["hours"].astype("float64") * 60 + offsets["minutes"].astype("float64").fillna(
        0
    )
    minutes = minutes.where(offsets["sign"] != "-", -minutes).fillna(0)
    own = (moments - pd.to_timedelta(minutes, unit="min")).dt.tz_localize("UTC")
    return own if zone is None else own.where(named.notna(), _localized(moments, zone))


def _localized(moments: pd.Series, zone: str | None) -> pd.Series:
    """In UTC. The hour that occurs twice in autumn is NaT: its rows could stand in either order."""
    localized: pd.Series = moments.dt.tz_localize(
        zone or "UTC", ambiguous="NaT", nonexistent="NaT"
    ).dt.tz_convert("UTC")
    return localized


def _in_seconds(moments: pd.Series) -> pd.Series:

    passed = (moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
    return pd.Series(passed, dtype="float64")
