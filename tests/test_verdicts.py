"""What operators say of alarms: kept when the same rows are scored again, and labels of a transfer."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
from conftest import World

from faultxfer import pipeline
from faultxfer.config import GateOptions, Limit, TransferOptions
from faultxfer.contract.intervals import read_log
from faultxfer.contract.log_labels import labelled_by_log
from faultxfer.contract.schema import Contract
from faultxfer.contract.verdicts import how_to_read, kept_verdicts
from faultxfer.errors import ContractError, DataError
from faultxfer.evaluate.alarms import AlarmStretch, Peak
from faultxfer.reading.read_csv import read_csv
from faultxfer.steps.speaking import AlarmTable

ALARMS = Path("scores-alarms.csv")


def judged(verdicts: list[str]) -> pd.DataFrame:
    """The alarms beside the scores, with these verdicts in turn."""
    alarms = pd.read_csv(ALARMS, dtype=str, keep_default_na=False)
    alarms["verdict"] = [verdicts[place % len(verdicts)] for place in range(len(alarms))]
    alarms.to_csv(ALARMS, index=False)
    return alarms


def test_alarms_with_verdicts_are_labels_of_the_next_transfer(world: World) -> None:
    """Score, judge, score again, transfer: the way of a plant in which nobody labels rows."""
    gate = GateOptions(value={"pr_auc": Limit(min=0.01)})
    options = TransferOptions(strategy="recalibrate", gate=gate, split={"folds": 2})
    first = pipeline.transfer([world.target], world.contract, "pumps", world.equipment, options)
    assert first.outcome == "promoted"
    week = world.folder / "week.csv"
    pd.read_csv(world.target).drop(columns="fault").to_csv(week, index=False)
    pipeline.score([str(week)], "pumps", world.equipment, "scores.csv")
    alarms = judged(["true", "FALSE", "", "unknown"])
    assert len(alarms) > 8
    pipeline.score([str(week)], "pumps", world.equipment, "scores.csv")
    again = pd.read_csv(ALARMS, dtype=str, keep_default_na=False)
    assert again["verdict"].tolist() == alarms["verdict"].tolist()
    done = pipeline.transfer(
        [str(week)], world.contract, "pumps", world.equipment, options, events=ALARMS
    )
    scores = pd.read_csv("scores.csv")
    of_alarms = alarms.astype({"alarm_rows": int}).groupby("verdict")["alarm_rows"].sum()
    assert of_alarms.sum() == scores["alarm"].sum()
    assert done.rows.accepted == of_alarms["true"] + of_alarms["FALSE"]
    assert done.report.candidate.faults == of_alarms["true"]


WEEK = "pump,when,flow\n" + "".join(f"P1,01.03.2026 {hour:02d}:00,{hour}\n" for hour in range(10))
CONTRACT = Contract.model_validate(
    {
        "family": "pumps",
        "label": {"column": "fault"},
        "equipment_column": "pump",
        "time_column": "when",
        "csv": {"day_first": True},
        "sensors": {"flow": {}},
    }
)


def alarm(first: int, last: int) -> AlarmStretch:
    times = (f"01.03.2026 {first:02d}:00", f"01.03.2026 {last:02d}:00")
    peak = Peak(first, times[0], 0.9)
    span = (last - first) * 3600.0
    return AlarmStretch("P1", "a.csv", "a.csv", (first, last), times, 1, peak, (), span)


def written(folder: Path, verdicts: list[str], separator: str = ",") -> Path:
    """Alarms from one to two, from four to five, and at seven, as a spreadsheet saves them."""
    table = AlarmTable("3", {}, several=False)
    lines = table.lines((alarm(1, 2), alarm(4, 5), alarm(7, 7)))
    path = folder / "alarms.csv"
    lines.assign(verdict=verdicts).to_csv(path, index=False, sep=separator)
    return path


@pytest.mark.parametrize(
    ("verdicts", "labels"),
    [
        (["true", "false", "unknown"], "?11?00?x??"),
        (["WAHR", "FALSCH", ""], "?11?00?x??"),
        (["false", "false", "no"], "?00?00?0??"),
        (["1", "", "1"], "?11?xx?1??"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";"])
def test_what_was_judged_has_a_label_and_all_other_rows_have_none(
    verdicts: list[str], labels: str, separator: str, tmp_path: Path
) -> None:
    path = written(tmp_path, verdicts, separator)
    (tmp_path / "week.csv").write_text(WEEK)
    table = read_csv(tmp_path / "week.csv", CONTRACT.csv)
    (found,) = labelled_by_log([table], CONTRACT, read_log(path, how_to_read(path, CONTRACT)))
    letters = {"left out by the log": "x", "not in the log": "?"}
    assert "".join(letters.get(cell, cell) for cell in found.stripped("fault")) == labels


def test_a_verdict_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, ["true", "maybe", "false"])
    with pytest.raises(DataError, match=r"true, false or unknown.*maybe.*line 3"):
        how_to_read(path, CONTRACT)


def test_alarms_that_nobody_has_judged_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No alarm has a verdict yet"):
        how_to_read(written(tmp_path, ["", "unknown", ""]), CONTRACT)


def test_another_log_still_needs_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("pump,from,to\nP1,01.03.2026 01:00,01.03.2026 02:00\n")
    with pytest.raises(ContractError, match="does not say how a log of faults is read"):
        how_to_read(path, CONTRACT)


def test_a_verdict_outlives_the_alarm_that_it_was_given_to(tmp_path: Path) -> None:
    """A later version alarms elsewhere; what a person has said of a time is no less true."""
    kept = kept_verdicts(written(tmp_path, ["true", "false", ""]))
    table = AlarmTable("4", kept, several=False)
    lines = pd.concat([table.lines((alarm(1, 3), alarm(9, 9))), table.rest()])
    assert lines["verdict"].tolist() == ["true", "", "false"]
    assert lines["first_time"].str[-5:].tolist() == ["01:00", "09:00", "04:00"]
    assert lines["model_version"].tolist() == ["4", "4", "3"]
    assert kept_verdicts(tmp_path / "none.csv") == {}


def test_alarms_that_cannot_be_read_are_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "alarms.csv"
    path.write_bytes(b"PK\x03\x04 a spreadsheet")
    with pytest.raises(DataError, match="may hold verdicts"):
        kept_verdicts(path)


def test_an_event_is_found_again_whatever_its_end_and_version() -> None:
    later = dataclasses.replace(alarm(1, 9), count=9)
    assert later.event == alarm(1, 2).event != alarm(2, 2).event
    elsewhere = dataclasses.replace(alarm(1, 2), equipment="P2")
    assert elsewhere.event != later.event
