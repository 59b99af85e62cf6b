"""A whole transfer, cold process to journaled promotion, beside a textbook script and the floor.

    uv run python benchmarks/whole_transfer.py --data DIR [--times 3] [--rows 230] [--before FOLDER]

DIR holds ``hydraulic/cooler100.csv`` and ``cooler3.csv``. In turns, as whole processes, byte code
compiled:

* *textbook*: ``benchmarks/textbook/textbook.py transfer``, with its own profile;
* *faultxfer*: ``faultxfer transfer`` with its smoke test;
* *floor*: two processes beside each other that import what the transfer and its clean process
  import, and do nothing;
* *before*, where FOLDER is a working copy of the other release with an environment of its own.

Printed are medians, ratios of this run against their goals, and where the seconds of one transfer
go: imports, steps, registry. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

HERE = Path(__file__).resolve().parents[1]
TEXTBOOK = HERE / "benchmarks" / "textbook" / "textbook.py"
MACHINE, MODEL = "cooler3", "hydraulic"
FASTER_THAN_TEXTBOOK, STRETCH, ABOVE_FLOOR, LEARNING = 2.0, 3.0, 4.0, 3.0
# Where the gate refuses, nothing is registered, and less would be timed than is said.
GATE = "value: {pr_auc: {min: 0.01}}\n"
# Runs one transfer and writes which modules it imported and what each step took.
TIMED = """
import json, sys, time
from faultxfer.environment import prepare_command
prepare_command()  # threads of linear algebra, as a command has them
from faultxfer import pipeline
seconds = {}
def timed(step, /, *given):
    start = time.perf_counter()
    try:
        return step(*given)
    finally:
        seconds[step.__name__] = seconds.get(step.__name__, 0.0) + time.perf_counter() - start
result = pipeline.transfer(**json.loads(sys.argv[1]), run=timed)
with open(sys.argv[2], "w") as file:
    json.dump({"seconds": seconds, "modules": sorted(sys.modules)}, file)
"""
IMPORTING = """
import importlib, json, sys
for name in json.load(open(sys.argv[1]))["modules"]:
    if "." not in name or name.split(".")[0] in sys.modules:
        try:
            importlib.import_module(name)
        except Exception:
            pass
