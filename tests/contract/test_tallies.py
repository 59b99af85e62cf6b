"""What NumPy finds is what Great Expectations finds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from check_rows import CONTRACT, blank_flow, broken, cells
from great_expectations_alone import Question, asked

from faultxfer.contract.expectations import Validation, configurations
from faultxfer.contract.schema import Contract
from faultxfer.contract.tallies import tallies
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


@pytest.mark.parametrize("seed", range(6))
def test_what_is_judged_is_what_great_expectations_finds(seed: int) -> None:
    frame, contract = plant(seed)
    values = {name: frame[name].to_numpy() for name in contract.sensors}
    found = tallies(values, contract, labels=frame["y"])
    places = [(tally.kind, tally.column) for tally in found]
    assert places == list(configurations(contract))
    results = asked([Question(tally, values, contract, frame["y"], {}) for tally in found])
    assert [(tally.places.tolist(), tally.passed) for tally in found] == [
        (result.result["unexpected_index_list"], result.success) for result in results
    ]
    missed = [result for result in results if result.result["unexpected_count"]]
    assert 10 < len(missed) < len(results) - 5
    plain = Validation(contract, found).as_dict()["results"]
    for ours, theirs in zip(plain, results, strict=True):
        said = json.loads(json.dumps(theirs.to_json_dict()))
        assert said["success"] == ours["success"]
        assert said["expectation_config"]["type"] == ours["expectation_config"]["type"]
        few = ours["result"].pop("partial_unexpected_list")
        assert set(few) <= set(said["result"].get("unexpected_list", []))
        assert ours["result"].items() <= said["result"].items()


def test_few_and_many_rows_are_judged_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    frame, contract = plant(0)
    values = {name: frame[name].to_numpy() for name in contract.sensors}
    together = tallies(values, contract)
    monkeypatch.setattr("faultxfer.contract.tallies._BLOCK", 1)
    alone = tallies(values, contract)
    assert [repr(tally) for tally in alone] == [repr(tally) for tally in together]


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
