"""Every bad file is told by code, line and column, and what is set aside or refused adds up."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from cases import Bad
from checking import checked, name_of
from write import BAD

from faultxfer.findings import Finding
from faultxfer.reading import columns
from faultxfer.steps.intake import CheckedRows


def _place(finding: Finding) -> tuple[object, ...]:
    return finding.code, finding.severity, finding.file, finding.line, finding.column


@pytest.mark.parametrize("case", BAD, ids=name_of)
def test_a_bad_file_is_told_by_code_line_and_column(case: Bad, tmp_path: Path) -> None:
    told = checked(case, tmp_path)
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
        unused = sum(told.unused.values())
        assert told.accepted + told.quarantined + told.left_out + unused == told.read


def _check_leftovers(case: Bad, told: CheckedRows, folder: Path) -> None:
    """A refused file leaves its report.

    Rows set aside stand in the quarantine file, each with its reason.
    """
    if told.refused:
        assert (told.table, told.quarantine, told.accepted, told.quarantined) == (None, None, 0, 0)
        left = {path.name for path in folder.rglob("*") if path.is_file()} - {
            name for name, _ in case.files
        }
        assert not [name for name in left if not name.endswith(("-findings.json", ".html"))]
    elif case.set_aside:
        assert told.quarantine is not None
        rejected = pd.read_csv(told.quarantine, dtype="str")
        mine = rejected[rejected[columns.FILE] == case.guilty]
        assert sorted(mine[columns.LINE].astype(int)) == case.set_aside
    else:
        assert told.quarantine is None
