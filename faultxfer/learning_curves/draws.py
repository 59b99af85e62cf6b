"""Nested draws of labelled rows for a learning curve: who is drawn at each count, and who judges all counts.

Labels come recording by recording, so a count takes its rows from as few runs as possible, and each larger count holds
the smaller ones. Runs that judge are held out before anything is drawn, once for each repeat.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from faultxfer.config import CurveOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import require_both_classes
from faultxfer.errors import DataError

RUN, TIME_BLOCK = "run", "time block"
# Of each class: fewer cannot be divided into the folds that weigh a stack.
FEWEST = 4
# Of each class, held out; fewer give a PR-AUC that means nothing.
_FEWEST_JUDGING = 5
_FEWEST_RUNS = 4
_MOST_JUDGING = 2000
# Where runs are too few: blocks that each class of a run is cut into, and rows left out between them.
_BLOCKS, _GAP = 8, 2
# Three points are met by a power law whatever they are.
_FEWEST_COUNTS = 4
# Of counts nobody chose.
_POINTS, _FIRST, _LAST = 6, 25, 800
_TRIES = 200


@dataclass(frozen=True)
class Draw:
    """One repeat.

    Attributes:
        train: positions of the rows at each count, smallest first; each holds the one before.
        test: positions of the rows that judge, of other runs.
    """

    train: tuple[np.ndarray, ...]
    test: np.ndarray


@dataclass(frozen=True)
class Draws:
    """All repeats, as positions in the rows they were drawn from.

    Attributes:
        by: ``run`` or ``time block``.
        run: (n,) what counts as a recording of each row: blocks of time where ``by`` says so.
        counts: labelled rows, growing.
        faults: mean number of fault rows among them.
        repeats: one draw for each repeat.
    """

    by: str
    run: np.ndarray
    counts: tuple[int, ...]
    faults: tuple[float, ...]
    repeats: tuple[Draw, ...]


def draw_counts(data: Dataset, options: CurveOptions) -> Draws:
    """Hold out runs and draw rows, ``options.repeats`` times.

    Raises:
        DataError: one class only, or too few rows or recordings for four counts.
    """
    require_both_classes(data)
    by, kept = RUN, np.arange(len(data))
    if _fewest_runs(data) < _FEWEST_RUNS:
        run, kept = blocks_as_runs(data, _BLOCKS, _GAP)
        by, data = TIME_BLOCK, replace(data, run=run)
    part = data.take(kept)
    rng = np.random.default_rng([options.seed, 20_26])
    sides = [_hold_out(part, options, rng) for _ in range(options.repeats)]
    counts = _counts(part, min(len(train) for train, _ in sides), options)
    repeats = tuple(
        Draw(tuple(kept[rows] for rows in _nested(part, train, counts, rng)), kept[test])
        for train, test in sides
    )
    faults = np.mean([[data.y[rows].sum() for rows in draw.train] for draw in repeats], axis=0)
    return Draws(by, data.run, counts, tuple(float(count) for count in faults), repeats)


def blocks_as_runs(data: Dataset, blocks: int, gap: int) -> tuple[np.ndarray, np.ndarray]:
    """``blocks`` contiguous blocks of each run and class in place of runs, where runs are too few to divide.

    Returns:
        (n,) names of the blocks, and the positions of the rows to keep: those with another block within ``gap`` rows
        before them are left out, so that rows of two blocks are no neighbours.
    """
    order = np.lexsort((np.arange(len(data)), np.nan_to_num(data.time), data.run.astype(str)))
    block = np.empty(len(data), dtype=object)
    stretch = np.array([f"{run}/{label}" for run, label in zip(data.run, data.y, strict=True)])
    for name in np.unique(stretch):
        for number, part in enumerate(np.array_split(order[stretch[order] == name], blocks)):
            block[part] = f"{name}/block {number}"
    apart = np.ones(len(data), dtype=bool)
    for distance in range(1, min(gap, len(data) - 1) + 1):
        later, earlier = order[distance:], order[:-distance]
        apart[later] &= (block[later] == block[earlier]) | (data.run[later] != data.run[earlier])
    return block, np.flatnonzero(apart)


def _fewest_runs(data: Dataset) -> int:
    return min(len(set(data.run[data.y == label])) for label in (0, 1))


def _hold_out(
    data: Dataset, options: CurveOptions, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the rows that may be drawn, and of those that judge; runs with and without faults apart.

    Raises:
        DataError: no division leaves enough rows of both classes on both sides.
    """
    runs, position = np.unique(data.run.astype(str), return_inverse=True)
    faulty = np.bincount(position, weights=data.y) > 0
    for _ in range(_TRIES):
        held = np.zeros(len(runs), dtype=bool)
        for group in (np.flatnonzero(faulty), np.flatnonzero(~faulty)):
            share = options.test_share * len(group)
            count = int(share) + (
                rng.random() < share % 1
            )  # on average the share, also of few runs
            held[rng.permutation(group)[:count]] = True
        train, test = np.flatnonzero(~held[position]), np.flatnonzero(held[position])
        if _fewest(data, test) >= _FEWEST_JUDGING and _fewest(data, train) >= FEWEST:
            return train, np.sort(rng.permutation(test)[:_MOST_JUDGING])
    raise _too_few(data, "enough rows of both classes in runs held out and in the others")


