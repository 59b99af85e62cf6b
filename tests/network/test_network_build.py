"""The fault network has the promised shape.

Computes what its docstring says and bounds far-out sensors.
"""

from __future__ import annotations

import json
import zipfile
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultxfer.network.arrays import as_arrays
from faultxfer.network.build import SOFT_CLIP, build_network
from faultxfer.network.fit import apply_network, logits_of
from faultxfer.network.store import check_network_file, save_network


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_network(3, (8, 4), dropout=0.2)


@pytest.mark.parametrize(("sensors", "hidden"), [(1, (1,)), (3, (5,)), (11, (16, 8, 4))])
def test_shapes_and_weight_count_follow_sensors_and_hidden_units(
    sensors: int, hidden: tuple[int, ...]
) -> None:
    network = build_network(sensors, hidden, dropout=0.1)
    widths = (sensors, *hidden, 1)
    assert network.input_shape == (None, sensors)
    assert network.output_shape == (None, 1)
    assert network.count_params() == sum((a + 1) * b for a, b in pairwise(widths))
    assert apply_network(network, np.zeros((7, sensors))).shape == (7, 1)


def test_forward_pass_matches_a_case_computed_by_hand() -> None:
    network = build_network(2, (1,), dropout=0.5)
    network.set_weights(
        [np.array([[1.0], [-2.0]]), np.array([0.5]), np.array([[3.0]]), np.array([-1.0])]
    )
    # clip: 4 tanh(0.8/4) = 0.789501 and 4 tanh(-4/4) = -3.046377; sum: 0.789501 + 2 * 3.046377 +
    # 0.5 = 7.382255; silu: 7.382255 / (1 + exp(-7.382255)) = 7.377664; logit: 3 * 7.377664 - 1.
    np.testing.assert_allclose(logits_of(network, np.array([[0.8, -4.0]])), [21.132993], rtol=1e-6)


def test_no_layer_keeps_statistics_of_the_source_machine(network: keras.Model) -> None:
    assert not [
        layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert not network.non_trainable_weights


def test_every_class_in_the_stored_network_is_on_the_loaders_list(
    network: keras.Model, tmp_path: Path
) -> None:
    save_network(as_arrays(network), tmp_path / "network.keras")
    check_network_file(tmp_path / "network.keras")
    with zipfile.ZipFile(tmp_path / "network.keras") as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
    assert {layer["class_name"] for layer in layers} == {
        "InputLayer",
        "Rescaling",
        "Activation",
        "Dense",
        "Dropout",
    }


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e30, 1e30), min_size=3, max_size=3))
def test_no_sensor_reaches_the_first_layer_beyond_the_soft_clip(
    network: keras.Model, row: list[float]
) -> None:
    clip = keras.Model(network.input, network.get_layer("clip_out").output)
    clipped = apply_network(clip, np.array([row]))[0]
    assert (np.abs(clipped) <= SOFT_CLIP).all()
    assert (np.sign(clipped) * np.sign(row) >= 0).all()
    assert (np.abs(clipped) <= np.abs(row) * (1 + 1e-5) + 1e-30).all()


def test_one_stuck_sensor_says_no_more_than_far_out(network: keras.Model) -> None:
    far = np.array([[0.1, 40.0, -0.3]])
    farther = far * [1, 1e6, 1]
    np.testing.assert_allclose(logits_of(network, far), logits_of(network, farther), rtol=1e-6)


def test_usual_readings_pass_the_soft_clip_almost_unchanged(network: keras.Model) -> None:
    clip = keras.Model(network.input, network.get_layer("clip_out").output)
    usual = np.linspace(-1, 1, 9)[:, None].repeat(3, axis=1)
    np.testing.assert_allclose(apply_network(clip, usual), usual, atol=0.021)
