"""How long a transfer learns, and how that grows with rows. Prints the table of measured and goal.

    uv run python benchmarks/adapting_speed.py [--rows 20000] [--sensors 20]

The learning part alone: the default strategy, every rival, the recalibrated source, their
calibrators and thresholds, in one process and after all imports. Rows are simulated: sensors that
remember the row before, of which a tenth shows a fault; a source of three machines is pretrained
first, in a process of its own. Three things are measured: some 200 rows of 50 sensors; as many rows
as asked for in ten runs, cross-fitted, and in a thousand, held out; and sizes that span a factor of 100, of which the slope
is fitted on logarithms.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

from faultxfer.environment import prepare_command

prepare_command()  # as commands do: one thread for linear algebra, beside threads of our own

import numpy as np  # noqa: E402
from slopes import MOST_SLOPE, fitted_slope  # noqa: E402

from faultxfer.bundle.bundle import Bundle, load_bundle, save_bundle  # noqa: E402
from faultxfer.bundle.calibration import fit_calibrator  # noqa: E402
from faultxfer.bundle.scaler import fit_scaler  # noqa: E402
from faultxfer.config import NetworkOptions, SplitOptions, TransferOptions  # noqa: E402
from faultxfer.data.dataset import Dataset, load_dataset, save_dataset  # noqa: E402
from faultxfer.data.split import split_rows  # noqa: E402
from faultxfer.steps.adaptation import compete  # noqa: E402
from faultxfer.strategies import chosen_strategy  # noqa: E402
from faultxfer.strategies.protocol import Task  # noqa: E402
from faultxfer.strategies.source_benefit import fit_source_models  # noqa: E402
from faultxfer.strategies.window_models import (  # noqa: E402
    fit_over_windows,
    machine_windows,
    source_windows,
)

SOURCE_ROWS, SOURCE_RUNS = 3000, 150
SMALL_ROWS, SMALL_RUNS, SMALL_SENSORS = 200, 20, 50
RUN_ROWS, FEW_RUNS = 20, 10
CROSS_FITTED = SplitOptions(min_test_faults=10**9)
SIZES = (1, 0.3, 0.1, 0.03, 0.01)
TIMES = 3
# Of a reading's deviation, what is left a row later; how far faults move it, in deviations.
MEMORY, SHIFT = 0.8, 1.0
MOST_SECONDS, MOST_RATIO = 3.0, 1.5


def drawn(rows: int, runs: int, sensors: int, machine: str, seed: int) -> Dataset:
    """Rows of a machine in runs of equal length; the second half of every other run is a fault."""
    random = np.random.default_rng(seed)
    length = rows // runs
    run, within = np.divmod(np.arange(runs * length), length)
    fault = (run % 2 == 1) & (within >= length // 2)
    X = random.normal(size=(len(run), sensors))
    for row in np.flatnonzero(within):
        X[row] = MEMORY * X[row - 1] + np.sqrt(1 - MEMORY**2) * X[row]
    showing = np.arange(sensors) < max(1, sensors // 10)
    X += SHIFT * fault[:, None] * showing
    own = np.random.default_rng(len(machine))
    X = X * own.uniform(0.8, 1.25, sensors) + own.normal(0, 0.5, sensors)
    names = np.array([f"{machine}-{number}" for number in run], dtype=object)
    features = tuple(f"s{number}" for number in range(sensors))
    equipment = np.full(len(run), machine, dtype=object)
    return Dataset(features, X, fault.astype(np.int8), equipment, names, within.astype(float))


def pretrain(sensors: int, folder: Path) -> None:
    """Write a source bundle and its rows."""
    from faultxfer.network.pretrain import fit_ensemble

    data = source_windows(drawn(SOURCE_ROWS, SOURCE_RUNS, sensors, "source", seed=1))
    scaler, models = fit_scaler(data.X), fit_source_models(data.X, data.y, 0)
    models = dataclasses.replace(models, over_windows=fit_over_windows(data, 0))
    trees = models.frozen(None).trees
    network, _ = fit_ensemble(
        scaler(data.X),
        data.y,
        lambda scaled: np.asarray(trees.predict(scaled * scaler.scale + scaler.mean)),
        None,
        seed=0,
        options=NetworkOptions(epochs=2, synthetic_rows=2000),
    )
    units = dict.fromkeys(data.features, "")
    logits = network.logits(scaler(data.X))
    bundle = Bundle(
        data.features, units, scaler, network, fit_calibrator(logits, data.y), 0.5, models=models
    )
    save_bundle(bundle, folder / "bundle", data.X)
    save_dataset(data, folder / "rows.npz")


def source_of(sensors: int, folder: Path) -> tuple[Bundle, Dataset]:
    """A pretrained source, made in another process, which may import what it needs."""
    folder.mkdir()
    process = multiprocessing.get_context("spawn").Process(target=pretrain, args=(sensors, folder))
    process.start()
    process.join()
    return load_bundle(folder / "bundle"), load_dataset(folder / "rows.npz")


def learnt(
    source: tuple[Bundle, Dataset], data: Dataset, few: bool = False, *, windows: bool = True
) -> tuple[float, float, str]:
    """Seconds on the clock and of the processor that a transfer learns, and how it is split.

    ``few`` asks for cross-fitting, as where a side of a hold-out would lack something.
    """
    options = TransferOptions(split=CROSS_FITTED if few else SplitOptions())
    split = split_rows(data, options.split, options.seed)
    gc.collect()
    clock, processor = time.perf_counter(), time.process_time()
    if windows:
        data = machine_windows(data, source[0], split.blocks(len(data)))
    task = Task(source[0], data, source[1], options)
    compete(chosen_strategy(options), task, split)
    return time.perf_counter() - clock, time.process_time() - processor, split.mode


def median(
    source: tuple[Bundle, Dataset], data: Dataset, times: int, few: bool
) -> tuple[float, float, str]:
    """The same, of several times the one in the middle by the processor's seconds."""
    done = sorted((learnt(source, data, few) for _ in range(times)), key=lambda one: one[1])
    return done[len(done) // 2]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How long a transfer learns.")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--sensors", type=int, default=20)
    parser.add_argument("--times", type=int, default=TIMES, help="of which the median counts")
    given = parser.parse_args()
    print("| rows | runs | sensors | split | clock, s | processor, s |")
    print("|---:|---:|---:|---|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        narrow = source_of(given.sensors, Path(name) / "narrow")
        wide = source_of(SMALL_SENSORS, Path(name) / "wide")

    def line(source: tuple[Bundle, Dataset], rows: int, runs: int) -> tuple[float, float]:
        sensors = len(source[0].features)
        data = drawn(rows, runs, sensors, "target", seed=2)
        clock, processor, mode = median(source, data, given.times, runs == FEW_RUNS)
        cells = (len(data), runs, sensors, mode, f"{clock:.1f}", f"{processor:.1f}")
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
        return clock, processor

    small, _ = line(wide, SMALL_ROWS, SMALL_RUNS)
    _, ten = line(narrow, given.rows, FEW_RUNS)
    sizes = [round(share * given.rows) for share in SIZES]
    seconds = [line(narrow, rows, rows // RUN_ROWS)[1] for rows in sizes]
    _, upper = fitted_slope(sizes, seconds)
    print("\n| what | measured | goal | |")
    print("|---|---:|---:|---|")
    for what, measured, goal in (
        ("seconds to learn from 200 rows of 50 sensors", small, MOST_SECONDS),
        ("processor, ten runs over a thousand", ten / seconds[0], MOST_RATIO),
        ("slope by rows, upper bound", upper, MOST_SLOPE),
    ):
        print(f"| {what} | {measured:.2f} | ≤ {goal} | {'met' if measured <= goal else 'missed'} |")
    heavy = [name for name in ("tensorflow", "keras") if name in sys.modules]
    print(f"\nImported by the way: {', '.join(heavy) or 'neither TensorFlow nor Keras'}.")


if __name__ == "__main__":
    main()
