"""Contestants that learn from the same rows share what is fitted, and nothing of the rows they predict."""

from __future__ import annotations

import dataclasses
import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
from strategy_checks import tiny_task

from faultxfer.config import SplitOptions
from faultxfer.data.split import Split, split_rows
from faultxfer.strategies import procedure, shared_fits, stack
from faultxfer.strategies.common import fits_of
from faultxfer.strategies.learners.protocol import TrainingRows
from faultxfer.strategies.learners.rivals import AlwaysNormal, ScratchLinear
from faultxfer.strategies.protocol import Task
from faultxfer.strategies.rivals import RIVALS

TRANSFER = """
import json, sys
import numpy as np
from pathlib import Path
from faultxfer.bundle.bundle import load_bundle
from faultxfer.config import SplitOptions, TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import split_rows
from faultxfer.steps.adaptation import compete
from faultxfer.strategies import chosen_strategy
from faultxfer.strategies.protocol import Task
source = load_bundle(Path({bundle!r}))
draws, sensors = np.random.default_rng(0), len(source.features)
run = np.repeat(np.arange(12), 10)
y = ((run % 2 == 0) & (np.arange(120) % 10 > 4)).astype(np.int8)
X = source.scaler.mean + source.scaler.scale * (draws.normal(size=(120, sensors)) + y[:, None])
names = np.array([f"run {{number}}" for number in run], dtype=object)
rows = Dataset(source.features, X, y, np.full(120, "m", dtype=object), names, np.arange(120.0))
options = TransferOptions()
learnt = compete(
    chosen_strategy(options), Task(source, rows, rows, options), split_rows(rows, options.split, 0)
)
loaded = [name for name in ("tensorflow", "keras") if name in sys.modules]
print(json.dumps([loaded, learnt.could_not_run, learnt.candidate.lineage["strategy"]]))
"""


@pytest.fixture
def task() -> Task:
    return tiny_task()


@pytest.fixture
def split(task: Task) -> Split:
    return split_rows(task.target, SplitOptions(min_test_faults=1000), seed=0)


def test_a_default_transfer_learns_without_tensorflow(request: pytest.FixtureRequest) -> None:
    tests = request.path.parents[1]
    program = TRANSFER.format(bundle=str(tests / "kept_bundles/format_2/source"))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[], {}, "stack"]


def test_each_learner_is_fitted_once_for_each_set_of_rows_that_asks_for_it(
    task: Task, split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[int] = []

    class Counted(ScratchLinear):
        def fit(self, rows: TrainingRows) -> object:
            fitted.append(len(rows.y))
            return super().fit(rows)

    monkeypatch.setattr(stack, "_learners", lambda *given: (Counted(), AlwaysNormal()))
    procedure.run_strategy(stack.StackedLearners(), task, split)
    # The folds that judge weigh the learners of the bundle that stays, too.
    wanted = [len(fold.train) for fold in split.folds] + [len(task.target)]
    # Without two folds: what weighs the learners of one is fitted for the other, too.
    for one, other in itertools.combinations(split.folds, 2):
        wanted.append(len(np.intersect1d(one.train, other.train)))
    assert sorted(fitted) == sorted(wanted)


def test_a_stack_is_weighed_by_the_rows_it_is_fitted_on_alone(task: Task, split: Split) -> None:
    for fold in split.folds:
        others = stack.other_folds(split.folds, fold.train, task.target.y)
        tested = np.concatenate([one.test for one in others])
        np.testing.assert_array_equal(np.sort(tested), fold.train)
        assert all(np.intersect1d(one.train, one.test).size == 0 for one in others)
        assert all(np.isin(one.train, fold.train).all() for one in others)


def test_labels_of_the_fold_that_is_left_out_reach_nothing_that_predicts_it(
    task: Task, split: Split
) -> None:
    fold, said = split.folds[0], []
    for label in (0, 1):
        y = task.target.y.copy()
        y[fold.test] = label
        target = dataclasses.replace(task.target, y=y)
        company = procedure.in_company(dataclasses.replace(task, target=target), split)
        given = procedure._with_rows(company, fold.train)
        said.append(stack.StackedLearners().fit(given)(task.target.X[fold.test]))
    np.testing.assert_array_equal(*said)


def test_what_is_known_of_shared_rows_is_what_the_bundle_says(task: Task, split: Split) -> None:
    company = procedure.in_company(task, split)
    fitted = stack.StackedLearners().fit(procedure._with_rows(company, split.folds[0].train))
    windows = task.target.windows.values
    said = fitted(task.target.X, windows)
    np.testing.assert_allclose(said, fitted.bundle.logits(task.target.X, windows), atol=1e-5)
    fits, _ = fits_of(company, "stack")
    assert len(fits._members) == len(stack._learners(task, fits.source)) * len(split.folds)


def test_as_many_threads_as_are_asked_for_give_the_same(
    task: Task, split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = RIVALS["boosting_pooled_blend"]
    said = []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        assert shared_fits.processors() == int(threads)
        said.append(procedure.run_rival(rival, task, split).probabilities)
    np.testing.assert_array_equal(*said)
