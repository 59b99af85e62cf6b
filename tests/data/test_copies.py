"""Copies of a recording are one run, whatever was done to them, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultxfer.config import SplitOptions
from faultxfer.data.copies import copied_runs, rows_of_source
from faultxfer.data.dataset import Dataset
from faultxfer.data.recordings import in_one_sentence, one_run_each
from faultxfer.data.split import split_rows


def machine(
    seed: int, runs: int = 12, length: int = 40, sensors: int = 6, *, timed: bool = True
) -> Dataset:
    """Runs with levels of their own, a slow drift, and noise from row to row."""
    rng = np.random.default_rng(seed)
    level = rng.normal(size=(runs, 1, sensors)) * 2
    drift = rng.normal(size=(runs, length, sensors)).cumsum(axis=1) * 0.2
    X = level + drift + rng.normal(size=(runs, length, sensors)) * 0.3
    run = np.repeat([f"m/r{number:02}" for number in range(runs)], length)
    time = np.tile(np.arange(length), runs) + 1000.0 * np.repeat(np.arange(runs), length)
    return dataset(X.reshape(-1, sensors), run, time if timed else np.full(len(run), np.nan), rng)


def dataset(X: np.ndarray, run: np.ndarray, time: np.ndarray, rng: np.random.Generator) -> Dataset:
    y = (rng.random(len(run)) < 0.3).astype(np.int8)
    names = tuple(f"s{number}" for number in range(X.shape[1]))
    machine_of = np.full(len(run), "m", dtype=object)
    return Dataset(names, X, y, machine_of, run.astype(object), time)


def twice(data: Dataset, X: np.ndarray, rows: np.ndarray, ahead: float = 5e5) -> Dataset:
    """The rows and, under other names and with another clock, the copies at these positions."""
    run = np.array([f"m/copy {name}" for name in data.run[rows]], dtype=object)
    return Dataset(
        data.features,
        np.vstack([data.X, X[rows]]),
        np.concatenate([data.y, data.y[rows]]),
        np.concatenate([data.equipment, data.equipment[rows]]),
        np.concatenate([data.run, run]),
        np.concatenate([data.time, data.time[rows] + ahead]),
    )


def groups_of(data: Dataset) -> list[tuple[str, ...]]:
    return [group.runs for group in copied_runs(data.X, data.run, data.time)]


def wanted(data: Dataset) -> list[tuple[str, ...]]:
    names = sorted({str(name) for name in data.run if "copy" not in str(name)})
    return [(f"m/copy {name}", name) for name in names]


def place(data: Dataset) -> np.ndarray:
    run = data.run.astype(str)
    return np.arange(len(run)) - np.searchsorted(run, run)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    jitter=st.sampled_from([0.0, 1e-5, 1e-4, 1e-3, 1e-2]),
    timed=st.booleans(),
)
def test_jittered_copies_are_found_and_nothing_in_the_original(
    seed: int, jitter: float, timed: bool
) -> None:
    data = machine(seed, timed=timed)
    assert groups_of(data) == []
    noise = np.random.default_rng(seed + 1).normal(size=data.X.shape)
    copied = twice(data, data.X + noise * data.X.std(axis=0) * jitter, np.arange(len(data)))
    assert sorted(groups_of(copied)) == wanted(data)


CHANGED: dict[str, Any] = {
    "rounded": (lambda X: np.round(X, 1), lambda place: place >= 0),
    "another gain": (lambda X: X * 1.0001, lambda place: place >= 0),
    "half of each run": (lambda X: X + 1e-6, lambda place: place >= 20),
    "every second row": (lambda X: X + 1e-6, lambda place: place % 2 == 0),
}


@pytest.mark.parametrize("changed", CHANGED)
def test_copies_of_other_shapes(changed: str) -> None:
    change, part = CHANGED[changed]
    data = machine(1)
    copied = twice(data, change(data.X), np.flatnonzero(part(place(data))))
    assert sorted(groups_of(copied)) == wanted(data)


@pytest.mark.parametrize("parts", [2, 3])
def test_runs_dealt_row_by_row(parts: int) -> None:
    data = machine(2, length=90)
    part = place(data) % parts
    run = np.array([f"{name} {number}" for name, number in zip(data.run, part, strict=True)])
    dealt = Dataset(data.features, data.X, data.y, data.equipment, run.astype(object), data.time)
    groups = copied_runs(dealt.X, dealt.run, dealt.time)
    assert len(groups) == 12
    assert {len({name[:5] for name in group.runs}) for group in groups} == {1}
    assert {len(group.runs) for group in groups} == {parts}


def test_rows_that_are_runs_of_their_own() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(300, 5))
    run = np.array([f"m/{number:03}" for number in range(300)])
    data = dataset(X, run, np.arange(300.0), rng)
    assert groups_of(data) == []
    copied = twice(data, X + rng.normal(size=X.shape) * 1e-3, np.arange(300))
    found = {tuple(sorted(runs)) for runs in groups_of(copied)}
    assert len(found & {tuple(sorted(runs)) for runs in wanted(data)}) >= 290


def test_coarse_readings_and_a_machine_that_idles_are_no_copies() -> None:
    rng = np.random.default_rng(4)
    data = machine(4)
    coarse = np.round(data.X)
    idle = place(data) < 30
    coarse[idle] = 0.0
    assert groups_of(dataset(coarse, data.run.astype(str), data.time, rng)) == []


def test_runs_of_one_profile_are_no_copies() -> None:
    rng = np.random.default_rng(5)
    profile = np.sin(np.linspace(0, 6, 30))[:, None] * np.arange(1, 7)
    X = np.vstack([profile + rng.normal(size=profile.shape) * 0.2 for _ in range(8)])
    run = np.repeat([f"m/{number}" for number in range(8)], 30)
    assert groups_of(dataset(X, run, np.tile(np.arange(30.0), 8), rng)) == []


@pytest.mark.parametrize("runs", [1, 2, 12])
def test_copies_stand_on_one_side_of_every_fold(runs: int) -> None:
    data = machine(6, runs=runs)
    copied = twice(data, data.X + 1e-6, np.arange(len(data)))
    together = one_run_each(copied, copied_runs(copied.X, copied.run, copied.time))
    split = split_rows(together, SplitOptions(), seed=0)
    sides = [(fold.train, fold.test) for fold in split.folds] or [
        (np.union1d(split.train, split.calibration), split.test)
    ]
    for train, test in sides:
        originals = set((train % len(data)).tolist()) & set((test % len(data)).tolist())
        assert not originals


def test_the_clocks_of_copies_agree_afterwards() -> None:
    data = machine(7, runs=3)
    copied = twice(data, data.X + 1e-6, np.arange(len(data)), ahead=777.0)
    groups = copied_runs(copied.X, copied.run, copied.time)
    together = one_run_each(copied, groups)
    first, second = together.time[: len(data)], together.time[len(data) :]
    assert np.allclose(first, second)
    assert len(set(together.run)) == 3
    assert "6 runs are near copies or parts of other runs and count as 3" in in_one_sentence(groups)


@pytest.mark.parametrize("copied", [False, True])
def test_runs_of_the_source_are_recognised(copied: bool) -> None:
    source, target = machine(8), machine(9)
    rows = twice(target, target.X + 1e-6, np.arange(len(target))) if copied else target
    groups = copied_runs(rows.X, rows.run, rows.time)
    assert not rows_of_source(rows, source.X, groups).any()
    # A third of the rows of three runs were kept.
    kept = np.vstack([source.X, target.X[:120:3] + 1e-5])
    known = rows_of_source(rows, kept, groups)
    expected = np.isin([str(name)[-3:] for name in rows.run], ["r00", "r01", "r02"])
    assert (known == expected).all()


# As a step


def checked(data: Dataset, folder: Path) -> tuple[Any, Any]:
    import pandas as pd

    from faultxfer.contract.schema import Contract, Label, Sensor
    from faultxfer.reading import columns
    from faultxfer.steps.intake import CheckedRows

    contract = Contract(
        family="f", label=Label(column="fault"), sensors={name: Sensor() for name in data.features}
    )
    frame = pd.DataFrame(data.X, columns=list(data.features))
    frame[columns.EQUIPMENT], frame[columns.TIME] = data.equipment, data.time
    frame[columns.RUN] = [str(name).removeprefix("m/") for name in data.run]
    frame[columns.FAULT] = data.y
    table = folder / "accepted.arrow"
    frame.to_feather(table)
    rows = CheckedRows(table, (("f.csv", "0"),), (), len(data), len(data), 0, 0, None)
    return SimpleNamespace(contract=contract, work=folder, quarantine=folder / "aside"), rows


def test_the_step_says_what_it_found_and_names_runs_by_their_recording(tmp_path: Path) -> None:
    from faultxfer.steps.adaptation import read_target
    from faultxfer.steps.copies import find_copies

    data = machine(10)
    job, rows = checked(data, tmp_path)
    assert find_copies(job, rows) is rows
    copied = twice(data, data.X + 1e-6, np.arange(len(data)))
    job, rows = checked(copied, tmp_path)
    found = find_copies(job, rows)
    assert [(one.code, one.severity, one.count) for one in found.findings] == [
        ("RUN-COPY", "warn", 960)
    ]
    assert len(set(read_target(found, data.features).run)) == 12


@pytest.mark.parametrize("fewer", [0, 1])
def test_the_step_sets_the_rows_of_the_source_aside(tmp_path: Path, fewer: int) -> None:
    from faultxfer.data.dataset import save_dataset
    from faultxfer.errors import DataError
    from faultxfer.steps.adaptation import read_target
    from faultxfer.steps.copies import find_copies

    data, source = machine(11), machine(12)
    # A copied export may lack a column.
    job, rows = checked(data.with_sensors(data.features[fewer:]), tmp_path)
    theirs = np.vstack([source.X, data.X[:80]])
    run = np.full(len(theirs), "m/s")
    rng = np.random.default_rng(0)
    kept = dataset(theirs, run, np.arange(len(theirs)) * 1.0, rng)
    save_dataset(kept, tmp_path / "source.npz")
    models: Any = SimpleNamespace(source_rows=tmp_path / "source.npz")
    found = find_copies(job, rows, models)
    assert (found.accepted, found.quarantined) == (400, 80)
    assert found.quarantine is not None
    assert len(found.quarantine.read_text().splitlines()) == 81
    assert len(read_target(found, data.features[fewer:])) == 400
    save_dataset(data, tmp_path / "source.npz")
    with pytest.raises(DataError, match="Every run is a copy"):
        find_copies(job, rows, models)


def test_two_sensors_are_too_few_to_know_a_copy_by(tmp_path: Path) -> None:
    from faultxfer.data.dataset import save_dataset
    from faultxfer.steps.copies import find_copies

    data = machine(11)
    job, rows = checked(data.with_sensors(data.features[:2]), tmp_path)
    save_dataset(data, tmp_path / "source.npz")
    models: Any = SimpleNamespace(source_rows=tmp_path / "source.npz")
    assert find_copies(job, rows, models).accepted == len(data)
