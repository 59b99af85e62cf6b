"""Every strategy and every rival passes the common checks, which catch those that cheat."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
import strategy_checks as checks
from sklearn.metrics import roc_auc_score
from strategy_checks import CHECKS, RIVAL_CHECKS, tiny_task

from faultxfer.bundle.input_map import fit_maps
from faultxfer.config import STRATEGY_OPTIONS, StrategyName, TransferOptions, read_options
from faultxfer.data.dataset import Dataset
from faultxfer.errors import ConfigError, StrategyError
from faultxfer.network.arrays import ArrayNetwork
from faultxfer.simulation.simulator import INSTRUMENTS, NEW_PLANT, OLD_PLANT, Plant, simulate_pump
from faultxfer.strategies import STRATEGIES, chosen_strategy, single_network
from faultxfer.strategies.fine_tune import FineTune
from faultxfer.strategies.protocol import FittedStrategy, Requirement, Rival, Scorer, Strategy, Task
from faultxfer.strategies.rivals import RIVALS
from faultxfer.strategies.rivals.scratch import ScratchLogistic
from faultxfer.strategies.rivals.source_as_is import SourceAsIs

StrategyCheck = Callable[[Strategy], None]
RivalCheck = Callable[[Rival], None]


@pytest.fixture(autouse=True)
def small_student(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the checks ask does not depend on how long the student learns."""
    small = {"hidden": (8, 4), "synthetic_rows": 200, "epochs": 4, "learning_rate": 1e-2}
    monkeypatch.setattr(
        single_network, "_STUDENT", single_network._STUDENT.model_copy(update=small)
    )


def name_of(check: Callable[..., None]) -> str:
    return check.__name__


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_strategy(check: StrategyCheck, name: str) -> None:
    check(STRATEGIES[name])


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize("check", RIVAL_CHECKS, ids=name_of)
def test_rival(check: RivalCheck, name: str) -> None:
    check(RIVALS[name])


def collected(request: pytest.FixtureRequest, function: str) -> int:
    """Tests that this file makes of a function, whichever of them the command line asks for."""
    module = request.node.getparent(pytest.Module)
    return sum(getattr(item, "originalname", "") == function for item in module.collect())


def test_thirteen_checks_are_collected_for_every_strategy(request: pytest.FixtureRequest) -> None:
    assert {
        "stack",
        "recalibrate",
        "fine_tune",
        "feature_reuse",
        "tradaboost",
        "single_network",
    } <= set(STRATEGIES)
    assert len(CHECKS) == len(set(CHECKS)) == 13
    assert collected(request, "test_strategy") == 13 * len(STRATEGIES)


def test_seven_checks_are_collected_for_every_rival(request: pytest.FixtureRequest) -> None:
    assert {"source_as_is", "scratch_network", "boosting_target", "boosting_pooled_target"} <= set(
        RIVALS
    )
    assert len(RIVAL_CHECKS) == len(set(RIVAL_CHECKS)) == 7
    assert collected(request, "test_rival") == 7 * len(RIVALS)


def with_network(adapted: FittedStrategy, network: ArrayNetwork) -> FittedStrategy:
    return dataclasses.replace(adapted, bundle=dataclasses.replace(adapted.bundle, network=network))


class MutatesTheSource(FineTune):
    """Goes on training the source's own network."""

    def fit(self, task: Task) -> FittedStrategy:
        adapted = super().fit(task)
        object.__setattr__(task.source, "network", adapted.bundle.network)
        return adapted


class IgnoresTheSeed(FineTune):
    """Draws a seed of its own."""

    def fit(self, task: Task) -> FittedStrategy:
        seed = int(np.random.default_rng().integers(2**31))
        options = task.options.model_copy(update={"seed": seed})
        adapted = super().fit(dataclasses.replace(task, options=options))
        lineage = {
            **adapted.bundle.lineage,
            "options": task.options.model_dump(mode="json", exclude={"gate"}),
        }
        return dataclasses.replace(
            adapted, bundle=dataclasses.replace(adapted.bundle, lineage=lineage)
        )


