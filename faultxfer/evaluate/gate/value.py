"""Value checks: is the candidate good enough in itself?"""

from __future__ import annotations

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate.bounds import bounded, in_words, kept, spread, tolerated
from faultxfer.evaluate.gate.check import FAILED, OPEN, PASSED, Check, Evidence
from faultxfer.evaluate.gate.sample_size import more_days, more_events, more_rows, why_no_interval
from faultxfer.evaluate.intervals import Interval
from faultxfer.metric_table import METRICS

_CODE = "GATE-VALUE"


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """One check per bounded metric; no bounds, no blessing."""
    limits = bounded(options.value)
    if limits:
        return [_within(name, limit, given, options) for name, limit in limits.items()]
    message = "The gate has no value thresholds, so nothing can pass it; set some under `value`."
    return [Check("GATE-NO-THRESHOLDS", "value thresholds are set", FAILED, message)]


def _measured(name: str, given: Evidence) -> tuple[float | None, Interval | None]:
    """The metric's value and its interval, where there are such."""
    if METRICS[name].of == "row":
        return getattr(given.candidate, name), given.intervals.get(name)
    found = getattr(given.events, name, None)
    if isinstance(found, Interval):
        return found.estimate, found
    return found, None


def _within(name: str, limit: Limit, given: Evidence, options: GateOptions) -> Check:
    metric = METRICS[name].title
    title = f"{metric} by itself"
    value, interval = _measured(name, given)
    if value is None:
        return _not_measured(name, title)
    status = tolerated(limit, value, interval, default="estimate", strictly=False)
    message = (
        f"The candidate's {metric} is {value:.3f}{spread(interval)}; the rules ask for "
        f"{in_words(limit, 'at least')}."
    )
    if status == PASSED and interval is not None and not kept(limit, interval):
        message += " These rows alone do not rule out a value on the wrong side."
    if status == OPEN:
        message += _what_is_missing(name, limit, interval, given, options)
    return Check(_CODE, title, status, message)


def _what_is_missing(
    name: str, limit: Limit, interval: Interval | None, given: Evidence, options: GateOptions
) -> str:
    """What would show a metric that must be shown to keep its bound."""
    if interval is None:
        return why_no_interval(name, bool(given.intervals))
    events, faults = given.events, given.candidate.faults
    if events is not None and name == "event_recall":
        return more_events(limit, events.faults, events.found, options.confidence)
    if events is not None and name == "false_alarms_per_day":
        return more_days(limit, events.false_alarms, interval, options.confidence)
    inside = kept(limit, Interval.at(interval.estimate), strictly=True)
    if not inside or interval.estimate == limit.max:
        return " While the metric stays so, no number of labelled faults would show it."
    return more_rows(name, limit, interval, (faults, given.candidate.rows - faults), options)


def _not_measured(name: str, title: str) -> Check:
    message = f"The {METRICS[name].title} could not be measured"
    if METRICS[name].of == "event":
        message += ": the rows have no dates, or it missed half of the faults."
        return Check(_CODE, title, OPEN, message)
    return Check(_CODE, title, FAILED, f"{message}: nothing alarmed.")
