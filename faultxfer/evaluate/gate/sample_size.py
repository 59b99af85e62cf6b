"""How many more rows would settle what these rows do not show?"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.stats import norm

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate.bounds import asks_a_gain, broken, kept
from faultxfer.evaluate.intervals import Interval, clopper_pearson, poisson_rate
from faultxfer.metric_table import METRICS

# How often more rows should settle a difference that is as large as it looks now.
_POWER = 0.8
_MOST_TIMES = 10_000.0
_MOST = 100_000
# Equally likely deviations of a metric, in standard errors.
_DEVIATIONS = norm.ppf((np.arange(2000) + 0.5) / 2000)


def more_rows(
    name: str,
    limit: Limit,
    interval: Interval,
    counts: tuple[int, int],
    options: GateOptions,
    *,
    change: bool = False,
) -> str:
    """How many more labelled rows would settle a metric or a difference, if it stays as it looks.

    Args:
        name: of the metric.
        limit: its bound.
        interval: the metric now.
        counts: fault rows and normal rows that gave it.
        options: confidence, and what is a tie.
        change: whether it is a difference that may end in a tie, see
            :func:`faultxfer.evaluate.gate.bounds.gained`.
    """
    rows, kind = counts[0], "labelled faults"
    if name == "false_alarm_rate":
        rows, kind = counts[1], "normal rows"
    sides, tie = [limit.min, limit.max], 0.0
    if change and asks_a_gain(name, limit):
        sides, tie = [limit.max if METRICS[name].lower_is_better else limit.min], options.tie
    edges = [side for side in sides if side is not None]

    def settles(times: float) -> bool:
        return _share_settled(interval, edges, tie, times, options.confidence) >= _POWER

    needed = rows * (fewest_times(settles) - 1)
    if not interval.error or needed > _MOST:
        return f" More {kind} would hardly settle it."
    return f" About {_rounded(needed)} more {kind}, of other runs, would settle it if it stays so."


def _share_settled(
    interval: Interval, edges: list[float], tie: float, times: float, confidence: float
) -> float:
    """How often ``times`` as many rows show on which side of its edges a metric lies, or a tie.

    A tie needs both bounds inside, so near 0 it takes more rows than a bound on one side does
    (Schuirmann 1987).
    """
    # The error falls with the square root of the rows, if they come from as many more runs.
    error = (interval.error or 0.0) / math.sqrt(times)
    reach = float(norm.ppf(confidence)) * error
    drawn = interval.estimate + error * _DEVIATIONS
    shown = np.ones(len(drawn), dtype=bool)
    for edge in edges:
        side = np.sign(interval.estimate - edge)
        shown &= side * (drawn - edge) > reach
    if abs(interval.estimate) < tie:
        shown |= np.abs(drawn) < tie - reach
    return float(np.mean(shown))


def more_events(limit: Limit, faults: int, found: int, confidence: float) -> str:
    """How many more fault events, found at the same share, the exact bounds would need."""

    def enough(times: float) -> bool:
        return kept(limit, clopper_pearson(times * found, times * faults, confidence))

    needed = faults * (fewest_times(enough) - 1)
    if needed > _MOST:
        return " While the share found stays so, no number of labelled faults would show it."
    faults_needed = f"{_rounded(needed)} more labelled faults"
    return f" About {faults_needed}, found at the same share, would show it."


def more_days(limit: Limit, alarms: int, interval: Interval, confidence: float) -> str:
    """How many more days of normal operation the exact bounds of a daily rate would need."""
    days = poisson_rate(alarms, 1.0, confidence).high / interval.high

    def enough(times: float) -> bool:
        return kept(limit, poisson_rate(times * alarms, times * days, confidence))

    needed = days * (fewest_times(enough) - 1)
    if needed > _MOST:
        return (
            " While the rate stays so, no number of faults or days of normal operation would show "
            "it."
        )
    return (
        f" It takes normal operation, not faults: about {_rounded(needed)} more days of it, at the "
        "same rate, would show it."
    )


def days_to_show(limit: Limit, alarms: int, interval: Interval, confidence: float) -> str:
    """How many more healthy days would show on which side of its bound a daily rate lies."""
    days = poisson_rate(alarms, 1.0, confidence).high / interval.high

    def enough(times: float) -> bool:
        rate = poisson_rate(times * alarms, times * days, confidence)
        return kept(limit, rate) or broken(limit, rate)

    needed = days * (fewest_times(enough) - 1)
    if needed > _MOST:
        return " While the rate stays so, no number of healthy days would show it."
    more = _rounded(needed)
    unit = "day" if more == "1" else "days"
    return f" About {more} more healthy {unit}, at the same rate, would show it."


def why_no_interval(name: str, others: bool) -> str:
    """Why a metric that can have an interval has none; ``others`` of the same rows have one."""
    if name == "precision" and others:
        return (
            " How sure that is cannot be said: in too many draws of these rows nothing alarms, and "
            "it has no value."
        )
    return (
        " How sure that is cannot be said of so few runs: at least 3 with faults and 3 with normal "
        "rows are needed."
    )


def fewest_times(enough: Callable[[float], bool]) -> float:
    """The smallest factor of more rows that is enough, to a millionth; infinity if none is.

    >>> round(fewest_times(lambda times: times >= 3), 3)
    3.0
    """
    low, high = 1.0, 2.0
    while not enough(high):
        low, high = high, 2 * high
        if high > _MOST_TIMES:
            return math.inf
    while high / low > 1 + 1e-6:
        middle = math.sqrt(low * high)
        if enough(middle):
            high = middle
        else:
            low = middle
    return high


def _rounded(number: float) -> str:
    """Upwards to two digits, at least 1: it is a rough estimate.

    >>> _rounded(1234)
    '1,300'
    """
    number = max(number, 1.0)
    step = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return f"{math.ceil(number / step) * step:,}"
