"""Run a pipeline: plainly, or as a flow run on a Prefect server where one is named.

Which server is named, and whether anything answers there, is found without importing Prefect: that
takes seconds, which a command that runs plainly should not pay.
"""

from __future__ import annotations

import functools
import importlib
import os
import ssl
import tomllib
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faultxfer import requests
from faultxfer.errors import ConfigError
from faultxfer.progress import progress

if TYPE_CHECKING:
    from faultxfer.fleet.outcomes import FleetResult
    from faultxfer.landing.events import Watched
    from faultxfer.landing.watching import Tell
    from faultxfer.landing.workers import Workers

ADDRESS = "PREFECT_API_URL"
# A command may take ten seconds to say that nothing answers.
_ANSWER_SECONDS = 5.0

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


def run_fleet_command(prefect: bool | None, **fields: Any) -> FleetResult:
    """Run a fleet; each machine is told on stderr as soon as something came of it.

    Args:
        prefect: as for :func:`run_pipeline`.
        **fields: of the request.

    Raises:
        ConfigError: the request has a wrong form, or the Prefect server that is named does not
            answer.
    """
    request = requests.make_request(requests.FleetRequest, **fields)
    address = None if prefect is False else named_server()
    if address is not None:
        require_answer(address)
    if address is not None or prefect:
        result: FleetResult = _run_flow("fleet", request, named=address is not None, home="fleet")
        return result
    from faultxfer.cli.telling import Telling
    from faultxfer.fleet.running import run_fleet

    return run_fleet(request, Telling())


def run_watch(request: requests.WatchRequest, prefect: bool | None, tell: Tell) -> Watched:
    """Watch a folder; what is done with a file is a flow run where a server is named.

    Where that goes on, the work is done in a process that ends when nothing is left to do.

    Args:
        request: which folder, for which family.
        prefect: as for :func:`run_pipeline`.
        tell: is told what came of each file.

    Raises:
        ConfigError: the folder cannot be watched, or the Prefect server that is named does not
            answer.
    """
    from faultxfer.landing.watching import watch

    address = None if prefect is False else named_server()
    if address is not None:
        require_answer(address)
    if request.minutes == 0:
        return watch(request, watching_workers(prefect), tell)

    from faultxfer.cli.working import command
    from faultxfer.landing.apart import Apart

    with Apart(command(prefect)) as apart:
        return watch(request, apart.workers, tell)


def watching_workers(prefect: bool | None) -> Workers:
    """Who works on a watched file.

    Args:
        prefect: as for :func:`run_pipeline`.
    """
    from faultxfer.landing.workers import PLAINLY

    address = None if prefect is False else named_server()
    if address is None and not prefect:
        return PLAINLY
    return _in_flow_runs(named=address is not None)


def _in_flow_runs(*, named: bool) -> Workers:
    """Workers that load Prefect when the first file is there: a watcher mostly waits."""
    from faultxfer.landing.workers import Workers, check, require_scorer

    @functools.cache
    def loaded() -> Workers:
        progress.info("Starting Prefect")
        from flows.server import start_in_background

        wait = start_in_background(named=named)
        from flows.landing import in_flow_runs

        wait()
        return in_flow_runs()

    return Workers(
        score=lambda request, digest: loaded().score(request, digest),
        transfer=lambda request, digest: loaded().transfer(request, digest),
        require_scorer=require_scorer,
        check=check,
        interrupted=lambda digest: loaded().interrupted(digest),
    )


def _run_flow(name: str, request: Any, *, named: bool, home: str = "pipeline") -> Any:
    progress.info("Starting Prefect")
    from flows.server import start_in_background

    wait = start_in_background(named=named)
    module = importlib.import_module(f"flows.{home}")
    from flows.typed import run_typed

    wait()
    values = {field: getattr(request, field) for field in type(request).model_fields}
    return run_typed(getattr(module, name), values)


def named_server() -> str | None:
    """Address of Prefect's API: of the environment, else of the active profile.

    None where none is named.
    """
    address = os.environ.get(ADDRESS, _profile().get(ADDRESS, ""))
    return str(address).strip() or None


def _profile() -> dict[str, object]:
    """Settings of Prefect's active profile; empty where there is none.

    Raises:
        ConfigError: the file of profiles cannot be read, so it may name a server.
    """
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml").expanduser()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(
            "Prefect's profiles cannot be read, so it is not known whether they name a server",
            received={"file": str(path), "problem": str(error)},
            remedy="Correct the file, or run with --no-prefect",
        ) from error
    active = os.environ.get("PREFECT_PROFILE") or content.get("active")
    profiles = content.get("profiles")
    profile = profiles.get(active) if isinstance(profiles, dict) else None
    return profile if isinstance(profile, dict) else {}


def require_answer(address: str) -> None:
    """Something answers there; whether it is Prefect is asked once Prefect is imported.

    Importing takes seconds, so a server that accepts connections and says nothing is found here.

    Raises:
        ConfigError: nothing answers in time, or the address is none.
    """
    # Forty milliseconds, which most commands need not pay.
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    if urllib.parse.urlsplit(address).scheme not in ("http", "https"):
        raise _no_answer(address, "this is no address of a web server")
    try:
        urlopen(f"{address.rstrip('/')}/health", timeout=_ANSWER_SECONDS).close()  # noqa: S310  # http or https
    except HTTPError:
        return  # somebody answered; Prefect's client has the user's keys
    except (OSError, ValueError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLError):
            return  # likewise, its client has the user's certificates
        raise _no_answer(address, str(reason)) from error


def _no_answer(address: str, problem: str) -> ConfigError:
    return ConfigError(
        "The Prefect server that is named does not answer",
        received={ADDRESS: address, "problem": problem},
        remedy="Start it (`prefect server start`), correct or unset PREFECT_API_URL "
        "(`prefect config view` shows where it is set), or run with --no-prefect",
    )
