"""What tests share: a process without telemetry, a store of their own, a small simulated world."""

from __future__ import annotations

import dataclasses
import functools
import gc
import hashlib
import json
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from faultxfer import environment
from faultxfer.config import NetworkOptions, PretrainOptions
from faultxfer.registry import connect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from faultxfer.registry.store import Registry

environment.prepare_command()
os.environ["FAULTXFER_SMOKE_TEST"] = (
    "this_process"  # a clean process loads TensorFlow; one test pays for it
)
# MLflow reads its log level when it is imported, which may be while tests are collected
connect.prepare_environment()
# No test touches the Prefect profile or the tracking store of the person who runs it.
for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "PREFECT_API_URL", "PREFECT_PROFILE"):
    os.environ.pop(name, None)
# Prefect reads its settings when it is imported, which may be while tests are collected.
_prefect_home = tempfile.TemporaryDirectory(prefix="faultxfer-prefect-", ignore_cleanup_errors=True)
os.environ["PREFECT_HOME"] = _prefect_home.name


@event.listens_for(Engine, "connect")
def _without_waiting_for_the_disk(connection: Any, _: object) -> None:
    """No test survives a power cut, and SQLite waits for the disk at every commit."""
    if type(connection).__module__ == "sqlite3":
        connection.execute("PRAGMA synchronous = OFF")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes first, the longest at the head: at the end no process waits.

    What works in a trained world is slow: its source network was fitted, and mostly more will be.
    So are files that take a quarter of a minute or more without one: they fit or ask a registry.
    """
    items.sort(key=lambda item: _place(item.path))
    for item in items:
        if "trained_folder" in getattr(item, "fixturenames", ()) or item.path.name in _SLOW:
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """What modules made while they were imported stays; no collection of garbage looks at it."""
    gc.freeze()


def _place(path: Path) -> int:
    """Of a file in ``_LONG``; those that are not named there come after them."""
    named = {path.name, path.parent.name}
    return next((place for place, one in enumerate(_LONG) if one in named), len(_LONG))


# Files, or folders of them, by what they take of both processors.
_LONG = (
    "browser",
    "test_pipeline.py",
    "test_real_data.py",
    "test_demo.py",
    "test_commands.py",
    "test_trials.py",
    "flows",
    "ui",
    "deploy",
    "corpus",
    "tutorials",
    "test_postgresql.py",
    "test_sensor_that_dies.py",
    "test_fleet_of_different_sensors.py",
    "test_strategies.py",
    "test_walk.py",
    "test_procedure.py",
    "test_doctor.py",
    "test_hostile.py",
    "landing",
)
_SLOW = (
    "test_doctor.py",
    "test_kept_bundles.py",
    "test_machines.py",
    "test_merging.py",
    "test_network_fit.py",
    "test_once.py",
    "test_procedure.py",
    "test_provisional.py",
    "test_pruning.py",
    "test_registering.py",
    "test_relocate.py",
    "test_strategies.py",
    "test_walk.py",
)
REPOSITORY = Path(__file__).resolve().parents[1]
REAL_DATA = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data sets."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"the real data sets are not beside the repository: {REAL_DATA}")
    return REAL_DATA


@pytest.fixture(scope="session")
def migrated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store, migrated once; migrating takes seconds."""
    folder = tmp_path_factory.mktemp("migrated") / "mlruns"
    folder.mkdir()
    connect.migrate(f"sqlite:///{folder / 'mlflow.db'}")
    return folder


