"""What a machine whose sensors differ from its source's gets. Prints tables of the docs.

    uv run python benchmarks/sensors_differ.py --data DIR --cache DIR --out FILE --seeds 53 54

N rows from few runs of every pair train, rows of other runs test. The target lacks a random fifth
of the sensors, the first of the source's LightGBM by total gain, or its first three; or the source
lacks the same; or each lacks another fifth. Beside the default stands what is simple: gradient
boosting on source and target rows with the common sensors, on the target's rows with all of its
own, the source refitted on the common sensors as it is, and pooled boosting with what is lacking
guessed or what is new left empty in the source's rows. The source network is built and not trained,
and the learners that need it are left out. With ``--carried`` it is asked instead whether a lost
sensor that costs pooled boosting much is known before training.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from small_weeks_fit import _SMALL, score
from transfer_sources import pooled_rows
from transfer_tasks import TransferTask, draw_cell, read_table, tasks_at

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.calibration import Calibrator
from faultxfer.bundle.scaler import fit_scaler
from faultxfer.config import TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.network.arrays import as_arrays
from faultxfer.network.ensemble import build_ensemble
from faultxfer.strategies import stack
from faultxfer.strategies.alone import RivalFromScratch, RivalLearner
from faultxfer.strategies.learners import rivals
from faultxfer.strategies.learners.rivals import PooledBoosting, ScratchBoosting, SourceThroughMap
from faultxfer.strategies.learners.sensors_differ import FilledBoosting, NewSensorBoosting
from faultxfer.strategies.narrowing import Kept, narrowed, sensors_between
from faultxfer.strategies.protocol import Task
from faultxfer.strategies.sensor_evidence import MOST_LOSS, sensor_evidence
from faultxfer.strategies.source_benefit import fit_source_models

stack.default_learners = rivals
APART = ("ai4i L→H", "ai4i L→M")
FIFTH, FIRST, THREE = "a random fifth", "the first", "the first three"
DEFAULT, POOLED, TARGET = "default", "pooled, common sensors", "target only, all its sensors"
AS_IS, BESIDE = "source refitted, as it is", "pooled, guessed or left empty"
LEAST = 0.01
FORETOLD_ROWS, ALONE = 200, 6
MUCH, LITTLE = 0.10, 0.03


@dataclass(frozen=True)
class Case:
    """Names of sensors that the target lacks, and that the source lacks."""

    name: str
    missing: tuple[str, ...]
    new: tuple[str, ...]


def main() -> None:
    """Measure what is not in the file yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a line of JSON for each fit")
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--pairs", nargs="+", help="names of the pairs; all if left out")
    parser.add_argument("--cases", nargs="+", help="names of the cases; all if left out")
    parser.add_argument("--carried", action="store_true", help="is a costly loss known before?")
    parser.add_argument("--report", action="store_true", help="print what there is")
    given = parser.parse_args()
    for seed in [] if given.report else given.seeds:
        (foretell if given.carried else measure)(given, seed)
    print((foretold if given.carried else table)(given.out))


def measure(given: argparse.Namespace, seed: int) -> None:
    """Every pair with one seed; a line in the file for each case and contestant."""
    done = _done(given.out)
    for task in tasks_at(given.data):
        if given.pairs and task.name not in given.pairs:
            continue
        for rows in given.rows:
            for line in of_cell(task, given, rows, seed, done):
                with given.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")


def of_cell(
    task: TransferTask,
    given: argparse.Namespace,
    rows: int,
    seed: int,
    done: set[tuple[object, ...]],
) -> Iterator[dict[str, object]]:
    """Scores of everybody in every case."""
    cell = draw_cell(_table(task, given.data, "target"), rows, seed)
    if cell is None:
        return
    source = _table(task, given.data, "source")
    for case in cases(source, seed):
        key = task.name, rows, seed, case.name
        if key in done or (given.cases and case.name not in given.cases):
            continue
        began = time.process_time()
        scores = of_case(source, cell.train, cell.test, case, seed)
        seconds = round(time.process_time() - began, 1)
        print(*key, {name: round(value, 3) for name, value in scores.items()}, seconds, flush=True)
        for name, value in scores.items():
            named = dict(zip(("pair", "rows", "seed", "case"), key, strict=True))
            yield {**named, "who": name, "score": value}


