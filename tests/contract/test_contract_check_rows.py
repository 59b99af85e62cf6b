"""A bad row is set aside with its reason and its cells as they were; the others stay."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from check_rows import CONTRACT, ROWS, broken, cells, check, only, with_sensor

from faultxfer.errors import DataError
from faultxfer.reading import columns
from faultxfer.reading.read_csv import read_csv
from faultxfer.steps.intake import check_files, require_accepted

# Findings on rows

ROW_FINDINGS: dict[str, tuple[pd.DataFrame, str, int, str]] = {
    "SENSOR-NOT-A-NUMBER": (broken("flow", _4="sensor off", _9="1,5"), "flow", 7, "sensor off"),
    "SENSOR-MISSING": (broken("speed", _4="", _9="n/a"), "speed", 7, ""),
    "SENSOR-OUT-OF-RANGE": (broken("flow", _4="-0.001", _9="100.001"), "flow", 7, "-0.001"),
    "LABEL-UNKNOWN": (broken("fault", _4="?", _9="!"), "fault", 7, "?"),
    "KEY-MISSING": (broken("run", _4="", _9=" none "), "run", 7, ""),
    "TIME-UNREADABLE": (broken("time", _4="noon", _9=""), "time", 7, "noon"),
}


@pytest.mark.parametrize("code", ROW_FINDINGS)
def test_a_bad_row_is_set_aside_and_named(code: str) -> None:
    frame, column, line, received = ROW_FINDINGS[code]
    checked = check(frame)
    finding = only(checked)
    assert (finding.code, finding.severity, finding.file) == (code, "quarantine", "a.csv")
    assert (finding.column, finding.line, finding.count, finding.received) == (
        column,
        line,
        2,
        received,
    )
    assert [example.split(":")[0] for example in finding.examples] == ["line 7", "line 12"]
    assert finding.expected
    assert finding.remedy
    assert list(checked.rejected[columns.LINE]) == [7, 12]
    assert set(checked.rejected[columns.CODES]) == {code}
    assert list(checked.accepted[columns.ROW]) == [row for row in range(ROWS) if row not in (4, 9)]


@pytest.mark.parametrize("code", ROW_FINDINGS)
def test_rows_set_aside_keep_their_cells(code: str) -> None:
    frame = ROW_FINDINGS[code][0]
    rejected = check(frame).rejected
    pd.testing.assert_frame_equal(
        rejected[list(frame.columns)].reset_index(drop=True),
        frame.loc[[4, 9]].reset_index(drop=True),
    )
    assert set(rejected[columns.FILE]) == {"a.csv"}


def test_the_quarantine_file_holds_the_cells_as_read_and_the_reasons(tmp_path: Path) -> None:
    frame = broken("flow", _4='007 l/s; "off"', _9=" -1.50 ")
    frame.loc[4, "note"] = "a, b"
    frame.to_csv(tmp_path / "a.csv", index=False)
    rows = check_files(
        [str(tmp_path / "a.csv")],
        CONTRACT,
        work=tmp_path,
        quarantine=tmp_path / "quarantine",
        labelled=True,
    )
    assert (rows.read, rows.accepted, rows.quarantined, rows.left_out) == (ROWS, ROWS - 2, 2, 0)
    assert rows.quarantine is not None
    kept = read_csv(rows.quarantine).frame
    pd.testing.assert_frame_equal(
        kept[list(frame.columns)], frame.loc[[4, 9]].reset_index(drop=True)
    )
    assert list(kept[columns.LINE]) == ["6", "11"]
    assert list(kept[columns.CODES]) == ["SENSOR-NOT-A-NUMBER", "SENSOR-OUT-OF-RANGE"]
    findings = json.loads(
        (
            rows.quarantine.parent / rows.quarantine.name.replace("rejected.csv", "findings.json")
        ).read_text()
    )
    assert [finding["line"] for finding in findings] == [6, 11]


def test_a_refused_file_leaves_no_table_and_no_quarantine(tmp_path: Path) -> None:
    for name, frame in (
        ("a.csv", broken("flow", _4="-1")),
        ("b.csv", cells().drop(columns="flow")),
    ):
        frame.to_csv(tmp_path / name, index=False)
    csv = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    rows = check_files(
        csv, CONTRACT, work=tmp_path, quarantine=tmp_path / "quarantine", labelled=True
    )
    assert rows.refused
    assert (rows.read, rows.accepted, rows.table, rows.quarantine) == (2 * ROWS, 0, None, None)
    assert not (tmp_path / "quarantine").exists()
    with pytest.raises(DataError, match=r"COLUMN-MISSING.*b\.csv"):
        require_accepted(rows)


def test_a_row_with_two_faults_has_both_codes_and_is_set_aside_once() -> None:
    frame = broken("flow", _4="-5")
    frame.loc[4, "fault"] = "?"
    checked = check(frame)
    assert list(checked.rejected[columns.CODES]) == ["SENSOR-OUT-OF-RANGE LABEL-UNKNOWN"]
    assert {finding.count for finding in checked.findings} == {1}


def test_text_in_one_sensor_does_not_hide_a_gap_in_another() -> None:
    frame = broken("flow", _4="sensor off")
    frame.loc[[4, 5], "speed"] = ""
    checked = check(frame)
    counts = {finding.code: finding.count for finding in checked.findings}
    assert counts == {"SENSOR-NOT-A-NUMBER": 1, "SENSOR-MISSING": 2}
    assert list(checked.rejected[columns.CODES]) == [
        "SENSOR-NOT-A-NUMBER SENSOR-MISSING",
        "SENSOR-MISSING",
    ]


def test_at_most_five_examples_are_shown_and_long_cells_are_cut() -> None:
    frame = broken("flow", **{f"_{row}": "x" * 300 for row in range(6)})
    finding = only(check(frame))
    assert finding.count == 6
    assert len(finding.examples) == 5
    assert len(finding.received) == 40


@pytest.mark.parametrize("cell", ["inf", "-inf", "1e999", "1,5", "0x10", "true"])
def test_only_finite_decimal_numbers_are_numbers(cell: str) -> None:
    assert only(check(broken("speed", _2=cell))).code == "SENSOR-NOT-A-NUMBER"


@pytest.mark.parametrize("cell", ["1e2", " 7 ", "+3", "-0.5", ".5"])
def test_usual_ways_to_write_a_number_are_read(cell: str) -> None:
    checked = check(broken("speed", _2=cell))
    assert checked.findings == ()
    assert checked.accepted["speed"][2] == float(cell)


@pytest.mark.parametrize("cell", ["0", "100", "1e2"])
def test_the_limits_themselves_lie_inside_the_range(cell: str) -> None:
    assert check(broken("flow", _2=cell)).findings == ()


def test_a_range_with_one_limit_bounds_one_side() -> None:
    contract = with_sensor(max=None)
    assert check(broken("flow", _2="1e9"), contract).findings == ()
    finding = only(check(broken("flow", _2="-1"), contract))
    assert finding.expected == "0 to ∞ m3/h"


@pytest.mark.parametrize(
    ("breach", "accepted"), [("warn", ROWS), ("quarantine", ROWS - 1), ("refuse", 0)]
)
def test_the_contract_says_what_a_breach_of_the_range_does(breach: str, accepted: int) -> None:
    checked = check(broken("flow", _2="-1"), with_sensor(on_breach=breach))
    finding = only(checked)
    assert (finding.code, finding.severity, finding.line, finding.count) == (
        "SENSOR-OUT-OF-RANGE",
        breach,
        5,
        1,
    )
    assert len(checked.accepted) == accepted
    assert checked.refused is (breach == "refuse")
