"""Scores part by part: what is written of each, and what is counted over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.bundle.bundle import Bundle
from faultxfer.data.blocks import NotInOrderError, rows_in_order
from faultxfer.evaluate.stretches import Stretches, StretchFinder
from faultxfer.progress import progress
from faultxfer.reading import columns
from faultxfer.rows_file import RowsFile
from faultxfer.steps.accepted import AcceptedRows, RowsBetween
from faultxfer.steps.lost_sensors import GapTally, StillTally
from faultxfer.steps.processors import in_order
from faultxfer.steps.said_parts import Along, SaidPart, used_rows
from faultxfer.steps.speaking import Recordings

# Probabilities are counted by log-odds this far apart, as far as they are told apart at all.
_STEP, _FARTHEST = 0.01, 4_000
# Rows at a time that were sorted by time.
_SORTED = 1 << 20


@dataclass(frozen=True)
class ScoredPart:
    """Some accepted rows with their scores.

    Attributes:
        rows: n rows.
        X: (n, d) readings.
        probabilities: (n,) of a fault.
        alarms: (n,) bool.
    """

    rows: pd.DataFrame
    X: np.ndarray
    probabilities: np.ndarray
    alarms: np.ndarray

    @property
    def used(self) -> np.ndarray:
        """(n,) bool: rows that the contract does not exclude."""
        return used_rows(self.rows)


class ScoreTally:
    """What is said of all rows together.

    Args:
        sensors: of the contract.
        bundle: that scores.
        recordings: their numbers.
        work: folder for files of the probabilities and the alarms.
    """

    def __init__(
        self, sensors: tuple[str, ...], bundle: Bundle, recordings: Recordings, work: Path
    ) -> None:
        self.gaps, self.still, self.shares = GapTally(sensors), StillTally(bundle), ShareTally()
        self.alarm_rows = self.marked = 0
        self._kept, self._kept_alarms = work / "probabilities", work / "alarms"
        self._recordings = recordings
        self._finder: StretchFinder | None = StretchFinder()
        self._rows = 0

    def add(self, part: ScoredPart) -> None:
        """Count further rows, in their order."""
        used = part.used
        self.gaps.add(part.rows)
        self.still.add(part.X)
        self.shares.add(part.probabilities[used])
        self.alarm_rows += int(part.alarms.sum())
        self.marked += int((~used).sum())
        with self._kept.open("ab") as kept:
            kept.write(part.probabilities.astype(np.float64).tobytes())
        with self._kept_alarms.open("ab") as kept:
            kept.write(part.alarms.tobytes())
        if self._finder is not None:
            self._look_for_alarms(self._finder, part)
        self._rows += len(part.rows)

    def _look_for_alarms(self, finder: StretchFinder, part: ScoredPart) -> None:
        places = self._rows + np.arange(len(part.rows))
        recording, time = self._recordings.numbers(part.rows), _time(part.rows)
        try:
            finder.add(places, recording, time, part.alarms, part.probabilities)
        except NotInOrderError:
            self._finder = None

    def stretches(self, accepted: AcceptedRows) -> Stretches:
        """Stretches of alarms among all rows."""
        finder = self._finder or self._sorted(accepted)
        return finder.found(self._recordings.rank)

    def _sorted(self, accepted: AcceptedRows) -> StretchFinder:
        """After the rows were brought into the order of time, by recording and time alone."""
        progress.info("The rows do not stand in the order of time: sorting them to find alarms")
        recording, time = np.empty(len(accepted), np.int32), np.empty(len(accepted))
        begin = 0
        for part in accepted.parts():
            some = slice(begin, begin + len(part))
            recording[some], time[some] = self._recordings.numbers(part), _time(part)
            begin += len(part)
        probabilities = np.fromfile(self._kept)
        alarms = np.fromfile(self._kept_alarms, dtype=bool)
        order = rows_in_order(recording, time)
        finder = StretchFinder()
        for begin in range(0, len(order), _SORTED):
            own = order[begin : begin + _SORTED]
            finder.add(own, recording[own], time[own], alarms[own], probabilities[own])
        return finder


def _time(rows: pd.DataFrame) -> np.ndarray:
    return rows[columns.TIME].to_numpy(dtype=np.float64)


class ShareTally:
    """Probabilities counted by their log-odds, close enough for a share of faults."""

    def __init__(self) -> None:
        self._counts = np.zeros(2 * _FARTHEST + 1, dtype=np.int64)
        self._sums = np.zeros(len(self._counts))

    def add(self, probabilities: np.ndarray) -> None:
        """Count (n,) further ones."""
        with np.errstate(divide="ignore"):  # certainty is as far out as can be
            odds = np.log(probabilities) - np.log1p(-probabilities)
        place = np.rint(np.clip(odds / _STEP, -_FARTHEST, _FARTHEST)).astype(np.int64) + _FARTHEST
        self._counts += np.bincount(place, minlength=len(self._counts))
        self._sums += np.bincount(place, probabilities, minlength=len(self._counts))

    @property
    def counts(self) -> np.ndarray:
        """(k,) how many there were about each of ``means``."""
        return self._counts[self._counts > 0]

    @property
    def means(self) -> np.ndarray:
        """(k,) probabilities, near ones as their mean."""
        there = self._counts > 0
        return np.asarray(self._sums[there] / self._counts[there])


class ScoreTable:
    """Rows of the file of scores.

    Args:
        names: columns of the accepted rows.
        machine: asked for, whose rows all of them are.
        time_column: of the contract.
        said: by column what is the same in each row with a score.
        several: whether the rows stand in several files.
        between: whether there are rows without a score between the others.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        machine: str | None,
        time_column: str | None,
        said: dict[str, str],
        *,
        several: bool,
        between: bool,
    ) -> None:
        self._machine, self._time, self._said, self._several = machine, time_column, said, several
        types = {"file": _TEXT} if several else {}
        types |= {"row": pa.int64(), "equipment": _TEXT}
        types |= {time_column: _TEXT} if time_column else {}
        types |= {"fault_probability": pa.float64(), "alarm": pa.bool_(), "model_version": _TEXT}
        types |= {"imputed": _TEXT} if columns.IMPUTED in names else {}
        types |= dict.fromkeys(said, _TEXT)
        types |= {"remark": _TEXT} if between or columns.REMARK in names else {}
        self._schema = pa.schema(list(types.items()))

    def scored(self, part: ScoredPart) -> pa.Table:
        """Rows with their scores."""
        rows = part.rows
        cells = self._who_and_when(rows)
        cells |= {"fault_probability": part.probabilities, "alarm": part.alarms}
        cells |= {
            name: pa.repeat(pa.scalar(one, _TEXT), len(rows)) for name, one in self._said.items()
        }
        if columns.IMPUTED in rows:
            listed = rows[columns.IMPUTED].astype(str)
            cells["imputed"] = listed.str.replace(columns.BETWEEN, ", ", regex=False)
        blank = pa.repeat(pa.scalar("", _TEXT), len(rows))
        cells["remark"] = rows.get(columns.REMARK, blank)
        return self._table(cells, len(rows))

    def without_score(self, rows: pd.DataFrame) -> pa.Table:
        """Rows that stand in the file without one."""
        return self._table({**self._who_and_when(rows), "remark": rows[columns.REMARK]}, len(rows))

    def _who_and_when(self, rows: pd.DataFrame) -> dict[str, object]:
        machine = pa.repeat(pa.scalar(self._machine or "", _TEXT), len(rows))
        cells: dict[str, object] = {
            "file": rows[columns.FILE],
            "row": rows[columns.ROW],
            "equipment": rows[columns.EQUIPMENT] if self._machine is None else machine,
        }
        return cells | ({self._time: rows[columns.TIME_TEXT]} if self._time else {})

    def _table(self, cells: dict[str, object], rows: int) -> pa.Table:
        arrays = []
        for field in self._schema:
            one = cells.get(field.name)
            filled = pa.nulls(rows, field.type) if one is None else _as_array(one, field.type)
            arrays.append(filled)
        return pa.Table.from_arrays(arrays, schema=self._schema)


