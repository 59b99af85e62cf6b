"""Alarms as a person meets them: stretches of rows, and which sensors speak at their peak."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from faultxfer.data.blocks import rows_in_order
from faultxfer.digest import digest_of
from faultxfer.evaluate.events import stretches_of
from faultxfer.wording import percent

# Sensors that are named of one alarm at most.
TOP = 5
ABOVE, BELOW, WITHIN = "above", "below", "within"
# Characters by which an event is named: enough for a million of them.
_OF_EVENT = 12


@dataclass(frozen=True)
class TopSensor:
    """A sensor that raises an alarm, or several that tell the same.

    Attributes:
        sensors: names; reading, unit and range are those of the first, which contributes most.
        contribution: what they add to the log-odds of a fault, against healthy rows.
        reading: at the peak, in ``unit``.
        usual: the middle nine tenths of healthy readings in this mode.
        direction: ``above`` or ``below`` that range, or ``within`` it.
        mode: operating mode that the range holds for; None for all.
        imputed: whether the reading was missing and is filled in.
    """

    sensors: tuple[str, ...]
    contribution: float
    reading: float
    unit: str
    usual: tuple[float, float]
    direction: str
    mode: str | None = None
    imputed: bool = False


@dataclass(frozen=True)
class Peak:
    """The row with the highest probability of a stretch; ``time`` as it stands in the file."""

    row: int
    time: str | None
    probability: float


@dataclass(frozen=True)
class AlarmStretch:
    """Neighbouring rows of a recording that all alarm.

    Attributes:
        equipment, run: whose recording it is.
        file: where the rows stand.
        rows: first and last row of it, as the file of scores numbers them.
        times: of these rows as they stand in the file; None without times.
        count: how many rows alarm.
        peak: where the probability is highest.
        top_sensors: what speaks there, the loudest first; at most five.
        duration: from the first row to the last, in seconds or steps of the sequence number; None
            without times.
        goes_on: event of an earlier file that it goes on with; None where it begins here. Times and
            duration are those of the whole then, and all else of these rows.
    """

    equipment: str
    run: str
    file: str
    rows: tuple[int, int]
    times: tuple[str, str] | None
    count: int
    peak: Peak
    top_sensors: tuple[TopSensor, ...] = ()
    duration: float | None = None
    goes_on: str | None = None

    @property
    def event(self) -> str:
        """By which it is found again when the same rows are scored again."""
        if self.goes_on is not None:
            return self.goes_on
        begin = self.times[0] if self.times else f"{self.file} {self.rows[0]}"
        return digest_of([self.equipment, self.run, begin])[:_OF_EVENT]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        plain: dict[str, Any] = asdict(self)
        plain["goes_on"] = self.goes_on is not None
        return {**plain, "event": self.event}


@dataclass(frozen=True)
class SensorShare:
    """How much of what is said on alarms comes from a sensor, or from several that tell the same.

    Attributes:
        sensors: names, the one that contributes most first.
        share: of the absolute contributions of all sensors on alarms, from 0 to 1.
    """

    sensors: tuple[str, ...]
    share: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"sensors": list(self.sensors), "share": self.share}


def alarm_stretches(run: np.ndarray, time: np.ndarray, alarms: np.ndarray) -> list[np.ndarray]:
    """Positions of the rows of each stretch of alarms, recording by recording, in order of time.

    A row without alarm ends a stretch, and so does the end of a recording:

    >>> run = np.array(["a", "a", "a", "b"])
    >>> found = alarm_stretches(run, np.array([3.0, 1.0, 2.0, 4.0]), np.array([1, 0, 1, 1]) == 1)
    >>> [rows.tolist() for rows in found]
    [[2, 0], [3]]

    Args:
        run: (n,) recording of each row.
        time: (n,) its time; NaN where there is none.
        alarms: (n,) bool.
    """
    numbers = np.unique(run.astype(str), return_inverse=True)[1]
    order = rows_in_order(numbers, time)
    found = []
    for rows in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
        found += [rows[first:last] for first, last in stretches_of(alarms[rows])]
    return found


def by_group(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(n, d) contributions of sensors to (n, g) of groups, by the (d,) number of each group."""
    found = np.zeros((len(values), int(groups.max()) + 1))
    np.add.at(found.T, groups, values.T)
    return found


def members_of(group: int, groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Positions of a group's sensors, by (d,) contributions, the largest first."""
    inside = np.flatnonzero(groups == group)
    return np.asarray(inside[np.argsort(-np.abs(values[inside]), kind="stable")])


def sensor_shares(
    values: np.ndarray, groups: np.ndarray, features: tuple[str, ...]
) -> tuple[SensorShare, ...]:
    """How much each group of sensors contributes to some rows, the most first.

    Args:
        values: (n, d) contributions.
        groups: (d,) number of each sensor's group.
        features: names of the sensors.
    """
    sizes = np.abs(by_group(values, groups)).sum(axis=0)
    total, alone = sizes.sum(), np.abs(values).sum(axis=0)
    if not total:
        return ()
    shares = []
    for group in np.argsort(-sizes, kind="stable"):
        names = tuple(features[place] for place in members_of(int(group), groups, alone))
        shares.append(SensorShare(names, round(float(sizes[group] / total), 4)))
    return tuple(shares)


def sensors_sentence(shares: tuple[SensorShare, ...]) -> str:
    """What speaks most on alarms, in a sentence; empty where nothing was explained.

    >>> sensors_sentence((SensorShare(("vibration",), 0.7), SensorShare(("flow", "head"), 0.3)))
    'On alarms these sensors speak most: vibration 70%, flow and head (they tell the same) 30%.'
    """
    if not shares:
        return ""
    told = [f"{_named(one.sensors)} {percent(one.share)}" for one in shares[:TOP]]
    return f"On alarms these sensors speak most: {', '.join(told)}."


def _named(sensors: tuple[str, ...]) -> str:
    same = " (they tell the same)" if len(sensors) > 1 else ""
    return f"{' and '.join(sensors)}{same}"


def direction_of(reading: float, usual: tuple[float, float]) -> str:
    """Where a reading lies.

    >>> direction_of(7.0, (1.0, 5.0)), direction_of(1.0, (1.0, 5.0))
    ('above', 'within')
    """
    low, high = usual
    if reading > high:
        return ABOVE
    return BELOW if reading < low else WITHIN
