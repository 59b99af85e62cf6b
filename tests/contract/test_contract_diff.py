"""A change is told in words.

And old models are called invalid where their inputs or their answer changed meaning.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from faultxfer.cli import main
from faultxfer.contract.diff import ContractDiff, diff_contracts
from faultxfer.contract.schema import Contract, Equipment, Label, Sensor, parse_contract
from faultxfer.reading.csv_options import Csv

BASE: dict[str, Any] = {
    "family": "pumps",
    "label": {"column": "fault", "normal": ["ok"], "fault": ["nok"]},
    "equipment_column": "machine",
    "run_column": "run",
    "sensors": {
        "pressure": {"unit": "bar", "min": 0, "max": 40, "max_rate": 2},
        "speed": {"unit": "rpm"},
        "output": {},
    },
    "ignore": ["note"],
    "equipment": {"pump-9": {"aliases": {"PT-101": "pressure"}, "units": {"pressure": "psi"}}},
}


def changed(**changes: Any) -> dict[str, Any]:
    """BASE with values set by their path, with ``__`` for a dot; None takes the field out."""
    content = copy.deepcopy(BASE)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = content
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is None:
            del place[last]
        else:
            place[last] = value
    return content


def diff(new: dict[str, Any], old: dict[str, Any] = BASE) -> ContractDiff:
    return diff_contracts(parse_contract(old, where="A"), parse_contract(new, where="B"))


def machine(**own: Any) -> dict[str, Any]:
    return changed(equipment={"pump-9": {**BASE["equipment"]["pump-9"], **own}})


NOT_VALID = {
    "a sensor added": (changed(sensors__flow={}), "sensors.flow", "added"),
    "a sensor removed": (changed(sensors__output=None), "sensors.output", "removed"),
    "another unit": (
        changed(sensors__speed__unit="Hz"),
        "sensors.speed.unit",
        "1 rpm is 0.0166667 Hz",
    ),
    "another quantity": (
        changed(sensors__speed__unit="bar"),
        "sensors.speed.unit",
        "another quantity",
    ),
    "gauge said on one side": (
        changed(sensors__pressure__unit="barg", equipment={}),
        "sensors.pressure.unit",
        "one side only",
    ),
    "a unit where none was": (
        changed(sensors__output__unit="%"),
        "sensors.output.unit",
        "nobody can tell",
    ),
    "another label column": (changed(label__column="alarm"), "label.column", "another column"),
    "classes swapped": (
        changed(label={"column": "fault", "normal": ["nok"], "fault": ["ok"]}),
        "label.normal",
        "other",
    ),
    "another family": (changed(family="fans"), "family", "another family"),
}


@pytest.mark.parametrize("name", NOT_VALID)
def test_models_are_not_valid_where_inputs_or_answer_changed(name: str) -> None:
    new, field, meaning = NOT_VALID[name]
    found = diff(new)
    (change,) = [change for change in found.changes if change.field == field]
    assert meaning in change.meaning
    assert not found.models_valid
    assert "NOT valid" in found.verdict
    assert field in found.verdict
    assert "Pretrain again" in found.verdict


VALID = {
    "rows of other modes": (
        changed(where={"mode": ["RUN"]}),
        "where",
        "–",
        '{"mode": ["RUN"]}',
        "may not know",
    ),
    "an operating mode": (
        changed(mode_column="mode"),
        "mode_column",
        "–",
        "mode",
        "no model sees it",
    ),
    "when it runs": (
        changed(running={"mode": ["RUN"]}),
        "running",
        "–",
        '{"mode": ["RUN"]}',
        "no model sees it",
    ),
    "rows without a label": (
        changed(label__unknown=["?"]),
        "label.unknown",
        "–",
        '["?"]',
        "? is understood now",
    ),
    "rows that are excluded": (
        changed(label__exclude=["service"]),
        "label.exclude",
        "–",
        '["service"]',
        "service is understood now",
    ),
    "what a blank label means": (
        changed(label__blank="exclude"),
        "label.blank",
        "unknown",
        "exclude",
        "count as exclude now",
    ),
    "types of fault": (
        changed(label__fault={"bearing": ["nok"]}),
        "label.fault",
        '["nok"]',
        '{"bearing": ["nok"]}',
        "the same rows are faults",
    ),
    "a higher maximum": (
        changed(sensors__pressure__max=50),
        "sensors.pressure.max",
        "40",
        "50",
        "wider",
    ),
    "a lower maximum": (
        changed(sensors__pressure__max=30.5),
        "sensors.pressure.max",
        "40",
        "30.5",
        "narrower",
    ),
    "a lower minimum": (
        changed(sensors__pressure__min=-1),
        "sensors.pressure.min",
        "0",
        "-1",
        "wider",
    ),
    "a higher minimum": (
        changed(sensors__pressure__min=1),
        "sensors.pressure.min",
        "0",
        "1",
        "narrower",
    ),
    "no maximum": (
        changed(sensors__pressure__max=None),
        "sensors.pressure.max",
        "40",
        "–",
        "wider: no upper",
    ),
    "a first maximum": (changed(sensors__speed__max=9), "sensors.speed.max", "–", "9", "narrower"),
    "more missing": (
        changed(sensors__speed__max_missing=0.5),
        "sensors.speed.max_missing",
        "0.2",
        "0.5",
        "wider",
    ),
    "slower": (
        changed(sensors__pressure__max_rate=1),
        "sensors.pressure.max_rate",
        "2",
        "1",
        "narrower",
    ),
    "stuck sooner": (
        changed(sensors__speed__stuck_after=9),
        "sensors.speed.stuck_after",
        "–",
        "9",
        "narrower",
    ),
    "whole": (
        changed(sensors__speed__dtype="whole"),
        "sensors.speed.dtype",
        "number",
        "whole",
        "fractions break",
    ),
    "yes and no": (
        changed(sensors__output__dtype="bool"),
        "sensors.output.dtype",
        "number",
        "bool",
        "as 1 and 0",
    ),
    "milder": (
        changed(sensors__speed__on_breach="warn"),
        "sensors.speed.on_breach",
        "quarantine",
        "warn",
        "milder",
    ),
    "limits drafted": (
        changed(sensors__speed__drafted=True),
        "sensors.speed.drafted",
        "false",
        "true",
        "told, and no more",
    ),
    "stricter": (
        changed(rules={"SENSOR-STUCK": "refuse"}),
        "rules.SENSOR-STUCK",
        "warn",
        "refuse",
        "stricter",
    ),
    "a unit spelt otherwise": (
        changed(sensors__speed__unit="RPM"),
        "sensors.speed.unit",
        "rpm",
        "RPM",
        "same unit",
    ),
    "a spelling more": (
        changed(label__fault=["nok", "bad"]),
        *("label.fault", '["nok"]', '["nok", "bad"]', "bad is understood now"),
    ),
    "a spelling less": (
        changed(label__fault=["bad"]),
        *(
            "label.fault",
            '["nok"]',
            '["bad"]',
            "bad is understood now; rows with nok are set aside now",
        ),
    ),
    "sensors reordered": (
        changed(sensors={name: BASE["sensors"][name] for name in ("speed", "pressure", "output")}),
        *(
            "sensors",
            "pressure, speed, output",
            "speed, pressure, output",
            "finds its sensors by name",
        ),
    ),
    "a part": (changed(slices=["mode"]), "slices", "–", '["mode"]', "no model sees them"),
    "an ignored column": (changed(ignore=[]), "ignore", '["note"]', "–", "no model ever sees"),
    "no run column": (changed(run_column=None), "run_column", "run", "–", "held out"),
    "fewer filled in": (changed(max_imputed=0.2), "max_imputed", "0.5", "0.2", "set aside"),
    "not filled in": (
        changed(sensors__speed__impute=False),
        "sensors.speed.impute",
        "true",
        "false",
        "set aside",
    ),
    "a period": (changed(sampling_period=60), "sampling_period", "–", "60", "gap"),
    "a pin": (changed(csv={"decimal": ","}), "csv.decimal", "–", ",", "how files are read"),
    "a tag more": (
        machine(aliases={"PT-101": "pressure", "ST-1": "speed"}),
        *("equipment.pump-9.aliases → speed", "–", "ST-1", "tag for the column"),
    ),
    "a machine's unit spelt otherwise": (
        machine(units={"pressure": "PSI"}),
        *("equipment.pump-9.units.pressure", "psi", "PSI", "same numbers"),
    ),
}


@pytest.mark.parametrize("name", VALID)
def test_models_remain_valid_where_only_checks_and_reading_changed(name: str) -> None:
    new, field, *told, meaning = VALID[name]
    found = diff(new)
    (change,) = found.changes
    assert (change.field, [change.old, change.new]) == (field, told)
    assert meaning in change.meaning
    assert found.models_valid
    assert found.machines == ()
    assert (
        f"remain valid: their inputs and their answer mean what they meant. Changed: {change.kind}."
        in found.verdict
    )


OTHER_NUMBERS = {
    "another unit": (machine(units={"pressure": "kPa"}), "equipment.pump-9.units.pressure"),
    "a scale": (machine(scale={"speed": {"factor": 10}}), "equipment.pump-9.scale.speed"),
    "another tag": (machine(aliases={"PT-102": "pressure"}), "equipment.pump-9.aliases → pressure"),
    "a sensor less": (machine(lacks=["speed"]), "equipment.pump-9.lacks"),
}


@pytest.mark.parametrize("name", OTHER_NUMBERS)
def test_models_of_a_machine_whose_rows_give_other_numbers_are_excepted(name: str) -> None:
    new, field = OTHER_NUMBERS[name]
    found = diff(new)
    assert [change.field for change in found.changes] == [field]
    assert found.models_valid
    assert found.machines == ("pump-9",)
    assert "except those trained with rows of pump-9" in found.verdict


def test_a_unit_and_a_scale_that_cancel_out_give_the_same_numbers() -> None:
    new = machine(units={"pressure": "kPa"}, scale={"pressure": {"factor": 6.894757293168361}})
    assert diff(new).machines == ()
    assert len(diff(new).changes) == 2


def test_another_tag_for_the_run_leaves_the_numbers_alone() -> None:
    old, new = (machine(aliases={tag: "run"}) for tag in ("batch", "campaign"))
    assert diff(new, old).machines == ()
    assert [change.new for change in diff(new, old).changes] == ["campaign"]


def test_limits_in_another_unit_are_not_called_wider() -> None:
    found = diff(changed(sensors__pressure={"unit": "kPa", "min": 0, "max": 4000, "max_rate": 200}))
    assert [
        change.meaning for change in found.changes if change.field.endswith(("max", "rate"))
    ] == ["a limit in the new unit"] * 2


def test_what_is_spelt_out_or_commented_is_no_change() -> None:
    spelt_out = changed(
        version=1,
        sensors__output={"on_breach": "quarantine"},
        rules={"SENSOR-STUCK": "warn"},
        equipment__spare={},
    )
    found = diff(spelt_out)
    assert found.changes == ()
    assert "mean the same" in found.verdict
    assert found.as_dict()["same"] is True


TIMED = {**BASE, "time_column": "time"}


@pytest.mark.parametrize(
    ("old", "new", "valid"),
    [
        ({}, {"hold": "10min"}, False),
        ({"hold": "10min"}, {}, False),
        ({"hold": "10min"}, {"hold": "5min"}, True),
        ({}, {"quality": {"column": "q"}}, True),
    ],
)
def test_holding_decides_whether_models_remain_valid(
    old: dict[str, Any], new: dict[str, Any], valid: bool
) -> None:
    before, after = ({**TIMED, "sensors": {**BASE["sensors"], "output": own}} for own in (old, new))
    found = diff(after, before)
    assert found.models_valid is valid
    (change,) = found.changes
    assert change.field.startswith("sensors.output.")


def test_the_shape_of_the_files_changes_no_model() -> None:
    long = {"time": "time", "tag": "name", "value": "value"}
    found = diff({**TIMED, "long": long}, TIMED)
    assert found.models_valid
    assert [change.field for change in found.changes] == ["long"]


def test_no_field_of_the_schema_is_forgotten() -> None:
    """Each field, changed by itself, is told."""
    told = {
        *{
            change.field
            for new in [*NOT_VALID.values(), *VALID.values()]
            for change in diff(new[0]).changes
        },
        *{change.field for new in OTHER_NUMBERS.values() for change in diff(new[0]).changes},
    }
    last = {part for field in told for part in field.replace(" → ", ".").split(".")}
    # Told field by field, by one line of code each.
    simple = {
        "long",
        "tag_files",
        "quality",
        "keep",
        "hold",
        "log",
        "equipment_column",
        "time_column",
        "version",
        "csv",
        *Csv.model_fields,
    }
    for model in (Contract, Label, Sensor, Equipment):
        assert set(model.model_fields) - simple <= last


contracts = st.builds(
    lambda names, limit, unit: changed(
        sensors={name: {"unit": unit, "max": limit} for name in names}, equipment={}, ignore=[]
    ),
    st.lists(st.sampled_from("abcd"), min_size=1, unique=True),
    st.one_of(st.none(), st.integers(1, 5)),
    st.sampled_from(["", "bar", "psi"]),
)


@given(contracts, contracts)
def test_the_same_digest_means_no_change_and_validity_goes_both_ways(one: Any, two: Any) -> None:
    first, second = parse_contract(one, where="A"), parse_contract(two, where="B")
    forth, back = diff_contracts(first, second), diff_contracts(second, first)
    assert (first.digest() == second.digest()) == (forth.changes == ())
    assert forth.models_valid == back.models_valid
    assert {change.field for change in forth.changes} == {change.field for change in back.changes}


# The command


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["contract", "diff", *arguments])
    return int(left.value.code or 0)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    contents = {
        "old.yaml": BASE,
        "new.yaml": changed(sensors__pressure__max=50, sensors__speed__unit="Hz"),
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(yaml.safe_dump(content, sort_keys=False))
    return str(tmp_path / "old.yaml"), str(tmp_path / "new.yaml")


def test_the_table_shows_each_change_and_the_verdict(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*files) == 0
    shown = capsys.readouterr().out
    for text in (
        "sensors.pressure.max",
        "40",
        "50",
        "wider: more rows pass",
        "NOT valid, because of sensors.speed.unit",
    ):
        assert text in shown


def test_the_json_object_holds_the_same(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*files, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["old"], result["new"]) == files
    assert (result["same"], result["models_valid"], result["machines_not_valid"]) == (
        False,
        False,
        [],
    )
    assert [(change["field"], change["ends"]) for change in result["changes"]] == [
        ("sensors.pressure.max", "none"),
        ("sensors.speed.unit", "all"),
    ]


def test_equal_contracts_are_told_and_the_exit_code_is_0(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(files[0], files[0]) == 0
    assert "mean the same" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "a: b: c", "family: pumps"])
def test_an_unreadable_contract_is_exit_code_2(
    content: str | None, files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.yaml"
    if content is not None:
        other.write_text(content)
    for pair in ((files[0], str(other)), (str(other), files[0])):
        assert call(*pair) == 2
        assert "other.yaml" in capsys.readouterr().err
