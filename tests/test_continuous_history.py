"""One machine's history in one file without runs gives a source model that says how it was judged."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import SMALL_NETWORK

from faultxfer import pipeline
from faultxfer.bundle.manifest import read_manifest
from faultxfer.config import PretrainOptions
from faultxfer.errors import DataError
from faultxfer.registry.store import open_registry
from faultxfer.simulation.simulator import write_pump_fleet


def one_file(folder: Path) -> tuple[str, Path]:
    """All runs of a pump one after the other, on one clock."""
    fleet = write_pump_fleet(folder / "fleet", source_pumps=1, runs_per_pump=24, rows_per_run=30)
    rows = pd.read_csv(fleet.source_csvs[0], dtype="str")
    rows["timestamp"] = pd.date_range("2026-01-01", periods=len(rows), freq="10min").astype("str")
    contract = yaml.safe_load(Path(fleet.contract).read_text())
    contract.pop("run_column")
    contract["ignore"] = [*contract.get("ignore", []), "run"]
    path = folder / "years.csv"
    rows.to_csv(path, index=False)
    (folder / "pumps.yaml").write_text(yaml.safe_dump(contract, sort_keys=False))
    return str(path), folder / "pumps.yaml"


@pytest.mark.slow
def test_a_continuous_recording_is_cut_and_the_model_says_so(store: Path) -> None:
    path, contract = one_file(store)
    options = PretrainOptions(network=SMALL_NETWORK)
    result = pipeline.pretrain([path], contract, "pumps", options)
    assert "blocks in time" in result.held_out
    assert "may flatter" in result.held_out
    source = open_registry().champion("pumps")
    assert source is not None
    assert "blocks in time" in source.description
    (store / "down").mkdir()
    kept = read_manifest(open_registry().download_bundle(source, store / "down")).lineage
    assert kept["held_out"]["by"] == "blocks in time"
    assert result.metrics.faults > 0


@pytest.mark.slow
def test_a_run_column_keeps_runs_whole(store: Path) -> None:
    path, contract = one_file(store)
    content = yaml.safe_load(contract.read_text())
    content["run_column"] = "campaign"
    rows = pd.read_csv(path, dtype="str").assign(campaign="2026")
    rows.to_csv(path, index=False)
    contract.write_text(yaml.safe_dump(content))
    with pytest.raises(DataError, match=r"too few source runs.*take `run_column` out"):
        pipeline.pretrain([path], contract, "pumps", PretrainOptions(network=SMALL_NETWORK))
