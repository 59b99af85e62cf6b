"""What the gate is given and what it answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from faultxfer.evaluate.metrics import Metrics

PASSED, FAILED, WARNED, NOT_APPLICABLE = "passed", "failed", "warned", "not applicable"


@dataclass(frozen=True)
class Check:
    """One gate check result.

    Attributes:
        code: stable code, with a section in ``docs/gate.md``.
        title: what is checked, in a few words.
        status: passed, failed, warned or not applicable.
        message: one sentence with the figures.
    """

    code: str
    title: str
    status: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """Candidate and champion on the rows that the champion was not trained on.

    Attributes:
        candidate, champion: figures on these rows, or None where they hold too little to compare.
        rows, faults: how many rows there are.
        excluded: rows left out because the champion was trained on them.
    """

    candidate: Metrics | None
    champion: Metrics | None
    rows: int
    faults: int
    excluded: int


@dataclass(frozen=True)
class Evidence:
    """All the gate may look at.

    Attributes:
        candidate: figures on the judged rows.
        champion_version: version of the present champion, or None where there is none.
        comparison: against the champion, or None where there is none.
        rivals: figures by title on the judged rows; None for a rival that could not run.
    """

    candidate: Metrics
    champion_version: str | None
    comparison: Comparison | None
    rivals: dict[str, Metrics | None]


@dataclass(frozen=True)
class Decision:
    """The gate's answer.

    Attributes:
        outcome: ``promote`` or ``refuse``.
        reason: why, in plain sentences.
        checks: every check made, and those that did not apply.
        warnings: sentences that do not stop a promotion.
    """

    outcome: str
    reason: str
    checks: tuple[Check, ...]
    warnings: tuple[str, ...] = ()

    @property
    def promoted(self) -> bool:
        """Whether the candidate passed."""
        return self.outcome == "promote"

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "checks": [check.as_dict() for check in self.checks],
            "warnings": list(self.warnings),
        }


def metric_name(name: str) -> str:
    """``false_alarm_rate`` as a person reads it."""
    return {"pr_auc": "PR-AUC", "roc_auc": "ROC-AUC"}.get(name, name.replace("_", " "))
