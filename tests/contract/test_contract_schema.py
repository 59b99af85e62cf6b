"""A contract file says one thing, or is refused with a sentence that says what to mend."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY

from faultxfer.contract.schema import Contract, load_contract, parse_contract
from faultxfer.errors import ContractError

SMALL = """
family: pumps
label: {column: fault}
sensors:
  flow: {unit: m3/h, min: 0, max: 100}
  speed: {}
"""


def small(**changes: object) -> dict[str, object]:
    return {**yaml.safe_load(SMALL), **changes}


def machine(**own: object) -> dict[str, object]:
    return small(equipment={"pump-9": own})


def test_a_small_contract_gets_the_documented_defaults() -> None:
    contract = parse_contract(small(), where="x")
    assert contract.version == 1
    assert contract.label.normal == ("0", "0.0", "False", "false")
    assert contract.label.fault == ("1", "1.0", "True", "true")
    assert contract.equipment_column is contract.run_column is contract.time_column is None
    speed = contract.sensors["speed"]
    assert (speed.unit, speed.min, speed.max, speed.max_missing, speed.on_breach) == (
        "",
        None,
        None,
        0.2,
        "quarantine",
    )


def test_the_shipped_contract_means_what_its_long_form_meant() -> None:
    # The file as 0.1.0 shipped it; models made with it carry this digest.
    long = load_contract(Path(__file__).with_name("pumps_long_form.yaml"))
    short = load_contract(REPOSITORY / "data_contracts" / "pumps.yaml")
    assert short == long
    assert short.digest() == "e11e20ddc728f5239402804b3b525fdf7184f5bc1315aae6c5b20c220abb7f22"


def test_features_keep_the_order_of_the_file() -> None:
    assert parse_contract(small(), where="x").features == ("flow", "speed")


WRONG = {
    "nothing at all": (None, "contract:"),
    "a list": ([], "contract:"),
    "an unknown field": (small(sensor={}), "sensor: Extra inputs"),
    "an unknown field of a sensor": (
        small(sensors={"flow": {"maximum": 3}}),
        "sensors.flow.maximum: Extra inputs",
    ),
    "another version": (small(version=2), "version:"),
    "no sensor": (small(sensors={}), "sensors:"),
    "no label": ({"family": "pumps", "sensors": {"flow": {}}}, "label: Field required"),
    "an empty family": (small(family=""), "family:"),
    "min above max": (
        small(sensors={"flow": {"min": 3, "max": 2}}),
        "min must lie below max. Received: min=3",
    ),
    "min equal to max": (small(sensors={"flow": {"min": 2, "max": 2}}), "min must lie below max"),
    "a share above one": (small(sensors={"flow": {"max_missing": 20}}), "max_missing:"),
    "an unknown breach": (small(sensors={"flow": {"on_breach": "ignore"}}), "on_breach:"),
    "a spelling of both classes": (
        small(label={"column": "fault", "normal": ["0", "?"], "fault": ["1", "?"]}),
        "cannot mean both normal and fault",
    ),
    "no spelling of a class": (small(label={"column": "fault", "fault": []}), "label.fault:"),
    "spellings without quotes": (
        small(label={"column": "fault", "normal": [0]}),
        "label.normal.0: Input should be a",
    ),
    "a column with two roles": (
        small(run_column="flow"),
        r"each column has exactly one role. Received: \['flow'\]",
    ),
    "an ignored sensor": (small(ignore=["speed"]), r"exactly one role. Received: \['speed'\]"),
    "a label that is a sensor": (
        small(label={"column": "flow"}),
        r"exactly one role. Received: \['flow'\]",
    ),
    "a bookkeeping name": (
        small(sensors={"_row": {}}),
        r"kept for bookkeeping. Received: \['_row'\]",
    ),
    "a rate of nothing": (small(sensors={"flow": {"max_rate": 0}}), "sensors.flow.max_rate:"),
    "an infinite limit": (small(sensors={"flow": {"max": float("inf")}}), "sensors.flow.max:"),
    "stuck after one row": (
        small(sensors={"flow": {"stuck_after": 1}}),
        "sensors.flow.stuck_after:",
    ),
    "an unknown type": (small(sensors={"flow": {"dtype": "text"}}), "sensors.flow.dtype:"),
    "no time between rows": (small(sampling_period=0), "sampling_period:"),
    "a rule nobody knows": (
        small(rules={"SENSOR-STICKY": "warn"}),
        "SENSOR-STUCK, .*Received: SENSOR-STICKY",
    ),
    "a rule that is fixed": (small(rules={"FILE-EMPTY": "warn"}), "Received: FILE-EMPTY"),
    "a rule with another word": (small(rules={"SENSOR-STUCK": "ignore"}), "rules.SENSOR-STUCK:"),
    "a tag for no column": (
        machine(aliases={"PT-101": "pressure"}),
        r"pump-9' names columns .*\['pressure'\]",
    ),
    "two tags for a column": (
        machine(aliases={"a": "flow", "b": "flow"}),
        r"one tag.*for \['flow'\]",
    ),
    "a unit of no sensor": (machine(units={"pressure": "psi"}), r"names columns .*\['pressure'\]"),
    "a unit of the label": (machine(units={"fault": "%"}), r"names columns .*\['fault'\]"),
    "a scale of no sensor": (machine(scale={"pressure": {}}), r"names columns .*\['pressure'\]"),
    "a unit of another quantity": (
        machine(units={"flow": "psi"}),
        "'pump-9', sensor 'flow': two units of the same",
    ),
    "an unknown unit": (machine(units={"flow": "buckets"}), "'buckets' is not defined"),
    "a unit beside none": (
        machine(units={"speed": "rpm"}),
        "'pump-9', sensor 'speed': .*'rpm' and ''",
    ),
    "a factor of nothing": (
        machine(scale={"flow": {"factor": 0}}),
        "make every value the same. Received: factor=0",
    ),
    "an unknown field of a machine": (machine(tags={}), "equipment.pump-9.tags: Extra inputs"),
    "an unknown field of a scale": (
        machine(scale={"flow": {"gain": 2}}),
        "equipment.pump-9.scale.flow.gain: Extra",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_contract_is_refused_with_the_field_and_the_reason(name: str) -> None:
    content, reason = WRONG[name]
    with pytest.raises(ContractError, match=reason) as caught:
        parse_contract(content, where="pumps.yaml")
    assert caught.value.where == "pumps.yaml"
    assert "docs/data-contracts.md" in str(caught.value)


def test_a_machine_may_have_its_own_tags_units_and_scales() -> None:
    own = {
        "aliases": {"FT-7": "flow", "Alarm": "fault"},
        "units": {"flow": "l/min"},
        "scale": {"flow": {"factor": 0.1}},
    }
    equipment = parse_contract(machine(**own), where="x").equipment["pump-9"]
    assert equipment.aliases == own["aliases"]
    assert (equipment.scale["flow"].factor, equipment.scale["flow"].offset) == (0.1, 0)


def test_tags_may_swap_the_names_of_two_columns() -> None:
    assert parse_contract(machine(aliases={"flow": "speed", "speed": "flow"}), where="x").equipment


def test_a_rule_has_the_severity_set_and_else_the_usual_one() -> None:
    contract = parse_contract(small(rules={"SENSOR-STUCK": "refuse"}), where="x")
    assert contract.severity("SENSOR-STUCK") == "refuse"
    assert contract.severity("TIME-GAP") == "warn"
    assert contract.severity("FILE-EMPTY") == "refuse"


def test_at_most_five_problems_are_named() -> None:
    wrong = small(sensors={f"s{number}": {"min": "low"} for number in range(9)})
    with pytest.raises(ContractError) as caught:
        parse_contract(wrong, where="x")
    problems = caught.value.received["problems"]
    assert isinstance(problems, list)
    assert len(problems) == 5


def test_a_contract_cannot_be_changed_once_it_is_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse_contract(small(), where="x").family = "fans"  # type: ignore[misc]


def test_the_digest_is_that_of_the_meaning_not_of_the_spelling() -> None:
    plain = parse_contract(yaml.safe_load(SMALL), where="a")
    spelt_out = parse_contract(
        yaml.safe_load(f"# a comment\nversion: 1\n{SMALL}ignore: []\n"), where="b"
    )
    assert plain.digest() == spelt_out.digest()


@pytest.mark.parametrize(
    "changed",
    [
        small(family="fans"),
        small(sensors={"speed": {}, "flow": {"unit": "m3/h", "min": 0, "max": 100}}),
        small(sensors={"flow": {"unit": "m3/h", "min": 0, "max": 101}, "speed": {}}),
        small(ignore=["note"]),
        small(rules={"TIME-GAP": "refuse"}),
        machine(units={"flow": "l/min"}),
    ],
    ids=["family", "order of the sensors", "limit", "ignore", "rules", "equipment"],
)
def test_another_meaning_has_another_digest(changed: dict[str, object]) -> None:
    assert (
        parse_contract(changed, where="x").digest() != parse_contract(small(), where="x").digest()
    )


def test_the_contract_of_the_simulated_fleet_follows_the_schema() -> None:
    for path in sorted((REPOSITORY / "data_contracts").glob("*.yaml")):
        assert isinstance(load_contract(path), Contract)


def test_a_missing_contract_file_is_an_error_that_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"absent\.yaml.*faultxfer contract infer"):
        load_contract(tmp_path / "absent.yaml")


@pytest.mark.parametrize("content", [b"family: [pumps", b"family: \xff", b"a: b: c"])
def test_a_file_that_is_no_yaml_is_an_error_that_names_the_file(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "pumps.yaml"
    path.write_bytes(content)
    with pytest.raises(ContractError, match=r"not written in YAML.*pumps\.yaml"):
        load_contract(path)
