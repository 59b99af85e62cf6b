"""Put a judged candidate into the registry, or keep its report."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from faultxfer.bundle.manifest import read_manifest
from faultxfer.bundle.plain_files import sha256_of
from faultxfer.config import TransferOptions
from faultxfer.evaluate.gate import Decision
from faultxfer.evaluate.gate.check import (
    NOT_ENOUGH,
    PROMOTED,
    REFUSED,
    Override,
    outcome_in_words,
)
from faultxfer.evaluate.page import as_markdown
from faultxfer.evaluate.plant_words import DRY_RUN, PROVISIONAL, headline
from faultxfer.evaluate.report import Report
from faultxfer.following import Next
from faultxfer.outputs import DATA_DOCS, writing
from faultxfer.progress import progress
from faultxfer.registry import journal, names
from faultxfer.registry.connect import Access
from faultxfer.registry.data_sets import TARGET, DataSet
from faultxfer.registry.graphs import write_graph
from faultxfer.registry.promotion import Promotion
from faultxfer.registry.provenance import code
from faultxfer.registry.registering import NewVersion, register
from faultxfer.registry.runs import RunRecord, record_run
from faultxfer.registry.store import Registry, open_registry
from faultxfer.registry.waiting import TRANSFER
from faultxfer.requests import TransferRequest
from faultxfer.steps.adaptation import Adaptation, load_predictions, read_target
from faultxfer.steps.data_sets import files_read, rows_that_judged
from faultxfer.steps.intake import CheckedRows
from faultxfer.steps.judging import REPORT, Evaluation, Verdict
from faultxfer.steps.labels import vouched_for
from faultxfer.steps.next_commands import (
    after_dry_run,
    after_promotion,
    after_provisional,
    after_refusal,
    after_waiting,
    transfer_again,
)
from faultxfer.steps.opening import Job
from faultxfer.steps.plain_data import plain_fields
from faultxfer.steps.repeats import request_sha256
from faultxfer.steps.reporting import REPORT_PAGE, until_registered, write_report_page
from faultxfer.steps.run_metrics import COMPARISON, comparison_table, metrics_of_run
from faultxfer.steps.sources import Models

WAITING = "waiting"
# Outcomes that leave a version in the registry.
_VERSIONS = (PROMOTED, PROVISIONAL, WAITING)
EXAMPLE_ROWS = 5
_IN_SPITE = "Promoted in spite of the gate"
_ACTIONS = {PROVISIONAL: journal.PROVISIONAL, WAITING: journal.WAITING}
# What a run keeps of what it was asked: the contract as it was given, and the rules of the gate as
# `--gate` takes them.
CONTRACT_FILE, GATE_FILE = "contract.yaml", "gate.yaml"


@dataclass(frozen=True)
class TransferResult:
    """What a transfer did.

    Attributes:
        outcome: ``promoted``, ``provisional``, ``waiting``, ``refused`` or ``dry run``.
        reason: the gate's reason, or that it was overridden.
        model, equipment: from where to where.
        registered: name of the registered model; version: the new version, or None.
        run_id, tracking_uri: where report and pictures lie, None after a dry run.
        pictures: address of each picture by name; empty after a dry run without ``--report``.
        report, decision: the whole report and the gate's checks.
        page: where the whole report lies for people to read, one HTML file; None after a dry run
            without ``--report``.
        rows: counts and findings of the contract check.
        override: who promoted it in spite of the gate, and why; None where nobody did.
        next: what to type now.
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
    override: Override | None = None
    next: tuple[Next, ...] = ()
    page: str | None = None

    @property
    def headline(self) -> str:
        """What came of it, in one line that begins with the outcome."""
        return headline(self.report, self.decision, self.outcome, self.registered, self.version)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return plain_fields(self)


