"""Every rule of columns, one line each; the first that holds says what a column is."""

from __future__ import annotations

from faultxfer.column_kinds.clock import clock
from faultxfer.column_kinds.counter import counter
from faultxfer.column_kinds.found import ColumnRule, Found
from faultxfer.column_kinds.leak import leak
from faultxfer.column_kinds.name import name, recording_number
from faultxfer.column_kinds.quality import quality
from faultxfer.column_kinds.question import question
from faultxfer.column_kinds.repeated import constant, copy
from faultxfer.column_kinds.rows import ColumnRows

RULES: tuple[ColumnRule, ...] = (
    constant,
    name,
    leak,
    clock,
    counter,
    recording_number,
    quality,
    copy,
    question,
)

# Fewer rows than this show nothing but numbers.
_FEWEST_ROWS = 50


def find_kinds(rows: ColumnRows) -> list[Found]:
    """What each column is, in their order, where it is more than a measurement."""
    if len(rows) < _FEWEST_ROWS:
        return []
    found = [kind_of(rows, column) for column in rows.values]
    return [each for each in found if each is not None]


def kind_of(rows: ColumnRows, column: str) -> Found | None:
    """What one column is; None for a plain measurement."""
    return next(filter(None, (rule(rows, column) for rule in RULES)), None)
