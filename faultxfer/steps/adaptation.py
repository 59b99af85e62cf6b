"""Adapt the source bundle to the target, and put the rivals through the same rows."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import Bundle, load_bundle, read_spare_network, save_bundle
from faultxfer.bundle.imputer import Imputer, load_imputer
from faultxfer.bundle.manifest import read_manifest
from faultxfer.bundle.references import References, keep_references
from faultxfer.config import TransferOptions
from faultxfer.contract.schema import Contract
from faultxfer.data.dataset import Dataset, dataset_from, load_dataset
from faultxfer.data.split import Split, split_rows
from faultxfer.errors import DataError, StrategyError
from faultxfer.evaluate.intervals import Interval
from faultxfer.following import ASKED
from faultxfer.network.recipe import History
from faultxfer.progress import NOTE, progress
from faultxfer.requests import TransferRequest
from faultxfer.steps.contradictions import contradictions
from faultxfer.steps.intake import CheckedRows, require_accepted
from faultxfer.steps.lost_sensors import JUDGED_GAPS, gaps_when_judged
from faultxfer.steps.next_commands import asked_of, until_labels_suffice
from faultxfer.steps.opening import Job
from faultxfer.steps.sources import (
    Models,
    require_same_meaning,
    sensor_change,
)
from faultxfer.strategies import STRATEGIES, chosen_strategy
from faultxfer.strategies.narrowing import SENSOR_CHANGE, Kept, SensorChange, narrowed
from faultxfer.strategies.procedure import (
    Predictions,
    in_company,
    run_rival,
    run_strategy,
    test_rows,
)
from faultxfer.strategies.protocol import Rival, Strategy, Task
from faultxfer.strategies.rivals import RIVALS
from faultxfer.strategies.sensor_evidence import sensor_evidence
from faultxfer.strategies.shared_fits import in_threads
from faultxfer.strategies.source_alone import TITLE as SOURCE_ALONE
from faultxfer.strategies.source_alone import source_alone
from faultxfer.strategies.window_models import machine_windows

# The candidate, and the source as it is with a calibrator and a threshold of the target's: names of
# their folders, and of what they predict.
ADAPTED, RECALIBRATED = "bundle", "recalibrated"
CANDIDATE = "candidate"
# Name of the strategy that makes the latter.
RECALIBRATE = "recalibrate"
# Source rows that tell what a candidate has forgotten.
_SOURCE_ROWS = 4000


@dataclass(frozen=True)
class Target:
    """The machine's accepted rows, its sensors, and who trains, calibrates and judges."""

    rows: CheckedRows
    split: Split
    change: SensorChange


@dataclass(frozen=True)
class Adaptation:
    """A candidate and what everybody predicts for the test rows.

    Attributes:
        target: the machine's rows and their split.
        folder: holds the candidate bundle and the predictions.
        history: training curves of the final fit.
        could_not_run: why, by name of the rival.
        source_gain: by how much the recalibrated source ranks the rows better than what was
            adapted, where the rows show that; the source is the candidate then.
        against: what contradicts the labels, or who vouches, in whole sentences.
    """

    target: Target
    folder: Path
    history: History
    could_not_run: dict[str, str]
    source_gain: Interval | None = None
    against: tuple[str, ...] = ()

    @property
    def bundle(self) -> Path:
        """Folder of the candidate bundle."""
        return self.folder / ADAPTED if self.source_gain is None else self.recalibrated

    @property
    def recalibrated(self) -> Path:
        """Folder of the source bundle with the target's calibration; missing where it has none.

        Either may be registered, so both bear the name that the registry asks for.
        """
        return self.folder / RECALIBRATED / ADAPTED

    def by_source(self, gain: Interval) -> Adaptation:
        """The same with the source as the candidate, for which nothing was trained."""
        return dataclasses.replace(self, source_gain=gain, history={})

    def options_of_candidate(self, asked: TransferOptions) -> TransferOptions:
        """The options that made the candidate, where others were asked for too."""
        return asked if self.source_gain is None else _to_recalibrate(asked)

    @property
    def predictions(self) -> Path:
        """File of :func:`save_predictions`: candidate and rivals on the test rows."""
        return self.folder / "predictions.npz"

    @property
    def source_predictions(self) -> Path:
        """The same of the source model on source rows.

        Missing where none of both classes are kept.
        """
        return self.folder / "source_predictions.npz"


def read_target(rows: CheckedRows, features: tuple[str, ...]) -> Dataset:
    """The accepted rows as arrays, sensors in ``features`` order."""
    return dataset_from(pd.read_feather(require_accepted(rows)), features)


def read_for(rows: CheckedRows, bundle: Bundle) -> Dataset:
    """The accepted rows as a bundle would score them today.

    Sensors that the rows lack are filled in and marked where the bundle can do that, and stay NaN
    where it cannot.
    """
    accepted = pd.read_feather(require_accepted(rows))
    there = tuple(name for name in bundle.features if name in accepted.columns)
    data = dataset_from(accepted, there).with_sensors(bundle.features)
    filled = bundle.completed(data.X)
    gone = np.isnan(data.X) & ~np.isnan(filled)
    if not gone.any():
        return data
    imputed = gone if data.imputed is None else data.imputed | gone
    return dataclasses.replace(data, X=filled, imputed=imputed)


