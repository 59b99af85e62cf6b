"""Delays of alarms are chosen by events of rows held out, and only where those show enough."""

from __future__ import annotations

import numpy as np
import pytest

from faultxfer.bundle.delays import DelayedAlarms, Delays
from faultxfer.data.moments import Moments
from faultxfer.strategies.delay_choice import Aim, LabelledEvents, choose_alarms

RATE, OPERATOR, MINUTE = 0.05, 144.0, 60.0
RECORDINGS, ROWS = 6, 400


def plant(flicker: float, *, lasting: int = 100) -> tuple[np.ndarray, np.ndarray, Moments]:
    """Probabilities and labels of recordings with a fault each; some normal rows flicker."""
    rng = np.random.default_rng(0)
    recording = np.repeat(np.arange(RECORDINGS), ROWS)
    y = np.tile(np.arange(ROWS) >= ROWS - lasting, RECORDINGS).astype(int)
    said = np.where(y == 1, 0.9, 0.1)
    flickers = rng.random(len(y)) < flicker
    said[flickers] = 1 - said[flickers]
    return said, y, Moments(recording, 1.7e9 + MINUTE * np.arange(len(y)))


def chosen(
    said: np.ndarray, y: np.ndarray, moments: Moments, *, most: float = 5, promised: bool = False
) -> Delays | None:
    aim = Aim(RATE, promised, most)
    return choose_alarms(said, 0.5, y, moments, aim).delays


def test_scores_that_flicker_are_delayed_so_that_false_alarms_end_and_no_fault_is_lost() -> None:
    said, y, moments = plant(0.04)
    delays = chosen(said, y, moments)
    assert delays is not None
    events = LabelledEvents(y, moments)
    before = events.counted(said > 0.5)
    after = events.counted(DelayedAlarms(delays, 0.5).add(said, moments))
    assert (before.false_alarms, before.found) == (pytest.approx(70, abs=30), RECORDINGS)
    assert (after.false_alarms, after.found) == (0, RECORDINGS)
    assert after.fault_rows > 0.9
    assert after.f_score == 1.0 > before.f_score + 0.5


def test_a_promised_rate_adds_no_row_to_an_alarm() -> None:
    said, y, moments = plant(0.04)
    delays = chosen(said, y, moments, promised=True)
    assert delays is None or (delays.off, delays.deadband) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("flicker", "lasting", "most", "clock"),
    [
        (0.0, 100, 5, 1.0),
        (0.02, 2, 5, 1.0),
        (0.04, 100, 0.2, 1.0),
        (0.04, 100, 5, np.nan),
        (0.04, 100, 5, 1e-9),
        (0.04, 0, 5, 1.0),
    ],
    ids=[
        "nothing to mend",
        "faults of two rows",
        "too few healthy days to see one false alarm",
        "no clock",
        "numbers in place of dates",
        "no fault",
    ],
)
def test_alarms_are_left_as_they_are(
    flicker: float, lasting: int, most: float, clock: float
) -> None:
    said, y, moments = plant(flicker, lasting=lasting)
    moments = Moments(moments.recording, moments.time * clock)
    assert chosen(said, y, moments, most=most) is None


def test_alarms_inside_of_one_fault_count_as_one_and_what_touches_a_fault_is_not_false() -> None:
    y = np.array([0, 0, 0, 1, 1, 1, 1, 0, 0, 1])
    alarms = np.array([1, 0, 1, 1, 0, 1, 1, 1, 0, 0]) == 1
    moments = Moments(np.array(["b"] * 10), np.arange(10.0))
    found = LabelledEvents(y, moments).counted(alarms)
    assert (found.faults, found.found, found.false_alarms) == (2, 1, 1)
    assert found.fault_rows == pytest.approx(3 / 5)
    assert found.normal_rows == pytest.approx(3 / 5)
