"""Twenty files in a watched folder, the watcher killed twice: each good file once, nothing lost.

    uv run python benchmarks/watch_folder_test.py FOLDER

FOLDER must be empty. A small fleet is simulated, a source model and a machine's version are made of
it, and the machine's rows arrive as files: seventeen good ones, a copy, one that is no table, and
one that is still being written. The watcher is killed (SIGKILL) after its third file and after its
ninth, in the middle of the next one. What it wrote in the end is compared with scores of the same
rows that nobody disturbed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

GOOD, KILLED_AFTER = 17, (3, 9)
PROGRAM = [sys.executable, "-c", "from faultxfer.cli import main; main()"]
SMALL = {"hidden": [32, 16], "members": 2, "synthetic_rows": 2000}
TRANSFER = {
    "strategy": "fine_tune",
    "steps": 40,
    "epochs": 5,
    "split": {"folds": 2},
    "gate": {"value": {"pr_auc": {"min": 0.01}}},
}


def prepared(folder: Path) -> Path:
    """A registry with a version of pump-9, and a file of its new rows."""
    from faultxfer import PretrainOptions, TransferOptions, pipeline
    from faultxfer.simulation.simulator import write_pump_fleet

    os.chdir(folder)
    fleet = write_pump_fleet(Path("fleet"), source_pumps=3, runs_per_pump=24, rows_per_run=30)
    sources = [str(path) for path in fleet.source_csvs]
    pretrain = PretrainOptions.model_validate({"network": SMALL})
    pipeline.pretrain(sources, fleet.contract, "pumps", pretrain)
    transfer = TransferOptions.model_validate(TRANSFER)
    made = pipeline.transfer([str(fleet.target_csv)], fleet.contract, "pumps", "pump-9", transfer)
    print(made.headline)
    pipeline.score([str(fleet.new_rows_csv)], "pumps", "pump-9", "undisturbed.csv")
    return fleet.new_rows_csv


def arrived(rows: Path, landing: Path) -> str:
    """Write the files; what is missing of the half-written one is given back."""
    header, *lines = rows.read_text().splitlines(keepends=True)
    size = len(lines) // (GOOD + 1)
    for number in range(GOOD):
        part = lines[number * size : (number + 1) * size]
        path = landing / f"part-{number:02}.csv"
        path.write_text(header + "".join(part))
        os.utime(path, (number, number))
    (landing / "copy.csv").write_bytes((landing / "part-05.csv").read_bytes())
    (landing / "corrupt.csv").write_bytes(b"PK\x03\x04 no table")
    last = header + "".join(lines[GOOD * size :])
    (landing / "half.csv").write_text(last[: len(last) // 2])
    return last[len(last) // 2 :]


def watch(*more: str, kill_after: int | None = None) -> list[dict[str, Any]]:
    """What the watcher said, until it ended or was killed after so many scored files."""
    words = ["watch", "landing", "--contract", "fleet/pumps.yaml", "--model", "pumps"]
    command = [*PROGRAM, *words, "--settle", "1", "--every", "1", "--no-prefect", "--json", *more]
    said: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            found = json.loads(line)
            said += found.get("files", [found])
            if kill_after and sum(one["outcome"] == "scored" for one in said) == kill_after:
                time.sleep(0.3)  # in the middle of the next file
                os.kill(process.pid, signal.SIGKILL)
                break
    return said


def tried(landing: Path, rest: str) -> list[dict[str, Any]]:
    """The watcher killed twice, then let be, then once more with the last file whole."""
    with (landing / "half.csv").open("a") as writer:
        said = [one for count in KILLED_AFTER for one in watch(kill_after=_more(count))]
        said += watch("--once")
        writer.write(rest)
    return said + watch("--once")


def _more(count: int) -> int:
    """So many more files than the watcher before had scored."""
    before = KILLED_AFTER[KILLED_AFTER.index(count) - 1] if count != KILLED_AFTER[0] else 0
    return count - before


def compared(landing: Path) -> tuple[int, float]:
    """Rows that were scored, and the largest difference from the scores of undisturbed rows."""
    expected = pd.read_csv("undisturbed.csv").set_index("timestamp")["fault_probability"]
    every = (landing / "scores/pump-9").glob("*.csv")
    files = sorted(path for path in every if not path.stem.endswith("-alarms"))
    scored = pd.concat([pd.read_csv(path) for path in files]).set_index("timestamp")
    assert scored.index.is_unique
    differences = (scored["fault_probability"] - expected).abs()
    assert not differences.isna().any()
    return len(scored), float(differences.max())


def main(folder: Path) -> None:
    """Try it, and print what came of it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = prepared(folder)
    landing = Path("landing")
    landing.mkdir()
    rest = arrived(rows, landing)
    begun = time.monotonic()
    said = tried(landing, rest)
    seconds = time.monotonic() - begun
    counts = Counter((one["outcome"], one["file"]) for one in said)
    for (outcome, file), count in sorted(counts.items()):
        print(f"{outcome:<11} {file:<12} {count}")
    number, difference = compared(landing)
    done = Counter(one["outcome"] for one in said)
    print(
        f"scored {done['scored']} of {GOOD + 1} good files, each said at most {max(counts.values())} time"
    )
    print(f"{number} rows, largest difference from undisturbed scores {difference:.1e}")
    print(f"{seconds:.0f} s with two kills and four starts")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
