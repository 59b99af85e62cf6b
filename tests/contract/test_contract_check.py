"""Every finding fires on the rows it is meant for, names them, and stays silent on good rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from check_rows import CONTRACT, ROWS, as_table, blank_flow, broken, cells, check, only, with_sensor
from hypothesis import example, given, settings
from hypothesis import strategies as st

from faultxfer.contract.tallies import tallies
from faultxfer.reading import columns

# Good rows


def test_good_rows_pass_without_a_finding() -> None:
    checked = check(cells())
    assert checked.findings == ()
    assert (checked.read, len(checked.accepted), len(checked.rejected), checked.left_out) == (
        ROWS,
        ROWS,
        0,
        0,
    )
    assert not checked.refused


def test_accepted_rows_are_numbers_with_who_when_and_from_where_beside_them() -> None:
    accepted = check(cells()).accepted
    assert list(accepted.columns[:2]) == ["flow", "speed"]
    assert accepted["speed"].dtype == np.float64
    row = accepted.iloc[3]
    assert (row["flow"], row["speed"], row[columns.FAULT]) == (53, 3.5, 1)
    assert (row[columns.FILE], row[columns.ROW], row[columns.LINE]) == ("a.csv", 3, 6)
    assert (row[columns.EQUIPMENT], row[columns.RUN], row[columns.TIME_TEXT]) == (
        "p1",
        "r1",
        "2026-01-01 00:03:00",
    )
    assert row[columns.TIME] - accepted.iloc[0][columns.TIME] == 180


def test_without_key_columns_the_family_is_the_machine_and_the_file_the_recording() -> None:
    bare = CONTRACT.model_copy(
        update={"equipment_column": None, "run_column": None, "time_column": None}
    )
    accepted = check(cells()[["flow", "speed", "fault"]], bare).accepted
    assert set(accepted[columns.EQUIPMENT]) == {"pumps"}
    assert set(accepted[columns.RUN]) == {"a.csv"}
    assert accepted[columns.TIME].isna().all()


def test_unlabelled_rows_need_neither_label_nor_run_nor_time() -> None:
    checked = check(cells()[["pump", "flow", "speed"]], labelled=False)
    assert checked.findings == ()
    assert columns.FAULT not in checked.accepted


# Findings on the whole file


def test_file_empty() -> None:
    checked = check(cells(0))
    assert (only(checked).code, only(checked).severity) == ("FILE-EMPTY", "refuse")
    assert checked.refused
    assert checked.accepted.empty


def test_file_with_one_row_is_not_empty() -> None:
    assert [finding.code for finding in check(cells(1)).findings] == ["LABEL-ONE-CLASS"]


@pytest.mark.parametrize("column", ["flow", "speed", "fault", "pump", "run", "time"])
def test_column_missing(column: str) -> None:
    checked = check(cells().drop(columns=column))
    finding = only(checked)
    assert (finding.code, finding.severity, finding.count) == ("COLUMN-MISSING", "refuse", 1)
    assert column in finding.message
    assert column in finding.expected.split(", ")
    assert column not in finding.received.split(", ")
    assert checked.refused


def test_column_missing_counts_all_of_them_once() -> None:
    assert only(check(cells().drop(columns=["flow", "speed"]))).count == 2


@pytest.mark.parametrize("column", ["flow", "pump"])
def test_column_missing_stands_for_rows_to_be_scored_too(column: str) -> None:
    assert only(check(cells().drop(columns=column), labelled=False)).code == "COLUMN-MISSING"


def test_column_unknown_warns_and_keeps_every_row() -> None:
    checked = check(cells().assign(extra="1", more="2"))
    finding = only(checked)
    assert (finding.code, finding.severity, finding.count) == ("COLUMN-UNKNOWN", "warn", 2)
    assert "extra, more" in finding.message
    assert len(checked.accepted) == ROWS
    assert "extra" not in checked.accepted


def test_equipment_absent() -> None:
    checked = check(cells(), equipment="p2")
    finding = only(checked)
    assert (finding.code, finding.severity, finding.column) == (
        "EQUIPMENT-ABSENT",
        "refuse",
        "pump",
    )
    assert (finding.expected, finding.received) == ("p2", "p1")


def test_rows_of_other_equipment_are_left_out_and_not_checked() -> None:
    frame = broken("flow", _0="broken", _1="broken")
    frame.loc[0:4, "pump"] = "p2"
    checked = check(frame, equipment="p1")
    assert checked.findings == ()
    assert (len(checked.accepted), len(checked.rejected), checked.left_out) == (ROWS - 5, 0, 5)


def test_rows_none_left_when_different_reasons_take_every_row() -> None:
    frame = broken("flow", _0="-1", _1="-1").head(3)
    frame.loc[2, "run"] = ""
    checked = check(frame)
    assert [finding.code for finding in checked.findings] == [
        "ROWS-NONE-LEFT",
        "KEY-MISSING",
        "SENSOR-OUT-OF-RANGE",
    ]
    assert checked.findings[0].severity == "refuse"
    assert checked.refused


def test_one_row_left_is_enough() -> None:
    checked = check(broken("flow", _0="-1", _1="-1").head(3))
    assert not checked.refused
    assert len(checked.accepted) == 1


@pytest.mark.parametrize("missing", ["", "NaN", "null", " - ", "#N/A"])
def test_sensor_all_missing(missing: str) -> None:
    checked = check(cells().assign(flow=missing), with_sensor(max_missing=1))
    finding = only(checked)
    assert (finding.code, finding.severity) == ("SENSOR-ALL-MISSING", "refuse")
    assert (finding.column, finding.line, finding.count) == ("flow", 3, ROWS)


def test_sensor_all_missing_in_the_rows_of_one_machine() -> None:
    frame = blank_flow(5)
    frame.loc[0:4, "pump"] = "p2"
    finding = only(check(frame, equipment="p2"))
    assert (finding.code, finding.count) == ("SENSOR-ALL-MISSING", 5)


def test_expectations_alone_would_pass_a_column_or_a_table_without_values() -> None:
    """The reason for SENSOR-ALL-MISSING and FILE-EMPTY; when this fails, they may go."""
    lenient = with_sensor(max_missing=1)
    nothing = {"flow": np.full(4, np.nan), "speed": np.ones(4)}
    assert all(tally.passed for tally in tallies(nothing, lenient))
    none = {name: values[:0] for name, values in nothing.items()}
    assert [tally.unmet for tally in tallies(none, CONTRACT)] == [0] * 3


# Shares that turn dirty rows into a wrong file

SHARES: dict[str, Callable[[int], pd.DataFrame]] = {
    "SENSOR-NOT-A-NUMBER": lambda rows: broken("flow", **{f"_{row}": "x" for row in range(rows)}),
    "SENSOR-MISSING": blank_flow,
}


@pytest.mark.parametrize("code", SHARES)
@pytest.mark.parametrize("allowed", [0, 0.05, 0.1, 0.3, 0.55, 0.7, 0.9])
def test_the_file_is_refused_above_the_allowed_share_not_at_it(code: str, allowed: float) -> None:
    contract = with_sensor(max_missing=allowed)
    most = round(allowed * ROWS)
    if most:
        at = only(check(SHARES[code](most), contract))
        assert (at.code, at.severity, at.count) == (code, "quarantine", most)
    above = only(check(SHARES[code](most + 1), contract))
    assert (above.code, above.severity, above.count) == (code, "refuse", most + 1)


def test_text_and_gaps_together_count_against_the_allowed_share() -> None:
    frame = blank_flow(4)
    frame.loc[4:7, "flow"] = "x"
    checked = check(frame)
    assert {finding.code: finding.severity for finding in checked.findings} == {
        "SENSOR-MISSING": "refuse",
        "SENSOR-NOT-A-NUMBER": "quarantine",
    }


@pytest.mark.parametrize(("bad", "severity"), [(4, "quarantine"), (5, "refuse")])
def test_unknown_labels_in_more_than_a_fifth_of_the_rows_refuse_the_file(
    bad: int, severity: str
) -> None:
    finding = only(check(broken("fault", **{f"_{row}": "2" for row in range(bad)})))
    assert (finding.code, finding.severity, finding.count) == ("LABEL-UNKNOWN", severity, bad)


def test_refusing_findings_stand_first() -> None:
    frame = broken("flow", **{f"_{row}": "" for row in range(10)}).assign(extra="")
    frame.loc[12, "run"] = ""
    assert [finding.severity for finding in check(frame).findings] == [
        "refuse",
        "quarantine",
        "warn",
    ]


# Times


@pytest.mark.parametrize(
    "stamps",
    [
        ["2026-01-01 00:00:00", "2026-01-01 00:01:00"],
        ["2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"],
        ["2026-01-01T01:00:00+01:00", "2026-01-01 00:01"],
    ],
)
def test_timestamps_are_seconds_in_utc(stamps: list[str]) -> None:
    times = _seconds(stamps)
    assert times[0] == pd.Timestamp("2026-01-01", tz="UTC").timestamp()
    assert times[1] - times[0] == 60


def test_numbers_stay_the_numbers_they_are() -> None:
    assert _seconds(["1", " 2.5 ", "x"]).tolist()[:2] == [1, 2.5]


def test_the_largest_numbers_there_are_are_times_like_others() -> None:
    """The mean of two of them would be infinite."""
    frame = cells(2).assign(time=["1.6e308", "1.7e308"])
    checked = check(frame)
    assert checked.findings == ()
    assert checked.accepted[columns.TIME].tolist() == [1.6e308, 1.7e308]


@pytest.mark.parametrize(
    ("times", "code"),
    [(["-1.6e308", "1.7e308"], "TIME-GAP"), (["1.6e308", "-1.7e308"], "TIME-BACKWARDS")],
)
def test_a_step_of_time_too_large_for_a_number_is_a_step_like_others(
    times: list[str], code: str
) -> None:
    contract = with_sensor(max_rate=1).model_copy(update={"sampling_period": 60})
    assert only(check(cells(2).assign(time=times), contract)).code == code


def _seconds(stamps: list[str]) -> pd.Series:
    return as_table(pd.DataFrame({"time": stamps}, dtype="str")).times("time").seconds


@pytest.mark.parametrize("cell", ["inf", "1e999", "nan", ""])
def test_a_time_that_is_no_finite_number_cannot_be_read(cell: str) -> None:
    frame = cells().assign(time=[str(row) for row in range(ROWS)])
    frame.loc[4, "time"] = cell
    finding = only(check(frame))
    assert (finding.code, finding.line, finding.count) == ("TIME-UNREADABLE", 7, 1)


# Every row is accounted for

CELL = {
    "flow": st.sampled_from(["50", "60", "-1", "x", "", "inf", "1e2"]),
    "speed": st.sampled_from(["1", "2", "", "off"]),
    "fault": st.sampled_from(["0", "1", "0", "1", "0", "1", "?"]),
    "run": st.sampled_from(["r1", "r2", "r3", ""]),
    "time": st.sampled_from(["2026-01-01", "2026-01-02", "2026-01-03", "noon"]),
    "pump": st.sampled_from(["p1", "p1", "p2", ""]),
}
RANDOM_ROWS = st.lists(st.fixed_dictionaries(CELL), min_size=1, max_size=12)


ALIKE = {"flow": "50", "speed": "1", "fault": "0", "run": "r1", "time": "2026-01-01", "pump": "p1"}


@example(
    rows=[*[ALIKE] * 5, {**ALIKE, "fault": "1"}], equipment=None, share=0.5
)  # every row is set aside
@settings(max_examples=25, deadline=None)
@given(rows=RANDOM_ROWS, equipment=st.sampled_from([None, "p1"]), share=st.sampled_from([0.5, 1.0]))
def test_every_row_is_accepted_set_aside_or_left_out(
    rows: list[dict[str, str]], equipment: str | None, share: float
) -> None:
    frame = pd.DataFrame(rows, dtype="str")
    sensors = {
        name: sensor.model_copy(update={"max_missing": share})
        for name, sensor in CONTRACT.sensors.items()
    }
    checked = check(frame, CONTRACT.model_copy(update={"sensors": sensors}), equipment=equipment)
    assert checked.read == len(frame)
    if checked.refused:
        assert checked.accepted.empty
        return
    assert len(checked.accepted) + len(checked.rejected) + checked.left_out == checked.read
    lines = [*checked.accepted[columns.LINE], *checked.rejected[columns.LINE]]
    assert len(set(lines)) == len(lines)
    assert np.isfinite(checked.accepted[["flow", "speed"]].to_numpy()).all()
    assert checked.accepted["flow"].between(0, 100).all()
    assert (checked.rejected[columns.CODES] != "").all()
