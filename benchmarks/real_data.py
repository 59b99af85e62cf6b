"""The main job on real data sets: prints the tables of ``docs/real-data.md``.

    uv run python benchmarks/real_data.py --data DIR

For each pair: draft a contract from the source file, pretrain on the source, transfer to the
target, all with default options and one seed. Nothing is chosen by looking at the result.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faultxfer.environment import prepare_command

prepare_command()

from faultxfer import pipeline  # noqa: E402  # after the environment is set
from faultxfer.drafting.contracts import draft_contract  # noqa: E402
from faultxfer.evaluate.report import COLUMNS, metric_cells  # noqa: E402


@dataclass(frozen=True)
class Pair:
    """One transfer between two machines of a data set."""

    name: str
    source: str
    target: str
    equipment: str
    time_column: str


PAIRS = (
    Pair("hydraulic", "hydraulic/cooler100.csv", "hydraulic/cooler3.csv", "cooler3", "seq"),
    Pair("ai4i2020", "ai4i2020/typeL.csv", "ai4i2020/typeH.csv", "typeH", "seq"),
    Pair("cmapss", "cmapss/FD002.csv.gz", "cmapss/FD004.csv.gz", "FD004", "seq"),
    Pair("skab", "skab/valve1.csv.gz", "skab/valve2.csv", "valve2", "timestamp"),
)


def main() -> None:
    """Run every pair and print its table."""
    parser = argparse.ArgumentParser(description="The main job on real data sets.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--only", choices=[pair.name for pair in PAIRS], nargs="+")
    arguments = parser.parse_args()
    data = arguments.data.resolve()
    for pair in PAIRS:
        if not arguments.only or pair.name in arguments.only:
            print(table_of(pair, data), flush=True)


def table_of(pair: Pair, data: Path) -> str:
    """One markdown section."""
    began = time.perf_counter()
    with _working_folder():
        out = Path("contract.yaml")
        draft_contract(
            [str(data / pair.source)],
            out,
            label="fault",
            equipment_column="equipment",
            run_column="run",
            time_column=pair.time_column,
        )
        trained = pipeline.pretrain([str(data / pair.source)], out, pair.name)
        pretrained = time.perf_counter()
        result = pipeline.transfer([str(data / pair.target)], out, pair.name, pair.equipment)
    report = result.report
    lines = [
        f"## {pair.name}: {Path(pair.source).name} → {Path(pair.target).name}",
        "",
        f"Source model on held-out source runs: PR-AUC {trained.metrics.pr_auc:.3f}, "
        f"ROC-AUC {trained.metrics.roc_auc:.3f} ({trained.metrics.rows} rows, "
        f"{trained.metrics.faults} faults).",
        f"Judged on {report.candidate.rows} target rows with {report.candidate.faults} faults "
        f"({report.mode}: "
        f"{report.split}).",
        "",
        f"| | {' | '.join(COLUMNS)} |",
        f"|---|{'---:|' * len(COLUMNS)}",
        *[
            f"| {entry.title} | {' | '.join(metric_cells(entry.metrics))} |"
            for entry in report.contestants
        ],
        "",
        f"**{report.transfer_verdict()}** The gate: {result.outcome}. {result.reason}",
        "",
        f"{pretrained - began:.0f} s for contract and source model, "
        f"{time.perf_counter() - pretrained:.0f} s for the "
        "transfer.",
        "",
    ]
    return "\n".join(lines)


@contextlib.contextmanager
def _working_folder() -> Iterator[None]:
    """A store of its own, gone afterwards."""
    home = Path.cwd()
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    with tempfile.TemporaryDirectory(prefix="faultxfer-real-") as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(home)


if __name__ == "__main__":
    main()
