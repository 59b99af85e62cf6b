"""What a source model's sensors look like: as its bundle keeps it, or its kept rows show it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from faultxfer.bundle.bundle import read_sensors
from faultxfer.bundle.manifest import read_manifest
from faultxfer.bundle.sensors import keep_sensors
from faultxfer.contract.schema import Contract
from faultxfer.contract.units import conversion
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
        manifest = read_manifest(folder)
        found: SensorStatistics | None = read_sensors(folder)
        basis: Basis = "model"
        if found is None:
            rows = registry.download_run_file(version.run_id, SOURCE_ROWS, work)
            basis, found = ("names", None) if rows is None else ("kept rows", _of_rows(rows))
    if found is None or set(manifest.features).isdisjoint(contract.features):
        return "names", None
    return basis, _in_contracts_units(found, manifest.units, contract).of(contract.features)


def _in_contracts_units(
    found: SensorStatistics, units: Mapping[str, str], contract: Contract
) -> SensorStatistics:
    """The same where the contract has come to give a sensor in another unit than the model's."""
    factors, offsets = np.ones(len(found.names)), np.zeros(len(found.names))
    for place, name in enumerate(found.names):
        there = units.get(name, "")
        now = contract.sensors[name].unit if name in contract.sensors else ""
        if there and now:
            factors[place], offsets[place] = _conversion(there, now)
    return found.converted(factors, offsets)


def _conversion(unit: str, wanted: str) -> tuple[float, float]:
    try:
        return conversion(unit, wanted)
    except ValueError:  # it measures something else by now, so nothing is known of it
        return np.nan, np.nan


def _of_rows(path: Path) -> SensorStatistics | None:
    data = load_dataset(path)
    return keep_sensors(data.features, data.measured, data.y, data.equipment)
