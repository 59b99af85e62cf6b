"""What one run leaves in the tracking store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faultxfer.errors import RegistryError
from faultxfer.process import this_process
from faultxfer.registry import connect, descriptions, names
from faultxfer.registry.cards import OF_RUN, Card, card_of
from faultxfer.registry.clients import batches
from faultxfer.registry.data_sets import DataSet, data_of
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.provenance import actor
from faultxfer.registry.readiness import require_own_files

if TYPE_CHECKING:
    from mlflow.entities import LoggedModelInput, Metric

    from faultxfer.registry.store import Registry, Version

# What one call of MLflow takes.
_MOST_METRICS, _MOST_DATA_SETS = 1000, 500
# What MLflow keeps of a parameter.
_LONGEST_VALUE = 6000
# Between what a run did and what came of it, in its name; no name of a model or machine holds it.
_CAME_OF_IT = ": "
# Tags of ours whose text people filter by, and the plain names under which they do.
_FILTERS = {
    names.OUTCOME: names.FILTER_OUTCOME,
    names.EQUIPMENT: names.FILTER_EQUIPMENT,
    names.FAMILY: names.FILTER_FAMILY,
}


@dataclass(frozen=True)
class RunRecord:
    """What one run leaves in the tracking store, whether or not a version is registered.

    Attributes:
        name: shown in the run list, and behind it what came of the run.
        tags, params, metrics: flat, by name; a metric that could not be measured is left out.
        curves: values per epoch, by name.
        data: each file that was read.
        files: pictures, reports and tables; a folder whose content is logged.
        note: markdown of the page of run, version and logged model.
        judged: the rows that the metrics are of.
        source: the version that it started from.
        tables: names of files that MLflow shows as tables.
    """

    name: str
    tags: dict[str, str]
    params: dict[str, Any]
    metrics: dict[str, float | None]
    curves: dict[str, list[float]]
    data: tuple[DataSet, ...]
    files: Path | None
    note: str = ""
    judged: DataSet | None = None
    source: Version | None = None
    tables: tuple[str, ...] = field(default=())

    @property
    def filters(self) -> dict[str, str]:
        """Tags under plain names, which people filter by."""
        found = {plain: self.tags.get(name) for name, plain in _FILTERS.items()}
        found[names.FILTER_STRATEGY] = self.params.get(names.FILTER_STRATEGY)
        return {name: str(value) for name, value in found.items() if value}

    @property
    def shown_params(self) -> dict[str, str]:
        """Parameters as far as MLflow keeps them."""
        return {key: str(value)[:_LONGEST_VALUE] for key, value in self.params.items()}


def record_run(registry: Registry, record: RunRecord) -> str:
    """Log a finished run that registers nothing, and return its id."""
    with logged_run(registry, record) as run_id:
        with reported("the tracking store"):
            log_metrics(registry, run_id, record)
        return run_id


@contextmanager
def logged_run(registry: Registry, record: RunRecord) -> Iterator[str]:
    """A run that ends as FINISHED with everything logged but its metrics, or as FAILED."""
    with reported("the tracking store"):
        run_id = registry.client.create_run(
            experiment_id(registry), run_name=_name_of(record), tags=_tags_of(record)
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


def log_metrics(
    registry: Registry, run_id: str, record: RunRecord, model_id: str | None = None
) -> None:
    """Log metrics and curves of a run, also as those of the model that it made.

    Args:
        registry: where.
        run_id: the run, which goes on.
        record: what it leaves.
        model_id: MLflow's model; None where the run made none.
    """
    now = int(datetime.now(UTC).timestamp() * 1000)
    metrics = [*_metrics(record, now, model_id), *_curves(record, now, model_id)]
    for some in batches(metrics, _MOST_METRICS):
        registry.client.log_batch(run_id, metrics=some)


def tell_outcome(registry: Registry, run_id: str, outcome: str) -> None:
    """Let name and tags of a run say what came of it.

    The tags, one of which is read back, come last: what was broken off before is done again.
    """
    from mlflow.entities import RunTag

    client = registry.client
    name = client.get_run(run_id).info.run_name or ""
    client.set_tag(run_id, names.RUN_NAME, _with_outcome(name, outcome))
    tags = (names.FILTER_OUTCOME, names.OUTCOME)
    client.log_batch(run_id, tags=[RunTag(tag, outcome) for tag in tags])


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
        tell_outcome(registry, run_id, outcome)
        if names.PAGE in tags:
            head = f"# {outcome.capitalize()}: nothing came of this run, whatever is said below"
            registry.client.set_tag(run_id, names.PAGE, f"{head}\n\n{tags[names.PAGE]}")


def experiment_id(registry: Registry) -> str:
    """The experiment of all runs; made if it does not exist.

    Raises:
        RegistryError: its files would be written elsewhere than beside the store's own database.
    """
    if registry.experiment is None:
        registry.experiment = _experiment_id(registry)
    return registry.experiment


def _experiment_id(registry: Registry) -> str:
    from mlflow.exceptions import MlflowException

    client = registry.client
    found = client.get_experiment_by_name(names.EXPERIMENT)
    if found is None:
        try:
            location = connect.artifact_location(registry.uri)
            tags = {**names.EXPERIMENT_TAGS, names.PAGE: descriptions.EXPERIMENT}
            return str(client.create_experiment(names.EXPERIMENT, location, tags=tags))
        except MlflowException:
            # Another process may have made it meanwhile.
            found = client.get_experiment_by_name(names.EXPERIMENT)
            if found is None:
                raise
    require_own_files(registry.database, found.artifact_location or "")
    if not (found.tags or {}).get(names.PAGE):  # as an older release made it
        client.set_experiment_tag(found.experiment_id, names.PAGE, descriptions.EXPERIMENT)
    return str(found.experiment_id)


def run_card(registry: Registry, run_id: str, record: RunRecord) -> Card:
    """The page of a run, its version and its logged model, which name the same files."""
    return Card(record.note, experiment_id(registry), run_id, record.files, record.source)


def _tags_of(record: RunRecord) -> dict[str, str]:
    """Tags of the run; those that people filter by first, as MLflow's page lists them."""
    tags = {**record.filters, **record.tags}
    tags |= {names.OWNER: this_process(), names.USER: actor()}
    if record.tables:
        tables = [{"path": name, "type": "table"} for name in record.tables]
        tags[names.TABLES] = json.dumps(tables)
    return tags


