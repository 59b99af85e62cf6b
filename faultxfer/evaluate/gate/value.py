"""Value checks: is the candidate good enough in itself?"""

from __future__ import annotations

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate import load
from faultxfer.evaluate.gate.bounds import (
    bounded,
    in_words,
    kept,
    spread,
    tolerated,
    unless_broken,
)
from faultxfer.evaluate.gate.check import (
    FAILED,
    NOT_APPLICABLE,
    OPEN,
    PASSED,
    Check,
    Evidence,
)
from faultxfer.evaluate.gate.sample_size import more_days, more_events, more_rows, why_no_interval
from faultxfer.evaluate.intervals import Interval
from faultxfer.metric_table import METRICS

_CODE = "GATE-VALUE"


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """One check per bounded metric; no bounds, no blessing."""
    limits = bounded(options.value)
    checks = [_within(name, limit, given, options) for name, limit in limits.items()]
    if all(limit.by_breach for limit in limits.values()):
        checks.insert(0, _no_thresholds())
    return checks


def _no_thresholds() -> Check:
    message = "The gate has no value thresholds, so nothing can pass it; set some under `value`."
    title = "value thresholds are set"
    return Check("GATE-NO-THRESHOLDS", title, FAILED, message, by_rows=False)


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
    if limit.by_breach and name == "false_alarms_per_day":
        return Check(_CODE, title, *load.judged(limit, given, options))
    if value is None:
        return _not_measured(name, title, limit, given)
    if limit.by_breach:
        status = unless_broken(limit, interval)
    else:
        status = tolerated(limit, value, interval, default="estimate", strictly=False)
    message = (
        f"The candidate's {metric} is {value:.3f}{spread(interval)}; the rules ask for "
        f"{in_words(limit, 'at least')}."
    )
    if status == PASSED and interval is not None and not kept(limit, interval):
        message += " These rows alone do not rule out a value on the wrong side."
    if status in (OPEN, NOT_APPLICABLE):
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


def _not_measured(name: str, title: str, limit: Limit, given: Evidence) -> Check:
    status, why = FAILED, "nothing alarmed"
    if given.candidate.faults in (0, given.candidate.rows):
        status, why = OPEN, "there are not both faults and normal rows that judge"
    elif METRICS[name].of == "event":
        status, why = OPEN, "the rows have no dates, or it missed half of the faults"
    if limit.by_breach:
        status = NOT_APPLICABLE
    return Check(_CODE, title, status, f"The {METRICS[name].title} could not be measured: {why}.")
