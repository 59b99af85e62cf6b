"""Workers on this machine: processes that do one task after the other, one thread each.

They are started afresh and not forked: a copy of a process that runs threads may wait for ever. One
that is gone, whatever ended it, is replaced; the others do not notice.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import psutil

from faultxfer import children
from faultxfer.fleet.tasks import Answer, HandedOver, Lost, Task

if TYPE_CHECKING:
    from faultxfer.fleet.running import Done

# What each library would take a thread per processor for.
_ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    **dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"),
}
_PROGRAM = (
    "import sys; from faultxfer.fleet.worker import main; main(int(sys.argv[1]), sys.argv[2])"
)
WORKS, REGISTERS = "works", "registers"
_LOOK_SECONDS, _LEAVE_SECONDS, _STOP_SECONDS = 0.5, 10.0, 8.0
# A process that holds this share of what it may is replaced before it takes the next machine.
_FULL = 0.8


class LocalWorkers:
    """Processes that take tasks from one queue.

    Args:
        count: how many.
        done: where answers go, as (task, answer).
        memory: bytes that each may take; None for as much as there is.
        role: what they do; :data:`REGISTERS` for the one that writes to the registry.
    """

    def __init__(
        self, count: int, done: Done, memory: float | None = None, role: str = WORKS
    ) -> None:
        self.count = count
        self._inbox: SimpleQueue[Any] = SimpleQueue()
        self._stations = [_Station(self._inbox, done, memory, role) for _ in range(count)]

    def submit(self, task: Task | HandedOver) -> None:
        """Have something done by whoever is free next."""
        self._inbox.put(task)

    def close(self, *, at_once: bool = False) -> None:
        """Let the processes end, or end them with what they are doing."""
        for _ in self._stations:
            self._inbox.put(None)
        if at_once:
            for station in self._stations:
                station.interrupt()
        for station in self._stations:
            station.thread.join(_LEAVE_SECONDS + _STOP_SECONDS)


class _Station:
    """A thread that keeps a process and hands it one task after the other."""

    def __init__(
        self, inbox: SimpleQueue[Any], done: Done, memory: float | None, role: str
    ) -> None:
        self._inbox, self._done, self._memory, self._role = inbox, done, memory, role
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None
        self._interrupted = False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def interrupt(self) -> None:
        """Have the process give up what it is doing, as after Ctrl-C."""
        self._interrupted = True
        process = self._process
        if process is not None:
            with suppress(ProcessLookupError):
                process.terminate()

    def _serve(self) -> None:
        with suppress(OSError):  # it is tried again for the first task
            self._started()
        while (task := self._inbox.get()) is not None and not self._interrupted:
            self._done.put((task, self._ask(task)))
        self._end()

    def _ask(self, task: Task | HandedOver) -> Answer:
        try:
            connection = self._started()
            connection.send(task)
            while not connection.poll(_LOOK_SECONDS):
                if self._holds(1.0):
                    self._kill()
                    return Lost(task.machine, f"it took more memory than {self._budget()}")
            answer: Answer = connection.recv()
        except (EOFError, OSError):
            return Lost(task.machine, f"its process ended{self._how()}")
        if self._holds(_FULL):
            self._end()
        return answer

    def _started(self) -> Connection[Any, Any]:
        if self._connection is None:
            ours, theirs = Pipe()
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and program
                    [sys.executable, "-c", _PROGRAM, str(theirs.fileno()), self._role],
                    env={**os.environ, **_ONE_THREAD},
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C reaches the command alone, which ends it
                )
            children.watch(self._process)
            self._connection = ours
        return self._connection

    def _holds(self, share: float) -> bool:
        """Whether the process holds more than a share of what it may."""
        if self._memory is None or self._process is None:
            return False
        try:
            resident = psutil.Process(self._process.pid).memory_info().rss
        except psutil.Error:  # it has ended: its pipe says so
            return False
        return bool(resident > share * self._memory)

    def _budget(self) -> str:
        return f"the {(self._memory or 0) / 1e9:.1f} GB of a worker"

    def _how(self) -> str:
        """How the process ended that answers no more; it is reaped."""
        process = self._process
        self._end()
        if process is None or process.returncode is None:
            return ""
        code = process.returncode
        by = f" by signal {signal.Signals(-code).name}" if code < 0 else f" with exit code {code}"
        return f"{by}, as where memory runs out" if code == -signal.SIGKILL else by

    def _kill(self) -> None:
        if self._process is not None:
            children.kill(self._process)
        self._end()

    def _end(self) -> None:
        """Let it end, and end it where it does not."""
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if process is None or connection is None:
            return
        connection.close()
        children.wait_or_kill(process, _LEAVE_SECONDS)
