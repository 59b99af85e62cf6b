"""Tables of ``transfer_quality.py`` from the logits in its cache: stacks, rivals, intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit
from sklearn.metrics import average_precision_score, roc_auc_score

from faultxfer.bundle.calibration import platt
from faultxfer.strategies.learners import default_learners
from faultxfer.strategies.selector import TAU
from faultxfer.strategies.stacking import crossed_platt, family_prior, simplex_weights


@dataclass(frozen=True)
class Measured:
    """One cell: what ``c`` candidates said.

    Attributes:
        task, rows, seed: which cell.
        names, families: (c,) of the candidates.
        rival, neural: (c,) bool.
        logits, folds, y: (c, n) out-of-fold logits, their folds and labels.
        test, test_y: (c, m) test logits and their labels.
        calibrated: (c, n) out-of-fold logits after cross-fitted Platt scaling.
        test_calibrated: (c, m) test logits after Platt scaling by all out-of-fold logits.
        scores: (c,) mean of PR-AUC and ROC-AUC on the test rows.
        seconds: of fitting all of them.
        others: (m,) test logits of contestants outside the stack, by name.
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
    calibrated: np.ndarray
    test_calibrated: np.ndarray
    scores: np.ndarray
    seconds: float
    others: dict[str, np.ndarray]

    def only(self, keep: np.ndarray) -> Measured:
        """The candidates of a mask."""
        parts = {name: getattr(self, name)[keep] for name in _PER_CANDIDATE}
        return Measured(**{**self.__dict__, **parts})


_PER_CANDIDATE = (
    "names",
    "families",
    "rival",
    "neural",
    "logits",
    "test",
    "calibrated",
    "test_calibrated",
    "scores",
)
ADAPT = "adapt"  # what adapt_contestants.py has measured
# Groups whose candidates are never stacked.
OUTSIDE = ("single", ADAPT)
_STORED = ("names", "families", "rival", "neural", "logits", "test")


def score(y: np.ndarray, logits: np.ndarray) -> float:
    """Mean of PR-AUC and ROC-AUC."""
    return float((average_precision_score(y, logits) + roc_auc_score(y, logits)) / 2)


def read_cells(folder: Path, groups: Sequence[str]) -> list[Measured]:
    """Cells that have every group with out-of-fold logits.

    Contestants outside the stack join where they are.
    """
    found = []
    for path in sorted(folder.glob("*/*-rivals.npz")):
        task, (rows, seed, _) = path.parent.name, path.stem.split("-", 2)
        paths = [path.parent / f"{rows}-{seed}-{group}.npz" for group in groups]
        parts = [_stored(part) for part in paths if part.exists()]
        stacked_parts = [part for part in parts if "logits" in part]
        others = {
            str(n): z
            for part in parts
            if "logits" not in part
            for n, z in zip(part["names"], part["test"], strict=True)
        }
        if len(stacked_parts) == sum(group not in OUTSIDE for group in groups):
            found.append(_joined(task, int(rows), int(seed), stacked_parts, others))
    return found


