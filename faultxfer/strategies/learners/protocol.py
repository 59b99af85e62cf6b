"""What a learner of the stack is given, what it gives back, and what most of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from faultxfer.bundle.frozen import Block, Views
from faultxfer.bundle.members import LINEAR, TREES, Member


@dataclass(frozen=True)
class TrainingRows:
    """Rows to fit on.

    Attributes:
        target: the target's training rows, seen through the source.
        y: (n,) their labels, 0 or 1, both present.
        source: a sample of the source's rows; their maps are the identity, whatever the map's name.
        source_y: (m,) their labels.
        seed: of anything drawn.
    """

    target: Views
    y: np.ndarray
    source: Views
    source_y: np.ndarray
    seed: int

    def take(self, rows: np.ndarray) -> TrainingRows:
        """Target rows at the given positions, and all source rows."""
        return TrainingRows(
            self.target.take(rows), self.y[rows], self.source, self.source_y, self.seed
        )


class Learner(Protocol):
    """A way to detect faults on the target, fitted on few rows.

    ``paper`` says where it comes from; ``family`` what it is averaged with first.
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
        **arrays: np.ndarray,
    ) -> Member:
        """A linear head: (k,) coefficients and the intercept, as :func:`.convex.fit_logistic` returns them.

        Args:
            blocks: its features.
            fitted: coefficients and intercept.
            flag: whether the domain flag is the last feature; it is 1 wherever the member scores.
            arrays: more of the member's arrays.
        """
        coef, intercept = fitted
        held = {"coef": coef, "intercept": np.array([intercept]), **arrays}
        return Member(
            self.family, self.name, LINEAR, blocks, held, constants=(1.0,) if flag else ()
        )

    def trees(
        self, blocks: tuple[Block, ...], text: str, *, flag: bool = False, **more: Any
    ) -> Member:
        """Trees as LightGBM text; ``more`` are further fields of the member."""
        return Member(
            self.family,
            self.name,
            TREES,
            blocks,
            text=text,
            constants=(1.0,) if flag else (),
            **more,
        )
