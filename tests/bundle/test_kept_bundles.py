"""What earlier releases wrote loads, scores as it did, and can be rolled back to."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import registry_work as work

from faultxfer import GateOptions, TransferOptions, steps, transfer
from faultxfer.bundle.bundle import load_bundle, read_golden
from faultxfer.bundle.manifest import read_manifest
from faultxfer.config import Limit
from faultxfer.registry.checking import verify_registry
from faultxfer.registry.maintenance import roll_back
from faultxfer.registry.relocate import relocate_registry
from faultxfer.registry.smoke import check_version
from faultxfer.registry.store import open_registry

KEPT = Path(__file__).resolve().parents[1] / "kept_bundles"
BUNDLES = sorted(path.parent for path in KEPT.glob("format_*/*/manifest.json"))
NAMES = [f"{path.parent.name}/{path.name}" for path in BUNDLES]


def require_scores_as_written(folder: Path, kept: Path) -> None:
    """A bundle gives the probabilities and alarms that the commit that wrote it gave."""
    rows = pd.read_csv(KEPT / "rows.csv")
    written = pd.read_csv(kept.with_name(f"{kept.name}_scores.csv"))
    loaded = load_bundle(folder)
    assert list(rows) == list(loaded.features)
    probabilities = loaded.probabilities(rows.to_numpy(dtype=float))
    np.testing.assert_allclose(probabilities, written["fault_probability"], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(loaded.alarms(probabilities), written["alarm"])
    assert 0 < written["alarm"].sum() < len(written)  # else equal alarms would show nothing


def test_bundles_of_every_earlier_format_are_kept() -> None:
    assert [
        *("format_1/fine_tune", "format_1/source"),
        *("format_2/fine_tune", "format_2/source", "format_2/stack"),
    ] == NAMES


@pytest.mark.parametrize("kept", BUNDLES, ids=NAMES)
def test_a_bundle_that_an_earlier_commit_wrote_scores_as_it_did(kept: Path) -> None:
    require_scores_as_written(kept, kept)


@pytest.mark.parametrize("kept", BUNDLES, ids=NAMES)
def test_the_manifest_of_an_earlier_commit_is_read_alone(kept: Path) -> None:
    manifest = read_manifest(kept)
    assert kept.parent.name == f"format_{manifest.format}"
    assert len(manifest.features) == len(manifest.mean) == 10
    assert manifest.lineage["contract"]["family"] == "pumps"
    assert (manifest.stack is not None) == (kept.name == "stack")
    golden = read_golden(kept)
    assert (golden is None) == (manifest.format == 1)


def test_a_version_of_an_earlier_format_can_be_rolled_back_to(store: Path) -> None:
    kept = [KEPT / "format_1/fine_tune", KEPT / "format_2/stack", KEPT / "format_2/fine_tune"]
    for number, folder in enumerate(kept, start=1):
        bundle = shutil.copytree(folder, store / f"candidate-{number}" / "bundle")
        (store / f"candidate-{number}" / "report").mkdir()
        work.register_prepared(Path(bundle), read_manifest(folder).features)
    for number in (1, 2):
        assert roll_back(work.MODEL, work.EQUIPMENT, number, "trial")["outcome"] == "rolled back"
        registry = open_registry()
        champion = registry.champion(work.NAME)
        assert champion is not None
        assert champion.version == str(number)
        check_version(registry, champion)
        copy = registry.download_bundle(champion, store / f"copy-{number}")
        require_scores_as_written(copy, kept[number - 1])
    assert verify_registry(None, None, None)["sound"]


def test_a_registry_of_the_release_before_is_sound_and_rolls_back(
    tmp_path: Path, own_temporary_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(KEPT / "registry.zip") as archive:
        archive.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert relocate_registry(dry_run=False)["outcome"] == "relocated"
    verified = verify_registry(None, None, None)
    assert [problem for model in verified["models"] for problem in model["problems"]] == []
    assert verified["sound"]
    assert len(verified["models"]) == 2
    before = open_registry().version(work.NAME, 2).description
    assert before.startswith("# pump-9: not enough evidence, so nothing was promoted")
    changed = roll_back(work.MODEL, work.EQUIPMENT, None, "trial")
    assert changed["outcome"] == "rolled back"
    registry = open_registry()
    page = registry.version(work.NAME, 2).description
    assert page.startswith("> **By the journal:** promoted by override by root@vm on 2026-11-29: ")
    assert page.endswith(before), "and below it what was there"
    champion = registry.champion(work.NAME)
    assert champion is not None
    assert champion.version == "1"
    check_version(registry, champion)
    copy = registry.download_bundle(champion, tmp_path / "copy")
    require_scores_as_written(copy, KEPT / "format_2/fine_tune")
    assert verify_registry(None, None, None)["sound"]


def test_a_transfer_of_the_release_before_is_judged_again(
    tmp_path: Path, own_temporary_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Begun(Exception):
        """The transfer goes on beyond the look for what was done before."""

    def begins(*_: object) -> Any:
        raise Begun

    with zipfile.ZipFile(KEPT / "registry.zip") as archive:
        archive.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    relocate_registry(dry_run=False)
    monkeypatch.setattr(steps, "find_copies", begins)
    with pytest.raises(Begun):
        repeated(tmp_path)


def repeated(folder: Path) -> Any:
    """The transfer that made version 2, asked for again in the words of release 0.1.0."""
    options = {
        "strategy": "stack",
        "steps": 200,
        "alarm_rate": 0.2,
        "split": {"folds": 2},
        "gate": GateOptions(value={"pr_auc": Limit(min=0.0)}),
    }
    return transfer(
        csv=[str(folder / "fleet" / "pump-9.csv")],
        contract=folder / "fleet" / "pumps.yaml",
        model="pumps",
        equipment="pump-9",
        options=TransferOptions(**options),
        override_gate="kept for tests",
    )
