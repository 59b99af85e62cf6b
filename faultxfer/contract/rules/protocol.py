"""What a rule sees, and what it reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from faultxfer.findings import Severity

if TYPE_CHECKING:
    from faultxfer.contract.schema import Contract

# Where more rows than this share their time, the times are coarse (no seconds), not the rows wrong.
MOST_SHARED = 0.1


@dataclass(frozen=True)
class Breach:
    """Rows (or a column) that break one rule.

    Attributes:
        code: the finding code.
        places: rows by their places in :class:`TableRows`, ascending; empty where a whole column
            breaks the rule.
        column: the column, by the contract's name.
        message, remedy: for a plant engineer, one sentence each.
        expected: what the contract asks for.
        severity: instead of the contract's own for this code.
        received: what came, where no single cell shows it.
    """

    code: str
    places: np.ndarray
    column: str
    message: str
    remedy: str
    expected: str
    severity: Severity | None = None
    received: str = ""


@dataclass(frozen=True)
class TableRows:
    """Rows that may still be accepted, in file order.

    Attributes:
        contract: what they must look like.
        values: by sensor, (n,) float64 in the contract's units; NaN where missing.
        fault: (n,) bool, or None where labels are not checked.
        machine, run: (n,) integers, equal for rows of the same machine or recording.
        seconds: (n,) float64 time, or None where there is no time column.
        place: (n,) place of each row in the file.
        file: (n,) integers, equal for rows of the same file; None where there is but one.
        held: by sensor whose values are held, (n,) bool: those that are no readings of that time.
        newest_first: whether the file has the newest rows first, so that time gives the order.
        copies: (n,) bool: rows known to repeat an earlier one; None where that is to be found out.
    """

    contract: Contract
    values: dict[str, np.ndarray]
    fault: np.ndarray | None
    machine: np.ndarray
    run: np.ndarray
    seconds: np.ndarray | None
    place: np.ndarray
    file: np.ndarray | None = None
    held: dict[str, np.ndarray] = field(default_factory=dict)
    newest_first: bool = False
    copies: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.place)

    @cached_property
    def recording(self) -> np.ndarray:
        """(n,) integers, equal for rows of the same machine and run."""
        runs = int(self.run.max(initial=0)) + 1
        recording: np.ndarray = self.machine * runs + self.run
        return recording

    @cached_property
    def order(self) -> np.ndarray:
        """(n,) places that bring the rows of each recording together, in file order.

        In a file with the newest rows first they are in the order of time.
        """
        if self.newest_first and self.seconds is not None:
            by_time: np.ndarray = np.lexsort((self.seconds, self.recording))
            return by_time
        places: np.ndarray = np.argsort(self.recording, kind="stable")
        return places

    @cached_property
    def together(self) -> bool:
        """Whether the rows of each recording stand together as they are."""
        return not self.newest_first and bool((np.diff(self.recording) >= 0).all())

    def ordered(self, values: np.ndarray) -> np.ndarray:
        """(n,) values in ``order``."""
        return values if self.together else values[self.order]

    @cached_property
    def follows(self) -> np.ndarray:
        """(n,) bool in ``order``: whether the row before it belongs to the same recording."""
        recording = self.ordered(self.recording)
        same = recording[1:] == recording[:-1]
        # Where every row was set aside there is none that could begin a recording.
        return np.concatenate(([False], same))[: len(recording)]

    def step(self, values: np.ndarray) -> np.ndarray:
        """(n,) in ``order``: change since the row before, NaN where a recording begins."""
        with np.errstate(over="ignore"):  # a step too large for a float is an infinite one
            steps: np.ndarray = np.diff(self.ordered(values), prepend=np.nan)
        steps[~self.follows] = np.nan
        return steps

    @cached_property
    def elapsed(self) -> np.ndarray:
        """(n,) in ``order``: seconds since the row before, or rows where there is no time."""
        if self.seconds is None:
            return self.step(self.place.astype(np.float64))
        return self.step(self.seconds)

    @cached_property
    def readings(self) -> np.ndarray:
        """(n,) integers, equal for rows of one machine whose every sensor has the same reading."""
        return _groups([self.machine, *self.values.values()])

    @cached_property
    def moments(self) -> np.ndarray | None:
        """(n,) integers, equal for rows of one recording and time; None without time or pair."""
        if self.seconds is None or (self.elapsed > 0).sum() == self.follows.sum():
            return None
        keys = pd.DataFrame({"run": self.recording, "time": self.seconds})
        return keys.groupby(["run", "time"]).ngroup().to_numpy()

    @cached_property
    def coarse(self) -> bool:
        """Whether rows usually share their time with another row of their file."""
        file = 0 if self.file is None else self.file
        shared = pd.DataFrame({"moment": self.moments, "file": file}).duplicated()
        return bool(shared.mean() > MOST_SHARED)

    def of(self, mask: np.ndarray) -> np.ndarray:
        """Places, ascending, of the rows for which a mask in ``order`` holds."""
        places = np.flatnonzero(mask)
        return places if self.together else np.sort(self.order[places])

    def only(self, keep: np.ndarray) -> TableRows:
        """The rows for which ``keep``, a mask or places, holds."""
        return TableRows(
            self.contract,
            {name: values[keep] for name, values in self.values.items()},
            _kept(self.fault, keep),
            self.machine[keep],
            self.run[keep],
            _kept(self.seconds, keep),
            self.place[keep],
            _kept(self.file, keep),
            {name: held[keep] for name, held in self.held.items()},
            self.newest_first,
            _kept(self.copies, keep),
        )

    def readings_of(self, name: str) -> tuple[TableRows, np.ndarray]:
        """The rows in which a sensor has a reading of its own, not a held one, and their places."""
        own = ~np.isnan(self.values[name])
        if name in self.held:
            own &= ~self.held[name]
        places = np.flatnonzero(own)
        return self if own.all() else self.only(places), places


Rule = Callable[[TableRows], Iterable[Breach]]


def _kept(values: np.ndarray | None, keep: np.ndarray) -> np.ndarray | None:
    return None if values is None else values[keep]


def _groups(columns: list[np.ndarray]) -> np.ndarray:
    """Integers, equal where all columns are; rows that share theirs with no other all differ."""
    key = keys_of(columns)
    group = np.arange(len(key))
    doubled = np.flatnonzero(pd.Series(key).duplicated(keep=False))
    if len(doubled):  # few rows: compare them column by column, not by their key
        cells = {number: column[doubled] for number, column in enumerate(columns)}
        first = _firsts(pd.DataFrame(cells))
        group[doubled] = doubled[first]
    return group


def keys_of(columns: list[np.ndarray]) -> np.ndarray:
    """One number for each row, equal for equal rows and hardly ever for others."""
    weights = np.random.default_rng(0).normal(size=len(columns))
    key = np.zeros(len(columns[0]))
    for weight, column in zip(weights, columns, strict=True):
        missing = np.isnan(column)
        known = np.where(missing, np.pi, column) if missing.any() else column
        key += weight * known
    return key


def _firsts(rows: pd.DataFrame) -> np.ndarray:
    """For each row the place of the first one equal to it."""
    groups = rows.groupby(list(rows.columns), sort=False, dropna=False)
    _, first, inverse = np.unique(groups.ngroup(), return_index=True, return_inverse=True)
    places: np.ndarray = first[inverse]
    return places
