"""Measure everybody on the judged rows, draw the pictures, ask the gate."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.bundle.budget import BUDGET, AlarmBudget
from faultxfer.bundle.bundle import Bundle, load_bundle
from faultxfer.bundle.members import Stack
from faultxfer.config import GateOptions, TransferOptions
from faultxfer.data.dataset import Dataset, load_dataset
from faultxfer.data.split import BY_BLOCK, BY_FEW, BY_HEALTHY, BY_RUN, Split
from faultxfer.evaluate.gate import Decision, judge
from faultxfer.evaluate.gate.check import (
    NEEDS_APPROVAL,
    Comparison,
    Cost,
    Evidence,
    Forgetting,
    Override,
    OwnFaults,
)
from faultxfer.evaluate.held_faults import HeldFault, held_faults
from faultxfer.evaluate.measuring import compare, forgot, gather, gather_undecided, measured
from faultxfer.evaluate.page import as_markdown
from faultxfer.evaluate.plots import save_pictures, save_scores
from faultxfer.evaluate.report import Contestant, Report, described, highlighted
from faultxfer.evaluate.review import review
from faultxfer.evaluate.rows import ScoredRows
from faultxfer.outputs import keep_docs
from faultxfer.progress import NOTE, progress
from faultxfer.registry.provenance import actor
from faultxfer.requests import TransferRequest
from faultxfer.steps.adaptation import (
    CANDIDATE,
    RECALIBRATE,
    Adaptation,
    load_predictions,
    read_for,
    read_target,
)
from faultxfer.steps.contest import (
    ADAPTED_FIRST,
    Contest,
    score_with,
    scored_rows,
    settled_contest,
)
from faultxfer.steps.copies import said_of_copies
from faultxfer.steps.intake import CheckedRows, require_accepted
from faultxfer.steps.labels import labels_of
from faultxfer.steps.opening import Job
from faultxfer.steps.sources import Models
from faultxfer.steps.speaking import Alarms, find_alarms
from faultxfer.strategies import STRATEGIES
from faultxfer.strategies.narrowing import SENSOR_CHANGE
from faultxfer.strategies.source_alone import NAME as SOURCE_ALONE
from faultxfer.strategies.source_alone import TITLE as SOURCE_TITLE
from faultxfer.strategies.source_benefit import NEW_SENSORS
from faultxfer.wording import percent

REPORT, PAGE = "report.json", "report.md"
# Where the threshold is of the machine's own rows; else it is the source's, and so is its evidence.
_OWN_THRESHOLD = (BY_RUN, BY_BLOCK, BY_FEW, BY_HEALTHY)
# Rows that are scored to time it.
_BATCH = 1000
# Readings that agree to this share are the same, written in another unit; kept rows that are found
# among others so are no chance.
_SAME, _FEWEST_SEEN = 1e-5, 3


@dataclass(frozen=True)
class Evaluation:
    """Report and pictures of one transfer; ``folder`` holds the pictures and is logged whole."""

    adapted: Adaptation
    report: Report
    folder: Path
    pictures: dict[str, Path]


@dataclass(frozen=True)
class Verdict:
    """What the gate decided of an evaluation, and who wants it promoted in spite of that."""

    evaluation: Evaluation
    decision: Decision
    override: Override | None = None

    def waits(self, request: TransferRequest) -> bool:
        """Whether a person has to approve it; under `manual` also what overrides the gate."""
        if self.override is not None:
            return request.rules.policy == "manual"
        return self.decision.outcome == NEEDS_APPROVAL

    def overridden(self, request: TransferRequest) -> Override | None:
        """Who promoted it in spite of the gate; None where that waits for a person first."""
        return None if self.waits(request) else self.override


def evaluate_candidate(
    job: Job[TransferRequest], models: Models, adapted: Adaptation
) -> Evaluation:
    """Measure candidate, champion and rivals on the same rows."""
    progress.info("Evaluating")
    adapted, contest = settled_contest(adapted, job.request.options.gate)
    rows = adapted.target.rows
    bundle = load_bundle(adapted.bundle)
    champion = _judge_champion(models, contest, rows, job.request.options.gate)
    report = _report(job, models, adapted, bundle, contest, champion)
    folder = job.work / "report"
    folder.mkdir()
    keep_docs(rows.docs, folder)
    pictures = _draw(folder, report, contest, champion, adapted)
    return Evaluation(adapted, report, folder, pictures)


def _report(
    job: Job[TransferRequest],
    models: Models,
    adapted: Adaptation,
    bundle: Bundle,
    contest: Contest,
    champion: _Champion | None,
) -> Report:
    options, split = job.request.options, adapted.target.split
    evidence = _evidence(job, models, adapted, bundle, contest, champion)
    found = _alarms(bundle, adapted, contest)
    both = split.has_both_classes
    return Report(
        model=job.request.model,
        equipment=job.request.equipment,
        strategy=options.strategy if both else SOURCE_ALONE,
        mode=split.mode,
        split=split.reason,
        validity=_validity(adapted),
        contestants=_contestants(split, options, contest, champion),
        instead=_instead(options, adapted),
        evidence=evidence,
        threshold=bundle.threshold,
        weights=_weights(bundle),
        source_evidence=bundle.lineage.get("source_evidence", {}).get("sentence", ""),
        alarm=bundle.alarm.as_dict() if bundle.alarm else {},
        alarm_notes=_alarm_notes(bundle, options, split),
        sensor_change=_sensor_change(bundle),
        chosen=contest.chosen_contestants(),
        held_faults=_held_faults(contest, options.gate, decides=split.decides),
        outside=_outside(adapted.target.rows),
        alarms=found.stretches,
        sensors=found.sensors,
        alarms_note=" ".join(filter(None, (found.note, _SPOKEN if found.stretches else ""))),
        labels=labels_of(job.request, adapted),
    )


def _evidence(
    job: Job[TransferRequest],
    models: Models,
    adapted: Adaptation,
    bundle: Bundle,
    contest: Contest,
    champion: _Champion | None,
) -> Evidence:
    options, split = job.request.options, adapted.target.split
    if not split.has_both_classes:
        undecided = gather_undecided(
            contest.candidate,
            champion_version=models.champion.version if models.champion else None,
            comparison=champion.comparison if champion else None,
            not_comparable=champion.cannot_score if champion else "",
            cost=_cost(bundle, adapted.bundle, contest.test.X),
            asked_rate=bundle.alarm.rate if bundle.alarm else None,
        )
        return dataclasses.replace(undecided, against=adapted.against)
    decided = gather(
        contest.candidate,
        contest.rivals_by_title(),
        options.gate,
        champion_version=models.champion.version if models.champion else None,
        comparison=champion.comparison if champion else None,
        not_comparable=champion.cannot_score if champion else "",
        forgetting=_forgetting(models, adapted, bundle, options.gate),
        cost=_cost(bundle, adapted.bundle, contest.test.X),
        own_faults=_own_faults(bundle, adapted),
        decides=split.decides,
        asked_rate=bundle.alarm.rate if bundle.alarm else None,
    )
    return dataclasses.replace(decided, against=adapted.against)


def _sensor_change(bundle: Bundle) -> dict[str, Any]:
    """How the machine's sensors differ from the source's, and what new ones brought."""
    change = bundle.lineage.get(SENSOR_CHANGE)
    if not change:
        return {}
    sentences = list(change["sentences"])
    if change.get("network") and not change["lost"]:
        sentences.append(
            f"For the source network stands {change['network']}: it lost least on source runs "
            "left out."
        )
    brought = bundle.lineage.get(NEW_SENSORS)
    if not brought:
        return {**change, "sentences": sentences}
    sentences.append(brought["sentence"])
    return {**change, "brought": brought, "sentences": sentences}


# Models of the folds are not kept, and what scores tomorrow is the one that is.
_SPOKEN = (
    "Which rows alarm is said by models that had not seen them, and which sensors speak there by "
    "the model that is kept, for that is what will score; it may have been fitted on these rows."
)


def _alarms(bundle: Bundle, adapted: Adaptation, contest: Contest) -> Alarms:
    """Alarms on the rows that judge, as judged; what speaks in them by the kept model."""
    accepted = pd.read_feather(require_accepted(adapted.target.rows)).iloc[contest.positions]
    judged = contest.candidate
    return find_alarms(bundle, accepted, judged.probabilities, judged.alarms)


def _validity(adapted: Adaptation) -> str:
    """What the metrics are worth: how rows were divided, copied and filled in."""
    rows = adapted.target.rows
    sentences = [adapted.target.split.validity, *said_of_copies(rows)]
    if rows.imputed:
        sentences.append(
            f"{rows.imputed} of {rows.accepted} labelled rows had missing readings, which were "
            "filled in from their other sensors."
        )
    return " ".join(sentences)


def _outside(rows: CheckedRows) -> tuple[str, ...]:
    """Sensors with readings outside the contract's limits, in the order of their names."""
    found = {one.column for one in rows.findings if one.code == "SENSOR-OUT-OF-RANGE"}
    return tuple(sorted(name for name in found if name))


