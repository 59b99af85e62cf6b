"""The page of answers in JSON is complete, and comparing with it finds what differs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import typer.main
from answers import FREE, PAGE, differences, shapes
from test_docs import _commands

from faultxfer.cli import main
from faultxfer.cli.commands import commands
from faultxfer.cli.session import SCHEMA_VERSION

NEXT = {"why": "Score", "command": "faultxfer score"}
ERROR = {
    "outcome": "error",
    "error": {"type": "DataError", "message": "No.", "received": {}, "where": None},
    "exit_code": 2,
}


def test_every_command_has_its_shape() -> None:
    named = set(re.findall(r"^### `([^`]+)`", PAGE.read_text(encoding="utf-8"), flags=re.M))
    former = {"ui"}  # answers as `up`
    assert named == _commands(typer.main.get_command(commands)) - {*FREE} - former


def test_every_part_that_is_named_is_there_and_no_other() -> None:
    page = PAGE.read_text(encoding="utf-8")
    commands_of_page, parts_of_page = page.split("## Parts")
    parts = set(re.findall(r"^### (\w+)$", parts_of_page, flags=re.M))
    assert parts == set(re.findall(r"\]\(#([a-z]+)\)", page))
    assert "| `schema_version` | count | 1 |" in commands_of_page
    assert SCHEMA_VERSION == 1


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, []),
        ({"next": NEXT}, []),
        ({"more": 1}, ["An error.more: not documented"]),
        ({"exit_code": "2"}, ["An error.exit_code: str in place of count"]),
        ({"exit_code": True}, ["An error.exit_code: bool in place of count"]),
        ({"next": {"why": "a"}}, ["An error.next.command: missing"]),
        ({"next": [NEXT]}, ["An error.next: no object"]),
    ],
)
def test_what_differs_from_a_shape_is_found(changed: dict[str, Any], found: list[str]) -> None:
    assert differences("score", {**ERROR, **changed}) == found


def test_lists_and_mappings_are_looked_into() -> None:
    rows = {
        "refused": False,
        "read": 1,
        "accepted": 1,
        "imputed": 0,
        "quarantined": 0,
        "left_out": 0,
        "unused": {"other mode": "3"},
        "unmeasured": [],
        "quarantine": None,
        "data_docs": None,
        "files": [{"file": "a.csv"}],
        "events": None,
        "reading": {},
        "findings": [],
    }
    assert differences("validate", rows) == [
        "validate.unused[]: str in place of count",
        "validate.files[].sha256: missing",
        "validate.reading: dict in place of list",
    ]


def test_a_command_with_two_shapes_has_either() -> None:
    assert len(shapes()["transfer"]) == 2
    assert differences("transfer", {"outcome": "unchanged"})[0] == "transfer.before: missing"


def test_an_answer_begins_with_version_and_command(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["validate", str(tmp_path / "none.csv"), "--contract", str(tmp_path / "no.yaml")]
    with pytest.raises(SystemExit):
        main([*arguments, "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert list(answer)[:3] == ["schema_version", "command", "outcome"]
    assert (answer["schema_version"], answer["command"]) == (SCHEMA_VERSION, "validate")


def test_a_usage_error_names_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["no-such-command", "--json"])
    assert json.loads(capsys.readouterr().out)["command"] == ""
