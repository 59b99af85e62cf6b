"""The source detector where the machine's rows hold one class or no label: nothing is fitted on it.

Healthy rows give the threshold, by the bound on false alarms that any transfer keeps: the detector
was fitted on none of them, so they are all rows that it has not seen. Without healthy rows it keeps
the source's own threshold.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from faultxfer.bundle.budget import require_budget
from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.threshold import choose_threshold, require_kept
from faultxfer.data.split import FEWEST_NORMALS, Split
from faultxfer.errors import StrategyError
from faultxfer.strategies.common import candidate_bundle
from faultxfer.strategies.delay_choice import choose_alarms
from faultxfer.strategies.procedure import (
    Predictions,
    aim_of,
    budget_in_lineage,
    require_healthy_days,
)
from faultxfer.strategies.protocol import Task
from faultxfer.strategies.stack import StackedLearners

NAME = "source_as_is"
TITLE = "source model, nothing fitted"


def require_default(task: Task) -> None:
    """Refuse a strategy asked for by name that cannot learn from such rows.

    Raises:
        StrategyError: it is another one than the default.
    """
    if task.options.strategy != StackedLearners.name:
        raise StrategyError(
            f"The strategy {task.options.strategy!r} learns from rows of both classes, and these "
            "are of one or have no label",
            received={"rows": len(task.target), "fault rows": task.target.faults},
            remedy="Leave `--strategy` out, which takes the source model as it is, or label rows "
            "of both classes",
        )


def source_alone(task: Task, split: Split) -> tuple[Bundle, Predictions]:
    """The source for a machine, and what it says of the rows.

    Args:
        task: rows of one class, or without labels.
        split: of these rows, which divides nothing.

    Raises:
        DataError: healthy rows cannot support the false-alarm rate that is to be promised.
        StrategyError: another strategy than the default is asked for.
    """
    require_default(task)
    source, target = task.source, task.target
    bundle = candidate_bundle(task, source.scaler, source.network, NAME)
    bundle = dataclasses.replace(
        bundle,
        smoothing=source.smoothing,
        calibrator=source.calibrator,
        threshold=source.threshold,
        alarm=source.alarm,
        delays=source.delays,
        training_rows=np.empty(0, dtype=np.uint64),
    )
    if task.options.fault_share is not None:
        calibrator = source.calibrator.moved_to(task.options.fault_share)
        bundle = dataclasses.replace(bundle, calibrator=calibrator)
    probabilities = bundle.probabilities(target.X, target.moments)
    if int((target.y == 0).sum()) >= FEWEST_NORMALS:
        bundle = _with_own_threshold(bundle, probabilities, task, split)
    return bundle, Predictions(probabilities, bundle.alarms(probabilities, target.moments))


def _with_own_threshold(
    bundle: Bundle, probabilities: np.ndarray, task: Task, split: Split
) -> Bundle:
    """The bundle with a threshold by the machine's healthy rows.

    Alarms are delayed as on the source's machines, which have shown faults, unless false alarms a
    day are asked for.
    """
    target, options = task.target, task.options
    where = f"normal rows of equipment {min(target.equipment)!r}"
    require_healthy_days(task, split)
    threshold = choose_threshold(
        probabilities, target.y, target.run, options.false_alarm_rate, options.rate_confidence
    )
    require_kept(threshold, where)
    delays, lineage = bundle.delays, bundle.lineage
    if options.false_alarms_per_day is not None:
        chosen = choose_alarms(
            probabilities, threshold.value, target.y, target.moments, aim_of(options)
        )
        require_budget(chosen.budget, where)
        threshold = threshold.raised_to(chosen.threshold, probabilities[target.y == 0])
        delays, lineage = chosen.delays, lineage | budget_in_lineage(chosen.budget)
    return dataclasses.replace(
        bundle,
        threshold=threshold.value,
        alarm=threshold,
        delays=delays,
        lineage=lineage,
        training_rows=np.unique(target.take(target.y == 0).fingerprints()),
    )
