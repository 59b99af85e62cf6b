"""What every strategy and rival must keep, as functions that raise AssertionError.

A tiny world for them is here too.
"""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.bundle.bundle import Bundle, load_bundle, save_bundle
from faultxfer.bundle.calibration import Calibrator, fit_calibrator
from faultxfer.bundle.contributions import Explainer
from faultxfer.bundle.graph.adding import Graph, made_graph
from faultxfer.bundle.references import keep_references
from faultxfer.bundle.scaler import fit_scaler
from faultxfer.bundle.threshold import choose_threshold
from faultxfer.config import NetworkOptions, TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import HOLD_OUT, Split
from faultxfer.errors import StrategyError
from faultxfer.network.arrays import ArrayNetwork, as_arrays
from faultxfer.network.build import build_network
from faultxfer.network.fit import make_deterministic
from faultxfer.network.freeze import stages_of
from faultxfer.network.pretrain import fit_ensemble
from faultxfer.strategies.procedure import run_strategy
from faultxfer.strategies.protocol import Requirement, Rival, Strategy, Task
from faultxfer.strategies.source_benefit import fit_source_models
from faultxfer.strategies.window_models import (
    fit_over_windows,
    machine_windows,
    source_windows,
)

SENSORS = ("speed", "pressure", "current", "vibration")
OPTIONS = TransferOptions(steps=6, epochs=2, batch_size=16, learning_rate=5e-3, seed=3)


