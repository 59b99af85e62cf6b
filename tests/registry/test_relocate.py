"""A registry that was moved, copied, backed up and restored works with its own files.

And only with those.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
import registry_trials as trials
import registry_work as work
from registry_checks import NAME, SENSORS, WHO

from faultxfer.cli import main
from faultxfer.errors import ConfigError, RegistryError
from faultxfer.registry import backup, checking, connect, locations, maintenance, relocate
from faultxfer.registry.readiness import require_own_files
from faultxfer.registry.relocate import LOCATIONS
from faultxfer.registry.store import Registry, open_registry

ODD = ["plain", "b c Süd", "50%20 #1?"]


def _addresses(database: Path) -> list[str]:
    connection = sqlite3.connect(database)
    found = []
    for table, column in LOCATIONS:
        rows = connection.execute(
            f"SELECT {column} FROM {table} WHERE {column} LIKE 'file:%'"
        ).fetchall()
        found += [address for (address,) in rows]
    connection.close()
    return found


def _champions_files(registry: Registry) -> dict[str, bytes]:
    champion = registry.champion(NAME)
    assert champion is not None
    with tempfile.TemporaryDirectory() as folder:
        model = registry.download_model(champion, Path(folder))
        return {
            str(path.relative_to(model)): path.read_bytes()
            for path in model.rglob("*")
            if path.is_file()
        }


def _works() -> str:
    """Whether everything can be read and changed here; gives back the new champion."""
    assert checking.verify_registry(None, None, None)["sound"]
    other = 1 if open_registry().alias(NAME) == "2" else 2
    maintenance.promote_version(*WHO, other, "because")
    assert checking.verify_registry(None, None, None)["sound"]
    return str(open_registry().alias(NAME))


@pytest.fixture
def promoting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Promotions of inert bundles load no network."""
    monkeypatch.setattr(maintenance, "smoke_test", work.downloads)


@pytest.mark.parametrize("name", ODD)
def test_a_moved_registry_is_read_at_once_and_changed_once_it_is_relocated(
    registry: Registry, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, promoting: None
) -> None:
    files = _champions_files(registry)
    run = registry.version(NAME, 2).run_id
    (tmp_path / name).mkdir()
    shutil.move(tmp_path / "mlruns", tmp_path / name / "mlruns")
    monkeypatch.chdir(tmp_path / name)
    moved = open_registry()
    assert _champions_files(moved) == files
    assert moved.download_run_file(run, "report.md", tmp_path / name).read_text() == "trial"  # type: ignore[union-attr]
    assert moved.download_run_file(run, "none.md", tmp_path / name) is None
    shown = moved.artifact_addresses(run, {"report": Path("report.md")})["report"]
    assert Path(shown).read_text() == "trial"
    with pytest.raises(RegistryError, match="registry relocate"):
        maintenance.promote_version(*WHO, 1, "because")
    done = relocate.relocate_registry(dry_run=False)
    assert (done["outcome"], done["missing"], done["elsewhere"]) == ("relocated", [], [])
    named = [locations.local_path(address) for address in _addresses(_database())]
    assert all(path and path.is_relative_to(Path.cwd()) for path in named)
    assert _works() == "1"
    assert work.register_prepared(tmp_path / "candidate" / "bundle", SENSORS) == "3"
    assert not (tmp_path / "mlruns").exists()


def _database() -> Path:
    return Path("mlruns/mlflow.db").absolute()


