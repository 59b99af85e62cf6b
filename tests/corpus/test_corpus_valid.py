"""Every valid file is accepted completely, with the values of the clean table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cases import Valid
from checking import checked, name_of
from write import VALID

from faultxfer.reading import columns


@pytest.mark.parametrize("case", VALID, ids=name_of)
def test_a_valid_file_is_accepted_with_the_values_of_the_clean_table(
    case: Valid, tmp_path: Path
) -> None:
    told = checked(case, tmp_path)
    assert {finding.code for finding in told.findings} <= case.said
    assert {finding.severity for finding in told.findings} <= {"warn"}
    rows = len(case.truth.rows)
    used = told.read - sum(told.unused.values())
    assert (used, told.accepted, told.quarantined, told.left_out) == (rows, rows, 0, 0)
    assert told.table is not None
    _compare(case, pd.read_feather(told.table))


def _compare(case: Valid, accepted: pd.DataFrame) -> None:
    for name in case.plant.sensors:
        values = np.array([float(cell) for cell in case.truth.column(name)])
        np.testing.assert_allclose(
            accepted[name].to_numpy(), values, rtol=1e-9, atol=1e-9, err_msg=name
        )
    base = case.plant.base
    keys = (
        (columns.EQUIPMENT, "equipment_column", None),
        (columns.RUN, "run_column", columns.FILE),
    )
    for kept, role, other in keys:
        expected = list(accepted[other]) if other else [case.contract["family"]] * len(accepted)
        assert list(accepted[kept]) == (case.truth.column(base[role]) if role in base else expected)
    faulty = set(base["label"].get("fault", ("1",)))
    assert list(accepted[columns.FAULT]) == [
        cell in faulty for cell in case.truth.column(base["label"]["column"])
    ]
    times = (
        [case.plant.seconds(cell) for cell in case.truth.column(base["time_column"])]
        if "time_column" in base
        else []
    )
    np.testing.assert_allclose(accepted[columns.TIME].dropna().to_numpy(), times, rtol=0, atol=1e-5)
