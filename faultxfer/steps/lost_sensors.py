"""Sensors that are missing far more often than in the rows that judged a version.

A version goes on without them as long as it can, and its metrics were measured on rows that had
them. Whether more is missing is not decided by a few rows: the exact bounds of the two shares lie
apart (:mod:`faultxfer.exact_bounds`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import Bundle
from faultxfer.contract.schema import Contract
from faultxfer.data.dataset import Dataset, imputed_cells
from faultxfer.exact_bounds import highest_share, lowest_share
from faultxfer.findings import Finding
from faultxfer.reading import columns
from faultxfer.steps.intake import CheckedRows
from faultxfer.wording import percent, reading

# Where the lineage of a bundle says how often sensors were missing when it was judged.
JUDGED_GAPS = "judged_gaps"
# Bounds of both shares hold with this confidence, and shares nearer than this are no news.
_CONFIDENCE, _NEAR = 0.999, 0.05
# A bundle of before does not say it. More than `max_missing` refused a file then.
_IMAGINED_ROWS = 1_000.0
# Rows in which a reading may stand still by chance, and the share of healthy rows with a reading of
# their own from which on a sensor is one that moves.
_FEW_ROWS, _MOSTLY = 20, 0.5


@dataclass(frozen=True)
class LostSensor:
    """A sensor that is missing clearly more often than when the version was judged.

    Attributes:
        sensor: its name.
        filled_in: whether the rows are scored with guesses of it; else they are set aside.
        rows: how many rows.
        share: of the rows that are scored, or of these and those set aside.
        judged_share: the same when the version was judged; None where it does not say.
        since: time or place of the first of these rows.
        lasting: whether it is missing in every row from there on.
    """

    sensor: str
    filled_in: bool
    rows: int
    share: float
    judged_share: float | None
    since: str
    lasting: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @property
    def where(self) -> str:
        """Since when, in which share of the rows, and in which it was."""
        since = f"from {self.since} on" if self.lasting else f"first at {self.since}"
        before = ""
        if self.judged_share is not None:
            before = f" ({percent(self.judged_share)} when the version was judged)"
        return f"{percent(self.share)} of the rows{before}, {since}"


@dataclass(frozen=True)
class _Gaps:
    """In how many of so many rows a sensor was missing."""

    rows: float
    by_sensor: Mapping[str, float]

    def share(self, sensor: str) -> float:
        return self.by_sensor.get(sensor, 0) / self.rows if self.rows else 0.0

    def are_fewer(self, sensor: str, missing: int, rows: int) -> bool:
        """Whether it is clearly missing more often in other rows."""
        if missing / rows < self.share(sensor) + _NEAR:
            return False
        before = highest_share(self.by_sensor.get(sensor, 0), self.rows, _CONFIDENCE)
        return bool(lowest_share(missing, rows, _CONFIDENCE) > before)


def gaps_when_judged(rows: CheckedRows, test: Dataset, contract: Contract) -> dict[str, Any]:
    """How often each sensor was missing, for the lineage of a bundle.

    Args:
        rows: all labelled rows, and those of them that were set aside.
        test: the rows that judged.
        contract: knows the machine's own tags.
    """
    counts = {} if test.imputed is None else _by_name(test.features, test.imputed.sum(axis=0))
    aside = {name: sum(one.count for one in found) for name, found in _aside(rows, contract)}
    return {
        "rows": len(test),
        "filled_in": counts,
        "read": rows.accepted + rows.quarantined,
        "set_aside": aside,
    }


class GapTally:
    """How often each sensor was filled in, and since when, in rows that come part by part.

    Args:
        sensors: names of the d sensors.
    """

    def __init__(self, sensors: tuple[str, ...]) -> None:
        self.sensors, self.rows = sensors, 0
        self.counts = np.zeros(len(sensors), dtype=np.int64)
        self._files: set[str] = set()
        # By sensor the first row that lacks it, and the first of those at the end that all do.
        self._first: dict[str, pd.Series] = {}
        self._last: dict[str, pd.Series] = {}

    def add(self, part: pd.DataFrame) -> None:
        """Look at further rows that are scored."""
        cells = imputed_cells(part, self.sensors)
        if cells is None or not len(cells):
            self.rows += len(part)
            return
        self.rows += len(cells)
        self.counts += cells.sum(axis=0)
        self._files.update(part[columns.FILE].unique())
        for sensor, gaps in zip(self.sensors, cells.T, strict=True):
            if not gaps[-1]:
                self._last.pop(sensor, None)
            if not gaps.any():
                continue
            self._first.setdefault(sensor, part.iloc[int(gaps.argmax())])
            there = np.flatnonzero(~gaps)
            if gaps[-1] and len(there):
                self._last[sensor] = part.iloc[int(there[-1]) + 1]
            elif gaps[-1]:
                self._last.setdefault(sensor, part.iloc[0])

    def beginning(self, sensor: str) -> tuple[str, bool]:
        """Where a sensor is missing first, or from where on in every row, and whether it is so."""
        lasting = sensor in self._last
        row = self._last[sensor] if lasting else self._first[sensor]
        return _place(row, several=len(self._files) > 1), lasting


class StillTally:
    """Sensors that hold one reading in every row, in rows that come part by part.

    Args:
        bundle: keeps healthy rows of the machine.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.rows = 0
        self._features = bundle.features
        self._watched = _moving(bundle)
        self._reading = np.full(len(bundle.features), np.nan)

    def add(self, X: np.ndarray) -> None:
        """Look at (n, d) readings of further rows that are scored."""
        if not len(X) or not self._watched.any():
            return
        if not self.rows:
            self._reading = X[0].copy()
        self.rows += len(X)
        self._watched &= (self._reading == X).all(axis=0)

    @property
    def found(self) -> list[tuple[str, float]]:
        """Names and readings of these sensors; none of a few rows."""
        if self.rows < _FEW_ROWS:
            return []
        places = np.flatnonzero(self._watched)
        return [(self._features[place], float(self._reading[place])) for place in places]


