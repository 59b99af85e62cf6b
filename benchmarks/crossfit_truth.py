"""Are metrics from cross-fitting true? Prints the table of ``docs/gate.md``.

    uv run python benchmarks/crossfit_truth.py --data DIR --weeks 200

Unequal weeks of a machine are drawn: 6 to 20 runs of 1 to 300 rows, half of the runs without
faults, a seventh faulty from end to end, the others from some row on. The product's own learners
are cross-fitted in the product's own folds, and measured by its own metrics and intervals. The stack's
learners are weighed as in the product, by the other folds' rows, and once more as they were before,
by folds inside the rows of the fold. The truth is the mean of *the same fold models* on new runs that were drawn in the same way, at the
week's share of faults. Machines are simulated, or pieces of C-MAPSS's engines.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score
from transfer_tasks import TASKS, read_table

from faultxfer.bundle.frozen import FrozenSource, LinearModel, Views, soft_clipped
from faultxfer.bundle.input_map import InputMap, fit_maps, spread_of
from faultxfer.bundle.members import Stack, logits, member_logits
from faultxfer.config import GateOptions, SplitOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import BY_RUN, Split, fold_rows, split_rows
from faultxfer.errors import DataError
from faultxfer.evaluate.intervals import Resamples, resample, resampled_metrics
from faultxfer.evaluate.rows import ScoredRows, clusters_of
from faultxfer.strategies.fixed_stack import FEWEST_TO_WEIGH, averaged, fixed_learners
from faultxfer.strategies.learners import Learner, TrainingRows, rivals
from faultxfer.strategies.learners.boosting import boost
from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.learners.rivals import (
    AlwaysNormal,
    PooledBoosting,
    PooledLinear,
    ScratchBoosting,
    ScratchLinear,
    SourceThroughMap,
)
from faultxfer.strategies.selector import CrossFit, cross_fit, numbered, stack_of
from faultxfer.strategies.shared_fits import SharedFits, source_views
from faultxfer.strategies.stack import other_folds

# Each week is cross-fitted, however many rows it has.
OPTIONS = SplitOptions(min_test_faults=10**9)
INNER = SplitOptions(folds=4)
NEW_RUNS = 60
METRICS = ("roc_auc", "pr_auc")
CONFIDENCE = GateOptions().confidence
SENSORS = 8
_SOURCE_ROWS = 1500
STACK, AS_IS, CONSTANT = "stack", "source as it is", "constant"
INSIDE = "stack, weighed inside the fold"
LEARNERS: dict[str, Learner] = {
    CONSTANT: AlwaysNormal(),
    AS_IS: SourceThroughMap("trees", "source"),
    "logistic regression": ScratchLinear(),
    "boosting from scratch": ScratchBoosting(),
    "pooled logistic regression": PooledLinear("source"),
    "pooled boosting": PooledBoosting("source"),
}

Scorer = Callable[[np.ndarray], np.ndarray]
# A contestant fitted on the rows of a week at some positions.
Fit = Callable[[np.ndarray], Scorer]


@dataclass(frozen=True)
class Machine:
    """Where weeks come from.

    Attributes:
        source: its labelled source machine's rows.
        draw: as many new runs as asked for.
    """

    source: tuple[np.ndarray, np.ndarray]
    draw: Callable[[int, np.random.Generator], Dataset]


def lengths(count: int, rng: np.random.Generator) -> np.ndarray:
    """(count,) rows of each run, uniform in the logarithm between 1 and 300."""
    return np.maximum(np.exp(rng.uniform(0, np.log(300), count)).astype(int), 1)


def first_fault(rows: int, rng: np.random.Generator) -> int:
    """Row from which on a run is faulty; its length where it never is."""
    kind = rng.random()
    if kind < 1 / 2:
        return rows
    return 0 if kind < 1 / 2 + 1 / 7 else int(rng.integers(rows))


def dataset(runs: list[tuple[np.ndarray, np.ndarray]]) -> Dataset:
    """Sensors and labels of each run as one table."""
    sizes = [len(y) for _, y in runs]
    names = np.repeat(np.arange(len(runs)), sizes).astype(str).astype(object)
    X = np.vstack([X for X, _ in runs])
    return Dataset(
        features=tuple(f"s{k}" for k in range(X.shape[1])),
        X=X,
        y=np.concatenate([y for _, y in runs]).astype(np.int8),
        equipment=np.full(len(X), "new", dtype=object),
        run=names,
        time=np.concatenate([np.arange(size) for size in sizes]).astype(float),
    )


def simulated(rng: np.random.Generator) -> Machine:
    """A machine that differs from its source in gain and offset, and runs that differ too."""
    far = rng.normal(size=SENSORS) * (rng.random(SENSORS) < 1 / 2) + rng.normal(0, 0.15, SENSORS)
    size, of_run = rng.uniform(0.5, 1.5), rng.uniform(0.3, 1.0)
    gain, offset = np.exp(rng.normal(0, 0.25, SENSORS)), rng.normal(0, 0.6, SENSORS)

    def runs(count: int, rng: np.random.Generator, *, new: bool) -> Dataset:
        drawn = []
        for rows in lengths(count, rng):
            y = (np.arange(rows) >= first_fault(rows, rng)).astype(np.int8)
            X = rng.normal(size=(rows, SENSORS)) + of_run * rng.normal(size=SENSORS)
            X += size * np.outer(y, far)
            drawn.append((X * gain + offset if new else X, y))
        return dataset(drawn)

    old = runs(40, rng, new=False)
    some = rng.permutation(len(old))[:_SOURCE_ROWS]
    return Machine((old.X[some], old.y[some]), lambda count, rng: runs(count, rng, new=True))


def engines(data: Path) -> Callable[[np.random.Generator], Machine]:
    """Pieces of C-MAPSS's engines FD003; the source is FD001."""
    task = next(task for task in TASKS if task.name == "FD001→FD003")
    old, new = read_table(task.source, data), read_table(task.target, data)
    some = np.random.default_rng(0).permutation(len(old))[:_SOURCE_ROWS]
    pieces = [np.flatnonzero(new.run == name) for name in np.unique(new.run.astype(str))]

    def machine(rng: np.random.Generator) -> Machine:
        free = iter(rng.permutation(len(pieces)).tolist())

        def draw(count: int, rng: np.random.Generator) -> Dataset:
            drawn = []
            for rows in lengths(count, rng):
                whole = pieces[next(free)]
                begin = _piece(new.y[whole], int(rows), rng)
                inside = whole[begin : begin + int(rows)]
                drawn.append((new.X[inside], new.y[inside]))
            return dataset(drawn)

        return Machine((old.X[some], old.y[some]), draw)

    return machine


