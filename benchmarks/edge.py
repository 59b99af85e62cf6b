"""A detector as one ONNX graph: what a row costs, how large the file is, what making it costs.

    uv run python benchmarks/edge.py [--sensors 20 52 400] [--clean] [--served]

Pretrains and transfers on plants of so many sensors (``wide_plant.py``), exports the champion and
prints, beside the goal of 1 ms a row: the least and the median time of one row on one thread and
on two, rows a second of the processor in calls of 1,000, the size of the file, and what the
registration pays for it in seconds of the processor, with what a first one in a process imports.

``--clean`` runs the lines of ``docs/edge.md`` in an environment that ``uv`` makes of numpy and
onnxruntime alone, on the target's file, and compares the alarms with those of ``faultxfer score``.
``--served`` asks the same version for one row at a time over HTTP, from MLflow's scoring server,
which is warm; the goal is 10 ms.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import numpy as np
import onnxruntime
import wide_plant

from faultxfer.bundle.graph.check import Session

HERE = Path(__file__).resolve().parents[1]
GOAL = 1e-3
ROWS, CALLS, WARM = 1_000, 300, 20
_MODEL = ["presses", "--equipment", wide_plant.TARGET]
# In a process of its own: the export of a registration, and what of it the imports are.
_MAKE = """
import json, sys, time
from pathlib import Path
import lightgbm  # which a transfer has loaded
from faultxfer.bundle.bundle import load_bundle
load_bundle(Path(sys.argv[1]))
began = time.process_time()
import onnx, onnxruntime
imports = time.process_time() - began
from faultxfer.bundle.graph.adding import add_graph
add_graph(Path(sys.argv[1]), {})
print(json.dumps([time.process_time() - began, imports]))
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="A detector as one ONNX graph.")
    parser.add_argument("--sensors", type=int, nargs="+", default=[20, 52, 400])
    parser.add_argument("--clean", action="store_true", help="run the lines of docs/edge.md too")
    parser.add_argument("--served", action="store_true", help="time MLflow's scoring server too")
    asked = parser.parse_args()
    print(
        "| sensors | KiB | row, 1 thread: least / median ms | 2 threads | goal ms | rows a second "
        "| making it: s | of it imports |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for sensors in asked.sensors:
        with tempfile.TemporaryDirectory() as folder:
            plant = Path(folder)
            release = _registered(plant, sensors)
            print(_line(plant, sensors), flush=True)
            if asked.clean:
                print(_in_clean_environment(plant, release), flush=True)
            if asked.served:
                print(_served(plant), flush=True)


def _registered(plant: Path, sensors: int) -> wide_plant.Release:
    """A plant with a champion, its graph in ``detector.onnx`` and its bundle in ``bundle``."""
    wide_plant.write_plant(plant, sensors)
    release = wide_plant.Release("today", HERE, plant)
    asked = wide_plant.COMMANDS
    for command in (
        asked["pretrain"],
        [*asked["transfer"], "--override-gate", "benchmark"],
        ["registry", "export", *_MODEL],
    ):
        done = release.run(*command)
        if done.code:
            raise SystemExit(done.text)
    (stack,) = plant.rglob("stack.npz")  # the source model has none
    shutil.copytree(stack.parent, plant / "bundle")
    return release


def _line(plant: Path, sensors: int) -> str:
    graph = plant / "detector.onnx"
    least, median = _timed(graph, threads=1, rows=1)
    least_of_two, median_of_two = _timed(graph, threads=2, rows=1)
    fastest, _ = _timed(graph, threads=1, rows=ROWS)
    made = subprocess.run(
        [sys.executable, "-c", _MAKE, str(plant / "bundle")],
        capture_output=True,
        text=True,
        check=True,
    )
    whole, imports = json.loads(made.stdout)
    cells = [
        f"{sensors}",
        f"{graph.stat().st_size / 1024:.0f}",
        f"{1e3 * least:.3f} / {1e3 * median:.3f}",
        f"{1e3 * least_of_two:.3f} / {1e3 * median_of_two:.3f}",
        f"{1e3 * GOAL:g}",
        f"{ROWS / fastest:,.0f}",
        f"{whole:.2f}",
        f"{imports:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _timed(graph: Path, *, threads: int, rows: int) -> tuple[float, float]:
    """Least and median seconds of a call: on the clock for one row, of the processor for many."""
    session = Session(graph.read_bytes(), threads)
    X = np.random.default_rng(0).normal(size=(rows, len(session.names)))
    score = _one_by_one(session) if rows == 1 else session
    seconds, clock = [], time.perf_counter if rows == 1 else time.process_time
    for _ in range(CALLS if rows == 1 else 5):
        began = clock()
        score(X)
        seconds.append(clock() - began)
    return min(seconds), statistics.median(seconds)


def _one_by_one(session: Session) -> Callable[[np.ndarray], list[np.ndarray]]:
    """As ``docs/edge.md`` has it: the inputs are bound once."""
    onnx, row = session.session, np.full((len(session.names), 1, 1), np.nan)
    bound = onnx.io_binding()
    for name, place in zip(session.names, row, strict=True):
        bound.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(place))
    for entry in onnx.get_outputs():
        bound.bind_output(entry.name)

    def score(X: np.ndarray) -> list[np.ndarray]:
        row[:, 0, 0] = X[0]
        onnx.run_with_iobinding(bound)
        return [found.numpy() for found in bound.get_outputs()]

    return score


def _served(plant: Path) -> str:
    """What a row costs over HTTP."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    version = f"models:/presses--fault--{wide_plant.TARGET}@champion"
    address = ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    registry = f"sqlite:///{plant}/today.db"
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "models", "serve", "-m", version, *address],
        env={**os.environ, "MLFLOW_TRACKING_URI": registry, "PATH": programs},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        seconds = _asked(port, _row(plant), server)
    finally:
        server.terminate()
        server.wait()
    return (
        f"Served: {1e3 * min(seconds):.1f} ms at least, {1e3 * statistics.median(seconds):.1f} ms"
    )


def _row(plant: Path) -> str:
    """A row as JSON."""
    with (plant / f"{wide_plant.TARGET}.csv").open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    others = ("time", "machine", "run", "fault")
    readings = {name: float(cell) for name, cell in row.items() if name not in others}
    return json.dumps({"dataframe_records": [readings]})


def _asked(port: int, body: str, server: subprocess.Popen[bytes]) -> list[float]:
    """Seconds of each call over one connection, once the server is there."""
    while server.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        with suppress(ConnectionRefusedError):
            for _ in range(WARM):
                _ask(connection, body)
            return [_ask(connection, body) for _ in range(CALLS)]
        time.sleep(1)
    raise SystemExit("MLflow's scoring server ended")


def _ask(connection: http.client.HTTPConnection, body: str) -> float:
    began = time.perf_counter()
    connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = answer.read()
    if answer.status != HTTPStatus.OK:
        raise SystemExit(told.decode())
    return time.perf_counter() - began


def _in_clean_environment(plant: Path, release: wide_plant.Release) -> str:
    """Whether the lines of the document print the alarms of ``score``."""
    clean, target = plant / "clean", f"{wide_plant.TARGET}.csv"
    subprocess.run(["uv", "venv", "-q", str(clean)], check=True)
    python = str(clean / "bin" / "python")
    install = ["uv", "pip", "install", "-q", "--python", python, "numpy", "onnxruntime"]
    subprocess.run(install, check=True)
    document = (HERE / "docs" / "edge.md").read_text(encoding="utf-8")
    lines, _ = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    (plant / "alarms.py").write_text(lines, encoding="utf-8")
    done = subprocess.run(
        [python, "-I", "alarms.py", target], cwd=plant, capture_output=True, text=True, check=True
    )
    said = {int(line) for line in re.findall(r"line (\d+): ALARM", done.stdout)}
    scored = release.run("score", target, "--model", *_MODEL, "--out", "scores.csv", "--json")
    if scored.code:
        raise SystemExit(scored.text)
    with (plant / "scores.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    alarms = {place for place, row in enumerate(rows, start=2) if row["alarm"] in ("True", "true")}
    same = "the same as" if said == alarms else "NOT those of"
    return f"In a clean environment: {len(said)} alarms, {same} `score` ({len(alarms)})."


if __name__ == "__main__":
    main()
