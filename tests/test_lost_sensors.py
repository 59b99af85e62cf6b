"""When more is missing than what was judged, and what is said of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from faultxfer.contract.schema import parse_contract
from faultxfer.data.dataset import Dataset
from faultxfer.errors import DataError
from faultxfer.findings import Finding
from faultxfer.following import transfer_without
from faultxfer.reading import columns
from faultxfer.steps.intake import CheckedRows
from faultxfer.steps.lost_sensors import (
    JUDGED_GAPS,
    GapTally,
    StillTally,
    gaps_when_judged,
    lost_note,
    lost_sensors,
    names_of_lost,
    still_note,
)

CONTRACT = parse_contract(
    {
        "family": "fans",
        "label": {"column": "state"},
        "sensors": {"airflow": {}, "bearing": {"max_missing": 0.1}},
        "equipment": {"F 1": {"aliases": {"TI-3": "bearing"}}},
    },
    where="test",
)
RNG = np.random.default_rng(0)


def tallied(rows: pd.DataFrame, part_rows: int = 37) -> GapTally:
    """Accepted rows, seen part by part."""
    tally = GapTally(CONTRACT.features)
    for begin in range(0, len(rows), part_rows):
        tally.add(rows.iloc[begin : begin + part_rows])
    return tally


def table(airflow: np.ndarray, *, dated: bool = True) -> GapTally:
    """Accepted rows in which the airflow was filled in where it is said."""
    rows = len(airflow)
    times = pd.date_range("2026-03-01", periods=rows, freq="h").astype(str)
    return tallied(
        pd.DataFrame(
            {
                columns.FILE: "week.csv",
                columns.ROW: np.arange(rows),
                columns.TIME_TEXT: times if dated else "",
                columns.IMPUTED: np.where(airflow, "airflow", ""),
            }
        )
    )


def checked(accepted: int, quarantined: int = 0, *findings: Finding) -> CheckedRows:
    return CheckedRows(None, (), findings, accepted + quarantined, accepted, quarantined, 0, None)


def aside(count: int, column: str = "bearing") -> Finding:
    return Finding(
        "SENSOR-MISSING", "quarantine", "…", file="week.csv", column=column, line=9, count=count
    )


def judged(filled_in: int = 0, rows: int = 400, set_aside: int = 0) -> dict[str, Any]:
    gaps = {
        "rows": rows,
        "filled_in": {"airflow": filled_in} if filled_in else {},
        "read": rows,
        "set_aside": {"bearing": set_aside} if set_aside else {},
    }
    return {JUDGED_GAPS: gaps}


def test_a_sensor_that_stops_is_said_from_that_moment_on() -> None:
    gone = np.arange(200) >= 120
    gone[7] = True
    (lost,) = lost_sensors(table(gone), checked(200), CONTRACT, judged(filled_in=4))
    assert (lost.sensor, lost.filled_in, lost.rows, lost.lasting) == ("airflow", True, 81, True)
    assert (lost.share, lost.judged_share) == (0.405, 0.01)
    assert lost.since == "2026-03-06 00:00:00"
    assert lost_note((lost,)) == (
        "airflow is filled in for 40% of the rows (1% when the version was judged), from 2026-03-06 "
        "00:00:00 on: the metrics of its report do not hold for these rows."
    )


def test_one_that_comes_back_is_said_from_where_it_was_missing_first() -> None:
    gone = (np.arange(100) >= 10) & (np.arange(100) < 60)
    (lost,) = lost_sensors(table(gone, dated=False), checked(100), CONTRACT, judged())
    assert (lost.since, lost.lasting) == ("row 10", False)
    assert "first at row 10" in lost_note((lost,))


@pytest.mark.parametrize("rows", [5, 20, 168, 2000])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.3])
def test_the_same_share_is_no_news_however_few_rows_there_are(rows: int, share: float) -> None:
    told = 0
    for _ in range(60):
        before = int(RNG.binomial(400, share))
        gone = RNG.random(rows) < share
        told += len(lost_sensors(table(gone), checked(rows), CONTRACT, judged(before)))
    assert told == 0


@pytest.mark.parametrize(("missing", "rows"), [(1, 5), (2, 10), (3, 168), (60, 2000)])
def test_a_few_rows_are_no_news(missing: int, rows: int) -> None:
    assert not lost_sensors(table(np.arange(rows) < missing), checked(rows), CONTRACT, judged())


@pytest.mark.parametrize(("missing", "rows"), [(5, 5), (10, 20), (40, 168), (400, 2000)])
def test_clearly_more_is_said(missing: int, rows: int) -> None:
    gone = table(np.arange(rows) < missing)
    assert names_of_lost(lost_sensors(gone, checked(rows), CONTRACT, judged())) == ("airflow",)
    as_judged = judged(filled_in=int(400 * missing / rows))
    assert not lost_sensors(gone, checked(rows), CONTRACT, as_judged)


def test_a_version_of_before_says_nothing_of_guesses() -> None:
    assert lost_sensors(table(np.ones(200, dtype=bool)), checked(200), CONTRACT, {}) == ()


@pytest.mark.parametrize("column", ["bearing", "TI-3"])
@pytest.mark.parametrize("known", [True, False])
def test_rows_that_are_set_aside_are_said_too(column: str, known: bool) -> None:
    rows = checked(100, 60, aside(60, column), aside(1, "another"))
    lineage = judged() if known else {}
    (lost,) = lost_sensors(table(np.zeros(100, dtype=bool)), rows, CONTRACT, lineage)
    assert (lost.sensor, lost.filled_in, lost.share) == ("bearing", False, 0.375)
    assert lost.judged_share == (0.0 if known else None)
    then = " (0% when the version was judged)" if known else ""
    assert lost_note((lost,)) == (
        f"bearing has no reading in 38% of the rows{then}, first at line 9 of week.csv: the "
        "version cannot score these rows without it."
    )


@pytest.mark.parametrize(
    ("count", "lineage"), [(3, judged()), (40, judged(set_aside=150)), (9, {})]
)
def test_as_many_set_aside_as_then_are_no_news(count: int, lineage: dict[str, Any]) -> None:
    rows = checked(100, count, aside(count))
    assert not lost_sensors(table(np.zeros(100, dtype=bool)), rows, CONTRACT, lineage)


def test_what_was_judged_is_kept_by_the_contracts_names() -> None:
    imputed = np.zeros((50, 2), dtype=bool)
    imputed[:5, 0] = True
    nothing = np.zeros(50)
    data = Dataset(
        CONTRACT.features, np.zeros((50, 2)), nothing, nothing, nothing, nothing, imputed=imputed
    )
    kept = gaps_when_judged(checked(90, 10, aside(8, "TI-3"), aside(2)), data, CONTRACT)
    assert kept == {
        "rows": 50,
        "filled_in": {"airflow": 5},
        "read": 100,
        "set_aside": {"bearing": 10},
    }
    whole = gaps_when_judged(checked(50), dataclasses.replace(data, imputed=None), CONTRACT)
    assert (whole["filled_in"], whole["set_aside"]) == ({}, {})


# The command


def test_the_command_repeats_what_was_asked_where_the_files_are_still_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = {
        "files": ["my week.csv"],
        "contract": "fans.yaml",
        "model": "fans",
        "equipment": "F 1",
        "without": ["hum"],
    }
    machine = "--model fans --equipment 'F 1' --without hum --without airflow"
    away = transfer_without(["airflow"], asked)
    assert away.command == f"faultxfer transfer NEW.csv --contract contract.yaml {machine}"
    assert "put labelled files for NEW.csv" in away.why
    Path("my week.csv").touch()
    Path("fans.yaml").touch()
    there = transfer_without(["airflow"], asked)
    assert there.command == f"faultxfer transfer 'my week.csv' --contract fans.yaml {machine}"


def test_of_a_version_that_does_not_say_it_the_reader_puts_in_what_is_missing() -> None:
    machine = "--contract contract.yaml --model fans --equipment {} --without airflow"
    known = transfer_without(["airflow"], {}, "fans", "F-1")
    assert known.command == f"faultxfer transfer NEW.csv {machine.format('F-1')}"
    source = transfer_without(["airflow"], {}, "fans")
    assert source.command == f"faultxfer transfer NEW.csv {machine.format('NEW')}"


def test_an_error_with_its_own_way_on_ends_with_it() -> None:
    from faultxfer.cli.after_errors import next_after

    error = DataError("…", absent=("airflow",), way_on="faultxfer transfer …")
    then = next_after(error, ("score",), {"without": None}, ("score", "week.csv"))
    assert then is not None
    assert (then.why, then.command) == (
        "Make a version that does without airflow, then score again",
        "faultxfer transfer …",
    )


def healthy(flow: np.ndarray) -> Any:
    return SimpleNamespace(features=("flow",), references=SimpleNamespace(X=flow[:, None]))


@pytest.mark.parametrize(
    ("flow", "healthy_flow", "said"),
    [
        (np.full(40, 12.5), np.linspace(10, 20, 50), "flow reads 12.5 in all 40 rows"),
        (np.full(40, 0.0), np.random.default_rng(0).normal(size=300), "flow reads 0 in all 40"),
        (np.linspace(10, 11, 40), np.linspace(10, 20, 50), ""),
        (np.full(5, 12.5), np.linspace(10, 20, 50), ""),  # too few rows
        (np.full(40, 12.5), np.repeat([10.0, 12.5], 25), ""),  # a setting
    ],
)
def test_a_reading_that_never_stood_still_and_does_now_is_said(
    flow: np.ndarray, healthy_flow: np.ndarray, said: str
) -> None:
    tally = StillTally(healthy(healthy_flow))
    for begin in range(0, len(flow), 7):
        tally.add(flow[begin : begin + 7, None])
    note = still_note(tally)
    assert note.startswith(said)
    assert bool(note) == bool(said)
