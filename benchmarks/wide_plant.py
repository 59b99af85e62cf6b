"""A plant of many sensors: makes its files, and times what a person waits for on them.

    uv run python benchmarks/wide_plant.py [--sensors 640 2000] [--before FOLDER] [--keep FOLDER]
    uv run python benchmarks/wide_plant.py --goals

Each signal of the plant is exported as four sensors, its min, max, avg and std of an hour, as
historians do; a tenth of the signals shows the faults. Three machines with 720 rows each are the
source, a fourth one is the target. `validate`, `pretrain` and `transfer` run as they are typed; the
table gives seconds on the clock and of the processor, which other work on the machine moves less,
the largest memory, and the PR-AUC of the source model and of LightGBM with its default parameters,
both fitted on the same rows and judged on the same held-out runs.

With `--goals`, `pretrain` alone runs on machines of 1,000 rows and 20 to 800 sensors, and what it
takes is set against what it may take: the slope of the processor's seconds by sensors, on
logarithms and net of a process that only imports, its memory, and its time on 400 sensors.

FOLDER behind `--before` is a working copy of another release with an environment of its own
(``uv sync --compile-bytecode``). It runs the same commands on the same files; the table then gives
the ratio of the processor's seconds too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import lightgbm
import numpy as np
import pandas as pd
import yaml
from sklearn.metrics import average_precision_score
from slopes import MOST_SLOPE, fitted_slope

from faultxfer.config import PretrainOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import divide_runs

HERE = Path(__file__).resolve().parents[1]
STATISTICS = ("min", "max", "avg", "std")
MACHINES, TARGET = ("press-1", "press-2", "press-3"), "press-4"
ROWS, RUN_ROWS = 720, 60
# Share of the signals that show faults, the share of those that shows one fault, and how far they
# move in it, in their own deviations.
SHOWING, SHOWN, SHIFT = 0.1, 0.6, 2.0
# Of a signal's deviation from its mean, what is left after an hour.
MEMORY = 0.7
CONTRACT, SOURCE = "plant.yaml", "source"
GOAL_SENSORS, GOAL_ROWS = (20, 48, 100, 128, 132, 200, 400, 800), 1020
# Sensors, and the most that `pretrain` may take on them: GB above imports, GB, seconds.
MEMORY_AT, MOST_ABOVE = 100, 1.0
WIDE_AT, MOST_GB, MOST_SECONDS = 400, 3.0, 60.0
PRETRAIN_IMPORTS = "import keras, lightgbm, mlflow, sklearn.neighbors, faultxfer.steps.pretraining"
_CHECKED = ["--contract", CONTRACT, "--json"]
_MODEL = ["--model", "presses", *_CHECKED]
COMMANDS = {
    "validate": ["validate", SOURCE, *_CHECKED],
    "pretrain": ["pretrain", SOURCE, *_MODEL],
    "transfer": ["transfer", f"{TARGET}.csv", *_MODEL, "--equipment", TARGET],
}
REFUSED_BY_GATE = 10


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it took: seconds, seconds of the processor, and GB."""

    seconds: float
    processor: float
    peak: float
    text: str
    code: int


@dataclass(frozen=True)
class Release:
    """A working copy, and the plant in which its commands run, with a registry of their own."""

    title: str
    copy: Path
    plant: Path

    def run(self, *arguments: str) -> Done:
        """Run a command as it is typed."""
        others = {name: value for name, value in os.environ.items() if name[:7] != "PREFECT"}
        registry = f"sqlite:///{self.plant}/{self.title}.db"
        environment = {**others, "MLFLOW_TRACKING_URI": registry}
        program = self.copy / ".venv" / "bin" / "faultxfer"
        # A copy without an environment of its own runs in the one that this script runs in.
        command = (
            [str(program)]
            if program.exists()
            else [sys.executable, "-c", "from faultxfer.cli import main; main()"]
        )
        return timed([*command, *arguments], self.plant, self._with_copy(environment))

    def imports(self, script: str = PRETRAIN_IMPORTS) -> Done:
        """A process that imports what a command does, and ends."""
        return timed([sys.executable, "-c", script], self.plant, self._with_copy(dict(os.environ)))

    def _with_copy(self, environment: dict[str, str]) -> dict[str, str]:
        return {**environment, "PYTHONPATH": str(self.copy)}


