"""Work on parts of a table, on all processors."""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import pyarrow as pa

from faultxfer.environment import one_thread_of_linear_algebra

# A setting of malloc.h.
_MOST_ARENAS = -8
Given = TypeVar("Given")
Made = TypeVar("Made")


def in_order(work: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """What becomes of each, made on all processors, in their order; few are ahead at any time.

    NumPy, Arrow and LightGBM let go of the interpreter while they work, so threads suffice.
    """
    processors = _processors()
    with suppress(OSError, AttributeError):  # only the GNU library has it
        # Else each thread keeps memory of its own that no other one gets.
        ctypes.CDLL(None).mallopt(_MOST_ARENAS, 2)
    with one_thread_of_linear_algebra(), ThreadPoolExecutor(processors) as pool:
        ahead: deque[Future[Made]] = deque()
        try:
            for one in given:
                ahead.append(pool.submit(work, one))
                if len(ahead) > processors:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def give_memory_back() -> None:
    """Give the system what threads that are gone kept for more, before the next work begins."""
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # only the GNU library has it
        ctypes.CDLL(None).malloc_trim(0)
