"""A sensor that stops: which rows a version goes on with, by file and by what it can fill in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from check_rows import CONTRACT, cells, check

from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.findings import absent_sensors
from faultxfer.reading import columns

FLOW = frozenset({"flow"})
BOTH = frozenset({"flow", "speed"})
SCORING = {"labelled": False, "fills": FLOW}


def codes(outcome: object) -> list[tuple[str, str]]:
    return [(one.code, one.severity) for one in outcome.findings]  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["no column", "an empty column", "a column of dashes"])
def test_a_file_without_a_reading_of_a_sensor_is_scored_where_it_is_filled_in(kind: str) -> None:
    rows = cells().drop(columns="flow") if kind == "no column" else cells()
    if kind != "no column":
        rows["flow"] = "" if kind == "an empty column" else "--"
    outcome = check(rows, **SCORING)
    assert codes(outcome) == [("SENSOR-GONE", "warn")]
    (finding,) = outcome.findings
    assert (finding.column, finding.count) == ("flow", len(rows))
    assert "`--without flow` at `faultxfer transfer`" in finding.remedy
    assert len(outcome.accepted) == len(rows)
    assert outcome.accepted["flow"].isna().all()


def test_what_another_machine_of_the_file_reads_is_no_reading_of_this_one() -> None:
    rows = pd.concat([cells().assign(flow=""), cells().assign(pump="p2")])
    outcome = check(rows, equipment="p1", **SCORING)
    assert codes(outcome) == [("SENSOR-GONE", "warn")]
    assert len(outcome.accepted) == len(cells())


@pytest.mark.parametrize("kind", ["no column", "an empty column"])
def test_it_stays_a_refusal_where_a_model_is_made_or_cannot_fill_it_in(kind: str) -> None:
    rows = cells().drop(columns="flow") if kind == "no column" else cells().assign(flow="")
    code = "COLUMN-MISSING" if kind == "no column" else "SENSOR-ALL-MISSING"
    for options in ({"fills": FLOW}, {"labelled": False}):
        outcome = check(rows, **options)  # type: ignore[arg-type]
        assert codes(outcome) == [(code, "refuse")]
        assert absent_sensors(outcome.findings) == ("flow",)
    assert "does not go on without flow" in outcome.findings[0].remedy


def test_only_what_cannot_be_filled_in_is_said_to_be_needed() -> None:
    contract = with_sensors(4)
    rows = cells().assign(temp="1", load="2").drop(columns=["flow", "speed"])
    outcome = check(rows, contract, labelled=False, fills=FLOW)
    assert ("COLUMN-MISSING", "refuse") in codes(outcome)
    assert absent_sensors(outcome.findings) == ("speed",)


def test_a_file_of_which_most_is_missing_is_another_one() -> None:
    contract = with_sensors(4).model_copy(update={"max_imputed": 0.4})
    fills = frozenset(contract.sensors)
    rows = cells().assign(temp="1", load="2").drop(columns=["flow", "speed"])
    assert ("COLUMN-MISSING", "refuse") in codes(check(rows, contract, labelled=False, fills=fills))
    one = cells().assign(temp="1", load="2").drop(columns="flow")
    assert codes(check(one, contract, labelled=False, fills=fills)) == [("SENSOR-GONE", "warn")]


def test_a_column_that_is_only_misspelt_is_asked_about() -> None:
    outcome = check(cells().rename(columns={"flow": "flwo"}), **SCORING)
    assert codes(outcome)[0] == ("COLUMN-MISSING", "refuse")
    assert "Is it 'flwo' for 'flow'?" in outcome.findings[0].remedy


def with_sensors(count: int) -> Contract:
    content = CONTRACT.model_dump(mode="json")
    for name in ("temp", "load")[: count - 2]:
        content["sensors"][name] = {}
    return parse_contract(content, "test")


# From some moment on


@pytest.mark.parametrize("lost", [10, 17])
def test_what_is_lost_half_way_does_not_refuse_what_was_there_before(lost: int) -> None:
    rows = cells()
    rows.loc[20 - lost :, "speed"] = ""
    outcome = check(rows, **SCORING)
    assert codes(outcome) == [("SENSOR-MISSING", "quarantine")]
    assert outcome.accepted[columns.ROW].tolist() == [*range(20 - lost)]
    refused = check(rows, labelled=True, fills=FLOW)
    assert codes(refused) == [("SENSOR-MISSING", "refuse")]


def test_what_is_lost_half_way_and_filled_in_is_scored() -> None:
    rows = cells()
    rows.loc[5:, "flow"] = ""
    outcome = check(rows, **SCORING)
    assert codes(outcome) == [("SENSOR-IMPUTED", "warn")]
    assert outcome.accepted["flow"].isna().sum() == 15


def test_where_no_row_is_left_for_want_of_a_sensor_the_refusal_names_it() -> None:
    gone = frozenset({"speed"})
    outcome = check(cells(), labelled=False, fills=FLOW, without=gone)
    assert codes(outcome)[0] == ("ROWS-NONE-LEFT", "refuse")
    assert absent_sensors(outcome.findings) == ("speed",)


def stuck(severity: str, rows: int = 12) -> tuple[Contract, pd.DataFrame]:
    content = CONTRACT.model_dump(mode="json")
    content["sensors"]["flow"]["stuck_after"] = 5
    content["rules"] = {"SENSOR-STUCK": severity}
    frame = cells()
    frame.loc[20 - rows :, "flow"] = "77"
    return parse_contract(content, "test"), frame


def test_a_stuck_sensor_is_filled_in_where_such_rows_were_set_aside() -> None:
    contract, rows = stuck("quarantine")
    outcome = check(rows, contract, **SCORING)
    assert codes(outcome) == [("SENSOR-STUCK", "warn")]
    assert "12 of them are scored with the reading filled in" in outcome.findings[0].message
    np.testing.assert_array_equal(outcome.accepted["flow"].isna(), np.arange(20) >= 8)


@pytest.mark.parametrize(
    ("severity", "fills", "accepted"),
    [("warn", FLOW, 20), ("quarantine", frozenset({"speed"}), 8), ("quarantine", frozenset(), 8)],
)
def test_a_stuck_sensor_else_stays_what_the_contract_says(
    severity: str, fills: frozenset[str], accepted: int
) -> None:
    contract, rows = stuck(severity)
    outcome = check(rows, contract, labelled=False, fills=fills)
    assert codes(outcome) == [("SENSOR-STUCK", severity)]
    assert len(outcome.accepted) == accepted
    assert outcome.accepted["flow"].notna().all()


def test_a_stuck_sensor_beside_a_missing_one_counts_among_what_is_filled_in() -> None:
    contract, rows = stuck("quarantine")
    rows.loc[15:, "speed"] = ""
    strict = contract.model_copy(update={"max_imputed": 0.5})
    outcome = check(rows, strict, labelled=False, fills=BOTH)
    assert len(outcome.accepted) == 15
    assert outcome.accepted["flow"].isna().sum() == 7


def test_a_sensor_and_its_column_of_quality_may_both_be_gone() -> None:
    content = CONTRACT.model_dump(mode="json")
    content["sensors"]["flow"]["quality"] = {"column": "flow_q"}
    contract = parse_contract(content, "test")
    outcome = check(cells().drop(columns="flow"), contract, **SCORING)
    assert codes(outcome) == [("SENSOR-GONE", "warn")]
    rows = cells()
    assert codes(check(rows, contract, **SCORING)) == [("COLUMN-MISSING", "refuse")]
