"""From what contestants predict of the test rows to the evidence that the gate looks at."""

from __future__ import annotations

import dataclasses

import numpy as np

from faultxfer.config import GateOptions
from faultxfer.evaluate.events import measure_events
from faultxfer.evaluate.gate.check import Comparison, Cost, Evidence, Forgetting, OwnFaults, Slice
from faultxfer.evaluate.intervals import Interval, Resamples, resample, resampled_metrics
from faultxfer.evaluate.metrics import Metrics, measure
from faultxfer.evaluate.rows import ScoredRows, clusters_of, slices_of
from faultxfer.metric_table import METRICS


def gather(
    candidate: ScoredRows,
    rivals: dict[str, ScoredRows | None],
    options: GateOptions,
    *,
    champion_version: str | None = None,
    comparison: Comparison | None = None,
    forgetting: Forgetting | None = None,
    cost: Cost | None = None,
    own_faults: OwnFaults | None = None,
    decides: bool = True,
    asked_rate: float | None = None,
    not_comparable: str = "",
) -> Evidence:
    """All the gate may look at.

    Args:
        candidate: on the test rows, which hold both classes.
        rivals: title -> a rival on the same rows; None for one that could not run.
        options: with which confidence bounds are given.
        champion_version: of the present champion, or None.
        comparison: with it, see :func:`compare`.
        forgetting: see :func:`forgot`.
        cost: of the candidate.
        own_faults: what the candidate says of the faults it was made from.
        decides: whether the rows suffice to judge by.
        asked_rate: of false alarms, by which its threshold was chosen.
        not_comparable: why the champion cannot score these rows; empty where it can.

    Raises:
        DataError: one class only, or a probability that is not finite.
    """
    resamples = _resampled(candidate)
    own = resampled_metrics(candidate, resamples)
    metrics, against = {}, {}
    for title, rival in rivals.items():
        metrics[title] = None if rival is None else measured(rival)
        if rival is not None:
            theirs = resampled_metrics(rival, resamples)
            against[title] = _differences(own, theirs, resamples, options)
    return Evidence(
        candidate=measured(candidate),
        champion_version=champion_version,
        comparison=comparison,
        rivals=metrics,
        intervals=_intervals(own, resamples, options),
        events=measure_events(candidate, options.confidence),
        against_rivals=against,
        by=resamples.clusters.by,
        clusters=resamples.clusters.faulty,
        forgetting=forgetting,
        cost=cost,
        own_faults=own_faults,
        decides=decides,
        asked_rate=asked_rate,
        not_comparable=not_comparable,
    )


def gather_undecided(
    candidate: ScoredRows,
    *,
    champion_version: str | None = None,
    comparison: Comparison | None = None,
    cost: Cost | None = None,
    asked_rate: float | None = None,
    not_comparable: str = "",
) -> Evidence:
    """All the gate may look at of rows that are not of both classes: they decide nothing.

    Args:
        candidate: on all rows, healthy ones (0), faults (1) or such without a label (-1).
        champion_version: of the present champion, or None.
        comparison: with it, which holds no more than counts.
        cost: of the candidate.
        asked_rate: of false alarms, by which its threshold was chosen.
        not_comparable: why the champion cannot score these rows; empty where it can.
    """
    return Evidence(
        candidate=measured(candidate),
        champion_version=champion_version,
        comparison=comparison,
        rivals={},
        cost=cost,
        decides=False,
        asked_rate=asked_rate,
        not_comparable=not_comparable,
    )


def compare(
    candidate: ScoredRows,
    champion: ScoredRows,
    columns: dict[str, np.ndarray],
    options: GateOptions,
    *,
    excluded: int = 0,
) -> Comparison:
    """Candidate and champion on the same rows, none of which the champion was trained on.

    Args:
        candidate: on these rows.
        champion: on these rows.
        columns: name -> (m,) values that divide the rows into slices.
        options: how many rows are enough, and with which confidence bounds are given.
        excluded: rows left out before, because the champion was trained on them.
    """
    rows, faults = len(candidate.y), int(candidate.y.sum())
    nothing = Comparison(None, None, rows, faults, excluded, columns=tuple(columns))
    if not options.are_enough(faults, rows - faults):
        return nothing
    resamples = _resampled(candidate)
    slices = []
    for column, value, mask in slices_of(candidate.y, columns):
        pair = candidate.take(mask), champion.take(mask)
        slices.append(_slice(column, value, *pair, options))
    return dataclasses.replace(
        nothing,
        candidate=measured(candidate),
        champion=measured(champion),
        changes=_changes(candidate, champion, resamples, options),
        by=resamples.clusters.by,
        clusters=resamples.clusters.faulty,
        slices=tuple(slices),
    )


def forgot(candidate: ScoredRows, source: ScoredRows, options: GateOptions) -> Forgetting:
    """Candidate and source model on the same rows of the source machines, of both classes."""
    return Forgetting(
        rows=len(source.y),
        faults=int(source.y.sum()),
        candidate=measured(candidate),
        source=measured(source),
        changes=_changes(candidate, source, _resampled(source), options),
    )


def differences(one: ScoredRows, other: ScoredRows, options: GateOptions) -> dict[str, Interval]:
    """One minus the other on the same rows, by metric; one without an interval is left out."""
    return _changes(one, other, _resampled(one), options)


def measured(rows: ScoredRows) -> Metrics:
    """Metrics of one contestant."""
    return measure(rows.y, rows.probabilities, rows.alarms, rows.fold)


def _slice(
    column: str, value: str, candidate: ScoredRows, champion: ScoredRows, options: GateOptions
) -> Slice:
    resamples = _resampled(candidate)
    rows, faults = len(candidate.y), int(candidate.y.sum())
    changes = {}
    if 0 < faults < rows:
        changes = _changes(candidate, champion, resamples, options)
    return Slice(column, value, rows, faults, resamples.clusters.faulty, changes)


def _resampled(rows: ScoredRows) -> Resamples:
    return resample(rows.y, clusters_of(rows.y, rows.run, rows.time))


def _changes(
    one: ScoredRows, other: ScoredRows, resamples: Resamples, options: GateOptions
) -> dict[str, Interval]:
    ours, theirs = resampled_metrics(one, resamples), resampled_metrics(other, resamples)
    return _differences(ours, theirs, resamples, options)


def _differences(
    one: dict[str, np.ndarray],
    other: dict[str, np.ndarray],
    resamples: Resamples,
    options: GateOptions,
) -> dict[str, Interval]:
    found = {}
    for name, values in one.items():
        most, change = METRICS[name].most, values - other[name]
        interval = resamples.interval(change, options.confidence, -most, most)
        if interval is not None:
            found[name] = interval
    return found


def _intervals(
    own: dict[str, np.ndarray], resamples: Resamples, options: GateOptions
) -> dict[str, Interval]:
    found = {}
    for name, values in own.items():
        interval = resamples.interval(values, options.confidence, 0.0, METRICS[name].most)
        if interval is not None:
            found[name] = interval
    return found
