"""Ask MLflow again where a call lost a race in the database, and page by page."""

from __future__ import annotations

import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache, cached_property, partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar

from faultxfer.registry.mlflow_errors import library_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

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
# What MLflow gives in one answer: its limit of registered models; and of versions ten times as many
# as most plants have.
_MODELS_IN_A_PAGE, _VERSIONS_IN_A_PAGE = 1000, 10_000
# By name, so that what others change meanwhile moves nothing from a later page to an earlier one.
_IN_ORDER = ["name ASC", "version_number ASC"]
# Filters that ask for one name, or for a part of it, see `names.equals` and `names.containing`.
_ONE_NAME = re.compile(r"name = (['\"])(.*)\1", flags=re.DOTALL)
_PART_OF_A_NAME = re.compile(r"name LIKE '%(.*)%'", flags=re.DOTALL)


@cache
def own_client() -> type[MlflowClient]:
    """MLflow's client, without its question whether a registered model is a prompt.

    It asks that before most calls, which doubles the requests to a server. No model of ours is a
    prompt: both would need the same name in the same table.
    """
    from mlflow import MlflowClient

    class OwnClient(MlflowClient):
        def _raise_if_prompt(self, name: str) -> None:
            """Nothing to ask."""

    return OwnClient


class RetryingClient:
    """An MLflow client that repeats a call which lost a race in the database."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return _retrying(method) if callable(method) else method


class _Page(list[Any]):
    """A whole answer: no page follows."""

    token: str | None = None


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


class ListingClient(RememberingClient):
    """A client that asks for all registered models, and for all versions, at once.

    Whoever asks for one of them is answered from that, so that the number of requests does not grow
    with the number of models.
    """

    @cached_property
    def _models(self) -> dict[str, Any]:
        search = self._client.search_registered_models
        return {one.name: one for one in all_pages(search, max_results=_MODELS_IN_A_PAGE)}

    @cached_property
    def _versions(self) -> dict[str, list[Any]]:
        search = partial(self._client.search_model_versions, order_by=_IN_ORDER)
        found: dict[str, dict[Any, Any]] = defaultdict(dict)
        for one in all_pages(search, max_results=_VERSIONS_IN_A_PAGE):
            found[one.name][one.version] = one
        return {name: list(versions.values()) for name, versions in found.items()}

    def search_registered_models(self, filter_string: str | None = None, **named: Any) -> Any:
        """As MLflow's, which gives a page: all at once, but for filters that it alone can read."""
        if filter_string is None:
            return _Page(self._models.values())
        if one := _ONE_NAME.fullmatch(filter_string):
            return _Page([self._models[one[2]]] if one[2] in self._models else [])
        if part := _PART_OF_A_NAME.fullmatch(filter_string):
            return _Page(self._models[name] for name in self._models if part[1] in name)
        method = self._client.search_registered_models
        return self._remembered("search_registered_models", method, filter_string, **named)

    def search_model_versions(self, filter_string: str | None = None, **named: Any) -> Any:
        """As :meth:`search_registered_models`, of versions."""
        if filter_string is None:
            return _Page(one for versions in self._versions.values() for one in versions)
        if one := _ONE_NAME.fullmatch(filter_string):
            return _Page(self._versions.get(one[2], []))
        method = self._client.search_model_versions
        return self._remembered("search_model_versions", method, filter_string, **named)


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
