"""Healthy rows that a bundle keeps: which, how many, and which of them an alarm is compared with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faultxfer.bundle.references import (
    KEPT,
    NEAREST,
    REFERENCES,
    References,
    keep_references,
    load_references,
    save_references,
)


def of(X: np.ndarray, modes: list[str] | None = None) -> References:
    names = np.full(len(X), "") if modes is None else np.array(modes)
    return References(X.astype(float), names)


def test_only_healthy_rows_are_kept_and_of_each_mode_as_many() -> None:
    X = np.arange(4000.0).reshape(2000, 2)
    y = (np.arange(2000) % 10 == 0).astype(int)
    modes = np.array(["full"] * 1900 + ["idle"] * 70 + ["start"] * 30)
    kept = keep_references(X, y, modes)
    assert kept is not None
    assert len(kept.X) == KEPT
    assert not np.isin(kept.X[:, 0], X[y == 1, 0]).any()
    counts = {mode: int((kept.modes == mode).sum()) for mode in ("full", "idle", "start")}
    assert counts == {"full": 210, "idle": 63, "start": 27}  # all there are of the rare ones
    assert kept.X[0, 0] == X[1, 0]  # spread over all rows, the first and the last among them
    assert keep_references(X, np.ones(2000), None) is None


def test_few_rows_are_all_kept() -> None:
    X = np.arange(24.0).reshape(12, 2)
    kept = keep_references(X, np.zeros(12), None)
    assert kept is not None
    np.testing.assert_array_equal(kept.X, X)
    assert kept.nearest(X[:2], np.full(2, "")).shape == (2, 12)


@pytest.mark.parametrize(("gain", "name"), [(1.0, "eco"), (1e-3, "7"), (4e4, "Volllast")])
def test_an_alarm_is_compared_with_rows_of_its_mode(gain: float, name: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    X[45:] += 30  # the second mode
    kept = of(X * gain, [name] * 45 + ["other"] * 45)
    row = X[60:61] * gain  # reads like the other mode
    nearest = kept.nearest(row, np.array([name]))
    assert nearest.shape == (1, NEAREST)
    assert (nearest < 45).all()
    low, high = kept.usual(name)
    assert (low < high).all()
    assert (high < 10 * gain).all()


def test_a_mode_of_which_hardly_a_row_is_kept_is_compared_with_all() -> None:
    kept = of(np.random.default_rng(0).normal(size=(40, 2)), ["a"] * 37 + ["b"] * 3)
    assert kept.knows("a")
    assert not kept.knows("b")
    assert not kept.knows("never seen")
    np.testing.assert_array_equal(kept.usual("b"), kept.usual("never seen"))
    nearest = kept.nearest(kept.X[:1], np.array(["b"]))
    assert 0 in nearest


def test_a_sensor_far_off_does_not_choose_the_rows_it_is_compared_with() -> None:
    rng = np.random.default_rng(1)
    duty = rng.uniform(0, 100, 200)
    kept = of(np.column_stack([duty, duty + rng.normal(size=200), rng.normal(size=200)]))
    row = np.array([[50.0, 50.0, 1e6]])
    near = kept.X[kept.nearest(row, np.array([""]))[0]]
    assert np.abs(near[:, 0] - 50).max() < 25


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_sensors_that_tell_the_same_are_one_group(sign: float) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 100))
    X = np.column_stack([a, b, sign * 40 * a + 0.1 * rng.normal(size=100), np.full(100, 7.0)])
    groups = of(X).groups
    assert groups[0] == groups[2]
    assert len(set(groups.tolist())) == 3


def test_sensors_that_only_follow_the_mode_are_no_group() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(100, 2))
    X[50:] += 100
    assert len(set(of(X, ["a"] * 50 + ["b"] * 50).groups.tolist())) == 2
    assert len(set(of(X).groups.tolist())) == 1


def test_too_few_rows_show_no_group() -> None:
    a = np.arange(6.0)
    assert of(np.column_stack([a, a])).groups.tolist() == [0, 1]


def test_rows_come_back_as_they_were_stored(tmp_path: Path) -> None:
    kept = of(np.random.default_rng(4).normal(size=(30, 3)), ["läuft"] * 30)
    save_references(kept, tmp_path)
    loaded = load_references(tmp_path, 3)
    np.testing.assert_array_equal(loaded.X, kept.X)
    assert loaded.modes.tolist() == kept.modes.tolist()
    with pytest.raises(ValueError, match="damaged"):
        load_references(tmp_path, 4)


@pytest.mark.parametrize("X", [np.full((5, 2), np.nan), np.zeros((0, 2)), np.zeros(5)])
def test_damaged_rows_are_refused(X: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / REFERENCES, X=X, modes=np.full(len(X), ""), allow_pickle=False)
    with pytest.raises(ValueError, match="damaged"):
        load_references(tmp_path, 2)
