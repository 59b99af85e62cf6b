"""Runs that are copies of one another, or halves of one recording.

A copy that was jittered, rounded or given another clock is no equal row, yet a model that was
trained on it knows the row that it is to be judged by. Two signs give it away.

**Twins.** A row's nearest rows belong to other runs, and the next nearest is several times as far.
Recordings made by themselves differ by the machine's noise, as neighbouring rows of one recording
do, so such a gap is rare; how rare is measured on the rows at hand. In a copy it is the rule.

**Alternation.** Where one recording was dealt row by row to several runs, their averages agree in
every stretch as well as the noise from row to row allows, and those of no other run do. A drift
that is common to all runs is no such sign.

What stands still, or is so coarse that rows of one run are equal too, shows nothing, and nothing is
found in it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors

from faultxfer.data.blocks import rows_in_order
from faultxfer.data.dataset import Dataset

# How they were chosen: docs/decisions/0016-copies-are-one-run.md.

# How far a twin may lie, as a root mean square over the sensors; 1 is a sensor's middle 90 %.
_REACH = 0.012
# The same in standard deviations of a normal variable.
_MIDDLE = 3.29
# A twin is nearer than the next row by this factor, or by more where few sensors leave more to
# chance, as this share of rows must not pass by chance.
_GAP, _BY_CHANCE = 0.4, 0.02
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
# One course. Runs of how many rows (from, to) are compared in how many stretches; the spans
# overlap, as halves of a recording differ by a row.
_STRETCHES = ((31, 2**62, 8), (7, 32, 2), (3, 8, 1))
# Rows of all runs that a run's own noise is mixed with.
_ROWS_OF_USUAL = 8
# Squared differences in units of the noise: at most this in one recording, and at least that to
# another one, or to a run's own other stretches. At most so many more runs share a recording. A
# single pair of runs must be nearer by this factor.
_ALIKE, _APART, _PARTNERS, _SURE_GAP = 4.0, 6.0, 6, 0.05
# Share of the runs that must be nearer to another one by the usual factor, where most are paired.
_SHARE_OF_RUNS, _LEAST_RUNS = 0.3, 8

# Groups, and runs of a group, that a sentence names.
_NAMED = 3

TWINS, ONE_COURSE = "copies", "one course"


@dataclass(frozen=True)
class Group:
    """Runs that count as one.

    Attributes:
        runs: their names; the first one names the group.
        kind: ``copies`` or ``one course``.
        rows: how many rows of all these runs were found to have a counterpart in another one.
        shifts: by run, how far its clock is ahead of that of the first one.
    """

    runs: tuple[str, ...]
    kind: str
    rows: int
    shifts: dict[str, float]


@dataclass(frozen=True)
class _Rows:
    """What is compared.

    Attributes:
        Z: (n, d) sensors; 1 is the middle 90 % of a sensor.
        run: (n,) number of each row's run.
        names: (r,) of the runs.
        order: (n,) positions, run by run in the order of time.
        place: (n,) how many rows of its run are before a row.
        clock: (n,) time, or the place in the run where there is none.
    """

    Z: np.ndarray
    run: np.ndarray
    names: np.ndarray
    order: np.ndarray
    place: np.ndarray
    clock: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """(r,) rows of each run."""
        return np.bincount(self.run)


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


@dataclass(frozen=True)
class _Pairs:
    """Pairs of rows of two runs, (p,) positions each."""

    row: np.ndarray
    twin: np.ndarray


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
    rows = _arranged(X, run, time)
    if len(rows.names) < 2 or not rows.Z.shape[1]:
        return ()
    twins = _twins_of_runs(rows)
    return tuple(_groups(rows, twins, _of_one_course(rows)))


def in_one_sentence(groups: tuple[Group, ...]) -> str:
    """Which runs are copies of which.

    >>> in_one_sentence((Group(("a", "b"), TWINS, 40, {}),))
    '2 runs are near copies or parts of other runs and count as 1: a and b (40 rows)'
    """
    runs = sum(len(group.runs) for group in groups)
    named = [_named(group) for group in groups[:_NAMED]]
    more = [f"and {len(groups) - _NAMED} more"] if len(groups) > _NAMED else []
    return (
        f"{runs} runs are near copies or parts of other runs and count as {len(groups)}: "
        f"{'; '.join([*named, *more])}"
    )


def _named(group: Group) -> str:
    more = [f"{len(group.runs) - _NAMED} more"] if len(group.runs) > _NAMED else []
    names = " and ".join([*group.runs[:_NAMED], *more])
    part = ", parts of one recording or copies" if group.kind == ONE_COURSE else ""
    return f"{names} ({group.rows} rows{part})"


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
    rows = _arranged(data.X, data.run, data.time, source_X)
    if not len(source_X) or not rows.Z.shape[1] or len(data) < 2:
        return np.zeros(len(data), dtype=bool)
    target = dataclasses.replace(rows, Z=rows.Z[: len(data)])
    near = _neighbours(target.Z, _asked(target, len(rows.Z)))
    group = _group_of(rows, groups)
    run, other = rows.run[near.asked][:, None], rows.run[near.rows]
    copies = (group[run] == group[other]) & (run != other)
    own = np.where(copies, np.inf, near.distance).min(axis=1)
    own = np.where(np.isfinite(own), own, near.distance[:, -1])
    found = _nearest(rows.Z[len(data) :], target.Z[near.asked])
    twin = (found <= np.minimum(_REACH, _gap(near) * own)) & (own > 0)
    return np.asarray(_runs_with(twin, near.asked, group[rows.run])[group[rows.run]])


def one_run_each(data: Dataset, groups: tuple[Group, ...]) -> Dataset:
    """The rows with every group as one run on one clock, so that counterparts are neighbours."""
    if not groups:
        return data
    rows = _arranged(data.X, data.run, data.time)
    first = rows.names.astype(object)
    shift, counted = np.zeros(len(first)), np.zeros(len(first), dtype=bool)
    untimed = np.bincount(rows.run, weights=~np.isfinite(data.time)) > 0
    for group in groups:
        inside = np.searchsorted(rows.names, group.runs)
        first[inside] = group.runs[0]
        shift[inside] = [group.shifts[name] for name in group.runs]
        counted[inside] = untimed[inside].any()
    clock = np.where(counted[rows.run], rows.place, data.time) - shift[rows.run]
    return dataclasses.replace(data, run=first[rows.run], time=clock)


# Preparation


def _arranged(
    X: np.ndarray, run: np.ndarray, time: np.ndarray, source_X: np.ndarray | None = None
) -> _Rows:
    names, number = np.unique(run.astype(str), return_inverse=True)
    order = rows_in_order(number, time)
    in_order = number[order]
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order)) - np.searchsorted(in_order, in_order)
    untimed = np.bincount(number, weights=~np.isfinite(time)) > 0
    clock = np.where(untimed[number], place, time)
    every = X if source_X is None else np.vstack([X, source_X])
    return _Rows(_scaled(every, X), number, names, order, place, clock)


def _scaled(X: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Sensors by their median and middle 90 %, without those that stand still.

    Where its standard deviation is that of a wider normal variable, as in a sensor that seldom
    moves, that one's middle 90 % counts.
    """
    low, middle, high = np.quantile(seen, [0.05, 0.5, 0.95], axis=0)
    spread = np.maximum(high - low, _MIDDLE * seen.std(axis=0))
    moving = spread > 0
    return np.asarray((X[:, moving] - middle[moving]) / spread[moving])


