"""`contract map --model`: what the bundle keeps, the kept rows of older ones, names with neither."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import World

from faultxfer.bundle.bundle import read_sensors
from faultxfer.errors import RegistryError
from faultxfer.registry.store import Registry
from faultxfer.steps import source_sensors
from faultxfer.steps.mapping import MappedSensors, map_sensors

# Of the simulated pump: another plant's tags, and how it writes the readings.
TAGS = {
    "speed_rpm": "P4_Drehzahl",
    "flow_m3h": "P4_Durchfluss",
    "suction_pressure_bar": "P4_Saugdruck",
    "discharge_pressure_bar": "P4_Enddruck",
    "motor_current_a": "P4_Motorstrom",
    "vibration_drive_end_mm_s": "P4_Schwingung_A",
    "vibration_non_drive_end_mm_s": "P4_Schwingung_B",
    "bearing_temperature_c": "P4_Lagertemperatur",
    "winding_temperature_c": "P4_Wicklungstemperatur",
    "fluid_temperature_c": "P4_Mediumtemperatur",
}


def mapped(world: World, folder: Path) -> MappedSensors:
    frame = pd.read_csv(world.target)
    frame["bearing_temperature_c"] = frame["bearing_temperature_c"] * 1.8 + 32
    path = folder / "renamed.csv"
    frame.rename(columns=TAGS).to_csv(path, index=False)
    return map_sensors([str(path)], Path(world.contract), world.equipment, model="pumps")


def test_the_bundle_says_what_its_sensors_look_like(world: World, tmp_path: Path) -> None:
    found = mapped(world, tmp_path)
    assert found.basis == "model"
    sure = [one for one in found.proposals.sensors if one.sure]
    assert len(sure) >= 6
    assert all(one.tag == TAGS[one.sensor] for one in sure)
    assert found.proposals.of("bearing_temperature_c").writing.unit == "degF"


def test_an_older_bundle_is_compared_by_the_rows_kept_with_its_run(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_sensors, "read_sensors", lambda folder: None)
    found = mapped(world, tmp_path)
    assert found.basis == "kept rows"
    assert "older release" in found.draft
    assert found.proposals.of("bearing_temperature_c").writing.unit == "degF"
    monkeypatch.setattr(Registry, "download_run_file", lambda *_: None)
    found = mapped(world, tmp_path)
    assert found.basis == "names"
    assert "names and units alone" in found.draft


def test_a_model_that_is_not_there_is_said(world: World, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    pd.read_csv(world.target).to_csv(path, index=False)
    with pytest.raises(RegistryError, match="pmups"):
        map_sensors([str(path)], Path(world.contract), world.equipment, model="pmups")


def test_bundles_of_older_releases_keep_nothing_of_it() -> None:
    kept = Path(__file__).resolve().parents[1] / "kept_bundles"
    for form in ("format_1", "format_2"):
        folders = [path.parent for path in (kept / form).rglob("manifest.json")]
        assert folders
        assert all(read_sensors(folder) is None for folder in folders)


def test_a_contract_with_another_unit_than_the_models_is_compared_in_its_own(
    world: World, tmp_path: Path
) -> None:
    text = Path(world.contract).read_text(encoding="utf-8")
    plain = yaml.safe_load(text)
    plain["sensors"]["flow_m3h"] = {"unit": "l/min"}
    contract = tmp_path / "other.yaml"
    contract.write_text(yaml.safe_dump(plain, sort_keys=False), encoding="utf-8")
    frame = pd.read_csv(world.target).rename(columns=TAGS)
    path = tmp_path / "renamed.csv"
    frame.to_csv(path, index=False)
    found = map_sensors([str(path)], contract, world.equipment, model="pumps")
    assert found.proposals.of("flow_m3h").writing.unit == "m3/h"
