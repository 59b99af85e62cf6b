"""How a command ends: by a signal as by Ctrl-C, with everything taken back.

And nothing running on without it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
import registry_work
import typer

from faultxfer import children, stopping, temporary
from faultxfer.cli.session import run_command
from faultxfer.errors import ConfigError
from faultxfer.outputs import workspace, written_whole
from faultxfer.process import begun, this_process
from faultxfer.registry.store import Registry

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@contextmanager
def handled(number: int, handler: Callable[..., object] | int) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        assert (
            signal.signal(number, before) == handler
        )  # a command leaves the handlers as it found them


def ended(work: Callable[[], object], *, json_output: bool = False) -> int:
    with pytest.raises(typer.Exit) as left:
        run_command(
            work, json_output=json_output, render=lambda _: typer.echo("done"), as_data=lambda _: {}
        )
    return left.value.exit_code


@pytest.fixture
def temporary_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files in which nobody else works."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("json_output", [False, True])
@pytest.mark.parametrize("number", CODES)
def test_signals_end_a_command_like_ctrl_c(
    number: signal.Signals,
    json_output: bool,
    temporary_place: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work() -> NoReturn:
        with workspace() as folder:
            (folder / "half").write_text("done")
            os.kill(os.getpid(), number)
            time.sleep(10)
        raise AssertionError("nobody was stopped")

    with handled(number, signal.default_int_handler):
        assert ended(work, json_output=json_output) == CODES[number]
    said = capsys.readouterr()
    if json_output:
        answer = json.loads(said.out)
        assert (answer["exit_code"], answer["error"]["message"]) == (CODES[number], "Stopped.")
        assert answer["error"]["signal"] == number.name
    else:
        assert (said.out, said.err.strip()) == ("", "Error: Stopped.")
    assert not list(temporary_place.iterdir())


@pytest.mark.parametrize("number", CODES)
def test_an_ignored_signal_stays_ignored(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    with handled(number, signal.SIG_IGN):
        assert ended(lambda: os.kill(os.getpid(), number)) == 0
    assert capsys.readouterr().out == "done\n"


def test_a_second_signal_waits_for_the_cleaning_up_and_a_person_may_insist() -> None:
    seen = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGINT):
                os.kill(os.getpid(), number)
                seen.append(number)
            os.kill(os.getpid(), signal.SIGINT)
            seen.append(signal.SIGINT)

    assert ended(work) == 143
    assert len(seen) == 4


def test_a_signal_that_a_library_swallowed_can_be_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stopping, "_CLEANING_SECONDS", 0.0)

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGTERM)

    assert ended(work) == 143


def test_what_cleaning_up_raises_after_a_signal_does_not_hide_the_signal() -> None:
    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGHUP)
        finally:
            raise OSError("the terminal is gone")

    assert ended(work) == 129


def test_a_flow_run_heeds_the_signals_of_its_command_and_a_workers_those_of_prefect() -> None:
    def prefects(*_: object) -> NoReturn:
        raise AssertionError("Prefect's handler")

    with stopping.Stopping() as command:
        ours = signal.signal(signal.SIGTERM, prefects)
        with stopping.heeded():
            assert signal.getsignal(signal.SIGTERM) == ours
        assert signal.getsignal(signal.SIGTERM) is prefects
        with pytest.raises(KeyboardInterrupt), stopping.heeded():
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)  # while Prefect writes how the run ended
        assert command.number == signal.SIGTERM
    with handled(signal.SIGTERM, prefects), stopping.heeded():
        assert signal.getsignal(signal.SIGTERM) is prefects


def test_a_version_whose_answer_a_signal_kept_away_is_taken_back(
    registry: Registry, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    real = mlflow.MlflowClient.create_model_version

    def made_and_stopped(*args: object, **kwargs: object) -> NoReturn:
        real(*args, **kwargs)  # type: ignore[arg-type]
        raise stopping.Stopped(signal.SIGTERM)

    monkeypatch.setattr(mlflow.MlflowClient, "create_model_version", made_and_stopped)
    with pytest.raises(KeyboardInterrupt):
        registry_work.register_prepared(bundle, ("flow", "pressure"))
    assert [version.version for version in registry.versions(registry_work.NAME)] == ["2", "1"]
    assert not any(registry_work.leftovers().values())


PARENT = """
import subprocess, sys, time
from faultxfer import children

sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
family = f"import subprocess; subprocess.Popen({sleeper!r}); subprocess.run({sleeper!r})"
server = subprocess.Popen([sys.executable, "-c", family], start_new_session=True)
alone, ended = subprocess.Popen(sleeper), subprocess.Popen(["true"])
for child in (server, alone, ended):
    children.watch(child)