# Twins


def _twins_of_runs(rows: _Rows) -> _Pairs:
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
    return _Pairs(*np.unique(pairs, axis=0).T)


def _in_step(rows: _Rows, near: _Near) -> _Pairs:
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
    return _Pairs(*np.concatenate([none, *pairs]).T)


def _matching(rows: _Rows, starts: np.ndarray, run: int, other: int, ahead: int) -> np.ndarray:
    """(p, 2) rows of two runs, one so many rows ahead, where they match; else none."""
    sizes = rows.sizes
    low, high = max(0, -ahead), min(sizes[run], sizes[other] - ahead)
    mine = rows.order[starts[run] + low : starts[run] + high]
    theirs = rows.order[starts[other] + low + ahead : starts[other] + high + ahead]
    apart = _rms(rows.Z[mine] - rows.Z[theirs])
    steps = np.maximum(_rms(np.diff(rows.Z[mine], axis=0)), _rms(np.diff(rows.Z[theirs], axis=0)))
    near = apart <= _REACH
    # Rows that stand still match those of any run that stands still there.
    telling = near[1:] & (apart[1:] < _GAP * steps)
    if telling.sum() < max(_LEAST_IN_STEP, _SHARE_IN_STEP * len(mine)):
        return np.zeros((0, 2), dtype=int)
    return np.column_stack([mine[near], theirs[near]])


def _asked(rows: _Rows, among: int) -> np.ndarray:
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
        return _GAP if near.distance.shape[1] > _FIRST_TO_MEASURE else _BY_CHANCE
    ratios = np.broadcast_to(outer, inner.shape)[known] / inner[known]
    dimension = max(1.0, 1 / float(np.mean(np.log(ratios))))
    return min(_GAP, float(_BY_CHANCE ** (1 / dimension)))


