"""How much memory this process can still have: the machine's, its container's and its own limit."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

_CGROUP = Path("/sys/fs/cgroup")
# Files of a group's limit and of what it uses, in both versions of control groups.
_LIMITS = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
# Files kept in memory count as used, and give way.
_STATISTICS, _GIVES_WAY = ("memory.stat", "memory/memory.stat"), ("inactive_file", "active_file")


def available_memory() -> int | None:
    """Bytes that can be had without swapping; None where the system does not tell."""
    return min(_known(), default=None)


def _known() -> Iterator[int]:
    try:
        yield int(psutil.virtual_memory().available)
        own = _own_limit()
        if own is not None:
            yield own - int(psutil.Process().memory_info().vms)
    except (OSError, psutil.Error):
        pass
    yield from _of_the_group(_CGROUP)


def _own_limit() -> int | None:
    """The limit of this process's address space."""
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def _of_the_group(folder: Path) -> Iterator[int]:
    """What the control group leaves, as a container sees its own."""
    for (limit, used), statistics in zip(_LIMITS, _STATISTICS, strict=True):
        try:
            most, now = (int((folder / name).read_text()) for name in (limit, used))
            told = (folder / statistics).read_text().splitlines()
        except (OSError, ValueError):  # there is none, or its limit is "max"
            continue
        counts = dict(line.split() for line in told if len(line.split()) == 2)
        yield most - now + sum(int(counts.get(name, 0)) for name in _GIVES_WAY)
