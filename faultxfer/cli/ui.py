"""Start the two web pages and stop them together."""

from __future__ import annotations

import contextlib
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
from dataclasses import dataclass
from pathlib import Path

from faultxfer import children
from faultxfer.cli.session import print_json, stdout
from faultxfer.errors import ConfigError
from faultxfer.progress import progress
from faultxfer.stopping import Stopping
from faultxfer.temporary import temporary_folder

READY_SECONDS = 180.0
_STOP_SECONDS = 10
_LOCAL = "127.0.0.1"


@dataclass
class _Server:
    name: str
    health: str
    process: subprocess.Popen[bytes]
    log: Path


def serve(mlflow_port: int, prefect_port: int, *, json_output: bool) -> None:
    """Start both servers, print their addresses, wait for Ctrl-C or another signal, stop both.

    They also end where this process is killed.

    Raises:
        ConfigError: a port is taken, or a server ends by itself.
    """
    ports = _free_port("MLflow", mlflow_port), _free_port("Prefect", prefect_port)
    if Stopping.active:
        Stopping.active.heed(signal.SIGINT)  # a shell's background job starts with SIGINT ignored
    with temporary_folder("ui") as logs:
        servers: list[_Server] = []
        try:
            _serve(ports, servers, logs, json_output=json_output)
        except KeyboardInterrupt:  # how it is meant to end
            pass
        finally:
            _stop(servers)


def _serve(
    ports: tuple[int, int], servers: list[_Server], logs: Path, *, json_output: bool
) -> None:
    progress.info("Starting MLflow and Prefect")
    pages = {
        "MLflow": _mlflow(ports[0], servers, logs),
        "Prefect": _prefect(ports[1], servers, logs),
    }
    for server in servers:
        _wait_until_ready(server)
    _print_addresses(pages, json_output)
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
    connect.migrate(uri)
    # One worker and no job runner: two processes and 0.5 GB instead of fifteen and 3.3 GB.
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    command = ["mlflow", "server", "--host", _LOCAL, "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", uri]
    location = connect.artifact_location(uri)
    if location:
        command += ["--artifacts-destination", location]
    address = f"http://{_LOCAL}:{port}"
    servers.append(_start("MLflow", command, environment, f"{address}/health", logs))
    return address


def _prefect(port: int, servers: list[_Server], logs: Path) -> str:
    address = f"http://{_LOCAL}:{port}"
    command = ["prefect", "server", "start", "--host", _LOCAL, "--port", str(port), "--no-services"]
    environment = {"PREFECT_UI_API_URL": f"{address}/api", "PREFECT_LOGGING_SERVER_LEVEL": "ERROR"}
    servers.append(_start("Prefect", command, environment, f"{address}/api/health", logs))
    return address


def _start(
    name: str, command: list[str], environment: dict[str, str], health: str, logs: Path
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
    return _Server(name, health, process, path)


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


def _wait_until_ready(server: _Server) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        _require_alive(server)
        try:
            with urllib.request.urlopen(server.health, timeout=2):  # noqa: S310  # a loopback address made above
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise _not_running(server, f"no answer within {READY_SECONDS:.0f} s")


def _require_alive(server: _Server) -> None:
    if server.process.poll() is not None:
        raise _not_running(server, f"exit code {server.process.returncode}")


def _not_running(server: _Server, problem: str) -> ConfigError:
    return ConfigError(
        f"The {server.name} server does not run",
        received={"problem": problem},
        remedy=f"Its log says why. See {_kept(server)}",
    )


def _kept(server: _Server) -> Path:
    """The server's log, out of the folder that is removed."""
    handle, path = tempfile.mkstemp(prefix=f"faultxfer-{server.name.lower()}-", suffix=".log")
    os.close(handle)
    return Path(shutil.copy(server.log, path))


def _print_addresses(pages: dict[str, str], json_output: bool) -> None:
    # The addresses are the result, and are due while the work still runs and stdout is redirected.
    with contextlib.redirect_stdout(sys.__stdout__):
        if json_output:
            print_json({name.lower(): address for name, address in pages.items()})
        else:
            for name, address in pages.items():
                stdout().print(f"{name:<8} {address}")
            stdout().print(
                "Commands are shown there as flow runs after "
                f"`export PREFECT_API_URL={pages['Prefect']}/api`. Ctrl-C stops both."
            )
        sys.stdout.flush()


def _watch(servers: list[_Server]) -> None:
    while True:
        for server in servers:
            _require_alive(server)
        time.sleep(0.5)


def _stop(servers: list[_Server]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for server in servers:
            if server.process.poll() is None:
                os.killpg(server.process.pid, sign)
        for server in servers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.process.wait(timeout=_STOP_SECONDS)
    for server in servers:
        children.forget(server.process)
