"""Ordinary operation played on a registry, and what comes of it.

Today's tree beside the release before.

    uv run --group benchmark python benchmarks/operations_test.py [--store sqlite|http|both]
        [--auth none|basic|both] [--only WORD …] [--release-before FOLDER] [--json]

Each situation damages a small registry as moved folders, lost mounts, failing servers, backups,
people and MLflow's own pages do; types verify, doctor, `doctor --apply` and verify as a schedule
and an engineer would; brings back what can be brought back; and looks whether what was champion is
champion again, by itself or by one command that the output named. Exit code 1 where today's tree
does otherwise.

FOLDER is a working copy of the release before, with an environment in FOLDER/.venv; the same script
runs there with that release's own benchmarks beside it. Needs `mlflow[auth]` for `--auth basic`.
Commands run in forked processes, as in `registry_trials.py`; the networks are inert.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import registry_trials as trials
import registry_work as work
from operations_look import originals
from operations_plant import Plant, prepare
from operations_play import COMMAND, ITSELF, Outcome, Situation, Table, play
from operations_situations import situations

_HERE = Path(__file__).resolve().parent
# What commands would import in every process.
_LAZY = (
    *("faultxfer.cli.commands", "mlflow.cli", "mlflow.artifacts", "mlflow.tracing.export"),
    *("alembic.command", "alembic.config", "sqlalchemy.dialects.sqlite", "typer._click.decorators"),
    *("mlflow.store.tracking.sqlalchemy_workspace_store", "mlflow.utils.search_logged_model_utils"),
    *("mlflow.store.model_registry.sqlalchemy_workspace_store", "opentelemetry.sdk.metrics"),
    *("mlflow.tracking.request_header.registry", "mlflow.store.artifact.http_artifact_repo"),
)


def main() -> int:
    """Print the table; 1 if anything went wrong."""
    given = _arguments()
    if given.json:
        for line in _play(given):
            print(json.dumps(line), flush=True)
        return 0
    with _release_before(given) as lines_before:
        lines = list(_play(given))
        old = {(line["situation"], line["store"]): line for line in lines_before()}
    _print_table(lines, old)
    _print_summary(lines, old)
    return int(not lines or any(line["wrong"] for line in lines))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", choices=("sqlite", "http", "both"), default="both")
    parser.add_argument("--auth", choices=("none", "basic", "both"), default="both")
    parser.add_argument(
        "--only", metavar="WORD", action="append", default=[], help="in name, or kind"
    )
    parser.add_argument("--release-before", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a line, of this tree alone"
    )
    parser.add_argument("--server-python", default=sys.executable, help=argparse.SUPPRESS)
    return parser.parse_args()


@contextmanager
def _release_before(given: argparse.Namespace) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Play with the release before at the same time; the function given waits for its lines."""
    if given.release_before is None:
        yield list
        return
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "lines"  # not a pipe, which would be full before anybody reads it
        with said.open("w") as out, _started(given, out) as process:
            yield lambda: _lines(process, said)


def _started(given: argparse.Namespace, out: IO[str]) -> subprocess.Popen[str]:
    """This script once more, in the other working copy."""
    folder = given.release_before.resolve()
    python = folder / ".venv" / "bin" / "python"
    if not python.exists():
        raise SystemExit(f"There is no environment of the release before: {python}")
    command = [str(python), "-P", str(_HERE / "operations_test.py"), "--json"]
    command += ["--store", given.store, "--auth", given.auth, "--server-python", sys.executable]
    command += [part for word in given.only for part in ("--only", word)]
    # Its own `registry_work` goes with it, and today's situations.
    path = [folder, folder / "benchmarks", _HERE]
    settings = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.Popen(command, env=settings, stdout=out, text=True)


def _lines(process: subprocess.Popen[str], said: Path) -> list[dict[str, Any]]:
    if process.wait():
        raise SystemExit(f"the trial of the release before failed: {process.args!r}")
    return [json.loads(text) for text in said.read_text().splitlines() if text.startswith("{")]


def _told(line: dict[str, Any]) -> str:
    """Progress, for whoever waits."""
    wrong = "; ".join(line["wrong"]) or "ok"
    tree = Path(line["tree"]).name
    return f"{tree}: {line['store']}: {line['situation']} ({line['seconds']:.0f} s): {wrong}"


