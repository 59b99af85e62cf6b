"""What a strategy or a rival is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.config import TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.network.fit import History

Scorer = Callable[[np.ndarray], np.ndarray]
"""(n, d) rows in engineering units to (n,) uncalibrated fault logits."""


@dataclass(frozen=True)
class Task:
    """What there is to learn from.

    Attributes:
        source: the source bundle; never changed.
        target: the target's training rows, and no others.
        source_rows: a sample of the source's training rows, or None where it was not kept.
        options: options of the transfer.
    """

    source: Bundle
    target: Dataset
    source_rows: Dataset | None
    options: TransferOptions


@dataclass(frozen=True)
class Adapted:
    """A fitted strategy: a bundle not yet calibrated, and its training curves."""

    bundle: Bundle
    history: History = field(default_factory=dict)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Uncalibrated logits, as a :data:`Scorer`."""
        return self.bundle.logits(X)


class Strategy(Protocol):
    """A transfer method: (source bundle, target training rows) to candidate bundle.

    ``freezes`` tells whether the candidate keeps the source's network, all but the layers that are trained.
    """

    name: str
    title: str
    paper: str
    freezes: bool

    def fit(self, task: Task) -> Adapted:
        """Adapt.

        Raises:
            StrategyError: the rows at hand do not allow it, by name.
        """
        ...


class Rival(Protocol):
    """An honest alternative to transfer, for the report.

    ``uses_source`` tells whether it knows the source (negative transfer is measured against those that do not);
    ``as_is`` that it keeps the source's calibrator and threshold instead of getting its own.
    """

    name: str
    title: str
    uses_source: bool
    as_is: bool

    def fit(self, task: Task) -> Scorer:
        """Fit.

        Raises:
            StrategyError: the rows at hand do not allow it, by name.
        """
        ...
