"""The JSON Schema accepts what the contract reader accepts, names every field.

And the file kept for editors is it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import REPOSITORY

from faultxfer.cli import main
from faultxfer.contract import codes
from faultxfer.contract.schema import json_schema, schema_text

jsonschema = pytest.importorskip("jsonschema")

KEPT = REPOSITORY / "data_contracts" / "contract.schema.json"
SMALL: dict[str, Any] = {"family": "pumps", "label": {"column": "fault"}, "sensors": {"flow": {}}}


def problems(content: object) -> list[str]:
    """Where the schema is not followed."""
    found = jsonschema.Draft202012Validator(json_schema()).iter_errors(content)
    return [".".join(map(str, error.absolute_path)) for error in found]


def properties(node: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each property of the schema, with the way to it."""
    if isinstance(node, dict):
        for name, field in node.get("properties", {}).items():
            yield f"{where}/{name}", field
        for key, inner in node.items():
            yield from properties(inner, f"{where}/{key}")


def test_it_is_a_schema_of_its_dialect() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_the_file_kept_for_editors_is_up_to_date() -> None:
    remedy = "write it again: faultxfer contract schema --out data_contracts/contract.schema.json"
    assert KEPT.read_text(encoding="utf-8") == schema_text(), remedy


def test_every_field_is_described() -> None:
    fields = dict(properties(json_schema()))
    assert {"/sensors", "/$defs/Sensor/max_rate", "/$defs/Scale/factor"} <= set(fields)
    assert [name for name, field in fields.items() if not field.get("description")] == []


def test_the_contracts_of_this_project_follow_it() -> None:
    document = (REPOSITORY / "docs" / "data-contracts.md").read_text(encoding="utf-8")
    shown = re.findall(r"```yaml\n(.*?)```", document, re.DOTALL)
    whole = [yaml.safe_load(text) for text in shown if "family:" in text]
    kept = [yaml.safe_load(path.read_text()) for path in KEPT.parent.glob("*.yaml")]
    assert whole
    assert kept
    assert [problems(content) for content in [SMALL, *whole, *kept]] == [[]] * (
        1 + len(whole) + len(kept)
    )


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"sensor": {}}, ""),
        ({"sensors": {}}, "sensors"),
        ({"sensors": {"flow": {"max_rate": 0}}}, "sensors.flow.max_rate"),
        ({"sensors": {"flow": {"dtype": "text"}}}, "sensors.flow.dtype"),
        ({"sensors": {"flow": {"maximum": 3}}}, "sensors.flow"),
        ({"rules": {"SENSOR-STUCK": "ignore"}}, "rules.SENSOR-STUCK"),
        ({"rules": {"SENSOR-STICKY": "warn"}}, "rules"),
        ({"label": {"column": "fault", "normal": [0]}}, "label.normal.0"),
        ({"equipment": {"pump-9": {"tags": {}}}}, "equipment.pump-9"),
        (
            {"equipment": {"pump-9": {"scale": {"flow": {"factor": "2"}}}}},
            "equipment.pump-9.scale.flow.factor",
        ),
        ({"csv": {"decimal": ";"}}, "csv.decimal"),
    ],
    ids=str,
)
def test_an_editor_marks_what_is_wrong(change: dict[str, object], where: str) -> None:
    assert problems({**SMALL, **change}) == [where]


def test_an_editor_offers_the_codes_that_rules_may_have() -> None:
    assert json_schema()["properties"]["rules"]["propertyNames"]["enum"] == list(codes.CONFIGURABLE)


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["contract", "schema", *arguments])
    return int(left.value.code or 0)


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_the_command_prints_it(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*option) == 0
    printed = json.loads(capsys.readouterr().out)
    if option:
        assert (printed.pop("schema_version"), printed.pop("command")) == (1, "contract schema")
    assert printed == json_schema()


def test_the_command_writes_it_and_replaces_an_older_one(tmp_path: Path) -> None:
    out = tmp_path / "editor" / "contract.schema.json"
    for _ in range(2):
        assert call("--out", str(out)) == 0
        assert out.read_text(encoding="utf-8") == schema_text()
        out.write_text("{}")


def test_the_command_never_replaces_a_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = tmp_path / "pumps.yaml"
    contract.write_text("family: pumps")
    assert call("--out", str(contract)) == 2
    assert "does not end in .json" in capsys.readouterr().err
    assert contract.read_text() == "family: pumps"