def _own_faults(bundle: Bundle, adapted: Adaptation) -> OwnFaults:
    """What the kept model says of every labelled fault, those it was fitted on included."""
    rows = read_target(adapted.target.rows, bundle.features)
    probabilities = bundle.probabilities(rows.X, rows.moments)
    alarms = bundle.alarms(probabilities, rows.moments)[rows.y == 1]
    return OwnFaults(len(alarms), int(alarms.sum()))


def _held_faults(contest: Contest, options: GateOptions, *, decides: bool) -> tuple[HeldFault, ...]:
    """Each fault by itself, where they are too few to be summed up."""
    scored = contest.candidate
    both = 0 < int((scored.y == 1).sum()) < len(scored.y)
    if not both or (decides and scored.y.sum() >= options.min_faults):
        return ()
    return held_faults(scored)


def _contestants(
    split: Split, options: TransferOptions, contest: Contest, champion: _Champion | None
) -> tuple[Contestant, ...]:
    """The lines of the result table, the candidate first."""
    title = None if split.has_both_classes else SOURCE_TITLE
    first = [_candidate(options, contest, title)]
    if champion:
        first.append(champion.contestant)
    if adapted := contest.predictions.get(ADAPTED_FIRST):
        named = f"adapted model ({STRATEGIES[options.strategy].title})"
        metrics = measured(contest.scored(adapted))
        first.append(Contestant(ADAPTED_FIRST, named, "rival", True, metrics))
    return (*first, *contest.rivals())


