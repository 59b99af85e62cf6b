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


def lost_sensors(
    accepted: pd.DataFrame, rows: CheckedRows, contract: Contract, lineage: Mapping[str, Any]
) -> tuple[LostSensor, ...]:
    """Sensors that are missing clearly more often than when a version was judged.

    Args:
        accepted: rows that are scored.
        rows: what came of all rows.
        contract: of the version.
        lineage: of its bundle.
    """
    known = lineage.get(JUDGED_GAPS)
    filled = _filled_in(accepted, contract, known) if known else ()
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


def still_note(accepted: pd.DataFrame, bundle: Bundle) -> str:
    """Sensors that hold one reading in every row, of which hardly two healthy rows read the same.

    Such a value may be right, so nothing is taken for missing; a person has to look. Nothing is
    said of a few rows, of bundles without healthy rows, nor of a setting, which holds its values.

    Args:
        accepted: rows that are scored, with columns of the bundle's sensors.
        bundle: keeps healthy rows of the machine.
    """
    if bundle.references is None or len(accepted) < _FEW_ROWS:
        return ""
    still = []
    for place, sensor in enumerate(bundle.features):
        healthy = bundle.references.X[:, place]
        moves = len(np.unique(healthy)) >= _MOSTLY * len(healthy)
        if moves and sensor in accepted and accepted[sensor].nunique(dropna=False) == 1:
            still.append(f"{sensor} reads {reading(float(accepted[sensor].iloc[0]))}")
    if not still:
        return ""
    it, guesses = ("it", "guesses it") if len(still) == 1 else ("they", "guesses them")
    are = "is" if len(still) == 1 else "are"
    return (
        f"{', '.join(still)} in all {len(accepted)} rows, and never stands still in healthy rows: "
        f"if {it} {are} stuck, the same command with `--without` {guesses}."
    )


def names_of_lost(lost: tuple[LostSensor, ...]) -> tuple[str, ...]:
    """Their names, each once."""
    return tuple(dict.fromkeys(one.sensor for one in lost))


def _filled_in(
    accepted: pd.DataFrame, contract: Contract, known: Mapping[str, Any]
) -> Iterator[LostSensor]:
    cells = imputed_cells(accepted, contract.features)
    if cells is None or not len(cells):
        return
    before = _Gaps(known["rows"], known["filled_in"])
    for sensor, gaps in zip(contract.features, cells.T, strict=True):
        missing = int(gaps.sum())
        if not missing or not before.are_fewer(sensor, missing, len(gaps)):
            continue
        first, lasting = _beginning(gaps)
        share, judged = missing / len(gaps), before.share(sensor)
        since = _place(accepted.iloc[first], several=accepted[columns.FILE].nunique() > 1)
        yield LostSensor(sensor, True, missing, share, judged, since, lasting)


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


def _beginning(gaps: np.ndarray) -> tuple[int, bool]:
    """Where it is missing first, or from where on in every row, and whether that is so.

    >>> _beginning(np.array([True, False, True, True]))
    (2, True)
    >>> _beginning(np.array([False, True, True, False]))
    (1, False)
    """
    if not gaps[-1]:
        return int(gaps.argmax()), False
    there = np.flatnonzero(~gaps)
    return (int(there[-1]) + 1 if len(there) else 0), True


def _place(row: pd.Series, *, several: bool) -> str:
    place = str(row[columns.TIME_TEXT]) or f"row {row[columns.ROW]}"
    return f"{place} of {row[columns.FILE]}" if several else place
