"""Fitting: the same every time, balanced between the classes, and stopped at the best epoch."""

from __future__ import annotations

import dataclasses
import random

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultxfer.network import fit
from faultxfer.network.build import build_network
from faultxfer.network.fit import (
    Recipe,
    apply_network,
    class_weights,
    fit_network,
    logits_of,
    make_deterministic,
    weighted_loss,
)
from faultxfer.network.freeze import copy_network

RECIPE = Recipe(learning_rate=1e-2, weight_decay=0.01, batch_size=16, epochs=3)
MIXED = st.lists(st.integers(0, 1), min_size=2, max_size=200).filter(lambda y: 0 < sum(y) < len(y))


@pytest.fixture(scope="module")
def network() -> keras.Model:
    make_deterministic(0)
    return build_network(4, (8, 4), dropout=0.3)


@pytest.fixture(scope="module")
def separable() -> tuple[np.ndarray, np.ndarray]:
    """(120, 4) rows; a quarter are faults, told apart by the first two sensors."""
    x = np.random.default_rng(0).normal(size=(120, 4))
    y = (np.arange(120) % 4 == 0).astype(np.int8)
    x[y == 1, :2] += 3.0
    return x, y


def fitted(
    network: keras.Model, rows: tuple[np.ndarray, np.ndarray], seed: int
) -> list[np.ndarray]:
    twin = copy_network(network)
    fit_network(twin, *rows, RECIPE, seed=seed)
    return twin.get_weights()


def test_same_seed_gives_the_same_weights_whatever_happened_before(
    network: keras.Model, separable: tuple[np.ndarray, np.ndarray]
) -> None:
    first = fitted(network, separable, seed=3)
    random.seed(99)  # a network copied or loaded later draws other dropout seeds
    np.random.default_rng().random(5)
    keras.utils.set_random_seed(12345)
    np.testing.assert_equal(fitted(network, separable, seed=3), first)


def test_a_network_already_fitted_once_gets_the_same_dropout_again(
    network: keras.Model, separable: tuple[np.ndarray, np.ndarray]
) -> None:
    twin = copy_network(network)
    fit_network(twin, *separable, RECIPE, seed=3)
    first = twin.get_weights()
    twin.set_weights(network.get_weights())
    fit_network(twin, *separable, RECIPE, seed=3)
    np.testing.assert_equal(twin.get_weights(), first)


def fitted_anew(
    network: keras.Model, rows: tuple[np.ndarray, np.ndarray], recipe: Recipe = RECIPE
) -> list[np.ndarray]:
    """As in a process that has fitted nothing yet."""
    fit._kept.clear()
    twin = copy_network(network)
    fit_network(twin, *rows, recipe, seed=3)
    return twin.get_weights()


def normalising() -> keras.Model:
    """A network with statistics that fitting moves beside its weights."""
    make_deterministic(1)
    inputs = keras.Input((4,))
    x = keras.layers.BatchNormalization()(keras.layers.Dense(5)(inputs))
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dropout(0.5)(x)))


@pytest.mark.parametrize("name", ["plain", "normalising"])
def test_what_was_fitted_before_changes_no_weight(
    name: str, network: keras.Model, separable: tuple[np.ndarray, np.ndarray]
) -> None:
    wanted = network if name == "plain" else normalising()
    alone = fitted_anew(wanted, separable)
    x, y = separable
    fit._kept.clear()
    other = copy_network(wanted)  # other weights, rows and seed, in steps that are shared
    other.set_weights([0.5 * weight + 0.1 for weight in other.get_weights()])
    fit_network(other, x[:113] + 1, 1 - y[:113], RECIPE, seed=8)
    twin = copy_network(wanted)
    fit_network(twin, x, y, RECIPE, seed=3)
    assert len(fit._kept) == 1
    np.testing.assert_equal(twin.get_weights(), alone)
    assert not np.array_equal(other.get_weights()[0], alone[0])


