"""What to type after a command, whatever came of it."""

from __future__ import annotations

import shlex

from faultxfer.config import TransferOptions
from faultxfer.contract.schema import Contract, Equipment
from faultxfer.evaluate.gate import Decision
from faultxfer.evaluate.gate.check import NEEDS_APPROVAL, NOT_ENOUGH
from faultxfer.evaluate.report import SOURCE_AS_IS, Report
from faultxfer.following import Next, typed
from faultxfer.registry import names
from faultxfer.requests import CurveRequest, PretrainRequest, ScoreRequest, TransferRequest

_OUT = "scores.csv"
# With fewer labelled faults a learning curve cannot be drawn.
_FEWEST_FOR_A_CURVE = 20
# What stands in a command for what only the reader knows.
NEW_FILES, NEW_MACHINE, CONTRACT = "NEW.csv", "NEW", "contract.yaml"


def after_promotion(request: TransferRequest) -> tuple[Next, ...]:
    """Score with the champion."""
    return (Next("Score rows with the champion", _score_machine(request)),)


def after_provisional(
    request: TransferRequest, registered: str, version: str | None
) -> tuple[Next, ...]:
    """Promote the version by hand, or score with it as it is."""
    promote = _promote(registered, version)
    return (
        Next("Promote it, if you know what the rows do not show", promote),
        Next("Score rows with it until there is a champion", _score_machine(request)),
    )


def after_refusal(
    request: TransferRequest, contract: Contract, report: Report, decision: Decision
) -> tuple[Next, ...]:
    """The source as it is, where it is better; the champion; or the way to a better candidate."""
    if decision.outcome == NEEDS_APPROVAL:
        return (_approval(request),)
    if _is_source_better(report) and _is_read_without_machine(contract, request.equipment):
        why = "The source model as it is does better on these rows: score with it"
        return (Next(why, _score_with_source(request)),)
    few = report.candidate.faults < _FEWEST_FOR_A_CURVE
    has_champion = report.evidence.champion_version is not None
    if has_champion and (few or decision.outcome != NOT_ENOUGH):
        return (Next("Score rows with the champion, which stays", _score_machine(request)),)
    if few and _is_read_without_machine(contract, request.equipment):
        why = "Until there are more labelled faults, score with the source model as it is"
        return (Next(why, _score_with_source(request)),)
    return (Next("See whether more labels would help", _learning_curve(request)),)


def after_dry_run(request: TransferRequest) -> tuple[Next, ...]:
    """The same transfer, which registers what it makes."""
    if request.options == TransferOptions():
        command = typed("transfer", *_asked(request))
        return (Next("Register what comes of it", command),)
    # Not the machine's history: a machine of which nothing was registered has none.
    why = "Register what comes of it by the same command without `--dry-run`; this is there now"
    return (Next(why, typed("registry", "list")),)


def after_repeat(request: TransferRequest, before: str) -> tuple[Next, ...]:
    """Score with what was registered then, or look at what was refused."""
    if before == "refused":
        return (Next("See why it was refused", _history(request)),)
    return (Next("Score rows of the machine", _score_machine(request)),)


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
        promote = _promote(registered, version)
        own = (Next("Promote the version, if its alarms are right", promote),)
    if kind == "source":
        words = (NEW_FILES, "--contract", CONTRACT, "--model", request.model)
        transfer = typed("transfer", *words, "--equipment", NEW_MACHINE)
        own = (Next("Adapt it to the machine, once it has labelled rows", transfer),)
    if alarms:
        # The word stands in the first line, and True in the lines of rows that alarm.
        look = shlex.join(["grep", "-e", "fault_probability", "-e", ",True,", str(request.out)])
        return (*own, Next("Look at the rows that alarm", look))
    show = typed("registry", "show", registered, "--version", version)
    return (*own, Next("See what the version that scored is worth", show))


def after_curve(request: CurveRequest) -> tuple[Next, ...]:
    """Transfer with all the labels at hand."""
    machine = ("--model", request.model, "--equipment", request.equipment)
    words = (*request.files, "--contract", str(request.contract), *machine)
    return (Next("Transfer with all labelled rows at hand", typed("transfer", *words)),)


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


def _promote(registered: str, version: str | None) -> str:
    return f'faultxfer registry promote {names.as_arguments(registered, version)} --reason "…"'


def _score_machine(request: TransferRequest) -> str:
    machine = ("--model", request.model, "--equipment", request.equipment)
    return typed("score", *request.files, *machine, "--out", _OUT)


def _score_with_source(request: TransferRequest) -> str:
    return typed("score", *request.files, "--model", request.model, "--out", _OUT)


def _learning_curve(request: TransferRequest) -> str:
    return typed("learning-curve", *_asked(request))


def _approval(request: TransferRequest) -> Next:
    """The same transfer again; files of options are not known here, so they cannot be typed."""
    if request.options == TransferOptions():
        command = f'{typed("transfer", *_asked(request))} --override-gate "…"'
        return Next("Approve it, after you have read the report", command)
    why = (
        "Approve it by the same command with `--override-gate` and your reason; the report is in "
        "the run that this names"
    )
    return Next(why, _history(request))


def _history(request: TransferRequest) -> str:
    return typed("registry", "history", request.model, "--equipment", request.equipment)


def _asked(request: TransferRequest) -> list[str]:
    machine = ("--model", request.model, "--equipment", request.equipment)
    return [*request.files, "--contract", str(request.contract), *machine]
