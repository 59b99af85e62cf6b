"""Tables of ``transfer_quality.py`` from the logits in its cache: stacks, rivals, intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit
from sklearn.metrics import average_precision_score, roc_auc_score

from faultxfer.strategies.stacking import crossed_platt, family_prior, platt, simplex_weights


@dataclass(frozen=True)
class Measured:
    """One cell: what ``c`` candidates said.

    Attributes:
        task, rows, seed: which cell.
        names, families: (c,) of the candidates.
        rival, neural: (c,) bool.
        logits, folds, y: (c, n) out-of-fold logits, their folds and labels.
        test, test_y: (c, m) test logits and their labels.
        scores: (c,) mean of PR-AUC and ROC-AUC on the test rows.
        seconds: of fitting all of them.
    """

    task: str
    rows: int
    seed: int
    names: np.ndarray
    families: np.ndarray
    rival: np.ndarray
    neural: np.ndarray
    logits: np.ndarray
    folds: np.ndarray
    y: np.ndarray
    test: np.ndarray
    test_y: np.ndarray
    scores: np.ndarray
    seconds: float

    def only(self, keep: np.ndarray) -> Measured:
        """The candidates of a mask."""
        parts = {name: getattr(self, name)[keep] for name in _PER_CANDIDATE}
        return Measured(**{**self.__dict__, **parts})


_PER_CANDIDATE = ("names", "families", "rival", "neural", "logits", "test", "scores")


def score(y: np.ndarray, logits: np.ndarray) -> float:
    """Mean of PR-AUC and ROC-AUC."""
    return float((average_precision_score(y, logits) + roc_auc_score(y, logits)) / 2)


def read_cells(cache: Path, groups: Sequence[str]) -> list[Measured]:
    """Cells that have every group."""
    found = []
    for path in sorted((cache / "cells").glob(f"*/*-{groups[0]}.npz")):
        task, (rows, seed, _) = path.parent.name, path.stem.split("-", 2)
        paths = [path.parent / f"{rows}-{seed}-{group}.npz" for group in groups]
        if all(part.exists() for part in paths):
            found.append(_joined(task, int(rows), int(seed), paths))
    return found


def _joined(task: str, rows: int, seed: int, paths: Sequence[Path]) -> Measured:
    parts = []
    for path in paths:
        scored = path.with_suffix(".scores.npy")
        with np.load(path) as stored:
            part = dict(stored)
        if not scored.exists() or scored.stat().st_mtime < path.stat().st_mtime:
            np.save(scored, [score(part["test_y"], row) for row in part["test"]])
        parts.append({**part, "scores": np.load(scored)})
    joined = {name: np.concatenate([part[name] for part in parts]) for name in _PER_CANDIDATE}
    same = {name: parts[0][name] for name in ("folds", "y", "test_y")}
    return Measured(task, rows, seed, **joined, **same, seconds=float(sum(part["seconds"] for part in parts)))


def losses(cell: Measured) -> np.ndarray:
    """(c,) out-of-fold log-loss after cross-fitted calibration."""
    z = crossed_platt(cell.logits, cell.y, cell.folds)
    return np.asarray((np.logaddexp(0, z) - cell.y * z).mean(axis=1))


def chosen_rival(cell: Measured) -> float:
    """Score of the rival with the best out-of-fold log-loss."""
    rivals = cell.only(cell.rival)
    return float(rivals.scores[np.argmin(losses(rivals))])


def stacked(cell: Measured, tau: float, shares: dict[str, float] | None = None) -> np.ndarray:
    """(m,) test logits of the stack."""
    prior = family_prior(list(cell.families), shares)
    weights = simplex_weights(crossed_platt(cell.logits, cell.y, cell.folds), cell.y, prior, tau)
    a, b = platt(cell.logits, cell.y)
    return np.asarray((weights * a) @ cell.test + weights @ b)


def interval(cells: Sequence[Measured], gains: np.ndarray, draws: int = 2000) -> tuple[float, float, float]:
    """Mean over tasks of the mean over seeds, and its 95 % bootstrap interval over tasks and seeds."""
    tasks = sorted({cell.task for cell in cells})
    groups = [gains[[i for i, cell in enumerate(cells) if cell.task == task]] for task in tasks]
    rng = np.random.default_rng(0)
    means = [
        np.mean([rng.choice(groups[t], len(groups[t])).mean() for t in rng.integers(len(tasks), size=len(tasks))])
        for _ in range(draws)
    ]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(np.mean([group.mean() for group in groups])), float(low), float(high)


def adaptive_ece(y: np.ndarray, probabilities: np.ndarray, bins: int = 10) -> float:
    """Calibration error over bins of equal counts (Nguyen & O'Connor, EMNLP 2015)."""
    order = np.argsort(probabilities)
    gaps = [
        abs(y[part].mean() - probabilities[part].mean()) * len(part)
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return float(sum(gaps) / len(y))


Contestant = Callable[[Measured], np.ndarray]


def summary(cells: Sequence[Measured], contestants: dict[str, Contestant]) -> str:
    """Markdown: gain over the chosen rival by N, rate of losses, calibration error."""
    lines = ["| contestant | N | gain | 95 % | worse by > 0.01 | adaptive ECE |", "|---|---:|---:|---|---:|---:|"]
    for name, contestant in contestants.items():
        for rows in sorted({cell.rows for cell in cells}):
            some = [cell for cell in cells if cell.rows == rows]
            lines.append(f"| {name} | {rows} | {_figures(some, contestant)} |")
    return "\n".join(lines)


def _figures(cells: Sequence[Measured], contestant: Contestant) -> str:
    logits = [contestant(cell) for cell in cells]
    gains = np.array([score(c.test_y, z) - chosen_rival(c) for c, z in zip(cells, logits, strict=True)])
    mean, low, high = interval(cells, gains)
    per_task = [np.mean(gains[[c.task == task for c in cells]]) for task in {c.task for c in cells}]
    ece = np.mean([adaptive_ece(c.test_y, expit(z)) for c, z in zip(cells, logits, strict=True)])
    return f"{mean:+.4f} | [{low:+.3f}, {high:+.3f}] | {np.mean(np.array(per_task) < -0.01):.0%} | {ece:.3f}"


def by_task(cells: Iterable[Measured], contestant: Contestant) -> str:
    """Markdown: chosen rival, best rival and contestant for each task and N."""
    rows: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
    for cell in cells:
        oracle = float(cell.scores[cell.rival].max())
        figures = (chosen_rival(cell), oracle, score(cell.test_y, contestant(cell)))
        rows.setdefault((cell.task, cell.rows), []).append(figures)
    lines = ["| task | N | chosen rival | best rival | stack | gain |", "|---|---:|---:|---:|---:|---:|"]
    for (task, count), values in sorted(rows.items()):
        rival, oracle, own = np.mean(values, axis=0)
        lines.append(f"| {task} | {count} | {rival:.3f} | {oracle:.3f} | {own:.3f} | {own - rival:+.3f} |")
    return "\n".join(lines)
