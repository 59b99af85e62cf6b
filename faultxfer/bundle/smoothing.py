"""Log-odds smoothed along a recording, so that one odd row raises no alarm.

An average in which the past fades exponentially by the clock (:mod:`faultxfer.data.fading`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from faultxfer.data.fading import RecordingTails, Tail
from faultxfer.data.moments import Moments

# Rows this many half-lives back weigh 1e-12 and less: nothing that six digits of log-odds show.
_REACH = 40.0


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


def counted_rows(rows: float) -> str:
    """How many, in words.

    >>> counted_rows(1.0), counted_rows(2.7)
    ('1 row', '2.7 rows')
    """
    return f"{rows:g} row{'' if rows == 1 else 's'}"


class Smoother:
    """Smooths rows that come part by part, as if they had come at once.

    Attributes:
        tails: the last rows of each recording with what was said of them.
    """

    def __init__(self, smoothing: Smoothing, tails: dict[Any, Tail] | None = None) -> None:
        self._half_life = smoothing.half_life
        self._rows = RecordingTails(_REACH * smoothing.half_life, tails)

    @property
    def tails(self) -> dict[Any, Tail]:
        """By recording."""
        return self._rows.tails

    def add(self, logits: np.ndarray, moments: Moments) -> np.ndarray:
        """(n,) smoothed logits of further rows, whose moments may stand in any order.

        Raises:
            NotInOrderError: an earlier part has later rows of one of the recordings.
        """
        if not len(logits):
            return np.empty(0)
        joined = self._rows.joined(logits, moments)
        smoothed = joined.average(joined.values, self._half_life)
        self._rows.keep(joined)
        return joined.given(smoothed)
