"""Weeks without a label, with healthy rows only, with faults only: from the file to the scores."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import World

from faultxfer import TransferOptions, pipeline
from faultxfer.errors import ConfigError, DataError, StrategyError
from faultxfer.registry.maintenance import promote_version, read_entries

ROWS = 150
DAY = "2026-08-03"


@pytest.fixture
def moved(world: World) -> Callable[..., pipeline.TransferResult]:
    """A transfer of a changed part of the machine's rows."""

    def move(change: Callable[[pd.DataFrame], pd.DataFrame], **more: Any) -> Any:
        frame = pd.read_csv(world.target, dtype=str)
        path = world.folder / "week.csv"
        change(frame).to_csv(path, index=False)
        options = more.pop("options", TransferOptions())
        return pipeline.transfer(
            [str(path)], world.contract, "pumps", world.equipment, options, **more
        )

    return move


def healthy(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["fault"] == "0"].head(ROWS)


WEEKS = {
    "no label column": (lambda f: f.head(ROWS).drop(columns="fault"), {}, "no label"),
    "empty labels": (lambda f: f.head(ROWS).assign(fault=""), {}, "no label"),
    "healthy rows": (healthy, {}, "healthy rows"),
    "vouched": (
        lambda f: f.head(ROWS).drop(columns="fault"),
        {"healthy": "all"},
        "healthy rows",
    ),
    "faults alone": (lambda f: f[f["fault"] == "1"].head(ROWS), {}, "faults alone"),
}


@pytest.mark.parametrize("name", WEEKS)
def test_a_week_that_is_not_of_both_classes_is_provisional_and_says_what_is_not_shown(
    moved: Callable[..., pipeline.TransferResult], name: str
) -> None:
    change, more, state = WEEKS[name]
    result = moved(change, **more)
    assert (result.outcome, result.version) == ("provisional", "1")
    assert result.decision.outcome == "not enough evidence"
    assert result.report.labels.get("state") == state
    found = result.report.candidate
    assert (found.recall is None) == (state != "faults alone")
    assert (found.false_alarm_rate is None) == (state != "healthy rows")
    json.dumps(result.as_dict(), allow_nan=False)
    assert "not shown" in Path(str(result.page)).read_text() or state == "no label"


def test_vouched_rows_give_the_threshold_and_the_journal_keeps_by_whose_word(
    world: World, moved: Callable[..., pipeline.TransferResult]
) -> None:
    def week(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.head(ROWS).assign(fault="", sound=["yes"] * 60 + ["no"] * (ROWS - 60))

    result = moved(week, healthy="column:sound")
    assert (result.report.candidate.rows, result.rows.unused) == (60, {"without a label": 90})
    assert result.report.alarm["normals"] == 60
    entry = read_entries("pumps", world.equipment)[-1]
    assert entry["details"]["healthy"] == "column:sound"
    assert entry["details"]["vouched_by"]
    again = moved(week, healthy="column:sound")
    assert again.outcome == "unchanged"
    assert moved(week, healthy="all").version == "2"


def test_a_person_may_promote_it_and_it_scores(
    world: World, moved: Callable[..., pipeline.TransferResult]
) -> None:
    moved(healthy)
    promote_version("pumps", world.equipment, 1, "looked at")
    scored = pipeline.score([world.target], "pumps", world.equipment, out=world.folder / "s.csv")
    assert scored.scored_with == "champion"


def test_a_range_is_of_the_time_column_and_has_to_lie_in_the_files(
    moved: Callable[..., pipeline.TransferResult],
) -> None:
    def week(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.head(ROWS).drop(columns="fault")

    result = moved(week, healthy=f"{DAY}/{DAY}", dry_run=True)
    assert 0 < result.report.candidate.rows < ROWS
    with pytest.raises(DataError, match="names no row of these files"):
        moved(week, healthy="2020-01-01/2020-01-02")
    with pytest.raises(DataError, match="cannot be read as one of the time column"):
        moved(week, healthy="100/400")
    with pytest.raises(DataError, match="a column that the file does not have"):
        moved(week, healthy="column:sound")
    with pytest.raises(ConfigError, match="which rows somebody vouches for"):
        moved(week, healthy="yesterday")


def test_vouching_against_a_label_is_told_and_the_rows_are_neither(
    moved: Callable[..., pipeline.TransferResult],
) -> None:
    def week(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([healthy(frame), frame[frame["fault"] == "1"].head(7)])

    result = moved(week, healthy="all", dry_run=True)
    (finding,) = [one for one in result.rows.findings if one.code == "HEALTHY-FAULT"]
    assert finding.count == 7
    assert result.rows.unused == {"excluded by their label": 7}
    assert result.report.labels["state"] == "healthy rows"


def test_a_method_that_needs_both_classes_is_refused_by_name(
    moved: Callable[..., pipeline.TransferResult],
) -> None:
    with pytest.raises(StrategyError, match="'fine_tune' learns from rows of both classes"):
        moved(healthy, options=TransferOptions(strategy="fine_tune"))
