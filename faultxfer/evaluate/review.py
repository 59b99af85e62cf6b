"""What a person should see before approving a candidate, as plain data beside its report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from faultxfer.evaluate.alarms import TOP, sensors_sentence
from faultxfer.evaluate.gate.check import Decision
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.page import event_sentences
from faultxfer.evaluate.plant_words import what_it_finds
from faultxfer.evaluate.report import Contestant, Report
from faultxfer.metric_table import IN_RESULT_TABLE, METRICS, Metric

_SLICES = "GATE-SLICE"


def review(report: Report, decision: Decision, pictures: Iterable[str]) -> dict[str, Any]:
    """The candidate in a few sentences and metrics.

    Args:
        report: of the transfer.
        decision: of the gate.
        pictures: names of the files.

    Returns:
        ``told``: sentences in the plant's words; ``metrics``: of the result table, each with its
        ``low`` and ``high``, and the champion's value on the same rows; ``worst_slice``: a
        sentence; ``sensors``: the five that speak most on alarms, with their share; ``pictures``.
    """
    champion = next((one for one in report.contestants if one.role == "champion"), None)
    told = [
        decision.reason,
        *decision.warnings,
        what_it_finds(report),
        *event_sentences(report.evidence.events),
        sensors_sentence(report.sensors),
        report.transfer_verdict(),
        f"The champion {champion.note}." if champion and champion.note else "",
        *report.alarm_notes,
    ]
    return {
        "told": [sentence for sentence in told if sentence],
        "metrics": [_metric(one, report, champion) for one in IN_RESULT_TABLE],
        "worst_slice": _worst_slice(report, decision),
        "sensors": [one.as_dict() for one in report.sensors[:TOP]],
        "pictures": list(pictures),
    }


def _metric(metric: Metric, report: Report, champion: Contestant | None) -> dict[str, Any]:
    """A metric of the candidate in words that are printed as they are."""
    others = champion.metrics if champion else None
    interval = report.evidence.intervals.get(metric.name)
    return {
        "metric": metric.title,
        "candidate": _text(metric, getattr(report.candidate, metric.name)),
        "low": _text(metric, interval.low if interval else None),
        "high": _text(metric, interval.high if interval else None),
        "champion": _text(metric, getattr(others, metric.name) if others else None),
    }


def _text(metric: Metric, value: float | None) -> str | None:
    return None if value is None else metric.text(value)


def _worst_slice(report: Report, decision: Decision) -> str:
    """The slice of the rows in which the candidate loses most, or gains least."""
    comparison = report.comparison
    found = [
        (_gain(name, change), name, one, change)
        for one in (comparison.slices if comparison else ())
        for name, change in one.changes.items()
    ]
    if not found:
        return next((check.message for check in decision.checks if check.code == _SLICES), "")
    _, name, one, change = min(found, key=lambda each: each[0])
    return (
        f"Where {one.column} is {one.value} ({one.rows} rows, {one.faults} faults) the "
        f"{METRICS[name].title} changed by {change.estimate:+.3f} against the champion, between "
        f"{change.low:+.3f} and {change.high:+.3f}."
    )


def _gain(name: str, change: Interval) -> float:
    return -change.estimate if METRICS[name].lower_is_better else change.estimate
