"""Rules of sensors: believable changes, no standstill, no fractions where there can be none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from faultxfer.contract.drafted import NOT_ACCEPTED
from faultxfer.contract.rules.protocol import Breach, TableRows

# All sensors stand still where they keep their values for this many rows. One sensor alone has
# `stuck_after`, and states and counters rest often.
_LONG = 30
_FEWEST_SENSORS = 2


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
        read, own = rows.readings_of(name)
        change = np.abs(read.step(read.values[name]))
        too_fast = change > sensor.max_rate * read.elapsed
        places = own[read.of(too_fast & (read.elapsed > 0))]
        yield Breach(
            "SENSOR-RATE",
            places,
            name,
            f"Sensor {name!r} changes faster than its limit in {len(places)} row(s)",
            NOT_ACCEPTED
            if sensor.drafted
            else "Look at the sensor and its wiring; if such changes are real, raise `max_rate`",
            f"a change of at most {sensor.max_rate:g} {sensor.unit or 'units'} {per}",
            sensor.drafted_severity,
        )


def stuck(rows: TableRows) -> Iterator[Breach]:
    """Stretches of at least ``stuck_after`` rows of one recording with exactly the same value."""
    for name, sensor in rows.contract.sensors.items():
        limit = sensor.stuck_after
        if limit is None:
            continue
        read, own = rows.readings_of(name)
        repeats = read.step(read.values[name]) == 0
        places = own[read.of(_stretches(repeats, limit))]
        yield Breach(
            "SENSOR-STUCK",
            places,
            name,
            f"Sensor {name!r} shows one value for {limit} rows or more, "
            f"{len(places)} row(s) in all",
            NOT_ACCEPTED
            if sensor.drafted
            else "Look at the sensor; if it may stand still that long, raise `stuck_after`",
            f"another value within {limit} rows",
            sensor.drafted_severity,
        )


def still(rows: TableRows) -> Iterator[Breach]:
    """Stretches of one recording in which every sensor keeps its value.

    A machine at rest, or a logger that repeats its last row: either way nothing is measured.
    """
    measured = [name for name, sensor in rows.contract.sensors.items() if sensor.dtype == "number"]
    if len(measured) < _FEWEST_SENSORS:
        return
    repeats = rows.follows.copy()
    for name in rows.contract.sensors:
        if not repeats.any():
            return
        repeats &= rows.step(rows.values[name]) == 0
    places = rows.of(_stretches(repeats, _LONG))
    yield Breach(
        "SENSORS-STILL",
        places,
        rows.contract.time_column or measured[0],
        f"All sensors stand still for {_LONG} rows or more, {len(places)} row(s) in all",
        "If the machine was at rest, leave such rows out with `where`; else look at the logger",
        f"a sensor that moves within {_LONG} rows",
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