def _candidate(options: TransferOptions, contest: Contest, title: str | None) -> Contestant:
    by_source = ADAPTED_FIRST in contest.predictions
    way = title or STRATEGIES[RECALIBRATE if by_source else options.strategy].title
    return Contestant(
        "candidate", f"candidate ({way})", "candidate", True, measured(contest.candidate)
    )


def _instead(options: TransferOptions, adapted: Adaptation) -> str:
    """Why the source stands where the adapted model was asked for; empty where it does not."""
    gain = adapted.source_gain
    if gain is None:
        return ""
    return (
        "The source model as it is does better than what was adapted, so it is the candidate, with "
        "a calibration and a threshold of this machine: its PR-AUC is higher by "
        f"{gain.estimate:.3f} (between {gain.low:+.3f} and {gain.high:+.3f}) than that of the "
        f"{STRATEGIES[options.strategy].title}."
    )


def _weights(bundle: Bundle) -> tuple[tuple[str, float], ...]:
    """Members of the stack and their weights, the heaviest first."""
    members = bundle.stack.members if bundle.stack else ()
    weights = [(member.name, member.weight) for member in members]
    return tuple(sorted(weights, key=lambda named: -named[1]))


def _alarm_notes(bundle: Bundle, options: TransferOptions, split: Split) -> tuple[str, ...]:
    notes = [bundle.alarm.sentence()] if bundle.alarm and split.by in _OWN_THRESHOLD else []
    if budget := bundle.lineage.get(BUDGET):
        notes.append(AlarmBudget.of(budget).sentence())
    if bundle.smoothing:
        notes.append(bundle.smoothing.sentence())
    if bundle.delays:
        notes.append(bundle.delays.sentence())
    if bundle.windows and bundle.stack:
        notes.append(_looks_back(bundle.stack))
    if options.fault_share is not None:
        notes.append(
            f"Probabilities are stated for a fault share of {percent(options.fault_share)} in use, "
            "not for that of the labelled rows; log-loss on these rows suffers from it, ranking "
            "and alarms do not."
        )
    return tuple(notes)


