"""Every strategy and every rival passes the common checks, and the checks catch those that cheat."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import strategy_checks as checks
from sklearn.metrics import roc_auc_score
from strategy_checks import CHECKS, RIVAL_CHECKS, tiny_task

from faultxfer.config import TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.simulator import INSTRUMENTS, NEW_PLANT, OLD_PLANT, Plant, simulate_pump
from faultxfer.errors import ConfigError, StrategyError
from faultxfer.network.freeze import copy_network
from faultxfer.strategies import STRATEGIES, get_strategy, single_network
from faultxfer.strategies.fine_tune import FineTune
from faultxfer.strategies.protocol import Adapted, Rival, Scorer, Strategy, Task
from faultxfer.strategies.rivals import RIVALS
from faultxfer.strategies.rivals.boosting import PooledBoosting
from faultxfer.strategies.rivals.logistic import TargetLogistic

StrategyCheck = Callable[[Strategy], None]
RivalCheck = Callable[[Rival], None]


@pytest.fixture(autouse=True)
def small_student(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the checks ask does not depend on how long the student learns."""
    small = {"hidden": (8, 4), "synthetic_rows": 200, "epochs": 4, "learning_rate": 1e-2}
    monkeypatch.setattr(single_network, "_STUDENT", single_network._STUDENT.model_copy(update=small))


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
    """Tests that this file makes of a function, whatever part of them was asked for on the command line."""
    module = request.node.getparent(pytest.Module)
    return sum(getattr(item, "originalname", "") == function for item in module.collect())


def test_nine_checks_are_collected_for_every_strategy(request: pytest.FixtureRequest) -> None:
    assert {"fine_tune", "feature_reuse"} <= set(STRATEGIES)
    assert len(CHECKS) == len(set(CHECKS)) == 9
    assert collected(request, "test_strategy") == 9 * len(STRATEGIES)


def test_six_checks_are_collected_for_every_rival(request: pytest.FixtureRequest) -> None:
    assert {"source_as_is", "scratch_network", "boosting_target", "boosting_pooled"} <= set(RIVALS)
    assert len(RIVAL_CHECKS) == len(set(RIVAL_CHECKS)) == 6
    assert collected(request, "test_rival") == 6 * len(RIVALS)


class MutatesTheSource(FineTune):
    """Goes on training the source's own network."""

    def fit(self, task: Task) -> Adapted:
        adapted = super().fit(task)
        task.source.network.set_weights(adapted.bundle.network.get_weights())
        return adapted


class IgnoresTheSeed(FineTune):
    """Draws a seed of its own."""

    def fit(self, task: Task) -> Adapted:
        seed = int(np.random.default_rng().integers(2**31))
        options = task.options.model_copy(update={"seed": seed})
        adapted = super().fit(dataclasses.replace(task, options=options))
        lineage = {**adapted.bundle.lineage, "options": task.options.model_dump(mode="json", exclude={"gate"})}
        return dataclasses.replace(adapted, bundle=dataclasses.replace(adapted.bundle, lineage=lineage))


class TrainsAFrozenLayer(FineTune):
    """Thaws a layer that was to stay frozen."""

    def fit(self, task: Task) -> Adapted:
        adapted = super().fit(task)
        first = adapted.bundle.network.get_layer("member_0_hidden_1")
        first.set_weights([weight + np.float32(1e-3) for weight in first.get_weights()])
        return adapted


class TrainsNothing(FineTune):
    """Hands the source's weights back as a candidate."""

    def fit(self, task: Task) -> Adapted:
        adapted = super().fit(task)
        adapted.bundle.network.set_weights(task.source.network.get_weights())
        return adapted


class DropsTheLineage(FineTune):
    """Forgets where the candidate comes from."""

    def fit(self, task: Task) -> Adapted:
        adapted = super().fit(task)
        return dataclasses.replace(adapted, bundle=dataclasses.replace(adapted.bundle, lineage={}))


class TakesAnySensors(FineTune):
    """Renames the target's columns instead of refusing them."""

    def fit(self, task: Task) -> Adapted:
        X = np.resize(task.target.X, (len(task.target), len(task.source.features)))
        target = dataclasses.replace(task.target, features=task.source.features, X=X)
        return super().fit(dataclasses.replace(task, target=target))


class AlwaysAnswers(FineTune):
    """Hands back the source where it cannot learn, without saying so."""

    def fit(self, task: Task) -> Adapted:
        try:
            return super().fit(task)
        except StrategyError as error:
            if "sensors" in str(error):
                raise
            return Adapted(dataclasses.replace(task.source, network=copy_network(task.source.network)))


BROKEN: list[tuple[Strategy, StrategyCheck]] = [
    (MutatesTheSource(), checks.source_bundle_is_unchanged),
    (IgnoresTheSeed(), checks.same_seed_gives_the_same_weights),
    (TrainsAFrozenLayer(), checks.frozen_weights_stay_and_the_rest_moves),
    (TrainsNothing(), checks.frozen_weights_stay_and_the_rest_moves),
    (DropsTheLineage(), checks.lineage_is_recorded),
    (TakesAnySensors(), checks.other_sensors_raise),
    (AlwaysAnswers(), checks.too_few_rows_are_refused_or_the_fallback_is_stated),
]


