"""Put a strategy or a rival through the split, up to predictions of rows it never saw.

That is: fit, calibrate, choose the threshold, predict. All contestants go through the same folds
and the same calibration rows, so their metrics compare.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import average_precision_score

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.calibration import Calibrator, fit_calibrator
from faultxfer.bundle.threshold import (
    AlarmThreshold,
    choose_threshold,
    require_enough_normals,
    require_kept,
)
from faultxfer.data.split import CROSS_FIT, Split
from faultxfer.strategies.protocol import FittedStrategy, Rival, Scorer, Strategy, Task

_Fit = Callable[[Task], Scorer]


@dataclass(frozen=True)
class Predictions:
    """What one contestant predicts of the test rows.

    Attributes:
        probabilities: (m,) calibrated fault probabilities.
        alarms: (m,) bool, at the contestant's own threshold.
        ranking: (m,) PR-AUC on the rows that calibrated it for this row, which is none of them; by
            it a variant can be chosen without a look at the row. None where nothing was calibrated.
    """

    probabilities: np.ndarray
    alarms: np.ndarray
    ranking: np.ndarray | None = None


@dataclass(frozen=True)
class _Outcome:
    """Predictions, and the calibrator and threshold for rows to come."""

    calibrator: Calibrator
    threshold: AlarmThreshold
    predictions: Predictions


def test_rows(split: Split) -> np.ndarray:
    """Positions of the rows that judge: the test side, or for cross-fitting every row."""
    return split.train if split.mode == CROSS_FIT else split.test


def run_strategy(
    strategy: Strategy, task: Task, split: Split
) -> tuple[Bundle, Predictions, FittedStrategy]:
    """Candidate bundle, and predictions for the test rows.

    After cross-fitting the bundle is fitted on all rows, its calibrator and threshold on all
    out-of-fold logits.

    Args:
        strategy: the method.
        task: holds *all* of the target's rows; the split decides what the method sees.
        split: which rows train, calibrate and judge.

    Raises:
        DataError: the rows cannot support the false-alarm rate that is to be promised.
        StrategyError: the strategy cannot run on these rows.
    """
    _require_enough_normals(task, split)
    fits: list[FittedStrategy] = []

    def fit(given: Task) -> Scorer:
        fits.append(strategy.fit(given))
        return fits[-1]

    outcome = _run(fit, task, split, refit=True)
    require_kept(outcome.threshold, _equipment(task))
    # The last fit is the one that stays: of the training side, or after cross-fitting of all rows.
    final = fits[-1]
    seen = np.concatenate([split.train, split.calibration])
    fingerprints = task.target.take(seen).fingerprints()
    bundle = dataclasses.replace(
        final.bundle,
        calibrator=outcome.calibrator,
        threshold=outcome.threshold.value,
        alarm=outcome.threshold,
        training_rows=np.unique(fingerprints),
    )
    return bundle, outcome.predictions, final


def run_rival(rival: Rival, task: Task, split: Split) -> Predictions:
    """A rival's predictions for the test rows.

    Raises:
        StrategyError: the rival cannot run on these rows.
    """
    if not rival.as_is:
        return _run(rival.fit, task, split, refit=False).predictions
    scorer = rival.fit(task)
    logits = scorer(task.target.X[test_rows(split)])
    probabilities = task.source.calibrator(logits)
    return Predictions(probabilities, task.source.alarms(probabilities))


def _run(fit: _Fit, task: Task, split: Split, *, refit: bool) -> _Outcome:
    if split.mode == CROSS_FIT:
        return _cross_fit(fit, task, split, refit=refit)
    return _hold_out(fit, task, split)


def _hold_out(fit: _Fit, task: Task, split: Split) -> _Outcome:
    scorer = fit(_with_rows(task, split.train))
    X, y = task.target.X, task.target.y
    logits = scorer(X[split.calibration])
    calibrator, threshold = _calibrate(logits, task, split.calibration)
    probabilities = calibrator(scorer(X[split.test]))
    precision = average_precision_score(y[split.calibration], logits)
    ranking = np.full(len(probabilities), precision)
    predictions = Predictions(probabilities, probabilities > threshold.value, ranking)
    return _Outcome(calibrator, threshold, predictions)


def _cross_fit(fit: _Fit, task: Task, split: Split, *, refit: bool) -> _Outcome:
    X = task.target.X
    logits = np.empty(len(X))
    for fold in split.folds:
        scorer = fit(_with_rows(task, fold.train))
        logits[fold.test] = scorer(X[fold.test])
    predictions = _out_of_fold(logits, task, split)
    if refit:
        fit(task)
    calibrator, threshold = _calibrate(logits, task, split.train)
    return _Outcome(calibrator, threshold, predictions)


def _out_of_fold(logits: np.ndarray, task: Task, split: Split) -> Predictions:
    """Predictions by fold; a fold's own labels choose neither its calibrator nor its threshold."""
    probabilities, alarms = np.empty(len(logits)), np.empty(len(logits), dtype=bool)
    y, ranking = task.target.y, np.empty(len(logits))
    for fold in split.folds:
        calibrator, threshold = _calibrate(logits[fold.train], task, fold.train)
        probabilities[fold.test] = calibrator(logits[fold.test])
        alarms[fold.test] = probabilities[fold.test] > threshold.value
        ranking[fold.test] = average_precision_score(y[fold.train], logits[fold.train])
    return Predictions(probabilities, alarms, ranking)


def _with_rows(task: Task, rows: np.ndarray) -> Task:
    return dataclasses.replace(task, target=task.target.take(rows))


def _calibrate(
    logits: np.ndarray, task: Task, rows: np.ndarray
) -> tuple[Calibrator, AlarmThreshold]:
    """Calibrator and threshold by the ``logits`` of the target's ``rows``."""
    data, options = task.target.take(rows), task.options
    calibrator = fit_calibrator(logits, data.y)
    if options.fault_share is not None:
        calibrator = calibrator.moved_to(options.fault_share)
    probabilities = calibrator(logits)
    threshold = choose_threshold(
        probabilities, data.y, data.run, options.false_alarm_rate, options.alarm_confidence
    )
    return calibrator, threshold


def _require_enough_normals(task: Task, split: Split) -> None:
    rows = split.train if split.mode == CROSS_FIT else split.calibration
    data, options = task.target.take(rows), task.options
    require_enough_normals(
        data.y, data.run, options.false_alarm_rate, options.alarm_confidence, _equipment(task)
    )


def _equipment(task: Task) -> str:
    return f"normal rows of equipment {min(task.target.equipment)!r}"