def timed(command: list[str], folder: Path, environment: dict[str, str]) -> Done:
    """Run a command to its end; what it and the processes below it took."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=err)
        # Unlike `wait`, it says what the process and those it started have used.
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        text = _whole(out) or _whole(err)
    processor, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6
    return Done(seconds, processor, peak, text, process.returncode)


def _whole(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="A plant of many sensors.")
    parser.add_argument("--sensors", type=int, nargs="+")
    parser.add_argument("--commands", nargs="+", choices=list(COMMANDS), default=list(COMMANDS))
    parser.add_argument("--before", type=Path, help="copy of the other release")
    parser.add_argument("--keep", type=Path, help="write the plants here, and leave them there")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--goals", action="store_true", help="time pretraining against its goals")
    arguments = parser.parse_args()
    if arguments.goals:
        print_goals(arguments.sensors or GOAL_SENSORS, arguments.seed)
        return
    print("| sensors | command | clock, s | processor, s | before, s | ratio | GB | outcome |")
    print("|---|---|---|---|---|---|---|---|")
    for sensors in arguments.sensors or (640, 2000):
        with tempfile.TemporaryDirectory() as name:
            plant = (arguments.keep or Path(name)) / str(sensors)
            write_plant(plant, sensors, arguments.seed)
            for line in _lines(plant, sensors, arguments.commands, arguments.before):
                print(line, flush=True)


def print_goals(counts: Sequence[int], seed: int) -> None:
    """What `pretrain` takes by sensors, and the table of measured and goal."""
    print("| sensors | clock, s | processor, s | GB | outcome |\n|---:|---:|---:|---:|---|")
    done = {}
    for sensors in counts:
        with tempfile.TemporaryDirectory() as name:
            release = Release("today", HERE, Path(name))
            write_plant(release.plant, sensors, seed, GOAL_ROWS)
            floor = release.imports()
            one = done[sensors] = release.run(*COMMANDS["pretrain"])
            cells = [f"{one.seconds:.0f}", f"{one.processor:.0f}", f"{one.peak:.2f}"]
            outcome = _outcome("pretrain", one, release.plant)
            print(f"| {sensors} | {' | '.join(cells)} | {outcome} |", flush=True)
    print(f"\nImports alone: {floor.processor:.0f} s of the processor, {floor.peak:.2f} GB.\n")
    print("| what | measured | goal | |\n|---|---:|---:|---|")
    for what, measured, goal in _goals(done, floor):
        print(f"| {what} | {measured:.2f} | ≤ {goal} | {'met' if measured <= goal else 'missed'} |")


def _goals(done: dict[int, Done], floor: Done) -> Iterator[tuple[str, float, float]]:
    if len(done) > 2:
        net = [max(one.processor - floor.processor, 0.1) for one in done.values()]
        _, upper = fitted_slope(list(done), net)
        yield "slope by sensors, upper bound", upper, MOST_SLOPE
    if MEMORY_AT in done:
        above = done[MEMORY_AT].peak - floor.peak
        yield f"GB above imports, {MEMORY_AT} sensors", above, MOST_ABOVE
    if WIDE_AT in done:
        yield f"GB, {WIDE_AT} sensors", done[WIDE_AT].peak, MOST_GB
        yield f"seconds on the clock, {WIDE_AT} sensors", done[WIDE_AT].seconds, MOST_SECONDS


def write_plant(
    folder: Path,
    sensors: int,
    seed: int = 0,
    rows: int = ROWS,
    *,
    shift: float = SHIFT,
    run_rows: int = RUN_ROWS,
) -> None:
    """Write a contract, one CSV for each source machine, and one for the target.

    Args:
        folder: made if needed.
        sensors: four for each signal.
        seed: of everything that is drawn.
        rows: of each machine.
        shift: how far faults move a signal, in its deviations.
        run_rows: rows of a run.
    """
    signals = sensors // len(STATISTICS)
    random = np.random.default_rng(seed)
    showing = random.permutation(signals)[: max(1, round(SHOWING * signals))]
    direction = np.zeros(signals)
    direction[showing] = shift * random.choice([-1.0, 1.0], len(showing))
    usual = random.uniform(10, 500, signals)
    (folder / SOURCE).mkdir(parents=True, exist_ok=True)
    for machine in (*MACHINES, TARGET):
        frame = _machine(machine, usual, direction, random, (rows, run_rows))
        inside = "" if machine == TARGET else SOURCE
        frame.to_csv(folder / inside / f"{machine}.csv", index=False)
    plain = yaml.safe_dump(_contract(usual), sort_keys=False)
    (folder / CONTRACT).write_text(plain, encoding="utf-8")


def _machine(
    machine: str,
    usual: np.ndarray,
    direction: np.ndarray,
    random: np.random.Generator,
    size: tuple[int, int],
) -> pd.DataFrame:
    """Hours of one machine in runs; the second half of every third run is a fault."""
    rows, run_rows = size
    run, within = np.divmod(np.arange(rows), run_rows)
    fault = (run % 3 == 2) & (within >= run_rows // 2)
    mean = _wandering(random, rows, len(usual)) + random.normal(0, 0.5, len(usual))
    # Not every signal shows every fault, and none of them at once with its full strength.
    shown = direction * (random.random((run.max() + 1, len(usual))) < SHOWN)
    growth = np.clip((within - run_rows // 2 + 1) / 15, 0.3, 1) * fault
    mean += growth[:, None] * shown[run]
    stamps = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(rows), unit="h")
    frame = pd.DataFrame(_statistics(mean, usual, random))
    frame.insert(0, "time", stamps.strftime("%Y-%m-%d %H:%M:%S"))
    frame.insert(1, "machine", machine)
    frame.insert(2, "run", [f"{machine}-{number}" for number in run])
    frame["fault"] = fault.astype(int)
    return frame


def _wandering(random: np.random.Generator, rows: int, signals: int) -> np.ndarray:
    """(rows, signals) of standard deviation 1 that forget half of themselves in an hour or two."""
    steps = random.normal(size=(rows, signals))
    for row in range(1, rows):
        steps[row] = MEMORY * steps[row - 1] + np.sqrt(1 - MEMORY**2) * steps[row]
    return steps


def _statistics(
    mean: np.ndarray, usual: np.ndarray, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """By sensor (rows,) what the historian says of the readings of each hour."""
    deviation = np.exp(random.normal(-1, 0.2, mean.shape))
    below, above = random.uniform(1.5, 2.5, (2, *mean.shape))
    hours = {
        "min": mean - below * deviation,
        "max": mean + above * deviation,
        "avg": mean + random.normal(0, 0.1, mean.shape),
        "std": deviation,
    }
    readings = {}
    for number, level in enumerate(usual):
        for kind, values in hours.items():
            base = 0 if kind == "std" else level
            readings[f"T{number:03d}_{kind}"] = (base + 0.1 * level * values[:, number]).round(3)
    return readings


def _contract(usual: np.ndarray) -> dict[str, object]:
    """Limits that every reading keeps."""
    names = _statistics(np.zeros((1, len(usual))), usual, np.random.default_rng(0))
    return {
        "version": 1,
        "family": "presses",
        "label": {"column": "fault", "normal": ["0"], "fault": ["1"]},
        "equipment_column": "machine",
        "run_column": "run",
        "time_column": "time",
        "sampling_period": 3600,
        "sensors": {name: {"min": -1000, "max": 2000} for name in names},
    }


def _lines(plant: Path, sensors: int, commands: list[str], before: Path | None) -> Iterator[str]:
    """A line of the table for each command."""
    releases = [Release("today", HERE, plant)]
    if before:
        releases.append(Release("before", before.resolve(), plant))
    for name in commands:
        done = [release.run(*COMMANDS[name]) for release in releases]
        today, other = done[0], (done[1] if before else None)
        cells = [str(sensors), name, f"{today.seconds:.1f}", f"{today.processor:.1f}"]
        cells += _beside(today, other)
        cells += [f"{today.peak:.2f}", _outcome(name, today, plant)]
        yield f"| {' | '.join(cells)} |"


def _beside(today: Done, other: Done | None) -> list[str]:
    """Processor seconds of the other release, and the ratio."""
    if other is None:
        return ["–", "–"]
    return [f"{other.processor:.1f}", f"{today.processor / other.processor:.2f}"]


def _outcome(name: str, done: Done, plant: Path) -> str:
    """What came of a command, in a few words."""
    if done.code not in (0, REFUSED_BY_GATE):
        return done.text.strip().splitlines()[0]
    answer = json.loads(done.text)
    if name == "pretrain":
        ours = answer["metrics"]["pr_auc"]
        return f"PR-AUC {ours:.3f}, LightGBM {pr_auc_of_lightgbm(plant):.3f}"
    return "accepted" if name == "validate" else str(answer["outcome"])


def pr_auc_of_lightgbm(plant: Path) -> float:
    """Of LightGBM on the source runs that `pretrain` holds out, fitted on those it trains on."""
    options = PretrainOptions()
    frames = [pd.read_csv(plant / SOURCE / f"{machine}.csv") for machine in MACHINES]
    data = _dataset(pd.concat(frames, ignore_index=True))
    shares = (options.validation_share, options.test_share)
    train, _, test = (data.take(rows) for rows in divide_runs(data, shares, options.seed))
    # Nothing that would change what it learns.
    trees = lightgbm.LGBMClassifier(verbosity=-1, n_jobs=1).fit(train.X, train.y)
    return float(average_precision_score(test.y, trees.predict_proba(test.X)[:, 1]))


def _dataset(frame: pd.DataFrame) -> Dataset:
    """As `pretrain` reads the same rows."""
    features = tuple(frame.columns[3:-1])
    return Dataset(
        features,
        frame[list(features)].to_numpy(np.float64),
        frame["fault"].to_numpy(np.int8),
        frame["machine"].to_numpy(),
        frame["run"].to_numpy(),
        pd.to_datetime(frame["time"]).astype("int64").to_numpy() / 1e9,
    )


if __name__ == "__main__":
    main()
