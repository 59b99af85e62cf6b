"""A stored network comes back as it was, and a foreign file is refused before anything parses it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultxfer.errors import BundleError
from faultxfer.network import store
from faultxfer.network.arrays import as_arrays
from faultxfer.network.build import build_network
from faultxfer.network.fit import apply_network
from faultxfer.network.store import check_network_file, load_network, save_network

CONFIG = "config.json"


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_network(3, (6, 4), dropout=0.2)


@pytest.fixture(scope="module")
def content(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("network") / "network.keras"
    save_network(as_arrays(network), path)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, content: bytes) -> Path:
    """A good network file, to be spoiled."""
    path = tmp_path / "network.keras"
    path.write_bytes(content)
    return path


@pytest.fixture
def must_not_load(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Stands in for what reads a network and remembers what it was asked to parse."""
    asked: list[object] = []
    monkeypatch.setattr(store, "ArrayNetwork", lambda *args: asked.append(args))
    return asked


def rewrite(
    path: Path, change: Callable[[dict[str, bytes]], None], compression: int = zipfile.ZIP_STORED
) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def edit_config(path: Path, change: Callable[[Any], None]) -> None:
    def edit(members: dict[str, bytes]) -> None:
        config = json.loads(members[CONFIG])
        change(config)
        members[CONFIG] = json.dumps(config).encode()

    rewrite(path, edit)


def first_dense(config: Any) -> Any:
    return next(layer for layer in config["config"]["layers"] if layer["class_name"] == "Dense")


def test_a_round_trip_keeps_outputs_and_weights(network: keras.Model, path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 3)) * 10
    again = load_network(path)
    np.testing.assert_allclose(
        again.logits(rows), apply_network(network, rows)[:, 0], rtol=1e-5, atol=1e-6
    )
    np.testing.assert_equal(again.get_weights(), network.get_weights())


def test_keras_itself_reads_the_file_and_builds_what_was_read(path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 3))
    built = load_network(path).keras()
    np.testing.assert_array_equal(
        apply_network(keras.models.load_model(path), rows), apply_network(built, rows)
    )


def test_the_same_network_is_the_same_file(path: Path, tmp_path: Path) -> None:
    save_network(load_network(path), tmp_path / "again.keras")
    assert (tmp_path / "again.keras").read_bytes() == path.read_bytes()


def test_a_rewritten_but_unchanged_file_is_still_accepted(path: Path) -> None:
    rewrite(path, lambda members: None)
    edit_config(path, lambda config: None)
    check_network_file(path)


def test_a_lambda_layer_is_refused_and_never_run(
    tmp_path: Path, must_not_load: list[object]
) -> None:
    canary, path = tmp_path / "canary", tmp_path / "network.keras"
    name = str(canary)  # Keras stores what the function closes over
    inputs = keras.Input((3,))
    layer = keras.layers.Lambda(lambda x: (open(name, "w").close(), x)[1], output_shape=(3,))  # noqa: PTH123
    keras.Model(inputs, layer(inputs)).save(path)
    canary.unlink(missing_ok=True)  # building the model ran the function
    with pytest.raises(BundleError, match=r"plain layers.*'Lambda'.*network\.keras"):
        load_network(path)
    assert not canary.exists()
    assert must_not_load == []


def set_class(config: Any) -> None:
    first_dense(config)["class_name"] = "TFSMLayer"


def set_module(config: Any) -> None:
    first_dense(config)["module"] = "subprocess"


def set_registered_name(config: Any) -> None:
    first_dense(config)["registered_name"] = "plant>Dense"


def set_nested_function(config: Any) -> None:
    first_dense(config)["config"]["activation"] = {
        "class_name": "function",
        "config": "system",
        "module": "os",
    }


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (set_class, "TFSMLayer"),
        (set_module, "subprocess"),
        (set_registered_name, "plant>Dense"),
        (set_nested_function, "os"),
    ],
)
def test_a_foreign_class_or_module_is_refused_by_name_before_keras_parses_it(
    path: Path, must_not_load: list[object], change: Callable[[Any], None], named: str
) -> None:
    edit_config(path, change)
    with pytest.raises(BundleError, match=f"'{named}'") as refusal:
        load_network(path)
    assert refusal.value.where == "network.keras"
    assert must_not_load == []


