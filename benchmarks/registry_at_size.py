"""How long looking takes in a registry of hundreds of machines, and how much it asks for.

    uv run python benchmarks/registry_at_size.py [--versions 300] [--machines 500] [--runs 5000]
        [--store sqlite http] [--keep FOLDER]

One source model and one machine are made as the product makes them: a pretraining, a transfer that
is promoted and one that is refused, with small networks. What they left in the database is then
copied under other names: versions with tags, alias, journal, logged model and files (hard links to
one small bundle), and refused runs with tags, parameters, metrics and inputs. Journals are written
anew, as each entry names the one before it. Versions are dealt out to the machines one after the
other; a machine that gets none has its refused runs alone, and one that gets two has a journal of
two entries.

Each command is called in a process that has imported what it needs, the least of three times
counts, and what it asks the store for is counted beside it: calls of MLflow's client, and over HTTP
requests. ``transfer`` stands for what a transfer looks up: the models, what it has to beat, and
whether the same was asked before.

The server is ``mlflow server --workers 1``, which hands out the files itself.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import registry_trials as trials

GOALS = {"list": 3.0, "history": 3.0, "verify": 3.0, "transfer": 3.0, "doctor": 6.0}
MACHINE, SOURCE = "pump-9", "pumps"
_NAME = f"{SOURCE}--fault--{MACHINE}"
_TIMES = 3
# Tables of a run, of a logged model and of a version, with the column that names it.
_OF_RUN = {
    "runs": "run_uuid",
    "latest_metrics": "run_uuid",
    "metrics": "run_uuid",
    "params": "run_uuid",
    "tags": "run_uuid",
}
_OF_UPLOAD = {
    "logged_models": "model_id",
    "logged_model_metrics": "model_id",
    "logged_model_params": "model_id",
    "logged_model_tags": "model_id",
}


def make_template(folder: Path) -> None:
    """A source model, a machine with a champion, and a refused run, by the product itself."""
    from faultxfer import PretrainOptions, TransferOptions, pipeline
    from faultxfer.config import NetworkOptions
    from faultxfer.simulation.simulator import write_pump_fleet

    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlruns/mlflow.db"
    fleet = write_pump_fleet(folder / "fleet", source_pumps=3, runs_per_pump=24, rows_per_run=30)
    network = NetworkOptions(hidden=(16,), members=1, synthetic_rows=500, epochs=2)
    sources = [str(path) for path in fleet.source_csvs]
    pipeline.pretrain(sources, fleet.contract, SOURCE, PretrainOptions(network=network))
    target = [str(fleet.contract.parent / f"{MACHINE}.csv")]
    for seed, override in ((0, "a trial"), (5, None)):
        options = TransferOptions(split={"folds": 2}, seed=seed)
        given = (target, fleet.contract, SOURCE, MACHINE, options)
        pipeline.transfer(*given, override_gate=override)


def candidate_of(template: Path, folder: Path) -> Path:
    """The bundle of the template's machine, and a report of its run beside it."""
    with sqlite3.connect(template / "mlruns" / "mlflow.db") as connection:
        found = "SELECT storage_location, run_id FROM model_versions WHERE name = ?"
        place, run = connection.execute(found, (_NAME,)).fetchone()
    model = Path(urlsplit(place).path)
    shutil.copytree(model / "data" / "bundle", folder / "bundle")
    shutil.copytree(template / "mlruns" / "artifacts" / run / "artifacts", folder / "report")
    return folder / "bundle"


