"""What the kill test, the race test and the full-disk test share: stores and forked processes.

Everything is imported once and then forked, which saves the half minute that TensorFlow takes in
each process. That is
sound only as long as no TensorFlow operation and no connection to a database was made before: the
parent does nothing but fork.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import local_postgresql

from faultxfer import environment
from faultxfer.registry import connect

environment.prepare_command()
connect.prepare_environment()
os.environ["FAULTXFER_SMOKE_TEST"] = "this_process"

# A database asked directly, or an MLflow server over it.
SERVED = "http"
KINDS = ("sqlite", SERVED, "postgresql", f"{SERVED}-postgresql")
_READY_SECONDS = 300.0


@dataclass(frozen=True)
class Store:
    """A store to try things on.

    Attributes:
        kind: one of ``KINDS``.
        folder: working folder; of SQLite also the store.
        uri: tracking address.
    """

    kind: str
    folder: Path
    uri: str


@contextlib.contextmanager
def store_of(kind: str, folder: Path) -> Iterator[Store]:
    """An empty store of one of the ``KINDS``, which ends with the block."""
    folder.mkdir(parents=True)
    with _database_of(kind, folder) as database:
        if not kind.startswith(SERVED):
            yield Store(kind, folder, database)
            return
        with _server(database, folder) as address:
            yield Store(kind, folder, address)


@contextlib.contextmanager
def _database_of(kind: str, folder: Path) -> Iterator[str]:
    """The address of a database that MLflow has made its tables in."""
    with contextlib.ExitStack() as opened:
        if kind.endswith("postgresql"):
            programs = local_postgresql.programs()
            if programs is None:
                raise SystemExit("There is no PostgreSQL here: `apt-get install postgresql`")
            database = opened.enter_context(local_postgresql.cluster(programs)).create("mlflow")
            in_child(lambda: _make_tables(database))
        else:
            database = f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}"
            in_child(lambda: connect.migrate(database))
        yield database


def _make_tables(database: str) -> None:
    """As `mlflow server` does when it starts."""
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

    _initialize_tables(create_sqlalchemy_engine(database))


@contextlib.contextmanager
def _server(database: str, folder: Path) -> Iterator[str]:
    """An MLflow server over a database; gives back its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1", "--backend-store-uri", database]
    command += ["--artifacts-destination", str(folder / "served")]
    settings = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            command, env=settings, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(f"{address}/health", server)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.3)
    raise SystemExit("the MLflow server did not start")


def start(work: Callable[[], Any]) -> tuple[int, int]:
    """Fork; gives back the process and where its answer, as JSON, can be read."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    os.close(reading)
    try:
        answer = json.dumps(work()).encode()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def finish(process: int, reading: int) -> tuple[int, Any]:
    """Wait; gives back the exit status, negative for a signal, and the answer if there is one."""
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return status, json.loads(answer) if answer else None


def in_child(work: Callable[[], Any]) -> Any:
    """Do ``work`` in a process of its own, which must end well."""
    status, answer = finish(*start(work))
    if status:
        raise SystemExit(f"a step of the trial itself failed with status {status}")
    return answer


def warm(*modules: str) -> None:
    """Import now what every process will need."""
    stores = (
        "mlflow.store.tracking.sqlalchemy_store",
        "mlflow.store.model_registry.sqlalchemy_store",
    )
    for module in (
        "mlflow.pyfunc",
        "mlflow.models",
        *stores,
        "faultxfer.bundle.graph.adding",  # half of what a registration takes: SciPy
        "faultxfer.registry.checking",
        "faultxfer.registry.doctor",
        "faultxfer.registry.maintenance",
        *modules,
    ):
        importlib.import_module(module)


def at(store: Store) -> None:
    """Work with ``store`` in this process."""
    os.chdir(store.folder)
    os.environ["MLFLOW_TRACKING_URI"] = store.uri
