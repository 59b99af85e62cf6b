"""Files of one tag each are found by content, pinned in the draft, and the draft reads them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY

sys.path.append(str(REPOSITORY / "tests" / "contract"))

from tag_files import BY_COLUMN, BY_FILE, BY_FOLDER, BY_HEADER, EXPORTS, MOMENTS, Export, files_in

from faultxfer.contract.schema import Contract, load_contract
from faultxfer.drafting.contracts import draft_contract
from faultxfer.errors import ContractError, DataError
from faultxfer.steps.intake import check_files

exports = pytest.mark.parametrize("export", EXPORTS.values(), ids=list(EXPORTS))


def drafted(
    folder: Path, export: Export, *, used: int = MOMENTS, **more: Any
) -> tuple[Contract, dict[str, Any]]:
    """The contract drafted from the files; the same files fit it.

    ``used`` are the rows of each machine that are accepted.
    """
    files, out = files_in(folder / "in"), folder / "draft.yaml"
    told = draft_contract(files, out, label=export.label, force=True, **more)
    contract = load_contract(out)
    rows = check_files(files, contract, work=None, quarantine=folder / "q", labelled=True)
    assert rows.accepted == used * len(export.machines), rows.findings
    return contract, told


@exports
def test_tag_machine_time_and_reading_are_found(export: Export, tmp_path: Path) -> None:
    export.write(tmp_path / "in")
    contract, told = drafted(tmp_path, export)
    assert contract.tag_files is not None
    found = contract.tag_files.model_dump(exclude_defaults=True)
    assert {**found, "good": ()} == {**export.shape, "good": ()}
    assert contract.time_column == export.shape["time"]
    assert contract.equipment_column == "machine"
    assert sorted(contract.features) == sorted(export.tags)
    assert not any(sensor.hold for sensor in contract.sensors.values())
    assert told["columns"][0]["role"] == "files"
    assert "One file for each tag" in told["columns"][0]["why"]


@exports
def test_tags_with_other_times_are_held_by_their_own_rhythm(export: Export, tmp_path: Path) -> None:
    export.write(tmp_path / "in", offset=7)
    contract, told = drafted(tmp_path, export, used=MOMENTS - 1)
    assert {sensor.hold for sensor in contract.sensors.values()} == {"2min"}
    assert contract.label.blank == "unknown"
    assert "sensor, held" in {line["role"] for line in told["columns"]}


@pytest.mark.parametrize(
    ("path", "machines"),
    [
        ("{m}_{t}.csv", ("PU 1", "PU 2")),
        ("{t} - {m}.csv", ("a_north", "b_south", "c_south")),
        ("2026/{m}.{t}.csv", ("7", "8")),
        ("{m}/{t}.csv", ("left of it", "right of it")),
    ],
)
def test_the_machine_in_the_name_is_told_from_the_tag_by_the_readings(
    path: str, machines: tuple[str, ...], tmp_path: Path
) -> None:
    export = Export(**{**vars(BY_FILE), "path": path, "machines": machines})
    export.write(tmp_path / "in")
    contract, _ = drafted(tmp_path, export)
    assert contract.tag_files is not None
    assert sorted(contract.features) == sorted(export.tags)


@pytest.mark.parametrize(
    ("path", "file", "machine"),
    [
        ("P7_{t}.csv", "{machine}_{tag}", "machine"),
        ("export-{t}.csv", "export-{tag}", None),
        ("{t}.csv", "{tag}", None),
        ("{t}_2026.csv", "{tag}_*", None),
    ],
)
def test_what_all_names_share_is_the_machine_if_it_has_a_number(
    path: str, file: str, machine: str | None, tmp_path: Path
) -> None:
    export = Export(**{**vars(BY_FILE), "path": path, "machines": ("P7",)})
    export.write(tmp_path / "in")
    contract, _ = drafted(tmp_path, export)
    assert contract.tag_files is not None
    assert (contract.tag_files.file, contract.equipment_column) == (file, machine)
    assert sorted(contract.features) == sorted(export.tags)


@pytest.mark.parametrize("name", ["labels", "P7_labels", "log of all"])
def test_labels_in_a_file_of_their_own_are_found(name: str, tmp_path: Path) -> None:
    export = Export(**{**vars(BY_FILE), "machines": ("P7",)})
    export.write(tmp_path / "in", label=False)
    own = Export(**{**vars(export), "header": ("Timestamp", "fault"), "path": f"{name}.csv",
                    "cells": ("{time}", "{value}")})  # fmt: skip
    own.one(tmp_path / "in", "P7", "", export.labels())
    contract, _ = drafted(tmp_path, export)
    assert sorted(contract.features) == sorted(export.tags)


@pytest.mark.parametrize("export", [BY_FILE, BY_HEADER, BY_FOLDER], ids=["file", "header", "dir"])
def test_a_file_that_does_not_look_like_the_others_stops_the_draft(
    export: Export, tmp_path: Path
) -> None:
    export.write(tmp_path / "in")
    text = "a,b,c,d\n1.5,2.5,3.5,x\n2.5,3.5,4.5,y\n"
    (tmp_path / "in" / "readme.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"one tag each.*readme\.csv"):
        drafted(tmp_path, export)


@pytest.mark.parametrize("value", ["flow", "x", "vibration_mm_s"])
def test_files_of_one_sensor_with_labels_are_rows_of_moments(value: str, tmp_path: Path) -> None:
    wide = Export(**{**vars(BY_FILE), "header": ("time", value, "fault"), "path": "{m}.csv",
                     "cells": ("{time}", "{value}", "0"), "tags": {value: 60.0}})  # fmt: skip
    wide.write(tmp_path / "in", label=False)
    draft_contract(files_in(tmp_path / "in"), tmp_path / "draft.yaml", label="fault")
    contract = load_contract(tmp_path / "draft.yaml")
    assert contract.tag_files is None
    assert contract.features == (value,)


def test_two_wide_files_of_which_one_lacks_the_label_are_told_as_before(tmp_path: Path) -> None:
    for name, header in (("a", "time,flow,fault"), ("b", "time,flow,note")):
        lines = [header, *(f"2026-03-17 06:{m:02d}:00,{50 + m % 7}.5,{m % 2}" for m in range(30))]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(ContractError, match="fault"):
        draft_contract(files_in(tmp_path), tmp_path / "draft.yaml", label="fault")


def test_a_machine_column_named_by_hand_is_the_one_of_the_names(tmp_path: Path) -> None:
    BY_COLUMN.write(tmp_path / "in")
    contract, _ = drafted(tmp_path, BY_COLUMN, equipment_column="machine")
    assert contract.equipment_column == "machine"
