"""What is marked for deletion and still needed: MLflow's garbage collection would take it.

Deleting in MLflow marks a run, a logged model or an experiment; `mlflow gc` deletes what is marked,
files included.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from faultxfer.registry import names
from faultxfer.registry.database import rows
from faultxfer.registry.diagnosis import PERSON, RESTORES, Diagnosis
from faultxfer.registry.store import Registry, Version

_RESTORE_UPLOAD = "UPDATE logged_models SET lifecycle_stage = 'active' WHERE model_id = ?"


def pending_deletions(registry: Registry, version: Version) -> Iterator[Diagnosis]:
    """What a version needs and somebody deleted: its experiment, its run, or its upload."""
    experiment = registry.client.get_experiment_by_name(names.EXPERIMENT)
    if experiment is not None and experiment.lifecycle_stage == "deleted":
        command = f"mlflow experiments restore --experiment-id {experiment.experiment_id}"
        restore = partial(registry.client.restore_experiment, experiment.experiment_id)
        yield _marked(version, f"experiment {names.EXPERIMENT!r}", command, restore)
        # Its runs and uploads come back with it, or are found when it is back.
        return
    if version.run_id and _run_is_deleted(registry, version.run_id):
        command = f"mlflow runs restore --run-id {version.run_id}"
        restore = partial(registry.client.restore_run, version.run_id)
        yield _marked(version, f"run {version.run_id}", command, restore)
    if version.model_id and _upload_is_deleted(registry, version.model_id):
        yield _marked_upload(registry, version, version.model_id)


def _marked(version: Version, what: str, command: str, restore: partial[None]) -> Diagnosis:
    message = (
        f"The {what} is marked for deletion, and `mlflow gc` would take what the version needs"
    )
    return _pending(version, message, f"restore it (`{command}`)", restore)


def _marked_upload(registry: Registry, version: Version, model_id: str) -> Diagnosis:
    """MLflow has no call that restores a logged model; in a database it is one statement."""
    message = (
        f"The logged model {model_id} is marked for deletion, and `mlflow gc` would take the "
        "version's files"
    )
    statement = _RESTORE_UPLOAD.replace("?", f"'{model_id}'")
    if registry.database is None:
        remedy = (
            "Let no `mlflow gc` run before the server's administrator typed, in its database: "
            f"{statement}"
        )
        return _pending(version, message, remedy)
    restore = partial(_restore_upload, str(registry.database), model_id)
    return _pending(version, message, f"restore it (in the database: {statement})", restore)


def _pending(
    version: Version, message: str, remedy: str, restore: partial[None] | None = None
) -> Diagnosis:
    kind = PERSON if restore is None else RESTORES
    return Diagnosis(
        "DELETION-PENDING", version.uri, message, remedy, restore, kind=kind, model=version.name
    )


def _restore_upload(database: str, model_id: str) -> None:
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        connection.execute(_RESTORE_UPLOAD, (model_id,))


def _run_is_deleted(registry: Registry, run_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        return bool(registry.client.get_run(run_id).info.lifecycle_stage == "deleted")
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            # It was collected: nothing is left to restore, and it held no file of a version.
            return False
        raise


def _upload_is_deleted(registry: Registry, model_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        registry.client.get_logged_model(model_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return registry.database is None or _is_marked(registry.database, model_id)
        raise
    return False


def _is_marked(database: Path, model_id: str) -> bool:
    """Whether MLflow still has the record. What was collected is gone, record and files."""
    return bool(rows(database, "SELECT 1 FROM logged_models WHERE model_id = ?", (model_id,)))
