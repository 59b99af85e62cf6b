"""A detector as one ONNX graph scores as its bundle does, and says where it cannot be written."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import lightgbm
import numpy as np
import onnx
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultxfer.bundle import members
from faultxfer.bundle.bundle import Bundle, load_bundle
from faultxfer.bundle.graph.adding import Graph, NoGraph, add_graph, made_graph
from faultxfer.bundle.graph.builder import DOUBLE, GraphBuilder, NoConverterError, value_info
from faultxfer.bundle.graph.check import (
    SAME,
    GraphDiffersError,
    Session,
    compared,
    rows_at_cuts,
)
from faultxfer.bundle.graph.detector import graph_of
from faultxfer.bundle.graph.trees import read_forest, tree_sums
from faultxfer.bundle.imputer import fit_imputer
from faultxfer.bundle.member_kinds.kind import Kind
from faultxfer.bundle.members import CONSTANT, TREES, Member
from faultxfer.errors import BundleError
from faultxfer.strategies.learners.boosting import boost, grow_forest

KEPT = Path(__file__).resolve().parents[1] / "kept_bundles"
BUNDLES = sorted(path.parent for path in KEPT.glob("format_*/*/manifest.json"))
NAMES = [f"{path.parent.name}/{path.name}" for path in BUNDLES]
NEW_KIND = "newer"
STACK = KEPT / "format_2" / "stack"


def readings() -> np.ndarray:
    return pd.read_csv(KEPT / "rows.csv").to_numpy(dtype=float)


def filling(bundle: Bundle, max_share: float = 0.4) -> Bundle:
    """The same, which fills in every sensor but the last."""
    X = readings()
    able = np.r_[np.ones(X.shape[1] - 1), -1.0]
    imputer = dataclasses.replace(fit_imputer(X), r2=able, cost=1 - able, max_share=max_share)
    return dataclasses.replace(bundle, imputer=imputer.for_machine(X))


def graph_for(bundle: Bundle) -> Session:
    return Session(graph_of(bundle, {}))


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STACK, tmp_path / "bundle"))


@pytest.mark.parametrize("kept", BUNDLES, ids=NAMES)
def test_a_bundle_of_every_format_has_a_graph_that_scores_as_it_does(kept: Path) -> None:
    made = made_graph(filling(load_bundle(kept)), readings(), {})
    assert isinstance(made, Graph)
    assert made.agreement.largest_difference <= SAME
    assert made.agreement.rows > 150


def test_rows_at_every_cut_of_every_tree_score_alike() -> None:
    bundle = load_bundle(STACK)
    rows = np.vstack(rows_at_cuts(bundle, readings().mean(axis=0), most=10**6))
    found = compared(graph_for(bundle), bundle, rows)
    assert found.rows > 50
    assert found.ties == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_gaps_are_filled_as_by_the_bundle_and_other_rows_have_no_score(seed: int) -> None:
    bundle, generator = filling(load_bundle(STACK)), np.random.default_rng(seed)
    X = readings()[generator.integers(0, 40, 12)]
    X[generator.random(X.shape) < generator.uniform(0, 0.5)] = np.nan
    X[0] = np.r_[np.inf, readings()[0, 1:]]
    filled = bundle.completed(X)
    whole = np.isfinite(filled).all(axis=1)
    probabilities, alarms = graph_for(bundle)(X)
    np.testing.assert_allclose(
        probabilities[whole], bundle.probabilities(filled[whole]), rtol=0, atol=SAME
    )
    assert np.isnan(probabilities[~whole]).all()
    assert not alarms[~whole].any()


def test_no_row_at_all_is_scored_too() -> None:
    probabilities, alarms = graph_for(filling(load_bundle(STACK)))(readings()[:0])
    assert (probabilities.shape, alarms.shape) == ((0,), (0,))


def sums_in_graph(text: str, X: np.ndarray) -> np.ndarray:
    """What LightGBM text adds up to in a graph of its own."""
    import onnxruntime
    from onnx import helper

    graph = GraphBuilder()
    graph.named(tree_sums(graph, read_forest(text), "X"), "sums")
    ends = [value_info("X", DOUBLE, (None, X.shape[1]))], [value_info("sums", DOUBLE, (None, 1))]
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 5)]
    model = helper.make_model(graph.graph("trees", *ends), opset_imports=opsets, ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return np.asarray(session.run(None, {"X": X})[0][:, 0])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    gaps=st.sampled_from([0.0, 0.3]),
    zeros=st.sampled_from([0.0, 0.3]),
    options=st.sampled_from([{}, {"zero_as_missing": True}, {"use_missing": False}]),
)
def test_trees_send_every_row_where_lightgbm_does(
    seed: int, gaps: float, zeros: float, options: dict[str, bool]
) -> None:
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(120, 3)) * [1.0, 1e-3, 1e6]
    X[generator.random(X.shape) < zeros] = 0.0
    X[generator.random(X.shape) < gaps] = np.nan
    y = (np.nan_to_num(X[:, 0]) + generator.normal(size=len(X)) > 0).astype(np.int8)
    text = boost(X, y, 0, rounds=8, num_leaves=7, **options)
    forest = read_forest(text)
    at = np.zeros((max(1, len(forest.thresholds)), 3))
    at[np.arange(len(forest.features)), forest.features] = forest.thresholds
    rows = [X, at, np.nextafter(at, np.inf), np.nextafter(at, -np.inf), np.full((1, 3), np.nan)]
    everything = np.vstack([*rows, np.zeros((1, 3)), np.full((1, 3), -5e-36)])
    expected = lightgbm.Booster(model_str=text).predict(everything, raw_score=True)
    np.testing.assert_allclose(sums_in_graph(text, everything), expected, rtol=0, atol=1e-12)


def test_a_forest_is_averaged_and_a_tree_without_a_split_counts() -> None:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(60, 2))
    text = grow_forest(X, (X[:, 0] > 0).astype(np.int8), 0, rounds=20)
    forest = read_forest(text)
    share = lightgbm.Booster(model_str=text).predict(X)
    assert forest.average
    np.testing.assert_allclose(sums_in_graph(text, X) / forest.trees, share, rtol=0, atol=1e-12)
    flat = boost(np.ones((40, 2)), np.arange(40) % 2, 0, rounds=3)
    expected = lightgbm.Booster(model_str=flat).predict(X, raw_score=True)
    np.testing.assert_allclose(sums_in_graph(flat, X), expected, rtol=0, atol=1e-12)


def test_the_file_says_what_it_is_and_names_a_column_for_each_sensor() -> None:
    bundle = load_bundle(STACK)
    model = onnx.load_from_string(graph_of(bundle, {"model": "pumps--fault--pump-9"}))
    onnx.checker.check_model(model)
    assert tuple(entry.name for entry in model.graph.input) == bundle.features
    assert [entry.name for entry in model.graph.output] == [
        "fault_probability",
        "alarm",
        "log_odds",
    ]
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(said["units"]) == bundle.units
    assert [one["sensor"] for one in json.loads(said["columns"])] == list(bundle.features)
    assert float(said["threshold"]) == bundle.threshold
    assert json.loads(said["lineage"])["contract"]["family"] == "pumps"
    assert said["model"] == "pumps--fault--pump-9"


def with_member(bundle: Bundle, member: Member) -> Bundle:
    assert bundle.stack is not None
    stack = dataclasses.replace(bundle.stack, members=(*bundle.stack.members, member))
    return dataclasses.replace(bundle, stack=stack)


def test_a_kind_of_member_without_a_converter_means_no_graph(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrays = {"intercept": np.array([0.5])}
    bundle = with_member(load_bundle(STACK), Member("new", "newest", NEW_KIND, arrays=arrays))
    monkeypatch.setitem(members.KINDS, NEW_KIND, Kind(members.KINDS[CONSTANT].score))
    assert made_graph(bundle, readings(), {}) == NoGraph("members of the kind newer, as newest")


def test_categorical_splits_mean_no_graph() -> None:
    X = np.random.default_rng(0).integers(0, 4, (200, 1)).astype(float)
    y = np.isin(X[:, 0], [0, 2])
    data = lightgbm.Dataset(X, y.astype(float), categorical_feature=[0])
    settings = {"objective": "binary", "min_data_per_group": 1, "verbosity": -1}
    text = lightgbm.train(settings, data, num_boost_round=2).model_to_string()
    with pytest.raises(NoConverterError, match="categorical"):
        read_forest(text)
    member = Member("new", "groups", TREES, text=text)
    made = made_graph(with_member(load_bundle(STACK), member), readings(), {})
    assert made == NoGraph("trees with categorical splits")


def test_a_graph_that_scores_differently_is_not_kept() -> None:
    bundle = load_bundle(STACK)
    low = dataclasses.replace(bundle, threshold=0.0)
    with pytest.raises(GraphDiffersError, match="alarms"):
        compared(graph_for(low), bundle, readings())
    calibrator = dataclasses.replace(bundle.calibrator, offset=bundle.calibrator.offset + 1e-3)
    other = dataclasses.replace(bundle, calibrator=calibrator)
    with pytest.raises(GraphDiffersError, match="probability"):
        compared(graph_for(other), bundle, readings())


def test_a_stored_graph_is_hashed_and_its_damage_found(stored: Path) -> None:
    before = load_bundle(stored).probabilities(readings())
    assert isinstance(add_graph(stored, {}), Graph)
    manifest = json.loads((stored / "manifest.json").read_text())
    graph = stored / "detector.onnx"
    assert manifest["graph"]["bytes"] == graph.stat().st_size
    assert manifest["graph"]["largest_difference"] <= SAME
    np.testing.assert_array_equal(load_bundle(stored).probabilities(readings()), before)
    graph.write_bytes(graph.read_bytes() + b" ")
    with pytest.raises(BundleError, match=r"detector\.onnx"):
        load_bundle(stored)
    graph.unlink()
    with pytest.raises(BundleError, match=r"detector\.onnx"):
        load_bundle(stored)


def test_a_bundle_without_a_graph_says_why_and_scores(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_bundle(stored).probabilities(readings())
    for kind, known in list(members.KINDS.items()):
        monkeypatch.setitem(members.KINDS, kind, Kind(known.score))
    assert isinstance(add_graph(stored, {}), NoGraph)
    assert not (stored / "detector.onnx").exists()
    manifest = json.loads((stored / "manifest.json").read_text())
    assert manifest["graph"]["none"].startswith("members of the kind ")
    np.testing.assert_array_equal(load_bundle(stored).probabilities(readings()), before)
