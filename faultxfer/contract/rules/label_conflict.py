"""Rows that say two things about the same moment teach nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from faultxfer.contract.rules.protocol import Breach, Rows
from faultxfer.contract.rules.time_duplicate import same_moment, usually_one_row_each

CODE = "LABEL-CONFLICT"
_REMEDY = "Ask who labelled the rows which label is right, and correct the export"


def check(rows: Rows) -> Iterator[Breach]:
    """Different labels at one moment of one recording, or for the same readings of one machine."""
    if rows.fault is None:
        return
    at_once = _at_once(rows, rows.fault)
    yield _breach(rows, at_once, "at the same time", None)
    alike = np.setdiff1d(_disagreeing(rows.readings, rows.fault), at_once)
    # Coarse sensors read alike now and then; only where nothing else tells rows apart is it a contradiction.
    told_apart = rows.seconds is not None and CODE not in rows.contract.rules
    yield _breach(rows, alike, "for the same readings", "warn" if told_apart else None)


def _at_once(rows: Rows, fault: np.ndarray) -> np.ndarray:
    """Rows of one moment; where moments are coarser than rows, only those with the same readings as well."""
    moments = same_moment(rows)
    if moments is None:
        return np.array([], dtype=int)
    if usually_one_row_each(rows, moments):
        return _disagreeing(moments, fault)
    return _disagreeing(pd.MultiIndex.from_arrays([rows.readings, moments]).factorize()[0], fault)


def _disagreeing(groups: np.ndarray, fault: np.ndarray) -> np.ndarray:
    """Rows of groups that hold both labels."""
    found = (
        pd.Series(fault).groupby(groups).transform("nunique")
        if _shared(groups)
        else pd.Series(dtype=int)
    )
    return np.flatnonzero(found > 1)


def _shared(groups: np.ndarray) -> bool:
    return bool(pd.Series(groups).duplicated().any())


def _breach(rows: Rows, places: np.ndarray, when: str, severity: str | None) -> Breach:
    return Breach(
        CODE,
        places,
        rows.contract.label.column,
        f"{len(places)} row(s) have different labels {when}",
        _REMEDY,
        "one label",
        severity,  # type: ignore[arg-type]
    )
