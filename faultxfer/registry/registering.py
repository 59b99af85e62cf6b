"""How a version gets into the registry: whole, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from faultxfer.errors import ChampionMovedError, RegistryError
from faultxfer.process import this_process
from faultxfer.registry import journal, names
from faultxfer.registry.cards import OF_RUN, OF_VERSION, card_of
from faultxfer.registry.descriptions import of_model
from faultxfer.registry.graphs import write_graph
from faultxfer.registry.journal import Chain
from faultxfer.registry.mlflow_errors import asks_the_store, reported
from faultxfer.registry.model_files import digest_of, file_hashes, write_model
from faultxfer.registry.promotion import (
    Promotion,
    make_provisional,
    make_waiting,
    promote,
    standing,
)
from faultxfer.registry.provenance import actor
from faultxfer.registry.repairs import begin_missing_journal
from faultxfer.registry.runs import (
    RunRecord,
    experiment_id,
    log_metrics,
    logged_run,
    run_card,
    say_nothing_came_of_it,
)
from faultxfer.registry.smoke import smoke_test
from faultxfer.registry.store import Registry, Version
from faultxfer.temporary import temporary_folder


@dataclass(frozen=True)
class NewVersion:
    """What becomes a version.

    Attributes:
        name: registered model; made if it does not exist.
        model_tags: set when the registered model is made.
        bundle_folder: the saved bundle, with golden rows.
        features: its sensors in order.
        example: (k, d) rows that show how to call the model.
        machine: whose own rows it takes when it is served; None for a source model.
    """

    name: str
    model_tags: dict[str, str]
    bundle_folder: Path
    features: tuple[str, ...]
    example: np.ndarray
    machine: str | None = None


def register(
    registry: Registry, record: RunRecord, new: NewVersion, promotion: Promotion
) -> Version:
    """Log a run, register its bundle as a version, load it back, write the journal, move the alias.

    Whatever goes wrong on the way, the version is taken back and the champion stays.

    Args:
        registry: where.
        record: the run; its tags and note are the version's as well.
        new: what to register.
        promotion: why it shall be champion, or provisional, or wait for approval.

    Raises:
        ChampionMovedError: another promotion came first.
        BundleError: what comes back from the registry does not score as the bundle does.
        RegistryError: the store does not answer.
    """
    if promotion.action == journal.WAITING:
        begin_missing_journal(registry, new.name)
    if promotion.head is None:
        # Nothing is registered on top of a champion that is gone: the doctor comes first.
        standing(registry, new.name)
    else:
        _require_head(registry, new.name, promotion.head)
    with _taken_back_unless_whole(registry, new.name) as made:
        with logged_run(registry, record) as run_id:
            graph = write_graph(new.bundle_folder, new.name, new.machine)
            made.model_id, files = _upload(registry, run_id, record, new)
            tags = {**record.filters, **record.tags, **graph}
            made.version = _create(registry, run_id, made.model_id, files, record, new, tags)
            smoke_test(registry, made.version)
        _promote(registry, made.version, run_id, promotion)
    return registry.version(new.name, made.version.version)


def is_named(registry: Registry, version: Version, chain: Chain) -> bool:
    """Whether the journal or an alias names a version, so that nobody may delete it."""
    numbers = set()
    for entry in chain.entries.values():
        numbers |= {entry.from_version, entry.to_version, entry.concerns}
    return version.version in numbers or version.version in registry.aliases(version.name).values()


def _retire(registry: Registry, version: Version) -> None:
    """Take back a version that this process made and that was never promoted, with its files."""
    registry.client.delete_model_version(version.name, version.version)
    if version.model_id:
        registry.client.delete_logged_model(version.model_id)


@dataclass
class _Made:
    """What there is to take back."""

    name: str
    model_id: str | None = None
    version: Version | None = None


@contextmanager
def _taken_back_unless_whole(registry: Registry, name: str) -> Iterator[_Made]:
    made = _Made(name)
    try:
        yield made
    except BaseException:
        # The first error is the one to show.
        with suppress(RegistryError), reported("the tracking store"):
            _take_back(registry, made)
        raise


def _take_back(registry: Registry, made: _Made) -> None:
    version = made.version or _made_unheard(registry, made)
    if version is not None:
        chain = journal.read_journal(registry.client, version.name)
        # Once it stands in the journal it is champion, and what remains is to let the alias follow.
        if not is_named(registry, version, chain):
            _retire(registry, version)
            say_nothing_came_of_it(registry, version.run_id, names.FAILED)
    elif made.model_id is not None:
        registry.client.delete_logged_model(made.model_id)


def _made_unheard(registry: Registry, made: _Made) -> Version | None:
    """The version that the store made, where a signal came before its answer."""
    if made.model_id is None:
        return None
    of_this_upload = (
        version for version in registry.versions(made.name) if version.model_id == made.model_id
    )
    return next(of_this_upload, None)


@asks_the_store
def _require_head(registry: Registry, name: str, head: str) -> None:
    journal.require_head(registry.client, name, head)


def _promote(registry: Registry, version: Version, run_id: str, promotion: Promotion) -> None:
    ways = {journal.PROVISIONAL: make_provisional, journal.WAITING: make_waiting}
    write = ways.get(promotion.action, promote)
    told = replace(promotion, details={**promotion.details, "run_id": run_id})
    try:
        write(registry, version, told)
    except ChampionMovedError:
        with suppress(RegistryError), reported("the tracking store"):
            registry.client.set_tag(
                run_id, names.REASON, "Another promotion came first; judged again in a later run"
            )
            registry.client.set_terminated(run_id, "KILLED")
            say_nothing_came_of_it(registry, run_id, names.JUDGED_AGAIN)
        raise


@asks_the_store
def _upload(
    registry: Registry, run_id: str, record: RunRecord, new: NewVersion
) -> tuple[str, dict[str, str]]:
    """Id of MLflow's model, and SHA-256 of each of its files."""
    from mlflow.entities import LoggedModelOutput

    client = registry.client
    model_id = _begin_upload(registry, run_id, record, new)
    try:
        with temporary_folder("model") as folder:
            model_folder = folder / "model"
            write_model(
                model_folder,
                new.bundle_folder,
                new.features,
                new.example,
                new.machine,
                model_id=model_id,
                run_id=run_id,
            )
            files = file_hashes(model_folder)
            client.log_model_artifacts(model_id, str(model_folder))
        client.finalize_logged_model(model_id, "READY")
        client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])
        log_metrics(registry, run_id, record, model_id)
    except BaseException:
        with suppress(RegistryError), reported("the tracking store"):
            client.delete_logged_model(model_id)
        raise
    return model_id, files


