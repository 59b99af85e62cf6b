"""What a manifest may say, and that one with a problem is refused whole, with every line of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from faultxfer.errors import ConfigError
from faultxfer.fleet.ledger import digest_of_request
from faultxfer.fleet.plan import plan_of
from faultxfer.requests import FleetRequest, ScoreRequest, TransferRequest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pumps.yaml").write_text("family: pumps\nlabel: {column: fault}\nsensors: {flow: {}}\n")
    for name in ("a.csv", "b.csv", "c-1.csv", "c-2.csv"):
        Path(name).write_text("flow,fault\n1.0,0\n")


def planned(text: str, name: str = "fleet.csv", task: str = "transfer", **given: object) -> list:
    Path(name).write_text(text)
    asked = {"contract": "pumps.yaml", "model": "pumps", **given}
    return plan_of(FleetRequest.model_validate({"task": task, "manifest": name, **asked}))


def problems(text: str, name: str = "fleet.csv", **given: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        planned(text, name, **given)
    return list(caught.value.received["problems"])  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fleet.csv", "equipment,csv,note\nP1,a.csv,north\nP2,c-*.csv; b.csv,\n"),
        ("fleet.csv", "csv;equipment;note\na.csv;P1;north\nc-*.csv|b.csv;P2;\n"),
        ("fleet.yaml", "machines:\n  P1: {csv: a.csv, note: north}\n  P2: [c-*.csv, b.csv]\n"),
    ],
)
def test_each_machine_gets_a_request_of_its_own(name: str, text: str) -> None:
    first, second = planned(text, name)
    assert (first.listed.name, first.listed.note, second.listed.name) == ("P1", "north", "P2")
    assert isinstance(second.request, TransferRequest)
    assert second.request.files == ("c-*.csv", "b.csv")
    assert second.request.quarantine == Path("fleet/quarantine/P2")


def test_a_machine_may_differ_from_the_others() -> None:
    text = "defaults: {model: pumps, version: 3}\nmachines:\n  P1: a.csv\n"
    text += "  P2: {csv: b.csv, model: fans, out: here.csv}\n"
    requests = [one.request for one in planned(text, "fleet.yaml", task="score", model=None)]
    assert all(isinstance(one, ScoreRequest) and one.version == 3 for one in requests)
    assert [(one.model, str(one.out)) for one in requests if isinstance(one, ScoreRequest)] == [
        ("pumps", "fleet/scores/P1.csv"),
        ("fans", "here.csv"),
    ]


def test_every_problem_of_a_table_is_told_with_its_line() -> None:
    text = "equipment,csv\nP1,a.csv\nP1,b.csv\nP2,nowhere.csv\n,a.csv\nP3\nP/4,a.csv\nP5,\n"
    assert problems(text) == [
        "line 3: machine 'P1' stands on line 2 already",
        "line 4: there is no such CSV file: nowhere.csv",
        "line 5: no machine is named",
        "line 6: 1 cells in place of 2",
        "line 7: this equipment name is not allowed ('P/4')",
        "line 8: no file of 'P5' is named",
    ]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("fleet.csv", "", ["line 1: there is no column 'csv'"]),
        ("fleet.csv", "equipment,csv\n", ["it names no machine"]),
        ("fleet.csv", "equipment,csv,nots\n", ["Did you mean 'note'?"]),
        ("fleet.yaml", "machines: {P1: a.csv, P1: b.csv}", ["line 1:", "'P1' stands twice"]),
        ("fleet.yaml", "machines:\n  P1: {cvs: a.csv}", ["line 2: 'cvs' is unknown", "'csv'?"]),
        ("fleet.yaml", "machine: {P1: a.csv}", ["it needs `machines`"]),
        ("fleet.yaml", "machines: {P1: a.csv}\nelse: 1", ["line 2: 'else' is unknown"]),
    ],
)
def test_what_is_no_manifest_is_told(name: str, text: str, told: list[str]) -> None:
    said = " ".join(problems(text, name))
    assert all(one in said for one in told), said


def test_what_no_machine_can_do_without_is_told_once() -> None:
    text = "equipment,csv\nP1,a.csv\nP2,b.csv\n"
    assert problems(text, model=None) == [
        "nothing names the model; --model names one for all machines"
    ]
    Path("bad.yaml").write_text("family: [")
    assert len(problems(text, contract="bad.yaml")) == 1


def test_two_machines_are_not_scored_into_one_file() -> None:
    text = "equipment,csv,out\nP1,a.csv,here.csv\nP2,b.csv,here.csv\n"
    assert "line 3: 'P2' and 'P1' are both written to here.csv" in problems(text, task="score")


def test_a_pattern_finds_machines_by_their_rows_and_isolates_a_file_that_shows_none() -> None:
    Path("pumps.yaml").write_text(
        "family: pumps\nequipment_column: machine\nlabel: {column: fault}\nsensors: {flow: {}}\n"
    )
    Path("in").mkdir()
    Path("in/1.csv").write_text("machine,flow,fault\nP1,1.0,0\nP2,1.0,0\n")
    Path("in/2.csv").write_text("machine,flow,fault\nP2,2.0,0\n")
    Path("in/3.csv").write_text("")
    asked = FleetRequest(task="validate", manifest="in/*.csv", contract="pumps.yaml")
    found = {one.listed.name: one for one in plan_of(asked)}
    assert set(found) == {"P1", "P2", "3.csv"}
    assert found["P2"].listed.files == ("in/1.csv", "in/2.csv")
    assert found["3.csv"].request is None


def test_one_log_of_faults_serves_all_machines_and_is_known_by_its_content() -> None:
    text = "equipment,csv,events\nP1,a.csv,\nP2,b.csv,own.csv\n"
    assert problems(text, events="all.csv") == [
        "line 2: there is no log of faults 'all.csv'",
        "line 3: there is no log of faults 'own.csv'",
    ]
    for name in ("all.csv", "own.csv"):
        Path(name).write_text("start,end\n1,2\n")
    first, second = (one.request for one in planned(text, events="all.csv"))
    assert isinstance(first, TransferRequest)
    assert isinstance(second, TransferRequest)
    assert (first.events, second.events) == (Path("all.csv"), Path("own.csv"))

    before = digest_of_request(first)
    Path("all.csv").write_text("start,end\n1,3\n")
    assert digest_of_request(first) != before
