"""Alarms that are raised and cleared with a delay, so that a score that flickers is one alarm.

The words are those of OPC UA part 9: on-delay, off-delay, deadband. No row sees a later one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit

from faultxfer.data.blocks import NotInOrderError
from faultxfer.data.moments import Moments

# Clocks jitter: a hundredth less than a delay is enough.
_ENOUGH = 0.99


@dataclass(frozen=True)
class Delays:
    """When an alarm is raised, and when it is cleared.

    Attributes:
        on: for which the probability must have been above the threshold until an alarm is raised,
            in the unit of the time: seconds or steps of a sequence; rows where there is no clock.
        off: for which it must have been below the deadband until it is cleared.
        deadband: how far below the threshold, in log-odds, it must be for that.
        pause: after a longer one all begins anew, with no alarm.
        step: the usual time from row to row where they were chosen; None where it is not known.
    """

    on: float
    off: float
    deadband: float
    pause: float
    step: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the manifest."""
        return asdict(self)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Delays:
        """The inverse of :meth:`as_dict`.

        Raises:
            ValueError: a delay is no number from 0 on, or the pause is none above 0.
        """
        names = ("on", "off", "deadband", "pause")
        on, off, deadband, pause = (float(stored[name]) for name in names)
        if not (all(0 <= one < np.inf for one in (on, off, deadband)) and pause > 0):
            raise ValueError(f"Delays are numbers from 0 on. Received: {stored}")
        step = stored.get("step")
        return cls(on, off, deadband, pause, None if step is None else float(step))

    def lowest(self, threshold: float) -> float:
        """The probability at or below which an alarm may be cleared."""
        if not self.deadband:
            return threshold
        return float(expit(logit(np.clip(threshold, 0.0, 1.0)) - self.deadband))

    def sentence(self) -> str:
        """For people: when an alarm is raised and cleared.

        >>> Delays(120.0, 0.0, 0.0, 600.0, 60.0).sentence().partition(", and")[0]
        'An alarm is raised when the score has stayed above the threshold for 2 steps'
        """
        raised = "as soon as the score is above the threshold"
        if self.on:
            raised = f"when the score has stayed above the threshold for {self._steps(self.on)}"
        cleared = "as soon as it is below"
        if self.off:
            cleared = f"when it has stayed below for {self._steps(self.off)}"
        margin = f", by {self.deadband:g} in log-odds" if self.deadband else ""
        return (
            f"An alarm is raised {raised}, and cleared {cleared}{margin}: so there are fewest "
            "false alarms for the faults found, on rows held out."
        )

    def _steps(self, delay: float) -> str:
        if self.step is None:
            return "a while"
        steps = delay / self.step
        return f"{steps:.3g} step{'' if steps == 1 else 's'}"


@dataclass(frozen=True)
class AlarmState:
    """What of a recording's alarm is to be known for its next row.

    Attributes:
        time: of the last row.
        on: whether there is an alarm.
        above, below: for how long the probability has been above the threshold, and below the
            deadband; NaN where it is not.
        runs: whether the last row counts; the machine may not have run there.
    """

    time: float
    on: bool
    above: float
    below: float
    runs: bool = True


class DelayedAlarms:
    """Alarms of rows that come part by part, as if they had come at once.

    Args:
        delays: when alarms are raised and cleared.
        threshold: of the probability.
        states: what is known of recordings whose earlier rows were seen elsewhere.

    Attributes:
        states: by recording.
    """

    def __init__(
        self, delays: Delays, threshold: float, states: dict[Any, AlarmState] | None = None
    ) -> None:
        self._delays, self._high, self._low = delays, threshold, delays.lowest(threshold)
        self.states: dict[Any, AlarmState] = dict(states or {})

    def add(
        self, probabilities: np.ndarray, moments: Moments, runs: np.ndarray | None = None
    ) -> np.ndarray:
        """Whether each of n further rows is in an alarm.

        >>> fleeting, lasting = [0.9, 0.1, 0.9], [0.9, 0.9, 0.9, 0.1]
        >>> rows = Moments(np.zeros(7), 60.0 * np.arange(7))
        >>> alarms = DelayedAlarms(Delays(120.0, 0.0, 0.0, 600.0), 0.5)
        >>> alarms.add(np.array([*fleeting, *lasting]), rows).astype(int).tolist()
        [0, 0, 0, 0, 1, 1, 0]

        Args:
            probabilities: (n,) of a fault.
            moments: of the rows, in any order.
            runs: (n,) whether the machine ran; elsewhere time stands still. Everywhere if left out.

        Raises:
            NotInOrderError: an earlier part has later rows of one of the recordings.
        """
        if not len(probabilities):
            return np.zeros(0, dtype=bool)
        order = moments.order
        runs = np.ones(len(order), dtype=bool) if runs is None else runs
        rows = _Rows.of(moments.recording[order], moments.time[order], runs[order])
        before = [self.states.get(name) for name in rows.names]
        time = _Clock(rows, before, self._delays.pause)
        said = probabilities[order][rows.runs]
        above = _Spell(
            said > self._high, rows, time, [one.above if one else np.nan for one in before]
        )
        below = _Spell(
            said <= self._low, rows, time, [one.below if one else np.nan for one in before]
        )
        raised = above.lasts(self._delays.on)
        on = _held(raised, raised | below.lasts(self._delays.off), rows, time, before)
        for place, name in enumerate(rows.names):
            end = int(rows.ends[place])
            self.states[name] = AlarmState(
                float(rows.time[end]),
                bool(on[end]),
                above.until(place),
                below.until(place),
                bool(rows.runs[end]),
            )
        found = np.empty(len(order), dtype=bool)
        found[order] = on
        return found