def test_a_fit_leaves_the_network_of_another_alone(
    network: keras.Model, separable: tuple[np.ndarray, np.ndarray]
) -> None:
    first = copy_network(network)
    fit_network(first, *separable, RECIPE, seed=3)
    kept = [np.array(weight) for weight in first.get_weights()]
    fit_network(copy_network(network), *separable, RECIPE, seed=4)
    np.testing.assert_equal(first.get_weights(), kept)


@pytest.mark.parametrize(
    "change", [{"learning_rate": 2e-2}, {"weight_decay": 0.5}, {"pull": 0.3}], ids=str
)
def test_steps_are_not_shared_between_optimizers(
    network: keras.Model, change: dict[str, float]
) -> None:
    other = dataclasses.replace(RECIPE, **change)
    assert fit._key(network, other, 24) != fit._key(network, RECIPE, 24)
    assert fit._key(network, RECIPE, 25) != fit._key(network, RECIPE, 24)


def test_steps_are_shared_between_copies_and_not_between_networks_that_differ(
    network: keras.Model,
) -> None:
    frozen = copy_network(network)
    frozen.layers[4].trainable = False
    others = [frozen, build_network(4, (8, 4), 0.6), build_network(4, (8, 5), 0.3), normalising()]
    keys = {fit._key(other, RECIPE, 24) for other in [network, *others]}
    assert len(keys) == 5
    assert fit._key(copy_network(network), RECIPE, 24) in keys
    assert fit._key(normalising(), RECIPE, 24) in keys  # Keras draws new names for its layers


