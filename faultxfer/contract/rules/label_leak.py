"""A column that knows the answer makes a model that looks perfect and detects nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from faultxfer.contract.rules.protocol import Breach, Rows

# Fewer rows of a class can agree by chance.
_LEAST_ROWS = 10


def check(rows: Rows) -> Iterator[Breach]:
    """Sensors with one value in all fault rows and another one in all normal rows."""
    if rows.fault is None or min(rows.fault.sum(), (~rows.fault).sum()) < _LEAST_ROWS:
        return
    fault_rows, normal_rows = np.flatnonzero(rows.fault), np.flatnonzero(~rows.fault)
    for name, values in rows.values.items():
        if _constant(values[fault_rows[:_LEAST_ROWS]]) is None:
            continue  # a look at a few rows tells most columns
        faulty, normal = _constant(values[fault_rows]), _constant(values[normal_rows])
        if faulty is not None and normal is not None and faulty != normal:
            yield Breach(
                "LABEL-LEAK",
                np.array([], dtype=int),
                name,
                f"Sensor {name!r} is {faulty:g} in every fault row and {normal:g} in every normal row: it is the label",
                "Move the column from `sensors` to `ignore` and pretrain again",
                "a measurement",
                received=f"{faulty:g} and {normal:g}",
            )


def _constant(values: np.ndarray) -> float | None:
    """The only value, or None where there are several or none."""
    first = values[0]
    return float(first) if (values == first).all() else None
