"""Faults one by one, where there are too few to be summed up in a metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faultxfer.data.moments import has_dates
from faultxfer.evaluate.rows import ScoredRows

# Where a list is cut, the report says so.
_MOST = 20


@dataclass(frozen=True)
class HeldFault:
    """What was said of a fault by a model that had not seen it.

    Attributes:
        run: its recording.
        time: as the file's clock or sequence number has it; empty where there is none.
        probability: of a fault.
        alarm: whether it alarmed.
        normals: normal rows that the same model scored.
        above: how many of them it scored as high or higher.
    """

    run: str
    time: str
    probability: float
    alarm: bool
    normals: int
    above: int

    @property
    def sentence(self) -> str:
        """For people.

        >>> HeldFault("7", "12", 0.81, True, 9, 1).sentence
        'run 7, 12: alarm (probability 0.81); 1 of 9 normal rows score as high'
        """
        where = f"run {self.run}, {self.time}" if self.time else f"run {self.run}"
        said = "alarm" if self.alarm else "no alarm"
        of = f"{self.above} of {self.normals} normal rows score as high"
        return f"{where}: {said} (probability {self.probability:.2g}); {of}"


def held_faults(rows: ScoredRows) -> tuple[HeldFault, ...]:
    """The faults among the rows that judge, in their order; at most twenty."""
    dated = has_dates(rows.time)
    return tuple(_held(rows, place, dated=dated) for place in np.flatnonzero(rows.y == 1)[:_MOST])


def _held(rows: ScoredRows, place: int, *, dated: bool) -> HeldFault:
    normal = (rows.y == 0) & (rows.fold == rows.fold[place])
    probability = float(rows.probabilities[place])
    return HeldFault(
        run=str(rows.run[place]),
        time=_time_in_words(float(rows.time[place]), dated=dated),
        probability=probability,
        alarm=bool(rows.alarms[place]),
        normals=int(normal.sum()),
        above=int((rows.probabilities[normal] >= probability).sum()),
    )


def _time_in_words(time: float, *, dated: bool) -> str:
    """A clock's time, or a sequence number."""
    if not np.isfinite(time):
        return ""
    if dated:
        return str(np.datetime64(int(time), "s")).replace("T", " ")
    return f"{time:g}"
