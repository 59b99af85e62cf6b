"""A plant's registry to try operations on: prepared once, laid out anew for each situation.

Two machines and their source model, two versions each; one refused run; one version copied to a
model of somebody else. Everything is a month old, so that no time of grace hides what a command
does. Nothing here opens a connection in this process, which only forks.
"""

from __future__ import annotations

import contextlib
import ctypes
import inspect
import io
import json
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import registry_trials as trials
import registry_work as work
from operations_bundle import FEATURES, write_bundle
from operations_server import Server

SOURCE, HURT, OTHER = "pumps", "pumps--pump-9", "pumps--pump-7"
MODELS = (SOURCE, HURT, OTHER)
FOREIGN = "somebody's"
JOURNAL = "~journal"
_MONTH = 30 * 24 * 3600 * 1000
_TIMES = {
    "experiments": ("creation_time", "last_update_time"),
    "runs": ("start_time", "end_time"),
    "logged_models": ("creation_timestamp_ms", "last_updated_timestamp_ms"),
    "registered_models": ("creation_time", "last_updated_time"),
    "model_versions": ("creation_time", "last_updated_time"),
}
# Waiting longer between tries makes no difference to what comes of them.
_HASTE = {
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0.01",
    "FAULTXFER_ACTOR": "operations test",
}


@dataclass(frozen=True)
class Answer:
    """What a command gave back.

    Attributes:
        typed: the command.
        code: exit code.
        text: everything it said, as a person would read it.
        error: what went to the standard error.
        waited: seconds that MLflow would have waited for a database that does not open.
        data: the JSON object.
        seconds: how long it took.
    """

    typed: str
    code: int
    text: str
    error: str
    data: dict[str, Any]
    seconds: float
    waited: float

    @property
    def named(self) -> list[str]:
        """Commands that it names, in backticks."""
        return re.findall(r"`((?:faultxfer|mlflow) [^`]+)`", self.text)


@dataclass
class Plant:
    """A registry and the folder that people work in.

    Attributes:
        kind: ``sqlite`` or ``http``.
        folder: where commands are typed.
        backup: holds today's and yesterday's state of the registry.
        server: None over SQLite.
        blind: commands are typed by somebody who may not read what the owner may not.
        extra: environment of the commands, for one situation.
    """

    kind: str
    folder: Path
    backup: Path
    server: Server | None = None
    blind: bool = False
    extra: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def store(self) -> Path:
        """Folder of database and artifacts."""
        return self.folder / "mlruns"

    @property
    def database(self) -> Path:
        """The tracking store."""
        return self.store / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """Root of all uploads."""
        return self.store / "artifacts"

    @property
    def place(self) -> str:
        """For the table."""
        if self.server is None:
            return "SQLite"
        return "HTTP, signed in" if self.server.auth else "HTTP"

    def environment(self) -> dict[str, str]:
        """What commands find there."""
        login = self.server.login() if self.server else {}
        return {**_HASTE, **login, **self.extra}

    def type(self, *arguments: str) -> Answer:
        """``faultxfer registry …`` in a process of its own, with ``--json``."""
        return self.type_line(["faultxfer", "registry", *arguments])

    def help_of(self, command: str) -> str:
        """What ``faultxfer registry … --help`` says."""
        line = ["faultxfer", "registry", command, "--help"]
        return str(trials.in_child(lambda: _typed(self, line))["out"])

    def type_line(self, line: list[str]) -> Answer:
        """Any command of faultxfer or MLflow."""
        begun = time.monotonic()
        given = trials.in_child(lambda: _typed(self, line))
        return _answer(" ".join(line), given, time.monotonic() - begun)

    def type_all(
        self, lines: list[list[str]], then: Callable[[Plant], Any]
    ) -> tuple[list[Answer], Any]:
        """Commands one after the other in one process, which saves its start.

        And what ``then`` sees.
        """
        given, seen = trials.in_child(lambda: _typed_all(self, lines, then))
        answers = [
            _answer(" ".join(line), one, one["seconds"])
            for line, one in zip(lines, given, strict=True)
        ]
        return answers, seen

    def start_line(self, *arguments: str) -> tuple[int, int]:
        """As :meth:`type`, and go on meanwhile; see ``trials.finish``."""
        return trials.start(lambda: _typed(self, ["faultxfer", "registry", *arguments]))

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Do something in MLflow by hand, as the owner; the function is given a client."""
        return trials.in_child(lambda: self._called(function, *arguments))

    def _called(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """In a child."""
        import mlflow
        from mlflow import MlflowClient

        login = self.server.login() if self.server else {}
        os.environ.update({**_HASTE, **login})
        os.chdir(self.folder)
        uri = self.server.uri if self.server else f"sqlite:///{self.database}"
        mlflow.set_tracking_uri(uri)  # parts of the client look there
        with contextlib.redirect_stderr(io.StringIO()):
            return function(MlflowClient(tracking_uri=uri, registry_uri=uri), *arguments)

    def keep(self, name: str) -> None:
        """Keep the present state in the backup."""
        kept = self.backup / name
        shutil.copytree(self.artifacts, kept / "artifacts")
        _copy_database(self.database, kept / "mlflow.db")

    def bring_back(self, name: str, *, database: bool = True, artifacts: bool = True) -> None:
        """Lay out a state of the backup."""
        if artifacts:
            remove(self.artifacts)
            shutil.copytree(self.backup / name / "artifacts", self.artifacts)
        if database:
            _copy_database(self.backup / name / "mlflow.db", self.database)

    def reset(self) -> None:
        """As on the first day, whatever happened."""
        self.blind, self.extra, self.notes = False, {}, {}
        if self.server is not None:
            self.server.fail()
            self.server.go_up()
            _make_writable(self.store)
            remove(self.store / "away")
            self.bring_back("today")
            return
        self.folder = self.backup.parent / "plant"
        for left in self.folder.parent.iterdir():
            if left != self.backup:
                remove(left)
        self.store.mkdir(parents=True)
        self.bring_back("today")

    def upload(self, model: str, number: int | str) -> Path:
        """Folder of a version's files, by what the registry said at the beginning."""
        return self.upload_folder(self.upload_ids()[model, str(number)])

    def upload_folder(self, upload: str) -> Path:
        """Folder of an upload's files."""
        (found,) = self.artifacts.rglob(upload)
        return found / "artifacts"

    def upload_ids(self) -> dict[tuple[str, str], str]:
        """MLflow's id of the files of each version, as in the beginning."""
        rows = read_rows(
            self.backup / "today" / "mlflow.db", "SELECT name, version, source FROM model_versions"
        )
        found = {}
        for name, version, source in rows:
            if name in MODELS:
                found[name, str(version)] = str(source).removeprefix("models:/")
        return found


