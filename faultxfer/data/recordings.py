"""Runs arranged to be compared, and those of one recording as a group that counts as one run.

Which rows of two runs match is found elsewhere; here pairs of such rows become groups, and a group
gets one name and one clock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from faultxfer.data.blocks import rows_in_order
from faultxfer.data.dataset import Dataset

# How they were chosen: docs/decisions/0016-copies-are-one-run.md.

# How far a row may lie from its counterpart, as a root mean square over the sensors; 1 is a
# sensor's middle 90 %.
REACH = 0.012
# A counterpart is nearer than what is next by this factor.
GAP = 0.4
# A sensor's middle 90 % in standard deviations of a normal variable.
_MIDDLE = 3.29

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
class Rows:
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
class Pairs:
    """Pairs of rows of two runs, (p,) positions each."""

    row: np.ndarray
    twin: np.ndarray


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


def one_run_each(data: Dataset, groups: tuple[Group, ...]) -> Dataset:
    """The rows with every group as one run on one clock, so that counterparts are neighbours."""
    if not groups:
        return data
    rows = arranged(data.X, data.run, data.time)
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


def arranged(
    X: np.ndarray, run: np.ndarray, time: np.ndarray, source_X: np.ndarray | None = None
) -> Rows:
    """The rows as they are compared.

    Args:
        X: (n, d) sensors.
        run: (n,) recording of each row.
        time: (n,) time of each row; NaN where there is none.
        source_X: (m, d) rows that follow in ``Z``, on the scale of the others, and are of no run.
    """
    names, number = np.unique(run.astype(str), return_inverse=True)
    order = rows_in_order(number, time)
    in_order = number[order]
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order)) - np.searchsorted(in_order, in_order)
    untimed = np.bincount(number, weights=~np.isfinite(time)) > 0
    clock = np.where(untimed[number], place, time)
    every = X if source_X is None else np.vstack([X, source_X])
    return Rows(_scaled(every, X), number, names, order, place, clock)


def _scaled(X: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Sensors by their median and middle 90 %, without those that stand still.

    Where its standard deviation is that of a wider normal variable, as in a sensor that seldom
    moves, that one's middle 90 % counts.
    """
    low, middle, high = np.quantile(seen, [0.05, 0.5, 0.95], axis=0)
    spread = np.maximum(high - low, _MIDDLE * seen.std(axis=0))
    moving = spread > 0
    return np.asarray((X[:, moving] - middle[moving]) / spread[moving])


# Groups


def group_of(rows: Rows, groups: tuple[Group, ...]) -> np.ndarray:
    """(r,) number of each run's group: that of its first run."""
    group = np.arange(len(rows.names))
    for members in groups:
        inside = np.searchsorted(rows.names, members.runs)
        group[inside] = inside.min()
    return group


def grouped(rows: Rows, twins: Pairs, courses: Pairs) -> Iterator[Group]:
    """Runs that pairs of rows link, over others too, in groups."""
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


def _shifts(rows: Rows, row: np.ndarray, twin: np.ndarray) -> dict[tuple[int, int], float]:
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
    rows: Rows, members: np.ndarray, shift: dict[tuple[int, int], float]
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
