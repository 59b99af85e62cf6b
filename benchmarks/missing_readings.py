"""What imputing missing readings costs, beside setting rows aside. Prints a table of the docs.

    uv run python benchmarks/missing_readings.py --data DIR --cache DIR --out FILE --seeds 1

N rows from few runs of every pair train, rows of other runs test; cells of both are emptied. The
source is whole. *Imputed* fills them by what was learnt on the source; *set aside* trains on the
complete rows alone and gives the others no score, so that they rank last, as alarms that are never
raised. The source network is built and not trained, and the learners that need it are left out.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from small_weeks_fit import _SMALL, score
from transfer_sources import PreparedSource, prepare_source
from transfer_tasks import TransferTask, draw_cell, read_table, tasks_at

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.calibration import Calibrator
from faultxfer.bundle.frozen import SourceModels
from faultxfer.bundle.imputer import Imputer, fit_imputer
from faultxfer.bundle.scaler import fit_scaler
from faultxfer.config import TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.errors import UserError
from faultxfer.network.arrays import as_arrays
from faultxfer.network.ensemble import build_ensemble
from faultxfer.strategies import stack
from faultxfer.strategies.learners import rivals
from faultxfer.strategies.protocol import Task

WHOLE, ONE_SENSOR = "nothing", "one sensor in half of the rows"
SHARES = {"1 % of the cells": 0.01, "5 % of the cells": 0.05, "20 % of the cells": 0.2}
IMPUTED, OWN, ASIDE = "imputed", "imputed, trained on whole rows", "set aside"
APART = ("ai4i L→H", "ai4i L→M")
stack.default_learners = rivals


@dataclass(frozen=True)
class Prepared:
    """A source as the stack needs it, and its imputer."""

    bundle: Bundle
    rows: Dataset
    imputer: Imputer


def main() -> None:
    """Measure what is not in the file yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a line of JSON for each fit")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--pairs", nargs="+", help="names of the pairs; all if left out")
    parser.add_argument("--report", action="store_true", help="print what there is")
    given = parser.parse_args()
    if not given.report:
        for seed in given.seeds:
            measure(given, seed)
    print(table(given.out))


def measure(given: argparse.Namespace, seed: int) -> None:
    """Every pair with one seed; a line in the file for each fit."""
    done = _done(given.out)
    for task in tasks_at(given.data):
        if (task.name, seed) in done or (given.pairs and task.name not in given.pairs):
            continue
        for line in of_pair(task, given, seed):
            with given.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"pair": task.name, "seed": seed, **line}) + "\n")


def of_pair(
    task: TransferTask, given: argparse.Namespace, seed: int
) -> Iterator[dict[str, object]]:
    """Score of each way with each kind of gaps."""
    target = read_table(task.target, given.data)
    cell = draw_cell(target, given.rows, seed)
    if cell is None:
        return
    source = prepared(task, given)
    whole = fitted(source, cell.train)
    base = score(cell.test.y, whole.logits(cell.test.X))
    yield {"gaps": WHOLE, "way": WHOLE, "score": base}
    for gaps, train, test in emptied(cell.train.X, cell.test.X, seed):
        began = time.process_time()
        for way, value in ways(source, cell.train, cell.test, (train, test), whole):
            seconds = round(time.process_time() - began, 1)
            print(task.name, seed, gaps, way, round(value - base, 4), seconds, flush=True)
            yield {"gaps": gaps, "way": way, "score": value, "cost": base - value}


def emptied(
    train: np.ndarray, test: np.ndarray, seed: int
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Kinds of gaps: which cells of training and test rows are empty."""
    rng = np.random.default_rng([seed, 17])
    for name, share in SHARES.items():
        yield name, rng.random(train.shape) < share, rng.random(test.shape) < share
    sensor = int(rng.integers(train.shape[1]))
    gaps = np.zeros(train.shape, dtype=bool), np.zeros(test.shape, dtype=bool)
    for side in gaps:
        side[:, sensor] = rng.random(len(side)) < 0.5
    yield ONE_SENSOR, *gaps


def ways(
    source: Prepared,
    train: Dataset,
    test: Dataset,
    gaps: tuple[np.ndarray, np.ndarray],
    whole: Bundle,
) -> Iterator[tuple[str, float]]:
    """Score on all test rows by each way of treating the gaps."""
    X, new = (np.where(gap, np.nan, side.X) for gap, side in zip(gaps, (train, test), strict=True))
    imputer = source.imputer.for_machine(X)
    yield OWN, score(test.y, whole.logits(imputer(new)))
    made = fitted(source, _with(train, imputer(X)))
    yield IMPUTED, score(test.y, made.logits(imputer(new)))
    kept, scored = ~gaps[0].any(axis=1), ~gaps[1].any(axis=1)
    try:
        said = fitted(source, train.take(kept)).logits(test.X)
    except (UserError, ValueError):
        said = np.zeros(len(test.y))
    yield ASIDE, score(test.y, np.where(scored, said, said.min() - 1))


def fitted(source: Prepared, train: Dataset) -> Bundle:
    """The product's stack on these rows."""
    task = Task(source.bundle, train, source.rows, TransferOptions(seed=0))
    return stack.StackedLearners().fit(task).bundle


def _with(data: Dataset, X: np.ndarray) -> Dataset:
    return Dataset(data.features, X, data.y, data.equipment, data.run, data.time)


def prepared(task: TransferTask, given: argparse.Namespace) -> Prepared:
    """The pair's source."""
    found = prepare_source(task.source, given.data, given.cache, network=False)
    whole = read_table(task.source, given.data)
    bundle = _bundle(found, whole.features)
    return Prepared(bundle, _pool(found, whole.features), fit_imputer(whole.X))


def _pool(found: PreparedSource, features: tuple[str, ...]) -> Dataset:
    rows = len(found.y)
    words = np.full(rows, "source", dtype=object)
    return Dataset(features, found.X, found.y, words, words, np.arange(rows, dtype=float))


def _bundle(found: PreparedSource, features: tuple[str, ...]) -> Bundle:
    scaler, frozen = fit_scaler(found.X), found.frozen
    return Bundle(
        features=features,
        units={},
        scaler=scaler,
        network=as_arrays(build_ensemble(scaler(found.X), _SMALL)),
        calibrator=Calibrator(),
        threshold=0.5,
        models=SourceModels(
            frozen.spread, frozen.normal, frozen.trees.model_to_string(), frozen.linear
        ),
    )


def _done(path: Path) -> set[tuple[str, int]]:
    if not path.exists():
        return set()
    lines = pd.read_json(path, lines=True)
    last = lines[(lines.gaps == ONE_SENSOR) & (lines.way == ASIDE)]
    return set(zip(last.pair, last.seed, strict=True))


def table(path: Path) -> str:
    """Mean cost over the pairs, AI4I apart, and how many cost more than 0.03."""
    lines = pd.read_json(path, lines=True).dropna(subset=["cost"])
    lines = lines[~lines.pair.isin(APART)]
    shown = [
        "| gaps | way | mean cost | worst pair | pairs above .03 |",
        "|---|---|---:|---:|---:|",
    ]
    for (gaps, way), some in lines.groupby(["gaps", "way"], sort=False):
        cost = some.groupby("pair").cost.mean()
        numbers = f"{cost.mean():+.4f} | {cost.max():+.4f} | {(cost > 0.03).sum()} of {len(cost)}"
        shown.append(f"| {gaps} | {way} | {numbers} |")
    return "\n".join(shown)


if __name__ == "__main__":
    main()