@pytest.fixture
def own_temporary_files(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor finds what this test left there, and not what others did."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))


@pytest.fixture
def store(
    tmp_path: Path,
    migrated_folder: Path,
    own_temporary_files: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A working folder with an empty store in ``mlruns/``."""
    shutil.copytree(migrated_folder, tmp_path / "mlruns")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def inert(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bundles are uploaded and compared but never loaded.

    So that no test of the registry waits for TensorFlow.
    """
    import registry_work as work

    from faultxfer.registry import maintenance, registering

    for module in (registering, maintenance):
        monkeypatch.setattr(module, "smoke_test", work.downloads)


@pytest.fixture
def bundle(store: Path, inert: None) -> Path:
    """Files that hold no network."""
    import registry_work as work

    return work.inert_bundle(store / "candidate")


@pytest.fixture(scope="session")
def registered_folder(tmp_path_factory: pytest.TempPathFactory, migrated_folder: Path) -> Path:
    """A store with two versions of such files, the second of which is champion.

    Tests get copies.
    """
    import registry_work as work

    from faultxfer.registry import registering

    folder = tmp_path_factory.mktemp("registered")
    shutil.copytree(migrated_folder, folder / "mlruns")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(registering, "smoke_test", work.downloads)
        candidate = work.inert_bundle(folder / "candidate")
        for _ in range(2):
            work.register_prepared(candidate, ("flow", "pressure"))
    return folder


@pytest.fixture
def registry(registered_folder: Path, bundle: Path) -> Registry:
    """A copy of that store to work in."""
    from faultxfer.registry.store import open_registry

    shutil.rmtree("mlruns")
    shutil.copytree(registered_folder / "mlruns", "mlruns")
    move_artifacts(Path("mlruns/mlflow.db").absolute(), registered_folder, Path.cwd())
    return open_registry()


# Learns the small fleet in a few seconds.
SMALL_NETWORK = NetworkOptions(hidden=(32, 16), members=2, synthetic_rows=2000)


@dataclass(frozen=True)
class World:
    """A small simulated fleet and a store in which its source model ``pumps`` is registered."""

    folder: Path
    sources: list[str]
    target: str
    new_rows: str
    contract: str
    equipment: str


@pytest.fixture(scope="session")
def trained_folder(tmp_path_factory: pytest.TempPathFactory, migrated_folder: Path) -> Path:
    """Small fleet, and a store with its source model; tests get copies."""
    from faultxfer import pipeline
    from faultxfer.simulation.simulator import write_pump_fleet

    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(migrated_folder, folder / "mlruns")
    fleet = write_pump_fleet(folder / "fleet", source_pumps=3, runs_per_pump=24, rows_per_run=30)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        options = PretrainOptions(network=SMALL_NETWORK)
        pipeline.pretrain(
            [str(path) for path in fleet.source_csvs], fleet.contract, "pumps", options
        )
    return folder


class _Adaptations:
    """Fits each candidate once.

    Most tests ask what becomes of it, with another gate or another store.
    """

    def __init__(self, adapt: Callable[..., Any], folder: Path) -> None:
        functools.update_wrapper(self, adapt)
        self.adapt, self.folder = adapt, folder
        self.made: dict[str, Any] = {}

    def __call__(self, job: Any, models: Any, target: Any) -> Any:
        rows, options = target.rows, job.request.options
        asked = (
            rows.files,
            job.contract.digest(),
            options.model_dump_json(exclude={"gate"}),
            target.split.reason,
        )
        source = models.source_bundle.joinpath("manifest.json").read_text()
        content = repr((asked, source)).encode() + rows.table.read_bytes()
        key = hashlib.sha256(content).hexdigest()
        kept = self.folder / key
        if key not in self.made:
            kept.mkdir(exist_ok=True)  # a candidate that could not be fitted left it
            own = dataclasses.replace(job, work=kept)
            self.made[key] = self.adapt(own, models, target)
        shutil.copytree(kept, job.work, dirs_exist_ok=True)
        return dataclasses.replace(self.made[key], target=target, folder=job.work)


@pytest.fixture(scope="session")
def adaptations(tmp_path_factory: pytest.TempPathFactory) -> _Adaptations:
    """What was fitted in this process."""
    from faultxfer import steps

    return _Adaptations(steps.adapt_source, tmp_path_factory.mktemp("adapted"))


class _Drawn:
    """Draws the same thing once.

    Pictures and Data Docs are half of what a transfer costs that was adapted before; the same rows
    and scores give the same bytes, as tests/evaluate/test_plots.py and
    tests/contract/test_data_docs.py see to.
    """

    def __init__(self, folder: Path) -> None:
        from faultxfer.contract.expectations import docs_page
        from faultxfer.evaluate.plots import save_pictures

        self.folder = folder
        self.save_pictures, self.docs_page = save_pictures, docs_page
        self.made: dict[str, Any] = {}

    def pictures(self, folder: Path, *given: Any, named: Any = None, **who: str) -> dict[str, Path]:
        """As ``save_pictures``."""
        names = None if named is None else sorted(named)
        key = hashlib.sha256(pickle.dumps((given, names, who))).hexdigest()
        if key not in self.made:
            self.made[key] = self.save_pictures(self.folder / key, *given, named=named, **who)
        folder.mkdir(parents=True, exist_ok=True)
        kept: dict[str, Path] = self.made[key]
        return {name: Path(shutil.copy(path, folder)) for name, path in kept.items()}

    def page(self, validation: Any, **shown: str) -> str:
        """As ``docs_page``."""
        key = json.dumps([validation.as_dict(), shown])
        if key not in self.made:
            self.made[key] = self.docs_page(validation, **shown)
        return str(self.made[key])


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> _Drawn:
    """What was drawn in this process."""
    return _Drawn(tmp_path_factory.mktemp("drawn"))


@pytest.fixture
def world(
    trained_folder: Path,
    tmp_path: Path,
    adaptations: _Adaptations,
    drawn: _Drawn,
    own_temporary_files: None,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """A copy of the trained store to work in."""
    from faultxfer import steps
    from faultxfer.contract import data_docs
    from faultxfer.steps import judging

    shutil.copytree(trained_folder / "mlruns", tmp_path / "mlruns")
    move_artifacts(tmp_path / "mlruns" / "mlflow.db", trained_folder, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(steps, "adapt_source", adaptations)
    monkeypatch.setattr(judging, "save_pictures", drawn.pictures)
    monkeypatch.setattr(data_docs, "docs_page", drawn.page)
    fleet = trained_folder / "fleet"
    return World(
        folder=tmp_path,
        sources=[str(path) for path in sorted(fleet.glob("pump-[1-3].csv"))],
        target=str(fleet / "pump-9.csv"),
        new_rows=str(fleet / "pump-9-new-rows.csv"),
        contract=str(fleet / "pumps.yaml"),
        equipment="pump-9",
    )


@pytest.fixture
def adapting_anew(world: World, adaptations: _Adaptations, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test that compares two fits."""
    from faultxfer import steps

    monkeypatch.setattr(steps, "adapt_source", adaptations.adapt)


def models_of(world: World, model: str = "pumps", name: str = "look") -> Any:
    """Source and champion as a pipeline loads them, in a folder of that name."""
    from faultxfer import steps
    from faultxfer.requests import CurveRequest

    request = CurveRequest(
        files=(world.target,), contract=world.contract, model=model, equipment=world.equipment
    )
    return steps.fetch_models(steps.open_curve(request, world.folder / name))


def move_artifacts(database: Path, old: Path, new: Path) -> None:
    """A copied store names the artifacts of the original; point it at its own."""
    import sqlite3

    with sqlite3.connect(database) as connection:
        columns = {
            "experiments": ["artifact_location"],
            "runs": ["artifact_uri"],
            "logged_models": ["artifact_location"],
            "model_versions": ["source", "storage_location"],
        }
        for table, names in columns.items():
            for name in names:
                connection.execute(
                    f"UPDATE {table} SET {name} = replace({name}, ?, ?)", (str(old), str(new))
                )
    connection.close()


@pytest.fixture(autouse=True)
def answers_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer in JSON that a test gets in this process has the shape of docs/json.md."""
    from answers import differences

    from faultxfer.cli import session

    really = session.print_json

    def print_json(data: dict[str, Any]) -> None:
        really(data)
        assert differences(session.answering.get(), data) == []

    monkeypatch.setattr(session, "print_json", print_json)


# What keeps a browser from looking for anything beyond this machine, and lets root start it.
_BROWSER = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",  # which root cannot have
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser per test file: Debian's chromium, driven by Playwright.

    Playwright keeps an event loop of its own in the thread that started it, so that code which asks
    for one there (Prefect's clients do) misbehaves. A test of pages starts servers and commands as
    processes, and the browser ends with its test file.
    """
    from needs import skip_without
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        skip_without("browser", "There is no chromium here. `apt-get install chromium` brings it.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_BROWSER)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page without cookies, of the size of a notebook's screen."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    yield context.new_page()
    context.close()
