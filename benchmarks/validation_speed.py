"""What the contract check costs beside plain reading.

``validation_goals.py`` holds it to its goals.

    uv run python benchmarks/validation_speed.py

Writes a table of 1 million rows and 20 sensors, reads it with ``pandas.read_csv(engine="pyarrow")``
and checks it with the steps of ``faultxfer.validate``, by turns; prints the ratio of the medians,
and the largest memory of a process that only checks.

    uv run python benchmarks/validation_speed.py --folders [--before FOLDER]

checks folders of few and many, narrow and wide files instead, each in a process of its own, imports
of what the check needs included, and prints seconds of the processor, which other work on the
machine hardly moves. FOLDER is a working copy of another release; it checks the same files. What
0.1.0 cannot read, the long form and readings to be held, it is given as a wide file without gaps:
the same readings, and as many rows and sensors.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.steps.intake import check_files

HERE = Path(__file__).resolve().parents[1]
RUNS = 1000
CONTRACT: dict[str, Any] = {
    "family": "big",
    "sensors": {
        f"s{number:02d}": {"min": -100, "max": 200, "max_rate": 1000} for number in range(20)
    },
    "label": {"column": "fault"},
    "run_column": "run",
    "time_column": "timestamp",
    "sampling_period": 1,
}
LONG_TAGS = ("s00", "s01", "s02", "s03", "s04")
HELD = tuple(f"s{number:02d}" for number in range(10))
# What the contract says beside the plain one, by kind of file.
SHAPES: dict[str, dict[str, Any]] = {
    "held": {"sensors": {name: {"hold": "10s", "max_missing": 1} for name in HELD}},
    "long form": {"long": {"time": "timestamp", "tag": "tag", "value": "value"}},
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The contract check beside plain reading.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", choices=list(SPOILERS), default=list(SPOILERS))
    parser.add_argument("--folders", action="store_true", help="folders of files, one by one")
    parser.add_argument("--before", type=Path, help="copy of another release, for --folders")
    parser.add_argument(
        "--memory-of",
        metavar="CSV",
        help="check this file alone and print the process's peak in GB",
    )
    arguments = parser.parse_args()
    contract = contract_of(arguments.kinds[0])
    if arguments.memory_of:
        print(_peak(arguments.memory_of, contract))
        return
    if arguments.folders:
        _print_folders(arguments.before, arguments.repeats)
        return
    print("| rows | pandas, s | check, s | ratio | accepted | set aside | peak memory, GB |")
    print("|---|---|---|---|---|---|---|")
    for kind in arguments.kinds:
        print(_line(kind, contract_of(kind), arguments.rows, arguments.repeats), flush=True)


def contract_of(kind: str) -> Contract:
    """The contract of the files of a kind; its long form has readings of few sensors."""
    more = SHAPES.get(kind, {})
    sensors = {**CONTRACT["sensors"], **more.get("sensors", {})}
    if "long" in more:
        sensors = {name: sensors[name] for name in LONG_TAGS}
    return parse_contract({**CONTRACT, **more, "sensors": sensors}, where="benchmark")


def _line(kind: str, contract: Contract, rows: int, repeats: int) -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        csv = written(folder / "big.csv", rows, kind)
        reading, checking = [], []
        for _ in range(repeats):
            reading.append(_seconds(lambda: pd.read_csv(csv, engine="pyarrow")))
            checking.append(
                _seconds(
                    lambda: check_files(
                        [str(csv)], contract, work=None, quarantine=folder, labelled=True
                    )
                )
            )
        outcome = check_files([str(csv)], contract, work=folder, quarantine=folder, labelled=True)
        peak = float(
            subprocess.check_output(
                [sys.executable, __file__, "--kinds", kind, "--memory-of", str(csv)]
            )
        )
    read, checked = statistics.median(reading), statistics.median(checking)
    return (
        f"| {rows:,}, {kind} | {read:.2f} | {checked:.2f} | {checked / read:.2f} | "
        f"{outcome.accepted:,} "
        f"| {outcome.quarantined:,} | {peak:.2f} |"
    )


def _print_folders(before: Path | None, repeats: int) -> None:
    """One line for each folder: seconds today and before, and per sensor and file."""
    print("| files | today, s | before, s | ratio | ms per sensor and file, today |")
    print("|---|---|---|---|---|")
    for files, rows, sensors, kind in FOLDERS:
        with tempfile.TemporaryDirectory() as name:
            today, plain = Path(name) / "today", Path(name) / "plain"
            write_folder(today, files, rows, sensors, kind)
            write_folder(plain, files, rows, sensors, PLAIN.get(kind, kind))
            seconds = _median_seconds(HERE, today, repeats)
            beside = "– | –"
            if before:
                other = _median_seconds(before.resolve(), plain, repeats)
                beside = f"{other:.2f} | {seconds / other:.2f}"
        each = 1000 * seconds / (files * sensors)
        title = f"{files} of {rows:,} rows and {sensors} sensors, {kind}"
        print(f"| {title} | {seconds:.2f} | {beside} | {each:.1f} |", flush=True)


def _median_seconds(copy: Path, folder: Path, repeats: int) -> float:
    return statistics.median(_seconds_in(copy, folder) for _ in range(repeats))


def _seconds_in(copy: Path, folder: Path) -> float:
    """Seconds of the processor that a working copy takes to check a folder."""
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    command = [sys.executable, "-W", "ignore", "-c", CHECK, str(folder)]
    return float(subprocess.check_output(command, cwd=copy, env=environment).splitlines()[-1])


def write_folder(folder: Path, files: int, rows: int, sensors: int, kind: str) -> None:
    """Write files of a kind, each with its number, and their contract."""
    folder.mkdir()
    names = [f"s{number:02d}" for number in range(sensors)]
    more = SHAPES.get(kind, {})
    limits = {name: {"min": -100, "max": 200} for name in names}
    own = more.get("sensors", {})
    limited = {name: {**limit, **own.get(name, {})} for name, limit in limits.items()}
    contract = {**CONTRACT, **more, "sensors": limited}
    (folder / "contract.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    random = np.random.default_rng(0)
    for number in range(files):
        frame = _frame(random, names, rows, number)
        SPOILERS[kind](frame)
        if kind == "long form":
            frame = _melted(frame, names)
        frame.to_csv(folder / f"{number:04d}.csv", index=False)


def _frame(random: np.random.Generator, names: list[str], rows: int, number: int) -> pd.DataFrame:
    """Rows of the file with this number."""
    frame = pd.DataFrame(np.round(random.normal(50, 10, (rows, len(names))), 3), columns=names)
    first = pd.Timestamp("2024-01-01") + pd.Timedelta(rows * number, "s")
    stamps = pd.date_range(first, periods=rows, freq="s").strftime("%Y-%m-%d %H:%M:%S")
    frame.insert(0, "timestamp", stamps)
    frame.insert(1, "run", number)
    frame["fault"] = (np.arange(rows) % 5 == 0).astype(int)
    return frame


def _peak(csv: str, contract: Contract) -> float:
    """Largest memory, in GB, of a process that checks the file and does nothing else."""
    with tempfile.TemporaryDirectory() as name:
        check_files([csv], contract, work=None, quarantine=Path(name), labelled=True)
    return _high_water()


def _high_water() -> float:
    """This program's own peak.

    `ru_maxrss` counts what the parent held when it started the process as well.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def written(path: Path, rows: int, kind: str) -> Path:
    """Write one file of a kind; its path."""
    spoil = SPOILERS[kind]
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {f"s{number:02d}": np.round(random.normal(50, 10, rows), 3) for number in range(20)}
    )
    stamps = pd.date_range("2024-01-01", periods=rows, freq="s").strftime("%Y-%m-%d %H:%M:%S")
    frame.insert(0, "timestamp", stamps)
    run = np.arange(rows) * RUNS // rows
    frame.insert(1, "run", run)
    frame["fault"] = (run % 5 == 0).astype(int)
    spoil(frame)
    if kind == "long form":
        frame = _long(frame)
    frame.to_csv(path, index=False)
    return path


