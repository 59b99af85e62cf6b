"""How costs grow with rows, sensors and machines: slopes on logarithms beside their goal.

    uv run python benchmarks/exponents.py [--only score transfer] [--sizes 1000 10000 100000]
    uv run python benchmarks/exponents.py --keep costs.jsonl --draw docs/pictures/cost_by_size.png
    uv run python benchmarks/exponents.py --only --keep costs.jsonl --draw costs.png   # draws alone

Each command runs as it is typed, in a process of its own, on five sizes or more that span a factor
of 100 (fleets: of 30), three times each; the median counts. Costs are seconds of the processor, of
the process and those below it, which other work on the machine moves least; ``--wall`` takes
seconds on the clock, for a machine that does nothing else. What a process takes to start is left
out: that of the same command on 200 rows (score, validate), or of one that only imports what the
command imports. The slope's upper end is that of its 95 % interval. Beside it stands the slope
between the two largest sizes alone, since what every size costs alike flattens the others.

``--release FOLDER`` measures a working copy of another release, with an environment of its own.
``--keep FILE`` adds what was measured to a file, a line of JSON for each size; the table and the
picture are of all that is in it, the newest line of each size.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import fleet
import wide_plant
from scoring_speed import SENSORS, prepare, require, score, write_rows
from slopes import Cost, kept, print_table
from validation_speed import write_folder
from whole_transfer import GATE, renewed
from wide_plant import COMMANDS, HERE, TARGET, Done, Release, write_plant

ROWS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
# Fewer rows have too few faults for the gate.
LEARNT_ROWS = (300, 1_000, 3_000, 10_000, 30_000)
WIDTHS = (8, 20, 48, 100, 200, 400, 800)
MACHINES = (1, 2, 5, 12, 30)
START_ROWS, SOURCE_ROWS, RUN_ROWS = 200, 720, 20
# What each release can import of what a transfer imports.
TRANSFER_IMPORTS = """
import contextlib, importlib
for name in (
    "lightgbm", "mlflow", "onnx", "onnxruntime", "sklearn.linear_model", "sklearn.neighbors",
    "matplotlib.pyplot", "faultxfer.pipeline", "faultxfer.steps.adaptation",
):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
"""


class Scores:
    """`score`, rows in the order of time, by one network or by the stack of all learners."""

    by, sizes, runs = "rows", ROWS, 3

    def __init__(self, release: Release, *, source: bool) -> None:
        self._release, self._source = replace(release, plant=release.plant / "score"), source
        prepare(self._release)

    def start(self) -> Done:
        """What stays however few rows there are."""
        return self.at(START_ROWS)

    def at(self, rows: int) -> Done:
        """So many rows."""
        file = write_rows(self._release.plant, rows)
        return require(score(self._release, file, source=self._source))


class Checks:
    """`validate`, one clean file of 20 sensors."""

    by, sizes, runs = "rows", ROWS, 3

    def __init__(self, release: Release) -> None:
        self._release = replace(release, plant=release.plant / "validate")
        self._release.plant.mkdir(exist_ok=True)

    def start(self) -> Done:
        """What stays however few rows there are."""
        return self.at(START_ROWS)

    def at(self, rows: int) -> Done:
        """So many rows."""
        folder = self._release.plant / str(rows)
        if not folder.exists():
            write_folder(folder, 1, rows, SENSORS, "clean")
        contract = ["--contract", str(folder / "contract.yaml")]
        return require(self._release.run("validate", str(folder / "0000.csv"), *contract, "--json"))


class Transfers:
    """`transfer` of labelled rows in runs of 20, each time from the registry as it was before."""

    by, sizes, runs = "rows", LEARNT_ROWS, 3

    def __init__(self, release: Release) -> None:
        self.release = replace(release, plant=release.plant / "transfer")
        self._targets = release.plant / "targets"
        if not self.release.plant.exists():
            write_plant(self.release.plant, SENSORS, rows=SOURCE_ROWS, run_rows=RUN_ROWS)
            (self.release.plant / "gate.yaml").write_text(GATE, encoding="utf-8")
            require(self.release.run(*COMMANDS["pretrain"]))

    def start(self) -> Done:
        """Imports."""
        return require(self.release.imports(TRANSFER_IMPORTS))

    def at(self, rows: int) -> Done:
        """So many rows; the default gate would refuse some sizes, and less would be done."""
        folder = self._targets / str(rows)
        if not folder.exists():
            write_plant(folder, SENSORS, rows=rows, run_rows=RUN_ROWS)
        renewed(self.release.plant)
        command = list(COMMANDS["transfer"])
        command[1] = str(folder / f"{TARGET}.csv")
        return require(self.release.run(*command, "--gate", "gate.yaml"))


class Pretrainings:
    """`pretrain`, three machines of 1,020 rows, each time into a new registry."""

    by, sizes, runs = "sensors", WIDTHS, 3

    def __init__(self, release: Release) -> None:
        self._release = release

    def start(self) -> Done:
        """Imports."""
        return require(self._release.imports())

    def at(self, sensors: int) -> Done:
        """So many sensors."""
        plant = self._release.plant / f"pretrain-{sensors}"
        if not plant.exists():
            write_plant(plant, sensors, rows=wide_plant.GOAL_ROWS)
        return require(replace(self._release, plant=renewed(plant)).run(*COMMANDS["pretrain"]))


class Fleets:
    """`fleet transfer` by one worker, machines of 500 rows; today's release alone has it."""

    by, sizes, runs = "machines", MACHINES, 1

    def __init__(self, release: Release) -> None:
        self._folder, self._release = release.plant / "fleet", release

    def start(self) -> Done:
        """Imports of the worker, and of the one that registers."""
        one = require(self._release.imports(TRANSFER_IMPORTS))
        return replace(one, seconds=2 * one.seconds, processor=2 * one.processor)

    def at(self, machines: int) -> Done:
        """So many machines; one that the gate refuses is worked on like the others."""
        fleet.made(self._folder, machines)
        fleet.anew(self._folder)
        with contextlib.chdir(self._folder):
            words = fleet.words(machines, "--workers", "1", "--no-prefect", "--json")
        done = wide_plant.timed([*fleet.COMMAND, *words], self._folder, fleet.environment())
        return require(done, wide_plant.REFUSED_BY_GATE)


