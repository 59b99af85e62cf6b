"""What times the parts of a file have: which way they go, in what steps, and what comes again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from faultxfer.contract.judged_rows import is_newest_first, newest_first
from faultxfer.contract.rules import time
from faultxfer.contract.rules.protocol import MOST_SHARED, Breach
from faultxfer.contract.schema import Contract
from faultxfer.steps.in_parts.key_count import Again
from faultxfer.steps.in_parts.said import PartSaid, Words
from faultxfer.steps.in_parts.sight import NotByPartsError, RepeatedError

_COARSE = "coarser"


class TimeCounts:
    """Counts of times over the parts so far.

    Args:
        contract: what they are checked against.
        folder: for temporary files.

    Attributes:
        again: rows and moments, and how often a moment was seen to be there again.
        back: how many steps from row to row go back in time.
    """

    def __init__(self, contract: Contract, folder: Path) -> None:
        self.again, self.back = Again(folder), 0
        self._contract = contract
        self._looked_at = self._forward = 0
        self._newest_first: set[bool] = set()
        self._steps: list[np.ndarray] = []
        self._dated: bool | None = None

    def add(self, said: PartSaid) -> None:
        """Take what the next part says.

        Raises:
            NotByPartsError: its times are of another kind than those of the parts before.
        """
        self._looked_at += said.looked_at
        for keys, every, accepted in (
            (said.row_keys, self.again.rows, self.again.accepted),
            (said.time_keys, self.again.times, self.again.moments),
        ):
            every.add(keys.keys, keys.lines)
            accepted.add(keys.keys[keys.accepted], keys.lines[keys.accepted])
        self.again.shared += said.shared
        self.back += said.back
        self._forward += said.forward
        if said.back + said.forward:
            self._newest_first.add(said.newest_first)
        if said.dated is not None:
            if self._dated not in (None, said.dated):
                raise NotByPartsError
            self._dated = said.dated
        self._steps.append(said.steps)

    def require_seen(self, copies: int, doubled: list[Words]) -> None:
        """Each part saw what its rows repeat, and took times for what they are in the whole.

        Args:
            copies: how many rows are told to repeat an earlier one.
            doubled: what is said of rows with the time of an earlier one.

        Raises:
            RepeatedError: something is there again further away than parts saw.
            NotByPartsError: times are something else in the whole.
        """
        if self.again.rows.repeated() != copies:
            raise RepeatedError(self.again.rows.copies())
        if self.again.times.repeated() != self.again.shared:
            raise RepeatedError
        backwards = is_newest_first(self.back, self._forward)
        if self._newest_first != {backwards} and self.back + self._forward:
            raise NotByPartsError
        coarse = self.again.shared > MOST_SHARED * self._looked_at
        if any((_COARSE in after) != coarse for _, after in doubled):
            raise NotByPartsError

    def breaches(self, *, timed: bool) -> Iterator[Breach]:
        """What only all rows show of the order of times and, where ``timed``, of their pace."""
        if not self._contract.time_column:
            return
        if True in self._newest_first:
            yield newest_first(self._contract.time_column)
        if self._contract.sampling_period and timed:
            steps = np.concatenate(self._steps) if self._steps else np.empty(0)
            yield from time.of_pace(steps, self._contract, dated=bool(self._dated))
