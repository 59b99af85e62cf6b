"""Tasks of ``transfer_quality.py``.

Source → target pairs, and rows drawn from as few runs as possible.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faultxfer.data.dataset import Dataset
from faultxfer.simulation.simulator import INSTRUMENTS, NEW_PLANT, simulate_pump

_NOT_SENSORS = {
    "seq",
    "timestamp",
    "equipment",
    "run",
    "fault",
    "fault_type",
    "fault_pump",
    "fault_accu",
}
_TEST_ROWS = 4000
_FLEET_SEED = 11


@dataclass(frozen=True)
class Table:
    """One equipment's rows: a file, or a simulated pump."""

    name: str
    label: str
    read: Callable[[Path], pd.DataFrame]


@dataclass(frozen=True)
class TransferTask:
    """One source → target pair."""

    name: str
    source: Table
    target: Table


@dataclass(frozen=True)
class Cell:
    """Training rows and test rows of one task, N and seed."""

    train: Dataset
    test: Dataset


def _file(path: str, label: str = "fault") -> Table:
    name = Path(path).name.split(".")[0] + ("" if label == "fault" else f"-{label}")
    return Table(name, label, lambda folder: pd.read_csv(folder / path))


def _old_pumps(_: Path) -> pd.DataFrame:
    pumps = [
        simulate_pump(f"pump-{k}", seed=_FLEET_SEED, runs=60, rows_per_run=70, fault_share=0.4)
        for k in range(1, 6)
    ]
    return pd.concat(pumps, ignore_index=True)


def _new_pump(name: str) -> Table:
    def read(_: Path) -> pd.DataFrame:
        return simulate_pump(
            name,
            seed=_FLEET_SEED,
            runs=120,
            rows_per_run=28,
            fault_share=0.5,
            plant=NEW_PLANT,
            start="2026-08-03",
        )

    return Table(name, "fault", read)


_COOLER = {
    label: [_file(f"hydraulic/{name}.csv", label) for name in ("cooler100", "cooler3", "cooler20")]
    for label in ("fault", "fault_accu")
}
_FD = {k: _file(f"cmapss/FD00{k}.csv.gz") for k in (1, 2, 3, 4)}
_VALVE1 = _file("skab/valve1.csv.gz")
_TYPE_L = _file("ai4i2020/typeL.csv")
_PUMPS = Table("pumps", "fault", _old_pumps)
_TEP = {mode: _file(f"tep/tep-{mode}.csv.gz") for mode in ("mode1", "mode3", "mode4", "mode6")}

TASKS = (
    TransferTask("FD002→FD004", _FD[2], _FD[4]),
    TransferTask("FD001→FD002", _FD[1], _FD[2]),
    TransferTask("FD001→FD003", _FD[1], _FD[3]),
    TransferTask("valve→cooler3", _COOLER["fault"][0], _COOLER["fault"][1]),
    TransferTask("valve→cooler20", _COOLER["fault"][0], _COOLER["fault"][2]),
    TransferTask("accu→cooler3", _COOLER["fault_accu"][0], _COOLER["fault_accu"][1]),
    TransferTask("accu→cooler20", _COOLER["fault_accu"][0], _COOLER["fault_accu"][2]),
    TransferTask("ai4i L→H", _TYPE_L, _file("ai4i2020/typeH.csv")),
    TransferTask("ai4i L→M", _TYPE_L, _file("ai4i2020/typeM.csv")),
    TransferTask("skab valve1→valve2", _VALVE1, _file("skab/valve2.csv")),
    TransferTask("skab valve1→other", _VALVE1, _file("skab/other.csv")),
    TransferTask("pumps→pump-9", _PUMPS, _new_pump("pump-9")),
    TransferTask("pumps→pump-10", _PUMPS, _new_pump("pump-10")),
    *(
        TransferTask(f"TEP mode1→{mode}", _TEP["mode1"], _TEP[mode])
        for mode in ("mode3", "mode4", "mode6")
    ),
)


