"""Rules of labels: one for each moment, both classes in a file, and no sensor that is the label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from faultxfer.contract.rules.protocol import Breach, TableRows
from faultxfer.findings import Severity

if TYPE_CHECKING:
    from faultxfer.contract.schema import Contract

_CONFLICT = "LABEL-CONFLICT"
_NO_ROWS = np.array([], dtype=int)
# Fewer rows of a class can agree by chance.
_LEAST_ROWS = 10


def label_conflict(rows: TableRows) -> Iterator[Breach]:
    """Different labels at one moment of one recording, or for the same readings of one machine.

    Rows that say two things about the same moment teach nothing.
    """
    if rows.fault is None:
        return
    at_once = _at_once(rows, rows.fault)
    yield _conflict(rows, at_once, "at the same time", None)
    alike = _disagreeing(rows.readings, rows.fault)
    alike = np.setdiff1d(alike, at_once)
    # Coarse sensors read alike now and then: a contradiction only where nothing else tells rows
    # apart.
    has_time = rows.seconds is not None
    milder = has_time and _CONFLICT not in rows.contract.rules
    yield _conflict(rows, alike, "for the same readings", "warn" if milder else None)


def _at_once(rows: TableRows, fault: np.ndarray) -> np.ndarray:
    """Rows of one moment; with coarse times, only those with the same readings as well."""
    if rows.moments is None:
        return _NO_ROWS
    if not rows.coarse:
        return _disagreeing(rows.moments, fault)
    moments, _ = pd.MultiIndex.from_arrays([rows.readings, rows.moments]).factorize()
    return _disagreeing(moments, fault)


def _disagreeing(groups: np.ndarray, fault: np.ndarray) -> np.ndarray:
    """Places of rows in groups that hold both labels.

    >>> _disagreeing(np.array([7, 7, 8, 8]), np.array([True, False, True, True]))
    array([0, 1])
    """
    if pd.Series(groups).is_unique:
        return _NO_ROWS
    labels = pd.Series(fault).groupby(groups).transform("nunique")
    return np.flatnonzero(labels > 1)


def _conflict(rows: TableRows, places: np.ndarray, when: str, severity: Severity | None) -> Breach:
    return Breach(
        _CONFLICT,
        places,
        rows.contract.label.column,
        f"{len(places)} row(s) have different labels {when}",
        "Ask who labelled the rows which label is right, and correct the export",
        "one label",
        severity,
    )


def label_leak(rows: TableRows) -> Iterator[Breach]:
    """Sensors with one value in all fault rows and another one in all normal rows.

    A column that knows the answer makes a model that looks perfect and detects nothing.
    """
    if rows.fault is None:
        return
    fault_rows, normal_rows = np.flatnonzero(rows.fault), np.flatnonzero(~rows.fault)
    if min(len(fault_rows), len(normal_rows)) < _LEAST_ROWS:
        return
    for name, values in rows.values.items():
        if rows.contract.sensors[name].keep:
            continue
        if _constant(values[fault_rows[:_LEAST_ROWS]]) is None:
            continue  # a look at a few rows is enough for most columns
        faulty, normal = _constant(values[fault_rows]), _constant(values[normal_rows])
        if faulty is not None and normal is not None and faulty != normal:
            yield _leak(name, faulty, normal)


def _constant(values: np.ndarray) -> float | None:
    """The only value, or None where there are several or none; a missing one is no value."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    first = known[0]
    return float(first) if (known == first).all() else None


def _leak(name: str, faulty: float, normal: float) -> Breach:
    return Breach(
        "LABEL-LEAK",
        _NO_ROWS,
        name,
        f"Sensor {name!r} is {faulty:g} in every fault row and {normal:g} in every normal row: "
        "it is the label",
        "Move the column from `sensors` to `ignore` and pretrain again",
        "a measurement",
        received=f"{faulty:g} and {normal:g}",
    )


def one_class(rows: TableRows) -> Iterator[Breach]:
    """A labelled file without a fault row, or without a normal one."""
    if rows.fault is None or not len(rows) or len(np.unique(rows.fault)) > 1:
        return
    yield of_one_class(rows.contract, is_fault=bool(rows.fault[0]), rows=len(rows))


def of_one_class(contract: Contract, *, is_fault: bool, rows: int) -> Breach:
    """What is said where all rows are of one class."""
    kind, other = ("fault", "normal") if is_fault else ("normal", "fault")
    return Breach(
        "LABEL-ONE-CLASS",
        _NO_ROWS,
        contract.label.column,
        f"All rows that are used are labelled {kind}",
        f"Fine beside files with {other} rows; alone it cannot train or judge a model",
        "rows of both classes",
        received=f"{rows} {kind} rows",
    )
