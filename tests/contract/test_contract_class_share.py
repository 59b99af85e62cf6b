"""A share of faults far from the source's is told, once for all files.

Without anything to compare, nothing is.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from check_rows import CONTRACT, ROWS, cells, check

from faultxfer.contract.class_share import MAX_ODDS_RATIO, Classes, with_class_share
from faultxfer.contract.outcome import Checked
from faultxfer.contract.schema import Contract
from faultxfer.errors import DataError
from faultxfer.findings import Finding
from faultxfer.steps.intake import check_files, require_accepted

TENTH = Classes(rows=1000, faults=100)


def labelled(faults: int) -> Checked:
    """Twenty rows, so many of them faults."""
    return check(cells().assign(fault=["1"] * faults + ["0"] * (ROWS - faults)))


def share_findings(
    *checked: Checked, source: Classes | None = TENTH, contract: Contract = CONTRACT
) -> list[Finding]:
    found = with_class_share(list(checked), contract, source)
    return [
        finding
        for outcome in found
        for finding in outcome.findings
        if finding.code == "LABEL-SHARE"
    ]


def test_far_more_faults_than_the_source_had_is_told_with_both_shares() -> None:
    (finding,) = share_findings(labelled(10))
    assert finding.severity == "warn"
    assert (finding.file, finding.column, finding.count) == ("a.csv", "fault", ROWS)
    assert (
        finding.message == "50.00% of the rows are labelled fault, 10.00% of the source's rows were"
    )
    assert finding.expected == "a share from 2.17% to 35.71%, by the source's"
    assert finding.received == "50.00%: 10 of 20 rows"
    assert "who labelled" in finding.remedy


def test_far_fewer_faults_than_the_source_had_is_told() -> None:
    (finding,) = share_findings(labelled(1), source=Classes(rows=10, faults=5))
    assert finding.received == "5.00%: 1 of 20 rows"


@pytest.mark.parametrize("faults", [1, 2, 7])
def test_a_share_near_the_source_is_not_told(faults: int) -> None:
    assert share_findings(labelled(faults)) == []


def test_the_limit_itself_passes() -> None:
    assert labelled(10).accepted["_fault"].mean() == 0.5  # odds of one
    assert share_findings(labelled(10), source=Classes(rows=6, faults=1)) == []
    assert share_findings(labelled(10), source=Classes(rows=600, faults=99)) != []
    assert MAX_ODDS_RATIO == 5


NOT_APPLICABLE = {
    "a source of an older release": (labelled(10), None),
    "rows without labels": (check(cells(), labelled=False), TENTH),
    "one class": (labelled(20), TENTH),
    "a refused file": (check(cells().drop(columns="flow")), TENTH),
    "a source of one class": (labelled(10), Classes(rows=10, faults=0)),
}


@pytest.mark.parametrize("name", NOT_APPLICABLE)
def test_where_there_is_nothing_to_compare_nothing_is_told(name: str) -> None:
    checked, source = NOT_APPLICABLE[name]
    assert share_findings(checked, source=source) == []


def test_files_are_compared_together_and_told_once() -> None:
    """A file of faults beside files of normal running is how campaigns are exported."""
    assert share_findings(labelled(19), *[labelled(1)] * 5) == []
    (finding,) = share_findings(labelled(19), labelled(1))
    assert (finding.file, finding.received) == (None, "50.00%: 20 of 40 rows")


def test_the_contract_may_refuse_such_a_transfer(tmp_path: Path) -> None:
    contract = CONTRACT.model_copy(update={"rules": {"LABEL-SHARE": "refuse"}})
    cells().to_csv(tmp_path / "a.csv", index=False)
    for source, refused in ((TENTH, True), (None, False)):
        rows = check_files(
            [str(tmp_path / "a.csv")],
            contract,
            work=tmp_path,
            quarantine=tmp_path / "quarantine",
            labelled=True,
            source=source,
        )
        assert rows.refused is refused
        assert rows.accepted == (0 if refused else ROWS)
        if refused:
            with pytest.raises(
                DataError, match=r"LABEL-SHARE: 50\.00%.*Where: a\.csv, column 'fault'"
            ):
                require_accepted(rows)


def test_a_refusal_of_several_files_names_no_single_one(tmp_path: Path) -> None:
    contract = CONTRACT.model_copy(update={"rules": {"LABEL-SHARE": "refuse"}})
    later = pd.Series(pd.date_range("2026-02-01", periods=ROWS, freq="min")).astype(str)
    cells().to_csv(tmp_path / "a.csv", index=False)
    cells().assign(time=later).to_csv(tmp_path / "b.csv", index=False)
    csv = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    rows = check_files(
        csv, contract, work=tmp_path, quarantine=tmp_path / "q", labelled=True, source=TENTH
    )
    with pytest.raises(
        DataError, match=r"20 of 40 rows.*Where: all files together, column 'fault'"
    ):
        require_accepted(rows)
