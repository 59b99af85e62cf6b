"""A source fleet in which each machine lacks another sensor and one has two more."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import SMALL_NETWORK, move_artifacts
from lightgbm import LGBMClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from faultxfer import pipeline
from faultxfer.bundle.bundle import Bundle, load_bundle
from faultxfer.bundle.manifest import GRAPH_FILE
from faultxfer.config import GateOptions, PretrainOptions, TransferOptions
from faultxfer.contract.schema import load_contract
from faultxfer.data.dataset import Dataset, load_dataset
from faultxfer.registry.store import open_registry
from faultxfer.simulation.pump_fleet import differing_sensors
from faultxfer.simulation.simulator import INSTRUMENTS, PumpFleet, write_pump_fleet
from faultxfer.steps.pretraining import PretrainResult

pytestmark = pytest.mark.slow

SOURCES, TARGET, WITH_MORE = ("pump-1", "pump-2", "pump-3"), "pump-9", "pump-1"
LACKING = differing_sensors((*SOURCES, TARGET), WITH_MORE)


@dataclass(frozen=True)
class Trained:
    """The fleet, and a store with its source model."""

    folder: Path
    fleet: PumpFleet
    result: PretrainResult


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, migrated_folder: Path) -> Trained:
    folder = tmp_path_factory.mktemp("differing")
    shutil.copytree(migrated_folder, folder / "mlruns")
    fleet = write_pump_fleet(
        folder / "fleet", source_pumps=3, runs_per_pump=24, rows_per_run=30, lacking=LACKING
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        options = PretrainOptions(network=SMALL_NETWORK)
        files = [str(path) for path in fleet.source_csvs]
        result = pipeline.pretrain(files, fleet.contract, "pumps", options)
    return Trained(folder, fleet, result)


@pytest.fixture
def world(
    trained: Trained, tmp_path: Path, own_temporary_files: None, monkeypatch: pytest.MonkeyPatch
) -> Trained:
    """A copy of the store to work in."""
    shutil.copytree(trained.folder / "mlruns", tmp_path / "mlruns")
    move_artifacts(tmp_path / "mlruns" / "mlflow.db", trained.folder, tmp_path)
    monkeypatch.chdir(tmp_path)
    return trained


def kept(trained: Trained, name: str, folder: Path) -> Path:
    """A file that the source's run keeps."""
    path = open_registry().download_run_file(trained.result.run_id, name, folder)
    assert path is not None
    return path


def champion_of(model: str, folder: Path) -> Bundle:
    registry = open_registry()
    champion = registry.champion(model)
    assert champion is not None
    downloaded = registry.download_bundle(champion, folder / "downloaded")
    assert (downloaded / GRAPH_FILE).exists()
    return load_bundle(downloaded)


@pytest.fixture
def source_rows(world: Trained, tmp_path: Path) -> Dataset:
    return load_dataset(kept(world, "source_rows.npz", tmp_path))


def lacked_cells(rows: Dataset) -> np.ndarray:
    return np.array([[name in LACKING[one] for name in rows.features] for one in rows.equipment])


def test_the_model_knows_every_sensor_that_some_machine_has(world: Trained, tmp_path: Path) -> None:
    bundle = champion_of("pumps", tmp_path)
    assert bundle.features == tuple(INSTRUMENTS)
    assert world.result.metrics.roc_auc is not None
    assert world.result.metrics.roc_auc > 0.8
    contract = load_contract(world.fleet.contract)
    assert bundle.lineage["contract"] == contract.model_dump(mode="json")


def test_what_a_machine_lacks_is_no_finding_and_no_missing_reading(world: Trained) -> None:
    assert world.result.rows.findings == ()
    assert world.result.rows.imputed == 0
    assert world.result.rows.quarantined == 0


def test_the_answer_and_the_report_say_who_lacks_what(world: Trained, tmp_path: Path) -> None:
    fleet = world.result.as_dict()["fleet"]
    assert fleet["lacking"] == {name: list(LACKING[name]) for name in SOURCES}
    assert fleet["filled"]["winding_temperature_c"] == pytest.approx(2 / 3)
    assert fleet["unmeasured"] == []
    report = json.loads(kept(world, "report.json", tmp_path).read_text(encoding="utf-8"))
    assert report["fleet"] == fleet
    page = kept(world, "report.html", tmp_path).read_text(encoding="utf-8")
    assert "Not every machine has every sensor" in page
    assert "winding_temperature_c (67%)" in page


def test_kept_source_rows_show_which_readings_were_measured(source_rows: Dataset) -> None:
    assert source_rows.imputed is not None
    np.testing.assert_array_equal(source_rows.imputed, lacked_cells(source_rows))
    assert np.isfinite(source_rows.X).all()
    names = list(source_rows.features)
    mine = source_rows.equipment == "pump-2"
    filled = source_rows.X[mine, names.index("winding_temperature_c")]
    assert len(np.unique(filled)) > 0.9 * mine.sum()


