"""Put a strategy or a rival through the split, up to predictions of rows it never saw.

That is: fit, calibrate, choose the threshold, predict. All contestants go through the same folds
and the same calibration rows, so their metrics compare.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from faultxfer.bundle.budget import BUDGET, AlarmBudget, require_budget
from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.calibration import Calibrator, fit_calibrator
from faultxfer.bundle.delays import Delays
from faultxfer.bundle.run_weights import run_weights
from faultxfer.bundle.smoothing import Smoothing
from faultxfer.bundle.threshold import (
    AlarmThreshold,
    Fitted,
    choose_threshold,
    require_enough_normals,
    require_kept,
)
from faultxfer.config import TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.moments import Moments
from faultxfer.data.split import CROSS_FIT, Fold, Split
from faultxfer.errors import DataError
from faultxfer.strategies.delay_choice import Aim, choose_alarms, delayed, healthy_days
from faultxfer.strategies.protocol import Among, FittedStrategy, Rival, Scorer, Strategy, Task
from faultxfer.strategies.smoothing_choice import best_way, smoothed, way_of, ways_to_smooth

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
    """Predictions, and what makes them of the logits of rows to come."""

    smoothing: Smoothing | None
    settled: _Settled
    predictions: Predictions


@dataclass(frozen=True)
class _Settled:
    """From logits to alarms."""

    calibrator: Calibrator
    threshold: AlarmThreshold
    delays: Delays | None
    budget: AlarmBudget | None

    def predicted(self, logits: np.ndarray, moments: Moments, ranking: np.ndarray) -> Predictions:
        """Of (m,) rows."""
        probabilities = self.calibrator(logits)
        alarms = delayed(probabilities, self.threshold.value, moments, self.delays)
        return Predictions(probabilities, alarms, ranking)


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
    require_healthy_days(task, split)
    task = in_company(task, split)
    fits: list[FittedStrategy] = []

    def fit(given: Task) -> Scorer:
        fits.append(strategy.fit(given))
        return fits[-1]

    outcome = _run(fit, task, split)
    settled = outcome.settled
    require_kept(settled.threshold, _equipment(task))
    require_budget(settled.budget, _equipment(task))
    # The last fit is the one that stays: of the training side, or after cross-fitting of all rows.
    final = fits[-1]
    seen = np.concatenate([split.train, split.calibration])
    fingerprints = task.target.take(seen).fingerprints()
    bundle = dataclasses.replace(
        final.bundle,
        smoothing=outcome.smoothing,
        calibrator=settled.calibrator,
        threshold=settled.threshold.value,
        alarm=settled.threshold,
        delays=settled.delays,
        lineage=final.bundle.lineage | budget_in_lineage(settled.budget),
        training_rows=np.unique(fingerprints),
    )
    return bundle, outcome.predictions, final


def budget_in_lineage(budget: AlarmBudget | None) -> dict[str, Any]:
    """What a bundle's lineage keeps of false alarms a day; nothing where none were asked for."""
    return {} if budget is None else {BUDGET: budget.as_dict()}


def in_company(task: Task, split: Split) -> Task:
    """The task for contestants that learn from rows of it, which share what they fit."""
    if task.among is not None:
        return task
    among = Among(task, np.arange(len(task.target)), split.folds)
    return dataclasses.replace(task, among=among)


def run_rival(rival: Rival, task: Task, split: Split) -> Predictions:
    """A rival's predictions for the test rows.

    Raises:
        StrategyError: the rival cannot run on these rows.
    """
    if not rival.as_is:
        return _predict(rival.fit, in_company(task, split), split)
    scorer, test = rival.fit(task), task.target.take(test_rows(split))
    logits = smoothed(_said(scorer, test), task.source.smoothing, test.moments)
    probabilities = task.source.calibrator(logits)
    return Predictions(probabilities, task.source.alarms(probabilities, test.moments))


def _run(fit: _Fit, task: Task, split: Split) -> _Outcome:
    """Predict the test rows; the last fit is the one that stays."""
    if split.mode != CROSS_FIT:
        return _hold_out(fit, task, split)
    ways = _said_by_folds(fit, task, split)
    logits, y = _said(fit(task), task.target), task.target.y
    finals = [smoothed(logits, way.smoothing, task.target.moments) for way in ways]
    carried = [
        carried_over(way.folds, final, split.train, y, split.folds)
        for way, final in zip(ways, finals, strict=True)
    ]
    best = _best([way.smoothing for way in ways], carried, task, split.train)
    settled = _settled(carried[best], finals[best], task, split.train)
    return _Outcome(ways[best].smoothing, settled, _out_of_fold(ways, task, split))


