"""Adapt the source bundle to the target, and put the rivals through the same rows."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import load_bundle, save_bundle
from faultxfer.data.dataset import Dataset, dataset_from, load_dataset
from faultxfer.data.split import Split, split_rows
from faultxfer.errors import StrategyError
from faultxfer.network.fit import History
from faultxfer.progress import progress
from faultxfer.requests import TransferRequest
from faultxfer.steps.intake import CheckedRows, require_accepted
from faultxfer.steps.opening import Job
from faultxfer.steps.sources import (
    Models,
    require_same_meaning,
    require_same_sensors,
    require_sensors_of_champion,
)
from faultxfer.strategies import chosen_strategy
from faultxfer.strategies.procedure import Predictions, run_rival, run_strategy, test_rows
from faultxfer.strategies.protocol import Rival, Task
from faultxfer.strategies.rivals import RIVALS


@dataclass(frozen=True)
class Target:
    """The machine's accepted rows, and who trains, calibrates and judges."""

    rows: CheckedRows
    split: Split


@dataclass(frozen=True)
class Adaptation:
    """A candidate and what everybody says of the judged rows.

    Attributes:
        target: the machine's rows and their split.
        bundle: folder of the candidate bundle.
        predictions: ``.npz`` with ``rows`` (positions judged) and, by contestant, ``NAME.probabilities`` and
            ``NAME.alarms``; ``candidate`` is one of the names.
        history: training curves of the final fit.
        could_not_run: why, by name of the rival.
    """

    target: Target
    bundle: Path
    predictions: Path
    history: History
    could_not_run: dict[str, str]


def read_target(rows: CheckedRows, features: tuple[str, ...]) -> Dataset:
    """The accepted rows as arrays, sensors in ``features`` order."""
    return dataset_from(pd.read_feather(require_accepted(rows)), features)


def split_target(job: Job[TransferRequest], models: Models, rows: CheckedRows) -> Target:
    """Divide the rows into those that train, calibrate and judge.

    Raises:
        DataError: a file was refused, or the rows hold one class only or too few faults.
        ContractError: the sensors are not the source model's, the champion lacks one of its own, or
            a unit or label has another meaning.
    """
    features = load_bundle(models.source_bundle).features
    require_same_sensors(job.contract, features)
    require_sensors_of_champion(job.contract, models)
    for bundle in filter(None, (models.source_bundle, models.champion_bundle)):
        require_same_meaning(job.contract, bundle)
    options = job.request.options
    split = split_rows(read_target(rows, features), options.split, options.seed)
    progress.info("Split: %s, %s", split.mode, split.reason)
    return Target(rows, split)


def adapt_source(job: Job[TransferRequest], models: Models, target: Target) -> Adaptation:
    """Scale, freeze, adapt, and put the rivals through the same rows.

    Raises:
        StrategyError: the strategy cannot run on these rows.
    """
    options, split, work = job.request.options, target.split, job.work
    strategy = chosen_strategy(options)
    source = load_bundle(models.source_bundle)
    data = read_target(target.rows, source.features)
    source_rows = load_dataset(models.source_rows) if models.source_rows else None
    task = Task(source, data, source_rows, options)
    progress.info("Adapting: %s (%d rows, %d faults)", strategy.title, len(data), data.faults)
    candidate, predictions, final = run_strategy(strategy, task, split)
    spoken: dict[str, Predictions] = {"candidate": predictions}
    failures: dict[str, str] = {}
    for rival in RIVALS.values():
        _hear(rival, task, split, spoken, failures)
    lineage = {
        **candidate.lineage,
        "contract": job.contract.model_dump(mode="json"),
        "data": list(target.rows.files),
    }
    save_bundle(dataclasses.replace(candidate, lineage=lineage), work / "bundle", data.X)
    path = work / "predictions.npz"
    arrays = {f"{name}.probabilities": said.probabilities for name, said in spoken.items()}
    arrays |= {f"{name}.alarms": said.alarms for name, said in spoken.items()}
    np.savez(path, rows=test_rows(split), **arrays)  # type: ignore[arg-type]  # numpy's stub wants one dtype
    return Adaptation(target, work / "bundle", path, final.history, failures)


def _hear(
    rival: Rival, task: Task, split: Split, spoken: dict[str, Predictions], failures: dict[str, str]
) -> None:
    progress.info("Rival: %s", rival.title)
    try:
        spoken[rival.name] = run_rival(rival, task, split)
    except (
        StrategyError
    ) as error:  # a rival that cannot run is said so in the report, and stops nothing
        failures[rival.name] = str(error)
