"""Who works on something half done, so that what a killed process left can be told from what is under way."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path


def this_process() -> str:
    """Host and process that run this."""
    return f"{_place()}:{os.getpid()}"


def is_gone(owner: str | None, since: datetime, grace: timedelta) -> bool:
    """Whether nobody works on it any more.

    Of a process on this host that can be asked; of one elsewhere it is taken for granted after ``grace``.

    Args:
        owner: what :func:`this_process` gave there; None for what an older release made.
        since: when it was begun.
        grace: how long a registration on another host may take.
    """
    host, _, process = (owner or "").rpartition(":")
    if host == _place() and process.isdecimal():
        return not _is_alive(int(process))
    return datetime.now(UTC) - since > grace


def _place() -> str:
    """The host, and where it can be told the numbering of its processes: containers may share a host's name."""
    try:
        return f"{socket.gethostname()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
