"""The doctor finds what was broken off or damaged, and finishes it, takes it back or calls a person."""

from __future__ import annotations

from pathlib import Path

import pytest
import registry_work as work
from registry_checks import NAME, SENSORS, WHO, chain_of, heal, spoil

from faultxfer.errors import BundleError, RegistryError
from faultxfer.process import this_process
from faultxfer.registry import names
from faultxfer.registry.promotion import standing
from faultxfer.registry.store import Registry
from faultxfer.steps import upkeep


def broken_off(registry: Registry, tags: dict[str, str]) -> str:
    """A version as a killed process leaves it, with its run and its upload."""
    client = registry.client
    experiment = client.get_experiment_by_name(names.EXPERIMENT).experiment_id
    run = client.create_run(experiment, tags=tags).info.run_id
    upload = client.create_logged_model(experiment, name="model", source_run_id=run)
    made = client.create_model_version(
        NAME, f"models:/{upload.model_id}", run, tags={names.STATE: names.CANDIDATE, **tags}
    )
    return str(made.version)


def test_the_doctor_takes_back_what_a_dead_process_left_and_leaves_the_living_alone(registry: Registry) -> None:
    gone = broken_off(registry, {names.OWNER: f"{this_process().rsplit(':', 2)[0]}:{2**22 + 1}:1"})
    alive = broken_off(registry, {names.OWNER: this_process()})
    registry.client.create_registered_model("pumps--empty", {names.KIND: names.TARGET_KIND, names.OWNER: "x:1"})
    assert sorted(heal()) == [("MODEL-EMPTY", "done"), ("RUN-UNFINISHED", "done"), ("VERSION-ORPHAN", "done")]
    numbers = [version.version for version in registry.versions(NAME)]
    assert gone not in numbers
    assert {"1", "2", alive} == set(numbers)
    assert registry.alias(NAME) == "2"
    assert heal() == []
    with pytest.raises(RegistryError, match="whole"):
        upkeep.promote_version(*WHO, int(alive), "by hand")


def test_a_champion_whose_files_changed_is_rolled_back_and_the_version_retired(registry: Registry) -> None:
    spoil(registry, "2")
    with pytest.raises(BundleError, match="SHA-256"):
        registry.download_bundle(registry.version(NAME, 2), Path("copy"))
    assert "SHA-256" in upkeep.verify_registry(None, None, None)["models"][0]["problems"][0]
    assert heal() == [("FILES-CHANGED", "done")]
    assert registry.alias(NAME) == "1"
    assert heal() == []
    with pytest.raises(RegistryError, match="retired"):
        upkeep.promote_version(*WHO, 2, "by hand")


def test_a_deleted_champion_is_followed_by_the_one_before(registry: Registry) -> None:
    registry.client.delete_model_version(NAME, "2")
    assert registry.champion(NAME) is None
    with pytest.raises(RegistryError, match="doctor"):
        standing(registry, NAME)
    assert heal() == [("CHAMPION-MISSING", "done")]
    assert registry.alias(NAME) == "1"


def test_a_champion_without_journal_gets_one_unless_there_was_one(registry: Registry) -> None:
    registry.client.delete_registered_model(names.journal_name(NAME))
    assert heal() == [("JOURNAL-BROKEN", "needs")]
    for version, key in (("1", names.ENTRY), ("2", names.ENTRY), ("2", names.FILES)):  # as an older release left them
        registry.client.delete_model_version_tag(NAME, version, key)
    assert heal() == [("JOURNAL-MISSING", "done")]
    assert upkeep.verify_registry(None, None, None)["sound"]
    (entry,) = upkeep.read_entries(*WHO)
    assert (entry["action"], entry["to_version"]) == ("adopt", "2")


def test_where_nobody_can_follow_the_journal_says_so_until_there_is_a_champion_again(
    registry: Registry, bundle: Path
) -> None:
    spoil(registry, "1")
    spoil(registry, "2")
    assert heal() == [("FILES-CHANGED", "done"), ("FILES-CHANGED", "done"), ("CHAMPION-NONE", "needs")]
    assert heal() == [("CHAMPION-NONE", "needs")]  # a daily doctor keeps saying so
    assert registry.alias(NAME) is None
    assert upkeep.verify_registry(None, None, None)["sound"]
    assert standing(registry, NAME).champion is None
    assert work.register_prepared(bundle, SENSORS, head=chain_of(registry).head) == "3"
    assert (registry.alias(NAME), heal()) == ("3", [])
    assert [entry["action"] for entry in upkeep.read_entries(*WHO)] == ["promote", "retire", "promote", "promote"]


