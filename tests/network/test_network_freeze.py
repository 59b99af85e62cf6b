"""Frozen means bit-equal after fitting, and the two halves of a cut are the whole network."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from faultxfer.errors import StrategyError
from faultxfer.network.build import build_network
from faultxfer.network.fit import Recipe, apply_network, fit_network
from faultxfer.network.freeze import Cut, copy_network, freeze_all_but_last, layers_with_weights

SENSORS, HIDDEN = 3, (8, 6, 4)
DEPTH = len(HIDDEN) + 1
RECIPE = Recipe(learning_rate=1e-2, weight_decay=0.01, batch_size=8, epochs=2)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_network(SENSORS, HIDDEN, dropout=0.2)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(24, SENSORS))


def weights_by_layer(network: keras.Model) -> list[list[np.ndarray]]:
    return [
        [np.array(weight) for weight in layer.get_weights()]
        for layer in layers_with_weights(network)
    ]


def fitted(cut: Cut, rows: np.ndarray) -> Cut:
    y = (rows[:, 0] > 0).astype(np.int8)
    fit_network(cut.head, apply_network(cut.extractor, rows), y, RECIPE, seed=1)
    return cut


@pytest.mark.parametrize("trainable", range(1, DEPTH + 1))
def test_head_on_extractor_is_the_whole_network(
    network: keras.Model, rows: np.ndarray, trainable: int
) -> None:
    cut = freeze_all_but_last(copy_network(network), trainable)
    parts = apply_network(cut.head, apply_network(cut.extractor, rows))
    np.testing.assert_allclose(parts, apply_network(cut.whole, rows), rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(apply_network(cut.whole, rows), apply_network(network, rows))
    assert len(layers_with_weights(cut.head)) == trainable


@pytest.mark.parametrize("trainable", [1, 2, DEPTH])
def test_frozen_weights_stay_bit_equal_and_the_rest_moves(
    network: keras.Model, rows: np.ndarray, trainable: int
) -> None:
    cut = fitted(freeze_all_but_last(copy_network(network), trainable), rows)
    before, after = weights_by_layer(network), weights_by_layer(cut.whole)
    for number in range(DEPTH):
        moved = [
            not np.array_equal(old, new)
            for old, new in zip(before[number], after[number], strict=True)
        ]
        assert moved == [number >= DEPTH - trainable] * 2


def test_fitting_the_head_changes_the_whole_network(network: keras.Model, rows: np.ndarray) -> None:
    cut = fitted(freeze_all_but_last(copy_network(network), 2), rows)
    assert not np.array_equal(apply_network(cut.whole, rows), apply_network(network, rows))
    parts = apply_network(cut.head, apply_network(cut.extractor, rows))
    np.testing.assert_allclose(parts, apply_network(cut.whole, rows), rtol=1e-6, atol=1e-7)


def test_fitting_the_whole_of_a_cut_network_leaves_the_frozen_part_alone(
    network: keras.Model, rows: np.ndarray
) -> None:
    cut = freeze_all_but_last(copy_network(network), 1)
    fit_network(cut.whole, rows, (rows[:, 0] > 0).astype(np.int8), RECIPE, seed=1)
    np.testing.assert_equal(weights_by_layer(cut.whole)[:-1], weights_by_layer(network)[:-1])
    assert not np.array_equal(weights_by_layer(cut.whole)[-1][0], weights_by_layer(network)[-1][0])


def test_a_copy_shares_no_weight_with_its_original(network: keras.Model, rows: np.ndarray) -> None:
    before = weights_by_layer(network)
    twin = copy_network(network)
    np.testing.assert_array_equal(apply_network(twin, rows), apply_network(network, rows))
    twin.set_weights([weight + 1 for weight in twin.get_weights()])
    np.testing.assert_equal(weights_by_layer(network), before)


def test_a_network_can_be_cut_again_at_another_place(
    network: keras.Model, rows: np.ndarray
) -> None:
    twin = copy_network(network)
    freeze_all_but_last(twin, 3)
    cut = freeze_all_but_last(twin, 1)
    assert [layer.trainable for layer in layers_with_weights(twin)] == [False] * (DEPTH - 1) + [
        True
    ]
    np.testing.assert_allclose(
        apply_network(cut.head, apply_network(cut.extractor, rows)),
        apply_network(network, rows),
        rtol=1e-6,
        atol=1e-7,
    )


@pytest.mark.parametrize("trainable", [-1, 0, DEPTH + 1, 99])
def test_a_number_of_layers_out_of_range_is_refused_with_the_range(
    network: keras.Model, trainable: int
) -> None:
    with pytest.raises(
        StrategyError, match=f"{DEPTH} layers with weights.*trainable_layers={trainable}"
    ):
        freeze_all_but_last(copy_network(network), trainable)