def register_candidate(
    job: Job[TransferRequest], models: Models, verdict: Verdict
) -> TransferResult:
    """Register and promote the candidate, or keep its report.

    It is promoted if it passed, or was pushed past the gate for a reason. It is registered and
    waits where the rules want a person to approve that. Where a machine has no champion and the
    evidence does not suffice, it is registered as provisional.

    Raises:
        ChampionMovedError: it was judged against a champion that is champion no more.
    """
    request, evaluation = job.request, verdict.evaluation
    outcome = _outcome(verdict, request, models)
    page = write_report_page(job, models, verdict, _next_in_report(job, models, verdict, outcome))
    pictures = _copied(evaluation.pictures, request.report_folder)
    copied = _copied({REPORT_PAGE: page}, request.report_folder)
    done = _Done(pictures=pictures, rows=_without_passing_docs(evaluation.adapted.target.rows))
    if outcome != DRY_RUN:
        done = _registered(job, models, verdict, outcome)
        done = dataclasses.replace(done, pictures=pictures or done.pictures)
    return TransferResult(
        outcome=outcome,
        reason=_reason(verdict, request),
        model=request.model,
        equipment=request.equipment,
        registered=models.name,
        version=done.version,
        run_id=done.run_id,
        tracking_uri=done.tracking_uri,
        pictures=done.pictures,
        report=evaluation.report,
        decision=verdict.decision,
        rows=done.rows,
        override=verdict.overridden(request),
        next=_next(job, models, verdict, outcome, done.version),
        page=done.page or copied.get(REPORT_PAGE),
    )


def prepare_registration(job: Job[TransferRequest], models: Models, verdict: Verdict) -> None:
    """Do for a registration what needs no registry: the graph of what becomes a version.

    A process that registers the candidates of many machines has the less to do.
    """
    if _outcome(verdict, job.request, models) in _VERSIONS:
        bundle = verdict.evaluation.adapted.bundle
        write_graph(bundle, models.name, job.request.equipment)


def _next_in_report(
    job: Job[TransferRequest], models: Models, verdict: Verdict, outcome: str
) -> tuple[Next, ...]:
    """What to type next, as far as it can be said before the version has a number."""
    if outcome in (PROVISIONAL, WAITING):
        return until_registered()
    return _next(job, models, verdict, outcome, None)


@dataclass(frozen=True)
class _Done:
    """What registering left, and where."""

    pictures: dict[str, str]
    rows: CheckedRows
    version: str | None = None
    run_id: str | None = None
    tracking_uri: str | None = None
    page: str | None = None


def _registered(job: Job[TransferRequest], models: Models, verdict: Verdict, outcome: str) -> _Done:
    """Write to the registry: a version unless the candidate is refused, else a run alone."""
    evaluation = verdict.evaluation
    rows = evaluation.adapted.target.rows
    registry = open_registry(access=Access.CHANGING)
    record = _run_record(job, models, verdict)
    version = None
    if outcome in _VERSIONS:
        progress.info("Registering %s", models.name)
        candidate = _new_version(job, models, evaluation.adapted)
        made = register(registry, record, candidate, _promotion(job, models, verdict))
        version, run_id = made.version, made.run_id
    else:
        run_id = record_run(registry, record)
    return _Done(
        pictures=registry.artifact_addresses(run_id, evaluation.pictures),
        rows=with_logged_docs(rows, registry, run_id),
        version=version,
        run_id=run_id,
        tracking_uri=registry.address,
        page=registry.artifact_addresses(run_id, {REPORT_PAGE: Path(REPORT_PAGE)})[REPORT_PAGE],
    )


def _without_passing_docs(rows: CheckedRows) -> CheckedRows:
    """Data Docs that go with the run's other files are named nowhere."""
    if rows.docs and rows.table and Path(rows.docs).is_relative_to(rows.table.parent.absolute()):
        return dataclasses.replace(rows, docs=None)
    return rows


