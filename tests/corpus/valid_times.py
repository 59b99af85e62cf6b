"""Valid files with times in other words.

Zones, days and months first, seconds since 1970, numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cases import Valid, valid
from grid import GERMAN, PIPE, TAB, Grid, Spelling
from plants import CHILLERS, COMPRESSORS, FANS, PUMPS, Plant, stamp


def cases() -> Iterator[Valid]:
    """All of them."""
    yield from _styles(PUMPS, "timestamp", "pumps", (Spelling(), PIPE, TAB))
    yield from _styles(
        COMPRESSORS, "Zeit", "compressors", (GERMAN, Spelling(";", ",", encoding="cp1252"), TAB)
    )
    yield from _zones()
    yield from _nights()
    yield from _pinned_formats()
    yield from _since_1970()
    yield from _numbers()
    yield from _early_days()


def _moment(cell: str) -> datetime:
    return datetime.fromisoformat(cell).replace(tzinfo=UTC)


def _in_zone(zone: str, style: str) -> Callable[[str], str]:
    return lambda cell: _moment(cell).astimezone(ZoneInfo(zone)).strftime(style)


def _styles(
    plant: Plant, column: str, name: str, spellings: tuple[Spelling, ...]
) -> Iterator[Valid]:
    """Styles that tell themselves: the days are the 17th and the 21st."""
    styles = {
        "t": "%Y-%m-%dT%H:%M:%S",
        "zulu": "%Y-%m-%dT%H:%M:%SZ",
        "zero-offset": "%Y-%m-%d %H:%M:%S+00:00",
        "fractions": "%Y-%m-%d %H:%M:%S.%f",
        "year-first-slashes": "%Y/%m/%d %H:%M:%S",
        "dots": "%d.%m.%Y %H:%M:%S",
        "dots-short-year": "%d.%m.%y %H:%M:%S",
        "dots-with-comma": "%d.%m.%Y, %H:%M:%S",
        "day-first-slashes": "%d/%m/%Y %H:%M:%S",
        "day-first-dashes": "%d-%m-%Y %H:%M:%S",
        "month-first": "%m/%d/%Y %H:%M:%S",
        "half-days": "%m/%d/%Y %I:%M:%S %p",
        "historian": "%d-%b-%y %H:%M:%S",
        "month-names": "%d %B %Y %I:%M:%S %p",
        "digits": "%Y%m%d%H%M%S",
        "month-first-dots": "%m.%d.%Y %H:%M:%S",
        "utc-named": "%Y-%m-%d %H:%M:%S UTC",
    }
    for number, (style, form) in enumerate(styles.items()):
        grid = plant.grid.change(column, stamp(form))
        spelling = spellings[number % len(spellings)]
        yield valid(
            f"times-{name}-{style}", f"times such as {form}", plant, grid, spelling=spelling
        )


def _zones() -> Iterator[Valid]:
    named = PUMPS.grid.change("timestamp", _in_zone("Europe/Berlin", "%Y-%m-%dT%H:%M:%S%z"))
    yield valid("zone-offset", "each time names its offset", PUMPS, named)
    india = PUMPS.grid.change(
        "timestamp", lambda cell: _moment(cell).astimezone(ZoneInfo("Asia/Kolkata")).isoformat(" ")
    )
    yield valid("zone-half-hour", "an offset of 05:30", PUMPS, india, spelling=TAB)
    for zone, style, spelling in (
        ("Europe/Berlin", "%d.%m.%Y %H:%M:%S", GERMAN),
        ("America/New_York", "%m/%d/%Y %I:%M:%S %p", Spelling()),
        ("Asia/Tokyo", "%Y/%m/%d %H:%M:%S", PIPE),
        ("Australia/Adelaide", "%Y-%m-%d %H:%M:%S", TAB),
    ):
        grid = PUMPS.grid.change("timestamp", _in_zone(zone, style))
        yield valid(
            f"zone-pinned-{zone.replace('/', '-').lower()}",
            "local times",
            PUMPS,
            grid,
            spelling=spelling,
            contract={"csv": {"timezone": zone}},
        )
    mixed = PUMPS.grid.change(
        "timestamp", _in_zone("Europe/Berlin", "%Y-%m-%d %H:%M:%S"), range(2, 32)
    )
    mixed = mixed.change("timestamp", stamp("%Y-%m-%d %H:%M:%SZ"), range(32, 62))
    yield valid(
        "zone-pinned-and-named",
        "pump-2 names its zone",
        PUMPS,
        mixed,
        contract={"csv": {"timezone": "Europe/Berlin"}},
    )


def _nights() -> Iterator[Valid]:
    """The clocks change, but each time names its offset, or all are in UTC."""
    for name, day in (
        ("autumn", datetime(2026, 10, 24, 22)),
        ("spring", datetime(2026, 3, 28, 22)),
    ):
        cells = {
            line: str(day + timedelta(minutes=10 * (line - 2))) for line in COMPRESSORS.grid.lines
        }
        night = COMPRESSORS.grid.put("Zeit", cells)
        local = night.change("Zeit", _in_zone("Europe/Berlin", "%Y-%m-%d %H:%M:%S%z"))
        yield valid(
            f"night-{name}-offsets",
            "offsets in a night with changing clocks",
            COMPRESSORS,
            local,
            truth=night,
            spelling=GERMAN,
        )
        yield valid(f"night-{name}-utc", "UTC in such a night", COMPRESSORS, night, truth=night)


def _pinned_formats() -> Iterator[Valid]:
    for name, style, spelling in (
        ("compact", "%Y%m%dT%H%M%S", Spelling()),
        ("digits-only", "%Y%m%d%H%M%S", TAB),
        ("month-name", "%d %b %Y %H:%M:%S", Spelling(";")),
        ("time-before-date", "%H:%M:%S %d.%m.%Y", PIPE),
        ("year-day", "%Y-%j %H:%M:%S", Spelling(quotes="all")),
        ("month-first-dots", "%m.%d.%Y %H:%M", Spelling(encoding="utf-16")),
        ("offset", "%d/%b/%Y:%H:%M:%S +0000", Spelling()),
    ):
        grid = PUMPS.grid.change("timestamp", stamp(style))
        pin = style.replace("+0000", "%z")
        yield valid(
            f"format-{name}",
            f"pinned as {pin}",
            PUMPS,
            grid,
            spelling=spelling,
            contract={"csv": {"time_format": pin}},
        )
    yield valid(
        "format-iso",
        "pinned as ISO 8601",
        COMPRESSORS,
        COMPRESSORS.grid,
        spelling=GERMAN,
        contract={"csv": {"time_format": "iso"}},
    )


def _since_1970() -> Iterator[Valid]:
    def moved(factor: float, digits: int) -> Callable[[str], str]:
        return lambda cell: f"{_moment(cell).timestamp() * factor:.{digits}f}"

    for name, factor, digits in (
        ("seconds", 1, 0),
        ("milliseconds", 1000, 0),
        ("seconds-with-fractions", 1, 3),
    ):
        grid = PUMPS.grid.change("timestamp", moved(factor, digits))
        yield valid(
            f"epoch-{name}", "a data base", PUMPS, grid, spelling=Spelling() if digits else TAB
        )
    comma = PUMPS.grid.change("timestamp", lambda cell: moved(1, 1)(cell).replace(".", ","))
    yield valid(
        "epoch-decimal-comma", "a data base with decimal commas", PUMPS, comma, spelling=GERMAN
    )
    millis = CHILLERS.grid.change("ts", lambda cell: cell + "000")
    yield valid("epoch-chillers-milliseconds", "a gateway", CHILLERS, millis, spelling=PIPE)
    yield valid(
        "epoch-pinned-milliseconds",
        "pinned",
        CHILLERS,
        millis,
        contract={"csv": {"time_format": "epoch_ms"}},
    )
    yield valid(
        "epoch-pinned-seconds",
        "pinned",
        CHILLERS,
        CHILLERS.grid,
        spelling=GERMAN,
        contract={"csv": {"time_format": "epoch_s"}},
    )
    words = CHILLERS.grid.change(
        "ts", lambda cell: datetime.fromtimestamp(int(cell), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    yield valid("epoch-chillers-iso", "one gateway writes ISO 8601", CHILLERS, words)
    dots = CHILLERS.grid.change(
        "ts", lambda cell: datetime.fromtimestamp(int(cell), UTC).strftime("%d.%m.%Y %H:%M")
    )
    yield valid("epoch-chillers-dots", "a building in Austria", CHILLERS, dots, spelling=GERMAN)
    science = CHILLERS.grid.change("ts", lambda cell: f"{int(cell):.9e}")
    yield valid("epoch-scientific", "a numerical program", CHILLERS, science, spelling=TAB)


def _numbers() -> Iterator[Valid]:
    def elapsed(how: Callable[[float], str]) -> Grid:
        return FANS.grid.change("elapsed", lambda cell: how(float(cell)))

    yield valid("elapsed-fractions", "0.0, 5.0", FANS, elapsed(lambda value: f"{value:.1f}"))
    yield valid(
        "elapsed-decimal-comma",
        "0,00; 5,00",
        FANS,
        elapsed(lambda value: f"{value:.2f}".replace(".", ",")),
        spelling=GERMAN,
    )
    yield valid(
        "elapsed-scientific", "5.0e+00", FANS, elapsed(lambda value: f"{value:.3e}"), spelling=TAB
    )
    yield valid(
        "elapsed-zeros-before",
        "00005",
        FANS,
        elapsed(lambda value: f"{value:05.0f}"),
        spelling=PIPE,
    )
    yield valid(
        "elapsed-pinned",
        "pinned as a number",
        FANS,
        FANS.grid,
        contract={"csv": {"time_format": "number"}},
    )
    before = FANS.grid.change("elapsed", lambda cell: str(int(cell) - 180))
    yield valid(
        "elapsed-from-minus", "seconds before and after the start", FANS, before, truth=before
    )
    years = FANS.grid.change("elapsed", lambda cell: str(2026 + int(cell)))
    yield valid("elapsed-large-steps", "a cycle counter", FANS, years, truth=years, spelling=GERMAN)


def _early_days() -> Iterator[Valid]:
    """Days up to 12, told by dots or by a pin."""
    early = PUMPS.grid.change("timestamp", lambda cell: cell.replace("-17 ", "-04 "))
    for name, style, pin, spelling in (
        ("day", "%d/%m/%Y %H:%M", True, TAB),
        ("month", "%m/%d/%Y %H:%M", False, Spelling()),
        ("day-dashes", "%d-%m-%y %H:%M:%S", True, PIPE),
        ("month-half-days", "%m/%d/%Y %I:%M %p", False, Spelling(quotes="all")),
        ("dots", "%d.%m.%Y %H:%M", None, Spelling(";")),
    ):
        grid = early.change("timestamp", stamp(style))
        yield valid(
            f"early-{name}-first",
            "the first days of a month",
            PUMPS,
            grid,
            truth=early,
            spelling=spelling,
            contract={"csv": {"day_first": pin}},
        )
