"""Ask MLflow again where a call lost a race in the database, and page by page."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial, wraps
from typing import Any, TypeVar

from faultxfer.registry.mlflow_errors import library_of

Answer = TypeVar("Answer")

# What databases say of two writers at once. The transaction was rolled back, so the call can be
# made again.
_CONTENDED = (
    "database is locked",
    "UNIQUE constraint failed",
    "duplicate key value",
    "Duplicate entry",
    "deadlock",
    "could not serialize",
    "Giving up after",
)
_TRIES = 12
_LONGEST_PAUSE = 2.0
# How long one call waits for a locked SQLite database; MLflow sets the same in each of its
# transactions.
BUSY_SECONDS = 20.0


class RetryingClient:
    """An MLflow client that repeats a call which lost a race in the database."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return _retrying(method) if callable(method) else method


class RememberingClient:
    """A client that asks each question once; whatever else it is told to do goes through."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._answers: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return (
            partial(self._remembered, name, method)
            if name.startswith(("search_", "get_"))
            else method
        )

    def _remembered(self, name: str, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        question = repr((name, args, sorted(kwargs.items())))
        if question not in self._answers:
            self._answers[question] = method(*args, **kwargs)
        return self._answers[question]


def with_retries(work: Callable[[], Answer]) -> Answer:
    """Do ``work``, and again where it lost a race in the database or found it locked."""
    for attempt in range(_TRIES - 1):
        try:
            return work()
        except Exception as error:
            if not _is_contended(error):
                raise
            pause = min(0.05 * 2**attempt, _LONGEST_PAUSE)
            time.sleep(random.uniform(0.5, 1) * pause)  # noqa: S311
    return work()


def _is_contended(error: Exception) -> bool:
    of_a_database = library_of(error) in {"mlflow", "sqlalchemy", "sqlite3"}
    return of_a_database and any(sign in str(error) for sign in _CONTENDED)


def _retrying(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def trying(*args: Any, **kwargs: Any) -> Any:
        return with_retries(partial(method, *args, **kwargs))

    return trying


def all_pages(search: Callable[..., Any], *asked: object, **named: object) -> Iterator[Any]:
    """Everything that one of MLflow's searches finds, which answers a page at a time."""
    token = None
    while True:
        page = search(*asked, **named, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def batches(items: Sequence[Answer], most: int) -> Iterator[Sequence[Answer]]:
    """All items in order, at most so many at a time, for calls that take no more.

    >>> list(batches([1, 2, 3, 4, 5], 2))
    [[1, 2], [3, 4], [5]]
    """
    for start in range(0, len(items), most):
        yield items[start : start + most]


def moment(milliseconds: int | None) -> datetime:
    """A time as MLflow gives it.

    >>> moment(1_700_000_000_000).isoformat()
    '2023-11-14T22:13:20+00:00'
    """
    return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC)
