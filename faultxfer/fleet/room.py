"""How many workers there is room for, by processors and by memory."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from faultxfer.errors import ConfigError
from faultxfer.progress import progress

# Of a container: what all its processes may take together, and what they take.
_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
_GB = 1e9


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory() -> float:
    """Bytes that can be had on this machine and in this container; infinite where nobody tells."""
    try:
        free = float(psutil.virtual_memory().available)
    except (OSError, psutil.Error):
        return float("inf")
    for limit, used in _LIMITS:
        try:
            most = float(Path(limit).read_text(encoding="ascii"))
            return min(free, most - float(Path(used).read_text(encoding="ascii")))
        except (OSError, ValueError):  # not in such a container, or in one without a limit
            continue
    return free


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
    free = free_memory() / _GB
    fitting = int(free / gigabytes) - more if free < float("inf") else wanted
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
