"""Learners that are not cross-fitted: one by itself, as a strategy or as a rival, or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from faultxfer.bundle.frozen import Block, Views
from faultxfer.bundle.input_map import SOURCE
from faultxfer.bundle.members import Stack, logits, member_logits
from faultxfer.strategies.common import fits_of, rows_to_fit, stacked
from faultxfer.strategies.learners.protocol import Learner, TrainingRows
from faultxfer.strategies.needs import require
from faultxfer.strategies.protocol import FittedStrategy, Requirement, Scorer, Task


class OneLearner:
    """A strategy whose bundle holds one member.

    Args:
        name, title: of the strategy.
        make: a learner from the name of an input map, which is what ``--input-map`` chooses here.
        scaler: the map where the options name none.
        source_rows: whether source rows are fitted on.
    """

    options = frozenset({"input_map"})
    freezes = True

    def __init__(
        self,
        name: str,
        title: str,
        make: Callable[[str], Learner],
        *,
        scaler: str = SOURCE,
        source_rows: bool = False,
    ) -> None:
        self.name, self.title = name, title
        self._make, self._scaler = make, scaler
        self.paper = make(scaler).paper
        self.needs = _needs(source_rows=source_rows)

    def fit(self, task: Task) -> FittedStrategy:
        """Fit the learner on all training rows.

        Raises:
            StrategyError: one of ``needs`` is missing.
        """
        require(task, self)
        learner = self._make(task.options.input_map or self._scaler)
        stack = fit_together((learner,), task, self.name)
        weights = {member.name: member.weight for member in stack.members}
        return stacked(task, stack, self.name, {"stack": weights})


class RivalLearner:
    """A rival that knows the source and gets a calibrator and a threshold of its own.

    Args:
        name, title: of the rival.
        learner: what is fitted.
        source_rows: whether source rows are fitted on.
    """

    uses_source, as_is = True, False

    def __init__(
        self, name: str, title: str, learner: Learner, *, source_rows: bool = False
    ) -> None:
        self.name, self.title, self._learner = name, title, learner
        self.needs = _needs(source_rows=source_rows)

    def fit(self, task: Task) -> Scorer:
        """Fit the learner on all training rows.

        Raises:
            StrategyError: one of ``needs`` is missing.
        """
        require(task, self)
        stack = fit_together((self._learner,), task, self.name)
        fits, rows = fits_of(task, self.name)
        return lambda X: (
            fits.together(stack, rows) if X is fits.X else logits(stack, fits.source, X)
        )


class RivalFromScratch:
    """A rival that knows the target's rows alone, in engineering units.

    Args:
        name, title: of the rival.
        learner: what is fitted; one that asks for no source.
        needs: what it cannot run without.
    """

    uses_source, as_is = False, False

    def __init__(
        self, name: str, title: str, learner: Learner, *, needs: tuple[Requirement, ...] = ()
    ) -> None:
        self.name, self.title, self._learner = name, title, learner
        self.needs = needs

    def fit(self, task: Task) -> Scorer:
        """Fit the learner on all training rows.

        Raises:
            StrategyError: one of ``needs`` is missing.
        """
        require(task, self)
        target = rows_to_fit(task.target)
        none = target.take(np.arange(0))
        rows = TrainingRows(
            target=_Readings(target.X),
            y=target.y,
            source=_Readings(none.X),
            source_y=none.y,
            seed=task.options.seed,
        )
        member = self._learner.fit(rows)
        return lambda X: member_logits(member, _Readings(X))


class _Readings(Views):
    """Rows without a source to look through: every block holds the readings as they are."""

    def __init__(self, X: np.ndarray) -> None:
        self.X, self.maps = X, {}

    def block(self, block: Block) -> np.ndarray:
        return self.X


def fit_together(learners: Sequence[Learner], task: Task, who: str) -> Stack:
    """Members fitted on all rows under the same maps, with weight 1, not calibrated."""
    fits, rows = fits_of(task, who)
    return Stack(fits.members(learners, rows), fits.maps(rows))


def _needs(*, source_rows: bool) -> tuple[Requirement, ...]:
    needs = [Requirement.SENSORS, Requirement.BOTH_CLASSES]
    needs += [Requirement.SOURCE_ENSEMBLE, Requirement.SOURCE_MODELS]
    if source_rows:
        needs.append(Requirement.SOURCE_ROWS)
    return tuple(needs)