def _said(scorer: Scorer, data: Dataset) -> np.ndarray:
    """(n,) uncalibrated logits of rows."""
    return scorer(data.X, None if data.windows is None else data.windows.values)


def _predict(fit: _Fit, task: Task, split: Split) -> Predictions:
    """The same without a fit that stays."""
    if split.mode != CROSS_FIT:
        return _hold_out(fit, task, split).predictions
    return _out_of_fold(_said_by_folds(fit, task, split), task, split)


def _hold_out(fit: _Fit, task: Task, split: Split) -> _Outcome:
    logits = _said(fit(_with_rows(task, split.train)), task.target)
    side = np.zeros(len(task.target), dtype=int)
    side[split.calibration], side[split.test] = 1, 2
    moments, held, y = task.target.moments.apart(side), split.calibration, task.target.y
    ways = ways_to_smooth(task.target)
    every = [smoothed(logits, way, moments) for way in ways]
    best = _best(ways, [said[held] for said in every], task, held)
    said, own = every[best], every[best][split.train]
    settled = _settled(said[held], own, task, held, split.train)
    ranking = np.full(len(split.test), _ranked(said[held], y[held]))
    judged = task.target.take(split.test).moments
    return _Outcome(ways[best], settled, settled.predicted(said[split.test], judged, ranking))


@dataclass(frozen=True)
class _Way:
    """What the models of the folds say, smoothed in one way: (n,) logits of all rows by each."""

    smoothing: Smoothing | None
    folds: list[np.ndarray]


def _best(
    ways: Sequence[Smoothing | None], said: list[np.ndarray], task: Task, rows: np.ndarray
) -> int:
    """Which of the ways tells rows at these positions best, by what each says of them."""
    data = task.target.take(rows)
    return best_way(said, data.y, data.run, way_of(task.source.smoothing, ways))


def _said_by_folds(fit: _Fit, task: Task, split: Split) -> list[_Way]:
    """What the model of each fold says of all rows, smoothed in each way.

    Rows that it was fitted on are smoothed by themselves: what it says of them knows their labels.
    """
    target = task.target
    raw = [_said(fit(_with_rows(task, fold.train)), target) for fold in split.folds]
    moments = []
    for fold in split.folds:
        tested = np.zeros(len(target), dtype=int)
        tested[fold.test] = 1
        moments.append(target.moments.apart(tested))
    return [
        _Way(way, [smoothed(said, way, own) for said, own in zip(raw, moments, strict=True)])
        for way in ways_to_smooth(target)
    ]


def _out_of_fold(ways: list[_Way], task: Task, split: Split) -> Predictions:
    """Predictions by fold; a fold's own labels choose neither smoothing, calibrator nor threshold.

    Those are chosen on the other folds' rows, whose scores are carried over to the level of the
    model that is judged.
    """
    y, rows = task.target.y, len(task.target)
    probabilities, alarms = np.empty(rows), np.empty(rows, dtype=bool)
    ranking, every = np.empty(rows), [way.smoothing for way in ways]
    for number, fold in enumerate(split.folds):
        others = [
            carried_over(way.folds, way.folds[number], fold.train, y, split.folds)[fold.train]
            for way in ways
        ]
        best = _best(every, others, task, fold.train)
        logits = ways[best].folds[number]
        settled = _settled(others[best], logits[fold.train], task, fold.train)
        ranked = np.full(len(fold.test), _ranked(others[best], y[fold.train]))
        moments = task.target.take(fold.test).moments
        predicted = settled.predicted(logits[fold.test], moments, ranked)
        probabilities[fold.test], alarms[fold.test] = predicted.probabilities, predicted.alarms
        ranking[fold.test] = ranked
    return Predictions(probabilities, alarms, ranking)


def _ranked(logits: np.ndarray, y: np.ndarray) -> float:
    """PR-AUC; 0 where there is no fault to rank."""
    return float(average_precision_score(y, logits)) if y.any() else 0.0


