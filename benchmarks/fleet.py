"""A fleet from one command, beside the textbook's transfer, one worker, serial runs, and kills.

    uv run python benchmarks/fleet.py FOLDER [--machines 200] [--textbook 10]   # the goals
    uv run python benchmarks/fleet.py FOLDER --mode kill --machines 20 --kills 10
    uv run python benchmarks/fleet.py FOLDER --mode scheduler --machines 12

FOLDER is made if it is missing: simulated pumps, a source model, and machines of 500 labelled rows. Goals
are ratios of the same run. ``goals``: seconds a machine of the fleet on two workers, and on one, without
the start of the processes, against those of ``benchmarks/textbook/textbook.py`` in a warm process; scores
of machines transferred by the fleet and one by one; peak memory of all processes together. ``kill``:
workers, and the one that registers, are ended by SIGKILL while they work, and the command itself in the
middle; then it is typed again. ``scheduler``: a Dask scheduler and its workers are killed on the way
and started again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).resolve().parent
TEXTBOOK = HERE / "textbook" / "textbook.py"
ROWS, RUNS, ROWS_PER_RUN = 500, 18, 28
COMMAND = [sys.executable, "-c", "from faultxfer.cli import main; main()"]


def made(folder: Path, machines: int) -> None:
    """Files of the machines, and a registry with the source model, where they are not there."""
    from faultxfer.simulation.simulator import _target_rows, _write, write_pump_fleet

    (folder / "landing").mkdir(parents=True, exist_ok=True)
    for number in range(machines):
        path = folder / "landing" / f"M-{number:03}.csv"
        if not path.exists():
            rows = _target_rows(path.stem, 7, RUNS, ROWS_PER_RUN, fault_share=0.5)
            _write(rows.iloc[:ROWS], path)
    if not (folder / "plant").exists():
        write_pump_fleet(folder / "plant")
        files = [str(path) for path in sorted((folder / "plant").glob("pump-[1-5].csv"))]
        product(folder, "pretrain", *files, "--contract", "plant/pumps.yaml", "--model", "pumps")
        shutil.copytree(folder / "mlruns", folder / "clean")


def anew(folder: Path) -> None:
    """The registry with nothing but the source model, and no ledger."""
    for name in ("mlruns", "fleet"):
        shutil.rmtree(folder / name, ignore_errors=True)
    shutil.copytree(folder / "clean", folder / "mlruns")


def product(folder: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """A command of the product, in the folder."""
    plainly = [] if words[0] == "registry" else ["--no-prefect"]
    done = subprocess.run(
        [*COMMAND, *words, *plainly, "--json"],
        check=False,
        cwd=folder,
        env=environment(),
        text=True,
        capture_output=True,
    )
    if check and done.returncode:
        raise SystemExit(f"{words}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def environment() -> dict[str, str]:
    """One thread for each process; the registry in the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    return {**kept, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent)}


def words(machines: int, *more: str) -> list[str]:
    """The command that transfers the first machines."""
    manifest = "machine,csv\n" + "".join(
        f"M-{number:03},landing/M-{number:03}.csv\n" for number in range(machines)
    )
    Path("fleet.csv").write_text(manifest, encoding="utf-8")
    named = ["--contract", "plant/pumps.yaml", "--model", "pumps"]
    return ["fleet", "transfer", "fleet.csv", *named, *more]


class Peak:
    """The most that a process and those below it held together, in GB, shared pages once."""

    def __init__(self, process: subprocess.Popen[Any]) -> None:
        self.most = 0.0
        self._of = psutil.Process(process.pid)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while self._of.is_running() and self._of.status() != psutil.STATUS_ZOMBIE:
            held = 0
            try:
                for one in (self._of, *self._of.children(recursive=True)):
                    held += one.memory_full_info().pss
            except psutil.Error:
                continue
            self.most = max(self.most, held / 1e9)
            time.sleep(0.5)


