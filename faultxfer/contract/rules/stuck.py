"""A sensor that never moves has died, whatever it says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from faultxfer.contract.rules.protocol import Breach, Rows


def check(rows: Rows) -> Iterator[Breach]:
    """Stretches of at least ``stuck_after`` rows of one recording with exactly the same value."""
    for name, sensor in rows.contract.sensors.items():
        if sensor.stuck_after is not None:
            places = rows.of(_stretches(rows.step(rows.values[name]) == 0, sensor.stuck_after))
            yield Breach(
                "SENSOR-STUCK",
                places,
                name,
                f"Sensor {name!r} shows one value for {sensor.stuck_after} rows or more, {len(places)} row(s) in all",
                "Look at the sensor; if it may stand still that long, raise `stuck_after`",
                f"another value within {sensor.stuck_after} rows",
            )


def _stretches(same: np.ndarray, shortest: int) -> np.ndarray:
    """(n,) bool: rows of stretches of at least ``shortest`` rows; ``same`` says a row repeats the one before."""
    begins = np.flatnonzero(~same)
    lengths = np.diff(begins, append=len(same))
    long: np.ndarray = np.repeat(lengths >= shortest, lengths)
    return long
