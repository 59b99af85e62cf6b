"""What a detector says of accepted rows part by part, along their recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.delays import DelayedAlarms
from faultxfer.bundle.smoothing import Smoother
from faultxfer.data.dataset import sensor_matrix
from faultxfer.data.moments import Moments
from faultxfer.progress import progress
from faultxfer.reading import columns
from faultxfer.steps.accepted import AcceptedRows
from faultxfer.steps.processors import in_order
from faultxfer.steps.score_state import OpenAlarm, ScoreState
from faultxfer.steps.speaking import Recordings

_Kept = TypeVar("_Kept")
# Rows at a time that were sorted by time.
_SORTED = 1 << 20


@dataclass(frozen=True)
class SaidPart:
    """Some accepted rows with what the detector says of them.

    Attributes:
        rows: n rows.
        X: (n, d) readings.
        logits: (n,) uncalibrated.
        alarms: (n,) bool where they are delayed; None where each row stands alone.
    """

    rows: pd.DataFrame
    X: np.ndarray
    logits: np.ndarray
    alarms: np.ndarray | None = None


def used_rows(rows: pd.DataFrame) -> np.ndarray:
    """(n,) bool: accepted rows that the contract does not exclude."""
    if columns.REMARK not in rows:
        return np.ones(len(rows), dtype=bool)
    used: np.ndarray = rows[columns.REMARK].fillna("").eq("").to_numpy(dtype=bool)
    return used


class Along:
    """Goes along the recordings of accepted rows, from where an earlier score left them.

    Args:
        recordings: their numbers.
        state: what an earlier score left, where it is gone on from.
    """

    def __init__(self, recordings: Recordings, state: ScoreState | None = None) -> None:
        self._recordings, self._state = recordings, state
        # Times of the first and the last row of each recording.
        self._first: dict[int, float] = {}
        self._latest: dict[int, float] = {}
        self._smoother: Smoother | None = None
        self._delayed: DelayedAlarms | None = None

    def said(self, accepted: AcceptedRows, bundle: Bundle) -> Iterator[SaidPart]:
        """What a detector says of the rows, in their order.

        Where it smooths along a recording, rows that the contract excludes speak for themselves
        alone, as training saw none of them; and where it delays alarms, an alarm stays there as it
        is.

        Raises:
            DataError: they do not follow those of the state.
        """
        alone = bundle.smoothing is None and bundle.delays is None
        is_ordered = (alone and self._state is None) or self._look(accepted, bundle)
        self._require_later()
        if bundle.smoothing is not None:
            self._smoother = Smoother(bundle.smoothing, self._known(lambda state: state.tails))
        if bundle.delays is not None:
            states = self._known(lambda state: state.alarms)
            self._delayed = DelayedAlarms(bundle.delays, bundle.threshold, states)
        if alone:
            yield from _said(accepted, bundle)
        elif is_ordered:
            for part in _said(accepted, bundle):
                yield self._gone_along(part, bundle)
        else:
            progress.info("The rows do not stand in the order of time: scoring them, then sorting")
            yield from self._sorted(accepted, bundle)

    def leave(self, still_on: dict[int, OpenAlarm]) -> None:
        """Put into the state what the next file goes on from, alarms still on among it."""
        if self._state is None:
            return
        names = self._recordings.names
        latest = sorted(self._latest.items(), key=lambda each: each[1])
        tails = {} if self._smoother is None else self._smoother.tails
        states = {} if self._delayed is None else self._delayed.states
        self._state.remember(
            [(names[number], time) for number, time in latest],
            {names[number]: tail for number, tail in tails.items()},
            {names[number]: state for number, state in states.items()},
            {names[number]: alarm for number, alarm in still_on.items()},
        )

    @property
    def alarms_before(self) -> dict[int, OpenAlarm]:
        """Alarms that were on where an earlier score ended, by numbers of recordings."""
        return self._known(lambda state: state.still_on)

    def _look(self, accepted: AcceptedRows, bundle: Bundle) -> bool:
        """Whether no part has rows of a recording from before an earlier part's."""
        is_ordered = True
        for rows in accepted.parts((*_WHEN, columns.REMARK)):
            # Time stands still in an alarm that is delayed where the machine does not run.
            moments = self._moments(rows if bundle.delays else rows[used_rows(rows)])
            time = pd.Series(moments.time).groupby(moments.recording).agg(["min", "max"])
            for number, first, last in time.dropna().itertuples(name=None):
                is_ordered &= first >= self._latest.get(number, -np.inf)
                self._first[number] = min(first, self._first.get(number, np.inf))
                self._latest[number] = max(last, self._latest.get(number, -np.inf))
        return is_ordered

    def _require_later(self) -> None:
        if self._state is None:
            return
        names = self._recordings.names
        for number, first in self._first.items():
            self._state.require_later(names[number], first)

    def _known(self, kept: Callable[[ScoreState], dict[str, _Kept]]) -> dict[int, _Kept]:
        """What was kept of recordings, by their numbers here."""
        if self._state is None:
            return {}
        by_name = kept(self._state)
        numbers = self._recordings.known(list(by_name)).tolist()
        return dict(zip(numbers, by_name.values(), strict=True))

    def _moments(self, rows: pd.DataFrame) -> Moments:
        numbers = self._recordings.numbers(rows)
        return Moments(numbers, rows[columns.TIME].to_numpy(dtype=np.float64))

    def _gone_along(self, part: SaidPart, bundle: Bundle) -> SaidPart:
        """A part whose recordings go on from those before it."""
        used, logits = used_rows(part.rows), part.logits.copy()
        moments = self._moments(part.rows)
        alarms = self._next(logits, moments, used, bundle)
        return replace(part, logits=logits, alarms=alarms)

    def _next(
        self, logits: np.ndarray, moments: Moments, used: np.ndarray, bundle: Bundle
    ) -> np.ndarray | None:
        """Smooth (n,) logits in place; their (n,) alarms where those are delayed."""
        if self._smoother is not None:
            own = Moments(moments.recording[used], moments.time[used])
            logits[used] = self._smoother.add(logits[used], own)
        if self._delayed is None:
            return None
        return self._delayed.add(bundle.calibrator(logits), moments, used)

    def _sorted(self, accepted: AcceptedRows, bundle: Bundle) -> Iterator[SaidPart]:
        """All parts after their rows were sorted, by which 22 bytes a row are kept in memory."""
        logits, used, recording, time = [], [], [], []
        for part in _said(accepted, bundle):
            moments = self._moments(part.rows)
            logits.append(part.logits)
            used.append(used_rows(part.rows))
            recording.append(moments.recording.astype(np.int32))
            time.append(moments.time)
        said, runs = np.concatenate(logits), np.concatenate(used)
        every = Moments(np.concatenate(recording), np.concatenate(time))
        order = every.order if self._delayed else every.order[runs[every.order]]
        alarms = None if self._delayed is None else np.zeros(len(said), dtype=bool)
        for begin in range(0, len(order), _SORTED):
            own = order[begin : begin + _SORTED]
            some = said[own]
            found = self._next(
                some, Moments(every.recording[own], every.time[own]), runs[own], bundle
            )
            said[own] = some
            if alarms is not None:
                alarms[own] = found
        begin = 0
        for rows in accepted.parts():
            some_rows = slice(begin, begin + len(rows))
            on = None if alarms is None else alarms[some_rows]
            yield SaidPart(rows, sensor_matrix(rows, bundle.features), said[some_rows], on)
            begin += len(rows)


def _said(accepted: AcceptedRows, bundle: Bundle) -> Iterator[SaidPart]:
    """Each row by itself."""

    def said(rows: pd.DataFrame) -> SaidPart:
        X = sensor_matrix(rows, bundle.features)
        return SaidPart(rows, X, bundle.logits(X))

    return in_order(said, accepted.parts())


_WHEN = (columns.EQUIPMENT, columns.RUN, columns.TIME)
