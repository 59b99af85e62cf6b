"""Prefect's API for flows that run in this process.

The server in PREFECT_API_URL, else a temporary one.
"""

from __future__ import annotations

import contextvars
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from faultxfer import children
from faultxfer.errors import ConfigError, FaultxferError

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.server.api.server import SubprocessASGIServer

# A server that accepts connections and says nothing is given up after this.
ANSWER_SECONDS = 6
# HTTP: no user and password, or not the right ones.
_NOT_ACCEPTED = (401, 403)


def start_in_background(*, named: bool = False) -> Callable[[], None]:
    """Ask the server that is named, or start a temporary one, while the caller goes on importing.

    Starting takes 10 to 30 s, most of it in another process.

    Args:
        named: a server is named, and has to answer soon.

    Returns:
        A function that waits until the server answers.

    Raises:
        ConfigError: (from the returned function) no server can be reached or started, or it does
            not accept this user.
    """
    failed: list[BaseException] = []

    def start() -> None:
        try:
            _start()
        except BaseException as error:  # handed to the thread that waits
            failed.append(error)

    # Prefect keeps its settings in a context variable, which a new thread would not see.
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(start,), name="prefect-server", daemon=True)
    thread.start()

    def wait() -> None:
        thread.join(ANSWER_SECONDS if named else None)
        if thread.is_alive():
            failed.append(TimeoutError(f"no answer within {ANSWER_SECONDS} s"))
        if failed and isinstance(failed[0], FaultxferError):
            raise failed[0]
        if failed:
            raise ConfigError(
                "No Prefect server can be reached or started",
                received={"problem": f"{type(failed[0]).__name__}: {failed[0]}"},
                remedy="Correct or unset PREFECT_API_URL, or run with --no-prefect",
            ) from failed[0]

    return wait


def _start() -> None:
    from prefect.client.orchestration import get_client
    from prefect.settings import get_current_settings

    settings = get_current_settings()
    if settings.api.url is None:
        _temporary_server().start(timeout=settings.server.ephemeral.startup_timeout_seconds)
        return
    # Anything may listen there; only Prefect answers this. The client knows the user's keys and
    # certificates.
    with get_client(sync_client=True, httpx_settings={"timeout": ANSWER_SECONDS}) as client:
        problem = client.api_healthcheck()
        if problem is not None:
            raise problem
        _require_accepted(client)


def _require_accepted(client: SyncPrefectClient) -> None:
    """A server with a password answers strangers only that it is well.

    Raises:
        ConfigError: it does not accept this user and password.
    """
    from prefect.exceptions import PrefectHTTPStatusError

    try:
        client.api_version()
    except PrefectHTTPStatusError as error:
        if error.response.status_code not in _NOT_ACCEPTED:
            raise
        raise ConfigError(
            "The Prefect server does not accept this user and password",
            received={"PREFECT_API_URL": str(client.api_url)},
            remedy="Set PREFECT_API_AUTH_STRING to USER:PASSWORD, as the server was started with; "
            "or run with --no-prefect",
        ) from error


def _temporary_server() -> SubprocessASGIServer:
    """Prefect's temporary server.

    Prefect itself finds it as its own, but it has a session of its own and is watched.

    Prefect starts it in the group of this process, where Ctrl-C or a closed terminal would end it
    before the end of the flow run is written, and leaves it running where this process is killed.
    """
    from prefect.server.api import server

    class WatchedServer(server.SubprocessASGIServer):
        def _run_uvicorn_command(self) -> subprocess.Popen[Any]:
            ours = SimpleNamespace(Popen=partial(subprocess.Popen, start_new_session=True))
            with _in_place_of(vars(server), "subprocess", ours):
                process = super()._run_uvicorn_command()
            children.watch(process)
            return process

    return WatchedServer()


@contextmanager
def _in_place_of(names: dict[str, Any], name: str, value: object) -> Iterator[None]:
    before = names[name]
    names[name] = value
    try:
        yield
    finally:
        names[name] = before
