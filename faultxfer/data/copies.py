"""Runs that are near copies of one another or of the source's, found by their nearest rows.

A copy that was jittered, rounded or given another clock is no equal row, yet a model that was
trained on it knows the row that it is to be judged by. Twins give it away: a row's nearest rows
belong to other runs, and the next nearest is several times as far. Recordings made by themselves
differ by the machine's noise, as neighbouring rows of one recording do, so such a gap is rare; how
rare is measured on the rows at hand. In a copy it is the rule.

Runs to which one recording was dealt row by row have no twins; ``courses.py`` finds them.

What stands still, or is so coarse that rows of one run are equal too, shows nothing, and nothing is
found in it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from faultxfer.data.courses import pairs_of_one_course
from faultxfer.data.dataset import Dataset
from faultxfer.data.recordings import GAP, REACH, Group, Pairs, Rows, arranged, group_of, grouped

# How they were chosen: docs/decisions/0016-copies-are-one-run.md.

# Where few sensors leave more to chance, a twin must be nearer than by the usual factor, so that at
# most this share of rows passes by chance.
_BY_CHANCE = 0.02
# Rows looked at around each one; a recording that stands there more often than this is not found.
_NEIGHBOURS = 16
# The dimension of the rows is measured on the neighbours that are no copies of a few.
_FIRST_TO_MEASURE = 5
# Share of a run's telling rows, and of all its rows, that must have twins in one other run.
_SHARE, _LEAST_SHARE, _LEAST_ROWS = 0.2, 0.05, 3
_SHARE_OF_CROWDED = 0.7
# Share of a run's rows that must have a neighbour in one other run, equally many rows ahead.
_VOTES = 0.1
# Of the rows put together so, this share must be nearer than the next row, and so many.
_SHARE_IN_STEP, _LEAST_IN_STEP = 0.5, 5
# Runs with fewer rows are judged together, by the share of their rows that have twins.
_SMALL_RUN, _SHARE_OF_SMALL = 8, 0.05
# Distances computed at most, which takes seconds; of more rows some are asked about.
_MOST_DISTANCES = 400_000_000


@dataclass(frozen=True)
class _Near:
    """Neighbours of the rows asked about, the nearest first.

    Attributes:
        asked: (q,) positions.
        rows: (q, k) positions of the neighbours.
        distance: (q, k) root mean square over the sensors.
    """

    asked: np.ndarray
    rows: np.ndarray
    distance: np.ndarray


def copied_runs(X: np.ndarray, run: np.ndarray, time: np.ndarray) -> tuple[Group, ...]:
    """Groups of runs that are near copies of one another, or of one recording.

    >>> noise = np.random.default_rng(0)
    >>> X = noise.normal(size=(40, 6)).cumsum(axis=0)
    >>> twice = np.vstack([X, X + noise.normal(size=X.shape) / 1000])
    >>> run = np.repeat(["monday", "tuesday", "again", "and again"], 20)
    >>> for group in copied_runs(twice, run, np.full(80, np.nan)):
    ...     print(group.runs, group.kind, group.rows)
    ('again', 'monday') copies 40
    ('and again', 'tuesday') copies 40

    Args:
        X: (n, d) sensors.
        run: (n,) recording of each row.
        time: (n,) time of each row; NaN where there is none.
    """
    rows = arranged(X, run, time)
    if len(rows.names) < 2 or not rows.Z.shape[1]:
        return ()
    twins = _twins_of_runs(rows)
    return tuple(grouped(rows, twins, pairs_of_one_course(rows)))


def rows_of_source(
    data: Dataset, source_X: np.ndarray, groups: tuple[Group, ...] = ()
) -> np.ndarray:
    """(n,) whether a row belongs to a run of which rows are near copies of the source's.

    Only some of the source's rows may be kept, so a few of a run's rows suffice.

    Args:
        data: rows of the target.
        source_X: (m, d) kept rows of the source, same sensors.
        groups: copies among the target's own runs, which are no measure of what is near.
    """
    rows = arranged(data.X, data.run, data.time, source_X)
    if not len(source_X) or not rows.Z.shape[1] or len(data) < 2:
        return np.zeros(len(data), dtype=bool)
    target = dataclasses.replace(rows, Z=rows.Z[: len(data)])
    near = _neighbours(target.Z, _asked(target, len(rows.Z)))
    group = group_of(rows, groups)
    run, other = rows.run[near.asked][:, None], rows.run[near.rows]
    copies = (group[run] == group[other]) & (run != other)
    own = np.where(copies, np.inf, near.distance).min(axis=1)
    own = np.where(np.isfinite(own), own, near.distance[:, -1])
    found = _nearest(rows.Z[len(data) :], target.Z[near.asked])
    twin = (found <= np.minimum(REACH, _gap(near) * own)) & (own > 0)
    return np.asarray(_runs_with(twin, near.asked, group[rows.run])[group[rows.run]])


# Twins


def _twins_of_runs(rows: Rows) -> Pairs:
    """Rows and their twins, of the runs that have enough of them in each other."""
    near = _neighbours(rows.Z, _asked(rows, len(rows.Z)))
    row, twin, telling = _twins(near, rows)
    if len(near.asked) < len(rows.Z) and _small_twins(rows, near.asked, row, twin).any():
        # Some single rows have shown that there are copies; now each finds its own.
        near = _neighbours(rows.Z, np.arange(len(rows.Z)))
        row, twin, telling = _twins(near, rows)
    linked = _linked(rows, near.asked, row, twin, telling)
    steps = _in_step(rows, near)
    pairs = np.column_stack(
        [np.append(row[linked], steps.row), np.append(twin[linked], steps.twin)]
    )
    return Pairs(*np.unique(pairs, axis=0).T)


def _in_step(rows: Rows, near: _Near) -> Pairs:
    """Rows of runs that match each other row by row.

    Where the noise of a copy is that of the machine, a row's twin need not be its nearest row. Yet
    many neighbours are then in one other run and the same number of rows ahead, and the runs, put
    together so, are near each other in most rows although a row is far from the next one.
    """
    run, other = rows.run[near.asked][:, None], rows.run[near.rows]
    ahead = rows.place[near.rows] - rows.place[near.asked][:, None]
    cells = np.stack([np.broadcast_to(run, other.shape), other, ahead], axis=-1)[run != other]
    found, votes = np.unique(cells, axis=0, return_counts=True)
    asked = np.bincount(rows.run[near.asked], minlength=len(rows.names))
    enough = votes >= np.maximum(_LEAST_ROWS, _VOTES * asked[found[:, 0]])
    starts = np.searchsorted(rows.run[rows.order], np.arange(len(rows.names)))
    pairs = [_matching(rows, starts, *cell) for cell in found[enough].tolist()]
    none = np.zeros((0, 2), dtype=int)
    return Pairs(*np.concatenate([none, *pairs]).T)


def _matching(rows: Rows, starts: np.ndarray, run: int, other: int, ahead: int) -> np.ndarray:
    """(p, 2) rows of two runs, one so many rows ahead, where they match; else none."""
    sizes = rows.sizes
    low, high = max(0, -ahead), min(sizes[run], sizes[other] - ahead)
    mine = rows.order[starts[run] + low : starts[run] + high]
    theirs = rows.order[starts[other] + low + ahead : starts[other] + high + ahead]
    apart = _rms(rows.Z[mine] - rows.Z[theirs])
    steps = np.maximum(_rms(np.diff(rows.Z[mine], axis=0)), _rms(np.diff(rows.Z[theirs], axis=0)))
    near = apart <= REACH
    # Rows that stand still match those of any run that stands still there.
    telling = near[1:] & (apart[1:] < GAP * steps)
    if telling.sum() < max(_LEAST_IN_STEP, _SHARE_IN_STEP * len(mine)):
        return np.zeros((0, 2), dtype=int)
    return np.column_stack([mine[near], theirs[near]])


def _asked(rows: Rows, among: int) -> np.ndarray:
    """Positions of the rows whose neighbours are sought: all, or evenly spaced ones of each run."""
    most = max(1, _MOST_DISTANCES // among)
    if most >= len(rows.order):
        return np.sort(rows.order)
    step = -(-len(rows.order) // most)
    return np.sort(rows.order[::step])


def _neighbours(Z: np.ndarray, asked: np.ndarray) -> _Near:
    count = min(_NEIGHBOURS, len(Z) - 1)
    search = NearestNeighbors(n_neighbors=count + 1, algorithm="brute").fit(Z)
    found = search.kneighbors(Z[asked], return_distance=False)
    # The search subtracts large products; near copies need the difference itself.
    distance = np.stack([_rms(Z[found[:, k]] - Z[asked]) for k in range(count + 1)], axis=1)
    # Where more rows than this are equal to a row, it need not be among its own neighbours.
    distance[found == asked[:, None]] = -1
    by_distance = np.argsort(distance, axis=1, kind="stable")[:, 1:]
    rows = np.take_along_axis(found, by_distance, axis=1)
    return _Near(asked, rows, np.abs(np.take_along_axis(distance, by_distance, axis=1)))


def _rms(differences: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.mean(differences**2, axis=1)))


def _nearest(Z: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(q,) distance to the nearest row of ``Z``."""
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(Z)
    found = search.kneighbors(wanted, return_distance=False)[:, 0]
    return _rms(Z[found] - wanted)


