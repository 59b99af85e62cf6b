"""Metrics against values computed by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from faultxfer.errors import DataError
from faultxfer.evaluate.metrics import Metrics, calibration_error, measure
from faultxfer.metric_table import ROW_METRICS

Y = np.array([1, 0, 1, 0, 0], dtype=np.int8)
P = np.array([0.9, 0.8, 0.6, 0.3, 0.1])
ALARMS = np.array([True, True, False, False, False])


def test_figures_of_five_rows_computed_by_hand() -> None:
    found = measure(Y, P, ALARMS)
    # Precision at each fault, from the top: 1/1 and 2/3, each with half of the faults.
    assert found.pr_auc == pytest.approx((1 + 2 / 3) / 2)
    # Pairs of a fault and a normal row in the right order: 3 of 3 for 0.9, 2 of 3 for 0.6.
    assert found.roc_auc == pytest.approx(5 / 6)
    assert found.recall == pytest.approx(1 / 2)
    assert found.precision == pytest.approx(1 / 2)
    assert found.false_alarm_rate == pytest.approx(1 / 3)
    assert found.log_loss == pytest.approx(-sum(map(math.log, (0.9, 0.2, 0.6, 0.7, 0.9))) / 5)
    assert (found.rows, found.faults) == (5, 2)


def test_calibration_error_is_the_mean_distance_of_stated_and_observed_over_bins_of_equal_mass() -> (
    None
):
    # Twelve rows make one bin of 12: stated 0.4 on average, observed 0.5.
    assert calibration_error(np.tile([0, 1], 6), np.tile([0.3, 0.5], 6)) == pytest.approx(0.1)
    # Two bins of 10: the lower states 0.1 and has 0.2, the upper states 0.9 and has 0.6.
    y = np.r_[np.ones(2), np.zeros(8), np.ones(6), np.zeros(4)]
    assert calibration_error(y, np.repeat([0.1, 0.9], 10)) == pytest.approx((0.1 + 0.3) / 2)


def test_equal_probabilities_rank_nothing() -> None:
    found = measure(Y, np.full(5, 0.4), ALARMS)
    assert found.roc_auc == pytest.approx(0.5)
    assert found.pr_auc == pytest.approx(2 / 5)


@given(st.integers(0, 10_000))
def test_a_constant_of_each_fold_ranks_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fold = np.r_[0, 0, 1, 1, rng.integers(4, size=30)]
    y = np.r_[0, 1, 0, 1, rng.random(30) < 0.3].astype(np.int8)
    found = measure(y, rng.random(4)[fold], y == 1, fold)
    assert found.roc_auc == 0.5
    assert found.pr_auc == pytest.approx(y.mean(), abs=1e-12)


@given(st.integers(0, 10_000))
def test_a_level_of_a_fold_changes_no_ranking(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fold, y = rng.integers(3, size=40), (rng.random(40) < 0.4).astype(np.int8)
    y[:6], fold[:6] = [0, 1] * 3, [0, 0, 1, 1, 2, 2]
    score = rng.random(40)
    moved = (score + rng.random(3)[fold]) / 2
    same, other = measure(y, score, y == 1, fold), measure(y, moved, y == 1, fold)
    assert (same.roc_auc, same.pr_auc) == pytest.approx((other.roc_auc, other.pr_auc))


def test_ranking_inside_folds_by_hand() -> None:
    fold = np.array([0, 0, 0, 1, 1, 1, 1])
    y = np.array([1, 0, 0, 1, 0, 0, 0], dtype=np.int8)
    # Above the first fault is one of two normal rows, above the second none of three.
    found = measure(y, np.array([0.5, 0.6, 0.1, 0.3, 0.2, 0.1, 0.0]), y == 1, fold)
    assert found.roc_auc == pytest.approx((1 / 2 + 1) / 2)
    # Placements (0 + 1/4) / (3 + 1/2) and (1 + 1/4) / (2 + 1/2); ranks 1/3 and 2/3; two of seven
    # rows are faults.
    precision = [2 * r / (2 * r + 5 * u) for r, u in ((1 / 3, 1 / 14), (2 / 3, 1 / 2))]
    assert found.pr_auc == pytest.approx(np.mean(precision))


def test_no_fold_with_both_classes_ranks_nobody() -> None:
    y = np.array([1, 1, 0, 0], dtype=np.int8)
    found = measure(y, np.array([0.9, 0.8, 0.2, 0.1]), y == 1, y.astype(int))
    assert (found.roc_auc, found.pr_auc) == (None, None)


def test_a_perfect_detector() -> None:
    found = measure(Y, Y.astype(float), Y == 1)
    assert (found.pr_auc, found.roc_auc, found.recall, found.precision, found.false_alarm_rate) == (
        1,
        1,
        1,
        1,
        0,
    )
    assert found.log_loss == pytest.approx(0, abs=1e-9)


def test_certainty_that_is_wrong_costs_much_but_not_infinitely_much() -> None:
    found = measure(Y, 1.0 - Y, Y == 0)
    assert 20 < found.log_loss < 30
    assert found.recall == 0


def test_without_alarms_there_is_no_precision() -> None:
    found = measure(Y, P, np.zeros(5, dtype=bool))
    assert found.precision is None
    assert (found.recall, found.false_alarm_rate) == (0, 0)


def test_rows_of_one_class_show_no_more_than_that_class_does() -> None:
    share = float(ALARMS.mean())
    for label, shown in ((0, (None, share, 5)), (1, (share, None, 5)), (-1, (None, None, 0))):
        found = measure(np.full(5, label), P, ALARMS)
        assert (found.recall, found.false_alarm_rate, found.rows) == shown
        assert (found.pr_auc, found.precision, found.log_loss, found.faults) == (
            *(None, None, None),
            5 if label == 1 else 0,
        )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_probability_that_is_not_finite_is_refused_and_counted(value: float) -> None:
    with pytest.raises(DataError, match="not finite=2"):
        measure(Y, np.where(Y == 1, value, P), ALARMS)


def test_every_metric_that_the_gate_can_bound_is_measured_and_is_plain_data() -> None:
    plain = measure(Y, P, ALARMS).as_dict()
    assert set(ROW_METRICS) <= set(plain)
    assert Metrics(**json.loads(json.dumps(plain))) == measure(Y, P, ALARMS)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 100)), min_size=2, max_size=40))
def test_neither_the_order_of_rows_nor_a_rescaling_of_probabilities_changes_the_ranking_figures(
    rows: list[tuple[int, int]],
) -> None:
    y, p = np.array([label for label, _ in rows]), np.array([value for _, value in rows]) / 100
    assume(0 < y.sum() < len(y))
    found = measure(y, p, p > 0.5)
    mixed = np.random.default_rng(len(rows)).permutation(len(rows))
    again = measure(y[mixed], (p / 2 + 0.1)[mixed], (p > 0.5)[mixed])
    for name in ("pr_auc", "roc_auc", "recall", "precision", "false_alarm_rate"):
        assert getattr(again, name) == pytest.approx(getattr(found, name))


@pytest.mark.parametrize(("faults", "normals"), [(5, 45), (5, 1000), (8, 192), (20, 180)])
def test_a_few_faults_that_are_ranked_well_in_folds_pass_the_default_gate(
    faults: int, normals: int
) -> None:
    fold = np.concatenate([np.arange(faults) % 5, np.arange(normals) % 5])
    y = np.repeat([1, 0], [faults, normals])
    said = np.concatenate([np.linspace(0.8, 0.9, faults), np.linspace(0, 0.5, normals)])
    said[faults] = 0.95  # one normal row stands above them
    pr_auc = measure(y, said, said > 0.6, fold).pr_auc
    assert pr_auc is not None
    assert pr_auc > 0.5
