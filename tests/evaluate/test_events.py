"""Events counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from faultxfer.evaluate.events import measure_events
from faultxfer.evaluate.rows import ScoredRows

#                   run a: found late, then missed            run b: false alarm, then found at once
Y = np.array([[0, 0, 1, 1, 1, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 1, 1, 0, 0, 0]]).ravel()
ALARMS = np.array(
    [[0, 0, 0, 1, 0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 1, 1, 0, 0, 1, 0]], dtype=bool
).ravel()
RUN = np.repeat(["a", "b"], 10)
START = 1.7e9
STEP = 600.0
TIME = START + STEP * np.r_[np.arange(10), 1000 + np.arange(10)]


def judged(time: np.ndarray = TIME) -> ScoredRows:
    return ScoredRows(Y, ALARMS.astype(float), ALARMS, RUN, time)


def test_events_of_two_runs_counted_by_hand() -> None:
    found = measure_events(judged(), 0.95)
    assert (found.faults, found.found) == (3, 2)
    assert found.event_recall.estimate == pytest.approx(2 / 3)
    assert found.event_recall.low < 2 / 3 < found.event_recall.high
    assert found.detection_delay == STEP  # 0, 600 and never
    assert found.false_alarms == 2  # the alarm that runs into the fault of b is none
    days = 13 * STEP / 86400
    assert found.false_alarms_per_day is not None
    assert found.false_alarms_per_day.estimate == pytest.approx(2 / days)
    assert found.alarms_per_hour == pytest.approx(4 / (20 * STEP / 3600))
    assert (found.time_in_alarm, found.chattering) == (pytest.approx(6 / 20), 0)


@pytest.mark.parametrize(
    ("step", "apart", "chattering"), [(600.0, 3, 3), (600.0, 4, 0), (1.0, 20, 3)]
)
def test_an_alarm_that_is_raised_again_and_again_chatters(
    step: float, apart: int, chattering: int
) -> None:
    """Of five raises the third, the fourth and the fifth, in a minute or in six steps."""
    rows = np.arange(5 * apart)
    alarms, y = rows % apart == 0, (rows == 0).astype(int)
    scored = ScoredRows(y, alarms * 1.0, alarms, np.repeat("a", len(rows)), START + step * rows)
    assert measure_events(scored, 0.95).chattering == chattering


def test_half_of_the_faults_missed_have_no_median_delay() -> None:
    y, alarms = np.array([0, 1, 0, 1, 0]), np.array([0, 1, 0, 0, 0], dtype=bool)
    time = START + STEP * np.arange(5)
    found = measure_events(
        ScoredRows(y, alarms.astype(float), alarms, np.repeat("a", 5), time), 0.95
    )
    assert (found.found, found.detection_delay) == (1, None)


@pytest.mark.parametrize("time", [np.full(20, np.nan), np.tile(np.arange(10.0), 2)])
def test_without_dates_there_are_counts_and_no_rates(time: np.ndarray) -> None:
    found = measure_events(judged(time), 0.95)
    assert (found.faults, found.found, found.false_alarms) == (3, 2, 2)
    assert (found.detection_delay, found.false_alarms_per_day, found.alarms_per_hour) == (
        None,
        None,
        None,
    )


def test_copies_on_one_clock_count_as_one_recording() -> None:
    once = judged()
    twice = once.take(np.tile(np.arange(20), 2))
    assert measure_events(twice, 0.95) == measure_events(once, 0.95)


def test_the_order_of_rows_does_not_matter_where_there_is_time() -> None:
    mixed = np.random.default_rng(0).permutation(20)
    assert measure_events(judged().take(mixed), 0.95) == measure_events(judged(), 0.95)


def test_an_alarm_does_not_reach_from_one_run_into_the_next() -> None:
    y, alarms = np.array([0, 1, 0, 0]), np.ones(4, dtype=bool)
    rows = ScoredRows(
        y, alarms.astype(float), alarms, np.array(list("aabb")), START + STEP * np.arange(4)
    )
    assert measure_events(rows, 0.95).false_alarms == 1
