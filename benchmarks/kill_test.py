"""Kill a transfer with SIGKILL at many points, over SQLite and over an MLflow server, and look at what is left.

    uv run python benchmarks/kill_test.py [--times 5] [--store sqlite|http|both] [--points WORD] [--inert]

After each kill a fresh process checks that the champion of before (or, past the journal's entry, of after) loads and
scores; that `registry doctor` leaves nothing that belongs to no champion, and finds nothing when asked again; and that
the same work done again makes a champion whose journal verifies. The points `transfer: …` kill a whole transfer
between its steps; the others kill the registration of a prepared candidate, before or after a call to MLflow, in the
middle of an upload, or at a moment drawn at random. The product has no hook for this: the script replaces the functions
that it names. `--inert` registers files without a network, which needs no TensorFlow.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import shutil
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
    """

    name: str
    target: str
    call: int = 1
    after: bool = False
    first: bool = False
    whole: bool = False


def _around(name: str, function: str, call: int = 1, *, first: bool = False) -> list[Point]:
    return [
        Point(f"before {name}", f"{_CLIENT}.{function}", call, first=first),
        Point(f"after {name}", f"{_CLIENT}.{function}", call, after=True, first=first),
    ]


def points(kind: str) -> list[Point]:
    """All points for one kind of store."""
    steps = ["fetch_models", "check_files", "find_repeat", "split_target", "adapt_source", "evaluate_candidate"]
    whole = [Point(f"transfer: after {step}", f"faultxfer.pipeline:{step}", after=True, whole=True) for step in steps]
    whole += [Point("transfer: after ask_gate", "faultxfer.pipeline:ask_gate", after=True, whole=True)]
    whole += [Point("transfer: after register", "faultxfer.pipeline:register_candidate", after=True, whole=True)]
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


@dataclass(frozen=True)
class Trial:
    """What is done and killed.

    Attributes:
        store: where.
        bundle: the prepared candidate, with ``report`` beside it.
        features: its sensors.
        fleet: the simulated files; None with ``--inert``.
    """

    store: trials.Store
    bundle: Path
    features: tuple[str, ...]
    fleet: Path | None

    def work(self, point: Point) -> str | None:
        """Do what is to be killed; gives back the version."""
        trials.at(self.store)
        if self.fleet is None:
            trials.without_smoke_test()
        return transfer(self.fleet) if point.whole else trials.register_prepared(self.bundle, self.features)

    def killed(self, point: Point) -> str | None:
        """The same, killed on the way."""
        # Before the patch, as connecting asks MLflow too, and so that random moments fall into the registration.
        trials.at(self.store)
        if not point.target:
            from faultxfer.registry.store import open_registry

            open_registry().models()
        if self.fleet is None:
            trials.without_smoke_test()
        kill_at(point)
        return transfer(self.fleet) if point.whole else trials.register_prepared(self.bundle, self.features)

    def champion_scores(self, *, first: bool) -> str | None:
        """What is wrong with the champion; None if it loads and scores as it did when it was made."""
        from faultxfer.registry.smoke import check_version
        from faultxfer.registry.store import open_registry

        trials.at(self.store)
        registry = open_registry()
        champion = registry.champion(trials.NAME)
        if champion is None:
            return None if first else "no champion"
        if self.fleet is None:
            trials._downloads(registry, champion)
        else:
            check_version(registry, champion)
        return None

    def aftermath(self, point: Point) -> dict[str, Any]:
        """Champion, doctor, the same again."""
        from faultxfer.registry.store import open_registry
        from faultxfer.steps.upkeep import heal_registry, verify_registry

        said = {"champion": self.champion_scores(first=point.first)}
        found = heal_registry(None, None, dry_run=False, minutes=60)
        again = heal_registry(None, None, dry_run=True, minutes=60)["found"]
        left = trials.leftovers()
        version = self.work(point)
        champion = open_registry().alias(trials.NAME)
        verified = verify_registry(None, None, None)
        return {
            **said,
            "doctor": [one["code"] for one in found["found"]],
            "doctor again": again,
            "left": {name: count for name, count in left.items() if count},
            "rerun": None if version == champion else f"version {version}, champion {champion}",
            "verify": [problem for model in verified["models"] for problem in model["problems"]],
        }


def transfer(fleet: Path) -> str | None:
    """A whole transfer, as small as it can be; the version that came of it, now or before."""
    from faultxfer import GateOptions, TransferOptions, pipeline
    from faultxfer.config import Limit
    from faultxfer.strategies import rivals

    rivals.RIVALS.clear()
    gate = GateOptions(value={"pr_auc": Limit(min=0.0)})
    options = TransferOptions(strategy="fine_tune", steps=1, epochs=1, split={"folds": 2}, gate=gate)
    result = pipeline.transfer(
        [str(fleet / "pump-9.csv")],
        fleet / "pumps.yaml",
        trials.MODEL,
        trials.EQUIPMENT,
        options,
        override_gate="trial",
    )
    return result.version


