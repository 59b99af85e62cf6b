"""What `score` costs beside reading and writing the same rows, and beside other ways to score.

    uv run python benchmarks/scoring_speed.py [--before FOLDER] [--rows 5000000] [--keep FOLDER]

Makes a plant of 20 sensors, its source model (one network) and a champion (the default stack), and
scores files of rows in the order of time, each command in a process of its own, as it is typed. The
table sets what was measured against its goal, as ratios of this run:

* one network, and a logistic regression, against ``pandas.read_csv(engine="pyarrow")`` and ``to_csv`` of the same columns;
* the stack against FOLDER, a working copy of the release before with an environment of its own,
  and against ``predict`` of a Keras network with its default batches of 32;
* the largest memory of the process;
* a limit of 3 GB of address space ends in a result or in a sentence.

How it grows with rows: ``exponents.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import wide_plant
from wide_plant import HERE, TARGET, Done, Release

SENSORS, PIECE = 20, 200_000
READ_AND_WRITE = """
import sys, pandas
rows = pandas.read_csv(sys.argv[1], engine="pyarrow")
out = rows[["machine", "time"]].assign(fault_probability=rows.iloc[:, 4] / 1000, alarm=False)
out.assign(model_version="1").to_csv(sys.argv[2], index_label="row")
"""
TEXTBOOK = """
import sys, time, keras, numpy, pandas
rows = pandas.read_csv(sys.argv[1]).iloc[:, 3:23].to_numpy()
layers = [keras.layers.Dense(units, activation="relu") for units in (128, 64, 32)]
network = keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])
network.predict(rows[:64], verbose=0)
began = time.perf_counter()
network.predict(rows, verbose=0)
print(len(rows) / (time.perf_counter() - began))
"""
LIMIT = 3_000_000_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Scoring beside reading and writing.")
    parser.add_argument("--before", type=Path, help="copy of the release before")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--stack-rows", type=int, default=500_000)
    parser.add_argument("--keep", type=Path, help="make the plant here, and leave it there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        plant = (arguments.keep or Path(name)).resolve()
        today = Release("today", HERE, plant)
        # What the release before registered, both read.
        maker = arguments.before or HERE
        prepare(replace(today, copy=maker.resolve()))
        print("| what | measured | goal |\n|---|---|---|")
        for line in _lines(today, arguments):
            print(f"| {' | '.join(line)} |", flush=True)


def prepare(maker: Release) -> None:
    """A plant with a source model and a champion, unless it is there."""
    if (maker.plant / "ready").exists():
        return
    # More rows, and faults that show: the champion has to pass the gate.
    wide_plant.write_plant(maker.plant, SENSORS, rows=2_400, shift=5.0)
    for command in ("pretrain", "transfer"):
        require(maker.run(*wide_plant.COMMANDS[command]))
    (maker.plant / "ready").touch()


def require(done: Done, *also: int) -> Done:
    """What ended well, or by one of the other exit codes that are allowed."""
    if done.code not in (0, *also):
        sys.exit(done.text)
    return done


def _lines(today: Release, arguments: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    file = write_rows(today.plant, arguments.rows)
    floor = _process(today.plant, READ_AND_WRITE, file, "floor.csv")
    network = require(score(today, file, source=True))
    yield (
        f"one network, {arguments.rows:,} rows, of reading and writing",
        f"{network.seconds / floor.seconds:.2f} ({network.seconds:.0f} s, {floor.seconds:.0f} s)",
        "≤ 1.5",
    )
    yield "its memory", f"{1000 * network.peak:.0f} MB", "≤ 600 MB"
    if not arguments.before:  # which registers machines by other names
        yield from _linear(today, file, floor)
    yield from _stack(today, arguments)
    limited = score(today, file, source=True, limit=LIMIT)
    said = "a result" if not limited.code else limited.text.strip().splitlines()[0][:80]
    yield "3 GB of address space", said, "a result or a sentence"


def _linear(today: Release, file: Path, floor: Done) -> Iterator[tuple[str, str, str]]:
    done = require(score(today, file, version=linear_version(today)))
    measured = f"{done.seconds / floor.seconds:.2f} ({done.seconds:.0f} s)"
    yield "a logistic regression, the same rows, of reading and writing", measured, "≤ 1.5"
    yield "its memory", f"{1000 * done.peak:.0f} MB", "≤ 600 MB"


def linear_version(release: Release) -> str:
    """A version of the machine that is a logistic regression, whatever the gate says of it."""
    kept = release.plant / "linear"
    if not kept.exists():
        more = (
            "--strategy",
            "pooled_linear",
            "--override-gate",
            "measured for its speed",
            "--json",
        )
        done = require(release.run(*wide_plant.COMMANDS["transfer"], *more))
        kept.write_text(json.loads(done.text[done.text.index("{") :])["version"], encoding="utf-8")
        # The champion stays the stack.
        back = ("registry", "rollback", "presses", "--equipment", TARGET)
        require(release.run(*back, "--reason", "the stack is measured too"))
    return kept.read_text(encoding="utf-8")


def _stack(today: Release, arguments: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    rows = arguments.stack_rows
    file = write_rows(today.plant, rows)
    done = require(score(today, file))
    rate = rows / done.seconds
    if arguments.before:
        before = require(score(replace(today, copy=arguments.before.resolve()), file))
        ratio = before.seconds / done.seconds
        told = f"{ratio:.1f} × ({rate:,.0f} rows/s, {rows / before.seconds:,.0f} rows/s)"
        yield f"stack, {rows:,} rows, beside the release before", told, "≥ 8 ×"
    textbook = float(_process(today.plant, TEXTBOOK, write_rows(today.plant, 100_000)).text)
    told = f"{rate / textbook:.1f} × ({rate:,.0f} rows/s, {textbook:,.0f} rows/s)"
    yield f"stack, {rows:,} rows, beside the textbook's `predict`", told, "≥ 3 ×"
    yield "its memory", f"{1000 * done.peak:.0f} MB", "≤ 600 MB"


def write_rows(folder: Path, rows: int) -> Path:
    """So many rows of the target in the order of time, an hour apart, in runs of 1,000."""
    path = folder / f"rows-{rows}.csv"
    if path.exists():
        return path
    known = pd.read_csv(folder / f"{TARGET}.csv")
    sensors = [name for name in known if name not in ("time", "machine", "run", "fault")]
    readings, fault = known[sensors].to_numpy(), known["fault"].to_numpy() == 1
    random = np.random.default_rng(0)
    plain = pa.csv.WriteOptions(quoting_style="none")
    writer = None
    for begin in range(0, rows, PIECE):
        place = np.arange(begin, min(begin + PIECE, rows))
        faulty = (place // 1000 % 50 == 49) & (place % 1000 >= 900)
        normal, bad = (readings[kind] for kind in (~fault, fault))
        X = np.where(faulty[:, None], bad[place % len(bad)], normal[place % len(normal)])
        X = (X + random.normal(0, 0.05, X.shape) * readings.std(axis=0)).round(3)
        stamps = np.datetime64("2026-01-01T00:00:00") + (3600 * place).astype("timedelta64[s]")
        cells = {"time": np.datetime_as_string(stamps), "machine": [TARGET] * len(place)}
        cells["run"] = [f"{TARGET}-{number}" for number in place // 1000]
        table = pa.table(cells | dict(zip(sensors, X.T, strict=True)))
        writer = writer or pa.csv.CSVWriter(path, table.schema, write_options=plain)
        writer.write_table(table)
    if writer:
        writer.close()
    return path


def score(
    release: Release, *files: Path, source: bool = False, limit: int = 0, version: str = ""
) -> Done:
    """Score files as it is typed; with a limit of address space where one is given."""
    machine = [] if source else ["--equipment", TARGET]
    machine += ["--version", version] if version else []
    out = ["--out", str(release.plant / "scores.csv"), "--json"]
    before = resource.getrlimit(resource.RLIMIT_AS)
    if limit:
        resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    try:
        return release.run("score", *map(str, files), "--model", "presses", *machine, *out)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _process(folder: Path, script: str, *given: Path | str) -> Done:
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, given)],
        cwd=folder,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        text=True,
    )
    text, _ = process.communicate()
    return Done(time.perf_counter() - began, 0.0, 0.0, text, process.returncode)


if __name__ == "__main__":
    main()
