"""How much more would settle what these rows do not show?"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.stats import beta, chi2, norm

from faultxfer.config import LOWER_IS_BETTER, GateOptions, Limit
from faultxfer.evaluate.gate.bounds import asks_a_gain, kept
from faultxfer.evaluate.intervals import Interval

# How often more rows should settle a difference that is as large as it looks now.
_POWER = 0.8
_MOST_TIMES = 10_000.0
_MOST = 100_000
# Equally likely deviations of a figure, in standard errors.
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
    """How many more labelled rows would settle a figure or a difference, if it stays as it looks.

    Args:
        name: of the figure.
        limit: its bound.
        interval: the figure now.
        counts: fault rows and normal rows that gave it.
        options: confidence, and what is a tie.
        change: whether it is a difference that may end in a tie, see :func:`faultxfer.evaluate.gate.bounds.gained`.
    """
    rows, kind = (
        (counts[1], "normal rows") if name == "false_alarm_rate" else (counts[0], "labelled faults")
    )
    gain = change and asks_a_gain(name, limit)
    sides = (
        ((limit.max if name in LOWER_IS_BETTER else limit.min),) if gain else (limit.min, limit.max)
    )
    edges = [side for side in sides if side is not None]
    tie = options.tie if gain else 0.0
    times = fewest_times(lambda t: _settled(interval, edges, tie, t, options.confidence) >= _POWER)
    needed = rows * (times - 1)
    if not interval.error or needed > _MOST:
        return f" More {kind} would hardly settle it."
    return f" About {_rounded(needed)} more {kind}, of other runs, would settle it if it stays so."


def _settled(
    interval: Interval, edges: list[float], tie: float, times: float, confidence: float
) -> float:
    """How often ``times`` as many rows show rightly on which side of its edges a figure lies, or that it is a tie.

    A tie needs both bounds inside, so near 0 it takes more rows than a bound on one side does (Schuirmann 1987).
    """
    # The error falls with the square root of the rows, as long as they come from as many more runs.
    error = (interval.error or 0.0) / math.sqrt(times)
    reach, drawn = float(norm.ppf(confidence)) * error, interval.estimate + error * _DEVIATIONS
    shown = np.all(
        [np.sign(interval.estimate - edge) * (drawn - edge) > reach for edge in edges], axis=0
    )
    tied = (abs(interval.estimate) < tie) & (np.abs(drawn) < tie - reach)
    return float(np.mean(shown | tied))


def more_events(limit: Limit, faults: int, found: int, confidence: float) -> str:
    """How many more fault events, found at the share of now, the exact bounds would need to keep the bound."""

    def enough(times: float) -> bool:
        # Clopper & Pearson's bounds, for counts that need not be whole.
        trials, hits = times * faults, times * found
        low = 0.0 if found == 0 else float(beta.ppf(1 - confidence, hits, trials - hits + 1))
        high = 1.0 if found == faults else float(beta.ppf(confidence, hits + 1, trials - hits))
        return kept(limit, low, high)

    needed = faults * (fewest_times(enough) - 1)
    if needed > _MOST:
        return " While the share found stays so, no number of labelled faults would show it."
    return (
        f" About {_rounded(needed)} more labelled faults, found at the same share, would show it."
    )


def more_days(limit: Limit, alarms: int, interval: Interval, confidence: float) -> str:
    """How many more days of normal operation the exact bounds of a daily rate would need to keep the bound."""
    days = float(chi2.ppf(confidence, 2 * alarms + 2)) / 2 / interval.high

    def enough(times: float) -> bool:
        # Garwood's bounds, for counts that need not be whole.
        count, exposure = times * alarms, times * days
        low = 0.0 if alarms == 0 else float(chi2.ppf(1 - confidence, 2 * count)) / 2 / exposure
        return kept(limit, low, float(chi2.ppf(confidence, 2 * count + 2)) / 2 / exposure)

    needed = days * (fewest_times(enough) - 1)
    if needed > _MOST:
        return " While the rate stays so, no number of faults or days of normal operation would show it."
    return (
        f" It takes normal operation, not faults: about {_rounded(needed)} more days of it, at the same rate, would "
        "show it."
    )


def no_interval(name: str, others: bool) -> str:
    """Why a figure that can have an interval has none; ``others`` of the same rows have one."""
    if name == "precision" and others:
        return " How sure that is cannot be said: in too many draws of these rows it has no value, as nothing alarms."
    return " How sure that is cannot be said of so few runs: at least 3 with faults and 3 with normal rows are needed."


def fewest_times(enough: Callable[[float], bool]) -> float:
    """By how much evidence must grow, at least, until there is enough of it; infinity if it never is."""
    low, high = 1.0, 2.0
    while not enough(high):
        low, high = high, 2 * high
        if high > _MOST_TIMES:
            return math.inf
    while high / low > 1 + 1e-6:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _rounded(number: float) -> str:
    """Upwards to two digits, at least 1: it is a rough estimate."""
    number = max(number, 1.0)
    step = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return f"{math.ceil(number / step) * step:,}"