def _stored(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as stored:
        part = dict(stored)
    scored = path.with_suffix(".scores.npy")
    if not scored.exists() or scored.stat().st_mtime < path.stat().st_mtime:
        np.save(scored, [score(part["test_y"], row) for row in part["test"]])
    return {**part, "scores": np.load(scored)}


def _joined(
    task: str,
    rows: int,
    seed: int,
    parts: Sequence[dict[str, np.ndarray]],
    others: dict[str, np.ndarray],
) -> Measured:
    joined = {name: np.concatenate([part[name] for part in parts]) for name in (*_STORED, "scores")}
    same = {name: parts[0][name] for name in ("folds", "y", "test_y")}
    joined["calibrated"] = crossed_platt(joined["logits"], same["y"], same["folds"])
    slopes, offsets = platt(joined["logits"], same["y"])
    joined["test_calibrated"] = slopes[:, None] * joined["test"] + offsets[:, None]
    seconds = float(sum(part["seconds"] for part in parts))
    return Measured(task, rows, seed, **joined, **same, seconds=seconds, others=others)


RULES = ("log-loss", "calibrated log-loss", "out-of-fold score")


def chosen_rival(cell: Measured, rule: str = RULES[0]) -> float:
    """Test score of the rival that the out-of-fold predictions choose.

    Args:
        cell: the cell.
        rule: by log-loss as the rivals say it, by log-loss after cross-fitted Platt scaling, or by
            the mean of PR-AUC and ROC-AUC out of fold.
    """
    rivals = cell.only(cell.rival)
    if rule == "out-of-fold score":
        quality = np.array([score(cell.y, z) for z in rivals.logits])
    else:
        z = rivals.logits if rule == "log-loss" else rivals.calibrated
        quality = -(np.logaddexp(0, z) - cell.y * z).mean(axis=1)
    return float(rivals.scores[np.argmax(quality)])


def stacked(cell: Measured, tau: float = TAU) -> np.ndarray:
    """(m,) test logits of the stack.

    Weighed as :func:`faultxfer.strategies.selector.stack_of` does.
    """
    prior = family_prior(cell.families.tolist())
    return np.asarray(simplex_weights(cell.calibrated, cell.y, prior, tau) @ cell.test_calibrated)


def chosen(cell: Measured) -> np.ndarray:
    """(m,) test logits of the one candidate with the best calibrated out-of-fold log-loss.

    Choosing, not averaging.
    """
    z = cell.calibrated
    return np.asarray(
        cell.test_calibrated[np.argmin((np.logaddexp(0, z) - cell.y * z).mean(axis=1))]
    )


_DEFAULT = [candidate.name for candidate in default_learners()]
Contestant = Callable[[Measured], np.ndarray]
OWN, ALONE = "default stack", "stack of rivals"
CONTESTANTS: dict[str, Contestant] = {
    OWN: lambda cell: stacked(cell.only(np.isin(cell.names, _DEFAULT))),
    ALONE: lambda cell: stacked(cell.only(cell.rival)),
    "stack of the source network's candidates": lambda cell: stacked(cell.only(cell.neural)),
    "stack of everything measured": stacked,
    "one candidate chosen among all": chosen,
}


def interval(
    cells: Sequence[Measured], gains: np.ndarray, draws: int = 2000
) -> tuple[float, float, float]:
    """Mean over tasks of the mean over seeds.

    And its 95 % bootstrap interval over tasks and seeds.
    """
    tasks = sorted({cell.task for cell in cells})
    groups = [gains[[i for i, cell in enumerate(cells) if cell.task == task]] for task in tasks]
    rng = np.random.default_rng(0)
    means = [
        np.mean(
            [
                rng.choice(groups[t], len(groups[t])).mean()
                for t in rng.integers(len(tasks), size=len(tasks))
            ]
        )
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
    ]
    return float(sum(gaps) / len(y))


def report(cells: Sequence[Measured]) -> str:
    """All tables, as markdown."""
    said = {name: [contestant(cell) for cell in cells] for name, contestant in CONTESTANTS.items()}
    scores = {
        name: np.array([score(c.test_y, z) for c, z in zip(cells, logits, strict=True)])
        for name, logits in said.items()
    }
    for rule in RULES:
        scores[f"rival chosen by {rule}"] = np.array([chosen_rival(cell, rule) for cell in cells])
    scores["best rival (oracle)"] = np.array([cell.scores[cell.rival].max() for cell in cells])
    errors = [adaptive_ece(c.test_y, expit(z)) for c, z in zip(cells, said[OWN], strict=True)]
    parts = [
        _gain_table(cells, scores),
        _difference(cells, scores),
        _task_table(cells, scores),
        _cost(cells, errors),
    ]
    if any(cell.others for cell in cells):
        parts.append(_others(cells, scores))
    return "\n\n".join(parts)


def _others(cells: Sequence[Measured], scores: dict[str, np.ndarray]) -> str:
    """Contestants outside the stack, each on the cells where it was measured."""
    lines = [
        "| outside the stack | N | cells | against the CV rival | 95 % | against the default "
        "stack | 95 % |",
        "|---|---:|---:|---:|---|---:|---|",
    ]
    for name in sorted({name for cell in cells for name in cell.others}):
        for rows in sorted({cell.rows for cell in cells}):
            where = [i for i in _where(cells, rows) if name in cells[i].others]
            if not where:
                continue
            some = [cells[i] for i in where]
            values = np.array([score(cell.test_y, cell.others[name]) for cell in some])
            figures = []
            for other in (f"rival chosen by {RULES[0]}", OWN):
                mean, low, high = interval(some, values - scores[other][where])
                figures.append(f"{mean:+.4f} | [{low:+.3f}, {high:+.3f}]")
            lines.append(f"| {name} | {rows} | {len(some)} | {' | '.join(figures)} |")
    return "\n".join(lines)


def _where(cells: Sequence[Measured], rows: int) -> np.ndarray:
    return np.flatnonzero([cell.rows == rows for cell in cells])


def _gain_table(cells: Sequence[Measured], scores: dict[str, np.ndarray]) -> str:
    lines = [
        "| contestant | N | gain over the CV rival | 95 % | worse by > 0.01 | rank |",
        "|---|---:|---:|---|---:|---:|",
    ]
    rival = scores[f"rival chosen by {RULES[0]}"]
    ranks = np.argsort(np.argsort(-np.array(list(scores.values())), axis=0), axis=0) + 1
    for place, (name, values) in enumerate(scores.items()):
        for rows in sorted({cell.rows for cell in cells}):
            where = _where(cells, rows)
            some, gains = [cells[i] for i in where], (values - rival)[where]
            mean, low, high = interval(some, gains)
            tasks = [
                gains[[c.task == task for c in some]].mean()
                for task in sorted({c.task for c in some})
            ]
            worse, rank = np.mean(np.array(tasks) < -0.01), ranks[place, where].mean()
            lines.append(
                f"| {name} | {rows} | {mean:+.4f} | [{low:+.3f}, {high:+.3f}] | {worse:.0%} | "
                f"{rank:.1f} |"
            )
    return "\n".join(lines)


def _difference(cells: Sequence[Measured], scores: dict[str, np.ndarray]) -> str:
    """Whether the network earns its place.

    And whether the gain holds against every rule of choosing a rival.
    """
    lines = ["| difference | N | mean | 95 % |", "|---|---:|---:|---|"]
    pairs = [(OWN, ALONE)]
    pairs += [(OWN, f"rival chosen by {rule}") for rule in RULES]
    for first, second in pairs:
        for rows in sorted({cell.rows for cell in cells}):
            where = _where(cells, rows)
            mean, low, high = interval(
                [cells[i] for i in where], (scores[first] - scores[second])[where]
            )
            lines.append(
                f"| {first} − {second} | {rows} | {mean:+.4f} | [{low:+.3f}, {high:+.3f}] |"
            )
    return "\n".join(lines)


def _task_table(cells: Sequence[Measured], scores: dict[str, np.ndarray]) -> str:
    shown = (
        f"rival chosen by {RULES[0]}",
        "best rival (oracle)",
        ALONE,
        "stack of the source network's candidates",
        OWN,
    )
    lines = [f"| task | N | {' | '.join(shown)} |", f"|---|---:|{'---:|' * len(shown)}"]
    for task, rows in sorted({(cell.task, cell.rows) for cell in cells}):
        where = [i for i, cell in enumerate(cells) if (cell.task, cell.rows) == (task, rows)]
        means = " | ".join(f"{scores[name][where].mean():.3f}" for name in shown)
        lines.append(f"| {task.replace('_', ' ')} | {rows} | {means} |")
    return "\n".join(lines)


def _cost(cells: Sequence[Measured], errors: Sequence[float]) -> str:
    lines = [
        "| N | cells | seconds of one selection: median, worst | adaptive ECE |",
        "|---:|---:|---|---:|",
    ]
    for rows in sorted({cell.rows for cell in cells}):
        where = _where(cells, rows)
        seconds = [cells[i].seconds for i in where]
        error = np.mean([errors[i] for i in where])
        lines.append(
            f"| {rows} | {len(where)} | {np.median(seconds):.1f}, {max(seconds):.1f} | "
            f"{error:.3f} |"
        )
    return "\n".join(lines)
