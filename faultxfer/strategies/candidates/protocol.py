"""What a candidate of the stack is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from faultxfer.bundle.frozen import Views
from faultxfer.bundle.members import Member


@dataclass(frozen=True)
class Rows:
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

    def take(self, rows: np.ndarray) -> Rows:
        """Target rows at the given positions, and all source rows."""
        return Rows(self.target.take(rows), self.y[rows], self.source, self.source_y, self.seed)


class Candidate(Protocol):
    """A way to detect faults on the target, fitted on few rows.

    ``paper`` says where it comes from; ``family`` what it is averaged with first; ``rival`` that it is an honest
    alternative to transfer; ``neural`` that it needs the source network.
    """

    family: str
    name: str
    paper: str
    rival: bool
    neural: bool

    def fit(self, rows: Rows) -> Member:
        """Fit on target rows of both classes."""
        ...