class TrainsAFrozenLayer(FineTune):
    """Thaws a layer that was to stay frozen."""

    def fit(self, task: Task) -> FittedStrategy:
        adapted = super().fit(task)
        name, network = "member_0_hidden_1", adapted.bundle.network
        moved = [weight + np.float32(1e-3) for weight in network.get_layer(name).weights]
        return with_network(adapted, network.with_weights({name: moved}))


class TrainsNothing(FineTune):
    """Hands the source's weights back as a candidate."""

    def fit(self, task: Task) -> FittedStrategy:
        adapted = super().fit(task)
        return with_network(adapted, task.source.network)


class DropsTheLineage(FineTune):
    """Forgets where the candidate comes from."""

    def fit(self, task: Task) -> FittedStrategy:
        adapted = super().fit(task)
        return dataclasses.replace(adapted, bundle=dataclasses.replace(adapted.bundle, lineage={}))


class TakesAnySensors(FineTune):
    """Renames the target's columns instead of refusing them."""

    def fit(self, task: Task) -> FittedStrategy:
        X = np.resize(task.target.X, (len(task.target), len(task.source.features)))
        target = dataclasses.replace(task.target, features=task.source.features, X=X)
        return super().fit(dataclasses.replace(task, target=target))


class AlwaysAnswers(FineTune):
    """Hands back the source where it cannot learn, without saying so."""

    def fit(self, task: Task) -> FittedStrategy:
        try:
            return super().fit(task)
        except StrategyError as error:
            if "sensors" in str(error):
                raise
            return FittedStrategy(task.source)


class IgnoresTheScaler(FineTune):
    """Declares an option that it does not look at."""

    def fit(self, task: Task) -> FittedStrategy:
        return super().fit(
            dataclasses.replace(task, options=task.options.model_copy(update={"input_map": None}))
        )


class HidesItsNeeds(FineTune):
    """Cannot do without the source's rows, and does not say so beforehand."""

    def fit(self, task: Task) -> FittedStrategy:
        if task.source_rows is None:
            raise StrategyError("Source rows were expected")
        return super().fit(task)


BROKEN: list[tuple[Strategy, StrategyCheck]] = [
    (MutatesTheSource(), checks.source_bundle_is_unchanged),
    (IgnoresTheSeed(), checks.same_seed_gives_the_same_weights),
    (TrainsAFrozenLayer(), checks.frozen_weights_stay_and_the_rest_moves),
    (TrainsNothing(), checks.frozen_weights_stay_and_the_rest_moves),
    (DropsTheLineage(), checks.lineage_is_recorded),
    (TakesAnySensors(), checks.other_sensors_raise),
    (AlwaysAnswers(), checks.too_few_rows_are_refused_or_the_fallback_is_stated),
    (IgnoresTheScaler(), checks.options_are_used_as_declared),
    (HidesItsNeeds(), checks.what_is_missing_is_said_by_name),
]


