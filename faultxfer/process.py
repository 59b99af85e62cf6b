"""Processes by name: who works on something half done, and whether that process still lives.

So what a killed process left can be told from what is under way.
"""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path


def this_process() -> str:
    """Host and process that run this, as a tag or a file keeps them."""
    return f"{_place()}:{os.getpid()}:{begun(os.getpid())}"


def is_gone(worker: str | None, since: datetime, grace: timedelta) -> bool:
    """Whether nobody works on it any more.

    A process on this host can be looked up. One elsewhere cannot, so it is taken to be gone when
    ``grace`` has passed.

    Args:
        worker: what :func:`this_process` returned there; None for what an older release made.
        since: when the work began.
        grace: how long work on another host may take.
    """
    place, process, beginning = _parts(worker or "")
    if place == _place() and process.isdecimal():
        return not (_is_alive(int(process)) and beginning == begun(int(process)))
    return datetime.now(UTC) - since > grace


def begun(process: int) -> str:
    """When a process began, in clock ticks since the host started; empty where this is unknown.

    Process numbers are given again, so the number alone does not name a process.
    """
    import psutil

    # Elsewhere psutil counts from a wall clock, which somebody may set while the process lives.
    if not psutil.LINUX:
        return ""
    try:
        seconds = psutil.Process(process).create_time() - psutil.boot_time()
    except (psutil.Error, OSError, RuntimeError):
        return ""
    return str(round(seconds * os.sysconf("SC_CLK_TCK")))


def _place() -> str:
    """The host, and on Linux its start and the numbering of its processes.

    Containers may share a host's name, and after a restart the numbers are given again.
    """
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()} {start} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _parts(worker: str) -> tuple[str, str, str]:
    """Place, process and its beginning; empty where an older release wrote something else.

    >>> _parts("press-room 5f1c pid:[4026531836]:812:99120")
    ('press-room 5f1c pid:[4026531836]', '812', '99120')
    """
    place, process, beginning = [*worker.rsplit(":", 2), "", ""][:3]
    return place, process, beginning


def _is_alive(process: int) -> bool:
    import psutil

    try:
        status = psutil.Process(process).status()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # somebody else's
        return True
    # A killed process keeps its number until its parent asks how it ended, which a container's
    # first process may never do.
    return status not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
