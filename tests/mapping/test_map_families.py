"""The mapper on the five families that were there before it: right, named, and never applied."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from families import FAMILIES, Family

from faultxfer.cli import main
from faultxfer.contract.schema import load_contract
from faultxfer.contract.units import conversion
from faultxfer.steps.mapping import MappedSensors, map_sensors

families = pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))


@functools.cache
def mapped(name: str, folder: Path, *, like: bool = True) -> MappedSensors:
    family = FAMILIES[name]
    contract, old, new = family.write(folder / name)
    more = [str(old)] if like else None
    return map_sensors([str(new)], contract, family.machine, like=more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("families")


def hits(family: Family, found: MappedSensors) -> list[bool]:
    """For each sensor that is not made alike, whether its first proposal is right."""
    alike = frozenset().union(*family.alike)
    return [
        found.proposals.of(sensor).tag == tag
        for sensor, tag in family.right.items()
        if sensor not in alike
    ]


@families
def test_nine_of_ten_sensors_find_their_column(family: Family, folder: Path) -> None:
    right = hits(family, mapped(family.name, folder))
    assert np.mean(right) >= 0.9


@families
def test_sensors_that_nobody_could_tell_apart_are_named(family: Family, folder: Path) -> None:
    found = mapped(family.name, folder)
    for group in family.alike:
        named = [one for one in found.proposals.alike if group <= set(one.sensors)]
        assert len(named) == 1
        assert {family.written[sensor].tag for sensor in group} <= set(named[0].tags)
        assert not any(found.proposals.of(sensor).sure for sensor in group)


@families
def test_what_the_draft_says_without_a_mark_is_right(family: Family, folder: Path) -> None:
    """Aliases, units and scales that a person would take over unread."""
    entry = yaml.safe_load(mapped(family.name, folder).draft)["equipment"][family.machine]
    assert entry["aliases"]
    for tag, sensor in entry["aliases"].items():
        how = family.written[sensor]
        assert tag == how.tag
        factor, offset = conversion(how.unit, family.units[sensor])
        unit = entry.get("units", {}).get(sensor, family.units[sensor])
        scale = entry.get("scale", {}).get(sensor, {"factor": 1.0})["factor"]
        told = conversion(unit, family.units[sensor])
        assert np.allclose((told[0] * scale, told[1]), (factor / how.stored, offset), rtol=1e-3)


@families
def test_the_draft_fits_the_contract_and_the_contract_stays(family: Family, folder: Path) -> None:
    found = mapped(family.name, folder)
    assert found.contract.read_text(encoding="utf-8") == family.contract()
    whole = yaml.safe_load(family.contract()) | yaml.safe_load(found.draft)
    merged = folder / f"{family.name}-merged.yaml"
    merged.write_text(yaml.safe_dump(whole), encoding="utf-8")
    assert family.machine in load_contract(merged).equipment


@families
def test_without_rows_of_the_source_names_and_units_decide_and_that_is_said(
    family: Family, folder: Path
) -> None:
    found = mapped(family.name, folder, like=False)
    assert found.basis == "names"
    assert "names and units alone" in found.draft
    assert not any(found.proposals.of(sensor).writing.scale != 1 for sensor in family.units)
    if family.name == "fans":  # its codes tell nothing, and no more is claimed
        assert sum(one.sure for one in found.proposals.sensors) <= 6
    entry = yaml.safe_load(found.draft)["equipment"][family.machine]
    assert "lacks" not in entry  # names alone do not show that a sensor is not there


def test_units_and_descriptions_that_a_file_states_are_evidence(folder: Path) -> None:
    told = mapped("compressors", folder).proposals.of("p_out").evidence
    assert "the file says kPa" in told
    assert "names share outlet, pressure" in mapped("fans", folder).draft


def test_the_command_prints_a_draft_that_ends_with_the_next_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    family = FAMILIES["feed-pumps"]
    family.write(Path("in"))
    asked = ["contract", "map", "in/new.csv", "--contract", "in/family.yaml", "--equipment", "P9"]
    with pytest.raises(SystemExit) as left:
        main([*asked, "--like", "in/old.csv"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert yaml.safe_load(shown)["equipment"]["P9"]["units"]["flow"] == "gpm"
    last = shown.splitlines()[-1]
    assert last == "#   faultxfer validate in/new.csv --contract in/family.yaml --equipment P9"


def test_the_command_writes_the_draft_and_answers_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    FAMILIES["fans"].write(Path("in"))
    asked = ["contract", "map", "in/new.csv", "--contract", "in/family.yaml", "--equipment", "f7"]
    asked += ["--like", "in/old.csv", "--out", "draft.yaml"]
    with pytest.raises(SystemExit) as left:
        main([*asked, "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert left.value.code == 0
    assert answer["compared_with"] == "like"
    assert answer["draft"] == Path("draft.yaml").read_text(encoding="utf-8")
    assert {"sensors", "new", "missing", "indistinguishable", "questions"} <= answer.keys()
    with pytest.raises(SystemExit) as left:
        main(asked)
    assert left.value.code == 2
    assert "exists already" in capsys.readouterr().err
    with pytest.raises(SystemExit) as left:
        main([*asked, "--force"])
    shown = capsys.readouterr().out
    assert left.value.code == 0
    assert "Nothing was applied" in shown
    assert "cannot be told apart" in shown
