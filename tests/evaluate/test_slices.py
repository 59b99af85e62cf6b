"""Parts of the rows, from the file's column to the comparison."""

from __future__ import annotations

import numpy as np
from judged_rows import rows

from faultxfer.config import GateOptions
from faultxfer.evaluate.measuring import compare
from faultxfer.evaluate.rows import slices_of

Y = np.array([0, 0, 1, 1, 0, 1])


def parts(**given: list[str]) -> dict[tuple[str, str], list[int]]:
    found = slices_of(Y, {name: np.array(values) for name, values in given.items()})
    return {(name, value): np.flatnonzero(mask).tolist() for name, value, mask in found}


def test_a_condition_has_its_own_faults_and_its_own_normal_rows() -> None:
    assert parts(mode=["idle", "full", "idle", "full", "idle", "full"]) == {
        ("mode", "idle"): [0, 2, 4],
        ("mode", "full"): [1, 3, 5],
    }


def test_a_kind_of_fault_is_told_apart_from_all_normal_rows() -> None:
    assert parts(kind=["", "", "leak", "wear", "", "leak"]) == {
        ("kind", "leak"): [0, 1, 2, 4, 5],
        ("kind", "wear"): [0, 1, 3, 4],
    }


def test_one_value_a_value_without_faults_and_a_value_of_every_row_are_no_parts() -> None:
    assert parts(one=["a"] * 6, label=[str(value) for value in Y]) == {}
    assert list(parts(mode=["off", "on", "on", "on", "on", "on"])) == [("mode", "on")]


def test_a_comparison_has_every_part_with_its_rows_faults_and_runs() -> None:
    champion, candidate = rows(0, gain=1.0)
    mode = np.where(np.isin(candidate.run, [str(number) for number in range(8)]), "idle", "full")
    found = compare(candidate, champion, {"mode": mode}, GateOptions())
    assert {(part.value, part.rows, part.faults, part.runs) for part in found.slices} == {
        ("idle", 120, 24, 8),
        ("full", 180, 36, 12),
    }
    assert all(part.changes["roc_auc"].estimate > 0 for part in found.slices)
