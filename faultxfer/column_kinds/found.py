"""What a rule of columns reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from faultxfer.column_kinds.rows import ColumnRows

Kind = Literal[
    "leak", "question", "counter", "kept", "clock", "quality", "name", "copy", "constant"
]
# Columns of these kinds are no measurements: a draft leaves them out.
NO_MEASUREMENT: frozenset[Kind] = frozenset(("leak", "counter", "clock", "quality", "name", "copy"))


@dataclass(frozen=True)
class Found:
    """A column that is not simply a measurement.

    Attributes:
        column: its name.
        kind: what it is; "kept" for a counter that has proved its worth.
        reason: why, in words that go on after "the column": "rises all the time …".
        of: the column that it qualifies or repeats, where the kind has one.
    """

    column: str
    kind: Kind
    reason: str
    of: str | None = None


ColumnRule = Callable[[ColumnRows, str], Found | None]
