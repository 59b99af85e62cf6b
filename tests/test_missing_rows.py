"""A file with empty cells from the CSV to the scores, with bundles of this format and of older ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY

from faultxfer.bundle.bundle import load_bundle, save_bundle
from faultxfer.bundle.imputer import fit_imputer
from faultxfer.bundle.manifest import FORMAT, read_manifest
from faultxfer.contract.schema import parse_contract
from faultxfer.errors import BundleError
from faultxfer.registry.pyfunc import FaultModel
from faultxfer.registry.store import Version
from faultxfer.requests import ScoreRequest
from faultxfer.steps.intake import check_rows
from faultxfer.steps.opening import Opened
from faultxfer.steps.scorers import CHAMPION
from faultxfer.steps.scoring import Detector, ScoreResult, score_rows

KEPT = REPOSITORY / "tests" / "kept_bundles"
# Rows by their place, and the sensors that they lack.
LACKING = {3: (1,), 7: (0, 4), 11: (9,)}


def readings() -> pd.DataFrame:
    return pd.read_csv(KEPT / "rows.csv")


@pytest.fixture(scope="module")
def imputing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of an earlier format, to which this release gave what fills readings in."""
    folder = tmp_path_factory.mktemp("imputing") / "bundle"
    older = load_bundle(KEPT / "format_2" / "stack")
    X = readings().to_numpy(dtype=float)
    imputer = fit_imputer(X)
    r2, cost = np.full(10, 0.9), np.zeros(10)
    r2[9], cost[9] = 0.1, 0.3  # the last sensor matters, and nothing predicts it
    imputer = dataclasses.replace(imputer, r2=r2, cost=cost, max_share=0.5)
    save_bundle(dataclasses.replace(older, imputer=imputer), folder, X)
    return folder


def with_holes(features: tuple[str, ...]) -> pd.DataFrame:
    frame = readings()
    for row, places in LACKING.items():
        for place in places:
            frame.loc[row, features[place]] = np.nan
    return frame


def scored(
    bundle: Path, folder: Path, rows: pd.DataFrame, without: tuple[str, ...] = ()
) -> tuple[ScoreResult, pd.DataFrame]:
    contract = parse_contract(read_manifest(bundle).lineage["contract"], where="kept")
    keys = {str(key): "pump-9" for key in (contract.equipment_column, contract.run_column)}
    times = pd.date_range("2026-03-01", periods=len(rows), freq="h").astype(str)
    frame = rows.assign(**keys, **{str(contract.time_column): times})
    frame.to_csv(folder / "week.csv", index=False)
    request = ScoreRequest(
        without=without,
        files=(str(folder / "week.csv"),),
        model="pumps",
        equipment="pump-9",
        out=folder / "scores.csv",
    )
    opened = Opened(request, folder, False, "pump-9", folder / "quarantine", None)
    detector = Detector(Version("pumps--pump-9", "1", "", ""), bundle, contract, CHAMPION)
    checked = check_rows(opened, contract, detector)
    result = score_rows(opened, detector, checked)
    return result, pd.read_csv(folder / "scores.csv", keep_default_na=False)


def test_rows_with_holes_are_scored_marked_and_counted(imputing: Path, tmp_path: Path) -> None:
    features = read_manifest(imputing).features
    _, whole = scored(imputing, tmp_path, readings())
    assert "imputed" not in whole
    result, scores = scored(imputing, tmp_path, with_holes(features))
    assert result.rows.imputed == 2
    assert result.rows.quarantined == 1
    assert 11 not in scores["row"].tolist()
    marked = scores.set_index("row")["imputed"]
    assert marked[3] == features[1]
    assert marked[7] == f"{features[0]}, {features[4]}"
    assert (marked.drop([3, 7]) == "").all()
    untouched = scores[~scores["row"].isin(LACKING)]
    before = whole.set_index("row").loc[untouched["row"], "fault_probability"]
    # A batch of another size is rounded otherwise in the last bits.
    np.testing.assert_allclose(untouched["fault_probability"], before, rtol=0, atol=1e-9)


@pytest.mark.parametrize("column", ["there", "not there"])
def test_a_sensor_to_go_on_without_is_filled_in_and_marked_in_every_row(
    imputing: Path, tmp_path: Path, column: str
) -> None:
    gone = read_manifest(imputing).features[1]
    rows = readings() if column == "there" else readings().drop(columns=gone)
    result, scores = scored(imputing, tmp_path, rows, without=(gone,))
    assert result.rows.imputed == len(rows)
    assert result.rows.findings == ()
    assert (scores["imputed"] == gone).all()


def test_a_bundle_of_an_earlier_format_sets_them_aside_as_before(tmp_path: Path) -> None:
    kept = KEPT / "format_2" / "stack"
    result, scores = scored(kept, tmp_path, with_holes(read_manifest(kept).features))
    assert (result.rows.imputed, result.rows.quarantined) == (0, 3)
    assert {finding.code for finding in result.rows.findings} == {"SENSOR-MISSING"}
    assert "imputed" not in scores
    assert len(scores) == len(readings()) - 3


def test_the_served_model_fills_in_marks_and_refuses_the_same(imputing: Path) -> None:
    bundle = load_bundle(imputing)
    model = FaultModel(bundle)
    rows = with_holes(bundle.features).drop(index=11)
    answer = model.predict(rows)
    assert answer["imputed"][7] == f"{bundle.features[0]}, {bundle.features[4]}"
    assert (answer["imputed"] != "").sum() == 2
    assert answer["fault_probability"].between(0, 1).all()
    assert list(model.predict(readings())) == ["fault_probability", "alarm"]
    with pytest.raises(BundleError, match="not a finite number"):
        model.predict(with_holes(bundle.features))


def test_what_fills_in_comes_back_with_the_bundle(imputing: Path) -> None:
    manifest = read_manifest(imputing)
    assert (manifest.format, manifest.imputes) == (FORMAT, True)
    (imputing / "imputer.npz").write_bytes(b"another")
    with pytest.raises(BundleError, match="SHA-256"):
        load_bundle(imputing)
