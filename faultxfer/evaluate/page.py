"""The page of one transfer: the same text for MLflow's version page and Prefect's artifact page."""

from __future__ import annotations

from collections.abc import Iterable

from faultxfer.evaluate.alarms import sensors_sentence
from faultxfer.evaluate.events import EventMetrics
from faultxfer.evaluate.gate.check import (
    NEEDS_APPROVAL,
    NOT_ENOUGH,
    OVERRIDDEN,
    PROMOTE,
    REFUSE,
    TIE,
    Decision,
    Evidence,
    Override,
)
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.plant_words import NOT_FOR, not_to_trust_it_for, what_it_finds
from faultxfer.evaluate.report import (
    COLUMNS,
    Contestant,
    Report,
    described,
    left_out_sentence,
    metric_cells,
)
from faultxfer.metric_table import IN_RESULT_TABLE, OPERATOR_ALARMS_PER_HOUR, PER_HOUR_LIMIT
from faultxfer.wording import amount, counted, percent, probability

_HEADS = {
    PROMOTE: "passed by the gate",
    REFUSE: "refused by the gate",
    TIE: "a tie, so the champion stays",
    NOT_ENOUGH: "not enough evidence, so nothing was promoted",
    NEEDS_APPROVAL: "a person must approve",
}
# What an override was against.
_AGAINST = {
    REFUSE: "The gate had refused it",
    TIE: "The gate had found a tie",
    NOT_ENOUGH: "The gate had not found enough evidence",
    NEEDS_APPROVAL: "The gate had asked for a person's approval",
}
HELD_FAULTS = "What models that had not seen them said of the faults:"


def as_markdown(report: Report, decision: Decision, override: Override | None = None) -> str:
    """The report for MLflow's version page and Prefect's artifact page: sentences, then tables."""
    sentences = [f"- {sentence}" for sentence in _sentences(report, decision)]
    lines = [
        *(*_what_happened(report, decision, override), ""),
        *(what_it_finds(report), "", *_doubts(report), ""),
        *(*sentences, ""),
        *_result_table(report),
        *("", f"The rules of the gate: {decision.rules}.", ""),
        *_check_table(decision),
        *("", *_held_faults(report)),
        *("", *_members(report)),
    ]
    return "\n".join(lines)


def _what_happened(report: Report, decision: Decision, override: Override | None) -> list[str]:
    if override is None or decision.promoted:
        return [f"# {report.equipment}: {_HEADS[decision.outcome]}", "", decision.reason]
    reason = " ".join(override.reason.split())
    return [
        f"# {report.equipment}: {OVERRIDDEN}",
        "",
        f"Promoted by override by {override.by}, for this reason: “{reason}”",
        "",
        f"{_AGAINST[decision.outcome]}: {decision.reason}",
    ]


def _doubts(report: Report) -> list[str]:
    return [NOT_FOR, "", *(f"- {doubt}" for doubt in not_to_trust_it_for(report))]


def _sentences(report: Report, decision: Decision) -> list[str]:
    """What a person should know before reading the tables."""
    rows = counted(report.candidate.rows, "row")
    faults = counted(report.candidate.faults, "fault")
    command = (
        f"faultxfer learning-curve CSV... --contract FILE --model {report.model} "
        f"--equipment {report.equipment}"
    )
    sentences = [
        *(f"**Note:** {warning}" for warning in decision.warnings),
        report.transfer_verdict(),
        report.source_evidence,
        f"Judged on {rows} with {faults}: {report.split}.",
        report.validity,
        f"A row alarms above a fault probability of {probability(report.threshold)}.",
        *report.alarm_notes,
        *event_sentences(report.evidence.events),
        sensors_sentence(report.sensors),
        certainty_sentence(report.evidence),
        f"Would more labels help? `{command}` shows it.",
    ]
    return [sentence for sentence in sentences if sentence]


def _result_table(report: Report) -> list[str]:
    shown = described(report)
    lines = [
        _row(f"{report.model} → {report.equipment}", COLUMNS),
        f"|---|{'---|' * len(COLUMNS)}",
        *(_contestant_row(entry) for entry in shown),
        _bounds_row(report.evidence.intervals),
    ]
    left_out = left_out_sentence(report, shown)
    return [*lines, "", left_out] if left_out else lines


def _row(title: str, cells: Iterable[str]) -> str:
    return f"| {title} | {' | '.join(cells)} |"


def _contestant_row(entry: Contestant) -> str:
    title, note = entry.title, entry.problem or entry.note
    if entry.role == "candidate":
        title = f"**{title}**"
    if note:
        title += f" ({note})"
    return _row(title, metric_cells(entry.metrics))


def _bounds_row(intervals: dict[str, Interval]) -> str:
    """The candidate's bounds as a line of the table."""
    cells = []
    for metric in IN_RESULT_TABLE:
        interval = intervals.get(metric.name)
        if interval is None:
            cells.append("–")
        else:
            cells.append(f"{metric.text(interval.low)} to {metric.text(interval.high)}")
    return _row("candidate, between", cells)


def _check_table(decision: Decision) -> list[str]:
    lines = ["| check | result | |", "|---|---|---|"]
    for check in decision.checks:
        lines.append(_row(f"{check.code}: {check.title}", (check.status, check.message)))
    return lines


def held_fault_lines(report: Report) -> list[str]:
    """What was said of each fault; empty where there are enough to sum them up."""
    lines = [fault.sentence for fault in report.held_faults]
    if lines and report.candidate.faults > len(lines):
        lines.append(f"and of {report.candidate.faults - len(lines)} more")
    return lines


def _held_faults(report: Report) -> list[str]:
    lines = [f"- {line}" for line in held_fault_lines(report)]
    return [HELD_FAULTS, "", *lines, ""] if lines else []


def _members(report: Report) -> list[str]:
    """The weight of each member of a stack; one member by itself has all of it."""
    if len(report.weights) < 2:
        return []
    lines = ["The candidate is a weighted average of logits:", ""]
    lines += ["| member | weight |", "|---|---|"]
    lines += [_row(name, [f"{percent(weight)}"]) for name, weight in report.weights]
    return [*lines, ""]


def event_sentences(events: EventMetrics | None) -> list[str]:
    """How many alarms there were, beside what :func:`what_it_finds` says."""
    if events is None:
        return []
    untouched = f"{counted(events.false_alarms, 'alarm')} touched no fault"
    load = events.alarms_per_hour
    if events.false_alarms_per_day is None or load is None:
        return [f"{untouched}; without dates they have no rate."]
    within = "within" if load <= OPERATOR_ALARMS_PER_HOUR else "above"
    together = f"all alarms together are {amount(load)} an hour on these rows, {within} the limit"
    return [f"{untouched}; {together}: {PER_HOUR_LIMIT}."]


def certainty_sentence(evidence: Evidence) -> str:
    """What an interval means here."""
    if not evidence.intervals:
        return (
            "How sure the metrics are cannot be said: too few runs, or blocks of time, hold faults "
            "or none."
        )
    units = "blocks of time of the same few runs, which makes them look surer"
    if evidence.by == "run":
        units = "runs"
    holding = counted(evidence.clusters, "holds faults", "hold faults")
    return (
        f"Other recordings of this machine would give other metrics: each bound was found by "
        f"drawing {units} again and again ({holding}), and is wrong about "
        "once in twenty times at the default confidence."
    )