def _name_of(record: RunRecord) -> str:
    outcome = record.tags.get(names.OUTCOME)
    return _with_outcome(record.name, outcome) if outcome else record.name


def _with_outcome(name: str, outcome: str) -> str:
    """A run's name with what came of it, in place of what was said of it before."""
    return f"{name.split(_CAME_OF_IT)[0]}{_CAME_OF_IT}{outcome}"


def _log(registry: Registry, run_id: str, record: RunRecord) -> None:
    from mlflow.entities import Param, RunTag

    params = [Param(key, value) for key, value in record.shown_params.items()]
    tags = []
    if record.note:
        tags = [RunTag(names.PAGE, card_of(run_card(registry, run_id, record), OF_RUN))]
    registry.client.log_batch(run_id, params=params, tags=tags)
    _log_inputs(registry, run_id, record)
    if record.files is not None:
        registry.client.log_artifacts(run_id, str(record.files))


def _log_inputs(registry: Registry, run_id: str, record: RunRecord) -> None:
    """What the run read: its rows, and the source model with the rows of that."""
    own = [*record.data, *([record.judged] if record.judged else [])]
    inputs = [data.as_input() for data in own]
    models: list[LoggedModelInput] = []
    if record.source is not None:
        inputs += data_of(registry, record.source)
        models = _models(record.source)
    parts = list(batches(inputs, _MOST_DATA_SETS)) or [[]]
    for some in parts:
        registry.client.log_inputs(run_id, list(some), models=models if some is parts[0] else None)


def _models(source: Version) -> list[LoggedModelInput]:
    from mlflow.entities import LoggedModelInput

    return [LoggedModelInput(source.model_id)] if source.model_id else []


def _metrics(record: RunRecord, now: int, model_id: str | None) -> Iterator[Metric]:
    """The metrics, with the rows that they are of."""
    from mlflow.entities import Metric

    name = record.judged.shown_name if record.judged else None
    digest = record.judged.digest if record.judged else None
    for key, value in record.metrics.items():
        if value is not None:
            yield Metric(key, value, now, 0, model_id, name, digest)


def _curves(record: RunRecord, now: int, model_id: str | None) -> Iterator[Metric]:
    """A value for each epoch."""
    from mlflow.entities import Metric

    for key, values in record.curves.items():
        for epoch, value in enumerate(values):
            yield Metric(key, value, now, epoch, model_id)
