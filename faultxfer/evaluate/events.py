"""Metrics of events: a fault that lasts is one fault, and an alarm that stays on is one alarm.

Nothing is point-adjusted: a fault that was noticed late has not been noticed before (Kim et al.,
"Towards a rigorous evaluation of time-series anomaly detection", AAAI 2022).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from faultxfer.data.blocks import rows_in_order
from faultxfer.data.moments import has_dates
from faultxfer.evaluate.intervals import Interval, clopper_pearson, poisson_rate
from faultxfer.evaluate.rows import ScoredRows
from faultxfer.metric_table import METRICS

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
# Raises that make an alarm a chattering one, in a minute or in this many steps: two raises are two
# steps apart at least.
_CHATTER, _CHATTER_STEPS = 3, 6
TIME, RUN, ROW = "time", "run", "row"


@dataclass(frozen=True)
class EventMetrics:
    """What happened to each fault, and how often it alarmed without one.

    Attributes:
        faults, found: fault events, and those during which it alarmed.
        event_recall: share of fault events found, with exact bounds.
        detection_delay: median seconds from a fault's start to its first alarm, faults that were
            missed counting as never; None without dates, or where half or more were missed.
        false_alarms: alarms that touch no fault.
        false_alarms_per_day: of normal operation, with exact bounds; None without dates.
        alarms_per_hour: all alarms over all recorded time; None without dates.
        told_by: what tells one fault from the next: ``time``, ``run``, or ``row`` where the order
            of the rows is all there is, so that their faults cannot be counted.
        time_in_alarm: share of the recorded time in which there is an alarm; None without dates.
        chattering: alarms that are raised for the third time in a minute, or in six steps where
            sampling is slower (ISA-18.2); None without dates.
    """

    faults: int
    found: int
    event_recall: Interval
    detection_delay: float | None
    false_alarms: int
    false_alarms_per_day: Interval | None
    alarms_per_hour: float | None
    told_by: str = TIME
    time_in_alarm: float | None = None
    chattering: int | None = None

    def estimates(self) -> dict[str, float | None]:
        """Each metric without its bounds; None where it could not be measured."""
        found = {}
        for name, metric in METRICS.items():
            if metric.of == "event":
                value = getattr(self, name)
                found[name] = value.estimate if isinstance(value, Interval) else value
        return found


@dataclass
class _Totals:
    """Sums over runs; times in seconds."""

    alarms: int = 0
    false_alarms: int = 0
    recorded: float = 0.0
    normal: float = 0.0
    in_alarm: float = 0.0
    chattering: int = 0


def measure_events(rows: ScoredRows, confidence: float) -> EventMetrics:
    """Events of the test rows, run by run in the order of time; the rows hold at least one fault.

    A fault and an alarm are contiguous stretches of rows of one run. Recorded time is counted as
    rows times the run's median step, so that gaps do not count.
    """
    dated, totals = has_dates(rows.time), _Totals()
    delays: list[float] = []
    for run in _runs_of(rows):
        delays += _delays(run)
        _count_alarms(run, totals)
        if dated and len(run.y) > 1:
            step = float(np.median(np.diff(run.time)))
            totals.recorded += step * len(run.y)
            totals.normal += step * int((run.y == 0).sum())
            totals.in_alarm += step * int(run.alarms.sum())
            totals.chattering += _chattering(run, step)
    found = int(np.isfinite(delays).sum())
    # Of an even number the later one in the middle, which may be never.
    delay = float(np.sort(delays)[len(delays) // 2])
    daily = load = share = chattering = None
    if totals.normal:
        daily = poisson_rate(totals.false_alarms, totals.normal / _DAY, confidence)
    if totals.recorded:
        load = totals.alarms * _HOUR / totals.recorded
        share, chattering = totals.in_alarm / totals.recorded, totals.chattering
    return EventMetrics(
        faults=len(delays),
        found=found,
        event_recall=clopper_pearson(found, len(delays), confidence),
        detection_delay=delay if dated and np.isfinite(delay) else None,
        false_alarms=totals.false_alarms,
        false_alarms_per_day=daily,
        alarms_per_hour=load,
        told_by=_told_by(rows),
        time_in_alarm=share,
        chattering=chattering,
    )


def _told_by(rows: ScoredRows) -> str:
    if np.isfinite(rows.time).all():
        return TIME
    return RUN if len(np.unique(rows.run.astype(str))) > 1 else ROW


def _runs_of(rows: ScoredRows) -> Iterator[ScoredRows]:
    order = rows_in_order(rows.run.astype(str), rows.time)
    names = rows.run[order]
    starts = np.flatnonzero(names[1:] != names[:-1]) + 1
    for run in np.split(order, starts):
        yield _one_row_a_time(rows.take(run))


def _one_row_a_time(run: ScoredRows) -> ScoredRows:
    """Rows of one time as one row, which is faulty, or alarms, if any of them is, or does.

    Copies of a recording lie on its clock, and count as one.
    """
    if not np.isfinite(run.time).all():
        return run
    starts = np.flatnonzero(np.diff(run.time, prepend=-np.inf))
    return replace(
        run.take(starts),
        y=np.maximum.reduceat(run.y, starts),
        alarms=np.logical_or.reduceat(run.alarms, starts),
    )


def stretches_of(flags: np.ndarray) -> list[tuple[int, int]]:
    """First and one past the last position of each stretch of true values.

    >>> stretches_of(np.array([0, 1, 1, 0, 1]) == 1)
    [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(flags.astype(int), prepend=0, append=0))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _delays(run: ScoredRows) -> list[float]:
    """Time (or rows, without times) from each fault's start to its first alarm; inf if missed."""
    clock = run.time
    if not np.isfinite(clock).all():
        clock = np.arange(len(run.y), dtype=float)
    delays = []
    for first, last in stretches_of(run.y == 1):
        alarmed = np.flatnonzero(run.alarms[first:last])
        delay = np.inf
        if len(alarmed):
            delay = float(clock[first + alarmed[0]] - clock[first])
        delays.append(delay)
    return delays


def _chattering(run: ScoredRows, step: float) -> int:
    """How often a run's alarm is raised when it was raised twice shortly before."""
    raised = run.time[[first for first, _ in stretches_of(run.alarms)]]
    within = max(_MINUTE, _CHATTER_STEPS * step)
    return int((raised[_CHATTER - 1 :] - raised[: 1 - _CHATTER] <= within).sum())


def _count_alarms(run: ScoredRows, totals: _Totals) -> None:
    """Add a run's alarms, and those of them that touch no fault."""
    for first, last in stretches_of(run.alarms):
        totals.alarms += 1
        if not run.y[first:last].any():
            totals.false_alarms += 1
