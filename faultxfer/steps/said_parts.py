"""What a detector says of accepted rows part by part, along their recordings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.delays import DelayedAlarms
from faultxfer.bundle.smoothing import Smoother
from faultxfer.data.dataset import sensor_matrix
from faultxfer.data.moments import Moments
from faultxfer.data.windows import Widener
from faultxfer.progress import progress
from faultxfer.reading import columns
from faultxfer.steps.accepted import PART_ROWS, AcceptedRows
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
        # Rows of each recording that windows have not been made of.
        self._left: Counter[int] = Counter()
        self._widener: Widener | None = None
        self._smoother: Smoother | None = None
        self._delayed: DelayedAlarms | None = None

    def said(self, accepted: AcceptedRows, bundle: Bundle) -> Iterator[SaidPart]:
        """What a detector says of the rows, in their order.

        Where it looks back or smooths along a recording, rows that the contract excludes speak for
        themselves alone, as training saw none of them; and where it delays alarms, an alarm stays
        there as it is.

        Raises:
            DataError: they do not follow those of the state.
        """
        alone = not (bundle.windows or bundle.smoothing or bundle.delays)
        is_ordered = (alone and self._state is None) or self._look(accepted, bundle)
        self._require_later()
        if bundle.windows is not None:
            readings = self._known(lambda state: state.readings)
            self._widener = Widener(bundle.windows, readings)
        if bundle.smoothing is not None:
            self._smoother = Smoother(bundle.smoothing, self._known(lambda state: state.tails))
        if bundle.delays is not None:
            states = self._known(lambda state: state.alarms)
            self._delayed = DelayedAlarms(bundle.delays, bundle.threshold, states)
        if alone:
            yield from self._said(accepted.parts(), bundle)
        elif is_ordered:
            for part in self._said(accepted.parts(), bundle):
                yield self._gone_along(part, bundle)
        else:
            progress.info("The rows do not stand in the order of time: sorting them to score them")
            yield from self._sorted(accepted, bundle)

    def leave(self, still_on: dict[int, OpenAlarm]) -> None:
        """Put into the state what the next file goes on from, alarms still on among it."""
        if self._state is None:
            return
        names = self._recordings.names
        latest = sorted(self._latest.items(), key=lambda each: each[1])
        tails = {} if self._smoother is None else self._smoother.tails
        states = {} if self._delayed is None else self._delayed.states
        readings = {} if self._widener is None else self._widener.tails
        self._state.remember(
            [(names[number], time) for number, time in latest],
            {names[number]: tail for number, tail in tails.items()},
            {names[number]: state for number, state in states.items()},
            {names[number]: alarm for number, alarm in still_on.items()},
            {names[number]: tail for number, tail in readings.items()},
        )

    @property
    def alarms_before(self) -> dict[int, OpenAlarm]:
        """Alarms that were on where an earlier score ended, by numbers of recordings."""
        return self._known(lambda state: state.still_on)

    def _look(self, accepted: AcceptedRows, bundle: Bundle) -> bool:
        """Whether no part has rows of a recording from before an earlier part's."""
        is_ordered = True
        for rows in accepted.parts((*_WHEN, columns.REMARK)):
            used = rows[used_rows(rows)]
            if bundle.windows is not None:
                self._left.update(self._recordings.numbers(used).tolist())
            # Time stands still in an alarm that is delayed where the machine does not run.
            moments = self._moments(rows if bundle.delays else used)
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
            logits[used] = self._smoother.add(logits[used], moments.take(used))
        if self._delayed is None:
            return None
        return self._delayed.add(bundle.calibrator(logits), moments, used)

    def _said(self, parts: Iterable[pd.DataFrame], bundle: Bundle) -> Iterator[SaidPart]:
        """What is said of each row; windows are made in the order of the parts."""
        return in_order(
            lambda part: part.said(bundle), (self._seen(rows, bundle) for rows in parts)
        )

    def _seen(self, rows: pd.DataFrame, bundle: Bundle) -> _SeenPart:
        X = sensor_matrix(rows, bundle.features)
        if self._widener is None:
            return _SeenPart(rows, X, None)
        return _SeenPart(rows, X, self._windows(X, self._moments(rows), used_rows(rows), bundle))

    def _sorted(self, accepted: AcceptedRows, bundle: Bundle) -> Iterator[SaidPart]:
        """All parts after their rows were sorted, by which 30 bytes a row are kept in memory.

        Readings that are looked back at lie in a file.
        """
        every, runs = self._moments_of(accepted)
        order = every.order
        if self._widener is None:
            said = np.concatenate([one.logits for one in self._said(accepted.parts(), bundle)])
        else:
            said = self._said_in_time(accepted, bundle, (order, every, runs))
        order = order if self._delayed else order[runs[order]]
        alarms = None if self._delayed is None else np.zeros(len(said), dtype=bool)
        for own in _some(order, _SORTED):
            some = said[own]
            found = self._next(some, every.take(own), runs[own], bundle)
            said[own] = some
            if alarms is not None:
                alarms[own] = found
        begin = 0
        for rows in accepted.parts():
            some_rows = slice(begin, begin + len(rows))
            on = None if alarms is None else alarms[some_rows]
            yield SaidPart(rows, sensor_matrix(rows, bundle.features), said[some_rows], on)
            begin += len(rows)

    def _moments_of(self, accepted: AcceptedRows) -> tuple[Moments, np.ndarray]:
        """Of all rows, and (n,) which of them the contract does not exclude."""
        used, recording, time = [], [], []
        for rows in accepted.parts((*_WHEN, columns.REMARK)):
            moments = self._moments(rows)
            used.append(used_rows(rows))
            recording.append(moments.recording.astype(np.int32))
            time.append(moments.time)
        return Moments(np.concatenate(recording), np.concatenate(time)), np.concatenate(used)

    def _said_in_time(
        self,
        accepted: AcceptedRows,
        bundle: Bundle,
        when: tuple[np.ndarray, Moments, np.ndarray],
    ) -> np.ndarray:
        """(n,) logits of rows whose windows were made in the order of time."""
        order, moments, used = when
        path, width = accepted.path.with_suffix(".readings"), len(bundle.features)
        with path.open("wb") as file:
            for rows in accepted.parts():
                file.write(sensor_matrix(rows, bundle.features).tobytes())

        def in_time() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
            for own in _some(order, PART_ROWS):
                # Opened anew for each part: what is mapped counts as memory of the process.
                X = np.memmap(path, np.float64, "r", shape=(len(order), width))[own]
                yield own, np.asarray(X), self._windows(X, moments.take(own), used[own], bundle)

        def scored(part: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, ...]:
            own, X, windows = part
            return own, bundle.logits(X, windows)

        said = np.empty(len(order))
        for own, logits in in_order(scored, in_time()):
            said[own] = logits
        path.unlink()
        return said

    def _windows(
        self, X: np.ndarray, moments: Moments, used: np.ndarray, bundle: Bundle
    ) -> np.ndarray:
        """(n, 3, c) of further rows; those that the contract excludes stand for themselves."""
        if self._widener is None or bundle.windows is None:
            raise ValueError("There are no windows to make. Received: windows=None")
        known = bundle.with_windows(X)
        windows = bundle.windows.alone(known)
        windows[used] = self._widener.add(known[used], moments.take(used))
        self._forget_ended(moments.recording[used])
        return windows

    def _forget_ended(self, recording: np.ndarray) -> None:
        """Keep nothing of recordings that these were the last rows of, if no further file comes."""
        self._left.subtract(recording.tolist())
        if self._widener is not None and self._state is None:
            self._widener.forget([one for one in set(recording.tolist()) if not self._left[one]])


def _some(order: np.ndarray, at_a_time: int) -> Iterator[np.ndarray]:
    for begin in range(0, len(order), at_a_time):
        yield order[begin : begin + at_a_time]


@dataclass(frozen=True)
class _SeenPart:
    """Some accepted rows with their (n, d) readings and (n, 3, c) windows, where there are some."""

    rows: pd.DataFrame
    X: np.ndarray
    windows: np.ndarray | None

    def said(self, bundle: Bundle) -> SaidPart:
        return SaidPart(self.rows, self.X, bundle.logits(self.X, self.windows))


_WHEN = (columns.EQUIPMENT, columns.RUN, columns.TIME)
