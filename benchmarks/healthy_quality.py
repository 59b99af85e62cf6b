"""What can be done with healthy rows alone? Prints the table of ``docs/healthy-weeks.md``.

    uv run python benchmarks/healthy_quality.py --data DIR --cache DIR

Recordings are cut at random places before anything else (``recordings.py``). Healthy rows of as few
recordings of one half as hold N of them are shown, faults are hidden, and the recordings of the
other half judge. Nothing is chosen by the target: every method is as it stands here, and all that
they say is smoothed alike (causal, 2.7 usual steps).
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from recordings import cells_of, cut, has_recordings, in_order
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors
from time_quality import interval, score
from transfer_sources import PreparedSource, prepare_source, source_trees
from transfer_tasks import TASKS, Cell, TransferTask, half_of_runs, read_table, tasks_at

from faultxfer.bundle.frozen import Block, Views
from faultxfer.bundle.input_map import NORMAL, SOURCE, fit_maps
from faultxfer.data.dataset import Dataset
from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.smoothing_choice import smoothed, ways_to_smooth

# A machine's own spread counts as much as the source's where it has as many healthy rows.
_SHRUNK = 50
_NEIGHBOURS, _TEST_ROWS, _LINEAR_ROWS = 5, 4000, 8000
# Deviations are clipped here: a constant sensor may deviate by any number of its spreads.
_FAR = 20.0
AS_IS = "source trees as they are"
Said = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Measure what is missing in the cache, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--cache", type=Path, required=True, help="folder for models and results")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(43, 53)))
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 200, 1000])
    parser.add_argument("--tasks", nargs="+", choices=[task.name for task in TASKS])
    asked = parser.parse_args()
    print(table([line for task in tasks_at(asked.data) for line in _of_task(task, asked)]))


def _of_task(task: TransferTask, asked: argparse.Namespace) -> list[dict[str, Any]]:
    cells = cells_of(task, asked, "healthy", lambda todo: _measured(task, todo, asked))
    return [{"task": task.name, **cell} for cell in cells]


def _measured(
    task: TransferTask, todo: list[tuple[int, int]], asked: argparse.Namespace
) -> Iterator[tuple[str, dict[str, Any] | None]]:
    target = in_order(read_table(task.target, asked.data))
    if not has_recordings(target):
        yield from ((f"{rows}-{seed}", None) for rows, seed in todo)
        return
    source = prepare_source(task.source, asked.data, asked.cache, network=False)
    deviating = Deviations(read_table(task.source, asked.data))
    for rows, seed in todo:
        cell = draw_healthy(cut(target, np.random.default_rng([seed, 77])), rows, seed)
        yield f"{rows}-{seed}", cell and _cell(source, deviating, cell, rows, seed)


def draw_healthy(data: Dataset, rows: int, seed: int) -> Cell | None:
    """Healthy rows of few recordings of half of them; the other half judges.

    None where the half has fewer, or nothing judges.
    """
    rng = np.random.default_rng([seed, rows, 22])
    number = np.unique(data.run.astype(str), return_inverse=True)[1]
    half = half_of_runs(np.bincount(number, weights=data.y) > 0, rng)
    taken: list[int] = []
    for run in rng.permutation(half):
        own = np.flatnonzero((number == run) & (data.y == 0))
        taken += own[: rows - len(taken)].tolist()
    test = np.flatnonzero(~np.isin(number, half))
    runs = rng.permutation(np.unique(number[test]))
    sizes = np.cumsum(np.bincount(number)[runs])
    judged = test[np.isin(number[test], runs[: int(np.searchsorted(sizes, _TEST_ROWS)) + 1])]
    if len(taken) < rows or data.y[judged].sum() in (0, len(judged)):
        return None
    return Cell(data.take(np.sort(taken)), data.take(judged))


def _cell(
    source: PreparedSource, deviating: Deviations, cell: Cell, rows: int, seed: int
) -> dict[str, Any]:
    test = cell.test
    way = ways_to_smooth(test)[-1]
    told = methods(source, deviating, cell.train.X, seed)
    scores, logits = {}, {}
    for name, said in told.items():
        logits[name] = smoothed(said(test.X), way, test.moments)
        scores[name] = score(test.y, logits[name])
    scores[f"{AS_IS}, not smoothed"] = score(test.y, told[AS_IS](test.X))
    for name, members in TOGETHER.items():
        scores[name] = score(test.y, np.mean([logits[one] for one in members], axis=0))
    return {"rows": rows, "seed": seed, "scores": scores}


LINEAR, DEVIATING = "source linear as it is", "source trees in own deviations"
DEVIATING_LINEAR = "source linear in own deviations"
# Averages of log-odds.
TOGETHER = {
    "average: trees, linear": (AS_IS, LINEAR),
    "average: trees, trees in deviations": (AS_IS, DEVIATING),
    "average: trees, linear, both in deviations": (AS_IS, LINEAR, DEVIATING, DEVIATING_LINEAR),
}


def methods(
    source: PreparedSource, deviating: Deviations, healthy: np.ndarray, seed: int
) -> dict[str, Said]:
    """By name, what says of (n, d) rows how faulty they are."""
    frozen = source.frozen
    maps = fit_maps(healthy, np.zeros(len(healthy)), frozen.spread, frozen.normal)

    def through(model: str, name: str) -> Said:
        return lambda X: Views(frozen, maps, X).block(Block(model, name))[:, 0]

    novelty = (neighbours, mahalanobis, forest, residual)
    return {
        AS_IS: through("trees", SOURCE),
        LINEAR: through("linear", SOURCE),
        "source trees, mapped by healthy rows": through("trees", NORMAL),
        DEVIATING: deviating.said_by_trees(healthy),
        DEVIATING_LINEAR: deviating.said_by_linear(healthy),
        **{NOVELTY[one.__name__]: one(healthy, seed) for one in novelty},
    }


NOVELTY = {
    "neighbours": "nearest neighbours",
    "mahalanobis": "shrunk Mahalanobis",
    "forest": "isolation forest",
    "residual": "PCA residual",
}


class Deviations:
    """The source's models of deviations: each machine's rows by its own healthy ones."""

    def __init__(self, data: Dataset) -> None:
        self.spread = _median_and_mad(data.X[data.y == 0])
        X = np.empty_like(data.X)
        for machine in np.unique(data.equipment.astype(str)):
            own = data.equipment.astype(str) == machine
            X[own] = self.of(data.X[own], data.X[own & (data.y == 0)])
        self._trees = lightgbm.Booster(model_str=source_trees(X, data.y))
        some = np.random.default_rng(0).permutation(len(X))[:_LINEAR_ROWS]
        self._linear = fit_logistic(_soft(X[some]), data.y[some], 1.0)

    def of(self, X: np.ndarray, healthy: np.ndarray) -> np.ndarray:
        """(n, d) rows in deviations from these healthy ones, whose spread is shrunk."""
        if not len(healthy):
            center, scale = self.spread
        else:
            center, own = _median_and_mad(healthy)
            share = len(healthy) / (len(healthy) + _SHRUNK)
            scale = own**share * self.spread[1] ** (1 - share)
        return np.clip((X - center) / scale, -_FAR, _FAR)

    def said_by_trees(self, healthy: np.ndarray) -> Said:
        """What the trees say of rows of a machine with these healthy rows."""
        return lambda X: np.asarray(self._trees.predict(self.of(X, healthy), raw_score=True))

    def said_by_linear(self, healthy: np.ndarray) -> Said:
        """The same of the linear model."""
        coef, intercept = self._linear
        return lambda X: _soft(self.of(X, healthy)) @ coef + intercept


def _median_and_mad(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    center = np.median(X, axis=0)
    spread = 1.4826 * np.median(np.abs(X - center), axis=0)
    deviation = X.std(axis=0)
    # Half of the readings may be equal, or all.
    spread = np.where(spread > 0, spread, deviation)
    return center, np.where(spread > 0, spread, 1.0)


def _soft(z: np.ndarray) -> np.ndarray:
    return np.asarray(z / np.sqrt(1 + (z / 4) ** 2))


def neighbours(healthy: np.ndarray, _seed: int) -> Said:
    """Least distance to a healthy row, by how far that row is from its own neighbours."""
    center, scale = _median_and_mad(healthy)
    Z = np.clip((healthy - center) / scale, -_FAR, _FAR)
    near = NearestNeighbors(n_neighbors=min(_NEIGHBOURS + 1, len(Z))).fit(Z)
    own = near.kneighbors(Z)[0][:, 1:].mean(axis=1) + 1e-6

    def said(X: np.ndarray) -> np.ndarray:
        found, which = near.kneighbors(np.clip((X - center) / scale, -_FAR, _FAR))
        return np.asarray(np.log((found / own[which]).min(axis=1) + 1e-6))

    return said


def mahalanobis(healthy: np.ndarray, _seed: int) -> Said:
    """Distance under a covariance that is shrunk towards independent sensors."""
    center, scale = _median_and_mad(healthy)
    Z = np.clip((healthy - center) / scale, -_FAR, _FAR)
    share = len(Z) / (len(Z) + _SHRUNK)
    inverse = np.linalg.pinv(share * np.cov(Z.T) + (1 - share) * np.eye(Z.shape[1]))

    def said(X: np.ndarray) -> np.ndarray:
        away = np.clip((X - center) / scale, -_FAR, _FAR) - Z.mean(axis=0)
        return np.asarray(np.log(np.einsum("nd,de,ne->n", away, inverse, away) + 1e-6))

    return said


def forest(healthy: np.ndarray, seed: int) -> Said:
    """scikit-learn's isolation forest, with its own defaults."""
    fitted = IsolationForest(random_state=seed).fit(healthy)
    return lambda X: -fitted.score_samples(X)


