"""Numbers, counts and times as people write them: no powers of ten, plurals right."""

from __future__ import annotations

import math

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
# Nothing is said more exactly than this of what is shorter than a year.
_UNITS = {"day": _DAY, "hour": _HOUR, "minute": _MINUTE, "second": 1.0}
# For how long one waits until a thing that happens this often happens at all.
_PERIODS = {"a day": 1.0, "a week": 7.0, "a month": 30.0, "a year": 365.0}
_TINY = 1e-6


def amount(value: float) -> str:
    """A number to two digits, whole above ten.

    >>> amount(3912.4), amount(17.6), amount(1.04), amount(0.123), amount(0.00004)
    ('3,900', '18', '1', '0.12', '0.00004')
    """
    if not math.isfinite(value):
        return "infinitely many" if value > 0 else "unknown"
    if value == 0:
        return "0"
    digits = 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    if digits <= 0:
        return f"{rounded:,.0f}"
    text = f"{rounded:,.{digits}f}"
    return text.rstrip("0").rstrip(".")


def percent(share: float) -> str:
    """A share from 0 to 1 in percent; 0% means none, and 100% all.

    >>> percent(0.875), percent(0.0432), percent(0.0004), percent(0.9996), percent(1.0)
    ('88%', '4.3%', '0.04%', 'over 99.9%', '100%')
    """
    value = 100 * share
    if 0 < value < _TINY:
        return "under 0.000001%"
    if value < 9.95 or value >= 100:
        return f"{amount(value)}%"
    for digits in (0, 1):
        rounded = round(value, digits)
        if rounded < 100:
            return f"{rounded:.{digits}f}%"
    return "over 99.9%"


def counted(count: int, one: str, many: str = "") -> str:
    """So many of something.

    >>> counted(1, "fault"), counted(3900, "row"), counted(0, "new run")
    ('1 fault', '3,900 rows', '0 new runs')
    >>> counted(2, "is", "are")
    '2 are'
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A time in the largest unit that it reaches, to two digits.

    >>> duration(600), duration(3600), duration(5400), duration(0), duration(200_000)
    ('10 minutes', '1 hour', '1.5 hours', '0 seconds', '2.3 days')
    """
    # What rounds up to the next unit is said in it.
    unit = next((unit for unit, size in _UNITS.items() if seconds >= 0.995 * size), "second")
    text = amount(seconds / _UNITS[unit])
    return f"{text} {unit}" if text == "1" else f"{text} {unit}s"


def period_of(per_day: float) -> tuple[str, float]:
    """In what period to say how often something happens, and how many days it has.

    >>> period_of(3.0), period_of(0.3), period_of(0.0)
    (('a day', 1.0), ('a week', 7.0), ('a day', 1.0))
    """
    for period, days in _PERIODS.items():
        if per_day * days >= 1:
            return period, days
    return ("a year", 365.0) if per_day > 0 else ("a day", 1.0)


def about(value: float, one: str) -> str:
    """How many of something there are about.

    >>> about(3912.4, "false alarm"), about(1.04, "day"), about(0.0, "false alarm")
    ('about 3,900 false alarms', 'about 1 day', 'no false alarm')
    """
    if value == 0:
        return f"no {one}"
    text = amount(value)
    return f"about {text} {one}" if text == "1" else f"about {text} {one}s"


def probability(value: float) -> str:
    """To three digits, and to more where they would say that it is certain.

    >>> probability(0.42172), probability(0.99962), probability(1.0)
    ('0.422', '0.9996', '1')
    """
    if value in (0.0, 1.0):
        return f"{value:.0f}"
    texts = (f"{value:.{digits}f}" for digits in (3, 4, 5, 6))
    return next((text for text in texts if 0 < float(text) < 1), "0" if value < 0.5 else "1")


def reading(value: float) -> str:
    """A sensor's value to four digits.

    >>> reading(1503.27), reading(0.41237), reading(-12.5), reading(250_000.0)
    ('1,503', '0.4124', '-12.5', '250,000')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    digits = max(0, 3 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def listed(names: list[str], most: int = 3) -> str:
    """The first few names, and how many more there are.

    >>> listed(["flow"]), listed(["flow", "speed", "head", "power", "oil"], most=3)
    ('flow', 'flow, speed, head and 2 more')
    """
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
