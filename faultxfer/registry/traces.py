"""What killed processes leave: runs without end, uploads, models without versions, folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from faultxfer.process import is_gone
from faultxfer.registry import names
from faultxfer.registry.clients import all_pages, moment
from faultxfer.registry.diagnosis import RESTORES, TAKES_AWAY, Diagnosis
from faultxfer.registry.journal import PRUNE, read_journal
from faultxfer.registry.runs import say_nothing_came_of_it
from faultxfer.registry.store import Registry
from faultxfer.temporary import dead_folders

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel, Run
    from mlflow.entities.model_registry import ModelVersion

_KILLED = "KILLED"
_UPLOAD = re.compile(r"m-[0-9a-f]{32}")
# Ids in one question: MLflow parses a filter of twice as many no more.
_IN_A_FILTER = 2000


def unfinished_runs(registry: Registry, grace: timedelta) -> Iterator[Diagnosis]:
    """Runs that nobody works on any more."""
    whole = {
        version.run_id
        for known in registry.models()
        for version in registry.versions(known["name"])
        if version.tags.get(names.STATE) != names.CANDIDATE
    }
    client, running = registry.client, "attributes.status = 'RUNNING'"
    for run in _found(registry, client.search_runs, filter_string=running):
        run_id = run.info.run_id
        if not _is_left(run, grace):
            continue
        status = "FINISHED" if run_id in whole else _KILLED
        yield Diagnosis(
            "RUN-UNFINISHED",
            f"run {run_id}",
            f"The run is still shown as running, and its process is gone; it becomes {status}",
            "end the run",
            partial(_end_run, registry, run_id, status),
            kind=RESTORES,
        )


def _end_run(registry: Registry, run_id: str, status: str) -> None:
    registry.client.set_terminated(run_id, status)
    if status == _KILLED:
        say_nothing_came_of_it(registry, run_id, names.FAILED)


def unused_uploads(registry: Registry, grace: timedelta, kept: timedelta) -> Iterator[Diagnosis]:
    """MLflow's models that nothing names and that are older than ``kept``.

    A name is a version of any registered model, whoever made it, or a journal; an alias names a
    version.
    """
    uploads, runs = _named_by_versions(registry)
    runs |= _named_by_journals(registry)
    left = []
    for upload in _found(registry, registry.client.search_logged_models, **_but_for(uploads)):
        named = upload.model_id in uploads or upload.source_run_id in runs
        young = datetime.now(UTC) - moment(upload.creation_timestamp) < kept
        if not named and not young and _is_abandoned(registry, upload, grace):
            left.append(upload)
    # Each costs a question, so this comes last.
    addressed = _named_by_addresses(registry) if left else set()
    for upload in left:
        if upload.model_id in addressed:
            continue
        yield Diagnosis(
            "UPLOAD-UNUSED",
            upload.model_id,
            "Files of a model that no version, no journal and no alias names",
            "delete them; MLflow keeps them until `mlflow gc`",
            partial(_delete_unused, registry, upload),
            kind=TAKES_AWAY,
        )


def empty_models(registry: Registry, grace: timedelta) -> Iterator[Diagnosis]:
    """Registered models that never got a version, and that nobody is about to give one."""
    for known in registry.models():
        name = str(known["name"])
        if registry.versions(name) or read_journal(registry.client, name).entries:
            continue
        model = registry.client.get_registered_model(name)
        if not is_gone(
            (model.tags or {}).get(names.OWNER), moment(model.creation_timestamp), grace
        ):
            continue
        yield Diagnosis(
            "MODEL-EMPTY",
            name,
            "A registered model that never got a version",
            "delete it",
            partial(_delete_empty_model, registry, name),
            kind=TAKES_AWAY,
            model=name,
        )


def temporary_left() -> Iterator[Diagnosis]:
    """Temporary folders of this user whose process is gone; they hold only copies."""
    for path, remove in dead_folders():
        message = "A temporary folder whose process is gone"
        yield Diagnosis("TEMPORARY-LEFT", str(path), message, "remove it", remove, kind=RESTORES)


def _delete_empty_model(registry: Registry, name: str) -> None:
    """Delete a registered model, unless it has got a version meanwhile."""
    if not registry.versions(name):
        registry.client.delete_registered_model(name)


def _delete_unused(registry: Registry, upload: LoggedModel) -> None:
    """Delete an upload, unless a version has named it meanwhile."""
    uploads, runs = _named_by_versions(registry)
    uploads |= _named_by_addresses(registry)
    if upload.model_id not in uploads and upload.source_run_id not in runs:
        registry.client.delete_logged_model(upload.model_id)


def _named_by_versions(registry: Registry) -> tuple[set[str], set[str]]:
    """Ids of uploads and of runs that the versions of all registered models name."""
    uploads: set[str] = set()
    runs: set[str] = set()
    for version in _versions_and_entries(registry):
        uploads |= uploads_named(version)
        if version.run_id:
            runs.add(version.run_id)
    return uploads, runs


def _named_by_addresses(registry: Registry) -> set[str]:
    """Ids of uploads that lie where copied versions, or entries of journals, say their files are.

    A version that an entry names may be gone, and its files are still what the journal is about.
    """
    versions = _versions_and_entries(registry)
    return {upload for version in versions for upload in uploads_addressed(registry, version)}


def _versions_and_entries(registry: Registry) -> Iterator[ModelVersion]:
    """Versions of all registered models and journals, but entries of what was pruned.

    The entry of a version that was pruned stays, and the version is gone.
    """
    pruned = _pruned(registry)
    for version in all_pages(registry.client.search_model_versions):
        if not names.is_journal(version.name) or version.source not in pruned:
            yield version


def uploads_named(version: ModelVersion) -> set[str]:
    """Ids of the uploads that a version names itself."""
    uploads = set(_UPLOAD.findall(version.source or ""))
    return uploads | {version.model_id} if version.model_id else uploads


def _pruned(registry: Registry) -> set[str]:
    """Addresses of versions that were deleted by `prune`, as the journals note."""
    pruned: set[str] = set()
    for name in registry.known_names():
        pruned |= {names.version_uri(name, number) for number in _pruned_of(registry, name)}
    return pruned


def _pruned_of(registry: Registry, name: str) -> set[str]:
    notes = read_journal(registry.client, name).notes
    return {number for number, note in notes.items() if note.action == PRUNE}


def uploads_addressed(registry: Registry, version: ModelVersion) -> set[str]:
    """Ids of the uploads where its files are, if the version does not name them itself.

    A copied version has the address of its source.
    """
    if _UPLOAD.search(version.source or "") or str(version.source or "").startswith("faultxfer:"):
        return set()
    address = registry.client.get_model_version_download_uri(version.name, str(version.version))
    return set(_UPLOAD.findall(str(address)))


def _but_for(uploads: set[str]) -> dict[str, str]:
    """What lets MLflow leave these out of a search; nothing where they are too many for a filter.

    It gives each with all metrics and parameters, and nearly all are named by a version.
    """
    if not 0 < len(uploads) <= _IN_A_FILTER:
        return {}
    listed = ", ".join(f"'{one}'" for one in sorted(uploads))
    return {"filter_string": f"model_id NOT IN ({listed})"}


def _named_by_journals(registry: Registry) -> set[str]:
    runs: set[str] = set()
    for name in registry.known_names():
        pruned = _pruned_of(registry, name)
        for entry in read_journal(registry.client, name).entries.values():
            if entry.details.get("run_id") and entry.concerns not in pruned:
                runs.add(str(entry.details["run_id"]))
    return runs


def _is_abandoned(registry: Registry, upload: LoggedModel, grace: timedelta) -> bool:
    if not upload.source_run_id:
        return False
    run = registry.client.get_run(upload.source_run_id)
    return run.info.status != "RUNNING" and _is_left(run, grace)


def _is_left(run: Run, grace: timedelta) -> bool:
    return is_gone(run.data.tags.get(names.OWNER), moment(run.info.start_time), grace)


def _found(registry: Registry, search: Callable[..., Any], **named: str) -> Iterator[Any]:
    """What a search finds in the experiment of faultxfer; nothing where that does not exist."""
    experiment = registry.client.get_experiment_by_name(names.EXPERIMENT)
    if experiment is not None:
        yield from all_pages(search, [experiment.experiment_id], **named)
