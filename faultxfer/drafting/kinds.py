"""What the columns of example files are, by content: see :mod:`faultxfer.column_kinds`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from faultxfer.column_kinds.found import NO_MEASUREMENT, Found
from faultxfer.column_kinds.kinds import find_kinds
from faultxfer.column_kinds.rows import ColumnRows
from faultxfer.column_kinds.worth import gain_of
from faultxfer.drafting.draft import EQUIPMENT, RUN, TIME
from faultxfer.errors import DataError
from faultxfer.reading.table import RawTable

# A counter stays a sensor where it raises PR-AUC on each machine's turn to be left out by so much.
_WORTH = 0.01
_FEWEST_MACHINES = 3


def kinds_of(
    tables: list[RawTable],
    values: dict[str, list[pd.Series]],
    keys: dict[str, str | None],
    faulty: pd.Series,
) -> dict[str, Found]:
    """By column what it is, where it is more than a measurement.

    Args:
        tables: the files that have rows.
        values: by column, its numbers in each file.
        keys: column of each key, None where there is none.
        faulty: for each row of all files 1.0 (fault), 0.0 (normal) or NaN (not labelled).
    """
    if not tables:
        return {}
    rows = column_rows(tables, values, keys, faulty)
    found = {each.column: each for each in find_kinds(rows)}
    return _with_counters_worth_keeping(rows, found)


def column_rows(
    tables: list[RawTable],
    values: dict[str, list[pd.Series]],
    keys: dict[str, str | None],
    faulty: pd.Series,
) -> ColumnRows:
    """The rows of all files as rules of columns see them; arguments as of :func:`kinds_of`."""
    return ColumnRows(
        {
            name: np.concatenate([part.to_numpy() for part in parts])
            for name, parts in values.items()
        },
        machine=_numbered(tables, keys[EQUIPMENT], default=0),
        run=_numbered(tables, keys[RUN], default=1),
        fault=faulty.to_numpy(),
        seconds=_seconds(tables, keys[TIME]),
    )


def _numbered(tables: list[RawTable], column: str | None, *, default: int) -> np.ndarray:
    """(n,) a number for each name; without a column a number for each file, or 0 for all."""
    if column is None:
        sizes = [len(table) for table in tables]
        return np.repeat(np.arange(len(tables)) * default, sizes)
    names = pd.concat([table.stripped(column) for table in tables], ignore_index=True)
    numbers: np.ndarray = pd.factorize(names, use_na_sentinel=False)[0]
    return numbers


def _seconds(tables: list[RawTable], column: str | None) -> np.ndarray | None:
    if column is None:
        return None
    try:
        parts = [table.times(column).seconds.to_numpy() for table in tables]
    except DataError:
        return None
    seconds = np.concatenate(parts)
    return None if np.isnan(seconds).any() else seconds


def _with_counters_worth_keeping(rows: ColumnRows, found: dict[str, Found]) -> dict[str, Found]:
    """The same without counters by which each of several machines is understood better."""
    counters = [name for name, each in found.items() if each.kind == "counter"]
    if not counters or rows.fault is None or len(np.unique(rows.machine)) < _FEWEST_MACHINES:
        return found
    measured = {
        name: values
        for name, values in rows.values.items()
        if name not in found or found[name].kind not in NO_MEASUREMENT
    }
    found = dict(found)
    for name in counters:
        gain = gain_of(rows.values[name], measured, rows.fault, rows.machine)
        if gain is not None and gain >= _WORTH:
            words = f"a counter by which PR-AUC on machines left out gains {gain:.3f}"
            found[name] = Found(name, "kept", words)
    return found
