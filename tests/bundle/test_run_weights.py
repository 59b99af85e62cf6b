"""A long recording does not outvote the others where calibration and weights are fitted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultxfer.bundle.calibration import platt
from faultxfer.bundle.run_weights import run_weights


def machine(sizes: list[int], alike: float, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Logits, labels and recordings; each recording's rows are wrong together."""
    rng = np.random.default_rng(seed)
    run = np.repeat(np.arange(len(sizes)), sizes)
    y = (np.arange(len(sizes)) % 2)[run]
    logits = 2.0 * y - 1 + alike * rng.normal(size=len(sizes))[run] + rng.normal(size=len(run))
    return logits, y, run


def test_rows_that_are_no_more_alike_than_others_count_in_full() -> None:
    logits, y, run = machine([30] * 40, alike=0.0)
    assert run_weights(logits, y, run).mean() > 0.8


def test_a_long_run_counts_for_less_than_its_rows_and_for_more_than_a_short_one() -> None:
    logits, y, run = machine([10] * 20 + [300], alike=3.0)
    counts = run_weights(logits, y, run)
    of_run = np.bincount(run, weights=counts)
    short = of_run[:20:2]  # of the class of the long run
    assert short.max() <= of_run[20] < 5 * short.max()


def test_two_hundred_rows_of_one_run_do_not_flatten_the_calibration() -> None:
    """A run that is far off costs what a few rows like it would, not what two hundred would."""

    def slope(rows: int, *, weighed: bool) -> float:
        logits, y, run = machine([10] * 20, alike=1.0)
        run = np.append(run, np.full(rows, 20))
        logits, y = np.append(logits, np.full(rows, 3.0)), np.append(y, np.zeros(rows, int))
        counts = run_weights(logits, y, run) if weighed else None
        slopes, _ = platt(logits[None], y, counts)
        return float(slopes[0])

    assert slope(200, weighed=False) < 0.3 < 0.5 < slope(200, weighed=True)


def test_a_single_run_says_nothing_of_runs() -> None:
    logits, y, _ = machine([20, 20], alike=2.0)
    np.testing.assert_array_equal(run_weights(logits, y, np.zeros(40)), np.ones(40))


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(1, 60), min_size=2, max_size=12), st.floats(0, 5), st.integers(0, 10_000)
)
def test_the_share_of_faults_stays(sizes: list[int], alike: float, seed: int) -> None:
    logits, y, run = machine(sizes, alike, seed)
    counts = run_weights(logits, y, run)
    assert counts.min() > 0
    assert counts.mean() <= 1 + 1e-9
    assert counts[y == 1].sum() / counts.sum() == pytest.approx(y.mean())


def test_names_of_runs_do_not_matter() -> None:
    logits, y, run = machine([5, 9, 30], alike=1.0)
    named = np.array(["c", "a", "b"], dtype=object)[run]
    np.testing.assert_allclose(run_weights(logits, y, run), run_weights(logits, y, named))
