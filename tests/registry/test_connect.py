"""Finding the store: what the user set decides, before and after it was used.

What cannot be used is one sentence.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from faultxfer.errors import ConfigError, RegistryError, UnreadableError
from faultxfer.registry import clients, connect, database, names
from faultxfer.registry.connect import Access
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.store import open_registry


def test_without_a_setting_the_store_lies_in_the_current_folder(store: Path) -> None:
    assert connect.tracking_uri() == f"sqlite:///{store / 'mlruns' / 'mlflow.db'}"
    assert (
        connect.artifact_location(connect.tracking_uri())
        == (store / "mlruns" / "artifacts").as_uri()
    )


def test_using_a_store_does_not_change_what_the_user_asked_for(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(os.environ)
    assert open_registry().models() == []
    assert dict(os.environ) == before
    shutil.copytree(store / "mlruns", store / "other" / "mlruns")
    monkeypatch.chdir(store / "other")
    assert open_registry().uri.endswith("other/mlruns/mlflow.db")


@pytest.mark.slow  # ten seconds of migrations
def test_a_store_is_made_with_its_tables_only_by_who_may_create_it(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}"
    for access in (Access.READING, Access.CHANGING):
        with pytest.raises(RegistryError, match="no registry at this address"):
            open_registry(uri, access)
    assert list(tmp_path.iterdir()) == []
    assert open_registry(uri, Access.CREATING).models() == []
    assert (tmp_path / "new" / "mlflow.db").is_file()


@pytest.mark.parametrize(
    "uri",
    [
        "ftp://host/mlruns",
        "/no/such/folder",
        "file:///mlruns",
        "databricks",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_what_is_no_address_of_a_registry_is_named_with_those_that_are(
    uri: str, tmp_path: Path
) -> None:
    for access in Access:
        with pytest.raises(
            UnreadableError, match=r"no address that a registry can have.*sqlite:////path"
        ):
            open_registry(uri, access)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "folder", ["with space", "Süd-Werk", "a%20b", "a#b", "a?b", "50% & more; x=1"]
)
def test_a_store_in_an_odd_folder_is_the_one_that_is_used(
    store: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (store / folder).mkdir()
    shutil.move(store / "mlruns", store / folder / "mlruns")
    monkeypatch.chdir(store / folder)
    registry = open_registry()
    registry.client.create_registered_model("pumps", tags={names.KIND: names.SOURCE_KIND})
    with sqlite3.connect(store / folder / "mlruns" / "mlflow.db") as connection:
        assert connection.execute("SELECT name FROM registered_models").fetchall() == [("pumps",)]
    connection.close()
    assert connect.sqlite_file(registry.uri) == store / folder / "mlruns" / "mlflow.db"
    assert sorted(path.name for path in store.iterdir()) == [folder]


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9",
        "https://127.0.0.1:9",
        "sqlite:////proc/none/mlflow.db",
        "nonsense://x",
        "postgresql://127.0.0.1:9/x",
    ],
)
@pytest.mark.parametrize("access", Access)
def test_an_address_that_does_not_answer_is_one_sentence(address: str, access: Access) -> None:
    with pytest.raises(RegistryError) as caught:
        open_registry(address, access)
    assert "MLFLOW_TRACKING_URI" in str(caught.value)


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("CREATE TABLE flow_run (id TEXT)")
    connection.close()


@pytest.mark.parametrize("make", [lambda path: path.write_text("not a database"), _foreign])
@pytest.mark.parametrize("access", Access)
def test_a_file_that_is_not_mlflows_is_one_sentence_and_stays_as_it_is(
    make: object, access: Access, tmp_path: Path
) -> None:
    path = tmp_path / "mlflow.db"
    make(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(RegistryError, match="not an MLflow database"):
        open_registry(f"sqlite:///{path}", access)
    assert path.read_bytes() == before


REVISIONS = {
    "newer": ("fedcba987654", "newer MLflow"),
    "older": ("451aebb31d03", "mlflow db upgrade"),
}


@pytest.mark.parametrize("name", REVISIONS)
@pytest.mark.parametrize("access", Access)
def test_a_database_of_another_mlflow_is_named_and_not_migrated(
    store: Path, name: str, access: Access
) -> None:
    revision, said = REVISIONS[name]
    file = store / "mlruns" / "mlflow.db"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.execute("DROP TABLE logged_models")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(RegistryError, match=said):
        open_registry(access=access)
    assert file.read_bytes() == before


def test_a_store_that_another_process_is_making_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as connection:
        for table in ("experiments", "runs", "tags"):
            connection.execute(f"CREATE TABLE {table} (id TEXT)")
    connection.close()
    assert database.state_of(path) is database.State.EMPTY


def test_a_registry_above_the_current_folder_is_named(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (store / "week-3").mkdir()
    monkeypatch.chdir(store / "week-3")
    with pytest.raises(RegistryError, match=f"Run it again in {store}"):
        open_registry()
    assert list(Path.cwd().iterdir()) == []


def _locked(file: Path, seconds: float) -> threading.Thread:
    """Hold the database for itself, as a process that writes does."""
    held = threading.Event()

    def hold() -> None:
        with database.opened(file, "rw") as connection:
            connection.execute("BEGIN EXCLUSIVE")
            held.set()
            time.sleep(seconds)
            connection.execute("ROLLBACK")

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    return thread


@pytest.mark.parametrize("access", Access)
def test_a_locked_database_is_waited_for_when_it_is_opened(
    store: Path, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    thread = _locked(store / "mlruns" / "mlflow.db", 0.5)
    assert open_registry(access=access).models() == []
    thread.join()


def test_a_database_that_stays_locked_is_one_sentence(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    monkeypatch.setattr(clients, "_TRIES", 2)
    thread = _locked(store / "mlruns" / "mlflow.db", 0.5)
    with pytest.raises(UnreadableError, match="locked by another process"):
        open_registry()
    thread.join()


def _http(status: int) -> Exception:
    from mlflow.exceptions import MlflowException, get_error_code

    text = f"API request to endpoint /api/2.0/x failed with error code {status} != 200. Response body: 'no'"
    return MlflowException(text, error_code=get_error_code(status))


def _retried(status: int, path: str) -> Exception:
    from mlflow.exceptions import MlflowException

    return MlflowException(
        f"API request to http://s{path} failed with exception HTTPConnectionPool(host='s', "
        f"port=80): Max retries "
        f"exceeded with url: {path} (Caused by ResponseError('too many {status} error responses'))"
    )


def _timeout() -> Exception:
    from mlflow.exceptions import MlflowException

    return MlflowException(
        "API request to http://s/x failed with timeout exception Read timed out."
    )


def _refused() -> Exception:
    import requests

    return requests.ConnectionError(
        "Max retries exceeded with url: / ([Errno 111] Connection refused')"
    )


class _OfACloud(Exception):
    """As boto's errors, which derive from nothing that is known here."""


