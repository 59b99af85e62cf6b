"""A threshold keeps its rate on the rows at hand, keeps a promise for new runs.

Or refuses to make one.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import binom, norm

from faultxfer.bundle.calibration import Calibrator
from faultxfer.bundle.threshold import (
    AlarmThreshold,
    Fitted,
    choose_threshold,
    effective_sample_size,
    require_enough_normals,
    require_kept,
)
from faultxfer.errors import DataError
from faultxfer.exact_bounds import highest_share

ROW = st.tuples(st.floats(-30, 30), st.integers(0, 1), st.integers(0, 4))
ROWS = st.lists(ROW, min_size=4, max_size=60)
RATE = st.one_of(
    st.floats(0.001, 0.999), st.sampled_from([0.01, 0.05, 0.07, 0.1, 0.29, 0.57, 0.58])
)


def columns(rows: list[tuple[float, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    logits, y, run = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < y.sum() < len(y))
    return expit(logits), y, run


def alone(scores: np.ndarray, rate: float, confidence: float | None = None) -> AlarmThreshold:
    """Normal rows, each of its own run."""
    return choose_threshold(
        scores, np.zeros(len(scores), dtype=int), np.arange(len(scores)), rate, confidence
    )


def clustered(runs: int, rows: int, correlation: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal scores of which ``correlation`` of the variance is the run's.

    And the runs.
    """
    rng = np.random.default_rng(seed)
    run = np.repeat(np.arange(runs), rows)
    own, shared = rng.normal(size=len(run)), rng.normal(size=runs)[run]
    return np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own, run


@given(ROWS, RATE)
def test_false_alarms_on_calibration_rows_stay_at_or_below_the_rate_asked(
    rows: list[tuple[float, int, int]], rate: float
) -> None:
    probabilities, y, run = columns(rows)
    chosen = choose_threshold(probabilities, y, run, rate)
    assert (probabilities[y == 0] > chosen.value).mean() == chosen.estimate <= rate


@given(st.integers(40, 120), RATE)
@example(100, 0.29)  # 0.29 * 100 is 28.999999999999996
def test_no_lower_threshold_would_keep_the_rate(normals: int, rate: float) -> None:
    # All different, so each lower one lets one more row alarm.
    probabilities = np.linspace(0.1, 0.9, normals)
    chosen = alone(probabilities, rate)
    assume(chosen.effective * rate >= 1)
    threshold = chosen.value
    assert threshold in probabilities
    below = probabilities[probabilities < threshold]
    if len(below):
        assert (probabilities > below.max()).mean() > rate


def test_fault_rows_do_not_move_the_threshold() -> None:
    normal, run = np.linspace(0, 0.5, 20), np.arange(50) % 5
    with_faults = np.concatenate([normal, np.full(30, 0.99)])
    labels = np.repeat([0, 1], [20, 30])
    for confidence in (None, 0.9):
        every = choose_threshold(with_faults, labels, run, 0.1, confidence)
        assert every == choose_threshold(normal, np.zeros(20), run[:20], 0.1, confidence)


def test_the_threshold_of_ten_known_rows() -> None:
    probabilities = np.arange(10) / 10
    # At most 2 of 10 may alarm, and a row alarms *above* the threshold: 0.8 and 0.9 do, 0.7 does
    # not.
    assert alone(probabilities, 0.2).value == 0.7
    # None may, and ten rows are too few to see where one in a hundred new ones lies.
    assert 0.9 < alone(probabilities, 0.01).value < 1


