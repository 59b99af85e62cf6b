"""What example rows show over time: the usual step, the fastest change, and the longest standstill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faultxfer.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from faultxfer.reading.table import RawTable

SECOND, STEP, ROW = "second", "step of the time column", "row"

# A step is regular if so many of all steps lie so near to the median.
_SHARE, _NEAR, _FEWEST = 0.9, 0.1, 3


@dataclass(frozen=True)
class Pace:
    """The runs of one file with ``n`` rows.

    Attributes:
        order: (n,) positions of the rows, run by run.
        first: (n,) in that order, whether a row is the first of its run.
        steps: (n,) in that order, time since the row before; NaN at the first row and where time does not grow.
        per: what a step of 1 is.
    """

    order: np.ndarray
    first: np.ndarray
    steps: np.ndarray
    per: str


def pace_of(table: RawTable, time: str | None, runs: list[str]) -> Pace:
    """How fast the rows of a file follow each other.

    Args:
        table: the file.
        time: its time column, if there is one.
        runs: columns that together tell one recording from another.
    """
    import numpy as np

    number = (
        table.frame.groupby(runs, sort=False, dropna=False).ngroup().to_numpy()
        if runs
        else np.zeros(len(table.frame))
    )
    order = np.argsort(number, kind="stable")
    first = np.diff(number[order], prepend=-1) != 0
    seconds, per = _seconds(table, time)
    steps = np.diff(seconds[order], prepend=np.nan)
    return Pace(order, first, np.where(first | ~(steps > 0), np.nan, steps), per)


def _seconds(table: RawTable, time: str | None) -> tuple[np.ndarray, str]:
    """Rows count where there is no time, or one that needs a pin before it can be read."""
    import numpy as np

    if time:
        try:
            times = table.times(time)
        except DataError:
            pass
        else:
            return times.seconds.to_numpy(), STEP if times.style == "a number" else SECOND
    return np.arange(len(table.frame), dtype="float64"), ROW


def usual_step(paces: list[Pace]) -> float | None:
    """The median step, with six digits, if there is a time and nearly all steps are as long."""
    import numpy as np

    steps = np.concatenate(
        [pace.steps[~np.isnan(pace.steps)] for pace in paces if pace.per != ROW] or [np.empty(0)]
    )
    if len(steps) < _FEWEST:
        return None
    usual = float(np.quantile(steps, 0.5, method="lower"))
    regular = np.mean(np.abs(steps - usual) <= _NEAR * usual) >= _SHARE
    return float(f"{usual:.6g}") if regular else None


def fastest(numbers: pd.Series, pace: Pace) -> float:
    """Largest change per step of 1 from one row of a run to the next; 0 where nothing changes."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        rates = np.abs(np.diff(numbers.to_numpy()[pace.order], prepend=np.nan)) / pace.steps
    return float(rates[np.isfinite(rates)].max(initial=0.0))


def longest_still(numbers: pd.Series, pace: Pace) -> int:
    """Most rows of a run, one after the other, with the same value."""
    import numpy as np

    values = numbers.to_numpy()[pace.order]
    fresh = pace.first | (values != np.roll(values, 1))
    return int(np.bincount(np.cumsum(fresh)).max())