@pytest.mark.parametrize("name", ["assets/run.py", "../outside", "model.weights.npz"])
def test_an_extra_member_is_refused(path: Path, must_not_load: list[object], name: str) -> None:
    rewrite(path, lambda members: members.update({name: b"inert"}))
    with pytest.raises(BundleError, match="members=") as refusal:
        load_network(path)
    assert name in refusal.value.received["members"]
    assert must_not_load == []


@pytest.mark.parametrize("name", [CONFIG, "metadata.json", "model.weights.h5"])
def test_a_missing_member_is_refused(path: Path, must_not_load: list[object], name: str) -> None:
    rewrite(path, lambda members: members.pop(name))
    with pytest.raises(BundleError, match="plain layers"):
        load_network(path)
    assert must_not_load == []


@pytest.mark.parametrize("spoiled", [b"", b"no zip", b"PK\x03\x04 half of one"])
def test_a_file_that_is_no_zip_is_refused(
    path: Path, must_not_load: list[object], spoiled: bytes
) -> None:
    path.write_bytes(spoiled)
    with pytest.raises(BundleError, match="problem="):
        load_network(path)
    assert must_not_load == []


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"none\.keras"):
        load_network(tmp_path / "none.keras")


def test_a_config_that_is_no_json_is_refused(path: Path, must_not_load: list[object]) -> None:
    rewrite(path, lambda members: members.update({CONFIG: b"{'single': quotes}"}))
    with pytest.raises(BundleError, match="problem="):
        load_network(path)
    assert must_not_load == []


def test_an_endlessly_nested_config_is_refused(path: Path, must_not_load: list[object]) -> None:
    rewrite(path, lambda members: members.update({CONFIG: b"[" * 200_000 + b"]" * 200_000}))
    with pytest.raises(BundleError, match="plain layers"):
        load_network(path)
    assert must_not_load == []


def test_a_file_that_unpacks_to_too_much_is_refused_unread(
    path: Path, must_not_load: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_BYTES", 100_000)
    rewrite(path, lambda members: members.update({CONFIG: b" " * 200_000}), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000  # a small file that would fill the memory
    with pytest.raises(BundleError, match="bytes=2"):
        load_network(path)
    assert must_not_load == []


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_file_gives_a_named_error_or_none(
    path: Path, content: bytes, data: st.DataObject
) -> None:
    spoiled = bytearray(content)
    start = max(0, len(content) - 400) if data.draw(st.booleans(), "in the zip's directory") else 0
    for _ in range(data.draw(st.integers(1, 3), "bytes changed")):
        spoiled[data.draw(st.integers(start, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(spoiled[: data.draw(st.integers(len(content) - 50, len(content)), "length")])
    try:
        check_network_file(path)
    except BundleError as error:
        assert error.where == "network.keras"  # noqa: PT017 - a file may also survive; nothing else may come out


@settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    config=st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.sampled_from(["Dense", "os", "keras"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["class_name", "module", "registered_name", "config"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    strange=st.sampled_from(["Lambda", "TFSMLayer", "function", "__lambda__", "Dens\u0435"]),
)
def test_a_class_off_the_list_is_found_however_deep_it_lies(
    path: Path, config: object, strange: str
) -> None:
    hidden = {"config": [config, {"registered_name": {"module": [{"class_name": strange}]}}]}
    rewrite(path, lambda members: members.update({CONFIG: json.dumps(hidden).encode()}))
    with pytest.raises(BundleError, match="classes="):
        check_network_file(path)


def test_a_packed_member_that_is_damaged_is_refused(
    path: Path, must_not_load: list[object]
) -> None:
    rewrite(path, lambda members: None, zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo(CONFIG)
    spoiled = bytearray(path.read_bytes())
    begin = member.header_offset + 30 + len(CONFIG)
    spoiled[begin : begin + 8] = b"\xff" * 8
    path.write_bytes(spoiled)
    with pytest.raises(BundleError, match="problem="):
        load_network(path)
    assert must_not_load == []
