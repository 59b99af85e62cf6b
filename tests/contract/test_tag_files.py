"""Files of one tag each are joined on time, and what is wrong is named where it stands."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tag_files import BY_COLUMN, BY_FILE, BY_FOLDER, BY_HEADER, EXPORTS, MOMENTS, Export, files_in

from faultxfer.contract.schema import Contract
from faultxfer.errors import ContractError
from faultxfer.findings import Finding
from faultxfer.reading import columns
from faultxfer.steps.intake import CheckedRows, check_files

exports = pytest.mark.parametrize("export", EXPORTS.values(), ids=list(EXPORTS))


def checked(
    folder: Path, contract: Contract, *, labelled: bool | None = True
) -> tuple[CheckedRows, pd.DataFrame]:
    rows = check_files(
        files_in(folder / "in"),
        contract,
        work=folder,
        quarantine=folder / "quarantine",
        labelled=labelled,
    )
    return rows, pd.read_feather(rows.table) if rows.table else pd.DataFrame()


def only(rows: CheckedRows, code: str) -> Finding:
    (found,) = [finding for finding in rows.findings if finding.code == code]
    return found


def of(folder: Path, export: Export, machine: str, tag: str) -> Path:
    return folder / "in" / export.path.format(m=machine, t=tag)


def replaced(path: Path, line: int, text: str) -> str:
    """Put a text in place of the reading on a line; what stood there."""
    lines = path.read_text(encoding="utf-8").split("\n")
    first = next(cell for cell in _cells(lines[line - 1]) if _is_reading(cell))
    lines[line - 1] = lines[line - 1].replace(first, text)
    path.write_text("\n".join(lines), encoding="utf-8")
    return first


def _cells(line: str) -> list[str]:
    for separator in (";", "\t", "|"):
        line = line.replace(separator, ",,")
    return line.split(",,") if ",," in line else line.split(",")


def _is_reading(cell: str) -> bool:
    return cell.replace(".", "").replace(",", "").isdigit() and not cell.isdigit()


# What is joined


@exports
def test_the_files_of_all_tags_and_machines_become_one_table(
    export: Export, tmp_path: Path
) -> None:
    export.write(tmp_path / "in")
    rows, accepted = checked(tmp_path, export.contract())
    assert not rows.findings
    assert rows.accepted == rows.read == MOMENTS * len(export.machines)
    assert len(rows.files) == len(export.machines) * (len(export.tags) + 1)
    assert set(accepted[columns.EQUIPMENT]) == set(export.machines)
    assert not accepted[list(export.tags)].isna().any().any()
    faults = accepted[accepted[columns.EQUIPMENT] == export.machines[0]][columns.FAULT]
    assert [str(fault) for fault in faults] == export.labels()


@exports
def test_values_are_held_where_tags_have_other_times(export: Export, tmp_path: Path) -> None:
    export.write(tmp_path / "in", offset=7)
    held = {name: {"hold": "2min"} for name in export.tags}
    agreed = export.contract(sensors=held, label={"column": export.label, "blank": "unknown"})
    rows, accepted = checked(tmp_path, agreed)
    machines = len(export.machines)
    assert rows.read == MOMENTS * machines * (len(export.tags) + 1)
    assert rows.accepted == (MOMENTS - 1) * machines
    assert rows.unused == {"without a label": MOMENTS * machines * len(export.tags)}
    assert not accepted[list(export.tags)].isna().any().any()
    scored, everything = checked(tmp_path, agreed, labelled=False)
    assert len(everything) == scored.accepted == rows.read - machines * len(export.tags)


@pytest.mark.parametrize("name", ["labels", "P101_labels", "who knows"])
def test_labels_may_stand_in_a_file_of_their_own(name: str, tmp_path: Path) -> None:
    export = Export(**{**vars(BY_FILE), "machines": ("P101",)})
    export.write(tmp_path / "in", label=False)
    one = Export(**{**vars(export), "header": ("Timestamp", "fault"), "path": f"{name}.csv",
                    "cells": ("{time}", "{value}")})  # fmt: skip
    one.one(tmp_path / "in", "P101", "", export.labels())
    rows, accepted = checked(tmp_path, export.contract())
    assert rows.accepted == MOMENTS
    assert [str(fault) for fault in accepted[columns.FAULT]] == export.labels()


@pytest.mark.parametrize("export", [BY_FILE, BY_COLUMN, BY_FOLDER], ids=["file", "column", "dir"])
def test_labels_may_be_a_column_of_a_file(export: Export, tmp_path: Path) -> None:
    export.write(tmp_path / "in", label=False)
    first = next(iter(export.tags))
    for machine in export.machines:
        path = of(tmp_path, export, machine, first)
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        cells = [export.label, *export.labels()]
        more = [f"{line}{export.separator}{cell}" for line, cell in zip(lines, cells, strict=True)]
        path.write_text("\n".join(more) + "\n", encoding="utf-8")
    rows, accepted = checked(tmp_path, export.contract())
    assert rows.accepted == MOMENTS * len(export.machines)
    mine = accepted[accepted[columns.EQUIPMENT] == export.machines[0]]
    assert [str(fault) for fault in mine[columns.FAULT]] == export.labels()


def test_labels_of_all_machines_in_one_file_name_the_machine(tmp_path: Path) -> None:
    BY_FILE.write(tmp_path / "in", label=False)
    lines = ["Timestamp,machine,fault"]
    for machine in BY_FILE.machines:
        for moment, fault in enumerate(BY_FILE.labels()):
            lines.append(
                f"2026-03-17 {6 + moment // 60:02d}:{moment % 60:02d}:00,{machine},{fault}"
            )
    path = tmp_path / "in" / "log.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows, _ = checked(tmp_path, BY_FILE.contract())
    assert rows.accepted == 2 * MOMENTS
    nameless = path.read_text(encoding="utf-8").replace(",machine,", ",who,")
    path.write_text(nameless, encoding="utf-8")
    rows, _ = checked(tmp_path, BY_FILE.contract())
    finding = only(rows, "FILE-NO-TAG")
    assert (finding.file, finding.severity) == ("log.csv", "refuse")
    assert "machine" in finding.message


def test_each_file_may_be_written_in_its_own_way(tmp_path: Path) -> None:
    BY_FILE.write(tmp_path / "in")
    other = Export(**{**vars(BY_FILE), "separator": ";", "decimal": ",",
                      "time": "%d.%m.%Y %H:%M:%S"})  # fmt: skip
    plain = checked(tmp_path, BY_FILE.contract())[1]
    shutil.copy(of(tmp_path, BY_FILE, "P101", "flow"), tmp_path / "kept")
    values = [line.split(",")[1].replace(".", ",")
              for line in (tmp_path / "kept").read_text().split("\n")[1:-1]]  # fmt: skip
    other.one(tmp_path / "in", "P101", "flow", values)
    rows, accepted = checked(tmp_path, BY_FILE.contract())
    assert not rows.findings
    pd.testing.assert_frame_equal(accepted[["flow", "pressure"]], plain[["flow", "pressure"]])


def test_pieces_of_one_tag_may_follow_each_other(tmp_path: Path) -> None:
    BY_FILE.write(tmp_path / "in")
    path = of(tmp_path, BY_FILE, "P102", "flow")
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    for name, part in (("P102_flow-1", lines[1:31]), ("P102_flow-2", lines[30:])):
        text = "\n".join([lines[0], *part]) + "\n"
        (tmp_path / "in" / f"{name}.csv").write_text(text, encoding="utf-8")
    path.unlink()
    shape = {**BY_FILE.shape, "file": "{machine}_{tag}*"}
    rows, _ = checked(tmp_path, BY_FILE.contract(tag_files=shape))
    assert rows.accepted == 2 * MOMENTS
    # The last reading of the one piece is the first one of the other.
    assert only(rows, "READING-DUPLICATE").file == "P102_flow-2.csv"


# What is named where it stands


@exports
@pytest.mark.parametrize("line", [2, 17, 40])
def test_a_reading_that_is_none_is_named_by_its_file_and_line(
    export: Export, line: int, tmp_path: Path
) -> None:
    export.write(tmp_path / "in")
    machine, tag = export.machines[-1], list(export.tags)[-1]
    path = of(tmp_path, export, machine, tag)
    replaced(path, line, "broken")
    rows, _ = checked(tmp_path, export.contract())
    finding = only(rows, "SENSOR-NOT-A-NUMBER")
    shown = str(finding.file).split("/")[-1]
    assert (shown, finding.line, finding.received) == (path.name, line, "broken")
    assert rows.quarantine is not None
    rejected = pd.read_csv(rows.quarantine, dtype="str")
    assert [name.split("/")[-1] for name in rejected[columns.FILE]] == [path.name]
    assert rejected[columns.LINE].tolist() == [str(line)]
    assert rejected[tag].tolist() == ["broken"]


@exports
def test_a_value_that_is_held_is_named_by_its_reading(export: Export, tmp_path: Path) -> None:
    export.write(tmp_path / "in", offset=7)
    machine, (first, *_) = export.machines[0], list(export.tags)
    path = of(tmp_path, export, machine, first)
    replaced(path, 21, "99999" + export.decimal + "5")
    held = {name: {"hold": "1min", "max": 90_000} for name in export.tags}
    label = {"column": export.label, "blank": "unknown"}
    rows, _ = checked(tmp_path, export.contract(sensors=held, label=label))
    finding = only(rows, "SENSOR-OUT-OF-RANGE")
    assert (str(finding.file).split("/")[-1], finding.line) == (path.name, 21)
    assert finding.received.startswith("99999")


def test_readings_twice_and_of_bad_quality_are_said_with_their_file(tmp_path: Path) -> None:
    BY_FILE.write(tmp_path / "in")
    flow = of(tmp_path, BY_FILE, "P102", "flow")
    text = flow.read_text(encoding="utf-8")
    flow.write_text(text + text.split("\n")[-2] + "\n", encoding="utf-8")
    pressure = of(tmp_path, BY_FILE, "P101", "pressure")
    lines = pressure.read_text(encoding="utf-8").split("\n")
    lines[4] = lines[4].replace("Good", "Bad")
    pressure.write_text("\n".join(lines), encoding="utf-8")
    rows, _ = checked(tmp_path, BY_FILE.contract())
    twice, bad = only(rows, "READING-DUPLICATE"), only(rows, "READING-QUALITY")
    assert (twice.file, twice.line) == ("P102_flow.csv", MOMENTS + 2)
    assert (bad.file, bad.line, bad.column) == ("P101_pressure.csv", 5, "Quality")
    assert rows.accepted == 2 * MOMENTS - 1


# What is refused


@pytest.mark.parametrize(
    ("export", "name", "text"),
    [
        (BY_FILE, "readme.csv", "Timestamp,Value,Quality\n2026-03-17 06:00:00,1.5,Good\n"),
        (BY_FILE, "P101_speed.csv", "when,Value,Quality\n2026-03-17 06:00:00,1.5,Good\n"),
        (BY_FILE, "P101_flow2.csv", "Timestamp,Flow\n2026-03-17 06:00:00,1.5\n"),
        (BY_FILE, "P103_flow.csv", "Timestamp,Value\n2026-03-17 06:00:00,1.5\n"),
        (BY_HEADER, "x.csv", "ts\t7.n\t7.T\n2026-03-17T06:00:00Z\t0.02\t341.5\n"),
        (BY_HEADER, "x.csv", "ts\tspeed\n2026-03-17T06:00:00Z\t0.02\n"),
        (BY_COLUMN, "x.csv", "TagName|When|machine|Reading\nflow|03/17/2026 06:00:00 AM|fan_1|1.5\n"
                             "oil|03/17/2026 06:00:00 AM|fan_1|1.5\n"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_of_the_set_is_refused_by_name(
    export: Export, name: str, text: str, tmp_path: Path
) -> None:
    export.write(tmp_path / "in")
    (tmp_path / "in" / name).write_text(text, encoding="utf-8")
    rows, _ = checked(tmp_path, export.contract())
    finding = only(rows, "FILE-NO-TAG")
    assert (finding.file, finding.severity) == (name, "refuse")
    assert "tag_files" in finding.remedy
    assert len(rows.findings) == 1


@pytest.mark.parametrize("export", [BY_FILE, BY_HEADER, BY_COLUMN], ids=["file", "header", "col"])
def test_two_files_that_contradict_each_other_are_refused(export: Export, tmp_path: Path) -> None:
    export.write(tmp_path / "in")
    machine, tag = export.machines[0], next(iter(export.tags))
    path = of(tmp_path, export, machine, tag)
    again = path.with_name(f"{path.name.removesuffix('.csv')}_2.csv")
    shutil.copy(path, again)
    shape = {**export.shape, "file": "{machine}_{tag}*"} if export is BY_FILE else export.shape
    agreed = export.contract(tag_files=shape)
    rows, _ = checked(tmp_path, agreed)
    assert only(rows, "READING-DUPLICATE").count == MOMENTS
    replaced(again, 9, "77" + export.decimal + "7")
    rows, _ = checked(tmp_path, agreed)
    finding = only(rows, "READING-CONFLICT")
    assert (finding.file, finding.line, finding.column) == (again.name, 9, tag)
    assert path.name in finding.message


@exports
def test_a_tag_of_the_contract_without_a_file_is_refused(export: Export, tmp_path: Path) -> None:
    export.write(tmp_path / "in")
    gone = next(iter(export.tags))
    for machine in export.machines:
        of(tmp_path, export, machine, gone).unlink()
    rows, _ = checked(tmp_path, export.contract())
    finding = only(rows, "COLUMN-MISSING")
    assert f"tag(s) of the contract have no file: {gone}" in finding.message


def test_a_tag_that_the_contract_does_not_name_is_said_and_makes_no_rows(tmp_path: Path) -> None:
    BY_FILE.write(tmp_path / "in")
    values = [str(value / 2) for value in range(MOMENTS)]
    BY_FILE.one(tmp_path / "in", "P101", "level", values, offset=13)
    rows, _ = checked(tmp_path, BY_FILE.contract())
    assert only(rows, "COLUMN-UNKNOWN").file == "P101_level.csv"
    assert rows.read == 2 * MOMENTS
    silent, _ = checked(tmp_path, BY_FILE.contract(ignore=["level"]))
    assert not silent.findings


@pytest.mark.parametrize(
    "shape",
    [
        {"time": "t", "value": "v"},
        {"time": "t", "value": "v", "file": "{machine}"},
        {"time": "t", "value": "v", "tag": "n", "file": "{tag}"},
        {"time": "t", "file": "{tag}"},
        {"time": "t", "name": "{machine}"},
        {"time": "t", "value": "v", "file": "{a}_{a}_{tag}"},
        {"time": "other", "value": "v", "file": "{tag}"},
    ],
)
def test_a_shape_that_says_nothing_of_the_tag_is_refused(shape: dict[str, Any]) -> None:
    with pytest.raises(ContractError):
        BY_FILE.contract(time_column="t", tag_files=shape)


def test_files_of_one_tag_each_are_no_long_form() -> None:
    long = {"time": "Timestamp", "tag": "n", "value": "Value"}
    with pytest.raises(ContractError, match="tag_files"):
        BY_FILE.contract(long=long)


def test_the_shape_of_the_files_ends_no_model() -> None:
    from faultxfer.contract.diff import diff_contracts

    old = BY_FILE.contract(tag_files=None)
    diff = diff_contracts(old, BY_FILE.contract())
    assert diff.models_valid
    assert [change.field for change in diff.changes] == ["tag_files"]
