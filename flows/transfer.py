"""The main job: move the source model to a machine with little labelled history."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task

from faultxfer.config import TransferOptions
from faultxfer.outputs import QUARANTINE, docs_folder, workspace
from faultxfer.steps.adaptation import adapt_source, check_strategy, split_target
from faultxfer.steps.intake import check_files
from faultxfer.steps.judging import ask_gate, evaluate_candidate
from faultxfer.steps.preflight import check_transfer_request
from faultxfer.steps.registration import TransferResult, register_candidate
from faultxfer.steps.rejudging import judge_until_settled
from faultxfer.steps.repeats import Unchanged, find_repeat
from faultxfer.steps.sources import Fetched, fetch_models
from faultxfer.stopping import heeded
from flows.publish import (
    IN_THE_RUN,
    progress_in_the_log,
    publish_findings,
    publish_repeat,
    publish_report,
)

fetch = task(name="load source and champion from the registry")(fetch_models)
check_rows = task(name="check rows against the contract")(check_files)
look_for_repeat = task(name="look for the same request")(find_repeat)
split_rows = task(name="split")(split_target)
adapt = task(name="scale, freeze, adapt; rivals")(adapt_source)
evaluate = task(name="evaluate")(evaluate_candidate)
judge = task(name="gate")(ask_gate)
register = task(name="register")(register_candidate)


@flow(name="transfer")
def transfer(
    csv: list[str],
    contract: str,
    model: str,
    equipment: str,
    options: TransferOptions | None = None,
    dry_run: bool = False,
    override_gate: str | None = None,
    force: bool = False,
    quarantine: str = str(QUARANTINE),
    data_docs: str | None = None,
    report_folder: str | None = None,
) -> TransferResult | Unchanged:
    """Move the source model to a machine with little labelled history.

    Args:
        csv: Labelled files of the new machine.
        contract: The contract's YAML file, the one the source model was trained with.
        model: Registered source model.
        equipment: The machine; only its rows are used.
        options: How to transfer, and the gate's thresholds.
        dry_run: Stop before anything is written to the registry.
        override_gate: Promote in spite of a refusal, for this reason.
        force: Do again what the same data, configuration and source have led to before.
        quarantine: Folder for rows set aside.
        data_docs: Folder for Great Expectations' Data Docs; the MLflow run has them in any case.
        report_folder: Also copy the pictures there.
    """
    options = options or TransferOptions()
    agreed = check_transfer_request(
        csv, contract, model, equipment, override_gate, options.gate.family, dry_run=dry_run
    )
    check_strategy(options)
    with heeded(), workspace() as work, progress_in_the_log():
        fetched = fetch(model, equipment, work=work, contract=agreed)
        rows = check_rows(
            csv,
            agreed,
            work=work,
            quarantine=Path(quarantine),
            labelled=True,
            equipment=equipment,
            data_docs=docs_folder(data_docs, work),
            source=fetched.classes,
        )
        publish_findings(rows, docs=data_docs or IN_THE_RUN)

        def repeated(against: Fetched) -> Unchanged | None:
            if force or dry_run:
                return None
            return look_for_repeat(
                rows,
                against,
                agreed,
                options,
                model=model,
                equipment=equipment,
                override_gate=override_gate,
            )

        if repeat := repeated(fetched):
            publish_repeat(repeat)
            return repeat
        split = split_rows(rows, fetched, agreed, options)
        adapted = adapt(rows, fetched, split, agreed, options, work=work)

        def judged(against: Fetched, folder: Path) -> TransferResult:
            evaluation = evaluate(
                rows,
                against,
                split,
                adapted,
                options,
                model=model,
                equipment=equipment,
                work=folder,
            )
            decision = judge(evaluation, options.gate)
            return register(
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

        result = judge_until_settled(
            judged, repeated, fetched, model=model, equipment=equipment, work=work
        )
    if isinstance(result, Unchanged):
        publish_repeat(result)
    else:
        publish_report(result)
    return result