def tasks_at(folder: Path) -> tuple[TransferTask, ...]:
    """All tasks; those of the Tennessee Eastman process only where ``tep.py`` has put its tables."""
    if (folder / "tep").exists():
        return TASKS
    print(
        "The TEP tasks are left out: their tables are simulated by benchmarks/tep.py.",
        file=sys.stderr,
    )
    return tuple(task for task in TASKS if task.source is not _TEP["mode1"])


def read_table(table: Table, folder: Path) -> Dataset:
    """All rows, in the order inside their runs."""
    frame = table.read(folder)
    sensors = (
        tuple(INSTRUMENTS)
        if table.read is _old_pumps
        else tuple(c for c in frame if c not in _NOT_SENSORS)
    )
    order = frame["seq"] if "seq" in frame else _seconds(frame["timestamp"])
    return Dataset(
        features=sensors,
        X=frame[list(sensors)].to_numpy(np.float64),
        y=(frame[table.label] > 0).to_numpy(np.int8),
        equipment=frame["equipment"].astype(str).to_numpy(object),
        run=(frame["equipment"].astype(str) + "/" + frame["run"].astype(str)).to_numpy(object),
        time=order.to_numpy(np.float64),
    )


def _seconds(times: pd.Series) -> pd.Series:
    return pd.to_datetime(times).astype("datetime64[ns]").astype("int64") / 1e9


def draw_cell(
    data: Dataset, rows: int, seed: int, fewest_faults: int = 4, *, few_runs: bool = True
) -> Cell | None:
    """``rows`` rows from as few runs as possible of half of the runs, or from all of them.

    The other half's runs test.

    None where the half has fewer rows.
    """
    rng = np.random.default_rng([seed, 20_26])
    position = np.unique(data.run.astype(str), return_inverse=True)[1]
    half = half_of_runs(np.bincount(position, weights=data.y) > 0, rng)
    sides = np.isin(position, half)
    if sides.sum() < rows:
        return None
    if few_runs:
        train = _few_runs(data, position, rng.permutation(half), rows, rng, fewest_faults)
    else:
        train = _draw(data, np.flatnonzero(sides), rows, rng, fewest_faults)
    return Cell(data.take(train), data.take(some_test_rows(np.flatnonzero(~sides), rng)))


def half_of_runs(faulty: np.ndarray, rng: np.random.Generator) -> list[int]:
    """Numbers of half of the runs, of those with faults and of those without (r,) alike."""
    half: list[int] = []
    for group in (np.flatnonzero(faulty), np.flatnonzero(~faulty)):
        shuffled = rng.permutation(group)
        cut = (len(group) + int(rng.integers(2))) // 2
        half += shuffled[:cut].tolist()
    return half


def some_test_rows(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """At most 4,000 of the positions, in their order."""
    if len(rows) <= _TEST_ROWS:
        return rows
    return np.sort(rng.choice(rows, _TEST_ROWS, replace=False))


def _few_runs(
    data: Dataset,
    position: np.ndarray,
    runs: np.ndarray,
    rows: int,
    rng: np.random.Generator,
    fewest: int,
) -> np.ndarray:
    """Runs are taken until there are rows enough.

    A run then joins only if it brings a class that is still short.
    """
    pool: list[np.ndarray] = []
    faults = normals = 0
    for run in runs:
        members = np.flatnonzero(position == run)
        brought = int(data.y[members].sum())
        enough = faults + normals >= rows
        short = (faults < fewest and brought) or (normals < fewest and brought < len(members))
        if enough and not short:
            continue
        pool.append(members)
        faults, normals = faults + brought, normals + len(members) - brought
        if faults + normals >= rows and min(faults, normals) >= fewest:
            break
    return _draw(data, np.concatenate(pool), rows, rng, fewest)


def _draw(
    data: Dataset, pool: np.ndarray, rows: int, rng: np.random.Generator, fewest: int
) -> np.ndarray:
    """``rows`` of the pool at random, with at least ``fewest`` of each class."""
    sure = np.concatenate(
        [rng.permutation(pool[data.y[pool] == label])[:fewest] for label in (0, 1)]
    )
    rest = np.setdiff1d(pool, sure)
    return np.sort(np.concatenate([sure, rng.choice(rest, rows - len(sure), replace=False)]))
