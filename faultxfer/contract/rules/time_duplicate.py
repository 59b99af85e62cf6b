"""One recording has one row for each moment."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from faultxfer.contract.rules.protocol import Breach, Rows

# Where more rows than this share their stamp, the stamps are coarse (no seconds), and the rows are not wrong.
_MOST_SHARED = 0.1


def check(rows: Rows) -> Iterator[Breach]:
    """Rows with the time of an earlier row of the same recording."""
    moments = same_moment(rows)
    if moments is None or rows.contract.time_column is None:
        return
    # Copies of a whole row have a rule of their own.
    copies = pd.DataFrame(
        {"moment": moments, "readings": rows.readings, "fault": rows.fault}
    ).duplicated()
    later = np.flatnonzero(pd.Series(moments).duplicated() & ~copies)
    coarse = not usually_one_row_each(rows, moments)
    yield Breach(
        "TIME-DUPLICATE",
        later,
        rows.contract.time_column,
        f"{len(later)} row(s) have the time of an earlier row of the same run"
        + ("; the times are coarser than the rows" if coarse else ""),
        "Export times with seconds, or name a run column"
        if coarse
        else "Find out which of the rows is right",
        "one row for each time of a run",
        "warn" if coarse else None,
    )


def same_moment(rows: Rows) -> np.ndarray | None:
    """(n,) integers, equal for rows of one recording with the same time; None where there is no time or no pair."""
    if rows.seconds is None or (rows.pace > 0).sum() == rows.follows.sum():
        return None
    return (
        pd.DataFrame({"run": rows.recording, "time": rows.seconds})
        .groupby(["run", "time"])
        .ngroup()
        .to_numpy()
    )


def usually_one_row_each(rows: Rows, moments: np.ndarray) -> bool:
    """Whether shared stamps are the exception within a file."""
    file = 0 if rows.file is None else rows.file
    return bool(pd.DataFrame({"moment": moments, "file": file}).duplicated().mean() <= _MOST_SHARED)
