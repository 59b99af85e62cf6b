"""A bundle comes back as it was stored, or not at all."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from faultxfer.bundle import versions
from faultxfer.bundle.bundle import (
    FORMAT,
    WINDOWED,
    Bundle,
    load_bundle,
    read_golden,
    read_versions,
    save_bundle,
)
from faultxfer.bundle.calibration import Calibrator
from faultxfer.bundle.manifest import manifest_sha256, read_manifest
from faultxfer.bundle.scaler import Scaler
from faultxfer.bundle.threshold import choose_threshold
from faultxfer.errors import BundleError
from faultxfer.network import store
from faultxfer.network.arrays import ArrayNetwork, as_arrays
from faultxfer.network.build import build_network

BOTH_READERS = pytest.mark.parametrize("read", [load_bundle, read_manifest])
FILES = ("manifest.json", "network.keras", "training_rows.npy")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    keras.utils.set_random_seed(0)
    return Bundle(
        features=("speed", "pressure", "current"),
        units={"speed": "rpm", "pressure": "bar", "current": "A"},
        scaler=Scaler(np.array([1500.1, 1 / 3, -1e-17]), np.array([1e2, 0.1, 7e-3])),
        network=as_arrays(build_network(3, (6, 4), dropout=0.2)),
        calibrator=Calibrator(slope=1.1, offset=-0.3, fault_share=0.2),
        threshold=0.1 + 0.2,
        training_rows=np.array([1, 2**63 + 1, 2**64 - 1], dtype=np.uint64),
        alarm=choose_threshold(np.linspace(0, 1, 90), np.zeros(90), np.arange(90), 0.05, 0.9),
        lineage={"strategy": "pretrain", "data": [["päivä.csv", "ab"]], "nothing": None},
    )


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal([1500, 0.3, 0], [100, 0.1, 7e-3], size=(50, 3))


@pytest.fixture(scope="module")
def stored(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored") / "bundle"
    save_bundle(bundle, folder)
    return folder


@pytest.fixture
def folder(stored: Path, tmp_path: Path) -> Path:
    """A copy to be spoiled."""
    return Path(shutil.copytree(stored, tmp_path / "bundle"))


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_a_round_trip_scores_the_same_to_1e_12(
    bundle: Bundle, stored: Path, rows: np.ndarray
) -> None:
    again = load_bundle(stored)
    np.testing.assert_allclose(
        again.probabilities(rows), bundle.probabilities(rows), rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(again.logits(rows), bundle.logits(rows), rtol=0, atol=1e-12)


def test_a_round_trip_keeps_every_number_and_name_exactly(bundle: Bundle, stored: Path) -> None:
    again = load_bundle(stored)
    for field in ("features", "units", "calibrator", "threshold", "lineage", "alarm"):
        assert getattr(again, field) == getattr(bundle, field)
    np.testing.assert_array_equal(again.scaler.mean, bundle.scaler.mean)
    np.testing.assert_array_equal(again.scaler.scale, bundle.scaler.scale)
    np.testing.assert_array_equal(again.training_rows, bundle.training_rows)
    assert again.training_rows.dtype == np.uint64


def test_a_bundle_of_before_there_was_evidence_for_its_threshold_is_read(
    folder: Path, bundle: Bundle
) -> None:
    def older(manifest: dict[str, Any]) -> None:
        del manifest["alarm"], manifest["calibrator"]["fault_share"]
        manifest["sha256"]["manifest.json"] = manifest_sha256(manifest)

    edit_manifest(folder, older)
    again = load_bundle(folder)
    assert (again.threshold, again.alarm) == (bundle.threshold, None)
    assert again.calibrator == Calibrator(slope=1.1, offset=-0.3)


def test_a_bundle_holds_three_files_and_none_is_a_pickle(stored: Path) -> None:
    assert sorted(path.name for path in stored.iterdir()) == sorted(FILES)
    json.loads((stored / "manifest.json").read_text(encoding="utf-8"))
    np.load(stored / "training_rows.npy", allow_pickle=False)


@pytest.mark.parametrize("name", ["network.keras", "training_rows.npy"])
def test_a_changed_file_is_refused_with_both_sha_256(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(
        BundleError, match=r"SHA-256 [0-9a-f]{12}….*sha256='[0-9a-f]{12}…'"
    ) as refusal:
        load_bundle(folder)
    assert refusal.value.where == f"bundle/{name}"


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.update(threshold=0.99),
        lambda manifest: manifest["calibrator"].update(offset=-9.0),
        lambda manifest: manifest["scaler"]["mean"].__setitem__(0, 0.0),
        lambda manifest: manifest["features"].reverse(),
        lambda manifest: manifest["lineage"].update(strategy="other"),
    ],
    ids=["threshold", "calibrator", "scaler", "features", "lineage"],
)
@BOTH_READERS
def test_a_changed_number_or_name_in_the_manifest_is_refused(
    folder: Path,
    change: Callable[[dict[str, Any]], object],
    read: Callable[[Path], object],
) -> None:
    edit_manifest(folder, change)
    with pytest.raises(BundleError, match="SHA-256") as refusal:
        read(folder)
    assert refusal.value.where == "bundle/manifest.json"


def test_a_manifest_that_was_only_laid_out_anew_is_accepted(folder: Path) -> None:
    edit_manifest(folder, lambda manifest: None)
    assert load_bundle(folder).threshold == 0.1 + 0.2


def test_a_network_is_not_parsed_when_its_hash_is_wrong(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(store, "ArrayNetwork", lambda *args: asked.append(args))
    (folder / "network.keras").write_bytes(b"something else")
    with pytest.raises(BundleError):
        load_bundle(folder)
    assert asked == []


@pytest.fixture
def networks_built(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one with each network that is read from a file."""
    built: list[object] = []

    def counted(*args: Any) -> ArrayNetwork:
        built.append(args)
        return ArrayNetwork(*args)

    monkeypatch.setattr(store, "ArrayNetwork", counted)
    return built


