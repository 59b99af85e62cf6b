"""The default strategy: what its bundle holds and needs, and that nothing in it can be swapped."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from strategy_checks import changed, tiny_task

from faultxfer.bundle.bundle import Bundle, load_bundle, manifest_sha256, save_bundle
from faultxfer.bundle.members import Member
from faultxfer.errors import BundleError, StrategyError
from faultxfer.network.arrays import as_arrays
from faultxfer.network.build import build_network
from faultxfer.strategies import STRATEGIES


@pytest.fixture(scope="module")
def stacked() -> Bundle:
    return STRATEGIES["stack"].fit(tiny_task()).bundle


@pytest.fixture
def stored(stacked: Bundle, tmp_path: Path) -> Path:
    save_bundle(stacked, tmp_path / "bundle")
    return tmp_path / "bundle"


def test_weights_are_a_share_each_and_none_is_idle(stacked: Bundle) -> None:
    assert stacked.stack is not None
    weights = [member.weight for member in stacked.stack.members]
    assert sum(weights) == pytest.approx(1)
    assert min(weights) >= 0.003
    assert set(stacked.lineage["stack"]) == {member.name for member in stacked.stack.members}


def test_rivals_and_the_source_network_both_have_a_say(stacked: Bundle) -> None:
    assert stacked.stack is not None
    names = {member.name for member in stacked.stack.members}
    assert any(name.startswith("scratch-") for name in names)
    assert any(name.startswith("source-network") for name in names)


def test_a_stored_stack_is_the_same_in_every_part(stacked: Bundle, stored: Path) -> None:
    again = load_bundle(stored)
    assert again.stack is not None
    assert stacked.stack is not None
    for one, other in zip(stacked.stack.members, again.stack.members, strict=True):
        np.testing.assert_equal(vars(other), vars(one))
    for name, one in stacked.stack.maps.items():
        np.testing.assert_equal(vars(again.stack.maps[name]), vars(one))


def test_every_file_of_a_stack_is_hashed(stored: Path) -> None:
    hashed = set(json.loads((stored / "manifest.json").read_text())["sha256"])
    assert {path.name for path in stored.iterdir()} == hashed


@pytest.mark.parametrize("kind", ["stack.npz", "source_trees.txt", "member"])
def test_a_swapped_file_of_a_stack_is_refused(stored: Path, kind: str) -> None:
    path = next(path for path in sorted(stored.iterdir()) if path.name.startswith(kind))
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(BundleError, match=path.name):
        load_bundle(stored)


def test_a_manifest_that_leaves_a_file_out_of_its_hashes_is_refused(stored: Path) -> None:
    manifest = json.loads((stored / "manifest.json").read_text())
    del manifest["sha256"]["stack.npz"]
    _write_signed(stored, manifest)
    with pytest.raises(BundleError, match="whole bundle"):
        load_bundle(stored)


def test_a_bundle_of_the_first_format_is_still_read(tmp_path: Path) -> None:
    source = dataclasses.replace(tiny_task().source, models=None)
    save_bundle(source, tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    _write_signed(tmp_path / "bundle", {**manifest, "format": 1})
    again = load_bundle(tmp_path / "bundle")
    assert (again.models, again.stack, again.frozen) == (None, None, None)
    X = tiny_task().target.X
    np.testing.assert_array_equal(again.logits(X), source.logits(X))


@pytest.mark.parametrize("lacking", ["models", "source_rows"])
def test_a_source_without_what_the_candidates_need_is_named(lacking: str) -> None:
    task = tiny_task()
    if lacking == "models":
        task = dataclasses.replace(task, source=dataclasses.replace(task.source, models=None))
    else:
        task = dataclasses.replace(task, source_rows=None)
    with pytest.raises(StrategyError, match=r"'stack'.*Pretrain again"):
        STRATEGIES["stack"].fit(task)


def test_a_stack_without_its_source_models_does_not_answer(stacked: Bundle) -> None:
    with pytest.raises(
        BundleError, match="models are missing, without which the stack cannot score"
    ):
        dataclasses.replace(stacked, models=None).logits(tiny_task().target.X)


def test_feature_reuse_names_a_source_network_of_an_older_release() -> None:
    task = tiny_task()
    older = dataclasses.replace(
        task.source, network=as_arrays(build_network(4, (8, 4), 0.1)), models=None
    )
    with pytest.raises(StrategyError, match=r"'feature_reuse'.*Pretrain again"):
        STRATEGIES["feature_reuse"].fit(dataclasses.replace(task, source=older))


def test_noise_in_the_labels_of_the_source_does_not_lead_the_stack(stacked: Bundle) -> None:
    """Candidates of a source that knows nothing get less say than those of the real one."""
    task = tiny_task()
    assert task.source.models is not None
    assert stacked.stack is not None
    network = changed(task.source.network, lambda weight: weight[::-1])
    knows_nothing = dataclasses.replace(task.source, network=network)
    task = dataclasses.replace(task, source=knows_nothing)
    spoiled = STRATEGIES["stack"].fit(task).bundle.stack
    assert spoiled is not None
    assert _share(spoiled.members) < _share(stacked.stack.members)


@pytest.mark.parametrize(("roc_auc", "left_out"), [(0.52, True), (0.9, False)])
def test_a_source_that_does_not_know_its_own_machine_is_left_out(
    roc_auc: float, left_out: bool
) -> None:
    task = tiny_task()
    source = dataclasses.replace(
        task.source, lineage={**task.source.lineage, "judged": {"roc_auc": roc_auc}}
    )
    bundle = STRATEGIES["stack"].fit(dataclasses.replace(task, source=source)).bundle
    assert bundle.stack is not None
    assert all(member.family == "scratch" for member in bundle.stack.members) == left_out
    assert ("left out" in bundle.lineage["source_evidence"]["sentence"]) == left_out


def _write_signed(folder: Path, manifest: dict[str, Any]) -> None:
    """As somebody would who knows how the hashes are made."""
    manifest["sha256"]["manifest.json"] = manifest_sha256(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _share(members: tuple[Member, ...]) -> float:
    return float(
        sum(member.weight for member in members if member.name.startswith("source-network"))
    )