def residual(healthy: np.ndarray, seed: int) -> Said:
    """What is left of a row after the components that hold nine tenths of the variance."""
    center, scale = _median_and_mad(healthy)
    Z = np.clip((healthy - center) / scale, -_FAR, _FAR)
    fitted = PCA(n_components=0.9, svd_solver="full", random_state=seed).fit(Z)

    def said(X: np.ndarray) -> np.ndarray:
        rows = np.clip((X - center) / scale, -_FAR, _FAR)
        left = rows - fitted.inverse_transform(fitted.transform(rows))
        return np.asarray(np.log((left**2).sum(axis=1) + 1e-6))

    return said


def table(lines: list[dict[str, Any]]) -> str:
    """Means over pairs by method and N, and what each differs by from the source as it is."""
    by_task: dict[tuple[str, int], list[dict[str, float]]] = defaultdict(list)
    for line in lines:
        by_task[line["task"], line["rows"]].append(line["scores"])
    if not by_task:
        return "No draw."
    sizes = sorted({rows for _, rows in by_task})
    tasks = list(dict.fromkeys(task for task, _ in by_task))
    head = " | ".join(f"N = {rows}" for rows in sizes)
    pairs = " | ".join(tasks)
    said = [
        f"| method | {head} | against the source as it is | {pairs} |",
        "|---|" + "---:|" * (len(sizes) + 1 + len(tasks)),
    ]
    for name in next(iter(by_task.values()))[0]:
        means = []
        for rows in sizes:
            of = [by_task[task, rows] for task in tasks if (task, rows) in by_task]
            means.append(np.mean([np.mean([one[name] for one in own]) for own in of]))
        every = [
            [one for (t, _), own in by_task.items() if t == task for one in own] for task in tasks
        ]
        gains = [np.array([one[name] - one[AS_IS] for one in own]) for own in every]
        low, high = interval(gains)
        change = f"{np.mean([one.mean() for one in gains]):+.3f} [{low:+.3f}, {high:+.3f}]"
        by_pair = [np.mean([one[name] for one in own]) for own in every]
        figures = [f"{mean:.3f}".lstrip("0") for mean in means]
        own = [f"{mean:.2f}".lstrip("0") for mean in by_pair]
        said.append(f"| {name} | {' | '.join([*figures, change, *own])} |")
    counts = ", ".join(
        f"N = {rows}: {sum(len(own) for (_, n), own in by_task.items() if n == rows)} draws of "
        f"{sum(n == rows for _, n in by_task)} pairs"
        for rows in sizes
    )
    return "\n".join(said) + f"\n\n{counts}."


if __name__ == "__main__":
    main()
