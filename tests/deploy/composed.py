"""The services of compose.yaml as processes of this machine: hosts are loopback, volumes folders.

The image cannot be built without a container engine; what runs inside of it can.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import local_postgresql
import yaml
from local_postgresql import Cluster

ROOT = Path(__file__).resolve().parents[2]
PASSWORDS = {
    "POSTGRES_PASSWORD": local_postgresql.PASSWORD,
    "MLFLOW_PASSWORD": "mlflow's own: 100%",
    "MLFLOW_SECRET_KEY": "for the cookies",
    "PREFECT_PASSWORD": "prefect's own: 100%",
}
_VARIABLE = re.compile(r"\$\{(?P<name>\w+):(?P<mark>[?-])(?P<other>[^}]*)\}")
# What the worker's image has in its folder.
_IN_THE_IMAGE = ("deploy", "data_contracts")
_READY_SECONDS = 240.0


def composed(variables: dict[str, str]) -> dict[str, Any]:
    """compose.yaml with its variables put in, as a container engine does it.

    Raises:
        KeyError: a variable that is required is not given.
    """

    def value(found: re.Match[str]) -> str:
        given = variables.get(found["name"], "")
        if not given and found["mark"] == "?":
            raise KeyError(found["other"])
        return given or found["other"]

    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    return dict(_replaced(document, lambda cell: _VARIABLE.sub(value, cell)))


def _replaced(node: Any, change: Any) -> Any:
    if isinstance(node, dict):
        return {key: _replaced(inner, change) for key, inner in node.items()}
    if isinstance(node, list):
        return [_replaced(inner, change) for inner in node]
    return change(node) if isinstance(node, str) else node


@dataclass
class Plant:
    """All services, running.

    Attributes:
        folder: for volumes, logs and the worker.
        cluster: what the service ``postgresql`` is here.
        services: of compose.yaml, with this machine's ports and folders.
        processes: by service.
    """

    folder: Path
    cluster: Cluster
    services: dict[str, dict[str, Any]]
    processes: dict[str, subprocess.Popen[bytes]]

    @property
    def signed_in(self) -> dict[str, str]:
        """Environment of who works with both servers: the worker's."""
        return dict(self.services["worker"]["environment"])

    @property
    def strangers(self) -> dict[str, str]:
        """The same without user and password."""
        named = ("MLFLOW_TRACKING_URI", "PREFECT_API_URL")
        return {name: self.signed_in[name] for name in named}

    def log(self, service: str) -> str:
        """What a service has written."""
        return (self.folder / f"{service}.log").read_text(encoding="utf-8", errors="replace")

    def start(self, service: str) -> None:
        """Start its command in the worker's folder."""
        settings = self.services[service]
        environment = {**_without_settings(), **settings["environment"]}
        with (self.folder / f"{service}.log").open("wb") as log:
            self.processes[service] = subprocess.Popen(
                shlex.split(settings["command"]),
                cwd=self.folder / "app",
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self, service: str) -> None:
        """Until its health check succeeds."""
        check = self.services[service]["healthcheck"]["test"][1:]
        address = re.findall(r"http://[^']+", check[-1])[0]
        end = time.monotonic() + _READY_SECONDS
        while time.monotonic() < end and self.processes[service].poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
                return
            time.sleep(0.2)
        raise AssertionError(f"{service} does not run: {self.log(service)[-3000:]}")

    def stop(self) -> None:
        """End all processes."""
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def run(
        self, *command: str, environment: dict[str, str], timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        """A command of somebody who works with the servers."""
        return subprocess.run(
            command,
            cwd=self.folder / "app",
            env={**_without_settings(), **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
        )


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Plant]:
    """Every service, started as compose.yaml says."""
    programs = local_postgresql.programs()
    assert programs is not None
    with local_postgresql.cluster(programs) as cluster:
        cluster.run_script(ROOT / "deploy" / "databases.sql")
        plant = Plant(folder, cluster, _here(folder, cluster), {})
        _lay_out(folder / "app")
        try:
            plant.start("mlflow")
            plant.start("prefect")
            plant.wait("mlflow")
            plant.wait("prefect")
            plant.start("worker")
            yield plant
        finally:
            plant.stop()


def _here(folder: Path, cluster: Cluster) -> dict[str, dict[str, Any]]:
    """The services with this machine's ports and folders, in the order of what they need."""
    ports = {"5000": str(_free_port()), "4200": str(_free_port())}
    changes = [
        ("0.0.0.0", "127.0.0.1"),
        *(
            (f"{name}:{port}", f"127.0.0.1:{here}")
            for (port, here), name in zip(ports.items(), ("mlflow", "prefect"), strict=True)
        ),
        *((port, here) for port, here in ports.items()),
        ("/artifacts", str(folder / "artifacts")),
        ("/app", str(folder / "app")),
    ]

    def change(text: str) -> str:
        for old, new in changes:
            text = re.sub(rf"{re.escape(old)}\b", new, text)
        return text

    services = composed(PASSWORDS)["services"]
    here: dict[str, dict[str, Any]] = _replaced(services, change)
    for settings in here.values():
        if "PGHOST" in settings["environment"]:
            settings["environment"] |= {"PGHOST": "127.0.0.1", "PGPORT": str(cluster.port)}
    return here


def _lay_out(app: Path) -> None:
    """The worker's folder, as the Dockerfile makes it."""
    app.mkdir(parents=True)
    for name in _IN_THE_IMAGE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, app / name)
    (app / "landing").mkdir()


def _without_settings() -> dict[str, str]:
    """This process's environment without what tests set for MLflow and Prefect."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MLFLOW_", "PREFECT_", "PG"))
    }
    programs = str(Path(sys.executable).parent)
    return {**kept, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
