"""The source detector where the machine's rows hold one class or no label: nothing is fitted on it.

Healthy rows give the threshold, by the bound on false alarms that any transfer keeps: the detector
was fitted on none of them, so they are all rows that it has not seen. Without healthy rows it keeps
the source's own threshold.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.threshold import AlarmThreshold, choose_threshold, require_kept
from faultxfer.data.split import FEWEST_NORMALS
from faultxfer.errors import StrategyError
from faultxfer.strategies.common import candidate_bundle
from faultxfer.strategies.procedure import Predictions
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


def source_alone(task: Task) -> tuple[Bundle, Predictions]:
    """The source for a machine, and what it says of the rows.

    Args:
        task: rows of one class, or without labels.

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
        training_rows=np.empty(0, dtype=np.uint64),
    )
    if task.options.fault_share is not None:
        calibrator = source.calibrator.moved_to(task.options.fault_share)
        bundle = dataclasses.replace(bundle, calibrator=calibrator)
    probabilities = bundle.probabilities(target.X, target.moments)
    if threshold := _threshold(task, probabilities):
        healthy = target.take(target.y == 0)
        bundle = dataclasses.replace(
            bundle,
            threshold=threshold.value,
            alarm=threshold,
            training_rows=np.unique(healthy.fingerprints()),
        )
    return bundle, Predictions(probabilities, bundle.alarms(probabilities))


def _threshold(task: Task, probabilities: np.ndarray) -> AlarmThreshold | None:
    """By the machine's healthy rows; None where there are too few of them."""
    target, options = task.target, task.options
    if int((target.y == 0).sum()) < FEWEST_NORMALS:
        return None
    threshold = choose_threshold(
        probabilities,
        target.y,
        target.run,
        options.false_alarm_rate,
        options.alarm_confidence,
    )
    require_kept(threshold, f"normal rows of equipment {min(target.equipment)!r}")
    return threshold
