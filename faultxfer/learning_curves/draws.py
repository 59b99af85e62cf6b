"""Nested draws of labelled rows for a learning curve: which rows train, and which test.

Labels come recording by recording, so a count takes its rows from as few runs as possible, and each
larger count holds the smaller ones. Runs that test are held out before anything is drawn, once for
each repeat.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from faultxfer.config import CurveOptions
from faultxfer.data.blocks import blocks_of, rows_in_order
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
# Where runs are too few: blocks of each class of a run, and rows left out between them.
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
        test: positions of the rows held out, of other runs.
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
    if min(_runs_by_label(data)) < _FEWEST_RUNS:
        run, kept = blocks_as_runs(data, _BLOCKS, _GAP)
        by, data = TIME_BLOCK, replace(data, run=run)
    usable = data.take(kept)
    rng = np.random.default_rng([options.seed, 20_26])
    sides = [_hold_out(usable, options, rng) for _ in range(options.repeats)]
    counts = _counts(usable, min(len(train) for train, _ in sides), options)
    repeats, faults = [], []
    for train, test in sides:
        nested = _nested(usable, train, counts, rng)
        faults.append([int(usable.y[rows].sum()) for rows in nested])
        repeats.append(Draw(tuple(kept[rows] for rows in nested), kept[test]))
    means = np.mean(faults, axis=0).tolist()
    return Draws(by, data.run, counts, tuple(means), tuple(repeats))


def blocks_as_runs(data: Dataset, blocks: int, gap: int) -> tuple[np.ndarray, np.ndarray]:
    """``blocks`` contiguous blocks of each run and class in place of too few runs.

    Returns:
        (n,) names of the blocks, and the positions of the rows to keep: those with another block
        within ``gap`` rows before them are left out, so that rows of two blocks are no neighbours.
    """
    order = rows_in_order(data.run.astype(str), data.time)
    stretch = np.array([f"{run}/{label}" for run, label in zip(data.run, data.y, strict=True)])
    numbers = blocks_of(stretch, order, blocks)
    names = [f"{name}/block {number}" for name, number in zip(stretch, numbers, strict=True)]
    block = np.array(names, dtype=object)
    apart = np.ones(len(data), dtype=bool)
    for distance in range(1, min(gap, len(data) - 1) + 1):
        later, earlier = order[distance:], order[:-distance]
        same_block = block[later] == block[earlier]
        apart[later] &= same_block | (data.run[later] != data.run[earlier])
    return block, np.flatnonzero(apart)


def _runs_by_label(data: Dataset) -> tuple[int, int]:
    """How many runs hold normal rows, and how many hold faults."""
    normal, faulty = set(data.run[data.y == 0]), set(data.run[data.y == 1])
    return len(normal), len(faulty)


def _hold_out(
    data: Dataset, options: CurveOptions, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the rows that may be drawn, and of those held out; runs with faults apart.

    Raises:
        DataError: no division leaves enough rows of both classes on both sides.
    """
    runs, position = np.unique(data.run.astype(str), return_inverse=True)
    faulty = np.bincount(position, weights=data.y) > 0
    for _ in range(_TRIES):
        held = np.zeros(len(runs), dtype=bool)
        for group in (np.flatnonzero(faulty), np.flatnonzero(~faulty)):
            share = options.test_share * len(group)
            # Rounded up as often as makes it the share on average, also of few runs.
            count = int(share) + (rng.random() < share % 1)
            held[rng.permutation(group)[:count]] = True
        testing = held[position]
        train, test = np.flatnonzero(~testing), np.flatnonzero(testing)
        if _fewest(data, test) >= _FEWEST_JUDGING and _fewest(data, train) >= FEWEST:
            return train, np.sort(rng.permutation(test)[:_MOST_JUDGING])
    raise _too_few(data, "enough rows of both classes in runs held out and in the others")


def _fewest(data: Dataset, rows: np.ndarray) -> int:
    faults = int(data.y[rows].sum())
    return min(faults, len(rows) - faults)


def _counts(data: Dataset, most: int, options: CurveOptions) -> tuple[int, ...]:
    """Counts that hold enough of both classes at their natural share, and can be drawn.

    Raises:
        DataError: fewer than four are left.
    """
    rarer = min(data.faults, len(data) - data.faults)
    least = int(np.ceil(FEWEST * len(data) / rarer))
    asked = options.counts or _geometric(max(least, _FIRST), min(most, _LAST))
    counts = tuple(count for count in sorted(set(asked)) if least <= count <= most)
    if len(counts) < _FEWEST_COUNTS:
        needed = f"at least {_FEWEST_COUNTS} counts from {least} to {most} rows"
        raise _too_few(data, needed, counts=list(asked))
    return counts


def _geometric(first: int, last: int) -> tuple[int, ...]:
    """Counts with a constant ratio, rounded to five rows inside.

    >>> _geometric(25, 800)
    (25, 50, 100, 200, 400, 800)
    """
    counts = {first, last}
    for count in np.geomspace(first, max(first, last), _POINTS)[1:-1]:
        counts.add(int(5 * round(count / 5)))
    return tuple(sorted(counts))


def _too_few(data: Dataset, needed: str, **received: object) -> DataError:
    normal, faulty = _runs_by_label(data)
    return DataError(
        f"These rows are too few for a learning curve: it needs {needed}",
        received={
            **received,
            "rows": len(data),
            "fault rows": data.faults,
            "runs with faults": faulty,
            "runs with normal rows": normal,
        },
        where=f"equipment {min(data.equipment)!r}",
        remedy=(
            "Label more rows of the rarer class, best of other recordings, or name other --counts"
        ),
    )


def _nested(
    data: Dataset, train: np.ndarray, counts: tuple[int, ...], rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """Rows of as few runs as possible at each count, with :data:`FEWEST` of each class in each."""
    names = data.run[train].astype(str)
    runs = [train[names == name] for name in rng.permutation(np.unique(names))]
    drawn, pool, draws = train[:0], train[:0], []
    for count in counts:
        pool = rng.permutation(_filled(data, drawn, pool, runs, count))
        sure = _short(data, drawn, pool)
        rest = pool[~np.isin(pool, sure)]
        wanted = count - len(drawn) - len(sure)
        taken = np.concatenate([sure, rest[:wanted]])
        drawn = np.concatenate([drawn, taken])
        pool = pool[~np.isin(pool, taken)]
        draws.append(np.sort(drawn))
    return tuple(draws)


def _filled(
    data: Dataset, drawn: np.ndarray, pool: np.ndarray, runs: list[np.ndarray], count: int
) -> np.ndarray:
    """The pool, with whole runs taken from ``runs`` until a count can be drawn from it."""
    have = np.concatenate([pool, drawn])
    while runs and (len(have) < count or _fewest(data, have) < FEWEST):
        run = runs.pop(_next(data, runs, have, count))
        pool = np.concatenate([pool, run])
        have = np.concatenate([pool, drawn])
    return pool


def _next(data: Dataset, runs: list[np.ndarray], have: np.ndarray, count: int) -> int:
    """The next run, or the next that brings the class that is short where rows are enough."""
    if len(have) < count:
        return 0
    faults = int(data.y[have].sum())
    short = 1 if faults < FEWEST else 0
    return next(place for place, run in enumerate(runs) if (data.y[run] == short).any())


def _short(data: Dataset, drawn: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """Rows of the pool that bring each class to :data:`FEWEST`."""
    found = []
    for label in (0, 1):
        lacking = max(FEWEST - int((data.y[drawn] == label).sum()), 0)
        found.append(pool[data.y[pool] == label][:lacking])
    return np.concatenate(found)