def _long(frame: pd.DataFrame) -> pd.DataFrame:
    """As many readings as the table has rows, a row for each."""
    return _melted(frame.iloc[: len(frame) // len(LONG_TAGS)], list(LONG_TAGS))


def _melted(frame: pd.DataFrame, tags: list[str]) -> pd.DataFrame:
    """A row for each reading of these tags."""
    keys = ["timestamp", "run", "fault"]
    readings = frame.melt(keys, tags, var_name="tag", value_name="value")
    return readings.sort_values(["timestamp", "tag"], kind="stable")


def _clean(_frame: pd.DataFrame) -> None:
    """As it should be."""


def _missing(frame: pd.DataFrame) -> None:
    """Every hundredth row lacks a value, and another hundredth is out of range."""
    frame.loc[::100, "s03"] = np.nan
    frame.loc[50::100, "s07"] = 5000.0


def _text(frame: pd.DataFrame) -> None:
    """Every hundredth row holds text in a sensor's column."""
    frame["s03"] = frame["s03"].astype(str)
    frame.loc[::100, "s03"] = "broken"


def _everywhere(frame: pd.DataFrame) -> None:
    """Every hundredth cell of every sensor holds text or is out of range."""
    for number in range(20):
        name = f"s{number:02d}"
        frame[name] = frame[name].astype(str)
        frame.loc[(frame.index + 7 * number) % 200 == 0, name] = "broken"
        frame.loc[(frame.index + 7 * number) % 200 == 100, name] = "5000.0"


def _seldom(frame: pd.DataFrame) -> None:
    """Three of four values of half of the sensors are missing, to be held."""
    for name in list(HELD):
        frame.loc[frame.index % 4 != 0, name] = np.nan


# Files, rows of each, sensors, and what is wrong with them.
FOLDERS = (
    (1, 200, 20, "clean"),
    (1, 200, 20, "1 % missing, 1 % out of range"),
    (200, 100, 20, "clean"),
    (200, 100, 20, "1 % missing, 1 % out of range"),
    (3, 720, 640, "clean"),
    (3, 720, 640, "1 % missing, 1 % out of range"),
    (1, 1_000_000, 20, "clean"),
    (1, 200_000, 5, "long form"),
    (1, 200_000, 20, "held"),
)
# What the release before reads in place of a shape that it does not know.
PLAIN = {"long form": "clean", "held": "clean"}
CHECK = """
import sys, time
from pathlib import Path
from typing import Any
from faultxfer.contract.schema import load_contract
from faultxfer.steps.intake import check_files
folder = Path(sys.argv[1])
contract = load_contract(folder / "contract.yaml")
began = time.process_time()
files = [str(folder / "*.csv")]
check_files(files, contract, work=None, quarantine=folder / "aside", labelled=True)
print(time.process_time() - began)
"""
SPOILERS = {
    "clean": _clean,
    "1 % missing, 1 % out of range": _missing,
    "1 % text": _text,
    "1 % of all cells": _everywhere,
    "held": _seldom,
    "long form": _clean,
}

if __name__ == "__main__":
    main()
