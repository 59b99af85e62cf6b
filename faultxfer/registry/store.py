"""What is registered: looking up and downloading. :mod:`faultxfer.registry.registering` adds to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from faultxfer.errors import RegistryError
from faultxfer.registry import connect as connection
from faultxfer.registry import names
from faultxfer.registry.asking import PatientClient, asks_the_store, reported
from faultxfer.registry.downloading import fetch_files
from faultxfer.registry.inspection import registered_sha256, require_registered
from faultxfer.registry.journal import read_journal
from faultxfer.registry.model_files import BUNDLE_IN_MODEL

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel


@dataclass(frozen=True)
class Version:
    """One registered version; ``model_id`` is MLflow's model that holds its files."""

    name: str
    version: str
    run_id: str
    created: str
    tags: dict[str, str] = field(default_factory=dict)
    description: str = ""
    champion: bool = False
    model_id: str | None = None

    @property
    def is_retired(self) -> bool:
        """Whether its files are not those that were registered, so that it is never champion again."""
        return self.tags.get(names.STATE) == names.RETIRED

    @property
    def uri(self) -> str:
        """Address for MLflow."""
        return f"models:/{self.name}/{self.version}"


class Registry:
    """The tracking store and model registry behind one address. Make it with :func:`open_registry`."""

    def __init__(self, client: MlflowClient, uri: str) -> None:
        self.client = client
        self.uri = uri
        self.address = connection.shown(uri)  # for people: without a password

    @asks_the_store
    def models(self) -> list[dict[str, Any]]:
        """Registered models of faultxfer, with their champion version or None."""
        kinds = (names.SOURCE_KIND, names.TARGET_KIND)
        found = [model for model in self._search_models() if (model.tags or {}).get(names.KIND) in kinds]
        return [
            {
                "name": model.name,
                "kind": model.tags[names.KIND],
                "source_model": model.tags.get(names.SOURCE_MODEL),
                "equipment": model.tags.get(names.EQUIPMENT),
                "champion": _champion_of(model),
            }
            for model in sorted(found, key=lambda model: model.name)
        ]

    @asks_the_store
    def known_names(self) -> list[str]:
        """Names of all models that are registered or have a journal: a model may be deleted, and its journal left."""
        kinds = (names.SOURCE_KIND, names.TARGET_KIND, names.JOURNAL_KIND)
        found = (model for model in self._search_models() if (model.tags or {}).get(names.KIND) in kinds)
        return sorted({names.of_journal(model.name) for model in found})

    def equipments(self, model: str) -> list[str]:
        """Machines that have a registered model descending from source model ``model``."""
        return [str(known["equipment"]) for known in self.models() if known["source_model"] == model]

    @asks_the_store
    def champion(self, name: str) -> Version | None:
        """The version production scores with, or None."""
        number = self.alias(name)
        return None if number is None else self.version(name, number)

    @asks_the_store
    def alias(self, name: str) -> str | None:
        """The number that the champion's alias names, whether or not there is such a version."""
        model = self._registered(name)
        return _champion_of(model) if model else None

    def is_registered(self, name: str) -> bool:
        """Whether there is a registered model of that name, be it without versions."""
        return self._registered(name) is not None

    def version(self, name: str, number: str | int) -> Version:
        """One version.

        Raises:
            RegistryError: there is none of that number; lists those there are.
        """
        known = {version.version: version for version in self.versions(name)}
        if str(number) not in known:
            raise RegistryError(
                f"A registered version of {name!r} was expected",
                received={"version": str(number), "known": sorted(known)},
                remedy="List them with `faultxfer registry history`",
            )
        return known[str(number)]

    @asks_the_store
    def versions(self, name: str) -> list[Version]:
        """All versions of a registered model, newest first; empty if the model is unknown."""
        model = self._registered(name)
        if model is None:
            return []
        champion = _champion_of(model)
        found = _all_pages(self.client.search_model_versions, f"name = '{_quoted(name)}'")
        return sorted(
            (_version(item, str(item.version) == champion) for item in found),
            key=lambda v: int(v.version),
            reverse=True,
        )

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
        runs = _all_pages(
            self.client.search_runs,
            [experiment.experiment_id],
            filter_string=" and ".join(wanted),
            order_by=["attributes.start_time DESC"],
        )
        return [_refusal(run) for run in runs if names.OVERRIDE not in run.data.tags]

    def download_bundle(self, version: Version, folder: Path) -> Path:
        """Copy a version's bundle into ``folder`` and return the bundle's own folder; see :meth:`download_model`."""
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
    def files_location(self, version: Version) -> str:
        """Where a version's files lie: a path on this machine, or an artifact address."""
        return str(self.client.get_model_version_download_uri(version.name, version.version))

    @asks_the_store
    def aliases(self, name: str) -> dict[str, str]:
        """Number of the version by alias; empty if the model is unknown."""
        model = self._registered(name)
        return {alias: str(number) for alias, number in (model.aliases or {}).items()} if model else {}

    @asks_the_store
    def download_run_file(self, run_id: str, name: str, folder: Path) -> Path | None:
        """Copy one artifact of a run, or None where the run has none of that name."""
        if name not in {item.path for item in self.client.list_artifacts(run_id)}:
            return None
        return Path(self.client.download_artifacts(run_id, name, str(folder)))

    @asks_the_store
    def artifact_addresses(self, run_id: str, files: dict[str, Path]) -> dict[str, str]:
        """Where a run's logged files lie: a path on this machine, or the server's artifact address."""
        root = self.client.get_run(run_id).info.artifact_uri or ""
        if root.startswith("file://"):
            root = unquote(urlsplit(root).path)
        return {key: f"{root}/{path.name}" for key, path in files.items()}

    def _registered(self, name: str) -> RegisteredModel | None:
        found = self.client.search_registered_models(f"name = '{_quoted(name)}'")
        return next((model for model in found if model.name == name), None)

    def _search_models(self) -> list[RegisteredModel]:
        return list(_all_pages(self.client.search_registered_models, max_results=100))


