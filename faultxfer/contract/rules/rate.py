"""No process jumps: what does is a sensor, a wire or a unit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from faultxfer.contract.rules.protocol import Breach, Rows


def check(rows: Rows) -> Iterator[Breach]:
    """Values that change faster than ``max_rate`` since the row before in the same recording."""
    for name, sensor in rows.contract.sensors.items():
        if sensor.max_rate is not None:
            change = np.abs(rows.step(rows.values[name]))
            places = rows.of((rows.pace > 0) & (change > sensor.max_rate * rows.pace))
            unit = f"{sensor.unit or 'units'} {'per second' if rows.seconds is not None else 'per row'}"
            yield Breach(
                "SENSOR-RATE",
                places,
                name,
                f"Sensor {name!r} changes faster than its limit in {len(places)} row(s)",
                "Look at the sensor and its wiring; if such changes are real, raise `max_rate`",
                f"a change of at most {sensor.max_rate:g} {unit}",
            )
