"""When rows were read: the recording and the time of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faultxfer.data.blocks import rows_in_order

# Seconds from 1973 to 2099; other values are sequence numbers.
_EPOCH_SECONDS = (1e8, 4.1e9)


@dataclass(frozen=True)
class Moments:
    """Recording and time of ``n`` rows, in any order.

    Attributes:
        recording: (n,) by number or name.
        time: (n,) float64 seconds or sequence number; NaN in all rows where there is no clock.
    """

    recording: np.ndarray
    time: np.ndarray

    def __len__(self) -> int:
        return len(self.time)

    @property
    def order(self) -> np.ndarray:
        """(n,) positions of the rows, recording by recording in the order of time."""
        return rows_in_order(self.recording, self.time)

    def take(self, rows: np.ndarray) -> Moments:
        """Those of the rows at the given positions (or of a boolean mask)."""
        return Moments(self.recording[rows], self.time[rows])

    def apart(self, side: np.ndarray) -> Moments:
        """The same, with rows of a recording on different sides (n,) as if of two recordings."""
        number = np.unique(self.recording.astype(str), return_inverse=True)[1]
        return Moments(number * (int(side.max(initial=0)) + 1) + side, self.time)


def has_dates(time: np.ndarray) -> bool:
    """Whether all (n,) times are seconds since 1970, not sequence numbers.

    >>> has_dates(np.array([1.7e9, 1.7e9 + 600])), has_dates(np.array([0.0, 1.0]))
    (True, False)
    """
    first, last = _EPOCH_SECONDS
    return bool(((time > first) & (time < last)).all())


def restarted(moments: Moments, every: float) -> Moments:
    """The same, with recordings that begin anew at places drawn at random, one of so many rows.

    How a recording looks near its start tells nothing of a label then, as there are starts all
    over.
    """
    draws = np.random.default_rng(0).random(len(moments))
    part = np.empty(len(moments), dtype=int)
    part[moments.order] = np.cumsum(draws < 1 / every)
    return moments.apart(part)


def usual_step(moments: Moments) -> float | None:
    """The usual time from one row to the next of its recording; None where there is none.

    Where there is no clock, a row is a step of 1.

    >>> usual_step(Moments(np.array([0, 0, 0, 1]), np.array([0.0, 60.0, 120.0, 9.0])))
    60.0
    """
    order = moments.order
    follows = moments.recording[order][1:] == moments.recording[order][:-1]
    if not follows.any():
        return None
    if np.isnan(moments.time).all():
        return 1.0
    steps = np.diff(moments.time[order])[follows]
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else None
