"""What checking files may cost, measured against its goals as ratios of the same run.

    uv run python benchmarks/validation_goals.py [--repeats 3] [--largest 1000000] [--goals dirty files]

Seconds are those of the processor, which other work on the machine moves least; of several runs in
turns the median counts. The goals:

- a dirty file of 20 sensors, 1 % of the cells of a column or of all, beside reading the same file
  with ``pandas.read_csv(engine="pyarrow")``,
- 200 files of 100 rows beside the same rows in one file, as whole processes,
- what a sensor more costs: three files of 720 rows, 640 sensors beside 20,
- how the cost grows with rows: the slope of its logarithm over five sizes that span a factor of a
  hundred, without what a process takes to start, and the upper end of the slope's 95 % interval.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from slopes import MOST_SLOPE, fitted_slope
from validation_speed import CHECK, HERE, contract_of, write_folder, written

from faultxfer.steps.intake import check_files

_RANGE = "1 % missing, 1 % out of range"
_SIZES, _SPAN = 5, 100


def main() -> None:
    """Measure and print, a line for each goal."""
    parser = argparse.ArgumentParser(description="What checking files costs, beside its goals.")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--largest", type=int, default=1_000_000, help="rows of the largest file")
    parser.add_argument("--goals", nargs="+", choices=list(GOALS), default=list(GOALS))
    asked = parser.parse_args()
    print("| goal | measured | at most | met |")
    print("|---|---|---|---|")
    for goal in asked.goals:
        for name, measured, limit in GOALS[goal](asked.repeats, asked.largest):
            met = "yes" if measured <= limit else "no"
            print(f"| {name} | {measured:.2f} | {limit:g} | {met} |", flush=True)


Goals = Iterable[tuple[str, float, float]]


def _dirty(repeats: int, rows: int) -> Goals:
    """A dirty file beside reading it."""
    for kind in ("clean", _RANGE, "1 % text", "1 % of all cells"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            csv, contract = written(folder / "big.csv", rows, kind), contract_of(kind)

            def reading(csv: Path = csv) -> object:
                return pd.read_csv(csv, engine="pyarrow")

            def checking(
                csv: Path = csv, folder: Path = folder, contract: Any = contract
            ) -> object:
                return check_files(
                    [str(csv)], contract, work=None, quarantine=folder / "q", labelled=True
                )

            read, checked = _in_turns([reading, checking], repeats)
        yield f"{rows:,} rows, {kind}: check / reading", checked / read, 2.5


def _in_turns(works: list[Callable[[], object]], repeats: int) -> list[float]:
    """Median seconds of the processor of each; the first time, which warms up, does not count."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(repeats + 1):
        for seconds, work in zip(taken, works, strict=True):
            began = sum(os.times()[:2])
            work()
            seconds.append(sum(os.times()[:2]) - began)
    return [statistics.median(seconds[1:]) for seconds in taken]


def _many_files(repeats: int, _rows: int) -> Goals:
    """Small files beside one with the same rows, whole processes."""
    for kind in ("clean", _RANGE):
        with tempfile.TemporaryDirectory() as name:
            many, one = Path(name) / "many", Path(name) / "one"
            write_folder(many, 200, 100, 20, kind)
            write_folder(one, 1, 20_000, 20, kind)
            pairs = [(_process(many)[0], _process(one)[0]) for _ in range(repeats)]
        several, single = map(statistics.median, zip(*pairs, strict=True))
        yield f"200 files / their rows in one, {kind}", several / single, 1.5


def _sensors(repeats: int, _rows: int) -> Goals:
    """Milliseconds that a sensor more costs in each of three files."""
    few, many, files = 20, 640, 3
    for kind in ("clean", _RANGE):
        with tempfile.TemporaryDirectory() as name:
            narrow, wide = Path(name) / "narrow", Path(name) / "wide"
            write_folder(narrow, files, 720, few, kind)
            write_folder(wide, files, 720, many, kind)
            pairs = [(_process(wide)[1], _process(narrow)[1]) for _ in range(repeats)]
        wide_cost, narrow_cost = map(statistics.median, zip(*pairs, strict=True))
        more = 1000 * (wide_cost - narrow_cost) / (many - few)
        yield f"ms a sensor and file of 720 rows, {kind}", more / files, 1.5


def _slopes(repeats: int, largest: int) -> Goals:
    """How the cost grows with rows."""
    sizes = np.geomspace(largest / _SPAN, largest, _SIZES).astype(int)
    for kind in ("clean", _RANGE):
        costs = []
        for rows in sizes:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name) / "rows"
                write_folder(folder, 1, int(rows), 20, kind)
                costs.append(statistics.median(_process(folder)[1] for _ in range(repeats)))
        slope, upper = fitted_slope(sizes, costs)
        yield f"slope by rows, {kind}", slope, MOST_SLOPE
        yield f"slope by rows, {kind}, upper bound", upper, MOST_SLOPE


def _process(folder: Path) -> tuple[float, float]:
    """Seconds of the processor of a process that checks a folder, and of the check alone."""
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    before = os.times()
    command = [sys.executable, "-W", "ignore", "-c", CHECK, str(folder)]
    told = subprocess.check_output(command, cwd=HERE, env=environment)
    after = os.times()
    whole = after.children_user + after.children_system
    whole -= before.children_user + before.children_system
    return whole, float(told.splitlines()[-1])


GOALS = {"dirty": _dirty, "files": _many_files, "sensors": _sensors, "rows": _slopes}

if __name__ == "__main__":
    main()
