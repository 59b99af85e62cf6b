"""Is a detector better that looks along a recording? Prints the table of ``docs/time.md``.

    uv run python benchmarks/time_quality.py --data DIR --cache DIR

Recordings are cut at random places before anything else (``recordings.py``), whole ones are
labelled until there are N rows, and the recordings of the other half judge. The stack is the
default one, without the source network unless ``--network`` is given; what it says is smoothed in
the way that its own rows held out choose. Beside it stands a rival that knows nothing but how far
the start of the recording is away.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from recordings import cells_of, cut, draw_recordings, has_recordings, in_order, position
from sklearn.metrics import average_precision_score, roc_auc_score
from transfer_sources import PreparedSource, prepare_source, with_windows
from transfer_tasks import TASKS, Cell, TransferTask, read_table, tasks_at

from faultxfer.bundle.members import logits
from faultxfer.config import SplitOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import Fold, fold_rows
from faultxfer.data.windows import RowWindows, widened
from faultxfer.strategies.learners import (
    Learner,
    default_learners,
    learners_over_windows,
    rivals,
)
from faultxfer.strategies.selector import cross_fit_shared, row_counts, stack_of, weigh
from faultxfer.strategies.shared_fits import SharedFits
from faultxfer.strategies.smoothing_choice import best_way, smoothed, ways_to_smooth
from faultxfer.strategies.window_models import windows_like

FOLDS, RESAMPLES = SplitOptions(folds=4), 2000
# A cell is worse where the interval over its seeds lies below this.
WORSE = -0.01


def main() -> None:
    """Measure what is missing in the cache, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--cache", type=Path, required=True, help="folder for models and results")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(33, 43)))
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 200, 1000])
    parser.add_argument("--tasks", nargs="+", choices=[task.name for task in TASKS])
    parser.add_argument("--network", action="store_true", help="with the source network")
    parser.add_argument("--uncut", action="store_true", help="leave the recordings whole")
    asked = parser.parse_args()
    found = [line for task in tasks_at(asked.data) for line in _of_task(task, asked)]
    print(table(found))


def _of_task(task: TransferTask, asked: argparse.Namespace) -> list[dict[str, Any]]:
    kind = f"windows{'-network' if asked.network else ''}{'-uncut' if asked.uncut else ''}"
    cells = cells_of(task, asked, kind, lambda todo: _measured(task, todo, asked))
    return [{"task": task.name, **cell} for cell in cells]


def _measured(
    task: TransferTask, todo: list[tuple[int, int]], asked: argparse.Namespace
) -> Iterator[tuple[str, dict[str, Any] | None]]:
    target = in_order(read_table(task.target, asked.data))
    if not has_recordings(target):
        yield from ((f"{rows}-{seed}", None) for rows, seed in todo)
        return
    source = prepare_source(task.source, asked.data, asked.cache, network=asked.network)
    source = with_windows(source, task.source, asked.data)
    for rows, seed in todo:
        data = target if asked.uncut else cut(target, np.random.default_rng([seed, 77]))
        cell = draw_recordings(data, rows, seed)
        yield f"{rows}-{seed}", cell and _cell(source, cell, rows, seed, network=asked.network)


def _cell(
    source: PreparedSource, cell: Cell, rows: int, seed: int, *, network: bool
) -> dict[str, Any] | None:
    """Scores by rows alone and along the recording; None where the rows cannot be divided."""
    train, test = cell.train, cell.test
    folds = fold_rows(train, FOLDS, seed)
    if not folds or test.faults in (0, len(test)):
        return None
    learners = default_learners() if network else rivals()
    places = position(test)
    found: dict[str, Any] = {
        "rows": rows,
        "seed": seed,
        "position": max(score(test.y, places), score(test.y, -places)),
    }
    found["plain"], found["smoothed"], found["way"], _ = _scored(
        source, train, test, folds, learners, seed
    )
    if source.over_windows is None:
        return {**found, "windows": found["plain"], "both": found["smoothed"], "weight": 0.0}
    number = np.zeros(len(train), dtype=int)
    for place, fold in enumerate(folds):
        number[fold.test] = place
    train = windows_like(source.over_windows, train, number)
    if train.windows is None:
        return {**found, "windows": found["plain"], "both": found["smoothed"], "weight": 0.0}
    values = train.windows.windows(test.X, test.moments)
    test = dataclasses.replace(test, windows=RowWindows(train.windows.windows, values))
    learners = (*learners, *learners_over_windows())
    found["windows"], found["both"], found["way"], found["weight"] = _scored(
        source, train, test, folds, learners, seed
    )
    return found