def prepare(kind: str, folder: Path, *, auth: bool, python: str) -> Plant:
    """Make a plant's registry and keep it in the backup.

    Args:
        kind: ``sqlite`` or ``http``.
        folder: must not exist.
        auth: over HTTP, ask for user and password.
        python: interpreter for the server.
    """
    plant = Plant(kind, folder / "plant", folder / "backup")
    plant.store.mkdir(parents=True)
    plant.backup.mkdir()
    plant.artifacts.mkdir()
    in_child = trials.in_child
    in_child(lambda: _migrate(plant.database))
    if kind == "http":
        plant.server = Server(folder, plant.database, plant.artifacts, auth=auth, python=python)
        plant.server.wait()
    for number, state in enumerate(("yesterday", "today")):
        in_child(lambda number=number: _register_all(plant, folder / f"bundles-{number}", number))
        if state == "today":
            plant.call(_add_bystanders)
        _age(plant.database)
        plant.keep(state)
    return plant


def _migrate(database: Path) -> None:
    from faultxfer.registry import connect

    connect.migrate(f"sqlite:///{database}")


def _register_all(plant: Plant, bundles: Path, number: int) -> None:
    from mlflow import MlflowClient

    from faultxfer.registry import names

    os.environ.update(plant.environment())
    os.chdir(plant.folder)
    for place, model in enumerate(MODELS):
        bundle = write_bundle(bundles / model, seed=10 * place + number)
        work.register_prepared(bundle, FEATURES, model)
    client = MlflowClient()
    client.set_registered_model_tag(SOURCE, names.KIND, names.SOURCE_KIND)
    for tag in (names.SOURCE_MODEL, names.EQUIPMENT):
        if tag in client.get_registered_model(SOURCE).tags:
            client.delete_registered_model_tag(SOURCE, tag)


