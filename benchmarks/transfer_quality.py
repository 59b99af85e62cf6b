"""Does transfer beat honest rivals? Prints the tables of ``docs/transfer-quality.md``.

    uv run python benchmarks/transfer_quality.py --data DIR --cache DIR

Every contestant sees the same N target rows and is judged on the same rows of other runs. What each
learner says out of fold and of the test rows is kept in the cache, so that an interrupted run goes
on where it stopped.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.special import expit
from transfer_report import ADAPT, read_cells, report
from transfer_sources import PreparedSource, prepare_source, source_figures
from transfer_tasks import TASKS, Cell, TransferTask, draw_cell, read_table, tasks_at

from faultxfer.bundle.frozen import Views
from faultxfer.bundle.input_map import MAPS, TARGET
from faultxfer.bundle.members import ADAPTED, Member, logits, member_logits
from faultxfer.config import SplitOptions
from faultxfer.data.split import fold_rows
from faultxfer.strategies.learners import Learner, SourceThroughMap, default_learners, rivals
from faultxfer.strategies.learners.heads import AdaptedInput, WideHead
from faultxfer.strategies.learners.instances import ReweightedBoosting, TrAdaBoost
from faultxfer.strategies.learners.pooled_head import PooledHead
from faultxfer.strategies.selector import cross_fit, stack_of
from faultxfer.strategies.single_network import distil

FOLDS = SplitOptions(folds=4)


def groups() -> dict[str, tuple[Learner, ...]]:
    """Learners by group; each group is measured and kept apart."""
    return {
        "rivals": rivals(),
        "network": tuple(SourceThroughMap("network", name) for name in MAPS),
        # Learners that only a strategy of its own uses, under the map that is its default.
        "selectable": (
            WideHead("source"),
            AdaptedInput("source", 1.0),
            ReweightedBoosting("source"),
            TrAdaBoost("source"),
            PooledHead("target"),
        ),
    }


def main() -> None:
    """Measure what is missing in the cache and print the tables."""
    parser = argparse.ArgumentParser(description="Does transfer beat honest rivals?")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder for source models and results"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(3, 13)))
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 200, 1000])
    parser.add_argument(
        "--groups",
        nargs="+",
        choices=[*groups(), *OTHERS],
        default=["rivals", "network"],
        help="of contestants",
    )
    parser.add_argument(
        "--spread", action="store_true", help="draw the N rows from all runs, not from few"
    )
    parser.add_argument("--tasks", nargs="+", choices=[task.name for task in TASKS])
    parser.add_argument(
        "--report", action="store_true", help="only print the tables of what is in the cache"
    )
    parser.add_argument(
        "--source-networks", action="store_true", help="only print how the source networks compare"
    )
    arguments = parser.parse_args()
    if arguments.source_networks:
        print(source_table(arguments.data, arguments.cache))
        return
    if not arguments.report:
        _measure_all(arguments)
    if {"rivals", "network"} <= set(arguments.groups):  # without them there is nothing to compare
        cells = read_cells(cell_folder(arguments), [*arguments.groups, ADAPT])
        print(report([c for c in cells if c.rows in arguments.rows and c.seed in arguments.seeds]))


def _measure_all(arguments: argparse.Namespace) -> None:
    for task in tasks_at(arguments.data):
        if not arguments.tasks or task.name in arguments.tasks:
            _measure_task(task, arguments)


def source_table(data: Path, cache: Path) -> str:
    """PR-AUC and ROC-AUC of source network and LightGBM on source runs that neither has seen."""
    lines = [
        "| source | network PR-AUC | LightGBM PR-AUC | network ROC-AUC | LightGBM ROC-AUC |",
        "|---|---:|---:|---:|---:|",
    ]
    for table in {task.source.name: task.source for task in tasks_at(data)}.values():
        figures = source_figures(table, data, cache)
        lines.append(f"| {table.name} | {' | '.join(f'{value:.3f}' for value in figures)} |")
    return "\n".join(lines)


def _measure_task(task: TransferTask, arguments: argparse.Namespace) -> None:
    folder = cell_folder(arguments) / task.name.replace(" ", "_")
    todo = [
        (rows, seed, group)
        for rows in arguments.rows
        for seed in arguments.seeds
        for group in arguments.groups
        if not (folder / f"{rows}-{seed}-{group}.npz").exists()
    ]
    if not todo:
        return
    folder.mkdir(parents=True, exist_ok=True)
    source = prepare_source(
        task.source, arguments.data, arguments.cache, network=_need_network(arguments.groups)
    )
    target = read_table(task.target, arguments.data)
    for rows, seed, group in todo:
        cell = draw_cell(target, rows, seed, few_runs=not arguments.spread)
        if cell is None:
            continue
        began = time.process_time()  # a busy machine must not look like a slow method
        found = (
            OTHERS[group](source, cell, seed)
            if group in OTHERS
            else measure(source, cell, seed, group)
        )
        seconds = time.process_time() - began
        np.savez_compressed(
            folder / f"{rows}-{seed}-{group}.npz",
            **found,
            test_y=cell.test.y,
            seconds=np.array(seconds),
        )
        print(f"{task.name} N={rows} seed={seed} {group}: {seconds:.1f} s", flush=True)


def _need_network(names: Sequence[str]) -> bool:
    return any(name != "rivals" for name in names)


def cell_folder(arguments: argparse.Namespace) -> Path:
    """Where the cells' logits are kept."""
    return Path(arguments.cache / ("spread-cells" if arguments.spread else "cells"))


def measure(source: PreparedSource, cell: Cell, seed: int, group: str) -> dict[str, np.ndarray]:
    """Out-of-fold and test logits of the learners of a group."""
    learners = groups()[group]
    folds = fold_rows(cell.train, FOLDS, seed)
    crossed = cross_fit(
        learners, source.frozen, (source.X, source.y), cell.train.X, cell.train.y, folds, seed
    )
    views = Views(source.frozen, crossed.maps, cell.test.X)
    return {
        "names": np.array([member.name for member in crossed.members]),
        "families": np.array([member.family for member in crossed.members]),
        "rival": np.full(len(learners), group == "rivals"),
        "neural": np.array([_uses_network(member) for member in crossed.members]),
        "logits": crossed.logits.astype(np.float32),
        "folds": crossed.folds,
        "y": cell.train.y,
        "test": np.array(
            [member_logits(member, views) for member in crossed.members], dtype=np.float32
        ),
    }


def _uses_network(member: Member) -> bool:
    return member.kind == ADAPTED or any(
        block.kind in ("network", "hidden") for block in member.blocks
    )


def measure_single_network(source: PreparedSource, cell: Cell, seed: int) -> dict[str, np.ndarray]:
    """Test logits of one network distilled from the default stack."""
    folds = fold_rows(cell.train, FOLDS, seed)
    X, y = cell.train.X, cell.train.y
    crossed = cross_fit(default_learners(), source.frozen, (source.X, source.y), X, y, folds, seed)
    stack = stack_of(crossed, y, cell.train.run)
    network, scaler, _ = distil(
        lambda rows: expit(logits(stack, source.frozen, rows)),
        X,
        source.X,
        stack.maps[TARGET],
        seed,
    )
    said = network.logits(scaler(cell.test.X))
    return {"names": np.array(["single network"]), "test": said[None].astype(np.float32)}


# Contestants outside the stack: only what they say of the test rows is kept.
OTHERS = {"single": measure_single_network}


if __name__ == "__main__":
    main()