def _looks_back(stack: Stack) -> str:
    """For people: how much of what is said of a row comes from rows before it."""
    share = sum(member.weight for member in stack.members if member.over_windows)
    return (
        f"Members that also read how the sensors went before a row weigh {percent(share)}: of each "
        "sensor two means that fade and its deviation. A row that is sent alone has nothing "
        "before it."
    )


def ask_gate(job: Job[TransferRequest], evaluation: Evaluation) -> Verdict:
    """Ask the gate, and write down what it decides.

    The report lies beside the pictures as ``report.json`` and ``report.md``.
    """
    progress.info("Asking the gate")
    decision = judge(evaluation.report.evidence, job.request.rules)
    progress.info("Gate: %s", decision.outcome, extra=NOTE)
    override = _override(decision, job.request)
    shown = [path.name for path in evaluation.pictures.values()]
    content = {
        "report": evaluation.report.as_dict(),
        **evaluation.report.speaking(),
        "decision": decision.as_dict(),
        "override": override.as_dict() if override else None,
        "review": review(evaluation.report, decision, shown),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (evaluation.folder / REPORT).write_text(text, encoding="utf-8")
    verdict = Verdict(evaluation, decision, override)
    markdown = as_markdown(evaluation.report, decision, verdict.overridden(job.request))
    (evaluation.folder / PAGE).write_text(markdown, encoding="utf-8")
    return verdict


def _override(decision: Decision, request: TransferRequest) -> Override | None:
    """Who promotes it in spite of the gate; None where it passed or waits, and in a dry run."""
    passed = decision.promoted or decision.outcome == NEEDS_APPROVAL
    if request.override_gate is None or passed or request.dry_run:
        return None
    return Override(actor(), request.override_gate)


def _draw(
    folder: Path,
    report: Report,
    contest: Contest,
    champion: _Champion | None,
    adapted: Adaptation,
) -> dict[str, Path]:
    shown = described(report)
    titles = {entry.name: entry.title if entry.role == "rival" else entry.role for entry in shown}
    scored = contest.scored_by_name()
    if champion and champion.scored:
        scored["champion"] = champion.scored
    if not adapted.target.split.has_both_classes:
        return save_scores(folder, contest.candidate)
    del scored[CANDIDATE]
    others = {title: scored[name].probabilities for name, title in titles.items() if name in scored}
    pr_auc = {
        titles[entry.name]: entry.metrics.pr_auc if entry.metrics else None for entry in shown
    }
    named = frozenset(titles[entry.name] for entry in highlighted(shown))
    return save_pictures(folder, contest.candidate, others, pr_auc, adapted.history, named=named)


@dataclass(frozen=True)
class _Champion:
    """The champion on the test rows, and the comparison on those that it was not trained on.

    Where the machine has lost sensors that it cannot do without, ``cannot_score`` says so.
    """

    contestant: Contestant
    scored: ScoredRows | None = None
    comparison: Comparison | None = None
    cannot_score: str = ""


def _judge_champion(
    models: Models, contest: Contest, rows: CheckedRows, options: GateOptions
) -> _Champion | None:
    """Measure the champion.

    It may come from a source with its sensors in another order, so it reads the rows in its own
    one; fingerprints of the rows that it has seen are made in that order too.
    """
    if models.champion is None or models.champion_bundle is None:
        return None
    bundle, version = load_bundle(models.champion_bundle), models.champion.version
    title = f"champion (version {version})"
    test = read_for(rows, bundle).take(contest.positions)
    guessed = _guessed(bundle, test)
    if without := _cannot_do_without(bundle, test):
        return _not_compared(title, f"The {title} cannot score these rows without {without}")
    if guessed and _has_seen(bundle, test):
        problem = f"The {title} was trained on these rows, with {guessed}"
        return _not_compared(title, problem, ", which the machine lacks now")
    scored = score_with(bundle, test, contest.fold)
    seen = np.isin(test.fingerprints(), bundle.training_rows)
    notes = [f"was trained on {seen.sum()} of {len(seen)} of these rows"] if seen.any() else []
    if guessed:
        notes.append(f"scored them with guesses of {guessed}, as it would today")
    note = ", and ".join(notes)
    contestant = Contestant("champion", title, "champion", True, measured(scored), note=note)
    comparison = compare(
        contest.candidate.take(~seen),
        scored.take(~seen),
        test.take(~seen).slices,
        options,
        excluded=int(seen.sum()),
    )
    return _Champion(contestant, scored, comparison)


def _not_compared(title: str, problem: str, more: str = "") -> _Champion:
    """A champion that nothing can be compared with on these rows, and why."""
    progress.info("%s: it is not compared with", problem, extra=NOTE)
    reason = f"{problem}{more}, so nothing was compared with it; value checks and rivals decide."
    entry = Contestant("champion", title, "champion", True, None, problem=f"{problem}.")
    return _Champion(entry, cannot_score=reason)


def _cannot_do_without(bundle: Bundle, test: Dataset) -> str:
    """Sensors of which readings are missing that the bundle does not fill in, by name."""
    gaps = np.flatnonzero(np.isnan(test.X).any(axis=0))
    return ", ".join(bundle.features[place] for place in gaps)


def _guessed(bundle: Bundle, test: Dataset) -> str:
    """Sensors of which every reading was filled in, by name."""
    if test.imputed is None or not len(test):
        return ""
    filled = np.flatnonzero(test.imputed.all(axis=0))
    return ", ".join(bundle.features[place] for place in filled)


def _has_seen(bundle: Bundle, test: Dataset) -> bool:
    """Whether a bundle was fitted on rows of these, though sensors of them are missing now.

    Fingerprints are of whole rows. The healthy rows that it keeps were fitted on, so they are
    looked for among these, in the sensors that are left.
    """
    if bundle.references is None or test.imputed is None:
        return False
    left = ~test.imputed.all(axis=0)
    rows, kept = test.X[:, left], bundle.references.X[:, left]
    found = [np.isclose(rows, one, rtol=_SAME, atol=0).all(axis=1).any() for one in kept]
    return bool(np.sum(found) >= min(_FEWEST_SEEN, len(kept)))


def _forgetting(
    models: Models, adapted: Adaptation, candidate: Bundle, options: GateOptions
) -> Forgetting | None:
    """Candidate and source model on source rows; None where none are kept.

    Both may have learned from these rows. Nor is there an answer where the candidate reads sensors
    that the source never had.
    """
    if models.source_rows is None or not adapted.source_predictions.exists():
        return None
    predictions, positions = load_predictions(adapted.source_predictions)
    kept = load_dataset(models.source_rows).take(positions)
    if set(candidate.features) - set(kept.features):
        return None  # sensors that the source never had
    source = scored_rows(kept, predictions["source"])
    return forgot(score_with(candidate, kept.with_sensors(candidate.features)), source, options)


def _cost(bundle: Bundle, folder: Path, X: np.ndarray) -> Cost:
    """Best of three, after a first time that prepares the network."""
    batch = X[np.arange(_BATCH) % len(X)]
    bundle.probabilities(batch)
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        bundle.probabilities(batch)
        seconds.append(time.perf_counter() - began)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Cost(milliseconds=min(seconds) * 1e3, megabytes=size / 1e6)
