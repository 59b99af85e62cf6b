"""No machine's numbers are read by the tags and units of another."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from check_rows import CONTRACT, broken, cells, check, only

from faultxfer.contract.outcome import Checked
from faultxfer.contract.schema import Contract, parse_contract

HALF = {"units": {"flow": "m3/h"}, "scale": {"flow": {"factor": 0.5}}}


def contract(*, column: str | None = "pump", **equipment: dict[str, Any]) -> Contract:
    listed = {name.replace("_", "-"): way for name, way in equipment.items()}
    content = CONTRACT.model_dump(exclude_defaults=True) | {
        "equipment_column": column,
        "equipment": listed,
    }
    return parse_contract(content, where="x")


def two_machines(**columns: list[str]) -> pd.DataFrame:
    frame = cells()
    frame["pump"] = ["p1"] * 10 + ["p2"] * 10
    return frame.assign(**columns)


def flows(checked: Checked) -> list[float]:
    return list(checked.accepted["flow"])


def aliases(**tags: str) -> dict[str, dict[str, str]]:
    return {"aliases": tags}


# Misspelt machines


@pytest.mark.parametrize("name", ["P-1", "p_1", "P1", "p 1", " p1 ", "p-01", "p1.0"])
def test_a_machine_called_nearly_like_a_listed_one_is_refused_and_both_are_named(name: str) -> None:
    finding = only(check(cells().assign(pump=name), contract(p_1=HALF)))
    assert (finding.code, finding.severity, finding.column) == (
        "EQUIPMENT-UNKNOWN",
        "refuse",
        "pump",
    )
    assert (finding.expected, finding.received) == ("p-1", name.strip())
    assert repr(name.strip()) in finding.message
    assert "'p-1'" in finding.message


def test_a_listed_machine_and_a_new_one_are_accepted() -> None:
    frame = two_machines()
    checked = check(frame, contract(p1=HALF))
    assert checked.findings == ()
    assert flows(checked) == [(50 + row) * (0.5 if row < 10 else 1) for row in range(20)]


def test_two_listed_machines_may_be_called_nearly_alike() -> None:
    checked = check(cells(), contract(p1=HALF, P_1={}))
    assert checked.findings == ()
    assert flows(checked)[0] == 25


@pytest.mark.parametrize("column", ["pump", None])
@pytest.mark.parametrize("asked", ["P1", "p-1"])
def test_the_machine_asked_for_may_not_be_misspelt(asked: str, column: str | None) -> None:
    finding = only(check(cells(), contract(column=column, p1=HALF), equipment=asked))
    assert (finding.code, finding.expected, finding.received) == ("EQUIPMENT-UNKNOWN", "p1", asked)


def test_only_the_machine_asked_for_must_be_spelt_well() -> None:
    frame = two_machines()
    frame["pump"] = frame["pump"].replace("p2", "P-3")
    assert check(frame, contract(p1=HALF, p3=HALF), equipment="p1").findings == ()


# Machines that nobody names


def test_without_a_column_of_machines_one_must_be_named_where_they_differ() -> None:
    bare = contract(column=None, p1=HALF)
    finding = only(check(cells(), bare))
    assert finding.code == "EQUIPMENT-UNKNOWN"
    assert "--equipment" in finding.remedy
    assert flows(check(cells(), bare, equipment="p1"))[0] == 25
    assert flows(check(cells(), bare, equipment="p2"))[0] == 50


def test_a_listed_machine_that_differs_in_nothing_needs_no_name() -> None:
    assert flows(check(cells(), contract(column=None, p1={})))[0] == 50


def test_the_entry_of_the_family_is_for_files_of_no_named_machine() -> None:
    family = contract(column=None, pumps=HALF)
    assert flows(check(cells(), family))[0] == 25
    assert flows(check(cells(), contract(column=None, pumps=HALF, p2={}), equipment="p2"))[0] == 50
    finding = only(check(cells(), family, equipment="p2"))
    assert (finding.code, finding.received) == ("EQUIPMENT-UNKNOWN", "p2")


def test_a_file_without_rows_says_so_first() -> None:
    assert only(check(cells().iloc[:0], contract(column=None, p1=HALF))).code == "FILE-EMPTY"


# Tags that mean another column for each machine


def test_tags_that_two_machines_turn_round_are_refused() -> None:
    crossed = contract(p1=aliases(X="flow", Y="speed"), p2=aliases(X="speed", Y="flow"))
    frame = two_machines().rename(columns={"flow": "X", "speed": "Y"})
    checked = check(frame, crossed)
    assert [(found.code, found.column, found.received) for found in checked.findings] == [
        ("EQUIPMENT-MIXED", "flow", "X, Y"),
        ("EQUIPMENT-MIXED", "speed", "X, Y"),
    ]
    assert "--equipment" in checked.findings[0].remedy
    for machine, tag in (("p1", "X"), ("p2", "Y")):
        mine = frame[frame["pump"] == machine]
        assert flows(check(frame, crossed, equipment=machine)) == [
            float(cell) for cell in mine[tag]
        ]
        assert flows(check(mine, crossed)) == [float(cell) for cell in mine[tag]]


def test_two_meters_in_one_file_are_refused() -> None:
    own = contract(p1=aliases(F1="flow"), p2=aliases(F2="flow"))
    frame = two_machines(F2=["7"] * 20).rename(columns={"flow": "F1"})
    finding = only(check(frame, own))
    assert (finding.code, finding.received) == ("EQUIPMENT-MIXED", "F1, F2")
    assert set(flows(check(frame, own, equipment="p2"))) == {7}


def test_a_column_found_by_the_tag_of_another_machine_alone_is_refused() -> None:
    frame = two_machines().rename(columns={"flow": "F1"})
    finding = only(check(frame, contract(p1=aliases(F1="flow"))))
    assert (finding.code, finding.received) == ("EQUIPMENT-MIXED", "F1 or none")


def test_one_tag_of_all_machines_is_accepted() -> None:
    frame = two_machines().rename(columns={"flow": "F1"})
    checked = check(frame, contract(p1=aliases(F1="flow"), p2=aliases(F1="flow")))
    assert checked.findings == ()
    assert flows(checked) == [50.0 + row for row in range(20)]


def test_rows_of_no_machine_do_not_count_as_another_machine() -> None:
    frame = broken("pump", _3="n/a", _4="").rename(columns={"flow": "F1"})
    assert only(check(frame, contract(p1=aliases(F1="flow")))).code == "KEY-MISSING"


# Names with spaces around them


@pytest.mark.parametrize("column", ["run", "pump"])
def test_names_with_spaces_around_them_are_one_name_to_every_rule(column: str) -> None:
    sensors = {"flow": {"max_rate": 1.0}, "speed": {"stuck_after": 4}}
    content = CONTRACT.model_dump(exclude_defaults=True) | {
        "sensors": sensors,
        "sampling_period": 60,
    }
    frame = cells().assign(speed="5", fault=["0"] * 10 + ["1"] * 10)
    frame.loc[8, ["flow", "time"]] = ["5000", frame.loc[7, "time"]]
    frame.loc[12, "time"] = "2026-01-01 00:12:30"
    spaced = frame.assign(
        **{column: [f" {name}" if row % 2 else name for row, name in enumerate(frame[column])]}
    )
    told, expected = (
        check(one, parse_contract(content, where="x")).findings for one in (spaced, frame)
    )
    assert {found.code for found in expected} >= {"SENSOR-STUCK", "TIME-DUPLICATE"}
    assert [(found.code, found.line, found.count) for found in told] == [
        (found.code, found.line, found.count) for found in expected
    ]
