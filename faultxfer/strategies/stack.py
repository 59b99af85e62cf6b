"""The default: every candidate in the same folds, and their weighted average instead of a choice."""

from __future__ import annotations

import dataclasses

import numpy as np

from faultxfer.bundle.frozen import FrozenSource
from faultxfer.bundle.members import Stack
from faultxfer.config import SplitOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import Fold, fold_rows
from faultxfer.errors import DataError, StrategyError
from faultxfer.network.freeze import copy_network
from faultxfer.strategies.candidates import default_candidates
from faultxfer.strategies.common import candidate, require_features, require_rows
from faultxfer.strategies.protocol import Adapted, Task
from faultxfer.strategies.selector import cross_fit, stack_of
from faultxfer.strategies.source_evidence import source_evidence

_FOLDS = SplitOptions(folds=4)
# Source rows that pooled candidates see; more of them drown the target's.
_POOLED_ROWS = 4000
# Members with less say than this cost files and time and change nothing.
_LEAST_WEIGHT = 0.003


class StackedCandidates:
    """Rivals and ways of transfer, cross-fitted inside the training rows, calibrated and averaged."""

    name = "stack"
    title = "weighted stack of transfer and rivals"
    paper = 'Breiman, "Stacked regressions", Machine Learning 1996'
    freezes = True

    def __init__(self, name: str = name) -> None:
        self.name = name  # under which it is asked for

    def fit(self, task: Task) -> Adapted:
        """Cross-fit, weigh and refit every candidate.

        Raises:
            StrategyError: fewer than two rows of a class, or a source model without what the candidates need.
        """
        require_features(task)
        require_rows(task, self.name)
        frozen, source_rows = self._source_of(task)
        seed = task.options.seed
        kept = np.random.default_rng(seed).permutation(len(source_rows))[:_POOLED_ROWS]
        pool = source_rows.take(np.sort(kept))
        folds = self._folds(task)
        crossed = cross_fit(default_candidates(), frozen, (pool.X, pool.y), task.target.X, task.target.y, folds, seed)
        stack = _without_idle(stack_of(crossed, task.target.y))
        adapted = candidate(task, task.source.scaler, copy_network(task.source.network), self.name)
        weights = {member.name: round(member.weight, 4) for member in stack.members}
        evidence = source_evidence(crossed, task.target.y, task.target.run)
        lineage = {**adapted.lineage, "stack": weights, "source_evidence": evidence.as_dict()}
        return Adapted(dataclasses.replace(adapted, models=task.source.models, stack=stack, lineage=lineage))

    def _folds(self, task: Task) -> tuple[Fold, ...]:
        try:
            return fold_rows(task.target, _FOLDS, task.options.seed)
        except DataError as error:
            raise StrategyError(
                f"Rows that can be divided into folds were expected by {self.name!r}",
                received={"rows": len(task.target), "fault rows": task.target.faults},
                remedy="Label more rows of the rarer class, or choose `--strategy fine_tune`",
            ) from error

    def _source_of(self, task: Task) -> tuple[FrozenSource, Dataset]:
        if task.source.frozen is None or task.source_rows is None:
            raise StrategyError(
                f"A source model with its trees and a sample of its rows was expected by {self.name!r}",
                received={"trees": task.source.models is not None, "source rows": task.source_rows is not None},
                remedy="Pretrain again with this release and `kept_source_rows` above 0, or choose "
                "`--strategy fine_tune`",
            )
        return task.source.frozen, task.source_rows


def _without_idle(stack: Stack) -> Stack:
    """The members that matter, with weights that sum to 1 again."""
    kept = [member for member in stack.members if member.weight >= _LEAST_WEIGHT]
    total = sum(member.weight for member in kept)
    members = tuple(dataclasses.replace(member, weight=member.weight / total) for member in kept)
    return dataclasses.replace(stack, members=members)
