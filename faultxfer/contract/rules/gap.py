"""A recording that pauses is two recordings."""

from __future__ import annotations

from collections.abc import Iterator

from faultxfer.contract.rules.protocol import Breach, Rows

# A step is late when it takes this many sampling periods.
_LATE = 1.5


def check(rows: Rows) -> Iterator[Breach]:
    """Rows that come late after the row before them, by the contract's ``sampling_period``."""
    period, column = rows.contract.sampling_period, rows.contract.time_column
    if rows.seconds is None or period is None or column is None:
        return
    places = rows.of(rows.pace > _LATE * period)
    yield Breach(
        "TIME-GAP",
        places,
        column,
        f"{len(places)} row(s) come more than {_LATE:g} sampling periods after the row before",
        "Fill the export, or give the parts before and after the gap different runs",
        f"a row every {period:g} s",
    )