"""


@dataclass(frozen=True)
class Timed:
    """Seconds of one kind of process, each run."""

    title: str
    seconds: list[float]

    @property
    def median(self) -> float:
        """Of the runs."""
        return statistics.median(self.seconds)


def main() -> None:
    """Prepare, run in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--rows", type=int, default=230)
    parser.add_argument("--before", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(compared(Path(folder), asked))


def compared(folder: Path, asked: argparse.Namespace) -> int:
    """How many goals were missed."""
    source, target = files(folder, asked.data, asked.rows)
    kinds = {"textbook": textbook(folder, source, target), "faultxfer": ours(folder, HERE, source)}
    if asked.before:
        kinds["before"] = ours(folder, asked.before.resolve(), source)
    profile = profiled(folder / "faultxfer", target)
    measured = {name: Timed(name, []) for name in (*kinds, "floor")}
    for _ in range(asked.times):
        for name, (where, command) in kinds.items():
            measured[name].seconds.append(run(renewed(where), *command, str(target)))
        measured["floor"].seconds.append(floor(folder, profile))
    return report(measured, profile)


def files(folder: Path, data: Path, rows: int) -> tuple[Path, Path]:
    """The source file, and a week of the target: whole runs from everywhere, some rows of each."""
    source = data / "hydraulic" / "cooler100.csv"
    every = pd.read_csv(data / "hydraulic" / "cooler3.csv")
    keep = every.sample(n=min(rows, len(every)), random_state=0).sort_index()
    target = folder / "week.csv"
    keep.to_csv(target, index=False)
    (folder / "gate.yaml").write_text(GATE)
    return source, target


def textbook(folder: Path, source: Path, target: Path) -> tuple[Path, list[str]]:
    """A folder with its source network in a registry, and its command."""
    where = folder / "textbook"
    where.mkdir()
    run(where, sys.executable, str(TEXTBOOK), "pretrain", str(source))
    return where, [sys.executable, str(TEXTBOOK), "transfer"]


def ours(folder: Path, copy: Path, source: Path) -> tuple[Path, list[str]]:
    """A folder with a pretrained source model, and the command of a transfer."""
    where = folder / ("faultxfer" if copy == HERE else "before")
    where.mkdir()
    program = str(copy / ".venv" / "bin" / "faultxfer")
    infer = [
        program,
        "contract",
        "infer",
        str(source),
        "--label",
        "fault",
        "--out",
        "hydraulic.yaml",
    ]
    run(where, *infer)
    run(where, program, "pretrain", str(source), "--contract", "hydraulic.yaml", "--model", MODEL)
    shutil.copy(folder / "gate.yaml", where)
    command = [program, "transfer", "--model", MODEL, "--contract", "hydraulic.yaml"]
    return where, [*command, "--equipment", MACHINE, "--gate", "gate.yaml"]


def renewed(where: Path) -> Path:
    """The folder as it was prepared, at the same place: addresses in a store are absolute."""
    kept = where.with_name(f"{where.name}-kept")
    if not kept.exists():
        shutil.copytree(where, kept)
    shutil.rmtree(where)
    shutil.copytree(kept, where)
    return where


def run(folder: Path, *command: str) -> float:
    """Seconds of one process; a refusal or an error ends the comparison."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PREFECT")
    }
    environment |= {"PREFECT_HOME": str(folder / "prefect")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return seconds


def profiled(folder: Path, target: Path) -> dict[str, object]:
    """Seconds of each step of one transfer, and the modules that it imported."""
    asked = {
        "csv": [str(target)],
        "model": MODEL,
        "contract": "hydraulic.yaml",
        "equipment": MACHINE,
        "options": {"gate": yaml.safe_load(GATE)},
    }
    out = folder.parent / "profile.json"
    run(renewed(folder), sys.executable, "-c", TIMED, json.dumps(asked), str(out))
    return dict(json.loads(out.read_text()))


def floor(folder: Path, profile: dict[str, object]) -> float:
    """Seconds of the same processes with all imports and no work.

    The clean process imports while the first one works; so its imports stand beside the others.
    """
    path = folder / "modules.json"
    path.write_text(json.dumps(profile))
    began = time.perf_counter()
    command = [sys.executable, "-c", IMPORTING, str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def report(measured: dict[str, Timed], profile: dict[str, object]) -> int:
    """Print the tables; how many goals were missed."""
    print("| process | median, s | runs |\n|---|---:|---|")
    for timed in measured.values():
        runs = ", ".join(f"{one:.1f}" for one in timed.seconds)
        print(f"| {timed.title} | {timed.median:.1f} | {runs} |")
    whole, base = measured["faultxfer"].median, measured["floor"].median
    faster = measured["textbook"].median / whole
    steps = profile["seconds"]
    assert isinstance(steps, dict)
    learning = steps["split_target"] + steps["adapt_source"] + steps["evaluate_candidate"]
    goals = [
        (
            "times as fast as the textbook",
            faster,
            FASTER_THAN_TEXTBOOK,
            faster >= FASTER_THAN_TEXTBOOK,
        ),
        ("seconds above the floor", whole - base, ABOVE_FLOOR, whole - base <= ABOVE_FLOOR),
        ("seconds of learning", learning, LEARNING, learning <= LEARNING),
    ]
    print(f"\nThe stretch is {STRETCH:g} times as fast.\n\n| goal | measured | goal | kept |")
    print("|---|---:|---:|---|")
    for title, value, goal, kept in goals:
        print(f"| {title} | {value:.2f} | {goal:g} | {'yes' if kept else 'MISSED'} |")
    print("\n| part of one transfer | s |\n|---|---:|")
    print(f"| imports (the floor) | {base:.1f} |")
    for name, seconds in steps.items():
        print(f"| {name} | {seconds:.2f} |")
    return sum(not kept for *_, kept in goals)


if __name__ == "__main__":
    main()
