"""What a person waits for each command, from typing it to the prompt, beside another release.

    uv run python benchmarks/command_time.py --before FOLDER [--times 3]

FOLDER is a working copy of the other release with an environment of its own (``uv sync
--compile-bytecode``). Both run the same commands on the same files as they are typed, each with a
registry of its own, in turns; the table gives medians and their ratio. No Prefect server is named:
release 0.1.0 starts a temporary one for each command, this one runs plainly.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from faultxfer.simulation.simulator import PumpFleet, write_pump_fleet

HERE = Path(__file__).resolve().parents[1]
# A network that trains in seconds: what is measured is what a command pays beside its work.
SMALL = "network: {hidden: [32, 16], members: 1, synthetic_rows: 2000, epochs: 6}\n"


@dataclass(frozen=True)
class Release:
    """One working copy, and the folder in which its commands run."""

    title: str
    copy: Path
    folder: Path

    def run(self, *arguments: str) -> float:
        """Seconds of one command, which must succeed or be refused by the gate."""
        command = [str(self.copy / ".venv" / "bin" / "faultxfer"), *arguments]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PREFECT")
        }
        environment |= {"PREFECT_HOME": str(self.folder / "prefect")}
        began = time.perf_counter()
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - began
        if done.returncode not in (0, 10):
            sys.exit(f"{self.title}: {' '.join(command)}\n{done.stdout}{done.stderr}")
        return seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What a person waits for each command.")
    parser.add_argument("--before", type=Path, required=True, help="copy of the other release")
    parser.add_argument("--times", type=int, default=3, help="runs of each command")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        releases = _releases(Path(folder), arguments.before.resolve())
        fleet = write_pump_fleet(
            Path(folder) / "fleet", source_pumps=3, runs_per_pump=24, rows_per_run=30
        )
        for release in releases:
            _pretrain(release, fleet)
        print("| command | before, s | today, s | today / before |\n|---|---:|---:|---:|")
        for title, command in _commands(fleet).items():
            before, today = _medians(releases, command, arguments.times)
            print(f"| {title} | {before:.1f} | {today:.1f} | {today / before:.2f} |", flush=True)


def _releases(folder: Path, before: Path) -> tuple[Release, Release]:
    releases = (
        Release("before", before, folder / "before"),
        Release("today", HERE, folder / "today"),
    )
    for release in releases:
        release.folder.mkdir()
        (release.folder / "options.yaml").write_text(SMALL, encoding="utf-8")
    return releases


def _pretrain(release: Release, fleet: PumpFleet) -> None:
    files = [str(path) for path in fleet.source_csvs]
    contract = ("--contract", str(fleet.contract))
    release.run("pretrain", *files, *contract, "--model", "pumps", "--config", "options.yaml")


def _commands(fleet: PumpFleet) -> dict[str, list[str]]:
    contract = ["--contract", str(fleet.contract)]
    machine = ["--model", "pumps", "--equipment", "pump-9"]
    target, new = str(fleet.target_csv), str(fleet.new_rows_csv)
    return {
        "--help": ["--help"],
        "validate": ["validate", target, *contract],
        "transfer": [
            "transfer",
            target,
            *contract,
            *machine,
            "--force",
            "--override-gate",
            "timed",
        ],
        "score": ["score", new, *machine, "--out", "scores.csv"],
    }


def _medians(
    releases: tuple[Release, Release], command: list[str], times: int
) -> tuple[float, float]:
    seconds: dict[str, list[float]] = {release.title: [] for release in releases}
    for _ in range(times):
        for release in releases:
            seconds[release.title].append(release.run(*command))
    before, today = (statistics.median(taken) for taken in seconds.values())
    return before, today


if __name__ == "__main__":
    main()
