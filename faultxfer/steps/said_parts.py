"""What a detector says of accepted rows part by part, smoothed along their recordings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.smoothing import Smoother, Smoothing
from faultxfer.data.dataset import sensor_matrix
from faultxfer.data.moments import Moments
from faultxfer.progress import progress
from faultxfer.reading import columns
from faultxfer.steps.accepted import AcceptedRows
from faultxfer.steps.processors import in_order
from faultxfer.steps.speaking import Recordings

# Rows at a time that were sorted by time.
_SORTED = 1 << 20


@dataclass(frozen=True)
class SaidPart:
    """Some accepted rows with what the detector says of them.

    Attributes:
        rows: n rows.
        X: (n, d) readings.
        logits: (n,) uncalibrated.
    """

    rows: pd.DataFrame
    X: np.ndarray
    logits: np.ndarray


def used_rows(rows: pd.DataFrame) -> np.ndarray:
    """(n,) bool: accepted rows that the contract does not exclude."""
    if columns.REMARK not in rows:
        return np.ones(len(rows), dtype=bool)
    used: np.ndarray = rows[columns.REMARK].fillna("").eq("").to_numpy(dtype=bool)
    return used


def said_along(
    accepted: AcceptedRows, bundle: Bundle, recordings: Recordings
) -> Iterator[SaidPart]:
    """What a detector says of the rows, in their order.

    Where it smooths along a recording, rows that the contract excludes speak for themselves alone,
    as training saw none of them.
    """
    if bundle.smoothing is None:
        yield from _said(accepted, bundle)
        return
    if _are_in_order(accepted, recordings):
        smoother = Smoother(bundle.smoothing)
        for part in _said(accepted, bundle):
            yield _smoothed(part, smoother, recordings)
        return
    progress.info("The rows do not stand in the order of time: scoring them before they are sorted")
    said = _sorted(accepted, bundle, bundle.smoothing, recordings)
    begin = 0
    for rows in accepted.parts():
        logits = said[begin : begin + len(rows)]
        yield SaidPart(rows, sensor_matrix(rows, bundle.features), logits)
        begin += len(rows)


def _said(accepted: AcceptedRows, bundle: Bundle) -> Iterator[SaidPart]:
    """Each row by itself."""

    def said(rows: pd.DataFrame) -> SaidPart:
        X = sensor_matrix(rows, bundle.features)
        return SaidPart(rows, X, bundle.logits(X))

    return in_order(said, accepted.parts())


def _smoothed(part: SaidPart, smoother: Smoother, recordings: Recordings) -> SaidPart:
    used, logits = used_rows(part.rows), part.logits.copy()
    logits[used] = smoother.add(part.logits[used], _moments(part.rows[used], recordings))
    return replace(part, logits=logits)


def _moments(rows: pd.DataFrame, recordings: Recordings) -> Moments:
    return Moments(recordings.numbers(rows), rows[columns.TIME].to_numpy(dtype=np.float64))


def _are_in_order(accepted: AcceptedRows, recordings: Recordings) -> bool:
    """Whether no part has rows of a recording from before an earlier part's."""
    latest: dict[int, float] = {}
    for rows in accepted.parts((*_WHEN, columns.REMARK)):
        some = rows[used_rows(rows)]
        moments = _moments(some, recordings)
        spans = (
            pd.Series(np.nan_to_num(moments.time)).groupby(moments.recording).agg(["min", "max"])
        )
        for number, first, last in spans.itertuples(name=None):
            if first < latest.get(number, -np.inf):
                return False
            latest[number] = last
    return True


_WHEN = (columns.EQUIPMENT, columns.RUN, columns.TIME)


def _sorted(
    accepted: AcceptedRows, bundle: Bundle, smoothing: Smoothing, recordings: Recordings
) -> np.ndarray:
    """(n,) smoothed logits of all rows, by which 21 bytes a row are kept in memory."""
    logits, used, recording, time = [], [], [], []
    for part in _said(accepted, bundle):
        moments = _moments(part.rows, recordings)
        logits.append(part.logits)
        used.append(used_rows(part.rows))
        recording.append(moments.recording.astype(np.int32))
        time.append(moments.time)
    said, moments = np.concatenate(logits), Moments(np.concatenate(recording), np.concatenate(time))
    order, smoother = moments.order, Smoother(smoothing)
    order = order[np.concatenate(used)[order]]
    for begin in range(0, len(order), _SORTED):
        own = order[begin : begin + _SORTED]
        said[own] = smoother.add(said[own], Moments(moments.recording[own], moments.time[own]))
    return said
