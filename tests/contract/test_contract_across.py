"""What no file shows alone.

Labels and times that contradict another file, and columns that are the label.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from check_rows import CONTRACT, ROWS, cells

from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.findings import Finding
from faultxfer.reading import columns
from faultxfer.steps.intake import CheckedRows, check_files

NO_RUNS = CONTRACT.model_copy(update={"run_column": None, "ignore": ("note", "run")})


def changed(**fields: object) -> Contract:
    return parse_contract({**CONTRACT.model_dump(exclude_defaults=True), **fields}, where="x")


def checked(
    folder: Path, *frames: pd.DataFrame, contract: Contract = CONTRACT, **more: object
) -> CheckedRows:
    csv = [folder / f"{letter}.csv" for letter in "abcdef"[: len(frames)]]
    for path, frame in zip(csv, frames, strict=True):
        frame.to_csv(path, index=False)
    options = {"work": folder, "quarantine": folder / "quarantine", "labelled": True, **more}
    return check_files([str(path) for path in csv], contract, **options)  # type: ignore[arg-type]


def told(rows: CheckedRows) -> list[tuple[str, str, str | None, int]]:
    return [(item.code, item.severity, item.file, item.count) for item in rows.findings]


def half(label: str, begin: int = 0) -> pd.DataFrame:
    """Ten rows of one class, from another hour if they begin later."""
    frame = cells(ROWS).iloc[:10].assign(fault=label)
    frame["time"] = frame["time"].str.replace(" 00:", f" {begin:02d}:")
    return frame


def other(frame: pd.DataFrame, shift: int = 30) -> pd.DataFrame:
    """The same rows with other readings."""
    return frame.assign(flow=[str(float(cell) / 2 + shift / 7) for cell in frame["flow"]])


ONE_CLASS = [("LABEL-ONE-CLASS", "warn", name, 1) for name in ("a.csv", "b.csv")]


def without_one_class(rows: CheckedRows) -> list[tuple[str, str, str | None, int]]:
    return [item for item in told(rows) if item not in ONE_CLASS]


# Labels

RELABELLED = cells().assign(
    fault=[str(1 - row % 2) if row < 4 else str(row % 2) for row in range(ROWS)]
)
MINE = [("ROW-DUPLICATE", "quarantine", "b.csv", ROWS - 4)]


@pytest.mark.parametrize("contract", [CONTRACT, NO_RUNS], ids=["runs", "no runs"])
def test_labels_that_contradict_another_file_are_set_aside_in_both(
    tmp_path: Path, contract: Contract
) -> None:
    rows = checked(tmp_path, cells(), RELABELLED, contract=contract)
    assert told(rows) == [
        ("LABEL-CONFLICT", "quarantine", "a.csv", 4),
        *MINE,
        ("LABEL-CONFLICT", "quarantine", "b.csv", 4),
    ]
    assert (rows.accepted, rows.quarantined) == (ROWS - 4, ROWS + 4)
    conflict = rows.findings[0]
    assert (conflict.column, conflict.line, conflict.received) == ("fault", 2, "0")
    assert (
        conflict.message
        == "4 row(s) have different labels at the same time, together with other files"
    )
    kept = pd.read_csv(str(rows.quarantine))
    assert list(kept[kept[columns.CODES] == "LABEL-CONFLICT"][columns.LINE]) == [2, 3, 4, 5] * 2


@pytest.mark.parametrize("contract", [CONTRACT, NO_RUNS], ids=["runs", "no runs"])
def test_other_readings_of_one_moment_do_not_hide_a_contradiction(
    tmp_path: Path, contract: Contract
) -> None:
    rows = checked(tmp_path, half("0"), other(half("1")), contract=contract)
    conflicts = [item for item in told(rows) if item[0] == "LABEL-CONFLICT"]
    assert conflicts == [("LABEL-CONFLICT", "warn", name, 10) for name in ("a.csv", "b.csv")]
    assert rows.accepted == 20


def test_a_contract_may_set_aside_what_is_only_told(tmp_path: Path) -> None:
    contract = changed(rules={"LABEL-CONFLICT": "quarantine"})
    rows = checked(tmp_path, half("0"), other(half("1")), contract=contract)
    assert rows.refused
    assert "ROWS-NONE-LEFT" in {item.code for item in rows.findings}


def test_files_of_machines_that_no_column_names_keep_their_rows(tmp_path: Path) -> None:
    unnamed = changed(equipment_column=None, run_column=None, ignore=["note", "run", "pump"])
    first, second = cells(), other(cells().assign(fault="0"))
    rows = checked(tmp_path, first, second, contract=unnamed)
    assert (rows.accepted, rows.quarantined) == (2 * ROWS, 0)
    assert {item.severity for item in rows.findings} == {"warn"}


def test_runs_that_are_numbered_anew_in_each_file_keep_their_rows(tmp_path: Path) -> None:
    rows = checked(tmp_path, counted(cells()), counted(other(cells())))
    assert (rows.accepted, rows.quarantined) == (2 * ROWS, 0)


def test_equal_readings_at_the_same_time_contradict_under_any_name_of_the_run(
    tmp_path: Path,
) -> None:
    rows = checked(tmp_path, cells(), RELABELLED.assign(run="r2"))
    assert ("LABEL-CONFLICT", "quarantine", "b.csv", 4) in told(rows)
    assert rows.accepted == ROWS - 4


def test_runs_may_have_clocks_that_start_anew(tmp_path: Path) -> None:
    assert without_one_class(checked(tmp_path, half("0"), other(half("1")).assign(run="r2"))) == []


def test_the_contract_decides_what_happens_to_contradictions(tmp_path: Path) -> None:
    rows = checked(
        tmp_path, cells(), RELABELLED, contract=changed(rules={"LABEL-CONFLICT": "refuse"})
    )
    assert rows.refused
    assert ("LABEL-CONFLICT", "refuse", "b.csv", 4) in told(rows)


def test_equal_readings_at_another_time_are_only_told(tmp_path: Path) -> None:
    rows = checked(tmp_path, half("0"), half("1", 5))
    assert without_one_class(rows) == [
        ("LABEL-CONFLICT", "warn", name, 10) for name in ("a.csv", "b.csv")
    ]
    assert rows.accepted == 20


def test_another_machine_contradicts_nobody(tmp_path: Path) -> None:
    assert without_one_class(checked(tmp_path, half("0"), half("1").assign(pump="p2"))) == []


def counted(frame: pd.DataFrame) -> pd.DataFrame:
    """Times that count from the beginning of the file."""
    return frame.assign(time=[str(row) for row in range(len(frame))])


def test_times_that_count_from_the_beginning_of_each_file_are_no_moments(tmp_path: Path) -> None:
    rows = checked(tmp_path, counted(half("0")), other(counted(half("1"))), contract=NO_RUNS)
    assert without_one_class(rows) == []


def test_the_same_counted_rows_with_another_label_are_told(tmp_path: Path) -> None:
    rows = checked(tmp_path, counted(cells()), counted(RELABELLED), contract=NO_RUNS)
    assert ("LABEL-CONFLICT", "warn", "a.csv", 4) in told(rows)
    assert rows.accepted == ROWS + 4


def test_what_a_file_shows_alone_is_told_once(tmp_path: Path) -> None:
    twice = pd.concat([half("0"), half("1", 5)])
    rows = checked(tmp_path, twice, other(half("0", 8)).assign(run="r3"))
    assert [item for item in told(rows) if item[0] == "LABEL-CONFLICT"] == [
        ("LABEL-CONFLICT", "warn", "a.csv", 20)
    ]


# Times


def test_other_readings_of_a_run_at_the_same_time_are_told_in_the_later_file(
    tmp_path: Path,
) -> None:
    rows = checked(tmp_path, cells(), other(cells()))
    assert told(rows) == [("TIME-DUPLICATE", "warn", "b.csv", ROWS)]
    assert (rows.accepted, rows.quarantined) == (2 * ROWS, 0)


@pytest.mark.parametrize("how", [{"run": "r2"}, {"pump": "p2"}], ids=str)
def test_other_runs_and_machines_may_have_the_same_times(
    tmp_path: Path, how: dict[str, str]
) -> None:
    assert told(checked(tmp_path, cells(), other(cells()).assign(**how))) == []


def test_without_a_run_column_each_file_is_a_run_of_its_own(tmp_path: Path) -> None:
    assert told(checked(tmp_path, cells(), other(cells()), contract=NO_RUNS)) == []


def test_files_without_labels_are_compared_too(tmp_path: Path) -> None:
    bare = cells().drop(columns="fault")
    rows = checked(tmp_path, bare, other(bare), labelled=False)
    assert told(rows) == [("TIME-DUPLICATE", "warn", "b.csv", ROWS)]


def test_a_run_that_goes_on_in_another_file_is_accepted(tmp_path: Path) -> None:
    later = cells()
    later["time"] = later["time"].str.replace(" 00:", " 01:")
    rows = checked(tmp_path, cells(), other(later))
    assert (told(rows), rows.accepted) == ([], 2 * ROWS)


# Columns that are the label


def leaking(label: str, hour: int) -> pd.DataFrame:
    return other(half(label, hour), hour).assign(speed="7" if label == "1" else "3")


def leaks(rows: CheckedRows) -> list[Finding]:
    return [item for item in rows.findings if item.code == "LABEL-LEAK"]


def test_a_column_that_is_the_label_is_found_in_files_of_one_class_each(tmp_path: Path) -> None:
    rows = checked(tmp_path, leaking("0", 1), leaking("1", 2))
    (leak,) = leaks(rows)
    assert (leak.severity, leak.file, leak.column, leak.received) == (
        "refuse",
        None,
        "speed",
        "7 and 3",
    )
    assert rows.refused
    assert (rows.table, rows.quarantine) == (None, None)


def test_a_column_that_is_the_label_in_one_file_alone_is_told_once(tmp_path: Path) -> None:
    both = pd.concat([leaking("0", 1), leaking("1", 2)])
    contract = changed(rules={"LABEL-LEAK": "warn"})
    assert len(leaks(checked(tmp_path, both, leaking("0", 3), contract=contract))) == 1


def test_a_column_that_moves_in_one_of_the_files_is_no_label(tmp_path: Path) -> None:
    assert leaks(checked(tmp_path, leaking("0", 1), leaking("1", 2), other(half("1", 3), 3))) == []