def _begin_upload(registry: Registry, run_id: str, record: RunRecord, new: NewVersion) -> str:
    """MLflow's model that is going to hold the files, with the parameters and the page of its run.

    Returns:
        Its id.
    """
    tags = {**record.filters, names.USER: actor()}
    if record.note:
        tags[names.PAGE] = card_of(run_card(registry, run_id, record), OF_RUN)
    logged = registry.client.create_logged_model(
        experiment_id(registry),
        name=names.logged_name(new.name),
        source_run_id=run_id,
        tags=tags,
        params=record.shown_params,
        model_type="fault detector",
    )
    return str(logged.model_id)


@asks_the_store
def _create(
    registry: Registry,
    run_id: str,
    model_id: str,
    files: dict[str, str],
    record: RunRecord,
    new: NewVersion,
    tags: dict[str, str],
) -> Version:
    _ensure_model(registry, new)
    tags = {
        **tags,
        names.STATE: names.CANDIDATE,
        names.OWNER: this_process(),
        names.FILES: digest_of(files),
        names.LISTING: json.dumps(files),
    }
    made = registry.client.create_model_version(
        new.name,
        f"models:/{model_id}",
        run_id,
        tags=tags,
        description=card_of(run_card(registry, run_id, record), OF_VERSION),
        model_id=model_id,
    )
    named = json.dumps([{"name": new.name, "version": str(made.version)}])
    registry.client.set_logged_model_tags(model_id, {names.VERSIONS: named})
    return replace(registry.as_version(made), tags=tags)


def _ensure_model(registry: Registry, new: NewVersion) -> None:
    from mlflow.exceptions import MlflowException

    if registry.is_registered(new.name):
        _repeat_identity(registry, new)
    else:
        try:
            tags = {**new.model_tags, names.OWNER: this_process()}
            text = of_model(new.name, new.model_tags)
            registry.client.create_registered_model(new.name, tags=tags, description=text)
        except MlflowException:
            # Another process may have made it in between.
            if not registry.is_registered(new.name):
                raise


def _repeat_identity(registry: Registry, new: NewVersion) -> None:
    """A source model may come to detect something else, and an older release said less of it."""
    found = registry.client.get_registered_model(new.name)
    for key in (names.FAMILY, names.LABEL):
        value = new.model_tags.get(key)
        if value is not None and (found.tags or {}).get(key) != value:
            registry.client.set_registered_model_tag(new.name, key, value)
    if not found.description:
        text = of_model(new.name, new.model_tags)
        registry.client.update_registered_model(new.name, text)
