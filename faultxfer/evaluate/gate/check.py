"""What the gate is given and what it answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from faultxfer.evaluate.events import EventFigures
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.metrics import Metrics

PASSED, FAILED, WARNED, NOT_APPLICABLE = "passed", "failed", "warned", "not applicable"
TIED, OPEN, APPROVAL = "tied", "not shown", "needs approval"

PROMOTE, REFUSE, TIE = "promote", "refuse", "tie"
NOT_ENOUGH, NEEDS_APPROVAL = "not enough evidence", "needs approval"


@dataclass(frozen=True)
class Check:
    """One gate check result.

    Attributes:
        code: stable code, with a section in ``docs/gate.md``.
        title: what is checked, in a few words.
        status: passed, failed, warned, tied, not shown, needs approval or not applicable.
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
class Part:
    """Candidate and champion on a part of the compared rows.

    Attributes:
        column, value: which part.
        rows, faults, runs: how many rows, fault rows, and runs with faults (or blocks of time, where one run is all).
        changes: candidate minus champion by figure; empty where a part is too small to be measured.
    """

    column: str
    value: str
    rows: int
    faults: int
    runs: int
    changes: dict[str, Interval] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """Candidate and champion on the rows that the champion was not trained on.

    Attributes:
        candidate: figures on these rows, or None where they hold too little to compare.
        champion: the champion's figures on them, or None likewise.
        rows, faults: how many rows there are.
        excluded: rows left out because the champion was trained on them.
        changes: candidate minus champion by figure; one without an interval is left out.
        by, clusters: what was resampled, ``run`` or ``block of time``, and how many with faults there are.
        columns: names of the columns that parts were looked for in.
        parts: the parts found.
    """

    candidate: Metrics | None
    champion: Metrics | None
    rows: int
    faults: int
    excluded: int
    changes: dict[str, Interval] = field(default_factory=dict)
    by: str = "run"
    clusters: int = 0
    columns: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            **asdict(self),
            "candidate": self.candidate and self.candidate.as_dict(),
            "champion": self.champion and self.champion.as_dict(),
            "columns": list(self.columns),
            "parts": [asdict(part) for part in self.parts],
        }


@dataclass(frozen=True)
class Forgetting:
    """Candidate and source model on rows of the source machines.

    Attributes:
        rows, faults: how many rows there are.
        candidate, source: the figures of each.
        changes: candidate minus source by figure.
    """

    rows: int
    faults: int
    candidate: Metrics
    source: Metrics
    changes: dict[str, Interval]


@dataclass(frozen=True)
class Cost:
    """What it takes to run the candidate: milliseconds to score 1000 rows here, and megabytes on disk."""

    milliseconds: float
    megabytes: float


@dataclass(frozen=True)
class Evidence:
    """All the gate may look at.

    Attributes:
        candidate: figures on the judged rows.
        champion_version: version of the present champion, or None where there is none.
        comparison: against the champion, or None where there is none.
        rivals: figures by title on the judged rows; None for a rival that could not run.
        intervals: of the candidate's figures; one that could not be given is left out.
        events: of the candidate, or None.
        against_rivals: candidate minus rival, by title and figure.
        by, clusters: what was resampled, ``run`` or ``block of time``, and how many with faults there are.
        forgetting: on the source's rows, or None where none are kept.
        cost: of the candidate, or None where it was not measured.
    """

    candidate: Metrics
    champion_version: str | None
    comparison: Comparison | None
    rivals: dict[str, Metrics | None]
    intervals: dict[str, Interval] = field(default_factory=dict)
    events: EventFigures | None = None
    against_rivals: dict[str, dict[str, Interval]] = field(default_factory=dict)
    by: str = "run"
    clusters: int = 0
    forgetting: Forgetting | None = None
    cost: Cost | None = None

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON; figures of candidate and rivals stand with the contestants."""
        plain = asdict(self)
        for name in ("candidate", "rivals"):
            del plain[name]
        return {
            **plain,
            "comparison": self.comparison and self.comparison.as_dict(),
            "events": self.events and self.events.as_dict(),
        }


@dataclass(frozen=True)
class Decision:
    """The gate's answer.

    Attributes:
        outcome: ``promote``, ``refuse``, ``tie``, ``not enough evidence`` or ``needs approval``.
        reason: why, in plain sentences.
        checks: every check made, and those that did not apply.
        warnings: sentences that do not stop a promotion.
        rules: name and SHA-256 of the rules that were applied.
    """

    outcome: str
    reason: str
    checks: tuple[Check, ...]
    warnings: tuple[str, ...] = ()
    rules: str = ""

    @property
    def promoted(self) -> bool:
        """Whether the candidate passed."""
        return self.outcome == PROMOTE

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "checks": [check.as_dict() for check in self.checks],
            "warnings": list(self.warnings),
            "rules": self.rules,
        }


def metric_name(name: str) -> str:
    """``false_alarm_rate`` as a person reads it."""
    return {"pr_auc": "PR-AUC", "roc_auc": "ROC-AUC"}.get(name, name.replace("_", " "))
