"""A report in the words of a plant: what came of it, what it finds, and what not to trust it for.

Terminal, version page and flow page take their words from here, so that they say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from faultxfer.evaluate.events import ROW, EventMetrics
from faultxfer.evaluate.gate.check import (
    APPROVAL,
    FAILED,
    NEEDS_APPROVAL,
    NOT_ENOUGH,
    OPEN,
    OVERRIDDEN,
    PROMOTE,
    PROMOTED,
    REFUSE,
    REFUSED,
    TIE,
    TIED,
    Decision,
    Override,
    Slice,
)
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.metrics import Metrics
from faultxfer.evaluate.report import (
    BEST_RIVAL,
    SOURCE_AS_IS,
    Contestant,
    Report,
    described,
    highlighted,
)
from faultxfer.metric_table import METRICS, OPERATOR_ALARMS_PER_DAY
from faultxfer.wording import (
    about,
    amount,
    counted,
    duration,
    listed,
    percent,
    period_of,
    probability,
)

COLUMNS = ("", "PR-AUC", "candidate ahead by", "recall", "false-alarm\nrate")
CROSS_FIT = "cross-fit"
NOT_FOR = "Do not trust it for:"
PROVISIONAL, WAITING, DRY_RUN = "provisional", "waiting", "dry run"
_MOST_DISTRUSTED = 3
# With fewer runs that hold faults the bounds themselves are unsure.
_FEW_RUNS = 8
# A slice that changed by less than this changed by nothing that anybody would notice.
_LITTLE = 0.01
_DECIDING = {REFUSE: FAILED, TIE: TIED, NOT_ENOUGH: OPEN, NEEDS_APPROVAL: APPROVAL}
# What comes before the version or the champion in the first line.
_NOT_PROMOTED = {
    REFUSE: REFUSED,
    TIE: "not promoted, a tie",
    NOT_ENOUGH: "not promoted, not enough evidence",
    NEEDS_APPROVAL: "waits for approval",
}
_WOULD = {
    PROMOTE: "it would be promoted",
    REFUSE: "it would be refused",
    TIE: "it would be a tie, which does not promote",
    NOT_ENOUGH: "the evidence would not suffice",
    NEEDS_APPROVAL: "a person would have to approve it",
}


@dataclass(frozen=True)
class Line:
    """A line of the short table: cells under :data:`COLUMNS`; ``role`` as of a contestant."""

    role: str
    cells: tuple[str, ...]


def headline(
    report: Report, decision: Decision, outcome: str, registered: str, version: str | None
) -> str:
    """What came of it, in one line that begins with the outcome.

    Args:
        report: of the candidate.
        decision: of the gate.
        outcome: of the transfer: ``promoted``, ``provisional``, ``refused`` or ``dry run``.
        registered: name of the machine's model.
        version: what was registered, or None.
    """
    if outcome == DRY_RUN:
        return f"dry run: {_WOULD[decision.outcome]}; nothing was registered"
    if version is not None:
        who = f"{registered} version {version}"
        if outcome == PROVISIONAL:
            return f"{PROVISIONAL}: {who}, as the rows do not show enough to promote it"
        if outcome == WAITING:
            return f"{WAITING}: {who}, until somebody approves it"
        if decision.promoted:
            return f"{PROMOTED}: {who} scores {report.equipment} from now on"
        return f"{OVERRIDDEN}: {who} scores {report.equipment} from now on"
    return f"{_NOT_PROMOTED[decision.outcome]}: {_stays(report)}"


def _stays(report: Report) -> str:
    if report.champion_version is None:
        return f"nothing was registered, and {report.equipment} has no champion"
    return f"{report.equipment} keeps its champion, version {report.champion_version}"


def why(report: Report, decision: Decision, override: Override | None = None) -> str:
    """The first of the gate's reasons, and how many more there are; empty where it passed."""
    if decision.promoted:
        return _instead(report)
    reasons = [check.message for check in decision.checks if check.status == _decided_by(decision)]
    said = reasons[0] if reasons else decision.reason
    if len(reasons) > 1:
        said += f" (And {counted(len(reasons) - 1, 'more check')}, see the report.)"
    if override is not None:
        reason = " ".join(override.reason.split())
        return f"Promoted in spite of the gate by {override.by}: “{reason}”. {said}"
    return f"{_instead(report)} {said}".strip()


def _decided_by(decision: Decision) -> str:
    return _DECIDING.get(decision.outcome, "")


def _instead(report: Report) -> str:
    if not report.instead:
        return ""
    return (
        "The source model as it is does better than what was adapted, so it is the candidate, with "
        "a threshold of this machine."
    )