def _moving(bundle: Bundle) -> np.ndarray:
    """(d,) bool: sensors of which hardly two healthy rows read the same."""
    if bundle.references is None:
        return np.zeros(len(bundle.features), dtype=bool)
    healthy = bundle.references.X
    different = [len(np.unique(own)) >= _MOSTLY * len(own) for own in healthy.T]
    return np.array(different, dtype=bool)


def lost_sensors(
    gaps: GapTally, rows: CheckedRows, contract: Contract, lineage: Mapping[str, Any]
) -> tuple[LostSensor, ...]:
    """Sensors that are missing clearly more often than when a version was judged.

    Args:
        gaps: in the rows that are scored, of the contract's sensors.
        rows: what came of all rows.
        contract: of the version.
        lineage: of its bundle.
    """
    known = lineage.get(JUDGED_GAPS)
    filled = _filled_in(gaps, known) if known else ()
    return (*filled, *_set_aside(rows, contract, known))


def lost_note(lost: tuple[LostSensor, ...]) -> str:
    """What is said of them; empty where there are none.

    >>> gone = LostSensor("flow", True, 40, 0.5, 0.0, "2026-03-04 10:00", True)
    >>> lost_note((gone,))  # doctest: +NORMALIZE_WHITESPACE
    'flow is filled in for 50% of the rows (0% when the version was judged), from 2026-03-04 10:00
    on: the metrics of its report do not hold for these rows.'
    """
    filled = [f"{one.sensor} is filled in for {one.where}" for one in lost if one.filled_in]
    aside = [f"{one.sensor} has no reading in {one.where}" for one in lost if not one.filled_in]
    said = []
    if filled:
        said.append(f"{'; '.join(filled)}: the metrics of its report do not hold for these rows.")
    if aside:
        said.append(f"{'; '.join(aside)}: the version cannot score these rows without it.")
    return " ".join(said)


def still_note(tally: StillTally) -> str:
    """Sensors that hold one reading in every row, of which hardly two healthy rows read the same.

    Such a value may be right, so nothing is taken for missing; a person has to look. Nothing is
    said of a few rows, of bundles without healthy rows, nor of a setting, which holds its values.

    Args:
        tally: of the rows that are scored.
    """
    still = [f"{sensor} reads {reading(value)}" for sensor, value in tally.found]
    if not still:
        return ""
    it, guesses = ("it", "guesses it") if len(still) == 1 else ("they", "guesses them")
    are = "is" if len(still) == 1 else "are"
    return (
        f"{', '.join(still)} in all {tally.rows} rows, and never stands still in healthy rows: "
        f"if {it} {are} stuck, the same command with `--without` {guesses}."
    )


def names_of_lost(lost: tuple[LostSensor, ...]) -> tuple[str, ...]:
    """Their names, each once."""
    return tuple(dict.fromkeys(one.sensor for one in lost))


def _filled_in(gaps: GapTally, known: Mapping[str, Any]) -> Iterator[LostSensor]:
    before = _Gaps(known["rows"], known["filled_in"])
    for sensor, count in zip(gaps.sensors, gaps.counts.tolist(), strict=True):
        if not count or not before.are_fewer(sensor, count, gaps.rows):
            continue
        since, lasting = gaps.beginning(sensor)
        share, judged = count / gaps.rows, before.share(sensor)
        yield LostSensor(sensor, True, count, share, judged, since, lasting)


def _set_aside(
    rows: CheckedRows, contract: Contract, known: Mapping[str, Any] | None
) -> Iterator[LostSensor]:
    read = rows.accepted + rows.quarantined
    for sensor, found in _aside(rows, contract):
        missing = sum(one.count for one in found)
        before = _Gaps(known["read"], known["set_aside"]) if known else _imagined(sensor, contract)
        if before.are_fewer(sensor, missing, read):
            judged = before.share(sensor) if known else None
            since = f"line {found[0].line} of {found[0].file}"
            yield LostSensor(sensor, False, missing, missing / read, judged, since, False)


def _imagined(sensor: str, contract: Contract) -> _Gaps:
    most = contract.sensors[sensor].max_missing
    return _Gaps(_IMAGINED_ROWS, {sensor: most * _IMAGINED_ROWS})


def _aside(rows: CheckedRows, contract: Contract) -> list[tuple[str, list[Finding]]]:
    """By sensor the findings of rows that were set aside for want of it."""
    tags = {tag: name for own in contract.equipment.values() for tag, name in own.aliases.items()}
    found: dict[str, list[Finding]] = {}
    for one in rows.findings:
        name = tags.get(str(one.column), str(one.column))
        if (one.code, one.severity) == (
            "SENSOR-MISSING",
            "quarantine",
        ) and name in contract.sensors:
            found.setdefault(name, []).append(one)
    return [*found.items()]


def _by_name(features: tuple[str, ...], counts: np.ndarray) -> dict[str, int]:
    """Counts that are not 0."""
    return {name: int(count) for name, count in zip(features, counts, strict=True) if count}


def _place(row: pd.Series, *, several: bool) -> str:
    place = str(row[columns.TIME_TEXT]) or f"row {row[columns.ROW]}"
    return f"{place} of {row[columns.FILE]}" if several else place
