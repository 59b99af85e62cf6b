"""Several files of one command: each is named so that it cannot be taken for another one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from check_rows import CONTRACT, ROWS, broken, cells, check_csv

from faultxfer.contract.schema import Contract
from faultxfer.reading import columns
from faultxfer.reading.read_csv import names_of
from faultxfer.steps.intake import CheckedRows

NO_RUNS = CONTRACT.model_copy(update={"run_column": None, "ignore": ("note", "run")})


def checked(
    folder: Path, files: dict[str, pd.DataFrame], contract: Contract = NO_RUNS
) -> CheckedRows:
    for name, frame in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        frame.to_csv(folder / name, index=False)
    return check_csv(folder, contract, [folder / name for name in files])


def later(frame: pd.DataFrame, hour: int = 1) -> pd.DataFrame:
    return frame.assign(time=frame["time"].str.replace(" 00:", f" {hour:02d}:"))


def accepted(rows: CheckedRows) -> pd.DataFrame:
    assert rows.table is not None
    return pd.read_feather(rows.table)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/x/a.csv", "/x/b.csv"], ["a.csv", "b.csv"]),
        (["/x/a.csv", "/y/a.csv", "/y/b.csv"], ["x/a.csv", "y/a.csv", "b.csv"]),
        (["/n/1/a.csv", "/s/1/a.csv", "/s/2/a.csv"], ["n/1/a.csv", "s/1/a.csv", "2/a.csv"]),
        (["/a.csv", "/x/a.csv"], ["//a.csv", "x/a.csv"]),
        ([], []),
    ],
    ids=str,
)
def test_files_are_called_by_the_shortest_names_that_differ(
    paths: list[str], names: list[str]
) -> None:
    assert names_of([Path(path) for path in paths]) == names


def test_files_of_one_name_are_told_apart_everywhere(tmp_path: Path) -> None:
    rows = checked(
        tmp_path,
        {"north/a.csv": broken("flow", _3="off"), "south/a.csv": later(broken("flow", _5="-1"))},
    )
    both = ["north/a.csv", "south/a.csv"]
    assert [name for name, _ in rows.files] == both
    assert [finding.file for finding in rows.findings] == both
    assert list(accepted(rows)[columns.RUN].unique()) == both
    assert rows.quarantine is not None
    assert rows.quarantine.name.startswith("a-")
    assert list(pd.read_csv(rows.quarantine)[columns.FILE]) == both


def test_a_file_that_cannot_be_read_is_named_too(tmp_path: Path) -> None:
    rows = checked(tmp_path, {"north/a.csv": cells(), "south/a.csv": pd.DataFrame()})
    assert [(finding.code, finding.file) for finding in rows.findings] == [
        ("FILE-EMPTY", "south/a.csv")
    ]


def test_a_quarantine_file_that_is_checked_again_keeps_where_its_rows_came_from(
    tmp_path: Path,
) -> None:
    quarantine = checked(tmp_path, {"a.csv": broken("flow", _3="off", _5="-1")}).quarantine
    for name in ("b.csv", "c.csv"):
        kept = pd.read_csv(str(quarantine), dtype="str", keep_default_na=False)
        good = cells().assign(time=[f"2026-01-02 00:{minute:02d}:00" for minute in range(ROWS)])
        quarantine = checked(tmp_path, {name: pd.concat([good, kept]).fillna("")}).quarantine
    last = pd.read_csv(str(quarantine), dtype="str")
    assert set(last[columns.FILE]) == {"c.csv"}
    assert set(last["_file_2"]) == {"b.csv"}
    assert set(last["_file_1"]) == {"a.csv"}
    assert list(last["_line_1"]) == ["5", "7"]
    assert list(last["_codes_1"]) == ["SENSOR-NOT-A-NUMBER", "SENSOR-OUT-OF-RANGE"]
