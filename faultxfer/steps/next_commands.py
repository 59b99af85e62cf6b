"""What to type after a command, whatever came of it."""

from __future__ import annotations

import shlex
from typing import Any

from faultxfer.config import TransferOptions
from faultxfer.contract.schema import Contract, Equipment
from faultxfer.evaluate.gate import Decision
from faultxfer.evaluate.gate.check import NOT_ENOUGH
from faultxfer.evaluate.report import SOURCE_AS_IS, Report
from faultxfer.following import (
    CONTRACT,
    NEW_FILES,
    NEW_MACHINE,
    Next,
    options,
    typed,
    typed_files,
    with_log,
)
from faultxfer.outputs import alarms_beside
from faultxfer.registry import names
from faultxfer.requests import CurveRequest, PretrainRequest, ScoreRequest, TransferRequest
from faultxfer.rows_file import PARQUET

_OUT = "scores.csv"
# With fewer labelled faults a learning curve cannot be drawn.
_FEWEST_FOR_A_CURVE = 20
# What came of the same request before, where nothing of it scores.
_NOT_APPROVED = ("refused", "rejected", "replaced")


def after_promotion(request: TransferRequest) -> tuple[Next, ...]:
    """Score with the champion."""
    return (Next("Score rows with the champion", _score_machine(request)),)


def after_provisional(
    request: TransferRequest, registered: str, version: str | None
) -> tuple[Next, ...]:
    """Promote the version by hand, or score with it as it is."""
    promote = names.with_reason("promote", registered, version)
    return (
        Next("Promote it, if you know what the rows do not show", promote),
        Next("Score rows with it until there is a champion", _score_machine(request)),
    )


def after_waiting(registered: str, version: str | None) -> tuple[Next, ...]:
    """Let a person settle it, after having seen what it is."""
    reject = names.with_reason("reject", registered, version)
    approve = names.with_reason("approve", registered, version)
    return (
        Next("Reject it, and keep the champion if there is one", reject),
        Next("Let somebody else look at it and approve it", approve),
    )


def transfer_again(request: TransferRequest) -> dict[str, Any]:
    """The same transfer as a command, and whether it shows all options of then."""
    files = typed_files(request.files)
    complete = _can_be_typed(request) and files == request.files
    return {"command": _transfer(request, files), "complete": complete}


def after_refusal(
    request: TransferRequest, contract: Contract, report: Report, decision: Decision
) -> tuple[Next, ...]:
    """The source as it is, where it is better; the champion; or the way to a better candidate."""
    if _is_source_better(report) and _is_read_without_machine(contract, request.equipment):
        why = "The source model as it is does better on these rows: score with it"
        return (Next(why, _score_with_source(request)),)
    faults, rows = report.candidate.faults, report.candidate.rows
    few = faults < _FEWEST_FOR_A_CURVE or faults == rows
    has_champion = report.evidence.champion_version is not None
    if has_champion and (few or decision.outcome != NOT_ENOUGH):
        return (Next("Score rows with the champion, which stays", _score_machine(request)),)
    if few and _is_read_without_machine(contract, request.equipment):
        why = "Until there are more labelled faults, score with the source model as it is"
        return (Next(why, _score_with_source(request)),)
    return (Next("See whether more labels would help", _learning_curve(request)),)


def after_dry_run(request: TransferRequest) -> tuple[Next, ...]:
    """The same transfer, which registers what it makes."""
    if _can_be_typed(request):
        return (Next("Register what comes of it", _transfer(request, request.files)),)
    # Not the machine's history: a machine of which nothing was registered has none.
    why = "Register what comes of it by the same command without `--dry-run`; this is there now"
    return (Next(why, typed("registry", "list")),)


def after_repeat(
    request: TransferRequest, before: str, registered: str, version: str | None
) -> tuple[Next, ...]:
    """Score with what was registered then, approve it, or look at what was refused."""
    if before == "waiting":
        return after_waiting(registered, version)
    if before in _NOT_APPROVED:
        return (Next(f"See why it was {before}", _history(request)),)
    return (Next("Score rows of the machine", _score_machine(request)),)


def until_labels_suffice(request: TransferRequest, contract: Contract, *, champion: bool) -> str:
    """A command that scores the machine without a transfer; empty where there is none.

    Args:
        request: the transfer that cannot be made of these labels.
        contract: says whether the source model can read the machine's files.
        champion: whether the machine has one.
    """
    if champion:
        return _score_machine(request)
    readable = _is_read_without_machine(contract, request.equipment)
    return _score_with_source(request) if readable else ""


