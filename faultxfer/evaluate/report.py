"""The report of one transfer: the same figures for terminal, MLflow and Prefect."""

from __future__ import annotations

from dataclasses import dataclass, field

from faultxfer.errors import DataError
from faultxfer.evaluate.gate.check import Comparison, Decision, Evidence
from faultxfer.evaluate.metrics import Metrics

COLUMNS = ("PR-AUC", "ROC-AUC", "recall", "false alarms", "log-loss")


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
        champion_version: the champion before this run, or None.
        comparison: against the champion, or None.
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
    champion_version: str | None
    comparison: Comparison | None
    threshold: float
    weights: tuple[tuple[str, float], ...] = ()
    source_evidence: str = ""
    alarm: dict[str, object] = field(default_factory=dict)
    alarm_notes: tuple[str, ...] = ()

    @property
    def candidate(self) -> Metrics:
        """The candidate's figures."""
        metrics = self.contestants[0].metrics
        if metrics is None:
            raise DataError("A measured candidate was expected", received={"candidate": None})
        return metrics

    def evidence(self) -> Evidence:
        """What the gate may look at."""
        rivals = {entry.title: entry.metrics for entry in self.contestants if entry.role == "rival"}
        return Evidence(self.candidate, self.champion_version, self.comparison, rivals)

    def transfer_verdict(self) -> str:
        """One plain sentence: did the source help?"""
        without = [entry for entry in self.contestants if entry.role == "rival" and not entry.uses_source]
        measured = {entry.title: entry.metrics.pr_auc for entry in without if entry.metrics}
        if not measured:
            return "Whether the source helped is unknown: no rival without source rows could run."
        best = max(measured, key=lambda title: measured[title])
        gain = self.candidate.pr_auc - measured[best]
        if gain < -0.01:
            return (
                f"Negative transfer: {best} has PR-AUC {measured[best]:.3f}, better by {-gain:.3f}, without the source."
            )
        if gain <= 0.01:
            return f"The source made no difference: {best} has PR-AUC {measured[best]:.3f} without it ({gain:+.3f})."
        return f"The source helped: {gain:+.3f} PR-AUC over the best rival without it ({best}, {measured[best]:.3f})."

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        comparison = self.comparison
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
            "champion_version": self.champion_version,
            "comparison": comparison
            and {
                "rows": comparison.rows,
                "faults": comparison.faults,
                "excluded": comparison.excluded,
                "candidate": comparison.candidate and comparison.candidate.as_dict(),
                "champion": comparison.champion and comparison.champion.as_dict(),
            },
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
    """The report for MLflow's version page and Prefect's artifact page."""
    head = f"# {report.equipment}: {'passed' if decision.promoted else 'refused'} by the gate"
    judged = report.candidate
    lines = [
        head,
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
        "- Would more labels help? `faultxfer learning-curve CSV... --contract FILE "
        f"--model {report.model} --equipment {report.equipment}` tells.",
        "",
        f"| {report.model} → {report.equipment} | {' | '.join(COLUMNS)} |",
        f"|---|{'---|' * len(COLUMNS)}",
        *[_line(entry) for entry in report.contestants],
        "",
        "| check | result | |",
        "|---|---|---|",
        *[f"| {check.code}: {check.title} | {check.status} | {check.message} |" for check in decision.checks],
        "",
        *_members(report),
    ]
    return "\n".join(lines)


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
