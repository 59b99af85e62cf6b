"""Reading writes nothing.

Not on a folder that may only be read, not for another user, not where nothing is.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import registry_trials as trials
from registry_checks import NAME, WHO, become_nobody, make_readable

from faultxfer import outputs, requests
from faultxfer.cli import main
from faultxfer.errors import ConfigError, DiskFullError, RegistryError, UnreadableError
from faultxfer.registry import (
    catalog,
    checking,
    connect,
    database,
    doctor,
    maintenance,
    readiness,
    rights,
)
from faultxfer.registry.connect import Access
from faultxfer.registry.relocate import relocate
from faultxfer.registry.store import Registry, open_registry
from faultxfer.steps import opening


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _look_around() -> dict[str, Any]:
    """Everything that reads, and the champion's files."""
    registry = open_registry()
    champion = registry.champion(NAME)
    assert champion is not None
    with tempfile.TemporaryDirectory() as folder:
        bundle = registry.download_bundle(champion, Path(folder))
        size = (bundle / "network.keras").stat().st_size
    return {
        "models": len(catalog.list_models()),
        "history": len(catalog.show_history(*WHO)),
        "journal": len(maintenance.read_entries(*WHO)),
        "shown": catalog.show_version(*WHO, None)["version"],
        "sound": checking.verify_registry(None, None, None)["sound"],
        "size": size,
    }