def prepare(folder: Path, store: trials.Store) -> list[str]:
    """Simulate, pretrain, and keep a candidate's bundle; gives back its sensors."""
    from faultxfer import PretrainOptions, pipeline
    from faultxfer.bundle.bundle import load_bundle
    from faultxfer.config import NetworkOptions
    from faultxfer.data.simulator import write_pump_fleet
    from faultxfer.registry.store import open_registry

    trials.at(store)
    fleet = write_pump_fleet(folder / "fleet", source_pumps=3, runs_per_pump=24, rows_per_run=30)
    network = NetworkOptions(hidden=(16,), members=1, synthetic_rows=500, epochs=2)
    pipeline.pretrain(
        [str(path) for path in fleet.source_csvs], fleet.contract, trials.MODEL, PretrainOptions(network=network)
    )
    registry = open_registry()
    source = registry.champion(trials.MODEL)
    bundle = registry.download_bundle(source, folder / "download")
    shutil.copytree(bundle, folder / "candidate" / "bundle")
    (folder / "candidate" / "report").mkdir()
    (folder / "candidate" / "report" / "report.md").write_text("trial")
    return list(load_bundle(bundle).features)


def champion_there(trial: Trial) -> str:
    """Make the first champion."""
    return str(trial.work(Point("", "")))


def forget(store: trials.Store) -> None:
    """Delete the machine's model and journal, so that the next trial begins anew."""
    from faultxfer.registry import names
    from faultxfer.registry.store import open_registry

    trials.at(store)
    client = open_registry().client
    for version in open_registry().versions(trials.NAME):
        client.delete_logged_model(version.model_id)
    for name in (trials.NAME, names.journal_name(trials.NAME)):
        if client.search_registered_models(f"name = '{name}'"):
            client.delete_registered_model(name)


def one(trial: Trial, point: Point) -> str:
    """Kill once; what is wrong, or nothing."""
    if not point.first:
        trials.in_child(lambda: champion_there(trial))
    status, _ = trials.finish(*trials.start(lambda: trial.killed(point)))
    after = trials.in_child(lambda: trial.aftermath(point))
    trials.in_child(lambda: forget(trial.store))
    wrong = {name: value for name, value in after.items() if name != "doctor" and value}
    if status != -signal.SIGKILL and point.target:
        wrong["kill"] = f"not reached, status {status}"
    return "; ".join(f"{name}: {value}" for name, value in wrong.items()) or ""


def run(kind: str, folder: Path, times: int, word: str, *, inert: bool) -> int:
    """All points of one store; prints its lines and gives back how many went wrong."""
    wrong_in_all = 0
    with trials.store_of(kind, folder / kind) as store:
        place = folder / f"{kind}-candidate"
        if inert:
            trial = Trial(store, trials.inert_bundle(place), ("flow", "pressure"), None)
        else:
            features = trials.in_child(lambda: prepare(place, store))
            trial = Trial(store, place / "candidate" / "bundle", tuple(features), place / "fleet")
        for point in points(kind):
            if word not in point.name or (inert and point.whole):
                continue
            begun = time.monotonic()
            wrong = [found for found in (one(trial, point) for _ in range(times)) if found]
            wrong_in_all += len(wrong)
            seconds = time.monotonic() - begun
            said = wrong[0] if wrong else "nothing"
            print(f"| {kind} | {point.name} | {times} | {times - len(wrong)} | {said} | {seconds:.0f} |", flush=True)
    return wrong_in_all


def main() -> int:
    """Print the table; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--store", choices=("sqlite", "http", "both"), default="both")
    parser.add_argument("--points", default="", help="only points with this in their name")
    parser.add_argument("--inert", action="store_true", help="files without a network; no whole transfers")
    given = parser.parse_args()
    trials.warm(*([] if given.inert else ["faultxfer.pipeline", "lightgbm", "great_expectations"]))
    kinds = ("sqlite", "http") if given.store == "both" else (given.store,)
    print("| store | killed | times | whole | wrong | seconds |\n|---|---|---:|---:|---|---:|", flush=True)
    with tempfile.TemporaryDirectory(prefix="faultxfer-kill-") as folder:
        wrong = [run(kind, Path(folder), given.times, given.points, inert=given.inert) for kind in kinds]
    print(f"\n{sum(wrong)} of all kills left something that was not whole")
    return int(any(wrong))


if __name__ == "__main__":
    sys.exit(main())
