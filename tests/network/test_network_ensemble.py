"""The source network encodes sensors as promised, is stored with plain layers.

And learns what its teacher knows.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from faultxfer.config import NetworkOptions
from faultxfer.network.arrays import ENCODED, as_arrays
from faultxfer.network.build import SOFT_CLIP
from faultxfer.network.ensemble import build_ensemble, trunk_of
from faultxfer.network.features import NetworkFeatures
from faultxfer.network.fit import apply_network, logits_of, make_deterministic
from faultxfer.network.input_adapter import InputAdapter
from faultxfer.network.pretrain import far_rows, fit_ensemble, near_rows, synthetic_rows
from faultxfer.network.store import check_network_file, load_network, save_network

SHAPE = NetworkOptions(hidden=(6, 4), dropout=0.1, members=2, bins=4)


@pytest.fixture(scope="module")
def scaled() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.column_stack(
        [rng.normal(size=400), rng.exponential(size=400), rng.integers(0, 2, 400), np.zeros(400)]
    )


@pytest.fixture(scope="module")
def network(scaled: np.ndarray) -> keras.Model:
    make_deterministic(0)
    return build_ensemble(scaled, SHAPE)


def test_bins_count_how_far_a_sensor_lies_in_each_quantile_bin(
    network: keras.Model, scaled: np.ndarray
) -> None:
    encoded = apply_network(keras.Model(network.input, network.get_layer(ENCODED).output), scaled)
    shares = encoded[:, 4:].reshape(400, 4, 4)
    assert shares.min() >= 0
    assert shares.max() <= 1
    # The whole part of the sum over the four bins is the number of quartiles that lie below the
    # value.
    below = (scaled[:, [0]] > np.quantile(scaled[:, 0], [0.25, 0.5, 0.75])).sum(axis=1)
    counted = np.minimum(np.floor(shares[:, 0].sum(axis=1)), 3)
    assert (
        counted == below
    ).mean() > 0.98  # a value next to an edge may fall on either side of it in float32


def test_a_constant_sensor_is_silent_in_the_bins(network: keras.Model, scaled: np.ndarray) -> None:
    far = scaled.copy()
    far[:, 3] = 1e6
    encoder = keras.Model(network.input, network.get_layer("bin_shares").output)
    np.testing.assert_array_equal(apply_network(encoder, far), apply_network(encoder, scaled))


def test_no_sensor_comes_in_beyond_the_soft_clip(network: keras.Model) -> None:
    encoder = keras.Model(network.input, network.get_layer(ENCODED).output)
    assert np.abs(apply_network(encoder, np.full((1, 4), 1e9))).max() <= SOFT_CLIP


def test_the_network_says_the_mean_of_its_members(network: keras.Model, scaled: np.ndarray) -> None:
    features, logits = NetworkFeatures(as_arrays(network), np.zeros(4), np.ones(4))(scaled)
    np.testing.assert_allclose(logits.mean(axis=1), logits_of(network, scaled), atol=1e-5)
    assert features.shape == (400, 2 * 4 + 4)


def test_the_averaged_head_gives_the_networks_logit_from_the_features(
    network: keras.Model, scaled: np.ndarray
) -> None:
    frozen = NetworkFeatures(as_arrays(network), np.zeros(4), np.ones(4))
    features, _ = frozen(scaled)
    np.testing.assert_allclose(
        features @ frozen.head[:-1] + frozen.head[-1], logits_of(network, scaled), atol=1e-5
    )


def test_a_head_that_is_set_is_the_networks_logit(network: keras.Model, scaled: np.ndarray) -> None:
    frozen = NetworkFeatures(as_arrays(network), np.zeros(4), np.ones(4))
    features, _ = frozen(scaled)
    coef = np.random.default_rng(0).normal(size=features.shape[1])
    headed = frozen.with_head(np.append(coef, 0.5))
    np.testing.assert_allclose(headed.logits(scaled), features @ coef + 0.5, atol=1e-4)
    np.testing.assert_allclose(
        NetworkFeatures(headed, np.zeros(4), np.ones(4)).head, [*coef, 0.5], rtol=1e-6
    )


def test_encoder_and_trunk_make_the_whole_network(network: keras.Model, scaled: np.ndarray) -> None:
    encoder, trunk = trunk_of(network)
    np.testing.assert_allclose(
        logits_of(trunk, apply_network(encoder, scaled)), logits_of(network, scaled), atol=1e-5
    )


def test_a_stored_source_network_passes_the_loaders_list_and_says_the_same(
    network: keras.Model, scaled: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "network.keras"
    save_network(as_arrays(network), path)
    check_network_file(path)
    np.testing.assert_allclose(
        load_network(path).logits(scaled), logits_of(network, scaled), atol=1e-5
    )


def test_the_network_learns_from_its_teacher_what_few_rows_do_not_show(scaled: np.ndarray) -> None:
    def teacher(rows: np.ndarray) -> np.ndarray:
        return np.where((rows[:, 0] > 0) == (rows[:, 1] > 1), 0.95, 0.05)

    few, other = scaled[:60], scaled[200:]
    truth = (teacher(other) > 0.5).astype(np.int8)
    shape = {"hidden": (32, 16), "dropout": 0.0, "members": 2, "bins": 8}
    recipe = {"learning_rate": 5e-3, "weight_decay": 0.01, "batch_size": 128, "epochs": 15}
    alone_options, taught_options = (
        NetworkOptions(**shape, **recipe, synthetic_rows=rows) for rows in (0, 4000)
    )
    labels = (teacher(few) > 0.5).astype(np.int8)
    alone, _ = fit_ensemble(few, labels, None, (other, truth), seed=0, options=alone_options)
    taught, _ = fit_ensemble(few, labels, teacher, (other, truth), seed=0, options=taught_options)
    hits = [((fitted.logits(other) > 0) == truth).mean() for fitted in (alone, taught)]
    assert hits[1] > hits[0]


def test_near_rows_stay_between_neighbours(scaled: np.ndarray) -> None:
    made = near_rows(scaled, 1000, seed=0)
    assert made.shape == (1000, 4)
    assert (made[:, 3] == 0).all()
    assert np.quantile(made[:, 0], 0.99) < scaled[:, 0].max()
    np.testing.assert_array_equal(made, near_rows(scaled, 1000, seed=0))


def test_far_rows_take_each_sensor_from_some_row_and_mix_what_belongs_together(
    scaled: np.ndarray,
) -> None:
    made = far_rows(scaled, 1000, seed=0)
    assert all(np.isin(made[:, sensor], scaled[:, sensor]).all() for sensor in range(4))
    assert not (made[:, None, :3] == scaled[None, :, :3]).all(axis=2).any(axis=1).all()


def test_half_of_the_synthetic_rows_are_near_and_half_far(scaled: np.ndarray) -> None:
    made = synthetic_rows(scaled, 101, seed=0)
    np.testing.assert_array_equal(made[:50], near_rows(scaled, 50, seed=0))
    np.testing.assert_array_equal(made[50:], far_rows(scaled, 51, seed=0))


def test_an_adapter_finds_an_offset_that_the_target_carries(scaled: np.ndarray) -> None:
    inputs = keras.Input((4,))
    dense = keras.layers.Dense(1)
    network = keras.Model(inputs, dense(inputs))
    dense.set_weights([np.array([[6.0], [0], [0], [0]]), np.zeros(1)])
    y = (scaled[:, 0] > 0).astype(np.int8)
    gain, offset = InputAdapter(network).fit(scaled + np.eye(4)[0], y)
    assert offset[0] == pytest.approx(-1, abs=0.5)
    np.testing.assert_allclose(offset[1:], 0, atol=1e-3)
    np.testing.assert_allclose(gain[1:], 1, atol=1e-3)
