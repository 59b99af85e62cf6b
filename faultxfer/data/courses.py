"""Runs that are parts of one recording, found by their course.

Where one recording was dealt row by row to several runs, their averages agree in every stretch as
well as the noise from row to row allows, and those of no other run do. A drift that is common to
all runs is no such sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faultxfer.data.recordings import GAP, REACH, Pairs, Rows

# How they were chosen: docs/decisions/0016-copies-are-one-run.md.

# Runs of how many rows (from, to) are compared in how many stretches; the spans overlap, as halves
# of a recording differ by a row.
_STRETCHES = ((31, 2**62, 8), (7, 32, 2), (3, 8, 1))
# Rows of all runs that a run's own noise is mixed with.
_ROWS_OF_USUAL = 8
# Squared differences in units of the noise: at most this in one recording, and at least that to
# another one, or to a run's own other stretches. At most so many more runs share a recording. A
# single pair of runs must be nearer by this factor.
_ALIKE, _APART, _PARTNERS, _SURE_GAP = 4.0, 6.0, 6, 0.05
# Share of the runs that must be nearer to another one by the usual factor, where most are paired.
_SHARE_OF_RUNS, _LEAST_RUNS = 0.3, 8


def pairs_of_one_course(rows: Rows) -> Pairs:
    """First rows of runs that share one recording.

    A single pair must be far nearer to each other than to any other run. Where many runs are nearer
    to another one than chance allows, all are paired that can be.
    """
    first = rows.order[np.searchsorted(rows.run[rows.order], np.arange(len(rows.names)))]
    compared = [_courses(rows, *kind) for kind in _STRETCHES]
    run, other, gap = np.concatenate([_partners(courses) for courses in compared]).T
    run, other = run.astype(int), other.astype(int)
    count = len(rows.names)
    mutual = np.isin(run * count + other, other * count + run)
    seen = len(np.unique(np.concatenate([courses.runs for courses in compared])))
    paired = len(np.unique(run[mutual & (gap <= GAP)]))
    many = paired >= max(_LEAST_RUNS, _SHARE_OF_RUNS * seen)
    taken = mutual & (many | (gap <= _SURE_GAP))
    return Pairs(first[run[taken]], first[other[taken]])


@dataclass(frozen=True)
class _Courses:
    """Averages of the runs of like length.

    Attributes:
        runs: (g,) their numbers.
        rows: (g,) their sizes.
        means: (g, stretches, d) averages of each stretch.
        noise: (g, d) variance from row to row.
    """

    runs: np.ndarray
    rows: np.ndarray
    means: np.ndarray
    noise: np.ndarray

    def apart(self, run: int, others: np.ndarray) -> np.ndarray:
        """(o,) mean squared difference between averages; 1 is what the noise makes of it."""
        unit = (self.noise[others] + self.noise[run]) * self.means.shape[1] / self.rows[run]
        squares = np.mean((self.means[others] - self.means[run]) ** 2, axis=1)
        return np.asarray(np.mean(squares / unit, axis=1))

    def drift(self, run: int) -> float:
        """How far the stretches of a run are apart, in the same unit."""
        unit = self.noise[run] * self.means.shape[1] / self.rows[run]
        return float(np.mean(self.means[run].var(axis=0) / unit))


def _courses(rows: Rows, least: int, most: int, stretches: int) -> _Courses:
    """Courses of the runs with ``least`` to ``most`` rows."""
    runs = np.flatnonzero((rows.sizes >= least) & (rows.sizes <= most))
    in_order = rows.run[rows.order]
    dimension = rows.Z.shape[1]
    means = np.empty((len(runs), stretches, dimension))
    noise = np.empty((len(runs), dimension))
    for place, number in enumerate(runs):
        low, high = np.searchsorted(in_order, [number, number + 1])
        Z = rows.Z[rows.order[low:high]]
        means[place] = [part.mean(axis=0) for part in np.array_split(Z, stretches)]
        noise[place] = np.mean(np.diff(Z, axis=0) ** 2, axis=0) / 2
    sizes = rows.sizes[runs]
    return _Courses(runs, sizes, means, _steadied(noise, sizes) if len(runs) else noise)


def _steadied(noise: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The noise of each run, that of short ones by the usual noise of all; never none at all."""
    usual = np.median(noise, axis=0)
    known = sizes[:, None]
    mixed = (known * noise + _ROWS_OF_USUAL * usual) / (known + _ROWS_OF_USUAL)
    return np.asarray(np.maximum(mixed, (REACH / 10) ** 2))


def _partners(courses: _Courses) -> np.ndarray:
    """(p, 3) numbers of two runs alike in all averages, and how much nearer they are than others.

    Those are the runs that are not alike; where none is at hand, the run's own other stretches.
    """
    found: list[tuple[int, int, float]] = []
    for run, size in enumerate(courses.rows):
        others = np.flatnonzero(np.abs(courses.rows - size) <= np.maximum(1, size // 20))
        others = others[others != run]
        apart = courses.apart(run, others)
        closest = np.argsort(apart, kind="stable")
        count = _before_the_gap(apart[closest])
        beyond = apart[closest[count]] if count < len(others) else courses.drift(run)
        for k in closest[:count]:
            gap = float(np.sqrt(apart[k] / beyond)) if beyond >= _APART else 1.0
            found.append((int(courses.runs[run]), int(courses.runs[others[k]]), gap))
    return np.array(found, dtype=float).reshape(-1, 3)


def _before_the_gap(apart: np.ndarray) -> int:
    """How many runs share a recording, by (o,) squared distances, the nearest first.

    >>> _before_the_gap(np.array([0.9, 1.1, 80.0])), _before_the_gap(np.array([1.0, 1.5, 2.0, 7.0]))
    (2, 1)
    """
    alike = apart[:_PARTNERS] <= _ALIKE
    if not alike.any():
        return 0
    following = np.append(apart, np.inf)[1 : len(alike) + 1]
    clear = alike & (apart[:_PARTNERS] <= GAP**2 * following)
    return int(np.flatnonzero(clear)[-1]) + 1 if clear.any() else 1
