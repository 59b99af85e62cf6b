"""The main path as plain functions. The flows run the same steps as tasks; the command line runs the flows.

``transfer`` reads as the product does: check the rows, fetch the models, split, adapt, evaluate, ask the gate,
register.
"""

from __future__ import annotations

from pathlib import Path

from faultxfer.config import CurveOptions, PretrainOptions, TransferOptions
from faultxfer.learning_curves.measuring import (
    LearningResult,
    draw_rows,
    measure_learning,
    report_learning,
)
from faultxfer.outputs import (
    LEARNING_CURVE,
    QUARANTINE,
    docs_folder,
    quarantine_of_scores,
    workspace,
)
from faultxfer.steps.adaptation import adapt_source, check_strategy, split_target
from faultxfer.steps.intake import check_files
from faultxfer.steps.judging import ask_gate, evaluate_candidate
from faultxfer.steps.preflight import (
    check_learning_request,
    check_pretrain_request,
    check_score_request,
    check_transfer_request,
)
from faultxfer.steps.pretraining import PretrainResult, register_source, train_source
from faultxfer.steps.registration import TransferResult, register_candidate
from faultxfer.steps.rejudging import judge_until_settled
from faultxfer.steps.repeats import Unchanged, find_repeat
from faultxfer.steps.scoring import ScoreResult, fetch_detector, score_rows
from faultxfer.steps.sources import Fetched, fetch_models
from faultxfer.steps.validation import validate

__all__ = ["learning_curve", "pretrain", "score", "transfer", "validate"]


def pretrain(
    csv: list[str],
    contract: Path | str,
    model: str,
    options: PretrainOptions | None = None,
    *,
    quarantine: Path | str = QUARANTINE,
    data_docs: Path | str | None = None,
) -> PretrainResult:
    """Train the source model on equipment with history and register it.

    Raises:
        UserError: the files, the contract or the registry do not allow it; nothing is registered then.
    """
    options = options or PretrainOptions()
    agreed = check_pretrain_request(csv, contract, model)
    with workspace() as work:
        docs = docs_folder(data_docs, work)
        rows = check_files(
            csv,
            agreed,
            work=work,
            quarantine=Path(quarantine),
            labelled=True,
            equipment=agreed.machine_of_unnamed_rows,
            data_docs=docs,
        )
        trained = train_source(rows, agreed, options, model=model, work=work)
        return register_source(rows, trained, agreed, options, model=model)


def transfer(
    csv: list[str],
    contract: Path | str,
    model: str,
    equipment: str,
    options: TransferOptions | None = None,
    *,
    dry_run: bool = False,
    override_gate: str | None = None,
    force: bool = False,
    quarantine: Path | str = QUARANTINE,
    data_docs: Path | str | None = None,
    report_folder: Path | str | None = None,
) -> TransferResult | Unchanged:
    """The main job: move the source model to a machine with little labelled history.

    Args:
        csv: labelled files of the machine.
        contract: the contract that the source model was trained with.
        model: registered source model.
        equipment: the machine; only its rows are used.
        options: how; defaults are documented in ``docs/configuration.md``.
        dry_run: stop before anything is written to the registry.
        override_gate: promote in spite of a refusal, for this reason; it stays with the version.
        force: do again what the same data, configuration and source have led to before.
        quarantine: folder for rows set aside.
        data_docs: also keep the Data Docs there; the MLflow run has them in any case.
        report_folder: also copy the pictures there.

    Raises:
        UserError: the files, the contract or the registry do not allow it; nothing is registered then.
    """
    options = options or TransferOptions()
    agreed = check_transfer_request(
        csv, contract, model, equipment, override_gate, options.gate.family, dry_run=dry_run
    )
    check_strategy(options)
    with workspace() as work:
        fetched = fetch_models(model, equipment, work=work, contract=agreed)
        rows = check_files(
            csv,
            agreed,
            work=work,
            quarantine=Path(quarantine),
            labelled=True,
            equipment=equipment,
            data_docs=docs_folder(data_docs, work),
            source=fetched.classes,
        )

        def repeated(against: Fetched) -> Unchanged | None:
            if force or dry_run:
                return None
            return find_repeat(
                rows,
                against,
                agreed,
                options,
                model=model,
                equipment=equipment,
                override_gate=override_gate,
            )

        if repeat := repeated(fetched):
            return repeat
        split = split_target(rows, fetched, agreed, options)
        adapted = adapt_source(rows, fetched, split, agreed, options, work=work)

        def judged(against: Fetched, folder: Path) -> TransferResult:
            evaluation = evaluate_candidate(
                rows,
                against,
                split,
                adapted,
                options,
                model=model,
                equipment=equipment,
                work=folder,
            )
            decision = ask_gate(evaluation, options.gate)
            return register_candidate(
                rows,
                against,
                adapted,
                evaluation,
                decision,
                agreed,
                options,
                dry_run=dry_run,
                override_gate=override_gate,
                report_folder=Path(report_folder) if report_folder else None,
            )

        return judge_until_settled(
            judged, repeated, fetched, model=model, equipment=equipment, work=work
        )


def score(
    csv: list[str],
    model: str,
    equipment: str,
    out: Path | str,
    version: int | None = None,
    *,
    quarantine: Path | str = QUARANTINE,
    data_docs: Path | str | None = None,
) -> ScoreResult:
    """Score new rows with a machine's champion, or the version asked for, into a CSV.

    Raises:
        UserError: the machine or version is unknown, or a file does not fit the version's contract.
    """
    check_score_request(csv, model, equipment, out)
    with workspace() as work:
        detector = fetch_detector(model, equipment, version, work=work)
        rows = check_files(
            csv,
            detector.contract,
            work=work,
            quarantine=quarantine_of_scores(quarantine, out),
            labelled=False,
            equipment=equipment,
            data_docs=Path(data_docs) if data_docs else None,
        )
        return score_rows(rows, detector, out=Path(out), model=model, equipment=equipment)


def learning_curve(
    csv: list[str],
    contract: Path | str,
    model: str,
    equipment: str,
    options: CurveOptions | None = None,
    *,
    out: Path | str = LEARNING_CURVE,
    quarantine: Path | str = QUARANTINE,
    data_docs: Path | str | None = None,
) -> LearningResult:
    """Measure what labelled rows of a machine bring with the source and without it; registers nothing.

    Args:
        csv: labelled files of the machine.
        contract: the contract that the source model was trained with.
        model: registered source model.
        equipment: the machine; only its rows are used.
        options: how; defaults are documented in ``docs/configuration.md``.
        out: folder for the figures (JSON), the answers (Markdown) and the picture (PNG).
        quarantine: folder for rows set aside.
        data_docs: folder for Data Docs; not written if left out.

    Raises:
        UserError: the files, the contract or the registry do not allow it, or the rows are too few.
    """
    options = options or CurveOptions()
    agreed = check_learning_request(csv, contract, model, equipment, out)
    with workspace() as work:
        fetched = fetch_models(model, equipment, work=work)
        rows = check_files(
            csv,
            agreed,
            work=work,
            quarantine=Path(quarantine),
            labelled=True,
            equipment=equipment,
            data_docs=Path(data_docs) if data_docs else None,
            source=fetched.classes,
        )
        draws = draw_rows(rows, fetched, agreed, options)
        heard = measure_learning(rows, draws, fetched, options)
        return report_learning(
            rows, draws, heard, options, model=model, equipment=equipment, out=Path(out)
        )
