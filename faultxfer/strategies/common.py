"""Parts that strategies share."""

from __future__ import annotations

from typing import Any

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.calibration import Calibrator
from faultxfer.bundle.input_map import SOURCE, TARGET, fit_maps
from faultxfer.bundle.scaler import Scaler, fit_scaler
from faultxfer.data.dataset import Dataset
from faultxfer.strategies.needs import require_frozen
from faultxfer.strategies.protocol import Task

# Source rows that pooled learners see; more of them drown the target's.
_POOLED_ROWS = 4000


def choose_scaler(task: Task, who: str) -> Scaler:
    """The scaling stage in front of a network, as the options ask for it; fitted on training rows only.

    ``source`` keeps the source's StandardScaler, ``target`` refits it; any other input map is folded into the source's.

    Raises:
        StrategyError: a source model of format 1 has no statistics that the map could lead to.
    """
    name = task.options.input_map or SOURCE
    if name == SOURCE:
        return task.source.scaler
    if name == TARGET:
        return fit_scaler(task.target.X)
    frozen = require_frozen(task, who)
    chosen = fit_maps(task.target.X, task.target.y, frozen.spread, frozen.normal)[name]
    mean, scale = task.source.scaler.mean, task.source.scaler.scale
    # ((gain * x + offset) - mean) / scale, as one scaler
    return Scaler((mean - chosen.offset) / chosen.gain, scale / chosen.gain)


def source_pool(task: Task) -> Dataset:
    """Source rows that are fitted on beside the target's: at most 4,000, drawn by the seed; none if none were kept."""
    if task.source_rows is None:
        return task.target.take(np.arange(0))
    kept = np.random.default_rng(task.options.seed).permutation(len(task.source_rows))[
        :_POOLED_ROWS
    ]
    return task.source_rows.take(np.sort(kept))


def candidate_bundle(task: Task, scaler: Scaler, network: Any, strategy: str) -> Bundle:
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
