"""Methods of the package ADAPT on the cells of ``transfer_quality.py``, as outside contestants.

    uv run --group benchmark python benchmarks/adapt_contestants.py --data DIR --cache DIR
    uv run python benchmarks/transfer_quality.py --data DIR --cache DIR --report

ADAPT (de Mathelin et al., arXiv:2107.03049) with its own defaults and those of scikit-learn and
LightGBM; nothing is tuned. Rows are those of the other contestants: the pooled sample of the
source, N target rows, the same test rows. Sensors are scaled by mean and standard deviation of the
source sample. What a method says of the test rows is kept in the cache, so that an interrupted run
goes on where it stopped. ADAPT's classifiers return labels alone; scored here is what its
``predict`` cuts at one half.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from adapt.feature_based import CORAL
from adapt.instance_based import TrAdaBoost
from adapt.parameter_based import FineTuning, RegularTransferLC
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from transfer_quality import cell_folder
from transfer_report import ADAPT
from transfer_sources import pooled_rows
from transfer_tasks import TASKS, Cell, TransferTask, draw_cell, read_table, tasks_at

_SOURCE_EPOCHS, _HEAD_EPOCHS, _EPOCHS = 100, 30, 100  # of the example in FineTuning's documentation


@dataclass(frozen=True)
class Problem:
    """What a contestant sees.

    (n, d) scaled source rows, (N, d) scaled target rows, (m, d) scaled test rows.
    """

    source: Source
    X: np.ndarray
    y: np.ndarray
    test: np.ndarray
    seed: int


@dataclass(frozen=True)
class Source:
    """The (n, d) scaled source sample and its labels, and what is fitted on it once per task."""

    scaler: StandardScaler
    X: np.ndarray
    y: np.ndarray

    @cached_property
    def linear(self) -> LogisticRegression:
        """Logistic regression on the source sample."""
        return _logistic().fit(self.X, self.y)

    @cached_property
    def network(self) -> FineTuning:
        """ADAPT's default encoder and task network, fitted on the source sample."""
        network = FineTuning(
            loss=_loss(), optimizer="adam", pretrain=False, random_state=0, verbose=0
        )
        return network.fit(self.X, self.y.astype(np.float32), epochs=_SOURCE_EPOCHS, verbose=0)


def _logistic() -> LogisticRegression:
    return LogisticRegression(max_iter=5000)


def _loss() -> keras.losses.Loss:
    return keras.losses.BinaryCrossentropy(
        from_logits=True
    )  # the default task network has no activation


def tradaboost(problem: Problem, base: Any) -> np.ndarray:
    """Dai et al., ICML 2007; the weighted vote of the later half of the rounds."""
    model = TrAdaBoost(base, Xt=problem.X, yt=problem.y, random_state=problem.seed, verbose=0)
    model.fit(problem.source.X, problem.source.y)
    later = len(model.estimators_) // 2
    votes = [estimator.predict_proba(problem.test)[:, 1] for estimator in model.estimators_[later:]]
    return np.average(votes, axis=0, weights=model.estimator_weights_[later:])


def coral(problem: Problem, *, own_scaling: bool) -> np.ndarray:
    """Sun, Feng & Saenko, AAAI 2016, with logistic regression.

    Of the target rows it sees no labels.

    Args:
        problem: rows.
        own_scaling: the target is scaled by its own N rows, as the paper's features are normalised
            in each domain.
    """
    scaler = StandardScaler(with_mean=own_scaling, with_std=own_scaling).fit(problem.X)
    model = CORAL(_logistic(), Xt=scaler.transform(problem.X), random_state=problem.seed, verbose=0)
    model.fit(problem.source.X, problem.source.y)
    return model.estimator_.decision_function(model.transform(scaler.transform(problem.test)))


def regular_transfer(problem: Problem) -> np.ndarray:
    """Chelba & Acero, EMNLP 2004: a linear model held near the source's by a squared penalty."""
    model = RegularTransferLC(
        problem.source.linear, Xt=problem.X, yt=problem.y, random_state=problem.seed, verbose=0
    )
    with contextlib.redirect_stdout(None):  # it prints a shape
        model.fit(problem.X, problem.y)
    return model.estimator_.decision_function(problem.test)


