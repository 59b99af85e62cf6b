"""What one run leaves in the tracking store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faultxfer.errors import RegistryError
from faultxfer.process import this_process
from faultxfer.registry import connect, names
from faultxfer.registry.clients import batches
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.readiness import require_own_files

if TYPE_CHECKING:
    from mlflow.entities import Dataset, InputTag

    from faultxfer.registry.store import Registry

# What one call of MLflow takes.
_MOST_METRICS = 1000
# What MLflow keeps of a parameter.
_LONGEST_VALUE = 6000
# What MLflow shows on top of a run's page.
_PAGE = "mlflow.note.content"


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


def record_run(registry: Registry, record: RunRecord) -> str:
    """Log a finished run and return its id."""
    with logged_run(registry, record) as run_id:
        return run_id


@contextmanager
def logged_run(registry: Registry, record: RunRecord) -> Iterator[str]:
    """A run that ends as FINISHED with everything logged, or as FAILED."""
    with reported("the tracking store"):
        tags = {**record.tags, names.OWNER: this_process()}
        run_id = registry.client.create_run(
            experiment_id(registry), run_name=record.name, tags=tags
        ).info.run_id
    try:
        with reported("the tracking store"):
            _log(registry, run_id, record)
            yield run_id
    except BaseException:
        # The first error is the one to show.
        with suppress(RegistryError), reported("the tracking store"):
            registry.client.set_terminated(run_id, "FAILED")
            say_nothing_came_of_it(registry, run_id, names.FAILED)
        raise
    with reported("the tracking store"):
        registry.client.set_terminated(run_id, "FINISHED")


def say_nothing_came_of_it(registry: Registry, run_id: str, outcome: str) -> None:
    """Let tag and page of a run say that nothing was registered, whatever was to be.

    Args:
        registry: where.
        run_id: the run; one that says so already stays as it is.
        outcome: ``failed`` or ``judged again``.
    """
    from mlflow.exceptions import MlflowException

    # A run that somebody deleted meanwhile must not keep what was half done from being taken back.
    with suppress(MlflowException):
        tags = registry.client.get_run(run_id).data.tags
        if tags.get(names.OUTCOME) in (names.FAILED, names.JUDGED_AGAIN):
            return
        registry.client.set_tag(run_id, names.OUTCOME, outcome)
        if _PAGE in tags:
            head = f"# {outcome.capitalize()}: nothing came of this run, whatever is said below"
            registry.client.set_tag(run_id, _PAGE, f"{head}\n\n{tags[_PAGE]}")


def experiment_id(registry: Registry) -> str:
    """The experiment of all runs; made if it does not exist.

    Raises:
        RegistryError: its files would be written elsewhere than beside the store's own database.
    """
    from mlflow.exceptions import MlflowException

    client = registry.client
    found = client.get_experiment_by_name(names.EXPERIMENT)
    if found is None:
        try:
            location = connect.artifact_location(registry.uri)
            return str(
                client.create_experiment(names.EXPERIMENT, location, tags=names.EXPERIMENT_TAGS)
            )
        except MlflowException:
            # Another process may have made it meanwhile.
            found = client.get_experiment_by_name(names.EXPERIMENT)
            if found is None:
                raise
    require_own_files(registry.database, found.artifact_location or "")
    return str(found.experiment_id)


def _log(registry: Registry, run_id: str, record: RunRecord) -> None:
    from mlflow.entities import DatasetInput, Metric, Param

    now = int(datetime.now(UTC).timestamp() * 1000)
    curves = {key: [value] for key, value in record.metrics.items() if value is not None}
    metrics = [
        Metric(key, value, now, epoch)
        for key, values in (*curves.items(), *record.curves.items())
        for epoch, value in enumerate(values)
    ]
    params = [Param(key, str(value)[:_LONGEST_VALUE]) for key, value in record.params.items()]
    registry.client.log_batch(run_id, params=params)
    for some in batches(metrics, _MOST_METRICS):
        registry.client.log_batch(run_id, metrics=some)
    inputs = [
        DatasetInput(_dataset(name, sha256), _role(role)) for name, sha256, role in record.data
    ]
    if inputs:
        registry.client.log_inputs(run_id, inputs)
    if record.files is not None:
        registry.client.log_artifacts(run_id, str(record.files))
    if record.note:
        registry.client.set_tag(run_id, _PAGE, record.note)


def _dataset(name: str, sha256: str) -> Dataset:
    """A file as MLflow lists it; its digest holds 36 characters, the profile the whole SHA-256."""
    from mlflow.entities import Dataset

    source, profile = f'{{"uri": "{name}"}}', f'{{"sha256": "{sha256}"}}'
    return Dataset(name, sha256[:32], "local", source, profile=profile)


def _role(role: str) -> list[InputTag]:
    from mlflow.entities import InputTag

    return [InputTag("mlflow.data.context", role)]