def test_a_fit_inside_another_has_steps_of_its_own(
    network: keras.Model,
    separable: tuple[np.ndarray, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, y = separable
    alone = fitted_anew(network, separable)
    run, inside = fit._Steps.run, []

    def interrupted(steps: fit._Steps, batches: np.ndarray) -> np.ndarray:
        if not inside:
            inside.append(steps)
            fit_network(copy_network(network), x[:113], y[:113], RECIPE, seed=8)
        return run(steps, batches)

    monkeypatch.setattr(fit._Steps, "run", interrupted)
    assert all(map(np.array_equal, fitted(network, separable, seed=3), alone))
    assert len(inside) == 1


def test_no_more_steps_are_kept_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "_kept", {})
    monkeypatch.setattr(fit, "_KEPT", 1)
    monkeypatch.setattr(fit, "_Steps", lambda *_: object())
    network = build_network(1, (1,), 0.0)
    for steps in (1, 2, 3):
        with fit._steps_for(network, None, RECIPE, steps):
            pass
    assert [key[-1] for key in fit._kept] == [3]


def test_different_seeds_give_different_weights(
    network: keras.Model, separable: tuple[np.ndarray, np.ndarray]
) -> None:
    first, second = fitted(network, separable, seed=3), fitted(network, separable, seed=4)
    assert all(not np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_seed_decides_the_dropout_and_not_only_the_shuffle() -> None:
    x, y = (
        np.ones((8, 4)),
        np.ones(8, dtype=np.int8),
    )  # rows are all the same, so their order says nothing
    results = {}
    for dropout in (0.0, 0.5):
        make_deterministic(0)
        network = build_network(4, (8,), dropout)
        for seed in (1, 2):
            twin = copy_network(network)
            fit_network(twin, x, y, RECIPE, seed=seed)
            results[dropout, seed] = twin.get_weights()[0]
    np.testing.assert_array_equal(results[0.0, 1], results[0.0, 2])
    assert np.abs(results[0.5, 1] - results[0.5, 2]).max() > 1e-4


@given(MIXED)
def test_class_weights_have_mean_one_and_give_both_classes_half(labels: list[int]) -> None:
    y = np.array(labels, dtype=np.int8)
    weights = class_weights(y)
    assert weights.shape == y.shape
    np.testing.assert_allclose(weights.mean(), 1, rtol=1e-5)
    np.testing.assert_allclose(weights[y == 1].sum(), weights[y == 0].sum(), rtol=1e-5)


@given(MIXED, st.floats(-50, 50))
def test_no_constant_logit_has_a_balanced_loss_below_that_of_even_odds(
    labels: list[int], constant: float
) -> None:
    y = np.array(labels)
    assert weighted_loss(np.full(len(y), constant), y) >= np.log(2) - 1e-6


def test_rare_faults_weigh_as_much_as_all_normal_rows() -> None:
    y = (np.arange(100) < 10).astype(np.int8)
    make_deterministic(0)
    network = build_network(1, (2,), dropout=0.0)
    network.layers[-1].bias.assign([-3.0])
    fit_network(network, np.zeros((100, 1)), y, Recipe(0.1, 0.0, 100, 100), seed=0)
    # Rows say nothing, so the best logit is that of the class shares: 0 when balanced, log(1/9) =
    # -2.2 when not.
    assert abs(logits_of(network, np.zeros((1, 1)))[0]) < 0.2


def test_separable_rows_are_learned_better_than_any_constant_answer(
    network: keras.Model, separable: tuple[np.ndarray, np.ndarray]
) -> None:
    x, y = separable
    learn, judge = np.arange(120) < 80, np.arange(120) >= 80
    twin = copy_network(network)
    history = fit_network(twin, x[learn], y[learn], Recipe(1e-2, 0.0, 16, 15), seed=0)
    assert weighted_loss(logits_of(twin, x[judge]), y[judge]) < 0.7 * np.log(2)
    assert history["loss"][-1] < history["loss"][0]
    assert len(history["loss"]) == 15
    assert "val_loss" not in history


def test_early_stopping_keeps_the_weights_of_the_best_epoch(network: keras.Model) -> None:
    rng = np.random.default_rng(1)
    x, y = (
        rng.normal(size=(40, 4)),
        (np.arange(40) % 2).astype(np.int8),
    )  # nothing to learn but the rows by heart
    validation = rng.normal(size=(40, 4)), (np.arange(40) % 2).astype(np.int8)
    twin = copy_network(network)
    history = fit_network(
        twin, x, y, Recipe(0.05, 0.0, 8, 60, patience=3), seed=0, validation=validation
    )
    losses = history["val_loss"]
    best = int(np.argmin(losses))
    assert len(losses) == len(history["loss"]) == best + 1 + 3 < 60
    assert losses[-1] > losses[best]
    np.testing.assert_allclose(
        weighted_loss(logits_of(twin, validation[0]), validation[1]), losses[best], rtol=1e-6
    )


def test_rows_that_fill_up_the_last_batch_do_not_count(network: keras.Model) -> None:
    x, y = np.random.default_rng(2).normal(size=(5, 4)), np.array([0, 1, 0, 1, 1], dtype=np.int8)
    make_deterministic(0)
    plain = build_network(4, (8, 4), dropout=0.0)
    losses = []
    for size in (5, 3):
        twin = copy_network(plain)
        losses.append(fit_network(twin, x, y, Recipe(1e-12, 0.0, size, 1), seed=0)["loss"][0])
    # Nothing moves at this learning rate. The epoch's loss is the mean of its batches' means: of 5
    # rows, or of 3 and 2.
    assert losses[0] == pytest.approx(weighted_loss(logits_of(plain, x), y), rel=1e-5)
    order = np.random.default_rng(0).permutation(5)
    each = class_weights(y) * np.logaddexp(0, np.where(y == 1, -1, 1) * logits_of(plain, x))
    assert losses[1] == pytest.approx(
        np.mean([each[order[:3]].mean(), each[order[3:]].mean()]), rel=1e-5
    )


def test_the_output_does_not_depend_on_how_rows_are_cut_into_chunks(
    network: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = np.random.default_rng(0).normal(size=(10, 4))
    whole = apply_network(network, x)
    monkeypatch.setattr(fit, "_CHUNK", 3)
    np.testing.assert_allclose(apply_network(network, x), whole, rtol=1e-5, atol=1e-6)


def test_no_rows_give_no_logits(network: keras.Model) -> None:
    assert apply_network(network, np.empty((0, 4))).shape == (0, 1)
    assert logits_of(network, np.empty((0, 4))).shape == (0,)


def test_applying_a_network_drops_nothing_out(network: keras.Model) -> None:
    x = np.random.default_rng(0).normal(size=(10, 4))
    np.testing.assert_array_equal(logits_of(network, x), logits_of(network, x))