KINDS: dict[str, Callable[[Release], Scores | Checks | Transfers | Pretrainings | Fleets]] = {
    "validate": Checks,
    "score": lambda release: Scores(release, source=True),
    "score-stack": lambda release: Scores(release, source=False),
    "transfer": Transfers,
    "pretrain": Pretrainings,
    "fleet": Fleets,
}


def main() -> None:
    """Measure, print, keep and draw what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--sizes", type=int, nargs="+", help="in place of the usual ones")
    parser.add_argument("--runs", type=int, help="of each size; usually 3, of fleets 1")
    parser.add_argument("--wall", action="store_true", help="seconds on the clock")
    parser.add_argument("--release", type=Path, help="working copy of another release")
    parser.add_argument("--plant", type=Path, help="make files here, and leave them there")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="add a line of JSON a size")
    parser.add_argument("--draw", type=Path, metavar="PNG", help="picture of what is kept")
    given = parser.parse_args()
    costs = kept(given.keep)
    with tempfile.TemporaryDirectory() as name:
        plant = (given.plant or Path(name)).resolve()
        plant.mkdir(parents=True, exist_ok=True)
        copy = (given.release or HERE).resolve()
        release = Release("before" if given.release else "today", copy, plant)
        for what in given.only:
            for cost in measured(what, release, given.sizes, given.runs):
                costs.append(cost)
                if given.keep:
                    with given.keep.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(asdict(cost)) + "\n")
    costs = list({(one.release, one.what, one.size): one for one in costs}.values())
    print_table(costs, wall=given.wall)
    if given.draw:
        from cost_picture import save_picture

        save_picture(costs, given.draw, wall=given.wall)


def measured(
    what: str, release: Release, sizes: Iterable[int] | None, runs: int | None
) -> Iterator[Cost]:
    """A cost for each size."""
    kind = KINDS[what](release)
    times = runs or kind.runs
    kind.start()  # the first one reads from the disk what others find in memory
    start = _middle([kind.start() for _ in range(times)])
    for size in sizes or kind.sizes:
        done = [kind.at(size) for _ in range(times)]
        yield Cost(
            what,
            kind.by,
            size,
            [round(one.processor, 2) for one in done],
            [round(one.seconds, 2) for one in done],
            round(start.processor, 2),
            round(start.seconds, 2),
            round(max(one.peak for one in done), 3),
            release.title,
            time.strftime("%Y-%m-%d"),
        )
        middle = _middle(done)
        told = f"{middle.processor:.1f} s of the processor, {middle.seconds:.1f} on the clock"
        print(f"{what}, {size:,} {kind.by}: {told}", file=sys.stderr, flush=True)


def _middle(done: list[Done]) -> Done:
    return sorted(done, key=lambda one: one.processor)[len(done) // 2]


if __name__ == "__main__":
    main()
