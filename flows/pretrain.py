"""Train and register the source model."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task

from faultxfer.config import PretrainOptions
from faultxfer.steps.intake import check_files
from faultxfer.steps.outputs import QUARANTINE, workspace
from faultxfer.steps.preflight import check_pretrain_request
from faultxfer.steps.pretraining import PretrainResult, register_source, train_source
from flows.publish import progress_in_the_log, publish_findings

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
) -> PretrainResult:
    """Train the source model on equipment with years of labelled history.

    Args:
        csv: Labelled files of the source equipment.
        contract: The contract's YAML file.
        model: Name to register the model under.
        options: How to train.
        quarantine: Folder for rows set aside.
    """
    options = options or PretrainOptions()
    agreed = check_pretrain_request(csv, contract, model)
    with workspace() as work, progress_in_the_log():
        rows = check_rows(csv, agreed, work=work, quarantine=Path(quarantine), labelled=True)
        publish_findings(rows)
        trained = train(rows, agreed, options, model=model, work=work)
        return register(rows, trained, agreed, options, model=model)
