"""Time grows inside a run."""

from __future__ import annotations

from collections.abc import Iterator

from faultxfer.contract.rules.protocol import Breach, Rows


def check(rows: Rows) -> Iterator[Breach]:
    """Rows earlier than the row before them in the same recording."""
    if rows.seconds is None or rows.contract.time_column is None:
        return
    places = rows.of(rows.pace < 0)
    yield Breach(
        "TIME-BACKWARDS",
        places,
        rows.contract.time_column,
        f"The time goes back in {len(places)} row(s) of a run",
        "Sort the export by time; a clock set back, or two recordings under one name, are other causes",
        "times that grow inside a run",
    )