def _twins(near: _Near, rows: _Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of a row and its twin, and (q,) whether a row's own run leaves it alone."""
    own = rows.run[near.rows] == rows.run[near.asked][:, None]
    distance, gap = near.distance, _gap(near)
    cut = np.zeros(len(near.asked), dtype=int)
    others = np.ones(len(near.asked), dtype=bool)
    for count in range(1, distance.shape[1]):
        last = rows.run[near.rows[:, count - 1]]
        before = rows.run[near.rows[:, : count - 1]]
        others &= ~own[:, count - 1] & ~(before == last[:, None]).any(axis=1)
        near_enough = distance[:, count - 1] <= np.minimum(_REACH, gap * distance[:, count])
        cut[others & near_enough & (distance[:, count] > 0)] = count
    taken = np.arange(distance.shape[1]) < cut[:, None]
    number, _ = np.nonzero(taken)
    crowded = (own & (distance <= _REACH)).any(axis=1)
    return near.asked[number], near.rows[taken], ~crowded


def _linked(
    rows: _Rows, asked: np.ndarray, row: np.ndarray, twin: np.ndarray, telling: np.ndarray
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


def _small_twins(rows: _Rows, asked: np.ndarray, row: np.ndarray, twin: np.ndarray) -> np.ndarray:
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


# One course


def _of_one_course(rows: _Rows) -> _Pairs:
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
    paired = len(np.unique(run[mutual & (gap <= _GAP)]))
    many = paired >= max(_LEAST_RUNS, _SHARE_OF_RUNS * seen)
    taken = mutual & (many | (gap <= _SURE_GAP))
    return _Pairs(first[run[taken]], first[other[taken]])


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


def _courses(rows: _Rows, least: int, most: int, stretches: int) -> _Courses:
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
    return np.asarray(np.maximum(mixed, (_REACH / 10) ** 2))


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
    clear = alike & (apart[:_PARTNERS] <= _GAP**2 * following)
    return int(np.flatnonzero(clear)[-1]) + 1 if clear.any() else 1


# Groups


def _group_of(rows: _Rows, groups: tuple[Group, ...]) -> np.ndarray:
    """(r,) number of each run's group: that of its first run."""
    group = np.arange(len(rows.names))
    for members in groups:
        inside = np.searchsorted(rows.names, members.runs)
        group[inside] = inside.min()
    return group


def _groups(rows: _Rows, twins: _Pairs, courses: _Pairs) -> Iterator[Group]:
    row = np.concatenate([twins.row, courses.row])
    twin = np.concatenate([twins.twin, courses.twin])
    if not len(row):
        return
    count = len(rows.names)
    ends = rows.run[row], rows.run[twin]
    graph = coo_array((np.ones(len(row)), ends), shape=(count, count)).tocsr()
    _, component = connected_components(graph, directed=False)
    found = np.unique(np.concatenate([twins.row, twins.twin]))
    copied = np.bincount(component[rows.run[found]], minlength=count)
    every = np.bincount(component, weights=rows.sizes, minlength=count).astype(int)
    shift = _shifts(rows, row, twin)
    runs = np.argsort(component, kind="stable")
    for members in np.split(runs, np.flatnonzero(np.diff(component[runs])) + 1):
        if len(members) < 2:
            continue
        number = component[members[0]]
        names = [str(rows.names[member]) for member in members]
        kind = TWINS if copied[number] else ONE_COURSE
        clocks = _clocks(rows, members, shift)
        yield Group(tuple(names), kind, int(copied[number] or every[number]), clocks)


def _shifts(rows: _Rows, row: np.ndarray, twin: np.ndarray) -> dict[tuple[int, int], float]:
    """By pair of runs, how far the clock of the second is ahead."""
    key = rows.run[row] * len(rows.names) + rows.run[twin]
    order = np.argsort(key, kind="stable")
    found, starts = np.unique(key[order], return_index=True)
    shifts: dict[tuple[int, int], float] = {}
    for pair, places in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
        ahead = float(np.median(rows.clock[twin[places]] - rows.clock[row[places]]))
        a, b = divmod(pair, len(rows.names))
        shifts[a, b] = ahead
        shifts.setdefault((b, a), -ahead)
    return shifts


def _clocks(
    rows: _Rows, members: np.ndarray, shift: dict[tuple[int, int], float]
) -> dict[str, float]:
    """By run, how far its clock is ahead of the first one's, from neighbour to neighbour."""
    ahead = {int(members[0]): 0.0}
    reached = [int(members[0])]
    for run in reached:
        for other in members.tolist():
            if other not in ahead and (run, other) in shift:
                ahead[other] = ahead[run] + shift[run, other]
                reached.append(other)
    return {str(rows.names[run]): clock for run, clock in ahead.items()}
