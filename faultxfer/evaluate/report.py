"""The report of one transfer: the same figures for terminal, MLflow and Prefect."""

from __future__ import annotations

from dataclasses import dataclass, field

from faultxfer.evaluate.events import OPERATOR_LOAD, EventFigures
from faultxfer.evaluate.gate.check import (
    NEEDS_APPROVAL,
    NOT_ENOUGH,
    PROMOTE,
    REFUSE,
    TIE,
    Comparison,
    Decision,
    Evidence,
)
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.metrics import Metrics

COLUMNS = ("PR-AUC", "ROC-AUC", "recall", "false alarms", "log-loss")
_HEADS = {
    PROMOTE: "passed by the gate",
    REFUSE: "refused by the gate",
    TIE: "a tie, so the champion stays",
    NOT_ENOUGH: "not enough evidence, so nothing was promoted",
    NEEDS_APPROVAL: "a person must approve",
}


@dataclass(frozen=True)
class Contestant:
    """One line of the result table.

    Attributes:
        name: short name, stable.
        title: name in words.
        role: ``candidate``, ``champion`` or ``rival``.
        uses_source: whether it knows the source machine; negative transfer is measured against those that do not.
        metrics: on the judged rows, or None where it could not run.
        problem: why it could not run.
        note: what to bear in mind while reading its figures.
    """

    name: str
    title: str
    role: str
    uses_source: bool
    metrics: Metrics | None
    problem: str = ""
    note: str = ""

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "role": self.role,
            "uses_source": self.uses_source,
            "metrics": self.metrics.as_dict() if self.metrics else None,
            "problem": self.problem,
            "note": self.note,
        }


@dataclass(frozen=True)
class Report:
    """What came out of one transfer.

    Attributes:
        model, equipment, strategy: what was transferred where and how.
        mode, split, worth: how rows were divided, why, and what the figures are worth.
        contestants: the candidate first.
        evidence: what the gate looks at, with the comparison against the champion.
        threshold: alarm threshold of the candidate.
        weights: of a stack's members by name, the heaviest first; empty for a single network.
        source_evidence: what a stack's training rows say of the source, in a sentence; empty for a single network.
        alarm: evidence for the threshold's false-alarm rate, as plain data.
        alarm_notes: sentences on what threshold and probabilities can be relied on for.
    """

    model: str
    equipment: str
    strategy: str
    mode: str
    split: str
    worth: str
    contestants: tuple[Contestant, ...]
    evidence: Evidence
    threshold: float
    weights: tuple[tuple[str, float], ...] = ()
    source_evidence: str = ""
    alarm: dict[str, object] = field(default_factory=dict)
    alarm_notes: tuple[str, ...] = ()

    @property
    def candidate(self) -> Metrics:
        """The candidate's figures."""
        return self.evidence.candidate

    @property
    def champion_version(self) -> str | None:
        """The champion before this run, or None."""
        return self.evidence.champion_version

    @property
    def comparison(self) -> Comparison | None:
        """Candidate and champion on the same rows, or None."""
        return self.evidence.comparison

    def transfer_verdict(self) -> str:
        """One plain sentence: did the source help?"""
        without = [
            entry for entry in self.contestants if entry.role == "rival" and not entry.uses_source
        ]
        measured = {entry.title: entry.metrics.pr_auc for entry in without if entry.metrics}
        if not measured:
            return "Whether the source helped is unknown: no rival without source rows could run."
        best = max(measured, key=lambda title: measured[title])
        gain = self.candidate.pr_auc - measured[best]
        if gain < -0.01:
            found = f"{best} has PR-AUC {measured[best]:.3f}, better by {-gain:.3f}"
            return f"Negative transfer: {found}, without the source."
        if gain <= 0.01:
            return f"The source made no difference: {best} has PR-AUC {measured[best]:.3f} without it ({gain:+.3f})."
        return f"The source helped: {gain:+.3f} PR-AUC over the best rival without it ({best}, {measured[best]:.3f})."

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "model": self.model,
            "equipment": self.equipment,
            "strategy": self.strategy,
            "mode": self.mode,
            "split": self.split,
            "worth": self.worth,
            "verdict": self.transfer_verdict(),
            "source_evidence": self.source_evidence,
            "threshold": self.threshold,
            "alarm": {**self.alarm, "notes": list(self.alarm_notes)},
            "weights": dict(self.weights),
            **self.evidence.as_dict(),
            "contestants": [contestant.as_dict() for contestant in self.contestants],
        }


def figures(metrics: Metrics | None) -> list[str]:
    """The cells of one table line, under :data:`COLUMNS`."""
    if metrics is None:
        return ["–"] * len(COLUMNS)
    return [
        f"{metrics.pr_auc:.3f}",
        f"{metrics.roc_auc:.3f}",
        f"{metrics.recall:.0%}",
        f"{metrics.false_alarm_rate:.1%}",
        f"{metrics.log_loss:.3f}",
    ]