def _play(given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """All situations with the tree that is imported here; gives back a line for each."""
    _warm()
    with tempfile.TemporaryDirectory(prefix="faultxfer-operations-") as folder:
        for store in _stores(given):
            for line in play_store(store, Path(folder), given.only, given.server_python):
                print(_told(line), file=sys.stderr, flush=True)
                yield line


def _stores(given: argparse.Namespace) -> list[str]:
    stores = []
    if given.store in ("sqlite", "both"):
        stores.append("sqlite")
    if given.store in ("http", "both") and given.auth in ("none", "both"):
        stores.append("http")
    if given.store in ("http", "both") and given.auth in ("basic", "both"):
        stores.append("signed in")
    return stores


def _warm() -> None:
    trials.warm(*[name for name in _LAZY if _can_be_imported(name)])
    from sqlalchemy.orm import configure_mappers

    from faultxfer.registry import smoke

    configure_mappers()
    smoke.check_version = work.downloads  # type: ignore[assignment]


def _can_be_imported(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def play_store(store: str, folder: Path, only: list[str], python: str) -> Iterator[dict[str, Any]]:
    """Play the situations of one store; gives back a line for each."""
    chosen = [one for one in situations() if store in one.stores and _is_asked(one, only)]
    if not chosen:
        return
    kind = "sqlite" if store == "sqlite" else "http"
    place = folder / store.replace(" ", "-")
    place.mkdir()
    plant = prepare(kind, place, auth=store == "signed in", python=python)
    try:
        table = Table(plant, originals(plant), _applies(plant))
        for situation in chosen:
            yield _line(situation, plant, dataclasses.asdict(_played(situation, table)))
    finally:
        if plant.server is not None:
            plant.server.stop()


def _played(situation: Situation, table: Table) -> Outcome:
    """What came of it; the others are played too where the trial of one fails."""
    try:
        return play(situation, table)
    except SystemExit as error:
        return Outcome(-1, wrong=[str(error)])


def _is_asked(situation: Situation, only: list[str]) -> bool:
    return not only or any(word in situation.name or word == situation.kind for word in only)


def _applies(plant: Plant) -> bool:
    """Whether this release's doctor tells what restores from what takes away."""
    return "--apply" in plant.help_of("doctor")


def _line(situation: Situation, plant: Plant, outcome: dict[str, Any]) -> dict[str, Any]:
    import faultxfer

    tree = str(Path(faultxfer.__file__).parents[1])
    wanted = " or ".join(str(code) for code in situation.verify)
    return {
        "situation": situation.name,
        "kind": situation.kind,
        "store": plant.place,
        "wanted": wanted,
        "tree": tree,
        **outcome,
    }


def _print_table(lines: list[dict[str, Any]], old: dict[tuple[str, str], dict[str, Any]]) -> None:
    heads = [
        "situation",
        "store",
        "verify is to be",
        "verify",
        "after the doctor",
        "in the end",
        "back by",
        "lost",
    ]
    if old:
        heads += ["before: verify", "after the doctor", "back by", "lost"]
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for line in lines:
        cells = [line["situation"], line["store"], line["wanted"]]
        cells += [
            str(line["verify"]),
            str(line["after"]),
            str(line["end"]),
            _back(line),
            _lost(line),
        ]
        if old:
            cells += _old_cells(old.get((line["situation"], line["store"])))
        print("| " + " | ".join(cells) + " |")


def _old_cells(line: dict[str, Any] | None) -> list[str]:
    if line is None:
        return ["", "", "", ""]
    return [str(line["verify"]), str(line["after"]), _back(line), _lost(line)]


def _back(line: dict[str, Any]) -> str:
    return f"`{line['command']}`" if line["back"] == COMMAND else str(line["back"])


def _lost(line: dict[str, Any]) -> str:
    """Shortly: one thing, or how many."""
    lost = line["lost"]
    if not lost:
        return "nothing"
    return lost[0][:80].replace("|", "/") if len(lost) == 1 else f"{len(lost)} things"


def _print_summary(lines: list[dict[str, Any]], old: dict[tuple[str, str], dict[str, Any]]) -> None:
    print()
    print("| | today | release before |\n|---|---:|---:|")
    for name, counted in _COUNTED.items():
        before = str(sum(map(counted, old.values()))) if old else ""
        print(f"| {name} | {sum(map(counted, lines))} | {before} |")
    for line in lines:
        for problem in line["wrong"]:
            print(f"\n- {line['situation']}, {line['store']}: {problem}", end="")
    print()


_COUNTED = {
    "situations played": lambda line: 1,
    "restored without a person": lambda line: line["back"] == ITSELF and not line["lost"],
    "restored by one command that the output names": lambda line: line["back"] == COMMAND,
    "something lost": lambda line: bool(line["lost"]),
    "verify told the truth": lambda line: str(line["verify"]) in line["wanted"].split(" or "),
    "anything wrong": lambda line: bool(line["wrong"]),
}


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers end too
    begun = time.monotonic()
    code = main()
    print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr)
    sys.exit(code)
