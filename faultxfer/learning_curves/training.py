"""The default stack and its equal from scratch, fitted on the same rows in one go."""

from __future__ import annotations

from functools import partial

from faultxfer.bundle.members import logits
from faultxfer.strategies.protocol import Scorer, Task
from faultxfer.strategies.source_benefit import without_source
from faultxfer.strategies.stack import cross_fit_task, weighed


def fit_transfer_and_scratch(task: Task) -> tuple[Scorer, Scorer]:
    """The default stack, and the same stack of the learners that know no source.

    Learners from scratch are part of the default stack, so that one cross-fitting serves both.

    Raises:
        StrategyError: see :meth:`faultxfer.strategies.stack.StackedLearners.fit`.
    """
    crossed, source = cross_fit_task(task, "stack")
    both = (crossed, without_source(crossed))
    transfer, scratch = (partial(logits, weighed(each, task.target.y), source) for each in both)
    return transfer, scratch
