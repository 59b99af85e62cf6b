"""Which sensors speak in the alarms of accepted rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.contributions import Explainer
from faultxfer.bundle.references import References
from faultxfer.data.dataset import Dataset, imputed_cells, modes_of, sensor_matrix
from faultxfer.evaluate.alarms import (
    TOP,
    AlarmStretch,
    Peak,
    SensorShare,
    TopSensor,
    alarm_stretches,
    by_group,
    direction_of,
    members_of,
    sensor_shares,
)
from faultxfer.evaluate.rows import ScoredRows
from faultxfer.reading import columns

# Alarms that are explained, those with the highest probability; a person reads no more.
MOST_EXPLAINED = 1_000
NOT_KEPT = (
    "Which sensors speak is not known of this version: it was made by an older release, which kept "
    "no healthy rows to compare with. Transfer again, or pretrain again where it is a source model."
)


@dataclass(frozen=True)
class Alarms:
    """Alarms of some rows.

    Attributes:
        stretches: in the order of the recordings and of time.
        sensors: which sensors speak in them all together; empty where nothing was explained.
        note: why not all of them are explained; empty where they are.
    """

    stretches: tuple[AlarmStretch, ...]
    sensors: tuple[SensorShare, ...] = ()
    note: str = ""


def find_alarms(
    bundle: Bundle,
    accepted: pd.DataFrame,
    probabilities: np.ndarray,
    alarms: np.ndarray,
    machine: str | None = None,
) -> Alarms:
    """Stretches of alarms with the sensors that speak at the peak of each.

    Args:
        bundle: explains the rows.
        accepted: n rows that passed the check.
        probabilities: (n,) of a fault.
        alarms: (n,) bool.
        machine: whose rows they are, where that is asked for; else the rows say it.
    """
    if machine is not None:
        accepted = accepted.assign(**{columns.EQUIPMENT: machine})
    who = accepted[columns.EQUIPMENT].astype(str) + "/" + accepted[columns.RUN].astype(str)
    time = accepted[columns.TIME].to_numpy(dtype=np.float64)
    found = alarm_stretches(who.to_numpy(dtype=object), time, alarms)
    peaks = np.array([rows[np.argmax(probabilities[rows])] for rows in found], dtype=int)
    speaking, shares = _speaking(bundle, accepted, probabilities, peaks)
    stretches = []
    for rows, peak in zip(found, peaks.tolist(), strict=True):
        top = speaking.get(peak, ())
        stretches.append(_stretch(accepted, rows, peak, float(probabilities[peak]), top))
    return Alarms(tuple(stretches), shares, _note(bundle, len(found)))


def sensors_on(bundle: Bundle, data: Dataset, judged: ScoredRows) -> tuple[SensorShare, ...]:
    """Which sensors speak at the peaks of alarms on labelled rows; empty where none is explained.

    Args:
        bundle: explains the rows.
        data: the rows.
        judged: the same rows with what the bundle says of them.
    """
    found = alarm_stretches(data.run, data.time, judged.alarms)
    if bundle.references is None or not found:
        return ()
    peaks = np.array([rows[np.argmax(judged.probabilities[rows])] for rows in found])
    some = data.take(_surest(peaks, judged.probabilities))
    values = Explainer(bundle)(some.X, some.mode).values
    return sensor_shares(values, bundle.references.groups, bundle.features)


def _surest(peaks: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Those of the rows that are explained, in their order."""
    order = np.argsort(-probabilities[peaks], kind="stable")
    return np.sort(peaks[order[:MOST_EXPLAINED]])


def _note(bundle: Bundle, count: int) -> str:
    if bundle.references is None:
        return NOT_KEPT if count else ""
    if count <= MOST_EXPLAINED:
        return ""
    return (
        f"Sensors are named for the {MOST_EXPLAINED:,} alarms with the highest probability, of "
        f"{count:,}."
    )


def _stretch(
    accepted: pd.DataFrame,
    rows: np.ndarray,
    peak: int,
    probability: float,
    top: tuple[TopSensor, ...],
) -> AlarmStretch:
    first, last = int(rows[0]), int(rows[-1])
    numbers, texts = accepted[columns.ROW], accepted[columns.TIME_TEXT].astype(str)
    dated = bool(texts.iloc[first])
    return AlarmStretch(
        equipment=str(accepted[columns.EQUIPMENT].iloc[first]),
        run=str(accepted[columns.RUN].iloc[first]),
        file=str(accepted[columns.FILE].iloc[first]),
        rows=(int(numbers.iloc[first]), int(numbers.iloc[last])),
        times=(texts.iloc[first], texts.iloc[last]) if dated else None,
        count=len(rows),
        peak=Peak(int(numbers.iloc[peak]), texts.iloc[peak] if dated else None, probability),
        top_sensors=top,
    )


