"""Put a judged candidate into the registry, or keep its report."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultxfer.bundle.bundle import load_bundle
from faultxfer.bundle.plain_files import sha256_of
from faultxfer.config import TransferOptions
from faultxfer.contract.schema import Contract
from faultxfer.evaluate.gate import Decision
from faultxfer.evaluate.report import Report, as_markdown
from faultxfer.outputs import DATA_DOCS, DOCS_INDEX, writing
from faultxfer.progress import progress
from faultxfer.registry import names
from faultxfer.registry.connect import Access
from faultxfer.registry.promotion import Promotion
from faultxfer.registry.provenance import code
from faultxfer.registry.registering import NewVersion, register
from faultxfer.registry.runs import RunRecord, record_run
from faultxfer.registry.store import Registry, Version, open_registry
from faultxfer.steps.adaptation import Adaptation, read_target
from faultxfer.steps.intake import CheckedRows
from faultxfer.steps.judging import REPORT, Evaluation
from faultxfer.steps.repeats import request_sha256
from faultxfer.steps.sources import Fetched

PROMOTED, REFUSED, DRY_RUN = "promoted", "refused", "dry run"
EXAMPLE_ROWS = 5
DOCS_NOTE = f"\n\nThe check of the files: artifact `{DOCS_INDEX}` of the run (Data Docs).\n"


@dataclass(frozen=True)
class TransferResult:
    """What a transfer did.

    Attributes:
        outcome: ``promoted``, ``refused`` or ``dry run``.
        reason: the gate's reason, or that it was overridden.
        model, equipment: from where to where.
        registered: name of the registered model; version: the new version, or None.
        run_id, tracking_uri: where report and pictures lie, None after a dry run.
        pictures: address of each picture by name; empty after a dry run without ``--report``.
        report, decision: the whole report and the gate's checks.
        rows: counts and findings of the contract check.
    """

    outcome: str
    reason: str
    model: str
    equipment: str
    registered: str
    version: str | None
    run_id: str | None
    tracking_uri: str | None
    pictures: dict[str, str]
    report: Report
    decision: Decision
    rows: CheckedRows

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "model": self.model,
            "equipment": self.equipment,
            "registered": self.registered,
            "version": self.version,
            "run_id": self.run_id,
            "tracking_uri": self.tracking_uri,
            "pictures": self.pictures,
            "report": self.report.as_dict(),
            "decision": self.decision.as_dict(),
            "rows": self.rows.as_dict(),
        }


def register_candidate(
    rows: CheckedRows,
    fetched: Fetched,
    adapted: Adaptation,
    evaluation: Evaluation,
    decision: Decision,
    contract: Contract,
    options: TransferOptions,
    *,
    dry_run: bool = False,
    override_gate: str | None = None,
    report_folder: Path | None = None,
) -> TransferResult:
    """Register and promote a candidate that passed (or was pushed past the gate); else keep only its report.

    Raises:
        ChampionMovedError: it was judged against a champion that is none any more.
    """
    report = evaluation.report
    name = fetched.name
    outcome = _outcome(decision, dry_run=dry_run, override_gate=override_gate)
    pictures = _copied(evaluation.pictures, report_folder)
    version = run_id = uri = None
    if outcome != DRY_RUN:
        registry = open_registry(access=Access.CHANGING)
        uri = registry.address
        record = _run_record(
            rows, fetched, adapted, evaluation, decision, contract, options, override_gate
        )
        if outcome == PROMOTED:
            promotion = _promotion(
                rows, fetched, evaluation, decision, contract, options, override_gate
            )
            made = _promoted(registry, record, rows, fetched, adapted, report, promotion)
            version, run_id = made.version, made.run_id
        else:
            run_id = record_run(registry, record)
        pictures = pictures or registry.artifact_addresses(run_id, evaluation.pictures)
        rows = with_logged_docs(rows, registry, run_id)
    elif rows.docs and rows.table and Path(rows.docs).is_relative_to(rows.table.parent.absolute()):
        rows = dataclasses.replace(rows, docs=None)  # it goes with the run's other files
    reason = _reason(decision, override_gate)
    return TransferResult(
        outcome,
        reason,
        report.model,
        report.equipment,
        name,
        version,
        run_id,
        uri,
        pictures,
        report,
        decision,
        rows,
    )


def _outcome(decision: Decision, *, dry_run: bool, override_gate: str | None) -> str:
    if dry_run:
        return DRY_RUN
    return PROMOTED if decision.promoted or override_gate is not None else REFUSED


def _reason(decision: Decision, override_gate: str | None) -> str:
    if override_gate is None or decision.promoted:
        return decision.reason
    return f"Promoted in spite of the gate: {override_gate}. {decision.reason}"


def _promoted(
    registry: Registry,
    record: RunRecord,
    rows: CheckedRows,
    fetched: Fetched,
    adapted: Adaptation,
    report: Report,
    promotion: Promotion,
) -> Version:
    """Register the candidate and make it champion."""
    progress.info("Registering %s", fetched.name)
    features = load_bundle(adapted.bundle).features
    candidate = NewVersion(
        name=fetched.name,
        model_tags={
            names.KIND: names.TARGET_KIND,
            names.SOURCE_MODEL: report.model,
            names.EQUIPMENT: report.equipment,
            **fetched.identity.tags(),
        },
        bundle_folder=adapted.bundle,
        features=features,
        example=read_target(rows, features).X[:EXAMPLE_ROWS],
    )
    return register(registry, record, candidate, promotion)


def _promotion(
    rows: CheckedRows,
    fetched: Fetched,
    evaluation: Evaluation,
    decision: Decision,
    contract: Contract,
    options: TransferOptions,
    override_gate: str | None,
) -> Promotion:
    """What the journal keeps of this transfer."""
    details = {
        "gate": decision.outcome,
        "gate_rules": decision.rules,
        "gate_report_sha256": sha256_of(evaluation.folder / REPORT),
        "data": dict(rows.files),
        "contract_sha256": contract.digest(),
        "source": f"{fetched.source.name} version {fetched.source.version}",
        "source_files_sha256": fetched.source.tags.get(names.FILES),
        "request_sha256": request_sha256(rows, fetched, contract, options, override_gate),
        "seed": options.seed,
        **code(),
    }
    return Promotion(_reason(decision, override_gate), details, head=fetched.head)


def _copied(pictures: dict[str, Path], folder: Path | None) -> dict[str, str]:
    """The pictures in a folder of the user's own, if one is named."""
    if folder is None:
        return {}
    with writing("report", folder):
        folder.mkdir(parents=True, exist_ok=True)
        return {
            key: str(Path(shutil.copy(path, folder / path.name)).absolute())
            for key, path in pictures.items()
        }


