"""Shapley values of trees against those of the definition, feature by feature."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import factorial
from typing import Any

import lightgbm
import numpy as np
import pytest

from faultxfer.bundle.tree_contributions import TreeContributions, read_leaves

QUIET = {"verbosity": -1, "num_threads": 1, "seed": 0, "min_data_in_bin": 1}
FOREST = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6, "objective": "regression"}
KINDS: dict[str, dict[str, Any]] = {
    "boosting": {"min_data_in_leaf": 5},
    "few bins": {"min_data_in_leaf": 10, "num_leaves": 15, "max_bin": 15},
    "a forest": {**FOREST, "min_data_in_leaf": 2, "feature_fraction_bynode": 0.6},
    "stumps": {"num_leaves": 2},
}


def boost(X: np.ndarray, y: np.ndarray, rounds: int = 8, **settings: Any) -> str:
    options = {"objective": "binary", **QUIET, **settings}
    data = lightgbm.Dataset(X, y.astype(float))
    return str(lightgbm.train(options, data, num_boost_round=rounds).model_to_string())


def rows(seed: int, sensors: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(120, sensors)).round(1)  # ties with thresholds
    return X, (X[:, 0] * X[:, 1] + X[:, 2] > 0.3).astype(int)


def by_definition(
    score: Callable[[np.ndarray], np.ndarray], x: np.ndarray, references: np.ndarray
) -> np.ndarray:
    d = len(x)
    worth = {
        known: score(np.where(np.array(known) == 1, x, references)).mean()
        for known in product((0, 1), repeat=d)
    }
    values = np.zeros(d)
    for known, before in worth.items():
        for sensor in np.flatnonzero(np.array(known) == 0):
            more = (*known[:sensor], 1, *known[sensor + 1 :])
            k = sum(known)
            share = factorial(k) * factorial(d - k - 1) / factorial(d)
            values[sensor] += share * (worth[more] - before)
    return values


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_values_are_those_of_the_definition(kind: str, seed: int) -> None:
    X, y = rows(seed)
    text = boost(X, y, **KINDS[kind])
    trees = lightgbm.Booster(model_str=text)
    pool, asked = X[:20], X[60:64]
    rng = np.random.default_rng(seed)
    nearest = np.array([rng.choice(20, 6, replace=False) for _ in asked])
    found = TreeContributions(text, pool)(asked, nearest, np.full(nearest.shape, 1 / 6))
    for place, row in enumerate(asked):
        expected = by_definition(
            lambda Z: np.asarray(trees.predict(Z, raw_score=True)), row, pool[nearest[place]]
        )
        np.testing.assert_allclose(found[place], expected, atol=1e-10)


@pytest.mark.parametrize("sensors", [6, 12, 25, 40])
def test_ways_to_a_leaf_may_look_at_few_or_many_features(sensors: int) -> None:
    X = np.random.default_rng(8).normal(size=(400, sensors))
    # A long chain: each split leaves one row alone.
    y = np.cumsum(X > 1.2, axis=1).argmax(axis=1)
    deep = {"num_leaves": 120, "min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 0}
    text = boost(X, y, rounds=2, objective="regression", feature_fraction_bynode=0.1, **deep)
    trees, nearest = lightgbm.Booster(model_str=text), np.arange(60).reshape(20, 3)
    found = TreeContributions(text, X[:60])(X[100:120], nearest, np.full((20, 3), 1 / 3))
    score = np.asarray(trees.predict(X, raw_score=True))
    apart = score[100:120] - score[:60].reshape(20, 3).mean(axis=1)
    np.testing.assert_allclose(found.sum(axis=1), apart, atol=1e-10)


def test_each_reference_counts_for_what_it_is_given() -> None:
    X, y = rows(4)
    trees = TreeContributions(boost(X, y), X[:10])
    row = X[50:51]
    alone = [trees(row, np.array([[place]]), np.ones((1, 1))) for place in (3, 7)]
    both = trees(row, np.array([[3, 7]]), np.array([[0.5, 2.0]]))
    np.testing.assert_allclose(both, 0.5 * alone[0] + 2.0 * alone[1], atol=1e-12)


def test_a_row_that_reads_as_its_reference_has_no_contributions() -> None:
    X, y = rows(5)
    trees = TreeContributions(boost(X, y), X[:10])
    assert not trees(X[3:4], np.array([[3]]), np.ones((1, 1))).any()


def test_trees_without_a_split_say_nothing() -> None:
    X, _ = rows(6)
    text = boost(X, np.zeros(len(X)), rounds=3)
    assert read_leaves(text) is None
    assert not TreeContributions(text, X[:4])(X[:2], np.zeros((2, 1), int), np.ones((2, 1))).any()


def test_a_categorical_split_and_a_linear_leaf_are_not_misread() -> None:
    X, y = rows(7)
    text = boost(X, y, rounds=1)
    with pytest.raises(ValueError, match="categorical"):
        read_leaves(text.replace("decision_type=2", "decision_type=1"))
    with pytest.raises(ValueError, match="linear"):
        read_leaves(text.replace("is_linear=0", "is_linear=1"))
