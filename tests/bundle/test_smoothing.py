"""Scores smoothed along a recording: no row sees a later one, however a file is cut."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultxfer.bundle.smoothing import Smoother, Smoothing
from faultxfer.data.blocks import NotInOrderError
from faultxfer.data.moments import Moments, usual_step

Rows = tuple[np.ndarray, Moments]


@st.composite
def rows(draw: st.DrawFn, *, clock: bool | None = None) -> Rows:
    """Rows of up to three recordings that take turns, in the order of time, with pauses or none."""
    count = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps = rng.choice([0.0, 1.0, 1.5, 60.0, 86_400.0], count, p=[0.1, 0.5, 0.2, 0.15, 0.05])
    has_clock = draw(st.booleans()) if clock is None else clock
    time = 1.7e9 + np.cumsum(steps) if has_clock else np.full(count, np.nan)
    return rng.normal(0, 8, count), Moments(rng.integers(0, 3, count), time)


def some(moments: Moments, which: slice | np.ndarray) -> Moments:
    return Moments(moments.recording[which], moments.time[which])


@given(rows(), st.lists(st.integers(0, 60), max_size=5), st.sampled_from([0.7, 3.0, 400.0]))
def test_a_file_that_is_cut_anywhere_has_the_same_scores(
    made: Rows, cuts: list[int], half_life: float
) -> None:
    logits, moments = made
    whole = Smoothing(half_life)(logits, moments)
    smoother = Smoother(Smoothing(half_life))
    ends = [0, *sorted(min(cut, len(logits)) for cut in cuts), len(logits)]
    parts = [slice(*pair) for pair in itertools.pairwise(ends)]
    found = [smoother.add(logits[part], some(moments, part)) for part in parts]
    np.testing.assert_allclose(np.concatenate(found), whole, atol=1e-6)


@given(rows(), st.integers(1, 60), st.sampled_from([0.7, 3.0, 400.0]))
def test_no_row_sees_a_later_one_or_another_recording(
    made: Rows, kept: int, half_life: float
) -> None:
    logits, moments = made
    whole = Smoothing(half_life)(logits, moments)
    first = slice(0, kept)
    np.testing.assert_allclose(
        Smoothing(half_life)(logits[first], some(moments, first)), whole[first], atol=1e-9
    )
    own = moments.recording == moments.recording[0]
    np.testing.assert_allclose(
        Smoothing(half_life)(logits[own], some(moments, own)), whole[own], atol=1e-9
    )


@given(rows(clock=True), st.randoms())
def test_the_order_in_which_rows_with_a_clock_are_given_does_not_matter(
    made: Rows, shuffle: object
) -> None:
    logits, moments = made
    time = moments.time + np.arange(len(logits)) * 1e-3  # equal times keep the order of the file
    moments = Moments(moments.recording, time)
    order = np.random.default_rng(len(logits)).permutation(len(logits))
    found = Smoothing(3.0)(logits[order], some(moments, order))
    np.testing.assert_allclose(found, Smoothing(3.0)(logits, moments)[order], atol=1e-6)


@given(rows())
def test_an_average_stays_between_the_least_and_the_most(made: Rows) -> None:
    logits, moments = made
    found = Smoothing(2.0)(logits, moments)
    assert logits.min() - 1e-9 <= found.min()
    assert found.max() <= logits.max() + 1e-9


def test_a_long_pause_is_a_new_start() -> None:
    moments = Moments(np.zeros(3, dtype=int), np.array([0.0, 1.0, 3600.0]))
    assert Smoothing(2.0)(np.array([9.0, 9.0, -1.0]), moments)[2] == pytest.approx(-1)


def test_rows_from_before_those_that_were_there_are_refused() -> None:
    smoother = Smoother(Smoothing(5.0))
    smoother.add(np.zeros(2), Moments(np.array([0, 1]), np.array([10.0, 1.0])))
    smoother.add(np.zeros(1), Moments(np.array([1]), np.array([5.0])))
    with pytest.raises(NotInOrderError):
        smoother.add(np.zeros(1), Moments(np.array([0]), np.array([9.0])))


@pytest.mark.parametrize("half_life", [0, -1, float("nan"), float("inf")])
def test_a_half_life_that_is_no_positive_number_is_refused(half_life: float) -> None:
    with pytest.raises(ValueError, match="positive number"):
        Smoothing.of({"half_life": half_life})


def test_the_usual_step_is_that_of_most_rows_and_none_of_single_rows() -> None:
    time = np.array([0.0, 60.0, 120.0, 4000.0, 0.0, 60.0])
    assert usual_step(Moments(np.array([0, 0, 0, 0, 1, 1]), time)) == 60
    assert usual_step(Moments(np.arange(6), time)) is None
    assert usual_step(Moments(np.zeros(6, dtype=int), np.full(6, np.nan))) == 1
    assert usual_step(Moments(np.zeros(6, dtype=int), np.zeros(6))) is None
