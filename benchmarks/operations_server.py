"""An MLflow server of one's own on loopback, with a proxy before it that fails as it is told to."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

ADMIN, VIEWER, PASSWORD = "admin", "viewer", "a password of the trials"
_HERE = Path(__file__).resolve().parent
_READY_SECONDS = 300.0
_AUTH_SETTINGS = """[mlflow]
default_permission = READ
database_uri = sqlite:///{database}
admin_username = {admin}
admin_password = {password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 3600
"""


class Server:
    """The server and its proxy.

    Args:
        folder: for its log and settings.
        database: of the tracking store.
        artifacts: where it keeps uploads.
        auth: ask for user and password.
        python: interpreter that has MLflow, with its extra ``auth`` where that is asked for.
    """

    def __init__(
        self, folder: Path, database: Path, artifacts: Path, *, auth: bool, python: str
    ) -> None:
        self.folder, self.auth, self.python = folder, auth, python
        self.port, self.target = _free_port(), _free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.faults = folder / "faults.json"
        self.fail()
        self.server = self._serve(database, artifacts)
        self.proxy: subprocess.Popen[bytes] | None = None

    def wait(self) -> None:
        """Until it answers; then make the user who may only read."""
        address = f"http://127.0.0.1:{self.target}/health"
        _wait(address, self.server)
        self.go_up()
        if self.auth:
            self._add_user(VIEWER)

    def fail(self, **faults: Any) -> None:
        """From now on fail like this; without arguments pass everything on."""
        self.faults.write_text(json.dumps(faults))

    def go_down(self) -> None:
        """Nobody answers at the address."""
        if self.proxy is not None:
            self.proxy.kill()
            self.proxy.wait()
            self.proxy = None

    def go_up(self) -> None:
        """Answer again."""
        if self.proxy is not None:
            return
        script = [self.python, "-P", "-S", str(_HERE / "operations_proxy.py")]
        arguments = [str(self.port), str(self.target), str(self.faults)]
        self.proxy = subprocess.Popen([*script, *arguments])
        _wait(f"{self.uri}/health", self.proxy)

    def stop(self) -> None:
        """End both."""
        self.go_down()
        os.killpg(self.server.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.server.wait(timeout=30)

    def login(self, user: str = ADMIN, password: str = PASSWORD) -> dict[str, str]:
        """Environment of somebody who works with this server."""
        settings = {"MLFLOW_TRACKING_URI": self.uri}
        if self.auth and user:
            settings |= {"MLFLOW_TRACKING_USERNAME": user, "MLFLOW_TRACKING_PASSWORD": password}
        return settings

    def _serve(self, database: Path, artifacts: Path) -> subprocess.Popen[bytes]:
        command = [self.python, "-m", "mlflow", "server", "--host", "127.0.0.1"]
        command += ["--port", str(self.target), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{database}"]
        command += ["--artifacts-destination", str(artifacts)]
        settings = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        settings.pop("PYTHONPATH", None)
        if self.auth:
            command += ["--app-name", "basic-auth"]
            settings |= self._auth_settings()
        with (self.folder / "server.log").open("w") as log:
            return subprocess.Popen(
                command, env=settings, stdout=log, stderr=log, start_new_session=True
            )

    def _auth_settings(self) -> dict[str, str]:
        settings = self.folder / "auth.ini"
        database = self.folder / "auth.db"
        settings.write_text(
            _AUTH_SETTINGS.format(database=database, admin=ADMIN, password=PASSWORD)
        )
        secret = "of the trials"
        return {"MLFLOW_AUTH_CONFIG_PATH": str(settings), "MLFLOW_FLASK_SERVER_SECRET_KEY": secret}

    def _add_user(self, name: str) -> None:
        body = json.dumps({"username": name, "password": PASSWORD}).encode()
        asked = urllib.request.Request(f"{self.uri}/api/2.0/mlflow/users/create", body)
        asked.add_header("Content-Type", "application/json")
        asked.add_header("Authorization", _basic(ADMIN, PASSWORD))
        urllib.request.urlopen(asked, timeout=60).close()


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.1)
    raise SystemExit(f"nothing answers at {address}")