def tiny_rows(
    seed: int, runs: int = 10, rows_per_run: int = 12, shift: float = 0.0, name: str = "pump"
) -> Dataset:
    """Rows of one machine; in every second run the last third is faulty and vibrates more."""
    rng = np.random.default_rng(seed)
    number, place = np.repeat(np.arange(runs), rows_per_run), np.tile(np.arange(rows_per_run), runs)
    y = ((number % 2 == 0) & (place >= rows_per_run * 2 // 3)).astype(np.int8)
    X = rng.normal(
        [1500.0, 4.0, 50.0, 2.0], [60.0, 0.5, 5.0, 0.5], size=(len(y), 4)
    ) + shift * np.array([60, 0.5, 5, 0])
    X[:, 3] += 1.5 * y
    run = np.array([f"{name}/run {k}" for k in number], dtype=object)
    return Dataset(
        SENSORS, X, y, np.full(len(y), name, dtype=object), run, number * 86_400.0 + place * 60.0
    )


def source_bundle(data: Dataset, hidden: tuple[int, ...], epochs: int, seed: int = 0) -> Bundle:
    """A source bundle trained, stopped and calibrated on the same rows, as only tests may."""
    scaler = fit_scaler(data.X)
    options = NetworkOptions(
        hidden=hidden,
        members=2,
        bins=3,
        learning_rate=5e-3,
        batch_size=64,
        epochs=epochs,
        synthetic_rows=0,
    )
    rows = (scaler(data.X), data.y)
    network, _ = fit_ensemble(*rows, None, rows, seed=seed, options=options)
    units = dict.fromkeys(data.features, "1")
    models = fit_source_models(data.X, data.y, seed)
    models = dataclasses.replace(models, over_windows=fit_over_windows(data, seed))
    raw = Bundle(data.features, units, scaler, network, Calibrator(), 0.5, models=models)
    calibrator = fit_calibrator(raw.logits(data.X), data.y)
    threshold = choose_threshold(calibrator(raw.logits(data.X)), data.y, data.run, 0.05).value
    return dataclasses.replace(
        raw,
        calibrator=calibrator,
        threshold=threshold,
        training_rows=np.unique(data.fingerprints()),
        lineage={"strategy": "pretrain", "identity": {"model": "pumps", "seed": seed}},
    )


@functools.cache
def _source() -> tuple[Bundle, Dataset]:
    rows = source_windows(tiny_rows(seed=0, runs=16))
    return source_bundle(rows, hidden=(8, 6, 4), epochs=8), rows


def tiny_task() -> Task:
    """A task with a copy of the session's source: a check that breaks it breaks no other."""
    bundle, rows = _source()
    copied = dataclasses.replace(bundle, lineage=dict(bundle.lineage))
    target = tiny_rows(seed=1, shift=2.0, name="pump-9")
    target = machine_windows(target, copied, np.zeros(len(target), dtype=int))
    return Task(copied, target, rows, OPTIONS)


@functools.cache
def shared_task(contestant: Strategy | Rival) -> Task:
    """One task for all checks that fit a contestant once: the source's logits are computed once."""
    return tiny_task()


@functools.cache
def fitted_once(contestant: Strategy | Rival) -> tuple[Task, dict[str, object], Any]:
    """One fit of a task of its own, for all checks that look at what came of it.

    Gives the task, how its source was before, and what was fitted.
    """
    task = tiny_task()
    before = state(task.source)
    return task, before, contestant.fit(task)


def fitted(strategy: Strategy) -> Bundle:
    """The bundle of that fit."""
    bundle: Bundle = fitted_once(strategy)[2].bundle
    return bundle


def tiny_split(data: Dataset) -> Split:
    """A hold-out: of ten runs the first four train, the next two calibrate, the last four judge."""
    number = np.array([int(name.split()[-1]) for name in data.run])
    sides = (
        np.flatnonzero(number < 4),
        np.flatnonzero((number >= 4) & (number < 6)),
        np.flatnonzero(number >= 6),
    )
    return Split(HOLD_OUT, "run", "for tests", *sides)


def _plain(value: Any) -> object:
    """Data classes as plain values, which numpy compares array by array."""
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value  # type: ignore[arg-type]


def same(one: object, other: object, what: str) -> None:
    np.testing.assert_equal(_plain(one), _plain(other), err_msg=what)


def state(bundle: Bundle) -> dict[str, object]:
    """All of a bundle as plain values, with copies of the weights."""
    return {
        "features": bundle.features,
        "units": dict(bundle.units),
        "mean": bundle.scaler.mean.copy(),
        "scale": bundle.scaler.scale.copy(),
        "weights": [np.array(weight) for weight in bundle.network.get_weights()],
        "layers": repr(bundle.network.config),
        "calibrator": bundle.calibrator,
        "threshold": bundle.threshold,
        "training_rows": bundle.training_rows.copy(),
        "lineage": repr(bundle.lineage),
        "models": None if bundle.models is None else (bundle.models.as_dict(), bundle.models.trees),
        "stack": None
        if bundle.stack is None
        else [vars(member) for member in bundle.stack.members],
    }


def changed(network: ArrayNetwork, change: Callable[[np.ndarray], np.ndarray]) -> ArrayNetwork:
    """The network with every array of weights changed."""
    return network.with_weights({one.name: map(change, one.weights) for one in network.layers})


def attempted(call: Callable[[], Any]) -> tuple[Any, StrategyError | None]:
    """What comes of a call, and the error with which it refused."""
    try:
        return call(), None
    except StrategyError as error:
        return None, error


def refused(call: Callable[[], object]) -> StrategyError | None:
    return attempted(call)[1]


def with_labels(data: Dataset, y: np.ndarray) -> Dataset:
    return dataclasses.replace(data, y=y.astype(np.int8))


# --- strategies ---


def source_bundle_is_unchanged(strategy: Strategy) -> None:
    task, before, adapted = fitted_once(strategy)
    same(state(task.source), before, "the source bundle was changed")
    weights = adapted.bundle.network.get_weights()
    assert not any(weight.flags.writeable for weight in weights), "weights can be changed in place"


def target_rows_are_unchanged(strategy: Strategy) -> None:
    task, _, _ = fitted_once(strategy)
    again = tiny_task()
    assert task.source_rows is not None
    assert again.source_rows is not None
    for given, expected in (
        (task.target, again.target),
        (task.source_rows, source_windows(tiny_rows(seed=0, runs=16))),
    ):
        same(given, expected, "rows were changed")


def poisoned_test_rows_change_nothing(strategy: Strategy) -> None:
    task = shared_task(strategy)
    split = tiny_split(task.target)
    clean, _, _ = run_strategy(strategy, task, split)
    y, X = task.target.y.copy(), task.target.X.copy()
    y[split.test] = 1 - y[split.test]
    X[split.test] *= -3.0
    poisoned = dataclasses.replace(
        task, target=dataclasses.replace(with_labels(task.target, y), X=X)
    )
    spoiled, _, _ = run_strategy(strategy, poisoned, split)
    same(state(spoiled), state(clean), "the test rows took part in the training")


def frozen_weights_stay_and_the_rest_moves(strategy: Strategy) -> None:
    """Stages before the last ``trainable_layers`` and fixed input layers stay; the others move.

    A stack learns beside the network, which stays as a whole.
    """
    for trainable in (1, 2) if "trainable_layers" in strategy.options else (1,):
        task = shared_task(strategy)
        task = dataclasses.replace(
            task, options=OPTIONS.model_copy(update={"trainable_layers": trainable})
        )
        bundle = strategy.fit(task).bundle
        old, new = task.source.network, bundle.network
        assert not strategy.freezes or [one.name for one in old.layers] == [
            one.name for one in new.layers
        ], "layers"
        trained = stages_of(new.keras())
        stages = [{layer.name for layer in stage} for stage in trained]
        assert bundle.stack is not None or all(layer.trainable for layer in trained[-1]), (
            "the head is frozen"
        )
        if not strategy.freezes:
            learnt = (network.keras().trainable_weights for network in (old, new))
            pairs = zip(*learnt, strict=False)
            assert not any(np.array_equal(a, b) for a, b in pairs), (
                "a network that is not kept has its weights"
            )
            continue
        free = set() if bundle.stack is not None else set().union(*stages[-trainable:])
        assert free or bundle.stack.members, "nothing was learnt"
        for before, after in zip(old.layers, new.layers, strict=True):
            pairs = list(zip(before.get_weights(), after.get_weights(), strict=True))
            if after.name in free and after.settings["trainable"]:
                assert not any(np.array_equal(a, b) for a, b in pairs), (
                    f"trainable layer {after.name} did not move"
                )
            else:
                assert all(np.array_equal(a, b) for a, b in pairs), (
                    f"frozen layer {after.name} moved"
                )


def same_seed_gives_the_same_weights(strategy: Strategy) -> None:
    first = fitted(strategy)
    np.random.default_rng().random(3)
    make_deterministic(987)  # whatever ran before
    again = strategy.fit(tiny_task()).bundle
    same(state(again), state(first), "the same seed gave another bundle")


def stored_bundle_scores_the_same(strategy: Strategy) -> None:
    task, bundle = shared_task(strategy), fitted(strategy)
    with tempfile.TemporaryDirectory() as folder:
        save_bundle(bundle, Path(folder) / "bundle")
        again = load_bundle(Path(folder) / "bundle")
    expected = bundle.probabilities(task.target.X)
    np.testing.assert_allclose(again.probabilities(task.target.X), expected, rtol=0, atol=1e-12)
    assert np.ptp(expected) > 0.01, "the candidate says the same of every row"


def its_graph_scores_the_same(strategy: Strategy) -> None:
    made = made_graph(fitted(strategy), shared_task(strategy).target.X, {})
    assert isinstance(made, Graph), made


def contributions_add_up(strategy: Strategy) -> None:
    """What the sensors add sums up to the difference from the healthy rows, whatever the members."""
    target = shared_task(strategy).target
    references = keep_references(target.X, target.y, None)
    bundle = dataclasses.replace(fitted(strategy), references=references)
    rows = target.X[target.y == 1][:12]
    found = Explainer(bundle)(rows)
    calibrator = bundle.calibrator
    logits = calibrator.slope * bundle.logits(rows) + calibrator.offset
    difference = logits - found.reference
    assert np.abs(found.values.sum(axis=1) - difference).max() < 1e-6
    missed = np.abs(found.added).max()
    assert missed < 0.05 * (1 + np.abs(difference).max()), f"{missed} was added to make it so"


def other_sensors_raise(strategy: Strategy) -> None:
    for features in other_features():
        error = refused(
            lambda features=features: strategy.fit(other_sensors(shared_task(strategy), features))
        )
        assert error is not None, f"the sensors {features} were accepted"
        assert "sensors" in str(error), "the error does not speak of sensors"


def other_features() -> tuple[tuple[str, ...], ...]:
    return (
        (SENSORS[1], SENSORS[0], *SENSORS[2:]),
        (*SENSORS[:3], "new"),
        (*SENSORS, "new"),
        SENSORS[:3],
    )


def other_sensors(task: Task, features: tuple[str, ...]) -> Task:
    """The same task with a target that has these columns."""
    columns = np.resize(np.arange(4), len(features))
    return dataclasses.replace(
        task,
        target=dataclasses.replace(task.target, features=features, X=task.target.X[:, columns]),
    )


def too_few_rows_are_refused_or_the_fallback_is_stated(strategy: Strategy) -> None:
    for name, task in few_rows(shared_task(strategy)).items():
        adapted, error = attempted(lambda task=task: strategy.fit(task))
        if error is not None:
            assert strategy.name in str(error), (
                f"{name}: the error does not name the strategy: {error}"
            )
            assert error.remedy, f"{name}: the error has no remedy"
            continue
        bundle = adapted.bundle
        assert np.isfinite(bundle.logits(shared_task(strategy).target.X)).all(), (
            f"{name}: a logit is not finite"
        )
        both = min(task.target.faults, len(task.target) - task.target.faults) >= 2
        assert both or bundle.lineage.get("fallback"), (
            f"{name}: neither an error nor a stated fallback"
        )


def few_rows(task: Task) -> dict[str, Task]:
    """The same task with targets that hardly hold anything."""
    faults, normals = np.flatnonzero(task.target.y == 1), np.flatnonzero(task.target.y == 0)
    sides = {
        "normal rows only": normals,
        "fault rows only": faults,
        "one fault of five rows": np.concatenate([faults[:1], normals[:4]]),
        "two faults of five rows": np.concatenate([faults[:2], normals[:3]]),
        "no rows": normals[:0],
    }
    return {
        name: dataclasses.replace(task, target=task.target.take(rows))
        for name, rows in sides.items()
    }


def lineage_is_recorded(strategy: Strategy) -> None:
    task, bundle = shared_task(strategy), fitted(strategy)
    lineage = bundle.lineage
    assert lineage.get("strategy") == strategy.name, (
        f"the lineage names the strategy {lineage.get('strategy')!r}"
    )
    assert lineage.get("source") == task.source.lineage["identity"], (
        "the lineage does not name the source"
    )
    assert lineage.get("training_rows") == len(task.target), (
        "the lineage does not count the training rows"
    )
    options = lineage.get("options") or {}
    assert TransferOptions(**options) == OPTIONS, "the options cannot be repeated from the lineage"
    same(
        bundle.training_rows,
        np.unique(task.target.fingerprints()),
        "fingerprints are not those of the training rows",
    )
    assert (bundle.features, bundle.units) == (task.source.features, task.source.units)


def options_are_used_as_declared(strategy: Strategy) -> None:
    """Another scaler gives other scores where the strategy declares the option, else the same."""
    task = shared_task(strategy)
    options = OPTIONS.model_copy(update={"input_map": "blend"})
    blended = strategy.fit(dataclasses.replace(task, options=options))
    equal = np.array_equal(blended(task.target.X), fitted(strategy).logits(task.target.X))
    assert equal != ("input_map" in strategy.options), (
        f"declared: {sorted(strategy.options)}, equal scores: {equal}"
    )


# --- strategies and rivals ---


def what_is_missing_is_said_by_name(contestant: Strategy | Rival) -> None:
    """Without a declared need an error names the contestant; what is not declared is not needed."""
    for need, task in lacking(shared_task(contestant)).items():
        error = refused(lambda task=task: finite(contestant, task))
        if need in contestant.needs:
            assert error is not None, f"fitted without {need}"
            assert contestant.name in str(error), (
                f"without {need}: the error does not name who needs it: {error}"
            )
            assert error.remedy, f"without {need}: the error has no remedy"
        else:
            assert error is None, f"{need} is needed but not declared: {error}"


def lacking(task: Task) -> dict[Requirement, Task]:
    """The same task without each thing that a source may lack."""
    without_models = dataclasses.replace(task.source, models=None)
    older = dataclasses.replace(
        without_models, network=as_arrays(build_network(len(SENSORS), (8, 4), 0.1))
    )
    return {
        Requirement.SOURCE_ROWS: dataclasses.replace(task, source_rows=None),
        Requirement.SOURCE_MODELS: dataclasses.replace(task, source=without_models),
        Requirement.SOURCE_ENSEMBLE: dataclasses.replace(task, source=older),
    }


def finite(contestant: Strategy | Rival, task: Task) -> None:
    """Fit, and score rows of the target."""
    assert np.isfinite(contestant.fit(task)(shared_task(contestant).target.X)).all(), (
        "a logit is not finite"
    )


CHECKS: list[Callable[[Strategy], None]] = [
    source_bundle_is_unchanged,
    target_rows_are_unchanged,
    poisoned_test_rows_change_nothing,
    frozen_weights_stay_and_the_rest_moves,
    same_seed_gives_the_same_weights,
    stored_bundle_scores_the_same,
    its_graph_scores_the_same,
    contributions_add_up,
    other_sensors_raise,
    too_few_rows_are_refused_or_the_fallback_is_stated,
    lineage_is_recorded,
    options_are_used_as_declared,
    what_is_missing_is_said_by_name,
]


# --- rivals ---


def rival_scores_every_row(rival: Rival) -> None:
    task, _, scorer = fitted_once(rival)
    for X in (task.target.X, task.target.X[:1]):
        logits = scorer(X)
        assert logits.shape == (len(X),), f"logits have shape {logits.shape}"
        assert np.isfinite(logits).all(), "a logit is not finite"
    constant = np.ptp(scorer(task.target.X)) == 0
    assert constant == (not rival.needs), (
        "every row gets the same logit, or one that needs nothing tells rows apart"
    )


def rival_refuses_too_few_rows(rival: Rival) -> None:
    """Without both classes only a rival that does not declare that need has something to say."""
    for name, task in few_rows(shared_task(rival)).items():
        both = min(task.target.faults, len(task.target) - task.target.faults) >= 2
        error = refused(lambda task=task: finite(rival, task))
        assert error is None or rival.name in str(error), (
            f"{name}: the error does not name the rival: {error}"
        )
        assert (error is None) == (both or Requirement.BOTH_CLASSES not in rival.needs), (
            f"{name}: {error}"
        )


def rival_repeats_itself(rival: Rival) -> None:
    X = tiny_task().target.X
    first = fitted_once(rival)[2](X)
    make_deterministic(987)
    same(rival.fit(tiny_task())(X), first, "the same seed gave other logits")


def rival_leaves_source_and_rows_alone(rival: Rival) -> None:
    task, before, scorer = fitted_once(rival)
    scorer(task.target.X)
    same(state(task.source), before, "the source bundle was changed")
    same(task.target, tiny_task().target, "the target's rows were changed")
    assert task.source_rows is not None
    expected = source_windows(tiny_rows(seed=0, runs=16))
    same(task.source_rows, expected, "the source's rows were changed")


def rival_without_source_does_not_look_at_it(rival: Rival) -> None:
    """Such a rival scores the same whatever the source's rows and weights are; others do not."""
    task = shared_task(rival)
    assert task.source_rows is not None
    first = fitted_once(rival)[2](task.target.X)
    network = changed(task.source.network, lambda weight: weight[::-1] * 1.5 + 0.1)
    other = dataclasses.replace(
        task,
        source=dataclasses.replace(task.source, network=network),
        source_rows=with_labels(task.source_rows, 1 - task.source_rows.y),
    )
    equal = np.array_equal(rival.fit(other)(task.target.X), first)
    assert equal != rival.uses_source, (
        f"uses_source={rival.uses_source}, but the source mattered: {not equal}"
    )


def rival_that_knows_the_source_refuses_other_sensors(rival: Rival) -> None:
    """Columns in another order would be mixed up silently.

    A rival without the source may have its own order.
    """
    reordered, *others = (
        other_sensors(shared_task(rival), features) for features in other_features()
    )
    if not rival.uses_source:
        assert np.isfinite(rival.fit(reordered)(reordered.target.X)).all(), "a logit is not finite"
        return
    for task in (reordered, *others):
        error = refused(lambda task=task: rival.fit(task))
        assert error is not None, f"the sensors {task.target.features} were accepted"


RIVAL_CHECKS: list[Callable[[Rival], None]] = [
    rival_scores_every_row,
    rival_refuses_too_few_rows,
    rival_repeats_itself,
    rival_leaves_source_and_rows_alone,
    rival_without_source_does_not_look_at_it,
    rival_that_knows_the_source_refuses_other_sensors,
    what_is_missing_is_said_by_name,
]
