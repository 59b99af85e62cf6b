"""Start the two web pages and what serves the deployments, and stop them together."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from faultxfer import children
from faultxfer.cli.session import print_json, stdout
from faultxfer.deployments import Deployments, Family, load_deployments, there_are_families
from faultxfer.errors import ConfigError
from faultxfer.progress import progress
from faultxfer.stopping import Stopping
from faultxfer.temporary import temporary_folder

READY_SECONDS = 300.0
_STOP_SECONDS = 10
# Runs under way are cancelled first, and say so on the server.
_CANCEL_SECONDS = 25
_LOCAL = "127.0.0.1"
_DEPLOYMENTS = "Deployments"


@dataclass
class _Server:
    name: str
    is_ready: Callable[[], bool]
    process: subprocess.Popen[bytes]
    log: Path


@dataclass(frozen=True)
class Asked:
    """What is to be started.

    Attributes:
        mlflow_port: of MLflow; 0 takes a free one.
        prefect_port: likewise.
        deployments: file of their settings; ``deployments.yaml``, or a family for each contract in
            ``data_contracts/``, if left out.
        landing: folder in which new files arrive.
    """

    mlflow_port: int
    prefect_port: int
    deployments: Path | None = None
    landing: Path | None = None


def serve(asked: Asked, *, json_output: bool) -> None:
    """Start everything, print addresses, wait for Ctrl-C or another signal, stop everything.

    All of it also ends where this process is killed.

    Raises:
        ConfigError: a port is taken, the settings cannot be used, or a server ends by itself.
    """
    ports = _free_port("MLflow", asked.mlflow_port), _free_port("Prefect", asked.prefect_port)
    settings = _settings(asked)
    if Stopping.active:
        Stopping.active.heed(signal.SIGINT)  # a shell's background job starts with SIGINT ignored
    with temporary_folder("up") as logs:
        servers: list[_Server] = []
        try:
            _serve(ports, asked, settings, servers, logs, json_output=json_output)
        except KeyboardInterrupt:  # how it is meant to end
            pass
        finally:
            _stop(servers)


def _settings(asked: Asked) -> Deployments | None:
    """The families to serve; None where nothing names one, and nothing was asked for.

    Raises:
        ConfigError: the settings cannot be used, or a folder is not there.
    """
    if asked.deployments is None and asked.landing is None and not there_are_families():
        return None
    settings = load_deployments(asked.deployments)
    if asked.landing is not None:
        if not asked.landing.is_dir():
            raise ConfigError(
                "The landing folder is not there",
                received={"landing": str(asked.landing)},
                remedy=f"Make it with `mkdir -p {asked.landing}`, or correct --landing",
            )
        settings = settings.with_landing(asked.landing)
    return settings


def _serve(
    ports: tuple[int, int],
    asked: Asked,
    settings: Deployments | None,
    servers: list[_Server],
    logs: Path,
    *,
    json_output: bool,
) -> None:
    progress.info("Starting MLflow and Prefect")
    # Prefect first: it, and what is deployed to it, take longest.
    prefect = _prefect(ports[1], servers, logs)
    ready = logs / "deployments.json"
    if settings is not None:
        servers.append(_deployments(asked, prefect, ready, logs))
    pages = {"mlflow": _mlflow(ports[0], servers, logs), "prefect": prefect}
    _wait_until_ready(servers)
    made = json.loads(ready.read_text()) if settings else {}
    _print_addresses(pages, settings, made, json_output)
    _watch(servers)


def _mlflow(port: int, servers: list[_Server], logs: Path) -> str:
    """The address of MLflow's pages.

    Those of the tracking server, where there is one, else of one started here.
    """
    from faultxfer.registry import connect

    connect.prepare_environment()
    uri = connect.tracking_uri()
    connect.check_reachable(uri)
    if connect.is_server(uri):
        return connect.shown(uri)
    _make_registry(uri)
    # One worker and no job runner: two processes and 0.5 GB instead of fifteen and 3.3 GB.
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    command = ["mlflow", "server", "--host", _LOCAL, "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", uri]
    location = connect.artifact_location(uri)
    if location:
        # Named as the registry's file itself names them: what was registered over this server is
        # read without it too. What older releases registered over one is served as before.
        command += ["--default-artifact-root", location, "--artifacts-destination", location]
    address = f"http://{_LOCAL}:{port}"
    is_ready = partial(_answers, f"{address}/health")
    servers.append(_start("MLflow", command, environment, is_ready, logs))
    return address


def _make_registry(uri: str) -> None:
    """A new registry is made in a process of its own: MLflow's modules would stay in this one."""
    from faultxfer.registry import connect

    database = connect.sqlite_file(uri)
    if database is not None and not database.exists():
        program = "import sys; from faultxfer.registry.connect import migrate; migrate(sys.argv[1])"
        command = [sys.executable, "-c", program, uri]
        with contextlib.suppress(subprocess.TimeoutExpired):
            children.run(command, env=os.environ, seconds=READY_SECONDS)
    connect.migrate(uri)  # where that could not be done, this says why


def _prefect(port: int, servers: list[_Server], logs: Path) -> str:
    address = f"http://{_LOCAL}:{port}"
    # With its services: without them nothing that is due is started, no run is late, and a place
    # that a killed run held is never free again.
    command = ["prefect", "server", "start", "--host", _LOCAL, "--port", str(port)]
    environment = {
        "PREFECT_UI_API_URL": f"{address}/api",
        "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # In memory, who has a machine's turn would be forgotten, and the turn be held for ever.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage"
        ".filesystem",
    }
    is_ready = partial(_answers, f"{address}/api/health")
    servers.append(_start("Prefect", command, environment, is_ready, logs))
    return address


