"""What a rule of columns sees: values, machines, recordings, times and labels as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

# A column with more different values than this holds no codes.
MOST_CODES = 40
# Each code comes so many times in the mean.
_ROWS_EACH = 3
# So many rows are looked at first; most columns of measurements show more values at once.
_LOOK = 2000
# Recordings of fewer rows than this (in the median) say nothing about what happens inside one.
_FEWEST_ROWS = 3


@dataclass(frozen=True)
class Stretches:
    """Rows of one recording, one after the other, that have the same label.

    A fault of a thousand rows is one thing that happened, so evidence counts these and not rows.

    Attributes:
        number: (n,) integers, the stretch of each row; -1 where the row has no label.
        fault: (s,) bool, the label of each stretch.
        mixed: (s,) bool, whether its recording has stretches of the other label too.
    """

    number: np.ndarray
    fault: np.ndarray
    mixed: np.ndarray


@dataclass(frozen=True)
class ColumnRows:
    """Rows of all files together.

    Attributes:
        values: by column, (n,) float64; NaN where missing.
        machine, run: (n,) integers, equal for rows of the same machine or run.
        fault: (n,) 1.0 (fault), 0.0 (normal) or NaN (not labelled); None where no row is labelled.
        seconds: (n,) float64 time, or None where there is none.
    """

    values: Mapping[str, np.ndarray]
    machine: np.ndarray
    run: np.ndarray
    fault: np.ndarray | None = None
    seconds: np.ndarray | None = None
    _codes: dict[str, np.ndarray | None] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.machine)

    @cached_property
    def labels(self) -> np.ndarray:
        """(n,) as ``fault``, all NaN where no row is labelled."""
        return np.full(len(self), np.nan) if self.fault is None else self.fault

    @cached_property
    def recording(self) -> np.ndarray:
        """(n,) integers, equal for rows of the same machine and run."""
        keys = self.machine.astype(np.int64) * (int(self.run.max(initial=0)) + 1) + self.run
        numbers: np.ndarray = np.unique(keys, return_inverse=True)[1]
        return numbers

    @cached_property
    def order(self) -> np.ndarray:
        """(n,) places that bring the rows of each recording together, in time."""
        return self._sorted_by(self.recording)

    @cached_property
    def machine_order(self) -> np.ndarray:
        """(n,) places that bring the rows of each machine together, in time."""
        return self._sorted_by(self.machine)

    def _sorted_by(self, group: np.ndarray) -> np.ndarray:
        time = np.zeros(len(self)) if self.seconds is None else self.seconds
        places: np.ndarray = np.lexsort((time, group))
        return places

    @cached_property
    def single_rows(self) -> bool:
        """Whether recordings are so short that nothing happens inside them."""
        return bool(np.median(np.bincount(self.recording)) < _FEWEST_ROWS) if len(self) else True

    def codes(self, name: str) -> np.ndarray | None:
        """The different values of a column, ascending; None where there are too many for codes."""
        if name not in self._codes:
            self._codes[name] = _few_values(self.values[name])
        return self._codes[name]

    @cached_property
    def stretches(self) -> Stretches:
        """Rows that follow each other with one label; empty without labels."""
        number = np.full(len(self), -1)
        if self.fault is None:
            nothing = np.zeros(0, dtype=bool)
            return Stretches(number, nothing, nothing)
        known = self.order[~np.isnan(self.fault[self.order])]
        label, recording = self.fault[known], self.recording[known]
        changes = (np.diff(label) != 0) | (np.diff(recording) != 0)
        begins = np.concatenate(([True], changes))[: len(known)]
        number[known] = np.cumsum(begins) - 1
        of = recording[begins]
        mixed = np.bincount(of)[of] > 1
        return Stretches(number, label[begins] == 1, mixed)


def _few_values(values: np.ndarray) -> np.ndarray | None:
    known = values[~np.isnan(values)]
    most = min(MOST_CODES, max(len(known) // _ROWS_EACH, 1))
    every = max(1, len(known) // _LOOK)
    if len(np.unique(known[::every])) > most:
        return None
    levels = np.unique(known)
    return levels if len(levels) <= most else None
