"""The main path: one list of steps for each command.

``transfer`` reads as the product does: look at the request, load the models, check the rows, split,
adapt, evaluate, ask the gate, register. Each list takes one request and a runner. Plainly, the
runner calls the step; :mod:`flows` passes one that makes a Prefect task of it.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from faultxfer import learning_curves, steps
from faultxfer.errors import ChampionMovedError
from faultxfer.outputs import workspace
from faultxfer.progress import progress
from faultxfer.requests import (
    CurveRequest,
    PretrainRequest,
    Request,
    ScoreRequest,
    TransferRequest,
    ValidateRequest,
    make_request,
)

if TYPE_CHECKING:
    from faultxfer.learning_curves.measuring import LearningResult
    from faultxfer.steps.adaptation import Adaptation
    from faultxfer.steps.intake import CheckedRows
    from faultxfer.steps.opening import Job
    from faultxfer.steps.pretraining import PretrainResult
    from faultxfer.steps.registration import TransferResult
    from faultxfer.steps.repeats import Unchanged
    from faultxfer.steps.scoring import ScoreResult
    from faultxfer.steps.sources import Models

__all__ = [
    "learning_curve",
    "plainly",
    "pretrain",
    "score",
    "transfer",
    "transfer_within",
    "validate",
]

Result = TypeVar("Result")


class Run(Protocol):
    """Runs a step with the values given, at most three, and gives back what the step made."""

    def __call__(self, step: Callable[..., Result], /, *given: Any) -> Result: ...


# Each takes seconds; who loses more often than this has a registry in which something else is
# wrong.
_JUDGEMENTS = 20


def plainly(step: Callable[..., Result], /, *given: Any) -> Result:
    """Call the step, and nothing else."""
    return step(*given)


def _asked(
    kind: type[Request],
) -> Callable[[Callable[[Request, Run], Result]], Callable[..., Result]]:
    """Let a list of steps be called with a request, or with the values of its fields."""

    def of(listed: Callable[[Request, Run], Result]) -> Callable[..., Result]:
        @functools.wraps(listed)
        def called(*given: Any, run: Run = plainly, **named: Any) -> Result:
            return listed(make_request(kind, *given, **named), run)

        return called

    return of


@_asked(ValidateRequest)
def validate(request: ValidateRequest, run: Run = plainly) -> CheckedRows:
    """Check files against a contract; labels are checked where a file has them.

    Raises:
        DataError, ContractError: something cannot be read. A refused file is a finding of the
            result.
    """
    with workspace() as work:
        job = run(steps.open_validate, request, work)
        return run(steps.check_rows, job, job.contract)


@_asked(PretrainRequest)
def pretrain(request: PretrainRequest, run: Run = plainly) -> PretrainResult:
    """Train the source model on equipment with history and register it.

    Raises:
        UserError: the files, the contract or the registry do not allow it; nothing is registered
            then.
    """
    with workspace() as work:
        job = run(steps.open_pretrain, request, work)
        rows = run(steps.check_rows, job, job.contract)
        rows = run(steps.find_copies, job, rows)
        trained = run(steps.train_source, job, rows)
        return run(steps.register_source, job, rows, trained)


@_asked(TransferRequest)
def transfer(request: TransferRequest, run: Run = plainly) -> TransferResult | Unchanged:
    """The main job: move the source model to a machine with little labelled history.

    Raises:
        UserError: the files, the contract or the registry do not allow it; nothing is registered
            then.
    """
    with workspace() as work:
        return transfer_within(work, request, run)


def transfer_within(work: Path, request: TransferRequest, run: Run) -> TransferResult | Unchanged:
    """The steps of a transfer, in a folder whose files are still wanted afterwards.

    Args:
        work: an empty folder.
        request: what is asked.
        run: the runner; a fleet's hands what is to be registered over to another process.
    """
    job = run(steps.open_transfer, request, work)
    models = run(steps.fetch_models, job)
    rows = run(steps.check_rows, job, job.contract, models)
    if repeat := run(steps.find_repeat, job, models, rows):
        return repeat
    rows = run(steps.find_copies, job, rows, models)
    target = run(steps.split_target, job, models, rows)
    adapted = run(steps.adapt_source, job, models, target)
    return _judge_until_settled(job, models, adapted, run)


@_asked(ScoreRequest)
def score(request: ScoreRequest, run: Run = plainly) -> ScoreResult:
    """Score new rows with a machine's champion, or the version asked for, into a CSV.

    Where no machine is named, the source model itself scores them.

    Raises:
        UserError: the machine or version is unknown, or a file does not fit the version's contract.
    """
    with workspace() as work:
        opened = run(steps.open_score, request, work)
        detector = run(steps.fetch_detector, opened)
        rows = run(steps.check_rows, opened, detector.contract, detector)
        return run(steps.score_rows, opened, detector, rows)


@_asked(CurveRequest)
def learning_curve(request: CurveRequest, run: Run = plainly) -> LearningResult:
    """Measure what labelled rows of a machine bring with the source and without it.

    Registers nothing.

    Raises:
        UserError: the files, the contract or the registry do not allow it, or the rows are too few.
    """
    with workspace() as work:
        job = run(steps.open_curve, request, work)
        models = run(steps.fetch_models, job)
        rows = run(steps.check_rows, job, job.contract, models)
        rows = run(steps.find_copies, job, rows, models)
        drawn = run(learning_curves.draw_rows, job, models, rows)
        measured = run(learning_curves.measure_learning, job, models, drawn)
        return run(learning_curves.report_learning, job, measured)


def _judge_until_settled(
    job: Job[TransferRequest], models: Models, adapted: Adaptation, run: Run
) -> TransferResult | Unchanged:
    """Evaluate, ask the gate and register, until no other promotion came first.

    A promotion that came first may have been made for the same request: then that is the answer.

    Raises:
        ChampionMovedError: other promotions came first again and again.
    """
    for number in range(1, _JUDGEMENTS + 1):
        judging = dataclasses.replace(job, work=_new_folder(job.work / f"judgement-{number}"))
        evaluation = run(steps.evaluate_candidate, judging, models, adapted)
        verdict = run(steps.ask_gate, judging, evaluation)
        try:
            return run(steps.register_candidate, judging, models, verdict)
        except ChampionMovedError:
            if number == _JUDGEMENTS:
                raise
        if repeat := run(steps.find_repeat, job, models, adapted.target.rows):
            return repeat
        progress.info("Another promotion came first: judging again, against the new champion")
        models = run(steps.fetch_champion, judging, models)
    raise AssertionError("unreachable")


def _new_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder
