"""Train the source model on equipment with history."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.bundle.bundle import Bundle, load_bundle, save_bundle
from faultxfer.bundle.calibration import Calibrator, fit_calibrator
from faultxfer.bundle.scaler import Scaler, fit_scaler
from faultxfer.bundle.source_models import SourceModels
from faultxfer.bundle.threshold import choose_threshold
from faultxfer.config import PretrainOptions
from faultxfer.contract.schema import Contract
from faultxfer.data.dataset import Dataset, save_dataset
from faultxfer.data.split import divide_runs, require_both_classes
from faultxfer.errors import DataError
from faultxfer.evaluate.metrics import Metrics, measure
from faultxfer.evaluate.plots import save_pictures
from faultxfer.evaluate.rows import ScoredRows
from faultxfer.network.fit import History
from faultxfer.network.pretrain import fit_ensemble
from faultxfer.outputs import keep_docs
from faultxfer.progress import progress
from faultxfer.registry import names
from faultxfer.registry.connect import Access
from faultxfer.registry.identity import Identity
from faultxfer.registry.promotion import Promotion
from faultxfer.registry.provenance import code
from faultxfer.registry.registering import Candidate, register
from faultxfer.registry.runs import RunRecord
from faultxfer.registry.store import open_registry
from faultxfer.steps.adaptation import read_target
from faultxfer.steps.intake import CheckedRows
from faultxfer.steps.registration import DOCS_NOTE, EXAMPLE_ROWS, flat_options, with_logged_docs
from faultxfer.steps.sources import SOURCE_ROWS
from faultxfer.strategies.source_evidence import JUDGED
from faultxfer.strategies.source_models import fit_source_models


@dataclass(frozen=True)
class Pretrained:
    """A source bundle and how good it is on source runs held out of everything."""

    bundle: Path
    folder: Path
    pictures: dict[str, Path]
    history: History
    metrics: Metrics


@dataclass(frozen=True)
class PretrainResult:
    """What ``pretrain`` did."""

    model: str
    version: str
    run_id: str
    tracking_uri: str
    metrics: Metrics
    pictures: dict[str, str]
    rows: CheckedRows

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "outcome": "registered",
            "model": self.model,
            "version": self.version,
            "run_id": self.run_id,
            "tracking_uri": self.tracking_uri,
            "metrics": self.metrics.as_dict(),
            "pictures": self.pictures,
            "rows": self.rows.as_dict(),
        }


def train_source(
    rows: CheckedRows, contract: Contract, options: PretrainOptions, *, model: str, work: Path
) -> Pretrained:
    """Fit scaler and network on training runs, stop and calibrate on validation runs, judge on test runs.

    Raises:
        DataError: a file was refused, or a side would lack a class.
    """
    data = read_target(rows, contract.features)
    require_both_classes(data)
    train, validation, test = _sides(data, options)
    progress.info(
        "Training the source network (%d rows of %d runs)", len(train), len(set(train.run))
    )
    bundle, history = _fit(train, validation, contract, options, model)
    identity = {"model": model, "data": list(rows.files), "seed": options.seed}
    lineage = {
        "strategy": "pretrain",
        "identity": identity,
        "options": options.model_dump(mode="json"),
        "contract": contract.model_dump(mode="json"),
        "data": list(rows.files),
        "training_rows": len(train),
        "classes": {"rows": len(data), "faults": data.faults},
    }
    folder = work / "report"
    folder.mkdir()
    keep_docs(rows.docs, folder)
    metrics, pictures = _judge(bundle, test, history, folder)
    save_bundle(
        dataclasses.replace(bundle, lineage={**lineage, JUDGED: metrics.as_dict()}),
        work / "bundle",
        test.X,
    )
    (folder / "report.json").write_text(
        json.dumps({"metrics": metrics.as_dict()}, indent=2), encoding="utf-8"
    )
    if options.kept_source_rows:
        save_dataset(_sample(train, options), folder / SOURCE_ROWS)
    return Pretrained(work / "bundle", folder, pictures, history, metrics)


def register_source(
    rows: CheckedRows,
    trained: Pretrained,
    contract: Contract,
    options: PretrainOptions,
    *,
    model: str,
) -> PretrainResult:
    """Register the source bundle and make it the model's champion."""
    progress.info("Registering %s", model)
    registry = open_registry(access=Access.CREATING)
    features = load_bundle(trained.bundle).features
    record = _run_record(rows, trained, contract, options, model)
    candidate = Candidate(
        name=names.registered_name(model),
        model_tags={names.KIND: names.SOURCE_KIND, **_identity(contract).tags()},
        bundle_folder=trained.bundle,
        features=features,
        example=read_target(rows, features).X[:EXAMPLE_ROWS],
    )
    version = register(registry, record, candidate, _promotion(rows, contract, options))
    pictures = registry.artifact_addresses(version.run_id, trained.pictures)
    rows = with_logged_docs(rows, registry, version.run_id)
    return PretrainResult(
        model, version.version, version.run_id, registry.address, trained.metrics, pictures, rows
    )


