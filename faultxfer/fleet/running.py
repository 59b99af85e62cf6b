"""Run a fleet: hand each machine to a worker, register what passed, keep what came of it."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeAlias

from faultxfer.config import TransferOptions
from faultxfer.errors import FaultxferError, UserError
from faultxfer.fleet.ledger import LEDGER, Ledger, digest_of_request, sole_fleet
from faultxfer.fleet.local import REGISTERS, LocalWorkers
from faultxfer.fleet.outcomes import FleetResult, Outcome, of_error, worst_first
from faultxfer.fleet.page import write_page
from faultxfer.fleet.plan import Planned, plan_of
from faultxfer.fleet.room import workers_that_fit
from faultxfer.fleet.tasks import Answer, HandedOver, Lost, MovedOn, StillScored, Task
from faultxfer.following import Next, typed
from faultxfer.outputs import FLEET
from faultxfer.registry import connect
from faultxfer.requests import FleetRequest, ScoreRequest, TransferRequest
from faultxfer.temporary import temporary_folder

Done: TypeAlias = SimpleQueue[tuple[Task | HandedOver, Answer]]
# A machine whose worker is gone is begun again, which is no fault of the machine, until it looks
# like one.
_MOST_TRIES = 3
# Candidates that wait for the registry, for each worker: their files take room.
_AHEAD = 4
_LOOK_SECONDS = 1.0


class Workers(Protocol):
    """Who does what is submitted, and puts the answers where they were told to."""

    count: int

    def submit(self, task: Task | HandedOver) -> None:
        """Have something done."""

    def close(self, *, at_once: bool = False) -> None:
        """Do no more."""


Start: TypeAlias = Callable[[FleetRequest, int, Done], Workers]
# Told of each machine: how many have ended, of how many, and what came of this one.
Tell: TypeAlias = Callable[[int, int, Outcome], None]


def run_fleet(
    request: FleetRequest,
    tell: Tell = lambda *_: None,
    start: Start | None = None,
    register: Start | None = None,
) -> FleetResult:
    """Transfer, score or validate each machine of a manifest by itself.

    Args:
        request: which machines, and what to do with each.
        tell: is told of each machine as soon as something came of it.
        start: starts who works; this process's own workers, or Dask's where the request names a
            scheduler, if left out.
        register: starts who registers, one after the other; a process of its own if left out.

    Raises:
        UserError: the manifest cannot be used, another process works in the same folder, there is
            no registry, or no room for a worker. Nothing was run then.
    """
    begun = time.monotonic()
    planned = plan_of(request)
    if request.task != "validate":
        connect.require_registry(connect.tracking_uri())
    with sole_fleet(request.out):
        starts = (start or _starter(request), register or _registering)
        fleet = _Fleet(request, planned, tell, starts)
        try:
            fleet.run()
        except BaseException:
            if fleet.outcomes:  # the page shows what was done until it was stopped
                fleet.result(time.monotonic() - begun)
            raise
        return fleet.result(time.monotonic() - begun)


def _starter(request: FleetRequest) -> Start:
    if request.dask is None:
        return _locally
    from faultxfer.fleet.dask import on_dask

    return on_dask


def _locally(request: FleetRequest, machines: int, done: Done) -> Workers:
    more = int(_registers(request))
    count = workers_that_fit(request.workers, request.memory_per_worker, machines, more)
    return LocalWorkers(count, done, request.memory_per_worker * 1e9)


def _registering(_request: FleetRequest, _machines: int, done: Done) -> Workers:
    return LocalWorkers(1, done, role=REGISTERS)


def _registers(request: FleetRequest) -> bool:
    return request.task == "transfer" and not request.dry_run


class _Fleet:
    """One run of a fleet.

    Attributes:
        outcomes: of the machines that have ended, by name.
    """

    def __init__(
        self,
        request: FleetRequest,
        planned: list[Planned],
        tell: Tell,
        starts: tuple[Start, Start],
    ) -> None:
        self.request, self.planned, self.tell = request, planned, tell
        self.start, self.register = starts
        self.notes = {one.listed.name: one.listed.note for one in planned}
        self.ledger = Ledger(request.out)
        self.outcomes: dict[str, Outcome] = {}
        self._digests: dict[str, str] = {}
        self._skipped: dict[str, Outcome] = {}
        self._tries: dict[str, int] = {}
        self._tasks: dict[str, Task] = {}
        self._done: Done = SimpleQueue()
        self._at_work = self._to_register = 0

    def run(self) -> None:
        """Until every machine has ended."""
        with self._work_folder() as work:
            waiting = deque(self._tasks_of(work))
            if waiting:
                self._work(waiting)

    def result(self, seconds: float) -> FleetResult:
        """What came of it; the page is written."""
        machines = worst_first(list(self.outcomes.values()))
        left = [name for name in self.notes if name not in self.outcomes]
        following = tuple(self._following(machines, left))
        page = write_page(self.request, machines, left, following, seconds)
        return FleetResult(self.request.task, machines, str(page), seconds, following)

    @contextmanager
    def _work_folder(self) -> Iterator[Path]:
        """Where workers put what is to be registered: beside the results where they are elsewhere.

        Only the folder of the results need be shared with other machines.
        """
        if self.request.dask is None:
            with temporary_folder("fleet") as folder:
                yield folder
            return
        folder = (self.request.out / LEDGER / "work").absolute()
        shutil.rmtree(folder, ignore_errors=True)  # of a command that was killed
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _tasks_of(self, work: Path) -> Iterator[Task]:
        """What is left to do; what ended before is told."""
        for number, one in enumerate(self.planned):
            name, request = one.listed.name, one.request
            if request is None:
                problem = one.listed.problem
                assert problem is not None  # noqa: S101  # else the plan were refused
                self._end(of_error(name, problem))
                continue
            try:
                self._digests[name] = digest_of_request(request)
                before = self._before(name, request)
            except (FaultxferError, OSError) as error:
                self._end(of_error(name, _of_file(error)))
                continue
            if before is not None and not isinstance(request, ScoreRequest):
                self._end(before)
                continue
            if before is not None:
                self._skipped[name] = before
            elsewhere = self.request.dask is not None and self.request.task != "validate"
            address = connect.tracking_uri() if elsewhere else ""
            by = before.version if before else ""
            yield Task(name, request, work / str(number), address, by)

    def _before(self, name: str, request: Any) -> Outcome | None:
        """What came of the same before, where that still stands."""
        digest = self._digests[name]
        if self.request.again:
            self.ledger.forget(digest)
        if isinstance(request, TransferRequest) and request.dry_run:
            return None
        found = self.ledger.find(digest)
        if found is None or (isinstance(request, ScoreRequest) and not request.out.exists()):
            return None
        return found.but(machine=name)

    def _work(self, waiting: deque[Task]) -> None:
        workers = self.start(self.request, len(waiting), self._done)
        whole, writer = False, None
        try:
            if _registers(self.request):
                writer = self.register(self.request, 1, self._done)
            while waiting or self._at_work or self._to_register:
                self._hand_out(waiting, workers)
                self._take(waiting, workers, writer)
            whole = True
        finally:
            for one in filter(None, (workers, writer)):
                one.close(at_once=not whole)

    def _hand_out(self, waiting: deque[Task], workers: Workers) -> None:
        """Keep the workers busy, and no further ahead of the registry than there is room for."""
        most = 2 * workers.count
        while waiting and self._at_work < most and self._to_register < _AHEAD * workers.count:
            task = waiting.popleft()
            self._tries[task.machine] = self._tries.get(task.machine, 0) + 1
            self._tasks[task.machine] = task
            self._at_work += 1
            workers.submit(task)

    def _take(self, waiting: deque[Task], workers: Workers, writer: Workers | None) -> None:
        """One answer, if there is one."""
        try:
            task, answer = self._done.get(timeout=_LOOK_SECONDS)
        except Empty:
            return
        if isinstance(task, HandedOver):
            self._to_register -= 1
        else:
            self._at_work -= 1
        if isinstance(answer, HandedOver):
            assert writer is not None  # noqa: S101  # nothing is handed over without one
            self._to_register += 1
            writer.submit(answer)
            return
        shutil.rmtree(self._tasks[task.machine].work, ignore_errors=True)
        if isinstance(answer, Outcome):
            self._end(answer)
        elif isinstance(answer, StillScored):
            self._end(self._skipped[answer.machine])
        elif self._tries[answer.machine] < _MOST_TRIES:
            waiting.append(self._tasks[answer.machine])
        else:
            self._end(_given_up(answer))

    def _end(self, outcome: Outcome) -> None:
        """Keep and tell what came of a machine."""
        outcome = outcome.but(note=self.notes[outcome.machine])
        self.outcomes[outcome.machine] = outcome
        digest = self._digests.get(outcome.machine)
        if digest and not outcome.before and outcome.outcome != "dry run":
            self.ledger.write(digest, outcome)
        self.tell(len(self.outcomes), len(self.planned), outcome)

    def _following(self, machines: tuple[Outcome, ...], left: list[str]) -> Iterator[Next]:
        request = self.request
        if left or any(not one.settled for one in machines):
            # Without its files of options, which only who typed it knows, it were another one.
            if request.options == TransferOptions():
                why = "Go on where it stopped; what is done is skipped"
                yield Next(why, typed(*_words(request)))
        elif request.task == "transfer" and not request.dry_run:
            model = ("--model", request.model) if request.model else ()
            why = "Score the machines' new rows; name the new files in a manifest"
            yield Next(why, typed("fleet", "score", "NEW.csv", *model))


def _words(request: FleetRequest) -> list[str]:
    """The command that goes on."""
    words = ["fleet", request.task, *request.manifest]
    named = {
        "contract": request.contract,
        "model": request.model,
        "out": request.out if request.out != FLEET else None,
        "policy": request.policy,
        "workers": request.workers,
        "dask": request.dask,
    }
    for name, value in named.items():
        if value is not None:
            words += [f"--{name}", str(value)]
    return [*words, *(["--dry-run"] if request.dry_run else [])]


def _of_file(error: Exception) -> Exception:
    if isinstance(error, OSError):
        return UserError(
            "A file of this machine cannot be read",
            received={"problem": error.strerror or str(error)},
            where=error.filename,
            remedy="Check its permissions, and run the command again",
        )
    return error


def _given_up(answer: Lost | MovedOn) -> Outcome:
    if isinstance(answer, Lost):
        told = f"Work on it ended {_MOST_TRIES} times without a result: {answer.why}."
    else:
        told = "Another promotion came first again and again; run the command again."
    return Outcome(answer.machine, "failed", "failed", told, settled=False, internal=True)
