"""Every test row is predicted by a model that never saw it.

Its label has no part in the threshold either.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from strategy_checks import tiny_rows, tiny_split, tiny_task, with_labels

from faultxfer.bundle.budget import AlarmBudget
from faultxfer.bundle.bundle import Bundle
from faultxfer.config import SplitOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import CROSS_FIT, Fold, Split, split_rows
from faultxfer.errors import DataError
from faultxfer.strategies import STRATEGIES, procedure
from faultxfer.strategies.procedure import run_rival, run_strategy
from faultxfer.strategies.protocol import FittedStrategy, Task
from faultxfer.strategies.rivals import RIVALS


@dataclass
class Memoriser:
    """Knows the labels of the rows it was fitted on and of no other; notes what it was fitted on."""

    name: str = "memoriser"
    title: str = "memoriser"
    paper: str = ""
    uses_source: bool = False
    as_is: bool = False
    fits: list[Dataset] = field(default_factory=list)

    def fit(self, task: Task) -> FittedStrategy:
        self.fits.append(task.target)
        known = {
            row.tobytes(): label for row, label in zip(task.target.X, task.target.y, strict=True)
        }

        def scorer(X: np.ndarray) -> np.ndarray:
            return np.array([{1: 9.0, 0: -9.0, None: 0.0}[known.get(row.tobytes())] for row in X])

        return Scored(task.source, scorer=scorer)


@dataclass(frozen=True)
class Scored(FittedStrategy):
    """An adapted bundle that scores by a function of its own."""

    scorer: Callable[[np.ndarray], np.ndarray] = lambda X: X[:, 3]

    def __call__(self, X: np.ndarray, windows: np.ndarray | None = None, /) -> np.ndarray:
        return self.scorer(X)


class LastSensor:
    """The vibration is the logit: only calibrator and threshold depend on labels."""

    name = title = "last sensor"
    paper = ""
    uses_source = as_is = False

    def fit(self, task: Task) -> FittedStrategy:
        return Scored(task.source)


@pytest.fixture
def task() -> Task:
    return tiny_task()


@pytest.fixture
def hold_out(task: Task) -> Split:
    return tiny_split(task.target)


@pytest.fixture
def cross_fit(task: Task) -> Split:
    split = split_rows(task.target, SplitOptions(min_test_faults=1000), seed=0)
    assert (split.mode, split.by, len(split.folds)) == (CROSS_FIT, "run", 5)
    return split


def relabelled(task: Task, rows: np.ndarray) -> Task:
    y = task.target.y.copy()
    y[rows] = 1 - y[rows]
    return dataclasses.replace(task, target=with_labels(task.target, y))


def rows_of(X: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in X}


def test_hold_out_fits_on_training_rows_and_predicts_the_test_rows(
    task: Task, hold_out: Split
) -> None:
    who = Memoriser()
    _, predictions, _ = run_strategy(who, task, hold_out)
    assert len(who.fits) == 1
    assert rows_of(who.fits[0].X) == rows_of(task.target.X[hold_out.train])
    assert len(predictions.probabilities) == len(predictions.alarms) == len(hold_out.test)
    np.testing.assert_array_equal(procedure.test_rows(hold_out), hold_out.test)
    assert np.ptp(predictions.probabilities) == 0  # it knows none of them


def test_cross_fit_predicts_every_row_by_a_model_that_did_not_see_its_run(
    task: Task, cross_fit: Split
) -> None:
    who = Memoriser()
    predictions = run_rival(who, task, cross_fit)
    for fitted, fold in zip(who.fits, cross_fit.folds, strict=True):
        assert set(task.target.run[fold.test]).isdisjoint(fitted.run)
    np.testing.assert_array_equal(procedure.test_rows(cross_fit), np.arange(len(task.target)))
    # It knows every label it was fitted on: a row of its own in the prediction would stand out.
    for fold in cross_fit.folds:
        assert np.ptp(predictions.probabilities[fold.test]) == 0


def test_after_cross_fitting_the_bundle_comes_from_all_rows_but_predictions_do_not(
    task: Task, cross_fit: Split
) -> None:
    who = Memoriser()
    _, predictions, _ = run_strategy(who, task, cross_fit)
    assert len(who.fits) == len(cross_fit.folds) + 1
    assert len(who.fits[-1]) == len(task.target)
    without_the_last = run_rival(Memoriser(), task, cross_fit)
    np.testing.assert_array_equal(predictions.probabilities, without_the_last.probabilities)
    np.testing.assert_array_equal(predictions.alarms, without_the_last.alarms)


def test_scores_are_carried_over_to_the_level_of_another_model() -> None:
    rng = np.random.default_rng(0)
    y, score = np.tile([0, 0, 1], 20), rng.normal(size=60)
    rows = np.arange(60)
    folds = tuple(Fold(rows[rows % 3 != k], rows[rows % 3 == k]) for k in range(3))
    levels = (-2.0, 0.5, 7.0)
    said = [score + level for level in levels]
    carried = procedure.carried_over(said, score - 1, rows, y, folds)
    np.testing.assert_allclose(carried, score - 1)
    # A model that shares no normal row with a fold's own is compared by the medians of each.
    alone = procedure.carried_over(said[:1], score - 1, folds[0].test, y, folds[:1])
    own, theirs = folds[0].test[y[folds[0].test] == 0], folds[0].train[y[folds[0].train] == 0]
    level = np.median(score[own] - 1) - np.median(said[0][theirs])
    np.testing.assert_allclose(alone[folds[0].test], said[0][folds[0].test] + level)


def test_a_rival_is_not_fitted_again_after_cross_fitting(task: Task, cross_fit: Split) -> None:
    who = Memoriser()
    run_rival(who, task, cross_fit)
    assert len(who.fits) == len(cross_fit.folds)


def dated(task: Task) -> Task:
    """The same rows on a calendar, so that alarms may be delayed."""
    data = task.target
    return dataclasses.replace(task, target=dataclasses.replace(data, time=data.time + 1.7e9))


def test_labels_of_a_fold_choose_nothing_that_makes_its_alarms(
    task: Task, cross_fit: Split
) -> None:
    task = asking(dated(task), false_alarms_per_day=40.0)
    clean = run_rival(LastSensor(), task, cross_fit)
    for fold in cross_fit.folds:
        poisoned = run_rival(LastSensor(), relabelled(task, fold.test), cross_fit)
        np.testing.assert_array_equal(
            poisoned.probabilities[fold.test], clean.probabilities[fold.test]
        )
        np.testing.assert_array_equal(poisoned.alarms[fold.test], clean.alarms[fold.test])
        assert not np.array_equal(
            poisoned.probabilities[fold.train], clean.probabilities[fold.train]
        )


def test_calibration_rows_alone_choose_calibrator_and_threshold_of_a_hold_out(
    task: Task, hold_out: Split
) -> None:
    def chosen(task: Task) -> tuple[object, float]:
        bundle, _, _ = run_strategy(LastSensor(), task, hold_out)
        return bundle.calibrator, bundle.threshold

    clean = chosen(task)
    assert chosen(relabelled(task, hold_out.train)) == clean
    assert chosen(relabelled(task, hold_out.test)) == clean
    assert chosen(relabelled(task, hold_out.calibration)) != clean


def asking(task: Task, **options: object) -> Task:
    return dataclasses.replace(task, options=task.options.model_copy(update=options))


def test_a_promise_that_the_rows_cannot_support_is_refused_before_anything_is_fitted(
    task: Task, hold_out: Split, cross_fit: Split
) -> None:
    for split in (hold_out, cross_fit):
        who = Memoriser()
        with pytest.raises(
            DataError, match=r"1% in new runs with 95% confidence.* equipment 'pump-9'"
        ):
            run_strategy(who, asking(task, false_alarm_rate=0.01, alarm_confidence=0.95), split)
        assert who.fits == []


def test_a_promise_is_kept_with_the_bundle_and_counts_the_rows_that_chose_the_threshold(
    task: Task, hold_out: Split, cross_fit: Split
) -> None:
    for split, rows in ((hold_out, hold_out.calibration), (cross_fit, cross_fit.train)):
        bundle, _, _ = run_strategy(
            LastSensor(), asking(task, false_alarm_rate=0.5, alarm_confidence=0.8), split
        )
        side = task.target.take(rows)
        assert bundle.alarm is not None
        assert bundle.alarm.bound <= 0.5
        assert bundle.alarm.value == bundle.threshold
        assert (bundle.alarm.normals, bundle.alarm.runs) == (
            len(side) - side.faults,
            len(set(side.run[side.y == 0])),
        )


def test_false_alarms_a_day_are_promised_by_healthy_days_or_refused_with_those_that_are_missing(
    task: Task, hold_out: Split, cross_fit: Split
) -> None:
    for split in (hold_out, cross_fit):
        who, promise = Memoriser(), {"alarm_confidence": 0.95}
        with pytest.raises(DataError, match=r"takes 15 healthy days.*Bring 15 more healthy days"):
            run_strategy(who, asking(dated(task), false_alarms_per_day=0.2, **promise), split)
        with pytest.raises(DataError, match="no dates"):
            run_strategy(who, asking(task, false_alarms_per_day=0.2), split)
        assert who.fits == []
        wanted = asking(dated(task), false_alarms_per_day=600.0, **promise)
        budget = run_strategy(LastSensor(), wanted, split)[0].lineage["alarm_budget"]
        assert AlarmBudget.of(budget).kept
        assert budget["bound"] <= 600


def test_false_alarms_a_day_raise_the_threshold_and_never_lower_it(
    task: Task, cross_fit: Split
) -> None:
    plain = run_strategy(LastSensor(), dated(task), cross_fit)[0]
    few = run_strategy(LastSensor(), asking(dated(task), false_alarms_per_day=30.0), cross_fit)[0]
    assert few.threshold >= plain.threshold
    assert few.lineage["alarm_budget"]["false_alarms"] <= 1
    assert few.alarm is not None
    assert plain.alarm is not None
    assert (few.alarm.value, few.alarm.bound) == (few.threshold, plain.alarm.bound)


def test_another_share_of_faults_in_use_moves_probabilities_and_no_alarm(
    task: Task, hold_out: Split, cross_fit: Split
) -> None:
    for split in (hold_out, cross_fit):
        as_labelled, predicted, _ = run_strategy(LastSensor(), task, split)
        in_use, moved, _ = run_strategy(LastSensor(), asking(task, fault_share=0.01), split)
        assert (moved.probabilities < predicted.probabilities).all()
        np.testing.assert_array_equal(moved.alarms, predicted.alarms)
        assert in_use.calibrator.fault_share == 0.01
        assert in_use.threshold < as_labelled.threshold


def test_the_threshold_keeps_the_alarm_rate_on_calibration_rows(
    task: Task, hold_out: Split
) -> None:
    options = task.options.model_copy(update={"false_alarm_rate": 0.2})
    bundle, _, _ = run_strategy(
        STRATEGIES["fine_tune"], dataclasses.replace(task, options=options), hold_out
    )
    side = task.target.take(hold_out.calibration)
    rate = bundle.alarms(bundle.probabilities(side.X[side.y == 0])).mean()
    assert 0 < rate <= 0.2


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_judged_predictions_are_those_of_the_bundle_handed_back(
    task: Task, hold_out: Split, name: str
) -> None:
    bundle, predictions, final = run_strategy(STRATEGIES[name], task, hold_out)
    test = task.target.take(hold_out.test)
    windows = None if bundle.windows is None else test.windows.values
    probabilities = bundle.probabilities(test.X, test.moments, windows)
    np.testing.assert_allclose(probabilities, predictions.probabilities, rtol=1e-9)
    np.testing.assert_array_equal(bundle.alarms(predictions.probabilities), predictions.alarms)
    assert final.bundle.network is bundle.network


def test_a_hold_outs_bundle_remembers_training_and_calibration_rows_and_no_test_row(
    task: Task, hold_out: Split
) -> None:
    bundle, _, _ = run_strategy(STRATEGIES["feature_reuse"], task, hold_out)
    fingerprints = task.target.fingerprints()
    assert set(bundle.training_rows) == set(
        fingerprints[np.concatenate([hold_out.train, hold_out.calibration])]
    )
    assert not np.isin(fingerprints[hold_out.test], bundle.training_rows).any()


def test_a_cross_fitted_bundle_remembers_all_rows(task: Task, cross_fit: Split) -> None:
    bundle, _, _ = run_strategy(STRATEGIES["feature_reuse"], task, cross_fit)
    assert set(bundle.training_rows) == set(task.target.fingerprints())
    assert bundle.lineage["training_rows"] == len(task.target)


def test_a_cross_fitted_bundle_is_the_strategy_fitted_on_all_rows(
    task: Task, cross_fit: Split
) -> None:
    bundle, _, _ = run_strategy(STRATEGIES["feature_reuse"], task, cross_fit)
    whole = STRATEGIES["feature_reuse"].fit(tiny_task()).bundle
    np.testing.assert_equal(bundle.network.get_weights(), whole.network.get_weights())


def test_the_source_as_it_is_keeps_its_own_calibrator_and_threshold(
    task: Task, hold_out: Split, cross_fit: Split
) -> None:
    for split in (hold_out, cross_fit):
        predicted = run_rival(RIVALS["source_as_is"], task, split)
        X = task.target.X[procedure.test_rows(split)]
        np.testing.assert_array_equal(predicted.probabilities, task.source.probabilities(X))
        np.testing.assert_array_equal(
            predicted.alarms, predicted.probabilities > task.source.threshold
        )


def test_a_fitted_rival_gets_a_calibrator_and_a_threshold_of_its_own(
    task: Task, hold_out: Split
) -> None:
    source: Bundle = task.source
    predicted = run_rival(LastSensor(), task, hold_out)
    X = task.target.X[hold_out.test]
    assert not np.allclose(predicted.probabilities, source.calibrator(X[:, 3]))
    ranked = np.argsort(X[:, 3], kind="stable")
    assert (np.diff(predicted.probabilities[ranked]) >= 0).all()


def test_blocks_of_one_run_leave_out_the_neighbours_of_predicted_rows() -> None:
    data = tiny_rows(seed=4, runs=1, rows_per_run=60)
    task = dataclasses.replace(tiny_task(), target=data)
    split = split_rows(data, SplitOptions(gap=2), seed=0)
    assert split.by == "time block"
    who = Memoriser()
    run_rival(who, task, split)
    place = {row.tobytes(): number for number, row in enumerate(data.X)}
    for fitted, fold in zip(who.fits, split.folds, strict=True):
        learned = np.array([place[row.tobytes()] for row in fitted.X])
        assert np.abs(learned[:, None] - fold.test).min() > 2