def _deployments(asked: Asked, prefect: str, ready: Path, logs: Path) -> _Server:
    """What makes the deployments, and starts what is due."""
    named = [str(asked.deployments)] if asked.deployments else []
    landing = str(asked.landing) if asked.landing else ""
    command = ["flows.serving", str(ready), landing, *named]
    environment = {"PREFECT_API_URL": f"{prefect}/api", "PREFECT_LOGGING_LEVEL": "ERROR"}
    return _start(_DEPLOYMENTS, command, environment, ready.exists, logs)


def _start(
    name: str,
    command: list[str],
    environment: dict[str, str],
    is_ready: Callable[[], bool],
    logs: Path,
) -> _Server:
    path = logs / f"{name.lower()}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter with fixed arguments
            [sys.executable, "-m", *command],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone, and the whole group can be stopped
        )
    children.watch(process)
    return _Server(name, is_ready, process, path)


def _free_port(name: str, port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOCAL, port))
        except OSError as error:
            raise ConfigError(
                f"The port for {name} cannot be used",
                received={"port": port, "problem": error.strerror},
                remedy=f"Choose another with --{name.lower()}-port, or 0 for any free one",
            ) from error
        return int(probe.getsockname()[1])


def _wait_until_ready(servers: list[_Server]) -> None:
    end = time.monotonic() + READY_SECONDS
    waiting = list(servers)
    while waiting:
        for server in servers:
            _require_alive(server)
        waiting = [server for server in waiting if not server.is_ready()]
        if waiting and time.monotonic() > end:
            raise _not_running(waiting[0], f"no answer within {READY_SECONDS:.0f} s")
        time.sleep(0.3)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):  # noqa: S310  # a loopback address made above
            return True
    except (urllib.error.URLError, OSError):
        return False


def _require_alive(server: _Server) -> None:
    if server.process.poll() is not None:
        raise _not_running(server, f"exit code {server.process.returncode}")


def _not_running(server: _Server, problem: str) -> ConfigError:
    return ConfigError(
        f"What serves {server.name} does not run",
        received={"problem": problem},
        remedy=f"Its log says why. See {_kept(server)}",
    )


def _kept(server: _Server) -> Path:
    """The server's log, out of the folder that is removed."""
    handle, path = tempfile.mkstemp(prefix=f"faultxfer-{server.name.lower()}-", suffix=".log")
    os.close(handle)
    return Path(shutil.copy(server.log, path))


def _print_addresses(
    pages: dict[str, str], settings: Deployments | None, made: dict[str, str], json_output: bool
) -> None:
    # The addresses are the result, and are due while the work still runs and stdout is redirected.
    with contextlib.redirect_stdout(sys.__stdout__):
        if json_output:
            print_json(_as_data(pages, settings, made))
        else:
            for line in _as_lines(pages, settings, made):
                stdout().print(line, soft_wrap=True)
        sys.stdout.flush()


def _as_data(
    pages: dict[str, str], settings: Deployments | None, made: dict[str, str]
) -> dict[str, Any]:
    """Addresses of both pages; with families, also of each form and each family's models."""
    if settings is None:
        return dict(pages)
    forms = {name: _form(pages["prefect"], number) for name, number in made.items()}
    models = {name: _models(pages["mlflow"], one) for name, one in settings.families.items()}
    return {**pages, "deployments": forms, "models": models}


def _as_lines(
    pages: dict[str, str], settings: Deployments | None, made: dict[str, str]
) -> Iterator[str]:
    prefect, mlflow = pages["prefect"], pages["mlflow"]
    if settings is None:
        yield f"MLflow       {mlflow}"
        yield f"Prefect      {prefect}"
        yield "Nothing is deployed: there is neither deployments.yaml nor a contract."
        yield "  faultxfer contract infer CSV --out data_contracts/pumps.yaml --label COLUMN"
    else:
        # Ten are on a page by itself, and two families have more.
        yield f"Deployments  {prefect}/v2/deployments?limit=100"
        for name, family in settings.families.items():
            yield f"  {name}: transfer  {_form(prefect, made[f'transfer-{name}'])}"
            yield f"  {name}: models    {_models(mlflow, family)}"
    yield (
        "Commands are shown there as flow runs after "
        f"`export PREFECT_API_URL={prefect}/api`. Ctrl-C stops everything."
    )


def _form(prefect: str, deployment: str) -> str:
    return f"{prefect}/v2/deployments/deployment/{deployment}/run"


def _models(mlflow: str, family: Family) -> str:
    return f"{mlflow}/#/models?searchFilter={quote(family.model)}"


def _watch(servers: list[_Server]) -> None:
    while True:
        for server in servers:
            _require_alive(server)
        time.sleep(0.5)


def _stop(servers: list[_Server]) -> None:
    """First what runs flows, as each run writes its end to the server; then the servers."""
    runners = [server for server in servers if server.name == _DEPLOYMENTS]
    for server in runners:
        server.process.terminate()  # alone: its runs are told by it that they are cancelled
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(timeout=_CANCEL_SECONDS)
    _end(runners)
    _end([server for server in servers if server.name != _DEPLOYMENTS])


def _end(servers: list[_Server]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for server in servers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.process.pid, sign)
        for server in servers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.process.wait(timeout=_STOP_SECONDS)
    for server in servers:
        children.forget(server.process)
