"""What a registration leaves behind when something goes wrong on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import World

from faultxfer import GateOptions, TransferOptions, pipeline
from faultxfer.config import Limit
from faultxfer.errors import BundleError, RegistryError
from faultxfer.registry.store import Registry, open_registry
from faultxfer.steps import registration

OPTIONS = TransferOptions(
    strategy="fine_tune", steps=40, epochs=5, split={"folds": 2}, gate=GateOptions(value={"pr_auc": Limit(min=0.01)})
)


def move(world: World, **more: str) -> pipeline.TransferResult:
    return pipeline.transfer([world.target], world.contract, "pumps", world.equipment, OPTIONS, **more)


def champion_version() -> str | None:
    champion = open_registry().champion("pumps--pump-9")
    return champion.version if champion else None


def run_states(registry: Registry) -> list[str]:
    experiment = registry.client.get_experiment_by_name("faultxfer")
    return [run.info.status for run in registry.client.search_runs([experiment.experiment_id])]


def test_a_bundle_that_scores_differently_from_the_registry_does_not_become_champion(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    move(world)

    def differs(*_: object) -> None:
        raise BundleError("a bundle that scores like the candidate was expected")

    monkeypatch.setattr(registration, "smoke_test", differs)
    with pytest.raises(BundleError):
        move(world, override_gate="a second version")
    assert champion_version() == "1"
    assert run_states(open_registry()).count("FAILED") == 1


def test_a_failing_upload_leaves_no_version_and_the_champion_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    move(world)

    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mlflow.MlflowClient.log_model_artifacts", no_space)
    with pytest.raises(RegistryError, match="No space left on device"):
        move(world, override_gate="a second version")
    assert champion_version() == "1"
    assert len(open_registry().versions("pumps--pump-9")) == 1
    monkeypatch.undo()
    monkeypatch.chdir(world.folder)
    assert move(world, override_gate="after making room").version == "2"
    assert champion_version() == "2"


def test_a_version_whose_files_are_gone_is_one_sentence(world: World) -> None:
    move(world)
    for path in (world.folder / "mlruns" / "artifacts").rglob("bundle/manifest.json"):
        path.unlink()
    with pytest.raises((RegistryError, BundleError), match="bundle"):
        pipeline.score([world.new_rows], "pumps", world.equipment, world.folder / "scores.csv")
    assert not (world.folder / "scores.csv").exists()


def test_the_smoke_test_compares_scores(world: World, tmp_path: Path) -> None:
    import dataclasses

    from faultxfer.bundle.bundle import load_bundle, save_bundle
    from faultxfer.contract.schema import load_contract
    from faultxfer.steps.adaptation import read_target
    from faultxfer.steps.intake import check_files
    from faultxfer.steps.sources import fetch_models

    fetched = fetch_models("pumps", world.equipment, work=tmp_path / "look")
    bundle = load_bundle(fetched.source_bundle)
    (tmp_path / "work").mkdir()
    rows = check_files(
        [world.target], load_contract(world.contract), work=tmp_path / "work", quarantine=tmp_path, labelled=True
    )
    example = read_target(rows, bundle.features).X[:5]
    registration.smoke_test(bundle, fetched.source_bundle, example)
    save_bundle(
        dataclasses.replace(bundle, calibrator=dataclasses.replace(bundle.calibrator, offset=1.0)), tmp_path / "b"
    )
    with pytest.raises(BundleError, match="largest difference"):
        registration.smoke_test(bundle, tmp_path / "b", example)
