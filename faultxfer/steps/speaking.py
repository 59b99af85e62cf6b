"""Which sensors speak in the alarms of accepted rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.contributions import Explainer
from faultxfer.bundle.references import References
from faultxfer.contract.verdicts import DURATION, EVENT, VERDICT, VERSION
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
from faultxfer.evaluate.stretches import Stretches, StretchFinder
from faultxfer.reading import columns
from faultxfer.steps.processors import in_order
from faultxfer.steps.score_state import OpenAlarm

# Alarms that are explained, those with the highest probability; a person reads no more. Programs
# are given a list of more.
MOST_EXPLAINED, MOST_LISTED = 100, 1_000
NOT_KEPT = (
    "Which sensors speak is not known of this version: it was made by an older release, which kept "
    "no healthy rows to compare with. Transfer again, or pretrain again where it is a source model."
)
# Alarms that are explained at a time.
_ROWS = 64
# What is read of the first, the last and the surest row of a stretch.
_TEXTS = (columns.EQUIPMENT, columns.RUN, columns.FILE, columns.TIME_TEXT)
_ENDS = (*_TEXTS[:3], columns.ROW, columns.TIME_TEXT, columns.TIME)
_End = tuple[str, str, str, int, str, float]


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
    bundle: Bundle, accepted: pd.DataFrame, probabilities: np.ndarray, alarms: np.ndarray
) -> Alarms:
    """Stretches of alarms with the sensors that speak at the peak of each.

    Args:
        bundle: explains the rows.
        accepted: n rows that passed the check.
        probabilities: (n,) of a fault.
        alarms: (n,) bool.
    """
    recordings = Recordings()
    finder = StretchFinder()
    places, time = np.arange(len(accepted)), accepted[columns.TIME].to_numpy(dtype=np.float64)
    finder.add(places, recordings.numbers(accepted), time, alarms, probabilities)
    told = ToldAlarms(bundle, finder.found(recordings.rank), accepted.iloc.__getitem__)
    return Alarms(tuple(told.stretches(0, len(told))), told.sensors, told.note)


class Recordings:
    """Numbers of recordings, in the order in which they appear.

    Args:
        machine: whose rows they are, where that is asked for; else the rows say it.
        whole: whether all rows of a machine are one recording, in whichever files they stand.
    """

    def __init__(self, machine: str | None = None, *, whole: bool = False) -> None:
        self._machine, self._whole = machine, whole
        self._number: dict[str, int] = {}

    @property
    def names(self) -> list[str]:
        """(r,) in the order of their numbers."""
        return list(self._number)

    def numbers(self, rows: pd.DataFrame) -> np.ndarray:
        """(n,) the recording of each row."""
        if self._whole:
            own, machines = pd.factorize(rows[columns.EQUIPMENT].astype(str))
            return self.known([self._machine or str(one) for one in machines])[own]
        codes, runs = pd.factorize(rows[columns.RUN].astype(str))
        if self._machine is not None:
            return self.known([f"{self._machine}/{run}" for run in runs])[codes]
        own, machines = pd.factorize(rows[columns.EQUIPMENT].astype(str))
        pairs, places = np.unique(own * max(len(runs), 1) + codes, return_inverse=True)
        machine, run = np.divmod(pairs, max(len(runs), 1))
        names = zip(machines.take(machine), runs.take(run), strict=True)
        return self.known([f"{one}/{other}" for one, other in names])[places]

    @property
    def rank(self) -> np.ndarray:
        """(r,) the place of each recording in the order of their names."""
        return np.argsort(np.argsort(np.array(list(self._number), dtype=str)))

    def known(self, names: list[str]) -> np.ndarray:
        """(k,) numbers of recordings by name."""
        numbers = [self._number.setdefault(name, len(self._number)) for name in names]
        return np.array(numbers, dtype=np.int64)


class ToldAlarms:
    """Stretches with what speaks in them, told some at a time.

    Args:
        bundle: explains the rows.
        found: the stretches.
        take: accepted rows by their places.
        machine: whose rows they are, where that is asked for; else the rows say it.
        before: alarms that were on where an earlier file ended, by numbers of recordings.

    Attributes:
        still_on: alarms that are on at the last row of a recording, of stretches that were told.
    """

    def __init__(
        self,
        bundle: Bundle,
        found: Stretches,
        take: Callable[[np.ndarray], pd.DataFrame],
        machine: str | None = None,
        before: dict[int, OpenAlarm] | None = None,
    ) -> None:
        self._before = before or {}
        self.still_on: dict[int, OpenAlarm] = {}
        self._found, self._take, self._machine = found, take, machine
        self.note = _note(bundle, len(found))
        # The surest of them, and the surest of these, of which sensors are named.
        self.listed = _surest(found.probability, MOST_LISTED)
        explained = _surest(found.probability, MOST_EXPLAINED)
        peaks = take(found.peak[explained])
        self._speaking, self.sensors = _speaking(bundle, peaks, explained)

    def __len__(self) -> int:
        return len(self._found)

    def stretches(self, begin: int, end: int) -> Iterator[AlarmStretch]:
        """Some of them, in the order of the recordings and of time."""
        own = self._found.take(np.arange(begin, end))
        ends = np.concatenate([own.first, own.last, own.peak])
        rows = self._take(ends)[[*_ENDS]].astype(dict.fromkeys(_TEXTS, str))
        told = list(rows.itertuples(index=False, name=None))
        for number, place in enumerate(range(begin, end)):
            first, last, peak = (told[number + shift * len(own)] for shift in range(3))
            yield self._stretch(place, first, last, peak)

    def _stretch(self, place: int, first: _End, last: _End, peak: _End) -> AlarmStretch:
        equipment, run, file, row, time, begin = first
        recording, earlier = int(self._found.recording[place]), None
        if self._found.from_first[place]:
            earlier = self._before.get(recording)
        if earlier is not None and earlier.begin is not None:
            time, begin = earlier.first_time or time, earlier.begin
        stretch = AlarmStretch(
            equipment=self._machine or equipment,
            run=run,
            file=file,
            rows=(row, last[3]),
            times=(time, last[4]) if time else None,
            count=int(self._found.count[place]),
            peak=Peak(peak[3], peak[4] if time else None, float(self._found.probability[place])),
            top_sensors=self._speaking.get(place, ()),
            duration=last[5] - begin if time else None,
            goes_on=None if earlier is None else earlier.event,
        )
        if self._found.to_last[place]:
            began = (time, begin) if time else (None, None)
            self.still_on[recording] = OpenAlarm(stretch.event, *began)
        return stretch


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
    some = data.take(peaks[_surest(judged.probabilities[peaks], MOST_EXPLAINED)])
    values = Explainer(bundle)(some.X, some.mode).values
    return sensor_shares(values, bundle.references.groups, bundle.features)


def _surest(probabilities: np.ndarray, most: int) -> np.ndarray:
    """Places of the surest alarms, in their order, by (n,) probabilities at their peaks."""
    order = np.argsort(-probabilities, kind="stable")
    return np.sort(order[:most])


def _note(bundle: Bundle, count: int) -> str:
    if bundle.references is None:
        return NOT_KEPT if count else ""
    if count <= MOST_EXPLAINED:
        return ""
    return (
        f"Sensors are named for the {MOST_EXPLAINED:,} alarms with the highest probability, of "
        f"{count:,}."
    )


def _speaking(
    bundle: Bundle, peaks: pd.DataFrame, places: np.ndarray
) -> tuple[dict[int, tuple[TopSensor, ...]], tuple[SensorShare, ...]]:
    """What speaks at some peaks by the places of their stretches, and in them all together."""
    if bundle.references is None or not len(peaks):
        return {}, ()
    X, modes = sensor_matrix(peaks, bundle.features), modes_of(peaks)
    values = _explained(bundle, X, modes)
    imputed = imputed_cells(peaks, bundle.features)
    missing = np.zeros(X.shape, dtype=bool) if imputed is None else imputed
    told = _Told(bundle, bundle.references)
    speaking = {}
    for number, place in enumerate(places.tolist()):
        mode = "" if modes is None else str(modes[number])
        speaking[place] = told.top_sensors(X[number], values[number], missing[number], mode)
    return speaking, sensor_shares(values, bundle.references.groups, bundle.features)


def _explained(bundle: Bundle, X: np.ndarray, modes: np.ndarray | None) -> np.ndarray:
    """(n, d) contributions at some peaks."""
    explain = Explainer(bundle)

    def values(some: slice) -> np.ndarray:
        return explain(X[some], None if modes is None else modes[some]).values

    # What all of them are compared with is made by the first one, once.
    slices = [slice(0, 1), *(slice(begin, begin + _ROWS) for begin in range(1, len(X), _ROWS))]
    return np.concatenate([values(slices[0]), *in_order(values, slices[1:])])


class AlarmTable:
    """A line for each stretch, with its three loudest sensors, and what people said of it.

    Args:
        version: that scores.
        verdicts: lines that people have judged, by event (:func:`.verdicts.kept_verdicts`).
        several: whether the rows stand in several files.
    """

    def __init__(self, version: str, verdicts: dict[str, dict[str, str]], *, several: bool) -> None:
        self._version, self._verdicts, self._several = version, verdicts, several
        self._left = dict(verdicts)

    def lines(self, stretches: tuple[AlarmStretch, ...]) -> pd.DataFrame:
        """Lines of some of the stretches."""
        return self._frame([self._line(one) for one in stretches])

    def rest(self) -> pd.DataFrame:
        """Lines with a verdict of alarms that are none any more: what a person has said is kept."""
        return self._frame(list(self._left.values()))

    def _frame(self, lines: list[dict[str, Any]]) -> pd.DataFrame:
        names = self._line(_NOTHING)
        return pd.DataFrame(lines).reindex(columns=list(names))

    def _line(self, stretch: AlarmStretch) -> dict[str, Any]:
        judged = self._verdicts.get(stretch.event, {})
        self._left.pop(stretch.event, None)
        return {
            **_line(stretch, several=self._several),
            DURATION: "" if stretch.duration is None else stretch.duration,
            VERSION: self._version,
            EVENT: stretch.event,
            VERDICT: judged.get(VERDICT, ""),
        }


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
