"""Healthy rows that a bundle keeps: what its alarms are explained against.

They are the machine's own (``docs/decisions/0030-where-the-reference-rows-live.md``): an alarm is
compared with rows as they read in good health, in the same operating mode and otherwise as alike as
there are. Rows that are alike in the other sensors make this a conditional comparison, so that a
sensor which only follows the duty is not blamed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import connected_components

from faultxfer.bundle.input_map import spread_of
from faultxfer.bundle.plain_files import load_arrays

REFERENCES = "reference_rows.npz"
# Rows that are kept at most, and those that one alarm is compared with.
KEPT, NEAREST = 300, 20
# Fewer rows of a mode than this show neither what is usual in it nor what is near.
_FEWEST_OF_MODE = 5
# Sensors that go together like this among healthy rows tell the same; fewer rows cannot show it.
SAME, _FEWEST_FOR_SAME = 0.95, 10
# A sensor counts for at most this many deviations in a distance: a faulty one must not choose the
# rows that it is compared with.
_FAR = 3.0
_USUAL = (5, 95)
_LIMIT = 64 * 2**20


@dataclass(frozen=True)
class References:
    """Healthy rows.

    Attributes:
        X: (m, d) readings in engineering units, sensors in the bundle's order, finite.
        modes: (m,) text, the operating mode of each; empty where the contract names none.
    """

    X: np.ndarray
    modes: np.ndarray

    def nearest(self, X: np.ndarray, modes: np.ndarray) -> np.ndarray:
        """(n, j) positions of the healthy rows that are most like each of (n, d) rows.

        They are of its mode where there are at least five of it, else of any; ``j`` is 20, or less
        where there are fewer rows.

        Args:
            X: (n, d) rows.
            modes: (n,) their modes.
        """
        found = np.zeros((len(X), min(NEAREST, len(self.X))), dtype=int)
        for mode in np.unique(modes):
            rows, pool = np.flatnonzero(modes == mode), np.flatnonzero(self.of_mode(mode))
            found[rows] = self._nearest_in(pool, X[rows], found.shape[1])
        return found

    def _nearest_in(self, pool: np.ndarray, X: np.ndarray, count: int) -> np.ndarray:
        """Of a pool that is too small, the nearest stand in for the rest once more."""
        spread = spread_of(self.X[pool])
        own, others = X / spread.scale, self.X[pool] / spread.scale
        nearest = np.zeros((len(X), count), dtype=int)
        for place, row in enumerate(own):
            apart = np.minimum(np.abs(others - row), _FAR)
            order = np.argsort((apart**2).sum(axis=1), kind="stable")
            nearest[place] = np.resize(pool[order[:count]], count)
        return nearest

    def knows(self, mode: str) -> bool:
        """Whether there are enough rows of a mode to compare with it alone."""
        return int((self.modes == mode).sum()) >= _FEWEST_OF_MODE

    def of_mode(self, mode: str) -> np.ndarray:
        """(m,) bool: rows to compare a row of this mode with."""
        if not self.knows(mode):
            return np.ones(len(self.X), dtype=bool)
        return np.asarray(self.modes == mode)

    def usual(self, mode: str) -> tuple[np.ndarray, np.ndarray]:
        """(d,) lower and upper end of the middle nine tenths of healthy readings in a mode."""
        low, high = np.percentile(self.X[self.of_mode(mode)], _USUAL, axis=0)
        return low, high

    @cached_property
    def groups(self) -> np.ndarray:
        """(d,) number of each sensor's group: those that tell the same are in one.

        They go together inside the modes, with a correlation beyond ±.95 from one to the next.
        """
        inside = self.X.astype(np.float64)
        for mode in np.unique(self.modes):
            rows = self.modes == mode
            inside[rows] -= np.median(inside[rows], axis=0)
        sensors = inside.shape[1]
        if len(inside) < _FEWEST_FOR_SAME:
            return np.arange(sensors)
        moves = inside.std(axis=0)
        still = moves <= 1e-9 * (1 + np.abs(self.X).max(axis=0))
        scaled = (inside - inside.mean(axis=0)) / np.where(still, 1.0, moves)
        scaled[:, still] = 0.0
        together = np.abs(scaled.T @ scaled) / len(inside) > SAME
        return np.asarray(connected_components(together, directed=False)[1])


def keep_references(X: np.ndarray, y: np.ndarray, modes: np.ndarray | None) -> References | None:
    """At most 300 healthy rows, as many of each mode as there are of the others, spread evenly.

    Args:
        X: (n, d) rows that something was fitted on, in the order in which they were recorded.
        y: (n,) their labels.
        modes: (n,) their modes; None where the contract names none.

    Returns:
        The rows; None where none is healthy.
    """
    healthy = np.flatnonzero(y == 0)
    if not len(healthy):
        return None
    names = np.full(len(X), "") if modes is None else modes.astype(str)
    kept = np.sort(_evenly(healthy, names[healthy]))
    return References(X[kept], names[kept])


def _evenly(rows: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """At most 300 of the rows; a mode that has fewer than its share leaves the rest to others."""
    names, sizes = np.unique(modes, return_counts=True)
    chosen, room = [], KEPT
    for left, place in enumerate(np.argsort(sizes, kind="stable")):
        own = rows[modes == names[place]]
        count = min(len(own), room // (len(names) - left))
        places = np.linspace(0, len(own) - 1, count).round().astype(int)
        chosen.append(own[places])
        room -= count
    return np.concatenate(chosen)


def save_references(references: References, folder: Path) -> None:
    """Write the rows beside the bundle's other files."""
    arrays = {"X": references.X.astype("<f8"), "modes": references.modes.astype(str)}
    np.savez_compressed(folder / REFERENCES, allow_pickle=False, **arrays)


def load_references(folder: Path, sensors: int) -> References:
    """The inverse of :func:`save_references`; the hash of the file is checked before.

    Raises:
        KeyError, and what ``plain_files.UNREADABLE`` lists: something else was stored.
    """
    arrays = load_arrays(folder / REFERENCES, _LIMIT)
    X, modes = arrays["X"], arrays["modes"]
    whole = X.ndim == 2 and X.shape[1] == sensors and modes.shape == (len(X),)
    if not whole or not len(X) or X.dtype != np.float64 or not np.isfinite(X).all():
        raise ValueError(f"The reference rows are damaged. Received: shape {X.shape}")
    return References(X, modes.astype(str))
