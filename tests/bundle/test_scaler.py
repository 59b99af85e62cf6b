"""The scaling stage is StandardScaler's, also for constant sensors.

And survives storing exactly.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from faultxfer.bundle.scaler import Scaler, fit_scaler

ROWS = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=8),
    elements=st.floats(-1e6, 1e6),
)


@given(ROWS)
def test_training_rows_get_mean_zero_and_deviation_one_unless_constant(X: np.ndarray) -> None:
    scaler = fit_scaler(X)
    scaled = scaler(X)
    assert np.isfinite(scaled).all()
    assert (scaler.scale > 0).all()
    # A spread lost in the rounding of its own mean counts as constant.
    varied = X.std(axis=0) > 1e-6 * (1 + np.abs(X).max(axis=0))
    np.testing.assert_allclose(scaled[:, varied].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(scaled[:, varied].std(axis=0), 1, rtol=1e-6)


def test_a_constant_sensor_keeps_its_unit_so_that_a_later_change_shows() -> None:
    scaler = fit_scaler(np.array([[5.0, 1.0], [5.0, 3.0]]))
    np.testing.assert_allclose(scaler.scale, [1.0, 1.0])
    np.testing.assert_allclose(scaler(np.array([[5.0, 2.0], [7.0, 4.0]])), [[0.0, 0.0], [2.0, 2.0]])


def test_scaling_uses_the_training_rows_and_not_the_rows_scaled() -> None:
    scaler = fit_scaler(np.array([[0.0], [2.0]]))
    np.testing.assert_allclose(scaler(np.array([[101.0]])), [[100.0]])


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_scaling_keeps_the_shape(rows: int) -> None:
    assert Scaler(np.zeros(2), np.ones(2))(np.zeros((rows, 2))).shape == (rows, 2)
