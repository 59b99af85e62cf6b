"""What example rows show over time: the usual step, the fastest change, the longest standstill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from faultxfer.errors import DataError
from faultxfer.reading.table import RawTable

SECOND, STEP, ROW = "second", "step of the time column", "row"

# Steps are regular if this share of them lies this near to the median; fewer of them show nothing.
_SHARE, _NEAR, _FEWEST = 0.9, 0.1, 3
# Standstills of so many rows are short; longer ones are usual up to so many times what 95 % are.
_SHORT, _LONGER, _USUAL = 10, 5, 0.95


@dataclass(frozen=True)
class Sampling:
    """How the rows of one file follow each other, run by run.

    Attributes:
        order: (n,) positions of the rows, run by run.
        first: (n,) bool in that order, whether a row is the first of its run.
        steps: (n,) in that order, time since the row before; NaN at the first row of a run and
            where time does not grow.
        per: what a step of 1 is.
    """

    order: np.ndarray
    first: np.ndarray
    steps: np.ndarray
    per: str


def sampling_of(table: RawTable, time: str | None, runs: list[str]) -> Sampling:
    """How the rows of a file follow each other.

    Args:
        table: the file.
        time: its time column, if there is one.
        runs: columns that together tell one recording from another.
    """
    number: np.ndarray = np.zeros(len(table.frame))
    if runs:
        groups = table.frame.groupby(runs, sort=False, dropna=False)
        number = groups.ngroup().to_numpy()
    order = np.argsort(number, kind="stable")
    seconds, per = _seconds(table, time)
    steps = np.diff(seconds[order])
    if (steps < 0).sum() > (steps > 0).sum():  # the newest rows stand first
        order = np.lexsort((seconds, number))
    first = np.diff(number[order], prepend=-1) != 0
    steps = np.diff(seconds[order], prepend=np.nan)
    grows = steps > 0
    return Sampling(order, first, np.where(grows & ~first, steps, np.nan), per)


def _seconds(table: RawTable, time: str | None) -> tuple[np.ndarray, str]:
    """Rows count where there is no time, or one that needs a pin before it can be read."""
    if time:
        try:
            times = table.times(time)
        except DataError:
            pass
        else:
            return times.seconds.to_numpy(), STEP if times.style == "a number" else SECOND
    return np.arange(len(table.frame), dtype="float64"), ROW


def usual_period(samplings: list[Sampling]) -> float | None:
    """The median step, with six digits, if there is a time and nearly all steps are as long."""
    timed = [sampling.steps for sampling in samplings if sampling.per != ROW]
    steps = np.concatenate([np.empty(0), *timed])
    steps = steps[~np.isnan(steps)]
    if len(steps) < _FEWEST:
        return None
    usual = float(np.quantile(steps, 0.5, method="lower"))
    near = np.abs(steps - usual) <= _NEAR * usual
    return float(f"{usual:.6g}") if np.mean(near) >= _SHARE else None


def usual_change(files: list[pd.Series], samplings: list[Sampling]) -> float | None:
    """Median size of the change from one row of a run to the next; None where none is seen."""
    sizes = np.concatenate(list(map(_changes, files, samplings)))
    return float(np.quantile(sizes, 0.5, method="lower")) if len(sizes) else None


def _changes(numbers: pd.Series, sampling: Sampling) -> np.ndarray:
    """(m,) sizes of the changes inside runs, where both rows have a value."""
    values = numbers.to_numpy()[sampling.order]
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = np.abs(np.diff(values, prepend=np.nan))
    inside = ~sampling.first & np.isfinite(sizes)
    found: np.ndarray = sizes[inside]
    return found


def fastest(numbers: pd.Series, sampling: Sampling) -> float:
    """Largest change per step of 1 from one row of a run to the next; 0 where nothing changes."""
    values = numbers.to_numpy()[sampling.order]
    with np.errstate(over="ignore", invalid="ignore"):
        rates = np.abs(np.diff(values, prepend=np.nan)) / sampling.steps
    return float(rates[np.isfinite(rates)].max(initial=0.0))


def usual_still(files: list[pd.Series], samplings: list[Sampling]) -> int:
    """Most rows of a run, one after the other, with the same value, where nothing was stuck.

    A standstill much longer than all usual ones is the defect itself: a limit drafted from it would
    never find the next one.
    """
    lengths = np.sort(np.concatenate(list(map(_standstills, files, samplings))))
    usual = lengths[: max(1, round(_USUAL * len(lengths)))][-1]
    believed = lengths <= max(_SHORT, _LONGER * usual)
    return int(lengths[believed].max(initial=1))


def _standstills(numbers: pd.Series, sampling: Sampling) -> np.ndarray:
    """(m,) rows of each stretch of a run with one value."""
    values = numbers.to_numpy()[sampling.order]
    changed = values != np.roll(values, 1)
    stretch = np.cumsum(sampling.first | changed)
    lengths: np.ndarray = np.bincount(stretch)[1:]
    return lengths
