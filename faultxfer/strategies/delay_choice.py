"""Whether and how alarms are delayed, chosen by rows held out.

Counted are faults and alarms, not rows: a fault is found or it is not, and an alarm that touches no
fault is a false one. Delays cost rows of faults, and few of those may be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from faultxfer.bundle.delays import DelayedAlarms, Delays
from faultxfer.data.moments import Moments, has_dates, usual_step

# Delays in usual steps, on and off: a fleeting alarm is not raised, one that flickers stays.
IN_STEPS: tuple[tuple[float, float], ...] = (
    *((2, 0), (0, 2), (2, 2)),
    *((5, 0), (0, 5), (5, 5)),
    *((10, 0), (10, 10)),
)
# In log-odds, for those that clear with a delay.
_DEADBANDS = (0.0, 0.5)
# A longer pause than this many usual steps is a new start.
_PAUSE = 20.0
# Of the rows of faults in which it alarms without delays, this share must be left.
_KEPT_ROWS = 0.9
_DAY = 86_400.0
# What weighs recall beside precision: missed faults count half as much as false alarms.
_BETA = 0.5


@dataclass(frozen=True)
class Counts:
    """Faults and alarms of labelled rows.

    Attributes:
        faults, found: stretches of fault rows, and those in which there was an alarm.
        false_alarms: alarms that touch no fault.
        fault_rows, normal_rows: shares of the rows of a class that are in an alarm.
    """

    faults: int
    found: int
    false_alarms: int
    fault_rows: float
    normal_rows: float

    @property
    def f_score(self) -> float:
        """Event F0.5: alarms inside of one fault count as one, so that flicker earns nothing.

        >>> round(Counts(faults=4, found=3, false_alarms=1, fault_rows=0, normal_rows=0).f_score, 3)
        0.75
        """
        weight = _BETA**2
        right = (1 + weight) * self.found
        wrong = weight * (self.faults - self.found) + self.false_alarms
        return right / (right + wrong) if right else 0.0


class LabelledEvents:
    """Labelled rows, by which the alarms of many thresholds and delays are counted.

    Args:
        y: (n,) labels.
        moments: of the rows.

    Attributes:
        order: (n,) positions of the rows, recording by recording.
        moments: of the rows in that order.
        faults: how many stretches of fault rows there are.
        normals: how many normal rows.
    """

    def __init__(self, y: np.ndarray, moments: Moments) -> None:
        number = np.unique(moments.recording.astype(str), return_inverse=True)[1]
        self.order = Moments(number, moments.time).order
        self.moments = Moments(number[self.order], moments.time[self.order])
        self._faulty = y[self.order] == 1
        self._fault = _numbered(self._faulty, self.moments.recording)
        self.faults = int(self._fault.max(initial=-1)) + 1
        self.normals = int((~self._faulty).sum())

    def counted(self, on: np.ndarray) -> Counts:
        """What alarms find and claim, by (n,) whether each row is in one, in :attr:`order`."""
        alarm = _numbered(on, self.moments.recording)
        found = np.unique(self._fault[on & self._faulty])
        right = np.unique(alarm[on & self._faulty])
        return Counts(
            faults=self.faults,
            found=len(found),
            false_alarms=int(alarm.max(initial=-1)) + 1 - len(right),
            fault_rows=float(on[self._faulty].mean()) if self._faulty.any() else 0.0,
            normal_rows=float(on[~self._faulty].mean()) if not self._faulty.all() else 0.0,
        )


def _numbered(flags: np.ndarray, recording: np.ndarray) -> np.ndarray:
    """(n,) number of the stretch of true values that each row is of; -1 where it is of none."""
    begins = flags & np.append(True, ~flags[:-1] | (recording[1:] != recording[:-1]))
    return np.where(flags, np.cumsum(begins) - 1, -1)


def ways_to_delay(step: float, *, only_on: bool = False) -> list[Delays]:
    """The delays that are tried, the shortest first.

    Args:
        step: the usual one.
        only_on: those alone that take rows out of alarms and add none to them.
    """
    return [
        Delays(on * step, off * step, deadband, _PAUSE * step, step)
        for on, off in IN_STEPS
        for deadband in (_DEADBANDS if off else (0.0,))
        if not (only_on and off)
    ]


def best_delays(
    probabilities: np.ndarray,
    threshold: float,
    y: np.ndarray,
    moments: Moments,
    most: float | None,
    rate: float,
    *,
    promised: bool,
) -> Delays | None:
    """The delays with the best event F0.5, of those that keep the false alarms a day.

    None where there is no clock, too little healthy time to see one false alarm, or no fault; and
    where nothing is better than none.

    Args:
        probabilities: (n,) by models that were not fitted on the rows.
        threshold: above which a row alarms.
        y: (n,) labels.
        moments: of the rows.
        most: false alarms a day; None for any number.
        rate: share of normal rows that may be in an alarm.
        promised: whether that is promised, so that no row may be added to an alarm.
    """
    step = usual_step(moments)
    if step is None or not has_dates(moments.time):
        return None
    events = LabelledEvents(y, moments)
    healthy_days = events.normals * step / _DAY
    if not events.faults or (most is not None and healthy_days * most < 1):
        return None
    said, ways = probabilities[events.order], [None, *ways_to_delay(step, only_on=promised)]
    counts = [events.counted(delayed(said, threshold, events.moments, way)) for way in ways]
    allowed = np.inf if most is None else most * healthy_days
    return ways[_best(counts, allowed, max(rate, counts[0].normal_rows))]


def delayed(
    probabilities: np.ndarray, threshold: float, moments: Moments, way: Delays | None
) -> np.ndarray:
    """(n,) whether each row is in an alarm, by (n,) probabilities."""
    if way is None:
        return np.asarray(probabilities > threshold)
    return DelayedAlarms(way, threshold).add(probabilities, moments)


def _best(counts: Sequence[Counts], allowed: float, rate: float) -> int:
    """Which of them is best; the first is that without delays."""
    least = _KEPT_ROWS * counts[0].fault_rows
    able = [
        place
        for place, one in enumerate(counts)
        if not place or (one.fault_rows >= least and one.normal_rows <= rate)
    ]
    kept = [place for place in able if counts[place].false_alarms <= allowed]
    if not kept:
        return min(able, key=lambda place: counts[place].false_alarms)
    return max(kept, key=lambda place: counts[place].f_score)
