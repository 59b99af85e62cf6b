"""Alarms that are raised and cleared with a delay: as one would go from row to row, however cut."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultxfer.bundle.delays import DelayedAlarms, Delays
from faultxfer.data.blocks import NotInOrderError
from faultxfer.data.moments import Moments

THRESHOLD = 0.5


@dataclass(frozen=True)
class Rows:
    """Rows of up to three recordings that take turns, with pauses and standstills."""

    said: np.ndarray
    moments: Moments
    runs: np.ndarray

    def take(self, which: slice | np.ndarray) -> Rows:
        own = Moments(self.moments.recording[which], self.moments.time[which])
        return Rows(self.said[which], own, self.runs[which])


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    count = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps = rng.choice([0.0, 1.0, 1.5, 60.0, 86_400.0], count, p=[0.1, 0.55, 0.2, 0.13, 0.02])
    time = 1.7e9 + np.cumsum(steps) if draw(st.booleans()) else np.full(count, np.nan)
    said = np.repeat(rng.random(count), rng.integers(1, 5, count))[:count]
    runs = rng.random(count) < draw(st.sampled_from([1.0, 0.7, 0.2]))
    return Rows(said, Moments(rng.integers(0, 3, count), time), runs)


DELAYS = st.builds(
    Delays,
    on=st.sampled_from([0.0, 2.0, 5.0]),
    off=st.sampled_from([0.0, 2.0, 5.0]),
    deadband=st.sampled_from([0.0, 1.0]),
    pause=st.sampled_from([10.0, 100.0]),
)


def row_by_row(made: Rows, delays: Delays) -> np.ndarray:
    """The alarms of one recording, as somebody would say them who watches it."""
    low, found = delays.lowest(THRESHOLD), []
    alarm, clock, last, ran = False, 0.0, None, False
    above: float | None = None
    below: float | None = None
    for said, time, runs in zip(made.said, made.moments.time, made.runs, strict=True):
        step = 1.0 if np.isnan(time) else time - (time if last is None else last)
        if last is None or step > delays.pause:
            alarm, above, below = False, None, None
        elif runs and ran:
            clock += step
        last, ran = time, runs
        if runs:
            above = (clock if above is None else above) if said > THRESHOLD else None
            below = (clock if below is None else below) if said <= low else None
            if above is not None and clock - above >= 0.99 * delays.on:
                alarm = True
            elif below is not None and clock - below >= 0.99 * delays.off:
                alarm = False
        found.append(alarm)
    return np.array(found)


@given(rows(), DELAYS, st.lists(st.integers(0, 60), max_size=5))
def test_alarms_are_those_of_going_row_by_row_wherever_a_file_is_cut(
    made: Rows, delays: Delays, cuts: list[int]
) -> None:
    expected = np.zeros(len(made.said), dtype=bool)
    for recording in range(3):
        own = np.flatnonzero(made.moments.recording == recording)
        expected[own] = row_by_row(made.take(own), delays)
    whole = DelayedAlarms(delays, THRESHOLD).add(made.said, made.moments, made.runs)
    assert whole.tolist() == expected.tolist()
    alarms, found = DelayedAlarms(delays, THRESHOLD), []
    ends = [0, *sorted(min(cut, len(expected)) for cut in cuts), len(expected)]
    for part in (made.take(slice(*pair)) for pair in itertools.pairwise(ends)):
        found += alarms.add(part.said, part.moments, part.runs).tolist()
    assert found == expected.tolist()


@given(rows(), DELAYS, st.integers(1, 60))
def test_no_alarm_is_told_by_a_later_row(made: Rows, delays: Delays, kept: int) -> None:
    whole = DelayedAlarms(delays, THRESHOLD).add(made.said, made.moments, made.runs)
    first = made.take(slice(0, kept))
    found = DelayedAlarms(delays, THRESHOLD).add(first.said, first.moments, first.runs)
    assert found.tolist() == whole[:kept].tolist()


def test_rows_from_before_those_that_were_seen_are_refused() -> None:
    alarms = DelayedAlarms(Delays(1.0, 1.0, 0.0, 10.0), THRESHOLD)
    alarms.add(np.ones(2), Moments(np.zeros(2, dtype=int), np.array([3.0, 4.0])))
    with pytest.raises(NotInOrderError):
        alarms.add(np.ones(1), Moments(np.zeros(1, dtype=int), np.array([2.0])))


def test_what_the_manifest_keeps_is_read_again_and_checked() -> None:
    delays = Delays(120.0, 60.0, 0.5, 600.0, 60.0)
    assert Delays.of(delays.as_dict()) == delays
    for spoilt in ({"on": -1.0}, {"off": float("inf")}, {"deadband": float("nan")}, {"pause": 0}):
        with pytest.raises(ValueError, match="numbers from 0 on"):
            Delays.of(delays.as_dict() | spoilt)
