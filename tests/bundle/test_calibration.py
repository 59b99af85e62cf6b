"""Calibration keeps the ranking and mends the odds; the threshold keeps its promise on the calibration rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from faultxfer.bundle.calibration import Calibrator, choose_threshold, fit_calibrator

ROW = st.tuples(st.floats(-30, 30), st.integers(0, 1))
ROWS = st.lists(ROW, min_size=4, max_size=60)
RATE = st.one_of(st.floats(0.001, 0.999), st.sampled_from([0.01, 0.05, 0.07, 0.1, 0.29, 0.57, 0.58]))


def both(rows: list[tuple[float, int]]) -> tuple[np.ndarray, np.ndarray]:
    values, y = np.array([value for value, _ in rows]), np.array([label for _, label in rows])
    assume(0 < y.sum() < len(y))
    return values, y


def log_loss(probabilities: np.ndarray, y: np.ndarray) -> float:
    p = np.clip(probabilities, 1e-12, 1 - 1e-12)
    return float(-np.mean(np.where(y == 1, np.log(p), np.log(1 - p))))


@settings(deadline=None, max_examples=60)
@given(ROWS)
def test_calibration_never_turns_the_ranking_over(rows: list[tuple[float, int]]) -> None:
    logits, y = both(rows)
    calibrator = fit_calibrator(logits, y)
    assert calibrator.slope > 0
    probabilities = calibrator(np.sort(logits))
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert (np.diff(probabilities) >= 0).all()


@pytest.mark.parametrize(("slope", "offset"), [(4.0, 0.0), (0.25, 0.0), (1.0, 3.0), (3.0, -4.0)])
def test_miscalibrated_logits_get_a_better_log_loss_on_new_rows(slope: float, offset: float) -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(-1, 2, size=4000)
    y = (rng.random(4000) < expit(true)).astype(int)
    stated = slope * true + offset
    calibrator = fit_calibrator(stated[:2000], y[:2000])
    before, after = log_loss(expit(stated[2000:]), y[2000:]), log_loss(calibrator(stated[2000:]), y[2000:])
    best = log_loss(expit(true[2000:]), y[2000:])
    assert after < before
    assert after - best < 0.1 * (before - best)


def test_logits_that_were_right_stay_about_right() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, size=3000)
    calibrator = fit_calibrator(logits, (rng.random(3000) < expit(logits)).astype(int))
    np.testing.assert_allclose([calibrator.slope, calibrator.offset], [1, 0], atol=0.15)


def test_a_few_perfectly_ranked_rows_do_not_become_certainty() -> None:
    logits, y = np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0, 0, 1, 1])
    assert fit_calibrator(logits, y)(np.array([2.0]))[0] < 0.999


@given(ROWS, RATE)
def test_false_alarms_on_calibration_rows_stay_at_or_below_the_rate_asked(
    rows: list[tuple[float, int]], rate: float
) -> None:
    values, y = both(rows)
    probabilities = expit(values)
    threshold = choose_threshold(probabilities, y, rate)
    assert (probabilities[y == 0] > threshold).mean() <= rate


@given(st.integers(1, 120), RATE)
@example(100, 0.29)  # 0.29 * 100 is 28.999999999999996
@example(10, 0.09999999999999999)
def test_no_lower_threshold_would_keep_the_rate(normals: int, rate: float) -> None:
    probabilities = np.linspace(0.1, 0.9, normals)  # all different, so each lower one lets one more row alarm
    threshold = choose_threshold(probabilities, np.zeros(normals, dtype=int), rate)
    assert threshold in probabilities
    below = probabilities[probabilities < threshold]
    if len(below):
        assert (probabilities > below.max()).mean() > rate


def test_fault_rows_do_not_move_the_threshold() -> None:
    normal = np.linspace(0, 0.5, 20)
    with_faults = np.concatenate([normal, np.full(30, 0.99)])
    labels = np.repeat([0, 1], [20, 30])
    assert choose_threshold(with_faults, labels, 0.1) == choose_threshold(normal, np.zeros(20), 0.1)


def test_the_threshold_of_ten_known_rows() -> None:
    probabilities = np.arange(10) / 10
    # At most 2 of 10 may alarm, and a row alarms *above* the threshold: 0.8 and 0.9 do, 0.7 does not.
    assert choose_threshold(probabilities, np.zeros(10, dtype=int), 0.2) == 0.7
    assert choose_threshold(probabilities, np.zeros(10, dtype=int), 0.01) == 0.9


def test_the_default_calibrator_is_the_logistic_function() -> None:
    logits = np.array([-1.0, 0.0, 2.0])
    np.testing.assert_allclose(Calibrator()(logits), expit(logits))
