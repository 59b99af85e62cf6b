"""What a source model loses by learning from a sample of its training rows.

    uv run python benchmarks/pretrain_sample.py --data DIR [--share 0.25] [--seeds 3] [--only FD001]

`pretrain` lets trees and network learn from at most 100,000 rows and 20 million readings. Here the
limit is lowered to a share of the training rows, so that it bites on data of which all rows fit
too: C-MAPSS from ``DIR/cmapss`` and simulated pumps. For each seed, which draws the sides, the
sample and the weights, the source model is fitted as `pretrain` fits it on the sample and on all
training rows, and judged on the same test runs. Printed are PR-AUCs, and the mean difference with
its 95 % interval beside the goal: at most .005 lost.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from faultxfer.environment import prepare_command

prepare_command()

import numpy as np  # noqa: E402  # after the environment is set
from scipy import stats  # noqa: E402
from transfer_tasks import TASKS, Table, read_table  # noqa: E402

from faultxfer.config import PretrainOptions  # noqa: E402
from faultxfer.data.dataset import Dataset  # noqa: E402
from faultxfer.data.split import divide_runs  # noqa: E402
from faultxfer.evaluate.metrics import measure  # noqa: E402
from faultxfer.steps import pretraining  # noqa: E402

MOST_LOST = 0.005
TABLES = {
    table.name: table
    for task in TASKS
    for table in (task.source, task.target)
    if table.name in ("FD001", "FD003", "pumps")
}


def main() -> None:
    """Print a line for each table and seed, and the mean difference."""
    parser = argparse.ArgumentParser(description="A source model from a sample of its rows.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--share", type=float, default=0.25, help="of the training rows")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(TABLES), default=list(TABLES))
    given = parser.parse_args()
    print("| rows of | seed | rows, all | sample | PR-AUC, all | sample | difference | s | s |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    lost = [
        one
        for name in given.only
        for one in compared(TABLES[name], given.data, given.share, range(given.seeds))
    ]
    mean = float(np.mean(lost))
    half = stats.t.ppf(0.975, len(lost) - 1) * np.std(lost, ddof=1) / np.sqrt(len(lost))
    met = "kept" if mean <= MOST_LOST else "missed"
    print(f"\nLost on average {mean:.4f} ± {half:.4f} of {len(lost)}; goal {MOST_LOST}: {met}.")


def compared(table: Table, folder: Path, share: float, seeds: Sequence[int]) -> list[float]:
    """PR-AUC of all rows above that of the sample, for each seed."""
    data = read_table(table, folder)
    lost = []
    for seed in seeds:
        options = PretrainOptions(seed=seed, sensor_dropout=0)
        shares = (options.validation_share, options.test_share)
        sides = [data.take(rows) for rows in divide_runs(data, shares, seed)]
        most = len(sides[0])
        every, rows, seconds = learnt(sides, options, most)
        some, fewer, quicker = learnt(sides, options, round(share * most))
        lost.append(every - some)
        cells = [table.name, seed, rows, fewer, f"{every:.4f}", f"{some:.4f}"]
        cells += [f"{some - every:+.4f}", f"{seconds:.0f}", f"{quicker:.0f}"]
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
    return lost


def learnt(sides: list[Dataset], options: PretrainOptions, most: int) -> tuple[float, int, float]:
    """PR-AUC on the test side, rows that were learnt from, and seconds of the processor."""
    train, validation, test = sides
    pretraining._MOST_ROWS = most
    units = {name: SimpleNamespace(unit="") for name in train.features}
    job: Any = SimpleNamespace(
        request=SimpleNamespace(options=options), contract=SimpleNamespace(sensors=units)
    )
    began = sum(os.times()[:2])
    some = pretraining._learnt_from(train, options.seed)
    bundle, _ = pretraining._fit(train, some, validation, job)
    spent = sum(os.times()[:2]) - began
    judged = pretraining._judged(bundle, test)
    return measure(judged.y, judged.probabilities, judged.alarms).pr_auc, len(some), spent


if __name__ == "__main__":
    main()
