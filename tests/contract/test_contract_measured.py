"""Sensors that are no measurements are found again in data, under any contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from check_rows import check_csv

from faultxfer.contract.diff import diff_contracts
from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.steps.intake import CheckedRows

ROWS, RUNS = 30, 8
# Separator, the name of the column, and a factor.
TWINS = ((",", "W17", 1.0), (";", "Zustand [1]", 100.0), ("\t", "b3.d", -0.5))
twins = pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin[1])


def frame(machine: str, seed: int) -> pd.DataFrame:
    size = ROWS * RUNS
    draw = np.random.default_rng(seed)
    step, run = np.arange(size) % ROWS, np.arange(size) // ROWS
    fault = (run % 2 == 1) & (step >= 18)
    return pd.DataFrame(
        {
            "when": pd.date_range("2026-05-01", periods=size, freq="10min").astype(str),
            "fan": machine,
            "run": [f"{machine}/{number}" for number in run],
            "flow": draw.normal(100, 5, size).round(2),
            "current": (draw.normal(50, 2, size) + fault).round(2),
            "fault": fault.astype(int),
        }
    )


def contract(**sensors: dict[str, str]) -> Contract:
    fields = {
        "family": "fans",
        "label": {"column": "fault"},
        "equipment_column": "fan",
        "run_column": "run",
        "time_column": "when",
        "sensors": {"flow": {}, "current": {}, **sensors},
    }
    return parse_contract(fields, where="test")


def checked(
    folder: Path, frames: list[pd.DataFrame], rules: Contract, sep: str, *, labelled: bool | None
) -> CheckedRows:
    paths = []
    for number, rows in enumerate(frames):
        paths.append(folder / f"{number}.csv")
        rows.to_csv(paths[-1], index=False, sep=sep)
    return check_csv(folder, rules, paths, labelled=labelled)


def told(rows: CheckedRows) -> list[tuple[str, str, str | None]]:
    return [(item.code, item.severity, item.column) for item in rows.findings]


def with_words(name: str, factor: float) -> list[pd.DataFrame]:
    frames = [frame("a", 1), frame("b", 2)]
    for rows in frames:
        word = np.where(rows["fault"] == 1, 20 + np.arange(len(rows)) % 3, 4)
        rows[name] = word * factor
    return frames


@twins
def test_a_leak_that_decides_refuses_where_a_model_is_made(
    twin: tuple[str, str, float], tmp_path: Path
) -> None:
    sep, name, factor = twin
    rules = contract(**{name: {}})
    frames = with_words(name, factor)
    looked = checked(tmp_path, frames, rules, sep, labelled=None)
    assert told(looked) == [("LABEL-LEAK", "warn", name)]
    training = checked(tmp_path, frames, rules, sep, labelled=True)
    assert told(training) == [("LABEL-LEAK", "refuse", name)]
    assert "PR-AUC on runs left out is lower by" in training.findings[0].message
    assert "keep" in training.findings[0].remedy


@twins
def test_a_reason_to_keep_silences_the_rules(twin: tuple[str, str, float], tmp_path: Path) -> None:
    sep, name, factor = twin
    rules = contract(**{name: {"keep": "set before the fault"}})
    assert told(checked(tmp_path, with_words(name, factor), rules, sep, labelled=True)) == []


@twins
def test_counters_clocks_names_and_copies_are_told_over_all_files(
    twin: tuple[str, str, float], tmp_path: Path
) -> None:
    sep, name, factor = twin
    frames = [frame("a", 1), frame("b", 2)]
    for number, rows in enumerate(frames):
        rows["h"] = (700 + number + np.arange(len(rows)) / 6).round(2)
        rows["e"] = 1_777_000_000 + 600 * np.arange(len(rows))
        rows[name] = (4711 + number) * factor
        rows["flow 2"] = rows["flow"]
    rules = contract(h={}, e={}, **{name: {}, "flow 2": {}})
    assert told(checked(tmp_path, frames, rules, sep, labelled=True)) == [
        ("COLUMN-COUNTS", "warn", "h"),
        ("COLUMN-CLOCK", "warn", "e"),
        ("COLUMN-NAME", "warn", name),
        ("COLUMN-COPY", "warn", "flow 2"),
    ]


def test_rows_to_be_scored_are_not_looked_at(tmp_path: Path) -> None:
    rows = frame("a", 1).drop(columns="fault")
    rows["h"] = np.arange(len(rows)) / 6
    assert told(checked(tmp_path, [rows], contract(h={}), ",", labelled=False)) == []


def test_three_machines_show_what_a_counter_is_worth(tmp_path: Path) -> None:
    frames = [frame(machine, seed) for seed, machine in enumerate("abc")]
    for rows in frames:
        rows["h"] = (700 + np.arange(len(rows)) / 6).round(2)
    (finding,) = checked(tmp_path, frames, contract(h={}), ",", labelled=True).findings
    assert finding.code == "COLUMN-COUNTS"
    assert "PR-AUC on machines left out moves by" in finding.message


def test_a_contract_decides_what_a_rule_does(tmp_path: Path) -> None:
    rows = frame("a", 1)
    rows["h"] = np.arange(len(rows)) / 6
    strict = contract(h={}).model_copy(update={"rules": {"COLUMN-COUNTS": "refuse"}})
    assert checked(tmp_path, [rows], strict, ",", labelled=None).refused


def test_a_reason_changes_no_older_contract() -> None:
    plain, kept = contract(), contract(flow={"keep": "asked"})
    assert plain.digest() != kept.digest()
    assert "keep" not in str(contract(flow={}).model_dump(exclude_defaults=True))
    diff = diff_contracts(plain, kept)
    assert diff.models_valid
    assert [change.field for change in diff.changes] == ["sensors.flow.keep"]