def _piece(y: np.ndarray, rows: int, rng: np.random.Generator) -> int:
    """Where a piece begins that is healthy, faulty throughout, or turns faulty; as far as it goes."""
    turn = int(np.argmax(y)) if y.any() else len(y)
    wanted = turn - first_fault(rows, rng)
    return int(np.clip(wanted, 0, max(len(y) - rows, 0)))


def frozen_source(X: np.ndarray, y: np.ndarray) -> FrozenSource:
    """The source's models without a network."""
    spread, normal = spread_of(X), spread_of(X[y == 0])
    trees = boost(X, y, 0, rounds=60, learning_rate=0.1, min_data_in_leaf=20)
    coef, intercept = fit_logistic(soft_clipped(X, spread), y, 1.0)
    booster = lightgbm.Booster(model_str=trees)
    return FrozenSource(spread, normal, booster, LinearModel(coef, intercept), None)


def fit_one(learner: Learner, source: FrozenSource, pool: tuple, train: Dataset) -> Scorer:
    """A learner fitted on the training rows."""
    rows, maps = _rows(source, pool, train)
    member = learner.fit(rows)
    return lambda X: member_logits(member, Views(source, maps, X))


def fit_stack(source: FrozenSource, pool: tuple, train: Dataset) -> Scorer:
    """The default stack without the members that need the source network."""
    rarer = min(train.faults, len(train) - train.faults)
    folds = fold_rows(train, INNER, 0) if rarer >= FEWEST_TO_WEIGH else ()
    if folds:
        crossed = cross_fit(rivals(), source, pool, train.X, train.y, folds, 0)
        stack = stack_of(crossed, train.y, train.run)
    else:
        rows, maps = _rows(source, pool, train)
        stack = averaged(Stack(tuple(one.fit(rows) for one in fixed_learners()), maps))
    return lambda X: logits(stack, source, X)


