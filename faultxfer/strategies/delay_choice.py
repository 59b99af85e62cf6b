"""Whether and how alarms are delayed, and a threshold for a budget, chosen by rows held out.

Counted are faults and alarms, not rows: a fault is found or it is not, and an alarm that touches no
fault is a false one. Delays cost rows of faults, and few of those may be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from faultxfer.bundle.budget import AlarmBudget
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
# By how much more normal rows lie above the lower thresholds that a way is tried with.
_LOWER = (2.0, 4.0)
# Of normal rows above a threshold, for those that are tried above that of the rate.
_SHARES = (0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 0.0)
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
        faulty: (n,) whether each row in that order is of a fault.
        faults: how many stretches of fault rows there are.
    """

    def __init__(self, y: np.ndarray, moments: Moments) -> None:
        number = np.unique(moments.recording.astype(str), return_inverse=True)[1]
        numbered = Moments(number, moments.time)
        self.order = numbered.order
        self.moments = numbered.take(self.order)
        self.faulty = y[self.order] == 1
        self._fault = _numbered(self.faulty, self.moments.recording)
        self.faults = int(self._fault.max(initial=-1)) + 1

    def counted(self, on: np.ndarray) -> Counts:
        """What alarms find and claim, by (n,) whether each row is in one, in :attr:`order`."""
        alarm = _numbered(on, self.moments.recording)
        found = np.unique(self._fault[on & self.faulty])
        right = np.unique(alarm[on & self.faulty])
        return Counts(
            faults=self.faults,
            found=len(found),
            false_alarms=int(alarm.max(initial=-1)) + 1 - len(right),
            fault_rows=float(on[self.faulty].mean()) if self.faulty.any() else 0.0,
            normal_rows=float(on[~self.faulty].mean()) if not self.faulty.all() else 0.0,
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


@dataclass(frozen=True)
class Aim:
    """What alarms are to keep.

    Attributes:
        rate: share of normal rows that may be in one.
        promised: whether that is promised, so that delays may add no row to an alarm.
        per_day: most false alarms a day; None for any number.
        asked: whether that was asked for: then higher thresholds are tried, too.
        confidence: with which it is promised; None for an aim.
    """

    rate: float
    promised: bool
    per_day: float | None
    asked: bool = False
    confidence: float | None = None


@dataclass(frozen=True)
class ChosenAlarms:
    """How alarms are made of probabilities, and what is known of the false ones.

    Attributes:
        threshold: above which a row may alarm.
        delays: of alarms; None where there are none.
        budget: evidence where false alarms a day were asked for; None elsewhere.
    """

    threshold: float
    delays: Delays | None
    budget: AlarmBudget | None = None


def choose_alarms(
    probabilities: np.ndarray, threshold: float, y: np.ndarray, moments: Moments, aim: Aim
) -> ChosenAlarms:
    """The delays with the best event F0.5, of those that keep the false alarms a day.

    None where there is no clock, too little healthy time to see one false alarm, or no fault; and
    where nothing is better than none. Where false alarms a day were asked for, higher thresholds
    are tried as well.

    Args:
        probabilities: (n,) by models that were not fitted on the rows.
        threshold: above which a row alarms at the rate.
        y: (n,) labels.
        moments: of the rows.
        aim: what is to be kept.
    """
    days = healthy_days(y, moments)
    if not aim.asked and (not days or (aim.per_day is not None and days * aim.per_day < 1)):
        return ChosenAlarms(threshold, None)
    events = LabelledEvents(y, moments)
    if not aim.asked and not events.faults:
        return ChosenAlarms(threshold, None)
    said = probabilities[events.order]
    tried = _tried(said, _levels(said[~events.faulty], threshold, aim), events, aim)
    best = _best([one for one in tried if one.alarms.threshold >= threshold], aim, days)
    if not aim.asked or aim.per_day is None:
        return best.alarms
    budget = AlarmBudget(aim.per_day, aim.confidence, best.counts.false_alarms, days)
    return replace(best.alarms, budget=budget)


def healthy_days(y: np.ndarray, moments: Moments) -> float:
    """Normal rows times the usual step, so that pauses do not count; 0 where there are no dates."""
    step = usual_step(moments)
    if step is None or not has_dates(moments.time):
        return 0.0
    return int((y == 0).sum()) * step / _DAY


def _levels(normal: np.ndarray, threshold: float, aim: Aim) -> list[float]:
    """The threshold among those to try it with: lower ones, and higher ones for a budget.

    Args:
        normal: probabilities of normal rows.
        threshold: that of the rate.
        aim: what is to be kept.
    """
    share = max(float((normal > threshold).mean()), aim.rate / 2)
    lower = _exceeded(normal, [share * times for times in _LOWER])
    higher = _exceeded(normal, _SHARES if aim.asked else ())
    return [*lower[lower < threshold], threshold, *higher[higher > threshold]]


def _exceeded(normal: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Levels above which these shares of (n,) normal rows lie, ascending."""
    places = np.ceil(len(normal) * (1 - np.clip(shares, 0, 1))).astype(int) - 1
    return np.unique(np.sort(normal)[np.maximum(places, 0)])


@dataclass(frozen=True)
class _Tried:
    """A way to alarm.

    Attributes:
        alarms: the way.
        counts: what it finds.
        plain: what the same threshold finds without delays.
        f_score: event F0.5, the mean of this and somewhat lower thresholds. Few rows hold few false
            alarms, and scores of new runs lie higher.
    """

    alarms: ChosenAlarms
    counts: Counts
    plain: Counts
    f_score: float


def _tried(
    said: np.ndarray, thresholds: Sequence[float], events: LabelledEvents, aim: Aim
) -> list[_Tried]:
    """All ways, the lowest threshold and the shortest delays first."""
    step = usual_step(events.moments)
    ways: list[Delays | None] = [None]
    if step is not None:
        ways += ways_to_delay(step, only_on=aim.promised)
    found, scores = [], np.zeros((len(thresholds), len(ways)))
    for level, threshold in enumerate(thresholds):
        plain = events.counted(said > threshold)
        for place, way in enumerate(ways):
            counts = plain
            if way is not None:
                counts = events.counted(delayed(said, threshold, events.moments, way))
            scores[level, place] = counts.f_score
            near = float(scores[max(level - len(_LOWER), 0) : level + 1, place].mean())
            found.append(_Tried(ChosenAlarms(threshold, way), counts, plain, near))
    return found


def _best(tried: list[_Tried], aim: Aim, days: float) -> _Tried:
    """The best of those that keep what they are to keep; else of those with fewest false alarms."""
    rate = max(aim.rate, tried[0].plain.normal_rows)
    able = [one for one in tried if one.alarms.delays is None or _costs_little(one, rate)]
    kept = [one for one in able if _keeps(one.counts, aim, days)]
    if not kept:
        fewest = min(one.counts.false_alarms for one in able)
        kept = [one for one in able if one.counts.false_alarms == fewest]
    return max(kept, key=lambda one: one.f_score)


def _costs_little(one: _Tried, rate: float) -> bool:
    enough = _KEPT_ROWS * one.plain.fault_rows
    return one.counts.fault_rows >= enough and one.counts.normal_rows <= rate


def _keeps(counts: Counts, aim: Aim, days: float) -> bool:
    if aim.per_day is None:
        return True
    if aim.confidence is None:
        return counts.false_alarms + 1 <= aim.per_day * days
    return AlarmBudget(aim.per_day, aim.confidence, counts.false_alarms, days).kept


def delayed(
    probabilities: np.ndarray, threshold: float, moments: Moments, way: Delays | None
) -> np.ndarray:
    """(n,) whether each row is in an alarm, by (n,) probabilities."""
    if way is None:
        return np.asarray(probabilities > threshold)
    return DelayedAlarms(way, threshold).add(probabilities, moments)
