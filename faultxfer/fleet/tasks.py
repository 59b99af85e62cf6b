"""What a worker does for one machine: the product's own list of steps.

What is to be registered is handed over to the one process that writes to the registry, as paths and
small records; the files lie in the machine's work folder.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from faultxfer.errors import ChampionMovedError, NoVersionError
from faultxfer.fleet.outcomes import Outcome, of_check, of_error, of_scores, of_transfer
from faultxfer.requests import ScoreRequest, TransferRequest, ValidateRequest

if TYPE_CHECKING:
    from faultxfer.steps.judging import Verdict
    from faultxfer.steps.opening import Job
    from faultxfer.steps.sources import Models

Request: TypeAlias = TransferRequest | ScoreRequest | ValidateRequest
_REGISTRY = "MLFLOW_TRACKING_URI"
# Neither MLflow nor Matplotlib is made for two machines at a time in one process.
_ALONE = threading.Lock()


@dataclass(frozen=True)
class Task:
    """Work for one machine.

    Attributes:
        machine: its name.
        request: what is asked for it.
        work: folder for what is handed over; nothing lies there yet.
        registry: address of the registry, for a worker that is not this process's own; not shown,
            as it may hold a password.
        scored_by: version that scored the same rows before; empty where none did.
    """

    machine: str
    request: Request
    work: Path
    registry: str = field(default="", repr=False)
    scored_by: str = ""


@dataclass(frozen=True)
class HandedOver:
    """A judged candidate that is to be registered.

    Attributes:
        machine: whose it is.
        seconds: that it took until here.
    """

    machine: str
    job: Job[TransferRequest]
    models: Models
    verdict: Verdict
    seconds: float = 0.0


@dataclass(frozen=True)
class MovedOn:
    """The champion it was judged against is champion no more: it is to be done again."""

    machine: str


@dataclass(frozen=True)
class Lost:
    """The process that did it is gone.

    Attributes:
        why: in half a sentence.
    """

    machine: str
    why: str


@dataclass(frozen=True)
class StillScored:
    """The same rows were scored before, by the version that would score them today."""

    machine: str


Answer: TypeAlias = Outcome | HandedOver | MovedOn | Lost | StillScored


def do(task: Task | HandedOver) -> Answer:
    """Do it, whatever comes of it: nothing that happens to a machine is raised.

    Args:
        task: work for a machine, or what is to be registered.
    """
    begun = time.monotonic()
    with _ALONE:
        try:
            made = _registered(task) if isinstance(task, HandedOver) else _done(task)
        except Exception as error:
            made = of_error(task.machine, error)
            if made.internal:
                made = made.but(told=f"{made.told} {_last_lines()}")
    if not isinstance(made, Outcome):
        return made
    before = task.seconds if isinstance(task, HandedOver) else 0.0
    return made.but(seconds=before + time.monotonic() - begun)


def get_ready() -> None:
    """Import what registering needs, and let the process start that checks versions."""
    from faultxfer.registry.smoke import expect_smoke_test
    from faultxfer.steps import registration

    expect_smoke_test()
    assert registration  # noqa: S101  # imported


def _last_lines() -> str:
    """Where it went wrong, as far as one line tells it."""
    lines = traceback.format_exc().splitlines()
    places = [line.strip() for line in lines if line.strip().startswith("File ")]
    return places[-1].removeprefix("File ") if places else ""


def _done(task: Task) -> Answer:
    if task.registry:
        os.environ[_REGISTRY] = task.registry
    if isinstance(task.request, TransferRequest):
        return _transferred(task, task.request)
    from faultxfer import pipeline

    if isinstance(task.request, ValidateRequest):
        return of_check(task.machine, pipeline.validate(task.request))
    if task.scored_by and task.scored_by == _scorer(task.request):
        return StillScored(task.machine)
    return of_scores(task.machine, pipeline.score(task.request))


def _scorer(request: ScoreRequest) -> str:
    """Number of the version that would score; empty where none could."""
    from faultxfer.registry.store import open_registry
    from faultxfer.steps.scorers import find_scorer

    try:
        registry = open_registry()
        version, _ = find_scorer(registry, request.model, str(request.equipment), request.version)
    except NoVersionError:
        return ""
    return version.version


def _transferred(task: Task, request: TransferRequest) -> Answer:
    from faultxfer import pipeline
    from faultxfer.registry.smoke import expect_no_smoke_test
    from faultxfer.steps.registration import prepare_registration
    from faultxfer.steps.sources import keep_sources

    keep_sources()
    expect_no_smoke_test()
    begun = time.monotonic()

    def hand_over(step: Any, *given: Any) -> Any:
        if step.__name__ == "register_candidate" and not request.dry_run:
            return HandedOver(task.machine, *given)
        return step(*given)

    if request.dry_run:
        return of_transfer(task.machine, pipeline.transfer(request))
    # One of its own for each try: whoever was lost may still write to the one of before.
    task.work.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=task.work))
    made: Any = pipeline.transfer_within(work, request, hand_over)
    if not isinstance(made, HandedOver):
        return of_transfer(task.machine, made)
    prepare_registration(made.job, made.models, made.verdict)
    return replace(made, seconds=time.monotonic() - begun)


def _registered(handed: HandedOver) -> Answer:
    from faultxfer.steps.registration import register_candidate

    try:
        made = register_candidate(handed.job, handed.models, handed.verdict)
    except ChampionMovedError:
        return MovedOn(handed.machine)
    return of_transfer(handed.machine, made)
