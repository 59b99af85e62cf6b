"""Adapt the source bundle to the target, and put the rivals through the same rows."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import load_bundle, save_bundle
from faultxfer.config import TransferOptions
from faultxfer.contract.schema import Contract
from faultxfer.data.dataset import Dataset, dataset_from, load_dataset
from faultxfer.data.split import Split, split_rows
from faultxfer.errors import StrategyError
from faultxfer.network.fit import History
from faultxfer.progress import progress
from faultxfer.steps.intake import CheckedRows, require_accepted
from faultxfer.steps.sources import (
    Fetched,
    require_same_meaning,
    require_same_sensors,
    require_sensors_of_champion,
)
from faultxfer.strategies import chosen_strategy
from faultxfer.strategies.procedure import Predictions, judged_rows, run_rival, run_strategy
from faultxfer.strategies.protocol import Rival, Task
from faultxfer.strategies.rivals import RIVALS


@dataclass(frozen=True)
class Adaptation:
    """A candidate and what everybody says of the judged rows.

    Attributes:
        bundle: folder of the candidate bundle.
        predictions: ``.npz`` with ``rows`` (positions judged) and, by contestant, ``NAME.probabilities`` and
            ``NAME.alarms``; ``candidate`` is one of the names.
        history: training curves of the final fit.
        could_not_run: why, by name of the rival.
    """

    bundle: Path
    predictions: Path
    history: History
    could_not_run: dict[str, str]


def check_strategy(options: TransferOptions) -> None:
    """Before anything is read: is there such a strategy, and does it use what is given?

    Raises:
        ConfigError: no.
    """
    chosen_strategy(options)


def read_target(rows: CheckedRows, features: tuple[str, ...]) -> Dataset:
    """The accepted rows as arrays, sensors in ``features`` order."""
    return dataset_from(pd.read_feather(require_accepted(rows)), features)


def split_target(
    rows: CheckedRows, fetched: Fetched, contract: Contract, options: TransferOptions
) -> Split:
    """Decide who trains, who calibrates and who judges.

    Raises:
        DataError: a file was refused, or the rows hold one class only or too few faults.
        ContractError: the sensors are not the source model's, the champion lacks one of its own, or a unit or label
            has another meaning.
    """
    features = load_bundle(fetched.source_bundle).features
    require_same_sensors(contract, features)
    require_sensors_of_champion(contract, fetched)
    for bundle in filter(None, (fetched.source_bundle, fetched.champion_bundle)):
        require_same_meaning(contract, bundle)
    split = split_rows(read_target(rows, features), options.split, options.seed)
    progress.info("Split: %s, %s", split.mode, split.reason)
    return split


def adapt_source(
    rows: CheckedRows,
    fetched: Fetched,
    split: Split,
    contract: Contract,
    options: TransferOptions,
    *,
    work: Path,
) -> Adaptation:
    """Scale, freeze, adapt; then the rivals.

    Raises:
        StrategyError: the strategy cannot run on these rows.
    """
    strategy = chosen_strategy(options)
    source = load_bundle(fetched.source_bundle)
    target = read_target(rows, source.features)
    source_rows = load_dataset(fetched.source_rows) if fetched.source_rows else None
    task = Task(source, target, source_rows, options)
    progress.info("Adapting: %s (%d rows, %d faults)", strategy.title, len(target), target.faults)
    candidate, predictions, final = run_strategy(strategy, task, split)
    spoken: dict[str, Predictions] = {"candidate": predictions}
    failures: dict[str, str] = {}
    for rival in RIVALS.values():
        _hear(rival, task, split, spoken, failures)
    lineage = {
        **candidate.lineage,
        "contract": contract.model_dump(mode="json"),
        "data": list(rows.files),
    }
    save_bundle(dataclasses.replace(candidate, lineage=lineage), work / "bundle", target.X)
    path = work / "predictions.npz"
    arrays = {f"{name}.probabilities": said.probabilities for name, said in spoken.items()}
    arrays |= {f"{name}.alarms": said.alarms for name, said in spoken.items()}
    arrays |= {
        f"{name}.ranking": said.ranking for name, said in spoken.items() if said.ranking is not None
    }
    np.savez(path, rows=judged_rows(split), **arrays)  # type: ignore[arg-type]  # numpy's stub wants one dtype
    return Adaptation(work / "bundle", path, final.history, failures)


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
