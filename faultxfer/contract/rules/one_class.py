"""Rows of one class alone can neither teach nor judge."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from faultxfer.contract.rules.protocol import Breach, Rows


def check(rows: Rows) -> Iterator[Breach]:
    """A labelled file without a fault row, or without a normal one."""
    if rows.fault is None or not len(rows) or len(np.unique(rows.fault)) > 1:
        return
    kind, other = ("fault", "normal") if rows.fault[0] else ("normal", "fault")
    yield Breach(
        "LABEL-ONE-CLASS",
        np.array([], dtype=int),
        rows.contract.label.column,
        f"Every row is labelled {kind}",
        f"Fine beside files with {other} rows; alone it cannot train or judge a model",
        "rows of both classes",
        received=f"{len(rows)} {kind} rows",
    )
