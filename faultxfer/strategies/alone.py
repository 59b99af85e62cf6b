"""Learners that are not cross-fitted: one by itself, as a strategy or as a rival, or several."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from faultxfer.bundle.frozen import Block, Views
from faultxfer.bundle.input_map import SOURCE
from faultxfer.bundle.members import Member, Stack, logits, member_logits
from faultxfer.data.windows import widened
from faultxfer.strategies.common import fits_of, rows_to_fit, stacked
from faultxfer.strategies.learners import over_windows
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

    It is averaged with what stands for it on windows in the stack, where rows have windows.
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
        fits, rows = fits_of(task, self.name)
        learners: tuple[Learner, ...] = (self._learner,)
        if fits.over_windows is not None:
            learners += over_windows(self._learner)
        stack = averaged(fit_together(learners, task, self.name))

        made = None if task.target.windows is None else task.target.windows.windows

        def said(X: np.ndarray, windows: np.ndarray | None = None) -> np.ndarray:
            if fits.knows(stack, X, windows):
                return fits.together(stack, rows)
            own = windows if made is None else made.given_or_alone(X, windows)
            return logits(stack, fits.source, X, own)

        return said


class RivalFromScratch:
    """A rival that knows the target's rows alone, in engineering units.

    Args:
        name, title: of the rival.
        learner: what is fitted; one that asks for no source.
        needs: what it cannot run without.
        windows: whether it is averaged with the same learner on windows, where rows have them.
    """

    uses_source, as_is = False, False

    def __init__(
        self,
        name: str,
        title: str,
        learner: Learner,
        *,
        needs: tuple[Requirement, ...] = (),
        windows: bool = False,
    ) -> None:
        self.name, self.title, self._learner, self._windows = name, title, learner, windows
        self.needs = needs

    def fit(self, task: Task) -> Scorer:
        """Fit the learner on all training rows.

        Raises:
            StrategyError: one of ``needs`` is missing.
        """
        require(task, self)
        target, seed = rows_to_fit(task.target), task.options.seed
        member = self._fitted(target.X, target.y, seed)
        if not self._windows or target.windows is None:
            return lambda X, windows=None: member_logits(member, _Readings(X))
        wide = self._fitted(widened(target.X, target.windows.values), target.y, seed)
        made = target.windows.windows

        def said(X: np.ndarray, windows: np.ndarray | None = None) -> np.ndarray:
            own = widened(X, made.given_or_alone(X, windows))
            of_windows = member_logits(wide, _Readings(own))
            return np.asarray((member_logits(member, _Readings(X)) + of_windows) / 2)

        return said

    def _fitted(self, X: np.ndarray, y: np.ndarray, seed: int) -> Member:
        none = _Readings(X[:0])
        return self._learner.fit(TrainingRows(_Readings(X), y, none, y[:0], seed))


class _Readings(Views):
    """Rows without a source to look through: every block holds the readings as they are."""

    def __init__(self, X: np.ndarray) -> None:
        self.X, self.maps = X, {}

    def block(self, block: Block) -> np.ndarray:
        return self.X


def fit_together(learners: Sequence[Learner], task: Task, who: str) -> Stack:
    """Members fitted on all rows under the same maps, with weight 1, not calibrated."""
    fits, rows = fits_of(task, who)
    return Stack(fits.members(learners, rows), fits.maps(rows), fits.window_maps(rows))


def averaged(stack: Stack) -> Stack:
    """The same members with one weight for all."""
    weight = 1 / len(stack.members)
    members = tuple(dataclasses.replace(member, weight=weight) for member in stack.members)
    return dataclasses.replace(stack, members=members)


def _needs(*, source_rows: bool) -> tuple[Requirement, ...]:
    needs = [Requirement.SENSORS, Requirement.BOTH_CLASSES]
    needs += [Requirement.SOURCE_ENSEMBLE, Requirement.SOURCE_MODELS]
    if source_rows:
        needs.append(Requirement.SOURCE_ROWS)
    return tuple(needs)
