"""Train the source model on equipment with history."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.bundle.bundle import Bundle, save_bundle
from faultxfer.bundle.calibration import Calibrator, fit_calibrator
from faultxfer.bundle.frozen import SourceModels, WindowModels
from faultxfer.bundle.input_map import spread_of
from faultxfer.bundle.manifest import read_manifest
from faultxfer.bundle.scaler import Scaler, fit_scaler
from faultxfer.bundle.sensors import keep_sensors
from faultxfer.bundle.smoothing import Smoothing
from faultxfer.bundle.threshold import REPORTED_CONFIDENCE, choose_threshold
from faultxfer.config import PretrainOptions
from faultxfer.contract.schema import Contract
from faultxfer.data.continuous import Parts, cut_into_parts
from faultxfer.data.dataset import Dataset, save_dataset
from faultxfer.data.split import divide_runs, require_both_classes
from faultxfer.data.thinning import sampled
from faultxfer.errors import DataError
from faultxfer.evaluate.drawing import SOURCE
from faultxfer.evaluate.events import measure_events
from faultxfer.evaluate.gate.check import PROMOTED
from faultxfer.evaluate.metrics import Metrics, measure
from faultxfer.evaluate.plant_words import Measured, faults_and_alarms, judged_on
from faultxfer.evaluate.plots import save_pictures
from faultxfer.evaluate.report_page import SourceReport
from faultxfer.evaluate.rows import ScoredRows
from faultxfer.following import Next
from faultxfer.metric_table import METRICS, OPERATOR_ALARMS_PER_DAY
from faultxfer.network.arrays import ArrayNetwork
from faultxfer.network.pretrain import fit_ensemble
from faultxfer.network.recipe import History
from faultxfer.network.sensor_dropout import fit_with_dropout
from faultxfer.network.size import chosen_sensors
from faultxfer.outputs import keep_docs
from faultxfer.progress import NOTE, progress
from faultxfer.registry import data_sets, journal, names
from faultxfer.registry.connect import Access
from faultxfer.registry.identity import Identity
from faultxfer.registry.promotion import Promotion
from faultxfer.registry.provenance import code
from faultxfer.registry.registering import NewVersion, register
from faultxfer.registry.runs import RunRecord
from faultxfer.registry.smoke import expect_smoke_test
from faultxfer.registry.store import open_registry
from faultxfer.requests import PretrainRequest
from faultxfer.steps.adaptation import kept_imputer, kept_references, read_target
from faultxfer.steps.data_sets import files_read, judged_data, profile
from faultxfer.steps.fleet_sensors import FleetSensors, fleet_sensors
from faultxfer.steps.intake import CheckedRows
from faultxfer.steps.next_commands import after_pretraining
from faultxfer.steps.opening import Job
from faultxfer.steps.plain_data import plain_fields
from faultxfer.steps.registration import (
    EXAMPLE_ROWS,
    flat_options,
    keep_contract,
    with_logged_docs,
)
from faultxfer.steps.reporting import write_source_page
from faultxfer.steps.sources import JUDGING_ROWS, SOURCE_ROWS
from faultxfer.steps.speaking import sensors_on
from faultxfer.strategies.delay_choice import Aim, choose_alarms
from faultxfer.strategies.smoothing_choice import best_way, smoothed, ways_to_smooth
from faultxfer.strategies.source_benefit import JUDGED, fit_source_models
from faultxfer.strategies.window_models import WINDOWS_HELP, source_windows, window_models

_JUDGING_ROWS = 2_000
# Rows and readings that trees and network learn from; statistics are of every training row.
_MOST_ROWS, _MOST_READINGS = 100_000, 20_000_000
# Of one sensor none can be missing.
_LEAST_SENSORS = 2


@dataclass(frozen=True)
class Pretrained:
    """A source bundle and how good it is on source runs held out of everything.

    Attributes:
        bundle: folder of the bundle.
        folder: of what the run keeps beside it.
        pictures: by name.
        history: training curves.
        metrics: on the test runs.
        finds: the same in the words of a plant.
        held_out: how recordings were cut and what the metrics are worth then; empty for runs.
        reads: sensors that the network of a wide plant reads; empty where it reads all.
        judged: what was counted in the test rows.
        fleet: which machines lack which sensors.
    """

    bundle: Path
    folder: Path
    pictures: dict[str, Path]
    history: History
    metrics: Metrics
    finds: str
    held_out: str = ""
    reads: tuple[str, ...] = ()
    judged: Mapping[str, Any] = field(default_factory=dict)
    fleet: FleetSensors = field(default_factory=FleetSensors)

    @property
    def chosen(self) -> str:
        """What a person should know where the network does not read every sensor."""
        if not self.reads:
            return ""
        return (
            f" The network reads {len(self.reads)} sensors, those by which the source's trees gain "
            "most on training runs; `report.json` names them. Trees and logistic regression read "
            "all."
        )


@dataclass(frozen=True)
class PretrainResult:
    """What ``pretrain`` did.

    ``finds`` says in the words of a plant what the metrics show. ``held_out`` says how recordings
    were cut, and what the metrics are worth, where no column names runs; it is empty where whole
    runs were held out. ``next`` is what to type now. ``fleet`` says which
    machines lack which sensors.
    """

    model: str
    version: str
    run_id: str
    tracking_uri: str
    metrics: Metrics
    pictures: dict[str, str]
    rows: CheckedRows
    held_out: str = ""
    finds: str = ""
    next: tuple[Next, ...] = ()
    fleet: FleetSensors = field(default_factory=FleetSensors)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"outcome": "registered", **plain_fields(self)}


def train_source(job: Job[PretrainRequest], rows: CheckedRows) -> Pretrained:
    """Train the source network.

    Scaler and network are fitted on training runs; validation runs stop and calibrate; test runs
    judge. Where no column names runs and the recordings are too few, they are cut into parts.

    Raises:
        DataError: a file was refused, or a side would lack a class.
    """
    options, model = job.request.options, job.request.model
    expect_smoke_test()
    job = of_the_fleet(job, rows)
    data = read_target(rows, job.contract.features)
    require_both_classes(data)
    fleet = fleet_sensors(data, job.contract, rows.unmeasured)
    for sentence in fleet.sentences:
        progress.info(sentence, extra=NOTE)
    parts = _parts(data, job)
    train, validation, test = _sides(data, job) if parts is None else _sides_of(parts)
    held_out = "" if parts is None else f"{parts.reason} {parts.validity}"
    if held_out:
        progress.info(held_out, extra=NOTE)
    runs = len(set(train.run))
    progress.info("Training the source network (%d rows of %d runs)", len(train), runs)
    learnt_from = _learnt_from(train, options.seed)
    if sampling := _sampling(learnt_from, train):
        progress.info(sampling, extra=NOTE)
    bundle, history = _fit(train, learnt_from, validation, job)
    folder = job.work / "report"
    folder.mkdir()
    keep_docs(rows.docs, folder)
    judged = _judged(bundle, test)
    metrics = measure(judged.y, judged.probabilities, judged.alarms)
    pictures = save_pictures(folder, judged, {}, {SOURCE: metrics.pr_auc}, history, who=SOURCE)
    lineage = {
        "strategy": "pretrain",
        "identity": {"model": model, "data": list(rows.files), "seed": options.seed},
        "options": options.model_dump(mode="json"),
        "contract": job.contract.model_dump(mode="json"),
        "data": list(rows.files),
        "training_rows": len(train),
        "classes": {"rows": len(data), "faults": data.faults},
        JUDGED: metrics.as_dict(),
        **({} if parts is None else {"held_out": parts.as_dict()}),
    }
    imputer = kept_imputer(rows, data.features)
    bundle = dataclasses.replace(
        bundle,
        lineage=lineage,
        imputer=imputer,
        references=kept_references(train),
        sensors=keep_sensors(train.features, train.measured, train.y, train.equipment),
    )
    save_bundle(bundle, job.work / "bundle", test.X)
    reads = _names_read(bundle)
    said: dict[str, Any] = {"held_out": held_out} if held_out else {}
    if reads:
        said["network_reads"] = reads
    if sampling:
        said["learnt_from"] = sampling
    if fleet:
        said["fleet"] = fleet.as_dict()
    said["sensors"] = [one.as_dict() for one in sensors_on(bundle, test, judged)]
    report = json.dumps({"metrics": metrics.as_dict(), **said}, indent=2)
    (folder / "report.json").write_text(report, encoding="utf-8")
    if options.kept_source_rows:
        kept = _kept_rows(train, options)
        pool = source_windows(train, kept) if _looks_back(bundle) else train.take(kept)
        save_dataset(pool, folder / SOURCE_ROWS)
        some = np.random.default_rng(options.seed).permutation(len(test))[:_JUDGING_ROWS]
        save_dataset(test.take(np.sort(some)), folder / JUDGING_ROWS)
    finds = _finds(metrics, judged, bundle.threshold, held_out)
    trained = Pretrained(
        bundle=job.work / "bundle",
        folder=folder,
        pictures=pictures,
        history=history,
        metrics=metrics,
        finds=finds,
        held_out=held_out,
        reads=reads,
        judged=profile(test.y, test.run, test.time),
        fleet=fleet,
    )
    notes = (trained.chosen.strip(), sampling, _looks_back(bundle), *trained.fleet.sentences)
    page = SourceReport(model, finds, metrics, held_out, notes)
    write_source_page(folder, page, rows, data, pictures, after_pretraining(job.request))
    return trained


def register_source(
    job: Job[PretrainRequest], rows: CheckedRows, trained: Pretrained
) -> PretrainResult:
    """Register the source model as champion."""
    job, model = of_the_fleet(job, rows), job.request.model
    progress.info("Registering %s", model)
    registry = open_registry(access=Access.CREATING)
    features = read_manifest(trained.bundle).features
    candidate = NewVersion(
        name=names.registered_name(model),
        model_tags={names.KIND: names.SOURCE_KIND, **_identity(job.contract).tags()},
        bundle_folder=trained.bundle,
        features=features,
        example=read_target(rows, features).X[:EXAMPLE_ROWS],
    )
    record = _run_record(job, rows, trained)
    version = register(registry, record, candidate, _promotion(job, rows))
    return PretrainResult(
        model=model,
        version=version.version,
        run_id=version.run_id,
        tracking_uri=registry.address,
        metrics=trained.metrics,
        pictures=registry.artifact_addresses(version.run_id, trained.pictures),
        rows=with_logged_docs(rows, registry, version.run_id),
        held_out=trained.held_out,
        finds=trained.finds,
        next=after_pretraining(job.request),
        fleet=trained.fleet,
    )


def of_the_fleet(job: Job[PretrainRequest], rows: CheckedRows) -> Job[PretrainRequest]:
    """The job under the contract of its machines: without sensors that none of them has."""
    contract = job.contract.without_sensors(rows.unmeasured)
    return job if contract is job.contract else dataclasses.replace(job, contract=contract)


def _promotion(job: Job[PretrainRequest], rows: CheckedRows) -> Promotion:
    details = {
        journal.OUTCOME: PROMOTED,
        "data": dict(rows.files),
        "contract_sha256": job.contract.digest(),
        "seed": job.request.options.seed,
        **code(),
    }
    return Promotion("Pretrained on equipment with history", details)


def _run_record(job: Job[PretrainRequest], rows: CheckedRows, trained: Pretrained) -> RunRecord:
    model = job.request.model
    tags = {
        names.MODEL: model,
        names.KIND: names.SOURCE_KIND,
        **_identity(job.contract).tags(),
        names.DATA: ",".join(digest for _, digest in rows.files)[:4000],
        names.CONTRACT: job.contract.digest(),
    }
    keep_contract(job, trained.folder)
    judged = judged_data(rows, job.contract, f"{model}: rows that judged", trained.judged)
    return RunRecord(
        name=f"pretrain {model}",
        tags=tags,
        params=flat_options(job.request.options.model_dump(mode="json")),
        metrics=dict(trained.metrics.as_dict()),
        curves=trained.history,
        data=files_read(rows, job.contract, data_sets.SOURCE),
        files=trained.folder,
        note=" ".join([_note(model, trained) + trained.chosen, *trained.fleet.sentences]),
        judged=judged,
    )


def _identity(contract: Contract) -> Identity:
    return Identity(contract.family, contract.label.column)


def _shares(options: PretrainOptions) -> tuple[float, float]:
    return options.validation_share, options.test_share


def _parts(data: Dataset, job: Job[PretrainRequest]) -> Parts | None:
    """Recordings cut into parts, where no column names runs and whole ones cannot be held out."""
    if job.contract.run_column is not None:
        return None
    options = job.request.options
    sides = divide_runs(data, _shares(options), options.seed)
    if all(0 < data.y[rows].sum() < len(rows) for rows in sides):
        return None
    return cut_into_parts(data, _shares(options), options.seed)


def _sides_of(parts: Parts) -> tuple[Dataset, Dataset, Dataset]:
    train, validation, test = (parts.data.take(rows) for rows in parts.sides)
    return train, validation, test


def _sides(data: Dataset, job: Job[PretrainRequest]) -> tuple[Dataset, Dataset, Dataset]:
    """Rows that train, that stop and calibrate, and that judge."""
    options, run_column = job.request.options, job.contract.run_column
    sides = divide_runs(data, _shares(options), options.seed)
    train, validation, test = (data.take(rows) for rows in sides)
    runs = len(set(data.run))
    for name, side in (("training", train), ("validation", validation), ("test", test)):
        if side.faults in (0, len(side)):
            few = "source runs" if run_column else "faults or normal rows to hold some out"
            raise DataError(
                f"There are too few {few}: the {name} side would lack faults or normal rows",
                received={"rows": len(side), "fault rows": side.faults, "runs in all": runs},
                remedy=_MORE_RUNS if run_column else _MORE_FAULTS,
            )
    return train, validation, test


_MORE_RUNS = (
    "Give more source recordings: about five runs with faults and five without are the least. If "
    "the runs are parts of one recording, take `run_column` out of the contract and put the column "
    "under `ignore`: then the recording is cut into blocks"
)
_MORE_FAULTS = (
    "Give recordings with more labelled faults and normal rows; of each, every side needs some"
)


def _learnt_from(train: Dataset, seed: int) -> Dataset:
    """Training rows that trees and network are fitted on: bounded, so that their memory is."""
    most = min(_MOST_ROWS, _MOST_READINGS // len(train.features))
    rows = sampled(train.y, train.run, most, seed)
    return train if len(rows) == len(train) else train.take(rows)


def _sampling(some: Dataset, train: Dataset) -> str:
    """What a person should know of a sample; empty where there is none."""
    if len(some) == len(train):
        return ""
    return (
        f"Trees and network learn from {len(some)} of {len(train)} training rows, of "
        f"{len(set(some.run))} runs: rows of long runs are left out evenly, as neighbours hardly "
        "differ. Scaling and quartiles are those of all rows."
    )


def _fit(
    train: Dataset, some: Dataset, validation: Dataset, job: Job[PretrainRequest]
) -> tuple[Bundle, History]:
    """Statistics of the training rows, models of some; calibrator and threshold by validation."""
    options = job.request.options
    scaler = fit_scaler(train.X)
    spread, normal = spread_of(train.X), spread_of(train.X[train.y == 0])
    models = fit_source_models(some.X, some.y, options.seed, spread, normal)
    judged = _learnt_from(validation, options.seed)
    read = _sensors_read(models, len(train.features))
    network, history = fit_ensemble(
        scaler(some.X),
        some.y,
        _teacher(models, scaler),
        (scaler(judged.X), judged.y),
        seed=options.seed,
        options=options.network,
        read=read,
    )
    models = dataclasses.replace(models, over_windows=_over_windows(models, train, validation, job))
    units = {name: sensor.unit for name, sensor in job.contract.sensors.items()}
    raw = Bundle(train.features, units, scaler, network, Calibrator(), 0.5, models=models)
    spare = _spare_network(raw, some, judged, options)
    smoothing, logits = _smoothed(raw, validation)
    calibrator = fit_calibrator(logits, validation.y)
    probabilities = calibrator(logits)
    alarm = choose_threshold(probabilities, validation.y, validation.run, options.false_alarm_rate)
    aim = Aim(options.false_alarm_rate, promised=False, per_day=OPERATOR_ALARMS_PER_DAY)
    chosen = choose_alarms(probabilities, alarm.value, validation.y, validation.moments, aim)
    learnt_from = np.concatenate([train.fingerprints(), validation.fingerprints()])
    whole = dataclasses.replace(
        raw,
        smoothing=smoothing,
        delays=chosen.delays,
        calibrator=calibrator,
        threshold=alarm.value,
        alarm=alarm,
        training_rows=np.unique(learnt_from),
        spare=spare,
    )
    return whole, history


def _over_windows(
    models: SourceModels, train: Dataset, validation: Dataset, job: Job[PretrainRequest]
) -> WindowModels | None:
    """Models that look at the rows before a row, where validation rows show that these tell more.

    They read four times as many columns, so they are fitted on fewer rows of wide plants.
    """
    seed, most = job.request.options.seed, _MOST_READINGS // (4 * len(train.features))
    held, rows = (sampled(each.y, each.run, most, seed) for each in (validation, train))
    over = window_models(train, rows, source_windows(validation, held), models, seed)
    if over is not None:
        progress.info(WINDOWS_HELP, extra=NOTE)
    return over


def _looks_back(bundle: Bundle) -> str:
    """What a person should know of models that read windows; empty where there are none."""
    return WINDOWS_HELP if bundle.models and bundle.models.over_windows else ""


def _smoothed(raw: Bundle, validation: Dataset) -> tuple[Smoothing | None, np.ndarray]:
    """How the source smooths along a recording, chosen by the validation rows, and their logits."""
    said, ways = raw.logits(validation.X), ways_to_smooth(validation)
    every = [smoothed(said, way, validation.moments) for way in ways]
    best = best_way(every, validation.y, validation.run)
    return ways[best], every[best]


def _spare_network(
    source: Bundle, train: Dataset, validation: Dataset, options: PretrainOptions
) -> ArrayNetwork | None:
    """The network for machines that lack sensors; None where none is asked for."""
    if not options.sensor_dropout or len(train.features) < _LEAST_SENSORS:
        return None
    if source.models is None:
        raise ValueError("There are no source models. Received: models=None")
    progress.info("Training a second network to do without some sensors")
    scaler = source.scaler
    return fit_with_dropout(
        source.network,
        scaler(train.X),
        train.y,
        _teacher(source.models, scaler),
        (scaler(validation.X), validation.y),
        share=options.sensor_dropout,
        seed=options.seed,
        options=options.network,
    )


def _sensors_read(models: SourceModels, sensors: int) -> np.ndarray | None:
    """Positions of the sensors for the network; None for all, as on every plant that is not wide.

    Chosen on training runs alone.
    """
    read = chosen_sensors(models.gains())
    if read is not None:
        progress.info(
            "The network reads %d of %d sensors: those by which the source's trees gain most",
            len(read),
            sensors,
        )
    return read


def _names_read(bundle: Bundle) -> tuple[str, ...]:
    read = bundle.network.positions_read
    if len(read) == len(bundle.features):
        return ()
    return tuple(bundle.features[place] for place in read)


def _teacher(models: SourceModels, scaler: Scaler) -> Callable[[np.ndarray], np.ndarray]:
    """The source's trees on scaled rows."""
    trees = models.frozen(None).trees
    return lambda scaled: np.asarray(
        trees.predict(scaled * scaler.scale + scaler.mean, num_threads=1)
    )