def _outcome(verdict: Verdict, request: TransferRequest, models: Models) -> str:
    if request.dry_run:
        return DRY_RUN
    if verdict.waits(request):
        return WAITING
    if verdict.decision.promoted or verdict.override is not None:
        return PROMOTED
    # A champion stays; without one, a marked version is of more use than none.
    if verdict.decision.outcome == NOT_ENOUGH and models.champion is None:
        return PROVISIONAL
    return REFUSED


def _next(
    job: Job[TransferRequest], models: Models, verdict: Verdict, outcome: str, version: str | None
) -> tuple[Next, ...]:
    """What to type now."""
    if outcome == PROMOTED:
        return after_promotion(job.request)
    if outcome == PROVISIONAL:
        return after_provisional(job.request, models.name, version)
    if outcome == WAITING:
        return after_waiting(models.name, version)
    if outcome == REFUSED:
        report = verdict.evaluation.report
        return after_refusal(job.request, job.contract, report, verdict.decision)
    return after_dry_run(job.request)


def _reason(verdict: Verdict, request: TransferRequest) -> str:
    reason, override = _gate_reason(verdict), verdict.override
    waits = verdict.waits(request)
    if override is not None:
        by = f"To be promoted in spite of the gate, by {override.by}" if waits else _IN_SPITE
        return f"{by}: {override.reason}. {reason}"
    if waits and request.override_gate is not None:
        return f"{reason} `--override-gate` approves nothing: it is for refusals alone."
    return reason


def _gate_reason(verdict: Verdict) -> str:
    """The gate's reason; before it why the source stands in the candidate's place, if it does."""
    return f"{verdict.evaluation.report.instead} {verdict.decision.reason}".strip()


def _new_version(job: Job[TransferRequest], models: Models, adapted: Adaptation) -> NewVersion:
    """The adapted bundle, as the registry takes it."""
    features = read_manifest(adapted.bundle).features
    return NewVersion(
        name=models.name,
        model_tags=_tags_of_machine(job, models),
        bundle_folder=adapted.bundle,
        features=features,
        example=read_target(adapted.target.rows, features).X[:EXAMPLE_ROWS],
        machine=job.request.equipment,
    )


def _tags_of_machine(job: Job[TransferRequest], models: Models) -> dict[str, str]:
    return {
        names.KIND: names.TARGET_KIND,
        names.SOURCE_MODEL: job.request.model,
        names.EQUIPMENT: job.request.equipment,
        **models.identity.tags(),
    }


def _promotion(job: Job[TransferRequest], models: Models, verdict: Verdict) -> Promotion:
    """What the journal keeps of this transfer."""
    decision, evaluation = verdict.decision, verdict.evaluation
    rows = evaluation.adapted.target.rows
    details = {
        journal.OUTCOME: outcome_in_words(decision, verdict.override),
        "gate": decision.outcome,
        "gate_rules": decision.rules,
        "gate_report_sha256": sha256_of(evaluation.folder / REPORT),
        "data": dict(rows.files),
        "contract_sha256": job.contract.digest(),
        "source": f"{models.source.name} version {models.source.version}",
        "source_files_sha256": models.source.tags.get(names.FILES),
        "request_sha256": request_sha256(job, models, rows),
        "seed": job.request.options.seed,
        **vouched_for(job.request),
        **code(),
    }
    outcome = _outcome(verdict, job.request, models)
    if outcome == WAITING:
        details |= {journal.OUTCOME: WAITING, **_wait(job.request)}
    action = _ACTIONS.get(outcome, journal.PROMOTE)
    return Promotion(_reason(verdict, job.request), details, head=models.head, action=action)


def _wait(request: TransferRequest) -> dict[str, Any]:
    """What the journal keeps of a version that waits: until when, and the command of then."""
    rules = request.rules
    until = datetime.now(UTC) + timedelta(days=rules.approval_days)
    approval = {
        "policy": rules.policy,
        "self_approval": rules.self_approval,
        "until": until.isoformat(timespec="seconds"),
    }
    return {journal.APPROVAL: approval, TRANSFER: transfer_again(request)}


