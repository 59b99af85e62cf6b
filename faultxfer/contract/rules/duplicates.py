"""Rules of copies: a row that stands there twice would judge a model that was trained on it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from faultxfer.contract.rules.protocol import Breach, TableRows


def row_duplicate(rows: TableRows) -> Iterator[Breach]:
    """Copies of an earlier row: same machine, time, label and readings.

    Without time equal rows may be real.
    """
    column = rows.contract.time_column
    if rows.seconds is None or column is None:
        return
    if rows.copies is None:
        places = _copies(rows.readings, rows.seconds, rows.fault)
    else:
        places = np.flatnonzero(rows.copies)
    yield Breach(
        "ROW-DUPLICATE",
        places,
        column,
        f"{len(places)} row(s) are copies of an earlier row",
        "Export each period once; the first of the equal rows was kept",
        "each row once",
    )


def _copies(readings: np.ndarray, seconds: np.ndarray, fault: np.ndarray | None) -> np.ndarray:
    """Places of rows that equal an earlier one.

    Args:
        readings: (n,) equal where machine and all sensors are.
        seconds: (n,) time.
        fault: (n,) bool, or None.
    """
    if pd.Series(readings).is_unique:
        return np.array([], dtype=int)
    labels = False if fault is None else fault
    keys = pd.DataFrame({"readings": readings, "seconds": seconds, "fault": labels})
    return np.flatnonzero(keys.duplicated())
