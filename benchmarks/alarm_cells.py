"""Cells of ``alarm_rate.py``.

Out-of-fold logits of a stack, and its logits on normal rows of other runs.

The stack is the default one without the members that need the source network, in folds by run
inside the target's rows. Its calibration and weights are cross-fitted too: a fold's rows are scored
with what the other folds chose.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from transfer_sources import PreparedSource, prepare_source
from transfer_tasks import TransferTask, read_table, tasks_at

from faultxfer.bundle.calibration import platt
from faultxfer.bundle.frozen import Views
from faultxfer.bundle.members import member_logits
from faultxfer.config import SplitOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import fold_rows
from faultxfer.strategies.learners import rivals
from faultxfer.strategies.selector import TAU, CrossFit, cross_fit
from faultxfer.strategies.stacking import crossed_platt, family_prior, simplex_weights

DRAWS = ("few runs", "all runs")
_FOLDS = SplitOptions(folds=4)
_FEWEST_FAULTS = 4
_TEST_ROWS = 8000


@dataclass(frozen=True)
class AlarmCell:
    """What a threshold is chosen on, and what judges it.

    Attributes:
        task, rows, seed, draw: which cell.
        logits, y, run: (n,) out-of-fold logits of the target's rows, their labels and runs.
        test, test_run: (m,) logits of normal rows of runs held out, by the stack fitted on all
            ``n`` rows.
    """

    task: str
    rows: int
    seed: int
    draw: str
    logits: np.ndarray
    y: np.ndarray
    run: np.ndarray
    test: np.ndarray
    test_run: np.ndarray


def cells(
    data: Path,
    cache: Path,
    tasks: Sequence[str],
    rows: Sequence[int],
    seeds: Sequence[int],
    *,
    measure: bool,
) -> Iterator[AlarmCell]:
    """Cells from the cache; those that are missing are measured first, or left out."""
    which = list(itertools.product(rows, seeds, DRAWS))
    for task in (task for task in tasks_at(data) if not tasks or task.name in tasks):
        paths = [cache / "alarms" / task.name.replace(" ", "_") / _file(*cell) for cell in which]
        if measure:
            _measure_missing(task, data, cache, list(zip(which, paths, strict=True)))
        for cell, path in zip(which, paths, strict=True):
            if path.exists():
                with np.load(path) as stored:
                    if len(stored["y"]):
                        yield AlarmCell(task.name, *cell, **dict(stored))


def _file(rows: int, seed: int, draw: str) -> str:
    return f"{rows}-{seed}-{draw.replace(' ', '-')}.npz"


def _measure_missing(
    task: TransferTask, data: Path, cache: Path, cells: Sequence[tuple[tuple[int, int, str], Path]]
) -> None:
    missing = [(cell, path) for cell, path in cells if not path.exists()]
    if not missing:
        return
    source = prepare_source(task.source, data, cache, network=False)
    target = read_table(task.target, data)
    for cell, path in missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        _measure(source, target, *cell, path)
        print(task.name, *cell, flush=True)


def _measure(
    source: PreparedSource, target: Dataset, rows: int, seed: int, draw: str, path: Path
) -> None:
    """Write one cell; an empty one where the target has too few rows or cannot be divided."""
    sides = _sides(target, rows, seed, draw)
    if sides is None:
        np.savez_compressed(
            path, **{name: np.empty(0) for name in ("logits", "y", "run", "test", "test_run")}
        )
        return
    train, test = sides
    folds = fold_rows(train, _FOLDS, seed)
    crossed = cross_fit(
        rivals(), source.frozen, (source.X, source.y), train.X, train.y, folds, seed
    )
    views = Views(source.frozen, crossed.maps, test.X)
    said = np.array([member_logits(member, views) for member in crossed.members])
    np.savez_compressed(
        path,
        logits=_out_of_fold(crossed, train.y),
        y=train.y,
        run=_numbers(train.run),
        test=_refitted(crossed, train.y, said),
        test_run=_numbers(test.run),
    )


def _sides(target: Dataset, rows: int, seed: int, draw: str) -> tuple[Dataset, Dataset] | None:
    """Target rows of one half of the runs, and normal rows of the other half."""
    halves = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
    train, test = next(halves.split(target.X, target.y, target.run))
    rng = np.random.default_rng([seed, rows])
    if len(train) < rows:
        return None
    pool = train if draw == DRAWS[1] else _few_runs(target, train, rows, rng)
    drawn = target.take(np.sort(rng.choice(pool, rows, replace=False)))
    normal = test[target.y[test] == 0]
    if min(drawn.faults, len(drawn) - drawn.faults) < _FEWEST_FAULTS:
        return None
    return drawn, target.take(np.sort(rng.permutation(normal)[:_TEST_ROWS]))


def _few_runs(
    target: Dataset, train: np.ndarray, rows: int, rng: np.random.Generator
) -> np.ndarray:
    """Whole runs in random order until there are rows enough.

    With faults and normal rows among them.
    """
    taken: list[np.ndarray] = []
    for run in rng.permutation(np.unique(target.run[train].astype(str))):
        taken.append(train[target.run[train] == run])
        pool = np.concatenate(taken)
        faults = int(target.y[pool].sum())
        if len(pool) >= rows and min(faults, len(pool) - faults) >= 2 * _FEWEST_FAULTS:
            return pool
    return train


def _prior(crossed: CrossFit) -> np.ndarray:
    return family_prior([member.family for member in crossed.members])


def _out_of_fold(crossed: CrossFit, y: np.ndarray) -> np.ndarray:
    """(n,) logits of the stack; calibration and weights of a fold come from the others."""
    stacked = np.empty(len(y))
    for fold in np.unique(crossed.folds):
        inside = crossed.folds == fold
        others, labels, folds = crossed.logits[:, ~inside], y[~inside], crossed.folds[~inside]
        weights = simplex_weights(_calibrated(others, labels, folds), labels, _prior(crossed), TAU)
        slopes, offsets = platt(others, labels)
        stacked[inside] = weights @ (slopes[:, None] * crossed.logits[:, inside] + offsets[:, None])
    return stacked


def _calibrated(logits: np.ndarray, y: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Cross-fitted where two folds or more are left, else on the very rows."""
    if len(np.unique(folds)) > 1:
        return crossed_platt(logits, y, folds)
    slopes, offsets = platt(logits, y)
    return np.asarray(slopes[:, None] * logits + offsets[:, None])


def _refitted(crossed: CrossFit, y: np.ndarray, said: np.ndarray) -> np.ndarray:
    weights = simplex_weights(
        crossed_platt(crossed.logits, y, crossed.folds), y, _prior(crossed), TAU
    )
    slopes, offsets = platt(crossed.logits, y)
    return np.asarray(weights @ (slopes[:, None] * said + offsets[:, None]))


def _numbers(run: np.ndarray) -> np.ndarray:
    return np.unique(run.astype(str), return_inverse=True)[1]
