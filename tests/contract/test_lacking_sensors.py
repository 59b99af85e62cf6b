"""Machines that do not have every sensor of the contract: what the contract says, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from check_rows import CONTRACT, cells, check, check_csv

from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.errors import ConfigError, ContractError
from faultxfer.findings import absent_sensors
from faultxfer.pipeline import validate
from faultxfer.steps.opening import require_can_lack

PLAIN: dict[str, Any] = {
    "family": "fans",
    "label": {"column": "verdict"},
    "equipment_column": "fan",
    "sensors": {
        "draught": {"unit": "Pa", "quality": {"column": "draught_q"}},
        "current": {"unit": "A"},
        "speed": {},
    },
    "running": {"speed": ["1"]},
    "ignore": ["note"],
    "equipment": {
        "F-1": {"aliases": {"PD-1": "draught"}, "units": {"draught": "mbar"}},
        "F-2": {"lacks": ["draught", "speed"]},
    },
}


def contract(**changes: Any) -> Contract:
    return parse_contract({**PLAIN, **changes}, "test")


def lacking(*sensors: str, **more: Any) -> Contract:
    return contract(equipment={"F-2": {"lacks": [*sensors], **more}})


def test_a_machine_lacks_sensors_of_the_contract() -> None:
    assert contract().lacking("F-2") == ("draught", "speed")
    assert contract().lacking("F-1") == contract().lacking("F-9") == ()


@pytest.mark.parametrize(
    ("sensors", "more", "words"),
    [
        (["draugth"], {}, "no sensor.*Did you mean 'draught'"),
        (["note"], {}, "no sensor"),
        (["draught", "current", "speed"], {}, "at least one sensor"),
        (["draught"], {"aliases": {"PD-2": "draught"}}, "no tag, unit or scale"),
        (["draught"], {"units": {"draught": "mbar"}}, "no tag, unit or scale"),
        (["draught"], {"scale": {"draught": {"factor": 2}}}, "no tag, unit or scale"),
    ],
)
def test_what_cannot_be_lacked_is_refused(
    sensors: list[str], more: dict[str, Any], words: str
) -> None:
    with pytest.raises(ContractError, match=words):
        lacking(*sensors, **more)


def test_a_sensor_that_chooses_rows_cannot_be_lacked() -> None:
    with pytest.raises(ContractError, match="`where` chooses rows by"):
        contract(where={"speed": ["1"]})


def test_a_contract_without_lacks_keeps_its_digest_and_its_plain_data() -> None:
    before = contract(equipment={"F-2": {}})
    assert "lacks" not in str(before.model_dump(mode="json"))
    assert contract(equipment={"F-2": {"lacks": []}}).digest() == before.digest()
    assert lacking("speed").digest() != before.digest()


def test_for_a_machine_that_lacks_nothing_it_is_the_same_contract() -> None:
    whole = contract()
    assert whole.for_machine("F-1") is whole
    assert whole.without_sensors(()) is whole


def test_for_a_machine_it_has_only_the_machines_sensors() -> None:
    narrow = contract().for_machine("F-2")
    assert narrow.features == ("current",)
    assert narrow.running == {}
    assert narrow.quality_columns == set()
    assert set(narrow.ignore) == {"note", "draught", "speed", "PD-1", "draught_q"}
    assert narrow.equipment["F-1"].aliases == narrow.equipment["F-1"].units == {}
    assert narrow.for_machine("F-2") is narrow


def test_the_contract_of_a_machine_can_be_kept_and_read_again() -> None:
    narrow = contract().for_machine("F-2")
    again = parse_contract(narrow.model_dump(mode="json"), "kept")
    assert again == narrow
    assert again.digest() == narrow.digest()


def test_a_tag_that_another_column_bears_is_not_ignored() -> None:
    swapped = {"F-1": {"aliases": {"current": "draught", "draught": "current"}}}
    narrow = contract(equipment=swapped).without_sensors(["draught"])
    assert narrow.features == ("current", "speed")
    assert parse_contract(narrow.model_dump(mode="json"), "kept") == narrow


def test_sensors_to_go_on_without_are_looked_at_first() -> None:
    require_can_lack(CONTRACT, ("flow",), "c.yaml")
    with pytest.raises(ConfigError, match="Did you mean 'flow'"):
        require_can_lack(CONTRACT, ("flwo",), "c.yaml")
    with pytest.raises(ConfigError, match="at least one sensor"):
        require_can_lack(CONTRACT, ("flow", "speed"), "c.yaml")


@pytest.mark.parametrize("nothing", ["no column", "no reading"])
def test_a_refusal_says_how_to_go_on_without_the_sensor(nothing: str) -> None:
    rows = cells()
    rows = rows.drop(columns="speed") if nothing == "no column" else rows.assign(speed="")
    outcome = check(rows, equipment="p1")
    (refusal,) = [finding for finding in outcome.findings if finding.severity == "refuse"]
    assert refusal.absent == absent_sensors(outcome.findings) == ("speed",)
    assert "`lacks: [speed]`" in refusal.remedy
    assert "`--without speed`" in refusal.remedy
    narrow = CONTRACT.without_sensors(outcome.findings[0].absent)
    accepted = check(rows, narrow, equipment="p1")
    assert not accepted.findings
    assert len(accepted.accepted) == len(rows)


def test_where_more_is_missing_nothing_is_said_of_going_on() -> None:
    outcome = check(cells().drop(columns=["speed", "fault"]))
    assert absent_sensors(outcome.findings) == ()
    assert "--without" not in outcome.findings[0].remedy


def test_a_column_that_is_only_misspelt_is_asked_about_instead() -> None:
    outcome = check(cells().rename(columns={"speed": "sped"}))
    assert absent_sensors(outcome.findings) == ()
    assert "Is it 'sped' for 'speed'?" in outcome.findings[0].remedy


FLEET = parse_contract(
    {
        **CONTRACT.model_dump(mode="json"),
        "equipment": {"p1": {"lacks": ["speed"]}, "p2": {"lacks": ["flow"]}},
    },
    "fleet",
)


def of(machine: str) -> pd.DataFrame:
    return cells().assign(pump=machine, run=f"{machine} 1")


def test_a_machines_own_lacking_column_is_not_missed() -> None:
    outcome = check(of("p1").drop(columns="speed"), FLEET)
    assert outcome.findings == ()
    assert list(outcome.accepted.columns[:2]) == ["flow", "speed"]
    assert outcome.accepted["speed"].isna().all()
    assert outcome.accepted["flow"].notna().all()


def test_what_another_machine_lacks_is_missed_as_before() -> None:
    outcome = check(of("p1").drop(columns=["speed", "flow"]), FLEET)
    assert [finding.code for finding in outcome.findings] == ["COLUMN-MISSING"]
    assert outcome.findings[0].message.endswith("flow")


def test_one_file_may_have_machines_that_lack_different_sensors() -> None:
    rows = pd.concat([of("p1").assign(speed=""), of("p2").assign(flow=""), of("p3")])
    outcome = check(rows, FLEET)
    assert outcome.findings == ()
    accepted = outcome.accepted
    assert accepted["speed"].isna().to_numpy().nonzero()[0].tolist() == [*range(20)]
    assert accepted["flow"].isna().to_numpy().nonzero()[0].tolist() == [*range(20, 40)]


def test_what_a_machine_has_is_checked_among_its_own_rows() -> None:
    """A gap counts among the rows of machines that have the sensor."""
    gaps = of("p3")
    gaps.loc[:6, "speed"] = ""
    outcome = check(pd.concat([of("p1").assign(speed=""), of("p1").assign(speed=""), gaps]), FLEET)
    refused = [finding for finding in outcome.findings if finding.severity == "refuse"]
    assert [(one.code, one.count) for one in refused] == [("SENSOR-MISSING", 7)]


def test_readings_of_a_sensor_that_the_machine_lacks_are_asked_about_and_not_used() -> None:
    rows = of("p1")
    rows.loc[3:, "speed"] = ""
    outcome = check(rows, FLEET)
    (finding,) = outcome.findings
    assert (finding.code, finding.severity, finding.count) == ("SENSOR-PRESENT", "warn", 3)
    assert finding.remedy.startswith("Does the machine have it?")
    assert outcome.accepted["speed"].isna().all()


def test_lacking_sensors_do_not_use_up_what_may_be_filled_in() -> None:
    strict = FLEET.model_copy(update={"max_imputed": 0.4})
    whole, narrow = of("p3"), of("p1").assign(speed="")
    whole.loc[4, "speed"] = ""
    narrow.loc[4, "flow"] = ""
    fills = frozenset({"flow", "speed"})
    for rows in (whole, narrow):
        assert len(check(rows, strict, fills=fills).accepted) == len(rows) - 1
    wide = strict.model_copy(update={"max_imputed": 0.6})
    assert len(check(whole, wide, fills=fills).accepted) == len(whole)
    assert len(check(narrow, wide, fills=fills).accepted) == len(narrow) - 1


def test_a_model_that_scores_needs_what_a_machine_lacks() -> None:
    """Where it can predict the sensor the rows are accepted, else they are set aside."""
    rows = of("p1").drop(columns="speed")
    able = check(rows, FLEET, labelled=False, fills=frozenset({"speed"}))
    assert len(able.accepted) == len(rows)
    unable = check(rows, FLEET, labelled=False)
    codes = [finding.code for finding in unable.findings]
    assert codes == ["ROWS-NONE-LEFT", "SENSOR-MISSING"]
    assert "`--without speed` at `faultxfer transfer`" in unable.findings[0].remedy


def test_readings_of_a_sensor_to_go_on_without_count_as_missing() -> None:
    gone = frozenset({"speed"})
    outcome = check(of("p3"), FLEET, labelled=False, fills=gone, without=gone)
    assert outcome.findings == ()
    assert outcome.accepted["speed"].isna().all()


def test_a_sensor_that_no_machine_of_the_files_has_is_left_out_and_said(tmp_path: Path) -> None:
    nobody = parse_contract(
        {
            **FLEET.model_dump(mode="json"),
            "equipment": {name: {"lacks": ["speed"]} for name in ("p1", "p2")},
        },
        "nobody",
    )
    paths = []
    for name in ("p1", "p2"):
        paths.append(tmp_path / f"{name}.csv")
        of(name).drop(columns="speed").to_csv(paths[-1], index=False)
    rows = check_csv(tmp_path, nobody, paths)
    assert rows.unmeasured == ("speed",)
    assert [(one.code, one.severity) for one in rows.findings] == [("SENSOR-NOWHERE", "warn")]
    assert rows.table is not None
    accepted = pd.read_feather(rows.table)
    assert "speed" not in accepted
    assert np.isfinite(accepted["flow"]).all()


def test_a_check_of_one_machine_leaves_the_others_lacks_alone() -> None:
    narrow = FLEET.for_machine("p1")
    assert narrow.features == ("flow",)
    assert parse_contract(narrow.model_dump(mode="json"), "kept") == narrow


def test_a_machine_without_any_value_is_named_with_what_to_write() -> None:
    outcome = check(pd.concat([of("p3"), of("p4").assign(speed="")]), FLEET)
    (refusal,) = [finding for finding in outcome.findings if finding.severity == "refuse"]
    assert refusal.code == "SENSOR-MISSING"
    assert "'p4' has no value of it in any row" in refusal.remedy
    assert "`lacks: [speed]`" in refusal.remedy
    some = of("p4")
    some.loc[:15, "speed"] = ""
    outcome = check(pd.concat([of("p3"), some]), FLEET)
    assert "lacks" not in outcome.findings[0].remedy


def test_readings_are_asked_about_where_one_machine_is_checked_too(tmp_path: Path) -> None:
    """Its contract no longer has the sensor, and its file may be one of several machines."""
    (tmp_path / "c.yaml").write_text(FLEET.model_dump_json())
    blank, there = of("p1").assign(speed=""), of("p1")
    for name, own in (("blank", blank), ("there", there)):
        pd.concat([own, of("p3")]).to_csv(tmp_path / f"{name}.csv", index=False)
    found = {}
    for name in ("blank", "there"):
        rows = validate(
            [str(tmp_path / f"{name}.csv")],
            tmp_path / "c.yaml",
            "p1",
            quarantine=tmp_path / "quarantine",
        )
        found[name] = [(one.code, one.count) for one in rows.findings]
        assert rows.accepted == 20
    assert found == {"blank": [], "there": [("SENSOR-PRESENT", 20)]}


def test_what_was_asked_to_go_on_without_is_not_asked_about(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(FLEET.model_dump_json())
    of("p3").to_csv(tmp_path / "a.csv", index=False)
    quarantine = tmp_path / "quarantine"
    rows = validate(
        *([str(tmp_path / "a.csv")], tmp_path / "c.yaml", "p3"),
        without=("speed",),
        quarantine=quarantine,
    )
    assert rows.findings == ()


def test_what_a_machine_lacks_and_what_a_request_leaves_out_leave_one_sensor(
    tmp_path: Path,
) -> None:
    (tmp_path / "c.yaml").write_text(FLEET.model_dump_json())
    of("p1").to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(ConfigError, match="at least one sensor"):
        validate(*([str(tmp_path / "a.csv")], tmp_path / "c.yaml", "p1"), without=("flow",))
