"""What the check can say and what a contract can hold stands in the document.

And its example is a contract.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import yaml
from check_rows import check_table
from conftest import REPOSITORY
from pydantic import BaseModel

from faultxfer.contract import codes
from faultxfer.contract.schema import (
    Contract,
    Equipment,
    Label,
    Quality,
    Scale,
    Sensor,
    parse_contract,
)
from faultxfer.contract.units import conversion
from faultxfer.reading import columns
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.long_form import Long
from faultxfer.reading.read_csv import read_csv

DOCUMENT = (REPOSITORY / "docs" / "data-contracts.md").read_text(encoding="utf-8")
CODE = re.compile(r"[A-Z]+(-[A-Z]+)+")


CODES = {**codes.FIXED, **codes.CONFIGURABLE, "SENSOR-OUT-OF-RANGE": "quarantine"}


def section(title: str) -> str:
    found = re.search(
        rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", DOCUMENT, flags=re.MULTILINE | re.DOTALL
    )
    assert found, f"no section {title!r}"
    return found[1]


def block(language: str) -> str:
    text = section("A whole contract")
    found = re.search(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_section_that_says_how_why_and_what_to_do(code: str) -> None:
    text = section(code)
    for part in ("**Detected:**", "**Why it matters:**", "**What to do:**", "Severity"):
        assert part in text


def test_no_section_explains_a_code_that_is_never_given() -> None:
    titles = {
        title
        for title in re.findall(r"^### (.+)$", DOCUMENT, flags=re.MULTILINE)
        if CODE.fullmatch(title)
    }
    assert titles == set(CODES)


TABLES: list[tuple[str, type[BaseModel]]] = [
    ("The contract", Contract),
    ("`label`", Label),
    ("Each sensor", Sensor),
    ("`equipment`", Equipment),
    ("`scale`", Scale),
    ("`quality`", Quality),
    ("`long`", Long),
    ("`csv`", Csv),
]


@pytest.mark.parametrize(("title", "model"), TABLES)
def test_every_field_of_the_schema_is_in_its_table(title: str, model: type[BaseModel]) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", section(title), flags=re.MULTILINE))
    assert list(rows) == list(model.model_fields)
    for name, field in model.model_fields.items():
        assert (rows[name] == "required") is field.is_required(), name


@pytest.mark.parametrize(("title", "model"), TABLES)
def test_the_defaults_in_the_tables_are_those_of_the_schema(
    title: str, model: type[BaseModel]
) -> None:
    shown = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", section(title), flags=re.MULTILINE))
    assert shown
    for name, text in shown.items():
        default = model.model_fields[name].get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            default = default.model_dump(exclude_defaults=True)
        assert yaml.safe_load(text) == (list(default) if isinstance(default, tuple) else default)


def test_the_rules_are_listed_with_what_happens_usually() -> None:
    rows = dict(
        re.findall(r"^\| `([A-Z-]+)` \| `(\w+)` \|", section("`rules`"), flags=re.MULTILINE)
    )
    assert rows == codes.CONFIGURABLE


def test_the_machine_with_other_tags_gets_the_values_shown() -> None:
    text = section("A machine with other tags or units")
    shown = re.search(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    assert shown
    contract = parse_contract(yaml.safe_load(shown[1]), where="the document")
    (own,) = contract.equipment.values()
    rows = re.findall(
        r"^\| `(\S+)` \| `([\d.]+)` \| `(\w+)` .* \| ([\d.]+) \|$", text, flags=re.MULTILINE
    )
    assert {tag: sensor for tag, _, sensor, _ in rows} == own.aliases
    for _, cell, sensor, used in rows:
        unit, scale = contract.sensors[sensor].unit, own.scale.get(sensor, Scale())
        factor, offset = conversion(own.units.get(sensor, unit), unit)
        assert (float(cell) * scale.factor + scale.offset) * factor + offset == pytest.approx(
            float(used), abs=1e-3
        )


def test_the_units_listed_are_understood() -> None:
    sentence = re.search(
        r"Units are written as on the instrument: (.*?) and\s+others", DOCUMENT, re.DOTALL
    )
    assert sentence
    for unit in re.findall(r"`(.+?)`", sentence[1]):
        with pytest.raises(ValueError, match="Cannot convert"):
            conversion(unit, "candela")


def test_the_names_kept_for_bookkeeping_are_listed() -> None:
    assert set(re.findall(r"`(_\w+)`", section("Each sensor"))) == columns.BOOKKEEPING


def test_the_spellings_of_a_missing_cell_are_listed() -> None:
    sentence = re.search(
        r"A cell counts as missing if it is empty or one of (.*?), in capitals", DOCUMENT, re.DOTALL
    )
    assert sentence
    assert {*re.findall(r"`(.+?)`", sentence[1]), ""} == columns.MISSING


def test_the_whole_contract_fits_the_file_shown_beneath_it(tmp_path: Path) -> None:
    contract = parse_contract(yaml.safe_load(io.StringIO(block("yaml"))), where="the document")
    path = tmp_path / "shown.csv"
    path.write_text(block("csv"), encoding="utf-8")
    checked = check_table(read_csv(path), contract, labelled=True)
    assert checked.findings == ()
    assert len(checked.accepted) == 2


def test_the_commands_shown_have_the_options_of_the_command_line() -> None:
    from typer.main import get_command

    from faultxfer.cli.commands import commands

    contract = get_command(commands).commands["contract"].commands  # type: ignore[attr-defined]
    validate = get_command(commands).commands["validate"]  # type: ignore[attr-defined]
    commands = [*contract.values(), validate]
    known = {
        name for command in commands for parameter in command.params for name in parameter.opts
    }
    used = {
        option
        for text in re.findall(r"```console\n(.*?)```", DOCUMENT, re.DOTALL)
        for option in re.findall(r"--[a-z-]+", text)
    }
    assert {"--out", "--label", "--contract"} <= used
    assert used <= known
