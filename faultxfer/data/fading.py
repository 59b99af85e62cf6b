"""Averages along recordings in which the past fades exponentially by the clock, part by part.

No row sees a later one (Roberts, "Control chart tests based on geometric moving averages",
Technometrics 1959; for uneven steps Eckner, "Algorithms for unevenly spaced time series", 2019). At
the start of a recording it is the average of what there is.

What is kept of a recording is its last rows, and no running sum, which would round differently
wherever a file is cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from faultxfer.data.blocks import NotInOrderError
from faultxfer.data.moments import Moments

_NANOSECONDS = 1e9
# Longer than any recording that 64 bits can count in nanoseconds.
_LONGEST = 9e9


@dataclass(frozen=True)
class Tail:
    """The last rows of a recording, in order: (k,) places in time and (k, c) or (k,) values."""

    time: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Joined:
    """New rows behind those that were kept of their recordings, recording by recording, in order.

    Attributes:
        time: (m,) places in time.
        values: (m, c) or (m,); those of new rows may be written over.
        code: (m,) number of each row's recording here, ascending.
        new: (m,) bool.
        order: (n,) positions of the new rows as they were given.
        names: of the recordings, by their numbers.
    """

    time: np.ndarray
    values: np.ndarray
    code: np.ndarray
    new: np.ndarray
    order: np.ndarray
    names: list[Any]

    @property
    def begins(self) -> np.ndarray:
        """(r,) position of each recording's first row."""
        return np.flatnonzero(np.append(True, self.code[1:] != self.code[:-1]))

    def average(self, values: np.ndarray, half_life: float) -> np.ndarray:
        """(m, c) or (m,) faded averages of values of these rows; NaN among them is left out."""
        import pandas as pd  # a manifest tells how to smooth, and many read one who score nothing

        counts = np.diff(np.append(self.begins, len(self.code)))
        since = (self.time - np.repeat(self.time[self.begins], counts)) / half_life
        clock = (np.minimum(since, _LONGEST) * _NANOSECONDS).astype("datetime64[ns]")
        columns = pd.DataFrame(values.reshape(len(values), -1))
        fading = columns.groupby(self.code, sort=False)
        faded = fading.ewm(halflife=pd.Timedelta(seconds=1), times=clock).mean()
        return np.asarray(faded.to_numpy(dtype=np.float64)).reshape(values.shape)

    def given(self, values: np.ndarray) -> np.ndarray:
        """(n, c) or (n,) of the new rows among these, as they were given."""
        found = np.empty((len(self.order), *values.shape[1:]))
        found[self.order] = values[self.new]
        return found


class RecordingTails:
    """Puts rows that come part by part behind what is kept of their recordings.

    Args:
        reach: how far back rows are kept, in the unit of the time.
        tails: kept of earlier parts, by recording.
        shape: of one row's values.
    """

    def __init__(
        self, reach: float, tails: dict[Any, Tail] | None = None, shape: tuple[int, ...] = ()
    ) -> None:
        self._reach = reach
        self._none = Tail(np.empty(0), np.empty((0, *shape)))
        self.tails: dict[Any, Tail] = dict(tails or {})

    def joined(self, values: np.ndarray, moments: Moments) -> Joined:
        """At least one further row, whose moments may stand in any order, behind those kept.

        Raises:
            NotInOrderError: an earlier part has later rows of one of the recordings.
        """
        order = moments.order
        recording, own = moments.recording[order], values[order]
        begins = np.flatnonzero(np.append(True, recording[1:] != recording[:-1]))
        counts = np.diff(np.append(begins, len(order)))
        names = recording[begins].tolist()
        before = [self.tails.get(name, self._none) for name in names]
        clock = moments.time[order]
        no_clock = bool(np.isnan(clock).all())
        time = _counted(before, begins, counts) if no_clock else np.nan_to_num(clock)
        _require_order(before, time[begins])
        kept = np.array([len(tail.time) for tail in before])
        new = _places_behind(kept, counts)
        every_time, every = np.empty(len(new)), np.empty((len(new), *values.shape[1:]))
        every_time[new], every[new] = time, own
        if kept.any():
            every_time[~new] = np.concatenate([tail.time for tail in before])
            every[~new] = np.concatenate([tail.values for tail in before])
        code = np.repeat(np.arange(len(before)), kept + counts)
        return Joined(every_time, every, code, new, order, names)

    def keep(self, joined: Joined) -> None:
        """Keep of the recordings what still weighs anything for their next rows."""
        ends = np.append(joined.begins[1:], len(joined.code))
        for name, begin, end in zip(joined.names, joined.begins, ends, strict=True):
            time = joined.time[begin:end]
            first = begin + int(np.searchsorted(time, time[-1] - self._reach))
            self.tails[name] = Tail(joined.time[first:end].copy(), joined.values[first:end].copy())

    def forget(self, recordings: list[Any]) -> None:
        """Keep nothing of recordings that have no further rows."""
        for name in recordings:
            self.tails.pop(name, None)


def _counted(before: list[Tail], begins: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(n,) rows counted on from those that came before, where there is no clock."""
    first = [tail.time[-1] + 1 if len(tail.time) else 0.0 for tail in before]
    return np.asarray(np.arange(int(counts.sum())) + np.repeat(first - begins, counts))


def _require_order(before: list[Tail], first: np.ndarray) -> None:
    for tail, time in zip(before, first, strict=True):
        if len(tail.time) and time < tail.time[-1]:
            raise NotInOrderError


def _places_behind(kept: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(m,) bool: which rows are new, where each recording's follow those that are kept of it."""
    lengths = np.stack([kept, counts], axis=1).ravel()
    return np.asarray(np.repeat(np.tile([False, True], len(kept)), lengths))
