"""The stack where too few rows of a class are there to weigh its members by: a plain average.

Average log-odds of models with fixed weights are hard to beat where nothing can be estimated
(Clemen, "Combining forecasts", International Journal of Forecasting 1989). On 87 draws of fifty
rows with one to seven faults these twelve were better than four of them under the source's scale
alone (score .79 to .81 against .78), and than each of them (``docs/decisions/0018``).
"""

from __future__ import annotations

from faultxfer.bundle.input_map import BLEND, OFFSET, SOURCE
from faultxfer.bundle.members import Stack
from faultxfer.errors import StrategyError
from faultxfer.strategies.alone import averaged, fit_together
from faultxfer.strategies.learners.protocol import Learner
from faultxfer.strategies.learners.rivals import (
    PooledBoosting,
    PooledLinear,
    ScratchLinear,
    SourceThroughMap,
)
from faultxfer.strategies.needs import require_all
from faultxfer.strategies.protocol import MIN_ROWS_PER_CLASS, Requirement, Task
from faultxfer.strategies.source_benefit import knows_its_own_machine

# With fewer rows of a class than this the plain average was no worse than weights that are
# estimated, and better below six.
FEWEST_TO_WEIGH = 8
# Maps that few rows can tell: medians move, scales hardly.
_MAPS = (SOURCE, OFFSET, BLEND)
_NEEDS = tuple(need for need in Requirement if need != Requirement.BOTH_CLASSES)
# Where a bundle's lineage says that it holds such a stack, or was made from one.
FALLBACK = "fallback"
SENTENCE = (
    f"Fewer than {FEWEST_TO_WEIGH} rows of a class are there to weigh by, so the members count "
    "the same, and whether the source helps cannot be told."
)


def fit_fixed(task: Task, who: str) -> Stack:
    """Every member fitted on all rows, with the same weight; without a source that is no good.

    Raises:
        StrategyError: the source lacks what ``who`` needs, or hardly a row is normal.
    """
    require_all(task, _NEEDS, who)
    normals = len(task.target) - task.target.faults
    if normals < MIN_ROWS_PER_CLASS:
        raise StrategyError(
            f"There are too few normal rows: {who!r} needs {MIN_ROWS_PER_CLASS}",
            received={"fault rows": task.target.faults, "normal rows": normals},
            remedy="Label more rows of normal operation",
        )
    learners = fixed_learners() if knows_its_own_machine(task.source) else (ScratchLinear(),)
    return averaged(fit_together(learners, task, who))


def fixed_learners() -> tuple[Learner, ...]:
    """Models of the source, and models of both machines' rows."""
    learners: list[Learner] = []
    for name in _MAPS:
        learners += [SourceThroughMap("trees", name), SourceThroughMap("linear", name)]
        learners += [PooledBoosting(name), PooledLinear(name)]
    return tuple(learners)
