"""Work that could not be done for a reason outside the file: later again, less and less often."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

_FIRST, _LONGEST = 30.0, 1800.0


@dataclass
class Delays:
    """By name, until when something is put off.

    >>> at = iter([0.0, 10.0, 31.0])
    >>> delays = Delays(clock=lambda: next(at))
    >>> delays.put_off("monday.csv")
    >>> delays.is_due("monday.csv"), delays.is_due("monday.csv")
    (False, True)
    """

    clock: Callable[[], float] = time.monotonic
    _until: dict[str, float] = field(default_factory=dict)
    _length: dict[str, float] = field(default_factory=dict)

    def put_off(self, name: str) -> None:
        """Half a minute at first, then twice as long each time, to half an hour."""
        length = min(2 * self._length.get(name, _FIRST / 2), _LONGEST)
        self._length[name] = length
        self._until[name] = self.clock() + length

    def is_due(self, name: str) -> bool:
        """Whether it may be tried again, or was never put off."""
        until = self._until.get(name)
        return until is None or self.clock() >= until
