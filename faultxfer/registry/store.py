"""Look up and download what is registered; :mod:`faultxfer.registry.registering` adds to it."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from faultxfer.errors import RegistryError
from faultxfer.registry import connect as connection
from faultxfer.registry import names
from faultxfer.registry.clients import (
    ListingClient,
    RememberingClient,
    RetryingClient,
    all_pages,
    batches,
    moment,
    own_client,
    with_retries,
)
from faultxfer.registry.connect import Access
from faultxfer.registry.downloading import fetch_files, recorded_location
from faultxfer.registry.inspection import registered_sha256, require_registered
from faultxfer.registry.journal import is_stored_journal, read_journal
from faultxfer.registry.locations import local_path, resolved_location
from faultxfer.registry.mlflow_errors import asks_the_store, reported
from faultxfer.registry.model_files import BUNDLE_IN_MODEL
from faultxfer.registry.places import Places
from faultxfer.registry.readiness import require_ready

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

# Tags of runs whose candidate was registered although the gate did not let it pass.
_REGISTERED_NONETHELESS = {names.OVERRIDE, names.REGISTERED_AS}
# What fits into the address of a request.
_NAMES_IN_A_FILTER = 50
# When a server last answered, by its address: every step of a command opens the registry.
_answered: dict[str, float] = {}
_ANSWER_HOLDS_SECONDS = 60.0


@dataclass(frozen=True)
class Version:
    """One registered version; ``model_id`` is MLflow's model that holds its files.

    ``copied``: somebody copied it from another version in MLflow, tags included; no journal of its
    model knows it.
    """

    name: str
    version: str
    run_id: str
    created: str
    tags: dict[str, str] = field(default_factory=dict)
    description: str = ""
    champion: bool = False
    provisional: bool = False
    waiting: bool = False
    model_id: str | None = None
    copied: bool = False

    @property
    def is_retired(self) -> bool:
        """Whether its tag says that it is never champion again."""
        return self.tags.get(names.STATE) == names.RETIRED

    @property
    def uri(self) -> str:
        """Address for MLflow."""
        return names.version_uri(self.name, self.version)


class Registry:
    """The tracking store and model registry behind one address; see :func:`open_registry`."""

    def __init__(self, client: MlflowClient, uri: str) -> None:
        self.client = client
        self.live = client  # asks anew, also in a block of `as_it_is_now`
        self._places: Places | None = None
        self.experiment: str | None = None  # its number, once it was asked for
        self.uri = uri
        self.address = connection.shown(uri)  # for people: without a password
        self.database = connection.sqlite_file(uri)  # None for a server

    @contextmanager
    def as_it_is_now(self, *, everything: bool = True, files: bool = True) -> Iterator[None]:
        """A block in which each question is asked once: to look, not to act.

        A whole examination asks for the same model dozens of times. What others change meanwhile
        is not seen.

        Args:
            everything: whether all models are looked at: then they are asked for at once.
            files: whether files that a server hands out are to be read, which takes a dozen
                requests for each version.
        """
        client = ListingClient if everything else RememberingClient
        self.client = cast("MlflowClient", client(self.live))
        self._places = Places(self.client, self.database, far=files) if everything else None
        try:
            yield
        finally:
            self.client, self._places = self.live, None

    def may_read(self, version: Version) -> bool:
        """Whether to read a version's files, for no other reason than to look at everything."""
        return self._places is None or self._places.may_read(version)

    @asks_the_store
    def models(self) -> list[dict[str, Any]]:
        """Registered models of faultxfer, with their champion version or None.

        By what their tags say; :mod:`faultxfer.registry.machines` asks the bundles.
        """
        return [_as_dict(model) for model in self._ours() if not self._is_journal(model)]

    @asks_the_store
    def known_names(self) -> list[str]:
        """Names of all models that are registered, or of which only the journal is left."""
        known = [model.name for model in self._ours() if not self._is_evidence(model)]
        return sorted({names.of_journal(name) for name in known})

    @asks_the_store
    def named_like(self, equipment: str) -> list[str]:
        """Names of all models of a machine, registered or with only the journal left."""
        found = set()
        for ending in names.ending_in(equipment):
            alike = self._search_models(f"name LIKE '%{_quoted(ending)}%'")
            found |= {names.of_journal(model.name) for model in self._recognised(alike)}
        return sorted(name for name in found if names.is_of_machine(name, equipment))

    @asks_the_store
    def tags_by_name(self) -> dict[str, dict[str, str]]:
        """Tags of every registered model of faultxfer, journals as well."""
        return {model.name: dict(model.tags or {}) for model in self._ours()}

    @asks_the_store
    def model_tags(self, name: str) -> dict[str, str]:
        """Tags of a registered model; none where it is not registered."""
        model = self._registered(name)
        return dict(model.tags or {}) if model else {}

    @asks_the_store
    def champion(self, name: str) -> Version | None:
        """The version production scores with, or None."""
        number = self.alias(name)
        return None if number is None else self.version(name, number)

    @asks_the_store
    def provisional(self, name: str) -> Version | None:
        """The version that a machine without champion is scored with, or None."""
        number = self.aliases(name).get(names.PROVISIONAL)
        return None if number is None else self.version(name, number)

    @asks_the_store
    def alias(self, name: str) -> str | None:
        """The number that the champion's alias names, whether or not there is such a version."""
        return self.aliases(name).get(names.CHAMPION)

    def is_registered(self, name: str) -> bool:
        """Whether there is a registered model of that name, even one without versions."""
        return self._registered(name) is not None

    def version(self, name: str, number: str | int) -> Version:
        """One version.

        Raises:
            RegistryError: there is none of that number; lists those there are.
        """
        known = {version.version: version for version in self.versions(name)}
        if str(number) not in known:
            raise RegistryError(
                f"{name!r} has no version {number}",
                received={"version": str(number), "known": sorted(known)},
                remedy="List them with `faultxfer registry history`",
            )
        return known[str(number)]

    @asks_the_store
    def versions(self, name: str) -> list[Version]:
        """All versions of a registered model, newest first; empty if the model is unknown."""
        model = self._registered(name)
        return [] if model is None else self._versions(name, _aliases(model))

    @asks_the_store
    def tagged_versions(self, name: str) -> list[Version]:
        """As :meth:`versions`, for tags alone: which of them an alias names is not asked."""
        return self._versions(name, {})

    def as_version(self, made: ModelVersion) -> Version:
        """A version that was just made, as MLflow gave it back; no alias names it yet."""
        return _version(made, {})

    def _versions(self, name: str, aliases: dict[str, str]) -> list[Version]:
        found = all_pages(self.client.search_model_versions, names.equals(name))
        versions = [_version(item, aliases) for item in found if item.name == name]
        return sorted(versions, key=lambda one: int(one.version), reverse=True)

    @asks_the_store
    def refusals(self, name: str | None, request: str | None = None) -> list[dict[str, Any]]:
        """Runs whose candidate the gate did not let pass, newest first.

        Args:
            name: registered model that it was for; None for all.
            request: SHA-256 of what was asked for; None for whatever was.
        """
        experiment = self.client.get_experiment_by_name(names.EXPERIMENT)
        if experiment is None:
            return []
        wanted = [f"tags.`{names.GATE}` != 'promote'", "attributes.status = 'FINISHED'"]
        if name is not None:
            wanted.append(f"tags.`{names.MODEL}` = '{_quoted(name)}'")
        if request is not None:
            wanted.append(f"tags.`{names.REQUEST}` = '{_quoted(request)}'")
        runs = all_pages(
            self.client.search_runs,
            [experiment.experiment_id],
            filter_string=" and ".join(wanted),
            order_by=["attributes.start_time DESC"],
        )
        return [_refusal(run) for run in runs if not _REGISTERED_NONETHELESS & set(run.data.tags)]

    def download_bundle(self, version: Version, folder: Path) -> Path:
        """Copy a version's bundle into ``folder``, see :meth:`download_model`.

        Returns its place.
        """
        return self.download_model(version, folder) / BUNDLE_IN_MODEL

    def download_model(self, version: Version, folder: Path) -> Path:
        """Copy all files of a version into ``folder``, and compare them with what was registered.

        Raises:
            FilesAbsentError: the version's files are not there, or not all of them.
            UnreadableError: they cannot be read.
            BundleError: they are not those that were registered; nothing has parsed them.
        """
        path = fetch_files(self.files_location(version), folder)
        chain = read_journal(self.client, version.name)
        require_registered(path, version, registered_sha256(version, chain))
        return path

    @asks_the_store
    def aliases(self, name: str) -> dict[str, str]:
        """Number of the version by alias; empty if the model is unknown."""
        model = self._registered(name)
        return _aliases(model) if model else {}

    @asks_the_store
    def files_location(self, version: Version) -> str:
        """Where a version's files are to be read: beside the store's own database, if it has them.

        A registry that was moved or copied still names the folder it was made in.
        """
        known = self._places.known(version) if self._places else None
        if known is not None:
            return known
        recorded = recorded_location(self.client, version.name, version.version)
        return resolved_location(recorded, self.database)

    @asks_the_store
    def download_run_file(self, run_id: str, name: str, folder: Path) -> Path | None:
        """Copy one artifact of a run, or None where the run has none of that name."""
        local = local_path(self._run_location(run_id)) if self.database else None
        if local is None:
            if name not in {item.path for item in self.client.list_artifacts(run_id)}:
                return None
            return Path(self.client.download_artifacts(run_id, name, str(folder)))
        if not (local / name).exists():
            return None
        return Path(shutil.copy(local / name, folder))

    @asks_the_store
    def artifact_addresses(self, run_id: str, files: dict[str, Path]) -> dict[str, str]:
        """Where a run's logged files are: a path on this machine, or the server's address."""
        root = self._run_location(run_id)
        shown = local_path(root) or root
        return {key: f"{shown}/{path.name}" for key, path in files.items()}

    def _run_location(self, run_id: str) -> str:
        return resolved_location(self.client.get_run(run_id).info.artifact_uri or "", self.database)

    def _registered(self, name: str) -> RegisteredModel | None:
        found = self._search_models(names.equals(name))
        return next((model for model in found if model.name == name), None)

    def _ours(self) -> list[RegisteredModel]:
        """Models and journals of faultxfer, by name."""
        return sorted(self._recognised(self._search_models()), key=lambda model: model.name)

    def _recognised(self, found: list[RegisteredModel]) -> list[RegisteredModel]:
        """Those of faultxfer, also where somebody deleted or edited the tag that says so."""
        journals = {model.name for model in found if names.is_journal(model.name)}
        ours: list[RegisteredModel] = []
        others: list[RegisteredModel] = []
        for model in found:
            tagged = (model.tags or {}).get(names.KIND) in names.KINDS
            known = tagged or model.name in journals or names.journal_name(model.name) in journals
            (ours if known else others).append(model)
        marked = self._with_marked_versions([model.name for model in others])
        return ours + [model for model in others if model.name in marked]

    def _with_marked_versions(self, unknown: list[str]) -> set[str]:
        """Which of these registered models have a version that faultxfer made."""
        found: set[str] = set()
        possible = [name for name in unknown if names.may_be_ours(name)]
        for some in batches(possible, _NAMES_IN_A_FILTER):
            listed = ", ".join(f"'{name}'" for name in some)
            for tag in (names.STATE, names.FILES):
                wanted = f"name IN ({listed}) AND tags.`{tag}` LIKE '%'"
                versions = self._search_versions(wanted)
                found |= {one.name for one in versions if not _is_copy(one.source or "")}
        return found

    def _is_journal(self, model: RegisteredModel) -> bool:
        return names.is_journal(model.name) or self._is_evidence(model)

    def _is_evidence(self, model: RegisteredModel) -> bool:
        """Whether it is a journal that somebody gave another name."""
        tagged = (model.tags or {}).get(names.KIND) == names.JOURNAL_KIND
        return (
            tagged
            and not names.is_journal(model.name)
            and is_stored_journal(self.client, model.name)
        )

    def _search_versions(self, wanted: str) -> Iterator[ModelVersion]:
        return all_pages(self.client.search_model_versions, wanted, max_results=1000)

    def _search_models(self, wanted: str | None = None) -> list[RegisteredModel]:
        return list(all_pages(self.client.search_registered_models, wanted, max_results=100))


