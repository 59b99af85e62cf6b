"""Is a bound kept: by the estimate, or by the whole interval?"""

from __future__ import annotations

from faultxfer.config import Limit
from faultxfer.evaluate.gate.check import (
    FAILED,
    NOT_APPLICABLE,
    OPEN,
    PASSED,
    TIED,
    WARNED,
)
from faultxfer.evaluate.intervals import Interval
from faultxfer.metric_table import METRICS


def bounded(limits: dict[str, Limit]) -> dict[str, Limit]:
    """Those that ask for anything, by name of the metric."""
    return {name: limit for name, limit in limits.items() if limit.bounds}


def by_interval(limit: Limit, default: str) -> bool:
    """Whether the whole interval must keep the bound."""
    return (limit.proof or default) == "interval"


def kept(limit: Limit, interval: Interval, *, strictly: bool = False) -> bool:
    """Whether the whole interval keeps the bound; ``strictly`` above ``min``.

    >>> kept(Limit(min=0.5), Interval(0.6, low=0.55, high=0.7))
    True
    >>> kept(Limit(min=0.5), Interval(0.6, low=0.45, high=0.7))
    False
    """
    above = limit.min is None or interval.low >= limit.min
    if strictly and interval.low == limit.min:
        above = False
    return above and (limit.max is None or interval.high <= limit.max)


def broken(limit: Limit, interval: Interval, *, strictly: bool = False) -> bool:
    """Whether the whole interval lies outside the bound.

    An interval on both sides of a bound neither keeps nor breaks it:

    >>> broken(Limit(min=0.5), Interval(0.6, low=0.45, high=0.7))
    False
    """
    below = limit.min is not None and interval.high < limit.min
    if strictly and interval.high == limit.min:
        below = True
    return below or (limit.max is not None and interval.low > limit.max)


def tolerated(
    limit: Limit, estimate: float, interval: Interval | None, *, default: str, strictly: bool
) -> str:
    """Status of a metric, or of a difference that may be a loss up to the bound."""
    if not by_interval(limit, default):
        point = Interval.at(estimate)
        if kept(limit, point, strictly=strictly):
            return PASSED
        return FAILED
    if interval is None:
        return OPEN
    if kept(limit, interval, strictly=strictly):
        return PASSED
    if broken(limit, interval, strictly=strictly):
        return FAILED
    return OPEN


def unless_broken(limit: Limit, interval: Interval | None) -> str:
    """Status of a metric whose bound it takes a whole interval to break.

    >>> unless_broken(Limit(max=144, proof="breach"), Interval(160, low=130, high=190))
    'not applicable'
    """
    if interval is None:
        return NOT_APPLICABLE
    if broken(limit, interval):
        return WARNED if limit.only_warns else FAILED
    if kept(limit, interval):
        return PASSED
    # *Not shown* would keep the candidate from being promoted.
    return NOT_APPLICABLE


def asks_a_gain(name: str, limit: Limit) -> bool:
    """Whether a tie breaks the bound.

    >>> asks_a_gain("recall", Limit(min=0)), asks_a_gain("recall", Limit(min=-0.05))
    (True, False)
    """
    if METRICS[name].lower_is_better:
        return limit.max is not None and limit.max <= 0
    return limit.min is not None and limit.min >= 0


def gained(name: str, limit: Limit, estimate: float, interval: Interval | None, tie: float) -> str:
    """Status of a difference that must be a gain.

    Both bounds inside the tie: nothing to gain, however many rows more (two one-sided tests,
    Schuirmann 1987). A loss is shown by the interval, or by the estimate where that was to decide;
    a metric that never has an interval is judged by its estimate in full.
    """
    change = interval or Interval.at(estimate)
    asked = limit.min or 0.0
    if METRICS[name].lower_is_better:
        change, asked = -change, -(limit.max or 0.0)
        estimate = -estimate
    # Nobody knows how sure a difference is that should have an interval and has none.
    known = interval is not None or not METRICS[name].interval
    estimate_decides = not by_interval(limit, "interval")
    if estimate_decides and estimate > asked:
        return PASSED
    if not estimate_decides and interval is not None and change.low > asked:
        return PASSED
    inside = -tie < change.low and change.high < tie
    if inside and (known or estimate == 0):
        return TIED
    if known and change.high <= asked:
        return FAILED
    if estimate_decides and estimate <= -tie:
        return FAILED
    return OPEN


def in_words(limit: Limit, least: str, form: str = "g") -> str:
    """The bound as a person says it.

    >>> in_words(Limit(min=0.5, max=0.9), "at least")
    'at least 0.5 and at most 0.9'
    """
    sides = []
    if limit.min is not None:
        sides.append(f"{least} {limit.min:{form}}")
    if limit.max is not None:
        sides.append(f"at most {limit.max:{form}}")
    return " and ".join(sides)


def spread(interval: Interval | None, form: str = ".3f") -> str:
    """Both bounds in words, or nothing without an interval.

    >>> spread(Interval(0.75, 0.71, 0.83))
    ', between 0.710 and 0.830'
    """
    if interval is None:
        return ""
    return f", between {interval.low:{form}} and {interval.high:{form}}"
