"""Every bad file is told by code, line and column; every valid one is accepted with the values of the clean table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from cases import Bad, Valid
from write import BAD, VALID

from faultxfer.contract import codes, columns
from faultxfer.contract.schema import parse_contract
from faultxfer.findings import Finding
from faultxfer.steps.intake import CheckedRows, check_files
from faultxfer.steps.validation import validate


def _name(case: Bad | Valid) -> str:
    return case.name


def _stored(case: Bad | Valid, folder: Path) -> list[str]:
    for name, content in case.files:
        (folder / name).write_bytes(content)
    return [str(folder / name) for name, _ in case.files]


def _checked(
    case: Bad | Valid, folder: Path, labelled: bool | None = None, equipment: str | None = None
) -> CheckedRows:
    return check_files(
        _stored(case, folder),
        parse_contract(case.contract, where=case.name),
        work=folder,
        quarantine=folder / "quarantine",
        labelled=labelled,
        equipment=equipment,
    )


def _place(finding: Finding) -> tuple[object, ...]:
    return finding.code, finding.severity, finding.file, finding.line, finding.column


@pytest.mark.parametrize("case", BAD, ids=_name)
def test_a_bad_file_is_told_by_code_line_and_column(case: Bad, tmp_path: Path) -> None:
    told = _checked(case, tmp_path, case.labelled, case.equipment)
    places = [_place(finding) for finding in told.findings]
    expected = (case.code, case.severity, case.guilty, case.line, case.column)
    assert expected in places
    assert {finding.code for finding in told.findings} - case.also == {case.code} - case.also
    if case.code not in case.also:
        assert [place for place in places if place[0] == case.code] == [expected]
    if case.lines:
        assert told.findings[places.index(expected)].count == len(case.lines)
    _check_counts(case, told)
    _check_leftovers(case, told, tmp_path)


def _check_counts(case: Bad, told: CheckedRows) -> None:
    assert told.refused == (case.severity == "refuse")
    if case.rows is not None:
        assert told.read == case.rows
    if not told.refused:
        assert (told.quarantined, told.left_out) == (len(case.set_aside), case.left_out)
        assert told.accepted + told.quarantined + told.left_out == told.read


def _check_leftovers(case: Bad, told: CheckedRows, folder: Path) -> None:
    """A refused file leaves its report; rows set aside stand in the quarantine file, each with its reason."""
    if told.refused:
        assert (told.table, told.quarantine, told.accepted, told.quarantined) == (None, None, 0, 0)
        left = {path.name for path in folder.rglob("*") if path.is_file()} - {name for name, _ in case.files}
        assert not [name for name in left if not name.endswith(("-findings.json", ".html"))]
    elif case.set_aside:
        assert told.quarantine is not None
        rejected = pd.read_csv(told.quarantine, dtype="str")
        mine = rejected[rejected[columns.FILE] == case.guilty]
        assert sorted(mine[columns.LINE].astype(int)) == case.set_aside
    else:
        assert told.quarantine is None


@pytest.mark.parametrize("case", VALID, ids=_name)
def test_a_valid_file_is_accepted_with_the_values_of_the_clean_table(case: Valid, tmp_path: Path) -> None:
    told = _checked(case, tmp_path)
    assert {finding.code for finding in told.findings} <= case.said
    assert {finding.severity for finding in told.findings} <= {"warn"}
    rows = len(case.truth.rows)
    assert (told.read, told.accepted, told.quarantined, told.left_out) == (rows, rows, 0, 0)
    assert told.table is not None
    _compare(case, pd.read_parquet(told.table))


def _compare(case: Valid, accepted: pd.DataFrame) -> None:
    for name in case.plant.sensors:
        values = np.array([float(cell) for cell in case.truth.column(name)])
        np.testing.assert_allclose(accepted[name].to_numpy(), values, rtol=1e-9, atol=1e-9, err_msg=name)
    base = case.plant.base
    keys = ((columns.EQUIPMENT, "equipment_column", None), (columns.RUN, "run_column", columns.FILE))
    for kept, role, other in keys:
        expected = list(accepted[other]) if other else [case.contract["family"]] * len(accepted)
        assert list(accepted[kept]) == (case.truth.column(base[role]) if role in base else expected)
    faulty = set(base["label"].get("fault", ("1",)))
    assert list(accepted[columns.FAULT]) == [cell in faulty for cell in case.truth.column(base["label"]["column"])]
    times = (
        [case.plant.seconds(cell) for cell in case.truth.column(base["time_column"])] if "time_column" in base else []
    )
    np.testing.assert_allclose(accepted[columns.TIME].dropna().to_numpy(), times, rtol=0, atol=1e-5)


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    assert len(BAD) >= 200
    assert len(VALID) >= 200
    names = Counter(case.name for case in (*BAD, *VALID))
    files = Counter(name.lower() for case in (*BAD, *VALID) for name, _ in case.files)
    assert [name for name, count in (names + files).items() if count > 1] == []


def test_no_file_of_the_corpus_is_written_twice() -> None:
    contents = Counter(
        (
            repr(case.files and [content for _, content in case.files]),
            repr(case.contract),
            case.equipment,
            case.labelled,
        )
        for case in BAD
    )
    assert max(contents.values()) == 1
    valid = Counter((repr([content for _, content in case.files]), repr(case.contract)) for case in VALID)
    assert max(valid.values()) == 1


def test_every_code_has_bad_files() -> None:
    counts = Counter(case.code for case in BAD)
    known = {*codes.FIXED, *codes.CONFIGURABLE, "SENSOR-OUT-OF-RANGE"}
    assert set(counts) == known
    assert [code for code, count in counts.items() if count < 2] == []


@pytest.mark.parametrize("case", [BAD[0], VALID[0]], ids=_name)
def test_a_contract_of_the_corpus_serves_the_command(case: Bad | Valid, tmp_path: Path) -> None:
    contract = tmp_path / "contract.yaml"
    contract.write_text(yaml.safe_dump(case.contract, allow_unicode=True), encoding="utf-8")
    told = validate(_stored(case, tmp_path), contract, quarantine=tmp_path / "quarantine")
    assert told.refused == isinstance(case, Bad)