def open_registry(uri: str | None = None, access: Access = Access.READING) -> Registry:
    """Connect to the store in ``uri``, else in ``MLFLOW_TRACKING_URI``, else in ``mlruns/``.

    MLflow keeps one tracking address per process; this sets it.

    Args:
        uri: address of the store.
        access: what it is opened for. Only ``CREATING`` makes a folder or a database; whoever
            changes something hears here what stands in the way of writing to a SQLite database.

    Raises:
        RegistryError: nothing answers, there is no registry, or it is not of this MLflow.
    """
    connection.prepare_environment()
    uri = uri or connection.tracking_uri()
    connection.require_address(uri)
    connection.check_reachable(uri)
    with reported(f"the tracking store {connection.shown(uri)}"):
        return with_retries(partial(_opened, connection.without_password(uri), access))


def _opened(uri: str, access: Access) -> Registry:
    if access is Access.CREATING:
        connection.migrate(uri)
    else:
        connection.require_registry(uri)
    if access is not Access.READING:
        require_ready(uri, repairing=access is Access.REPAIRING)
    address = connection.mlflow_uri(uri)
    connection.point_mlflow_at(address)
    client = RetryingClient(own_client()(tracking_uri=address, registry_uri=address))
    registry = Registry(cast("MlflowClient", client), uri)
    if time.monotonic() - _answered.get(uri, -math.inf) > _ANSWER_HOLDS_SECONDS:
        registry.client.search_experiments(max_results=1)
        if connection.is_server(uri):
            _answered[uri] = time.monotonic()
    return registry