def test_a_loaded_bundle_builds_its_network_once_however_often_it_scores(
    stored: Path, rows: np.ndarray, networks_built: list[object]
) -> None:
    loaded = load_bundle(stored)
    loaded.probabilities(rows)
    loaded.probabilities(rows)
    assert len(networks_built) == 1


@pytest.mark.parametrize("read", [read_manifest, read_versions, read_golden])
def test_nothing_else_that_is_read_of_a_bundle_builds_its_network(
    stored: Path, read: Callable[[Path], object], networks_built: list[object]
) -> None:
    read(stored)
    assert networks_built == []


def test_the_manifest_says_alone_what_the_loaded_bundle_says(
    stored: Path, bundle: Bundle, tmp_path: Path
) -> None:
    shutil.copy(stored / "manifest.json", tmp_path)  # and no other file
    manifest = read_manifest(tmp_path)
    loaded = load_bundle(stored)
    for field in ("features", "units", "threshold", "lineage", "versions"):
        assert getattr(manifest, field) == getattr(loaded, field)
    assert manifest.format == FORMAT
    assert Calibrator(**manifest.calibrator) == bundle.calibrator
    assert manifest.alarm == json.loads(json.dumps(dataclasses.asdict(bundle.alarm)))  # type: ignore[arg-type]
    np.testing.assert_array_equal(
        [manifest.mean, manifest.scale], [loaded.scaler.mean, loaded.scaler.scale]
    )
    assert (manifest.models, manifest.stack, manifest.golden) == (None, None, False)
    assert set(manifest.sha256) == set(FILES)


def test_a_changed_file_does_not_keep_the_manifest_from_being_read(folder: Path) -> None:
    (folder / "network.keras").write_bytes(b"other weights")
    assert read_manifest(folder).threshold == 0.1 + 0.2
    with pytest.raises(BundleError, match="SHA-256"):
        load_bundle(folder)


@pytest.mark.parametrize("unknown", [0, WINDOWED + 1, "1", None])
@BOTH_READERS
def test_an_unknown_format_is_refused_by_number(
    folder: Path, unknown: object, read: Callable[[Path], object]
) -> None:
    edit_manifest(folder, lambda manifest: manifest.update(format=unknown))
    with pytest.raises(BundleError, match=f"bundles of format {WINDOWED}.*format={unknown!r}"):
        read(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"whole bundle.*{name}"):
        load_bundle(folder)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "null", "{}", "3", '{"format": 1}', '{"format": 1, "sha256": []}', "\udcff"],
)
@BOTH_READERS
def test_a_manifest_of_another_form_is_refused(
    folder: Path, content: str, read: Callable[[Path], object]
) -> None:
    (folder / "manifest.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(BundleError, match="whole bundle"):
        read(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": float("nan")},
        {"scaler": {"mean": [0.0], "scale": [1.0, 1.0, 1.0]}},
        {"scaler": {"mean": [0.0, 0.0, float("inf")], "scale": [1.0, 1.0, 1.0]}},
    ],
)
def test_numbers_that_would_silence_the_alarm_are_refused_without_the_network(
    folder: Path, change: dict[str, Any]
) -> None:
    def seal(manifest: dict[str, Any]) -> None:
        manifest.update(change)
        manifest["sha256"]["manifest.json"] = manifest_sha256(manifest)

    edit_manifest(folder, seal)
    with pytest.raises(BundleError, match="finite"):
        read_manifest(folder)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused_with_sensor_and_row(
    bundle: Bundle, value: float
) -> None:
    X = np.zeros((4, 3))
    X[2, 1] = value
    with pytest.raises(BundleError, match=r"row=2, rows concerned=1.*sensor 'pressure'"):
        bundle.probabilities(X)


