"""What a rule sees, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from faultxfer.contract.schema import Contract
from faultxfer.findings import Severity

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Breach:
    """Rows (or a column) that break one rule.

    Attributes:
        code: the finding code.
        places: rows by their places in :class:`Rows`, ascending; empty where a whole column breaks the rule.
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
class Rows:
    """Rows that may still be accepted, in file order.

    Attributes:
        contract: what they must look like.
        values: by sensor, (n,) float64 in the contract's units; NaN where missing.
        fault: (n,) bool, or None where labels are not checked.
        machine, run: (n,) integers, equal for rows of the same machine or recording.
        seconds: (n,) float64 time, or None where there is no time column.
        place: (n,) place of each row in the file.
        file: (n,) integers, equal for rows of the same file; None where there is but one.
    """

    contract: Contract
    values: dict[str, np.ndarray]
    fault: np.ndarray | None
    machine: np.ndarray
    run: np.ndarray
    seconds: np.ndarray | None
    place: np.ndarray
    file: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.place)

    @cached_property
    def recording(self) -> np.ndarray:
        """(n,) integers, equal for rows of the same machine and run."""
        recording: np.ndarray = self.machine * (int(self.run.max(initial=0)) + 1) + self.run
        return recording

    @cached_property
    def order(self) -> np.ndarray:
        """(n,) places that bring the rows of each recording together, in file order."""
        import numpy as np

        places: np.ndarray = np.argsort(self.recording, kind="stable")
        return places

    @cached_property
    def together(self) -> bool:
        """Whether the rows of each recording stand together as they are."""
        import numpy as np

        return bool((np.diff(self.recording) >= 0).all())

    def ordered(self, values: np.ndarray) -> np.ndarray:
        """Values in ``order``."""
        return values if self.together else values[self.order]

    @cached_property
    def follows(self) -> np.ndarray:
        """(n,) bool in ``order``: whether the row before it belongs to the same recording."""
        import numpy as np

        recording = self.ordered(self.recording)
        # Where every row was set aside there is none that could begin a recording.
        return np.concatenate(([False], recording[1:] == recording[:-1]))[: len(recording)]

    def step(self, values: np.ndarray) -> np.ndarray:
        """(n,) in ``order``: difference to the row before in the same recording, NaN at its beginning."""
        import numpy as np

        with np.errstate(over="ignore"):  # a step too large for a float is an infinite one
            steps: np.ndarray = np.diff(self.ordered(values), prepend=np.nan)
        steps[~self.follows] = np.nan
        return steps

    @cached_property
    def pace(self) -> np.ndarray:
        """(n,) in ``order``: seconds since the row before, or rows where there is no time."""
        import numpy as np

        return self.step(self.place.astype(np.float64) if self.seconds is None else self.seconds)

    @cached_property
    def readings(self) -> np.ndarray:
        """(n,) integers, equal for rows of one machine whose every sensor has the same reading."""
        return _groups([self.machine, *self.values.values()])

    def of(self, mask: np.ndarray) -> np.ndarray:
        """Places, ascending, of the rows for which a mask in ``order`` holds."""
        import numpy as np

        places = np.flatnonzero(mask)
        return places if self.together else np.sort(self.order[places])

    def only(self, keep: np.ndarray) -> Rows:
        """The rows for which ``keep`` holds."""
        return Rows(
            self.contract,
            {name: values[keep] for name, values in self.values.items()},
            None if self.fault is None else self.fault[keep],
            self.machine[keep],
            self.run[keep],
            None if self.seconds is None else self.seconds[keep],
            self.place[keep],
            None if self.file is None else self.file[keep],
        )


Rule = Callable[[Rows], Iterable[Breach]]


def _groups(columns: list[np.ndarray]) -> np.ndarray:
    """Integers that are equal where all columns are; rows that share theirs with nobody all differ."""
    import numpy as np
    import pandas as pd

    weights = np.random.default_rng(0).normal(size=len(columns))
    key = np.zeros(len(columns[0]))
    for weight, column in zip(weights, columns, strict=True):
        known = np.where(np.isnan(column), np.pi, column) if np.isnan(column).any() else column
        key += weight * known
    group = np.arange(len(key))
    doubled = np.flatnonzero(pd.Series(key).duplicated(keep=False))
    if len(doubled):  # few rows: compare them column by column, not by their key
        rows = pd.DataFrame({number: column[doubled] for number, column in enumerate(columns)})
        group[doubled] = doubled[_firsts(rows)]
    return group


def _firsts(rows: pd.DataFrame) -> np.ndarray:
    """For each row the place of the first one equal to it."""
    import numpy as np

    numbers = rows.groupby(list(rows.columns), sort=False, dropna=False).ngroup().to_numpy()
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    places: np.ndarray = first[inverse]
    return places
