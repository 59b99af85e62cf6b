"""The kill test and the race test in small; `benchmarks/` has them whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def run(script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / script, *arguments], capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promotions_at_the_same_time_lose_nothing() -> None:
    table = run("race_test.py", "--store", "sqlite", "--processes", "4", "--promotions", "2")
    assert table.splitlines()[-1].startswith("| sqlite | 8 | 8 |")


@pytest.mark.parametrize("points", ["alias", "upload"])
def test_a_kill_leaves_a_champion_and_nothing_that_the_doctor_does_not_mend(points: str) -> None:
    table = run("kill_test.py", "--inert", "--store", "sqlite", "--times", "1", "--points", points)
    lines = [line for line in table.splitlines() if line.startswith("| sqlite")]
    assert len(lines) >= 2
    assert table.splitlines()[-1].startswith("0 of all kills")
