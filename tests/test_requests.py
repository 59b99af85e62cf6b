"""What each command is asked: form alone, said in words, and the names of the first release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from faultxfer import pipeline
from faultxfer.cli.pipelines import REQUESTS
from faultxfer.config import GateOptions
from faultxfer.errors import ConfigError, ContractError
from faultxfer.requests import ScoreRequest, TransferRequest, ValidateRequest, make_request

MACHINE: dict[str, Any] = {
    "files": ["a.csv"],
    "contract": "c.yaml",
    "model": "pumps",
    "equipment": "pump-9",
}


@pytest.mark.parametrize("kind", REQUESTS.values(), ids=list(REQUESTS))
def test_every_field_has_a_title_and_a_description(kind: Any) -> None:
    schema = kind.model_json_schema()
    for model in (schema, *schema["$defs"].values()) if "$defs" in schema else (schema,):
        for name, field in model["properties"].items():
            assert field["title"], f"{model['title']}.{name}"
            assert field["title"] != name
            assert field["description"], f"{model['title']}.{name}"


def test_a_request_can_be_given_whole_by_order_or_by_name() -> None:
    by_name = make_request(TransferRequest, **MACHINE)
    by_order = make_request(TransferRequest, *MACHINE.values())
    assert by_name == by_order == make_request(TransferRequest, by_name)
    assert by_name.contract == Path("c.yaml")


def test_the_first_releases_name_of_the_files_is_understood() -> None:
    former = {"csv" if name == "files" else name: value for name, value in MACHINE.items()}
    assert make_request(TransferRequest, **former) == make_request(TransferRequest, **MACHINE)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"equipments": "pump-9"}, "equipments"),
        ({"dry_run": "perhaps"}, "dry_run"),
        ({"options": {"alarm_rate": 2}}, "options.false_alarm_rate"),
        ({"options": {"alarms": 2}}, "options.alarms"),
        ({"override_gate": " "}, "reason"),
        ({"policy": "nobody"}, "policy"),
        ({"policy": "managed", "options": {"gate": {"policy": "manual"}}}, "person to approve"),
        ({"model": "a/b"}, "model"),
        ({"equipment": ""}, "equipment"),
    ],
)
def test_a_wrong_form_is_said_before_anything_is_looked_up(
    changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        pipeline.transfer(**{**MACHINE, **changed})


def test_a_version_is_a_number_from_one() -> None:
    given = {"files": ["a.csv"], "model": "pumps", "equipment": "pump-9", "out": "s.csv"}
    with pytest.raises(ConfigError, match="version"):
        make_request(ScoreRequest, **given, version=0)


def test_a_machine_need_not_be_named_to_score() -> None:
    request = make_request(ScoreRequest, files=["a.csv"], model="pumps", out="s.csv")
    assert request.equipment is None


def test_what_is_not_there_is_refused_by_the_first_step_alone() -> None:
    taken: list[str] = []

    def run(step: Any, *given: Any) -> Any:
        taken.append(step.__name__)
        return step(*given)

    with pytest.raises(ContractError, match="nowhere"):
        pipeline.validate(ValidateRequest(files=("a.csv",), contract="nowhere.yaml"), run=run)
    assert taken == ["open_validate"]


def test_a_deployment_says_who_approves_beside_the_rules_or_instead_of_them() -> None:
    gate = {"policy": "manual", "approval_days": 3, "tie": 0.01}
    rules = make_request(TransferRequest, **MACHINE, options={"gate": gate}).rules
    assert (rules.policy, rules.self_approval, rules.approval_days) == ("manual", False, 3)
    asked = {"policy": "manual", "self_approval": True, "approval_days": 1}
    rules = make_request(TransferRequest, **MACHINE, **asked).rules
    assert (rules.policy, rules.self_approval, rules.approval_days) == ("manual", True, 1)
    assert make_request(TransferRequest, **MACHINE).rules == GateOptions()
