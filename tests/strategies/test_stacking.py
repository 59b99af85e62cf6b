"""The stack averages by what rows show, else stays near its prior, and never sees test rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from faultxfer.bundle.calibration import platt
from faultxfer.strategies.stacking import crossed_platt, family_prior, simplex_weights


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray]:
    """Logits of a good, a random and a reversed learner, and 400 labels."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=400) * 2
    y = (rng.random(400) < expit(truth)).astype(float)
    return np.stack([3 * truth + 1, rng.normal(size=400), -truth]), y


def test_platt_finds_slope_and_offset_of_an_overconfident_learner(
    rows: tuple[np.ndarray, np.ndarray],
) -> None:
    slopes, offsets = platt(*rows)
    assert slopes[0] == pytest.approx(1 / 3, abs=0.08)
    assert offsets[0] == pytest.approx(-1 / 3, abs=0.3)


def test_platt_never_turns_a_ranking_over(rows: tuple[np.ndarray, np.ndarray]) -> None:
    slopes, _ = platt(*rows)
    assert (slopes > 0).all()


def test_platt_keeps_its_prior_where_there_are_no_rows_to_speak_against_it() -> None:
    slopes, _ = platt(np.array([[-0.5, 0.5]]), np.array([0.0, 1.0]))
    assert slopes[0] == pytest.approx(1, abs=0.3)


def test_a_fold_does_not_calibrate_itself(rows: tuple[np.ndarray, np.ndarray]) -> None:
    logits, y = rows
    folds = np.arange(400) % 4
    poisoned = np.where(folds == 2, 1 - y, y)
    inside = folds == 2
    clean, spoiled = crossed_platt(logits, y, folds), crossed_platt(logits, poisoned, folds)
    np.testing.assert_array_equal(clean[:, inside], spoiled[:, inside])
    assert not np.allclose(clean[:, ~inside], spoiled[:, ~inside])


def test_prior_is_uniform_over_families_and_then_inside() -> None:
    np.testing.assert_allclose(family_prior(["a", "b", "b", "c"]), [1 / 3, 1 / 6, 1 / 6, 1 / 3])


def test_weights_go_to_the_learner_that_predicts(rows: tuple[np.ndarray, np.ndarray]) -> None:
    logits, y = rows
    calibrated = crossed_platt(logits, y, np.arange(400) % 4)
    weights = simplex_weights(calibrated, y, np.full(3, 1 / 3), tau=1.0)
    assert weights[0] > 0.8


def test_a_strong_pull_keeps_the_prior(rows: tuple[np.ndarray, np.ndarray]) -> None:
    logits, y = rows
    prior = np.array([0.2, 0.3, 0.5])
    np.testing.assert_allclose(simplex_weights(logits / 10, y, prior, tau=1e6), prior, atol=1e-3)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.1, 100))
def test_weights_lie_on_the_simplex_and_are_no_worse_than_the_prior(seed: int, tau: float) -> None:
    rng = np.random.default_rng(seed)
    logits, y = rng.normal(size=(5, 30)) * 3, rng.integers(0, 2, 30).astype(float)
    prior = rng.dirichlet(np.ones(5)) + 1e-3
    prior /= prior.sum()

    def objective(w: np.ndarray) -> float:
        z = w @ logits
        return float(
            (np.logaddexp(0, z) - y * z).sum()
            + tau * (w * np.log(np.maximum(w, 1e-300) / prior)).sum()
        )

    weights = simplex_weights(logits, y, prior, tau)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert objective(weights) <= objective(prior) + 1e-9
