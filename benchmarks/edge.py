"""A detector as one ONNX graph: what a row costs, how large the file is, what making it costs.

    uv run python benchmarks/edge.py [--sensors 20 52 400] [--clean]

Pretrains and transfers on plants of so many sensors (``wide_plant.py``), exports the champion and
prints, beside the goal of 1 ms a row: the least and the median time of one row on one thread and
on two, rows a second of the processor in calls of 1,000, the size of the file, and what the
registration pays for it in seconds of the processor, with what a first one in a process imports.

``--clean`` runs the lines of ``docs/edge.md`` in an environment that ``uv`` makes of numpy and
onnxruntime alone, on the target's file, and compares the alarms with those of ``faultxfer score``.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import wide_plant

HERE = Path(__file__).resolve().parents[1]
GOAL = 1e-3
ROWS, CALLS = 1_000, 300
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
    from faultxfer.bundle.graph.check import Session

    session = Session(graph.read_bytes(), threads)
    X = np.random.default_rng(0).normal(size=(rows, len(session.names)))
    seconds, clock = [], time.perf_counter if rows == 1 else time.process_time
    for _ in range(CALLS if rows == 1 else 5):
        began = clock()
        session(X)
        seconds.append(clock() - began)
    return min(seconds), statistics.median(seconds)


def _in_clean_environment(plant: Path, release: wide_plant.Release) -> str:
    """Whether the lines of the document print the alarms of ``score``."""
    clean, target = plant / "clean", f"{wide_plant.TARGET}.csv"
    subprocess.run(["uv", "venv", "-q", str(clean)], check=True)
    python = str(clean / "bin" / "python")
    install = ["uv", "pip", "install", "-q", "--python", python, "numpy", "onnxruntime"]
    subprocess.run(install, check=True)
    document = (HERE / "docs" / "edge.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
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