@pytest.mark.parametrize("runs", [1, 2, 4])
def test_few_runs_raise_the_threshold_and_many_do_not(runs: int) -> None:
    scores, run = clustered(runs, 40 // runs, correlation=0.3, seed=1)
    few = choose_threshold(expit(scores), np.zeros(len(run)), run, 0.05)
    assert few.value > np.quantile(expit(scores), 0.95)
    assert few.estimate <= 0.05
    scores, run = clustered(400, 4, correlation=0.3, seed=1)
    many = choose_threshold(expit(scores), np.zeros(len(run)), run, 0.05)
    assert many.value in expit(scores)


def test_new_runs_keep_the_rate_on_average_though_few_were_seen() -> None:
    rates = []
    for seed in range(200):
        scores, run = clustered(23, 30, correlation=0.5, seed=seed)
        seen = run < 3
        chosen = choose_threshold(expit(scores[seen]), np.zeros(seen.sum()), run[seen], 0.05)
        rates.append((expit(scores[~seen]) > chosen.value).mean())
    assert 0.01 < np.mean(rates) < 0.07


def test_a_model_alarms_at_half_of_its_own_faults_however_high_unseen_rows_lie() -> None:
    unseen, run = np.linspace(0.5, 0.9, 40), np.arange(40) % 2
    own = Fitted(faults=np.array([0.2, 0.4, 0.5, 0.6]), normals=np.linspace(0.0, 0.1, 40))
    chosen = choose_threshold(unseen, np.zeros(40), run, 0.05, fitted=own)
    assert (own.faults > chosen.value).sum() == 2
    assert chosen.estimate > 0.05
    assert "more than were asked for" in chosen.sentence()
    promised = choose_threshold(unseen, np.zeros(40), run, 0.05, 0.9, fitted=own)
    assert promised.value == 0.9


@pytest.mark.parametrize(
    "own", [Fitted(np.full(9, 0.3), np.full(40, 0.3)), Fitted(*np.empty((2, 0)))]
)
def test_a_model_that_says_the_same_of_all_rows_is_not_made_to_alarm(own: Fitted) -> None:
    chosen = choose_threshold(np.full(40, 0.7), np.zeros(40), np.arange(40) % 3, 0.05, fitted=own)
    assert not (own.faults > chosen.value).any()
    assert not (own.normals > chosen.value).any()


@settings(deadline=None, max_examples=50)
@given(ROWS, RATE, st.floats(0.51, 0.99))
def test_a_promise_is_the_lowest_threshold_whose_bound_is_within_the_rate(
    rows: list[tuple[float, int, int]], rate: float, confidence: float
) -> None:
    probabilities, y, run = columns(rows)
    chosen = choose_threshold(probabilities, y, run, rate, confidence)
    normal = probabilities[y == 0]
    assert chosen.value in normal
    assert chosen.best <= chosen.bound
    assert chosen.kept == (chosen.best <= rate)
    if chosen.kept:
        lower = (normal >= chosen.value).mean()  # the rows of the threshold itself would alarm too
        assert chosen.bound <= rate
        seen = lower * chosen.effective
        assert lower == 1 or highest_share(seen, chosen.effective, confidence) > rate
    else:
        assert chosen.value == normal.max()


@given(ROWS, st.floats(0.01, 0.4), st.sampled_from([None, 0.8]), st.randoms())
def test_neither_the_order_of_rows_nor_the_names_of_runs_matter(
    rows: list[tuple[float, int, int]], rate: float, confidence: float | None, random: object
) -> None:
    probabilities, y, run = columns(rows)
    order = np.array(random.sample(range(len(y)), len(y)))  # type: ignore[attr-defined]
    names = np.array([f"pump/{9 - number}" for number in run], dtype=object)
    first = choose_threshold(probabilities, y, run, rate, confidence).as_dict()
    second = choose_threshold(
        probabilities[order], y[order], names[order], rate, confidence
    ).as_dict()
    assert first == pytest.approx(second)


@given(st.integers(0, 10_000), st.floats(0.01, 0.99), st.sampled_from([None, 0.9]))
def test_the_threshold_moves_along_with_another_share_of_faults(
    seed: int, in_use: float, confidence: float | None
) -> None:
    rng = np.random.default_rng(seed)
    logits, y, run = rng.normal(size=80), rng.integers(0, 2, 80), rng.integers(0, 8, 80)
    before = Calibrator(1.3, 0.2, 0.5)
    said, moved = before(logits), before.moved_to(in_use)(logits)
    first, second = (choose_threshold(p, y, run, 0.1, confidence) for p in (said, moved))
    np.testing.assert_array_equal(said > first.value, moved > second.value)


def test_the_bound_is_clopper_and_pearsons() -> None:
    bound = highest_share(3, 500, 0.95)
    assert binom.cdf(3, 500, bound) == pytest.approx(0.05)


@pytest.mark.parametrize("copies", [2, 10])
def test_copies_of_a_row_in_its_run_are_worth_no_more_than_the_row(copies: int) -> None:
    scores, run = np.random.default_rng(0).normal(size=200), np.arange(200)
    once = effective_sample_size(scores, run, 0.05, 0.95)
    assert effective_sample_size(
        scores.repeat(copies), run.repeat(copies), 0.05, 0.95
    ) == pytest.approx(once)
    assert 190 < once < 200


def test_rows_of_one_run_promise_nothing_for_another() -> None:
    scores = np.random.default_rng(0).normal(size=5000)
    one = choose_threshold(scores, np.zeros(5000), np.zeros(5000), 0.5, 0.9)
    assert (one.effective, one.best, one.kept) == (0, 1, False)
    assert (
        "one run says nothing of another"
        in choose_threshold(scores, np.zeros(5000), np.zeros(5000), 0.5).sentence()
    )


@pytest.mark.parametrize(
    ("runs", "rows", "correlation"), [(400, 1, 0.0), (40, 20, 0.0), (40, 20, 0.3), (20, 30, 0.5)]
)
def test_a_promise_made_is_kept_in_19_of_20_simulated_machines(
    runs: int, rows: int, correlation: float
) -> None:
    broken = {"by run": 0, "by row": 0}
    made = 0
    for seed in range(200):
        scores, run = clustered(runs, rows, correlation, seed)
        chosen = choose_threshold(scores, np.zeros(len(run)), run, 0.05, 0.95)
        made += chosen.kept
        broken["by run"] += chosen.kept and norm.sf(chosen.value) > 0.05
        broken["by row"] += norm.sf(alone(scores, 0.05, 0.95).value) > 0.05
    most = binom.ppf(0.999, 200, 0.05)  # what 200 machines show of one in twenty
    assert made > 100
    assert broken["by run"] <= most
    if (
        correlation
    ):  # without regard to runs the very same rows promise too much, so this test can fail
        assert broken["by row"] > most


def test_a_refusal_says_how_many_rows_are_missing_and_what_can_be_promised() -> None:
    scores, run = clustered(runs=20, rows=10, correlation=0.0, seed=1)
    chosen = choose_threshold(scores, np.zeros(200), run, 0.01, 0.95)
    with pytest.raises(DataError) as refusal:
        require_kept(chosen, "normal rows of equipment 'pump-9'")
    text = str(refusal.value)
    assert "1% in new runs with 95% confidence, for which it takes 299 independent ones" in text
    assert "normal rows=200, runs=20" in text
    assert "Where: normal rows of equipment 'pump-9'" in text
    again = choose_threshold(
        scores, np.zeros(200), run, float(text.split("--false-alarm-rate ")[1].split("`")[0]), 0.95
    )
    require_kept(again, "")
    missing = int(text.split("about ")[1].split()[0])
    assert (200 + missing) * chosen.effective / 200 == pytest.approx(299, abs=2)


def test_what_no_scores_could_promise_is_refused_before_there_are_scores() -> None:
    y, run = np.zeros(400, dtype=int), np.arange(400) // 4
    require_enough_normals(y, run, 0.01, 0.95, "here")
    require_enough_normals(y[:100], run[:100], 0.01, None, "here")
    with pytest.raises(DataError, match="299 independent"):
        require_enough_normals(y[:100], run[:100], 0.01, 0.95, "here")


def test_the_sentence_tells_a_promise_from_an_estimate() -> None:
    scores, run = clustered(runs=50, rows=10, correlation=0.0, seed=2)
    promise = choose_threshold(scores, np.zeros(500), run, 0.05, 0.9).sentence()
    assert promise.startswith(
        "The false-alarm rate in new runs is at most 5%, with 90% confidence: "
    )
    assert "of 500 normal rows of 50 runs alarm" in promise
    estimate = choose_threshold(scores, np.zeros(500), run, 0.05).sentence()
    assert estimate.startswith(
        "5% of 500 normal rows of 50 runs alarm; with 95% confidence the false-alarm rate in new "
    )


def test_evidence_is_plain_data_and_comes_back() -> None:
    chosen = alone(np.linspace(0, 1, 100), 0.05, 0.95)
    assert AlarmThreshold(**json.loads(json.dumps(chosen.as_dict(), allow_nan=False))) == chosen
