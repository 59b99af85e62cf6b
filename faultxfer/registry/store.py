"""What is registered, and how a version gets there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit

import numpy as np

from faultxfer.errors import RegistryError
from faultxfer.registry import connect as connection
from faultxfer.registry import names
from faultxfer.registry.model_files import BUNDLE_IN_MODEL, write_model

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class RunRecord:
    """What one run leaves in the tracking store, whether or not a version is registered.

    Attributes:
        name: shown in the run list.
        tags, params, metrics: flat, by name; a metric that could not be measured is left out.
        curves: values per epoch, by name.
        data: name, SHA-256 and role (``training`` …) of each file.
        files: pictures and reports; a folder whose content is logged.
        note: markdown shown on top of the run's page.
    """

    name: str
    tags: dict[str, str]
    params: dict[str, Any]
    metrics: dict[str, float | None]
    curves: dict[str, list[float]]
    data: tuple[tuple[str, str, str], ...]
    files: Path | None
    note: str = ""


@dataclass(frozen=True)
class Version:
    """One registered version."""

    name: str
    version: str
    run_id: str
    created: str
    tags: dict[str, str] = field(default_factory=dict)
    description: str = ""
    champion: bool = False

    @property
    def uri(self) -> str:
        """Address for MLflow."""
        return f"models:/{self.name}/{self.version}"


@contextmanager
def _reported(what: str) -> Iterator[None]:
    """Turn MLflow's and the network's errors into one sentence."""
    import requests
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError  # MLflow lets some of its database's errors through

    try:
        yield
    except (MlflowException, SQLAlchemyError, requests.RequestException, OSError, ImportError) as error:
        raise RegistryError(
            f"An answer from {what} was expected",
            received={"problem": " ".join(str(error).split())[:300]},
            remedy="Check MLFLOW_TRACKING_URI and the server's log, then run again",
        ) from error


def _asks_the_store(
    method: Callable[Concatenate[Registry, Given], Answer],
) -> Callable[Concatenate[Registry, Given], Answer]:
    """A method of the registry that says in one sentence when the store does not answer."""

    @wraps(method)
    def asking(self: Registry, /, *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        with _reported("the tracking store"):
            return method(self, *args, **kwargs)

    return asking


class Registry:
    """The tracking store and model registry behind one address. Make it with :func:`open_registry`."""

    def __init__(self, client: MlflowClient, uri: str) -> None:
        self.client = client
        self.uri = uri
        self.address = connection.shown(uri)  # for people: without a password

    # --- looking up -------------------------------------------------------------------------------------------

    @_asks_the_store
    def models(self) -> list[dict[str, Any]]:
        """Registered models of faultxfer, with their champion version or None."""
        found = [model for model in self._search_models() if names.KIND in (model.tags or {})]
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

    def equipments(self, model: str) -> list[str]:
        """Machines that have a registered model descending from source model ``model``."""
        return [str(known["equipment"]) for known in self.models() if known["source_model"] == model]

    @_asks_the_store
    def champion(self, name: str) -> Version | None:
        """The version production scores with, or None."""
        model = self._registered(name)
        number = _champion_of(model) if model else None
        return None if number is None else self.version(name, number)

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

    @_asks_the_store
    def versions(self, name: str) -> list[Version]:
        """All versions of a registered model, newest first; empty if the model is unknown."""
        model = self._registered(name)
        if model is None:
            return []
        champion = _champion_of(model)
        found = self.client.search_model_versions(f"name = '{_quoted(name)}'")
        return sorted(
            (_version(item, str(item.version) == champion) for item in found),
            key=lambda v: int(v.version),
            reverse=True,
        )

    @_asks_the_store
    def refusals(self, name: str) -> list[dict[str, Any]]:
        """Runs whose candidate the gate did not let pass for this registered model, newest first."""
        experiment = self.client.get_experiment_by_name(names.EXPERIMENT)
        if experiment is None:
            return []
        runs = self.client.search_runs(
            [experiment.experiment_id],
            filter_string=f"tags.`{names.GATE}` != 'promote' and tags.`faultxfer.model` = '{_quoted(name)}'",
            order_by=["attributes.start_time DESC"],
        )
        return [
            {
                "run_id": run.info.run_id,
                "created": _time(run.info.start_time),
                "gate": run.data.tags[names.GATE],
                "reason": run.data.tags.get(names.REASON, ""),
            }
            for run in runs
            if run.info.status == "FINISHED" and names.OVERRIDE not in run.data.tags
        ]

    def download_bundle(self, version: Version, folder: Path) -> Path:
        """Copy a version's bundle into ``folder`` and return the bundle's own folder.

        Raises:
            RegistryError: the version's files are not there.
        """
        import mlflow.artifacts

        with _reported(f"the files of {version.uri}"):
            path = Path(mlflow.artifacts.download_artifacts(artifact_uri=version.uri, dst_path=str(folder)))
        return path / BUNDLE_IN_MODEL

    @_asks_the_store
    def download_run_file(self, run_id: str, name: str, folder: Path) -> Path | None:
        """Copy one artifact of a run, or None where the run has none of that name."""
        if name not in {item.path for item in self.client.list_artifacts(run_id)}:
            return None
        return Path(self.client.download_artifacts(run_id, name, str(folder)))

    @_asks_the_store
    def artifact_addresses(self, run_id: str, files: dict[str, Path]) -> dict[str, str]:
        """Where a run's logged files lie: a path on this machine, or the server's artifact address."""
        root = self.client.get_run(run_id).info.artifact_uri or ""
        if root.startswith("file://"):
            root = unquote(urlsplit(root).path)
        return {key: f"{root}/{path.name}" for key, path in files.items()}

    # --- writing ----------------------------------------------------------------------------------------------

    def record_run(self, record: RunRecord) -> str:
        """Log a finished run and return its id."""
        with self._run(record) as run_id:
            return run_id

    def register(
        self,
        record: RunRecord,
        *,
        name: str,
        model_tags: dict[str, str],
        version_tags: dict[str, str],
        description: str,
        bundle_folder: Path,
        features: tuple[str, ...],
        example: np.ndarray,
        smoke_test: Callable[[Path], None],
        promote: bool,
    ) -> Version:
        """Log a run, register its bundle as a new version, load it back, and move the alias last.

        Args:
            record: the run.
            name: registered model; made if it does not exist.
            model_tags: set when the registered model is made.
            version_tags: set on the version.
            description: markdown shown on the version's page.
            bundle_folder: the saved bundle.
            features: its sensors in order.
            example: (k, d) rows that show how to call the model.
            smoke_test: called with the bundle as downloaded from the registry; raises if it does not score.
            promote: whether to move the champion alias to the new version.
        """
        with self._run(record) as run_id:
            source, model_id = self._upload(run_id, name, bundle_folder, features, example)
            self._ensure_model(name, model_tags)
            made = self.client.create_model_version(
                name, source, run_id, tags=version_tags, description=description, model_id=model_id
            )
            version = self.version(name, str(made.version))
            with tempfile.TemporaryDirectory(prefix="faultxfer-smoke-") as folder:
                smoke_test(self.download_bundle(version, Path(folder)))
            if promote:
                self._promote(version)
        return self.version(name, version.version)

    def _promote(self, version: Version) -> None:
        before = self.champion(version.name)
        self.client.set_model_version_tag(
            version.name, version.version, names.PROMOTED, datetime.now(UTC).isoformat(timespec="seconds")
        )
        if before is not None:
            self.client.set_model_version_tag(version.name, version.version, names.PREVIOUS, before.version)
        self.client.set_registered_model_alias(version.name, names.CHAMPION, version.version)

    def _upload(
        self, run_id: str, name: str, bundle_folder: Path, features: tuple[str, ...], example: np.ndarray
    ) -> tuple[str, str]:
        from mlflow.entities import LoggedModelOutput

        experiment_id = self._experiment_id()
        logged = self.client.create_logged_model(
            experiment_id, name="model", source_run_id=run_id, model_type="fault detector"
        )
        with tempfile.TemporaryDirectory(prefix="faultxfer-model-") as folder:
            model_folder = Path(folder) / "model"
            write_model(model_folder, bundle_folder, features, example, model_id=logged.model_id, run_id=run_id)
            self.client.log_model_artifacts(logged.model_id, str(model_folder))
        self.client.finalize_logged_model(logged.model_id, "READY")
        self.client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        return f"models:/{logged.model_id}", logged.model_id

    def _ensure_model(self, name: str, tags: dict[str, str]) -> None:
        from mlflow.exceptions import MlflowException

        if self._registered(name) is None:
            try:
                self.client.create_registered_model(name, tags=tags)
            except MlflowException:
                if self._registered(name) is None:  # somebody else made it in between: fine
                    raise

    @contextmanager
    def _run(self, record: RunRecord) -> Iterator[str]:
        """A run that ends as FINISHED with everything logged, or as FAILED."""
        with _reported("the tracking store"):
            run_id = self.client.create_run(self._experiment_id(), run_name=record.name, tags=record.tags).info.run_id
        try:
            with _reported("the tracking store"):
                self._log(run_id, record)
                yield run_id
        except BaseException:
            with suppress(RegistryError), _reported("the tracking store"):  # the first error is the one to show
                self.client.set_terminated(run_id, "FAILED")
            raise
        with _reported("the tracking store"):
            self.client.set_terminated(run_id, "FINISHED")

    def _log(self, run_id: str, record: RunRecord) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

        now = int(datetime.now(UTC).timestamp() * 1000)
        metrics = [Metric(key, value, now, 0) for key, value in record.metrics.items() if value is not None]
        for key, values in record.curves.items():
            metrics += [Metric(key, value, now, epoch) for epoch, value in enumerate(values)]
        params = [Param(key, str(value)[:6000]) for key, value in record.params.items()]
        self.client.log_batch(run_id, params=params)
        for start in range(0, len(metrics), 1000):  # the most that one call takes
            self.client.log_batch(run_id, metrics=metrics[start : start + 1000])
        # MLflow's digest holds 36 characters; the whole SHA-256 stands in the profile.
        inputs = [
            DatasetInput(
                Dataset(name, digest[:32], "local", f'{{"uri": "{name}"}}', profile=f'{{"sha256": "{digest}"}}'),
                tags=[InputTag("mlflow.data.context", role)],
            )
            for name, digest, role in record.data
        ]
        if inputs:
            self.client.log_inputs(run_id, inputs)
        if record.files is not None:
            self.client.log_artifacts(run_id, str(record.files))
        if record.note:
            self.client.set_tag(run_id, "mlflow.note.content", record.note)

    # --- helpers ----------------------------------------------------------------------------------------------

    def _experiment_id(self) -> str:
        from mlflow.exceptions import MlflowException

        found = self.client.get_experiment_by_name(names.EXPERIMENT)
        if found is None:
            try:
                location = connection.artifact_location(self.uri)
                return str(self.client.create_experiment(names.EXPERIMENT, location, tags=names.EXPERIMENT_TAGS))
            except MlflowException:
                found = self.client.get_experiment_by_name(names.EXPERIMENT)  # made by another process meanwhile
                if found is None:
                    raise
        return str(found.experiment_id)

    def _registered(self, name: str) -> RegisteredModel | None:
        found = self.client.search_registered_models(f"name = '{_quoted(name)}'")
        return next((model for model in found if model.name == name), None)

    def _search_models(self) -> list[RegisteredModel]:
        found: list[RegisteredModel] = []
        token = None
        while True:
            page = self.client.search_registered_models(max_results=100, page_token=token)
            found += page
            token = page.token
            if not token:
                return found


def open_registry(uri: str | None = None) -> Registry:
    """Connect to the store in ``uri``, else in ``MLFLOW_TRACKING_URI``, else in ``mlruns/``.

    MLflow keeps one tracking address per process; this sets it.

    Raises:
        RegistryError: nothing can be reached there.
    """
    connection.prepare_environment()
    uri = uri or connection.tracking_uri()
    connection.check_reachable(uri)
    import mlflow

    with _reported(f"the tracking store {connection.shown(uri)}"):
        connection.migrate(uri)
        connection.point_mlflow_at(uri)
        registry = Registry(mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri), uri)
        registry.client.search_experiments(max_results=1)
    return registry


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
    )


def _time(milliseconds: int | None) -> str:
    return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC).isoformat(timespec="seconds")


def _quoted(name: str) -> str:
    return name.replace("'", "")  # names never hold a quote, see `names.check_name`
