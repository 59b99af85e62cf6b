"""Processes that end with this one, also when it is killed.

A small process beside this one, the watcher, reads a pipe whose other end this process holds. When
that end is closed, whatever closed it, the watcher ends the processes it was told of. It has a
session of its own, where neither Ctrl-C nor a closed terminal reaches it.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from faultxfer.process import begun

# Time to end by itself, as for a server that closes its database.
_GRACE_SECONDS = 5.0
# The watcher: this very file, with Python's own library and psutil. It is given both folders, as it
# is started without those of the installation (`-S`), which would take it longer.
_PROGRAM = "import sys; sys.path += sys.argv[1:]; from faultxfer.children import main; main()"


def watch(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """End a child process when this process ends; all of its group where it leads one.

    Start a program that starts processes of its own with ``start_new_session=True``, so that it
    leads them.
    """
    # It may have ended already. Or no watcher can be started, which is no reason to stop the work.
    with suppress(OSError):
        leads = os.getpgid(process.pid) == process.pid
        _WATCHER.add(process.pid, f"+ {process.pid} {int(leads)} {begun(process.pid)}\n")


def forget(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Say that a child process has ended: its number is given again."""
    with suppress(OSError):
        _WATCHER.drop(process.pid)


def run(
    command: Sequence[str], *, env: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it printed; it ends with this process.

    Raises:
        subprocess.TimeoutExpired: it took longer; it is ended.
    """
    process = subprocess.Popen(  # noqa: S603  # callers name fixed programs
        command,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    watch(process)
    with process:
        try:
            out, err = process.communicate(timeout=seconds)
        except BaseException:
            kill(process)
            raise
        finally:
            forget(process)
    return subprocess.CompletedProcess(list(command), process.returncode, out, err)


class _Watcher:
    """The watcher's side in this process; started when there is something to watch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[int, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._of = os.getpid()

    def add(self, number: int, line: str) -> None:
        """Have a process watched."""
        with self._lock:
            self._require_own()
            self._told[number] = line
            self._tell(line)

    def drop(self, number: int) -> None:
        """Have it watched no longer."""
        with self._lock:
            self._require_own()
            if self._told.pop(number, None):
                self._tell(f"- {number}\n")

    def close(self) -> None:
        """At the end of this process: let the watcher end too."""
        if self._process is None or self._of != os.getpid():
            return
        with suppress(OSError):
            _pipe(self._process).close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=3 * _GRACE_SECONDS)

    def _require_own(self) -> None:
        """A forked process watches for itself: its parent's children are none of its own."""
        if self._of != os.getpid():
            self._told.clear()
            self._process, self._of = None, os.getpid()

    def _tell(self, line: str) -> None:
        if self._process is not None and self._process.poll() is not None:  # somebody killed it
            _pipe(self._process).close()
            self._process = None
        if self._process is None:
            self._process = _started()
            line = "".join(self._told.values())
        _pipe(self._process).write(line.encode())


def _started() -> subprocess.Popen[bytes]:
    import psutil

    folders = [str(Path(file).resolve().parents[1]) for file in (__file__, psutil.__file__)]
    return subprocess.Popen(  # noqa: S603  # our own interpreter with fixed arguments
        [sys.executable, "-I", "-S", "-c", _PROGRAM, *folders],
        bufsize=0,
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[Any]) -> None:
    """Kill a child that leads its group, and all of the group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def wait_or_kill(process: subprocess.Popen[Any], seconds: float) -> None:
    """Wait for a child that was asked to end; kill it where it does not, and watch it no more."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill(process)
        process.wait()
    forget(process)


def _pipe(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdin is not None  # noqa: S101  # started with a pipe
    return process.stdin


_WATCHER = _Watcher()
atexit.register(_WATCHER.close)


def main() -> None:
    """The watcher: note child processes until the pipe is closed, then end those that are left."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    left: dict[int, tuple[bool, str]] = {}
    for line in sys.stdin:
        mark, number, *rest = line.split()
        if mark == "-":
            left.pop(int(number), None)
        else:
            left[int(number)] = (rest[0] == "1", rest[1] if len(rest) > 1 else "")
    _end_all(left)


def _end_all(left: dict[int, tuple[bool, str]]) -> None:
    """Ask each to end, and kill those that do not."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        alive = [number for number in left if _send(number, *left[number], sign)]
        until = time.monotonic() + _GRACE_SECONDS
        while alive and time.monotonic() < until:
            time.sleep(0.05)
            alive = [number for number in alive if _send(number, *left[number], 0)]
        if not alive:
            return


def _send(number: int, leads: bool, since: str, sign: int) -> bool:
    """Send a signal, and return whether there is still a process to receive it.

    A leader may have ended before its group. A number that was given again is another process's.
    """
    now = begun(number)
    if now and since and now != since:
        return False
    send = os.killpg if leads else os.kill
    try:
        send(number, sign)
    except (ProcessLookupError, PermissionError):
        return False
    return True