def _scored(
    source: PreparedSource,
    train: Dataset,
    test: Dataset,
    folds: tuple[Fold, ...],
    learners: tuple[Learner, ...],
    seed: int,
) -> tuple[float, float, int, float]:
    """Scores of a stack without and with smoothing, how it smooths, and the weight of windows."""
    over, windows = None, None
    if train.windows is not None and test.windows is not None and source.wide is not None:
        wide = widened(train.X, train.windows.values)
        over = SharedFits(source.frozen.over_windows, source.wide, wide, train.y, seed)
        windows = test.windows.values
    kept = source.X, source.y
    fits = SharedFits(source.frozen, kept, train.X, train.y, seed, over_windows=over)
    crossed = cross_fit_shared(learners, fits, folds)
    _, held = weigh(crossed, train.y, row_counts(crossed, train.y, train.run))
    stack = stack_of(crossed, train.y, train.run)
    said, ways = logits(stack, source.frozen, test.X, windows), ways_to_smooth(train)
    inside = train.moments.apart(crossed.folds)
    best = best_way([smoothed(held, way, inside) for way in ways], train.y, train.run)
    weight = sum(member.weight for member in stack.members if member.over_windows)
    smooth = score(test.y, smoothed(said, ways[best], test.moments))
    return score(test.y, said), smooth, best, weight


def score(y: np.ndarray, said: np.ndarray) -> float:
    """Mean of PR-AUC and ROC-AUC."""
    return float(average_precision_score(y, said) + roc_auc_score(y, said)) / 2


def table(lines: list[dict[str, Any]]) -> str:
    """Means by pair and N, what they differ by, and the mean over all pairs."""
    cells: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        cells[line["task"], line["rows"]].append(line)
    said = [
        "| pair | N | draws | position alone | each row alone | smoothed | windows | both "
        "| difference | weight of windows | not, 1, 2.7 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|---:|---|",
    ]
    worse = 0
    for (task, rows), own in cells.items():
        means = [np.mean([one[name] for one in own]) for name in _MEANS]
        gains = gains_of(own)
        low, high = interval([gains])
        worse += high < WORSE
        ways = np.bincount([one["way"] for one in own], minlength=3)
        figures = " | ".join(f"{mean:.3f}".lstrip("0") for mean in means)
        change = f"{gains.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
        weight = f"{np.mean([one['weight'] for one in own]):.2f}".lstrip("0")
        chosen = ", ".join(map(str, ways))
        said.append(
            f"| {task} | {rows} | {len(own)} | {figures} | {change} | {weight} | {chosen} |"
        )
    pairs = list(dict.fromkeys(task for task, _ in cells))
    for name in ("smoothed", "windows", "both"):
        by_pair = [
            np.concatenate([gains_of(cells[key], name) for key in cells if key[0] == p])
            for p in pairs
        ]
        low, high = interval(by_pair)
        mean = np.mean([gains.mean() for gains in by_pair])
        said.append(f"\n{name}: mean over {len(pairs)} pairs {mean:+.3f} [{low:+.3f}, {high:+.3f}]")
    return "\n".join(said) + f"\n\nWith both worse in {worse} of {len(cells)} cells."


_MEANS = ("position", "plain", "smoothed", "windows", "both")


def gains_of(lines: list[dict[str, Any]], name: str = "both") -> np.ndarray:
    """(k,) what that gains over rows alone in each draw."""
    return np.array([line[name] - line["plain"] for line in lines])


def interval(groups: list[np.ndarray]) -> tuple[float, float]:
    """95 % of the mean of the groups' means, by drawing groups, then draws inside them."""
    rng = np.random.default_rng(0)
    means = []
    for _ in range(RESAMPLES):
        drawn = [groups[one] for one in rng.integers(len(groups), size=len(groups))]
        means.append(np.mean([rng.choice(one, len(one)).mean() for one in drawn]))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    main()
