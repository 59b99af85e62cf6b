"""How long one row takes over HTTP: ``mlflow models serve`` on a machine's champion, default stack.

    uv run python benchmarks/rest.py [--calls 300] [--plant FOLDER]

Makes a plant of 20 sensors and its champion (``scoring_speed.py``), starts the server as
``docs/serving.md`` does, and asks it for one row, again and again over one connection; then the
same of the model in this process. Printed are least and median milliseconds beside the goal.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
from scoring_speed import prepare, write_rows
from wide_plant import HERE, TARGET, Release

MODEL = f"models:/presses--fault--{TARGET}@champion"
GOAL_MS, WAIT = 10.0, 120


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="One row over HTTP.")
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--plant", type=Path, help="make files here, and leave them there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        plant = (given.plant or Path(name)).resolve()
        release = Release("today", HERE, plant)
        prepare(release)
        row = pd.read_csv(write_rows(plant, 200)).tail(1)
        os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{plant}/{release.title}.db"
        print("| one row | least, ms | median, ms | goal | |\n|---|---:|---:|---:|---|")
        with served(plant) as ask:
            body = json.dumps({"dataframe_split": row.to_dict("split")})
            print_line("over HTTP", lambda: ask(body), given.calls)
        import mlflow.pyfunc

        model = mlflow.pyfunc.load_model(MODEL)
        print_line("`predict` in this process", lambda: model.predict(row), given.calls)


def print_line(what: str, call: Callable[[], object], calls: int) -> None:
    """Least and median of many calls, after some that warm up."""
    spent = []
    for _ in range(calls + 10):
        began = time.perf_counter()
        call()
        spent.append(1000 * (time.perf_counter() - began))
    least, middle = min(spent[10:]), statistics.median(spent[10:])
    met = "kept" if middle <= GOAL_MS else "missed"
    print(f"| {what} | {least:.1f} | {middle:.1f} | {GOAL_MS:g} | {met} |", flush=True)


@contextmanager
def served(plant: Path) -> Iterator[Callable[[str], bytes]]:
    """Asks a running server, which is stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", MODEL]
    command += ["--env-manager", "local", "--port", str(port)]
    log = (plant / "server.log").open("w")
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(HERE), "PATH": tools}
    # A session of its own, since the server starts workers.
    server = subprocess.Popen(
        command, cwd=plant, env=environment, stdout=log, stderr=log, start_new_session=True
    )
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        _wait(connection, server)
        yield lambda body: _posted(connection, body)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
        log.close()


def _wait(connection: http.client.HTTPConnection, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + WAIT
    while time.monotonic() < end and server.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/ping")
            if connection.getresponse().read() is not None:
                return
        connection.close()
        time.sleep(0.5)
    sys.exit("The server did not start; see server.log")


def _posted(connection: http.client.HTTPConnection, body: str) -> bytes:
    connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = answer.read()
    if answer.status != 200:
        sys.exit(told.decode())
    return told


if __name__ == "__main__":
    main()
