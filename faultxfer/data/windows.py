"""What the rows before a row add to it: of each sensor two faded means and its usual deviation.

They fade by the clock (:mod:`faultxfer.data.fading`): no row sees a later one, a pause is a new
start. The first row of a recording has nothing before it, so it stands for itself with the
deviation that is usual; so nothing tells how far the start is away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from faultxfer.data.fading import RecordingTails, Tail
from faultxfer.data.moments import Moments

# What there is of each sensor: the mean that fades fast, the one that fades slowly, the deviation.
KINDS = ("mean_short", "mean_long", "deviation")
# Rows this many half-lives back weigh 1e-9 and less.
_REACH = 30.0


def names_of_windows(sensors: tuple[str, ...]) -> tuple[str, ...]:
    """Names of all windows, in the order in which (n, 3, c) are laid side by side.

    >>> names_of_windows(("flow", "head"))[:3]
    ('flow:mean_short', 'head:mean_short', 'flow:mean_long')
    """
    return tuple(f"{sensor}:{kind}" for kind in KINDS for sensor in sensors)


@dataclass(frozen=True)
class Windows:
    """How fast the past fades, and how far the sensors usually move meanwhile.

    Attributes:
        short, long: half-lives, in the unit of the time: seconds or steps of a sequence; rows
            where there is no clock.
        usual: (c,) usual deviation of each sensor, in its unit.
    """

    short: float
    long: float
    usual: np.ndarray

    def __call__(self, X: np.ndarray, moments: Moments) -> np.ndarray:
        """(n, c) readings to (n, 3, c) features, by :data:`KINDS`.

        The second of two rows a half-life apart counts 1 beside 1/2:

        >>> two = Moments(np.zeros(2, dtype=int), np.array([0.0, 10.0]))
        >>> Windows(10.0, 10.0, np.zeros(1))(np.array([[0.0], [3.0]]), two)[1, 0].tolist()
        [2.0]
        """
        return Widener(self).add(X, moments)

    def alone(self, X: np.ndarray) -> np.ndarray:
        """(n, 3, c) of (n, c) rows that have nothing before them."""
        return np.stack([X, X, np.broadcast_to(self.usual, X.shape)], axis=1)

    def given_or_alone(self, X: np.ndarray, windows: np.ndarray | None) -> np.ndarray:
        """The windows of (n, d ≥ c) rows, or those of rows that stand for themselves."""
        return self.alone(X[:, : len(self.usual)]) if windows is None else windows

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the manifest."""
        return {"short": self.short, "long": self.long, "usual": self.usual.tolist()}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Windows:
        """The inverse of :meth:`as_dict`.

        Raises:
            ValueError: a half-life is no positive number, or a deviation is not finite.
        """
        short, long = float(stored["short"]), float(stored["long"])
        usual = np.array(stored["usual"], dtype=np.float64)
        if not 0 < short <= long < np.inf or not np.isfinite(usual).all() or usual.ndim != 1:
            raise ValueError(f"Windows have positive half-lives. Received: {short=}, {long=}")
        return cls(short, long, usual)


def fit_windows(X: np.ndarray, moments: Moments, short: float, long: float) -> Windows:
    """Windows whose usual deviations are those of (n, c) rows."""
    unknown = Windows(short, long, np.full(X.shape[1], np.nan))
    deviations = unknown(X, moments)[:, KINDS.index("deviation")]
    known = deviations[~np.isnan(deviations).any(axis=1)]
    usual = np.median(known, axis=0) if len(known) else np.zeros(X.shape[1])
    return replace(unknown, usual=usual)


class Widener:
    """Windows of rows that come part by part, as if they had come at once.

    Args:
        windows: what to make.
        tails: what was kept of earlier rows, by recording: readings, then squares of how far each
            lay from its mean.
    """

    def __init__(self, windows: Windows, tails: dict[Any, Tail] | None = None) -> None:
        self._windows = windows
        width = 2 * len(windows.usual)
        self._rows = RecordingTails(_REACH * windows.long, tails, (width,))

    @property
    def tails(self) -> dict[Any, Tail]:
        """By recording."""
        return self._rows.tails

    def forget(self, recordings: list[Any]) -> None:
        """Keep nothing of recordings that have no further rows."""
        self._rows.forget(recordings)

    def add(self, X: np.ndarray, moments: Moments) -> np.ndarray:
        """(n, 3, c) of further rows (n, c), whose moments may stand in any order.

        Raises:
            NotInOrderError: an earlier part has later rows of one of the recordings.
        """
        if not len(X):
            return np.empty((0, len(KINDS), X.shape[1]))
        windows, width = self._windows, X.shape[1]
        joined = self._rows.joined(np.hstack([X, np.empty(X.shape)]), moments)
        readings, squares = joined.values[:, :width], joined.values[:, width:]
        short, long = (joined.average(readings, each) for each in (windows.short, windows.long))
        squares[joined.new] = ((readings - long) ** 2)[joined.new]
        first = joined.begins[joined.new[joined.begins]]
        squares[first] = windows.usual**2
        deviation = np.sqrt(joined.average(squares, windows.long))
        self._rows.keep(joined)
        return joined.given(np.stack([short, long, deviation], axis=1))


@dataclass(frozen=True)
class RowWindows:
    """Windows of the rows of a data set.

    Attributes:
        windows: how they were made.
        values: (n, 3, c) float64.
    """

    windows: Windows
    values: np.ndarray

    def take(self, rows: np.ndarray) -> RowWindows:
        """Those of the rows at the given positions (or of a boolean mask)."""
        return RowWindows(self.windows, self.values[rows])

    def of(self, sensors: list[int]) -> RowWindows:
        """Those of the sensors at these positions."""
        windows = replace(self.windows, usual=self.windows.usual[sensors])
        return RowWindows(windows, self.values[:, :, sensors])


def widened(X: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(n, 4c) readings and windows side by side, of (n, d ≥ c) readings and (n, 3, c) windows."""
    _, kinds, sensors = values.shape
    return np.hstack([X[:, :sensors], values.reshape(len(X), kinds * sensors)])
