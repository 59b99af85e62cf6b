"""Which Prefect server is named, and whether anything answers there; Prefect itself is not imported.

Importing Prefect takes seconds, which a command that runs plainly should not pay.
"""

from __future__ import annotations

import os
import socket
import tomllib
import urllib.parse
import urllib.request
from pathlib import Path

from faultxfer.errors import ConfigError

ADDRESS = "PREFECT_API_URL"
_CONNECT_SECONDS = 4.0
_PORTS = {"http": 80, "https": 443}


def named_server() -> str | None:
    """Address of Prefect's API: of the environment, else of the active profile; None where none is named."""
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
    if urllib.request.getproxies().get(parts.scheme) and not urllib.request.proxy_bypass(host):
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
