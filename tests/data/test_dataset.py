"""Arrays survive storage, and a row is recognised by its sensor values alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from faultxfer.data.dataset import Dataset, dataset_from, load_dataset, save_dataset
from faultxfer.reading import columns


def dataset(X: np.ndarray) -> Dataset:
    rows = len(X)
    return Dataset(
        features=tuple(f"s{number}" for number in range(X.shape[1])),
        X=X,
        y=(np.arange(rows) % 2).astype(np.int8),
        equipment=np.array([f"Pumpe {number % 3} ü" for number in range(rows)], dtype=object),
        run=np.array([f"r{number // 2}" for number in range(rows)], dtype=object),
        time=np.where(np.arange(rows) % 4 == 3, np.nan, np.arange(rows, dtype=float)),
    )


@pytest.fixture
def small() -> Dataset:
    return dataset(np.random.default_rng(0).normal(size=(8, 3)))


@pytest.mark.parametrize("rows", [8, 1, 0])
def test_what_is_saved_is_loaded(tmp_path: Path, rows: int) -> None:
    data = dataset(np.random.default_rng(0).normal(size=(rows, 3)))
    save_dataset(data, tmp_path / "data.npz")
    loaded = load_dataset(tmp_path / "data.npz")
    assert loaded.features == data.features
    for name in ("X", "y", "equipment", "run", "time"):
        before, after = getattr(data, name), getattr(loaded, name)
        np.testing.assert_array_equal(after, before)
        assert after.dtype == before.dtype


def test_nothing_in_a_stored_data_set_is_pickled(tmp_path: Path, small: Dataset) -> None:
    save_dataset(small, tmp_path / "data.npz")
    with np.load(tmp_path / "data.npz", allow_pickle=False) as stored:
        assert {stored[name].dtype.kind for name in stored} <= {"U", "f", "i"}


def test_take_keeps_the_rows_together(small: Dataset) -> None:
    rows = np.array([5, 1])
    taken = small.take(rows)
    assert len(taken) == 2
    np.testing.assert_array_equal(taken.X, small.X[rows])
    assert list(taken.run) == ["r2", "r0"]
    assert taken.faults == 2
    np.testing.assert_array_equal(small.take(small.y == 1).X, small.X[1::2])


@given(
    arrays.arrays(
        np.float64,
        (6, 2),
        elements=st.floats(allow_nan=False, allow_infinity=False, min_value=-9, max_value=9),
    )
)
def test_fingerprints_depend_on_the_sensor_values_and_on_nothing_else(X: np.ndarray) -> None:
    data = dataset(X + 0.0)
    relabelled = replace(
        data,
        features=("a", "b"),
        y=1 - data.y,
        equipment=data.equipment[::-1],
        run=data.run[::-1],
        time=np.full(6, np.nan),
    )
    prints = data.fingerprints()
    np.testing.assert_array_equal(relabelled.fingerprints(), prints)
    np.testing.assert_array_equal(data.take(np.arange(6)[::-1]).fingerprints(), prints[::-1])
    same_rows = (data.X[:, None] == data.X[None]).all(axis=2)
    np.testing.assert_array_equal(prints[:, None] == prints[None], same_rows)


def test_a_changed_digit_changes_the_fingerprint(small: Dataset) -> None:
    moved = small.X.copy()
    moved[3, 1] = np.nextafter(moved[3, 1], np.inf)
    changed = replace(small, X=moved).fingerprints() != small.fingerprints()
    assert list(np.flatnonzero(changed)) == [3]


def test_fingerprints_do_not_depend_on_the_layout_in_memory(small: Dataset) -> None:
    fortran = replace(small, X=np.asfortranarray(small.X))
    big_endian = replace(small, X=small.X.astype(">f8"))
    np.testing.assert_array_equal(fortran.fingerprints(), small.fingerprints())
    np.testing.assert_array_equal(big_endian.fingerprints(), small.fingerprints())


def test_no_rows_have_no_fingerprints() -> None:
    assert len(dataset(np.empty((0, 3))).fingerprints()) == 0


def test_accepted_rows_become_arrays_and_equal_run_names_of_two_machines_stay_apart() -> None:
    accepted = pd.DataFrame(
        {
            "b": [1.0, 2.0],
            "a": [3.0, 4.0],
            columns.FAULT: np.array([0, 1], dtype=np.int8),
            columns.EQUIPMENT: ["p1", "p2"],
            columns.RUN: ["1", "1"],
            columns.TIME: [0.0, np.nan],
        }
    )
    data = dataset_from(accepted, ("a", "b"))
    np.testing.assert_array_equal(data.X, [[3, 1], [4, 2]])
    assert data.features == ("a", "b")
    assert list(data.run) == ["p1/1", "p2/1"]
    assert list(data.equipment) == ["p1", "p2"]
    assert data.faults == 1
