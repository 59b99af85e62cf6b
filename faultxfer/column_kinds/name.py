"""Names: a number for each machine, or for each recording."""

from __future__ import annotations

import numpy as np

from faultxfer.column_kinds.found import Found
from faultxfer.column_kinds.rows import ColumnRows

# Fewer recordings may differ by chance in what was set for them.
_FEWEST_RECORDINGS = 5
_FEWEST_ROWS = 5


def name(rows: ColumnRows, column: str) -> Found | None:
    """A value that differs between machines and is constant in each; runs of one row show none."""
    if rows.single_rows:
        return None
    values = rows.values[column]
    of_machines = _one_each(values, rows.machine)
    if of_machines is not None and len(of_machines) > 1 and len(np.unique(of_machines)) > 1:
        return Found(column, "name", "names the machine: one value in each, and not the same")
    return None


def recording_number(rows: ColumnRows, column: str) -> Found | None:
    """A whole number for each recording that never comes again."""
    if rows.single_rows:
        return None
    of_recordings = _one_each(rows.values[column], rows.recording)
    if of_recordings is None or len(of_recordings) < _FEWEST_RECORDINGS:
        return None
    whole = (of_recordings == np.round(of_recordings)).all()
    if whole and len(np.unique(of_recordings)) == len(of_recordings):
        return Found(column, "name", "numbers the recordings: one value in each, never the same")
    return None


def _one_each(values: np.ndarray, group: np.ndarray) -> np.ndarray | None:
    """The value of each group; None where a group has several, none, or too few rows."""
    first_group = group == group[0]
    if np.ptp(values[first_group]) != 0:  # a look at one group is enough for most columns
        return None
    order = np.argsort(group, kind="stable")
    ends = np.flatnonzero(np.diff(group[order])) + 1
    starts = np.concatenate(([0], ends))
    if np.diff(np.concatenate((starts, [len(group)]))).min() < _FEWEST_ROWS:
        return None
    least = np.minimum.reduceat(values[order], starts)
    most = np.maximum.reduceat(values[order], starts)
    return least if (least == most).all() else None
