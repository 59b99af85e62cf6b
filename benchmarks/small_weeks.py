"""Small weeks of new machines, beside the release before. Prints a table of ``docs/alarms.md``.

    uv run python benchmarks/small_weeks.py --data DIR --cache DIR --draws DIR --seeds 13 14 15
    python benchmarks/small_weeks_fit.py DRAWS --name now         # in this release's environment
    PYTHONPATH=BEFORE BEFORE/.venv/bin/python benchmarks/small_weeks_fit.py DRAWS --name before
    uv run python benchmarks/small_weeks.py --draws DIR --report now before

The first command draws, the next two fit the same draws with either release, the last one prints.
Besides N rows from few runs of every pair there are *weeks*: twelve runs of the machine ``cooler3``,
of which one holds 210 of about 300 rows.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from transfer_sources import PreparedSource, prepare_source
from transfer_tasks import TransferTask, draw_cell, read_table, tasks_at

from faultxfer.data.dataset import Dataset

ROWS = (50, 200)
WEEKS, WEEK_RUNS, LONG_RUN = "valve→cooler3", 12, "cooler3/0"
_SILENT, _MUCH, _MOST = 0.05, 0.5, 0.15


def draw_all(given: argparse.Namespace) -> None:
    """Write every draw, and each pair's source."""
    given.draws.mkdir(parents=True, exist_ok=True)
    for task in tasks_at(given.data):
        source = prepare_source(task.source, given.data, given.cache, network=False)
        _write_source(given.draws / _source_file(task), source)
        target = read_table(task.target, given.data)
        for kind, seed, train, test in _draws(task, target, given):
            path = given.draws / f"{task.name.replace(' ', '_')} {kind} {seed}.npz"
            rows = {f"train_{key}": value for key, value in _plain(train).items()}
            np.savez_compressed(
                path, **rows, test_X=test.X, test_y=test.y, source=_source_file(task)
            )


def _draws(
    task: TransferTask, target: Dataset, given: argparse.Namespace
) -> Iterator[tuple[str, int, Dataset, Dataset]]:
    for seed in given.seeds:
        for rows in given.rows:
            if cell := draw_cell(target, rows, seed):
                yield str(rows), seed, cell.train, cell.test
    if task.name == WEEKS:
        for seed in range(given.weeks):
            yield "week", seed, *week(target, seed)


def week(data: Dataset, seed: int) -> tuple[Dataset, Dataset]:
    """Twelve runs at random, the long one among them, and all other runs."""
    rng = np.random.default_rng([seed, 333])
    names = np.unique(data.run.astype(str))
    others = rng.permutation(names[names != LONG_RUN])[: WEEK_RUNS - 1]
    inside = np.isin(data.run.astype(str), [LONG_RUN, *others])
    return data.take(np.flatnonzero(inside)), data.take(np.flatnonzero(~inside))


def _source_file(task: TransferTask) -> str:
    return f"source {task.source.name}.npz"


def _write_source(path: Path, source: PreparedSource) -> None:
    rows = len(source.y)
    np.savez_compressed(
        path,
        kept_X=source.X,
        kept_y=source.y,
        kept_run=np.zeros(rows),
        kept_time=np.arange(rows),
        trees=source.frozen.trees.model_to_string(),
        coef=source.frozen.linear.coef,
        intercept=source.frozen.linear.intercept,
    )


def _plain(rows: Dataset) -> dict[str, np.ndarray]:
    return {"X": rows.X, "y": rows.y, "run": rows.run.astype(str), "time": rows.time}


def read(draws: Path, name: str) -> pd.DataFrame:
    """A line for each draw that this release has done."""
    lines = []
    for path in sorted(draws.glob(f"*.{name}.json")):
        pair, kind, seed = path.name.removesuffix(f".{name}.json").rsplit(" ", 2)
        found = json.loads(path.read_text(encoding="utf-8"))
        lines.append({"pair": pair, "kind": kind, "seed": int(seed), **found})
    return pd.DataFrame(lines)


