"""Train and register the source model."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task

from faultxfer.config import PretrainOptions
from faultxfer.outputs import QUARANTINE, docs_folder, workspace
from faultxfer.steps.intake import check_files
from faultxfer.steps.preflight import check_pretrain_request
from faultxfer.steps.pretraining import PretrainResult, register_source, train_source
from faultxfer.stopping import heeded
from flows.publish import IN_THE_RUN, progress_in_the_log, publish_docs, publish_findings

check_rows = task(name="check rows against the contract")(check_files)
train = task(name="train the source network")(train_source)
register = task(name="register the source model")(register_source)


@flow(name="pretrain")
def pretrain(
    csv: list[str],
    contract: str,
    model: str,
    options: PretrainOptions | None = None,
    quarantine: str = str(QUARANTINE),
    data_docs: str | None = None,
) -> PretrainResult:
    """Train the source model on equipment with years of labelled history.

    Args:
        csv: Labelled files of the source equipment.
        contract: The contract's YAML file.
        model: Name to register the model under.
        options: How to train.
        quarantine: Folder for rows set aside.
        data_docs: Folder for Great Expectations' Data Docs; the MLflow run has them in any case.
    """
    options = options or PretrainOptions()
    agreed = check_pretrain_request(csv, contract, model)
    with heeded(), workspace() as work, progress_in_the_log():
        docs = docs_folder(data_docs, work)
        rows = check_rows(
            csv,
            agreed,
            work=work,
            quarantine=Path(quarantine),
            labelled=True,
            equipment=agreed.machine_of_unnamed_rows,
            data_docs=docs,
        )
        publish_findings(rows, docs=data_docs or IN_THE_RUN)
        trained = train(rows, agreed, options, model=model, work=work)
        result = register(rows, trained, agreed, options, model=model)
    publish_docs(result.rows, result.model)
    return result
