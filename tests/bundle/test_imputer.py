"""Missing readings are filled in from the other sensors, and nothing else is touched."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from faultxfer.bundle.imputer import Imputer, fit_imputer, judged, load_imputer, save_imputer
from faultxfer.bundle.plain_files import UNREADABLE

SCALES = np.array([1500.0, 0.02, -40.0, 1.0])


def plant_rows(rows: int, seed: int, scales: np.ndarray = SCALES) -> np.ndarray:
    """(n, 4) readings: the first three follow one duty, the fourth follows nothing."""
    rng = np.random.default_rng(seed)
    duty = rng.normal(size=rows)
    others = 0.1 * rng.normal(size=(rows, 3))
    return scales * np.column_stack([(duty[:, None] + others + 5), rng.normal(size=rows)])


def with_gaps(X: np.ndarray, share: float, seed: int = 1) -> np.ndarray:
    return np.where(np.random.default_rng(seed).random(X.shape) < share, np.nan, X)


@pytest.fixture(scope="module")
def imputer() -> Imputer:
    return fit_imputer(plant_rows(2000, seed=0))


@pytest.mark.parametrize("seed", range(5))
def test_what_was_read_is_not_touched(imputer: Imputer, seed: int) -> None:
    X = with_gaps(plant_rows(300, seed), 0.1 * seed, seed)
    before = X.copy()
    filled = imputer.for_machine(X)(X)
    np.testing.assert_array_equal(X, before)
    there = ~np.isnan(X)
    np.testing.assert_array_equal(filled[there], X[there])
    assert np.isfinite(filled).all()


def test_rows_without_a_missing_reading_come_back_as_they_are(imputer: Imputer) -> None:
    X = plant_rows(50, seed=3)
    assert imputer(X) is X


def test_a_reading_is_guessed_from_the_sensors_that_follow_it(imputer: Imputer) -> None:
    X = plant_rows(500, seed=4)
    gaps = X.copy()
    gaps[:, 1] = np.nan
    error = imputer(gaps)[:, 1] - X[:, 1]
    assert error.std() < 0.25 * X[:, 1].std()


def test_the_guess_of_every_reading_at_once_is_that_of_one_alone(imputer: Imputer) -> None:
    X = plant_rows(50, seed=4)
    together = imputer.each_from_others(X)
    for sensor in range(4):
        gaps = X.copy()
        gaps[:, sensor] = np.nan
        np.testing.assert_allclose(imputer(gaps)[:, sensor], together[:, sensor], rtol=1e-9)


def test_a_row_without_any_reading_gets_the_mean(imputer: Imputer) -> None:
    (filled,) = imputer(np.full((1, 4), np.nan))
    np.testing.assert_allclose(filled[:3] / SCALES[:3], 5, atol=0.2)


@pytest.mark.parametrize(
    "scales", [SCALES * 1.8, SCALES * [0.1, 9, 1, 1], SCALES * [0.5, 0.5, 3, 1]]
)
def test_a_machine_with_other_gains_is_filled_in_by_its_own_readings(
    imputer: Imputer, scales: np.ndarray
) -> None:
    X = plant_rows(400, seed=5, scales=scales)
    gaps = with_gaps(X, 0.1)
    adapted = imputer.for_machine(gaps)(gaps)
    missing = np.isnan(gaps[:, :3])
    error = ((adapted - X) / scales)[:, :3][missing]
    assert error.std() < 0.4
    raw = ((imputer(gaps) - X) / scales)[:, :3][missing]
    assert error.std() < raw.std()


def test_the_machines_own_rows_teach_what_the_source_never_saw(imputer: Imputer) -> None:
    X = plant_rows(400, seed=6)
    X[:, 3] = X[:, 0] / 1500
    gaps = with_gaps(X, 0.1)
    missing = np.isnan(gaps[:, 3])
    learnt, source = imputer.for_machine(gaps)(gaps)[missing, 3], imputer(gaps)[missing, 3]
    assert np.abs(learnt - X[missing, 3]).mean() < 0.5 * np.abs(source - X[missing, 3]).mean()


def test_a_sensor_that_matters_and_cannot_be_predicted_is_not_filled_in(imputer: Imputer) -> None:
    X = plant_rows(600, seed=7)

    def score(rows: np.ndarray) -> float:
        return float(np.abs(rows[:, 3] - X[:, 3]).max() < 1e-6)

    r2, cost = judged(imputer, X, score, np.ones(4, dtype=bool))
    assert (r2[:3] > 0.8).all()
    assert r2[3] < 0.1
    assert cost.tolist() == [0, 0, 0, 1]
    known = dataclasses.replace(imputer, r2=r2, cost=cost)
    assert known.fills.tolist() == [True, True, True, False]
    _, unused = judged(imputer, X, score, np.zeros(4, dtype=bool))
    assert unused.tolist() == [0, 0, 0, 0]
    harmless = dataclasses.replace(imputer, r2=r2, cost=np.zeros(4))
    assert harmless.fills.all()


def test_only_rows_within_the_policy_can_be_filled_in(imputer: Imputer) -> None:
    allowed = np.array([True, True, False, True])
    known = dataclasses.replace(imputer, allowed=allowed, max_share=0.5)
    X = np.zeros((5, 4))
    X[1, 0] = X[2, 2] = np.nan
    X[3, :2] = np.nan
    X[4, [0, 1, 3]] = np.nan
    assert known.can_fill(X).tolist() == [True, True, False, True, False]


@pytest.mark.parametrize("constant", [0, 3])
def test_a_sensor_that_never_moves_is_filled_in_with_its_value(constant: int) -> None:
    X = plant_rows(200, seed=8)
    X[:, constant] = 7.0
    gaps = X.copy()
    gaps[:50, constant] = np.nan
    np.testing.assert_allclose(fit_imputer(X).for_machine(gaps)(gaps)[:, constant], 7.0)


def test_a_round_trip_fills_in_the_same(imputer: Imputer, tmp_path: Path) -> None:
    known = dataclasses.replace(imputer, allowed=np.array([True, False, True, True]), max_share=0.3)
    save_imputer(known, tmp_path)
    loaded = load_imputer(tmp_path, 4)
    gaps = with_gaps(plant_rows(100, seed=9), 0.3)
    np.testing.assert_array_equal(loaded(gaps), known(gaps))
    assert (loaded.fills == known.fills).all()
    assert loaded.max_share == 0.3


@pytest.mark.parametrize(
    "change",
    [
        {"mean": np.zeros(3)},
        {"r2": np.full(4, np.nan)},
        {"covariance": -np.eye(4)},
        {"covariance": np.eye(5)},
    ],
)
def test_a_damaged_imputer_is_not_read(
    imputer: Imputer, tmp_path: Path, change: dict[str, np.ndarray]
) -> None:
    save_imputer(dataclasses.replace(imputer, **change), tmp_path)
    with pytest.raises(UNREADABLE):
        load_imputer(tmp_path, 4)
