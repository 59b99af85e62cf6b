"""The report of one transfer: the same metrics for terminal, MLflow and Prefect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace

from faultxfer.evaluate.events import EventMetrics
from faultxfer.evaluate.gate.check import (
    NEEDS_APPROVAL,
    NOT_ENOUGH,
    OVERRIDDEN,
    PROMOTE,
    REFUSE,
    TIE,
    Comparison,
    Decision,
    Evidence,
    Override,
)
from faultxfer.evaluate.held_faults import HeldFault
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.metrics import Metrics
from faultxfer.evaluate.source_verdict import Yardstick, is_better_as_it_is, source_verdict
from faultxfer.metric_table import (
    IN_RESULT_TABLE,
    OPERATOR_ALARMS_PER_HOUR,
    PER_HOUR_LIMIT,
    plain_count,
)

COLUMNS = tuple(metric.title for metric in IN_RESULT_TABLE)
SOURCE_AS_IS = "source_as_is"
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
_UNITS = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 0.0}


@dataclass(frozen=True)
class Contestant:
    """One line of the result table.

    Attributes:
        name: short name, stable.
        title: name in words.
        role: ``candidate``, ``champion`` or ``rival``.
        uses_source: whether it knows the source machine; negative transfer is measured against
            those that do not.
        metrics: on the test rows, or None where it could not run.
        problem: why it could not run.
        note: what to bear in mind while reading its metrics.
        idea: what it shares with other rivals, from which it differs in the scale of the readings
            alone; empty for one of its own kind.
    """

    name: str
    title: str
    role: str
    uses_source: bool
    metrics: Metrics | None
    problem: str = ""
    note: str = ""
    idea: str = ""


@dataclass(frozen=True)
class Report:
    """What came out of one transfer.

    Attributes:
        model, equipment, strategy: what was transferred where and how.
        mode, split, validity: how rows were divided, why, and what the metrics are worth.
        contestants: the candidate first.
        evidence: what the gate looks at, with the comparison against the champion.
        threshold: alarm threshold of the candidate.
        weights: of a stack's members by name, the heaviest first; empty for a single network.
        source_evidence: what a stack's training rows say of the source, in a sentence; empty for a
            single network.
        alarm: evidence for the threshold's false-alarm rate, as plain data.
        alarm_notes: sentences on what threshold and probabilities can be relied on for.
        chosen: for an idea that several rivals share, the idea itself (its name is theirs): each
            row scored by the rival that ranked best on other rows. Never chosen on the rows that
            judge, which would flatter it.
        instead: why the source as it is stands in the candidate's place; empty where it does not.
        held_faults: each fault with what was said of it; empty where they are enough to sum up.
    """

    model: str
    equipment: str
    strategy: str
    mode: str
    split: str
    validity: str
    contestants: tuple[Contestant, ...]
    evidence: Evidence
    threshold: float
    weights: tuple[tuple[str, float], ...] = ()
    source_evidence: str = ""
    alarm: dict[str, object] = field(default_factory=dict)
    alarm_notes: tuple[str, ...] = ()
    chosen: tuple[Contestant, ...] = ()
    instead: str = ""
    held_faults: tuple[HeldFault, ...] = ()

    @property
    def candidate(self) -> Metrics:
        """The candidate's metrics."""
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
        if not self.evidence.decides:
            return "Whether the source helped is unknown: these rows are too few to judge by."
        if self.instead:
            return self.instead
        return source_verdict(self.candidate.pr_auc, *self._yardsticks())

    @property
    def source_is_better(self) -> bool:
        """Whether the source as it is ranks the rows better than the candidate."""
        return is_better_as_it_is(self.candidate.pr_auc, *self._yardsticks())

    def _yardsticks(self) -> tuple[Yardstick | None, Yardstick | None]:
        """The best rival without the source, and the source as it is."""
        without = _best_rival(self.contestants, uses_source=False)
        as_is = next((one for one in self.contestants if one.name == SOURCE_AS_IS), None)
        return self._yardstick(without), self._yardstick(as_is)

    def _yardstick(self, entry: Contestant | None) -> Yardstick | None:
        """A contestant that the candidate is compared with; None where it could not run."""
        if entry is None or entry.metrics is None or entry.metrics.pr_auc is None:
            return None
        interval = self.evidence.against_rivals.get(entry.title, {}).get("pr_auc")
        bounds = None if interval is None else (interval.low, interval.high)
        return Yardstick(entry.title, entry.metrics.pr_auc, bounds)

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON, with every contestant."""
        plain = asdict(self)
        del plain["evidence"], plain["alarm_notes"]
        return {
            **plain,
            # The name of release 0.1.0, kept for one release.
            "worth": self.validity,
            "verdict": self.transfer_verdict(),
            "alarm": {**self.alarm, "notes": list(self.alarm_notes)},
            "weights": dict(self.weights),
            **self.evidence.as_dict(),
        }


def described(report: Report) -> tuple[Contestant, ...]:
    """Whom description and pictures show: one rival for each idea, not one for each scale."""
    chosen = {entry.name: entry for entry in report.chosen}
    names = {entry.name for entry in report.contestants}
    shown: dict[str, Contestant] = {}
    for entry in report.contestants:
        if entry.idea in chosen:
            shown[entry.idea] = chosen[entry.idea]
        elif entry.idea not in names:
            shown[entry.name] = entry
    return tuple(shown.values())


def highlighted(contestants: Iterable[Contestant]) -> tuple[Contestant, ...]:
    """Candidate, champion, source as it is, and the best rival with and without the source.

    The best ones have a note that says so. This is what the terminal shows, and what a picture of
    many lines names.
    """
    everybody = tuple(contestants)
    best = {
        _best_rival(everybody, uses_source=True): "best rival with the source",
        _best_rival(everybody, uses_source=False): "best rival without the source",
    }
    shown = []
    for entry in everybody:
        if entry in best:
            notes = [note for note in (best[entry], entry.note) if note]
            shown.append(replace(entry, note="; ".join(notes)))
        elif entry.role != "rival" or entry.name == SOURCE_AS_IS:
            shown.append(entry)
    return tuple(shown)


def _best_rival(contestants: Iterable[Contestant], *, uses_source: bool) -> Contestant | None:
    """The first of those with the highest PR-AUC."""
    best, most = None, -1.0
    for entry in contestants:
        if entry.role != "rival" or entry.uses_source != uses_source or entry.metrics is None:
            continue
        pr_auc = entry.metrics.pr_auc
        if pr_auc is not None and pr_auc > most:
            best, most = entry, pr_auc
    return best


def left_out_sentence(report: Report, shown: Iterable[Contestant]) -> str:
    """Where the other rivals are; empty where there are no others."""
    names = {entry.name for entry in shown}
    rest = [entry for entry in report.contestants if entry.name not in names]
    if not rest:
        return ""
    failed = sum(entry.metrics is None for entry in rest)
    sentence = f"{len(rest)} more rivals are in `report.json`"
    if failed:
        sentence += f"; {failed} of them could not run"
    return f"{sentence}."


def metric_cells(metrics: Metrics | None) -> list[str]:
    """The cells of one table line, under :data:`COLUMNS`."""
    if metrics is None:
        return ["–"] * len(COLUMNS)
    values = [getattr(metrics, metric.name) for metric in IN_RESULT_TABLE]
    pairs = zip(IN_RESULT_TABLE, values, strict=True)
    return ["–" if value is None else metric.text(value) for metric, value in pairs]


def as_markdown(report: Report, decision: Decision, override: Override | None = None) -> str:
    """The report for MLflow's version page and Prefect's artifact page: sentences, then tables."""
    sentences = [f"- {sentence}" for sentence in _sentences(report, decision)]
    lines = [
        *(*_what_happened(report, decision, override), "", *sentences, ""),
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


def _sentences(report: Report, decision: Decision) -> list[str]:
    """What a person should know before reading the tables."""
    rows, faults = report.candidate.rows, report.candidate.faults
    command = (
        f"faultxfer learning-curve CSV... --contract FILE --model {report.model} "
        f"--equipment {report.equipment}"
    )
    sentences = [
        *(f"**Note:** {warning}" for warning in decision.warnings),
        report.transfer_verdict(),
        report.source_evidence,
        f"Judged on {rows} rows with {faults} faults: {report.split}.",
        report.validity,
        f"A row alarms above a fault probability of {report.threshold:.3f}.",
        *report.alarm_notes,
        *event_sentences(report.evidence.events),
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
    lines += [_row(name, [f"{weight:.0%}"]) for name, weight in report.weights]
    return [*lines, ""]


def event_sentences(events: EventMetrics | None) -> list[str]:
    """Faults found and alarms raised, counted as events."""
    if events is None:
        return []
    found, rate, load = events.event_recall, events.false_alarms_per_day, events.alarms_per_hour
    sentences = [
        f"It noticed {events.found} of {events.faults} fault events: {found.estimate:.0%}, and "
        f"between {found.low:.0%} and {found.high:.0%} can be expected of others"
        f"{_delay(events.detection_delay)}."
    ]
    untouched = f"{events.false_alarms} alarms touched no fault"
    if rate is None:
        return [*sentences, f"{untouched}; without dates they have no rate."]
    sentences.append(
        f"{untouched}: {plain_count(rate.estimate)} for each day of normal operation, between "
        f"{plain_count(rate.low)} and {plain_count(rate.high)}."
    )
    if load is not None:
        within = "within" if load <= OPERATOR_ALARMS_PER_HOUR else "above"
        sentences.append(
            f"All alarms together are {plain_count(load)} an hour on these rows, {within} the "
            f"limit: {PER_HOUR_LIMIT}."
        )
    return sentences


def _delay(seconds: float | None) -> str:
    """The delay in the largest unit that it reaches.

    >>> _delay(1200.0)
    '; half of the faults within 20 minutes of their start'
    """
    if seconds is None:
        return ""
    unit = next(unit for unit, size in _UNITS.items() if seconds >= size)
    amount = seconds / (_UNITS[unit] or 1.0)
    return f"; half of the faults within {amount:.3g} {unit} of their start"


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
    return (
        f"Other recordings of this machine would give other metrics: each bound was found by "
        f"drawing {units} again and again ({evidence.clusters} hold faults), and is wrong about "
        "once in twenty times at the default confidence."
    )
