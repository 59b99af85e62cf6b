"""Missing readings are filled in from the other sensors, and nothing else is touched."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

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

    def score(rows: np.ndarray, places: np.ndarray) -> float:
        return float(np.abs(rows[:, 3] - X[places, 3]).max() < 1e-6)

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


def fleet(rows: int = 900) -> tuple[np.ndarray, np.ndarray]:
    """Rows of three machines alike, and (n, d) bool: the second lacks sensor 0, the third 1."""
    X = plant_rows(rows, seed=11)
    lacked = np.zeros(X.shape, dtype=bool)
    lacked[rows // 3 : 2 * rows // 3, 0] = lacked[2 * rows // 3 :, 1] = True
    return X, lacked


def told_apart(X: np.ndarray, machine: np.ndarray) -> float:
    """ROC-AUC with which trees tell a machine's rows from the others, out of fold."""
    model = LGBMClassifier(n_estimators=40, num_leaves=15, n_jobs=1, verbose=-1)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    predicted = cross_val_predict(model, pd.DataFrame(X), machine, cv=folds, method="predict_proba")
    return float(roc_auc_score(machine, predicted[:, 1]))


@pytest.mark.parametrize("sensor", [0, 1])
def test_a_machine_is_not_told_by_a_sensor_that_was_drawn(sensor: int) -> None:
    """Machines that are alike stay alike; a constant gives each of them away."""
    X, lacked = fleet(1500)
    gappy = np.where(lacked, np.nan, X)
    imputer = fit_imputer(gappy)
    machine = lacked[:, sensor].astype(int)
    assert told_apart(X, machine) < 0.56
    drawn = imputer.drawn(gappy, lacked, seed=0)
    assert told_apart(drawn[:, [sensor]], machine) < 0.58
    assert told_apart(drawn, machine) < 0.62
    usual = np.where(lacked, np.nanmedian(gappy, axis=0), X)
    assert told_apart(usual, machine) > 0.95


def test_drawn_readings_vary_and_go_together_as_measured_ones_do() -> None:
    X, lacked = fleet(3000)
    gappy = np.where(lacked, np.nan, X)
    drawn = fit_imputer(gappy).drawn(gappy, lacked, seed=0)
    rows = lacked[:, 0]
    assert drawn[rows, 0].std() == pytest.approx(X[rows, 0].std(), rel=0.15)
    together = np.corrcoef(drawn[rows], rowvar=False)[0]
    np.testing.assert_allclose(together, np.corrcoef(X[rows], rowvar=False)[0], atol=0.12)
    low, high = np.nanmin(gappy[:, 0]), np.nanmax(gappy[:, 0])
    assert (drawn[:, 0] >= low - 1e-6 * abs(low)).all()
    assert (drawn[:, 0] <= high + 1e-6 * abs(high)).all()
    assert np.array_equal(drawn[~lacked], X[~lacked])


def test_the_seed_draws_and_what_is_only_missing_gets_the_mean() -> None:
    X, lacked = fleet()
    gappy = np.where(lacked, np.nan, X)
    gappy[0, 2] = np.nan
    imputer = fit_imputer(gappy)
    one, same, other = (imputer.drawn(gappy, lacked, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one[lacked], other[lacked])
    assert one[0, 2] == other[0, 2] == imputer(gappy)[0, 2]


def test_it_is_fitted_on_machines_that_each_lack_another_sensor() -> None:
    X, lacked = fleet(3000)
    gappy = fit_imputer(np.where(lacked, np.nan, X))
    whole = fit_imputer(X)
    fresh = with_gaps(plant_rows(400, seed=12), 0.1)
    apart = (gappy(fresh) - whole(fresh)) / X.std(axis=0)
    assert np.abs(apart[np.isnan(fresh)]).mean() < 0.15


def test_each_sensor_is_judged_on_machines_that_have_it() -> None:
    X, lacked = fleet(3000)
    gappy = np.where(lacked, np.nan, X)
    imputer = fit_imputer(gappy)
    asked = []

    def score(rows: np.ndarray, places: np.ndarray) -> float:
        assert not np.isnan(rows).any()
        asked.append(set(places.tolist()))
        return 0.0

    poor = dataclasses.replace(imputer, covariance=np.eye(4))
    r2, _ = judged(poor, gappy, score, np.ones(4, dtype=bool))
    assert (r2 < 0.5).all()
    measured = [set(np.flatnonzero(~lacked[:, sensor]).tolist()) for sensor in range(4)]
    assert {frozenset(one) for one in asked} == {frozenset(one) for one in measured}
    r2, _ = judged(imputer, gappy, score, np.ones(4, dtype=bool))
    whole, _ = judged(fit_imputer(X), X, score, np.ones(4, dtype=bool))
    np.testing.assert_allclose(r2, whole, atol=0.1)
