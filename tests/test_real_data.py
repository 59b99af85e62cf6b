"""The main job on real data sets; skipped where they are absent.

Of the largest set the first engines are taken, whole; tests/drafting/test_infer.py reads all of it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from faultxfer import PretrainOptions, TransferOptions, pipeline
from faultxfer.cli import main
from faultxfer.config import NetworkOptions
from faultxfer.registry.store import open_registry
from faultxfer.strategies.rivals import RIVALS

pytestmark = pytest.mark.slow

# The default takes minutes on each; how good it is stands in docs/real-data.md.
NETWORK = NetworkOptions(hidden=(64, 32), members=2, synthetic_rows=5000, epochs=12)
PAIRS = {
    "hydraulic": ("hydraulic/cooler100.csv", "hydraulic/cooler3.csv", "cooler3", "seq"),
    "ai4i2020": ("ai4i2020/typeL.csv", "ai4i2020/typeH.csv", "typeH", "seq"),
    "cmapss": ("cmapss/FD002.csv.gz", "cmapss/FD004.csv.gz", "FD004", "seq"),
    "skab": ("skab/valve1.csv.gz", "skab/valve2.csv", "valve2", "timestamp"),
}


# Runs to failure of each file, of some 250; all of them take three minutes and ask nothing more.
ENGINES = 60


def file_of(name: str, real_data: Path) -> str:
    """A file of a real data set; of engines, the first of them."""
    path = real_data / name
    if path.parent.name != "cmapss":
        return str(path)
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    taken = Path(path.name)
    rows[rows["run"].isin(rows["run"].unique()[:ENGINES])].to_csv(taken, index=False)
    return str(taken)


@pytest.mark.parametrize("name", PAIRS)
def test_the_main_job_on_real_data(
    name: str, real_data: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    *files, equipment, time_column = PAIRS[name]
    source, target = (file_of(file, real_data) for file in files)
    infer = [
        "contract",
        "infer",
        source,
        "--out",
        "contract.yaml",
        "--label",
        "fault",
    ]
    infer += [
        "--equipment-column",
        "equipment",
        "--run-column",
        "run",
        "--time-column",
        time_column,
    ]
    with pytest.raises(SystemExit) as left:
        main([*infer, "--json"])
    assert left.value.code == 0
    assert not [
        sensor for sensor in json.loads(capsys.readouterr().out)["sensors"] if "fault" in sensor
    ]

    trained = pipeline.pretrain([source], "contract.yaml", name, PretrainOptions(network=NETWORK))
    assert (
        trained.metrics.pr_auc > 1.2 * trained.metrics.faults / trained.metrics.rows
    )  # better than at random

    options = TransferOptions(split={"folds": 2})
    result = pipeline.transfer([target], "contract.yaml", name, equipment, options)
    report = result.report
    assert [entry.name for entry in report.contestants] == ["candidate", *RIVALS]
    assert all(entry.metrics is not None for entry in report.contestants)
    judged = report.candidate
    assert judged.pr_auc > judged.faults / judged.rows  # better than a ranking at random
    assert set(result.pictures) == {"precision_recall", "reliability", "score_over_time", "rivals"}
    assert report.weights
    assert all(Path(picture).is_file() for picture in result.pictures.values())
    registry = open_registry()
    champion = registry.champion(result.registered)
    assert (champion is not None) == (result.outcome == "promoted") == result.decision.promoted
    if champion is None:
        assert registry.refusals(result.registered)[0]["reason"]
        return
    scored = pipeline.score([target], name, equipment, "scores.csv")
    assert scored.rows.accepted == result.rows.accepted
