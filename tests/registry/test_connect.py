"""Finding the store: what the user set decides, before and after it was used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from faultxfer.errors import ConfigError, RegistryError
from faultxfer.registry import connect, names
from faultxfer.registry.store import open_registry


def test_without_a_setting_the_store_lies_in_the_current_folder(store: Path) -> None:
    assert connect.tracking_uri() == f"sqlite:///{store / 'mlruns' / 'mlflow.db'}"
    assert connect.artifact_location(connect.tracking_uri()) == (store / "mlruns" / "artifacts").as_uri()


def test_using_a_store_does_not_change_what_the_user_asked_for(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(os.environ)
    assert open_registry().models() == []
    assert dict(os.environ) == before
    (store / "other").mkdir()
    monkeypatch.chdir(store / "other")
    assert open_registry().uri.endswith("other/mlruns/mlflow.db")


def test_a_store_that_does_not_exist_is_made_with_its_tables(tmp_path: Path) -> None:
    registry = open_registry(f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}")
    assert registry.models() == []
    assert (tmp_path / "new" / "mlflow.db").is_file()


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
def test_an_address_that_does_not_answer_is_one_sentence(address: str) -> None:
    with pytest.raises(RegistryError) as caught:
        open_registry(address)
    assert "MLFLOW_TRACKING_URI" in str(caught.value)


def test_a_file_that_is_no_database_is_one_sentence_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.write_text("not a database")
    with pytest.raises(RegistryError):
        open_registry(f"sqlite:///{path}")
    assert path.read_text() == "not a database"


@pytest.mark.parametrize(
    "name",
    ["", " pump", "../pump", "a--b", "a/b", "a..b", "pump'", 'p"', "p;drop", "a:b", "x" * 101, "p\n", "-p", "%2e"],
)
def test_names_that_could_be_read_as_something_else_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        names.check_name("equipment", name)


@pytest.mark.parametrize("name", ["pump-9", "Pumpe 9 (Süd)", "4711", "cooler_100.b", "a+b"])
def test_names_of_real_machines_are_accepted(name: str) -> None:
    assert names.check_name("equipment", name) == name
    assert names.registered_name("pumps", name) == f"pumps--{name}"