def stack_by_others(source: FrozenSource, pool: tuple, week: Dataset, split: Split) -> Fit:
    """The same weighed by the other folds of the week, as the product does; a fold's alone."""
    shared = SharedFits(source, pool, week.X, week.y, 0)

    def fit(rows: np.ndarray) -> Scorer:
        train = week.take(rows)
        others = other_folds(split.folds, rows, week.y) if len(rows) < len(week) else ()
        if min(train.faults, len(train) - train.faults) < FEWEST_TO_WEIGH or not others:
            return fit_stack(source, pool, train)
        learners = rivals()
        logits_of = shared.out_of_fold(learners, others)[:, rows]
        members, maps = shared.members(learners, rows), shared.maps(rows)
        crossed = CrossFit(members, maps, logits_of, numbered(others, rows))
        stack = stack_of(crossed, train.y, train.run)
        return lambda X: logits(stack, source, X)

    return fit


def _rows(
    source: FrozenSource, pool: tuple, train: Dataset
) -> tuple[TrainingRows, dict[str, InputMap]]:
    maps = fit_maps(train.X, train.y, source.spread, source.normal)
    views = Views(source, maps, train.X)
    return TrainingRows(
        views, train.y, source_views(source, pool[0], train.X.shape[1]), pool[1], 0
    ), maps


def one_week(
    machine: Machine, rng: np.random.Generator, *, stack: bool, shuffled: bool
) -> Iterator[tuple[str, str, float, float, float, float, float]]:
    """Contestant or difference, metric, estimate, truth, that of the refit, low and high bound."""
    week, split = _week(machine, rng, shuffled=shuffled)
    new = _drawn(machine, NEW_RUNS, rng, shuffled=shuffled)
    source, pool = frozen_source(*machine.source), machine.source
    fits = {name: _fitter(learner, source, pool, week) for name, learner in LEARNERS.items()}
    if stack:
        fits[STACK] = stack_by_others(source, pool, week, split)
        fits[INSIDE] = lambda rows: fit_stack(source, pool, week.take(rows))
    share = week.y.mean()
    weights = np.where(new.y == 1, share / new.y.mean(), (1 - share) / (1 - new.y.mean()))
    resamples = resample(week.y, clusters_of(week.y, week.run, week.time))
    found, truth, refit, every = {}, {}, {}, np.arange(len(week))
    for name, fit in fits.items():
        scores, true = np.empty(len(week)), []
        for fold in split.folds:
            scorer = fit(fold.train)
            scores[fold.test] = scorer(week.X[fold.test])
            said = scorer(new.X)
            true.append(_areas(new.y, said, weights))
        found[name] = _measured(week, scores, split, resamples)
        truth[name] = dict(zip(METRICS, np.mean(true, axis=0), strict=True))
        refit[name] = dict(zip(METRICS, _areas(new.y, fit(every)(new.X), weights), strict=True))
    yield from _lines(found, truth, refit, resamples)


