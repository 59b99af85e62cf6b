"""What a learner is given, what it gives back, and what most of them share."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from faultxfer.bundle.frozen import Block, Views
from faultxfer.bundle.input_map import NEW
from faultxfer.bundle.members import LINEAR, TREES, Member

# Readings on the target's own scale.
SENSORS = Block("sensors", "target")
# Those that the source does not know, which have no other scale.
NEW_SENSORS = Block(NEW, NEW)


@dataclass(frozen=True)
class TrainingRows:
    """Rows to fit on.

    Attributes:
        target: the target's training rows, seen through the source.
        y: (n,) their labels, 0 or 1, both present.
        source: a sample of the source's rows; every map leaves them as they are.
        source_y: (m,) their labels.
        seed: of anything drawn.
    """

    target: Views
    y: np.ndarray
    source: Views
    source_y: np.ndarray
    seed: int

    @property
    def own(self) -> tuple[Block, ...]:
        """Blocks of every sensor that the target has, on its own scale."""
        return (SENSORS, NEW_SENSORS) if NEW in self.target.maps else (SENSORS,)

    def take(self, rows: np.ndarray) -> TrainingRows:
        """Target rows at the given positions, and all source rows."""
        return dataclasses.replace(self, target=self.target.take(rows), y=self.y[rows])


class Learner(Protocol):
    """A way to detect faults on the target, fitted on few rows.

    Attributes:
        family: what it is averaged with first.
        name: of the member it makes; bundles store it.
        paper: where the method comes from.
    """

    family: str
    name: str
    paper: str

    def fit(self, rows: TrainingRows) -> Member:
        """Fit on target rows of both classes."""
        ...


class BaseLearner:
    """Base of learners: how to make a member of what was fitted."""

    family = ""
    name = ""
    paper = ""

    def linear(
        self,
        blocks: tuple[Block, ...],
        fitted: tuple[np.ndarray, float],
        *,
        flag: bool = False,
    ) -> Member:
        """A linear head.

        Args:
            blocks: its features.
            fitted: (k,) coefficients and the intercept, as :func:`.convex.fit_logistic` gives them.
            flag: whether the domain flag is the last feature; it is 1 wherever the member scores.
        """
        coef, intercept = fitted
        arrays = {"coef": coef, "intercept": np.array([intercept])}
        return self._member(LINEAR, blocks, flag=flag, arrays=arrays)

    def trees(
        self, blocks: tuple[Block, ...], text: str, *, flag: bool = False, **more: Any
    ) -> Member:
        """Trees as LightGBM text; ``more`` are further fields of the member."""
        return self._member(TREES, blocks, flag=flag, text=text, **more)

    def _member(self, kind: str, blocks: tuple[Block, ...], *, flag: bool, **more: Any) -> Member:
        constants = (1.0,) if flag else ()
        return Member(self.family, self.name, kind, blocks, constants=constants, **more)
