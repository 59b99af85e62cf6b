"""A row with a missing reading passes where the contract and the model allow it to be filled in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from check_rows import CONTRACT, ROWS, blank_flow, broken, cells, check, only, with_sensor

from faultxfer.contract.diff import diff_contracts
from faultxfer.contract.schema import Contract

FLOW, BOTH = frozenset({"flow"}), frozenset({"flow", "speed"})
# Of the release before the two keys.
DIGEST = "3283c41a3b7131a9313cfe44a721db4e159a8eda8a1142a0f53c74115475f43b"


@pytest.mark.parametrize("cell", ["", "n/a", "#NV", "Bad Input", "-"])
def test_a_row_that_can_be_filled_in_is_accepted_and_counted(cell: str) -> None:
    checked = check(broken("flow", _4=cell, _9=cell), fills=FLOW)
    finding = only(checked)
    assert (finding.code, finding.severity, finding.count) == ("SENSOR-IMPUTED", "warn", 2)
    assert (finding.column, finding.line) == ("flow", 7)
    assert len(checked.accepted) == ROWS
    assert np.flatnonzero(checked.accepted["flow"].isna()).tolist() == [4, 9]


def test_without_a_model_rows_are_set_aside_as_before() -> None:
    checked = check(blank_flow(3))
    assert (only(checked).code, only(checked).severity) == ("SENSOR-MISSING", "quarantine")
    assert only(checked).message.endswith("predicts what is missing, 3 of them can be used")
    assert len(checked.accepted) == ROWS - 3


def test_a_sensor_that_the_model_cannot_fill_in_sets_the_row_aside() -> None:
    frame = broken("flow", _4="")
    frame.loc[7, "speed"] = ""
    checked = check(frame, fills=FLOW)
    assert {(f.code, f.column) for f in checked.findings} == {
        ("SENSOR-IMPUTED", "flow"),
        ("SENSOR-MISSING", "speed"),
    }
    assert len(checked.accepted) == ROWS - 1
    assert checked.accepted["speed"].notna().all()


def test_a_row_that_lacks_both_kinds_is_set_aside() -> None:
    frame = broken("flow", _4="")
    frame.loc[4, "speed"] = ""
    checked = check(frame, fills=FLOW)
    assert {finding.code for finding in checked.findings} == {"SENSOR-MISSING"}
    assert len(checked.accepted) == ROWS - 1


def test_the_contract_can_keep_a_sensor_from_being_filled_in() -> None:
    checked = check(blank_flow(2), with_sensor(impute=False), fills=BOTH)
    assert only(checked).code == "SENSOR-MISSING"
    alone = only(check(blank_flow(2), with_sensor(impute=False)))
    assert alone.message == "Sensor 'flow' has no value in 2 row(s)"


@pytest.mark.parametrize(("share", "passes"), [(0.0, False), (0.49, False), (0.5, True)])
def test_more_missing_sensors_than_max_imputed_set_the_row_aside(
    share: float, passes: bool
) -> None:
    contract = CONTRACT.model_copy(update={"max_imputed": share})
    checked = check(blank_flow(2), contract, fills=BOTH)
    assert (only(checked).code == "SENSOR-IMPUTED") is passes


def test_above_max_missing_the_file_is_refused_whoever_could_fill_it_in() -> None:
    checked = check(blank_flow(7), fills=BOTH)
    assert (only(checked).code, only(checked).severity) == ("SENSOR-MISSING", "refuse")


def test_text_is_not_filled_in() -> None:
    checked = check(broken("flow", _4="broken"), fills=BOTH)
    assert only(checked).code == "SENSOR-NOT-A-NUMBER"
    assert len(checked.accepted) == ROWS - 1


def test_a_column_that_is_the_label_is_found_with_gaps_in_it() -> None:
    frame = cells(40)
    frame["flow"] = np.where(frame["fault"] == "1", "90", "10")
    frame.loc[5, "flow"] = frame.loc[8, "flow"] = ""
    assert "LABEL-LEAK" in {finding.code for finding in check(frame, fills=FLOW).findings}


def test_rules_of_neighbours_look_across_a_gap() -> None:
    frame = broken("flow", _4="")
    frame["flow"] = [cell and "50" for cell in frame["flow"]]
    stuck = check(frame, with_sensor(stuck_after=ROWS - 1), fills=FLOW)
    assert {finding.code for finding in stuck.findings} == {"SENSOR-IMPUTED", "SENSOR-STUCK"}
    jump = broken("flow", _4="", _5="99")
    fast = check(jump, with_sensor(max_rate=0.1), fills=FLOW)
    places = fast.rejected["_line"].tolist()
    assert places == [8, 9]  # the jump, and the way back


def test_a_contract_without_the_new_keys_means_what_it_meant() -> None:
    assert CONTRACT.digest() == DIGEST
    assert with_sensor(impute=False).digest() != with_sensor().digest()
    other = CONTRACT.model_copy(update={"max_imputed": 0.1})
    assert other.digest() != CONTRACT.digest()


@pytest.mark.parametrize(
    ("new", "field", "meaning"),
    [
        (with_sensor(impute=False), "sensors.flow.impute", "rows without its value are set aside"),
        (
            CONTRACT.model_copy(update={"max_imputed": 0.1}),
            "max_imputed",
            "rows with more missing sensors are set aside, others filled",
        ),
    ],
)
def test_the_diff_says_what_a_change_means(new: Contract, field: str, meaning: str) -> None:
    (change,) = diff_contracts(CONTRACT, new).changes
    assert (change.field, change.meaning, change.ends) == (field, meaning, "none")
    (back,) = diff_contracts(new, CONTRACT).changes
    assert back.ends == "none"


def test_copies_with_the_same_gap_are_copies() -> None:
    frame = broken("flow", _4="")
    twice = pd.concat([frame, frame.iloc[[4]]], ignore_index=True)
    codes = {finding.code for finding in check(twice, fills=FLOW).findings}
    assert "ROW-DUPLICATE" in codes