class Copier:
    """Copies of what the template left, in the same database."""

    def __init__(self, database: Path) -> None:
        self.connection = sqlite3.connect(database)
        self.connection.row_factory = sqlite3.Row
        self.artifacts = database.parent / "artifacts"
        version = self._rows("model_versions", name=_NAME)[0]
        self.run = str(version["run_id"])
        self.upload = str(version["source"]).removeprefix("models:/")
        refused = "SELECT run_uuid FROM runs WHERE name LIKE '%: refused'"
        self.refused = str(self.connection.execute(refused).fetchone()[0])
        self.tables = {
            table: self._rows(table, **{key: self.run}) for table, key in _OF_RUN.items()
        }
        self.uploads = {
            table: self._rows(table, **{key: self.upload}) for table, key in _OF_UPLOAD.items()
        }
        self.refusal = {
            table: self._rows(table, **{key: self.refused}) for table, key in _OF_RUN.items()
        }

    def _rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        wanted = " AND ".join(f"{key} = ?" for key in where)
        statement = f"SELECT * FROM {table} WHERE {wanted}"
        return [dict(row) for row in self.connection.execute(statement, tuple(where.values()))]

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            statement = f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({marks})"
            self.connection.executemany(statement, [tuple(row.values()) for row in rows])

    def _replaced(self, rows: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
        """The same rows, with other names in every text."""
        return [{key: _renamed(value, names) for key, value in row.items()} for row in rows]

    def add_refusal(self, machine: str) -> None:
        """A run whose candidate the gate refused."""
        names = {self.refused: uuid.uuid4().hex, MACHINE: machine}
        for table, rows in self.refusal.items():
            self._insert(table, self._replaced(rows, names))

    def add_machine(self, machine: str, versions: int) -> None:
        """A machine's registered model, its versions and its journal."""
        name = _NAME.replace(MACHINE, machine)
        names = {MACHINE: machine}
        for one in (_NAME, f"{_NAME}~journal"):
            self._insert(
                "registered_models",
                self._replaced(self._rows("registered_models", name=one), names),
            )
            tags = self._rows("registered_model_tags", name=one)
            self._insert("registered_model_tags", self._replaced(tags, names))
        before: Any = None
        for number in range(1, versions + 1):
            before = self._add_version(machine, name, number, before)
        alias = self._rows("registered_model_aliases", name=_NAME)
        self._insert(
            "registered_model_aliases",
            [{**row, "version": versions} for row in self._replaced(alias, names)],
        )

    def _add_version(self, machine: str, name: str, number: int, before: Any) -> Any:
        """Run, logged model, files, version and entry; gives back the entry."""
        from faultxfer.registry import journal
        from faultxfer.registry.journal import Entry

        run, upload = uuid.uuid4().hex, f"m-{uuid.uuid4().hex}"
        names = {self.run: run, self.upload: upload, MACHINE: machine}
        for tables in (self.tables, self.uploads):
            for table, rows in tables.items():
                self._insert(table, self._replaced(rows, names))
        _link(self.artifacts / "models" / self.upload, self.artifacts / "models" / upload)
        (text,) = self._rows("model_version_tags", name=f"{_NAME}~journal", key=journal._TEXT)
        fields = json.loads(_renamed(text["value"], names))
        fields |= {"to_version": str(number), "id": uuid.uuid4().hex}
        if before is not None:
            fields |= {"from_version": before.to_version, "previous": before.sha256}
        entry = Entry(**fields)
        self._add_rows_of_version(name, number, names, entry)
        return entry

    def _add_rows_of_version(
        self, name: str, number: int, names: dict[str, str], entry: Any
    ) -> None:
        from faultxfer.registry import journal
        from faultxfer.registry import names as words

        said = {words.ENTRY: entry.sha256, journal._TEXT: entry.text()}
        for one in (_NAME, f"{_NAME}~journal"):
            numbers = {f"models:/{_NAME}/1": f"models:/{name}/{number}", **names}
            rows = self._replaced(self._rows("model_versions", name=one), numbers)
            self._insert("model_versions", [{**row, "version": number} for row in rows])
            tags = self._replaced(self._rows("model_version_tags", name=one), names)
            tags = [{**tag, "version": number} for tag in tags]
            tags = [{**tag, "value": said.get(tag["key"], tag["value"])} for tag in tags]
            self._insert("model_version_tags", tags)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
    return value


def _link(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=os.link)


def fill(database: Path, versions: int, machines: int, runs: int) -> None:
    """Bring the template to size."""
    copier = Copier(database)
    known = [f"pump-{number:04d}" for number in range(1, machines)]
    # The template has one machine, one version of it, and one refused run.
    of_each = Counter(known[place % len(known)] for place in range(versions - 1))
    for machine, count in of_each.items():
        copier.add_machine(machine, count)
    for place in range(runs - versions - 2):
        copier.add_refusal(known[place % len(known)])
    copier.connection.commit()


def serve_from(database: Path, served: Path) -> None:
    """Let the database name files as a server does that hands them out itself."""
    place = (database.parent / "artifacts").as_uri()
    columns = {
        "experiments": "artifact_location",
        "runs": "artifact_uri",
        "logged_models": "artifact_location",
        "model_versions": "storage_location",
    }
    with sqlite3.connect(database) as connection:
        for table, column in columns.items():
            statement = f"UPDATE {table} SET {column} = replace({column}, ?, 'mlflow-artifacts:')"
            connection.execute(statement, (place,))
    (database.parent / "artifacts").rename(served)


@contextlib.contextmanager
def counted() -> Iterator[dict[str, Counter[str]]]:
    """Count what is asked for in the block: calls of MLflow's client, and requests over HTTP."""
    import requests

    from faultxfer.registry import clients

    found: dict[str, Counter[str]] = {"calls": Counter(), "requests": Counter()}
    send, retrying = requests.Session.send, clients.RetryingClient.__getattr__

    def counting_send(session: Any, request: Any, **given: Any) -> Any:
        found["requests"][request.path_url.partition("?")[0]] += 1
        return send(session, request, **given)

    def counting_call(client: Any, name: str) -> Any:
        method = retrying(client, name)
        if not callable(method):
            return method

        def call(*given: Any, **named: Any) -> Any:
            found["calls"][name] += 1
            return method(*given, **named)

        return call

    requests.Session.send = counting_send  # type: ignore[method-assign]
    clients.RetryingClient.__getattr__ = counting_call  # type: ignore[method-assign]
    try:
        yield found
    finally:
        requests.Session.send = send  # type: ignore[method-assign]
        clients.RetryingClient.__getattr__ = retrying  # type: ignore[method-assign]


def commands(template: Path) -> dict[str, Callable[[], Any]]:
    """What is measured, by name; each looks, and changes nothing.

    Args:
        template: has the machine's file and contract, for the transfer.
    """
    from faultxfer.registry.catalog import list_models, show_history
    from faultxfer.registry.checking import verify_registry
    from faultxfer.registry.doctor import repair_registry

    return {
        "list": list_models,
        "history": lambda: show_history(SOURCE, "pump-0007"),
        "verify": lambda: verify_registry(None, None, None),
        "transfer": look_ups_of_a_transfer(template / "fleet"),
        "doctor": lambda: repair_registry(None, None, dry_run=True),
    }


def look_ups_of_a_transfer(fleet: Path) -> Callable[[], Any]:
    """What a transfer asks of the registry before it learns.

    It looks for the right to write, the source, the machine's champion, and the same request.
    """
    from faultxfer import steps
    from faultxfer.registry import rights
    from faultxfer.requests import TransferRequest

    request = TransferRequest(
        files=[str(fleet / f"{MACHINE}.csv")],
        contract=fleet / "pumps.yaml",
        model=SOURCE,
        equipment=MACHINE,
        options={"seed": 77},
    )
    rows: list[Any] = []

    def look_up() -> Any:
        rights._granted.clear()
        with tempfile.TemporaryDirectory() as folder:
            job = steps.open_transfer(request, Path(folder))
            models = steps.fetch_models(job)
            if not rows:
                rows.append(steps.check_rows(job, job.contract, models))
            return steps.find_repeat(job, models, rows[0])

    return look_up


def measure(store: trials.Store, template: Path) -> dict[str, dict[str, Any]]:
    """Seconds and what was asked for, by command."""
    from faultxfer.registry import identity

    trials.at(store)
    found = {}
    for name, command in commands(template).items():
        seconds, processor, counts = [], [], {}
        command()  # imports
        for _ in range(_TIMES):
            identity._read.clear()  # as in a new process
            with counted() as asked:
                begun, used = time.perf_counter(), time.process_time()
                answer = command()
                seconds.append(time.perf_counter() - begun)
                processor.append(time.process_time() - used)
            counts = asked
        found[name] = {
            "seconds": round(min(seconds), 2),
            "of this process": round(min(processor), 2),
            "calls": sum(counts["calls"].values()),
            "requests": sum(counts["requests"].values()),
            "most": counts["requests"].most_common(4) or counts["calls"].most_common(4),
            "answer": len(answer) if isinstance(answer, list) else _said(answer),
        }
        print(name, json.dumps(found[name]), flush=True)
    return found


def _said(answer: Any) -> Any:
    """What shows that the look was a look at everything."""
    if not isinstance(answer, dict):
        return answer
    return {key: value for key, value in answer.items() if key != "models"}


def main() -> int:
    """Print the table; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--versions", type=int, default=300)
    parser.add_argument("--machines", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument(
        "--store", nargs="+", choices=("sqlite", "http"), default=("sqlite", "http")
    )
    parser.add_argument(
        "--keep", type=Path, help="folder of the template, used again if it is there"
    )
    given = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory(prefix="faultxfer-size-") as folder:
        template = (given.keep or Path(folder) / "template").absolute()
        if not (template / "mlruns" / "mlflow.db").exists():
            trials.in_child(lambda: make_template(template))
        for kind in given.store:
            place = Path(folder) / kind
            shutil.copytree(template / "mlruns", place / "mlruns", symlinks=True)
            database = place / "mlruns" / "mlflow.db"
            moved = (template / "mlruns").as_uri(), (place / "mlruns").as_uri()
            _move(database, *moved)
            begun = time.perf_counter()
            fill(database, given.versions, given.machines, given.runs)
            print(f"{kind}: filled in {time.perf_counter() - begun:.0f} s", flush=True)
            missed += _measured(kind, place, database, template)
    return int(missed > 0)


def _move(database: Path, old: str, new: str) -> None:
    """Let a copied database name its own files."""
    columns = (("experiments", "artifact_location"), ("runs", "artifact_uri"))
    columns += (("logged_models", "artifact_location"), ("model_versions", "storage_location"))
    with sqlite3.connect(database) as connection:
        for table, column in columns:
            connection.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (old, new))


def _measured(kind: str, place: Path, database: Path, template: Path) -> int:
    """Measure one store; how many goals were missed."""
    address = f"sqlite:///{database}"
    with contextlib.ExitStack() as opened:
        if kind == "http":
            serve_from(database, place / "served")
            address = opened.enter_context(trials._server(address, place))
        store = trials.Store(kind, place, address)
        found = trials.in_child(lambda: measure(store, template))
    for name, one in found.items():
        goal = GOALS[name]
        verdict = "met" if one["seconds"] <= goal else "MISSED"
        print(f"{kind:7} {name:9} {one['seconds']:7.2f} s (goal {goal:.0f}) {verdict}", flush=True)
    return sum(one["seconds"] > GOALS[name] for name, one in found.items())


if __name__ == "__main__":
    sys.exit(main())
