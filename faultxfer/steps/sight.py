"""What of each recording a part of a file has to see, so that its rows are judged as in the whole.

Rules look at the row before in the same recording, and at stretches of rows that repeat each other.
Each part has rows of the file before and after its own; where these are too few, the file is to be
looked at as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from faultxfer.contract.schema import Contract
from faultxfer.reading import columns

# Rows of a recording that rules look back and ahead at least.
_LEAST = 30
# Lines that a part sees before and after its own at least.
_SIGHT = 512


class NotByPartsError(Exception):
    """The file is to be looked at as a whole."""


def lines_in_sight(contract: Contract) -> int:
    """Lines before and after its own that a part is given."""
    return max(_SIGHT, 4 * _needed(contract))


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
    """

    names: list[str]
    before: np.ndarray
    own: np.ndarray
    after: np.ndarray
    rests: np.ndarray


def seen_in(
    accepted: pd.DataFrame, side: np.ndarray, contract: Contract, *, newest_first: bool
) -> Seen:
    """What a part has of each recording.

    Args:
        accepted: n rows, with NaN where a reading is missing.
        side: (n,) -1 for rows before its own, 0 for its own, 1 for those after them.
        contract: says which rules there are.
        newest_first: whether the row before in time stands after.
    """
    names = accepted[columns.EQUIPMENT].astype(str) + "/" + accepted[columns.RUN].astype(str)
    number, known = pd.factorize(names)
    count = len(known)
    readings = {name: accepted[name].to_numpy() for name in contract.features}
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
        still = [_repeats(values, number, order, count) for values in readings.values()]
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


class Sight:
    """Whether parts, taken in their order, saw what they needed.

    Args:
        contract: says which rules there are.
    """

    def __init__(self, contract: Contract) -> None:
        self._needed = _needed(contract)
        sensors = contract.sensors.values()
        ruled = [one for one in sensors if one.max_rate is not None or one.stuck_after is not None]
        # Of all rows, and of the readings of each such sensor: one by itself may begin a stretch.
        self._goes_on = np.array([True, *(one.stuck_after is not None for one in ruled)])
        # By recording, how many rows and readings there were so far.
        self._counts: dict[str, np.ndarray] = {}
        # What may go on behind the sight of a part, and how many of its rows and readings later
        # parts may have before it does.
        self._open: dict[str, np.ndarray] = {}

    def add(self, seen: Seen) -> None:
        """Take the next part.

        Raises:
            NotByPartsError: it saw too little.
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
            raise NotByPartsError
        unbounded = np.full(len(own), np.iinfo(np.int64).max)
        more = self._open.get(name, unbounded)
        if (own > more).any():
            raise NotByPartsError
        self._counts[name] = known + own
        unsure = (after < self._needed) & (rests | (self._goes_on & (after == 0)))
        self._open[name] = np.where(own > 0, np.where(unsure, after, unbounded), more)
