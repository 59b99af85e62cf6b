"""What of each recording a part of a file has to see, so that its rows are judged as in the whole.

Rules look at the row before in the same recording, and at stretches of rows that repeat each other.
Each part has rows of the file before and after its own; where these are too few, the file is to be
looked at as a whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from faultxfer.contract.schema import Contract
from faultxfer.reading import columns
from faultxfer.reading.by_recording import names_of_recordings

# Rows of a recording that rules look back and ahead at least.
_LEAST = 30
# Lines that a part sees before and after its own at least.
_SIGHT = 512
# Even where values are held for longer.
_MOST_SIGHT = 8_192


class NotByPartsError(Exception):
    """The file is to be looked at as a whole."""


class TooLittleSeenError(NotByPartsError):
    """A part saw too few rows of a recording around its own."""


class RepeatedError(NotByPartsError):
    """Something stands there again further away than a part sees.

    Args:
        copies: (m,) ascending lines of rows that repeat an earlier one; None where moments do.
    """

    def __init__(self, copies: np.ndarray | None = None) -> None:
        super().__init__()
        self.copies = copies


def lines_in_sight(contract: Contract) -> int:
    """Lines before and after its own that a part is given."""
    holds = [sensor.hold_seconds or 0 for sensor in contract.sensors.values()]
    held = max(holds) / contract.sampling_period if contract.sampling_period else 0
    return max(_SIGHT, 4 * _needed(contract), min(2 * math.ceil(held), _MOST_SIGHT))


def _needed(contract: Contract) -> int:
    """Rows of a recording that rules look back and ahead."""
    return max(_LEAST, *(sensor.stuck_after or 0 for sensor in contract.sensors.values())) + 1


@dataclass(frozen=True)
class Seen:
    """What a part has of each of k recordings.

    Arrays of counts are (k, 1 + r): of rows, and of readings of each of r sensors whose rules look
    back or ahead.

    Attributes:
        names: of the recordings.
        before, own, after: counts before its own rows, of them, and after them.
        rests: (k, 1 + r) bool: whether what it has last may go on after it.
        span: times of all its rows, where values are held.
        clock: the same of all rows with a time, where some are outside `where`.
    """

    names: list[str]
    before: np.ndarray
    own: np.ndarray
    after: np.ndarray
    rests: np.ndarray
    span: Span | None = None
    clock: Seen | None = None


@dataclass(frozen=True)
class Span:
    """Times of all rows that a part has, whatever they are worth, of each of k recordings.

    Attributes:
        names: of the recordings.
        seen: (k,) the earliest time that it has before its own rows; inf where it has none.
        begin, end: (k,) the earliest and the latest of its own rows; inf and -inf likewise.
    """

    names: list[str]
    seen: np.ndarray
    begin: np.ndarray
    end: np.ndarray


def span_of(names: pd.Series, seconds: np.ndarray, own: tuple[int, int]) -> Span:
    """The times of a part.

    Args:
        names: (n,) of the recordings.
        seconds: (n,) NaN where unknown.
        own: places of its first own row, and behind its last one.
    """
    number, known = pd.factorize(names)
    seen, begin, end = (np.full(len(known), at) for at in (np.inf, np.inf, -np.inf))
    timed = ~np.isnan(seconds)
    place = np.arange(len(seconds))
    before = timed & (place < own[0])
    inside = timed & (place >= own[0]) & (place < own[1])
    np.minimum.at(seen, number[before], seconds[before])
    np.minimum.at(begin, number[inside], seconds[inside])
    np.maximum.at(end, number[inside], seconds[inside])
    return Span(list(map(str, known)), seen, begin, end)


def seen_in(
    accepted: pd.DataFrame,
    side: np.ndarray,
    contract: Contract,
    held: dict[str, np.ndarray],
    *,
    newest_first: bool,
) -> Seen:
    """What a part has of each recording.

    Args:
        accepted: n rows, with NaN where a reading is missing.
        side: (n,) -1 for rows before its own, 0 for its own, 1 for those after them.
        contract: says which rules there are.
        held: by sensor, (n,) bool: values that are no readings of that row.
        newest_first: whether the row before in time stands after.
    """
    names = names_of_recordings([accepted[columns.EQUIPMENT], accepted[columns.RUN]])
    number, known = pd.factorize(names)
    count = len(known)
    readings = {name: accepted[name].to_numpy() for name in contract.features}
    for name, which in held.items():
        readings[name] = np.where(which, np.nan, readings[name])
    ruled = [
        name
        for name, sensor in contract.sensors.items()
        if sensor.max_rate is not None or sensor.stuck_after is not None
    ]
    there = [np.ones(len(accepted), dtype=bool), *(~np.isnan(readings[name]) for name in ruled)]

    def counted(rows: np.ndarray) -> np.ndarray:
        return np.column_stack([np.bincount(number[rows & one], minlength=count) for one in there])

    if newest_first:
        rests = np.ones((count, len(there)), dtype=bool)
    else:
        order = np.argsort(number, kind="stable")
        every = [accepted[name].to_numpy() for name in contract.features]
        still = [_repeats(values, number, order, count) for values in every]
        stuck = [
            _repeats(readings[name], number, order, count)
            if contract.sensors[name].stuck_after is not None
            else np.zeros(count, dtype=bool)
            for name in ruled
        ]
        rests = np.column_stack([np.all(still, axis=0), *stuck])
    return Seen(
        list(map(str, known)),
        counted(side < 0),
        counted(side == 0),
        counted(side > 0),
        rests,
    )


def _repeats(values: np.ndarray, number: np.ndarray, order: np.ndarray, count: int) -> np.ndarray:
    """(k,) bool: whether the last reading of a recording equals the one before it."""
    known = order[~np.isnan(values[order])]
    of, ordered = number[known], values[known]
    if not len(of):
        return np.zeros(count, dtype=bool)
    every = np.arange(count)
    last = np.searchsorted(of, every, side="right") - 1
    two = (of[last] == every) & (last > 0) & (of[last - 1] == every)
    return np.asarray(two & (ordered[last] == ordered[last - 1]))


def clock_seen_in(names: pd.Series, side: np.ndarray) -> Seen:
    """What a part has of each recording for the rules of the clock, which only look back.

    Args:
        names: (n,) of the recordings of rows that have a time, those outside `where` among them.
        side: (n,) as of :func:`seen_in`.
    """
    number, known = pd.factorize(names)
    before, own, after = (
        np.bincount(number[rows], minlength=len(known))[:, np.newaxis]
        for rows in (side < 0, side == 0, side > 0)
    )
    return Seen(list(map(str, known)), before, own, after, np.zeros((len(known), 1), dtype=bool))


class Sight:
    """Whether parts, taken in their order, saw what they needed.

    Args:
        contract: says which rules there are.
    """

    def __init__(self, contract: Contract) -> None:
        sensors = contract.sensors.values()
        ruled = [one for one in sensors if one.max_rate is not None or one.stuck_after is not None]
        # Of all rows, and of the readings of each such sensor: one by itself may begin a stretch.
        goes_on = np.array([True, *(one.stuck_after is not None for one in ruled)])
        self._used = _Counted(_needed(contract), goes_on)
        self._by_the_clock = _Counted(_needed(contract), np.array([False]))
        holds = [sensor.hold_seconds for sensor in sensors]
        # How far back in time values are held, and from when to when recordings went so far.
        self._hold = max((hold for hold in holds if hold is not None), default=None)
        self._times: dict[str, tuple[float, float]] = {}

    def add(self, seen: Seen) -> None:
        """Take the next part.

        Raises:
            TooLittleSeenError: it saw too few rows.
            NotByPartsError: values may be held from rows that it did not see.
        """
        if seen.span is not None and self._hold is not None:
            self._require_holding(seen.span, self._hold)
        self._used.require(seen)
        if seen.clock is not None:
            self._by_the_clock.require(seen.clock)

    def _require_holding(self, span: Span, hold: float) -> None:
        """No value is held from a row that it did not see, as time grows."""
        for name, seen, begin, end in zip(
            span.names, span.seen.tolist(), span.begin.tolist(), span.end.tolist(), strict=True
        ):
            if begin > end:
                continue
            first, last = self._times.get(name, (begin, -np.inf))
            # Back to where values are held from, or to where the recording begins.
            reaches = seen < begin - hold or seen <= first or last < begin - hold
            if begin < last or not reaches:
                raise NotByPartsError
            self._times[name] = first, max(last, end)


class _Counted:
    """How many rows and readings of each recording there were so far.

    Args:
        needed: how many rules look back and ahead.
        goes_on: (1 + r,) bool: whether one by itself may begin what goes on.
    """

    def __init__(self, needed: int, goes_on: np.ndarray) -> None:
        self._needed, self._goes_on = needed, goes_on
        self._counts: dict[str, np.ndarray] = {}
        # What may go on behind the sight of a part, and how many of its rows and readings later
        # parts may have before it does.
        self._open: dict[str, np.ndarray] = {}

    def require(self, seen: Seen) -> None:
        """Take what the next part has.

        Raises:
            TooLittleSeenError: it saw too few rows.
        """
        for name, before, own, after, rests in zip(
            seen.names, seen.before, seen.own, seen.after, seen.rests, strict=True
        ):
            if own[0]:
                self._require_sight(name, before, own, after, rests)

    def _require_sight(
        self, name: str, before: np.ndarray, own: np.ndarray, after: np.ndarray, rests: np.ndarray
    ) -> None:
        known = self._counts.get(name)
        known = np.zeros(len(own), dtype=np.int64) if known is None else known
        looks = own + after > 0
        if (looks & (before < np.minimum(self._needed, known))).any():
            raise TooLittleSeenError
        unbounded = np.full(len(own), np.iinfo(np.int64).max)
        more = self._open.get(name, unbounded)
        if (own > more).any():
            raise TooLittleSeenError
        self._counts[name] = known + own
        unsure = (after < self._needed) & (rests | (self._goes_on & (after == 0)))
        self._open[name] = np.where(own > 0, np.where(unsure, after, unbounded), more)
