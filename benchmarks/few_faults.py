"""What comes of weeks with one to seven faults? Prints the table of ``docs/transfer-quality.md``.

    uv run python benchmarks/few_faults.py --data DIR --cache DIR --seeds 13 14 15 16 17 18 19 20

Fifty labelled rows with one to seven faults are drawn from one to three runs (AI4I: from any, as its
runs are single rows) of half of the target's runs. The product divides them, fits its default
strategy, calibrates and chooses the threshold; what it keeps scores the other half's runs. Beside
it: the plain average of four log-odds under the source's scale, and the source's trees as they are.
The source network is built and not trained: the product does not ask it with so few faults.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from transfer_report import score
from transfer_sources import prepare_source
from transfer_tasks import TransferTask, half_of_runs, read_table, some_test_rows, tasks_at

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.calibration import Calibrator
from faultxfer.bundle.frozen import SourceModels
from faultxfer.bundle.members import logits
from faultxfer.bundle.scaler import fit_scaler
from faultxfer.config import NetworkOptions, TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import split_rows
from faultxfer.errors import UserError
from faultxfer.network.arrays import as_arrays
from faultxfer.network.ensemble import build_ensemble
from faultxfer.strategies.alone import fit_together
from faultxfer.strategies.fixed_stack import averaged
from faultxfer.strategies.learners.rivals import PooledBoosting, PooledLinear, SourceThroughMap
from faultxfer.strategies.procedure import run_strategy
from faultxfer.strategies.protocol import Task
from faultxfer.strategies.stack import StackedLearners

ROWS, MOST_FAULTS, MOST_RUNS = 50, 7, 3
PRODUCT, FOUR, AS_IS = "the product", "plain average of four", "source trees as they are"
_FOUR = (
    SourceThroughMap("trees", "source"),
    SourceThroughMap("linear", "source"),
    PooledBoosting("source"),
    PooledLinear("source"),
)
_TRIES = 200
_SMALL = NetworkOptions(members=1)


def draw(data: Dataset, seed: int) -> tuple[Dataset, Dataset] | None:
    """Few rows with few faults of half of the runs, and rows of the other half.

    One of the runs holds the faults. None where no such runs hold enough normal rows.
    """
    rng = np.random.default_rng([seed, 777])
    names, run = np.unique(data.run.astype(str), return_inverse=True)
    faulty = np.bincount(run, weights=data.y) > 0
    half = half_of_runs(faulty, rng)
    faults, runs = int(rng.integers(1, MOST_FAULTS + 1)), int(rng.integers(1, MOST_RUNS + 1))
    for tried in range(_TRIES):
        order = rng.permutation(half)
        chosen = order
        if len(names) < len(data):
            first = order[faulty[order]][:1]
            chosen = np.concatenate([first, order[~np.isin(order, first)][: runs - 1]])
        pool = np.flatnonzero(np.isin(run, chosen))
        sides = [rng.permutation(pool[data.y[pool] == label]) for label in (1, 0)]
        if len(sides[0]) >= faults and len(sides[1]) >= ROWS - faults:
            train = np.sort(np.concatenate([sides[0][:faults], sides[1][: ROWS - faults]]))
            test = some_test_rows(np.flatnonzero(~np.isin(run, half)), rng)
            return data.take(train), data.take(test)
        if tried > _TRIES // 4:
            runs = min(runs + 1, MOST_RUNS)
        if tried > _TRIES // 2:
            faults = max(faults - 1, 1)
    return None


def source_bundle(task: TransferTask, given: argparse.Namespace) -> tuple[Bundle, Dataset]:
    """The source as the product keeps it, and its kept rows."""
    prepared = prepare_source(task.source, given.data, given.cache, network=False)
    frozen, rows = prepared.frozen, read_table(task.source, given.data)
    scaler = fit_scaler(rows.X)
    models = SourceModels(
        frozen.spread, frozen.normal, frozen.trees.model_to_string(), frozen.linear
    )
    bundle = Bundle(
        features=rows.features,
        units={},
        scaler=scaler,
        network=as_arrays(build_ensemble(scaler(rows.X[:1000]), _SMALL)),
        calibrator=Calibrator(),
        threshold=0.5,
        models=models,
    )
    some = np.arange(len(prepared.y))
    kept = Dataset(
        rows.features, prepared.X, prepared.y, *(np.full(len(some), "0", dtype=object),) * 2, some
    )
    return bundle, kept


def one_draw(task: Task, test: Dataset) -> Iterator[tuple[str, float, float, float, str]]:
    """Contestant, score, recall, false-alarm rate and what became of it."""
    options = task.options
    try:
        split = split_rows(task.target, options.split, options.seed)
        bundle, _, _ = run_strategy(StackedLearners(), task, split)
    except UserError as error:
        yield PRODUCT, np.nan, np.nan, np.nan, f"refused: {error}"
        return
    said = bundle.probabilities(test.X)
    alarms = bundle.alarms(said)
    odd = not np.isfinite(said).all() or np.ptp(said) < 1e-6
    became = "not finite, or constant" if odd else split.by
    rates = float(alarms[test.y == 1].mean()), float(alarms[test.y == 0].mean())
    yield PRODUCT, score(test.y, bundle.logits(test.X)), *rates, became
    frozen = task.source.frozen
    for name, learners in ((FOUR, _FOUR), (AS_IS, _FOUR[:1])):
        stack = averaged(fit_together(learners, task, name))
        yield name, score(test.y, logits(stack, frozen, test.X)), np.nan, np.nan, ""


def measured(given: argparse.Namespace) -> pd.DataFrame:
    """A line for each draw and contestant."""
    lines = []
    for pair in tasks_at(given.data):
        source, kept = source_bundle(pair, given)
        data = read_table(pair.target, given.data)
        for seed in given.seeds:
            drawn = draw(data, seed)
            if drawn is None:
                continue
            train, test = drawn
            task = Task(source, train, kept, TransferOptions(seed=seed))
            for line in one_draw(task, test):
                lines.append((pair.name, seed, train.faults, len(set(train.run)), *line))
        print(f"{pair.name}: {sum(line[0] == pair.name for line in lines)} lines", flush=True)
    columns = ["pair", "seed", "faults", "runs", "contestant", "score", "recall", "rate", "became"]
    return pd.DataFrame(lines, columns=columns)


def interval(differences: pd.DataFrame, draws: int = 2000) -> tuple[float, float, float]:
    """Mean of pairs, and its 95 % bounds from a bootstrap over pairs and draws."""
    rng = np.random.default_rng(0)
    by_pair = [group.dropna().to_numpy() for _, group in differences.groupby(level="pair")]
    by_pair = [values for values in by_pair if len(values)]
    means = []
    for _ in range(draws):
        pairs = rng.integers(len(by_pair), size=len(by_pair))
        means.append(np.mean([rng.choice(by_pair[k], len(by_pair[k])).mean() for k in pairs]))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(np.mean([values.mean() for values in by_pair])), float(low), float(high)


def table(lines: pd.DataFrame) -> str:
    """Scores by pair, and the product minus the others."""
    scores = lines.pivot_table(index=["pair", "seed"], columns="contestant", values="score")
    by_pair = scores.groupby(level="pair", sort=False).mean()
    counts = scores.groupby(level="pair", sort=False).size()
    names = [PRODUCT, FOUR, AS_IS]
    shown = [f"| pair | draws | {' | '.join(names)} |", f"|---|---:|{'---:|' * len(names)}"]
    for pair, values in by_pair.iterrows():
        cells = " | ".join(f"{values[name]:.3f}" for name in names)
        shown.append(f"| {pair} | {counts[pair]} | {cells} |")
    cells = " | ".join(f"{by_pair[name].mean():.3f}" for name in names)
    shown += [f"| **mean of pairs** | {len(scores)} | {cells} |", ""]
    for name in names[1:]:
        mean, low, high = interval(scores[PRODUCT] - scores[name])
        shown.append(f"{PRODUCT} − {name}: {mean:+.3f} [{low:+.3f}, {high:+.3f}]")
    own = lines[lines.contestant == PRODUCT]
    shown += [
        "",
        "what became of it:",
        *(f"- {k}: {n}" for k, n in own.became.value_counts().items()),
    ]
    shown.append(
        f"recall {own.recall.mean():.2f} at {own.rate.mean():.1%} false alarms (5 % asked)"
    )
    return "\n".join(shown)


def main() -> None:
    """Draw, fit and print."""
    parser = argparse.ArgumentParser(description="What comes of weeks with few faults?")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--cache", type=Path, required=True, help="folder for source models")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(13, 21)))
    parser.add_argument("--keep", type=Path, help="CSV that takes every line")
    given = parser.parse_args()
    lines = measured(given)
    if given.keep:
        lines.to_csv(given.keep, index=False)
    print(table(lines))


if __name__ == "__main__":
    main()
