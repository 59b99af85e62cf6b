"""Run a pipeline: plainly, or as a flow run on a Prefect server where one is named.

Which server is named, and whether anything answers there, is found without importing Prefect: that
takes seconds, which a command that runs plainly should not pay.
"""

from __future__ import annotations

import importlib
import os
import socket
import tomllib
import urllib.parse
from pathlib import Path
from typing import Any

from faultxfer import requests
from faultxfer.errors import ConfigError
from faultxfer.progress import progress

ADDRESS = "PREFECT_API_URL"
_CONNECT_SECONDS = 4.0
_PORTS = {"http": 80, "https": 443}

REQUESTS: dict[str, type[requests.Request]] = {  # type: ignore[valid-type]
    "validate": requests.ValidateRequest,
    "pretrain": requests.PretrainRequest,
    "transfer": requests.TransferRequest,
    "score": requests.ScoreRequest,
    "learning_curve": requests.CurveRequest,
}


def run_pipeline(name: str, prefect: bool | None, **fields: Any) -> Any:
    """Run the pipeline of that name.

    Args:
        name: of the function in :mod:`faultxfer.pipeline`, and of the flow.
        prefect: True runs a flow, on a temporary server where none is named; False never does; None
            runs a flow where a server is named.
        **fields: of the request.

    Raises:
        ConfigError: the request has a wrong form, or the Prefect server that is named does not
            answer.
    """
    request = requests.make_request(REQUESTS[name], **fields)
    address = None if prefect is False else named_server()
    if address is None and not prefect:
        return getattr(importlib.import_module("faultxfer.pipeline"), name)(request)
    if address is not None:
        require_answer(address)
    return _run_flow(name, request, named=address is not None)


def _run_flow(name: str, request: Any, *, named: bool) -> Any:
    progress.info("Starting Prefect")
    from flows.server import start_in_background

    wait = start_in_background(named=named)
    module = importlib.import_module("flows.pipeline")
    wait()
    values = {field: getattr(request, field) for field in type(request).model_fields}
    return getattr(module, name)(**values)


def named_server() -> str | None:
    """Address of Prefect's API: of the environment, else of the active profile.

    None where none is named.
    """
    address = os.environ.get(ADDRESS, _profile().get(ADDRESS, ""))
    return str(address).strip() or None


def _profile() -> dict[str, object]:
    """Settings of Prefect's active profile; empty where there is none, or it cannot be read."""
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml").expanduser()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    active = os.environ.get("PREFECT_PROFILE") or content.get("active")
    profiles = content.get("profiles")
    profile = profiles.get(active) if isinstance(profiles, dict) else None
    return profile if isinstance(profile, dict) else {}


def require_answer(address: str) -> None:
    """Something accepts connections there; whether it is Prefect is asked once Prefect is imported.

    Raises:
        ConfigError: nothing does, or the address is none.
    """
    parts = urllib.parse.urlsplit(address)
    try:
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        host, port = None, None
    if host is None or port is None:
        raise _no_answer(address, "this is no address of a web server")
    # Forty milliseconds, which most commands need not pay.
    from urllib.request import getproxies, proxy_bypass

    if getproxies().get(parts.scheme) and not proxy_bypass(host):
        return  # whether a proxy reaches it can only be asked through the proxy
    try:
        socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise _no_answer(address, error.strerror or str(error)) from error


def _no_answer(address: str, problem: str) -> ConfigError:
    return ConfigError(
        "The Prefect server that is named does not answer",
        received={ADDRESS: address, "problem": problem},
        remedy="Start it (`prefect server start`), correct or unset PREFECT_API_URL "
        "(`prefect config view` shows where it is set), or run with --no-prefect",
    )
