"""A machine without champion is scored with a provisional version, which is marked everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import registry_work as work
from registry_checks import NAME, SENSORS, WHO, chain_of, repair, spoil

from faultxfer.errors import ChampionMovedError, RegistryError
from faultxfer.registry import (
    catalog,
    checking,
    journal,
    maintenance,
    names,
    promotion,
    registering,
)
from faultxfer.registry.promotion import standing
from faultxfer.registry.pruning import prune_registry
from faultxfer.registry.store import Registry, open_registry


def add_provisional(bundle: Path, head: str | None = None) -> str:
    return work.register_prepared(bundle, SENSORS, head=head, action=journal.PROVISIONAL)


def aliases(registry: Registry) -> dict[str, str]:
    return registry.aliases(NAME)


def is_whole() -> bool:
    """Whether neither the doctor nor `verify` finds anything."""
    return repair() == [] and checking.verify_registry(None, None, None)["sound"]


@pytest.fixture(scope="module")
def provisional_folder(tmp_path_factory: pytest.TempPathFactory, migrated_folder: Path) -> Path:
    """A store in which the machine has a provisional version; tests get copies."""
    import shutil

    folder = tmp_path_factory.mktemp("provisional")
    shutil.copytree(migrated_folder, folder / "mlruns")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(registering, "smoke_test", work.downloads)
        add_provisional(work.inert_bundle(folder / "candidate"))
    return folder


@pytest.fixture
def registry(provisional_folder: Path, bundle: Path) -> Registry:
    import shutil

    from conftest import move_artifacts

    shutil.rmtree("mlruns")
    shutil.copytree(provisional_folder / "mlruns", "mlruns")
    move_artifacts(Path("mlruns/mlflow.db").absolute(), provisional_folder, Path.cwd())
    return open_registry()


def test_a_provisional_version_is_whole_marked_and_no_champion(registry: Registry) -> None:
    assert aliases(registry) == {"provisional": "1"}
    assert standing(registry, NAME).champion is None
    version = registry.version(NAME, 1)
    chain = chain_of(registry)
    assert (chain.champion, chain.provisional) == (None, "1")
    assert chain.last is not None
    assert chain.last.files_sha256 == version.tags[names.FILES]
    assert "run_id" in chain.last.details
    assert version.tags[names.STATE] == names.REGISTERED
    assert version.tags[names.NOTE] == chain.head
    assert is_whole()


def test_every_view_of_the_registry_shows_it(registry: Registry) -> None:
    (listed,) = catalog.list_models()
    assert (listed["champion"], listed["provisional"]) == (None, "1")
    (entry,) = catalog.show_history(*WHO)
    assert (entry["outcome"], entry["champion"], entry["provisional"]) == (
        "provisional",
        None,
        "provisional",
    )
    assert catalog.show_version(*WHO, None)["version"] == "1"
    (verified,) = checking.verify_registry(None, None, None)["models"]
    assert (verified["champion"], verified["provisional"]) == (None, "1")
    (written,) = maintenance.read_entries(*WHO)
    assert (written["action"], written["to_version"]) == ("provisional", None)


def test_a_person_promotes_it_and_the_alias_goes(registry: Registry) -> None:
    done = maintenance.promote_version(*WHO, 1, "the fitters agree")
    assert (done["from"], done["to"]) == (None, "1")
    assert aliases(registry) == {"champion": "1"}
    assert catalog.show_history(*WHO)[0]["outcome"] == "promoted"
    version = registry.version(NAME, "1")
    run = registry.client.get_run(version.run_id)
    said = (version.tags[names.OUTCOME], run.data.tags[names.OUTCOME])
    assert said == ("promoted by hand", "promoted by hand")
    assert is_whole()


def test_the_next_one_takes_the_alias_and_a_champion_ends_it(
    registry: Registry, bundle: Path
) -> None:
    head = standing(registry, NAME).head
    assert add_provisional(bundle, head) == "2"
    assert aliases(registry) == {"provisional": "2"}
    assert is_whole()
    work.register_prepared(bundle, SENSORS, head=standing(registry, NAME).head)
    assert aliases(registry) == {"champion": "3"}
    with pytest.raises(RegistryError, match="no such earlier champion"):
        maintenance.roll_back(*WHO, None, "neither of them was champion")
    assert is_whole()


def test_beside_a_champion_nothing_becomes_provisional(registry: Registry, bundle: Path) -> None:
    head = standing(registry, NAME).head
    maintenance.promote_version(*WHO, 1, "the fitters agree")
    for given in (head, standing(registry, NAME).head):
        with pytest.raises(ChampionMovedError):
            add_provisional(bundle, given)
    assert [version.version for version in registry.versions(NAME)] == ["1"]
    assert not any(work.leftovers().values())


def test_it_is_retired_and_comes_back(registry: Registry) -> None:
    assert maintenance.retire_version(*WHO, 1, "too many alarms")["to"] is None
    assert aliases(registry) == {}
    assert [code for code, _ in repair()] == ["CHAMPION-NONE"]
    maintenance.restore_versions(*WHO, 1, "it was the sensor")
    assert aliases(registry) == {"provisional": "1"}
    assert is_whole()


def pruned(*, apply: bool = False) -> list[tuple[str, str]]:
    """What goes where everything counts as old but the newest version of each model."""
    result = prune_registry(None, None, keep=1, days=0, apply=apply)
    assert result["runs"] == []  # that of a provisional version is no refusal
    return [(one["registered"], one["version"]) for one in result["versions"]]


def test_pruning_spares_it_and_the_source_version_it_was_made_from(registry: Registry) -> None:
    for _ in range(4):  # 4 is champion, and 3 is the next in line
        work.placed(registry, work.MODEL)
    for key, value in ((names.SOURCE_MODEL, work.MODEL), (names.SOURCE_VERSION, "2")):
        registry.client.set_model_version_tag(NAME, "1", key, value)
    registry.client.create_model_version(NAME, "elsewhere")  # a newer one that is not faultxfer's
    assert pruned() == [(work.MODEL, "1")]
    registry.client.delete_registered_model_alias(NAME, names.PROVISIONAL)
    assert pruned() == [(work.MODEL, "1")]
    maintenance.retire_version(*WHO, 1, "too many alarms")
    assert pruned(apply=True) == [(work.MODEL, "1")]
    maintenance.restore_versions(*WHO, 1, "it was the sensor")
    assert aliases(registry) == {"provisional": "1"}
    work.placed(registry, NAME)  # a champion ends it, and this one leaves the alias alone
    registry.client.delete_registered_model_alias(NAME, names.PROVISIONAL)
    assert pruned() == [(work.MODEL, "2"), (NAME, "1")]


def test_a_rollback_to_the_champion_before_ends_it(registry: Registry, bundle: Path) -> None:
    maintenance.promote_version(*WHO, 1, "the fitters agree")
    maintenance.retire_version(*WHO, 1, "too many alarms")
    add_provisional(bundle)
    assert aliases(registry) == {"provisional": "2"}
    maintenance.restore_versions(*WHO, 1, "it was the sensor")
    assert aliases(registry) == {"champion": "1"}
    assert is_whole()


@pytest.mark.parametrize("call", ["set_registered_model_alias", "set_model_version_tag"])
def test_one_that_was_broken_off_after_its_entry_is_finished(
    registry: Registry, bundle: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"mlflow.MlflowClient.{call}", full)
        with pytest.raises(RegistryError, match="No space left"):
            add_provisional(bundle)
    assert aliases(registry) == {"provisional": "1"}
    assert not checking.verify_registry(None, None, None)["sound"]
    assert repair() == [("PROMOTION-UNFINISHED", "done")]
    assert aliases(registry) == {"provisional": "2"}
    assert is_whole()


def test_an_alias_that_stays_beside_a_new_champion_goes_when_it_can(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("mlflow.MlflowClient.delete_registered_model_alias", full)
        with pytest.raises(RegistryError, match="No space left"):
            maintenance.promote_version(*WHO, 1, "the fitters agree")
    assert aliases(registry) == {"champion": "1", "provisional": "1"}
    assert repair() == [("PROMOTION-UNFINISHED", "done")]
    assert aliases(registry) == {"champion": "1"}


def test_one_that_was_broken_off_before_its_entry_is_deleted(
    registry: Registry, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(registering, "make_provisional", killed)
        patch.setattr(registering, "_take_back", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            add_provisional(bundle)
    gone = f"{registry.version(NAME, 2).tags[names.OWNER].rsplit(':', 2)[0]}:{2**22 + 1}:1"
    registry.client.set_model_version_tag(NAME, "2", names.OWNER, gone)
    assert ("VERSION-ORPHAN", "done") in repair(apply=True)
    assert aliases(registry) == {"provisional": "1"}
    assert [version.version for version in registry.versions(NAME)] == ["1"]


def test_an_alias_and_tags_that_somebody_edited_are_put_back(
    registry: Registry, bundle: Path
) -> None:
    add_provisional(bundle)
    registry.client.set_registered_model_alias(NAME, names.PROVISIONAL, "1")
    assert not checking.verify_registry(None, None, None)["sound"]
    assert repair() == [("PROMOTION-UNFINISHED", "done")]
    assert aliases(registry) == {"provisional": "2"}
    registry.client.delete_model_version_tag(NAME, "1", names.REGISTERED_AS)
    registry.client.set_model_version_tag(NAME, "2", names.FILES, "0" * 64)
    assert sorted(repair()) == [("TAG-CHANGED", "done"), ("TAG-CHANGED", "done")]
    assert is_whole()


def test_files_that_changed_take_it_out_of_use_where_that_is_asked_for(
    registry: Registry,
) -> None:
    sound = spoil(registry, "1")
    (verified,) = checking.verify_registry(None, None, None)["models"]
    assert "not those registered" in verified["problems"][0]
    assert repair() == [("FILES-CHANGED", "stopped")]
    found = [code for code, _ in repair(apply=True, model=work.MODEL)]
    assert found == ["FILES-CHANGED", "CHAMPION-NONE"]
    assert aliases(registry) == {}
    sound()
    assert ("RETIRED-SOUND", "done") in repair()
    assert aliases(registry) == {"provisional": "1"}
    assert is_whole()


def test_one_that_was_deleted_is_said_and_the_next_begins_anew(
    registry: Registry, bundle: Path
) -> None:
    registry.client.delete_model_version(NAME, "1")
    (verified,) = checking.verify_registry(None, None, None)["models"]
    assert verified["problems"] == ["the provisional version 1 does not exist"]
    found = repair()
    assert ("PROVISIONAL-MISSING", "done") in found
    assert [code for code, _ in repair() if code != "UPLOAD-UNUSED"] == ["CHAMPION-NONE"]
    add_provisional(bundle)
    assert aliases(registry) == {"provisional": "2"}


def test_a_deleted_model_begins_its_numbers_anew(registry: Registry, bundle: Path) -> None:
    registry.client.delete_registered_model(NAME)
    assert ("JOURNAL-ALONE", "with") in repair()
    assert ("JOURNAL-ALONE", "done") in repair(apply=True, model=None)
    add_provisional(bundle)
    assert aliases(registry) == {"provisional": "1"}
    assert checking.verify_registry(None, None, None)["sound"]
    assert [code for code, _ in repair() if code != "UPLOAD-UNUSED"] == []


def test_an_entry_that_was_cut_off_is_found(registry: Registry) -> None:
    registry.client.delete_model_version(names.journal_name(NAME), "1")
    (checked,) = checking.verify_registry(None, None, None)["models"]
    assert any("the journal lacks" in problem for problem in checked["problems"])
    with pytest.raises(RegistryError, match="changed from outside"):
        promotion.follow_journal(registry, NAME)
