"""Rows of one recording never judge what they trained, whatever the data look like."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from faultxfer.config import SplitOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import (
    CROSS_FIT,
    HOLD_OUT,
    Split,
    divide_runs,
    require_both_classes,
    split_rows,
)
from faultxfer.errors import DataError

OPTIONS = SplitOptions()
# A hold-out of a few rows, so that small data sets reach it.
SMALL = SplitOptions(min_test_faults=2, min_calibration_faults=1, min_normals=1, min_test_runs=2)


def dataset(run: list[object], y: list[int], time: list[float] | None = None) -> Dataset:
    rows = len(y)
    return Dataset(
        features=("s",),
        X=np.arange(rows, dtype=float)[:, None],
        y=np.array(y, dtype=np.int8),
        equipment=np.full(rows, "p1", dtype=object),
        run=np.array([f"p1/{name}" for name in run], dtype=object),
        time=np.full(rows, np.nan) if time is None else np.array(time, dtype=float),
    )


def fleet(
    runs: int = 30, length: int = 20, faulty_every: int = 3, *, timed: bool = True
) -> Dataset:
    """Runs of ``length`` rows.

    The second half of every third run is faulty. Rows of the runs are interleaved.
    """
    run = np.tile(np.arange(runs), length)
    step = np.repeat(np.arange(length), runs)
    y = (run % faulty_every == 0) & (step >= length // 2)
    time = 1000.0 * run + step if timed else step.astype(float)
    return dataset(list(run), list(y.astype(int)), list(time))


def sides(split: Split) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return split.train, split.calibration, split.test


def runs_of(data: Dataset, rows: np.ndarray) -> set[str]:
    return set(data.run[rows])


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    rows = draw(st.integers(12, 60))
    column = {"min_size": rows, "max_size": rows}
    run = draw(st.lists(st.integers(0, draw(st.integers(0, 25))), **column))
    y = draw(st.lists(st.sampled_from([0, 0, 1]), **column))
    time = draw(st.none() | st.lists(st.floats(0, 1e6) | st.just(np.nan), **column))
    # Enough of both classes for the last resort, blocks in time.
    y[:5], y[5:10] = [0] * 5, [1] * 5
    return dataset(list(run), y, time)


# Whatever the data look like


@settings(max_examples=150, deadline=None)
@given(data=datasets(), seed=st.integers(0, 9))
def test_a_run_is_never_on_two_sides(data: Dataset, seed: int) -> None:
    split = split_rows(data, SMALL.model_copy(update={"gap": 0}), seed)
    event(f"{split.mode} by {split.by}")
    if split.mode == HOLD_OUT:
        train, calibration, test = (runs_of(data, rows) for rows in sides(split))
        assert not train & calibration
        assert not train & test
        assert not calibration & test
        assert sorted(np.concatenate(sides(split))) == list(range(len(data)))
    elif split.by == "run":
        for fold in split.folds:
            assert not runs_of(data, fold.train) & runs_of(data, fold.test)


@settings(max_examples=100, deadline=None)
@given(data=datasets(), seed=st.integers(0, 9), gap=st.integers(0, 2))
def test_every_row_is_judged_once_by_cross_fitting_and_trains_on_both_classes(
    data: Dataset, seed: int, gap: int
) -> None:
    try:
        split = split_rows(data, OPTIONS.model_copy(update={"gap": gap}), seed)
    except DataError as error:
        assert "left out around each block" in str(error)  # noqa: PT017
        return
    assert split.mode == CROSS_FIT
    assert sorted(np.concatenate([fold.test for fold in split.folds])) == list(range(len(data)))
    for fold in split.folds:
        assert len(fold.test)
        assert not set(fold.train) & set(fold.test)
        if split.decides:  # folds of few faults may train on none
            assert min(np.bincount(data.y[fold.train], minlength=2)) >= 2
            assert min(np.bincount(data.y[fold.test], minlength=2)) >= 1
    every = np.arange(len(data))
    held_out = [every[split.fold_numbers == number] for number in range(len(split.folds))]
    assert [list(rows) for rows in held_out] == [list(fold.test) for fold in split.folds]


@settings(max_examples=60, deadline=None)
@given(
    data=datasets(),
    shares=st.sampled_from([(0.2,), (0.2, 0.4), (0.1, 0.1)]),
    seed=st.integers(0, 9),
)
def test_dividing_runs_gives_each_row_one_side_and_each_run_one(
    data: Dataset, shares: tuple[float, ...], seed: int
) -> None:
    parts = divide_runs(data, shares, seed)
    assert len(parts) == len(shares) + 1
    assert sorted(np.concatenate(parts)) == list(range(len(data)))
    names = [runs_of(data, part) for part in parts]
    assert sum(len(name) for name in names) == len(set(data.run))


# Hold-out


def test_enough_runs_and_faults_give_a_hold_out_with_both_classes_on_each_side() -> None:
    data = fleet()
    split = split_rows(data, OPTIONS, seed=0)
    assert (split.mode, split.by, split.folds) == (HOLD_OUT, "run", ())
    for rows in sides(split):
        assert 0 < data.take(rows).faults < len(rows)
    assert [len(rows) for rows in sides(split)] == [240, 120, 240]
    assert "held out in time order" in split.reason
    assert "no part in training" in split.validity


@pytest.mark.parametrize("faulty", [True, False])
def test_runs_with_a_common_time_are_held_out_in_time_order(faulty: bool) -> None:
    data = fleet()
    with_faults = {run for run in data.run if data.y[data.run == run].any()}
    ends = []
    for rows in sides(split_rows(data, OPTIONS, seed=0)):
        kind = [row for row in rows if (data.run[row] in with_faults) is faulty]
        ends.append((data.time[kind].min(), data.time[kind].max()))
    (_, train_end), (calibration_start, calibration_end), (test_start, _) = ends
    assert train_end < calibration_start <= calibration_end < test_start


def test_in_time_order_the_seed_changes_nothing() -> None:
    first, second = (split_rows(fleet(), OPTIONS, seed) for seed in (0, 1))
    np.testing.assert_array_equal(first.test, second.test)


def test_runs_that_each_begin_at_zero_are_held_out_at_random_by_the_seed() -> None:
    data = fleet(timed=False)
    first, again, other = (split_rows(data, OPTIONS, seed) for seed in (0, 0, 1))
    assert "at random" in first.reason
    np.testing.assert_array_equal(first.test, again.test)
    assert runs_of(data, first.test) != runs_of(data, other.test)


def test_one_run_without_a_time_means_no_time_order() -> None:
    data = fleet()
    data.time[data.run == data.run[0]] = np.nan
    assert "at random" in split_rows(data, OPTIONS, seed=0).reason


@pytest.mark.parametrize(
    ("options", "lacking"),
    [
        ({"min_test_faults": 100}, "test side of a hold-out would have 40 fault"),
        ({"min_calibration_faults": 30}, "calibration side of a hold-out would have 20 fault"),
        ({"min_normals": 110}, "calibration side of a hold-out would have 20 fault and 100 normal"),
        ({"min_test_runs": 20}, "12 runs; 20 are needed"),
    ],
)
def test_a_hold_out_that_would_judge_on_too_little_is_not_made_and_says_why(
    options: dict[str, int], lacking: str
) -> None:
    split = split_rows(fleet(), SplitOptions(**options), seed=0)  # type: ignore[arg-type]
    assert (split.mode, split.by) == (CROSS_FIT, "run")
    assert re.search(lacking, split.reason)


# Cross-fitting


def test_few_runs_are_cross_fitted_by_run_on_all_rows() -> None:
    data = fleet(runs=6)
    split = split_rows(data, OPTIONS, seed=0)
    assert (split.mode, split.by, len(split.folds)) == (CROSS_FIT, "run", 2)
    assert len(split.train) == len(data)
    assert len(split.calibration) == len(split.test) == 0
    assert "judge the procedure" in split.validity


def test_there_are_no_more_folds_than_runs_of_the_rarer_class() -> None:
    assert len(split_rows(fleet(runs=9), OPTIONS, seed=0).folds) == 3


def blocks(gap: int, rows: int = 60) -> tuple[Dataset, Split, np.ndarray]:
    """One recording whose rows lie shuffled in the file; ``order`` brings them into time."""
    order = np.random.default_rng(0).permutation(rows)
    time = np.empty(rows)
    time[order] = np.arange(rows)
    data = dataset(["r"] * rows, [int(moment % 20 >= 14) for moment in time], list(time))
    return data, split_rows(data, SplitOptions(gap=gap), seed=0), order


@pytest.mark.parametrize("gap", [0, 1, 3])
def test_one_run_is_cross_fitted_by_blocks_of_time_with_a_gap_between(gap: int) -> None:
    data, split, _ = blocks(gap)
    assert (split.mode, split.by) == (CROSS_FIT, "time block")
    assert "may flatter" in split.validity
    for fold in split.folds:
        distance = np.abs(data.time[fold.train][:, None] - data.time[fold.test][None]).min()
        assert distance == gap + 1
        near = np.abs(data.time[:, None] - data.time[fold.test][None]).min(axis=1) <= gap
        np.testing.assert_array_equal(np.sort(fold.train), np.flatnonzero(~near))


def test_each_block_holds_a_contiguous_part_of_each_class_in_time() -> None:
    data, split, order = blocks(gap=0)
    for label in (0, 1):
        in_time = [row for row in order if data.y[row] == label]
        of_fold = {row: number for number, fold in enumerate(split.folds) for row in fold.test}
        numbers = [of_fold[row] for row in in_time]
        assert numbers == sorted(numbers)
        assert set(numbers) == set(range(len(split.folds)))


# Too little


@pytest.mark.parametrize(("label", "missing"), [(0, "fault"), (1, "normal")])
def test_one_class_is_an_error_that_names_the_other(label: int, missing: str) -> None:
    data = dataset(list(range(50)), [label] * 50)
    with pytest.raises(
        DataError, match=rf"no {missing} row, and both.*rows=50.*label of equipment 'p1'"
    ):
        require_both_classes(data)


@pytest.mark.parametrize(
    ("label", "by"), [(0, "healthy rows"), (1, "faults alone"), (-1, "no label")]
)
def test_rows_that_are_not_of_both_classes_are_not_divided_and_decide_nothing(
    label: int, by: str
) -> None:
    split = split_rows(dataset(list(range(50)), [label] * 50), OPTIONS, seed=0)
    assert (split.by, split.folds, len(split.train)) == (by, (), 50)
    assert not split.decides
    assert not split.has_both_classes


@pytest.mark.parametrize("y", [[0, 0, 1, 1, 1], [0, 1, 1, 1, 1]])
@pytest.mark.parametrize("run", [["a"] * 5, ["a", "b", "c", "d", "e"]])
def test_fewer_than_three_normal_rows_are_an_error_that_says_what_is_needed(
    y: list[int], run: list[str]
) -> None:
    with pytest.raises(
        DataError, match=r"not enough normal rows.*takes 3.*rows=5.*Collect and label more rows"
    ):
        split_rows(dataset(run, y), OPTIONS, seed=0)


@given(
    normals=st.integers(3, 60),
    faults=st.integers(1, 60),
    runs=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_every_row_is_held_out_once_however_few_the_faults(
    normals: int, faults: int, runs: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([0, 1], [normals, faults]))
    run = [str(name) for name in rng.integers(runs, size=len(y))]
    split = split_rows(dataset(run, y.tolist(), list(range(len(y)))), OPTIONS, seed)
    if split.mode != CROSS_FIT:
        return
    held_out = np.concatenate([fold.test for fold in split.folds])
    np.testing.assert_array_equal(np.sort(held_out), np.arange(len(y)))
    for fold in split.folds:
        assert not set(fold.train) & set(fold.test)
        assert (y[fold.train] == 0).sum() >= 2
        assert not split.decides or y[fold.train].sum() >= 2


def test_faults_that_are_too_few_decide_nothing() -> None:
    few = split_rows(dataset(["r"] * 40, [0] * 37 + [1] * 3, list(range(40))), OPTIONS, seed=0)
    assert not few.decides
    assert "too few to judge by" in few.validity
    enough = split_rows(dataset(["r"] * 40, [0, 1] * 20, list(range(40))), OPTIONS, seed=0)
    assert enough.decides


def test_a_gap_shrinks_where_the_recording_is_short() -> None:
    data = dataset(["r"] * 16, [0, 1] * 8, list(range(16)))
    split = split_rows(data, SplitOptions(gap=40), seed=0)
    assert not split.decides
    assert all(len(fold.train) for fold in split.folds)
