"""The default: every learner in the same folds, and their weighted average instead of a choice."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from faultxfer.bundle.frozen import FrozenSource
from faultxfer.bundle.members import Stack
from faultxfer.config import SplitOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import Fold, fold_rows
from faultxfer.errors import StrategyError
from faultxfer.strategies.common import fits_of, fits_on, stacked
from faultxfer.strategies.fixed_stack import FALLBACK, FEWEST_TO_WEIGH, SENTENCE, fit_fixed
from faultxfer.strategies.learners import (
    SOURCE_NETWORK,
    Learner,
    default_learners,
    learners_beside,
    learners_over_windows,
)
from faultxfer.strategies.narrowing import SENSOR_CHANGE
from faultxfer.strategies.needs import require_all, require_frozen
from faultxfer.strategies.protocol import MIN_ROWS_PER_CLASS, FittedStrategy, Requirement, Task
from faultxfer.strategies.selector import CrossFit, numbered, stack_of
from faultxfer.strategies.source_benefit import (
    NEW_SENSORS,
    WITHOUT_SOURCE,
    benefit_of_new,
    knows_its_own_machine,
    source_benefit,
)

_FOLDS = SplitOptions(folds=4)
# Members that weigh less than this cost files and time and change nothing.
_LEAST_WEIGHT = 0.003


class StackedLearners:
    """Rivals and ways of transfer, cross-fitted inside the training rows, calibrated, averaged."""

    name = "stack"
    title = "weighted stack of transfer and rivals"
    paper = 'Breiman, "Stacked regressions", Machine Learning 1996'
    needs: tuple[Requirement, ...] = tuple(Requirement)
    options: frozenset[str] = frozenset()
    freezes = True

    def __init__(self, name: str = name) -> None:
        self.name = name  # under which it is asked for

    def fit(self, task: Task) -> FittedStrategy:
        """Cross-fit, weigh and refit every learner; average some where rows are too few for that.

        Raises:
            StrategyError: one of ``needs`` is missing.
        """
        folds = () if has_few_rows(task) else _folds(task)
        if not folds:
            stack = fit_fixed(task, self.name)
            fixed: dict[str, object] = {
                "stack": _weights(stack),
                "source_evidence": {"sentence": SENTENCE},
                FALLBACK: SENTENCE,
            }
            return stacked(task, stack, self.name, fixed)
        crossed, _ = cross_fit_task(task, self.name, folds)
        stack = weighed(crossed, task.target)
        lineage: dict[str, object] = {"stack": _weights(stack)}
        if not _is_fold(task):  # whose bundle predicts, and is kept by nobody
            lineage |= _evidence(crossed, task.target)
        return stacked(task, stack, self.name, lineage)


def _is_fold(task: Task) -> bool:
    among = task.among
    return (
        among is not None and bool(among.folds) and len(task.target) < len(among.everything.target)
    )


def _evidence(crossed: CrossFit, target: Dataset) -> dict[str, object]:
    """What the rows say of the source, and of sensors that it does not know."""
    evidence: dict[str, object] = {
        "source_evidence": source_benefit(crossed, target.y, target.run).as_dict()
    }
    if benefit := benefit_of_new(crossed, target.y, target.run):
        evidence[NEW_SENSORS] = benefit.as_dict()
    return evidence


def cross_fit_task(
    task: Task, who: str, folds: tuple[Fold, ...] = ()
) -> tuple[CrossFit, FrozenSource]:
    """Every learner in the same folds of the training rows, and the source they look through.

    Args:
        task: what is fitted.
        who: for whom, in an error.
        folds: of the training rows; made here if they were not before.

    Raises:
        StrategyError: see :meth:`StackedLearners.fit`; it names ``who`` cannot run.
    """
    require_all(task, StackedLearners.needs, who)
    frozen = require_frozen(task, who)
    learners = _learners(task, frozen)
    fits, rows = fits_of(task, who)
    if others := _others(task):
        logits = fits.out_of_fold(learners, others)[:, rows]
        numbers = numbered(others, rows)
    else:
        folds = folds or _folds(task)
        if not folds:
            raise StrategyError(
                f"The training rows cannot be divided into folds, which {who!r} needs",
                received={"rows": len(task.target), "fault rows": task.target.faults},
                remedy=f"Label at least {FEWEST_TO_WEIGH} rows of the rarer class",
            )
        logits = fits_on(task, who).out_of_fold(learners, folds)
        numbers = numbered(folds, np.arange(len(rows)))
    members, over = fits.members(learners, rows), fits.window_maps(rows)
    return CrossFit(members, fits.maps(rows), logits, numbers, over), frozen


def _others(task: Task) -> tuple[Fold, ...]:
    """The folds of all rows that weigh a task's learners: the others of a fold, or all of all."""
    if task.among is None:
        return ()
    return other_folds(task.among.folds, task.among.rows, task.among.everything.target.y)


def other_folds(folds: Sequence[Fold], rows: np.ndarray, y: np.ndarray) -> tuple[Fold, ...]:
    """The other folds of all rows, to weigh a fold's learners by; none where none serve.

    Of all rows that is every fold, whose models are there already.

    Their models have seen neither the rows that they predict nor those of the fold that is left
    out. What is fitted without two folds serves both of them, so that cross-fitting inside
    cross-fitting costs half as much.

    Args:
        folds: of all rows.
        rows: positions that the fold trains on.
        y: (n,) labels of all rows.
    """
    others = []
    for fold in folds:
        test = np.intersect1d(fold.test, rows)
        if not len(test):
            continue
        train = np.intersect1d(fold.train, rows)
        if not _has_both(y[train]):
            return ()
        others.append(Fold(train, test))
    return tuple(others) if len(others) > 1 else ()


def _has_both(y: np.ndarray) -> bool:
    faults = int(y.sum())
    return min(faults, len(y) - faults) >= MIN_ROWS_PER_CLASS


def _learners(task: Task, frozen: FrozenSource) -> tuple[Learner, ...]:
    """All, or those without the source if it is no good on its own machine."""
    learners = default_learners() + learners_beside(task.source)
    if task.target.windows is not None and frozen.over_windows is not None:
        learners += learners_over_windows()
    if task.source.lineage.get(SENSOR_CHANGE, {}).get("lost"):
        # The source network needs a sensor that nothing stands for.
        learners = tuple(one for one in learners if one.family != SOURCE_NETWORK)
    if knows_its_own_machine(task.source):
        return learners
    return tuple(learner for learner in learners if learner.family == WITHOUT_SOURCE)


def has_few_rows(task: Task) -> bool:
    """Whether the rows of a class are too few to weigh the members by."""
    faults = task.target.faults
    return min(faults, len(task.target) - faults) < FEWEST_TO_WEIGH


def _folds(task: Task) -> tuple[Fold, ...]:
    return fold_rows(task.target, _FOLDS, task.options.seed)


def _weights(stack: Stack) -> dict[str, float]:
    return {member.name: round(member.weight, 4) for member in stack.members}


def weighed(crossed: CrossFit, target: Dataset) -> Stack:
    """The stack of what was cross-fitted; members that hardly weigh anything are left out."""
    stack = stack_of(crossed, target.y, target.run)
    kept = [member for member in stack.members if member.weight >= _LEAST_WEIGHT]
    total = sum(member.weight for member in kept)
    members = [dataclasses.replace(member, weight=member.weight / total) for member in kept]
    return dataclasses.replace(stack, members=tuple(members))
