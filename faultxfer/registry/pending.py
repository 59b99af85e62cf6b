"""What is marked for deletion and still needed: MLflow's garbage collection would take it.

Deleting in MLflow marks a run, a logged model or an experiment; `mlflow gc` deletes what is marked,
files included.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial

from faultxfer.registry import names
from faultxfer.registry.clients import all_pages, batches
from faultxfer.registry.database import rows
from faultxfer.registry.diagnosis import PERSON, RESTORES, Diagnosis
from faultxfer.registry.store import Registry, Version

# Of what was collected MLflow has no record any more.
_MARKED = "SELECT model_id FROM logged_models WHERE lifecycle_stage = 'deleted'"
_RESTORE_UPLOAD = "UPDATE logged_models SET lifecycle_stage = 'active' WHERE model_id = ?"
# Ids in one question: MLflow parses a filter of twenty times as many no more.
_IN_A_FILTER = 250


def pending_deletions(registry: Registry, versions: Iterable[Version]) -> Iterator[Diagnosis]:
    """What versions need and somebody deleted: their experiment, their runs, or their uploads."""
    versions = list(versions)
    experiment = registry.client.get_experiment_by_name(names.EXPERIMENT)
    if experiment is not None and experiment.lifecycle_stage == "deleted":
        command = f"mlflow experiments restore --experiment-id {experiment.experiment_id}"
        restore = partial(registry.client.restore_experiment, experiment.experiment_id)
        for version in versions:
            yield _marked(version, f"experiment {names.EXPERIMENT!r}", command, restore)
        # Its runs and uploads come back with it, or are found when it is back.
        return
    number = experiment.experiment_id if experiment is not None else None
    runs = _deleted_runs(registry, number, [one.run_id for one in versions if one.run_id])
    uploads = _deleted_uploads(registry, number, [one.model_id for one in versions if one.model_id])
    for version in versions:
        if version.run_id in runs:
            command = f"mlflow runs restore --run-id {version.run_id}"
            restore = partial(registry.client.restore_run, version.run_id)
            yield _marked(version, f"run {version.run_id}", command, restore)
        if version.model_id in uploads:
            yield _marked_upload(registry, version, str(version.model_id))


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


def _deleted_runs(registry: Registry, experiment: str | None, wanted: list[str]) -> set[str]:
    """Those of the runs that are marked for deletion.

    One that was collected is none of them: nothing is left to restore, and it held no file of a
    version.
    """
    from mlflow.entities import ViewType

    if experiment is None:
        return set()
    found: set[str] = set()
    for some in batches(wanted, _IN_A_FILTER):
        search = partial(registry.client.search_runs, run_view_type=ViewType.DELETED_ONLY)
        wanted_runs = f"attributes.run_id IN {_listed(some)}"
        found |= {run.info.run_id for run in all_pages(search, [experiment], wanted_runs)}
    return found


def _deleted_uploads(registry: Registry, experiment: str | None, wanted: list[str]) -> set[str]:
    """Those of the logged models that are marked for deletion."""
    if registry.database is not None:
        return {str(row[0]) for row in rows(registry.database, _MARKED)} & set(wanted)
    found: set[str] = set()
    for some in batches(sorted(set(wanted)), _IN_A_FILTER):
        if experiment is None or not _are_all_active(registry, experiment, some):
            found |= {one for one in some if _upload_is_deleted(registry, one)}
    return found


def _are_all_active(registry: Registry, experiment: str, wanted: Sequence[str]) -> bool:
    """Whether none of these logged models is marked for deletion.

    MLflow counts no logged models, and gives each with all its metrics and parameters. So the last
    of them alone is asked for: there is no such place in the list where one is wanting.
    """
    from mlflow.utils.search_utils import SearchLoggedModelsPaginationToken

    named = f"model_id IN {_listed(wanted)}"
    last = SearchLoggedModelsPaginationToken([experiment], named, offset=len(wanted) - 1).encode()
    search = registry.client.search_logged_models
    return len(search([experiment], named, max_results=1, page_token=last)) == 1


def _listed(ids: Sequence[str]) -> str:
    return "(" + ", ".join(f"'{one}'" for one in ids) + ")"


def _upload_is_deleted(registry: Registry, model_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        registry.client.get_logged_model(model_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return True
        raise
    return False