def _copied(files: dict[str, Path], folder: Path | None) -> dict[str, str]:
    """The files in a folder of the user's own, if one is named."""
    if folder is None:
        return {}
    with writing("report", folder):
        folder.mkdir(parents=True, exist_ok=True)
        return {
            key: str(Path(shutil.copy(path, folder / path.name)).absolute())
            for key, path in files.items()
        }


def _run_record(job: Job[TransferRequest], models: Models, verdict: Verdict) -> RunRecord:
    evaluation, request = verdict.evaluation, job.request
    report, rows = evaluation.report, evaluation.adapted.target.rows
    _keep_what_was_asked(job, evaluation)
    overridden = verdict.overridden(request)
    return RunRecord(
        name=f"transfer {request.model} → {request.equipment}",
        tags=_tags_of_run(job, models, verdict),
        params=_params_of_run(evaluation.adapted, request.options),
        metrics=metrics_of_run(report),
        curves=evaluation.adapted.history,
        data=files_read(rows, job.contract, TARGET, request.equipment),
        files=evaluation.folder,
        note=as_markdown(report, verdict.decision, overridden),
        judged=_judged_rows(job, evaluation.adapted),
        source=models.source,
        tables=(COMPARISON,),
    )


def _judged_rows(job: Job[TransferRequest], adapted: Adaptation) -> DataSet:
    _, positions = load_predictions(adapted.predictions)
    name = f"{job.request.equipment}: rows that judged"
    split = adapted.target.split.reason
    return rows_that_judged(adapted.target.rows, job.contract, positions, name, split)


def _keep_what_was_asked(job: Job[TransferRequest], evaluation: Evaluation) -> None:
    """Contract, gate file and the table of everybody, among the files that are logged."""
    keep_contract(job, evaluation.folder)
    rules = yaml.safe_dump(job.request.rules.said(), sort_keys=False, allow_unicode=True)
    (evaluation.folder / GATE_FILE).write_text(rules, encoding="utf-8")
    table = comparison_table(evaluation.report)
    (evaluation.folder / COMPARISON).write_text(table, encoding="utf-8")


def keep_contract(job: Job[Any], folder: Path) -> None:
    """The contract as it was given, among the files that are logged."""
    (folder / CONTRACT_FILE).write_bytes(job.contract_file)


def _params_of_run(adapted: Adaptation, asked: TransferOptions) -> dict[str, Any]:
    """The options that made the candidate, and the strategy asked for where that is another one."""
    used = adapted.options_of_candidate(asked)
    params = flat_options(used.model_dump(mode="json", exclude={"gate"}))
    params["split mode"] = adapted.target.split.mode
    if used.strategy != asked.strategy:
        params["strategy asked for"] = asked.strategy
    return params


def _tags_of_run(job: Job[TransferRequest], models: Models, verdict: Verdict) -> dict[str, str]:
    decision, rows = verdict.decision, verdict.evaluation.adapted.target.rows
    tags = _tags_of_machine(job, models) | {
        names.MODEL: models.name,
        names.SOURCE_VERSION: models.source.version,
        names.GATE: decision.outcome,
        names.GATE_RULES: decision.rules,
        names.REASON: _gate_reason(verdict)[:1000],
        names.DATA: ",".join(digest for _, digest in rows.files)[:4000],
        names.CONTRACT: job.contract.digest(),
        names.REQUEST: request_sha256(job, models, rows),
    }
    outcome = _outcome(verdict, job.request, models)
    if outcome in _ACTIONS:
        tags[names.REGISTERED_AS] = outcome
    if verdict.override is not None:
        tags[names.OVERRIDE] = verdict.override.reason
    elif outcome in (PROVISIONAL, REFUSED):
        # What else came of it is said when the journal holds it, see `Promotion`.
        provisional = outcome == PROVISIONAL
        tags[names.OUTCOME] = PROVISIONAL if provisional else outcome_in_words(decision, None)
    return tags


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
