"""The metrics of a run in MLflow: the candidate's with their bounds; all others in one table.

MLflow draws a chart for each metric, and puts those of two runs beside each other when they are
compared. So there are no more than a person looks at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from faultxfer.evaluate.gate.check import Comparison, Slice
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.metrics import Metrics
from faultxfer.evaluate.report import Contestant, Report
from faultxfer.metric_table import METRICS, ROW_METRICS

# The table of everybody and of the slices, which MLflow's page of the run shows as one.
COMPARISON = "comparison.json"
LOW, HIGH = "low", "high"
_COLUMNS = ("what", "who", *ROW_METRICS, "rows", "faults", "note")
# MLflow's page shows every digit that it is given.
_DIGITS = 6


def metrics_of_run(report: Report) -> dict[str, float | None]:
    """The candidate's metrics, each followed by its bounds: MLflow's pages keep the order."""
    events = report.evidence.events
    values: dict[str, float | None] = dict(report.candidate.as_dict())
    values |= {**(events.estimates() if events else {}), "threshold": report.threshold}
    bounded = {**report.evidence.intervals, **_bounded_events(report)}
    metrics: dict[str, float | None] = {}
    for name, value in values.items():
        metrics[name] = value
        if name in bounded:
            metrics |= _bounds(name, bounded[name])
    return metrics


def _bounded_events(report: Report) -> dict[str, Interval]:
    """Events that are given with bounds; none where no events were measured."""
    events = report.evidence.events
    names = [name for name, metric in METRICS.items() if metric.of == "event"]
    found = {name: getattr(events, name, None) for name in names}
    return {name: value for name, value in found.items() if isinstance(value, Interval)}


def _bounds(name: str, interval: Interval) -> dict[str, float | None]:
    bounds = {f"{name}.{LOW}": interval.low, f"{name}.{HIGH}": interval.high}
    return {key: value for key, value in bounds.items() if math.isfinite(value)}


def comparison_table(report: Report) -> str:
    """Every contestant, and every difference that was measured, as MLflow's tables are written."""
    lines = [*_contestants(report), *_differences(report)]
    data = [[_rounded(line.get(column)) for column in _COLUMNS] for line in lines]
    return json.dumps({"columns": _COLUMNS, "data": data}, ensure_ascii=False)


def _contestants(report: Report) -> Iterator[dict[str, Any]]:
    for entry in (*report.contestants, *report.chosen):
        yield _contestant(entry)
        if entry.role == "candidate":
            yield from _bound_lines(report.evidence.intervals)
    forgetting = report.evidence.forgetting
    if forgetting is not None:
        yield _line("on source rows", "candidate", forgetting.candidate)
        yield _line("on source rows", "source model", forgetting.source)


def _contestant(entry: Contestant) -> dict[str, Any]:
    note = "; ".join(text for text in (entry.problem, entry.note) if text)
    return _line(entry.role, entry.title, entry.metrics, note)


def _line(what: str, who: str, metrics: Metrics | None, note: str = "") -> dict[str, Any]:
    return {**(asdict(metrics) if metrics else {}), "what": what, "who": who, "note": note}


def _bound_lines(intervals: Mapping[str, Interval]) -> Iterator[dict[str, Any]]:
    for end in (LOW, HIGH):
        values = {name: getattr(interval, end) for name, interval in intervals.items()}
        yield {**values, "what": "bound", "who": f"candidate, {end}"}


def _differences(report: Report) -> Iterator[dict[str, Any]]:
    """Candidate minus another one, by metric, the bounds in words."""
    comparison = report.evidence.comparison
    if comparison is not None:
        yield _difference("candidate minus champion", "all compared rows", comparison)
        for part in comparison.slices:
            yield _difference("candidate minus champion", f"{part.column} = {part.value}", part)
    for title, changes in report.evidence.against_rivals.items():
        yield _changed("candidate minus rival", title, changes)


def _difference(what: str, who: str, on: Comparison | Slice) -> dict[str, Any]:
    return {**_changed(what, who, on.changes), "rows": on.rows, "faults": on.faults}


def _changed(what: str, who: str, changes: Mapping[str, Interval]) -> dict[str, Any]:
    estimates = {name: interval.estimate for name, interval in changes.items()}
    said = [
        f"{METRICS[name].title} between {interval.low:+.3f} and {interval.high:+.3f}"
        for name, interval in changes.items()
    ]
    return {**estimates, "what": what, "who": who, "note": "; ".join(said)}


def _rounded(value: Any) -> Any:
    """A value as JSON can hold it, which knows no infinity."""
    if not isinstance(value, float):
        return value
    return round(value, _DIGITS) if math.isfinite(value) else None
