"""Between which cuts values lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Cells of a ruler for each cut, and cuts in one cell beyond which values are sorted instead.
_CELLS, _MOST_IN_A_CELL = 16, 6


class Cuts:
    """Between which cuts of their columns values lie, as numbers that no two columns share.

    A column with c cuts has c + 1 intervals, a value at a cut being in the one below it. They are
    numbered on from column to column:

    >>> cuts = Cuts([np.array([1.0, 2.0]), np.array([5.0])])
    >>> cuts(np.array([[3.0, 1.0], [1.0, 9.0]])).tolist()
    [[2, 3], [0, 4]]

    A ruler of equal cells says it but for the cuts in a value's own cell, with which the value is
    compared; that takes a quarter of a search. The cells of cuts and of values come from one
    function that never falls, so rounding moves no value across a cut.

    Args:
        columns: (c,) ascending finite cuts of each column, all of one type.
    """

    def __init__(self, columns: Sequence[np.ndarray]) -> None:
        self.columns = tuple(columns)
        kind = np.result_type(*columns) if columns else np.dtype(np.float64)
        self.first = _starts([len(one) + 1 for one in columns])
        rulers = [_Ruler(one) for one in columns]
        self._low, self._high, self._scale = (
            np.array([getattr(one, name) for one in rulers], dtype=kind)
            for name in ("low", "high", "scale")
        )
        self._cells = _starts([len(one.before) for one in rulers])
        nothing = [np.zeros(0, dtype=np.intp)]
        before = [one.before + first for one, first in zip(rulers, self.first, strict=True)]
        self._before = np.concatenate([*nothing, *before])
        self._next = np.concatenate(
            [np.zeros(0, kind), *(np.append(one, kind.type(np.inf)) for one in columns)]
        )
        self._most = max((one.most for one in rulers if one.most <= _MOST_IN_A_CELL), default=0)
        self._sorted = [place for place, one in enumerate(rulers) if one.most > _MOST_IN_A_CELL]

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """(n, s) values without NaN, of the type of the cuts, to the numbers of their intervals."""
        along = np.clip(values, self._low, self._high)
        along -= self._low
        along *= self._scale
        cells = along.astype(np.intp)
        cells += self._cells
        found: np.ndarray = self._before.take(cells)
        for _ in range(self._most):
            found += values > self._next.take(found)
        for place in self._sorted:
            found[:, place] = cuts_below(values[:, place], self.columns[place]) + self.first[place]
        return found


class _Ruler:
    """Equal cells from the first to the last of some cuts; a single one where that cannot be.

    Attributes:
        low, high, scale: its ends, and cells by length.
        before: (cells,) how many cuts lie in cells before each.
        most: how many lie in one.
    """

    def __init__(self, cuts: np.ndarray) -> None:
        ends: tuple[float, float] = (cuts[0], cuts[-1]) if len(cuts) else (0.0, 0.0)
        self.low, self.high = ends
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            scale = cuts.dtype.type(_CELLS * len(cuts)) / (self.high - self.low)
        self.scale = scale if np.isfinite(scale) else 0.0
        cells = ((cuts - self.low) * self.scale).astype(np.intp)
        counts = np.bincount(cells, minlength=1)
        self.before = np.cumsum(counts) - counts
        self.most = int(counts.max())


def _starts(sizes: list[int]) -> np.ndarray:
    return np.cumsum([0, *sizes], dtype=np.intp)[:-1]


def cuts_below(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """(n,) how many of (c,) ascending cuts lie below each of (n,) values, not at it.

    >>> cuts_below(np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0])).tolist()
    [2, 0, 1]

    Values in their order are cut in one go, which takes half of a search for each of them.
    """
    order = np.argsort(values)
    ends = np.searchsorted(values[order], cuts, side="right")
    found = np.empty(len(values), dtype=np.intp)
    counts = np.diff(ends, prepend=0, append=len(values))
    found[order] = np.repeat(np.arange(len(cuts) + 1), counts)
    return found
