"""Put a strategy or a rival through the split: fit, calibrate, choose the threshold, predict rows it never saw.

All contestants go through the same folds and the same calibration rows, so their figures compare.
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
class _Fitted:
    scorer: Scorer
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

    After cross-fitting the bundle is fitted on all rows, its calibrator and threshold on all out-of-fold logits.

    Args:
        strategy: the method.
        task: holds *all* of the target's rows; the split decides what the method sees.
        split: who trains, calibrates and judges.

    Raises:
        DataError: the rows cannot support the false-alarm rate that is to be promised.
        StrategyError: the strategy cannot run on these rows.
    """
    _require_enough_normals(task, split)
    kept: list[FittedStrategy] = []

    def fit(part: Task) -> Scorer:
        kept.append(strategy.fit(part))
        return kept[-1]

    fitted = _run(fit, task, split, refit=True)
    require_kept(fitted.threshold, _equipment(task))
    final = kept[-1]
    seen = task.target.take(np.concatenate([split.train, split.calibration])).fingerprints()
    bundle = dataclasses.replace(
        final.bundle,
        calibrator=fitted.calibrator,
        threshold=fitted.threshold.value,
        alarm=fitted.threshold,
        training_rows=np.unique(seen),
    )
    return bundle, fitted.predictions, final


def run_rival(rival: Rival, task: Task, split: Split) -> Predictions:
    """A rival's predictions for the test rows."""
    if rival.as_is:
        probabilities = task.source.calibrator(rival.fit(task)(task.target.X[test_rows(split)]))
        return Predictions(probabilities, task.source.alarms(probabilities))
    return _run(rival.fit, task, split, refit=False).predictions


def _run(fit: Callable[[Task], Scorer], task: Task, split: Split, *, refit: bool) -> _Fitted:
    return (
        _cross_fit(fit, task, split, refit=refit)
        if split.mode == CROSS_FIT
        else _hold_out(fit, task, split)
    )


def _hold_out(fit: Callable[[Task], Scorer], task: Task, split: Split) -> _Fitted:
    scorer = fit(_part(task, split.train))
    calibration, test = task.target.take(split.calibration), task.target.take(split.test)
    logits = scorer(calibration.X)
    calibrator, threshold = _calibrate(logits, task, split.calibration)
    probabilities = calibrator(scorer(test.X))
    ranking = np.full(len(test), average_precision_score(calibration.y, logits))
    said = Predictions(probabilities, probabilities > threshold.value, ranking)
    return _Fitted(scorer, calibrator, threshold, said)


def _cross_fit(fit: Callable[[Task], Scorer], task: Task, split: Split, *, refit: bool) -> _Fitted:
    data = task.target
    logits = np.empty(len(data))
    for fold in split.folds:
        scorer = fit(_part(task, fold.train))
        logits[fold.test] = scorer(data.X[fold.test])
    probabilities, alarms = np.empty(len(data)), np.empty(len(data), dtype=bool)
    ranking = np.empty(len(data))
    for fold in split.folds:
        # A fold's own labels choose neither its calibrator nor its threshold.
        calibrator, threshold = _calibrate(logits[fold.train], task, fold.train)
        probabilities[fold.test] = calibrator(logits[fold.test])
        alarms[fold.test] = probabilities[fold.test] > threshold.value
        ranking[fold.test] = average_precision_score(data.y[fold.train], logits[fold.train])
    if refit:
        scorer = fit(task)
    calibrator, threshold = _calibrate(logits, task, split.train)
    return _Fitted(scorer, calibrator, threshold, Predictions(probabilities, alarms, ranking))


def _part(task: Task, rows: np.ndarray) -> Task:
    return dataclasses.replace(task, target=task.target.take(rows))


def _calibrate(
    logits: np.ndarray, task: Task, rows: np.ndarray
) -> tuple[Calibrator, AlarmThreshold]:
    """Calibrator and threshold by the ``logits`` of the target's ``rows``."""
    data, options = task.target.take(rows), task.options
    calibrator = fit_calibrator(logits, data.y)
    if options.fault_share is not None:
        calibrator = calibrator.moved_to(options.fault_share)
    chosen = choose_threshold(
        calibrator(logits), data.y, data.run, options.false_alarm_rate, options.alarm_confidence
    )
    return calibrator, chosen


def _require_enough_normals(task: Task, split: Split) -> None:
    data = task.target.take(split.train if split.mode == CROSS_FIT else split.calibration)
    require_enough_normals(
        data.y,
        data.run,
        task.options.false_alarm_rate,
        task.options.alarm_confidence,
        _equipment(task),
    )


def _equipment(task: Task) -> str:
    return f"normal rows of equipment {min(task.target.equipment)!r}"
