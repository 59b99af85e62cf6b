"""Is a bound kept: by the estimate, or by the whole interval?"""

from __future__ import annotations

from faultxfer.config import LOWER_IS_BETTER, WITHOUT_INTERVAL, Limit
from faultxfer.evaluate.gate.check import FAILED, OPEN, PASSED, TIED
from faultxfer.evaluate.intervals import Interval


def by_interval(limit: Limit, default: str) -> bool:
    """Whether the whole interval must keep the bound."""
    return (limit.proof or default) == "interval"


def kept(limit: Limit, low: float, high: float, *, strictly: bool = False) -> bool:
    """Whether everything from ``low`` to ``high`` keeps the bound; ``strictly`` above ``min``."""
    above = limit.min is None or low > limit.min or (not strictly and low == limit.min)
    return above and (limit.max is None or high <= limit.max)


def broken(limit: Limit, low: float, high: float, *, strictly: bool = False) -> bool:
    """Whether everything from ``low`` to ``high`` lies outside the bound."""
    below = limit.min is not None and (high < limit.min or (strictly and high == limit.min))
    return below or (limit.max is not None and low > limit.max)


def tolerated(
    limit: Limit, estimate: float, interval: Interval | None, *, default: str, strictly: bool
) -> str:
    """Status of a figure, or of a difference that may be a loss up to the bound."""
    if not by_interval(limit, default):
        return PASSED if kept(limit, estimate, estimate, strictly=strictly) else FAILED
    if interval is None:
        return OPEN
    if kept(limit, interval.low, interval.high, strictly=strictly):
        return PASSED
    return FAILED if broken(limit, interval.low, interval.high, strictly=strictly) else OPEN


def asks_a_gain(name: str, limit: Limit) -> bool:
    """Whether a tie breaks the bound."""
    if name in LOWER_IS_BETTER:
        return limit.max is not None and limit.max <= 0
    return limit.min is not None and limit.min >= 0


def gained(name: str, limit: Limit, estimate: float, interval: Interval | None, tie: float) -> str:
    """Status of a difference that must be a gain.

    Both bounds inside the tie: nothing to gain, however many rows more (two one-sided tests, Schuirmann 1987). A loss
    is shown by the interval, or by the estimate where that was to decide; a figure that never has an interval is judged
    by its estimate in full.
    """
    sign = -1.0 if name in LOWER_IS_BETTER else 1.0
    asked = abs(float(limit.max or 0) if name in LOWER_IS_BETTER else float(limit.min or 0))
    gain = sign * estimate
    low, high = (
        (gain, gain) if interval is None else sorted((sign * interval.low, sign * interval.high))
    )
    decides, bare = by_interval(limit, "interval"), name in WITHOUT_INTERVAL
    if (gain > asked) if not decides else (interval is not None and low > asked):
        return PASSED
    if (interval is not None or bare or gain == 0) and -tie < low and high < tie:
        return TIED
    loss = ((interval is not None or bare) and high <= asked) or (not decides and gain <= -tie)
    return FAILED if loss else OPEN


def words(limit: Limit, least: str, form: str = "g") -> str:
    """``more than 0`` or ``at least 0.5 and at most 0.9``."""
    sides = ((least, limit.min), ("at most", limit.max))
    return " and ".join(f"{word} {bound:{form}}" for word, bound in sides if bound is not None)


def spread(interval: Interval | None, form: str = ".3f") -> str:
    """``, between 0.71 and 0.83`` or nothing."""
    return "" if interval is None else f", between {interval.low:{form}} and {interval.high:{form}}"
