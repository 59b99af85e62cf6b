"""What a source model's sensors look like: as its bundle keeps it, or its kept rows show it."""

from __future__ import annotations

from pathlib import Path

from faultxfer.bundle.bundle import read_sensors
from faultxfer.bundle.manifest import read_manifest
from faultxfer.bundle.sensors import keep_sensors
from faultxfer.contract.schema import Contract
from faultxfer.data.dataset import load_dataset
from faultxfer.mapping.statistics import Basis, SensorStatistics
from faultxfer.outputs import workspace
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.store import open_registry
from faultxfer.steps.sources import SOURCE_ROWS, find_source


@reported("the tracking store")
def sensors_of_model(contract: Contract, model: str) -> tuple[Basis, SensorStatistics | None]:
    """What a source model keeps of its sensors, or its kept rows show."""
    registry = open_registry()
    version = find_source(registry, model)
    with workspace() as work:
        folder = registry.download_bundle(version, work / "source")
        features = read_manifest(folder).features
        found: SensorStatistics | None = read_sensors(folder)
        basis: Basis = "model"
        if found is None:
            rows = registry.download_run_file(version.run_id, SOURCE_ROWS, work)
            basis, found = ("names", None) if rows is None else ("kept rows", _of_rows(rows))
    if found is None or set(features).isdisjoint(contract.features):
        return "names", None
    return basis, found.of(contract.features)


def _of_rows(path: Path) -> SensorStatistics | None:
    data = load_dataset(path)
    return keep_sensors(data.features, data.X, data.y, data.equipment)
