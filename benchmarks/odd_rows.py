"""What odd rows cost beside plain ones, and what comes of them.

    uv run python benchmarks/odd_rows.py [--rows 100000] [--learnt-rows 3000] [--runs 3]

A benchmark that times only what is as it should be may be passed by a program that does nothing, or
that does it for each copy anew. So the same commands run as they are typed on rows of which the
right answer is known to be less: the file beside a copy of itself, all rows in one very long run,
labels shuffled inside the file, and a source model that knows nothing (one hidden unit, trained on
noise). Printed are the median of the processor's seconds, the ratio to plain rows, and the outcome.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from exponents import Transfers
from scoring_speed import require, score
from whole_transfer import renewed
from wide_plant import COMMANDS, CONTRACT, HERE, REFUSED_BY_GATE, TARGET, Done, Release, write_plant

COMMANDS_GIVEN = ("validate", "score", "transfer")
SENSORS, RUN_ROWS = 20, 20
SMALLEST = {"network": {"hidden": [1], "members": 1, "bins": 0, "epochs": 1}}
# 2 is how a command ends that refuses its files.
ENDS = (2, REFUSED_BY_GATE)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What odd rows cost.")
    parser.add_argument("--rows", type=int, default=100_000, help="scored and validated")
    parser.add_argument("--learnt-rows", type=int, default=3_000, help="transferred")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--plant", type=Path, help="make files here, and leave them there")
    parser.add_argument("--only", nargs="+", choices=COMMANDS_GIVEN, default=COMMANDS_GIVEN)
    given = parser.parse_args()
    print("| command | rows | processor, s | of plain | outcome |\n|---|---|---:|---:|---|")
    with tempfile.TemporaryDirectory() as name:
        plant = (given.plant or Path(name)).resolve()
        plant.mkdir(parents=True, exist_ok=True)
        release = Release("today", HERE, plant)
        source = Transfers(release).release
        nothing = knowing_nothing(plant)
        many = written(plant / "many", given.rows)
        few = written(plant / "few", given.learnt_rows)
        groups = (
            ("validate", ((kind, validating(source, files)) for kind, files in many)),
            ("score", scoring(source, nothing, many)),
            ("transfer", transferring(source, nothing, few)),
        )
        for command, works in groups:
            if command not in given.only:
                continue
            print_group(command, works, given.runs)


Files = list[tuple[str, list[Path]]]
Works = Iterator[tuple[str, Callable[[], Done]]]


def print_group(command: str, works: Works, runs: int) -> None:
    """A line for each kind of rows; the first one is the plain one."""
    plain = 0.0
    for kind, work in works:
        done = [require(work(), *ENDS) for _ in range(runs)]
        spent = statistics.median(one.processor for one in done)
        plain = plain or spent
        cells = (command, kind, f"{spent:.1f}", f"{spent / plain:.2f}", outcome(done[0]))
        print(f"| {' | '.join(cells)} |", flush=True)


def written(folder: Path, rows: int) -> Files:
    """Files of each kind of rows, beside the plain ones, of the same machine."""
    if not folder.exists():
        write_plant(folder, SENSORS, rows=rows, run_rows=RUN_ROWS)
        frame = pd.read_csv(folder / f"{TARGET}.csv")
        frame.to_csv(folder / "plain.csv", index=False)
        frame.to_csv(folder / "copy.csv", index=False)
        frame.assign(run=f"{TARGET}-0").to_csv(folder / "one-run.csv", index=False)
        labels = np.random.default_rng(0).permutation(frame["fault"])
        frame.assign(fault=labels).to_csv(folder / "shuffled.csv", index=False)
    plain = folder / "plain.csv"
    return [
        ("plain", [plain]),
        ("with a copy of the file", [plain, folder / "copy.csv"]),
        ("one very long run", [folder / "one-run.csv"]),
        ("shuffled labels", [folder / "shuffled.csv"]),
    ]


def knowing_nothing(plant: Path) -> Release:
    """A plant whose source model was trained on noise, as small as it can be."""
    release = Release("nothing", HERE, plant / "nothing")
    if not release.plant.exists():
        write_plant(release.plant, SENSORS, shift=0, run_rows=RUN_ROWS)
        (release.plant / "small.yaml").write_text(yaml.safe_dump(SMALLEST), encoding="utf-8")
        gate = release.plant.parent / "transfer" / "gate.yaml"
        (release.plant / "gate.yaml").write_bytes(gate.read_bytes())
        require(release.run(*COMMANDS["pretrain"], "--config", "small.yaml"))
    return release


def validating(release: Release, files: list[Path]) -> Callable[[], Done]:
    """`validate` of files."""
    return lambda: release.run("validate", *map(str, files), "--contract", CONTRACT, "--json")


def scoring(source: Release, nothing: Release, files: Files) -> Works:
    """`score` with the source's network; labels are not read, so none are shuffled."""
    for kind, paths in files[:-1]:
        yield kind, lambda paths=paths: score(source, *paths, source=True)
    yield "plain, a model that knows nothing", lambda: score(nothing, *files[0][1], source=True)


def transferring(source: Release, nothing: Release, files: Files) -> Works:
    """`transfer`, each time from the registry as it was before."""
    for kind, paths in files:
        yield kind, lambda paths=paths: transfer(source, paths)
    yield "plain, a model that knows nothing", lambda: transfer(nothing, files[0][1])


def transfer(release: Release, files: list[Path]) -> Done:
    """Of these files, by a gate that asks for next to nothing."""
    renewed(release.plant)
    options = [*COMMANDS["transfer"][2:], "--gate", "gate.yaml"]
    return release.run("transfer", *map(str, files), *options)


def outcome(done: Done) -> str:
    """What a command said it did, and how much it found."""
    try:
        answer = json.loads(done.text)
    except ValueError:
        return done.text.strip().splitlines()[0]
    told = [str(answer.get("outcome") or answer.get("headline") or f"exit code {done.code}")]
    rows = answer.get("rows")
    counted = rows if isinstance(rows, dict) else answer
    told += [f"{counted[key]:,} {key}" for key in ("accepted", "quarantined") if key in counted]
    return ", ".join(told)


if __name__ == "__main__":
    main()