_OfACloud.__module__ = "botocore.exceptions"

UNREADABLE = {
    "wrong password": (
        lambda: _http(401),
        "does not accept this user and password.*MLFLOW_TRACKING_PASSWORD",
    ),
    "viewer": (lambda: _http(403), "does not allow this user.*READ on the experiment"),
    "no MLflow": (lambda: _http(404), "no MLflow server at this address"),
    "a plain web server": (lambda: _http(501), "no MLflow server at this address"),
    "server fails": (
        lambda: _retried(503, "/api/2.0/mlflow/runs"),
        "The MLflow server answers 503",
    ),
    "artifacts fail": (
        lambda: _retried(504, "/api/2.0/mlflow-artifacts/artifacts/1"),
        "The artifact store answers 504",
    ),
    "too slow": (_timeout, "did not answer in time"),
    "nobody there": (_refused, "Nothing answers"),
    "not allowed on disk": (
        lambda: PermissionError(errno.EACCES, "Permission denied", "/x"),
        "may not read or write there.*/x",
    ),
    "mount gone": (lambda: OSError(errno.ESTALE, "Stale file handle"), "mount does not answer"),
    "cloud says no": (
        lambda: _OfACloud("An error occurred (AccessDenied)"),
        "The artifact store does not allow",
    ),
    "damaged database": (
        lambda: sqlite3.DatabaseError("database disk image is malformed"),
        "database is damaged",
    ),
}
OTHER = {
    "disk full": (
        lambda: OSError(errno.ENOSPC, "No space left on device"),
        "disk is full.*free space",
    ),
    "disk full, says SQLite": (
        lambda: sqlite3.OperationalError("database or disk is full"),
        "disk is full",
    ),
    "only to be read": (
        lambda: sqlite3.OperationalError("attempt to write a readonly database"),
        "can only be read",
    ),
    "absent": (
        lambda: OSError("No such artifact: 'x'"),
        "no files at the place where they were registered.*relocate",
    ),
    "library missing": (lambda: ModuleNotFoundError("No module named 'psycopg2'"), "not installed"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_could_not_be_read_is_told_from_other_failures(name: str) -> None:
    make, said = UNREADABLE[name]
    with pytest.raises(UnreadableError, match=said), reported("the tracking store"):
        raise make()


@pytest.mark.parametrize("name", OTHER)
def test_other_failures_have_their_own_sentence_and_remedy(name: str) -> None:
    make, said = OTHER[name]
    with pytest.raises(RegistryError, match=said) as caught, reported("the tracking store"):
        raise make()
    assert isinstance(caught.value, UnreadableError) == (name == "library missing")


def test_a_defect_of_our_own_is_not_taken_for_one_of_the_store() -> None:
    with pytest.raises(ZeroDivisionError), reported("the tracking store"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "name",
    [
        "",
        " pump",
        "../pump",
        "a--b",
        "a/b",
        "a..b",
        "pump'",
        'p"',
        "p;drop",
        "a:b",
        "x" * 101,
        "p\n",
        "-p",
        "%2e",
    ],
)
def test_names_that_could_be_read_as_something_else_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        names.check_name("equipment", name)


@pytest.mark.parametrize("name", ["pump-9", "Pumpe 9 (Süd)", "4711", "cooler_100.b", "a+b"])
def test_names_of_real_machines_are_accepted(name: str) -> None:
    assert names.check_name("equipment", name) == name
    assert names.registered_name("pumps", name) == f"pumps--{name}"