ended.wait()
children.forget(ended)
print(server.pid, alone.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_children_and_theirs_end_with_a_parent_that_is_killed(number: int) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    server, alone = map(int, parent.stdout.readline().split())
    wait_until(lambda: len(group_of(server)) == 3)
    parent.send_signal(number)
    parent.communicate(timeout=20)
    wait_until(lambda: not group_of(server) and not is_running(alone))


def group_of(leader: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-e", "-o", "pid=,pgid=,stat="], capture_output=True, text=True
    ).stdout
    rows = (line.split() for line in listed.splitlines())
    return [
        int(number)
        for number, group, state in rows
        if int(group) == leader and not state.startswith("Z")
    ]


def is_running(number: int) -> bool:
    return (
        begun(number) != ""
        and Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    )


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_program_is_run_to_its_end_or_ended() -> None:
    program = [
        sys.executable,
        "-c",
        "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)",
    ]
    done = children.run(program, env=os.environ, seconds=20)
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
    with pytest.raises(subprocess.TimeoutExpired):
        children.run(["sleep", "60"], env=os.environ, seconds=0.1)


def dead() -> str:
    """A process of this host that is gone."""
    place, _, beginning = this_process().rsplit(":", 2)
    return f"{place}:{2**22 + 1}:{beginning}"


def left_behind(
    place: Path, name: str, owner: str | None, *, days: float = 0, mode: int = 0o700
) -> Path:
    """A temporary folder as a killed process leaves it."""
    folder = place / name
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "report").write_text("half")
    if owner is not None:
        (folder / "owner").write_text(owner)
    folder.chmod(mode)
    then = time.time() - timedelta(days=days).total_seconds()
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (then, then))
    return folder


def test_folders_of_dead_processes_are_found_and_removed_and_no_others(
    temporary_place: Path,
) -> None:
    place, _, beginning = this_process().rsplit(":", 2)
    gone = [
        left_behind(temporary_place, "faultxfer-work-aaaaaaaa", dead()),
        left_behind(
            temporary_place,
            "faultxfer-smoke-bbbbbbbb",
            f"{place}:{os.getpid()}:{int(beginning) - 1}",
        ),
        left_behind(temporary_place, "faultxfer-ui-cccccccc", f"elsewhere:{os.getpid()}:1", days=8),
    ]
    stay = [
        left_behind(temporary_place, "faultxfer-work-dddddddd", this_process(), days=99),
        left_behind(
            temporary_place, "faultxfer-work-eeeeeeee", f"elsewhere:{os.getpid()}:1", days=1
        ),
        left_behind(
            temporary_place, "faultxfer-work-ffffffff", dead(), mode=0o755
        ),  # not as `tempfile` makes them
        left_behind(temporary_place, "faultxfer-demo", dead()),
    ]
    (temporary_place / "faultxfer-work-gggggggg").symlink_to(gone[0])
    found = dict(temporary.dead_folders())
    assert set(found) == set(gone)
    for remove in found.values():
        remove()
    assert not [folder for folder in gone if folder.exists()]
    assert all((folder / "files" / "report").is_file() for folder in stay)
    assert not list(temporary.dead_folders())


def test_a_folder_without_owner_is_left_alone_for_a_day_and_where_a_person_made_it(
    temporary_place: Path,
) -> None:
    for name, days, content in (
        ("aaaaaaa1", 2, "accepted.arrow"),
        ("smoke-aaaaaaa2", 2, "MLmodel"),
        ("bbbbbbb1", 0, "report"),
        ("run_2026", 99, "my.csv"),
    ):
        folder = temporary_place / f"faultxfer-{name}"
        folder.mkdir(mode=0o700)
        (folder / content).write_text("x")
        then = time.time() - days * 86400
        for path in (folder / content, folder):
            os.utime(path, (then, then))
    found = [path.name for path, _ in temporary.dead_folders()]
    assert found == ["faultxfer-aaaaaaa1", "faultxfer-smoke-aaaaaaa2"]


def test_a_folder_that_came_to_life_meanwhile_is_not_removed(temporary_place: Path) -> None:
    folder = left_behind(temporary_place, "faultxfer-work-aaaaaaaa", dead())
    ((_, remove),) = temporary.dead_folders()
    (folder / "owner").write_text(this_process())
    remove()
    assert folder.is_dir()


def test_half_written_scores_of_a_killed_process_go_with_the_next(tmp_path: Path) -> None:
    old, young, other = (
        tmp_path / name for name in (".s.csv.1.part", ".s.csv.2.part", ".t.csv.1.part")
    )
    for part in (old, young, other):
        part.write_text("half")
    for part in (old, other):
        os.utime(part, (time.time() - 90_000,) * 2)
    with written_whole("out", tmp_path / "s.csv") as part:
        part.write_text("whole")
    assert {path.name for path in tmp_path.iterdir()} == {"s.csv", young.name, other.name}


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "made" / "s.csv"

    def fail() -> None:
        with written_whole("out", file) as part:
            part.write_text("half")
            raise ZeroDivisionError

    for text in ("first", "second"):
        with written_whole("out", file) as part:
            part.write_text(text)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert [path.read_text() for path in file.parent.iterdir()] == ["second"]
    with (
        pytest.raises(ConfigError, match="Choose another --out"),
        written_whole("out", file / "s.csv"),
    ):
        raise AssertionError("there is nothing to write in")
