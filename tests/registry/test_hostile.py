"""Artifacts that somebody exchanged are refused before anything in them is parsed.

The canary must stay alive.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import registry_work as work

from faultxfer.bundle import bundle as bundles
from faultxfer.bundle import plain_files
from faultxfer.bundle.calibration import Calibrator
from faultxfer.bundle.scaler import Scaler
from faultxfer.errors import BundleError
from faultxfer.network import store as network_store
from faultxfer.network.arrays import as_arrays
from faultxfer.network.build import build_network
from faultxfer.registry import registering, smoke
from faultxfer.registry.store import open_registry

SENSORS = ("flow", "pressure", "current")


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path(self.path),))


def make_pickle(folder: Path, canary: Path) -> None:
    (folder / "training_rows.npy").write_bytes(pickle.dumps(Canary(str(canary))))


def make_object_array(folder: Path, canary: Path) -> None:
    np.save(
        folder / "training_rows.npy",
        np.array([Canary(str(canary))], dtype=object),
        allow_pickle=True,
    )


def make_pickled_manifest(folder: Path, canary: Path) -> None:
    (folder / "manifest.json").write_bytes(pickle.dumps(Canary(str(canary))))


def make_lambda(folder: Path, canary: Path) -> None:
    name = str(canary)
    inputs = keras.Input((3,))
    layer = keras.layers.Lambda(lambda x: (open(name, "w").close(), x)[1], output_shape=(3,))  # noqa: PTH123
    keras.Model(inputs, layer(inputs)).save(folder / "network.keras")
    canary.unlink(missing_ok=True)


def rewrite_config(folder: Path, change: Callable[[str], str]) -> None:
    path = folder / "network.keras"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["config.json"] = change(members["config.json"].decode()).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def make_tfsm_layer(folder: Path, canary: Path) -> None:
    rewrite_config(
        folder, lambda text: text.replace('"class_name": "Dense"', '"class_name": "TFSMLayer"')
    )


def make_traversal(folder: Path, canary: Path) -> None:
    with zipfile.ZipFile(folder / "network.keras", "a") as archive:
        archive.writestr(f"../../{canary.name}", b"inert")


def make_oversized_config(folder: Path, canary: Path) -> None:
    rewrite_config(folder, lambda text: text[:-1] + " " * network_store.MAX_CONFIG_BYTES + "}")


def swap_weights(folder: Path, canary: Path) -> None:
    path = folder / "network.keras"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(members["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        file.visititems(
            lambda _, part: part.write_direct(-part[()]) if isinstance(part, h5py.Dataset) else None
        )
    members["model.weights.h5"] = weights.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def swap_scaler(folder: Path, canary: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["scaler"]["mean"] = [0.0 for _ in manifest["scaler"]["mean"]]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def swap_loader(folder: Path, canary: Path) -> None:
    path = folder.parents[1] / "MLmodel"
    path.write_text(path.read_text().replace("faultxfer.registry.pyfunc", "antigravity"))


HOSTILE = {
    "a pickle": make_pickle,
    "an array of objects": make_object_array,
    "a pickled manifest": make_pickled_manifest,
    "a lambda layer": make_lambda,
    "a TFSMLayer": make_tfsm_layer,
    "a path out of the archive": make_traversal,
    "an oversized config": make_oversized_config,
    "swapped weights": swap_weights,
    "a swapped scaler": swap_scaler,
    "another loader": swap_loader,
}


def reseal(folder: Path) -> None:
    """As an attacker would who knows the format: the manifest's own hashes fit again."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except ValueError:
        return
    for name in set(manifest["sha256"]) - {"manifest.json"}:
        manifest["sha256"][name] = plain_files.sha256_of(folder / name)
    manifest["sha256"]["manifest.json"] = bundles.manifest_sha256(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def stored_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound bundle with golden rows, and a report beside it."""
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("sound")
    scaler = Scaler(np.zeros(3), np.ones(3))
    network = as_arrays(build_network(3, (4,), dropout=0.0))
    bundle = bundles.Bundle(SENSORS, dict.fromkeys(SENSORS, ""), scaler, network, Calibrator(), 0.5)
    bundles.save_bundle(bundle, folder / "bundle", np.random.default_rng(0).normal(size=(40, 3)))
    (folder / "report").mkdir()
    return folder / "bundle"


def test_golden_rows_are_some_of_the_rows_with_the_scores_of_the_bundle(
    stored_bundle: Path,
) -> None:
    golden = bundles.read_golden(stored_bundle)
    assert golden is not None
    assert golden.X.shape == (16, 3)
    again = bundles.load_bundle(stored_bundle)
    np.testing.assert_allclose(
        again.probabilities(golden.X), golden.probabilities, atol=1e-9, rtol=0
    )


@pytest.mark.parametrize(
    "name", sorted(set(HOSTILE) - {"swapped weights", "a swapped scaler", "another loader"})
)
def test_a_hostile_bundle_with_hashes_that_fit_runs_nothing(
    name: str, stored_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(stored_bundle, tmp_path / "data" / "bundle"))
    HOSTILE[name](folder, tmp_path / "canary")
    reseal(folder)
    asked: list[object] = []
    if (
        "array" not in name and name != "a pickle"
    ):  # those are read after the network, which is sound
        monkeypatch.setattr(network_store, "ArrayNetwork", lambda *args: asked.append(args))
    monkeypatch.setattr(pickle, "loads", lambda *args, **_: asked.append(args))
    monkeypatch.setattr(pickle, "load", lambda *args, **_: asked.append(args))
    with pytest.raises(BundleError):
        bundles.load_bundle(folder)
    assert asked == []
    assert not (tmp_path / "canary").exists()


def test_a_version_whose_files_were_exchanged_is_refused_before_anything_is_parsed(
    store: Path, stored_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registering, "smoke_test", work.downloads)
    version = work.register_prepared(stored_bundle, SENSORS)
    registry = open_registry()
    (place,) = {path.parent for path in (store / "mlruns").rglob("bundle/manifest.json")}
    sound = {path: path.read_bytes() for path in (*place.iterdir(), place.parents[1] / "MLmodel")}
    for name, spoil in HOSTILE.items():
        spoil(place, tmp_path / "canary")
        reseal(place)
        asked: list[object] = []
        with monkeypatch.context() as patch:
            patch.setattr(
                keras.models, "load_model", lambda *args, into=asked, **_: into.append(args)
            )
            patch.setattr(bundles, "read_text", lambda *args, into=asked: into.append(args))
            with pytest.raises(BundleError, match="not those registered"):
                registry.download_bundle(registry.version(work.NAME, version), tmp_path / name)
        assert asked == [], name
        assert not (tmp_path / "canary").exists(), name
        for path, content in sound.items():
            path.write_bytes(content)
    copy = registry.download_model(registry.version(work.NAME, version), tmp_path / "sound")
    smoke.require_our_loader(copy)
    smoke.check_version(registry, registry.version(work.NAME, version))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("faultxfer.registry.pyfunc", "antigravity"),
        lambda text: text.replace("loader_module:", "code: code\n    loader_module:"),
        lambda text: text.replace("flavors:", "flavors:\n  sklearn: {pickled_model: model.pkl}"),
        lambda _: "!!python/object/apply:os.system ['true']",
        lambda _: "- nothing",
    ],
    ids=[
        "another loader",
        "code beside it",
        "another flavor",
        "a tag that YAML would run",
        "no model",
    ],
)
def test_a_model_that_mlflow_would_load_by_other_code_is_refused(
    change: Callable[[str], str], tmp_path: Path
) -> None:
    text = "flavors:\n  python_function:\n    data: data/bundle\n    loader_module: faultxfer.registry.pyfunc\n"
    (tmp_path / "MLmodel").write_text(text)
    smoke.require_our_loader(tmp_path)
    (tmp_path / "MLmodel").write_text(change(text))
    with pytest.raises(BundleError, match="loaded by faultxfer"):
        smoke.require_our_loader(tmp_path)


def test_an_archive_of_arrays_that_unpacks_to_too_much_is_refused_unread(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "bomb.npz", a=np.zeros(1_000_000))
    assert (tmp_path / "bomb.npz").stat().st_size < 20_000
    with pytest.raises(ValueError, match="more than 1000000"):
        plain_files.load_arrays(tmp_path / "bomb.npz", limit=1_000_000)
    assert plain_files.load_arrays(tmp_path / "bomb.npz")["a"].shape == (1_000_000,)


def test_an_array_that_claims_more_room_than_it_fills_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    np.save(path, np.arange(4.0))
    path.write_bytes(path.read_bytes().replace(b"(4,)", b"(4000000000000,)".ljust(4)))
    with pytest.raises(ValueError, match=r"rows\.npy|header|Header"):
        plain_files.load_array(path)


def weights_with(path: Path, change: Callable[[h5py.File], object]) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    content = io.BytesIO(members["model.weights.h5"])
    with h5py.File(content, "r+") as file:
        change(file)
    members["model.weights.h5"] = content.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def link_twice(file: h5py.File) -> None:
    """40 groups, each twice in the next: 2 ** 39 paths to the first."""
    group = file.create_group("start")
    for number in range(40):
        upper = file.create_group(f"upper_{number}")
        upper["0"] = upper["1"] = group
        group = upper
    file["x"] = group


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.__setitem__("x", h5py.ExternalLink("/etc/hostname", "/")), "/x"),
        (lambda file: file.__setitem__("x", h5py.SoftLink("/layers")), "/x"),
        (
            lambda file: file.create_dataset("x", (8,), "u1", external=[("/etc/hostname", 0, 8)]),
            "/x",
        ),
        (lambda file: file.create_dataset("x", (10**10,), "f4", chunks=(1024,)), "bytes"),
        (link_twice, "/upper_0/1"),
        (lambda file: file.__setitem__("x", file["/"]), "/x"),
    ],
    ids=[
        "another file",
        "another place",
        "another file's bytes",
        "more than fits",
        "groups of shared groups",
        "a circle",
    ],
)
def test_weights_that_lie_elsewhere_are_refused(
    change: Callable[[h5py.File], object], said: str, stored_bundle: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(stored_bundle / "network.keras", tmp_path))
    weights_with(path, change)
    with pytest.raises(BundleError, match="weights=") as refusal:
        network_store.check_network_file(path)
    assert said in str(refusal.value)


def test_a_password_in_the_tracking_address_does_not_reach_errors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from faultxfer.registry import connect

    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "")  # remembered, and put back afterwards
        monkeypatch.delenv(name)
    assert connect.without_password("http://me:h%40sh@plant:5000/x") == "http://plant:5000/x"
    assert (os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"]) == (
        "me",
        "h@sh",
    )
    assert (
        connect.without_password("postgresql://me:hush@plant/x") == "postgresql://me:hush@plant/x"
    )


def edit_layers(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    """Applied to each layer of the class Dense."""

    def edited(text: str) -> str:
        config = json.loads(text)
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "Dense":
                change(layer)
        return json.dumps(config)

    return edited


def concatenate_often(text: str) -> str:
    """Ten layers, each a hundred times its input: 3e20 numbers that no layer names."""
    config = json.loads(text)
    layers = config["config"]["layers"]
    last = layers[0]["name"]
    for number in range(10):
        tensor = {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None, 3], "keras_history": [last, 0, 0]},
        }
        last = f"often_{number}"
        node = {"args": [[tensor] * 100], "kwargs": {}}
        layers.append(
            {
                "class_name": "Concatenate",
                "config": {"name": last},
                "name": last,
                "inbound_nodes": [node],
            }
        )
    return json.dumps(config)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            edit_layers(lambda layer: layer["config"].update(units=200_000_000)),
            "of width 200000000",
        ),
        (edit_layers(lambda layer: layer["config"].update(units=True)), "of width True"),
        (
            edit_layers(
                lambda layer: (layer["config"].update(units=60_000), layer.pop("build_config"))
            ),
            "parameters",
        ),
        (
            edit_layers(lambda layer: layer["build_config"].update(input_shape=[None, 10**9])),
            "built for",
        ),
        (edit_layers(lambda layer: layer["build_config"].update(shapes_dict={})), "built from"),
        (
            edit_layers(lambda layer: layer["config"].update(lora_rank=100_000_000)),
            "Dense.lora_rank",
        ),
        (
            edit_layers(lambda layer: layer["config"].update(quantization_mode="int8")),
            "Dense.quantization_mode",
        ),
        (
            edit_layers(lambda layer: layer["config"].update(quantization_config={})),
            "Dense.quantization_config",
        ),
        (
            edit_layers(lambda layer: layer["config"].update(dtype="int8_from_float32")),
            "Dense.dtype",
        ),
        (
            edit_layers(
                lambda layer: layer["config"]["dtype"]["config"].update(name="int8_from_float32")
            ),
            "dtype",
        ),
        (
            edit_layers(lambda layer: layer["inbound_nodes"].append(layer["inbound_nodes"][0])),
            "problem=",
        ),
        (
            lambda text: text.replace(
                '"batch_shape": [null, 3]', '"batch_shape": [null, 1000000000]'
            ),
            "of width 1000",
        ),
        (concatenate_often, "of width"),
        (lambda _: "[]", "problem="),
        (lambda _: '{"class_name": "Dense", "config": {"units": 4}}', "in place of a network"),
    ],
)
def test_layers_that_claim_more_than_a_network_takes_are_refused(
    change: Callable[[str], str],
    said: str,
    stored_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copy(stored_bundle / "network.keras", tmp_path)
    rewrite_config(tmp_path, change)
    asked: list[object] = []
    monkeypatch.setattr(network_store, "ArrayNetwork", lambda *args: asked.append(args))
    with pytest.raises(BundleError) as refusal:
        network_store.load_network(tmp_path / "network.keras")
    assert said in str(refusal.value)
    assert asked == []


class OutOfRoom(Exception):
    """Stands in for TensorFlow's ResourceExhaustedError, which derives from Exception alone."""


def test_whatever_keras_raises_is_a_refusal(
    stored_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise OutOfRoom("no room" * 1000)

    network = bundles.load_bundle(stored_bundle).network
    monkeypatch.setattr("keras.saving.deserialize_keras_object", exhausted)
    with pytest.raises(BundleError, match="OutOfRoom: no room") as refusal:
        network.keras()
    assert len(str(refusal.value)) < 1000


def spoil_packed(path: Path, member: str, method: int) -> None:
    """Pack an archive anew and damage what was packed.

    Which checks of the directory do not show.
    """
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        place = archive.getinfo(member)
        start = (
            place.header_offset + 30 + len(member) + 9
        )  # after the properties that LZMA begins with
    content = bytearray(path.read_bytes())
    content[start : start + 40] = b"\xff" * 40
    path.write_bytes(content)


def encrypt(path: Path, member: str, _: int) -> None:
    """Set the flag of each entry of the archive's directory and of each member."""
    content = bytearray(path.read_bytes())
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := content.find(sign, start + 1)) >= 0:
            content[start + offset] |= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "method"),
    [
        (spoil_packed, zipfile.ZIP_DEFLATED),
        (spoil_packed, zipfile.ZIP_LZMA),
        (encrypt, zipfile.ZIP_STORED),
    ],
    ids=["deflate", "lzma", "encrypted"],
)
@pytest.mark.parametrize(
    ("name", "member"), [("golden_rows.npz", "X.npy"), ("network.keras", "config.json")]
)
def test_a_packed_member_that_cannot_be_unpacked_is_refused(
    name: str,
    member: str,
    spoil: Callable[[Path, str, int], None],
    method: int,
    stored_bundle: Path,
    tmp_path: Path,
) -> None:
    folder = Path(shutil.copytree(stored_bundle, tmp_path / "bundle"))
    spoil(folder / name, member, method)
    reseal(folder)
    with pytest.raises(BundleError, match="problem="):
        (bundles.read_golden if name.endswith("npz") else bundles.load_bundle)(folder)


