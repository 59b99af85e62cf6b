"""Log-odds smoothed along a recording, so that one odd row raises no alarm.

An average in which the past fades exponentially by the clock; no row sees a later one (Roberts,
"Control chart tests based on geometric moving averages", Technometrics 1959; for uneven steps
Eckner, "Algorithms for unevenly spaced time series", 2019). At the start of a recording it is the
average of what there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from faultxfer.data.blocks import NotInOrderError
from faultxfer.data.moments import Moments

# Rows this many half-lives back weigh 1e-12 and less: nothing that six digits of log-odds show.
_REACH = 40.0
_NANOSECONDS = 1e9
# Longer than any recording that 64 bits can count in nanoseconds.
_LONGEST = 9e9


@dataclass(frozen=True)
class Smoothing:
    """How fast the past fades.

    Attributes:
        half_life: after which a row weighs half, in the unit of the time: seconds or steps of a
            sequence; rows where there is no clock.
        rows: how many rows of a usual recording that is; None where it was not counted.
    """

    half_life: float
    rows: float | None = None

    def __call__(self, logits: np.ndarray, moments: Moments) -> np.ndarray:
        """(n,) logits to (n,) smoothed logits.

        The third of three rows that are a half-life apart weighs 1 beside 1/2 and 1/4:

        >>> three = Moments(np.zeros(3, dtype=int), np.array([0.0, 10.0, 20.0]))
        >>> Smoothing(10.0)(np.array([7.0, 0.0, 0.0]), three).round(6).tolist()
        [7.0, 2.333333, 1.0]
        """
        return Smoother(self).add(logits, moments)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the manifest."""
        return {"half_life": self.half_life, "rows": self.rows}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Smoothing:
        """The inverse of :meth:`as_dict`.

        Raises:
            ValueError: the half-life is no positive number.
        """
        half_life = float(stored["half_life"])
        if not 0 < half_life < np.inf:
            raise ValueError(f"A half-life is a positive number. Received: {half_life=}")
        rows = stored.get("rows")
        return cls(half_life, None if rows is None else float(rows))

    def sentence(self) -> str:
        """For people: what is done to what the detector says of a row.

        >>> Smoothing(60.0, 1.0).sentence().partition(":")[0]
        'A score is an average along its recording, in which a row counts half 1 row later'
        """
        after = "after a while" if self.rows is None else f"{counted_rows(self.rows)} later"
        return (
            f"A score is an average along its recording, in which a row counts half {after}: that "
            "told rows held out best. A row that is sent alone is scored alone."
        )


@dataclass(frozen=True)
class Tail:
    """The last rows of a recording, in order: (k,) places in time and (k,) logits."""

    time: np.ndarray
    logits: np.ndarray


def counted_rows(rows: float) -> str:
    """How many, in words.

    >>> counted_rows(1.0), counted_rows(2.7)
    ('1 row', '2.7 rows')
    """
    return f"{rows:g} row{'' if rows == 1 else 's'}"


class Smoother:
    """Smooths rows that come part by part, as if they had come at once.

    What is kept of a recording is its last rows, and no running sum, which would round differently
    wherever a file is cut.

    Attributes:
        tails: these rows, by recording.
    """

    def __init__(self, smoothing: Smoothing, tails: dict[Any, Tail] | None = None) -> None:
        self._half_life = smoothing.half_life
        self.tails: dict[Any, Tail] = dict(tails or {})

    def add(self, logits: np.ndarray, moments: Moments) -> np.ndarray:
        """(n,) smoothed logits of further rows, whose moments may stand in any order.

        Raises:
            NotInOrderError: an earlier part has later rows of one of the recordings.
        """
        if not len(logits):
            return np.empty(0)
        order = moments.order
        recording, said = moments.recording[order], logits[order]
        begins = np.flatnonzero(np.append(True, recording[1:] != recording[:-1]))
        ends = np.append(begins[1:], len(order))
        names = recording[begins].tolist()
        clock = moments.time[order]
        no_clock = bool(np.isnan(clock).all())
        time = self._counted(names, begins, ends) if no_clock else np.nan_to_num(clock)
        before = [self.tails.get(name, _NONE_BEFORE) for name in names]
        self._require_order(before, time[begins])
        smoothed = self._faded(before, time, said, begins, ends)
        for name, tail, begin, end in zip(names, before, begins, ends, strict=True):
            self.tails[name] = self._cut(tail, time[begin:end], said[begin:end])
        found = np.empty(len(order))
        found[order] = smoothed
        return found

    def _counted(self, names: list[Any], begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """(n,) rows counted on from those that came before, where there is no clock."""
        tails = [self.tails.get(name, _NONE_BEFORE) for name in names]
        first = [tail.time[-1] + 1 if len(tail.time) else 0.0 for tail in tails]
        counts = ends - begins
        return np.asarray(np.arange(int(ends[-1])) + np.repeat(first - begins, counts))

    @staticmethod
    def _require_order(before: list[Tail], first: np.ndarray) -> None:
        for tail, time in zip(before, first, strict=True):
            if len(tail.time) and time < tail.time[-1]:
                raise NotInOrderError

    def _faded(
        self,
        before: list[Tail],
        time: np.ndarray,
        said: np.ndarray,
        begins: np.ndarray,
        ends: np.ndarray,
    ) -> np.ndarray:
        """(n,) the averages of rows in order, with the rows before them."""
        kept = np.array([len(tail.time) for tail in before])
        counts = ends - begins
        code = np.repeat(np.arange(len(before)), kept + counts)
        new = _places_behind(kept, counts)
        every_time, every_said = np.empty(len(code)), np.empty(len(code))
        every_time[new], every_said[new] = time, said
        if kept.any():
            every_time[~new] = np.concatenate([tail.time for tail in before])
            every_said[~new] = np.concatenate([tail.logits for tail in before])
        return np.asarray(_average(every_said, every_time, code, self._half_life)[new])

    def _cut(self, tail: Tail, time: np.ndarray, said: np.ndarray) -> Tail:
        """What of a recording still weighs anything for its next row."""
        early = time[-1] - _REACH * self._half_life
        old, new = np.searchsorted(tail.time, early), np.searchsorted(time, early)
        return Tail(
            np.concatenate([tail.time[old:], time[new:]]),
            np.concatenate([tail.logits[old:], said[new:]]),
        )


_NONE_BEFORE = Tail(np.empty(0), np.empty(0))


def _places_behind(kept: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(m,) bool: which rows are new, where each recording's follow those that are kept of it."""
    lengths = np.stack([kept, counts], axis=1).ravel()
    return np.asarray(np.repeat(np.tile([False, True], len(kept)), lengths))


def _average(
    logits: np.ndarray, time: np.ndarray, code: np.ndarray, half_life: float
) -> np.ndarray:
    """(n,) faded averages of rows that stand in order, by (n,) ascending numbers of recordings."""
    import pandas as pd  # a manifest says how to smooth, and is read by much that scores nothing

    begins = np.flatnonzero(np.append(True, code[1:] != code[:-1]))
    counts = np.diff(np.append(begins, len(code)))
    since = (time - np.repeat(time[begins], counts)) / half_life
    clock = (np.minimum(since, _LONGEST) * _NANOSECONDS).astype("datetime64[ns]")
    fading = pd.Series(logits).groupby(code, sort=False)
    faded = fading.ewm(halflife=pd.Timedelta(seconds=1), times=clock).mean()
    return np.asarray(faded.to_numpy(dtype=np.float64))