def carried_over(
    said: list[np.ndarray],
    final: np.ndarray,
    fitted: np.ndarray,
    y: np.ndarray,
    folds: tuple[Fold, ...],
) -> np.ndarray:
    """(n,) out-of-fold logits at the level of another model.

    The model of a fold and the other one were fitted on other shares of faults and on other rows,
    so their scores differ by a level that says nothing of a row. It is estimated by the normal rows
    that both were fitted on, as the median difference; where there are none, by the medians of the
    normal rows that each was fitted on.

    Args:
        said: (n,) logits of all rows by each fold's model.
        final: (n,) logits of all rows by the other model.
        fitted: positions of the rows that it was fitted on.
        y: (n,) labels.
        folds: those of ``said``.
    """
    carried = np.full(len(y), np.nan)
    own = fitted[y[fitted] == 0]
    for logits, fold in zip(said, folds, strict=True):
        normal = fold.train[y[fold.train] == 0]
        both = np.intersect1d(normal, own)
        if len(both):
            level = np.median(final[both] - logits[both])
        else:
            level = np.median(final[own]) - np.median(logits[normal])
        carried[fold.test] = logits[fold.test] + level
    return carried


def _with_rows(task: Task, rows: np.ndarray) -> Task:
    among = None if task.among is None else dataclasses.replace(task.among, rows=rows)
    return dataclasses.replace(task, target=task.target.take(rows), among=among)


def _settled(
    logits: np.ndarray,
    own: np.ndarray,
    task: Task,
    rows: np.ndarray,
    fitted: np.ndarray | None = None,
) -> _Settled:
    """Calibrator, threshold and delays for a model, by rows of the target.

    Args:
        logits: what models that had not seen them say of the rows, at the level of this model.
        own: what it says of those that it was fitted on.
        task: labels, runs and options.
        rows: positions in the target.
        fitted: positions of those that it was fitted on; the same if left out.
    """
    calibrator = _calibrator(logits, task, rows)
    seen = own, rows if fitted is None else fitted
    threshold = _threshold(calibrator, (logits, rows), seen, task)
    data, said = task.target.take(rows), calibrator(logits)
    chosen = choose_alarms(said, threshold.value, data.y, data.moments, aim_of(task.options))
    raised = threshold.raised_to(chosen.threshold, said[data.y == 0])
    return _Settled(calibrator, raised, chosen.delays, chosen.budget)


def aim_of(options: TransferOptions) -> Aim:
    """What alarms are to keep, by the options of a transfer."""
    asked = options.false_alarms_per_day is not None
    return Aim(
        options.false_alarm_rate,
        promised=options.rate_confidence is not None,
        per_day=options.most_false_alarms_per_day,
        asked=asked,
        confidence=options.alarm_confidence if asked else None,
    )


def _calibrator(logits: np.ndarray, task: Task, rows: np.ndarray) -> Calibrator:
    data = task.target.take(rows)
    counts = run_weights(logits, data.y, data.run)
    calibrator = fit_calibrator(logits, data.y, counts)
    if task.options.fault_share is not None:
        calibrator = calibrator.moved_to(task.options.fault_share)
    return calibrator


def _threshold(
    calibrator: Calibrator,
    unseen: tuple[np.ndarray, np.ndarray],
    seen: tuple[np.ndarray, np.ndarray],
    task: Task,
) -> AlarmThreshold:
    """The threshold of a model, by logits and positions of rows it has not seen, and has seen."""
    logits, rows = unseen
    own, fitted = calibrator(seen[0]), task.target.y[seen[1]]
    data, options = task.target.take(rows), task.options
    return choose_threshold(
        calibrator(logits),
        data.y,
        data.run,
        options.false_alarm_rate,
        options.rate_confidence,
        fitted=Fitted(own[fitted == 1], own[fitted == 0]),
    )


def _require_enough_normals(task: Task, split: Split) -> None:
    rows = split.train if split.mode == CROSS_FIT else split.calibration
    data, options = task.target.take(rows), task.options
    require_enough_normals(
        data.y, data.run, options.false_alarm_rate, options.rate_confidence, _equipment(task)
    )


def require_healthy_days(task: Task, split: Split) -> None:
    """Refuse false alarms a day where there are no days, or too few in the best case.

    Raises:
        DataError: says what is missing.
    """
    options = task.options
    if options.false_alarms_per_day is None:
        return
    rows = split.train if split.mode == CROSS_FIT else split.calibration
    data = task.target.take(rows)
    days = healthy_days(data.y, data.moments)
    if not days:
        raise DataError(
            "False alarms a day cannot be limited, as the normal rows have no dates and steps",
            received={"false_alarms_per_day": options.false_alarms_per_day},
            where=_equipment(task),
            remedy="Name the column of the time in the contract, or leave "
            "`false_alarms_per_day` out",
        )
    best = AlarmBudget(options.false_alarms_per_day, options.alarm_confidence, 0, days)
    require_budget(best, _equipment(task))


def _equipment(task: Task) -> str:
    return f"normal rows of equipment {min(task.target.equipment)!r}"