def _speaking(
    bundle: Bundle, accepted: pd.DataFrame, probabilities: np.ndarray, peaks: np.ndarray
) -> tuple[dict[int, tuple[TopSensor, ...]], tuple[SensorShare, ...]]:
    """What speaks in some rows by their position, and in them all together."""
    if bundle.references is None or not len(peaks):
        return {}, ()
    rows = _surest(peaks, probabilities)
    some = accepted.iloc[rows]
    X, modes = sensor_matrix(some, bundle.features), modes_of(some)
    values = Explainer(bundle)(X, modes).values
    imputed = imputed_cells(some, bundle.features)
    missing = np.zeros(X.shape, dtype=bool) if imputed is None else imputed
    told = _Told(bundle, bundle.references)
    speaking = {}
    for place, row in enumerate(rows.tolist()):
        mode = "" if modes is None else str(modes[place])
        speaking[row] = told.top_sensors(X[place], values[place], missing[place], mode)
    return speaking, sensor_shares(values, bundle.references.groups, bundle.features)


def as_table(stretches: tuple[AlarmStretch, ...], *, several: bool) -> pd.DataFrame:
    """A line for each stretch, with its three loudest sensors side by side.

    Args:
        stretches: of the rows.
        several: whether they stand in several files.
    """
    lines = [_line(one, several=several) for one in stretches]
    names = _line(_NOTHING, several=several)
    return pd.DataFrame(lines, columns=list(names))


def _line(stretch: AlarmStretch, *, several: bool) -> dict[str, Any]:
    first_time, last_time = stretch.times or ("", "")
    line: dict[str, Any] = {"file": stretch.file} if several else {}
    line |= {
        "equipment": stretch.equipment,
        "run": stretch.run,
        "first_row": stretch.rows[0],
        "last_row": stretch.rows[1],
        "first_time": first_time,
        "last_time": last_time,
        "alarm_rows": stretch.count,
        "peak_row": stretch.peak.row,
        "peak_time": stretch.peak.time or "",
        "fault_probability": stretch.peak.probability,
    }
    for place in range(_COLUMNS):
        top = stretch.top_sensors[place] if place < len(stretch.top_sensors) else None
        line |= {f"{name}_{place + 1}": value for name, value in _cells(top).items()}
    return line


def _cells(top: TopSensor | None) -> dict[str, Any]:
    if top is None:
        return dict.fromkeys(_CELLS, "")
    low, high = top.usual
    values = [AND.join(top.sensors), top.reading, top.unit, low, high, top.direction]
    values += [top.mode or "", top.contribution]
    return dict(zip(_CELLS, values, strict=True))


_COLUMNS, AND = 3, " and "
_CELLS = (
    *("sensor", "reading", "unit", "usual_low", "usual_high", "direction"),
    *("mode", "contribution"),
)
_NOTHING = AlarmStretch("", "", "", (0, 0), None, 0, Peak(0, None, 0.0))


class _Told:
    """Contributions with what a person needs beside them."""

    def __init__(self, bundle: Bundle, references: References) -> None:
        self.bundle, self.references = bundle, references
        self._usual: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def top_sensors(
        self, X: np.ndarray, values: np.ndarray, missing: np.ndarray, mode: str
    ) -> tuple[TopSensor, ...]:
        """The groups of sensors that raise a row's (d,) log-odds most."""
        groups = self.references.groups
        together = by_group(values[None], groups)[0]
        loudest = np.argsort(-together, kind="stable")[:TOP]
        found = []
        for group in loudest[together[loudest] > 0].tolist():
            members = members_of(group, groups, values)
            found.append(self._top(members, float(together[group]), X, missing, mode))
        return tuple(found)

    def _top(
        self, members: np.ndarray, total: float, X: np.ndarray, missing: np.ndarray, mode: str
    ) -> TopSensor:
        first, names = int(members[0]), self.bundle.features
        low, high = self._range(mode)
        usual, reading = (_six_digits(low[first]), _six_digits(high[first])), float(X[first])
        return TopSensor(
            sensors=tuple(names[place] for place in members),
            contribution=round(total, 6),
            reading=reading,
            unit=self.bundle.units.get(names[first], ""),
            usual=usual,
            direction=direction_of(reading, usual),
            mode=mode if mode and self.references.knows(mode) else None,
            imputed=bool(missing[first]),
        )

    def _range(self, mode: str) -> tuple[np.ndarray, np.ndarray]:
        if mode not in self._usual:
            self._usual[mode] = self.references.usual(mode)
        return self._usual[mode]


def _six_digits(value: float) -> float:
    return float(f"{value:.6g}")