@dataclass(frozen=True)
class _Rows:
    """n rows of k recordings, recording by recording in the order of time.

    Attributes:
        names: (k,) recordings.
        begins, ends: (k,) places of their first and last rows.
        time: (n,) 0 where there is none.
        has_clock: whether there is one.
        runs: (n,) whether the machine ran.
    """

    names: list[Any]
    begins: np.ndarray
    ends: np.ndarray
    time: np.ndarray
    has_clock: bool
    runs: np.ndarray

    @classmethod
    def of(cls, recording: np.ndarray, time: np.ndarray, runs: np.ndarray) -> _Rows:
        begins = np.flatnonzero(np.append(True, recording[1:] != recording[:-1]))
        ends = np.append(begins[1:], len(recording)) - 1
        has_clock = not np.isnan(time).all()
        return cls(recording[begins].tolist(), begins, ends, np.nan_to_num(time), has_clock, runs)


class _Clock:
    """The time for which the machine ran, and where all begins anew.

    Attributes:
        runs: (n,) time that the machine ran until each row, from some moment on.
        before: (k,) the same at the last row of each recording that was seen before these.
        goes_on: (k,) whether a recording goes on from there.
        part: (n,) number of the stretch without a pause that each row is of.
    """

    def __init__(self, rows: _Rows, before: list[AlarmState | None], pause: float) -> None:
        last = np.array([one.time if one else np.nan for one in before])
        step = np.diff(rows.time, prepend=0.0) if rows.has_clock else np.ones(len(rows.time))
        first = rows.time[rows.begins] - last
        step[rows.begins] = first if rows.has_clock else np.where(np.isnan(last), np.nan, 1.0)
        if (step[rows.begins] < 0).any():
            raise NotInOrderError
        anew = ~(step <= pause)
        ran_before = np.append(False, rows.runs[:-1])
        ran_before[rows.begins] = [one is not None and one.runs for one in before]
        counted = np.where(rows.runs & ran_before & ~anew, step, 0.0)
        self.runs = np.cumsum(counted)
        self.before = self.runs[rows.begins] - counted[rows.begins]
        self.goes_on = ~anew[rows.begins]
        anew[rows.begins] = True
        self.part = np.cumsum(anew) - 1


class _Spell:
    """For how long something has been so, at the m rows on which the machine ran."""

    def __init__(self, so: np.ndarray, rows: _Rows, clock: _Clock, before: list[float]) -> None:
        self._so = so
        part, now = clock.part[rows.runs], clock.runs[rows.runs]
        begins = so & np.append(True, ~so[:-1] | (part[1:] != part[:-1]))
        since = now.copy()
        self._before = np.where(clock.goes_on, np.array(before), np.nan)
        first = np.searchsorted(part, clock.part[rows.begins])
        going_on = np.flatnonzero(np.isfinite(self._before) & (first < len(part)))
        going_on = going_on[part[first[going_on]] == clock.part[rows.begins[going_on]]]
        since[first[going_on]] = clock.before[going_on] - self._before[going_on]
        self._length = now - since[np.maximum.accumulate(np.where(begins, np.arange(len(so)), 0))]
        self._last = np.searchsorted(part, clock.part[rows.ends], side="right") - 1
        last_part = part[self._last] if len(part) else np.full(len(rows.ends), -1)
        self._seen = (self._last >= 0) & (last_part == clock.part[rows.ends])
        self._whole = clock.part[rows.ends] == clock.part[rows.begins]

    def lasts(self, delay: float) -> np.ndarray:
        """(m,) where it has been so for long enough."""
        return np.asarray(self._so & (self._length >= delay * _ENOUGH))

    def until(self, recording: int) -> float:
        """For how long it has been so at the end of a recording; NaN where it is not."""
        if self._seen[recording]:
            last = self._last[recording]
            return float(self._length[last]) if self._so[last] else float("nan")
        return float(self._before[recording]) if self._whole[recording] else float("nan")


def _held(
    raised: np.ndarray,
    decided: np.ndarray,
    rows: _Rows,
    clock: _Clock,
    before: list[AlarmState | None],
) -> np.ndarray:
    """(n,) whether there is an alarm: as was decided last, at (m,) rows, since the last pause."""
    at_first = np.zeros(int(clock.part[-1]) + 1, dtype=bool)
    was_on = np.array([one is not None and one.on for one in before])
    at_first[clock.part[rows.begins]] = was_on & clock.goes_on
    place = np.full(len(rows.time), -1)
    place[np.flatnonzero(rows.runs)[decided]] = np.flatnonzero(decided)
    at = np.maximum.accumulate(np.where(place >= 0, np.arange(len(place)), -1))
    is_new = (at >= 0) & (clock.part[at] == clock.part)
    on = at_first[clock.part]
    on[is_new] = raised[place[at[is_new]]]
    return np.asarray(on)
