"""What a contract expects of each column, judged for a whole table at once.

The expectations are those of the suite in :mod:`faultxfer.contract.expectations`, by which Great
Expectations words the results. NumPy judges them in microseconds; a test holds both to the same
rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from faultxfer.contract.schema import Contract, Label, Sensor
from faultxfer.findings import MAX_EXAMPLES

NULL, RANGE, LABEL = "null", "range", "label"

# Sensors are judged together in blocks of so many cells: few rows of many sensors in one go, and
# many rows of one sensor without a copy.
_BLOCK = 1 << 18
# Of so many values that do not meet an expectation the different ones are looked for.
_LOOKED_AT = 100 * MAX_EXAMPLES
_NOWHERE = np.array([], dtype=int)


@dataclass(frozen=True)
class Tally:
    """One expectation, and what it found in a table.

    Attributes:
        kind: ``null``, ``range`` or ``label``.
        column: the column concerned.
        rows: of the table.
        missing: rows without a value, which only ``null`` minds.
        places: ascending places of the rows that do not meet it.
        passed: whether the expectation's own tolerance (``mostly``) was kept in spite of them.
        examples: a few different values that do not meet it.
    """

    kind: str
    column: str
    rows: int
    missing: int
    places: np.ndarray = field(default_factory=lambda: _NOWHERE)
    passed: bool = True
    examples: tuple[object, ...] = ()

    @property
    def unmet(self) -> int:
        """How many rows do not meet it."""
        return len(self.places)


def mostly(sensor: Sensor) -> float:
    """The share of rows that must have a value of a sensor."""
    # Rounded, as 1 - 0.7 is a little more than 0.3, which would refuse a file with just the allowed
    # share.
    return round(1 - sensor.max_missing, 9)


def tallies(
    values: Mapping[str, np.ndarray],
    contract: Contract,
    *,
    labels: pd.Series | None = None,
    lacking: Mapping[str, np.ndarray] | None = None,
) -> list[Tally]:
    """All expectations of a contract, in its order.

    A sensor has a range only where the contract limits it:

    >>> contract = Contract.model_validate(
    ...     {"family": "f", "label": {"column": "y"}, "sensors": {"flow": {"max": 9}, "speed": {}}}
    ... )
    >>> values = {"flow": np.array([1.0, 10.0, np.nan]), "speed": np.array([5.0, 6.0, 7.0])}
    >>> for tally in tallies(values, contract):
    ...     print(tally.kind, tally.column, tally.places)
    null flow [2]
    range flow [1]
    null speed []

    Args:
        values: by sensor, (n,) float64; NaN where there is no reading.
        contract: the contract.
        labels: (n,) text of the label column; None where it is not judged.
        lacking: by sensor, (n,) bool: rows of machines that do not have it, of which nothing is
            expected.
    """
    found: list[Tally] = []
    for names, block in _blocks(values, list(contract.sensors)):
        sensors = [contract.sensors[name] for name in names]
        gaps, out = np.isnan(block), _outside(block, sensors)
        odd: list[bool] = (gaps | out).any(axis=1).tolist()
        for row, (name, sensor) in enumerate(zip(names, sensors, strict=True)):
            gone = lacking.get(name) if lacking else None
            if gone is not None or odd[row]:
                found += _of_sensor(name, sensor, block[row], gaps[row], out[row], gone)
            else:
                found += _of_good_sensor(name, sensor, block.shape[1])
    if labels is not None:
        found.append(_of_label(contract.label, labels))
    return found


def outside(values: np.ndarray, sensor: Sensor) -> np.ndarray:
    """(n,) bool: values below the sensor's lowest or above its highest; NaN is neither."""
    found: np.ndarray = _outside(values[np.newaxis], [sensor])[0]
    return found


def _blocks(
    values: Mapping[str, np.ndarray], names: list[str]
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Names, and (k, n) values of so many sensors."""
    rows = max(len(values[names[0]]), 1) if names else 1
    together = max(_BLOCK // rows, 1)
    for first in range(0, len(names), together):
        some = names[first : first + together]
        one = len(some) == 1
        yield (
            some,
            values[some[0]][np.newaxis] if one else np.stack([values[name] for name in some]),
        )


def _outside(block: np.ndarray, sensors: list[Sensor]) -> np.ndarray:
    """(k, n) bool: values out of range."""
    low = [-np.inf if sensor.min is None else sensor.min for sensor in sensors]
    high = [np.inf if sensor.max is None else sensor.max for sensor in sensors]
    found: np.ndarray = block < np.array(low)[:, np.newaxis]
    found |= block > np.array(high)[:, np.newaxis]
    return found


def _is_limited(sensor: Sensor) -> bool:
    return sensor.min is not None or sensor.max is not None


def _of_good_sensor(name: str, sensor: Sensor, rows: int) -> Iterator[Tally]:
    """What is expected of a sensor that every row has, within its range."""
    yield Tally(NULL, name, rows, 0)
    if _is_limited(sensor):
        yield Tally(RANGE, name, rows, 0)


def _of_sensor(
    name: str,
    sensor: Sensor,
    values: np.ndarray,
    gaps: np.ndarray,
    out: np.ndarray,
    lacking: np.ndarray | None,
) -> Iterator[Tally]:
    rows = len(values)
    if lacking is not None:
        gaps, out, rows = gaps & ~lacking, out & ~lacking, rows - int(lacking.sum())
    blank = np.flatnonzero(gaps)
    kept = not rows or (rows - len(blank)) / rows >= mostly(sensor)
    yield Tally(NULL, name, rows, len(blank), blank, kept)
    if _is_limited(sensor):
        places = np.flatnonzero(out)
        seen = dict.fromkeys(values[places[:_LOOKED_AT]].tolist())
        yield Tally(RANGE, name, rows, len(blank), places, not len(places), _few(seen))


def _of_label(label: Label, labels: pd.Series) -> Tally:
    blank = labels.isna().to_numpy(dtype=bool)
    known = labels.isin([*label.normal, *label.faults]).to_numpy(dtype=bool)
    places = np.flatnonzero(~known & ~blank)
    seen = dict.fromkeys(labels.iloc[places[:_LOOKED_AT]].tolist())
    return Tally(
        LABEL, label.column, len(labels), int(blank.sum()), places, not len(places), _few(seen)
    )


def _few(seen: dict[object, None]) -> tuple[object, ...]:
    return tuple(seen)[:MAX_EXAMPLES]
