"""How many workers there is room for, by processors and by memory."""

from __future__ import annotations

import os

from faultxfer.errors import ConfigError
from faultxfer.progress import progress
from faultxfer.reading.memory import available_memory

_GB = 1e9


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def workers_that_fit(asked: int | None, gigabytes: float, machines: int, more: int) -> int:
    """How many workers to start.

    Args:
        asked: how many at most; one for each processor where None.
        gigabytes: that each may take.
        machines: for which there is work.
        more: other processes that take as much, such as the one that registers.

    Raises:
        ConfigError: there is not even room for one.
    """
    wanted = min(asked or processors(), max(machines, 1))
    available = available_memory()
    if available is None:
        return wanted
    free = available / _GB
    fitting = int(free / gigabytes) - more
    if fitting < 1:
        raise ConfigError(
            "There is too little memory for a worker",
            received={
                "memory per worker, GB": gigabytes,
                "processes": 1 + more,
                "available, GB": round(free, 1),
            },
            remedy="Give --memory-per-worker a smaller number, or stop other programs",
        )
    if fitting < wanted:
        progress.warning(
            "%d of %d workers: %.1f GB are available, and each may take %.1f",
            *(fitting, wanted, free, gigabytes),
        )
    return min(wanted, fitting)
