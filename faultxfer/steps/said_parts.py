"""What a detector says of accepted rows part by part, smoothed along their recordings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.smoothing import Smoother, Tail
from faultxfer.data.dataset import sensor_matrix
from faultxfer.data.moments import Moments
from faultxfer.progress import progress
from faultxfer.reading import columns
from faultxfer.steps.accepted import AcceptedRows
from faultxfer.steps.processors import in_order
from faultxfer.steps.score_state import ScoreState
from faultxfer.steps.speaking import Recordings

# Rows at a time that were sorted by time.
_SORTED = 1 << 20


@dataclass(frozen=True)
class SaidPart:
    """Some accepted rows with what the detector says of them.

    Attributes:
        rows: n rows.
        X: (n, d) readings.
        logits: (n,) uncalibrated.
    """

    rows: pd.DataFrame
    X: np.ndarray
    logits: np.ndarray


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

    def said(self, accepted: AcceptedRows, bundle: Bundle) -> Iterator[SaidPart]:
        """What a detector says of the rows, in their order.

        Where it smooths along a recording, rows that the contract excludes speak for themselves
        alone, as training saw none of them.

        Raises:
            DataError: they do not follow those of the state.
        """
        alone = self._state is None and bundle.smoothing is None
        is_ordered = alone or self._look(accepted)
        self._require_later()
        if bundle.smoothing is None:
            yield from _said(accepted, bundle)
            return
        self._smoother = smoother = Smoother(bundle.smoothing, self._tails())
        if is_ordered:
            for part in _said(accepted, bundle):
                yield self._smoothed(part, smoother)
            return
        progress.info("The rows do not stand in the order of time: scoring them, then sorting")
        said = self._sorted(accepted, bundle, smoother)
        begin = 0
        for rows in accepted.parts():
            logits = said[begin : begin + len(rows)]
            yield SaidPart(rows, sensor_matrix(rows, bundle.features), logits)
            begin += len(rows)

    def leave(self) -> None:
        """Put into the state what the next file goes on from."""
        if self._state is None:
            return
        names = self._recordings.names
        latest = sorted(self._latest.items(), key=lambda each: each[1])
        tails = {} if self._smoother is None else self._smoother.tails
        self._state.remember(
            [(names[number], time) for number, time in latest],
            {names[number]: tail for number, tail in tails.items()},
        )

    def _look(self, accepted: AcceptedRows) -> bool:
        """Whether no part has rows of a recording from before an earlier part's."""
        is_ordered = True
        for rows in accepted.parts((*_WHEN, columns.REMARK)):
            moments = self._moments(rows[used_rows(rows)])
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

    def _tails(self) -> dict[int, Tail]:
        """What was kept of recordings, by their numbers here."""
        if self._state is None:
            return {}
        names = list(self._state.tails)
        numbers = self._recordings.known(names).tolist()
        return dict(zip(numbers, self._state.tails.values(), strict=True))

    def _moments(self, rows: pd.DataFrame) -> Moments:
        numbers = self._recordings.numbers(rows)
        return Moments(numbers, rows[columns.TIME].to_numpy(dtype=np.float64))

    def _smoothed(self, part: SaidPart, smoother: Smoother) -> SaidPart:
        used, logits = used_rows(part.rows), part.logits.copy()
        logits[used] = smoother.add(part.logits[used], self._moments(part.rows[used]))
        return replace(part, logits=logits)

    def _sorted(self, accepted: AcceptedRows, bundle: Bundle, smoother: Smoother) -> np.ndarray:
        """(n,) smoothed logits of all rows, by which 21 bytes a row are kept in memory."""
        logits, used, recording, time = [], [], [], []
        for part in _said(accepted, bundle):
            moments = self._moments(part.rows)
            logits.append(part.logits)
            used.append(used_rows(part.rows))
            recording.append(moments.recording.astype(np.int32))
            time.append(moments.time)
        said = np.concatenate(logits)
        every = Moments(np.concatenate(recording), np.concatenate(time))
        order = every.order
        order = order[np.concatenate(used)[order]]
        for begin in range(0, len(order), _SORTED):
            own = order[begin : begin + _SORTED]
            said[own] = smoother.add(said[own], Moments(every.recording[own], every.time[own]))
        return said


def _said(accepted: AcceptedRows, bundle: Bundle) -> Iterator[SaidPart]:
    """Each row by itself."""

    def said(rows: pd.DataFrame) -> SaidPart:
        X = sensor_matrix(rows, bundle.features)
        return SaidPart(rows, X, bundle.logits(X))

    return in_order(said, accepted.parts())


_WHEN = (columns.EQUIPMENT, columns.RUN, columns.TIME)