def as_markdown(report: Report, decision: Decision) -> str:
    """The report for MLflow's version page and Prefect's artifact page: sentences first, then the tables."""
    judged = report.candidate
    lines = [
        f"# {report.equipment}: {_HEADS[decision.outcome]}",
        "",
        decision.reason,
        "",
        *[f"- **Note:** {warning}" for warning in decision.warnings],
        f"- {report.transfer_verdict()}",
        *([f"- {report.source_evidence}"] if report.source_evidence else []),
        f"- Judged on {judged.rows} rows with {judged.faults} faults: {report.split}.",
        f"- {report.worth}",
        f"- A row alarms above a fault probability of {report.threshold:.3f}.",
        *[f"- {note}" for note in report.alarm_notes],
        *[f"- {sentence}" for sentence in event_sentences(report.evidence.events)],
        f"- {certainty_sentence(report.evidence)}",
        "- Would more labels help? `faultxfer learning-curve CSV... --contract FILE "
        f"--model {report.model} --equipment {report.equipment}` tells.",
        "",
        f"| {report.model} → {report.equipment} | {' | '.join(COLUMNS)} |",
        f"|---|{'---|' * len(COLUMNS)}",
        *[_line(entry) for entry in report.contestants],
        _bounds(report.evidence.intervals),
        "",
        f"The rules of the gate: {decision.rules}.",
        "",
        "| check | result | |",
        "|---|---|---|",
        *[
            f"| {check.code}: {check.title} | {check.status} | {check.message} |"
            for check in decision.checks
        ],
        "",
        *_members(report),
    ]
    return "\n".join(lines)


def event_sentences(events: EventFigures | None) -> list[str]:
    """Faults found and alarms raised, counted as events."""
    if events is None:
        return []
    found = events.event_recall
    sentences = [
        f"It noticed {events.found} of {events.faults} fault events: {found.estimate:.0%}, and between {found.low:.0%} "
        f"and {found.high:.0%} can be expected of others{_delay(events.detection_delay)}."
    ]
    rate = events.false_alarms_per_day
    if rate is None:
        return [
            *sentences,
            f"{events.false_alarms} alarms touched no fault; without dates they have no rate.",
        ]
    sentences.append(
        f"{events.false_alarms} alarms touched no fault: {rate.estimate:.2g} for each day of normal operation, between "
        f"{rate.low:.2g} and {rate.high:.2g}."
    )
    if events.alarms_per_hour is not None:
        within = "within" if events.alarms_per_hour <= OPERATOR_LOAD else "above"
        sentences.append(
            f"All alarms together are {events.alarms_per_hour:.2g} an hour on these rows, {within} the "
            f"{OPERATOR_LOAD:g} an hour that EEMUA 191 finds acceptable for one operator with all systems."
        )
    return sentences


def _delay(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for size, unit in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= size:
            return f"; half of the faults within {seconds / size:.3g} {unit} of their start"
    return f"; half of the faults within {seconds:.3g} seconds of their start"


def certainty_sentence(evidence: Evidence) -> str:
    """What an interval means here."""
    if not evidence.intervals:
        return "How sure the figures are cannot be said: too few runs, or blocks of time, hold faults or none."
    units = (
        "runs"
        if evidence.by == "run"
        else "blocks of time of the same few runs, which makes them look surer"
    )
    return (
        f"Other recordings of this machine would give other figures: each bound was found by drawing {units} again and "
        f"again ({evidence.clusters} hold faults), and is wrong about once in twenty times at the default confidence."
    )


def _bounds(intervals: dict[str, Interval]) -> str:
    """The candidate's bounds as a line of the table."""
    forms = {
        "pr_auc": ".3f",
        "roc_auc": ".3f",
        "recall": ".0%",
        "false_alarm_rate": ".1%",
        "log_loss": ".3f",
    }
    found = [(intervals.get(name), form) for name, form in forms.items()]
    cells = [f"{one.low:{form}} to {one.high:{form}}" if one else "–" for one, form in found]
    return f"| candidate, between | {' | '.join(cells)} |"


def _members(report: Report) -> list[str]:
    """Who has which say in a stack; one member by itself has all of it."""
    if len(report.weights) < 2:
        return []
    lines = [f"| {name} | {weight:.0%} |" for name, weight in report.weights]
    return [
        "The candidate is a weighted average of calibrated logits:",
        "",
        "| member | weight |",
        "|---|---|",
        *lines,
        "",
    ]


def _line(entry: Contestant) -> str:
    title = f"**{entry.title}**" if entry.role == "candidate" else entry.title
    note = entry.problem or entry.note
    return f"| {title}{f' ({note})' if note else ''} | {' | '.join(figures(entry.metrics))} |"
