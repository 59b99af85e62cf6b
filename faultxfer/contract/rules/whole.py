"""A counter or a state has no fractions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from faultxfer.contract.rules.protocol import Breach, Rows


def check(rows: Rows) -> Iterator[Breach]:
    """Values with a fraction in sensors of dtype ``whole``."""
    for name, sensor in rows.contract.sensors.items():
        if sensor.dtype == "whole":
            values = rows.values[name]
            broken = np.flatnonzero(values != np.rint(np.nan_to_num(values)))
            broken = broken[~np.isnan(values[broken])]
            yield Breach(
                "SENSOR-NOT-WHOLE",
                broken,
                name,
                f"Sensor {name!r} has a fraction in {len(broken)} row(s)",
                "Check the tag and the decimal mark; if fractions are right, set `dtype: number`",
                "a whole number",
            )
