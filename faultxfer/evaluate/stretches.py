"""Stretches of neighbouring rows that alarm, of rows that come part by part."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from faultxfer.data.blocks import NotInOrderError, rows_in_order


@dataclass(frozen=True)
class Stretches:
    """Stretches of alarms; all arrays are (s,).

    Attributes:
        recording: number of the recording.
        first, last: places of the first and the last row.
        count: how many rows alarm.
        peak: place of the row with the highest probability, the first of several.
        probability: there.
        from_first, to_last: whether it has the first, and the last, row of its recording.
    """

    recording: np.ndarray
    first: np.ndarray
    last: np.ndarray
    count: np.ndarray
    peak: np.ndarray
    probability: np.ndarray
    from_first: np.ndarray
    to_last: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def take(self, some: np.ndarray) -> Stretches:
        """Those at the given positions."""
        return Stretches(*(getattr(self, field.name)[some] for field in fields(self)))


class StretchFinder:
    """Finds stretches; a part may go on with recordings of earlier ones.

    Of each recording only the time of its last row is kept, and whether a stretch was open there.
    """

    def __init__(self) -> None:
        self._parts: list[Stretches] = []
        # By number of the recording: the time it got to, the places of its first and last row, and
        # the stretch that its last row is of,
        # as number of the part and position there; -1 where that row does not alarm.
        self._time = np.empty(0)
        self._ends = np.empty((0, 2), dtype=np.int64)
        self._open = np.empty((0, 2), dtype=np.int64)

    def add(
        self,
        place: np.ndarray,
        recording: np.ndarray,
        time: np.ndarray,
        alarms: np.ndarray,
        probabilities: np.ndarray,
    ) -> None:
        """Look at further rows; all arguments are (n,).

        Args:
            place: of each row, as it is to be called.
            recording: its number.
            time: NaN where there is none.
            alarms: whether it alarms.
            probabilities: of a fault.

        Raises:
            NotInOrderError: an earlier part has later rows of a recording. Inside a part rows stand
                in any order.
        """
        if not len(place):
            return
        order = rows_in_order(recording, time)
        recording, alarms = recording[order], alarms[order]
        begins = np.flatnonzero(np.diff(recording, prepend=-1))
        ends = np.append(begins[1:], len(order)) - 1
        own = recording[begins]
        self._make_room(int(own[-1]) + 1)
        time = np.nan_to_num(time[order])
        if (time[begins] < self._time[own]).any():
            raise NotInOrderError
        self._time[own] = time[ends]
        is_new = self._ends[own, 0] < 0
        self._ends[own[is_new], 0] = place[order[begins[is_new]]]
        self._ends[own, 1] = place[order[ends]]
        found, of_row = _inside(place[order], recording, alarms, probabilities[order])
        going_on = alarms[begins] & (self._open[own, 0] >= 0)
        number = np.where(alarms[ends], of_row[ends], -1)
        self._parts.append(found)
        gone_on = np.zeros(len(found), dtype=bool)
        for at in np.flatnonzero(going_on):
            joined = int(of_row[begins[at]])
            gone_on[joined] = True
            part, position = self._open[own[at]]
            _go_on(self._parts[part], position, found, joined)
        # A stretch that went on through the whole of this part is still open where it began.
        whole = going_on & alarms[ends] & (of_row[ends] == of_row[begins])
        self._open[own[~whole], 0] = np.where(number[~whole] < 0, -1, len(self._parts) - 1)
        self._open[own[~whole], 1] = number[~whole]
        found.count[gone_on] = 0

    def _make_room(self, recordings: int) -> None:
        more = recordings - len(self._time)
        if more > 0:
            more = max(more, len(self._time))
            self._time = np.append(self._time, np.full(more, -np.inf))
            self._ends = np.vstack([self._ends, np.full((more, 2), -1)])
            self._open = np.vstack([self._open, np.full((more, 2), -1)])

    def found(self, rank: np.ndarray) -> Stretches:
        """All of them, by the (r,) rank of each recording, and in the order of time inside it."""
        if not self._parts:
            return _none()
        columns = [
            np.concatenate([getattr(part, field.name) for part in self._parts])
            for field in fields(Stretches)
        ]
        every = Stretches(*columns)
        own = np.flatnonzero(every.count)
        order = np.argsort(rank[every.recording[own]], kind="stable")
        found = every.take(own[order])
        first, last = self._ends[found.recording].T
        return replace(found, from_first=found.first == first, to_last=found.last == last)


def _none() -> Stretches:
    none = np.empty(0, dtype=np.int64)
    never = np.empty(0, dtype=bool)
    return Stretches(none, none, none, none, none, np.empty(0), never, never)


def _inside(
    place: np.ndarray, recording: np.ndarray, alarms: np.ndarray, probabilities: np.ndarray
) -> tuple[Stretches, np.ndarray]:
    """Stretches of (n,) rows in order, and (n,) the position of each row's among them."""
    begins = alarms.copy()
    begins[1:] &= ~(alarms[:-1] & (recording[1:] == recording[:-1]))
    of_row = np.cumsum(begins) - 1
    rows = np.flatnonzero(alarms)
    first = np.flatnonzero(begins[rows])
    if not len(first):
        return _none(), of_row
    last = np.append(first[1:], len(rows)) - 1
    highest = np.maximum.reduceat(probabilities[rows], first)
    position = of_row[rows]
    at_peak = np.flatnonzero(probabilities[rows] == highest[position])
    _, earliest = np.unique(position[at_peak], return_index=True)
    found = Stretches(
        recording[rows[first]],
        place[rows[first]],
        place[rows[last]],
        last - first + 1,
        place[rows[at_peak[earliest]]],
        highest,
        *np.zeros((2, len(first)), dtype=bool),
    )
    return found, of_row


def _go_on(into: Stretches, position: int, of: Stretches, joined: int) -> None:
    """Add a stretch to the one of an earlier part that it goes on with."""
    into.last[position] = of.last[joined]
    into.count[position] += of.count[joined]
    if of.probability[joined] > into.probability[position]:
        into.probability[position] = of.probability[joined]
        into.peak[position] = of.peak[joined]