def cases(source: Dataset, seed: int) -> Iterator[Case]:
    """Which sensors are missing on the target and which are new there."""
    rng = np.random.default_rng([seed, 19])
    fifth = max(1, len(source.features) // 5)
    drawn = rng.permutation(np.array(source.features, dtype=object))
    some, others = tuple(drawn[:fifth]), tuple(drawn[fifth : 2 * fifth])
    best = np.argsort(-gains(source))
    named = np.array(source.features, dtype=object)[best]
    for who, lost in ((FIFTH, some), (FIRST, tuple(named[:1])), (THREE, tuple(named[:3]))):
        yield Case(f"{who} missing", lost, ())
        yield Case(f"{who} new", (), lost)
    yield Case(f"{FIFTH} missing, another new", some, others)


def of_case(
    source: Dataset, train: Dataset, test: Dataset, case: Case, seed: int
) -> dict[str, float]:
    """Score of each contestant."""
    known = without(source, case.new)
    change = sensors_between(known.features, without(train, case.missing).features)
    rows = known.take(pooled_rows(known))
    own = narrowed(_bundle(known), Kept(rows), change, {}, 0)
    train, test = ordered(train, change.features), ordered(test, change.features)
    task = Task(own, train, rows, TransferOptions(seed=0))
    found = {DEFAULT: stack.StackedLearners().fit(task).bundle.logits}
    beside = FilledBoosting("source") if change.missing else NewSensorBoosting("source")
    for name, learner in (
        (POOLED, PooledBoosting("source")),
        (AS_IS, SourceThroughMap("trees", "source")),
        (BESIDE, beside),
    ):
        found[name] = RivalLearner(name, name, learner).fit(task)
    found[TARGET] = RivalFromScratch(TARGET, TARGET, ScratchBoosting()).fit(task)
    return {name: score(test.y, scorer(test.X)) for name, scorer in found.items()}


def foretell(given: argparse.Namespace, seed: int) -> None:
    """What the loss of each of the source's first sensors costs, and what was said before."""
    done = _done(given.out)
    for task in tasks_at(given.data):
        cell = draw_cell(_table(task, given.data, "target"), FORETOLD_ROWS, seed)
        if cell is None or (given.pairs and task.name not in given.pairs):
            continue
        source = _table(task, given.data, "source")
        rows = source.take(pooled_rows(source))
        before = _pooled(source, rows, cell.train, cell.test, ())
        for lost in _lost_sensors(source, seed):
            key = task.name, FORETOLD_ROWS, seed, ", ".join(lost)
            if key in done:
                continue
            after = _pooled(source, rows, cell.train, cell.test, lost)
            change = sensors_between(source.features, without(source, lost).features)
            said = sensor_evidence(rows, change, seed)
            line = dict(zip(("pair", "rows", "seed", "case"), key, strict=True))
            line |= {"lost": len(lost), "cost": before - after, "said": said.loss}
            line |= {"r2": min(said.r2.values()), "source": said.score}
            print(line, flush=True)
            with given.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def _lost_sensors(source: Dataset, seed: int) -> Iterator[tuple[str, ...]]:
    """Each of the first sensors alone, some of the others, and the first three together."""
    named = np.array(source.features, dtype=object)[np.argsort(-gains(source))]
    others = np.random.default_rng([seed, 23]).permutation(named[ALONE:])[:2]
    yield from ((str(name),) for name in (*named[:ALONE], *others))
    yield tuple(map(str, named[:3]))


def _pooled(
    source: Dataset, rows: Dataset, train: Dataset, test: Dataset, lost: tuple[str, ...]
) -> float:
    """Score of pooled boosting on the target's other runs."""
    change = sensors_between(source.features, without(source, lost).features)
    own = narrowed(_bundle(source), Kept(rows), change, {}, 0)
    train, test = ordered(train, change.features), ordered(test, change.features)
    task = Task(own, train, rows, TransferOptions(seed=0))
    scorer = RivalLearner(POOLED, POOLED, PooledBoosting("source")).fit(task)
    return score(test.y, scorer(test.X))


def foretold(path: Path) -> str:
    """Of losses that cost much and little, in which share it was said before."""
    lines = pd.read_json(path, lines=True)
    said = lines.said >= MOST_LOSS
    much, little = lines.cost >= MUCH, lines.cost < LITTLE
    return (
        f"Lost sensors that cost {MUCH} or more: {much.sum()}, said of {said[much].mean():.0%}; "
        f"that cost less than {LITTLE}: {little.sum()}, said of {said[little].mean():.0%}; between "
        f"and not counted: {(~much & ~little).sum()}"
    )


def without(data: Dataset, names: tuple[str, ...]) -> Dataset:
    """The rows without some sensors."""
    return ordered(data, tuple(name for name in data.features if name not in names))


def ordered(data: Dataset, features: tuple[str, ...]) -> Dataset:
    """The rows with these sensors, in this order."""
    places = [data.features.index(name) for name in features]
    return Dataset(features, data.X[:, places], data.y, data.equipment, data.run, data.time)


@lru_cache(maxsize=2)
def _table(task: TransferTask, folder: Path, side: str) -> Dataset:
    return read_table(getattr(task, side), folder)


_MADE: dict[tuple[str, tuple[str, ...]], Bundle] = {}


def gains(source: Dataset) -> np.ndarray:
    """(d,) total gain of each sensor in the source's trees."""
    models = _bundle(source).models
    return np.zeros(len(source.features)) if models is None else models.gains()


def _bundle(source: Dataset) -> Bundle:
    """A source whose network is not trained."""
    key = (str(source.run[0]), len(source), source.features, source.faults)
    if key not in _MADE:
        while len(_MADE) > 8:
            _MADE.pop(next(iter(_MADE)))
        scaler = fit_scaler(source.X)
        _MADE[key] = Bundle(
            features=source.features,
            units={},
            scaler=scaler,
            network=as_arrays(build_ensemble(scaler(source.X), _SMALL)),
            calibrator=Calibrator(),
            threshold=0.5,
            models=fit_source_models(source.X, source.y, 0),
        )
    return _MADE[key]


def _done(path: Path) -> set[tuple[object, ...]]:
    if not path.exists():
        return set()
    lines = pd.read_json(path, lines=True)
    return set(zip(lines.pair, lines.rows, lines.seed, lines.case, strict=True))


def table(path: Path) -> str:
    """Mean score by case, and the default's difference to the rivals, with its interval."""
    lines = pd.read_json(path, lines=True)
    wide = lines.pivot_table(index=["pair", "rows", "seed", "case"], columns="who", values="score")
    shown = [
        f"| rows | case | {DEFAULT} | {POOLED} | {TARGET} | {AS_IS} | {BESIDE} | − better of two | − best of four |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (rows, case), some in [*wide.groupby(["rows", "case"]), (("all", "all"), wide)]:
        mean = some.groupby("pair").mean().mean()
        two, four = mean[[POOLED, TARGET]].idxmax(), mean[[POOLED, TARGET, AS_IS, BESIDE]].idxmax()
        each = " | ".join(f"{mean[name]:.3f}" for name in (DEFAULT, POOLED, TARGET, AS_IS, BESIDE))
        differences = " | ".join(_interval(some[DEFAULT] - some[other]) for other in (two, four))
        shown.append(f"| {rows} | {case} | {each} | {differences} |")
    two = wide.groupby("case")[[POOLED, TARGET]].mean().idxmax(axis=1)
    worse, cells = 0, 0
    for (case, _, _), some in wide.groupby(["case", "pair", "rows"]):
        difference = some[DEFAULT] - some[two[case]]
        cells += 1
        spread = difference.std(ddof=1) / np.sqrt(len(difference)) if len(difference) > 1 else 0.0
        worse += bool(difference.mean() + 2 * spread < -LEAST)
    return "\n".join([*shown, "", f"Worse than the better of two: {worse} of {cells} cells"])


def _interval(difference: pd.Series) -> str:
    """Mean over pairs and seeds, and a 95 % interval by drawing pairs, then their seeds."""
    pairs = [one.to_numpy() for _, one in difference.groupby("pair")]
    rng = np.random.default_rng(0)
    means = []
    for _ in range(1000):
        drawn = [pairs[place] for place in rng.integers(len(pairs), size=len(pairs))]
        means.append(np.mean([rng.choice(one, len(one)).mean() for one in drawn]))
    low, high = np.percentile(means, [2.5, 97.5])
    middle = np.mean([one.mean() for one in pairs])
    return f"{middle:+.3f} [{low:+.3f}, {high:+.3f}]"


if __name__ == "__main__":
    main()