def table(draws: Path, names: list[str]) -> str:
    """Thresholds and scores by kind of draw, each release on the draws that all have done."""
    read_all = {name: read(draws, name) for name in names}
    key = ["pair", "kind", "seed"]
    done = set.intersection(*(set(map(tuple, one[key].to_numpy())) for one in read_all.values()))
    shown = [
        "| draws | release | fitted | rate | over 15 % | recall | possible at 5 % | silent | score "
        "| source as it is | chosen rival |",
        f"|---|---|---:|{'---:|' * 8}",
    ]
    fitted = set.intersection(*(_fitted(one, key) for one in read_all.values()))
    for kind in ("50", "200", "week"):
        for name, lines in read_all.items():
            some = lines[[(*one,) in done and one[1] == kind for one in lines[key].to_numpy()]]
            if len(some):
                both = [(*one,) in fitted for one in some[key].to_numpy()]
                shown.append(_line(kind, name, some, some[both]))
    return "\n".join([*shown, *_against(read_all, names, done)])


def _fitted(lines: pd.DataFrame, key: list[str]) -> set[tuple]:
    return set(map(tuple, lines.dropna(subset=["score"])[key].to_numpy()))


def _line(kind: str, name: str, lines: pd.DataFrame, fitted: pd.DataFrame) -> str:
    """What a release gives on the draws that all releases fitted, and how many it fitted itself."""
    silent = ((fitted.recall < _SILENT) & (fitted.possible >= _MUCH)).mean()
    ranked = fitted.dropna(subset=["rival"])
    return (
        f"| {kind} | {name} | {lines.score.notna().sum()} of {len(lines)} | {fitted.rate.mean():.1%} "
        f"| {(fitted.rate > _MOST).mean():.0%} | {fitted.recall.mean():.2f} "
        f"| {fitted.possible.mean():.2f} | {silent:.0%} | {fitted.score.mean():.3f} "
        f"| {fitted.source.mean():.3f} | {ranked.rival.mean():.3f} (against {ranked.score.mean():.3f}) |"
    )


def _against(read_all: dict[str, pd.DataFrame], names: list[str], done: set) -> list[str]:
    """Each release minus the source as it is, and the first minus the second, where both fitted."""
    shown = [""]
    key = ["pair", "kind", "seed"]
    indexed = {name: lines.set_index(key).sort_index() for name, lines in read_all.items()}
    first = indexed[names[0]]
    for kind in ("50", "200", "week"):
        one = first[first.index.get_level_values("kind") == kind]
        if not len(one):
            continue
        roc_auc = (one.roc_auc - one.source_roc_auc).groupby("pair").mean().mean()
        shown.append(f"- {kind}: ROC-AUC of {names[0]} − source as it is {roc_auc:+.3f}")
        worse = ((one.score - one.rival).groupby("pair").mean() < -0.01).sum()
        pairs = one.dropna(subset=["rival"]).index.get_level_values("pair").nunique()
        shown.append(
            f"- {kind}: worse than the chosen rival by more than .01 in {worse} of {pairs} pairs"
        )
        for other in names[1:]:
            gain = (one.score - indexed[other].score).dropna()
            mean = gain.groupby("pair").mean().mean()
            error = gain.std() / np.sqrt(max(len(gain), 1))
            shown.append(f"- {kind}: score − that of {other}: {mean:+.3f} ± {1.96 * error:.3f}")
    return shown


def main() -> None:
    """Draw, or print."""
    parser = argparse.ArgumentParser(description="Small weeks, beside the release before")
    parser.add_argument("--data", type=Path, help="folder of the data sets")
    parser.add_argument("--cache", type=Path, help="folder for source models")
    parser.add_argument("--draws", type=Path, required=True, help="folder of draws and results")
    parser.add_argument("--seeds", type=int, nargs="+", default=[13, 14, 15])
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--weeks", type=int, default=20)
    parser.add_argument("--report", nargs="+", help="names of the releases to print")
    given = parser.parse_args()
    if given.report:
        print(table(given.draws, given.report))
    else:
        draw_all(given)


if __name__ == "__main__":
    main()
