"""``learning-curve`` from files to files.

What it says, what it writes, and that the registry stays as it was.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from conftest import World

from faultxfer.cli import main
from faultxfer.contract.schema import load_contract
from faultxfer.registry.store import open_registry
from faultxfer.requests import TransferRequest
from faultxfer.steps.next_commands import after_refusal


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    return int(left.value.code or 0)


def asked(world: World, *more: str, **options: object) -> tuple[str, ...]:
    """The command that a refusal ends with, with options that make it quick."""
    Path("options.yaml").write_text(yaml.safe_dump({"repeats": 2, **options}))
    request = TransferRequest(
        files=(world.target,), contract=world.contract, model="pumps", equipment=world.equipment
    )
    evidence = SimpleNamespace(champion_version=None)
    report = SimpleNamespace(
        contestants=(),
        source_is_better=False,
        evidence=evidence,
        candidate=SimpleNamespace(faults=20, rows=60),
    )
    decision = SimpleNamespace(outcome="refuse")
    (one,) = after_refusal(request, load_contract(world.contract), report, decision)  # type: ignore[arg-type]
    name, command, *words = shlex.split(one.command)
    assert (name, command) == ("faultxfer", "learning-curve")
    return (command, *words, "--config", "options.yaml", "--no-prefect", *more)


def test_the_curve_is_measured_and_nothing_is_registered(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    before = open_registry().models()
    assert call(*asked(world, "--out", "curve", "--json", counts=[30, 45, 60, 90])) == 0
    result = json.loads(capsys.readouterr().out)
    written = json.loads(Path("curve/learning-curve.json").read_text())
    assert result == {"schema_version": 1, "command": "learning-curve", **written}
    assert [point["rows"] for point in result["curve"]["points"]] == [30, 45, 60, 90]
    for point in result["curve"]["points"]:
        assert (
            0
            < point["scratch"]["low"]
            <= point["scratch"]["value"]
            <= point["scratch"]["high"]
            < 1 + 1e-9
        )
    assert Path("curve/learning-curve.png").read_bytes().startswith(b"\x89PNG")
    page = Path("curve/learning-curve.html").read_text()
    assert page.count("data:image/png;base64,") == 1
    report = Path("curve/learning-curve.md").read_text()
    assert all(answer in report for answer in result["answers"])
    assert set(result["short"]) <= set(result["answers"])
    assert shlex.split(result["next"][0]["command"])[:3] == ["faultxfer", "transfer", world.target]
    assert open_registry().models() == before


def test_rows_that_are_too_few_end_with_one_sentence_and_no_files(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*asked(world, "--out", "curve", counts=[3000, 4000, 5000, 6000])) == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: These rows are too few for a learning curve")
    assert "Received: counts=" in said
    assert not Path("curve").exists()
