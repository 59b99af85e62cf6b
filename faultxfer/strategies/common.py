"""Checks and parts that strategies share."""

from __future__ import annotations

from typing import Any

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.calibration import Calibrator
from faultxfer.bundle.scaler import Scaler, fit_scaler
from faultxfer.errors import StrategyError
from faultxfer.strategies.protocol import Task

MIN_ROWS_PER_CLASS = 2


def require_rows(task: Task, who: str) -> None:
    """Every method here needs some rows of each class.

    Raises:
        StrategyError: there are fewer.
    """
    faults = task.target.faults
    normals = len(task.target) - faults
    if min(faults, normals) < MIN_ROWS_PER_CLASS:
        raise StrategyError(
            f"At least {MIN_ROWS_PER_CLASS} training rows of each class were expected by {who!r}",
            received={"fault rows": faults, "normal rows": normals},
            remedy="Label more rows of the rarer class",
        )


def require_features(task: Task) -> None:
    """The target's sensors must be the source's, in the same order.

    Raises:
        StrategyError: with what is missing, added or moved.
    """
    source, target = task.source.features, task.target.features
    if source == target:
        return
    raise StrategyError(
        "The source model's sensors in their order were expected",
        received={
            "missing": [name for name in source if name not in target],
            "added": [name for name in target if name not in source],
            "moved": [a for a, b in zip(source, target, strict=False) if a != b and a in target],
        },
        remedy="Use the contract that the source model was trained with",
    )


def choose_scaler(task: Task) -> Scaler:
    """The scaling stage the options ask for, fitted on training rows only."""
    return task.source.scaler if task.options.scaler == "source" else fit_scaler(task.target.X)


def candidate(task: Task, scaler: Scaler, network: Any, strategy: str) -> Bundle:
    """A bundle with an adapted network, not yet calibrated; its threshold alarms at even odds."""
    return Bundle(
        features=task.source.features,
        units=task.source.units,
        scaler=scaler,
        network=network,
        calibrator=Calibrator(),
        threshold=0.5,
        training_rows=np.unique(task.target.fingerprints()),
        lineage={
            "strategy": strategy,
            "options": task.options.model_dump(mode="json", exclude={"gate"}),
            "source": task.source.lineage.get("identity"),
            "training_rows": len(task.target),
        },
    )
