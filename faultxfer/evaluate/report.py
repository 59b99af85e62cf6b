"""The report of one transfer: the same metrics for terminal, MLflow and Prefect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from faultxfer.evaluate.alarms import AlarmStretch, SensorShare
from faultxfer.evaluate.gate.check import Comparison, Evidence
from faultxfer.evaluate.held_faults import HeldFault
from faultxfer.evaluate.metrics import Metrics
from faultxfer.evaluate.source_verdict import Yardstick, is_better_as_it_is, source_verdict
from faultxfer.metric_table import IN_RESULT_TABLE
from faultxfer.wording import counted

COLUMNS = tuple(metric.title for metric in IN_RESULT_TABLE)
SOURCE_AS_IS = "source_as_is"
BEST_RIVAL = "best rival"
_SPEAKING = ("alarms", "sensors", "alarms_note")


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
        outside: sensors with readings outside the contract's limits.
        alarms: stretches of alarms on the rows that judge, with the sensors that speak.
        sensors: how much each sensor speaks in them all.
        alarms_note: what to know of these two; empty where nothing alarms.
        sensor_change: how the machine's sensors differ from the source's, as plain data with
            ``sentences``; empty where they do not.
        labels: what is known of the rows, as plain data with ``state`` and ``sentences``: that
            they are not of both classes, and who vouches for which; empty where every row is
            labelled and both classes are there.
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
    outside: tuple[str, ...] = ()
    alarms: tuple[AlarmStretch, ...] = ()
    sensors: tuple[SensorShare, ...] = ()
    alarms_note: str = ""
    sensor_change: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, Any] = field(default_factory=dict)

    @property
    def on_labels(self) -> tuple[str, ...]:
        """What is known of the rows where not all are labelled, in whole sentences."""
        return tuple(self.labels.get("sentences", ()))

    @property
    def on_sensors(self) -> tuple[str, ...]:
        """What the difference of sensors costs and brings, in whole sentences."""
        return tuple(self.sensor_change.get("sentences", ()))

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
            if self.candidate.faults in (0, self.candidate.rows):
                return "Whether the source helps is unknown: faults and normal rows show that."
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
        """Plain data for JSON, with every contestant.

        What speaks is in :meth:`speaking`.
        """
        plain = asdict(self)
        for name in ("evidence", "alarm_notes", *_SPEAKING):
            del plain[name]
        return {
            **plain,
            # The name of release 0.1.0, kept for one release.
            "worth": self.validity,
            "verdict": self.transfer_verdict(),
            "alarm": {**self.alarm, "notes": list(self.alarm_notes)},
            "weights": dict(self.weights),
            **self.evidence.as_dict(),
        }

    def speaking(self) -> dict[str, object]:
        """Alarms and the sensors that speak in them, as plain data for JSON."""
        return {
            "alarms": [one.as_dict() for one in self.alarms],
            "sensors": [one.as_dict() for one in self.sensors],
            "alarms_note": self.alarms_note,
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
        _best_rival(everybody, uses_source=True): f"{BEST_RIVAL} with the source",
        _best_rival(everybody, uses_source=False): f"{BEST_RIVAL} without the source",
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
    are = "is" if len(rest) == 1 else "are"
    sentence = f"{counted(len(rest), 'more rival')} {are} in `report.json`"
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
