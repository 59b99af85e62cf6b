"""Every learner fits on few rows, keeps plain data and is judged on rows it was not fitted on."""

from __future__ import annotations

import dataclasses

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from faultxfer.bundle.frozen import FrozenSource, LinearModel, Views, soft_clipped
from faultxfer.bundle.input_map import MAPS, InputMap, fit_maps, spread_of
from faultxfer.bundle.members import Member, logits, member_logits
from faultxfer.bundle.scaler import fit_scaler
from faultxfer.config import NetworkOptions
from faultxfer.data.split import Fold
from faultxfer.network.arrays import as_arrays
from faultxfer.network.ensemble import build_ensemble
from faultxfer.network.features import NetworkFeatures
from faultxfer.network.fit import make_deterministic
from faultxfer.strategies.learners import Learner, TrainingRows, default_learners, rivals
from faultxfer.strategies.learners.boosting import boost
from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.learners.heads import AdaptedInput, WideHead
from faultxfer.strategies.learners.instances import (
    Ratio,
    ReweightedBoosting,
    TrAdaBoost,
    by_classifier,
    by_least_squares,
)
from faultxfer.strategies.learners.pooled_head import PooledHead
from faultxfer.strategies.learners.pooling import domain_weights
from faultxfer.strategies.selector import cross_fit, stack_of

LEARNERS = (
    *default_learners(),
    WideHead("source"),
    AdaptedInput("source", 1.0),
    ReweightedBoosting("source"),
    ReweightedBoosting("source", by_least_squares),
    TrAdaBoost("source"),
    PooledHead("target"),
)


def drawn(count: int, shift: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(0, 1, (count, 4)) * [1.0, 2.0, 0.5, 3.0] + [10.0, 0.0, 1.0, -5.0]
    y = (X[:, 0] - 10 + X[:, 1] / 2 + 0.3 * rng.normal(size=count) > 0.8).astype(np.int8)
    return X + shift, y


@pytest.fixture(scope="module")
def source() -> FrozenSource:
    X, y = drawn(600, 0.0, 0)
    make_deterministic(0)
    scaler = fit_scaler(X)
    network = build_ensemble(scaler(X), NetworkOptions(hidden=(6, 4), members=2, bins=3))
    spread = spread_of(X)
    coef, intercept = fit_logistic(soft_clipped(X, spread), y, 1.0)
    return FrozenSource(
        spread,
        spread_of(X[y == 0]),
        lightgbm.Booster(model_str=boost(X, y, 0, rounds=30)),
        LinearModel(coef, intercept),
        NetworkFeatures(as_arrays(network), scaler.mean, scaler.scale),
    )


@pytest.fixture(scope="module")
def rows(source: FrozenSource) -> TrainingRows:
    X, y = drawn(60, 0.5, 1)
    source_X, source_y = drawn(300, 0.0, 2)
    same = {name: InputMap(np.ones(4), np.zeros(4)) for name in MAPS}
    maps = fit_maps(X, y, source.spread, source.normal)
    return TrainingRows(Views(source, maps, X), y, Views(source, same, source_X), source_y, 0)


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.name)
def test_a_learner_scores_new_rows_the_same_way_each_time(
    learner: Learner, rows: TrainingRows
) -> None:
    fresh, _ = drawn(20, 0.5, 3)
    views = Views(rows.target.source, rows.target.maps, fresh)
    first, second = learner.fit(rows), learner.fit(rows)
    scores = member_logits(first, views)
    assert scores.shape == (20,)
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores, member_logits(second, views))


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.name)
def test_a_fitted_learner_is_plain_data_under_its_own_name(
    learner: Learner, rows: TrainingRows
) -> None:
    member = learner.fit(rows)
    assert (member.name, member.family) == (learner.name, learner.family)
    for field in dataclasses.fields(Member):
        value = getattr(member, field.name)
        assert isinstance(value, str | float | bool | tuple | dict), field.name
    assert all(
        isinstance(array, np.ndarray) and array.dtype.kind == "f"
        for array in member.arrays.values()
    )
    assert learner.paper


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0.05, 0.95))
def test_weights_of_domains_give_the_target_its_share_or_what_it_has(
    source: int, target: int, share: float
) -> None:
    weights = domain_weights(source, target, share)
    assert weights.mean() == pytest.approx(1)
    assert weights[source:].sum() / weights.sum() == pytest.approx(
        max(share, target / (source + target))
    )


@pytest.mark.parametrize("ratio", [by_classifier, by_least_squares])
def test_density_ratios_rank_source_rows_by_how_target_like_they_are(ratio: Ratio) -> None:
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(600, 2)), rng.normal(loc=[1.0, 0.0], size=(80, 2))
    found = ratio(source, target, 0)
    assert (found >= 0).all()
    assert spearmanr(found, source[:, 0]).statistic > 0.9  # the true ratio is exp(x₀ − ½)
    np.testing.assert_array_equal(ratio(source, target, 0), found)


@pytest.mark.parametrize("ratio", [by_classifier, by_least_squares])
@pytest.mark.parametrize("rows", [1, 2, 5])
def test_density_ratios_of_hardly_any_target_rows_are_finite(ratio: Ratio, rows: int) -> None:
    rng = np.random.default_rng(0)
    assert np.isfinite(ratio(rng.normal(size=(50, 3)), rng.normal(size=(rows, 3)), 0)).all()


def test_names_are_unique() -> None:
    names = [learner.name for learner in LEARNERS]
    assert len(set(names)) == len(names)


def test_the_rows_of_a_fold_do_not_fit_what_predicts_them(source: FrozenSource) -> None:
    X, y = drawn(60, 0.5, 1)
    place = np.arange(60)
    folds = [Fold(place[place % 3 != k], place[place % 3 == k]) for k in range(3)]
    poisoned = np.where(place % 3 == 1, 1 - y, y).astype(np.int8)
    clean, spoiled = (
        cross_fit(rivals(), source, drawn(300, 0.0, 2), X, labels, folds, 0)
        for labels in (y, poisoned)
    )
    inside = place % 3 == 1
    np.testing.assert_array_equal(clean.logits[:, inside], spoiled.logits[:, inside])
    np.testing.assert_array_equal(clean.folds, place % 3)


def test_a_stack_of_a_cross_fit_scores_from_its_members(source: FrozenSource) -> None:
    X, y = drawn(60, 0.5, 1)
    place = np.arange(60)
    folds = [Fold(place[place % 3 != k], place[place % 3 == k]) for k in range(3)]
    crossed = cross_fit(rivals(), source, drawn(300, 0.0, 2), X, y, folds, 0)
    stack = stack_of(crossed, y, np.arange(len(y)) // 10)
    fresh, truth = drawn(500, 0.5, 9)
    scores = logits(stack, source, fresh)
    assert sum(member.weight for member in stack.members) == pytest.approx(1)
    assert scores[truth == 1].mean() > scores[truth == 0].mean() + 1
