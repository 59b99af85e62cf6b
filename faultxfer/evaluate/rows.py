"""The test rows, and which of them belong together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from faultxfer.data.blocks import rows_in_order

# Fewer runs than this with a class say too little of how runs differ; blocks stand in for them.
_FEWEST_RUNS = 3
_BLOCKS = 12
_ONE_FOLD = np.zeros(0, dtype=int)


@dataclass(frozen=True)
class ScoredRows:
    """The test rows with what one contestant predicts, in arrays of shape (m,).

    Attributes:
        y: labels 0 or 1, of both classes.
        probabilities: of a fault.
        alarms: bool, at the contestant's own threshold.
        run: recording of each row.
        time: float64 seconds since 1970 or sequence number; NaN where there is no time.
        fold: number of the fold whose model scored the row; one fold if left out, as in a hold-out.
    """

    y: np.ndarray
    probabilities: np.ndarray
    alarms: np.ndarray
    run: np.ndarray
    time: np.ndarray
    fold: np.ndarray = field(default_factory=lambda: _ONE_FOLD)

    def __post_init__(self) -> None:
        if self.fold is _ONE_FOLD:
            object.__setattr__(self, "fold", np.zeros(len(self.y), dtype=int))

    def take(self, rows: np.ndarray) -> ScoredRows:
        """The rows at the given positions (or of a boolean mask)."""
        return ScoredRows(*(values[rows] for values in vars(self).values()))


@dataclass(frozen=True)
class Clusters:
    """Rows that are drawn together, as they are alike.

    Attributes:
        index: (m,) number of each row's cluster, from 0.
        by: ``run`` or ``block of time``.
        faulty, normal: how many clusters hold faults, and how many normal rows.
        unequal: clusters of the rarer class, divided by as many of one size as they are worth; 1
            where all hold the same number of rows.
    """

    index: np.ndarray
    by: str
    faulty: int
    normal: int
    unequal: float = 1.0

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return int(self.index.max()) + 1 if len(self.index) else 0


def clusters_of(y: np.ndarray, run: np.ndarray, time: np.ndarray) -> Clusters:
    """Runs; where a class lives in fewer than three, blocks of neighbouring rows of a run.

    Blocks of one recording are more alike than recordings are, so they make differences look surer
    than they are; the report says which was used.

    Args:
        y: (m,) labels.
        run: (m,) recording of each row.
        time: (m,) time of each row; rows without one keep their order.
    """
    runs = np.unique(run.astype(str), return_inverse=True)[1]
    clusters = _counted(runs, y, "run")
    if min(clusters.faulty, clusters.normal) >= _FEWEST_RUNS:
        return clusters
    return _counted(_blocks(runs, time), y, "block of time")


def _blocks(runs: np.ndarray, time: np.ndarray) -> np.ndarray:
    """(m,) numbers of blocks of one size, a twelfth of all rows; none reaches into another run."""
    order = rows_in_order(runs, time)
    in_order = runs[order]
    size = max(1, -(-len(runs) // _BLOCKS))
    place = np.arange(len(runs)) - np.searchsorted(in_order, in_order)
    names = np.column_stack([in_order, place // size])
    block = np.empty(len(runs), dtype=int)
    block[order] = np.unique(names, axis=0, return_inverse=True)[1].reshape(-1)
    return block


def _counted(index: np.ndarray, y: np.ndarray, by: str) -> Clusters:
    sizes = [np.bincount(index[y == label]) for label in (1, 0)]
    faulty, normal = (int((size > 0).sum()) for size in sizes)
    # As many as there would be of one size for a mean with the same variance (Kish).
    worth = min(float(size.sum() ** 2 / max((size**2).sum(), 1)) for size in sizes)
    unequal = max(min(faulty, normal) / max(worth, 1.0), 1.0)
    return Clusters(index, by, faulty, normal, unequal)


def slices_of(
    y: np.ndarray, columns: dict[str, np.ndarray]
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Slices that a gain on the whole may hide: column, value, and the (m,) mask of the rows.

    A value that only fault rows carry is a kind of fault, which is told apart from all normal rows;
    any other value is a condition, with its own faults and its own normal rows:

    >>> y = np.array([1, 1, 0, 0])
    >>> kind = np.array(["leak", "wear", "", ""])
    >>> for column, value, rows in slices_of(y, {"kind": kind}):
    ...     print(column, value, rows.astype(int))
    kind leak [1 0 1 1]
    kind wear [0 1 1 1]

    Blank cells belong to no slice, and a column with one value has none. A value without faults is
    left out, as there is nothing to find in it, and so is one that holds all rows.

    Args:
        y: (m,) labels.
        columns: name -> (m,) values of the test rows.
    """
    for name, values in columns.items():
        text = values.astype(str)
        found = [value for value in np.unique(text).tolist() if value.strip()]
        if len(found) < 2:
            continue
        for value in found:
            rows = text == value
            if not y[rows].any():
                continue
            if y[rows].all():
                rows |= y == 0
            if not rows.all():
                yield name, value, rows