def _areas(y: np.ndarray, said: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """ROC-AUC, and PR-AUC at the share of faults that the weights give."""
    roc_auc = roc_auc_score(y, said)
    return float(roc_auc), float(average_precision_score(y, said, sample_weight=weights))


def _fitter(learner: Learner, source: FrozenSource, pool: tuple, week: Dataset) -> Fit:
    return lambda rows: fit_one(learner, source, pool, week.take(rows))


def _week(machine: Machine, rng: np.random.Generator, *, shuffled: bool) -> tuple[Dataset, Split]:
    """The first of the drawn weeks that can be cross-fitted by run."""
    while True:
        week = _drawn(machine, int(rng.integers(6, 21)), rng, shuffled=shuffled)
        try:
            split = split_rows(week, OPTIONS, 0)
        except DataError:
            continue
        if split.by == BY_RUN:
            return week, split


def _drawn(machine: Machine, count: int, rng: np.random.Generator, *, shuffled: bool) -> Dataset:
    """Runs of the machine; shuffled, their labels lie anywhere."""
    runs = machine.draw(count, rng)
    return dataclasses.replace(runs, y=rng.permutation(runs.y)) if shuffled else runs


def _measured(
    week: Dataset, scores: np.ndarray, split: Split, resamples: Resamples
) -> dict[str, np.ndarray]:
    order = np.unique(scores, return_inverse=True)[1]
    probabilities = (order + 1) / (order.max() + 2)
    rows = ScoredRows(
        week.y, probabilities, probabilities > 0.5, week.run, week.time, split.fold_numbers
    )
    return resampled_metrics(rows, resamples)


def _lines(
    found: dict[str, dict[str, np.ndarray]],
    truth: dict[str, dict[str, float]],
    refit: dict[str, dict[str, float]],
    resamples: Resamples,
) -> Iterator[tuple[str, str, float, float, float, float, float]]:
    for name, metrics in found.items():
        for metric in METRICS:
            true = truth[name][metric], refit[name][metric]
            yield _line(name, metric, metrics[metric], true, 0.0, resamples)
            if name in (CONSTANT, AS_IS):
                continue
            change = metrics[metric] - found[AS_IS][metric]
            true = true[0] - truth[AS_IS][metric], true[1] - refit[AS_IS][metric]
            yield _line(f"{name} − {AS_IS}", metric, change, true, -1.0, resamples)


def _line(
    name: str,
    metric: str,
    values: np.ndarray,
    true: tuple[float, float],
    least: float,
    resamples: Resamples,
) -> tuple[str, str, float, float, float, float, float]:
    interval = resamples.interval(values, CONFIDENCE, least, 1.0)
    low, high = (interval.low, interval.high) if interval else (np.nan, np.nan)
    return name, metric, float(values[0]), *true, low, high


def table(lines: pd.DataFrame) -> str:
    """Bias, coverage and width by contestant and metric."""
    lines = lines.assign(
        error=lines.estimate - lines.truth,
        covered=(lines.low - 1e-9 <= lines.truth) & (lines.truth <= lines.high + 1e-9),
        width=lines.high - lines.low,
    )
    shown = ["| | metric | truth | bias | ± | covered | width / true spread | refit |"]
    shown.append("|---|---|---:|---:|---:|---:|---:|---:|")
    for (name, metric), given in lines.groupby(["name", "metric"], sort=False):
        known = given.dropna(subset=["low"])
        # Ninety of a hundred errors lie within as much of their mean.
        spread = np.quantile(given.error, 0.95) - np.quantile(given.error, 0.05)
        ratio = f"{known.width.mean() / spread:.2f}" if spread > 1e-9 else "–"
        of_mean = 1.96 * given.error.std() / np.sqrt(len(given))
        shown.append(
            f"| {name} | {metric} | {given.truth.mean():.3f} | {given.error.mean():+.3f} "
            f"| {of_mean:.3f} | {known.covered.mean():.1%} | {ratio} "
            f"| {(given.refit - given.truth).mean():+.3f} |"
        )
    without = lines[lines.metric == METRICS[0]].groupby("name").low.apply(lambda low: low.isna())
    return "\n".join([*shown, "", f"{without.mean():.0%} of weeks have too few runs for bounds."])


def main() -> None:
    """Print a table for simulated machines, and one for C-MAPSS where its folder is given."""
    parser = argparse.ArgumentParser(description="Are metrics from cross-fitting true?")
    parser.add_argument("--data", type=Path, help="folder of the data sets; simulated if left out")
    parser.add_argument("--weeks", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="seed of the first week")
    parser.add_argument(
        "--shuffled", action="store_true", help="labels lie anywhere, and teach nothing"
    )
    parser.add_argument("--no-stack", action="store_true", help="leave out the slow contestant")
    parser.add_argument("--keep", type=Path, help="CSV that takes every line")
    given = parser.parse_args()
    make = engines(given.data) if given.data else simulated
    began, lines, stack = time.process_time(), [], not given.no_stack
    for seed in range(given.first, given.first + given.weeks):
        rng = np.random.default_rng([seed, 16])
        machine = make(rng)
        lines += [
            (seed, *line) for line in one_week(machine, rng, stack=stack, shuffled=given.shuffled)
        ]
    columns = ["week", "name", "metric", "estimate", "truth", "refit", "low", "high"]
    frame = pd.DataFrame(lines, columns=columns)
    if given.keep:
        frame.to_csv(given.keep, index=False)
    kind = "C-MAPSS" if given.data else "simulated machines"
    print(f"{given.weeks} weeks of {kind}, {NEW_RUNS} new runs each\n")
    print(table(frame))
    print(f"\n{time.process_time() - began:.0f} s of processor time.")


if __name__ == "__main__":
    main()