def _judged(bundle: Bundle, test: Dataset) -> ScoredRows:
    probabilities = bundle.probabilities(test.X, test.moments)
    alarms = bundle.alarms(probabilities, test.moments)
    return ScoredRows(test.y, probabilities, alarms, test.run, test.time)


def _finds(metrics: Metrics, judged: ScoredRows, threshold: float, held_out: str) -> str:
    """Faults found and false alarms on the source's own rows."""
    events = measure_events(judged, REPORTED_CONFIDENCE)
    what = "parts of recordings" if held_out else "runs"
    who = f"of source {what} that were held out of training and calibration"
    found = faults_and_alarms(Measured(metrics, threshold, events))
    return f"{found} {judged_on(metrics, who)}"


def _kept_rows(train: Dataset, options: PretrainOptions) -> np.ndarray:
    """Positions of training rows that later transfers pool with their own."""
    kept = min(options.kept_source_rows, len(train))
    draws = np.random.default_rng(options.seed)
    return np.sort(draws.choice(len(train), kept, replace=False))


def _note(model: str, trained: Pretrained) -> str:
    ranking = [
        f"{METRICS[name].title} {METRICS[name].text(value)}"
        for name in ("pr_auc", "roc_auc", "recall", "false_alarm_rate")
        if (value := getattr(trained.metrics, name)) is not None
    ]
    figures = f"Source model **{model}**. {trained.finds} In metrics of rows: {', '.join(ranking)}."
    return f"{figures} {trained.held_out}".rstrip()
