"""What windows cost: learning a transfer, and scoring with it. Prints the table of measured and goal.

    uv run python benchmarks/windows_cost.py [--sensors 20] [--rows 200000]

The same machine is adapted twice from one source, with windows and without, as in
``adapting_speed.py``; then both bundles score the same rows, in parts as ``score`` does and with
their moments. Goals: ≤ 2 × each.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from adapting_speed import drawn, source_of  # which prepares the environment

from faultxfer.bundle.bundle import Bundle
from faultxfer.config import TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import split_rows
from faultxfer.data.windows import Widener
from faultxfer.steps.adaptation import compete
from faultxfer.strategies import chosen_strategy
from faultxfer.strategies.protocol import Task
from faultxfer.strategies.window_models import machine_windows

WEEK_ROWS, WEEK_RUNS, PART_ROWS, TIMES = 200, 20, 16_384, 3
MOST_RATIO = 2.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What windows cost.")
    parser.add_argument("--sensors", type=int, default=20)
    parser.add_argument("--rows", type=int, default=200_000, help="that are scored")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = source_of(given.sensors, Path(folder) / "source")
    week = drawn(WEEK_ROWS, WEEK_RUNS, given.sensors, "target", seed=2)
    later = drawn(given.rows, given.rows // 1000, given.sensors, "target", seed=3)
    seconds = {
        (what, windows): min(found)
        for windows in (False, True)
        for what, found in _measured(source, week, later, windows=windows).items()
    }
    print("| | without, s | with, s | ratio | goal |")
    print("|---|---:|---:|---:|---|")
    for what in ("learning", "scoring"):
        without, with_windows = seconds[what, False], seconds[what, True]
        ratio = with_windows / without
        goal = f"{MOST_RATIO:g} {'kept' if ratio <= MOST_RATIO else 'missed'}"
        print(f"| {what} | {without:.1f} | {with_windows:.1f} | {ratio:.2f} | {goal} |")


def _measured(
    source: tuple[Bundle, Dataset], week: Dataset, later: Dataset, *, windows: bool
) -> dict[str, list[float]]:
    """Seconds of the processor, each of several times."""
    options, found = TransferOptions(), {"learning": [], "scoring": []}
    for _ in range(TIMES):
        began = time.process_time()
        split = split_rows(week, options.split, options.seed)
        data = machine_windows(week, source[0], split.blocks(len(week))) if windows else week
        task = Task(source[0], data, source[1], options)
        learnt = compete(chosen_strategy(options), task, split)
        found["learning"].append(time.process_time() - began)
        began = time.process_time()
        _score(learnt.candidate, later)
        found["scoring"].append(time.process_time() - began)
    return found


def _score(bundle: Bundle, rows: Dataset) -> None:
    widener = None if bundle.windows is None else Widener(bundle.windows)
    for begin in range(0, len(rows), PART_ROWS):
        part = slice(begin, begin + PART_ROWS)
        X, moments = rows.X[part], rows.moments.take(part)
        bundle.logits(X, None if widener is None else widener.add(X, moments))


if __name__ == "__main__":
    main()
