"""What the gate is given and what it answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from faultxfer.evaluate.events import EventMetrics
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.metrics import Metrics

PASSED, FAILED, WARNED, NOT_APPLICABLE = "passed", "failed", "warned", "not applicable"
TIED, OPEN, APPROVAL = "tied", "not shown", "needs approval"

PROMOTE, REFUSE, TIE = "promote", "refuse", "tie"
NOT_ENOUGH, NEEDS_APPROVAL = "not enough evidence", "needs approval"

# What came of a candidate, where that has another word than what the gate decided.
PROMOTED, OVERRIDDEN, REFUSED = "promoted", "promoted by override", "refused"


@dataclass(frozen=True)
class Check:
    """One gate check result.

    Attributes:
        code: stable code, with a section in ``docs/gate.md``.
        title: what is checked, in a few words.
        status: passed, failed, warned, tied, not shown, needs approval or not applicable.
        message: one sentence with the metrics.
        by_rows: whether the rows that judge gave it; too few of them decide nothing.
    """

    code: str
    title: str
    status: str
    message: str
    by_rows: bool = True


@dataclass(frozen=True)
class Slice:
    """Candidate and champion on a slice of the compared rows.

    Attributes:
        column, value: which slice.
        rows, faults: how many rows and fault rows.
        runs: runs with faults, or blocks of time where one run is all.
        changes: candidate minus champion by metric; empty where a slice is too small.
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
        candidate: metrics on these rows, or None where they hold too little to compare.
        champion: the champion's metrics on them, or None likewise.
        rows, faults: how many rows there are.
        excluded: rows left out because the champion was trained on them.
        changes: candidate minus champion by metric; one without an interval is left out.
        by, clusters: what was resampled, ``run`` or ``block of time``, and how many hold faults.
        columns: names of the columns that slices were looked for in.
        slices: the slices found.
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
    slices: tuple[Slice, ...] = ()


@dataclass(frozen=True)
class Forgetting:
    """Candidate and source model on rows of the source machines.

    Attributes:
        rows, faults: how many rows there are.
        candidate, source: the metrics of each.
        changes: candidate minus source by metric.
    """

    rows: int
    faults: int
    candidate: Metrics
    source: Metrics
    changes: dict[str, Interval]


@dataclass(frozen=True)
class Cost:
    """What it takes to run the candidate.

    Attributes:
        milliseconds: to score 1000 rows on this machine.
        megabytes: of its files.
    """

    milliseconds: float
    megabytes: float


@dataclass(frozen=True)
class OwnFaults:
    """The labelled faults of the machine, and those of them at which the kept model alarms.

    Attributes:
        faults: labelled fault rows, those that it was fitted on included.
        alarms: how many of them alarm.
    """

    faults: int
    alarms: int


@dataclass(frozen=True)
class Evidence:
    """All the gate may look at.

    Attributes:
        candidate: metrics on the test rows.
        champion_version: version of the present champion, or None where there is none.
        comparison: against the champion, or None where there is none, or it cannot score the rows.
        not_comparable: why it cannot; empty where it can, or there is none.
        against: what contradicts the labels, in whole sentences.
        rivals: metrics by title on the test rows; None for a rival that could not run.
        intervals: of the candidate's metrics; one that could not be given is left out.
        events: of the candidate, or None.
        against_rivals: candidate minus rival, by title and metric.
        by, clusters: what was resampled, ``run`` or ``block of time``, and how many hold faults.
        forgetting: on the source's rows, or None where none are kept.
        cost: of the candidate, or None where it was not measured.
        own_faults: what the candidate says of the faults it was made from, or None likewise.
        decides: whether the rows suffice to judge by.
        asked_rate: of false alarms, by which the candidate's threshold was chosen; None where it
            is not known.
    """

    candidate: Metrics
    champion_version: str | None
    comparison: Comparison | None
    rivals: dict[str, Metrics | None]
    intervals: dict[str, Interval] = field(default_factory=dict)
    events: EventMetrics | None = None
    against_rivals: dict[str, dict[str, Interval]] = field(default_factory=dict)
    by: str = "run"
    clusters: int = 0
    forgetting: Forgetting | None = None
    cost: Cost | None = None
    own_faults: OwnFaults | None = None
    decides: bool = True
    asked_rate: float | None = None
    not_comparable: str = ""
    against: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON; metrics of candidate and rivals stand with the contestants."""
        plain = asdict(self)
        del plain["candidate"], plain["rivals"]
        if self.comparison is not None:
            # The name of release 0.1.0, kept for one release.
            plain["comparison"]["parts"] = plain["comparison"]["slices"]
        return plain


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
        return asdict(self)


@dataclass(frozen=True)
class Override:
    """A person promoted what the gate had refused, or wants to.

    Attributes:
        by: who, as the journal names them.
        reason: why, in their words.
    """

    by: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        """Plain data for JSON."""
        return asdict(self)


def outcome_in_words(decision: Decision, override: Override | None) -> str:
    """What came of a candidate, as pages and tags say it.

    >>> refused = Decision("refuse", "Recall is 0.2.", ())
    >>> outcome_in_words(refused, None), outcome_in_words(refused, Override("ann", "agreed"))
    ('refused', 'promoted by override')
    """
    if decision.promoted:
        return PROMOTED
    if override is not None:
        return OVERRIDDEN
    return REFUSED if decision.outcome == REFUSE else decision.outcome


def pair_of(name: str, one: Metrics | None, other: Metrics | None) -> tuple[float, float] | None:
    """The same metric of two models, or None where one of them has none."""
    values = getattr(one, name, None), getattr(other, name, None)
    if values[0] is None or values[1] is None:
        return None
    return values[0], values[1]