def fleet(machines: int, workers: int) -> dict[str, Any]:
    """Transfer all, and time it from the end of the first machine of each worker to the last."""
    folder = Path.cwd()
    anew(folder)
    begun, cpu = time.monotonic(), os.times()
    process = subprocess.Popen(
        [*COMMAND, *words(machines, "--workers", str(workers)), "--no-prefect", "--json"],
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    peak, ends, out = Peak(process), [], []
    reader = threading.Thread(target=lambda: out.append(process.stdout.read()), daemon=True)
    reader.start()
    for line in process.stderr:
        if "/" in line.split(" ")[0] or line.strip()[:1].isdigit():
            ends.append(time.monotonic() - begun)
    process.wait()
    reader.join()
    after = os.times()
    worked = after.children_user + after.children_system - cpu.children_user - cpu.children_system
    answer = json.loads(out[0])
    if process.returncode not in (0, 10):
        raise SystemExit(f"exit code {process.returncode}: {answer['headline']}")
    warm = ends[workers:] or ends
    first = ends[workers - 1] if len(ends) > workers else 0.0
    return {
        "each": (warm[-1] - first) / len(warm),
        "cpu each": worked / machines,
        "whole": ends[-1],
        "peak": peak.most,
        "headline": answer["headline"],
        "prepared": statistics.median(one["seconds"] for one in answer["machines"]),
    }


def textbook(count: int) -> float:
    """Seconds of a machine in the warm process, the first one left out."""
    folder = Path("textbook")
    folder.mkdir(exist_ok=True)
    if not (folder / "mlruns").exists():
        sources = [str(path.resolve()) for path in sorted(Path("plant").glob("pump-[1-5].csv"))]
        subprocess.run(
            [sys.executable, str(TEXTBOOK), "pretrain", *sources],
            cwd=folder,
            check=True,
            capture_output=True,
        )
    target = str(Path("landing/M-000.csv").resolve())
    done = subprocess.run(
        [sys.executable, str(TEXTBOOK), "machines", target, str(count + 1)],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    line = next(one for one in done.stdout.splitlines() if one.startswith("{"))
    return statistics.median(json.loads(line)["machines"][1:])


def differences(machines: int, of: int) -> float:
    """The largest difference of a score between machines of the fleet and the same one by one.

    The first of the fleet's ``of`` machines that were promoted are compared.
    """
    import numpy as np
    import pandas as pd

    shutil.rmtree("serial", ignore_errors=True)
    Path("serial").mkdir()
    promoted = (f"M-{number:03}" for number in range(of))
    names = list(itertools.islice((name for name in promoted if _scored(name, "fleet")), machines))
    anew(Path.cwd())
    largest = 0.0
    for name in names:
        where = ("--contract", "plant/pumps.yaml", "--model", "pumps", "--equipment", name)
        product(Path.cwd(), "transfer", f"landing/{name}.csv", *where, check=False)
        _scored(name, "alone")
        found = [
            pd.read_csv(f"serial/{name}-{by}.csv")["fault_probability"] for by in ("fleet", "alone")
        ]
        largest = max(largest, float(np.abs(found[0] - found[1]).max()))
    return largest


def _scored(name: str, by: str) -> bool:
    """Score a machine's rows; False where it has no champion."""
    out = ("--out", f"serial/{name}-{by}.csv")
    who = ("--model", "pumps", "--equipment", name)
    return not product(
        Path.cwd(), "score", f"landing/{name}.csv", *who, *out, check=False
    ).returncode


def goals(machines: int, count: int, serial: int) -> int:
    """Print each goal with what was measured; 1 where one is missed."""
    one = fleet(min(machines, 20), 1)
    print(f"one worker, {min(machines, 20)} machines: {one}", flush=True)
    two = fleet(machines, 2)
    print(f"two workers, {machines} machines: {two}", flush=True)
    other = differences(serial, machines)
    tutorial = textbook(count)
    print(
        f"textbook, {count} machines in a warm process, the rest extrapolated: {tutorial:.2f} s each"
    )
    said = [
        ("textbook ÷ fleet, seconds a machine", tutorial / two["each"], ">=", 6.0),
        ("one worker ÷ two, seconds a machine", one["each"] / two["each"], ">=", 1.7),
        ("largest difference of a score to serial runs", other, "<=", 1e-6),
        ("peak memory of all processes, GB", two["peak"], "<=", 3.0),
    ]
    return table(said)


def table(said: list[tuple[str, float, str, float]]) -> int:
    """Print measured against goal."""
    print("\n| goal | measured | wanted | met |\n|---|---:|---:|---|")
    missed = 0
    for name, value, sign, wanted in said:
        met = value >= wanted if sign == ">=" else value <= wanted
        missed += not met
        print(f"| {name} | {value:.3g} | {sign} {wanted:g} | {'yes' if met else 'no'} |")
    return int(missed > 0)


def kill(machines: int, kills: int) -> int:
    """Kill workers, the writer, and once the command; then type it again, and look at all."""
    anew(Path.cwd())
    order, killed, sure = words(machines), 0, random.Random(0)
    cut = kills // 2
    while True:
        process = subprocess.Popen(
            [*COMMAND, *order, "--no-prefect", "--json"],
            env=environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None:
            time.sleep(sure.uniform(1.0, 12.0))
            found = [one for one in below(process.pid) if "fleet.worker" in " ".join(one[1])]
            if killed < kills and found and process.poll() is None:
                number, command = sure.choice(found)
                print(f"killed {command[-1]} {number}", flush=True)
                os.kill(number, signal.SIGKILL)
                killed += 1
                if killed == cut:
                    print(f"killed the command {process.pid}", flush=True)
                    process.kill()
        if process.returncode != -signal.SIGKILL:
            break
    answer = json.loads(process.stdout.read())
    print(answer["headline"])
    return whole(answer, machines)


def below(number: int) -> list[tuple[int, list[str]]]:
    """Processes below one, with their commands."""
    try:
        return [(one.pid, one.cmdline()) for one in psutil.Process(number).children(recursive=True)]
    except psutil.Error:
        return []


def whole(answer: dict[str, Any], machines: int) -> int:
    """None lost, none twice, the journal sound."""
    from faultxfer.registry.store import open_registry

    lost = machines - len({one["machine"] for one in answer["machines"]})
    failed = sum(one["grade"] == "failed" for one in answer["machines"])
    registry = open_registry()
    names = [f"pumps--fault--M-{number:03}" for number in range(machines)]
    twice = sum(len(registry.versions(name)) > 1 for name in names if registry.is_registered(name))
    sound = product(Path.cwd(), "registry", "verify", check=False).returncode
    return table(
        [
            ("machines lost", lost, "<=", 0),
            ("machines failed", failed, "<=", 0),
            ("machines registered twice", twice, "<=", 0),
            ("exit code of `registry verify`", sound, "<=", 0),
        ]
    )


@contextmanager
def cluster(port: int, workers: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A scheduler and workers, as a plant starts them."""
    address = f"tcp://127.0.0.1:{port}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment()}
    dask = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--port",
        str(port),
        "--no-dashboard",
    ]
    worker = [
        sys.executable,
        "-m",
        "distributed.cli.dask_worker",
        address,
        "--nthreads",
        "1",
        "--no-dashboard",
        "--nworkers",
        str(workers),
    ]
    running = [subprocess.Popen(one, start_new_session=True, **quiet) for one in (dask, worker)]
    try:
        yield running
    finally:
        for one in running:
            with suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
            one.wait()


def scheduler(machines: int, port: int = 18786) -> int:
    """Kill the scheduler with its workers after the second machine, and start both again."""
    anew(Path.cwd())
    order = words(machines, "--dask", f"tcp://127.0.0.1:{port}")
    with cluster(port, 2):
        process = subprocess.Popen(
            [*COMMAND, *order, "--no-prefect", "--json"],
            env=environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        ended = 0
        for line in process.stderr:
            print(line.rstrip(), flush=True)
            ended += line.lstrip()[:1].isdigit()
            if ended == 2:
                break
    print("scheduler and workers killed; started again in ten seconds", flush=True)
    time.sleep(10)
    with cluster(port, 2):
        answer = json.loads(process.communicate()[0])
    print(answer["headline"])
    return whole(answer, machines)


def main() -> int:
    """Print what was asked for; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mode", choices=("goals", "kill", "scheduler"), default="goals")
    parser.add_argument("--machines", type=int, default=200)
    parser.add_argument("--textbook", type=int, default=10)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--serial", type=int, default=3, help="machines also done one by one")
    given = parser.parse_args()
    folder = given.folder.absolute()
    made(folder, given.machines)
    os.chdir(folder)
    if given.mode == "kill":
        return kill(given.machines, given.kills)
    if given.mode == "scheduler":
        return scheduler(given.machines)
    return goals(given.machines, given.textbook, given.serial)


if __name__ == "__main__":
    sys.exit(main())
