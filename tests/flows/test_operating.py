"""The page "Operating with Prefect" as it is typed, on one server of its own; no model is loaded."""

from __future__ import annotations

import dataclasses
import http.server
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from conftest import REPOSITORY

from faultxfer.errors import DataError, RegistryError
from faultxfer.requests import ScoreRequest, TransferRequest

pytestmark = pytest.mark.slow

PAGE = (REPOSITORY / "docs" / "operating.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
# What goes on until it is stopped; the other commands end.
GOES_ON = ("prefect server start", "prefect worker start")
READY_SECONDS = 180
MONDAY = "pump,flow,state\npump-9,1.0,ok\npump-9,2.0,leak\n"
CONTRACT = """\
family: pumps
equipment_column: pump
label: {column: state, normal: [ok], fault: [leak]}
sensors:
  flow: {unit: m3/h}
"""


@dataclasses.dataclass
class Plant:
    """A working folder, and the server that is operated from it."""

    folder: Path
    address: str
    environment: dict[str, str]

    def starts(self, command: str) -> subprocess.Popen[bytes]:
        log = (self.folder / "log.txt").open("ab")
        with log:
            return subprocess.Popen(
                self._typed(command),
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def types(self, command: str) -> str:
        """Type a command, and give back what it prints."""
        done = subprocess.run(
            self._typed(command),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=READY_SECONDS,
        )
        assert done.returncode in (0, 2 if "faultxfer" in command else 0), (
            command,
            done.stderr,
            done.stdout,
        )
        return done.stdout

    def _typed(self, command: str) -> list[str]:
        program, *words = shlex.split(command.replace(":4200", f":{self.port}"))
        more = ["--port", str(self.port)] if "server start" in command else []
        if program == "faultxfer":
            return [sys.executable, "-c", "from faultxfer.cli import main; main()", *words]
        if program == "python":
            return [sys.executable, *words]
        return [sys.executable, "-m", program, *words, *more]

    @property
    def port(self) -> int:
        return int(self.address.split(":")[2].split("/")[0])


@contextmanager
def stopped_in_the_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        with_group = process.pid
        os.killpg(with_group, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(with_group, signal.SIGKILL)
            process.wait(30)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """The first lines of the page: a server that keeps its leases on disk."""
    folder = tmp_path_factory.mktemp("plant")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}/api"
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("PREFECT")
    }
    exported = dict(re.findall(r"^export (\w+)=(\S+)$", PAGE, flags=re.MULTILINE))
    environment = {
        **inherited,
        **exported,
        "PREFECT_API_URL": address,
        "PREFECT_HOME": str(folder / "prefect"),
        "PYTHONPATH": str(REPOSITORY),
    }
    made = Plant(folder, address, environment)
    _furnish(folder)
    with stopped_in_the_end(made.starts("prefect server start")):
        _wait_for(lambda: _answers(f"{address}/health"))
        yield made


def _furnish(folder: Path) -> None:
    """What the page takes to be there, and the files that it says to write."""
    shutil.copy(REPOSITORY / "prefect.yaml", folder)
    (folder / "data_contracts").mkdir()
    (folder / "data_contracts/pumps.yaml").write_text(CONTRACT)
    (folder / "landing/pumps").mkdir(parents=True)
    (folder / "landing/pumps/monday.csv").write_text(MONDAY)
    for language, text in BLOCKS:
        if language in ("yaml", "python"):
            name = text.splitlines()[0].removeprefix("# ")
            (folder / name).write_text(text)


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except OSError:
        return False
    return True


def _wait_for(holds: Callable[[], Any], seconds: float = READY_SECONDS) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.3)
    raise AssertionError("it did not come in time")


@pytest.fixture
def named(plant: Plant) -> Iterator[None]:
    """This process works against the server."""
    from prefect.concurrency.services import ConcurrencySlotAcquisitionWithLeaseService
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: plant.address}):
        yield
    # Prefect keeps what asks for a machine's turn, with the address of this server.
    ConcurrencySlotAcquisitionWithLeaseService.drain_all()