def after_pretraining(request: PretrainRequest) -> tuple[Next, ...]:
    """Move the model to a machine, whose files and name only the reader knows."""
    machine = ("--model", request.model, "--equipment", NEW_MACHINE)
    command = typed("transfer", NEW_FILES, "--contract", str(request.contract), *machine)
    why = (
        f"Move it to a machine; put its labelled files for {NEW_FILES}, its name for {NEW_MACHINE}"
    )
    return (Next(why, command),)


def after_scores(
    request: ScoreRequest, alarms: int, registered: str, version: str, kind: str
) -> tuple[Next, ...]:
    """Look at the alarms; before that, what is to be done about a version that is no champion."""
    own: tuple[Next, ...] = ()
    if kind == "provisional":
        promote = names.with_reason("promote", registered, version)
        own = (Next("Promote the version, if its alarms are right", promote),)
    if kind == "source":
        words = (NEW_FILES, "--contract", CONTRACT, "--model", request.model)
        transfer = typed("transfer", *words, "--equipment", NEW_MACHINE)
        own = (Next("Adapt it to the machine, once it has labelled rows", transfer),)
    if alarms and request.out.suffix.lower() == PARQUET:
        beside = shlex.join(["head", str(alarms_beside(request.out))])
        return (*own, Next("Look at the stretches that alarm", beside))
    if alarms:
        # The word stands in the first line, and True in the lines of rows that alarm.
        look = shlex.join(["grep", "-e", "fault_probability", "-e", ",True,", str(request.out)])
        return (*own, Next("Look at the rows that alarm", look))
    show = typed("registry", "show", registered, "--version", version)
    return (*own, Next("See what the version that scored is worth", show))


def after_curve(request: CurveRequest) -> tuple[Next, ...]:
    """Transfer with all the labels at hand."""
    return (Next("Transfer with all labelled rows at hand", typed("transfer", *_asked(request))),)


def _is_source_better(report: Report) -> bool:
    """Whether the source as it is ranks the rows better than the candidate and the champion."""
    measured = {entry.name: entry.metrics for entry in report.contestants if entry.metrics}
    pr_auc = {name: metrics.pr_auc or 0.0 for name, metrics in measured.items()}
    beats_champion = pr_auc.get(SOURCE_AS_IS, 0.0) > pr_auc.get("champion", 0.0)
    return report.source_is_better and beats_champion


def _is_read_without_machine(contract: Contract, equipment: str) -> bool:
    """Whether the machine's files mean the same where nobody says whose they are."""
    own = {name for name, way in contract.equipment.items() if way != Equipment()}
    return not own or (contract.equipment_column is not None and equipment not in own)


def _score_machine(request: TransferRequest) -> str:
    machine = ("--model", request.model, "--equipment", request.equipment)
    return typed("score", *request.files, *machine, "--out", _OUT)


def _score_with_source(request: TransferRequest) -> str:
    without = options("--without", request.without)
    return typed("score", *request.files, "--model", request.model, *without, "--out", _OUT)


def _learning_curve(request: TransferRequest) -> str:
    return typed("learning-curve", *_asked(request))


def _history(request: TransferRequest) -> str:
    return typed("registry", "history", request.model, "--equipment", request.equipment)


def asked_of(request: TransferRequest) -> dict[str, Any]:
    """What a transfer was asked, as far as a later command for the same machine needs it."""
    return {
        "files": [*typed_files(request.files)],
        "contract": str(request.contract),
        "model": request.model,
        "equipment": request.equipment,
        "without": [*request.without],
        "events": str(request.events) if request.events else None,
    }


def _can_be_typed(request: TransferRequest) -> bool:
    """Whether a command shows all options: their files are not known here."""
    by_default = not request.self_approval and request.approval_days is None
    return by_default and request.options == TransferOptions()


def _transfer(request: TransferRequest, files: tuple[str, ...]) -> str:
    own = ["--policy", request.policy] if request.policy else []
    own += ["--healthy", request.healthy] if request.healthy else []
    return typed("transfer", *files, *_contract_and_machine(request), *own)


def _asked(request: TransferRequest | CurveRequest) -> list[str]:
    return [*request.files, *_contract_and_machine(request)]


def _contract_and_machine(request: TransferRequest | CurveRequest) -> list[str]:
    machine = ("--model", request.model, "--equipment", request.equipment)
    without = options("--without", request.without)
    log = with_log(request.events)
    return ["--contract", str(request.contract), *log, *machine, *without]