def kept_imputer(rows: CheckedRows, features: tuple[str, ...]) -> Imputer | None:
    """What fills in missing readings of these rows and of later ones; None where nothing does."""
    return None if rows.imputer is None else load_imputer(rows.imputer, len(features))


def kept_references(fitted: Dataset) -> References | None:
    """Healthy rows that alarms will be explained by; None where none is healthy.

    Args:
        fitted: rows that something is fitted on, and none that judge.
    """
    return keep_references(fitted.X, fitted.y, fitted.mode)


def split_target(job: Job[TransferRequest], models: Models, rows: CheckedRows) -> Target:
    """Divide the rows into those that train, calibrate and judge.

    Raises:
        DataError: a file was refused, or the rows hold one class only or too few faults.
        ContractError: no sensor is the source model's, or a unit or label has another meaning.
    """
    change = sensor_change(job.contract, read_manifest(models.source_bundle).features)
    for bundle in filter(None, (models.source_bundle, models.champion_bundle)):
        require_same_meaning(job.contract, bundle)
    options = job.request.options
    try:
        split = split_rows(read_target(rows, change.features), options.split, options.seed)
    except DataError as error:
        raise _with_a_way_to_score(error, job, models) from error
    progress.info("Split: %s, %s", split.mode, split.reason, extra=NOTE)
    return Target(rows, split, change)


def _with_a_way_to_score(error: DataError, job: Job[TransferRequest], models: Models) -> DataError:
    """The same error, which says too what the machine can be scored with until there is more.

    Where the file lacks a sensor, so it would at scoring: the error says how to go on without.
    """
    if error.absent:
        return error
    command = until_labels_suffice(job.request, job.contract, champion=models.champion is not None)
    remedy = f"{error.remedy}. Until then score with what there is: `{command}`" if command else ""
    return DataError(
        error.expected, received=error.received, where=error.where, remedy=remedy or error.remedy
    )


def adapt_source(job: Job[TransferRequest], models: Models, target: Target) -> Adaptation:
    """Scale, freeze, adapt, and put the rivals through the same rows.

    Raises:
        StrategyError: the strategy cannot run on these rows.
    """
    options, split, features = job.request.options, target.split, target.change.features
    strategy = chosen_strategy(options)
    known, data = load_bundle(models.source_bundle), read_target(target.rows, features)
    source, source_rows = source_for(job.contract, models, known, target.change, options.seed)
    against = contradictions(source, data, target.rows, split)
    for sentence in against:
        progress.warning("%s", sentence, extra=NOTE)
    data = machine_windows(data, source, split.blocks(len(data)))
    task = Task(source, data, source_rows, options)
    title = strategy.title if split.has_both_classes else SOURCE_ALONE
    progress.info("Adapting: %s (%d rows, %d faults)", title, len(data), data.faults)
    learnt = compete(strategy, task, split) if split.has_both_classes else _undisputed(task, split)
    adapted = Adaptation(target, job.work, learnt.history, learnt.could_not_run, against=against)
    made = {job.work / ADAPTED: learnt.candidate}
    if learnt.recalibrated:
        made[adapted.recalibrated] = learnt.recalibrated
    contract = job.contract.model_dump(mode="json")
    imputer = kept_imputer(target.rows, features)
    fitted = np.sort(np.concatenate([split.train, split.calibration]))
    references = kept_references(data.take(fitted)) or source.references
    gaps = gaps_when_judged(target.rows, data.take(test_rows(split)), job.contract)
    for folder, bundle in made.items():
        lineage = bundle.lineage | {
            "contract": contract,
            "data": list(target.rows.sources),
            ASKED: asked_of(job.request),
            JUDGED_GAPS: gaps,
        }
        whole = dataclasses.replace(bundle, lineage=lineage, imputer=imputer, references=references)
        save_bundle(whole, folder, data.X)
    save_predictions(adapted.predictions, learnt.predictions, test_rows(split))
    _predict_source_rows(known, source_rows, adapted.source_predictions)
    return adapted


@dataclass(frozen=True)
class Learnt:
    """What was fitted on the machine's rows.

    Attributes:
        candidate: the adapted bundle.
        recalibrated: the source with the target's calibration; None where it has none.
        predictions: of the test rows, by name of the contestant.
        history: training curves of the candidate's final fit.
        could_not_run: why, by name of the rival.
    """

    candidate: Bundle
    recalibrated: Bundle | None
    predictions: dict[str, Predictions]
    history: History
    could_not_run: dict[str, str]


def compete(strategy: Strategy, task: Task, split: Split) -> Learnt:
    """Put a strategy, the rivals and the recalibrated source through the same rows.

    Raises:
        DataError, StrategyError: see :func:`.run_strategy`.
    """
    task = in_company(task, split)
    candidate, own, final = run_strategy(strategy, task, split)
    rivals, could_not_run = _run_rivals(task, split)
    predictions = {CANDIDATE: own, **rivals}
    again = _recalibrated(task, split)
    if again:
        predictions[RECALIBRATED] = again[1]
    recalibrated = again[0] if again else None
    return Learnt(candidate, recalibrated, predictions, final.history, could_not_run)


