"""Work on watched files in a process of its own: shared by what landed together, and not kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from faultxfer.errors import BundleError, DataError, NoVersionError
from faultxfer.landing.apart import Apart
from faultxfer.landing.workers import Scored, WorkError
from faultxfer.requests import ScoreRequest, ValidateRequest

PROGRAM = """
import json, os, sys, time
from faultxfer.bundle.versions import OtherVersionsError
from faultxfer.errors import DataError, NoVersionError
from faultxfer.landing.apart import work
from faultxfer.landing.workers import Scored, Workers

def score(request, digest):
    print("a library prints", request.files)
    if digest == "dies":
        os._exit(9)
    if digest == "stays":
        open("begun", "w").close()
        time.sleep(600)
    return Scored(rows=os.getpid(), alarms=2, by=f"{request.equipment} {request.out}")

def check(request):
    raise DataError("It does not fit", received={"rows": [1, 2]}, where="a.csv", remedy="Mend it")

def scorer(model, machine):
    if model == "odd":
        raise OtherVersionsError("Made elsewhere")
    if model == "broken":
        raise ValueError("no such thing")
    raise NoVersionError("None", received={"model": model})

work(Workers(score, lambda *_: "promoted", scorer, check))
"""


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Apart]:
    monkeypatch.chdir(tmp_path)
    with Apart([sys.executable, "-c", PROGRAM]) as one:
        yield one
    assert one.process is None


def scored(apart: Apart, digest: str = "") -> Scored:
    request = ScoreRequest(files=("a.csv",), model="m", equipment="P 1", out=Path("out.csv"))
    return apart.workers.score(request, digest)


def test_a_process_is_shared_until_a_look_asks_for_nothing(apart: Apart) -> None:
    apart.workers.rest()
    assert apart.process is None
    made = scored(apart)
    assert (made.alarms, made.by) == (2, "P 1 out.csv")
    apart.workers.rest()
    assert scored(apart) == made
    for _ in range(2):
        apart.workers.rest()
    assert not psutil.pid_exists(made.rows)
    assert scored(apart) != made


def test_errors_keep_their_kind_and_their_words(apart: Apart) -> None:
    workers = apart.workers
    here = DataError("It does not fit", received={"rows": [1, 2]}, where="a.csv", remedy="Mend it")
    with pytest.raises(DataError) as unfit:
        workers.check(ValidateRequest(files=("a.csv",), contract=Path("c.yaml"), equipment="P"))
    assert (str(unfit.value), unfit.value.problem) == (str(here), here.problem)
    with pytest.raises(NoVersionError, match=r"None\. Received: model='m'\."):
        workers.require_scorer("m", "P")
    with pytest.raises(BundleError, match="Made elsewhere"):
        workers.require_scorer("odd", "P")
    with pytest.raises(WorkError, match="ValueError: no such thing"):
        workers.require_scorer("broken", "P")


def test_a_process_that_dies_is_said_and_another_goes_on(apart: Apart) -> None:
    with pytest.raises(WorkError, match="ended with exit code 9"):
        scored(apart, "dies")
    assert scored(apart).alarms == 2


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_it_ends_with_the_watcher_in_the_middle_of_a_file(tmp_path: Path, sign: int) -> None:
    program = f"""
import sys
from pathlib import Path
from faultxfer.landing.apart import Apart
from faultxfer.requests import ScoreRequest
from faultxfer.stopping import Stopping
request = ScoreRequest(files=("a.csv",), model="m", equipment="P", out=Path("out.csv"))
with Stopping(), Apart([sys.executable, "-c", {PROGRAM!r}]) as apart:
    print(apart._running().pid, flush=True)
    apart.workers.score(request, "stays")
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as watcher:
        assert watcher.stdout is not None
        worker = psutil.Process(int(watcher.stdout.readline()))
        while not (tmp_path / "begun").exists():
            assert watcher.poll() is None
            time.sleep(0.05)
        os.kill(watcher.pid, sign)
        watcher.wait(20)
    assert psutil.wait_procs([worker], timeout=15)[1] == []
