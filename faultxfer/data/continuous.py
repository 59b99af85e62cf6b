"""A continuous recording cut into parts, so that some of it can be held out of training.

Without a run column a machine's years are one recording, and none of it would be left to judge by.
It is cut at pauses of its clock where these give parts enough, else into blocks of time, with rows
left out between blocks of different sides (see :mod:`faultxfer.data.split`, which does so for a
transfer).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from faultxfer.data.blocks import rows_in_order
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import divide_runs

# A step this many times as long as the usual one is a pause.
_PAUSE = 10.0
# Blocks of all recordings together; more of them where a side would lack a class.
_BLOCKS = (20, 40, 80)
# Rows left out on the earlier side of a border, as a share of a block; at least as in a transfer.
_GAP, _LEAST_GAP = 0.1, 2

AT_PAUSES, IN_BLOCKS = "pauses of the clock", "blocks in time"


@dataclass(frozen=True)
class Parts:
    """A recording cut into parts that lie on one side each.

    Attributes:
        data: the rows, with their part as the run.
        sides: row positions of the rows that train, that stop and calibrate, and that judge.
        by: ``pauses of the clock`` or ``blocks in time``.
        count: parts in all.
        gap: rows left out between blocks of different sides.
        cuts_faults: whether one fault may lie on two sides.
    """

    data: Dataset
    sides: tuple[np.ndarray, ...]
    by: str
    count: int
    gap: int
    cuts_faults: bool

    @property
    def reason(self) -> str:
        """What was done, in one sentence."""
        if self.by == AT_PAUSES:
            return (
                f"No column names runs: the recordings were cut into {self.count} parts at pauses "
                "of the clock, and whole parts were held out."
            )
        between = f"{self.gap} rows left out between those of different sides"
        return (
            f"No column names runs: the recordings were cut into {self.count} blocks in time, with "
            f"{between}, and whole blocks were held out."
        )

    @property
    def validity(self) -> str:
        """How far metrics of the held-out parts hold, in one sentence."""
        faults = (
            " One fault may lie on two sides, which flatters them more." if self.cuts_faults else ""
        )
        return (
            "Metrics come from other times of the recordings that were trained on: they may "
            "flatter the model on recordings and machines that nobody has seen. A run column, or "
            f"one file for each recording, gives better ones.{faults}"
        )

    def as_dict(self) -> dict[str, object]:
        """Plain data for the lineage of a model."""
        return {
            "by": self.by,
            "parts": self.count,
            "gap": self.gap,
            "reason": self.reason,
            "validity": self.validity,
        }


def cut_into_parts(data: Dataset, later_shares: tuple[float, ...], seed: int) -> Parts | None:
    """Cut recordings so that every side has both classes; None where that cannot be done.

    Args:
        data: rows of one or more recordings, whose runs are the recordings.
        later_shares: shares of the sides behind the first, as in :func:`divide_runs`.
        seed: decides where the parts have no common time.
    """
    order = rows_in_order(data.run.astype(str), data.time)
    segment = _segments(data, order)
    ways = _ways(data, order, segment)
    for part, by, gap, cuts_faults in ways:
        named = dataclasses.replace(data, run=_named(data.run, part))
        sides = divide_runs(named, later_shares, seed)
        if by == IN_BLOCKS:
            sides = _apart(sides, segment, order, gap)
        if all(_has_both(data.y[rows]) for rows in sides):
            return Parts(named, sides, by, len(np.unique(part)), gap, cuts_faults)
    return None


def _ways(
    data: Dataset, order: np.ndarray, segment: np.ndarray
) -> Iterator[tuple[np.ndarray, str, int, bool]]:
    """Ways to cut, the most honest one first: the part of each row, and what it is."""
    if len(np.unique(segment)) > len(np.unique(data.run.astype(str))):
        yield segment, AT_PAUSES, 0, False
    for cuts_faults in (False, True):
        for count in _BLOCKS:
            gap = max(_LEAST_GAP, int(_GAP * len(data) / count))
            yield _blocks(data.y, order, segment, count, cuts_faults), IN_BLOCKS, gap, cuts_faults


def _has_both(y: np.ndarray) -> bool:
    return bool(0 < y.sum() < len(y))


def _named(run: np.ndarray, part: np.ndarray) -> np.ndarray:
    names = [f"{name}#{number}" for name, number in zip(run, part, strict=True)]
    return np.array(names, dtype=object)


def _segments(data: Dataset, order: np.ndarray) -> np.ndarray:
    """(n,) number of the stretch of a recording, between pauses, that a row belongs to."""
    run, time = data.run.astype(str)[order], data.time[order]
    other = run[1:] != run[:-1]
    steps = np.where(other, np.nan, np.diff(time))
    usual = np.median(steps[steps > 0]) if (steps > 0).any() else np.inf
    segment = np.empty(len(order), dtype=int)
    segment[order] = np.cumsum(np.concatenate([[False], other | (steps > _PAUSE * usual)]))
    return segment


def _blocks(
    y: np.ndarray, order: np.ndarray, segment: np.ndarray, count: int, cuts_faults: bool
) -> np.ndarray:
    """(n,) number of each row's block; about ``count`` blocks of equal length in all."""
    length = max(1, round(len(y) / count))
    block = np.empty(len(y), dtype=int)
    first = 0
    for number in np.unique(segment):
        rows = order[segment[order] == number]
        cuts = np.arange(1, max(1, round(len(rows) / length))) * length
        if not cuts_faults:
            cuts = _outside_faults(cuts, y[rows] > 0, length // 2)
        inside = np.searchsorted(cuts, np.arange(len(rows)), side="right")
        block[rows] = first + inside
        first += int(inside[-1]) + 1
    return block


def _outside_faults(cuts: np.ndarray, fault: np.ndarray, reach: int) -> np.ndarray:
    """Cuts moved to the nearest place between two normal rows; dropped where none is near.

    >>> _outside_faults(np.array([3, 7]), np.array([0, 0, 1, 1, 0, 0, 1, 1, 1, 1]) > 0, 2)
    array([1, 5])
    """
    free = 1 + np.flatnonzero(~fault[1:] & ~fault[:-1])
    if not len(free):
        return cuts[:0]
    nearest = np.array([free[np.abs(free - cut).argmin()] for cut in cuts], dtype=int)
    return np.unique(nearest[np.abs(nearest - cuts) <= reach])


def _apart(
    sides: tuple[np.ndarray, ...], segment: np.ndarray, order: np.ndarray, gap: int
) -> tuple[np.ndarray, ...]:
    """The sides without rows that are followed or preceded by a later side within the gap."""
    side = np.empty(len(order), dtype=int)
    for number, rows in enumerate(sides):
        side[rows] = number
    near = np.zeros(len(order), dtype=bool)
    for number in np.unique(segment):
        rows = order[segment[order] == number]
        near[rows] = _near_later(side[rows], len(sides), gap)
    return tuple(rows[~near[rows]] for rows in sides)


def _near_later(side: np.ndarray, count: int, gap: int) -> np.ndarray:
    """(n,) bool: rows with a row of a later side at most ``gap`` rows away.

    >>> _near_later(np.array([0, 0, 0, 1, 1, 2]), 3, 1).tolist()
    [False, False, True, False, True, False]
    """
    place = np.arange(len(side))
    low, high = np.maximum(place - gap, 0), np.minimum(place + gap + 1, len(side))
    near = np.zeros(len(side), dtype=bool)
    for number in range(count - 1):
        later = np.concatenate([[0], np.cumsum(side > number)])
        near |= (side == number) & (later[high] > later[low])
    return near
