"""Measure everybody on the judged rows, draw the pictures, ask the gate."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faultxfer.bundle.bundle import Bundle, load_bundle
from faultxfer.config import GateOptions, TransferOptions
from faultxfer.data.dataset import Dataset, load_dataset
from faultxfer.data.split import Split
from faultxfer.evaluate.gate import Decision, judge
from faultxfer.evaluate.gate.check import Comparison, Cost, Forgetting
from faultxfer.evaluate.measuring import compare, forgot, gather, measured
from faultxfer.evaluate.metrics import Metrics
from faultxfer.evaluate.plots import save_pictures
from faultxfer.evaluate.report import Contestant, Report, as_markdown
from faultxfer.evaluate.rows import Judged
from faultxfer.outputs import keep_docs
from faultxfer.progress import progress
from faultxfer.steps.adaptation import Adaptation, read_target
from faultxfer.steps.intake import CheckedRows
from faultxfer.steps.sources import Fetched
from faultxfer.strategies import get_strategy
from faultxfer.strategies.procedure import Predictions
from faultxfer.strategies.rivals import RIVALS

REPORT = "report.json"
# Source rows that tell what was forgotten, and rows that are scored to time it.
_SOURCE_ROWS, _BATCH = 4000, 1000


@dataclass(frozen=True)
class Evaluation:
    """Report and pictures of one transfer; ``folder`` holds the pictures and is logged whole."""

    report: Report
    folder: Path
    pictures: dict[str, Path]


def evaluate_candidate(
    rows: CheckedRows,
    fetched: Fetched,
    split: Split,
    adapted: Adaptation,
    options: TransferOptions,
    *,
    model: str,
    equipment: str,
    work: Path,
) -> Evaluation:
    """Figures and pictures of candidate, champion and rivals on the same judged rows."""
    progress.info("Evaluating")
    bundle = load_bundle(adapted.bundle)
    spoken, positions = _predictions(adapted.predictions)
    judged = read_target(rows, bundle.features).take(positions)
    champion, comparison = _against_champion(
        fetched, rows, positions, spoken["candidate"], options.gate
    )
    contestants = _contestants(judged, spoken, adapted, options, champion[0] if champion else None)
    report = Report(
        model=model,
        equipment=equipment,
        strategy=options.strategy,
        mode=split.mode,
        split=split.reason,
        worth=split.validity,
        contestants=contestants,
        evidence=gather(
            *_heard(judged, spoken),
            options.gate,
            champion_version=fetched.champion.version if fetched.champion else None,
            comparison=comparison,
            forgetting=_forgetting(fetched, bundle, options.gate),
            cost=_cost(bundle, adapted.bundle, judged.X),
        ),
        threshold=bundle.threshold,
        weights=_weights(bundle),
        source_evidence=bundle.lineage.get("source_evidence", {}).get("sentence", ""),
        alarm=bundle.alarm.as_dict() if bundle.alarm else {},
        alarm_notes=_alarm_notes(bundle, options),
    )
    if champion:
        spoken["champion"] = champion[1]
    folder = work / "report"
    folder.mkdir()
    keep_docs(rows.docs, folder)
    return Evaluation(report, folder, _draw(folder, judged, spoken, contestants, adapted))


def _heard(
    judged: Dataset, spoken: dict[str, Predictions]
) -> tuple[Judged, dict[str, Judged | None]]:
    """What the candidate says, and the rivals by title."""
    rivals = {
        rival.title: _judged(judged, spoken[name]) if name in spoken else None
        for name, rival in RIVALS.items()
    }
    return _judged(judged, spoken["candidate"]), rivals


def _weights(bundle: Bundle) -> tuple[tuple[str, float], ...]:
    members = bundle.stack.members if bundle.stack else ()
    return tuple(
        sorted(((member.name, member.weight) for member in members), key=lambda one: -one[1])
    )


def _alarm_notes(bundle: Bundle, options: TransferOptions) -> tuple[str, ...]:
    notes = [bundle.alarm.sentence()] if bundle.alarm else []
    if options.fault_share is not None:
        notes.append(
            f"Probabilities are stated for a fault share of {options.fault_share:.1%} in use, not for that of the "
            "labelled rows; log-loss on these rows suffers from it, ranking and alarms do not."
        )
    return tuple(notes)


def ask_gate(evaluation: Evaluation, options: GateOptions) -> Decision:
    """The gate's decision, written beside the pictures as ``report.json`` and ``report.md``."""
    decision = judge(evaluation.report.evidence, options)
    progress.info("Gate: %s", decision.outcome)
    content = {"report": evaluation.report.as_dict(), "decision": decision.as_dict()}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (evaluation.folder / REPORT).write_text(text, encoding="utf-8")
    (evaluation.folder / "report.md").write_text(
        as_markdown(evaluation.report, decision), encoding="utf-8"
    )
    return decision


