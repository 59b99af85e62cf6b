"""What a bundle keeps of its sensors: it comes back as it was, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faultxfer.bundle.sensors import SENSORS, keep_sensors, load_sensors, save_sensors


def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3)) + np.array([0, 10, 100])
    y = (np.arange(400) % 10 == 0).astype(int)
    X[y == 1] += 1000
    return X, y, np.repeat(["a", "b"], 200)


def test_normal_rows_alone_are_kept_and_come_back(tmp_path: Path) -> None:
    X, y, machine = rows()
    kept = keep_sensors(("p", "q", "r"), X, y, machine)
    assert kept is not None
    assert kept.quantiles.max() < 200
    save_sensors(kept, tmp_path)
    loaded = load_sensors(tmp_path, ("p", "q", "r"))
    assert (loaded.names, loaded.rows, loaded.parts) == (kept.names, kept.rows, 2)
    np.testing.assert_allclose(loaded.quantiles, kept.quantiles)
    np.testing.assert_allclose(loaded.correlations, kept.correlations, atol=6e-4)
    np.testing.assert_allclose(loaded.noise, kept.noise, atol=2e-3)
    assert keep_sensors(("p", "q", "r"), X, np.ones(400), machine) is None


@pytest.mark.parametrize("spoilt", ["quantiles", "correlations", "part_correlations"])
def test_other_shapes_are_refused(tmp_path: Path, spoilt: str) -> None:
    X, y, machine = rows()
    kept = keep_sensors(("p", "q", "r"), X, y, machine)
    assert kept is not None
    save_sensors(kept, tmp_path)
    with pytest.raises(ValueError, match="damaged"):
        load_sensors(tmp_path, ("p", "q"))
    with np.load(tmp_path / SENSORS) as stored:
        arrays = dict(stored)
    arrays[spoilt] = arrays[spoilt][..., :-1]
    np.savez(tmp_path / SENSORS, **arrays)
    with pytest.raises(ValueError, match="damaged"):
        load_sensors(tmp_path, ("p", "q", "r"))


def test_correlations_beyond_one_are_refused(tmp_path: Path) -> None:
    X, y, machine = rows()
    kept = keep_sensors(("p", "q", "r"), X, y, machine)
    assert kept is not None
    save_sensors(kept, tmp_path)
    with np.load(tmp_path / SENSORS) as stored:
        arrays = dict(stored)
    arrays["correlations"] = arrays["correlations"] * 2
    np.savez(tmp_path / SENSORS, **arrays)
    with pytest.raises(ValueError, match="outside of -1 to 1"):
        load_sensors(tmp_path, ("p", "q", "r"))