def _undisputed(task: Task, split: Split) -> Learnt:
    """The source where nothing can be fitted on the rows, so that there is no rival either.

    Raises:
        DataError, StrategyError: see :func:`.source_alone`.
    """
    bundle, predictions = source_alone(task, split)
    without = dict.fromkeys(RIVALS, "it takes rows of both classes")
    return Learnt(bundle, None, {CANDIDATE: predictions}, {}, without)


def source_for(
    contract: Contract, models: Models, source: Bundle, change: SensorChange, seed: int
) -> tuple[Bundle, Dataset | None]:
    """The source for the machine's sensors, and its kept rows.

    What their difference costs is said, before anything trains.

    Raises:
        StrategyError: the source model keeps too little for that.
    """
    rows = load_dataset(models.source_rows) if models.source_rows else None
    if not change.differs:
        return source, rows
    judging = load_dataset(models.judging_rows) if models.judging_rows else None
    spare = read_spare_network(models.source_bundle) if change.missing else None
    units = {name: sensor.unit for name, sensor in contract.sensors.items()}
    evidence = sensor_evidence(rows, change, seed)
    level = logging.WARNING if change.missing else logging.INFO
    for sentence in evidence.sentences:
        progress.log(level, sentence, extra=NOTE)
    kept = Kept(rows, judging, spare)
    own = narrowed(source, kept, change, units, seed, guess=not evidence.lost)
    said = {**evidence.as_dict(), **own.lineage.get(SENSOR_CHANGE, {})}
    return dataclasses.replace(own, lineage={**own.lineage, SENSOR_CHANGE: said}), rows


def _recalibrated(task: Task, split: Split) -> tuple[Bundle, Predictions] | None:
    """The source as it is with a calibrator and a threshold of the target's.

    It takes the candidate's place where the rows show that it ranks them better. None where the
    source lacks something, where its scores cannot keep the false-alarm rate that is promised, or
    where it is the candidate anyway.
    """
    options = _to_recalibrate(task.options)
    if options == task.options:
        return None
    try:
        bundle, predictions, _ = run_strategy(
            STRATEGIES[RECALIBRATE], dataclasses.replace(task, options=options), split
        )
    except (DataError, StrategyError):
        return None
    return bundle, predictions


def _to_recalibrate(options: TransferOptions) -> TransferOptions:
    """The options by which the source is left as it is but for its calibration and threshold."""
    return options.model_copy(update={"strategy": RECALIBRATE, "input_map": None})


def _predict_source_rows(source: Bundle, kept: Dataset | None, path: Path) -> None:
    """Keep what the source model predicts for its own rows, while its network is loaded."""
    if kept is None:
        return
    positions = np.random.default_rng(0).permutation(len(kept))[:_SOURCE_ROWS]
    rows = kept.take(positions)
    if rows.faults in (0, len(rows)):
        return
    probabilities = source.probabilities(rows.X, rows.moments)
    predicted = Predictions(probabilities, source.alarms(probabilities, rows.moments))
    save_predictions(path, {"source": predicted}, positions)


def _run_rivals(task: Task, split: Split) -> tuple[dict[str, Predictions], dict[str, str]]:
    """What each rival predicts, by name, and why others could not run."""
    progress.info("Rivals: %s", ", ".join(rival.title for rival in RIVALS.values()))

    def attempted(rival: Rival) -> Predictions | str:
        try:
            return run_rival(rival, task, split)
        except StrategyError as error:
            return str(error)  # The report says so; it stops nothing.

    predictions: dict[str, Predictions] = {}
    could_not_run: dict[str, str] = {}
    for name, found in zip(RIVALS, in_threads(attempted, [*RIVALS.values()]), strict=True):
        if isinstance(found, str):
            could_not_run[name] = found
        else:
            predictions[name] = found
    return predictions, could_not_run


def save_predictions(path: Path, predictions: dict[str, Predictions], rows: np.ndarray) -> None:
    """Keep what each contestant predicts for the rows at these positions."""
    arrays: dict[str, Any] = {"rows": rows}
    for name, predicted in predictions.items():
        arrays[f"{name}.probabilities"] = predicted.probabilities
        arrays[f"{name}.alarms"] = predicted.alarms
        if predicted.ranking is not None:
            arrays[f"{name}.ranking"] = predicted.ranking
    np.savez(path, **arrays)


def load_predictions(path: Path) -> tuple[dict[str, Predictions], np.ndarray]:
    """What :func:`save_predictions` kept."""
    with np.load(path, allow_pickle=False) as stored:
        names = [key.removesuffix(".alarms") for key in stored if key.endswith(".alarms")]
        predictions = {name: _stored_predictions(stored, name) for name in names}
        return predictions, stored["rows"]


def _stored_predictions(stored: Any, name: str) -> Predictions:
    return Predictions(
        stored[f"{name}.probabilities"], stored[f"{name}.alarms"], stored.get(f"{name}.ranking")
    )
