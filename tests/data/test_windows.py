"""Windows of the rows before a row: no row sees a later one, however a file is cut."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from faultxfer.bundle.trees import Trees
from faultxfer.data.moments import Moments, restarted
from faultxfer.data.windows import Widener, Windows, fit_windows
from faultxfer.strategies.learners.boosting import boost

Rows = tuple[np.ndarray, Moments]
WINDOWS = Windows(2.0, 5.0, np.array([0.5, 0.0]))


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    """Rows of up to three recordings that take turns, with a clock or none, and pauses."""
    count = draw(st.integers(1, 50))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps = rng.choice([0.0, 1.0, 1.5, 60.0, 86_400.0], count, p=[0.1, 0.5, 0.2, 0.15, 0.05])
    time = 1.7e9 + np.cumsum(steps) if draw(st.booleans()) else np.full(count, np.nan)
    X = rng.normal([5.0, -300.0], [1.0, 40.0], size=(count, 2))
    return X, Moments(rng.integers(0, 3, count), time)


@given(rows(), st.lists(st.integers(0, 50), max_size=5))
def test_a_file_that_is_cut_anywhere_has_the_same_windows(made: Rows, cuts: list[int]) -> None:
    X, moments = made
    widener, ends = Widener(WINDOWS), [0, *sorted(min(cut, len(X)) for cut in cuts), len(X)]
    parts = [np.arange(*pair) for pair in itertools.pairwise(ends)]
    found = [widener.add(X[part], moments.take(part)) for part in parts]
    np.testing.assert_allclose(np.concatenate(found), WINDOWS(X, moments), atol=1e-6)


@given(rows(), st.integers(1, 50))
def test_no_row_sees_a_later_one_or_another_recording(made: Rows, kept: int) -> None:
    X, moments = made
    whole, first = WINDOWS(X, moments), np.arange(min(kept, len(X)))
    np.testing.assert_allclose(WINDOWS(X[first], moments.take(first)), whole[first], atol=1e-6)
    own = moments.recording == moments.recording[0]
    np.testing.assert_allclose(WINDOWS(X[own], moments.take(own)), whole[own], atol=1e-6)


@given(rows())
def test_the_first_row_of_a_recording_stands_for_itself(made: Rows) -> None:
    X, moments = made
    first = np.unique(moments.recording, return_index=True)[1]
    np.testing.assert_allclose(WINDOWS(X, moments)[first], WINDOWS.alone(X[first]))


def test_what_stands_still_deviates_less_the_longer_it_does() -> None:
    X, moments = np.full((30, 2), 7.0), Moments(np.zeros(30, dtype=int), np.arange(30.0))
    deviation = WINDOWS(X, moments)[:, 2, 0]
    assert deviation[0] == pytest.approx(0.5)
    assert (np.diff(deviation) < 0).all()


def test_usual_deviations_are_those_of_the_rows_and_none_of_single_rows() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(0, [1.0, 30.0], size=(4_000, 2))
    long = fit_windows(X, Moments(np.repeat([0, 1], 2_000), np.tile(np.arange(2_000.0), 2)), 2, 6)
    np.testing.assert_allclose(long.usual, [1, 30], rtol=0.2)
    single = fit_windows(X[:5], Moments(np.arange(5), np.zeros(5)), 2, 6)
    assert single.usual.tolist() == [0, 0]


def test_who_learns_from_windows_of_noise_cannot_tell_where_in_a_recording_a_row_is() -> None:
    rng = np.random.default_rng(0)
    place, run = np.tile(np.arange(200), 60), np.repeat(np.arange(60), 200)
    X = rng.normal(size=(len(run), 4))
    moments = restarted(Moments(run, place * 60.0), 30)
    windows = fit_windows(X, moments, 102.0, 312.0)(X, moments).reshape(len(X), -1)
    late, train = (place >= 100).astype(np.int8), run < 40
    text = boost(windows[train], late[train], 0, rounds=60, learning_rate=0.1)
    said = Trees(text).predict(windows[~train], raw_score=True)
    assert roc_auc_score(late[~train], said) < 0.53


def test_half_lives_that_are_no_positive_numbers_are_refused() -> None:
    stored = WINDOWS.as_dict()
    for wrong in ({"short": 0}, {"short": 9}, {"long": float("nan")}, {"usual": [float("inf")]}):
        with pytest.raises(ValueError, match="positive half-lives"):
            Windows.of(stored | wrong)
