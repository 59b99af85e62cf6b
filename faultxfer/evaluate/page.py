"""The card of one transfer: the same text for MLflow's, Prefect's and the report's own page."""

from __future__ import annotations

from faultxfer.document import Block, Bullets, Heading, Paragraph, Table, Text, Words, to_markdown
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
from faultxfer.following import typed
from faultxfer.metric_table import IN_RESULT_TABLE, OPERATOR_ALARMS_PER_HOUR, PER_HOUR_LIMIT
from faultxfer.wording import amount, counted, percent, probability

_HEADS = {
    PROMOTE: "passed by the gate",
    REFUSE: "refused by the gate",
    TIE: "a tie, so the champion stays",
    NOT_ENOUGH: "not enough evidence, so nothing was promoted",
    NEEDS_APPROVAL: "a person decides",
}
# What an override was against.
_AGAINST = {
    REFUSE: "The gate had refused it",
    TIE: "The gate had found a tie",
    NOT_ENOUGH: "The gate had not found enough evidence",
    NEEDS_APPROVAL: "The gate had asked for a person's approval",
}
JUDGED_ON = "How it was judged:"
HELD_FAULTS = "What models that had not seen them said of the faults:"


def as_markdown(report: Report, decision: Decision, override: Override | None = None) -> str:
    """The card, for MLflow's version page and Prefect's artifact page."""
    return to_markdown(card(report, decision, override))


def card(report: Report, decision: Decision, override: Override | None = None) -> tuple[Block, ...]:
    """What every page says of a transfer: sentences, then tables."""
    return (*verdict(report, decision, override), *details(report, decision))


def verdict(
    report: Report, decision: Decision, override: Override | None = None
) -> tuple[Block, ...]:
    """What the gate decided and why, what the candidate finds, what not to trust it for."""
    return (
        *_what_happened(report, decision, override),
        Paragraph(what_it_finds(report)),
        Paragraph(NOT_FOR),
        Bullets(not_to_trust_it_for(report)),
    )


def details(report: Report, decision: Decision) -> tuple[Block, ...]:
    """Every contestant, on what it was judged, and every check of the gate."""
    return (
        *_result_table(report),  # first, as MLflow's page of a version has no room for all
        Paragraph(JUDGED_ON),
        Bullets(tuple(_sentences(report, decision))),
        Paragraph(f"The rules of the gate: {decision.rules}."),
        _check_table(decision),
        *_held_faults(report),
        *_members(report),
    )


def _what_happened(
    report: Report, decision: Decision, override: Override | None
) -> tuple[Block, ...]:
    if override is None or decision.promoted:
        title = Heading(f"{report.equipment}: {_HEADS[decision.outcome]}", 1)
        return (title, Paragraph(decision.reason))
    return (
        Heading(f"{report.equipment}: {OVERRIDDEN}", 1),
        Paragraph(f"Promoted by override by {override.by}, for this reason: “{override.reason}”"),
        Paragraph(f"{_AGAINST[decision.outcome]}: {decision.reason}"),
    )


def _sentences(report: Report, decision: Decision) -> list[Words]:
    """What a person should know before reading the tables."""
    rows = counted(report.candidate.rows, "row")
    faults = counted(report.candidate.faults, "fault")
    machine = ("--model", report.model, "--equipment", report.equipment)
    command = typed("learning-curve", "CSV...", "--contract", "FILE", *machine)
    sentences = [
        report.transfer_verdict(),
        report.source_evidence,
        sensors_sentence(report.sensors),
        *report.on_labels,
        *report.on_sensors,
        f"Judged on {rows} with {faults}: {report.split}.",
        report.validity,
        f"A row alarms above a fault probability of {probability(report.threshold)}.",
        *report.alarm_notes,
        *event_sentences(report.evidence.events),
        certainty_sentence(report.evidence),
        f"Would more labels help? `{command}` shows it.",
    ]
    warnings = [Text(warning, lead="Note:") for warning in decision.warnings]
    return [*warnings, *filter(None, sentences)]


def _result_table(report: Report) -> list[Block]:
    shown = described(report)
    rows = [*(_contestant_row(entry) for entry in shown), _bounds_row(report.evidence.intervals)]
    table = Table((f"{report.model} → {report.equipment}", *COLUMNS), tuple(rows))
    left_out = left_out_sentence(report, shown)
    return [table, Paragraph(left_out)] if left_out else [table]


def _contestant_row(entry: Contestant) -> tuple[Words, ...]:
    note = entry.problem or entry.note
    beside = f"({note})" if note else ""
    title: Words = f"{entry.title} {beside}"
    if entry.role == "candidate":
        title = Text(beside, lead=entry.title)
    return (title, *metric_cells(entry.metrics))


def _bounds_row(intervals: dict[str, Interval]) -> tuple[Words, ...]:
    """The candidate's bounds as a line of the table."""
    cells = []
    for metric in IN_RESULT_TABLE:
        interval = intervals.get(metric.name)
        if interval is None:
            cells.append("–")
        else:
            cells.append(f"{metric.text(interval.low)} to {metric.text(interval.high)}")
    return ("candidate, between", *cells)


def _check_table(decision: Decision) -> Table:
    rows = tuple(
        (f"{check.code}: {check.title}", check.status, check.message) for check in decision.checks
    )
    return Table(("check", "result", ""), rows)


def held_fault_lines(report: Report) -> list[str]:
    """What was said of each fault; empty where there are enough to sum them up."""
    lines = [fault.sentence for fault in report.held_faults]
    if lines and report.candidate.faults > len(lines):
        lines.append(f"and of {report.candidate.faults - len(lines)} more")
    return lines


def _held_faults(report: Report) -> tuple[Block, ...]:
    lines = held_fault_lines(report)
    return (Paragraph(HELD_FAULTS), Bullets(tuple(lines))) if lines else ()


def _members(report: Report) -> tuple[Block, ...]:
    """The weight of each member of a stack; one member by itself has all of it."""
    if len(report.weights) < 2:
        return ()
    rows = tuple((name, percent(weight)) for name, weight in report.weights)
    return (
        Paragraph("The candidate is a weighted average of logits:"),
        Table(("member", "weight"), rows),
    )


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
    return [f"{untouched}; {together}: {PER_HOUR_LIMIT}.{_burden(events)}"]


def _burden(events: EventMetrics) -> str:
    """For how much of the time it alarms, and whether alarms chatter; empty where not known."""
    if events.time_in_alarm is None:
        return ""
    chatters = "none chatters"
    if events.chattering:
        chatters = (
            f"{counted(events.chattering, 'alarm')} chattered (the third in a minute, or in six "
            "steps where rows are further apart: ISA-18.2)"
        )
    return f" There is an alarm in {percent(events.time_in_alarm)} of the time, and {chatters}."


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
