"""Processes by name: who works on something half done, and whether that process is still there.

So what a killed process left can be told from what is under way.
"""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path


def this_process() -> str:
    """Host and process that run this."""
    return f"{_place()}:{os.getpid()}:{begun(os.getpid())}"


def is_gone(owner: str | None, since: datetime, grace: timedelta) -> bool:
    """Whether nobody works on it any more.

    Of a process on this host that can be asked; of one elsewhere it is taken for granted after ``grace``.

    Args:
        owner: what :func:`this_process` gave there; None for what an older release made.
        since: when it was begun.
        grace: how long a registration on another host may take.
    """
    place, process, beginning = _parts(owner or "")
    if place == _place() and process.isdecimal():
        return not (_is_alive(int(process)) and beginning == begun(int(process)))
    return datetime.now(UTC) - since > grace


def _place() -> str:
    """The host, and where they can be told its start and the numbering of its processes.

    Containers may share a host's name, and after a restart the numbers are given again.
    """
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()} {start} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _parts(owner: str) -> tuple[str, str, str]:
    """Place, process and its beginning; empty where an older release wrote something else."""
    place, process, beginning = [*owner.rsplit(":", 2), "", ""][:3]
    return place, process, beginning


def begun(process: int) -> str:
    """When a process began, in ticks since the host's start: numbers are given again. Empty where it cannot be told."""
    fields = _status(process)
    return fields[19] if len(fields) > 19 else ""


def _status(process: int) -> list[str]:
    """What Linux says of a process, from its state on; empty where nothing is said."""
    try:
        # The field before the state is the program's name in brackets and may hold anything.
        return Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    # One that was killed keeps its number until its parent asks how it ended, which a container's may never do.
    return _status(process)[:1] not in (["Z"], ["X"])