def test_a_dry_run_writes_nothing_and_a_second_run_finds_nothing_to_do(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree("mlruns", tmp_path / "copy" / "mlruns")
    monkeypatch.chdir(tmp_path / "copy")
    before, recorded = _database().read_bytes(), _addresses(_database())
    planned = relocate.relocate_registry(dry_run=True)
    assert (planned["outcome"], planned["copy"], _database().read_bytes()) == (
        "dry run",
        None,
        before,
    )
    done = relocate.relocate_registry(dry_run=False)
    assert done["moved"] == planned["moved"] > 0
    assert _addresses(Path(done["copy"])) == recorded
    again = relocate.relocate_registry(dry_run=False)
    assert (again["outcome"], again["moved"], again["copy"]) == ("unchanged", 0, None)


def test_a_registry_without_its_files_is_not_rewritten(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "copy" / "mlruns").mkdir(parents=True)
    shutil.copy("mlruns/mlflow.db", tmp_path / "copy" / "mlruns")
    monkeypatch.chdir(tmp_path / "copy")
    before = _database().read_bytes()
    with pytest.raises(RegistryError, match="None of the registry's files lie beside its database"):
        relocate.relocate_registry(dry_run=False)
    assert _database().read_bytes() == before
    shutil.copytree(tmp_path / "mlruns" / "artifacts", "mlruns/artifacts")
    lost = Path(
        open_registry().files_location(open_registry().version(NAME, 1)).removeprefix("file://")
    )
    shutil.rmtree(lost)
    done = relocate.relocate_registry(dry_run=False)
    assert done["elsewhere"] == [str(lost).replace("/copy/", "/")]  # the original still has them
    shutil.rmtree(tmp_path / "mlruns")
    assert relocate.relocate_registry(dry_run=False)["missing"] == done["elsewhere"]


def test_an_empty_registry_and_one_under_a_link_can_be_moved(
    store: Path, monkeypatch: pytest.MonkeyPatch, bundle: Path
) -> None:
    from faultxfer.registry.runs import experiment_id

    experiment_id(open_registry())
    shutil.move(store / "mlruns", store / "new" / "mlruns")
    (store / "link").symlink_to(store / "new")
    monkeypatch.setenv(
        "MLFLOW_TRACKING_URI", connect.sqlite_uri(store / "link" / "mlruns" / "mlflow.db")
    )
    assert relocate.relocate_registry(dry_run=False)["outcome"] == "relocated"
    monkeypatch.setenv(
        "MLFLOW_TRACKING_URI", connect.sqlite_uri(store / "new" / "mlruns" / "mlflow.db")
    )
    assert work.register_prepared(bundle, SENSORS) == "1"
    assert relocate.relocate_registry(dry_run=False)["outcome"] == "unchanged"


def test_a_copy_of_a_version_under_another_name_is_read_beside_its_database(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.client.copy_model_version(f"models:/{NAME}/1", "kept")
    shutil.move(tmp_path / "mlruns", tmp_path / "new" / "mlruns")
    monkeypatch.chdir(tmp_path / "new")
    moved = open_registry()
    assert moved.files_location(moved.version("kept", 1)) == moved.files_location(
        moved.version(NAME, 1)
    )
    assert _champions_files(moved)


def test_a_path_that_ends_alike_by_chance_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    assert locations.place_here(Path("/mnt/other/artifacts"), tmp_path) is None
    assert (
        locations.resolved_location("s3://bucket/artifacts", tmp_path / "mlflow.db")
        == "s3://bucket/artifacts"
    )
    assert (
        locations.resolved_location("mlflow-artifacts:/1/x", tmp_path / "mlflow.db")
        == "mlflow-artifacts:/1/x"
    )


def test_files_that_a_server_handed_out_are_read_beside_the_database(tmp_path: Path) -> None:
    files, database = tmp_path / "artifacts" / "1" / "a run", tmp_path / "mlflow.db"
    files.mkdir(parents=True)
    address = locations.resolved_location("mlflow-artifacts:/1/a%20run", database)
    assert locations.local_path(address) == files
    outside = "mlflow-artifacts:/../artifacts/1"
    assert locations.resolved_location(outside, database) == outside
    with pytest.raises(RegistryError, match="New files of this registry go to an MLflow server"):
        require_own_files(database, "mlflow-artifacts:/1")


@pytest.mark.parametrize("command", [["relocate"], ["backup", "copy"]])
def test_a_servers_registry_is_left_to_who_looks_after_it(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9")
    with pytest.raises(SystemExit) as left:
        main(["registry", *command])
    said = capsys.readouterr().err
    assert (left.value.code, "who looks after the server" in said, "secret" in said) == (
        2,
        True,
        False,
    )


def _promote_in_a_loop(folder: Path) -> None:
    os.chdir(folder)
    maintenance.smoke_test = work.downloads  # type: ignore[assignment]
    for turn in range(1000):
        maintenance.promote_version(*WHO, 1 + turn % 2, "because")
        if turn % 2 == 0:
            work.register_prepared(folder / "candidate" / "bundle", SENSORS)
        (folder / "turns").write_text(str(turn))


def test_a_backup_made_while_in_use_is_restored_elsewhere(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promoting: None
) -> None:
    process, reading = trials.start(lambda: _promote_in_a_loop(tmp_path))
    backups = []
    try:
        for turn in (1, 3):
            _wait_for(tmp_path / "turns", turn)
            backups.append(backup.back_up_registry(tmp_path / "backups" / f"b {turn}"))
    finally:
        os.kill(process, signal.SIGKILL)
        trials.finish(process, reading)
    shutil.rmtree(tmp_path / "mlruns")
    for made in backups:
        assert made["missing"] == []
        restored = tmp_path / "restored" / Path(made["database"]).parent.name
        shutil.move(
            Path(made["database"]).parent, restored / "mlruns"
        )  # and the copy is moved, too
        monkeypatch.chdir(restored)
        assert relocate.relocate_registry(dry_run=False)["missing"] == []
        for known in open_registry().versions(NAME):
            work.downloads(open_registry(), known)
        assert _works() in ("1", "2")
    assert backups[0]["files"] < backups[1]["files"]  # what was registered in between


def _wait_for(file: Path, turn: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if file.exists() and int(file.read_text() or 0) >= turn:
            return
        time.sleep(0.02)
    raise AssertionError("the other process does not promote")


def test_a_backup_can_be_read_where_it_is_and_takes_no_folder_that_holds_something(
    registry: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["registry", "backup", "copy", "--json"])
    made: dict[str, Any] = json.loads(capsys.readouterr().out)
    files = _champions_files(registry)
    shutil.rmtree(tmp_path / "mlruns")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", made["tracking_uri"])
    assert _champions_files(open_registry()) == files
    with pytest.raises(ConfigError, match="is not empty"):
        backup.back_up_registry(tmp_path / "copy")


def test_a_moved_registry_is_backed_up_with_the_files_that_it_has_now(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = _champions_files(registry)
    shutil.move(tmp_path / "mlruns", tmp_path / "new" / "mlruns")
    monkeypatch.chdir(tmp_path / "new")
    made = backup.back_up_registry(tmp_path / "copy")
    shutil.rmtree(tmp_path / "new" / "mlruns")
    assert made["missing"] == []
    monkeypatch.setenv("MLFLOW_TRACKING_URI", made["tracking_uri"])
    assert _champions_files(open_registry()) == files
