"""Rules of sensors: believable changes, no standstill, no fractions where there can be none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from faultxfer.contract.rules.protocol import Breach, TableRows


def whole(rows: TableRows) -> Iterator[Breach]:
    """Values with a fraction in sensors of dtype ``whole``, which are counters and states."""
    for name, sensor in rows.contract.sensors.items():
        if sensor.dtype != "whole":
            continue
        values = rows.values[name]
        fractions = values != np.rint(values)
        places = np.flatnonzero(fractions & ~np.isnan(values))
        yield Breach(
            "SENSOR-NOT-WHOLE",
            places,
            name,
            f"Sensor {name!r} has a fraction in {len(places)} row(s)",
            "Check the tag and the decimal mark; if fractions are right, set `dtype: number`",
            "a whole number",
        )


def rate(rows: TableRows) -> Iterator[Breach]:
    """Values that change faster than ``max_rate`` since the row before in the same recording.

    No process jumps: what does is a sensor, a wire or a unit.
    """
    per = "per row" if rows.seconds is None else "per second"
    for name, sensor in rows.contract.sensors.items():
        if sensor.max_rate is None:
            continue
        known, some = rows.with_value(name)
        change = np.abs(some.step(some.values[name]))
        too_fast = change > sensor.max_rate * some.elapsed
        places = known[some.of(too_fast & (some.elapsed > 0))]
        yield Breach(
            "SENSOR-RATE",
            places,
            name,
            f"Sensor {name!r} changes faster than its limit in {len(places)} row(s)",
            "Look at the sensor and its wiring; if such changes are real, raise `max_rate`",
            f"a change of at most {sensor.max_rate:g} {sensor.unit or 'units'} {per}",
        )


def stuck(rows: TableRows) -> Iterator[Breach]:
    """Stretches of at least ``stuck_after`` rows of one recording with exactly the same value."""
    for name, sensor in rows.contract.sensors.items():
        limit = sensor.stuck_after
        if limit is None:
            continue
        known, some = rows.with_value(name)
        repeats = some.step(some.values[name]) == 0
        places = known[some.of(_stretches(repeats, limit))]
        yield Breach(
            "SENSOR-STUCK",
            places,
            name,
            f"Sensor {name!r} shows one value for {limit} rows or more, "
            f"{len(places)} row(s) in all",
            "Look at the sensor; if it may stand still that long, raise `stuck_after`",
            f"another value within {limit} rows",
        )


def _stretches(same: np.ndarray, shortest: int) -> np.ndarray:
    """(n,) bool: rows of stretches that are long enough.

    A stretch is a row and the rows after it that repeat it:

    >>> _stretches(np.array([False, True, True, False, False, True]), shortest=3)
    array([ True,  True,  True, False, False, False])

    Args:
        same: (n,) bool, whether a row repeats the one before.
        shortest: rows that a stretch has at least.
    """
    begins = np.flatnonzero(~same)
    lengths = np.diff(begins, append=len(same))
    long: np.ndarray = np.repeat(lengths >= shortest, lengths)
    return long
