"""Rows that the contract leaves out on purpose: counted, not set aside, and marked when scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from check_rows import check_csv

from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.data.dataset import dataset_from
from faultxfer.errors import ContractError
from faultxfer.reading import columns
from faultxfer.steps.intake import CheckedRows

ROWS = 24


def contract(**changes: Any) -> Contract:
    content = {
        "family": "fans",
        "label": {"column": "state", "normal": ["0"], "fault": ["4"]},
        "sensors": {"flow": {"min": 0, "max": 100}, "speed": {}},
        **changes,
    }
    return parse_contract(content, where="test")


def file(folder: Path, name: str = "a.csv", separator: str = ",", **cells: list[str]) -> Path:
    """A table of 24 rows; the sensors move."""
    rows = len(next(iter(cells.values()), [""] * ROWS))
    moving = {
        "flow": [f"{20 + row}" for row in range(rows)],
        "speed": [f"{7 * row % 13}.5" for row in range(rows)],
    }
    path = folder / name
    pd.DataFrame({**cells, **moving}).to_csv(path, index=False, sep=separator)
    return path


def check(folder: Path, rules: Contract, *paths: Path, labelled: bool | None = True) -> CheckedRows:
    return check_csv(folder, rules, paths, labelled=labelled)


def accepted(rows: CheckedRows) -> pd.DataFrame:
    assert rows.table is not None
    return pd.read_feather(rows.table)


STATES = [*["0"] * 12, *["4"] * 6, *["3"] * 2, *["2"] * 3, ""]


@pytest.mark.parametrize(
    ("column", "separator", "spelt"),
    [
        ("state", ",", {}),
        ("status_type_id", ";", {"0": "0.0", "4": "4.0", "3": "3.0", "2": "2.0"}),
        ("Zustand", "\t", {"0": "normal", "4": "Lager", "3": "Dichtung", "2": "Wartung"}),
    ],
)
def test_a_status_column_is_a_label_by_a_rule(
    column: str, separator: str, spelt: dict[str, str], tmp_path: Path
) -> None:
    words = spelt if column == "Zustand" else {}
    label = {
        "column": column,
        "normal": [words.get("0", "0")],
        "fault": {"bearing": [words.get("4", "4")], "seal": [words.get("3", "3")]},
        "exclude": [words.get("2", "2")],
        "blank": "unknown",
    }
    states = [spelt.get(state, state) for state in STATES]
    path = file(tmp_path, separator=separator, **{column: states})
    rows = check(tmp_path, contract(label=label), path)
    assert rows.unused == {"without a label": 1, "excluded by their label": 3}
    assert (rows.accepted, rows.quarantined, rows.read) == (20, 0, 24)
    assert [finding.code for finding in rows.findings] == ["LABEL-LEFT-OUT"] * 2
    assert f"'{states[20]}' (3 rows)" in rows.findings[1].message
    data = dataset_from(accepted(rows), ("flow", "speed"))
    assert data.faults == 8
    kinds, counts = np.unique(data.slices["fault type"], return_counts=True)
    assert dict(zip(kinds, counts, strict=True)) == {"": 12, "bearing": 6, "seal": 2}


@pytest.mark.parametrize("cell", ["normal", "fault", "unknown", "exclude"])
def test_a_blank_cell_means_what_the_contract_says(cell: str, tmp_path: Path) -> None:
    path = file(tmp_path, state=[*["0"] * 10, *["4"] * 10, "", " ", "n/a", "NULL"])
    label = {"column": "state", "normal": ["0"], "fault": ["4"], "blank": cell}
    rows = check(tmp_path, contract(label=label), path)
    assert rows.quarantined == 0
    used = {"normal": (24, 10), "fault": (24, 14)}.get(cell, (20, 10))
    assert (rows.accepted, accepted(rows)[columns.FAULT].sum()) == used


def test_a_blank_cell_is_unknown_and_a_mistake_where_the_contract_says_so(tmp_path: Path) -> None:
    path = file(tmp_path, state=[*["0"] * 12, *["4"] * 11, ""])
    plain = {"column": "state", "normal": ["0"], "fault": ["4"]}
    for label, aside, code in (
        (plain, 0, "LABEL-LEFT-OUT"),
        (plain | {"blank": None}, 1, "LABEL-UNKNOWN"),
    ):
        rows = check(tmp_path, contract(label=label), path)
        assert (rows.accepted, rows.quarantined) == (23, aside)
        assert [finding.code for finding in rows.findings] == [code]


def test_readings_of_rows_that_are_left_out_are_not_checked(tmp_path: Path) -> None:
    states = [*["0"] * 12, *["4"] * 6, *["5"] * 6]
    path = file(tmp_path, state=states)
    table = pd.read_csv(path, dtype="str")
    table.loc[18:, "flow"] = ["", "text", "1e6", "-5", "", "text"]
    table.to_csv(path, index=False)
    label = {"column": "state", "normal": ["0"], "fault": ["4"], "exclude": ["5"]}
    rows = check(tmp_path, contract(label=label), path)
    assert (rows.accepted, rows.quarantined, rows.unused) == (18, 0, {"excluded by their label": 6})


def test_words_of_a_column_that_is_no_number_are_taken_to_the_letter(tmp_path: Path) -> None:
    path = file(tmp_path, state=[*["0"] * 12, *["4"] * 8, "04", "4.0", "A4", "4"])
    rows = check(tmp_path, contract(), path)
    assert rows.quarantined == 3  # beside A4, 04 may be another code


MODES = [*["RUN"] * 14, *["IDLE"] * 8, "", "RUN"]
LABELS = ["0", "4"] * 12


@pytest.mark.parametrize(
    ("column", "cells", "values"),
    [
        ("mode", MODES, ["RUN"]),
        ("Betriebsart", [{"RUN": "2", "IDLE": "7"}.get(mode, mode) for mode in MODES], ["2.0"]),
        ("valve", [{"RUN": "OPEN", "IDLE": "CLOSED"}.get(m, m) for m in MODES], ["OPEN", "MID"]),
    ],
)
def test_rows_outside_where_are_left_out_and_counted(
    column: str, cells: list[str], values: list[str], tmp_path: Path
) -> None:
    path = file(tmp_path, state=LABELS, **{column: cells})
    rows = check(tmp_path, contract(where={column: values}), path)
    assert (rows.accepted, rows.quarantined, rows.unused) == (15, 0, {"outside `where`": 9})
    found = next(finding for finding in rows.findings if finding.code == "ROWS-LEFT-OUT")
    assert (found.severity, found.column, found.count, found.line) == ("warn", column, 9, 16)
    assert f"'{cells[14]}' (8 rows), '' (1 row)" in found.message


def test_rows_to_be_scored_stay_beside_the_others_with_the_reason(tmp_path: Path) -> None:
    label = {"column": "state", "normal": ["0"], "fault": ["4"], "exclude": ["9"]}
    states = ["9", *LABELS[1:]]
    path = file(tmp_path, state=states, mode=MODES, line=["1", "2"] * 12)
    rules = contract(label=label, where={"mode": ["RUN"], "line": ["1", "2"]})
    rows = check(tmp_path, rules, path, labelled=False)
    marks = accepted(rows)[columns.REMARK]
    assert marks[marks != ""].to_dict() == {0: "excluded: state is 9"}
    assert rows.unscored is not None
    outside = pd.read_feather(rows.unscored)
    assert outside[columns.ROW].tolist() == [*range(14, 23)]
    remarks = outside[columns.REMARK].value_counts().to_dict()
    assert remarks == {"not scored: mode is IDLE": 8, "not scored: mode is blank": 1}


def test_a_pause_that_is_left_out_is_no_gap(tmp_path: Path) -> None:
    minutes = [f"2026-03-01 10:{row:02d}:00" for row in range(24)]
    path = file(tmp_path, time=minutes, state=LABELS, mode=[*MODES[:-2], "RUN", "RUN"])
    rules = contract(where={"mode": ["RUN"]}, time_column="time", sampling_period=60)
    assert {found.code for found in check(tmp_path, rules, path).findings} == {"ROWS-LEFT-OUT"}


@pytest.mark.parametrize("labelled", [True, False])
def test_no_row_left_is_a_refusal_that_says_why(labelled: bool, tmp_path: Path) -> None:
    path = file(tmp_path, state=LABELS, mode=["IDLE"] * 24)
    rows = check(tmp_path, contract(where={"mode": ["RUN"]}), path, labelled=labelled)
    (found,) = (finding for finding in rows.findings if finding.severity == "refuse")
    assert found.code == "ROWS-NONE-LEFT"
    assert "ROWS-LEFT-OUT in 'mode', 24 rows" in found.message


def test_a_file_without_a_row_to_use_does_not_stop_the_others(tmp_path: Path) -> None:
    still = file(tmp_path, "still.csv", state=LABELS, mode=["IDLE"] * 24)
    path = file(tmp_path, "runs.csv", state=LABELS, mode=["RUN"] * 24)
    rows = check(tmp_path, contract(where={"mode": ["RUN"]}), still, path)
    assert (rows.refused, rows.accepted, rows.unused) == (False, 24, {"outside `where`": 24})


def test_mode_and_running_state_travel_with_the_rows_and_are_no_input(tmp_path: Path) -> None:
    rules = contract(mode_column="mode", running={"mode": ["RUN"]})
    rows = accepted(check(tmp_path, rules, file(tmp_path, state=LABELS, mode=MODES)))
    assert rows[columns.MODE].tolist() == MODES
    assert rows[columns.RUNNING].sum() == 15
    assert dataset_from(rows, rules.features).X.shape == (24, 2)


@pytest.mark.parametrize(
    ("key", "labelled", "refused"),
    [
        ({"where": {"mode": ["RUN"]}}, True, True),
        ({"where": {"mode": ["RUN"]}}, False, True),
        ({"mode_column": "mode"}, True, True),
        ({"mode_column": "mode"}, False, False),
        ({"running": {"mode": ["RUN"]}}, True, True),
        ({"running": {"mode": ["RUN"]}}, False, False),
    ],
)
def test_the_columns_named_are_asked_for(
    key: dict[str, Any], labelled: bool, refused: bool, tmp_path: Path
) -> None:
    rows = check(tmp_path, contract(**key), file(tmp_path, state=LABELS), labelled=labelled)
    assert rows.refused == refused
    missing = [finding for finding in rows.findings if finding.code == "COLUMN-MISSING"]
    assert len(missing) == refused


def test_a_mode_may_be_a_sensor_too_and_a_machine_may_call_it_otherwise(tmp_path: Path) -> None:
    own = {"fan-9": {"aliases": {"DRIVE.MODE": "mode"}}}
    rules = contract(
        sensors={"flow": {}, "mode": {"dtype": "whole"}},
        where={"mode": ["1"]},
        equipment=own,
        equipment_column="machine",
    )
    cells = ["1", "1", "3", "1.0"] * 6
    path = file(tmp_path, machine=["fan-9"] * 24, state=LABELS, **{"DRIVE.MODE": cells})
    rows = accepted(check(tmp_path, rules, path))
    assert rows["mode"].tolist() == [1.0] * 18


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ({"unknown": ["0"]}, "both normal and unknown"),
        ({"exclude": ["4"]}, "both fault and exclude"),
        ({"fault": {"a": ["4"], "b": ["4"]}}, "two types|both"),
        ({"fault": {}}, "needs a spelling"),
        ({"fault": {"": ["4"]}}, "needs a name"),
        ({"blank": "normally"}, "label.blank"),
    ],
)
def test_labels_that_contradict_themselves_are_refused(label: dict[str, Any], reason: str) -> None:
    whole = {"column": "state", "normal": ["0"], "fault": ["4"], **label}
    with pytest.raises(ContractError, match=reason):
        contract(label=whole)


def test_slices_by_operating_mode_are_read_from_the_file(tmp_path: Path) -> None:
    for number, (column, separator) in enumerate([("mode", ","), ("Modus", ";"), ("zone", "\t")]):
        path = file(tmp_path, f"{number}.csv", separator, state=LABELS, **{column: MODES})
        rows = check(tmp_path, contract(slices=[column]), path)
        assert not rows.findings
        assert dataset_from(accepted(rows), ("flow",)).slices[column].tolist() == MODES