def _as_dict(model: RegisteredModel) -> dict[str, Any]:
    """A registered model. Its name counts more than its tags, which anybody may edit."""
    tags = model.tags or {}
    return {
        "name": model.name,
        "kind": names.kind_of(model.name),
        "source_model": names.source_in(model.name) or tags.get(names.SOURCE_MODEL),
        "equipment": names.equipment_of(model.name) or tags.get(names.EQUIPMENT),
        "champion": _aliases(model).get(names.CHAMPION),
        "provisional": _aliases(model).get(names.PROVISIONAL),
    }


def _refusal(run: Run) -> dict[str, Any]:
    tags = run.data.tags
    return {
        "run_id": run.info.run_id,
        "model": tags.get(names.MODEL),
        "created": moment(run.info.start_time).isoformat(timespec="seconds"),
        "gate": tags[names.GATE],
        "reason": tags.get(names.REASON, ""),
        "request": tags.get(names.REQUEST),
    }


def _aliases(model: RegisteredModel) -> dict[str, str]:
    """Number of the version by alias. MLflow gives a number over SQLite, text over HTTP."""
    return {alias: str(number) for alias, number in (model.aliases or {}).items()}


def _version(item: ModelVersion, aliases: dict[str, str]) -> Version:
    number, source = str(item.version), item.source or ""
    as_registered = (item.tags or {}).get(names.REGISTERED_AS)
    return Version(
        name=item.name,
        version=number,
        run_id=item.run_id or "",
        created=moment(item.creation_timestamp).isoformat(timespec="seconds"),
        tags=dict(item.tags or {}),
        description=item.description or "",
        champion=number == aliases.get(names.CHAMPION),
        provisional=number == aliases.get(names.PROVISIONAL),
        waiting=number == aliases.get(names.CHALLENGER) and as_registered == names.WAITING,
        model_id=_model_id(source),
        copied=_is_copy(source),
    )


def _model_id(source: str) -> str | None:
    """MLflow's model that holds the files, which MLflow keeps in the version's source alone."""
    found = source.removeprefix(names.MODELS)
    return found if found != source and "/" not in found else None


def _is_copy(source: str) -> bool:
    """Whether somebody copied the version from another one in MLflow, tags included."""
    return source.startswith(names.MODELS) and _model_id(source) is None


def _quoted(name: str) -> str:
    return name.replace("'", "")  # names never hold a quote, see `names.check_name`
