"""Value checks: is the candidate good enough in itself?"""

from __future__ import annotations

from faultxfer.config import EVENT_METRICS, GateOptions, Limit
from faultxfer.evaluate.gate.bounds import kept, spread, tolerated, words
from faultxfer.evaluate.gate.check import FAILED, OPEN, PASSED, Check, Evidence, metric_name
from faultxfer.evaluate.gate.settle import more_days, more_events, more_rows, no_interval
from faultxfer.evaluate.intervals import Interval


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """One check per bounded metric; no bounds, no blessing."""
    bounded = {name: limit for name, limit in options.value.items() if limit.bounds}
    if not bounded:
        message = (
            "The gate has no value thresholds, so nothing can pass it; set some under `value`."
        )
        return [Check("GATE-NO-THRESHOLDS", "value thresholds are set", FAILED, message)]
    return [_within(name, limit, given, options) for name, limit in bounded.items()]


def _figure(name: str, given: Evidence) -> tuple[float | None, Interval | None]:
    if name not in EVENT_METRICS:
        return getattr(given.candidate, name), given.intervals.get(name)
    found = getattr(given.events, name, None)
    return (found.estimate, found) if isinstance(found, Interval) else (found, None)


def _within(name: str, limit: Limit, given: Evidence, options: GateOptions) -> Check:
    title = f"{metric_name(name)} by itself"
    value, interval = _figure(name, given)
    if value is None:
        return _not_measured(name, title)
    status = tolerated(limit, value, interval, default="estimate", strictly=False)
    asked = f"{words(limit, 'at least')} is asked"
    message = f"The candidate's {metric_name(name)} is {value:.3f}{spread(interval)}; {asked}."
    if status == PASSED and interval is not None and not kept(limit, interval.low, interval.high):
        message += " These rows alone do not rule out a figure on the wrong side."
    if status == OPEN:
        message += _more(name, limit, interval, given, options)
    return Check("GATE-VALUE", title, status, message)


def _more(
    name: str, limit: Limit, interval: Interval | None, given: Evidence, options: GateOptions
) -> str:
    """What would show a figure that must be shown to keep its bound."""
    if interval is None:
        return no_interval(name, bool(given.intervals))
    if given.events is not None and name == "event_recall":
        return more_events(limit, given.events.faults, given.events.found, options.confidence)
    if given.events is not None and name == "false_alarms_per_day":
        return more_days(limit, given.events.false_alarms, interval, options.confidence)
    if (
        not kept(limit, interval.estimate, interval.estimate, strictly=True)
        or interval.estimate == limit.max
    ):
        return " While the figure stays so, no number of labelled faults would show it."
    faults = given.candidate.faults
    return more_rows(name, limit, interval, (faults, given.candidate.rows - faults), options)


def _not_measured(name: str, title: str) -> Check:
    if name in EVENT_METRICS:
        why = "the rows have no dates, or it missed half of the faults"
        return Check(
            "GATE-VALUE", title, OPEN, f"The {metric_name(name)} could not be measured: {why}."
        )
    return Check(
        "GATE-VALUE",
        title,
        FAILED,
        f"The {metric_name(name)} could not be measured: nothing alarmed.",
    )