_TEXT = pa.large_string()


def _as_array(cells: object, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if isinstance(cells, pa.Array):
        return cells
    array = pa.array(cells, from_pandas=True)
    return array if array.type == kind else array.cast(kind)


def write_scores(
    accepted: AcceptedRows,
    between: RowsBetween,
    bundle: Bundle,
    table: ScoreTable,
    tally: ScoreTally,
    file: RowsFile,
    along: Along,
) -> None:
    """Score the rows part by part, on all processors; write and count them in their order."""

    def scored(given: tuple[SaidPart, pd.DataFrame]) -> tuple[ScoredPart, Any]:
        said, outside = given
        rows, probabilities = said.rows, bundle.calibrator(said.logits)
        alarms = bundle.alarms(probabilities) if said.alarms is None else said.alarms
        part = ScoredPart(rows, said.X, probabilities, alarms)
        written = table.scored(part)
        if len(outside):
            order = np.argsort(np.append(between.keys(rows), between.keys(outside)))
            written = pa.concat_tables([written, table.without_score(outside)]).take(order)
        return part, file.encoded(written)

    said = along.said(accepted, bundle)
    parts = ((one, between.up_to(one.rows)) for one in said)
    for part, encoded in in_order(scored, parts):
        file.write(encoded)
        tally.add(part)
    rest = between.rest()
    if len(rest):
        file.write(file.encoded(table.without_score(rest)))
