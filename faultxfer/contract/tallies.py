"""What a contract expects of each column, counted for a whole table at once.

Nearly all expectations of nearly all files are met by every row, and NumPy says so in microseconds.
Great Expectations judges the others; a test holds both to the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from faultxfer.contract.schema import Contract, Sensor

NULL, RANGE, LABEL = "null", "range", "label"


@dataclass(frozen=True)
class Tally:
    """One expectation, and how many rows of a table there are for it.

    Attributes:
        kind: ``null``, ``range`` or ``label``.
        column: the column concerned.
        rows: of the table.
        missing: rows without a value, which only ``null`` minds.
        unmet: rows that do not meet it.
    """

    kind: str
    column: str
    rows: int
    missing: int
    unmet: int


@dataclass(frozen=True)
class Unmet:
    """One expectation that rows did not meet.

    Attributes:
        kind: ``null``, ``range`` or ``label``.
        column: the column concerned.
        passed: whether the expectation's own tolerance (``mostly``) was kept in spite of the rows.
        index: index labels of the rows that did not meet it.
    """

    kind: str
    column: str
    passed: bool
    index: tuple[int, ...]


def tallies(
    frame: pd.DataFrame,
    contract: Contract,
    *,
    labelled: bool,
    lacking: Mapping[str, np.ndarray] | None = None,
) -> list[Tally]:
    """All expectations of a contract, in its order.

    A sensor has a range only where the contract limits it:

    >>> contract = Contract.model_validate(
    ...     {"family": "f", "label": {"column": "y"}, "sensors": {"flow": {"max": 9}, "speed": {}}}
    ... )
    >>> frame = pd.DataFrame({"flow": [1.0, 10.0, np.nan], "speed": [5.0, 6.0, 7.0]})
    >>> for tally in tallies(frame, contract, labelled=False):
    ...     print(tally.kind, tally.column, tally.unmet)
    null flow 1
    range flow 1
    null speed 0

    Args:
        frame: sensor columns as float64, the label column as text.
        contract: the contract.
        labelled: whether the label column is counted too.
        lacking: by sensor, (n,) bool: rows of machines that do not have it; they do not count.
    """
    found: list[Tally] = []
    for name, sensor in contract.sensors.items():
        values = frame[name].to_numpy()
        if lacking and name in lacking:
            values = values[~lacking[name]]
        found += _of_sensor(name, sensor, values)
    if labelled:
        found.append(_of_label(contract, frame[contract.label.column]))
    return found


def unmet_rows(frame: pd.DataFrame, contract: Contract) -> Iterator[Unmet]:
    """The sensors' expectations that some row does not meet, each row judged by itself.

    Great Expectations is not asked, as nobody waits for it where a single row is to be scored.

    Args:
        frame: sensor columns as float64.
        contract: the contract; its shares of missing values are about files and do not count.
    """
    for name, sensor in contract.sensors.items():
        for kind, unmet in _unmet_of_sensor(sensor, frame[name].to_numpy()):
            if unmet.any():
                index = tuple(map(int, frame.index[unmet]))
                yield Unmet(kind, name, passed=kind == NULL, index=index)


def _of_sensor(name: str, sensor: Sensor, values: np.ndarray) -> Iterator[Tally]:
    rows, missing = len(values), int(np.isnan(values).sum())
    for kind, unmet in _unmet_of_sensor(sensor, values):
        yield Tally(kind, name, rows, missing, int(unmet.sum()))


def _unmet_of_sensor(sensor: Sensor, values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Each kind of expectation of a sensor, with (n,) bool: rows that do not meet it."""
    yield NULL, np.isnan(values)
    if sensor.min is not None or sensor.max is not None:
        yield RANGE, outside(values, sensor)


def outside(values: np.ndarray, sensor: Sensor) -> np.ndarray:
    """(n,) bool: values below the sensor's lowest or above its highest; NaN is neither."""
    found = np.zeros(len(values), dtype=bool)
    if sensor.min is not None:
        found |= values < sensor.min
    if sensor.max is not None:
        found |= values > sensor.max
    return found


def _of_label(contract: Contract, labels: pd.Series) -> Tally:
    blank = labels.isna()
    known = labels.isin([*contract.label.normal, *contract.label.faults])
    strange = ~known & ~blank
    return Tally(LABEL, contract.label.column, len(labels), int(blank.sum()), int(strange.sum()))