@pytest.mark.parametrize("shape", [(4, 2), (4, 4), (3,), (2, 3, 1)])
def test_rows_of_another_width_are_refused_with_the_sensors_to_give(
    bundle: Bundle, shape: tuple[int, ...]
) -> None:
    with pytest.raises(BundleError, match="speed, pressure, current"):
        bundle.logits(np.zeros(shape))


def test_probabilities_are_calibrated_logits_of_scaled_rows(
    bundle: Bundle, rows: np.ndarray
) -> None:
    z = 1.1 * bundle.logits(rows) - 0.3
    np.testing.assert_allclose(bundle.probabilities(rows), 1 / (1 + np.exp(-z)))


def test_a_row_alarms_above_the_threshold_and_not_at_it(bundle: Bundle) -> None:
    with_half = dataclasses.replace(bundle, threshold=0.5)
    assert with_half.alarms(np.array([0.49, 0.5, 0.51])).tolist() == [False, False, True]


HERE = versions.versions_here()
OLDER = {**HERE, "keras": "3.14.0"}


@pytest.fixture
def here_is_an_older_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "versions_here", lambda: OLDER)


def refuses(*_: object, **__: object) -> None:
    raise ValueError("Unrecognized keyword arguments passed to Dense")


def test_the_manifest_names_the_versions_that_wrote_it_and_loading_is_free_to_differ(
    stored: Path, here_is_an_older_keras: None
) -> None:
    written = json.loads((stored / "manifest.json").read_text())["versions"]
    assert set(written) == {"keras", "tensorflow", "lightgbm", "scikit-learn", "numpy", "faultxfer"}
    assert written["keras"] == keras.__version__
    assert load_bundle(stored).versions == written  # another version alone is no reason to refuse


def test_a_bundle_that_an_older_keras_cannot_read_is_not_called_tampered_with(
    stored: Path, here_is_an_older_keras: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ArrayNetwork", refuses)
    with pytest.raises(BundleError) as caught:
        load_bundle(stored)
    said = str(caught.value)
    assert said.startswith(
        f"This model was written by keras {HERE['keras']}, and here is keras 3.14.0. Received: "
    )
    assert "Unrecognized keyword" in said
    assert said.endswith(f"`uv pip install keras=={HERE['keras']}`.")
    assert "trusted copy" not in said


def test_with_the_same_versions_it_is(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "ArrayNetwork", refuses)
    with pytest.raises(BundleError, match="trusted copy"):
        load_bundle(stored)


def test_a_changed_file_is_tampering_whatever_the_versions(
    folder: Path, here_is_an_older_keras: None
) -> None:
    (folder / "network.keras").write_bytes(b"other weights")
    with pytest.raises(BundleError, match="changed after it was registered") as caught:
        load_bundle(folder)
    assert "written by" not in str(caught.value)


def test_a_model_that_fails_only_when_it_scores_says_the_versions_too(
    stored: Path, rows: np.ndarray, here_is_an_older_keras: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_bundle(stored)
    monkeypatch.setattr("faultxfer.network.arrays.ArrayNetwork.logits", refuses)
    with pytest.raises(
        versions.OtherVersionsError, match=r"keras 3\.14\.0.*ValueError: Unrecognized"
    ):
        loaded.logits(rows)
    monkeypatch.setattr(versions, "versions_here", lambda: HERE)
    with pytest.raises(ValueError, match="Unrecognized"):
        loaded.logits(rows)


def test_a_bundle_of_a_release_that_recorded_no_versions_is_read(folder: Path) -> None:
    def forget(manifest: dict[str, Any]) -> None:
        del manifest["versions"]
        manifest["sha256"]["manifest.json"] = manifest_sha256(manifest)

    edit_manifest(folder, forget)
    assert load_bundle(folder).versions == {}


WRITTEN = {
    "several differ": (
        {"keras": "3.15.1", "numpy": "2.3.0"},
        {"keras": "3.14.0", "numpy": "2.4.0"},
    ),
    "not installed": ({"lightgbm": "4.6.0"}, {}),
    "nothing differs": ({"keras": "3.15.1"}, {"keras": "3.15.1", "numpy": "2.4.0"}),
}
SAID = {
    "several differ": "written by keras 3.15.1 and numpy 2.3.0, and here are keras 3.14.0 and "
    "numpy 2.4.0",
    "not installed": "written by lightgbm 4.6.0, and here there is no lightgbm",
    "nothing differs": "it does not load",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_versions_are_named_where_they_differ(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written, here = WRITTEN[name]
    monkeypatch.setattr(versions, "versions_here", lambda: here)
    assert SAID[name] in versions.explained(BundleError("it does not load"), written).expected


@pytest.mark.parametrize("text", ["3.15.1; rm -rf ~", "x" * 50, "$(id)", 3, None, ["3"], "9" * 99])
def test_what_a_manifest_says_of_versions_is_not_repeated_unless_it_is_one(text: object) -> None:
    assert versions.recorded_versions({"versions": {"keras": text, "evil": "1.0"}}) == {}
    assert versions.recorded_versions({"versions": text}) == {}