def fine_tuning(problem: Problem) -> np.ndarray:
    """Oquab et al., CVPR 2014.

    A new task network on the source's encoder, first alone, then both.
    """
    model = FineTuning(
        encoder=problem.source.network.encoder_,
        loss=_loss(),
        optimizer="adam",
        pretrain=True,
        pretrain__epochs=_HEAD_EPOCHS,
        random_state=problem.seed,
        verbose=0,
    )
    model.fit(problem.X, problem.y.astype(np.float32), epochs=_EPOCHS, verbose=0)
    return np.asarray(model.predict(problem.test, batch_size=4096)).ravel()


CONTESTANTS: dict[str, Callable[[Problem], np.ndarray]] = {
    "ADAPT TrAdaBoost, logistic": lambda problem: tradaboost(problem, _logistic()),
    "ADAPT TrAdaBoost, boosting": lambda problem: tradaboost(
        problem, LGBMClassifier(random_state=0, verbose=-1)
    ),
    "ADAPT CORAL": lambda problem: coral(problem, own_scaling=False),
    "ADAPT CORAL, each domain scaled": lambda problem: coral(problem, own_scaling=True),
    "ADAPT RegularTransferLC": regular_transfer,
    "ADAPT FineTuning": fine_tuning,
}


def measure_cell(source: Source, cell: Cell, seed: int, names: Sequence[str], path: Path) -> float:
    """Add to ``path`` what the named contestants say of the test rows.

    Returns seconds of the processor.
    """
    problem = Problem(
        source,
        source.scaler.transform(cell.train.X),
        cell.train.y,
        source.scaler.transform(cell.test.X),
        seed,
    )
    said, seconds = [], []
    for name in names:
        began = time.process_time()
        said.append(CONTESTANTS[name](problem))
        seconds.append(time.process_time() - began)
    found = {
        "names": np.array(names),
        "test": np.array(said, np.float32),
        "seconds": np.array(seconds),
    }
    if path.exists():
        with np.load(path) as before:
            found = {key: np.concatenate([before[key], part]) for key, part in found.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, **found, test_y=cell.test.y)
    part.replace(path)
    return sum(seconds)


def _missing(path: Path, names: Sequence[str]) -> list[str]:
    if not path.exists():
        return list(names)
    with np.load(path) as stored:
        return [name for name in names if name not in stored["names"]]


def _measure_task(task: TransferTask, arguments: argparse.Namespace) -> None:
    cells = [(rows, seed) for rows in arguments.rows for seed in arguments.seeds]
    folder = cell_folder(arguments) / task.name.replace(" ", "_")
    paths = {(rows, seed): folder / f"{rows}-{seed}-{ADAPT}.npz" for rows, seed in cells}
    todo = {
        cell: names for cell in cells if (names := _missing(paths[cell], arguments.contestants))
    }
    if not todo:
        return
    data, target = read_table(task.source, arguments.data), read_table(task.target, arguments.data)
    some = data.take(pooled_rows(data))
    scaler = StandardScaler().fit(some.X)
    source = Source(scaler, scaler.transform(some.X), some.y)
    for (rows, seed), names in todo.items():
        cell = draw_cell(target, rows, seed, few_runs=not arguments.spread)
        if cell is not None:
            seconds = measure_cell(source, cell, seed, names, paths[rows, seed])
            print(f"{task.name} N={rows} seed={seed}: {seconds:.1f} s", flush=True)


def main() -> None:
    """Measure what is missing in the cache."""
    parser = argparse.ArgumentParser(
        description="Measure ADAPT's methods on the cells of transfer_quality.py."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument(
        "--cache", type=Path, required=True, help="the cache of transfer_quality.py"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(3, 13)))
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 200, 1000])
    parser.add_argument(
        "--spread", action="store_true", help="draw the N rows from all runs, not from few"
    )
    parser.add_argument("--tasks", nargs="+", choices=[task.name for task in TASKS])
    parser.add_argument(
        "--contestants", nargs="+", choices=list(CONTESTANTS), default=list(CONTESTANTS)
    )
    arguments = parser.parse_args()
    keras.utils.disable_interactive_logging()
    for task in tasks_at(arguments.data):
        if not arguments.tasks or task.name in arguments.tasks:
            _measure_task(task, arguments)


if __name__ == "__main__":
    main()
