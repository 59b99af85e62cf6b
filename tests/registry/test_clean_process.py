"""One process checks many versions, and nothing of one stays for the next."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from faultxfer.registry.clean_process import CleanProcess, EndedError

# Answers with what earlier questions left, where it runs, and who started it.
PROGRAM = """
import os, signal, sys, time
from faultxfer.registry import clean_process

seen = []

def answer(question):
    print("noise of a library")
    seen.append(question["what"])
    if question["what"] == "die":
        print("dying", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if question["what"] == "hang":
        time.sleep(60)
    return {"seen": seen, "folder": os.getcwd(), "served by": os.getppid()}

sys.exit(clean_process.serve(lambda: None, answer))
"""
COMMAND = (sys.executable, "-c", PROGRAM)


@pytest.fixture(scope="module")
def process() -> Iterator[CleanProcess]:
    process = CleanProcess(COMMAND)
    yield process
    process.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each version has its own process")
def test_each_question_begins_anew_and_a_crash_is_none_of_the_next(
    process: CleanProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = process.ask({"what": "one"}, 60)
    with pytest.raises(EndedError) as caught:
        process.ask({"what": "die"}, 60)
    assert caught.value.args == (-9, "dying")
    last = process.ask({"what": "two"}, 60)
    assert (first["seen"], last["seen"]) == (["one"], ["two"])
    assert last["folder"] == str(tmp_path)
    assert first["served by"] == last["served by"]


def test_who_hangs_is_ended_and_the_next_is_answered(process: CleanProcess) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        process.ask({"what": "hang"}, 0.5)
    assert process.ask({"what": "two"}, 60)["seen"] == ["two"]


@pytest.mark.parametrize("busy", [False, True])
def test_it_ends_with_a_killed_parent(busy: bool) -> None:
    """By the end of its input where it waits; by the watcher where it is at work."""
    last = 'p.ask({"what": "hang"}, 60)' if busy else "time.sleep(60)"
    script = f"""
import time
from faultxfer.registry.clean_process import CleanProcess
p = CleanProcess({COMMAND!r})
print(p.ask({{"what": "one"}}, 60)["served by"], flush=True)
{last}
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        number = int(parent.stdout.readline())
        if busy:
            _until(lambda: psutil.Process(number).children())
        parent.kill()
    _until(lambda: not psutil.pid_exists(number) or _is_zombie(number))


def _until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def _is_zombie(number: int) -> bool:
    try:
        return psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_process_that_does_not_start_says_why() -> None:
    process = CleanProcess((sys.executable, "-c", "raise SystemExit('no such module')"))
    with pytest.raises(EndedError) as caught:
        process.ask({"what": "one"}, 60)
    assert caught.value.args == (1, "no such module")
