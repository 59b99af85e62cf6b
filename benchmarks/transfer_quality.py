"""Does transfer beat honest rivals? Prints the tables of ``docs/transfer-quality.md``.

    uv run python benchmarks/transfer_quality.py --data DIR --cache DIR

Every contestant sees the same N target rows and is judged on the same rows of other runs. What each candidate says out
of fold and of the test rows is kept in the cache, so that an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from transfer_report import read_cells, report
from transfer_sources import PreparedSource, prepare_source, source_figures
from transfer_tasks import TASKS, TransferTask, draw_cell, read_table

from faultxfer.bundle.frozen import Views
from faultxfer.bundle.members import member_logits
from faultxfer.config import SplitOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import fold_rows
from faultxfer.strategies.candidates import (
    Candidate,
    instance_transfers,
    neural_transfers,
    pooled_heads,
    rivals,
    tree_transfers,
)
from faultxfer.strategies.selector import cross_fit

FOLDS = SplitOptions(folds=4)


def groups() -> dict[str, tuple[Candidate, ...]]:
    """Candidates by group; each group is measured and kept apart."""
    return {
        "rivals": rivals(),
        "trees": tree_transfers(),
        "neural": neural_transfers(),
        "instances": instance_transfers(),
        "pooled-heads": pooled_heads(),
    }


def main() -> None:
    """Measure what is missing in the cache and print the tables."""
    parser = argparse.ArgumentParser(description="Does transfer beat honest rivals?")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--cache", type=Path, required=True, help="folder for source models and results")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 200, 1000])
    parser.add_argument("--groups", nargs="+", choices=list(groups()), default=list(groups()))
    parser.add_argument("--tasks", nargs="+", choices=[task.name for task in TASKS])
    parser.add_argument("--report", action="store_true", help="only print the tables of what is in the cache")
    parser.add_argument("--source-networks", action="store_true", help="only print how the source networks compare")
    arguments = parser.parse_args()
    if arguments.source_networks:
        print(source_table(arguments.data, arguments.cache))
        return
    if not arguments.report:
        _measure_all(arguments)
    if "rivals" in arguments.groups:  # without them there is nothing to compare with
        cells = read_cells(arguments.cache, arguments.groups)
        print(report([c for c in cells if c.rows in arguments.rows and c.seed in arguments.seeds]))


def _measure_all(arguments: argparse.Namespace) -> None:
    for task in TASKS:
        if not arguments.tasks or task.name in arguments.tasks:
            _measure_task(task, arguments)


def source_table(data: Path, cache: Path) -> str:
    """PR-AUC and ROC-AUC of source network and LightGBM on source runs that neither has seen."""
    lines = [
        "| source | network PR-AUC | LightGBM PR-AUC | network ROC-AUC | LightGBM ROC-AUC |",
        "|---|---:|---:|---:|---:|",
    ]
    for table in {task.source.name: task.source for task in TASKS}.values():
        figures = source_figures(table, data, cache)
        lines.append(f"| {table.name} | {' | '.join(f'{value:.3f}' for value in figures)} |")
    return "\n".join(lines)


def _measure_task(task: TransferTask, arguments: argparse.Namespace) -> None:
    todo = [
        (rows, seed, group)
        for rows in arguments.rows
        for seed in arguments.seeds
        for group in arguments.groups
        if not cell_path(arguments.cache, task.name, rows, seed, group).exists()
    ]
    if not todo:
        return
    source = prepare_source(
        task.source, arguments.data, arguments.cache, network=bool({"neural", "pooled-heads"} & set(arguments.groups))
    )
    target = read_table(task.target, arguments.data)
    for rows, seed, group in todo:
        path = cell_path(arguments.cache, task.name, rows, seed, group)
        path.parent.mkdir(parents=True, exist_ok=True)
        seconds = measure_cell(source, target, rows, seed, groups()[group], path)
        if seconds:
            print(f"{task.name} N={rows} seed={seed} {group}: {seconds:.1f} s", flush=True)


def cell_path(cache: Path, task: str, rows: int, seed: int, group: str) -> Path:
    """Where one cell's logits are kept."""
    return cache / "cells" / task.replace(" ", "_") / f"{rows}-{seed}-{group}.npz"


def measure_cell(
    source: PreparedSource, target: Dataset, rows: int, seed: int, candidates: Sequence[Candidate], path: Path
) -> float:
    """Out-of-fold and test logits of the candidates, written to ``path``; returns seconds, 0 where N is too large."""
    cell = draw_cell(target, rows, seed)
    if cell is None:
        return 0.0
    began = time.process_time()  # a busy machine must not look like a slow method
    folds = fold_rows(cell.train, FOLDS, seed)
    crossed = cross_fit(candidates, source.frozen, (source.X, source.y), cell.train.X, cell.train.y, folds, seed)
    seconds = time.process_time() - began
    views = Views(source.frozen, crossed.maps, cell.test.X)
    np.savez_compressed(
        path,
        names=np.array([member.name for member in crossed.members]),
        families=np.array([member.family for member in crossed.members]),
        rival=np.array([candidate.rival for candidate in candidates]),
        neural=np.array([candidate.neural for candidate in candidates]),
        logits=crossed.logits.astype(np.float32),
        folds=crossed.folds,
        y=cell.train.y,
        test=np.array([member_logits(member, views) for member in crossed.members], dtype=np.float32),
        test_y=cell.test.y,
        test_run=np.unique(cell.test.run.astype(str), return_inverse=True)[1],
        seconds=seconds,
    )
    return seconds


if __name__ == "__main__":
    main()
