"""Trees of wide plants see some sensors each."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest

from faultxfer.strategies.learners.boosting import POOLED, boost, grow_forest

ROWS = 300


def plant(sensors: int, shows: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of which one sensor shows the fault."""
    random = np.random.default_rng(sensors)
    X = random.normal(size=(ROWS, sensors))
    y = (X[:, shows] > 0.7).astype(np.int8)
    return X, y


def settings(text: str) -> dict[str, str]:
    """What LightGBM says it was fitted with."""
    listed = [line.strip("[]") for line in text.splitlines() if line.startswith("[")]
    return dict(line.split(": ", 1) for line in listed)


# With the domain flag beside its sensors, the widest plant that is not wide has 129 columns.
@pytest.mark.parametrize("columns", [4, 24, 129])
def test_boosting_of_a_plant_that_is_not_wide_sees_every_sensor(columns: int) -> None:
    X, y = plant(columns)
    given = settings(boost(X, y, 0, rounds=2))
    assert (given["feature_fraction"], given["max_bin"]) == ("1", "255")
    given = settings(boost(X, y, 0, **{**POOLED, "rounds": 2}))
    assert (given["feature_fraction"], given["max_bin"]) == ("1", "63")
    assert settings(grow_forest(X, y, 0, rounds=2))["max_bin"] == "255"


@pytest.mark.parametrize("columns", [130, 640, 2001])
def test_each_tree_of_a_wide_plant_sees_128_sensors(columns: int) -> None:
    X, y = plant(columns)
    for text in (boost(X, y, 0, rounds=2), grow_forest(X, y, 0, rounds=2)):
        given = settings(text)
        assert float(given["feature_fraction"]) * columns == pytest.approx(128, rel=1e-4)
        assert given["max_bin"] == "63"


@pytest.mark.parametrize("columns", [4, 24, 129, 640])
def test_a_forest_tries_as_many_sensors_a_node_as_if_its_trees_saw_them_all(columns: int) -> None:
    X, y = plant(columns)
    given = settings(grow_forest(X, y, 0, rounds=2))
    tried = float(given["feature_fraction"]) * float(given["feature_fraction_bynode"]) * columns
    assert tried == pytest.approx(1.5 * np.sqrt(columns), rel=1e-3)


@pytest.mark.parametrize("shows", [0, 333, 639])
def test_the_one_sensor_that_shows_the_fault_is_found_among_640(shows: int) -> None:
    X, y = plant(640, shows)
    for text in (boost(X, y, 0, rounds=60), grow_forest(X, y, 0, rounds=40)):
        gains = lightgbm.Booster(model_str=text).feature_importance(importance_type="gain")
        assert gains.argmax() == shows
