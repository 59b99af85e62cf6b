"""Figures of events: a fault that lasts is one fault, and an alarm that stays on is one alarm.

Nothing is point-adjusted: a fault that was noticed late has not been noticed before (Kim et al., "Towards a rigorous
evaluation of time-series anomaly detection", AAAI 2022).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from faultxfer.evaluate.intervals import Interval, clopper_pearson, poisson_rate
from faultxfer.evaluate.rows import Judged, has_dates

# EEMUA 191: one alarm in ten minutes is what one operator can handle in the long run, from all systems together.
OPERATOR_LOAD = 6.0
_HOUR, _DAY = 3600.0, 86400.0
_FIGURES = ("event_recall", "detection_delay", "false_alarms_per_day", "alarms_per_hour")


@dataclass(frozen=True)
class EventFigures:
    """What happened to each fault, and how often it alarmed without one.

    Attributes:
        faults, found: fault events, and those during which it alarmed.
        event_recall: share of fault events found, with exact bounds.
        detection_delay: median seconds from a fault's start to its first alarm, faults that were missed counting as
            never; None without dates, or where half or more were missed.
        false_alarms: alarms that touch no fault.
        false_alarms_per_day: of normal operation, with exact bounds; None without dates.
        alarms_per_hour: all alarms over all recorded time; None without dates.
    """

    faults: int
    found: int
    event_recall: Interval
    detection_delay: float | None
    false_alarms: int
    false_alarms_per_day: Interval | None
    alarms_per_hour: float | None

    def estimates(self) -> dict[str, float | None]:
        """Each figure without its bounds; None where it could not be measured."""
        values = {name: getattr(self, name) for name in _FIGURES}
        return {
            name: value.estimate if isinstance(value, Interval) else value
            for name, value in values.items()
        }

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {
            name: value.as_dict() if isinstance(value, Interval) else value
            for name, value in values.items()
        }


def measure_events(judged: Judged, confidence: float) -> EventFigures:
    """Events of the judged rows, run by run in the order of time; the rows hold at least one fault.

    A fault and an alarm are contiguous stretches of rows of one run. Recorded time is counted as rows times the run's
    median step, so that gaps do not count.
    """
    dated = has_dates(judged.time)
    order = np.lexsort(
        (np.arange(len(judged.y)), np.nan_to_num(judged.time), judged.run.astype(str))
    )
    rows = judged.take(order)
    starts = np.flatnonzero(np.r_[True, rows.run[1:] != rows.run[:-1]])
    delays: list[float] = []
    alarms = false_alarms = 0
    normal_seconds = seconds = 0.0
    for run in (rows.take(part) for part in np.split(np.arange(len(order)), starts[1:])):
        delays += _delays(run)
        raised, false = _alarms(run)
        alarms, false_alarms = alarms + raised, false_alarms + false
        if dated:
            step = float(np.median(np.diff(run.time))) if len(run.y) > 1 else 0.0
            seconds, normal_seconds = (
                seconds + step * len(run.y),
                normal_seconds + step * float((run.y == 0).sum()),
            )
    found = int(np.isfinite(delays).sum())
    median = float(np.sort(delays)[len(delays) // 2])  # the later one of two, which may be never
    return EventFigures(
        faults=len(delays),
        found=found,
        event_recall=clopper_pearson(found, len(delays), confidence),
        detection_delay=median if dated and np.isfinite(median) else None,
        false_alarms=false_alarms,
        false_alarms_per_day=poisson_rate(false_alarms, normal_seconds / _DAY, confidence)
        if normal_seconds
        else None,
        alarms_per_hour=alarms * _HOUR / seconds if seconds else None,
    )


def _stretches(flags: np.ndarray) -> list[tuple[int, int]]:
    """First and one past the last position of each stretch of true values."""
    edges = np.flatnonzero(np.diff(flags.astype(int), prepend=0, append=0)).reshape(-1, 2)
    return [(int(first), int(last)) for first, last in edges]


def _delays(run: Judged) -> list[float]:
    """For each fault of a run the time (or rows, where there is none) to its first alarm; infinite if missed."""
    clock = run.time if np.isfinite(run.time).all() else np.arange(len(run.y), dtype=float)
    delays = []
    for first, last in _stretches(run.y == 1):
        hits = np.flatnonzero(run.alarms[first:last])
        delays.append(float(clock[first + hits[0]] - clock[first]) if len(hits) else np.inf)
    return delays


def _alarms(run: Judged) -> tuple[int, int]:
    """How many alarms a run has, and how many of them touch no fault."""
    stretches = _stretches(run.alarms)
    return len(stretches), sum(not run.y[first:last].any() for first, last in stretches)