@dataclass(frozen=True)
class Measured:
    """What a detector was measured to do on rows that judge it.

    Attributes:
        metrics: of the rows.
        threshold: above which probability a row alarms.
        events: of the same rows; None where they were not looked at.
        intervals: of the metrics of rows, by name; one that could not be given is left out.
    """

    metrics: Metrics
    threshold: float
    events: EventMetrics | None = None
    intervals: dict[str, Interval] = field(default_factory=dict)

    @property
    def countable(self) -> EventMetrics | None:
        """Faults and alarms as events; None where nothing tells one from the next."""
        return None if self.events is None or self.events.told_by == ROW else self.events


def what_it_finds(report: Report) -> str:
    """Faults found, delays and false alarms, and on what rows that was measured: one paragraph."""
    evidence = report.evidence
    if not evidence.decides:
        one_class = report.candidate.faults in (0, report.candidate.rows)
        return _of_one_class(report) if one_class else _undecided(report)
    measured = Measured(
        evidence.candidate, report.threshold, evidence.events, dict(evidence.intervals)
    )
    who = "that had no part in making it"
    if report.mode == CROSS_FIT:
        who = "by models made the same way that had not seen them"
    return f"{faults_and_alarms(measured)} {judged_on(evidence.candidate, who)}"


def _undecided(report: Report) -> str:
    rows = report.candidate
    normals = rows.rows - rows.faults
    found = round((rows.recall or 0.0) * rows.faults)
    alarms = round((rows.false_alarm_rate or 0.0) * normals)
    faults = counted(rows.faults, "fault row")
    return (
        "Too few rows to show what it finds: models that had not seen them alarmed at "
        f"{found:,} of {faults} and at {alarms:,} of {counted(normals, 'normal row')}, which "
        f"decides nothing. A row alarms above a fault probability of "
        f"{probability(report.threshold)}."
    )


def _of_one_class(report: Report) -> str:
    """What is known of a source model on which nothing was fitted, and what is not shown."""
    rows = report.candidate
    at = f"A row alarms above a fault probability of {probability(report.threshold)}."
    if rows.false_alarm_rate is not None:
        alarms = round(rows.false_alarm_rate * rows.rows)
        return (
            "What it finds is not shown on this machine: no fault is labelled. It is the source "
            f"model, which alarms at {alarms:,} of {counted(rows.rows, 'healthy row')} at a "
            f"threshold chosen by these rows. {at}"
        )
    if rows.recall is not None:
        found = round(rows.recall * rows.faults)
        return (
            "False alarms are not shown on this machine: every labelled row is a fault. It is the "
            "source model with its own threshold, which alarms at "
            f"{found:,} of {counted(rows.faults, 'fault row')}. {at}"
        )
    return (
        "Nothing is shown on this machine: no row has a label. It is the source model with its "
        f"own threshold, as it was made on other machines. {at}"
    )


def judged_on(metrics: Metrics, who: str) -> str:
    """On how many rows it was judged; ``who`` says why they are fit to judge."""
    rows, faults = counted(metrics.rows, "row"), counted(metrics.faults, "fault row")
    return f"Judged on {rows} ({faults}) {who}."


def faults_and_alarms(measured: Measured) -> str:
    """Faults found and false alarms, as events where runs or times tell one from the next."""
    events = measured.countable
    if events is None:
        return f"{_fault_rows(measured)} {_rate_of_rows(measured)}"
    if events.false_alarms_per_day is None:
        return f"{faults_found(events)} {_rate_of_rows(measured)}"
    often = false_alarms(events.false_alarms_per_day)
    return f"{faults_found(events)} {often} {_at_threshold(measured)}."


def _fault_rows(measured: Measured) -> str:
    metrics = measured.metrics
    recall = metrics.recall or 0.0
    found = round(recall * metrics.faults)
    expected = _between(measured.intervals.get("recall"))
    faults = counted(metrics.faults, "fault row")
    return f"Finds {found:,} of {faults}: {percent(recall)}{expected}."


def faults_found(events: EventMetrics) -> str:
    """How many faults it found, how soon, and how many of others can be expected.

    >>> share = Interval(0.85, 0.66, 0.96)
    >>> faults_found(EventMetrics(20, 17, share, 600.0, 3, None, None))
    'Finds 17 of 20 faults, half of all within 10 minutes; 66% to 96% can be expected of others.'
    """
    found = f"Finds {events.found:,} of {counted(events.faults, 'fault')}"
    low, high = (percent(bound) for bound in (events.event_recall.low, events.event_recall.high))
    return f"{found}{_delay(events)}; {low} to {high} can be expected of others."


