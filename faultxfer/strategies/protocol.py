"""What a strategy or a rival is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.config import TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import Fold
from faultxfer.network.recipe import History

if TYPE_CHECKING:
    from faultxfer.strategies.shared_fits import SharedFits

MIN_ROWS_PER_CLASS = 2


class Scorer(Protocol):
    """(n, d) rows in engineering units and their (n, 3, c) windows to (n,) uncalibrated logits.

    Windows that are left out are those of rows that stand for themselves.
    """

    def __call__(self, X: np.ndarray, windows: np.ndarray | None = None, /) -> np.ndarray:
        """Score rows."""
        ...


class Requirement(StrEnum):
    """What a strategy or a rival may be unable to run without.

    :mod:`faultxfer.strategies.needs` checks it.
    """

    SENSORS = "the source's sensors, in its order"
    BOTH_CLASSES = f"{MIN_ROWS_PER_CLASS} target rows of each class"
    SOURCE_ENSEMBLE = "a source network of format 2"
    SOURCE_MODELS = "the source's trees and statistics"
    SOURCE_ROWS = "rows of the source"


@dataclass(frozen=True)
class Task:
    """What there is to learn from.

    Attributes:
        source: the source bundle; never changed.
        target: the target's training rows, and no others.
        source_rows: a sample of the source's training rows, or None where it was not kept.
        options: options of the transfer.
        among: the rows that the target's are some of, and who else learns from those; None where
            nobody does.
    """

    source: Bundle
    target: Dataset
    source_rows: Dataset | None
    options: TransferOptions
    among: Among | None = None


@dataclass(frozen=True)
class Among:
    """Rows of the machine of which a task has some.

    Attributes:
        everything: the task with all of them.
        rows: positions of the task's.
        folds: in which all rows are cross-fitted; none where some are held out.
        fits: what has been fitted on some of them, made by the first who asks for it.
    """

    everything: Task
    rows: np.ndarray
    folds: tuple[Fold, ...] = ()
    fits: list[SharedFits] = field(default_factory=list)


@dataclass(frozen=True)
class FittedStrategy:
    """A bundle not yet calibrated, and its training curves.

    ``known`` scores like the bundle, and need not compute again what is known of rows that are
    shared.
    """

    bundle: Bundle
    history: History = field(default_factory=dict)
    known: Scorer | None = None

    def __call__(self, X: np.ndarray, windows: np.ndarray | None = None, /) -> np.ndarray:
        """Uncalibrated logits, as a :class:`Scorer`."""
        scorer = self.bundle.logits if self.known is None else self.known
        return scorer(X, windows)


class Strategy(Protocol):
    """A transfer method: (source bundle, target training rows) to candidate bundle.

    Attributes:
        name: under which it is chosen.
        title: for the report.
        paper: where it comes from.
        needs: what it cannot run without.
        options: fields of :class:`TransferOptions` it uses, of those that not every strategy does.
        freezes: whether the candidate keeps the source's network but for the layers it trains.
    """

    name: str
    title: str
    paper: str
    needs: tuple[Requirement, ...]
    options: frozenset[str]
    freezes: bool

    def fit(self, task: Task) -> FittedStrategy:
        """Adapt the source to the target.

        Raises:
            StrategyError: names the strategy and what these rows or this source lack.
        """
        ...


class Rival(Protocol):
    """An honest alternative to transfer, for the report.

    Attributes:
        name: in ``report.json``.
        title: for the report.
        needs: what it cannot run without.
        uses_source: whether it knows the source; negative transfer is measured against those that
            do not.
        as_is: whether it keeps the source's calibrator and threshold instead of getting its own.
    """

    name: str
    title: str
    needs: tuple[Requirement, ...]
    uses_source: bool
    as_is: bool

    def fit(self, task: Task) -> Scorer:
        """Fit on the target's rows, or on those of both domains.

        Raises:
            StrategyError: names the rival and what these rows or this source lack.
        """
        ...
