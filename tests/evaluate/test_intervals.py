"""Intervals: what is resampled, what they cover, and bounds known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged_rows import rows

from faultxfer.evaluate.intervals import (
    clopper_pearson,
    poisson_rate,
    resample,
    resampled_metrics,
)
from faultxfer.evaluate.measuring import measured
from faultxfer.evaluate.rows import Clusters, ScoredRows, clusters_of

NO_TIME = np.full(6, np.nan)


def resampled(said: ScoredRows, count: int = 100) -> dict[str, np.ndarray]:
    clusters = clusters_of(said.y, said.run, said.time)
    return resampled_metrics(said, resample(said.y, clusters, count=count))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 14))
def test_the_estimate_of_every_figure_is_the_figure_itself(seed: int, faults: int) -> None:
    said, _ = rows(seed, runs=6, faults=faults)
    said = ScoredRows(
        said.y, np.round(said.probabilities, 1), said.alarms, said.run, said.time
    )  # ties
    found, known = resampled(said, count=1), measured(said)
    for name in found:
        value = getattr(known, name)
        assert found[name][0] == pytest.approx(value if value is not None else np.nan, nan_ok=True)


def test_a_resample_is_worth_what_the_rows_written_out_are_worth() -> None:
    said, _ = rows(1, runs=7)
    clusters = clusters_of(said.y, said.run, said.time)
    resamples = resample(said.y, clusters, count=20)
    found = resampled_metrics(said, resamples)
    for k, weights in enumerate(resamples.weights):
        # Six of seven runs are drawn, and each counts 7/6 times, which no figure feels.
        times = np.rint(weights * (6 / 7 if k else 1)).astype(int)
        written_out = said.take(np.repeat(np.arange(len(said.y)), times[clusters.index]))
        for name in found:
            assert found[name][k] == pytest.approx(getattr(measured(written_out), name))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_no_resample_lacks_a_class_where_faults_are_in_few_runs(seed: int) -> None:
    said, _ = rows(seed, runs=9)
    y = np.where(np.isin(said.run, ["0", "1", "2"]), said.y, 0).astype(np.int8)
    resamples = resample(y, clusters_of(y, said.run, said.time), seed, count=50)
    faults_drawn = resamples.weights[:, :3].sum(axis=1)
    assert faults_drawn == pytest.approx(3)
    assert resamples.weights.sum(axis=1) == pytest.approx(9)


@pytest.mark.parametrize(("faulty", "normal"), [(3, 14), (14, 3), (10, 10), (2, 2), (1, 5)])
def test_the_error_of_a_sum_over_runs_is_the_known_one_whatever_runs_of_each_kind_there_are(
    faulty: int, normal: int
) -> None:
    value = np.random.default_rng(faulty).standard_normal(faulty + normal)
    y = (np.arange(faulty + normal) < faulty).astype(np.int8)
    sums = (
        resample(y, Clusters(np.arange(len(y)), "run", faulty, len(y)), count=20_000).weights
        @ value
    )
    # Of n independent runs: n times their variance (with n - 1 below); one run alone shows none.
    known = sum(
        len(kind) * kind.var(ddof=1) for kind in (value[:faulty], value[faulty:]) if len(kind) > 1
    )
    assert sums[1:].std() == pytest.approx(np.sqrt(known), rel=0.03)


def test_a_bound_on_few_runs_with_faults_is_wrong_as_seldom_as_it_says() -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(17) < 3).astype(np.int8)
    resamples = resample(y, Clusters(np.arange(17), "run", 3, 17))
    # Differences in recall of two equal models, run by run: their mean is the figure, and 0 is
    # true.
    pairs = rng.standard_normal((5000, 3))
    values_of_draws = pairs @ resamples.weights[:, :3].T / 3
    found = [resamples.interval(values, 0.95, -np.inf, np.inf) for values in values_of_draws]
    wrong = np.mean(
        [interval is not None and (interval.low > 0, interval.high < 0) for interval in found]
    )
    assert 0.043 < wrong < 0.057  # 0.05, and 0.067 if n of n runs were drawn; standard error 0.002


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.8, 0.99))
def test_an_interval_covers_its_estimate_and_more_confidence_widens_it(
    seed: int, confidence: float
) -> None:
    said, other = rows(seed, runs=5)
    clusters = clusters_of(said.y, said.run, said.time)
    resamples = resample(said.y, clusters, count=100)
    change = resampled(other)["roc_auc"] - resampled(said)["roc_auc"]
    found, wider = (
        resamples.interval(change, level, -1, 1) for level in (confidence, confidence + 0.005)
    )
    assert found is not None
    assert wider is not None
    assert wider.low <= found.low <= found.estimate <= found.high <= wider.high


def test_rows_of_few_runs_are_worth_less_than_as_many_of_many_runs() -> None:
    width = []
    for runs in (5, 40):
        said, _ = rows(3, runs=runs, rows_per_run=600 // runs, faults=120 // runs, run_effect=3)
        resamples = resample(said.y, clusters_of(said.y, said.run, said.time))
        found = resamples.interval(resampled(said, 1000)["roc_auc"], 0.95, 0, 1)
        assert found is not None
        width.append(found.high - found.low)
    assert width[0] > 1.3 * width[1]


def test_one_cluster_of_a_class_gives_no_interval() -> None:
    y = np.array([1, 0, 0, 0, 0, 0], dtype=np.int8)
    clusters = clusters_of(y, np.array(list("abcdef")), NO_TIME)
    resamples = resample(y, clusters, count=10)
    assert resamples.interval(np.zeros(11), 0.95, 0, 1) is None


def test_runs_are_clusters_unless_a_class_lives_in_fewer_than_three() -> None:
    y = np.array([1, 0, 1, 0, 1, 0], dtype=np.int8)
    by_run = clusters_of(y, np.array(list("aabbcc")), NO_TIME)
    assert (by_run.by, by_run.count, by_run.faulty, by_run.normal) == ("run", 3, 3, 3)
    in_blocks = clusters_of(np.repeat(y, 10), np.repeat(list("aaabbb"), 10), np.arange(60.0))
    assert in_blocks.by == "block of time"
    assert in_blocks.count == 12


def test_a_block_of_time_holds_neighbours_of_one_run() -> None:
    run, time = np.repeat(["a", "b"], 24), np.tile(np.arange(24.0), 2)
    mixed = np.random.default_rng(0).permutation(48)
    index = clusters_of(np.arange(48) % 2, run[mixed], time[mixed]).index
    for block in range(index.max() + 1):
        assert len(set(run[mixed][index == block])) == 1
        times = np.sort(time[mixed][index == block])
        assert (np.diff(times) == 1).all()


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(20, 20, 0.05 ** (1 / 20), 1.0), (0, 20, 0.0, 1 - 0.05 ** (1 / 20)), (1, 1, 0.05, 1.0)],
)
def test_exact_bounds_of_a_share(hits: int, trials: int, low: float, high: float) -> None:
    found = clopper_pearson(hits, trials, 0.95)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_exact_bounds_of_a_rate() -> None:
    none = poisson_rate(0, 10.0, 0.95)
    assert (none.estimate, none.low) == (0, 0)
    assert none.high == pytest.approx(
        -np.log(0.05) / 10
    )  # the rate at which nothing happens once in twenty times
    some = poisson_rate(4, 2.0, 0.95)
    assert some.low < some.estimate == 2 < some.high
