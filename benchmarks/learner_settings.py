"""Settings of the stack's trees, judged where no table of the documents looks.

    uv run python benchmarks/learner_settings.py --data DIR --cache DIR --rows 200 --seeds 201 202

The pairs of ``transfer_tasks.py`` are turned round: source machines stand in the target's place. Rows
are drawn from half of a machine's runs, the stack is weighed and fitted on them without the source
network, and the other half's runs judge it. Printed is the mean of PR-AUC and ROC-AUC with the
former settings, and by how much it changes with those of today, with each of them alone, and with
other folds to weigh by.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score
from transfer_sources import PreparedSource, prepare_source
from transfer_tasks import Cell, draw_cell, read_table, tasks_at

from faultxfer.bundle.frozen import Views
from faultxfer.bundle.members import Member, member_logits, together
from faultxfer.config import SplitOptions
from faultxfer.data.split import fold_rows
from faultxfer.strategies.fixed_stack import FEWEST_TO_WEIGH
from faultxfer.strategies.learners import Learner, TrainingRows, rivals
from faultxfer.strategies.learners.boosting import _FOREST, POOLED, boost
from faultxfer.strategies.learners.pooling import pooled
from faultxfer.strategies.learners.rivals import PooledBoosting, ScratchBoosting, ScratchForest
from faultxfer.strategies.selector import CrossFit, numbered, stack_of
from faultxfer.strategies.shared_fits import SharedFits

FORMER = {"rounds": 100, "learning_rate": 0.1}
BEFORE = " before"


class FormerForest(ScratchForest):
    """Each node chooses among all sensors."""

    name = f"scratch-forest{BEFORE}"

    def fit(self, rows: TrainingRows) -> Member:
        """Fit the trees."""
        X = rows.target.blocks(rows.own)
        share = min(1.0, 1.5 / np.sqrt(X.shape[1]))
        settings = {**_FOREST, "feature_fraction_bynode": share, "seed": rows.seed}
        trees = lightgbm.train(settings, lightgbm.Dataset(X, rows.y.astype(float)), 200)
        return self.trees(rows.own, trees.model_to_string(), link="share")


class FormerPooled(PooledBoosting):
    """A hundred rounds."""

    def __init__(self, map_name: str) -> None:
        super().__init__(map_name)
        self.name += BEFORE

    def fit(self, rows: TrainingRows) -> Member:
        """Fit the trees."""
        features, y = pooled(rows, (self.block,))
        text = boost(features, y, rows.seed, **{**POOLED, **FORMER})
        return self.trees((self.block,), text, flag=True)


def former() -> list[Learner]:
    """The learners whose settings changed, as they were."""
    boosting = ScratchBoosting(**FORMER)
    boosting.name += BEFORE
    return [FormerForest(), boosting, FormerPooled("source"), FormerPooled("target")]


def judged(source: PreparedSource, cell: Cell, seed: int) -> dict[str, float] | None:
    """Score of the stack by what it is made of; None where it cannot be weighed."""
    train, test = cell.train, cell.test
    folds = {
        "before": fold_rows(train, SplitOptions(folds=4), seed),
        "five folds": fold_rows(train, SplitOptions(folds=5), seed),
        "other folds": fold_rows(train, SplitOptions(folds=4), seed + 1000),
    }
    rarer = min(train.faults, len(train) - train.faults)
    if rarer < FEWEST_TO_WEIGH or not all(folds.values()):
        return None
    fits = SharedFits(source.frozen, (source.X, source.y), train.X, train.y, seed, run=train.run)
    rows, learners = np.arange(len(train)), [*rivals(), *former()]
    members = {member.name: member for member in fits.members(learners, rows)}
    views = Views(source.frozen, fits.maps(rows), test.X)
    said = {name: member_logits(member, views) for name, member in members.items()}
    places = {learner.name: place for place, learner in enumerate(learners)}

    def score(names: Sequence[str], weighing: str) -> float:
        logits = out_of_fold[weighing][[places[name] for name in names]]
        fitted = tuple(members[name] for name in names)
        numbers = numbered(folds[weighing], rows)
        stack = stack_of(CrossFit(fitted, fits.maps(rows), logits, numbers), train.y, train.run)
        together_said = together(stack, [said[member.name] for member in stack.members])
        areas = average_precision_score(test.y, together_said), roc_auc_score(test.y, together_said)
        return float(np.mean(areas))

    out_of_fold = {name: fits.out_of_fold(learners, given) for name, given in folds.items()}
    today = [learner.name for learner in rivals()]
    old = [name + BEFORE if name + BEFORE in places else name for name in today]
    found = {name: score(old, name) for name in folds} | {"today": score(today, "before")}
    for kind in ("scratch-forest", "scratch-boosting", "pooled-boosting"):
        mixed = [
            new if new.startswith(kind) else name for name, new in zip(old, today, strict=True)
        ]
        found[f"{kind} alone"] = score(mixed, "before")
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="folder for source models")
    parser.add_argument("--rows", type=int, nargs="+", default=[200])
    parser.add_argument("--seeds", type=int, nargs="+", default=[201, 202])
    given = parser.parse_args()
    lines = []
    for task in tasks_at(given.data):
        source = prepare_source(task.target, given.data, given.cache, network=False)
        data = read_table(task.source, given.data)
        for rows in given.rows:
            for seed in given.seeds:
                cell = draw_cell(data, rows, seed, FEWEST_TO_WEIGH, few_runs=rows < 1000)
                found = judged(source, cell, seed) if cell else None
                if found:
                    lines.append({"rows": rows, **found})
    print("| rows | draws | before | change by | mean | ± |\n|---:|---:|---:|---|---:|---:|")
    for rows, some in pd.DataFrame(lines).groupby("rows"):
        for name in some.columns.drop(["rows", "before"]):
            change = some[name] - some.before
            within = 1.96 * change.std() / np.sqrt(len(change))
            cells = (len(some), f"{some.before.mean():.4f}", name, f"{change.mean():+.4f}")
            print(f"| {rows} | {' | '.join(map(str, cells))} | {within:.4f} |")


if __name__ == "__main__":
    main()