@pytest.mark.parametrize(
    ("strategy", "check"),
    BROKEN,
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_the_suite_catches_a_broken_strategy(strategy: Strategy, check: StrategyCheck) -> None:
    with pytest.raises(AssertionError):
        check(strategy)


def test_the_suite_catches_a_strategy_that_peeks_at_the_test_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rows reach it through a side door: the whole target, as the procedure was given it."""
    whole: list[Dataset] = []
    run = checks.run_strategy

    class Peeks(FineTune):
        def fit(self, task: Task) -> FittedStrategy:
            return super().fit(dataclasses.replace(task, target=whole[-1]))

    def run_with_side_door(strategy: Strategy, task: Task, split: object) -> object:
        whole.append(task.target)
        return run(strategy, task, split)

    monkeypatch.setattr(checks, "run_strategy", run_with_side_door)
    checks.poisoned_test_rows_change_nothing(FineTune())
    with pytest.raises(AssertionError, match="test rows took part"):
        checks.poisoned_test_rows_change_nothing(Peeks())


def test_the_suite_catches_a_broken_rival() -> None:
    class ClaimsNotToKnowTheSource(SourceAsIs):
        uses_source = False

    class ScoresAColumn(ScratchLogistic):
        def fit(self, task: Task) -> Scorer:
            scorer = super().fit(task)
            return lambda X: scorer(X)[:, None]

    with pytest.raises(AssertionError, match="the source mattered"):
        checks.rival_without_source_does_not_look_at_it(ClaimsNotToKnowTheSource())
    with pytest.raises(AssertionError, match="logits have shape"):
        checks.rival_scores_every_row(ScoresAColumn())


@pytest.mark.parametrize(
    "option", [{"input_map": "source"}, {"trainable_layers": 2}, {"pull": 0.0}]
)
def test_an_option_that_the_strategy_does_not_use_is_refused_with_those_that_use_it(
    option: dict[str, Any],
) -> None:
    (name,) = option
    assert chosen_strategy(TransferOptions(strategy="fine_tune", **option)).name == "fine_tune"
    with pytest.raises(ConfigError, match=f"`{name}`.*`stack`.*fine_tune, linear_probe_fine_tune"):
        chosen_strategy(TransferOptions(**option))


def test_a_pull_keeps_fine_tuned_weights_closer_to_the_source() -> None:
    task = tiny_task()
    source = np.concatenate([weight.ravel() for weight in task.source.network.get_weights()])
    moved = []
    for pull in (0.0, 10.0):
        options = checks.OPTIONS.model_copy(update={"pull": pull, "steps": 40})
        network = (
            STRATEGIES["fine_tune"].fit(dataclasses.replace(task, options=options)).bundle.network
        )
        moved.append(
            np.linalg.norm(
                np.concatenate([weight.ravel() for weight in network.get_weights()]) - source
            )
        )
    assert 0 < moved[1] < 0.5 * moved[0]


def test_an_input_map_in_front_of_a_network_is_folded_into_its_scaler() -> None:
    task = tiny_task()
    frozen = task.source.frozen
    assert frozen is not None
    options = checks.OPTIONS.model_copy(update={"input_map": "normal"})
    scaler = (
        STRATEGIES["feature_reuse"].fit(dataclasses.replace(task, options=options)).bundle.scaler
    )
    to_source = fit_maps(task.target.X, task.target.y, frozen.spread, frozen.normal)["normal"]
    np.testing.assert_allclose(
        scaler(task.target.X), task.source.scaler(to_source(task.target.X)), atol=1e-9
    )


def test_more_trainable_layers_than_the_source_has_are_refused() -> None:
    task = dataclasses.replace(tiny_task(), options=TransferOptions(trainable_layers=5))
    with pytest.raises(StrategyError, match="The network has 4 layers with weights"):
        STRATEGIES["fine_tune"].fit(task)


@pytest.mark.parametrize("name", ["fine_tune", "feature_reuse"])
def test_the_scaler_is_the_sources_or_fitted_on_the_training_rows(name: str) -> None:
    task = tiny_task()
    kept = STRATEGIES[name].fit(task).bundle.scaler
    np.testing.assert_array_equal(kept.mean, task.source.scaler.mean)
    task = dataclasses.replace(
        task, options=checks.OPTIONS.model_copy(update={"input_map": "target"})
    )
    refitted = STRATEGIES[name].fit(task).bundle.scaler
    np.testing.assert_allclose(refitted.mean, task.target.X.mean(axis=0))
    np.testing.assert_allclose(refitted.scale, task.target.X.std(axis=0))


@pytest.mark.parametrize("registry", [STRATEGIES, RIVALS], ids=["strategies", "rivals"])
def test_every_contestant_is_registered_under_its_name_and_has_a_title(
    registry: dict[str, Strategy | Rival],
) -> None:
    assert all(entry.name == name for name, entry in registry.items())
    assert len({entry.title for entry in registry.values()}) == len(registry)


DOCUMENTED = {
    cells[1].strip().strip("`"): [cell.strip() for cell in cells[2:-1]]
    for line in (Path(__file__).parents[2] / "docs" / "strategies.md").read_text().splitlines()
    if len(cells := line.split("|")) == 7
}
NEED_IN_A_CELL = {
    Requirement.SOURCE_ENSEMBLE: "network of format 2",
    Requirement.SOURCE_MODELS: "trees",
    Requirement.SOURCE_ROWS: "source rows",
}


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_is_documented_with_its_paper_needs_and_options(name: str) -> None:
    strategy, (_, paper, needs, options) = STRATEGIES[name], DOCUMENTED[name]
    years = set(re.findall(r"\b\d{4}\b", strategy.paper))
    assert years
    assert set(re.findall(r"\b\d{4}\b", paper)) == years
    assert needs == (
        ", ".join(NEED_IN_A_CELL[need] for need in strategy.needs if need in NEED_IN_A_CELL) or "–"
    )
    assert set(re.findall(r"`(\w+)`", options)) == strategy.options
    assert strategy.needs[:2] == (Requirement.SENSORS, Requirement.BOTH_CLASSES)


def test_an_unknown_strategy_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"strategy: Input should be 'stack', .*'fine_tune'"):
        read_options(TransferOptions, None, strategy="magic")


def test_forms_offer_the_strategies_that_there_are() -> None:
    assert get_args(StrategyName) == tuple(STRATEGIES)
    assert frozenset().union(*(one.options for one in STRATEGIES.values())) == STRATEGY_OPTIONS


# Half as large again as the new plant's pumps, in a hot hall, with transducers elsewhere.
FAR_PLANT = dataclasses.replace(
    NEW_PLANT,
    flow_m3h=(420, 460),
    head_m=(80, 90),
    vibration_mm_s=(3.0, 3.5),
    vibration_gain=1.6,
    fluid_c=(55, 60),
    ambient_c=(35, 38),
)


def simulated(equipment: str, runs: int, rows_per_run: int, plant: Plant, start: str) -> Dataset:
    table = simulate_pump(
        equipment,
        seed=10,
        runs=runs,
        rows_per_run=rows_per_run,
        fault_share=0.5,
        start=start,
        plant=plant,
    )
    features = tuple(INSTRUMENTS)
    return Dataset(
        features,
        table[list(features)].to_numpy(dtype=np.float64),
        table["fault"].to_numpy(dtype=np.int8),
        table["equipment"].to_numpy(dtype=object),
        table["run"].to_numpy(dtype=object),
        pd.to_datetime(table["timestamp"]).astype("int64").to_numpy(dtype=np.float64),
    )


def joined(parts: list[Dataset]) -> Dataset:
    fields = ("X", "y", "equipment", "run", "time")
    return Dataset(
        parts[0].features,
        *(np.concatenate([getattr(part, name) for part in parts]) for name in fields),
    )


def test_fine_tuning_beats_the_source_as_it_is_on_a_far_pump_and_more_than_on_a_near_one() -> None:
    history = joined(
        [simulated(f"pump-{k}", 20, 30, OLD_PLANT, "2026-01-05T06:00:00") for k in (1, 2, 3)]
    )
    source = checks.source_bundle(history, hidden=(32, 16, 8), epochs=15)
    gain = {}
    for name, plant in (("near", OLD_PLANT), ("far", FAR_PLANT)):
        target = simulated("pump-9", 20, 20, plant, "2026-08-03T06:00:00")
        learn = np.arange(len(target)) < len(target) // 2  # the first ten runs
        task = Task(source, target.take(learn), None, TransferOptions(input_map="target"))
        judged = target.take(~learn)
        adapted, as_is = (
            roc_auc_score(judged.y, contestant.fit(task)(judged.X))
            for contestant in (STRATEGIES["fine_tune"], RIVALS["source_as_is"])
        )
        gain[name] = adapted - as_is
    assert gain["far"] > 0.1
    assert gain["far"] > gain["near"] + 0.1, gain