def _delay(events: EventMetrics) -> str:
    """Within which time half of them were found; empty without dates, or where fewer were."""
    seconds = events.detection_delay
    if seconds is None:
        return ""
    whom = "half of all" if events.faults > 1 else "it"
    if seconds == 0:
        return f", {whom} at the first faulty row"
    return f", {whom} within {duration(seconds)}"


def false_alarms(per_day: Interval) -> str:
    """How often it alarms without a fault, in the period in which it happens about once.

    >>> false_alarms(Interval(0.3, 0.1, 0.8)), false_alarms(Interval(0.0, 0.0, 0.5))
    ('About 2.1 false alarms a week (between 0.7 and 5.6)', 'No false alarm (at most 3.5 a week)')
    """
    period, days = period_of(per_day.estimate or per_day.high)
    most = amount(per_day.high * days)
    if per_day.estimate == 0:
        return f"No false alarm (at most {most} {period})"
    said = about(per_day.estimate * days, "false alarm")
    return f"{said.capitalize()} {period} (between {amount(per_day.low * days)} and {most})"


def _rate_of_rows(measured: Measured) -> str:
    rate = measured.metrics.false_alarm_rate or 0.0
    bounds = _between(measured.intervals.get("false_alarm_rate"))
    return (
        f"Its false-alarm rate, the share of normal rows that alarm, is {percent(rate)}{bounds} "
        f"{_at_threshold(measured)}."
    )


