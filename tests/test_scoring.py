"""Scoring says where rows look like another share of faults than the model was calibrated for."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from faultxfer.contract.schema import parse_contract
from faultxfer.registry.store import Version
from faultxfer.steps.intake import check_files, require_accepted
from faultxfer.steps.scoring import Detector, in_input_order, share_note, unscored_rows


def _said(fault_share: float, rows: int = 2000) -> np.ndarray:
    """Probabilities that hold for a fault share of 0.3, of rows with another one."""
    rng = np.random.default_rng(0)
    faults = rng.random(rows) < fault_share
    readings = rng.normal(size=rows) + 3 * faults
    return np.asarray(expit(3 * readings - 4.5 + np.log(0.3 / 0.7)))


def test_rows_with_far_fewer_faults_are_told() -> None:
    note = share_note(_said(0.02), 0.3)
    assert "the probabilities hold for 30%" in note
    assert float(note.split("fault share of ")[1].split("%")[0]) == pytest.approx(2, abs=1)


@pytest.mark.parametrize(
    ("probabilities", "fault_share"),
    [
        (_said(0.2), 0.3),
        (_said(0.02)[:50], 0.3),
        (_said(0.02), None),
    ],
    ids=["nearly the same share", "too few rows", "share not recorded"],
)
def test_nothing_is_told_without_reason(
    probabilities: np.ndarray, fault_share: float | None
) -> None:
    assert share_note(probabilities, fault_share) == ""


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_rows_all_alike_are_told_without_a_warning(value: float) -> None:
    assert f"fault share of {value:.0%}" in share_note(np.full(500, value), 0.3)


def _detector(time_column: str | None = "time") -> Detector:
    contract = {
        "family": "fans",
        "label": {"column": "state", "exclude": ["9"]},
        "sensors": {"flow": {}},
        "time_column": time_column,
        "where": {"mode": ["RUN"]},
    }
    return Detector(
        version=cast(Version, None),
        bundle=Path(),
        contract=parse_contract(contract, where="test"),
        kind="champion",
    )


@pytest.mark.parametrize("names", [("a.csv",), ("b.csv", "a.csv"), ("z.csv", "y.csv", "x.csv")])
def test_rows_outside_where_stand_in_input_order_with_a_blank_score(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    several = len(names) > 1
    files = []
    for number, name in enumerate(names):
        cells = [f"{'RUN' if row % 3 else 'IDLE'},{row + 20 * number}" for row in range(9)]
        rows = [f"{row},{cell}" for row, cell in enumerate(cells)]
        (tmp_path / name).write_text("\n".join(["time,mode,flow", *rows]) + "\n")
        files.append(str(tmp_path / name))
    detector = _detector()
    rules = detector.contract
    checked = check_files(
        files, rules, work=tmp_path, quarantine=tmp_path / "aside", labelled=False
    )
    accepted = pd.read_feather(require_accepted(checked))
    table = pd.DataFrame(
        {
            **({"file": accepted["_file"]} if several else {}),
            "row": accepted["_row"],
            "fault_probability": 0.25,
            "alarm": accepted["_row"] == 4,
        }
    )
    every = in_input_order(table, unscored_rows(checked, detector, None), checked)
    assert every["row"].tolist() == [*range(9)] * len(names)
    if several:
        assert every["file"].drop_duplicates().tolist() == list(names)
    blank = every[every["row"] % 3 == 0]
    assert blank["fault_probability"].isna().all()
    assert blank["alarm"].isna().all()
    assert set(blank["remark"]) == {"not scored: mode is IDLE"}
    scored = every[every["row"] % 3 > 0]
    assert scored["alarm"].tolist() == [row == 4 for row in scored["row"]]
    assert set(scored["remark"]) == {""}
    assert every.to_csv(index=False).count("True") == len(names)
