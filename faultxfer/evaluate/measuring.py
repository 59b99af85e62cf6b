"""From what contestants say of the judged rows to the evidence that the gate looks at."""

from __future__ import annotations

import numpy as np

from faultxfer.config import GateOptions
from faultxfer.evaluate.events import measure_events
from faultxfer.evaluate.gate.check import Comparison, Cost, Evidence, Forgetting, Part
from faultxfer.evaluate.intervals import FIGURES, Interval, Resamples, resample, resampled_figures
from faultxfer.evaluate.metrics import Metrics, measure
from faultxfer.evaluate.rows import Judged, clusters_of
from faultxfer.evaluate.slices import slices_of

_SHARE, _CHANGE, _ANY, _ANY_CHANGE = (0.0, 1.0), (-1.0, 1.0), (0.0, np.inf), (-np.inf, np.inf)


def gather(
    candidate: Judged,
    rivals: dict[str, Judged | None],
    options: GateOptions,
    *,
    champion_version: str | None = None,
    comparison: Comparison | None = None,
    forgetting: Forgetting | None = None,
    cost: Cost | None = None,
) -> Evidence:
    """All the gate may look at.

    Args:
        candidate: on the judged rows, which hold both classes.
        rivals: title -> what a rival says of the same rows; None for one that could not run.
        options: with which confidence bounds are given.
        champion_version: of the present champion, or None.
        comparison: with it, see :func:`compare`.
        forgetting: see :func:`forgot`.
        cost: of the candidate.

    Raises:
        DataError: one class only, or a probability that is not finite.
    """
    resamples = _resampled(candidate)
    own = _figures(candidate, resamples)
    against = {
        title: _differences(own, _figures(said, resamples), resamples, options)
        for title, said in rivals.items()
        if said is not None
    }
    return Evidence(
        candidate=measured(candidate),
        champion_version=champion_version,
        comparison=comparison,
        rivals={title: measured(said) if said else None for title, said in rivals.items()},
        intervals=_intervals(own, resamples, options),
        events=measure_events(candidate, options.confidence),
        against_rivals=against,
        by=resamples.clusters.by,
        clusters=resamples.clusters.faulty,
        forgetting=forgetting,
        cost=cost,
    )


def compare(
    candidate: Judged,
    champion: Judged,
    columns: dict[str, np.ndarray],
    options: GateOptions,
    *,
    excluded: int = 0,
) -> Comparison:
    """Candidate and champion on the same rows, none of which the champion was trained on.

    Args:
        candidate: what it says of these rows.
        champion: what it says of them.
        columns: name -> (m,) values that divide the rows into parts.
        options: how many rows are enough, and with which confidence bounds are given.
        excluded: rows left out before, because the champion was trained on them.
    """
    rows, faults = len(candidate.y), int(candidate.y.sum())
    if faults < options.min_faults or rows - faults < options.min_normals:
        return Comparison(None, None, rows, faults, excluded, columns=tuple(columns))
    resamples = _resampled(candidate)
    return Comparison(
        candidate=measured(candidate),
        champion=measured(champion),
        rows=rows,
        faults=faults,
        excluded=excluded,
        changes=_changes(candidate, champion, resamples, options),
        by=resamples.clusters.by,
        clusters=resamples.clusters.faulty,
        columns=tuple(columns),
        parts=tuple(
            _part(name, value, candidate.take(mask), champion.take(mask), options)
            for name, value, mask in slices_of(candidate.y, columns)
        ),
    )


def forgot(candidate: Judged, source: Judged, options: GateOptions) -> Forgetting:
    """Candidate and source model on the same rows of the source machines, which hold both classes."""
    return Forgetting(
        rows=len(source.y),
        faults=int(source.y.sum()),
        candidate=measured(candidate),
        source=measured(source),
        changes=_changes(candidate, source, _resampled(source), options),
    )


def measured(said: Judged) -> Metrics:
    """Figures of one contestant."""
    return measure(said.y, said.probabilities, said.alarms)


def _part(
    column: str, value: str, candidate: Judged, champion: Judged, options: GateOptions
) -> Part:
    resamples = _resampled(candidate)
    part = Part(column, value, len(candidate.y), int(candidate.y.sum()), resamples.clusters.faulty)
    if min(part.faults, part.rows - part.faults) == 0:
        return part
    changes = _changes(candidate, champion, resamples, options)
    return Part(column, value, part.rows, part.faults, part.runs, changes)


def _resampled(said: Judged) -> Resamples:
    return resample(said.y, clusters_of(said.y, said.run, said.time))


def _figures(said: Judged, resamples: Resamples) -> dict[str, np.ndarray]:
    return resampled_figures(said.y, said.probabilities, said.alarms, resamples)


def _changes(
    one: Judged, other: Judged, resamples: Resamples, options: GateOptions
) -> dict[str, Interval]:
    return _differences(_figures(one, resamples), _figures(other, resamples), resamples, options)


def _differences(
    one: dict[str, np.ndarray],
    other: dict[str, np.ndarray],
    resamples: Resamples,
    options: GateOptions,
) -> dict[str, Interval]:
    found = {
        name: resamples.interval(
            one[name] - other[name],
            options.confidence,
            _ANY_CHANGE if name == "log_loss" else _CHANGE,
        )
        for name in FIGURES
    }
    return {name: interval for name, interval in found.items() if interval is not None}


def _intervals(
    own: dict[str, np.ndarray], resamples: Resamples, options: GateOptions
) -> dict[str, Interval]:
    found = {
        name: resamples.interval(
            own[name], options.confidence, _ANY if name == "log_loss" else _SHARE
        )
        for name in FIGURES
    }
    return {name: interval for name, interval in found.items() if interval is not None}
