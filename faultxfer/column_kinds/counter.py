"""Counters of hours, energy, starts or strokes: they rise up to an overflow or a reset."""

from __future__ import annotations

import numpy as np

from faultxfer.column_kinds.found import Found
from faultxfer.column_kinds.rows import ColumnRows

# Fewer rises without a fall can be chance: one in 64 columns.
_FEWEST_RISES = 6
# Inside recordings, where a column may rise once in each and start anew.
_RISES_EACH = 3.0
# A counter falls only where it overflows or is reset: not often, by much, and to its lowest values.
_RISES_A_FALL = 10
_MOST_NOISE = 0.005
_DEEP, _LOW = 0.3, 0.1
# So many rows are looked at first: most sensors have risen and fallen by then.
_LOOK, _ENOUGH = 4000, 50


def counter(rows: ColumnRows, name: str) -> Found | None:
    """A column that never falls inside a machine, or inside its recordings.

    Recordings of one row say nothing: what rises there from row to row may be another machine.
    """
    if rows.single_rows or _rises_and_falls(rows, name):
        return None
    for sign, goes in ((1, "rises"), (-1, "falls")):
        for course in (_whole, _inside):
            resets = course(rows, name, sign)
            if resets is not None:
                words = f"is a counter: it {goes} all the time{_but_for(resets)}"
                return Found(name, "counter", words)
    return None


def _but_for(resets: int) -> str:
    """The exceptions in words.

    >>> _but_for(1)
    ', but for one overflow or reset'
    """
    if resets == 0:
        return ""
    if resets == 1:
        return ", but for one overflow or reset"
    return f", but for {resets} overflows or resets"


def _rises_and_falls(rows: ColumnRows, name: str) -> bool:
    """Whether a look shows that the column goes both ways inside recordings."""
    look = rows.order[:_LOOK]
    inside = np.diff(rows.recording[look]) == 0
    with np.errstate(over="ignore", invalid="ignore"):
        step = np.diff(rows.values[name][look])[inside]
    rises, falls = int((step > 0).sum()), int((step < 0).sum())
    fewer, more = sorted((rises, falls))
    return fewer >= _ENOUGH and fewer * _RISES_A_FALL > 2 * more


def _whole(rows: ColumnRows, name: str, sign: int) -> int | None:
    """Over all that a machine recorded."""
    return _rises(rows.values[name][rows.machine_order] * sign, rows.machine[rows.machine_order], 0)


def _inside(rows: ColumnRows, name: str, sign: int) -> int | None:
    """Inside recordings, each beginning anew."""
    group = rows.recording[rows.order]
    return _rises(rows.values[name][rows.order] * sign, group, _RISES_EACH)


def _rises(values: np.ndarray, group: np.ndarray, rises_each: float) -> int | None:
    """How many overflows and resets there are; None where it does not rise all the time.

    Args:
        values: (n,) in time, group by group.
        group: (n,) integers, equal for rows of one machine or recording.
        rises_each: how often it must rise in a group in the mean.
    """
    known = np.isfinite(values)
    values, group = values[known], group[known]
    with np.errstate(over="ignore"):
        step = np.diff(values)
    inside = np.diff(group) == 0
    rises = int((inside & (step > 0)).sum())
    groups = len(np.unique(group))
    if rises < max(_FEWEST_RISES, rises_each * groups):
        return None
    falls = np.flatnonzero(inside & (step < 0))
    if len(falls) * _RISES_A_FALL > rises:
        return None
    resets = _resets(values, group, falls, step)
    noise = len(falls) - resets
    if noise > _MOST_NOISE * rises or not _most_groups_rise(group, inside, step):
        return None
    return resets


def _resets(values: np.ndarray, group: np.ndarray, falls: np.ndarray, step: np.ndarray) -> int:
    """How many of the falls go deep, and end near the lowest value of their machine."""
    if not len(falls):
        return 0
    numbers = np.unique(group, return_inverse=True)[1]
    low = np.full(numbers.max() + 1, np.inf)
    high = np.full(numbers.max() + 1, -np.inf)
    np.minimum.at(low, numbers, values)
    np.maximum.at(high, numbers, values)
    of_fall = numbers[falls]
    width = high[of_fall] - low[of_fall]
    deep = -step[falls] >= _DEEP * width
    ends_low = values[falls + 1] <= low[of_fall] + _LOW * width
    return int((deep & ends_low).sum())


def _most_groups_rise(group: np.ndarray, inside: np.ndarray, step: np.ndarray) -> bool:
    """Whether none of the machines is the only one in which the column moves at all."""
    moved = inside & (step != 0)
    moving = np.unique(group[1:][moved])
    rising = np.unique(group[1:][inside & (step > 0)])
    return len(rising) >= 0.9 * len(moving)