def told_apart(X: np.ndarray, machine: np.ndarray, run: np.ndarray) -> float:
    """ROC-AUC with which trees tell rows of some machines from the others, on other runs."""
    model = LGBMClassifier(n_estimators=40, num_leaves=15, n_jobs=1, verbose=-1)
    predicted = cross_val_predict(
        *(model, pd.DataFrame(X), machine),
        groups=run,
        cv=GroupKFold(3),
        method="predict_proba",
    )
    return float(roc_auc_score(machine, predicted[:, 1]))


@pytest.mark.parametrize("sensor", ["flow_m3h", "winding_temperature_c"])
def test_a_sensor_that_was_filled_in_shows_no_more_of_the_machine_than_the_others(
    source_rows: Dataset, sensor: str
) -> None:
    assert source_rows.imputed is not None
    place = source_rows.features.index(sensor)
    machine = source_rows.imputed[:, place].astype(int)
    others = np.delete(source_rows.X, place, axis=1)
    by_others = told_apart(others, machine, source_rows.run)
    alone = told_apart(source_rows.X[:, [place]], machine, source_rows.run)
    assert alone < max(by_others, 0.6)
    assert told_apart(source_rows.X, machine, source_rows.run) < by_others + 0.02


def test_a_fleet_in_which_nobody_has_a_sensor_makes_a_model_without_it(
    store: Path,
) -> None:
    lacking = dict.fromkeys(("pump-1", "pump-2"), ("fluid_temperature_c",))
    fleet = write_pump_fleet(
        store / "fleet", source_pumps=2, runs_per_pump=24, rows_per_run=20, lacking=lacking
    )
    options = PretrainOptions(network=SMALL_NETWORK)
    files = [str(path) for path in fleet.source_csvs]
    result = pipeline.pretrain(files, fleet.contract, "pumps", options)
    assert result.rows.unmeasured == ("fluid_temperature_c",)
    assert [finding.code for finding in result.rows.findings] == ["SENSOR-NOWHERE"]
    assert "does not know the sensor" in result.fleet.sentences[0]
    bundle = champion_of("pumps", store)
    assert "fluid_temperature_c" not in bundle.features
    assert "fluid_temperature_c" not in bundle.lineage["contract"]["sensors"]


OPTIONS = TransferOptions.model_validate(
    {
        **{"steps": 40, "epochs": 5, "split": {"folds": 2}},
        "gate": GateOptions.model_validate({"value": {"pr_auc": {"min": 0.01}}}),
    }
)


def transferred_and_scored(labelled: Path, week: Path, contract: Path, out: Path) -> pd.DataFrame:
    """Scores of the new machine's next week, by what a transfer registered."""
    moved = pipeline.transfer([str(labelled)], contract, "pumps", TARGET, OPTIONS)
    assert moved.outcome in ("promoted", "provisional")
    result = pipeline.score([str(week)], "pumps", TARGET, out, version=moved.version)
    scores = pd.read_csv(out)
    assert len(scores) == result.rows.accepted > 0
    assert "imputed" not in scores
    return scores


def test_a_machine_that_lacks_other_sensors_is_transferred_to_and_scored(
    world: Trained, tmp_path: Path
) -> None:
    fleet = world.fleet
    scores = transferred_and_scored(
        fleet.target_csv, fleet.new_rows_csv, fleet.contract, tmp_path / "scores.csv"
    )
    assert scores["fault_probability"].between(0, 1).all()


def with_two_more(path: Path, folder: Path) -> Path:
    """The new machine's rows with two sensors that no machine of the source has."""
    rows = pd.read_csv(path)
    rows["oil_pressure_bar"] = (2 + rows["speed_rpm"] / 1000).round(3)
    rows["casing_temperature_c"] = rows["bearing_temperature_c"] - 6
    rows.to_csv(folder / path.name, index=False)
    return folder / path.name


def test_a_machine_that_has_two_sensors_more_is_transferred_to_and_scored(
    world: Trained, tmp_path: Path
) -> None:
    fleet = world.fleet
    content = yaml.safe_load(fleet.contract.read_text(encoding="utf-8"))
    more = {"oil_pressure_bar": {"unit": "bar"}, "casing_temperature_c": {"unit": "degC"}}
    content["sensors"] |= more
    for machine in SOURCES:
        content["equipment"][machine]["lacks"] += list(more)
    contract = tmp_path / "more.yaml"
    contract.write_text(yaml.safe_dump(content), encoding="utf-8")
    labelled, week = (
        with_two_more(path, tmp_path) for path in (fleet.target_csv, fleet.new_rows_csv)
    )
    scores = transferred_and_scored(labelled, week, contract, tmp_path / "scores.csv")
    assert scores["fault_probability"].between(0, 1).all()