def _between(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f" (between {percent(interval.low)} and {percent(interval.high)})"


def _at_threshold(measured: Measured) -> str:
    return f"at a threshold of {probability(measured.threshold)}"


def short_table(report: Report) -> tuple[Line, ...]:
    """Candidate, champion, source as it is, and the best rival with and without the source."""
    shown = highlighted(report.contestants)
    if report.candidate.faults in (0, report.candidate.rows):
        shown = tuple(entry for entry in shown if entry.role != "rival")  # no rival could run
    return tuple(_line(report, entry) for entry in shown)


def _line(report: Report, entry: Contestant) -> Line:
    title = _short_title(entry)
    metrics = entry.metrics
    if metrics is None:
        return Line(entry.role, (title, "–", "–", "–", "–"))
    pr_auc = "–"
    if metrics.pr_auc is not None:
        own = report.evidence.intervals.get("pr_auc") if entry.role == "candidate" else None
        pr_auc = METRICS["pr_auc"].text(metrics.pr_auc) + _brackets(own, ".3f")
    cells = (pr_auc, _ahead(report, entry), _share(metrics.recall))
    return Line(entry.role, (title, *cells, _share(metrics.false_alarm_rate)))


def _share(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _short_title(entry: Contestant) -> str:
    """What it is compared for; the report has the whole names."""
    if entry.role == "candidate":
        return "candidate"
    best = entry.note.split(";")[0]
    if entry.name == SOURCE_AS_IS or not best.startswith(BEST_RIVAL):
        return entry.title
    return best


def _ahead(report: Report, entry: Contestant) -> str:
    """By how much the candidate's PR-AUC is higher; of the champion on rows new to both."""
    if entry.role == "candidate":
        return ""
    change = report.evidence.against_rivals.get(entry.title, {}).get("pr_auc")
    if entry.role == "champion":
        change = report.comparison.changes.get("pr_auc") if report.comparison else None
    if change is None:
        return "–"
    return f"{change.estimate:+.3f}{_brackets(change, '+.3f')}"


def _brackets(interval: Interval | None, form: str) -> str:
    return "" if interval is None else f" [{interval.low:{form}}, {interval.high:{form}}]"


def not_to_trust_it_for(report: Report) -> tuple[str, ...]:
    """What the evidence does not cover, the gravest first; three lines at most."""
    said = [sentence for sentence in _doubts(report) if sentence]
    return tuple(said[:_MOST_DISTRUSTED])


def doubts_of_source(held_out: str) -> tuple[str, ...]:
    """What the metrics of a source model do not show.

    Args:
        held_out: how recordings were cut where no column names runs; empty elsewhere.
    """
    machines = "Machines that are not in these files: `faultxfer transfer` measures that."
    if not held_out:
        return (machines,)
    return ("New recordings: parts of the same ones judged it.", machines)


def _doubts(report: Report) -> Iterator[str]:
    yield _too_few(report)
    yield _lost_sensors(report)
    yield _seen_by_champion(report)
    yield _better_otherwise(report)
    yield _load(report.evidence.events)
    yield _outside(report.outside)
    yield _worst_slice(report)
    yield _few_runs(report)
    yield _no_promise(report)
    yield _unseen_kinds(report)


def _too_few(report: Report) -> str:
    if report.evidence.decides:
        return ""
    if report.candidate.faults == 0:
        return "Finding faults: none is labelled on this machine, so take its alarms as hints."
    if report.candidate.faults == report.candidate.rows:
        return (
            "Staying quiet: no normal row is labelled on this machine, so take its alarms as hints."
        )
    return "Anything yet: the labelled rows are too few to judge by; take its alarms as hints."


def _lost_sensors(report: Report) -> str:
    missing, loss = report.sensor_change.get("missing"), report.sensor_change.get("source_loss")
    if not missing:
        return ""
    what = f"Faults that only {listed(missing)} would show: this machine lacks {_them(missing)}"
    if not report.sensor_change.get("carried"):
        return f"{what}."
    return (
        f"{what}, and without {_them(missing)} the source ranks its own runs worse by {loss:.2f}."
    )


def _them(names: list[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _seen_by_champion(report: Report) -> str:
    notes = [entry.note for entry in report.contestants if entry.role == "champion" and entry.note]
    return f"The champion's line of the table: it {notes[0]}." if notes else ""


def _better_otherwise(report: Report) -> str:
    """The rival that ranks the rows best, where it does so better than the candidate.

    Of an idea under several scales, the one that was chosen on other rows: the best of many on
    these very rows would be flattered.
    """
    own = report.candidate.pr_auc
    if not report.evidence.decides or own is None:
        return ""
    ranked = [(_pr_auc(one), one.title) for one in described(report) if one.role == "rival"]
    most, title = max(ranked, default=(0.0, ""))
    if most <= own + _LITTLE:
        return ""
    change = report.evidence.against_rivals.get(title, {}).get("pr_auc")
    chance = ", which may be chance" if change is None or change.high >= 0 else ""
    return f"Being the best there is: {title} has a PR-AUC of {most:.3f}{chance}."


def _pr_auc(entry: Contestant) -> float:
    return entry.metrics.pr_auc or 0.0 if entry.metrics else 0.0


def _load(events: EventMetrics | None) -> str:
    rate = events.false_alarms_per_day if events else None
    if rate is None or rate.estimate <= OPERATOR_ALARMS_PER_DAY:
        return ""
    return (
        f"A quiet panel: one operator can take {amount(OPERATOR_ALARMS_PER_DAY)} alarms a day from "
        "all systems (EEMUA 191)."
    )


def _outside(sensors: tuple[str, ...]) -> str:
    if not sensors:
        return ""
    are = "is" if len(sensors) == 1 else "are"
    what = counted(len(sensors), "sensor")
    return f"Readings beyond the contract's limits: {what} {are} outside ({listed(list(sensors))})."


def _worst_slice(report: Report) -> str:
    """The slice that lost most against the champion."""
    slices = report.comparison.slices if report.comparison else ()
    lost = [one for one in slices if "pr_auc" in one.changes]
    if not lost:
        return ""
    worst = min(lost, key=_gain)
    if _gain(worst) > -_LITTLE:
        return ""
    return (
        f"Rows where {worst.column} is {worst.value}: PR-AUC {-_gain(worst):.3f} lower than the "
        f"champion's ({counted(worst.faults, 'fault row')})."
    )


def _gain(one: Slice) -> float:
    return one.changes["pr_auc"].estimate


def _few_runs(report: Report) -> str:
    evidence = report.evidence
    if not evidence.decides:
        return ""
    if evidence.by != "run":
        return "New recordings: too few runs are labelled, so parts of the same ones judged it."
    if evidence.clusters < _FEW_RUNS:
        runs = counted(evidence.clusters, "run holds", "runs hold")
        return f"New recordings, to more than these bounds: only {runs} faults."
    return ""


def _no_promise(report: Report) -> str:
    if not report.evidence.decides or not report.alarm or report.alarm.get("effective"):
        return ""
    return "False alarms in new runs: one run of normal rows promises nothing of others."


def _unseen_kinds(report: Report) -> str:
    faults, events = report.candidate.faults, report.evidence.events
    seen = counted(faults, "labelled fault row")
    if events is not None and events.told_by != ROW:
        seen = counted(events.faults, "labelled fault")
    if not faults:
        return ""
    return f"Kinds of fault that are not among the {seen}: nothing shows that it finds them."
