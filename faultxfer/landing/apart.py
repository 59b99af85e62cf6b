"""Workers in a process of their own, which ends when a look found nothing to do.

What reads a file keeps pandas, 0.1 GB, for as long as its process lives, what loads a network
TensorFlow, 0.8 GB; and a watcher mostly waits. Files that landed together share one process: to
load it takes seconds.

Tasks and answers are lines of JSON. The process reads no more once the watcher has ended, however
that happened.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from faultxfer import children, errors
from faultxfer.errors import FaultxferError
from faultxfer.landing.ledger import Part
from faultxfer.landing.workers import Scored, WorkError, Workers
from faultxfer.requests import ScoreRequest, TransferRequest, ValidateRequest
from faultxfer.stopping import Stopping

# To end by itself, and after it was asked to, when runs write how they ended.
_LEAVE_SECONDS, _STOP_SECONDS = 10.0, 8.0


class Apart:
    """Workers that hand every task to a process, which is started when there is one.

    Args:
        command: starts a process that calls :func:`work`.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self.process: subprocess.Popen[str] | None = None
        self._was_asked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(_STOP_SECONDS if kind else _LEAVE_SECONDS, at_once=kind is not None)

    @property
    def workers(self) -> Workers:
        """What a watcher calls."""
        return Workers(
            score=lambda request, digest: Scored(**self._ask("score", _plain(request), digest)),
            transfer=lambda request, digest: str(self._ask("transfer", _plain(request), digest)),
            require_scorer=lambda model, machine: self._ask("require_scorer", model, machine),
            check=lambda request: self._ask("check", _plain(request)),
            interrupted=lambda digest: self._ask("interrupted", digest),
            parts=self._parts,
            require_watchable=lambda contract: self._ask("require_watchable", str(contract)),
            rest=self.rest,
        )

    def rest(self) -> None:
        """End the process where it was asked for nothing since this was called last."""
        if not self._was_asked:
            self._end(_LEAVE_SECONDS, at_once=False)
        self._was_asked = False

    def _parts(self, path: Path, folder: str | None, contract: Path) -> tuple[Part, ...]:
        found = self._ask("parts", str(path), folder, str(contract))
        return tuple(Part(**one) for one in found)

    def _ask(self, task: str, *given: Any) -> Any:
        """What came of a task.

        Raises:
            FaultxferError: of the kind that the task ended with.
            WorkError: it ended in another way.
        """
        self._was_asked = True
        line = ""
        with suppress(BrokenPipeError):
            process = self._running()
            _pipe(process.stdin).write(json.dumps([task, *given]) + "\n")
            _pipe(process.stdin).flush()
            line = _pipe(process.stdout).readline()
        if not line.endswith("\n"):
            raise WorkError(f"its process ended{self._code()}, as where memory runs out")
        answer = json.loads(line)
        if "problem" in answer:
            raise _raised(answer["problem"])
        return answer["made"]

    def _running(self) -> subprocess.Popen[str]:
        if self.process is None:
            self.process = subprocess.Popen(  # noqa: S603  # our own interpreter and command
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,  # Ctrl-C reaches the watcher alone, which ends it
            )
            children.watch(self.process)
        return self.process

    def _code(self) -> str:
        """How a process ended that gives no more answers."""
        assert self.process is not None  # noqa: S101  # it was asked
        process = self.process
        self._end(_STOP_SECONDS, at_once=True)
        return f" with exit code {process.returncode}"

    def _end(self, seconds: float, *, at_once: bool) -> None:
        """Let it end, ask it to, and end it where it does not.

        Args:
            seconds: how long it may take.
            at_once: whether what it is doing is given up.
        """
        process, self.process = self.process, None
        if process is None:
            return
        with suppress(BrokenPipeError):
            _pipe(process.stdin).close()
        if at_once:
            process.terminate()
        children.wait_or_kill(process, seconds)
        _pipe(process.stdout).close()


def work(workers: Workers) -> None:
    """Do what is asked on stdin, until nobody asks or it is stopped; prints go to stderr.

    Args:
        workers: who does it.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    tasks = _tasks(workers)
    with suppress(KeyboardInterrupt), Stopping():
        for line in sys.stdin:
            task, *given = json.loads(line)
            answers.write(json.dumps(_answer(tasks[task], given)) + "\n")
            answers.flush()


def _tasks(workers: Workers) -> dict[str, Callable[..., Any]]:
    return {
        "score": lambda request, digest: asdict(workers.score(ScoreRequest(**request), digest)),
        "transfer": lambda request, digest: workers.transfer(TransferRequest(**request), digest),
        "require_scorer": workers.require_scorer,
        "check": lambda request: workers.check(ValidateRequest(**request)),
        "interrupted": workers.interrupted,
        "parts": lambda path, folder, contract: [
            asdict(one) for one in workers.parts(Path(path), folder, Path(contract))
        ],
        "require_watchable": lambda contract: workers.require_watchable(Path(contract)),
    }


def _answer(task: Callable[..., Any], given: list[Any]) -> dict[str, Any]:
    try:
        return {"made": task(*given)}
    except FaultxferError as error:
        known = [kind.__name__ for kind in type(error).__mro__ if hasattr(errors, kind.__name__)]
        way_on = getattr(error, "way_on", "")
        return {"problem": {**error.as_dict(), "type": known[0], "way_on": way_on}}
    except Exception as error:
        return {"problem": {"type": None, "message": f"{type(error).__name__}: {error}"}}


class _Shown(str):
    """A value that an error names, as the other process showed it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _raised(problem: dict[str, Any]) -> Exception:
    """The error that a task ended with."""
    if problem["type"] is None:
        return WorkError(problem["message"])
    kind: type[FaultxferError] = getattr(errors, problem["type"])
    more: dict[str, Any] = {"way_on": problem["way_on"]} if problem["way_on"] else {}
    return kind(
        problem["expected"],
        received={name: _Shown(value) for name, value in problem["received"].items()},
        where=problem["where"],
        remedy=problem["remedy"],
        **more,
    )


def _plain(request: ScoreRequest | TransferRequest | ValidateRequest) -> dict[str, Any]:
    """The fields that say something, as JSON has them."""
    return request.model_dump(mode="json", exclude_defaults=True)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None  # noqa: S101  # started with pipes
    return pipe
