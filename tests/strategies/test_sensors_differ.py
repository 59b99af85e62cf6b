"""A machine that lacks sensors of its source, or has new ones, gets every strategy all the same."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategy_checks import SENSORS, changed, tiny_rows, tiny_task

from faultxfer.bundle.bundle import Bundle, load_bundle, save_bundle
from faultxfer.bundle.contributions import Explainer
from faultxfer.bundle.frozen import OF_WHOLE
from faultxfer.bundle.graph.adding import Graph, made_graph
from faultxfer.bundle.imputer import fit_imputer
from faultxfer.bundle.references import keep_references
from faultxfer.data.dataset import Dataset
from faultxfer.errors import StrategyError
from faultxfer.network.narrow import Guess, narrowed_network
from faultxfer.network.sensor_dropout import without_some
from faultxfer.strategies import STRATEGIES
from faultxfer.strategies.narrowing import (
    GUESSED,
    LEARNT,
    LEARNT_AND_GUESSED,
    SENSOR_CHANGE,
    Kept,
    SensorChange,
    narrowed,
    sensors_between,
)
from faultxfer.strategies.protocol import Task
from faultxfer.strategies.rivals import RIVALS
from faultxfer.strategies.sensor_evidence import sensor_evidence
from faultxfer.strategies.source_benefit import NEW_SENSORS
from faultxfer.strategies.window_models import machine_windows

LACKS, HAS, BOTH = "lacks one", "has a new one", "both"
MACHINES = {
    LACKS: ("speed", "pressure", "vibration"),
    HAS: (*SENSORS, "hum"),
    BOTH: ("vibration", "hum", "speed", "pressure"),
}


def with_hum(data: Dataset) -> Dataset:
    """A fifth sensor, which a fault moves."""
    hum = np.random.default_rng(5).normal(40 + 2.0 * data.y, 1.0)
    X = np.column_stack([data.X, hum])
    return dataclasses.replace(data, features=(*SENSORS, "hum"), X=X)


@functools.cache
def task_of(machine: str) -> tuple[Task, SensorChange]:
    """The tiny task on a machine with other sensors."""
    task = tiny_task()
    change = sensors_between(task.source.features, MACHINES[machine])
    source = narrowed(task.source, Kept(task.source_rows), change, {"hum": "dB"}, 0)
    target = with_hum(task.target).with_sensors(change.features)
    target = machine_windows(target, source, np.zeros(len(target), dtype=int))
    return dataclasses.replace(task, source=source, target=target), change


def filling(bundle: Bundle, task: Task) -> Bundle:
    """The same, which fills missing readings in."""
    X = task.target.X
    imputer = dataclasses.replace(fit_imputer(X), r2=np.ones(X.shape[1]), max_share=0.5)
    return dataclasses.replace(bundle, imputer=imputer.for_machine(X))


@functools.cache
def stacked(machine: str) -> Bundle:
    return STRATEGIES["stack"].fit(task_of(machine)[0]).bundle


def test_the_same_sensors_leave_the_source_as_it_is() -> None:
    task = tiny_task()
    change = sensors_between(task.source.features, SENSORS[::-1])
    assert not change.differs
    assert change.features == SENSORS
    assert narrowed(task.source, Kept(task.source_rows), change, {}, 0) is task.source


def test_a_narrowed_network_says_what_the_whole_one_says_of_its_guesses() -> None:
    source = tiny_task().source
    guess = Guess(
        np.array([0, 1, 3]), np.array([2]), np.array([[0.02], [1.0], [0.0]]), np.array([7.0])
    )
    common = tiny_task().target.X[:, [0, 1, 3]]
    wide = np.insert(common, 2, common @ guess.weights[:, 0] + 7.0, axis=1)
    own = dataclasses.replace(
        source.scaler, mean=source.scaler.mean[[0, 1, 3]], scale=source.scaler.scale[[0, 1, 3]]
    )
    made = narrowed_network(source.network, source.scaler.mean, source.scaler.scale, guess)
    np.testing.assert_allclose(
        made.logits(own(common)), source.network.logits(source.scaler(wide)), atol=1e-4
    )


@pytest.mark.slow
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", ["recalibrate", "fine_tune", "feature_reuse", "pooled_head"])
def test_a_strategy_adapts_to_other_sensors_and_its_bundle_is_whole(
    name: str, machine: str, tmp_path: Path
) -> None:
    task, change = task_of(machine)
    bundle = STRATEGIES[name].fit(task).bundle
    assert bundle.features == change.features
    save_bundle(bundle, tmp_path / "bundle", task.target.X)
    again = load_bundle(tmp_path / "bundle")
    np.testing.assert_allclose(again.logits(task.target.X), bundle.logits(task.target.X), rtol=1e-6)
    assert isinstance(made_graph(filling(bundle, task), task.target.X, {}), Graph)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_stack_on_other_sensors_is_stored_and_explained_whole(
    machine: str, tmp_path: Path
) -> None:
    task, change = task_of(machine)
    references = keep_references(task.target.X, task.target.y, None)
    bundle = dataclasses.replace(stacked(machine), references=references)
    save_bundle(bundle, tmp_path / "bundle", task.target.X)
    again = load_bundle(tmp_path / "bundle")
    some = task.target.X[:20]
    np.testing.assert_allclose(again.logits(some), bundle.logits(some), rtol=1e-9)
    assert isinstance(made_graph(filling(bundle, task), task.target.X, {}), Graph)
    said = Explainer(again)(some)
    assert said.values.shape == (20, len(change.features))
    np.testing.assert_allclose(said.values.sum(axis=1), said.logits - said.reference, atol=1e-6)


def test_what_is_new_is_looked_at_where_it_shows_faults() -> None:
    task, change = task_of(HAS)
    rows_alone = dataclasses.replace(task.target, windows=None)
    bundle = STRATEGIES["stack"].fit(dataclasses.replace(task, target=rows_alone)).bundle
    assert bundle.lineage[NEW_SENSORS]["gain"] > 0
    moved = task.target.X.copy()
    moved[:, change.features.index("hum")] += 3.0
    assert np.mean(bundle.logits(moved) - bundle.logits(task.target.X)) > 0.1


def test_only_bundles_on_other_sensors_have_the_new_number_of_the_format(tmp_path: Path) -> None:
    for name, bundle in (("same", tiny_task().source), (LACKS, stacked(LACKS).of_rows())):
        save_bundle(bundle, tmp_path / name)
    formats = [
        json.loads((tmp_path / name / "manifest.json").read_text())["format"]
        for name in ("same", LACKS)
    ]
    assert formats == [3, 4]


def test_source_rows_stay_out_of_a_machines_bundle() -> None:
    bundle, rows = stacked(LACKS), tiny_task().source_rows
    assert rows is not None
    assert not np.isin(rows.fingerprints(), bundle.training_rows).any()


def test_where_nothing_stands_for_what_is_lacking_nothing_is_guessed() -> None:
    task = tiny_task()
    change = sensors_between(SENSORS, ("speed", "pressure", "current"))
    evidence = sensor_evidence(task.source_rows, change, 0)
    assert evidence.carried
    assert "carried the source" in " ".join(evidence.sentences)
    source = narrowed(task.source, Kept(task.source_rows), change, {}, 0, guess=False)
    source = dataclasses.replace(source, lineage={SENSOR_CHANGE: evidence.as_dict()})
    target = task.target.with_sensors(change.features)
    stack = STRATEGIES["stack"].fit(dataclasses.replace(task, source=source, target=target)).bundle
    assert stack.stack is not None
    kinds = {block.kind for member in stack.stack.members for block in member.blocks}
    assert not kinds & (OF_WHOLE | {"network", "hidden"})


def test_what_hardly_matters_is_said_to_hardly_matter() -> None:
    change = sensors_between(SENSORS, ("speed", "pressure", "vibration"))
    evidence = sensor_evidence(tiny_task().source_rows, change, 0)
    assert not evidence.carried
    assert "Little hangs on it" in " ".join(evidence.sentences)
    assert set(evidence.r2) == {"current"}


def test_without_kept_rows_the_source_guesses() -> None:
    task, change = tiny_task(), sensors_between(SENSORS, MACHINES[LACKS])
    assert task.source_rows is not None
    imputer = fit_imputer(task.source_rows.X)
    source = narrowed(dataclasses.replace(task.source, imputer=imputer), Kept(None), change, {}, 0)
    target = task.target.with_sensors(change.features)
    bare = dataclasses.replace(task, source=source, target=target, source_rows=None)
    scores = RIVALS["source_as_is"].fit(bare)(target.X)
    assert scores[target.y == 1].mean() > scores[target.y == 0].mean()
    assert source.frozen is not None
    trees = np.asarray(source.frozen.trees.predict(target.X, raw_score=True))
    assert trees[target.y == 1].mean() > trees[target.y == 0].mean()


@pytest.mark.parametrize("machine", MACHINES)
def test_without_kept_rows_rivals_and_strategies_need_no_source_rows(machine: str) -> None:
    task, change = task_of(machine)
    rows = tiny_task().source_rows
    assert rows is not None
    source = dataclasses.replace(tiny_task().source, imputer=fit_imputer(rows.X))
    source = narrowed(source, Kept(None), change, {"hum": "dB"}, 0)
    bare = dataclasses.replace(task, source=source, source_rows=None)
    for name in ("recalibrate", "fine_tune", "feature_reuse"):
        assert np.isfinite(STRATEGIES[name].fit(bare).bundle.probabilities(bare.target.X)).all()
    for rival in RIVALS.values():
        with contextlib.suppress(StrategyError):  # those that are fitted on source rows
            assert np.isfinite(rival.fit(bare)(bare.target.X)).all(), rival.name


def test_an_imputer_without_some_sensors_guesses_as_if_they_were_empty() -> None:
    rows = tiny_task().source_rows
    assert rows is not None
    imputer, common = fit_imputer(rows.X), np.array([0, 1, 3])
    X = rows.X[:10].copy()
    X[:, [1, 2]] = np.nan
    narrower = imputer.for_sensors(common, 0)
    np.testing.assert_allclose(narrower(X[:, common])[:, 1], imputer(X)[:, 1], rtol=1e-6)


def test_readings_of_a_new_sensor_are_filled_in_from_the_machines_rows() -> None:
    target = with_hum(tiny_task().target)
    rows = tiny_task().source_rows
    assert rows is not None
    imputer = fit_imputer(rows.X).for_sensors(np.arange(4), 1).for_machine(target.X, 1)
    X = target.X[:5].copy()
    X[:, 4] = np.nan
    assert np.abs(imputer(X)[:, 4] - 40).max() < 3


def test_of_the_networks_the_one_that_loses_least_on_runs_left_out_stands_in() -> None:
    task, change = tiny_task(), sensors_between(SENSORS, MACHINES[LACKS])
    judging = tiny_rows(seed=7, runs=16)
    useless = changed(task.source.network, lambda weight: 0 * weight)
    kept = Kept(task.source_rows, judging, useless)
    assert narrowed(task.source, kept, change, {}, 0).lineage[SENSOR_CHANGE]["network"] == GUESSED
    # The other way round the second one stands in.
    worse = dataclasses.replace(task.source, network=useless)
    better = dataclasses.replace(kept, spare=task.source.network)
    how = narrowed(worse, better, change, {}, 0).lineage[SENSOR_CHANGE]["network"]
    assert how in (LEARNT, LEARNT_AND_GUESSED)


@given(share=st.floats(0.05, 0.95), sensors=st.integers(2, 9))
def test_each_row_is_shown_without_some_sensors_and_never_without_more_than_asked(
    share: float, sensors: int
) -> None:
    X, usual = np.ones((40, sensors)), np.zeros(sensors)
    lost = (without_some(X, usual, share, np.random.default_rng(1)) == 0).sum(axis=1)
    assert lost.min() >= 1
    assert lost.max() <= max(1, round(share * sensors))


def test_a_source_of_an_older_release_is_refused_with_what_to_do() -> None:
    task, change = tiny_task(), sensors_between(SENSORS, MACHINES[LACKS])
    older = dataclasses.replace(task.source, models=None)
    with pytest.raises(StrategyError, match="Pretrain again"):
        narrowed(older, Kept(task.source_rows), change, {}, 0)
