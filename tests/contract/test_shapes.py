"""Units that files state, held values, quality, long form and newest-first files in the check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from check_rows import check_csv

from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.errors import ContractError
from faultxfer.reading import columns
from faultxfer.steps.intake import CheckedRows

BASE: dict[str, Any] = {
    "family": "pumps",
    "label": {"column": "fault"},
    "time_column": "t",
    "sensors": {"p": {"unit": "bar", "max_missing": 1.0}, "n": {"max_missing": 1.0}},
}


def contract(**more: Any) -> Contract:
    sensors = {name: {**BASE["sensors"][name], **more.pop(name, {})} for name in ("p", "n")}
    return parse_contract({**BASE, "sensors": sensors, **more}, where="test")


def told(folder: Path, text: str, agreed: Contract, **how: Any) -> tuple[CheckedRows, pd.DataFrame]:
    path = folder / "a.csv"
    path.write_text(text, encoding="utf-8")
    rows = check_csv(folder, agreed, [path], **how)
    return rows, pd.read_feather(rows.table) if rows.table else pd.DataFrame()


def codes(rows: CheckedRows) -> dict[str, str]:
    """Severities by code; few rows often have one class."""
    found = {finding.code: finding.severity for finding in rows.findings}
    found.pop("LABEL-ONE-CLASS", None)
    return found


# Units


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("t,p,n,fault\ns,mbar,rpm,\n0,6100,5,0\n1,6000,6,1\n", 6.1),
        ("t,p,n,fault\n0,6100 mbar,5,0\n1,6000 mbar,6,1\n", 6.1),
        ("t,p,n,fault\n0,6.1,5,0\n1,600 kPa,6,1\n", 6.1),
        ("t;p;n;fault\n0;88,5 psi;5;0\n1;87,0 psi;6;1\n", 6.102),
    ],
)
def test_a_stated_unit_of_the_same_quantity_is_converted(
    tmp_path: Path, text: str, first: float
) -> None:
    rows, accepted = told(tmp_path, text, contract())
    assert codes(rows) == {"SENSOR-UNIT": "warn"}
    assert accepted["p"].tolist() == pytest.approx([first, 6.0], abs=2e-3)


@pytest.mark.parametrize("unit", ["degC", "m3/h", "barg", "mm/s"])
@pytest.mark.parametrize("form", ["t,p,n,fault\ns,{0},,\n0,6,5,0\n1,7,6,1\n",
                                  "t,p,n,fault\n0,6 {0},5,0\n1,7 {0},6,1\n"])  # fmt: skip
def test_a_stated_unit_that_cannot_be_converted_is_refused(
    tmp_path: Path, form: str, unit: str
) -> None:
    rows, _ = told(tmp_path, form.format(unit), contract())
    assert codes(rows) == {"SENSOR-UNIT": "refuse"}
    softened, accepted = told(tmp_path, form.format(unit), contract(rules={"SENSOR-UNIT": "warn"}))
    assert codes(softened) == {"SENSOR-UNIT": "warn"}
    assert accepted["p"].tolist() == [6.0, 7.0]


def test_a_stated_unit_must_not_contradict_the_machines_own_entry(tmp_path: Path) -> None:
    own = {"equipment": {"pumps": {"units": {"p": "psi"}}}}
    for unit, expected in (("psi", {}), ("kPa", {"SENSOR-UNIT": "refuse"})):
        text = f"t,p,n,fault\ns,{unit},,\n0,88,5,0\n1,87,6,1\n"
        assert codes(told(tmp_path, text, contract(**own))[0]) == expected


# Values that are held


def test_a_value_is_held_inside_its_machine_and_run_and_no_longer_than_said(
    tmp_path: Path,
) -> None:
    text = (
        "t,m,r,p,n,fault\n"
        "0,A,1,,1,0\n10,A,1,2,1,0\n20,A,1,,1,0\n30,A,1,,1,1\n"
        "10,B,1,,1,0\n20,B,1,7,1,0\n25,B,1,,1,0\n"
        "40,A,2,,1,0\n35,A,2,9,1,0\n"
    )
    agreed = contract(p={"hold": "12s"}, equipment_column="m", run_column="r")
    rows, accepted = told(tmp_path, text, agreed)
    kept = dict(zip(accepted[columns.LINE], accepted["p"], strict=True))
    assert kept == {3: 2.0, 4: 2.0, 7: 7.0, 8: 7.0, 9: 9.0, 10: 9.0}
    assert codes(rows)["SENSOR-HELD"] == "warn"


def test_limits_over_time_look_at_readings_and_not_at_held_values(tmp_path: Path) -> None:
    cells = [f"{5 + step // 10 % 2}" if step % 10 == 0 else "" for step in range(60)]
    text = "t,p,n,fault\n" + "".join(
        f"{step},{cell},{step * 37 % 61},{step % 2}\n" for step, cell in enumerate(cells)
    )
    agreed = contract(p={"hold": "10", "max_rate": 0.11, "stuck_after": 3})
    rows, accepted = told(tmp_path, text, agreed)
    assert codes(rows) == {"SENSOR-HELD": "warn"}
    assert len(accepted) == 60
    too_fast = contract(p={"hold": "10", "max_rate": 0.09})
    assert "SENSOR-RATE" in codes(told(tmp_path, text, too_fast)[0])


@pytest.mark.parametrize("hold", ["soon", "0min", "-3s", "10 weeks"])
def test_a_span_that_is_none_is_refused(hold: str) -> None:
    with pytest.raises(ContractError, match="hold"):
        contract(p={"hold": hold})


def test_holding_needs_a_time() -> None:
    with pytest.raises(ContractError, match="time_column"):
        contract(p={"hold": "10min"}, time_column=None)


# Quality


@pytest.mark.parametrize(
    ("good", "cells"),
    [
        (["192"], ["192", "0", "192.0", "24"]),
        (["192.0"], ["192", "24", "192.0", ""]),
        (["Good"], ["Good", "Bad", " Good ", "Uncertain"]),
        (["1"], ["1", "0", "1,0", "2"]),
    ],
)
def test_readings_of_bad_quality_count_as_missing(
    tmp_path: Path, good: list[str], cells: list[str]
) -> None:
    text = "t;q;p;n;fault\n" + "".join(
        f"{step};{cell};{step + 4};3;{step % 2}\n" for step, cell in enumerate(cells)
    )
    agreed = contract(p={"quality": {"column": "q", "good": good}})
    rows, accepted = told(tmp_path, text, agreed)
    assert accepted["p"].tolist() == [4.0, 6.0]
    assert codes(rows) == {"READING-QUALITY": "warn", "SENSOR-MISSING": "quarantine"}


def test_text_of_bad_quality_is_missing_and_no_reading(tmp_path: Path) -> None:
    text = "t,q,p,n,fault\n0,192,1,3,0\n1,0,broken,3,1\n2,192,2,3,0\n"
    rows, _ = told(tmp_path, text, contract(p={"quality": {"column": "q", "good": ["192"]}}))
    assert "SENSOR-NOT-A-NUMBER" not in codes(rows)


@pytest.mark.parametrize("severity", ["warn", "quarantine", "refuse"])
def test_the_contract_decides_what_a_bad_quality_means(tmp_path: Path, severity: str) -> None:
    text = "t,p,q,n,fault\n0,6.1,192,5,0\n1,6.2,24,6,1\n2,6.0,192,7,0\n"
    agreed = contract(p={"quality": {"column": "q"}}, rules={"READING-QUALITY": severity})
    rows, _ = told(tmp_path, text, agreed)
    assert codes(rows)["READING-QUALITY"] == severity
    assert rows.refused == (severity == "refuse")


def test_a_missing_column_of_quality_is_refused_in_scoring_too(tmp_path: Path) -> None:
    agreed = contract(p={"quality": {"column": "q"}})
    rows, _ = told(tmp_path, "t,p,n\n0,1,2\n", agreed, labelled=False)
    assert codes(rows) == {"COLUMN-MISSING": "refuse"}


def test_a_column_of_quality_is_no_input() -> None:
    with pytest.raises(ContractError, match="quality"):
        contract(p={"quality": {"column": "n"}})


# One reading in each row

DIGEST = "a52f68723d2e47a042efbe80c1196e549df41d99eb7bb07cdc87c65724333f89"
LONG = {"long": {"time": "t", "tag": "name", "value": "v"}}


def test_readings_of_a_time_become_a_row_and_keep_their_lines(tmp_path: Path) -> None:
    text = (
        "name;t;v\np;31.03.2026 14:06;7,5\np;31.03.2026 14:05;broken\nn;31.03.2026 14:05;80\n"
        "n;31.03.2026 14:06;81\nfault;31.03.2026 14:05;1\nfault;31.03.2026 14:06;0\n"
        "n;31.03.2026 14:06;99\n"
    )
    rows, accepted = told(tmp_path, text, contract(**LONG))
    assert codes(rows) == {"SENSOR-NOT-A-NUMBER": "quarantine", "READING-DUPLICATE": "warn"}
    assert accepted[["p", "n", columns.FAULT]].to_numpy().tolist() == [[7.5, 81.0, 0.0]]
    (bad,) = [finding for finding in rows.findings if finding.code == "SENSOR-NOT-A-NUMBER"]
    assert (bad.line, bad.column, bad.received) == (3, "p", "broken")
    assert rows.quarantine is not None
    rejected = pd.read_csv(rows.quarantine, dtype="str")
    assert rejected[columns.LINE].tolist() == ["3"]
    assert rejected["p"].tolist() == ["broken"]


def test_machines_and_runs_beside_the_readings_tell_rows_apart(tmp_path: Path) -> None:
    moments = [(m, t) for m in ("A", "B") for t in range(3)]
    lines = [f"{t},{m},{tag},{t + 10}" for tag in ("p", "n", "fault") for m, t in moments]
    labels = [line.replace(",fault,1", ",fault,") for line in lines]
    text = "t,machine,name,v\n" + "\n".join(labels) + "\n"
    agreed = contract(**LONG, equipment_column="machine", label={"column": "fault",
                      "normal": ["0"], "fault": ["1", "2"]})  # fmt: skip
    rows, accepted = told(tmp_path, text, agreed)
    assert not rows.findings
    assert sorted(zip(accepted[columns.EQUIPMENT], accepted["p"], strict=True)) == [
        (m, t + 10.0) for m, t in moments
    ]


def test_a_long_form_that_is_not_pinned_is_refused(tmp_path: Path) -> None:
    tags = {"p": 6.0, "n": 1480.0, "fault": 0.0}
    lines = [f"{1767225600 + 60 * t},{name},{value + t % 7}" for t in range(40)
             for name, value in tags.items()]  # fmt: skip
    rows, _ = told(tmp_path, "t,name,v\n" + "\n".join(lines) + "\n", contract())
    assert codes(rows) == {"FILE-LONG": "refuse"}


def test_one_sensor_of_several_machines_is_no_long_form(tmp_path: Path) -> None:
    one = parse_contract({**BASE, "sensors": {"flow": {}}, "ignore": ["site"]}, where="test")
    draw = np.random.default_rng(3)
    lines = [f"{1767225600 + 60 * t},{site},{draw.normal(50, 8):.2f},{t % 2}" for t in range(40)
             for site in ("north", "south", "east")]  # fmt: skip
    rows, _ = told(tmp_path, "t,site,flow,fault\n" + "\n".join(lines) + "\n", one)
    assert "FILE-LONG" not in codes(rows)


# Newest first


def test_a_file_with_the_newest_rows_first_is_judged_in_the_order_of_time(tmp_path: Path) -> None:
    steps = [*range(10), *range(30, 40)]
    values = [5.0] * 4 + [5.0 + 0.3 * step for step in range(15)] + [40.0]
    lines = [f"{t},{value},{t},{t % 2}" for t, value in zip(steps, values, strict=True)]
    agreed = contract(p={"max_rate": 1, "stuck_after": 4}, sampling_period=1)
    oldest, accepted = told(tmp_path, "t,p,n,fault\n" + "\n".join(lines) + "\n", agreed)
    newest, turned = told(tmp_path, "t,p,n,fault\n" + "\n".join(lines[::-1]) + "\n", agreed)
    assert codes(oldest) == {
        "SENSOR-RATE": "quarantine",
        "SENSOR-STUCK": "warn",
        "TIME-GAP": "warn",
    }
    assert codes(newest) == {**codes(oldest), "TIME-NEWEST-FIRST": "warn"}
    assert turned["p"].tolist() == accepted["p"].tolist()[::-1]


def test_contracts_without_the_new_keys_have_the_digest_they_had() -> None:
    plain = {
        "family": "pumps",
        "label": {"column": "fault"},
        "time_column": "t",
        "sensors": {"p": {"unit": "bar", "min": 0, "max": 40}},
        "csv": {"decimal": ",", "missing": ["-9999"]},
        "equipment": {"a": {"units": {"p": "psi"}}},
    }
    # What the release before these keys gave.
    assert parse_contract(plain, where="test").digest() == DIGEST
    assert contract().digest() != contract(p={"hold": "5s"}).digest()
