"""The load of false alarms: can an operator take them?"""

from __future__ import annotations

import math

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate.bounds import in_words, unless_broken
from faultxfer.evaluate.gate.check import FAILED, NOT_APPLICABLE, WARNED, Evidence
from faultxfer.evaluate.gate.sample_size import days_to_show
from faultxfer.evaluate.intervals import Interval
from faultxfer.metric_table import OPERATOR_ALARMS_PER_DAY, PER_DAY_LIMIT
from faultxfer.wording import about, amount


def judged(limit: Limit, given: Evidence, options: GateOptions) -> tuple[str, str]:
    """Status and message of a bound on the false alarms per day that rows have to break."""
    events = given.events
    if events is None or events.false_alarms_per_day is None:
        message = "How many false alarms it raises a day is not known: the rows have no dates."
        return NOT_APPLICABLE, message
    rate = events.false_alarms_per_day
    status = unless_broken(limit, rate)
    message = (
        f"The candidate raises {about(rate.estimate, 'false alarm')} a day, between "
        f"{amount(rate.low)} and {amount(rate.high)}; {_allowed(limit)}."
    )
    if status in (FAILED, WARNED):
        message += _mend(limit, rate, given)
    if status == NOT_APPLICABLE:
        message += " These rows hold too little normal operation to show whether that is kept."
        message += days_to_show(limit, events.false_alarms, rate, options.confidence)
    return status, message


def _allowed(limit: Limit) -> str:
    if limit.max == OPERATOR_ALARMS_PER_DAY and limit.min is None:
        return PER_DAY_LIMIT
    return f"the rules ask for {in_words(limit, 'at least')}"


def _mend(limit: Limit, rate: Interval, given: Evidence) -> str:
    """Which option would bring the alarms down, and how many normal rows that takes."""
    if limit.max is None or rate.estimate <= limit.max:
        return ""
    mend = " Transfer again with a lower `--false-alarm-rate`"
    normals = given.candidate.rows - given.candidate.faults
    # As if alarms fell with the rows that alarm.
    now = given.candidate.false_alarm_rate if given.asked_rate is None else given.asked_rate
    wanted = _rounded_down((now or 0.0) * limit.max / rate.estimate)
    if not wanted:
        return f"{mend}, and with more labelled normal rows."
    mend += f", about {wanted:g}; fewer faults may then be found."
    needed = math.ceil(1 / wanted)
    if needed > normals:
        mend += (
            f" To choose such a threshold takes at least {needed:,} labelled normal rows, and here "
            f"are {normals:,}: bring more."
        )
    return mend


def _rounded_down(share: float) -> float:
    """To two digits.

    >>> _rounded_down(0.00189)
    0.0018
    """
    if share <= 0:
        return 0.0
    digits = 1 - math.floor(math.log10(share))
    return math.floor(share * 10.0**digits) / 10.0**digits
