"""How alike are two models of one machine? Prints what ``gate_calibration.py`` assumes of champion and challenger.

    uv run python benchmarks/retrain_likeness.py --cache DIR

DIR is the cache of ``transfer_quality.py``. A stack of few labelled rows stands for the champion,
one of more rows of the same machine for the challenger; both are asked about the same test rows, of
runs that neither has seen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import norm, rankdata
from transfer_report import read_cells, stacked

GROUPS = ("rivals", "trees", "neural")


def main() -> None:
    """Print quartiles over machine pairs, seeds and classes."""
    parser = argparse.ArgumentParser(description="How alike are two models of one machine?")
    parser.add_argument("--cache", type=Path, required=True, help="cache of transfer_quality.py")
    parser.add_argument(
        "--rows", type=int, nargs=2, default=[50, 200], help="labelled rows of the two"
    )
    arguments = parser.parse_args()
    few, many = arguments.rows
    cells = {
        (cell.task, cell.rows, cell.seed): cell
        for cell in read_cells(arguments.cache / "cells", GROUPS)
    }
    correlations: list[float] = []
    shares: list[float] = []
    pairs = 0
    for (task, rows, seed), cell in cells.items():
        other = cells.get((task, many, seed))
        if rows != few or other is None or not np.array_equal(cell.test_y, other.test_y):
            # of large machines the test rows are a sample, another one for each number of rows
            continue
        with np.load(arguments.cache / "cells" / task / f"{rows}-{seed}-{GROUPS[0]}.npz") as stored:
            run = stored["test_run"]
        pairs += 1
        for label in (0, 1):
            mine = cell.test_y == label
            one, two = (
                norm.ppf((rankdata(z[mine]) - 0.5) / mine.sum())
                for z in (stacked(cell), stacked(other))
            )
            correlations.append(float(np.corrcoef(one, two)[0, 1]))
            shares.append(share_of_runs(one - two, run[mine]))
    print(f"{pairs} pairs of stacks of {few} and {many} rows, both classes apart; quartiles of")
    print(
        "- the correlation of their scores:", np.quantile(correlations, [0.25, 0.5, 0.75]).round(2)
    )
    print(
        "- the share of whole runs in what they disagree in:",
        np.nanquantile(shares, [0.25, 0.5, 0.75]).round(2),
    )


def share_of_runs(values: np.ndarray, run: np.ndarray) -> float:
    """Intraclass correlation of (m,) values by one-way analysis of variance.

    NaN where runs are single rows.
    """
    index = np.unique(run, return_inverse=True)[1]
    count = np.bincount(index)
    rows, runs = len(values), len(count)
    if runs < 3 or rows - runs < 5:
        return float("nan")
    mean = np.bincount(index, weights=values) / count
    between = float((count * (mean - values.mean()) ** 2).sum()) / (runs - 1)
    within = float(((values - mean[index]) ** 2).sum()) / (rows - runs)
    size = (rows - float((count**2).sum()) / rows) / (runs - 1)
    return (between - within) / (between + (size - 1) * within)


if __name__ == "__main__":
    main()
