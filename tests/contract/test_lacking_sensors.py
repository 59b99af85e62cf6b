"""Machines that do not have every sensor of the contract: what the contract says, and refusals."""

from __future__ import annotations

from typing import Any

import pytest
from check_rows import CONTRACT, cells, check

from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.errors import ConfigError, ContractError
from faultxfer.findings import absent_sensors
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
