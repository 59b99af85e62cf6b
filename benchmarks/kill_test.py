"""Kill a transfer with SIGKILL at many points, over SQLite and over an MLflow server.

And look at what is left.

    uv run python benchmarks/kill_test.py [--times 5] [--store sqlite|http|both] [--points WORD]
    [--inert]

After each kill a fresh process checks that the champion of before (or, past the journal's entry, of
after) loads and scores; that `registry doctor` leaves nothing that belongs to no champion, and
finds nothing when asked again; and that the same work done again makes a champion whose journal
verifies. The points `transfer: …` kill a whole transfer between its steps; the others kill the
registration of a prepared candidate, or the approval of one that waits, before or after a call to
MLflow, in the middle of an upload, or at a moment drawn at random. The product has no hook for this: the script replaces the functions
that it names. `--inert` registers files without a network, which needs no TensorFlow.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import registry_trials as trials
from registry_work import APPROVE, PROMOTE, WAIT, Trial, forget, prepared

_CLIENT = "mlflow:MlflowClient"
_COPIED = {
    "sqlite": "mlflow.utils.file_utils:shutil.copy2",
    "http": "mlflow.store.artifact.http_artifact_repo:HttpArtifactRepository.log_artifact",
}
# A registration of a prepared bundle takes about this long where nothing else runs.
_SECONDS = 1.5


@dataclass(frozen=True)
class Point:
    """Where to kill.

    Attributes:
        name: in the table.
        target: ``module:name.of.function``; empty for a random moment.
        call: which call of it, from 1.
        after: after the call instead of before it.
        first: with no champion yet.
        whole: in a whole transfer instead of a registration.
        what: what is done: a promotion, a version that waits for approval, or its approval.
    """

    name: str
    target: str
    call: int = 1
    after: bool = False
    first: bool = False
    whole: bool = False
    what: str = PROMOTE


def _around(
    name: str, function: str, call: int = 1, *, first: bool = False, what: str = PROMOTE
) -> list[Point]:
    target = f"{_CLIENT}.{function}"
    return [
        Point(f"before {name}", target, call, first=first, what=what),
        Point(f"after {name}", target, call, after=True, first=first, what=what),
    ]


def _of_approval() -> list[Point]:
    """While a version is registered to wait, and while it is approved."""
    entry, alias = "create_model_version", "set_registered_model_alias"
    return [
        *_around("the entry of what waits", entry, 2, what=WAIT),
        *_around("the entry of what waits, a first model", entry, 2, first=True, what=WAIT),
        # Name and outcome of the run follow when the journal has the entry; parameters with the
        # page, and metrics, were logged before.
        *_around("the name of the run of what waits", "set_tag", what=WAIT),
        *_around("the outcome of the run of what waits", "log_batch", 3, what=WAIT),
        *_around("naming what waits the challenger", alias, what=WAIT),
        *_around("the entry of what waited and is approved", entry, what=APPROVE),
        *_around("naming what waited the champion", alias, what=APPROVE),
        *_around(
            "the challenger, which waits no more", "delete_registered_model_alias", what=APPROVE
        ),
    ]


def points(kind: str) -> list[Point]:
    """All points for one kind of store."""
    steps = [
        "fetch_models",
        "check_rows",
        "find_repeat",
        "split_target",
        "adapt_source",
        "evaluate_candidate",
    ]
    whole = [
        Point(f"transfer: after {step}", f"faultxfer.steps:{step}", after=True, whole=True)
        for step in steps
    ]
    whole += [Point("transfer: after ask_gate", "faultxfer.steps:ask_gate", after=True, whole=True)]
    whole += [
        Point(
            "transfer: after register",
            "faultxfer.steps:register_candidate",
            after=True,
            whole=True,
        )
    ]
    return [
        *whole,
        *_around("creating the run", "create_run"),
        Point("after the parameters", f"{_CLIENT}.log_batch", 1, after=True),
        Point("after the data digests", f"{_CLIENT}.log_inputs", after=True),
        Point("first file of the report", _COPIED[kind], 1),
        *_around("MLflow's model", "create_logged_model"),
        Point("in the upload, third file", _COPIED[kind], 4),
        Point("in the upload, after the fourth file", _COPIED[kind], 5, after=True),
        Point("after the upload", f"{_CLIENT}.log_model_artifacts", after=True),
        Point("after finalizing the upload", f"{_CLIENT}.finalize_logged_model", after=True),
        *_around("the metrics of run and upload", "log_batch", 2),
        *_around("the registered model", "create_registered_model", first=True),
        *_around("the version", "create_model_version"),
        Point("before the smoke test", "faultxfer.registry.registering:smoke_test"),
        Point("after the smoke test", "faultxfer.registry.registering:smoke_test", after=True),
        *_around("the end of the run", "set_terminated"),
        Point("before the journal is made", f"{_CLIENT}.create_registered_model", 2, first=True),
        *_around("the journal's first entry", "create_model_version", 2, first=True),
        *_around("the journal's entry", "create_model_version", 2),
        Point("before the version's tags", f"{_CLIENT}.set_model_version_tag"),
        Point("among the version's tags", f"{_CLIENT}.set_model_version_tag", 2, after=True),
        *_around("moving the alias", "set_registered_model_alias"),
        *_of_approval(),
        Point("a random moment, early", "", 1),
        Point("a random moment, in the middle", "", 2),
        Point("a random moment, late", "", 3),
    ]


def kill_at(point: Point) -> None:
    """Arrange for this process to end without warning."""
    if not point.target:
        third = _SECONDS / 3
        moment = random.uniform((point.call - 1) * third, point.call * third)
        threading.Timer(moment, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
        return
    module, _, path = point.target.partition(":")
    *holders, name = path.split(".")
    holder: Any = importlib.import_module(module)
    for part in holders:
        holder = getattr(holder, part)
    setattr(holder, name, _killing(getattr(holder, name), point))


def _killing(function: Callable[..., Any], point: Point) -> Callable[..., Any]:
    calls = 0

    def killing(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == point.call and not point.after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = function(*args, **kwargs)
        if calls == point.call and point.after:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    return killing


def killed(trial: Trial, point: Point) -> str | None:
    """The work, killed on the way."""
    from faultxfer.registry.store import open_registry

    trial.begin()
    # Before the patch, as connecting asks MLflow too, and so that random moments fall into the
    # registration.
    open_registry().models()
    kill_at(point)
    return trial.go_on(whole=point.whole, what=point.what)


def one(trial: Trial, point: Point) -> str:
    """Kill once; what is wrong, or nothing."""
    if not point.first:
        trials.in_child(trial.work)
    if point.what == APPROVE:
        trials.in_child(lambda: trial.work(what=WAIT))
    status, _ = trials.finish(*trials.start(lambda: killed(trial, point)))
    after = trials.in_child(
        lambda: trial.aftermath(whole=point.whole, first=point.first, what=point.what)
    )
    trials.in_child(lambda: forget(trial.store))
    wrong = {name: value for name, value in after.items() if name != "doctor" and value}
    if status != -signal.SIGKILL and point.target:
        wrong["kill"] = f"not reached, status {status}"
    return "; ".join(f"{name}: {value}" for name, value in wrong.items()) or ""


def run(kind: str, folder: Path, times: int, word: str, *, inert: bool) -> int:
    """All points of one store; prints its lines and gives back how many went wrong."""
    wrong_in_all = 0
    with trials.store_of(kind, folder / kind) as store:
        trial = prepared(kind, folder, store, inert=inert)
        for point in points(kind):
            if word not in point.name or (inert and point.whole):
                continue
            begun = time.monotonic()
            wrong = [found for found in (one(trial, point) for _ in range(times)) if found]
            wrong_in_all += len(wrong)
            seconds = time.monotonic() - begun
            said = wrong[0] if wrong else "nothing"
            print(
                f"| {kind} | {point.name} | {times} | {times - len(wrong)} | {said} | "
                f"{seconds:.0f} |",
                flush=True,
            )
    return wrong_in_all


def main() -> int:
    """Print the table; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--store", choices=("sqlite", "http", "both"), default="both")
    parser.add_argument("--points", default="", help="only points with this in their name")
    parser.add_argument(
        "--inert", action="store_true", help="files without a network; no whole transfers"
    )
    given = parser.parse_args()
    trials.warm(*([] if given.inert else ["faultxfer.pipeline", "lightgbm", "great_expectations"]))
    kinds = ("sqlite", "http") if given.store == "both" else (given.store,)
    print(
        "| store | killed | times | whole | wrong | seconds |\n|---|---|---:|---:|---|---:|",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="faultxfer-kill-") as folder:
        wrong = [
            run(kind, Path(folder), given.times, given.points, inert=given.inert) for kind in kinds
        ]
    print(f"\n{sum(wrong)} of all kills left something that was not whole")
    return int(any(wrong))


if __name__ == "__main__":
    sys.exit(main())
