"""Who works on something half done, so that what a killed process left can be told from what is under way."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta


def this_process() -> str:
    """Host and process that run this."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_gone(owner: str | None, since: datetime, grace: timedelta) -> bool:
    """Whether nobody works on it any more.

    Of a process on this host that can be asked; of one elsewhere it is taken for granted after ``grace``.

    Args:
        owner: what :func:`this_process` gave there; None for what an older release made.
        since: when it was begun.
        grace: how long a registration on another host may take.
    """
    host, _, process = (owner or "").rpartition(":")
    if host == socket.gethostname() and process.isdecimal():
        return not _is_alive(int(process))
    return datetime.now(UTC) - since > grace


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