def test_a_model_that_was_deleted_is_missed_and_can_be_made_again(registry: Registry, bundle: Path) -> None:
    registry.client.delete_registered_model(NAME)
    (verified,) = upkeep.verify_registry(None, None, None)["models"]
    assert any("version 2 does not exist" in problem for problem in verified["problems"])
    with pytest.raises(RegistryError, match="doctor"):
        work.register_prepared(bundle, SENSORS)
    assert {("CHAMPION-MISSING", "done"), ("CHAMPION-NONE", "needs")} <= set(heal())
    assert heal() == [("CHAMPION-NONE", "needs")]
    assert work.register_prepared(bundle, SENSORS) == "1"  # numbers begin anew, with other files
    assert (heal(), upkeep.verify_registry(None, None, None)["sound"]) == ([], True)


def test_a_champion_that_was_deleted_alone_is_missed_and_its_model_kept(store: Path, bundle: Path) -> None:
    from faultxfer.registry.store import open_registry

    work.register_prepared(bundle, SENSORS)
    registry = open_registry()
    registry.client.delete_model_version(NAME, "1")
    assert {("CHAMPION-MISSING", "done"), ("CHAMPION-NONE", "needs")} <= set(heal())
    assert heal() == [("CHAMPION-NONE", "needs")]
    assert registry.is_registered(NAME)


def test_a_version_that_somebody_went_back_from_is_not_chosen_again_by_itself(registry: Registry, bundle: Path) -> None:
    work.register_prepared(bundle, SENSORS)
    assert upkeep.roll_back(*WHO, None, "version 3 floods the operator")["to"] == "2"
    assert upkeep.roll_back(*WHO, None, "and so does 2")["to"] == "1"
    with pytest.raises(RegistryError, match=r"earlier champions=\['2', '3'\].*--to"):
        upkeep.roll_back(*WHO, None, "and 1")
    assert upkeep.roll_back(*WHO, 2, "2 was best after all")["to"] == "2"
    spoil(registry, "2")
    spoil(registry, "1")
    assert ("CHAMPION-NONE", "needs") in heal()
    assert upkeep.roll_back(*WHO, 3, "better than nothing")["to"] == "3"
    assert heal() == []


def test_files_and_tag_exchanged_together_differ_from_the_journal(registry: Registry) -> None:
    from faultxfer.registry.model_files import files_sha256

    spoil(registry, "1")
    (network,) = Path("mlruns/artifacts").rglob(f"*{registry.version(NAME, 1).model_id}*/**/network.keras")
    forged = files_sha256(next(folder for folder in network.parents if (folder / "MLmodel").is_file()))
    registry.client.set_model_version_tag(NAME, "1", names.FILES, forged)
    registry.download_bundle(registry.version(NAME, 1), Path("copy"))  # files and tag agree
    with pytest.raises(RegistryError, match="journal"):
        upkeep.roll_back(*WHO, None, "back")
    with pytest.raises(RegistryError, match="files that the journal names"):
        upkeep.promote_version(*WHO, 1, "forward")
    assert registry.alias(NAME) == "2"
    assert heal() == [("FILES-CHANGED", "done")]


def test_a_process_number_that_was_given_again_is_another_process(registry: Registry) -> None:
    place, number, begun = this_process().rsplit(":", 2)
    if not begun:
        pytest.skip("this system does not tell when a process began")
    gone = broken_off(registry, {names.OWNER: f"{place}:{number}:{int(begun) - 1}"})
    before = broken_off(registry, {names.OWNER: f"{place.replace(' ', ' before-the-restart-', 1)}:{number}:{begun}"})
    codes = [code for code, _ in heal()]
    assert codes.count("VERSION-ORPHAN") == 2
    assert not {gone, before} & {version.version for version in registry.versions(NAME)}


def test_a_name_that_nobody_knows_is_no_healthy_registry(registry: Registry) -> None:
    for model, equipment in (("nope", None), (work.MODEL, "nope")):
        with pytest.raises(RegistryError, match="A registered model was expected"):
            upkeep.heal_registry(model, equipment, dry_run=True, minutes=0)
