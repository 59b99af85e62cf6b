"""Text cells as times: ISO 8601, day or month first, digits, seconds since 1970, a number."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from faultxfer.reading.calendar_words import MONTH, in_english, month_of, with_plain_halves
from faultxfer.reading.cells import missing_cells, numbers
from faultxfer.reading.dates import PARTS, Order, Parts, compact_form, date_order, orders_of
from faultxfer.reading.dialect import Dialect

_CLOCK = (
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:[.,]\d+)?))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$"
)
_YEAR_FIRST = r"^(?P<one>\d{4})(?P<mark>[-/.])(?P<two>\d{1,2})[-/.](?P<three>\d{1,2})" + _CLOCK
_SHORT_FIRST = (
    r"^(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})[-/.](?P<three>\d{4}|\d{1,2})" + _CLOCK
)
_NAMED = rf"^(\d{{1,2}})(?:[-/. ]+(?:de |di |d')?)({MONTH})[-/. ]+(?:de |del )?(\d{{4}}|\d{{2}})\b"
# Oct 5, 2026: only English has the month first.
_NAMED_FIRST = rf"^({MONTH})[-/. ]+(\d{{1,2}})[-/., ]+(\d{{4}})\b"
# Counts since 1970, by what a count is: parts of a second, and the usual sizes of such numbers.
# They lie between 2001 (milliseconds and smaller: 1973) and 2286.
_COUNTS = {
    "epoch_s": (1, 1e9, 1e10, "seconds since 1970"),
    "epoch_ms": (1_000, 1e11, 1e13, "milliseconds since 1970"),
    "epoch_us": (1_000_000, 1e14, 1e16, "microseconds since 1970"),
    "epoch_ns": (1_000_000_000, 1e17, 1e19, "nanoseconds since 1970"),
}
# Parts of a strptime format that are words.
_WORDS = re.compile("%[bBp]")
_EPOCH = {name: style for name, (_, _, _, style) in _COUNTS.items()} | {"number": "a number"}


@dataclass(frozen=True)
class Zone:
    """The zone of times that name none, and whether the order of the rows tells two hours apart."""

    name: str
    in_order: bool


@dataclass(frozen=True)
class Times:
    """A column of times.

    Attributes:
        seconds: (n,) float64 seconds since 1970 UTC, or the number itself; NaN where a cell cannot
            be read.
        style: how the cells are written, for people.
    """

    seconds: pd.Series
    style: str


def read_times(text: pd.Series, dialect: Dialect, *, where: str) -> Times:
    """Cells as times by what is pinned, else by what they look like.

    Raises:
        DataError: days and months cannot be told apart, or the decimal mark of numbers cannot.
    """
    pinned, zone = dialect.times.format, _zone(dialect)
    if pinned in (None, "iso"):
        quick = _plain_iso(text, zone)
        if quick is not None:
            return Times(quick, "year first")
    if pinned in _EPOCH:
        return _from_numbers(text, dialect, where)
    cells = text.str.strip()
    if pinned == "iso":
        return _year_first(cells, zone)
    if pinned is not None:
        return _formatted(cells, pinned, zone)
    if _are_numbers(cells):
        return _from_digits(text, dialect, where)
    parts = _short_dates(cells)
    if parts is None:
        return _year_first(cells, zone)
    order = date_order(cells, parts, dialect.times.day_first, where)
    moments = _assembled(parts, PARTS[order], zone)
    return Times(_in_seconds(moments), f"{order} first")


def _short_dates(cells: pd.Series) -> pd.DataFrame | None:
    """The parts of dates such as 31/03/2026; None where most have the year first."""
    parts = _without_month_names(_with_halves(cells)).str.extract(_SHORT_FIRST)
    if parts["mark"].notna().sum() <= cells.str.match(_YEAR_FIRST).sum():
        return None
    return parts


def orders_of_dates(text: pd.Series) -> set[Order] | None:
    """Orders in which all dates such as 31/03/2026 can be read; None where cells are none such.

    >>> sorted(orders_of_dates(pd.Series(["05/03/2026 06:00", "17/03/2026 06:00"])))
    ['day']
    """
    parts = _short_dates(text.str.strip())
    return None if parts is None else orders_of(parts)


def _zone(dialect: Dialect) -> Zone | None:
    options = dialect.times
    return Zone(options.zone, options.in_order) if options.zone else None


def _plain_iso(text: pd.Series, zone: Zone | None) -> pd.Series | None:
    """Times such as 2026-03-31 14:05:00 at Arrow's speed; None if any cell is something else."""
    try:
        moments = pc.cast(pa.array(text, from_pandas=True), pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    if moments.null_count or not len(moments):
        return None
    if zone:
        local = pd.Series(moments.to_pandas().to_numpy(), index=text.index)
        return _in_seconds(_localized(local, zone))
    seconds = pc.cast(moments, pa.int64()).to_numpy() / 1e6
    return pd.Series(seconds, index=text.index, dtype="float64")


# Numbers


def _are_numbers(cells: pd.Series) -> bool:
    """Whether at least half of the cells are numbers."""
    digits = cells.str.fullmatch(r"[+-]?[\d.,]*\d[.,]?(?:[eE][+-]?\d+)?")
    dates = cells.str.match(_SHORT_FIRST)
    return bool((digits & ~dates).sum() >= cells.notna().sum() / 2)


def _from_digits(text: pd.Series, dialect: Dialect, where: str) -> Times:
    """Numbers, or dates written in digits alone."""
    times = _from_numbers(text, dialect, where)
    otherwise = next(name for name, style in _EPOCH.items() if style == times.style)
    cells = text.str.strip()
    filled = cells[~missing_cells(text, dialect)]
    form = compact_form(filled, otherwise, where)
    return times if form is None else _formatted(cells, form, _zone(dialect))


def _from_numbers(text: pd.Series, dialect: Dialect, where: str) -> Times:
    values = numbers(text, dialect, where=where)
    # The lower of two middle values: their mean may be too large for a float.
    usual = float(values.abs().quantile(interpolation="lower"))
    style = dialect.times.format or _magnitude(usual)
    parts = _COUNTS[style][0] if style in _COUNTS else 1
    return Times(values / parts if parts > 1 else values, _EPOCH[style])


def _magnitude(usual: float) -> str:
    """What a number of this size counts.

    >>> _magnitude(1.77e12), _magnitude(1.77e9), _magnitude(1.77e18), _magnitude(40.0)
    ('epoch_ms', 'epoch_s', 'epoch_ns', 'number')
    """
    for name, (_, least, most, _) in _COUNTS.items():
        if least <= usual < most:
            return name
    return "number"


# Dates


def _with_halves(cells: pd.Series) -> pd.Series:
    """AM and PM for the halves of the day, where a cell has words or dots behind its clock."""
    worded = cells.str.contains(r":\d{2}\s?[AaPp]\.\s?[Mm]|:\d{2}\s?\w*[vn]\w*")
    return with_plain_halves(cells) if worded.any() else cells


def _without_month_names(cells: pd.Series) -> pd.Series:
    """31-Mar-2026 as 31.03.2026, in any of the languages whose labels are read."""
    if not cells.str.contains(MONTH, case=False).any():
        return cells
    cells = cells.str.replace(_NAMED, _numbered, flags=re.IGNORECASE, regex=True)
    return cells.str.replace(_NAMED_FIRST, _turned, flags=re.IGNORECASE, regex=True)


def _numbered(date: re.Match[str]) -> str:
    day, name, year = date.groups()
    return f"{day}.{month_of(name):02d}.{year}"


def _turned(date: re.Match[str]) -> str:
    name, day, year = date.groups()
    return f"{day}.{month_of(name):02d}.{year}"


def _formatted(cells: pd.Series, form: str, zone: Zone | None) -> Times:
    if _WORDS.search(form):
        cells = in_english(cells)
    if "%z" in form:
        moments = pd.to_datetime(cells, format=form, errors="coerce", utc=True)
    else:
        moments = _localized(pd.to_datetime(cells, format=form, errors="coerce"), zone)
    return Times(_in_seconds(moments), f"written as {form}")


def _year_first(cells: pd.Series, zone: Zone | None) -> Times:
    """The quick way for ISO 8601, and the slow way for what pandas does not take.

    That is slashes, 9:05, and decimal commas.
    """
    moments = pd.to_datetime(cells, errors="coerce", utc=True, format="ISO8601")
    if zone:
        moments = moments.where(name_a_zone(cells), _localized(moments.dt.tz_localize(None), zone))
    # ISO 8601 takes 202603 for a month, which here is a number among times.
    marked = cells.str.contains("[-T]")
    moments = moments.where(marked)
    other = moments.isna()
    if other.any():
        moments = moments.astype("datetime64[ns, UTC]")
        parts = cells[other].str.extract(_YEAR_FIRST)
        moments[other] = _assembled(parts, PARTS["year"], zone).astype("datetime64[ns, UTC]")
    return Times(_in_seconds(moments), "year first")


def name_a_zone(cells: pd.Series) -> pd.Series:
    """(n,) bool: whether each time says in which zone it is."""
    has_zone = cells.str.contains(r"(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$")
    return has_zone & cells.str.contains(":")


def _assembled(parts: pd.DataFrame, order: Parts, zone: Zone | None) -> pd.Series:
    """Moments in UTC from their parts; NaT where a part is missing or out of range."""
    date = pd.DataFrame(
        {
            "year": _full_years(parts[order.year]),
            "month": parts[order.month].astype("float64"),
            "day": parts[order.day].astype("float64"),
        }
    )
    days = pd.to_datetime(date, errors="coerce")
    since_midnight = pd.to_timedelta((_clock_seconds(parts) * 1e6).round(), unit="us")
    return _zoned(days + since_midnight, parts["zone"], zone)


def _full_years(written: pd.Series) -> pd.Series:
    """Years of two digits lie after 2000; one digit is no year."""
    years, digits = written.astype("float64"), written.str.len()
    return years.where(digits > 2, years + 2000).where(digits > 1)


def _clock_seconds(parts: pd.DataFrame) -> pd.Series:
    """Seconds since midnight, 0 without a clock; NaN where a clock shows no such time."""
    hour, minute, second = (
        parts[name].str.replace(",", ".").astype("float64").fillna(0)
        for name in ("hour", "minute", "second")
    )
    hours = _hours(hour, parts["half"].str.lower().str[0])
    seconds = hours * 3600 + minute * 60 + second
    # 24:00 ends a day, nothing follows it.
    fits = (minute < 60) & (second < 60) & (seconds <= 24 * 3600)
    return seconds.where(fits)


def _hours(hour: pd.Series, half: pd.Series) -> pd.Series:
    """Hours from 0 to 24; NaN where a clock of twelve hours has none of them."""
    of_twelve = hour.where((hour >= 1) & (hour <= 12))
    after_noon = 12 * (half == "p")
    return hour.where(half.isna(), of_twelve % 12 + after_noon)


def _zoned(moments: pd.Series, named: pd.Series, zone: Zone | None) -> pd.Series:
    """Moments in UTC: by the zone each names, else by the pinned one."""
    offsets = named.str.extract(r"^(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})?$")
    hours, minutes = (offsets[name].astype("float64") for name in ("hours", "minutes"))
    ahead = hours * 60 + minutes.fillna(0)
    ahead = ahead.where(offsets["sign"] != "-", -ahead).fillna(0)
    own = (moments - pd.to_timedelta(ahead, unit="min")).dt.tz_localize("UTC")
    return own if zone is None else own.where(named.notna(), _localized(moments, zone))


def _localized(moments: pd.Series, zone: Zone | None) -> pd.Series:
    """In UTC.

    The hour that occurs twice in autumn is NaT, as its rows could stand in either order, unless
    the order of the rows is to tell.
    """
    name = zone.name if zone else "UTC"
    if zone is None or not zone.in_order:
        local = moments.dt.tz_localize(name, ambiguous="NaT", nonexistent="NaT")
        return cast("pd.Series", local.dt.tz_convert("UTC"))
    summer, known = _by_order(moments, _repeated(moments, name))
    local = moments.dt.tz_localize(name, ambiguous=summer, nonexistent="NaT")
    return cast("pd.Series", local.dt.tz_convert("UTC").where(known))


def _repeated(moments: pd.Series, zone: str) -> np.ndarray:
    """(n,) bool: local times that a change of the clocks repeats."""
    local = moments.dt.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
    found: np.ndarray = (local.isna() & moments.notna()).to_numpy()
    return found


def _by_order(moments: pd.Series, repeated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) bool: whether a time is one of summer, and whether that is known.

    Of neighbouring rows in a repeated hour, those before the one step back are of summer. In a
    file with the newest rows first there is one step forward, and they are those behind it.
    """
    summer, known = np.zeros(len(moments), dtype=bool), np.ones(len(moments), dtype=bool)
    edges = np.flatnonzero(np.diff(repeated.astype(int), prepend=0, append=0))
    values = moments.to_numpy().astype("datetime64[us]").astype("int64")
    for begin, end in edges.reshape(-1, 2):
        steps = np.diff(values[begin:end])
        back, forward = np.flatnonzero(steps < 0), np.flatnonzero(steps > 0)
        if len(back) == 1:
            summer[begin : begin + back[0] + 1] = True
        elif len(forward) == 1:
            summer[begin + forward[0] + 1 : end] = True
        else:
            known[begin:end] = False
    return summer, known


def clock_changes(text: pd.Series, dialect: Dialect, *, where: str) -> pd.Series:
    """What a change of the clocks does to each time in the pinned zone.

    Returns:
        (n,) text: ``repeated`` in the hour that autumn has twice, ``skipped`` in the one that
        spring leaves out, else empty.
    """
    zone = dialect.times.zone
    nothing = pd.Series("", index=text.index)
    if zone is None:
        return nothing
    moments = _as_written(text, dialect, where)
    lost = moments.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").isna() & moments.notna()
    return nothing.mask(lost, "skipped").mask(_repeated(moments, zone), "repeated")


def either_time(text: pd.Series, dialect: Dialect, *, where: str) -> tuple[pd.Series, pd.Series]:
    """Earliest and latest time that each cell may mean; they differ in an hour that comes twice.

    Returns:
        (n,) seconds, twice; NaN where a cell cannot be read. A time that the change of the clocks
        leaves out is the moment of the change.
    """
    read = read_times(text, dialect, where=where).seconds
    changed = clock_changes(text, dialect, where=where) != ""
    if not changed.any():
        return read, read
    zone, moments = dialect.times.zone, _as_written(text, dialect, where)
    early, late = (
        moments.dt.tz_localize(
            zone, ambiguous=np.full(len(moments), summer), nonexistent="shift_forward"
        )
        for summer in (True, False)
    )
    lost = read.isna() & changed
    return read.mask(lost, _in_seconds(early)), read.mask(lost, _in_seconds(late))


def _as_written(text: pd.Series, dialect: Dialect, where: str) -> pd.Series:
    """Moments as the clock of the plant showed them, without a zone."""
    plain = dataclasses.replace(dialect.times, zone=None)
    local = read_times(text, dataclasses.replace(dialect, times=plain), where=where).seconds
    return pd.to_datetime(local, unit="s")


def _in_seconds(moments: pd.Series) -> pd.Series:
    passed = (moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
    return pd.Series(passed, dtype="float64")
