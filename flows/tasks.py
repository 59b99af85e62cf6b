"""A step as a Prefect task."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Failed
from prefect.utilities.annotations import quote

from faultxfer.errors import FaultxferError
from flows.publish import PUBLISHED


def in_tasks(step: Callable[..., Any], *given: Any) -> Any:
    """Run a step as a task of the present flow run, and publish what it made."""
    # Quoted: Prefect need not look for futures in folders, rows and reports.
    made = _task_of(step)(*(quote(value) for value in given))
    if isinstance(made, State):
        made.result()  # raises what the step raised
    if publish := PUBLISHED.get(step.__name__):
        publish(made, *given)
    return made


@functools.cache
def _task_of(step: Callable[..., Any]) -> Task[..., Any]:
    @functools.wraps(step)
    def sentence_at_worst(*given: Any) -> Any:
        # Prefect would put a traceback into the log, which says nothing to whom the error is for.
        try:
            return step(*given)
        except FaultxferError as error:
            return Failed(message=str(error), data=error)

    # Steps hand on folders and arrays; hashing them for a cache that nobody reads takes seconds.
    return task(name=title_of(step), cache_policy=NO_CACHE)(sentence_at_worst)


def title_of(step: Callable[..., Any]) -> str:
    """The first line of a step's docstring, as the name of a task.

    >>> def look() -> None:
    ...     '''Look at the request.'''
    >>> title_of(look)
    'look at the request'
    """
    first = (inspect.getdoc(step) or step.__name__).splitlines()[0].rstrip(".")
    return first[0].lower() + first[1:]
