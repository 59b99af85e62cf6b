"""What killed processes leave beside versions: runs without end, uploads without version, models without versions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from faultxfer.registry import names
from faultxfer.registry.journal import read_journal
from faultxfer.registry.owner import is_gone
from faultxfer.registry.store import Registry

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel, Run


def unfinished_runs(registry: Registry, grace: timedelta) -> Iterator[tuple[str, str]]:
    """Runs that nobody works on any more, each with the status that it should have."""
    whole = {
        version.run_id
        for known in registry.models()
        for version in registry.versions(known["name"])
        if version.tags.get(names.STATE) != names.CANDIDATE
    }
    for run in _runs(registry, "attributes.status = 'RUNNING'"):
        if _is_left(run, grace):
            yield run.info.run_id, "FINISHED" if run.info.run_id in whole else "KILLED"


def unused_uploads(registry: Registry, grace: timedelta) -> Iterator[str]:
    """Ids of MLflow's models that no version has, and that nobody is about to register."""
    used = {version.model_id for known in registry.models() for version in registry.versions(known["name"])}
    for upload in _uploads(registry):
        if upload.model_id not in used and _is_abandoned(registry, upload, grace):
            yield upload.model_id


def empty_models(registry: Registry, grace: timedelta) -> Iterator[str]:
    """Registered models that never got a version, and that nobody is about to give one."""
    for known in registry.models():
        if registry.versions(known["name"]) or read_journal(registry.client, known["name"]).entries:
            continue
        model = registry.client.get_registered_model(known["name"])
        if is_gone((model.tags or {}).get(names.OWNER), _moment(model.creation_timestamp), grace):
            yield known["name"]


def delete_empty_model(registry: Registry, name: str) -> None:
    """Delete a registered model, unless it has got a version meanwhile."""
    if not registry.versions(name):
        registry.client.delete_registered_model(name)


def _is_abandoned(registry: Registry, upload: LoggedModel, grace: timedelta) -> bool:
    if not upload.source_run_id:
        return False
    run = registry.client.get_run(upload.source_run_id)
    return run.info.status != "RUNNING" and _is_left(run, grace)


def _is_left(run: Run, grace: timedelta) -> bool:
    return is_gone(run.data.tags.get(names.OWNER), _moment(run.info.start_time), grace)


def _runs(registry: Registry, wanted: str) -> Iterator[Run]:
    found = registry.client.get_experiment_by_name(names.EXPERIMENT)
    yield from _pages(registry.client.search_runs, [found.experiment_id], wanted) if found else ()


def _uploads(registry: Registry) -> Iterator[LoggedModel]:
    found = registry.client.get_experiment_by_name(names.EXPERIMENT)
    yield from _pages(registry.client.search_logged_models, [found.experiment_id], None) if found else ()


def _pages(search: Any, experiments: list[str], wanted: str | None) -> Iterator[Any]:
    token = None
    while True:
        page = search(experiments, filter_string=wanted, page_token=token)
        yield from list(page)
        token = page.token
        if not token:
            return


def _moment(milliseconds: int | None) -> datetime:
    return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC)