@pytest.fixture
def readable(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A registry in a folder that everybody may enter and read, and nobody may write."""
    folder = Path(tempfile.mkdtemp(prefix="faultxfer-readable-"))
    make_readable(folder)
    shutil.copytree("mlruns", folder / "mlruns")
    relocate(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}", dry_run=False)
    folder.chmod(0o555)
    for path in (folder / "mlruns").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    (folder / "mlruns").chmod(0o555)
    monkeypatch.chdir(folder)
    yield folder
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    shutil.rmtree(folder)


def _as_another_user(work: Callable[[], Any]) -> Any:
    """In a process of its own.

    Of a user without the right to write, where the tests run as root.
    """

    def child() -> Any:
        become_nobody()
        return work()

    return trials.in_child(child)


def test_another_user_reads_everything_in_a_folder_that_may_only_be_read(readable: Path) -> None:
    seen = _look_around()  # loads what the other user may not be allowed to load
    before = _content(readable)
    assert seen == {
        "models": 1,
        "history": 2,
        "journal": 2,
        "shown": "2",
        "sound": True,
        "size": 200_000,
    }
    assert _as_another_user(_look_around) == seen
    assert _content(readable) == before


def test_another_user_hears_before_the_work_that_they_may_not_write(readable: Path) -> None:
    def refused() -> str:
        said = set()
        for change in (
            lambda: rights.require_before_work(NAME, source="pumps"),
            lambda: maintenance.roll_back(*WHO, None, "because"),
            lambda: doctor.repair_registry(None, None),
        ):
            with pytest.raises(RegistryError, match="may not write to the registry") as caught:
                change()
            said.add(str(caught.value))
        assert len(doctor.repair_registry(None, None, dry_run=True)["found"]) == 0
        return said.pop()

    with pytest.raises(RegistryError) if os.geteuid() else pytest.MonkeyPatch.context():
        maintenance.roll_back(*WHO, None, "loads what is needed")
    assert str(readable / "mlruns") in _as_another_user(refused)


def test_reading_makes_nothing_in_the_folder_of_the_command(
    registry: Registry, tmp_path: Path
) -> None:
    before = _content(tmp_path)
    assert _look_around()["sound"]
    assert _content(tmp_path) == before


NOWHERE = (
    ["registry", "list"],
    ["registry", "history", "pumps"],
    ["registry", "verify"],
    ["registry", "rollback", "pumps", "--reason", "because"],
    ["registry", "promote", "pumps", "1", "--reason", "because"],
    ["registry", "doctor"],
    ["registry", "relocate"],
    ["registry", "backup", "copy"],
)


@pytest.mark.parametrize("arguments", NOWHERE, ids=lambda arguments: arguments[1])
def test_where_there_is_no_registry_nothing_is_made_and_the_address_is_named(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(arguments)
    said = capsys.readouterr().err
    assert left.value.code == (
        3 if arguments[1] in ("verify", "doctor") else 2
    )  # nothing was checked
    assert f"sqlite:///{tmp_path}/mlruns/mlflow.db" in said
    assert "faultxfer demo" in said
    assert list(tmp_path.iterdir()) == []


def test_a_transfer_that_a_killed_process_left_half_written_is_read_as_before(
    registry: Registry,
) -> None:
    file = Path("mlruns/mlflow.db").absolute()
    with database.opened(file, "rw") as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE model_version_tags SET value = 'half'")
        connection.execute(
            "CREATE TABLE filler AS SELECT hex(randomblob(4000)) FROM model_version_tags"
        )
        for part in ("mlflow.db", "mlflow.db-journal"):
            shutil.copy(file.with_name(part), file.with_name(f"{part}.left"))
        connection.execute("ROLLBACK")
    for part in ("mlflow.db", "mlflow.db-journal"):
        file.with_name(f"{part}.left").rename(file.with_name(part))
    assert checking.verify_registry(None, None, None)["sound"]


def _deleted(registry: Registry) -> None:
    experiment = registry.client.get_experiment_by_name("faultxfer")
    registry.client.delete_experiment(experiment.experiment_id)


def test_a_deleted_experiment_is_said_with_the_command_that_restores_it(registry: Registry) -> None:
    _deleted(registry)
    said = r"mlflow\.db' mlflow experiments restore --experiment-id 1"
    for change in (
        lambda: rights.require_before_work(NAME),
        lambda: rights.require_before_work("pumps", creating=True),
        lambda: maintenance.roll_back(*WHO, None, "because"),
        lambda: open_registry(access=Access.CREATING),
    ):
        with pytest.raises(RegistryError, match=said):
            change()
    assert _look_around()["models"] == 1


def test_a_full_disk_is_said_before_the_work(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    rights.require_before_work(NAME, source=NAME)
    room = shutil.disk_usage(".")._replace(free=100 * readiness.KIB)
    monkeypatch.setattr(readiness.shutil, "disk_usage", lambda _: room)
    with pytest.raises(DiskFullError, match=r"registry's disk is full.*100 KiB free"):
        rights.require_before_work(NAME, source=NAME)
    open_registry(access=Access.CHANGING)  # a change of champion needs less
    monkeypatch.setattr(
        readiness.shutil, "disk_usage", lambda _: room._replace(free=300 * readiness.KIB)
    )
    with pytest.raises(DiskFullError, match=r"temporary files' disk is full.*TMPDIR"):
        rights.require_before_work(NAME)


def test_a_request_to_train_is_refused_before_the_files_are_read(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    _deleted(registry)
    Path("a.csv").write_text("flow,fault\n1,0\n")
    Path("c.yaml").write_text(
        "{version: 1, family: f, label: {column: fault}, sensors: {flow: {}}}"
    )
    given = {"files": ("a.csv",), "contract": "c.yaml", "model": "pumps"}
    machine = {**given, "equipment": "pump-9"}
    with pytest.raises(RegistryError, match="experiments restore"):
        opening.open_pretrain(requests.PretrainRequest(**given), Path())
    with pytest.raises(RegistryError, match="experiments restore"):
        opening.open_transfer(requests.TransferRequest(**machine), Path())
    with pytest.raises(RegistryError, match="no source model of this name"):
        opening.open_transfer(requests.TransferRequest(**machine, dry_run=True), Path())
    scores = requests.ScoreRequest(
        files=("a.csv",), model="pumps", equipment="pump-9", out="scores.csv"
    )
    opening.open_score(scores, Path())


def test_rows_set_aside_go_beside_the_scores_where_the_folder_may_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out" / "scores.csv"
    assert outputs.quarantine_of_scores("quarantine", out) == Path("quarantine")
    monkeypatch.setattr(outputs.os, "access", lambda *_, **__: False)
    assert outputs.quarantine_of_scores("quarantine", out) == tmp_path / "out" / "quarantine"
    assert outputs.quarantine_of_scores("mine", out) == Path("mine")


def _moved_away(folder: Path) -> None:
    shutil.copytree("mlruns", folder / "mlruns")


def test_a_copy_is_refused_before_it_writes_to_the_original(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import registry_work as work

    _moved_away(tmp_path / "copy")
    before = _content(tmp_path / "mlruns")
    monkeypatch.chdir(tmp_path / "copy")
    assert str(tmp_path / "copy") in open_registry().files_location(
        open_registry().version(NAME, 1)
    )
    assert _look_around()["sound"]
    for change in (
        lambda: maintenance.roll_back(*WHO, None, "because"),
        lambda: work.register_prepared(tmp_path / "candidate" / "bundle", ("flow", "pressure")),
        lambda: rights.require_before_work(NAME),
    ):
        with pytest.raises(
            RegistryError, match=r"elsewhere than its database.*registry relocate"
        ) as caught:
            change()
        assert readiness.ELSEWHERE_ON_PURPOSE not in str(caught.value)  # there is a registry
    assert _content(tmp_path / "mlruns") == before


def test_files_kept_elsewhere_on_purpose_are_accepted_when_somebody_says_so(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.move("mlruns/artifacts", tmp_path / "big disk")
    with sqlite3.connect("mlruns/mlflow.db") as connection:
        connection.execute(
            "UPDATE experiments SET artifact_location = ?", ((tmp_path / "big disk").as_uri(),)
        )
    connection.close()
    with pytest.raises(RegistryError, match="FAULTXFER_ARTIFACTS=elsewhere"):
        open_registry(access=Access.CHANGING)
    monkeypatch.setenv("FAULTXFER_ARTIFACTS", "else")
    with pytest.raises(ConfigError, match="'elsewhere'"):
        open_registry(access=Access.CHANGING)
    monkeypatch.setenv("FAULTXFER_ARTIFACTS", "elsewhere")
    open_registry(access=Access.CHANGING)
    shutil.rmtree(tmp_path / "big disk")  # not mounted
    with pytest.raises(RegistryError, match="elsewhere than its database"):
        open_registry(access=Access.CHANGING)


def test_a_folder_that_another_user_may_not_enter_is_one_sentence(readable: Path) -> None:
    (readable / "mlruns").chmod(0)

    def refused() -> int:
        for look in (
            lambda: connect.require_registry(connect.tracking_uri()),
            lambda: rights.require_before_work(NAME),
            lambda: rights.require_before_work(NAME, creating=True),
            catalog.list_models,
        ):
            with pytest.raises(UnreadableError, match="This user may not read or write there"):
                look()
        return 0

    assert _as_another_user(refused) == 0