@pytest.mark.parametrize(
    "name", ["manifest.json", "network.keras", "training_rows.npy", "golden_rows.npz"]
)
@pytest.mark.parametrize("made", ["link", "pipe"])
def test_a_file_that_may_never_end_is_not_read(
    name: str, made: str, stored_bundle: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(stored_bundle, tmp_path / "bundle"))
    (folder / name).unlink()
    if made == "link":
        (folder / name).symlink_to(
            stored_bundle / name
        )  # one to /dev/zero is refused alike, and would hang the test
    else:
        os.mkfifo(folder / name)
    with pytest.raises(BundleError, match="regular file"):
        bundles.load_bundle(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"scaler": {"mean": [0.0], "scale": [1.0, 1.0, 1.0]}},
        {"scaler": {"mean": [0.0, 0.0, 0.0], "scale": [1.0]}},
        {"scaler": {"mean": 0.0, "scale": 1.0}},
        {"scaler": {"mean": [0.0, 0.0, float("nan")], "scale": [1.0, 1.0, 1.0]}},
        {"threshold": float("nan")},
        {"threshold": float("inf")},
    ],
)
def test_numbers_that_would_silence_or_shift_the_alarm_are_refused(
    change: dict[str, Any], stored_bundle: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(stored_bundle, tmp_path / "bundle"))
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | change))
    reseal(folder)
    with pytest.raises(BundleError, match="finite"):
        bundles.load_bundle(folder)