@pytest.mark.parametrize(
    ("strategy", "check"), BROKEN, ids=lambda value: getattr(value, "__name__", type(value).__name__)
)
def test_the_suite_catches_a_broken_strategy(strategy: Strategy, check: StrategyCheck) -> None:
    with pytest.raises(AssertionError):
        check(strategy)


def test_the_suite_catches_a_strategy_that_peeks_at_the_test_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows reach it through a side door: the whole target, as the procedure was given it."""
    whole: list[Dataset] = []
    run = checks.run_strategy

    class Peeks(FineTune):
        def fit(self, task: Task) -> Adapted:
            return super().fit(dataclasses.replace(task, target=whole[-1]))

    def run_with_side_door(strategy: Strategy, task: Task, split: object) -> object:
        whole.append(task.target)
        return run(strategy, task, split)

    monkeypatch.setattr(checks, "run_strategy", run_with_side_door)
    checks.poisoned_test_rows_change_nothing(FineTune())
    with pytest.raises(AssertionError, match="test rows took part"):
        checks.poisoned_test_rows_change_nothing(Peeks())


def test_the_suite_catches_a_broken_rival() -> None:
    class ClaimsNotToKnowTheSource(PooledBoosting):
        uses_source = False

    class ScoresAColumn(TargetLogistic):
        def fit(self, task: Task) -> Scorer:
            scorer = super().fit(task)
            return lambda X: scorer(X)[:, None]

    with pytest.raises(AssertionError, match="the source mattered"):
        checks.rival_without_source_does_not_look_at_it(ClaimsNotToKnowTheSource())
    with pytest.raises(AssertionError, match="logits have shape"):
        checks.rival_scores_every_row(ScoresAColumn())


@pytest.mark.parametrize("name", [name for name in RIVALS if name.endswith("_pooled")])
def test_a_pooled_rival_without_kept_source_rows_says_so(name: str) -> None:
    with pytest.raises(StrategyError, match=f"{name}.*kept_source_rows"):
        RIVALS[name].fit(dataclasses.replace(tiny_task(), source_rows=None))


def test_more_trainable_layers_than_the_source_has_are_refused() -> None:
    task = dataclasses.replace(tiny_task(), options=TransferOptions(trainable_layers=5))
    with pytest.raises(StrategyError, match="Between 1 and 4 trainable layers"):
        get_strategy("fine_tune").fit(task)


@pytest.mark.parametrize("name", ["fine_tune", "feature_reuse"])
def test_the_scaler_is_the_sources_or_fitted_on_the_training_rows(name: str) -> None:
    task = tiny_task()
    kept = STRATEGIES[name].fit(task).bundle.scaler
    np.testing.assert_array_equal(kept.mean, task.source.scaler.mean)
    task = dataclasses.replace(task, options=checks.OPTIONS.model_copy(update={"scaler": "target"}))
    refitted = STRATEGIES[name].fit(task).bundle.scaler
    np.testing.assert_allclose(refitted.mean, task.target.X.mean(axis=0))
    np.testing.assert_allclose(refitted.scale, task.target.X.std(axis=0))


@pytest.mark.parametrize("registry", [STRATEGIES, RIVALS], ids=["strategies", "rivals"])
def test_every_contestant_is_registered_under_its_name_and_has_a_title(registry: dict[str, Strategy | Rival]) -> None:
    assert all(entry.name == name for name, entry in registry.items())
    assert len({entry.title for entry in registry.values()}) == len(registry)


def test_every_strategy_names_its_paper() -> None:
    assert all(any(character.isdigit() for character in strategy.paper) for strategy in STRATEGIES.values())


def test_an_unknown_strategy_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"fine_tune, feature_reuse.*strategy='magic'"):
        get_strategy("magic")


# Half as large again as the new plant's pumps, in a hot hall, and the transducers mounted elsewhere.
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
        equipment, seed=10, runs=runs, rows_per_run=rows_per_run, fault_share=0.5, start=start, plant=plant
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
    return Dataset(parts[0].features, *(np.concatenate([getattr(part, name) for part in parts]) for name in fields))


def test_fine_tuning_beats_the_source_as_it_is_on_a_far_pump_and_more_than_on_a_near_one() -> None:
    history = joined([simulated(f"pump-{k}", 20, 30, OLD_PLANT, "2026-01-05T06:00:00") for k in (1, 2, 3)])
    source = checks.source_bundle(history, hidden=(32, 16, 8), epochs=15)
    gain = {}
    for name, plant in (("near", OLD_PLANT), ("far", FAR_PLANT)):
        target = simulated("pump-9", 20, 20, plant, "2026-08-03T06:00:00")
        learn = np.arange(len(target)) < len(target) // 2  # the first ten runs
        task = Task(source, target.take(learn), None, TransferOptions(scaler="target"))
        judged = target.take(~learn)
        adapted, as_is = (
            roc_auc_score(judged.y, contestant.fit(task)(judged.X))
            for contestant in (STRATEGIES["fine_tune"], RIVALS["source_as_is"])
        )
        gain[name] = adapted - as_is
    assert gain["far"] > 0.1
    assert gain["far"] > gain["near"] + 0.1, gain
