"""The judged rows, and which of them belong together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_EPOCH_SECONDS = (1e8, 4.1e9)  # 1973 to 2099; other values are sequence numbers
# Fewer runs than this with a class say too little of how runs differ; parts of runs stand in for them then.
_FEWEST_RUNS = 3
_BLOCKS = 12


@dataclass(frozen=True)
class Judged:
    """The judged rows and what one contestant says of them, in arrays of shape (m,)."""

    y: np.ndarray  # labels 0 or 1, of both classes
    probabilities: np.ndarray  # of a fault
    alarms: np.ndarray  # bool, at the contestant's own threshold
    run: np.ndarray  # recording of each row
    time: np.ndarray  # float64 seconds since 1970 or sequence number; NaN where there is no time

    def take(self, rows: np.ndarray) -> Judged:
        """The rows at the given positions (or of a boolean mask)."""
        return Judged(
            self.y[rows],
            self.probabilities[rows],
            self.alarms[rows],
            self.run[rows],
            self.time[rows],
        )


@dataclass(frozen=True)
class Clusters:
    """Rows that are drawn together, as they are alike.

    Attributes:
        index: (m,) number of each row's cluster, from 0.
        by: ``run`` or ``block of time``.
        faulty, normal: how many clusters hold faults, and how many normal rows.
    """

    index: np.ndarray
    by: str
    faulty: int
    normal: int

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return int(self.index.max()) + 1 if len(self.index) else 0


def clusters_of(y: np.ndarray, run: np.ndarray, time: np.ndarray) -> Clusters:
    """Runs; where a class lives in fewer than three, blocks of neighbouring rows of a run.

    Blocks of one recording are more alike than recordings are, so they make differences look surer than they are; the
    report says which was used.

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
    order = np.lexsort((np.arange(len(runs)), np.nan_to_num(time), runs))
    size = max(1, -(-len(runs) // _BLOCKS))
    first = np.searchsorted(runs[order], runs[order])
    block = np.empty(len(runs), dtype=int)
    place = (np.arange(len(runs)) - first) // size
    block[order] = np.unique(np.column_stack([runs[order], place]), axis=0, return_inverse=True)[
        1
    ].reshape(-1)
    return block


def _counted(index: np.ndarray, y: np.ndarray, by: str) -> Clusters:
    faulty, normal = (len(np.unique(index[y == label])) for label in (1, 0))
    return Clusters(index, by, faulty, normal)


def has_dates(time: np.ndarray) -> bool:
    """Whether all (m,) times are seconds since 1970, not sequence numbers."""
    return bool(((time > _EPOCH_SECONDS[0]) & (time < _EPOCH_SECONDS[1])).all())