def _add_bystanders(client: Any) -> None:
    """A refused run, and an earlier version copied to a model of somebody else."""
    from faultxfer.registry import names

    experiment = client.get_experiment_by_name(names.EXPERIMENT).experiment_id
    tags = {"faultxfer.model": HURT, names.GATE: "refuse", names.REASON: "not better"}
    run = client.create_run(experiment, tags=tags).info.run_id
    client.set_terminated(run, "FINISHED")
    client.copy_model_version(f"models:/{HURT}/1", FOREIGN)


def _age(database: Path) -> None:
    """Everything happened a month before."""
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for table, columns in _TIMES.items():
            for column in columns:
                older = f"UPDATE {table} SET {column} = {column} - {_MONTH} WHERE {column} > ?"
                connection.execute(older, ((time.time() - 24 * 3600) * 1000,))


def _typed(plant: Plant, line: list[str]) -> dict[str, Any]:
    """In a child: type it."""
    os.environ.update(plant.environment())
    os.chdir(plant.folder)
    if plant.blind:
        give_up_rights()
    waits = _shorten_waits()
    line = _reading_files(line)
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = _run_faultxfer(line[1:]) if line[0] == "faultxfer" else _run_mlflow(line[1:])
    said = {"out": out.getvalue(), "error": error.getvalue()}
    return {"code": code, **said, "waited": sum(waits)}


def _reading_files(line: list[str]) -> list[str]:
    """The same line, with what also reads files of a server, in releases that leave them else."""
    from faultxfer.registry.doctor import repair_registry

    if line[:2] != ["faultxfer", "registry"] or "--help" in line:
        return line
    asks = "files" in inspect.signature(repair_registry).parameters
    return [*line, "--files"] if asks and line[2] in ("verify", "doctor") else line


def _shorten_waits() -> list[float]:
    """MLflow tries ten times, 102 s in all, to open a database.

    Count these seconds, and wait for few.
    """
    from mlflow.store.db import utils

    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(min(seconds, 0.2))

    utils.time = SimpleNamespace(sleep=sleep, time=time.time)  # type: ignore[assignment]
    return waits


def _typed_all(
    plant: Plant, lines: list[list[str]], then: Callable[[Plant], Any]
) -> tuple[list[dict[str, Any]], Any]:
    given = []
    for line in lines:
        begun = time.monotonic()
        given.append({**_typed(plant, line), "seconds": time.monotonic() - begun})
    return given, then(plant)


def _run_faultxfer(arguments: list[str]) -> int:
    from faultxfer.cli import main

    try:
        main([*arguments, "--json"])
    except SystemExit as leave:
        return int(leave.code or 0)
    return 0


def _run_mlflow(arguments: list[str]) -> int:
    from mlflow.cli import cli

    try:
        cli.main(args=arguments, prog_name="mlflow")
    except SystemExit as leave:
        return int(leave.code or 0)
    return 0


def _answer(typed: str, given: dict[str, Any], seconds: float) -> Answer:
    data: Any = {}
    with contextlib.suppress(ValueError):
        data = json.loads(given["out"])
    said = "\n".join(_strings(data)) or given["out"]
    return Answer(typed, given["code"], said, given["error"], data, seconds, given["waited"])


def _strings(data: Any) -> list[str]:
    """All texts in a JSON object."""
    if isinstance(data, str):
        return [data]
    parts = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [text for part in parts for text in _strings(part)]


def _copy_database(source: Path, target: Path) -> None:
    """Page by page in one transaction, so that a server notices."""
    with (
        contextlib.closing(sqlite3.connect(source, timeout=30)) as old,
        contextlib.closing(sqlite3.connect(target, timeout=30)) as new,
    ):
        old.backup(new)


def read_rows(database: Path, question: str) -> list[tuple[Any, ...]]:
    """Ask a database without MLflow."""
    address = f"file:{quote(str(database))}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=30)) as connection:
        return connection.execute(question).fetchall()


def remove(path: Path) -> None:
    """Whatever it is, and whatever its rights."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        _make_writable(path)
        shutil.rmtree(path)


def _make_writable(path: Path) -> None:
    path.chmod(0o755)
    for folder, folders, files in os.walk(path):
        for name in folders:
            (Path(folder) / name).chmod(0o755)
        for name in files:
            if not (Path(folder) / name).is_symlink():
                (Path(folder) / name).chmod(0o644)


def give_up_rights() -> None:
    """From here on root may read and write only what its files' rights say, as anybody else."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, and their upper halves
    libc.capget(header, sets)
    for place in (0, 1):
        sets[place] &= ~0b1110  # DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER
    if libc.capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")