def last_run(name: str = "") -> Any:
    """The newest flow run, of that name if one is given."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
    from prefect.client.schemas.sorting import FlowRunSort

    asked = FlowRunFilter(name=FlowRunFilterName(any_=[name])) if name else None
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(
            flow_run_filter=asked, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=1
        )
    return found[0] if found else None


# The page


class Heard(http.server.BaseHTTPRequestHandler):
    """The plant's office, which is told."""

    messages: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.messages.append(json.loads(body)["text"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def office(plant: Plant) -> Iterator[list[str]]:
    """Listens at a free port; the file of the page names it."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Heard) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        file = plant.folder / "save_webhook.py"
        file.write_text(file.read_text().replace("8099", str(server.server_address[1])))
        yield Heard.messages
        server.shutdown()
        thread.join()


def test_every_command_of_the_page_does_what_it_says(
    plant: Plant, office: list[str], named: None
) -> None:
    commands = [
        line
        for language, text in BLOCKS
        if language == "sh"
        for line in text.splitlines()
        if not line.startswith("export ")
    ]
    assert commands[0] == "prefect server start"  # the fixture typed it
    printed: dict[str, str] = {}
    with ExitStack() as running:
        for command in commands[1:]:
            if command.startswith("prefect gcl update"):
                inert_transfer("pump-9")(**transfer_of("pump-9"))  # makes the limit
            if command.startswith(GOES_ON):
                running.enter_context(stopped_in_the_end(plant.starts(command)))
            else:
                printed[command] = plant.types(command)
            if command == "python save_webhook.py":
                _fill_in(plant.folder / "tell.yaml", printed[command])
        run = _wait_for(lambda: _ended("validate monday.csv"))
    assert (run.state_name, run.state.message) == (
        "Completed",
        "2 rows read, 2 accepted, 0 set aside.",
    )
    assert "Tell of refusals" in printed["prefect automation ls"]
    told = inert_transfer("pump-9", _refused)(**transfer_of("pump-9"), return_state=True)
    assert (told.type.value, told.name) == ("COMPLETED", "Refused")
    heard = _wait_for(lambda: [one for one in office if "Refused" in one])
    assert heard == [f"transfer pumps → pump-9 ended as Refused: {told.message}"]


def _fill_in(file: Path, printed: str) -> None:
    file.write_text(file.read_text().replace("BLOCK", printed.split()[-1]))


def _ended(name: str) -> Any:
    run = last_run(name)
    return run if run is not None and run.state.is_final() else None


def test_each_state_that_the_page_explains_is_one_that_runs_end_in() -> None:
    from flows.endings import STATES

    table = PAGE.split("## What a run's state means")[1].split("\n## ")[0]
    assert set(re.findall(r"Completed, \*(\w+)\*", table)) == set(STATES.values())


# States, names, tags and turns, by transfers that load nothing


def _promoted(machine: str) -> Any:
    return SimpleNamespace(outcome="promoted", headline=f"promoted: {machine} version 1")


def _refused(_: str) -> Any:
    check = SimpleNamespace(status="failed", message="It finds 3 of 9 faults; 5 are wanted.")
    decision = SimpleNamespace(promoted=False, outcome="refuse", checks=[check], reason="No.")
    report = SimpleNamespace(instead="")
    return SimpleNamespace(outcome="refused", report=report, decision=decision, override=None)


def inert_transfer(
    machine: str, made: Callable[[str], Any] = _promoted, during: Callable[[], None] = lambda: None
) -> Any:
    """The flow `transfer`, with a list of steps that does nothing but this."""
    from flows.pipeline import flow_of

    def transfer(*, run: Any, **_: Any) -> Any:
        during()
        return made(machine)

    return flow_of("transfer", transfer, TransferRequest)


def transfer_of(machine: str) -> dict[str, Any]:
    return {"files": ["a.csv"], "contract": "c.yaml", "model": "pumps", "equipment": machine}


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        ("promoted", "Completed"),
        ("provisional", "Provisional"),
        ("waiting", "Waiting"),
        ("dry run", "DryRun"),
    ],
)
def test_a_run_ends_as_what_it_came_to(outcome: str, name: str, named: None) -> None:
    result = SimpleNamespace(outcome=outcome, headline=f"{outcome}: pumps--pump-9 version 2")
    state = inert_transfer("pump-9", lambda _: result)(**transfer_of("pump-9"), return_state=True)
    assert (state.type.value, state.name) == ("COMPLETED", name)
    assert state.message == f"{result.headline[0].upper()}{result.headline[1:]}."
    assert state.result() is result


def test_a_run_is_named_and_tagged_and_adds_to_the_tags_that_it_has(named: None) -> None:
    from prefect import tags

    with tags("night shift"):
        inert_transfer("fan 3")(**transfer_of("fan 3"))
    run = last_run("transfer pumps → fan 3")
    assert set(run.tags) == {"night shift", "fan 3", "pumps"}


def tracebacks_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    shown = [record for record in caplog.records if record.levelname != "DEBUG"]
    return [one.getMessage() for one in shown if one.exc_info and one.exc_info[0]]


@pytest.mark.parametrize(
    "error",
    [
        DataError("The file has no rows", received={"rows": 0}, remedy="Export it again"),
        RuntimeError("a riddle"),
    ],
)
def test_a_failed_run_says_one_sentence_and_logs_no_traceback(
    error: Exception, named: None, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: str) -> Any:
        raise error

    state = inert_transfer("pump-9", fails)(**transfer_of("pump-9"), return_state=True)
    assert state.is_failed()
    assert str(error) in state.message
    assert "\n" not in state.message
    with pytest.raises(type(error), match=str(error).split(".")[0]):
        state.result()
    assert not tracebacks_in(caplog)


def test_a_step_that_fails_says_its_sentence_in_the_log_alone(
    named: None, caplog: pytest.LogCaptureFixture
) -> None:
    from flows.pipeline import flow_of

    def look() -> None:
        """Look."""
        raise RegistryError("The registry cannot be reached")

    def transfer(*, run: Any, **_: Any) -> Any:
        run(look)

    state = flow_of("transfer", transfer, TransferRequest)(
        **transfer_of("pump-9"), return_state=True
    )
    assert state.message == "The registry cannot be reached."
    assert not tracebacks_in(caplog)


@pytest.mark.parametrize(("machines", "side_by_side"), [(("A", "A"), False), (("A", "B"), True)])
def test_transfers_of_one_machine_follow_each_other_those_of_two_do_not(
    machines: tuple[str, str], side_by_side: bool, named: None
) -> None:
    import contextvars

    times: list[tuple[float, float]] = []

    def during() -> None:
        begun = time.monotonic()
        time.sleep(3)
        times.append((begun, time.monotonic()))

    def work(machine: str) -> None:
        inert_transfer(machine, during=during)(**transfer_of(machine))

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(work, machine))
        for machine in machines
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(READY_SECONDS)
    (_, first_ended), (second_begun, _) = sorted(times)
    assert (second_begun < first_ended) is side_by_side


def test_a_command_keeps_its_exit_code_and_its_run_is_expected_from_when_it_was_typed(
    plant: Plant, named: None
) -> None:
    before = time.time()
    bad = MONDAY.replace("1.0", "broken").replace("2.0", "broken")
    (plant.folder / "bad.csv").write_text(bad)
    for file, code in (("bad.csv", 2), ("landing/pumps/monday.csv", 0), ("nowhere.csv", 2)):
        words = ["validate", file, "--contract", "data_contracts/pumps.yaml", "--json"]
        done = subprocess.run(
            [sys.executable, "-c", "from faultxfer.cli import main; main()", *words],
            cwd=plant.folder,
            env=plant.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
    run = last_run("validate bad.csv")
    assert run.state.is_failed()
    assert run.state.message.startswith("The files do not fit the contract. SENSOR-NOT-A-NUMBER")
    assert before - 1 <= run.expected_start_time.timestamp() <= run.created.timestamp()
    assert run.expected_start_time <= run.start_time


# The watch folder as flow runs


def test_runs_that_a_killed_watcher_left_are_ended_and_its_files_done_again(
    plant: Plant, named: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.client.orchestration import get_client

    from faultxfer.landing import workers
    from flows import landing
    from flows.pipeline import flow_of

    seen: list[str] = []

    def score(*, run: Any, **values: Any) -> Any:
        seen.append(last_run().state_name)
        if len(seen) == 1:
            raise SystemExit  # ends the watcher in the middle, as a kill does
        Path(values["out"]).parent.mkdir(parents=True, exist_ok=True)
        Path(values["out"]).write_text("scores")
        return SimpleNamespace(
            rows=SimpleNamespace(accepted=2),
            alarm_rows=1,
            alarm_count=1,
            model_version="3",
            out="o",
            banner="",
            scored_with="champion",
            lost_note="",
        )

    monkeypatch.setattr(landing, "score", flow_of("score", score, ScoreRequest))
    monkeypatch.setattr(landing, "require_scorer", lambda *_: None)
    assert workers.require_scorer is not landing.require_scorer
    folder = plant.folder / "landing/again"
    folder.mkdir(parents=True)
    (folder / "tuesday.csv").write_text(MONDAY)
    asked = {
        "landing": folder,
        "contract": plant.folder / "data_contracts/pumps.yaml",
        "model": "pumps",
        "minutes": 0,
        "settle": 0.01,
    }
    with pytest.raises(SystemExit):
        landing.watch_folder(**asked)
    killed = last_run("score pump-9 ← tuesday.csv")
    with get_client(sync_client=True) as client:  # what a process leaves that could not say so
        from prefect.states import Running

        client.set_flow_run_state(killed.id, Running(), force=True)
    state = landing.watch_folder(**asked, return_state=True)
    assert state.message == f"Watched {folder}: 1 file scored."
    with get_client(sync_client=True) as client:
        left = client.read_flow_run(killed.id)
    assert (left.state_name, left.state.message) == (
        "Crashed",
        "The process was killed. The work was begun anew in another run.",
    )
    assert (folder / "scores/pump-9/tuesday.csv").read_text() == "scores"
    assert last_run("score pump-9 ← tuesday.csv").state_name == "Completed"


def test_the_watch_of_a_refused_file_fails_with_its_reason(plant: Plant, named: None) -> None:
    from flows.landing import watch_folder

    folder = plant.folder / "landing/bad"
    folder.mkdir(parents=True)
    (folder / "bad.csv").write_bytes(b"PK\x03\x04 a spreadsheet")
    contract = plant.folder / "data_contracts/pumps.yaml"
    state = watch_folder(folder, contract, "pumps", minutes=0, settle=0.01, return_state=True)
    assert state.is_failed()
    assert state.message.startswith(f"Watched {folder}: 1 refused. bad.csv: ")
    shutil.rmtree(folder)
