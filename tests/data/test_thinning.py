"""Long runs give way; rare faults and short runs stay."""

from __future__ import annotations

import numpy as np
import pytest

from faultxfer.data.thinning import sampled, thinned


def plant(runs: int, rows: int, faults: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and runs; the last rows of each run are faults."""
    y = np.tile(np.arange(rows) >= rows - faults, runs).astype(np.int8)
    return y, np.repeat([f"run {number}" for number in range(runs)], rows)


def test_rows_are_all_kept_as_long_as_they_are_few() -> None:
    y, run = plant(10, 100, 3)
    np.testing.assert_array_equal(thinned(y, run, 1000), np.arange(1000))


def test_long_runs_are_thinned_evenly_and_keep_their_rare_faults() -> None:
    y, run = plant(10, 2000, 7)
    rows = thinned(y, run, 8000)
    assert 7900 <= len(rows) <= 8000
    assert y[rows].sum() == 70
    normal = rows[y[rows] == 0]
    assert np.diff(normal[normal < 1993]).max() <= 3


def test_many_short_runs_stay_whole() -> None:
    y, run = plant(1000, 20, 10)
    assert len(thinned(y, run, 8000)) == 20_000


@pytest.mark.parametrize(
    ("runs", "rows", "left"), [(1000, 20, 250), (3, 50_000, 3), (200, 500, 200)]
)
def test_a_sample_is_bounded_and_of_all_long_runs(runs: int, rows: int, left: int) -> None:
    y, run = plant(runs, rows, rows // 2)
    some = sampled(y, run, 5000, seed=0)
    assert 4500 <= len(some) <= 5000
    assert 0 < y[some].sum() < len(some)
    assert len(set(run[some])) == left
    np.testing.assert_array_equal(some, sampled(y, run, 5000, seed=0))
