"""A process beside this one that imports only what scoring needs, and checks versions in it.

It is started as soon as it is known that a version may be registered, so that its imports go on
beside the work, and is kept for all versions of this process. Each version is checked in a fork of
its own, which ends with its answer: nothing of a version stays for the next.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import selectors
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from io import RawIOBase
from pathlib import Path
from typing import IO, Any

from faultxfer import children

Answer = Callable[[dict[str, Any]], dict[str, Any]]
# Elsewhere a fork after these imports may crash: there each version gets a process of its own.
_FORKS = sys.platform == "linux"
_LONGEST_LINE = 2**22
# -P: no file of the folder it is started in takes the place of a module.
COMMAND = (sys.executable, "-P", "-m", "faultxfer.registry.smoke")
_ENDED = "ended"  # of an answer: the exit code of a fork that gave none


class EndedError(Exception):
    """There is no answer; holds the exit code, and the last line that was said."""


class CleanProcess:
    """The process, as seen from the one that starts it; several threads may ask, one at a time."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._of = os.getpid()
        self._rest = b""

    def begin(self) -> None:
        """Start it, if it does not run; returns at once, while it imports."""
        with self._lock:
            self._begin()

    def ask(self, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer to a question, see :func:`serve`.

        Raises:
            EndedError: there was none, as the process or the fork that answers ended.
            subprocess.TimeoutExpired: it took longer; the process is ended.
        """
        with self._lock:
            process = self._begin()
            line = json.dumps({**question, "folder": str(Path.cwd())}).encode() + b"\n"
            try:
                with suppress(BrokenPipeError):  # it ended; what it said is read below
                    _pipe(process.stdin).write(line)
                answer = self._heard(process, time.monotonic() + seconds)
            except BaseException:
                self._close()
                raise
            if _ENDED in answer:
                raise EndedError(answer[_ENDED], self._last_said())
            return answer

    def close(self) -> None:
        """End it."""
        with self._lock:
            self._close()

    def _begin(self) -> subprocess.Popen[bytes]:
        if self._of != os.getpid():  # a fork: the process is its parent's
            self._process, self._said, self._of = None, None, os.getpid()
        if self._process is None or self._process.poll() is not None:
            self._close()
            self._said = tempfile.TemporaryFile()  # noqa: SIM115  # read when the process ends
            self._process, self._rest = _started(self._command, self._said), b""
            children.watch(self._process)
        return self._process

    def _close(self) -> None:
        process, self._process = self._process, None
        if self._said is not None:
            self._said.close()
            self._said = None
        if process is None or self._of != os.getpid():
            return
        children.kill(process)
        process.wait()
        children.forget(process)
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                _pipe(pipe).close()

    def _heard(self, process: subprocess.Popen[bytes], until: float) -> dict[str, Any]:
        answers = _pipe(process.stdout)
        with selectors.DefaultSelector() as selector:
            selector.register(answers, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise subprocess.TimeoutExpired(process.args, until)
                read = os.read(answers.fileno(), 65536)
                if not read or len(self._rest) > _LONGEST_LINE:
                    raise self._ended(process)
                self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        return dict(json.loads(line))

    def _ended(self, process: subprocess.Popen[bytes]) -> EndedError:
        return EndedError(process.wait(timeout=60), self._last_said())

    def _last_said(self) -> str:
        assert self._said is not None  # noqa: S101  # as long as there is a process
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


def _started(command: Sequence[str], said: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # our own interpreter with fixed arguments
        command,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        start_new_session=True,
    )


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101  # started with pipes
    return pipe


SHARED = CleanProcess()
atexit.register(SHARED.close)


def serve(prepare: Callable[[], object], answer: Answer) -> int:
    """The process itself: answer questions, a line of JSON each, until nobody can ask any more.

    Args:
        prepare: imports what every answer needs; touches nothing that an answer depends on.
        answer: gives the answer to a question. It runs in the folder that the question names.
    """
    # What libraries print is no answer.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    prepare()
    gc.freeze()  # else each fork copies every page when its garbage is collected
    for line in sys.stdin.buffer:
        if not _FORKS:
            _tell(answers, answer, line)
            return 0
        status = _in_fork(partial(_tell, answers, answer, line))
        if status != 0:
            answers.write(json.dumps({_ENDED: status}).encode() + b"\n")
    return 0


def _tell(answers: RawIOBase, answer: Answer, line: bytes) -> None:
    question = json.loads(line)
    os.chdir(question["folder"])
    answers.write(json.dumps(answer(question), default=str).encode() + b"\n")


def _in_fork(work: Callable[[], object]) -> int:
    """Do the work in a fork; returns its exit code, negative for a signal."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)