def _contestants(
    judged: Dataset,
    spoken: dict[str, Predictions],
    adapted: Adaptation,
    options: TransferOptions,
    champion: Contestant | None,
) -> tuple[Contestant, ...]:
    """The lines of the result table, the candidate first."""
    title = f"candidate ({get_strategy(options.strategy).title})"
    candidate = Contestant(
        "candidate", title, "candidate", True, _measure(judged, spoken["candidate"])
    )
    rivals = [_rival(name, judged, spoken, adapted) for name in RIVALS]
    return (candidate, *([champion] if champion else []), *rivals)


def _draw(
    folder: Path,
    judged: Dataset,
    spoken: dict[str, Predictions],
    contestants: tuple[Contestant, ...],
    adapted: Adaptation,
) -> dict[str, Path]:
    titles = {
        entry.name: entry.title if entry.role == "rival" else entry.role for entry in contestants
    }
    said = spoken["candidate"]
    return save_pictures(
        folder,
        _judged(judged, said),
        {
            titles[name]: other.probabilities
            for name, other in spoken.items()
            if name != "candidate"
        },
        {
            titles[entry.name]: entry.metrics.pr_auc if entry.metrics else None
            for entry in contestants
        },
        adapted.history,
    )


def _predictions(path: Path) -> tuple[dict[str, Predictions], np.ndarray]:
    with np.load(path, allow_pickle=False) as stored:
        who = [key.removesuffix(".alarms") for key in stored if key.endswith(".alarms")]
        spoken = {
            name: Predictions(stored[f"{name}.probabilities"], stored[f"{name}.alarms"])
            for name in who
        }
        return spoken, stored["rows"]


def _judged(judged: Dataset, said: Predictions) -> Judged:
    return Judged(judged.y, said.probabilities, said.alarms, judged.run, judged.time)


def _measure(judged: Dataset, said: Predictions) -> Metrics:
    return measured(_judged(judged, said))


def _rival(
    name: str, judged: Dataset, spoken: dict[str, Predictions], adapted: Adaptation
) -> Contestant:
    rival = RIVALS[name]
    metrics = _measure(judged, spoken[name]) if name in spoken else None
    problem = f"could not run: {adapted.could_not_run[name]}" if name not in spoken else ""
    return Contestant(name, rival.title, "rival", rival.uses_source, metrics, problem)


def _against_champion(
    fetched: Fetched,
    rows: CheckedRows,
    positions: np.ndarray,
    candidate: Predictions,
    options: GateOptions,
) -> tuple[tuple[Contestant, Predictions] | None, Comparison | None]:
    """The champion's figures on all judged rows, and the comparison on those it was not trained on.

    It may descend from a source with its sensors in another order, so it reads the rows in its own one; fingerprints
    of the rows it has seen are made in that order too.
    """
    if fetched.champion is None or fetched.champion_bundle is None:
        return None, None
    bundle = load_bundle(fetched.champion_bundle)
    judged = read_target(rows, bundle.features).take(positions)
    probabilities = bundle.probabilities(judged.X)
    said = Predictions(probabilities, bundle.alarms(probabilities))
    seen = np.isin(judged.fingerprints(), bundle.training_rows)
    note = f"was trained on {seen.sum()} of {len(seen)} of these rows" if seen.any() else ""
    title = f"champion (version {fetched.champion.version})"
    contestant = Contestant("champion", title, "champion", True, _measure(judged, said), note=note)
    unseen = judged.take(~seen)
    ours, theirs = (_judged(unseen, _where(words, ~seen)) for words in (candidate, said))
    return (contestant, said), compare(
        ours, theirs, unseen.slices, options, excluded=int(seen.sum())
    )


def _where(said: Predictions, rows: np.ndarray) -> Predictions:
    return Predictions(said.probabilities[rows], said.alarms[rows])


def _forgetting(fetched: Fetched, candidate: Bundle, options: GateOptions) -> Forgetting | None:
    """Candidate and source model on source rows; None where none are kept. Both may have learned from these rows."""
    if fetched.source_rows is None:
        return None
    kept = load_dataset(fetched.source_rows)
    kept = kept.take(np.random.default_rng(0).permutation(len(kept))[:_SOURCE_ROWS])
    if kept.faults in (0, len(kept)):
        return None
    source = load_bundle(fetched.source_bundle)
    return forgot(
        _judged(kept, _say(candidate, kept.X)), _judged(kept, _say(source, kept.X)), options
    )


def _say(bundle: Bundle, X: np.ndarray) -> Predictions:
    probabilities = bundle.probabilities(X)
    return Predictions(probabilities, bundle.alarms(probabilities))


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
