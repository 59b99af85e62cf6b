"""Calibration keeps the ranking and mends the odds, also for another share of faults."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from faultxfer.bundle.calibration import Calibrator, estimated_prevalence, fit_calibrator, platt

ROW = st.tuples(st.floats(-30, 30), st.integers(0, 1))
ROWS = st.lists(ROW, min_size=4, max_size=60)
SHARE = st.floats(0.001, 0.999)


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
def test_miscalibrated_logits_get_a_better_log_loss_on_new_rows(
    slope: float, offset: float
) -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(-1, 2, size=4000)
    y = (rng.random(4000) < expit(true)).astype(int)
    stated = slope * true + offset
    calibrator = fit_calibrator(stated[:2000], y[:2000])
    before, after = (
        log_loss(expit(stated[2000:]), y[2000:]),
        log_loss(calibrator(stated[2000:]), y[2000:]),
    )
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


def test_the_default_calibrator_is_the_logistic_function() -> None:
    logits = np.array([-1.0, 0.0, 2.0])
    np.testing.assert_allclose(Calibrator()(logits), expit(logits))


def test_one_scorer_is_calibrated_as_it_is_among_many() -> None:
    rng = np.random.default_rng(2)
    logits, y = rng.normal(size=(3, 80)) * [[1], [3], [9]], rng.integers(0, 2, 80)
    slopes, offsets = platt(logits, y)
    for row, slope, offset in zip(logits, slopes, offsets, strict=True):
        assert fit_calibrator(row, y) == Calibrator(
            pytest.approx(slope), pytest.approx(offset), y.mean()
        )


def _fleet(fault_share: float, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Readings of one sensor, 2 higher in a fault, and labels."""
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < fault_share).astype(int)
    return rng.normal(size=rows) + 2 * y, y


def test_probabilities_moved_to_the_share_in_use_are_right_there() -> None:
    labelled, in_use = _fleet(0.4, 4000, seed=0), _fleet(0.03, 40_000, seed=1)
    enriched = fit_calibrator(*labelled)
    moved = enriched.moved_to(0.03)
    assert enriched(in_use[0]).mean() > 0.09
    assert moved(in_use[0]).mean() == pytest.approx(in_use[1].mean(), abs=0.005)
    assert log_loss(moved(in_use[0]), in_use[1]) < log_loss(enriched(in_use[0]), in_use[1]) - 0.03


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=30), SHARE, SHARE)
def test_another_share_keeps_the_ranking_and_can_be_taken_back(
    logits: list[float], labelled: float, in_use: float
) -> None:
    before = Calibrator(0.7, -0.4, labelled)
    after = before.moved_to(in_use)
    said = after(np.sort(logits))
    assert (np.diff(said) >= 0).all()
    assert (after(np.array(logits)) >= before(np.array(logits))).all() == (in_use >= labelled)
    assert after.moved_to(labelled).offset == pytest.approx(before.offset, abs=1e-9)


@pytest.mark.parametrize("fault_share", [0.0, 0.05, 0.3, 0.7])
def test_the_share_of_faults_among_unlabelled_rows_is_found(fault_share: float) -> None:
    calibrator = fit_calibrator(*_fleet(0.3, 4000, seed=3))
    readings, y = _fleet(fault_share, 4000, seed=4)
    assert calibrator.fault_share is not None
    assert estimated_prevalence(calibrator(readings), calibrator.fault_share) == pytest.approx(
        y.mean(), abs=0.03
    )