def open_registry(uri: str | None = None) -> Registry:
    """Connect to the store in ``uri``, else in ``MLFLOW_TRACKING_URI``, else in ``mlruns/``.

    MLflow keeps one tracking address per process; this sets it.

    Raises:
        RegistryError: nothing can be reached there.
    """
    connection.prepare_environment()
    uri = uri or connection.tracking_uri()
    connection.check_reachable(uri)
    uri = connection.without_password(uri)
    import mlflow

    with reported(f"the tracking store {connection.shown(uri)}"):
        connection.migrate(uri)
        connection.point_mlflow_at(uri)
        client = PatientClient(mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri))
        registry = Registry(cast("MlflowClient", client), uri)
        registry.client.search_experiments(max_results=1)
    return registry


def _all_pages(search: Callable[..., Any], *asked: object, **named: object) -> Iterator[Any]:
    """Everything that one of MLflow's searches finds, which answers a page at a time."""
    token = None
    while True:
        page = search(*asked, **named, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _refusal(run: Run) -> dict[str, Any]:
    tags = run.data.tags
    return {
        "run_id": run.info.run_id,
        "model": tags.get(names.MODEL),
        "created": _time(run.info.start_time),
        "gate": tags[names.GATE],
        "reason": tags.get(names.REASON, ""),
        "request": tags.get(names.REQUEST),
    }


def _champion_of(model: RegisteredModel) -> str | None:
    number = (model.aliases or {}).get(names.CHAMPION)
    return None if number is None else str(number)  # a number over SQLite, text over HTTP


def _version(item: ModelVersion, champion: bool) -> Version:
    return Version(
        name=item.name,
        version=str(item.version),
        run_id=item.run_id or "",
        created=_time(item.creation_timestamp),
        tags=dict(item.tags or {}),
        description=item.description or "",
        champion=champion,
        model_id=_model_id(item.source or ""),
    )


def _model_id(source: str) -> str | None:
    """MLflow's model that holds the files; its stores keep it as part of the version's source alone."""
    found = source.removeprefix("models:/")
    return found if found != source and "/" not in found else None


def _time(milliseconds: int | None) -> str:
    return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC).isoformat(timespec="seconds")


def _quoted(name: str) -> str:
    return name.replace("'", "")  # names never hold a quote, see `names.check_name`