def _fewest(data: Dataset, rows: np.ndarray) -> int:
    faults = int(data.y[rows].sum())
    return min(faults, len(rows) - faults)


def _counts(data: Dataset, most: int, options: CurveOptions) -> tuple[int, ...]:
    """Counts that hold enough of both classes at their natural share, and no more rows than can be drawn.

    Raises:
        DataError: fewer than four are left.
    """
    least = int(np.ceil(FEWEST * len(data) / min(data.faults, len(data) - data.faults)))
    asked = options.counts or _geometric(max(least, _FIRST), min(most, _LAST))
    counts = tuple(count for count in sorted(set(asked)) if least <= count <= most)
    if len(counts) < _FEWEST_COUNTS:
        raise _too_few(
            data,
            f"at least {_FEWEST_COUNTS} counts from {least} to {most} rows",
            counts=list(asked),
        )
    return counts


def _geometric(first: int, last: int) -> tuple[int, ...]:
    """Counts with a constant ratio, rounded to five rows inside."""
    inside = np.geomspace(first, max(first, last), _POINTS)[1:-1]
    return tuple(sorted({first, *(int(5 * round(count / 5)) for count in inside), last}))


def _too_few(data: Dataset, expected: str, **received: object) -> DataError:
    runs = {label: len(set(data.run[data.y == label])) for label in (0, 1)}
    return DataError(
        f"For a learning curve {expected} were expected",
        received={
            **received,
            "rows": len(data),
            "fault rows": data.faults,
            "runs with faults": runs[1],
            "runs with normal rows": runs[0],
        },
        where=f"equipment {min(data.equipment)!r}",
        remedy="Label more rows of the rarer class, best of other recordings, or name other --counts",
    )


def _nested(
    data: Dataset, train: np.ndarray, counts: tuple[int, ...], rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """Rows of as few runs as possible at each count, with :data:`FEWEST` of each class from the first count on."""
    names = data.run[train].astype(str)
    runs = [train[names == name] for name in rng.permutation(np.unique(names))]
    drawn, pool, draws = train[:0], train[:0], []
    for count in counts:
        while runs and (
            len(pool) + len(drawn) < count or _fewest(data, np.concatenate([pool, drawn])) < FEWEST
        ):
            pool = np.concatenate(
                [pool, runs.pop(_next(data, runs, np.concatenate([pool, drawn]), count))]
            )
        pool = rng.permutation(pool)
        sure = _short(data, drawn, pool)
        rest = pool[~np.isin(pool, sure)]
        taken = np.concatenate([sure, rest[: count - len(drawn) - len(sure)]])
        drawn, pool = np.concatenate([drawn, taken]), pool[~np.isin(pool, taken)]
        draws.append(np.sort(drawn))
    return tuple(draws)


def _next(data: Dataset, runs: list[np.ndarray], have: np.ndarray, count: int) -> int:
    """The next run, or where there are rows enough and a class is short, the next that brings this class."""
    if len(have) < count:
        return 0
    faults = int(data.y[have].sum())
    short = 1 if faults < FEWEST else 0
    return next(place for place, run in enumerate(runs) if (data.y[run] == short).any())


def _short(data: Dataset, drawn: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """Rows of the pool that bring each class to :data:`FEWEST`."""
    lacking = {label: max(FEWEST - int((data.y[drawn] == label).sum()), 0) for label in (0, 1)}
    return np.concatenate([pool[data.y[pool] == label][:count] for label, count in lacking.items()])
