"""Is a source that knows nothing ever preferred over none? Prints a table of ``docs/transfer-quality.md``.

    uv run python benchmarks/useless_sources.py --data DIR --cache DIR

The source's labels are permuted, or its sensors shuffled (each column read as another one), all
source models trained anew on that, and the default stack fitted on N target rows with them. Counted
is how often the rows at hand are said to show that the source helps, and what the useless source
costs against a stack without any.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
from transfer_quality import FOLDS
from transfer_report import score
from transfer_sources import PreparedSource, prepare_source
from transfer_tasks import Cell, Table, draw_cell, read_table, tasks_at

from faultxfer.bundle.frozen import Views
from faultxfer.bundle.members import member_logits
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import fold_rows
from faultxfer.evaluate.intervals import clopper_pearson
from faultxfer.strategies.learners import default_learners
from faultxfer.strategies.selector import CrossFit, cross_fit, stack_of
from faultxfer.strategies.source_benefit import HELPS, source_benefit, without_source

AS_IT_IS, PERMUTED, SHUFFLED = "as it is", "labels permuted", "sensors shuffled"


def main() -> None:
    """Run what is missing in the cache and print the table."""
    parser = argparse.ArgumentParser(description="Is a useless source ever preferred over none?")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder for source models and results"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 4, 5, 6])
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 200])
    arguments = parser.parse_args()
    print(
        "| source | runs | said to help | 95 % | said to hurt | test score against no source | "
        "worse by > 0.01 |"
    )
    print("|---|---:|---:|---|---:|---:|---:|")
    for kind in (AS_IT_IS, PERMUTED, SHUFFLED):
        verdicts, gains = _run(kind, arguments)
        counts = Counter(verdicts)
        share = clopper_pearson(counts[HELPS], len(verdicts), 0.975)
        print(
            f"| {kind} | {len(verdicts)} | {counts[HELPS]} | {share.low:.1%} to {share.high:.1%} "
            f"| {counts['hurts']} | "
            f"{np.mean(gains):+.3f} | {np.mean(np.array(gains) < -0.01):.0%} |",
            flush=True,
        )


def _run(kind: str, arguments: argparse.Namespace) -> tuple[list[str], list[float]]:
    verdicts, gains = [], []
    for task in tasks_at(arguments.data):
        path = (
            arguments.cache
            / "useless"
            / kind.replace(" ", "-")
            / f"{task.name.replace(' ', '_')}.npz"
        )
        if not path.exists():
            _measure(kind, task.source, read_table(task.target, arguments.data), path, arguments)
        with np.load(path) as stored:
            verdicts += stored["verdicts"].tolist()
            gains += stored["gains"].tolist()
    return verdicts, gains


def _measure(
    kind: str, table: Table, target: Dataset, path: Path, arguments: argparse.Namespace
) -> None:
    spoiled = table if kind == AS_IT_IS else dataclasses.replace(table, name=f"{table.name} {kind}")
    change = {AS_IT_IS: None, PERMUTED: _permuted, SHUFFLED: _shuffled}[kind]
    source = prepare_source(spoiled, arguments.data, arguments.cache, network=True, change=change)
    found = []
    for rows in arguments.rows:
        for seed in arguments.seeds:
            cell = draw_cell(target, rows, seed)
            if cell is not None:
                found.append(_judge(source, cell, seed))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, verdicts=[verdict for verdict, _ in found], gains=[gain for _, gain in found])


def _permuted(data: Dataset) -> Dataset:
    return dataclasses.replace(data, y=np.random.default_rng(1).permutation(data.y))


def _shuffled(data: Dataset) -> Dataset:
    order = np.random.default_rng(1).permutation(data.X.shape[1])
    return dataclasses.replace(data, X=np.ascontiguousarray(data.X[:, order]))


def _judge(source: PreparedSource, cell: Cell, seed: int) -> tuple[str, float]:
    folds = fold_rows(cell.train, FOLDS, seed)
    X, y = cell.train.X, cell.train.y
    crossed = cross_fit(default_learners(), source.frozen, (source.X, source.y), X, y, folds, seed)
    verdict = source_benefit(crossed, y, cell.train.run).verdict
    return verdict, _score(source, crossed, cell) - _score(source, without_source(crossed), cell)


def _score(source: PreparedSource, crossed: CrossFit, cell: Cell) -> float:
    stack = stack_of(crossed, cell.train.y, cell.train.run)
    views = Views(source.frozen, stack.maps, cell.test.X)
    said = sum(m.weight * (m.slope * member_logits(m, views) + m.offset) for m in stack.members)
    return score(cell.test.y, np.asarray(said))


if __name__ == "__main__":
    main()
