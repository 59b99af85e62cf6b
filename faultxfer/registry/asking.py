"""Ask MLflow patiently, and say in one sentence when it does not answer."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from faultxfer.errors import RegistryError

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
Asker = TypeVar("Asker")

# What databases say of two writers at once. The transaction was rolled back, so the call can be made again.
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


@contextmanager
def reported(what: str) -> Iterator[None]:
    """Turn MLflow's and the network's errors into one sentence."""
    import requests
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError  # MLflow lets some of its database's errors through

    try:
        yield
    except (MlflowException, SQLAlchemyError, requests.RequestException, OSError, ImportError) as error:
        raise RegistryError(
            f"An answer from {what} was expected",
            received={"problem": _problem(error)},
            remedy="Check MLFLOW_TRACKING_URI, the free space and the server's log, then run again",
        ) from error


def _problem(error: Exception) -> str:
    """What happened, in one line. Of a server's failure MLflow keeps the number alone, at the end of a long address."""
    text = " ".join(str(error).split())
    failed = re.search(r"too many (5\d\d) error responses", text)
    if failed:
        return (
            f"the server failed at each try (HTTP {failed[1]}), as it does when its disk is full or its database down"
        )
    return text[:300]


def asks_the_store(
    function: Callable[Concatenate[Asker, Given], Answer],
) -> Callable[Concatenate[Asker, Given], Answer]:
    """A function or method that says in one sentence when the store does not answer."""

    @wraps(function)
    def asking(asker: Asker, /, *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        with reported("the tracking store"):
            return function(asker, *args, **kwargs)

    return asking


class PatientClient:
    """An MLflow client that repeats a call which lost a race in the database."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return _patient(method) if callable(method) else method


def _patient(method: Callable[..., Any]) -> Callable[..., Any]:
    from mlflow.exceptions import MlflowException

    @wraps(method)
    def trying(*args: Any, **kwargs: Any) -> Any:
        for attempt in range(_TRIES - 1):
            try:
                return method(*args, **kwargs)
            except MlflowException as error:
                if not any(sign in str(error) for sign in _CONTENDED):
                    raise
                time.sleep(random.uniform(0.5, 1) * min(0.05 * 2**attempt, _LONGEST_PAUSE))  # noqa: S311
        return method(*args, **kwargs)

    return trying