def _run_record(
    rows: CheckedRows,
    fetched: Fetched,
    adapted: Adaptation,
    evaluation: Evaluation,
    decision: Decision,
    contract: Contract,
    options: TransferOptions,
    override_gate: str | None,
) -> RunRecord:
    report = evaluation.report
    metrics = dict(report.candidate.as_dict())
    metrics |= report.evidence.events.estimates() if report.evidence.events else {}
    for entry in report.contestants[1:]:
        if entry.metrics:
            metrics |= {
                f"{entry.name}.{key}": value for key, value in entry.metrics.as_dict().items()
            }
    tags = {
        names.MODEL: fetched.name,
        names.KIND: names.TARGET_KIND,
        names.SOURCE_MODEL: report.model,
        names.EQUIPMENT: report.equipment,
        **fetched.identity.tags(),
        names.SOURCE_VERSION: fetched.source.version,
        names.GATE: decision.outcome,
        names.GATE_RULES: decision.rules,
        names.REASON: decision.reason[:1000],
        names.DATA: ",".join(digest for _, digest in rows.files)[:4000],
        names.CONTRACT: contract.digest(),
        names.REQUEST: request_sha256(rows, fetched, contract, options, override_gate),
    }
    if override_gate and not decision.promoted:
        tags[names.OVERRIDE] = override_gate
    return RunRecord(
        name=f"transfer {report.model} to {report.equipment}",
        tags=tags,
        params=flat_options(options.model_dump(mode="json", exclude={"gate"}))
        | {"split mode": report.mode},
        metrics=metrics,
        curves=adapted.history,
        data=tuple((name, digest, "target") for name, digest in rows.files),
        files=evaluation.folder,
        note=as_markdown(report, decision) + DOCS_NOTE,
    )


def with_logged_docs(rows: CheckedRows, registry: Registry, run_id: str) -> CheckedRows:
    """The same rows, their Data Docs where the run keeps them."""
    if not rows.docs:
        return rows
    folder = registry.artifact_addresses(run_id, {DATA_DOCS: Path(DATA_DOCS)})[DATA_DOCS]
    return dataclasses.replace(rows, docs=f"{folder}/index.html")


def flat_options(options: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested options as one level of dotted names, for MLflow parameters."""
    flat: dict[str, Any] = {}
    for key, value in options.items():
        flat |= (
            flat_options(value, f"{prefix}{key}.")
            if isinstance(value, dict)
            else {f"{prefix}{key}": value}
        )
    return flat
