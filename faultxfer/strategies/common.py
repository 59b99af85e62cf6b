"""Parts that strategies share."""

from __future__ import annotations

import dataclasses
import math
import threading

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.calibration import Calibrator
from faultxfer.bundle.frozen import OF_WHOLE, SourceModels
from faultxfer.bundle.input_map import SOURCE, TARGET, fit_maps
from faultxfer.bundle.members import Stack
from faultxfer.bundle.scaler import Scaler, fit_scaler
from faultxfer.config import TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.thinning import thinned
from faultxfer.data.windows import KINDS, widened
from faultxfer.network.arrays import ArrayNetwork, as_arrays
from faultxfer.network.recipe import History, Recipe
from faultxfer.strategies.narrowing import SENSOR_CHANGE
from faultxfer.strategies.needs import require_frozen
from faultxfer.strategies.protocol import FittedStrategy, Task
from faultxfer.strategies.shared_fits import MOST_FITTED, SharedFits

# Source rows that pooled learners see; more of them drown the target's.
_POOLED_ROWS = 4000
# Of those, about so many are seen with windows, which have four features a sensor.
_WIDE_ROWS = 2000
_making = threading.Lock()


def choose_scaler(task: Task, who: str) -> Scaler:
    """The scaling stage in front of a network, as the options ask for it; by training rows only.

    ``source`` keeps the source's StandardScaler, ``target`` refits it; any other input map is
    folded into the source's.

    Raises:
        StrategyError: a source model of format 1 has no statistics that the map could lead to.
    """
    name = task.options.input_map or SOURCE
    if name == SOURCE:
        return task.source.scaler
    if name == TARGET:
        return fit_scaler(task.target.X[:, : len(task.source.scaler.mean)])
    frozen = require_frozen(task, who)
    maps = fit_maps(task.target.X, task.target.y, frozen.spread, frozen.normal)
    chosen, scaler = maps[name], task.source.scaler
    # ((gain * x + offset) - mean) / scale, as one scaler
    mean = (scaler.mean - chosen.offset) / chosen.gain
    return Scaler(mean, scaler.scale / chosen.gain)


def epochs_of(rows: int, options: TransferOptions) -> int:
    """Passes over this many rows, which give as many epochs and as many steps as are asked for."""
    steps_per_epoch = math.ceil(rows / options.batch_size)
    return max(options.epochs, math.ceil(options.steps / steps_per_epoch))


def tune(
    network: ArrayNetwork, scaler: Scaler, task: Task, trainable_layers: int | None
) -> tuple[ArrayNetwork, History]:
    """A network whose last layers, or all, were trained on, and the training curves.

    With the option ``pull`` (L2-SP) they are held near the weights that ``network`` comes with.
    """
    from faultxfer.network.fit import apply_network, fit_network
    from faultxfer.network.freeze import freeze_all_but_last, stages_of

    options, model = task.options, network.keras()
    cut = freeze_all_but_last(model, trainable_layers or len(stages_of(model)))
    frozen_features = apply_network(cut.extractor, scaler(task.target.X))
    recipe = Recipe(
        learning_rate=options.learning_rate,
        weight_decay=0.0,  # decay pulls towards zero, away from what the source taught
        batch_size=options.batch_size,
        epochs=epochs_of(len(task.target), options),
        pull=options.pull or 0.0,
    )
    history = fit_network(cut.head, frozen_features, task.target.y, recipe, seed=options.seed)
    return as_arrays(model), history


def source_pool(task: Task) -> Dataset:
    """Source rows that are fitted on beside the target's.

    At most 4,000, drawn by the seed; none if none were kept. Where the source as it was takes part,
    what the target lacks is read too.
    """
    source = task.source
    whole = None if source.models is None else source.models.whole
    sensors = source.features[: len(source.scaler.mean)] if whole is None else whole.features
    if task.source_rows is None:
        return task.target.take(np.arange(0)).with_sensors(sensors)
    rng = np.random.default_rng(task.options.seed)
    drawn = rng.permutation(len(task.source_rows))[:_POOLED_ROWS]
    return task.source_rows.take(np.sort(drawn)).with_sensors(sensors)


