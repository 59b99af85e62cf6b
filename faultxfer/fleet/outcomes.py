"""What came of each machine, as plain data: for the ledger, the page and programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from faultxfer.errors import (
    ContractError,
    DataError,
    FaultxferError,
    NoVersionError,
    StrategyError,
    UserError,
)
from faultxfer.following import Next
from faultxfer.wording import counted, percent

if TYPE_CHECKING:
    # Only names here: a fleet's own process loads nothing of what its workers do.
    from faultxfer.steps.intake import CheckedRows
    from faultxfer.steps.registration import TransferResult
    from faultxfer.steps.repeats import Unchanged
    from faultxfer.steps.scoring import ScoreResult

# Worst first.
Grade = Literal["failed", "refused", "done"]
GRADES: tuple[Grade, ...] = ("failed", "refused", "done")
# The same bytes and the same request come to the same again.
_OF_THE_FILES = (DataError, ContractError, StrategyError)
_REFUSED_BEFORE = ("refused", "provisional", "waiting", "rejected")


@dataclass(frozen=True)
class Outcome:
    """What came of one machine.

    Attributes:
        machine: its name.
        grade: ``done``; ``refused`` by the gate, which may mean provisional or waiting; ``failed``.
        outcome: in a word: ``promoted``, ``scored``, ``accepted``, ``failed`` …
        told: in a sentence.
        metrics: numbers for the page, by name; None where one could not be had.
        where: the report, the file of scores or that of rows set aside; empty where there is none.
        version: that was registered or scored; empty where none did.
        note: what the manifest says of the machine.
        seconds: that work on it took, of whichever process.
        settled: whether the same request would come to the same again.
        internal: whether it failed for a reason that nobody foresaw.
        before: when it was done, where it was skipped now (ISO 8601); empty elsewhere.
    """

    machine: str
    grade: Grade
    outcome: str
    told: str
    metrics: dict[str, float | int | None] = field(default_factory=dict)
    where: str = ""
    version: str = ""
    note: str = ""
    seconds: float = 0.0
    settled: bool = True
    internal: bool = False
    before: str = ""

    def but(self, **changes: Any) -> Outcome:
        """The same with other values."""
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def of_transfer(machine: str, result: TransferResult | Unchanged) -> Outcome:
    """What a transfer came to, with the metrics of its candidate."""
    from faultxfer.steps.registration import TransferResult

    if not isinstance(result, TransferResult):
        grade: Grade = "refused" if result.before in _REFUSED_BEFORE else "done"
        told = f"{result.reason}."
        return Outcome(machine, grade, result.outcome, told, version=result.version or "")
    passed = result.outcome == "promoted" or result.decision.promoted
    candidate = next(one for one in result.report.contestants if one.role == "candidate")
    found = candidate.metrics
    metrics: dict[str, float | int | None] = {}
    if found is not None:
        rates = {"recall": found.recall, "false_alarm_rate": found.false_alarm_rate}
        metrics = {"rows": found.rows, "faults": found.faults, "pr_auc": found.pr_auc, **rates}
    return Outcome(
        machine,
        "done" if passed else "refused",
        result.outcome,
        result.headline.partition(": ")[2] if passed else result.reason,
        metrics=metrics,
        where=result.page or "",
        version=result.version or "",
    )


def of_scores(machine: str, result: ScoreResult) -> Outcome:
    """How many rows alarm, and by which version."""
    rows, alarms = result.rows.accepted, result.alarm_rows
    share = alarms / rows if rows else None
    by = f"{result.scored_with} version {result.model_version}"
    said = f"{counted(rows, 'row')} scored with {by}, {counted(alarms, 'alarm')}"
    told = " ".join(filter(None, (f"{said}.", result.lost_note, result.note, result.banner)))
    return Outcome(
        machine,
        "done",
        "scored",
        told,
        metrics={"rows": rows, "alarms": alarms, "alarm_share": share},
        where=str(result.out),
        version=result.model_version,
    )


def of_check(machine: str, rows: CheckedRows) -> Outcome:
    """How many rows fit the contract; a refused file is a failure."""
    from faultxfer.contract.outcome import refusal

    metrics: dict[str, float | int | None] = {
        "rows": rows.read,
        "accepted": rows.accepted,
        "set_aside": rows.quarantined,
    }
    where = str(rows.quarantine or "")
    if rows.refused:
        told = str(refusal(rows.findings, "The files do not fit the contract"))
        return Outcome(machine, "failed", "unfit", told, metrics, where)
    share = rows.quarantined / rows.read if rows.read else 0.0
    aside = f", {rows.quarantined:,} set aside ({percent(share)})" if rows.quarantined else ""
    told = f"{counted(rows.read, 'row')} read, {rows.accepted:,} accepted{aside}."
    return Outcome(machine, "done", "accepted", told, metrics, where)


def of_error(machine: str, error: Exception) -> Outcome:
    """Why nothing came of it."""
    if isinstance(error, FaultxferError):
        # Another file would be the way out of the first; the second waits for a version.
        settled = isinstance(error, _OF_THE_FILES) and not isinstance(error, NoVersionError)
        internal = not isinstance(error, UserError)
        told = str(error)
        return Outcome(machine, "failed", "failed", told, settled=settled, internal=internal)
    told = f"Something went wrong inside faultxfer ({type(error).__name__}: {error})."
    return Outcome(machine, "failed", "failed", told, settled=False, internal=True)


@dataclass(frozen=True)
class FleetResult:
    """What came of a fleet.

    Attributes:
        task: ``transfer``, ``score`` or ``validate``.
        machines: the worst first.
        page: one HTML file with all of them.
        seconds: from the first to the last.
        next: what to type now.
    """

    task: str
    machines: tuple[Outcome, ...]
    page: str
    seconds: float
    next: tuple[Next, ...] = ()

    @property
    def outcome(self) -> Grade:
        """That of the worst machine."""
        grades = [one.grade for one in self.machines]
        return next((grade for grade in GRADES if grade in grades), "done")

    @property
    def headline(self) -> str:
        """How many machines came to what."""
        return headline(self.task, self.machines)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "outcome": self.outcome,
            "task": self.task,
            "headline": self.headline,
            "page": self.page,
            "seconds": self.seconds,
            "machines": [one.as_dict() for one in self.machines],
            "next": [one.as_dict() for one in self.next],
        }


def headline(task: str, machines: tuple[Outcome, ...]) -> str:
    """How many machines came to what, the worst first.

    >>> bad = Outcome("a", "failed", "failed", "No file.")
    >>> headline("score", (Outcome("b", "done", "scored", "9 rows scored."), bad))
    'score of 2 machines: 1 failed, 1 scored'
    """
    counts = Counter(one.outcome for one in worst_first(machines))
    said = [f"{count:,} {outcome}" for outcome, count in counts.items()]
    skipped = sum(bool(one.before) for one in machines)
    more = f" ({skipped:,} of them before, and skipped now)" if skipped else ""
    return f"{task} of {counted(len(machines), 'machine')}: {', '.join(said)}{more}"


def worst_first(machines: tuple[Outcome, ...] | list[Outcome]) -> tuple[Outcome, ...]:
    """By grade; within one the lowest PR-AUC, the most alarms or the fewest accepted rows first."""
    return tuple(sorted(machines, key=lambda one: (GRADES.index(one.grade), *_rank(one))))


def _rank(one: Outcome) -> tuple[float, str]:
    metrics = one.metrics
    rows = metrics.get("rows") or 1
    pr_auc, share = metrics.get("pr_auc"), metrics.get("alarm_share")
    if pr_auc is not None:
        return pr_auc, one.machine
    if share is not None:
        return -share, one.machine
    return -(metrics.get("set_aside") or 0) / rows, one.machine