def _gap(near: _Near) -> float:
    """How much nearer than the next row a twin is.

    Of rows that are spread evenly in D dimensions a share of ``gap ** D`` has its nearest row by
    this factor nearer than the next. D by the distances themselves (Levina & Bickel, "Maximum
    likelihood estimation of intrinsic dimension", 2004).
    """
    inner, outer = near.distance[:, _FIRST_TO_MEASURE:-1], near.distance[:, -1:]
    known = (inner > 0) & (outer > inner)
    if not known.any():
        return GAP if near.distance.shape[1] > _FIRST_TO_MEASURE else _BY_CHANCE
    ratios = np.broadcast_to(outer, inner.shape)[known] / inner[known]
    dimension = max(1.0, 1 / float(np.mean(np.log(ratios))))
    return min(GAP, float(_BY_CHANCE ** (1 / dimension)))


def _twins(near: _Near, rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of a row and its twin, and (q,) whether a row's own run leaves it alone."""
    own = rows.run[near.rows] == rows.run[near.asked][:, None]
    distance, gap = near.distance, _gap(near)
    cut = np.zeros(len(near.asked), dtype=int)
    others = np.ones(len(near.asked), dtype=bool)
    for count in range(1, distance.shape[1]):
        last = rows.run[near.rows[:, count - 1]]
        before = rows.run[near.rows[:, : count - 1]]
        others &= ~own[:, count - 1] & ~(before == last[:, None]).any(axis=1)
        near_enough = distance[:, count - 1] <= np.minimum(REACH, gap * distance[:, count])
        cut[others & near_enough & (distance[:, count] > 0)] = count
    taken = np.arange(distance.shape[1]) < cut[:, None]
    number, _ = np.nonzero(taken)
    crowded = (own & (distance <= REACH)).any(axis=1)
    return near.asked[number], near.rows[taken], ~crowded


def _linked(
    rows: Rows, asked: np.ndarray, row: np.ndarray, twin: np.ndarray, telling: np.ndarray
) -> np.ndarray:
    """(p,) which pairs belong to runs that are copies."""
    if not len(row):
        return np.zeros(0, dtype=bool)
    count = len(rows.names)
    seen = np.bincount(rows.run[asked], minlength=count)
    alone = np.zeros(len(rows.run), dtype=bool)
    alone[asked] = telling
    told = np.bincount(rows.run[asked], weights=telling, minlength=count)
    found, place, size = np.unique(
        rows.run[row] * count + rows.run[twin], return_inverse=True, return_counts=True
    )
    told_twins = np.bincount(place, weights=alone[row])
    different = np.unique(np.column_stack([place, twin]), axis=0)[:, 0]
    first = found // count
    enough = (told_twins >= _LEAST_ROWS) & (told_twins >= _SHARE * told[first])
    enough &= told_twins >= _LEAST_SHARE * seen[first]
    # In a run whose rows are as near to each other as a copy is, most of them must have a twin.
    enough |= (size >= _LEAST_ROWS) & (size >= _SHARE_OF_CROWDED * seen[first])
    enough &= 2 * np.bincount(different, minlength=len(found)) >= size
    return np.asarray(enough[place] | _small_twins(rows, asked, row, twin))


def _small_twins(rows: Rows, asked: np.ndarray, row: np.ndarray, twin: np.ndarray) -> np.ndarray:
    """(p,) mutual pairs of runs of few rows, where these have too many of them to be by chance."""
    small = rows.sizes[rows.run] < _SMALL_RUN
    pairs = row.astype(np.int64) * len(small) + twin
    mutual = np.isin(pairs, twin.astype(np.int64) * len(small) + row)
    mutual &= small[row] & small[twin]
    share = len(np.unique(row[mutual])) / max(1, int(small[asked].sum()))
    return mutual if share >= _SHARE_OF_SMALL else np.zeros(len(row), dtype=bool)


def _runs_with(twin: np.ndarray, asked: np.ndarray, run: np.ndarray) -> np.ndarray:
    """(r,) runs of which enough rows have a twin; small ones, where enough of all of them have."""
    sizes = np.bincount(run)
    found = np.bincount(run[asked], weights=twin, minlength=len(sizes))
    seen = np.bincount(run[asked], minlength=len(sizes))
    small = sizes < _SMALL_RUN
    whole = ~small & (found >= np.maximum(_LEAST_ROWS, _LEAST_SHARE * seen))
    if found[small].sum() >= max(1.0, _SHARE_OF_SMALL * seen[small].sum()):
        return np.asarray(whole | (small & (found > 0)))
    return np.asarray(whole)
