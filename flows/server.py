"""Prefect's API for flows that run in this process: the server in PREFECT_API_URL, else a temporary one."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from faultxfer.errors import ConfigError


def start_in_background() -> Callable[[], None]:
    """Start Prefect's temporary server, if one is needed, while the caller goes on importing.

    Starting takes 10 to 30 s, most of it in another process.

    Returns:
        A function that waits until the server answers.

    Raises:
        ConfigError: (from the returned function) no server can be reached or started.
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
        thread.join()
        if failed:
            raise ConfigError(
                "A Prefect server was expected",
                received={"problem": f"{type(failed[0]).__name__}: {failed[0]}"},
                remedy="Correct or unset PREFECT_API_URL, or run with --no-prefect",
            ) from failed[0]

    return wait


def _start() -> None:
    import socket

    from prefect.server.api.server import SubprocessASGIServer
    from prefect.settings import get_current_settings

    settings = get_current_settings()
    if settings.api.url is None:
        SubprocessASGIServer().start(timeout=settings.server.ephemeral.startup_timeout_seconds)
        return
    parts = urlsplit(str(settings.api.url))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    socket.create_connection((parts.hostname or "", port), timeout=5).close()
