"""Work on parts of a table, on all processors."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_order(work: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """What becomes of each, made on all processors, in their order; few are ahead at any time.

    NumPy, Arrow and LightGBM let go of the interpreter while they work, so threads suffice.
    """
    processors = _processors()
    with ThreadPoolExecutor(processors) as pool:
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