def fits_of(task: Task, who: str) -> tuple[SharedFits, np.ndarray]:
    """What is fitted on rows of the target, and the positions of the task's rows among these.

    Contestants that learn from the same rows share it.

    Raises:
        StrategyError: a source model of format 1 has no trees and statistics for ``who``.
    """
    among = task.among
    if among is None:
        return fits_on(task, who), np.arange(len(task.target))
    with _making:
        if not among.fits:
            among.fits.append(fits_on(among.everything, who))
        return among.fits[0], among.rows


def fits_on(task: Task, who: str) -> SharedFits:
    """The same of the task's rows alone; see :class:`.SharedFits`."""
    target, pool = task.target, source_pool(task)
    source, pooled = require_frozen(task, who), (pool.X, pool.y)
    X, y, run, seed = target.X, target.y, target.run, task.options.seed
    over = None
    if target.windows is not None and source.over_windows is not None:
        sensors = task.source.features[: len(task.source.scaler.mean)]
        wide, known = widened(X, target.windows.values), wide_pool(pool.with_sensors(sensors))
        over = SharedFits(source.over_windows, known, wide, y, seed, run=run)
    return SharedFits(source, pooled, X, y, seed, run=run, over_windows=over)


def wide_pool(pool: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """(m, 4c) readings and windows of some source rows, and (m,) labels; none without windows."""
    if pool.windows is None:
        return np.empty((0, (1 + len(KINDS)) * len(pool.features))), pool.y[:0]
    some = np.arange(0, len(pool), 1 + len(pool) // (_WIDE_ROWS + 1))
    return widened(pool.X[some], pool.windows.values[some]), pool.y[some]


def rows_to_fit(target: Dataset) -> Dataset:
    """Rows that a rival is fitted on: those that the stack's learners see of the same rows."""
    return target.take(thinned(target.y, target.run, MOST_FITTED))


def candidate_bundle(task: Task, scaler: Scaler, network: ArrayNetwork, strategy: str) -> Bundle:
    """A bundle with an adapted network, not yet calibrated; its threshold alarms at even odds."""
    source = task.source
    lineage = {
        "strategy": strategy,
        "options": task.options.model_dump(mode="json", exclude={"gate"}),
        "source": source.lineage.get("identity"),
        "training_rows": len(task.target),
    }
    if changed := source.lineage.get(SENSOR_CHANGE):
        lineage[SENSOR_CHANGE] = changed
    return Bundle(
        features=source.features,
        units=source.units,
        scaler=scaler,
        network=network,
        calibrator=Calibrator(),
        threshold=0.5,
        training_rows=np.unique(task.target.fingerprints()),
        lineage=lineage,
    )


def stacked_bundle(
    task: Task, stack: Stack, strategy: str, more_lineage: dict[str, object]
) -> Bundle:
    """A bundle whose members decide in place of the source's network, which it keeps as it is."""
    bundle = candidate_bundle(task, task.source.scaler, task.source.network, strategy)
    lineage = {**bundle.lineage, **more_lineage}
    models, windows = _needed(task.source.models, stack), None
    if stack.reads_windows and task.target.windows is not None:
        windows = task.target.windows.windows
    return dataclasses.replace(bundle, models=models, stack=stack, lineage=lineage, windows=windows)


def stacked(
    task: Task, stack: Stack, strategy: str, more_lineage: dict[str, object]
) -> FittedStrategy:
    """The bundle of :func:`stacked_bundle`, which scores rows that are shared but once."""
    bundle = stacked_bundle(task, stack, strategy, more_lineage)
    fits, rows = fits_of(task, strategy)

    def known(X: np.ndarray, windows: np.ndarray | None = None) -> np.ndarray:
        known = fits.knows(stack, X, windows)
        return fits.together(stack, rows) if known else bundle.logits(X, windows)

    return FittedStrategy(bundle, known=known)


def _needed(models: SourceModels | None, stack: Stack) -> SourceModels | None:
    """Without the source as it was with every sensor of its own, where no member looks at it.

    And without what reads windows, where no member does.
    """
    if models is not None and not stack.reads_windows:
        models = dataclasses.replace(models, over_windows=None)
    if models is None or models.whole is None or not models.trees:
        return models
    kinds = {block.kind for member in stack.members for block in (*member.blocks, *member.base)}
    return models if kinds & OF_WHOLE else dataclasses.replace(models, whole=None)
