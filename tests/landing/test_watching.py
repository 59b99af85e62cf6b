"""A watched folder: each file once, nothing lost, each reason said; no model is loaded here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from inert_workers import Inert

from faultxfer.errors import ConfigError, RegistryError
from faultxfer.landing.events import Event
from faultxfer.landing.folder import Arrival, Patience, Stamp, arrivals
from faultxfer.landing.ledger import Ledger, sole_watcher
from faultxfer.landing.watching import watch
from faultxfer.outputs import alarms_beside
from faultxfer.requests import WatchRequest

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Kind:
    """How files of a plant look: names, separator, order of columns, scale, words."""

    name: str
    separator: str
    columns: tuple[str, ...]
    machine: str
    label: str
    words: tuple[str, str]
    scale: float

    def contract(self, *, named: bool = True) -> str:
        sensors = "".join(f"  {one}: {{unit: '1'}}\n" for one in self.columns)
        column = f"equipment_column: {self.machine}\n" if named else ""
        return (
            f"family: {self.name}\n{column}label:\n  column: {self.label}\n"
            f"  normal: ['{self.words[0]}']\n  fault: ['{self.words[1]}']\nsensors:\n{sensors}"
        )

    def rows(self, number: int, *machines: str, labelled: bool = False) -> str:
        """A file; another number makes another content."""
        first = [self.machine] if machines else []
        names = [*first, *self.columns, *([self.label] if labelled else [])]
        lines = [self.separator.join(names)]
        for place, machine in enumerate(machines or ("",)):
            readings = [f"{self.scale * (number + place + 0.5):.3f}" for _ in self.columns]
            cells = [*([machine] if machines else []), *readings]
            lines.append(self.separator.join([*cells, *([self.words[1]] if labelled else [])]))
        return "\n".join(lines) + "\n"


KINDS = (
    Kind("pumps", ",", ("flow_m3h", "speed_rpm"), "pump", "state", ("ok", "leak"), 1.0),
    Kind("fans", ";", ("VIB.X", "TEMP.1", "AMPS"), "Asset", "Verdict", ("gut", "defekt"), 1e3),
    Kind("presses", "\t", ("p2", "a1"), "machine id", "fault?", ("0", "1"), 1e-2),
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    made: Kind = request.param
    return made


@pytest.fixture
def landing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


def asked(landing: Path, kind: Kind, *, named: bool = True, **more: Any) -> WatchRequest:
    contract = landing.parent / f"{kind.name}.yaml"
    contract.write_text(kind.contract(named=named))
    given: dict[str, Any] = {"minutes": 0, "settle": 0.01, **more}
    return WatchRequest(landing=landing, contract=contract, model=kind.name, **given)


def look(request: WatchRequest, inert: Inert) -> tuple[Event, ...]:
    return watch(request, inert.workers).events


def outcomes(events: tuple[Event, ...]) -> list[str]:
    return [event.outcome for event in events]


def test_machines_are_named_by_the_column_also_several_in_one_file(
    landing: Path, kind: Kind
) -> None:
    (landing / "both.csv").write_text(kind.rows(1, "M 1", "M-2", "M 1"))
    inert = Inert()
    events = look(asked(landing, kind), inert)
    assert [(event.outcome, event.machine) for event in events] == [
        ("scored", "M 1"),
        ("scored", "M-2"),
    ]
    assert (landing / "scores/M 1/both.csv").read_text() == "both.csv of M 1\n"
    assert look(asked(landing, kind), inert) == ()


def test_without_such_a_column_the_sub_folder_names_the_machine(landing: Path, kind: Kind) -> None:
    for name in ("M-1/a.csv", "M-2/later/b.csv", "c.csv"):
        path = landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(kind.rows(len(name)))
    inert = Inert()
    events = look(asked(landing, kind, named=False), inert)
    assert sorted(inert.scored) == ["a.csv of M-1", "b.csv of M-2"]
    (refused,) = [event for event in events if event.outcome == "refused"]
    assert refused.file == "c.csv"
    assert "sub-folder that is named as the machine" in refused.message
    assert "sub-folder" in (landing / "refused/c.csv.txt").read_text()


def test_a_copy_is_said_once_and_not_scored_again(landing: Path, kind: Kind) -> None:
    (landing / "a.csv").write_text(kind.rows(1, "M"))
    inert, request = Inert(), asked(landing, kind)
    look(request, inert)
    (landing / "again.csv").write_text(kind.rows(1, "M"))
    (event,) = look(request, inert)
    assert event.outcome == "copy"
    assert "same content as a.csv" in event.message
    assert look(request, inert) == ()
    assert inert.scored == ["a.csv of M"]


def test_new_content_under_an_old_name_keeps_both_scores(landing: Path, kind: Kind) -> None:
    path, inert = landing / "latest.csv", Inert()
    for number in (1, 2):
        path.write_text(kind.rows(number, "M"))
        look(asked(landing, kind), inert)
    assert len(inert.scored) == 2
    assert len(list((landing / "scores/M").glob("latest*.csv"))) == 2


@pytest.mark.parametrize("names", [("x", "x-alarms"), ("x-alarms", "x"), ("x-alarms-alarms", "x")])
def test_no_file_of_alarms_is_written_over_the_scores_of_another(
    landing: Path, names: tuple[str, str], kind: Kind
) -> None:
    inert = Inert()
    for number, name in enumerate((*names, "x-alarms"), 1):
        (landing / f"{name}.csv").write_text(kind.rows(number, "M"))
        look(asked(landing, kind), inert)
    entries = Ledger(landing).entries.values()
    scores = [Path(part.scores) for entry in entries for part in entry.parts]
    written = [*scores, *map(alarms_beside, scores)]
    assert len(scores) == 3
    assert len(set(written)) == len(written)


def test_a_machine_without_a_version_waits_and_is_scored_when_it_has_one(
    landing: Path, kind: Kind
) -> None:
    (landing / "a.csv").write_text(kind.rows(1, "M"))
    inert, request = Inert(known=set()), asked(landing, kind)
    (event,) = look(request, inert)
    assert event.outcome == "waits"
    assert event.next is not None
    assert event.next.command.startswith("faultxfer transfer ")
    assert look(request, inert) == ()
    inert.known = {"M"}
    assert outcomes(look(request, inert)) == ["scored"]
    assert look(request, inert) == ()


@pytest.mark.parametrize(
    ("asks", "labelled", "transfers"), [(True, True, 1), (True, False, 0), (False, True, 0)]
)
def test_a_transfer_starts_only_where_it_is_labelled_and_asked_for(
    asks: bool, labelled: bool, transfers: int, landing: Path, kind: Kind
) -> None:
    (landing / "a.csv").write_text(kind.rows(1, "M", labelled=labelled))
    inert, request = Inert(), asked(landing, kind, transfer_labelled=asks)
    events = look(request, inert)
    assert outcomes(events) == ["scored", *["transferred"] * transfers]
    assert len(inert.transferred) == transfers
    assert look(request, inert) == ()


def test_a_transfer_takes_all_labelled_files_of_the_machine(landing: Path, kind: Kind) -> None:
    inert, request = Inert(), asked(landing, kind, transfer_labelled=True)
    for number, name in enumerate(("a.csv", "b.csv")):
        (landing / name).write_text(kind.rows(number, "M", labelled=True))
        (landing / f"of-{name}").write_text(kind.rows(number + 5, "N", labelled=True))
        look(request, inert)
    assert inert.transferred == [
        ["M", "a.csv"],
        ["N", "of-a.csv"],
        ["M", "a.csv", "b.csv"],
        ["N", "of-a.csv", "of-b.csv"],
    ]


def test_a_machine_gets_its_first_version_of_its_first_labelled_file(
    landing: Path, kind: Kind
) -> None:
    (landing / "a.csv").write_text(kind.rows(1, "M", labelled=True))
    request = asked(landing, kind, transfer_labelled=True)
    events = look(request, Inert(known=set()))
    assert outcomes(events) == ["waits", "transferred", "scored"]


def test_a_file_that_does_not_fit_is_refused_once_and_a_mended_one_is_scored(
    landing: Path, kind: Kind
) -> None:
    path, request = landing / "a.csv", asked(landing, kind)
    path.write_text(kind.rows(1, "M"))
    (event,) = look(request, Inert(unfit={"a.csv"}))
    assert (event.outcome, event.machine) == ("refused", "M")
    assert event.next is not None
    assert event.next.command.startswith("faultxfer validate ")
    assert look(request, Inert()) == ()
    path.write_text(kind.rows(2, "M"))
    assert outcomes(look(request, Inert())) == ["scored"]
    assert not (landing / "refused/a.csv.txt").exists()


def test_a_file_that_does_not_fit_is_refused_also_while_nothing_can_score_it(
    landing: Path, kind: Kind
) -> None:
    for number, name in enumerate(("a.csv", "b.csv")):
        (landing / name).write_text(kind.rows(number, "M", labelled=True))
    inert = Inert(known=set(), unfit={"a.csv"})
    events = look(asked(landing, kind, transfer_labelled=True), inert)
    assert outcomes(events) == ["refused", "waits", "transferred", "scored"]
    assert inert.transferred == [["M", "b.csv"]]


def test_trouble_outside_the_file_delays_it_and_loses_nothing(landing: Path, kind: Kind) -> None:
    class Down(Inert):
        def require_scorer(self, model: str, machine: str) -> None:
            raise RegistryError("The registry cannot be reached")

    (landing / "a.csv").write_text(kind.rows(1, "M"))
    request = asked(landing, kind)
    (event,) = look(request, Down())
    assert event.outcome == "delayed"
    assert "cannot be reached" in event.message
    assert outcomes(look(request, Inert())) == ["scored"]


def test_a_file_that_is_written_while_it_is_scored_counts_as_new(landing: Path, kind: Kind) -> None:
    path = landing / "a.csv"

    class Late(Inert):
        def score(self, request: Any, digest: str) -> Any:
            if not self.scored:
                path.write_text(kind.rows(2, "M"))
            return super().score(request, digest)

    path.write_text(kind.rows(1, "M"))
    inert, request = Late(), asked(landing, kind)
    assert look(request, inert) == ()
    assert not (landing / "scores/M/a.csv").exists()
    assert outcomes(look(request, inert)) == ["scored"]


def test_a_file_that_ends_the_process_again_and_again_is_refused(landing: Path, kind: Kind) -> None:
    (landing / "a.csv").write_text(kind.rows(1, "M"))
    request = asked(landing, kind)

    class Ends(Inert):
        def score(self, request: Any, digest: str) -> Any:
            raise SystemExit  # as where it is killed: nothing after it is written

    inert = Ends()
    for _ in range(5):
        with pytest.raises(SystemExit):
            look(request, inert)
    (event,) = look(request, inert)
    assert event.outcome == "refused"
    assert "times=5" in event.message
    assert len(inert.interrupted) == 5


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 a spreadsheet", b"", b"\x00\xff\x00", b"flow\n1,2,3\n"]
)
def test_corrupt_files_are_refused_with_a_reason(content: bytes, landing: Path, kind: Kind) -> None:
    (landing / "bad.csv").write_bytes(content)
    events = look(asked(landing, kind), Inert())
    assert outcomes(events) == ["refused"]
    assert (landing / "refused/bad.csv.txt").read_text().strip()
    assert (landing / "bad.csv").read_bytes() == content


def test_what_is_no_table_or_not_meant_is_told_apart(landing: Path) -> None:
    (landing / "notes.txt").write_text("call Peter")
    for name in (".hidden.csv", "~$open.csv", "Thumbs.db"):
        (landing / name).write_text("x")
    events = look(asked(landing, KINDS[0]), Inert())
    assert [(event.outcome, event.file) for event in events] == [("refused", "notes.txt")]


# Half-written files


def test_a_file_settles_when_nobody_has_changed_it_for_a_while(landing: Path) -> None:
    path, patience = landing / "a.csv", Patience(0.2)
    path.write_text("a")
    assert patience.settled(arrivals(landing)) == []
    time.sleep(0.25)
    path.write_text("ab")
    assert patience.settled(arrivals(landing)) == []
    time.sleep(0.25)
    assert [one.name for one in patience.settled(arrivals(landing))] == ["a.csv"]


@pytest.mark.parametrize("name", ["a.csv.part", "a.csv.TMP", "a.csv.crdownload", "a.csv~"])
def test_a_name_that_is_not_final_is_waited_for(name: str, landing: Path) -> None:
    (landing / name).write_text("a")
    assert Patience(0).settled(arrivals(landing)) == []


def test_a_file_that_is_open_for_writing_is_waited_for(landing: Path, kind: Kind) -> None:
    request, inert = asked(landing, kind), Inert()
    text = kind.rows(1, "M")
    with (landing / "a.csv").open("w") as file:
        file.write(text[:20])
        file.flush()
        (event,) = look(request, inert)
        assert event.outcome == "unfinished"
        file.write(text[20:])
    assert outcomes(look(request, inert)) == ["scored"]


# Errors of the request


def test_one_process_watches_a_folder(landing: Path, kind: Kind) -> None:
    with (
        sole_watcher(landing),
        pytest.raises(ConfigError, match="Another process watches this folder"),
    ):
        look(asked(landing, kind), Inert())


def test_a_folder_that_is_not_there_is_said_and_not_made(landing: Path, kind: Kind) -> None:
    request = asked(landing, kind).model_copy(update={"landing": landing / "nowhere"})
    with pytest.raises(ConfigError, match="no such folder to watch"):
        look(request, Inert())
    assert not (landing / "nowhere").exists()


def test_a_ledger_that_cannot_be_read_is_said_with_its_file(landing: Path, kind: Kind) -> None:
    (landing / "a.csv").write_text(kind.rows(1, "M"))
    look(asked(landing, kind), Inert())
    (kept,) = (landing / ".faultxfer").glob("*.json")
    kept.write_text("{")
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        look(asked(landing, kind), Inert())
    assert caught.value.where == str(kept)


def test_an_entry_is_found_by_how_its_file_looks(landing: Path, kind: Kind) -> None:
    path = landing / "a.csv"
    path.write_text(kind.rows(1, "M"))
    look(asked(landing, kind), Inert())
    ledger = Ledger(landing)
    entry = ledger.entry_of("a.csv", Stamp.of(path))
    assert entry is not None
    assert Arrival(path, "a.csv", entry.files["a.csv"]).is_unchanged
    assert entry.state == "scored"


# Killed


def started(landing: Path, request: WatchRequest, **more: Any) -> subprocess.Popen[str]:
    program = {
        "request": request.model_dump(mode="json", exclude_defaults=True),
        "diary": str(landing.parent / "diary.txt"),
        **more,
    }
    return subprocess.Popen(
        [sys.executable, str(HERE / "inert_workers.py"), json.dumps(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # where a process that works for the watcher prints
        text=True,
    )


def lines_until_killed(process: subprocess.Popen[str]) -> Iterator[str]:
    """Kill it in the middle of the file."""
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("in the middle"):
                os.kill(process.pid, signal.SIGKILL)
            else:
                yield line


def events_of(lines: Iterator[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("apart", [False, True], ids=["in its process", "in one of their own"])
def test_twenty_files_one_corrupt_one_copy_one_half_written_killed_twice(
    landing: Path, *, apart: bool
) -> None:
    kind = KINDS[1]
    good = [f"day-{number:02}.csv" for number in range(17)]
    for number, name in enumerate(good):
        (landing / name).write_text(kind.rows(number, "F 1", "F 2"))
        os.utime(landing / name, (number, number))  # the order in which they are taken
    (landing / "copy-of-day-03.csv").write_bytes((landing / "day-03.csv").read_bytes())
    (landing / "corrupt.csv").write_bytes(b"PK\x03\x04 a spreadsheet")
    half = kind.rows(99, "F 1")
    watcher = partial(started, landing, asked(landing, kind), apart=apart)
    content = {path: path.read_bytes() for path in landing.iterdir()}
    with (landing / "half.csv").open("w") as writer:
        writer.write(half[:15])
        writer.flush()
        first = events_of(lines_until_killed(watcher(middle="day-05.csv")))
        second = events_of(lines_until_killed(watcher(middle="day-11.csv", after=True)))
        third = events_of(lines_until_killed(watcher()))
        writer.write(half[15:])
    last = events_of(lines_until_killed(watcher()))
    said = Counter(
        (one["outcome"], one["file"], one["machine"]) for one in [*first, *second, *third, *last]
    )
    scored = {(name, machine) for name in good for machine in ("F 1", "F 2")}
    assert {(file, machine) for outcome, file, machine in said if outcome == "scored"} == {
        *scored,
        ("half.csv", "F 1"),
    }
    assert set(said.values()) == {1}
    assert said["copy", "copy-of-day-03.csv", None] == 1
    assert said["refused", "corrupt.csv", None] == 1
    assert [one["outcome"] for one in last] == ["scored"]
    # Killed in the middle, it was done once; killed after scoring and before that was noted, the
    # same scores were written again.
    diary = Counter((landing.parent / "diary.txt").read_text().split())
    assert diary["day-05.csv"] == 2
    assert diary["day-11.csv"] == 3
    assert all(diary[name] == 2 for name in good if name != "day-11.csv")
    files = sorted(path.relative_to(landing).as_posix() for path in landing.glob("scores/*/*"))
    assert files == sorted(
        [f"scores/{machine}/{name}" for name, machine in scored] + ["scores/F 1/half.csv"]
    )
    assert "spreadsheet" in (landing / "refused/corrupt.csv.txt").read_text()
    assert all(path.read_bytes() == before for path, before in content.items())