def _promotion(rows: CheckedRows, contract: Contract, options: PretrainOptions) -> Promotion:
    details = {
        "data": dict(rows.files),
        "contract_sha256": contract.digest(),
        "seed": options.seed,
        **code(),
    }
    return Promotion("Pretrained on equipment with history", details)


def _run_record(
    rows: CheckedRows, trained: Pretrained, contract: Contract, options: PretrainOptions, model: str
) -> RunRecord:
    return RunRecord(
        name=f"pretrain {model}",
        tags={
            names.MODEL: model,
            names.KIND: names.SOURCE_KIND,
            **_identity(contract).tags(),
            names.DATA: ",".join(digest for _, digest in rows.files)[:4000],
            names.CONTRACT: contract.digest(),
        },
        params=flat_options(options.model_dump(mode="json")),
        metrics=dict(trained.metrics.as_dict()),
        curves=trained.history,
        data=tuple((name, digest, "source") for name, digest in rows.files),
        files=trained.folder,
        note=_note(model, trained.metrics) + DOCS_NOTE,
    )


def _identity(contract: Contract) -> Identity:
    return Identity(contract.family, contract.label.column)


def _sides(data: Dataset, options: PretrainOptions) -> tuple[Dataset, Dataset, Dataset]:
    shares = (options.validation_share, options.test_share)
    train, validation, test = (data.take(rows) for rows in divide_runs(data, shares, options.seed))
    for name, side in (("training", train), ("validation", validation), ("test", test)):
        if len(side) == 0 or side.faults in (0, len(side)):
            raise DataError(
                f"Source runs with faults and normal rows on the {name} side were expected",
                received={
                    "rows": len(side),
                    "fault rows": side.faults,
                    "runs in all": len(set(data.run)),
                },
                remedy="Give more source recordings: about five runs with faults and five without are the least",
            )
    return train, validation, test


def _fit(
    train: Dataset, validation: Dataset, contract: Contract, options: PretrainOptions, model: str
) -> tuple[Bundle, History]:
    scaler = fit_scaler(train.X)
    models = fit_source_models(train.X, train.y, options.seed)
    network, history = fit_ensemble(
        scaler(train.X),
        train.y,
        _teacher(models, scaler),
        (scaler(validation.X), validation.y),
        seed=options.seed,
        options=options.network,
    )
    units = {name: sensor.unit for name, sensor in contract.sensors.items()}
    raw = Bundle(train.features, units, scaler, network, Calibrator(), 0.5, models=models)
    calibrator = fit_calibrator(raw.logits(validation.X), validation.y)
    said = calibrator(raw.logits(validation.X))
    alarm = choose_threshold(said, validation.y, validation.run, options.alarm_rate)
    seen = np.unique(np.concatenate([train.fingerprints(), validation.fingerprints()]))
    whole = dataclasses.replace(
        raw, calibrator=calibrator, threshold=alarm.value, alarm=alarm, training_rows=seen
    )
    return whole, history


def _teacher(models: SourceModels, scaler: Scaler) -> Callable[[np.ndarray], np.ndarray]:
    """The source's trees on scaled rows."""
    trees = models.frozen(None).trees
    return lambda scaled: np.asarray(
        trees.predict(scaled * scaler.scale + scaler.mean, num_threads=1)
    )


def _judge(
    bundle: Bundle, test: Dataset, history: History, folder: Path
) -> tuple[Metrics, dict[str, Path]]:
    probabilities = bundle.probabilities(test.X)
    alarms = bundle.alarms(probabilities)
    metrics = measure(test.y, probabilities, alarms)
    judged = ScoredRows(test.y, probabilities, alarms, test.run, test.time)
    return metrics, save_pictures(folder, judged, {}, {"candidate": metrics.pr_auc}, history)


def _sample(train: Dataset, options: PretrainOptions) -> Dataset:
    kept = min(options.kept_source_rows, len(train))
    return train.take(
        np.sort(np.random.default_rng(options.seed).choice(len(train), kept, replace=False))
    )


def _note(model: str, metrics: Metrics) -> str:
    return (
        f"Source model **{model}**. On {metrics.rows} rows ({metrics.faults} faults) of source runs held out of "
        f"training and calibration: PR-AUC {metrics.pr_auc:.3f}, ROC-AUC {metrics.roc_auc:.3f}, "
        f"recall {metrics.recall:.0%} at {metrics.false_alarm_rate:.1%} false alarms."
    )
