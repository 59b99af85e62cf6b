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
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.readiness import require_own_files

if TYPE_CHECKING:
    from faultxfer.registry.store import Registry


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
        with (
            suppress(RegistryError),
            reported("the tracking store"),
        ):  # the first error is the one to show
            registry.client.set_terminated(run_id, "FAILED")
        raise
    with reported("the tracking store"):
        registry.client.set_terminated(run_id, "FINISHED")


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
            found = client.get_experiment_by_name(
                names.EXPERIMENT
            )  # made by another process meanwhile
            if found is None:
                raise
    require_own_files(registry.database, found.artifact_location or "")
    return str(found.experiment_id)


def _log(registry: Registry, run_id: str, record: RunRecord) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

    now = int(datetime.now(UTC).timestamp() * 1000)
    metrics = [
        Metric(key, value, now, 0) for key, value in record.metrics.items() if value is not None
    ]
    for key, values in record.curves.items():
        metrics += [Metric(key, value, now, epoch) for epoch, value in enumerate(values)]
    params = [Param(key, str(value)[:6000]) for key, value in record.params.items()]
    registry.client.log_batch(run_id, params=params)
    for start in range(0, len(metrics), 1000):  # the most that one call takes
        registry.client.log_batch(run_id, metrics=metrics[start : start + 1000])
    # MLflow's digest holds 36 characters; the whole SHA-256 stands in the profile.
    inputs = [
        DatasetInput(
            Dataset(
                name,
                digest[:32],
                "local",
                f'{{"uri": "{name}"}}',
                profile=f'{{"sha256": "{digest}"}}',
            ),
            tags=[InputTag("mlflow.data.context", role)],
        )
        for name, digest, role in record.data
    ]
    if inputs:
        registry.client.log_inputs(run_id, inputs)
    if record.files is not None:
        registry.client.log_artifacts(run_id, str(record.files))
    if record.note:
        registry.client.set_tag(run_id, "mlflow.note.content", record.note)
