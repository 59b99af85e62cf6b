"""A wide plant gets a network that fits, an ordinary one the network it always had."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from faultxfer.config import NetworkOptions
from faultxfer.errors import ConfigError
from faultxfer.network import size
from faultxfer.network.arrays import ENCODED, as_arrays
from faultxfer.network.ensemble import build_ensemble, trunk_of
from faultxfer.network.features import NetworkFeatures
from faultxfer.network.fit import apply_network, logits_of, make_deterministic
from faultxfer.network.pretrain import fit_ensemble
from faultxfer.network.size import chosen_sensors, file_bytes, fitted_to, require_room
from faultxfer.network.store import check_network_file, save_network

SHAPE = NetworkOptions(hidden=(6, 4), members=2, bins=4, synthetic_rows=100)
READ = np.array([1, 4, 5])


@pytest.fixture(scope="module")
def scaled() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(200, 7))


@pytest.fixture(scope="module")
def narrow(scaled: np.ndarray) -> keras.Model:
    make_deterministic(0)
    return build_ensemble(scaled, SHAPE, READ)


def test_a_network_hears_the_sensors_that_it_reads_and_no_other(
    narrow: keras.Model, scaled: np.ndarray
) -> None:
    others = np.setdiff1d(np.arange(7), READ)
    moved, deaf = scaled.copy(), scaled.copy()
    moved[:, READ] += 1.0
    deaf[:, others] = 1e3
    np.testing.assert_array_equal(logits_of(narrow, deaf), logits_of(narrow, scaled))
    assert not np.allclose(logits_of(narrow, moved), logits_of(narrow, scaled))
    np.testing.assert_array_equal(as_arrays(narrow).positions_read, READ)


def test_what_it_reads_is_encoded_as_if_it_were_all_there_is(
    narrow: keras.Model, scaled: np.ndarray
) -> None:
    alone = build_ensemble(scaled[:, READ], SHAPE)
    codes = [
        apply_network(keras.Model(network.input, network.get_layer(ENCODED).output), rows)
        for network, rows in ((narrow, scaled), (alone, scaled[:, READ]))
    ]
    np.testing.assert_allclose(codes[0], codes[1], atol=1e-6)


def test_trunk_and_heads_work_on_the_sensors_read(narrow: keras.Model, scaled: np.ndarray) -> None:
    encoder, trunk = trunk_of(narrow)
    frozen = NetworkFeatures(as_arrays(narrow), np.zeros(7), np.ones(7))
    features, _ = frozen(scaled)
    logits = logits_of(narrow, scaled)
    assert features.shape == (200, 2 * 4 + len(READ))
    encoded = apply_network(encoder, scaled)
    np.testing.assert_allclose(logits_of(trunk, encoded), logits, atol=1e-5)
    np.testing.assert_allclose(features @ frozen.head[:-1] + frozen.head[-1], logits, atol=1e-5)


@pytest.mark.parametrize("sensors", [1, 5, 64])
def test_an_ordinary_plant_keeps_its_options_and_all_its_sensors(sensors: int) -> None:
    options = NetworkOptions()
    assert fitted_to(options, sensors) is options
    assert chosen_sensors(np.zeros(sensors)) is None


def test_a_network_reads_no_more_in_all_from_more_than_64_sensors() -> None:
    options, widths = NetworkOptions(), range(size.WIDE_READ, size.MOST_SENSORS)
    bins = [fitted_to(options, sensors).bins for sensors in widths]
    read = [size.sensors_read(sensors) * (1 + b) for sensors, b in zip(widths, bins, strict=True)]
    assert max(read) == read[0]
    assert (np.diff(bins) <= 0).all()


def test_a_wide_plant_is_read_where_the_trees_gain_most() -> None:
    gains = np.random.default_rng(0).permutation(640).astype(float)
    read = chosen_sensors(gains)
    assert read is not None
    assert set(gains[read]) == set(range(640 - size.WIDE_READ, 640))
    assert (np.diff(read) > 0).all()
    fitted = fitted_to(NetworkOptions(), 640)
    assert (fitted.bins, fitted.synthetic_rows) == (size.WIDE_BINS, 15_625)


def test_smaller_wishes_are_kept_on_a_wide_plant() -> None:
    asked = NetworkOptions(bins=2, synthetic_rows=50)
    assert fitted_to(asked, 640) == asked


@pytest.mark.parametrize(
    "options",
    [SHAPE, NetworkOptions(hidden=(30,), members=1, bins=0), NetworkOptions(members=6, bins=2)],
)
@pytest.mark.parametrize("sensors", [3, 7])
def test_the_bound_is_a_little_above_the_file(
    tmp_path: Path, options: NetworkOptions, sensors: int
) -> None:
    rows = np.random.default_rng(0).normal(size=(50, sensors))
    path = tmp_path / "network.keras"
    save_network(as_arrays(build_ensemble(rows, options)), path)
    check_network_file(path)
    room = file_bytes(sensors, options)
    assert path.stat().st_size <= room <= path.stat().st_size + 6000 * (12 + 8 * options.members)


@pytest.mark.parametrize("sensors", [129, 450, 640, 2000, size.MOST_SENSORS])
def test_every_width_up_to_the_bound_has_a_network_that_loads(sensors: int) -> None:
    require_room(sensors, NetworkOptions(), "plant.yaml")


@pytest.mark.parametrize(
    ("sensors", "options", "remedy"),
    [
        (size.MOST_SENSORS + 1, NetworkOptions(), "ignore"),
        (60, NetworkOptions(bins=2000), "bins"),
        (20, NetworkOptions(hidden=(4096, 4096)), "hidden"),
    ],
)
def test_what_would_not_load_again_is_refused_before_work(
    sensors: int, options: NetworkOptions, remedy: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        require_room(sensors, options, "plant.yaml")
    assert raised.value.received["sensors"] == sensors
    assert remedy in str(raised.value)
    assert "plant.yaml" in str(raised.value)


def test_a_wide_plant_is_learnt_from_few_of_its_sensors() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(300, size.MOST_READ + 10))
    y = (rows[:, 130] > 0).astype(np.int8)
    gains = np.zeros(rows.shape[1])
    gains[130] = 1.0
    options = NetworkOptions(hidden=(8,), members=1, bins=32, epochs=15, batch_size=32)
    network, _ = fit_ensemble(
        rows[:200],
        y[:200],
        None,
        (rows[200:], y[200:]),
        seed=0,
        options=options,
        read=chosen_sensors(gains),
    )
    assert len(network.positions_read) == size.WIDE_READ
    encoded = network.width(ENCODED)
    assert encoded == size.WIDE_READ * (1 + size.WIDE_BINS)
    right = (network.logits(rows[200:]) > 0) == y[200:]
    assert right.mean() > 0.65  # guessing gives half
