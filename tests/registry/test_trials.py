"""The kill test, the race test and the full-disk test in small; `benchmarks/` has them whole."""

from __future__ import annotations

import os
import shutil
import sys

import pytest
from registry_checks import run_trial

pytestmark = pytest.mark.slow


def test_promotions_at_the_same_time_lose_nothing() -> None:
    table = run_trial("race_test.py", "--store", "sqlite", "--processes", "4", "--promotions", "2")
    assert table.splitlines()[-1].startswith("| sqlite | 8 | 8 |")


@pytest.mark.parametrize("points", ["alias", "upload"])
def test_a_kill_leaves_a_champion_and_nothing_that_the_doctor_does_not_mend(points: str) -> None:
    table = run_trial(
        "kill_test.py", "--inert", "--store", "sqlite", "--times", "1", "--points", points
    )
    lines = [line for line in table.splitlines() if line.startswith("| sqlite")]
    assert len(lines) >= 2
    assert table.splitlines()[-1].startswith("0 of all kills")


def test_operations_that_hide_or_change_something_lose_nothing() -> None:
    asked = ("--only", "artifacts moved away", "--only", "kind of a model deleted")
    table = run_trial("operations_test.py", "--store", "sqlite", *asked)
    lines = [line for line in table.splitlines() if "| SQLite |" in line]
    assert len(lines) == 2
    assert "| something lost | 0 |" in table


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mount"),
    reason="only root on Linux may mount",
)
def test_a_full_disk_leaves_the_champion_and_a_rerun_succeeds() -> None:
    table = run_trial("full_disk_test.py", "--inert", "--store", "sqlite", "--levels", "4")
    lines = [
        [cell.strip() for cell in line.split("|")]
        for line in table.splitlines()
        if line.startswith("| sqlite")
    ]
    assert [line[-2] for line in lines] == ["nothing", "nothing"]
    assert all(
        int(line[6]) and int(line[7]) for line in lines
    )  # some ran into the end, some had room
