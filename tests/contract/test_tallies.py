"""What NumPy counts is what Great Expectations finds, and it is asked no more than it must be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from check_rows import CONTRACT, blank_flow, broken, cells

from faultxfer.contract import expectations
from faultxfer.contract.expectations import validate_tables
from faultxfer.contract.schema import Contract
from faultxfer.contract.tallies import tallies, unmet_rows
from faultxfer.pipeline import validate

LIMITS = (None, -1e300, -1.0, 0.0, 1.0, 1.5, 1e300)
READINGS = (np.nan, np.nan, np.inf, -np.inf, -1.0, 0.0, -0.0, 1.0, 1.0000000001, 1.5, 9e300)
SPELLINGS = ("0", "1", "", " 1", "ok", "OK", "nan", "0.0", None)
COLUMNS = 30


def plant(seed: int) -> tuple[pd.DataFrame, Contract]:
    """A small table of many columns with limits of all kinds, none included, and readings beyond every number."""
    random = np.random.default_rng(seed)
    rows = int(random.integers(1, 9))
    sensors, columns = {}, {}
    for number in range(COLUMNS):
        low, high = (LIMITS[place] for place in sorted(random.integers(len(LIMITS), size=2)))
        odd = low is not None and low == high
        sensors[f"s{number}"] = {
            "min": None if odd else low,
            "max": high,
            "max_missing": random.choice([0.0, 0.3, 0.5, 1.0]),
        }
        few = random.choice(READINGS, size=2)
        columns[f"s{number}"] = random.choice(few if number % 2 else READINGS, size=rows)
    spelt = [SPELLINGS[place] for place in random.integers(len(SPELLINGS), size=rows)]
    frame = pd.DataFrame({**columns, "y": pd.Series(spelt, dtype="str")})
    label = {"column": "y", "normal": ["0", "ok"], "fault": ["1"]}
    return frame, Contract.model_validate({"family": "f", "label": label, "sensors": sensors})


def by_great_expectations_alone(frame: pd.DataFrame, contract: Contract) -> list[Any]:
    """Every expectation, each column alone, as it was before anything was counted."""
    every = [
        expectations._Question(0, kind, column)
        for kind, column in expectations._configurations(contract)
    ]
    return expectations._judged([frame], every, contract, [{}])


@pytest.mark.parametrize("seed", range(6))
def test_what_is_counted_is_what_great_expectations_finds(seed: int) -> None:
    frame, contract = plant(seed)
    counted = tallies(frame, contract, labelled=True)
    results = by_great_expectations_alone(frame, contract)
    assert [tally.unmet for tally in counted] == [
        result.result["unexpected_count"] for result in results
    ]
    missed = [result for result in results if result.result["unexpected_count"]]
    assert 10 < len(missed) < len(results) - 5
    (validation,) = validate_tables([(frame, True)], contract)
    assert [(list(found.index), found.passed) for found in validation.unmet] == [
        (result.result["unexpected_index_list"], result.success) for result in missed
    ]
    alone = [(found.kind, found.column, found.index) for found in unmet_rows(frame, contract)]
    assert alone == [
        (found.kind, found.column, found.index)
        for found in validation.unmet
        if found.kind != "label"
    ]
    configurations = expectations._configurations(contract).values()
    in_full = [
        expectations._shortened(configuration, result).to_json_dict()
        for configuration, result in zip(configurations, results, strict=True)
    ]
    assert json.dumps(validation.as_dict()["results"]) == json.dumps(in_full)


def test_great_expectations_runs_once_and_on_unmet_columns_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    judged = expectations._judged

    def seen(frames: Any, questions: Any, *more: Any) -> Any:
        asked.append([tuple(question) for question in questions])
        return judged(frames, questions, *more)

    monkeypatch.setattr(expectations, "_judged", seen)
    clean = pd.DataFrame({"flow": [1.0, 2.0], "speed": [1.0, 2.0]})
    high, gap = clean.assign(flow=[1.0, 900.0]), clean.assign(speed=[np.nan, 900.0])
    validate_tables([(frame, False) for frame in (clean, high, clean, gap)], CONTRACT)
    assert asked == [[(1, "range", "flow"), (3, "null", "speed")]]


def test_files_of_a_command_do_not_answer_for_one_another(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CONTRACT.model_dump_json())
    spoilt = {"good": cells(), "high": broken("flow", _3="900"), "gap": blank_flow(2)}
    for name, frame in spoilt.items():
        frame.assign(run=name, pump=name).to_csv(tmp_path / f"{name}.csv", index=False)
    together = validate([str(tmp_path / "*.csv")], tmp_path / "c.yaml", quarantine=tmp_path / "q")
    found = {(finding.file, finding.code, finding.line) for finding in together.findings}
    assert ("high.csv", "SENSOR-OUT-OF-RANGE", 5) in found
    assert ("gap.csv", "SENSOR-MISSING", 2) in found
    assert (together.accepted, together.quarantined) == (57, 3)


def test_clean_files_do_not_load_great_expectations(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CONTRACT.model_dump_json())
    cells().to_csv(tmp_path / "a.csv", index=False)
    code = (
        "import sys; from faultxfer.pipeline import validate; "
        "print(validate(['a.csv'], 'c.yaml').accepted, 'great_expectations' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["20", "False"]
