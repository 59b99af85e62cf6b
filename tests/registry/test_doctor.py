"""The doctor finds what was broken off or damaged.

And finishes it, takes it back or calls a person.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import registry_trials as trials
import registry_work as work
from registry_checks import (
    NAME,
    SENSORS,
    WHO,
    become_nobody,
    chain_of,
    file_of,
    make_readable,
    repair,
    spoil,
)

from faultxfer.errors import BundleError, FilesAbsentError, RegistryError
from faultxfer.process import this_process
from faultxfer.registry import checking, doctor, maintenance, names, promotion
from faultxfer.registry.promotion import standing
from faultxfer.registry.store import Registry


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


def test_the_doctor_takes_back_what_a_dead_process_left_and_leaves_the_living_alone(
    registry: Registry,
) -> None:
    gone = broken_off(registry, {names.OWNER: f"{this_process().rsplit(':', 2)[0]}:{2**22 + 1}:1"})
    alive = broken_off(registry, {names.OWNER: this_process()})
    registry.client.create_registered_model(
        "pumps--empty", {names.KIND: names.TARGET_KIND, names.OWNER: "x:1"}
    )
    listed = [("MODEL-EMPTY", "with"), ("RUN-UNFINISHED", "done"), ("VERSION-ORPHAN", "with")]
    assert sorted(repair()) == listed
    assert gone in [version.version for version in registry.versions(NAME)]
    done = [("MODEL-EMPTY", "done"), ("UPLOAD-UNUSED", "done"), ("VERSION-ORPHAN", "done")]
    assert sorted(repair(apply=True)) == done
    numbers = [version.version for version in registry.versions(NAME)]
    assert gone not in numbers
    assert {"1", "2", alive} == set(numbers)
    assert registry.alias(NAME) == "2"
    assert repair() == []
    with pytest.raises(RegistryError, match="not registered whole"):
        maintenance.promote_version(*WHO, int(alive), "by hand")


def test_a_champion_whose_files_changed_is_rolled_back_where_that_is_asked_for(
    registry: Registry,
) -> None:
    sound = spoil(registry, "2")
    with pytest.raises(BundleError, match="not those registered"):
        registry.download_bundle(registry.version(NAME, 2), Path("copy"))
    (verified,) = checking.verify_registry(None, None, None)["models"]
    assert "not those registered" in verified["problems"][0]
    assert repair() == [("FILES-CHANGED", "with")]
    assert registry.alias(NAME) == "2"
    assert repair(apply=True) == [("FILES-CHANGED", "done")]
    assert registry.alias(NAME) == "1"
    assert repair(apply=True) == []
    with pytest.raises(RegistryError, match="no such earlier champion"):
        maintenance.roll_back(*WHO, 2, "by hand")
    actions = [entry["action"] for entry in maintenance.read_entries(*WHO)]
    assert actions == ["retire", "rollback", "promote", "promote"]
    sound()
    assert not checking.verify_registry(None, None, None)[
        "sound"
    ]  # the champion of before could be champion again
    assert repair() == [("CHAMPION-SOUND", "done")]
    assert (registry.alias(NAME), repair()) == ("2", [])
    assert not registry.version(NAME, 2).is_retired
    assert maintenance.roll_back(*WHO, None, "the line is as it was")["to"] == "1"


def test_what_a_person_did_since_is_not_undone_by_the_doctor(
    registry: Registry, bundle: Path
) -> None:
    sound = spoil(registry, "2")
    repair(apply=True)
    work.register_prepared(bundle, SENSORS)
    sound()
    assert repair() == [("RETIRED-SOUND", "done")]
    assert registry.alias(NAME) == "3"
    assert maintenance.promote_version(*WHO, 2, "as good as new")["to"] == "2"


def test_files_that_are_away_are_not_judged(registry: Registry) -> None:
    away = Path("mlruns/artifacts").rename("mlruns/elsewhere")
    for apply in (False, True):
        assert {state for _, state in repair(apply=apply)} == {"could"}
    (verified,) = checking.verify_registry(None, None, None)["models"]
    assert verified["problems"] == []
    assert "moved, or is it not mounted" in verified["unchecked"][0]
    with pytest.raises(FilesAbsentError, match="No files at"):
        registry.download_bundle(registry.version(NAME, 2), Path("copy"))
    away.rename("mlruns/artifacts")
    assert (repair(), checking.verify_registry(None, None, None)["sound"]) == ([], True)
    assert registry.alias(NAME) == "2"


@pytest.mark.parametrize(
    "listing", [True, False], ids=["as registered now", "as an older release registered it"]
)
def test_a_missing_file_is_absent_and_a_shortened_one_changed(
    registry: Registry, listing: bool
) -> None:
    if not listing:
        registry.client.delete_model_version_tag(NAME, "2", names.LISTING)
    network = file_of(registry, "2", "MLmodel")
    content = network.read_bytes()
    network.unlink()
    assert repair(apply=True) == [("FILES-ABSENT", "could")]
    network.write_bytes(content[: len(content) // 2])
    assert repair() == [("FILES-CHANGED", "with")]
    network.write_bytes(content)
    assert repair() == []


def test_files_that_this_user_may_not_read_are_unreadable(registry: Registry) -> None:
    def look() -> list[tuple[str, str]]:
        become_nobody()
        return repair(dry_run=True)

    make_readable(Path.cwd())
    folder = file_of(registry, "2", "MLmodel").parent
    folder.chmod(0)
    assert trials.in_child(look) == [["FILES-UNREADABLE", "could"]]
    folder.chmod(0o755)
    assert repair() == []


def test_the_doctor_stops_where_all_versions_would_be_retired(registry: Registry) -> None:
    sound = [spoil(registry, "1"), spoil(registry, "2")]
    result = doctor.repair_registry(None, None, apply=True)
    assert "All versions" in result["stopped"]
    assert "`faultxfer registry doctor pumps--pump-9 --apply`" in result["stopped"]
    assert [one["done"].split(":")[0] for one in result["found"]] == ["stopped", "stopped"]
    assert registry.alias(NAME) == "2"
    assert {code for code, _ in repair(apply=True, model=work.MODEL)} == {
        "FILES-CHANGED",
        "CHAMPION-NONE",
    }
    assert registry.alias(NAME) is None
    for one in sound:
        one()
    assert set(repair()) == {("RETIRED-SOUND", "done"), ("CHAMPION-SOUND", "done")}
    assert (registry.alias(NAME), repair()) == ("2", [])


def test_the_doctor_stops_where_two_models_would_lose_their_champion(
    registry: Registry, bundle: Path
) -> None:
    other = "pumps--pump-8"
    for _ in range(2):
        work.register_prepared(bundle, SENSORS, other)
    for name in (NAME, other):
        spoil(registry, "2", name)
    result = doctor.repair_registry(None, None, apply=True)
    assert "2 models would lose their champion" in result["stopped"]
    assert (registry.alias(NAME), registry.alias(other)) == ("2", "2")


def test_what_the_release_before_retired_is_brought_back(registry: Registry) -> None:
    """It called files that were away changed, retired all versions by their tag.

    And left nobody champion.
    """
    for number in ("1", "2"):
        registry.client.set_model_version_tag(NAME, number, names.STATE, names.RETIRED)
    reason = "doctor: The champion's files are not those that were registered, and there is none to go back to"
    promotion.step_down(registry, NAME, reason, chain_of(registry).head)
    registry.client.set_model_version_tag(NAME, "2", names.STATE, names.RETIRED)
    assert "sound again" in checking.verify_registry(None, None, None)["models"][0]["problems"][0]
    restored = maintenance.restore_versions(*WHO, None, "")["restored"]
    assert [(one["version"], one["champion"]) for one in restored] == [("2", True), ("1", False)]
    assert (registry.alias(NAME), repair()) == ("2", [])
    assert maintenance.roll_back(*WHO, None, "it is as it was")["to"] == "1"


def test_a_version_that_a_person_retired_comes_back_when_a_person_says_so(
    registry: Registry,
) -> None:
    assert maintenance.retire_version(*WHO, 2, "its files are lost")["to"] == "1"
    assert repair() == []
    assert maintenance.restore_versions(None, None, None, "")["restored"] == []
    (restored,) = maintenance.restore_versions(*WHO, None, "found on a tape")["restored"]
    assert (restored["version"], restored["champion"], registry.alias(NAME)) == ("2", True, "2")
    maintenance.retire_version(*WHO, 1, "not needed")
    assert registry.alias(NAME) == "2"
    with pytest.raises(RegistryError, match="no such earlier champion"):
        maintenance.roll_back(*WHO, None, "1 is retired")


def test_a_note_is_no_change_of_champion(registry: Registry) -> None:
    promotion.write_note(registry, NAME, "vouched", "1", "by a person")
    chain = chain_of(registry)
    assert (chain.last.from_version, chain.last.to_version, chain.last.details["version"]) == (
        "2",
        "2",
        "1",
    )
    assert (repair(), checking.verify_registry(None, None, None)["sound"]) == ([], True)
    maintenance.retire_version(*WHO, 1, "first")
    maintenance.retire_version(*WHO, 2, "nobody is left")
    promotion.write_note(registry, NAME, "noticed", "2", "where nobody is champion both are null")
    assert (chain_of(registry).last.from_version, chain_of(registry).champion) == (None, None)
    assert repair() == [("CHAMPION-NONE", "needs")]
    registry.client.delete_model_version(
        names.journal_name(NAME), str(max(chain_of(registry).entries))
    )
    (verified,) = checking.verify_registry(None, None, None)["models"]
    assert "names an entry that the journal lacks" in verified["problems"][0]


@pytest.mark.parametrize("number", ["1", "2"])
def test_a_tag_that_was_edited_or_deleted_is_put_back(registry: Registry, number: str) -> None:
    for key in (names.FILES, names.STATE, names.ENTRY, names.PROMOTED):
        before = registry.version(NAME, number).tags
        for value in (names.RETIRED if key == names.STATE else "0" * 64, None):
            if value is None:
                registry.client.delete_model_version_tag(NAME, number, key)
            else:
                registry.client.set_model_version_tag(NAME, number, key, value)
            found = repair(apply=True)
            assert {code for code, _ in found} <= {
                "TAG-CHANGED",
                "PROMOTION-UNFINISHED",
                "RETIRED-SOUND",
            }
            tags = registry.version(NAME, number).tags
            assert {**tags, names.NOTE: ""} == {**before, names.NOTE: ""}, (key, value)
    assert maintenance.promote_version(*WHO, 1, "promotable")["to"] == "1"
    assert maintenance.roll_back(*WHO, 2, "and back")["to"] == "2"


def test_what_a_champion_needs_is_brought_back_from_deletion(registry: Registry) -> None:
    champion = registry.version(NAME, 2)
    registry.client.delete_logged_model(champion.model_id)
    registry.client.delete_run(champion.run_id)
    (verified,) = checking.verify_registry(None, None, None)["models"]
    assert "`mlflow runs restore --run-id" in verified["problems"][0]
    assert repair() == [("DELETION-PENDING", "done"), ("DELETION-PENDING", "done")]
    assert registry.client.get_run(champion.run_id).info.lifecycle_stage == "active"
    assert registry.client.get_logged_model(champion.model_id).model_id == champion.model_id
    registry.client.delete_experiment(registry.client.get_run(champion.run_id).info.experiment_id)
    assert ("DELETION-PENDING", "done") in repair()
    assert (repair(), checking.verify_registry(None, None, None)["sound"]) == ([], True)


def test_uploads_that_a_copy_or_a_journal_names_are_kept(registry: Registry) -> None:
    uploads = {version.model_id for version in registry.versions(NAME)}
    registry.client.copy_model_version(f"models:/{NAME}/1", "of another team")
    registry.client.delete_registered_model(NAME)
    assert ("JOURNAL-ALONE", "with") in repair()
    repair(apply=True, model=work.MODEL)
    assert ("UPLOAD-UNUSED", "done") not in repair(apply=True)
    for upload in uploads:
        assert registry.client.get_logged_model(upload).model_id == upload


def test_a_model_that_was_renamed_gets_its_name_back(registry: Registry) -> None:
    registry.client.rename_registered_model(NAME, "pumps--pump-9 old")
    assert (
        "not in the list" in checking.verify_registry(None, None, None)["models"][0]["problems"][0]
    )
    assert ("MODEL-RENAMED", "done") in repair()
    assert (
        registry.alias(NAME),
        repair(),
        checking.verify_registry(None, None, None)["sound"],
    ) == ("2", [], True)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("now", ["old-pump-9", "kept--pump-9", "pump 9"])
def test_a_model_and_its_journal_get_their_names_back(
    registry: Registry, now: str, whole: bool
) -> None:
    before = registry.tags_by_name()
    if whole:
        registry.client.rename_registered_model(NAME, now)
    registry.client.rename_registered_model(names.journal_name(NAME), names.journal_name(now))
    assert not checking.verify_registry(None, None, None)["sound"]
    assert registry.tags_by_name().keys() != before.keys()
    assert set(repair()) == {("MODEL-RENAMED", "done")}
    assert registry.tags_by_name() == before
    assert (
        registry.alias(NAME),
        repair(),
        checking.verify_registry(None, None, None)["sound"],
    ) == ("2", [], True)


def test_a_broken_journal_that_is_kept_as_evidence_stays_where_it_is(registry: Registry) -> None:
    maintenance.retire_version(*WHO, 1, "so that there is a note")
    last = max(chain_of(registry).entries)
    registry.client.delete_model_version(names.journal_name(NAME), str(last))
    assert repair() == [("JOURNAL-BROKEN", "needs")]
    registry.client.rename_registered_model(names.journal_name(NAME), "evidence, it's old")
    for version in ("1", "2"):
        for key in (names.ENTRY, names.NOTE):
            registry.client.set_model_version_tag(NAME, version, key, "")
            registry.client.delete_model_version_tag(NAME, version, key)
    with pytest.raises(RegistryError, match="no journal yet"):
        maintenance.retire_version(*WHO, 1, "a note is no beginning")
    assert ("JOURNAL-MISSING", "done") in repair()
    assert (registry.alias(NAME), checking.verify_registry(None, None, None)["sound"]) == (
        "2",
        True,
    )
    assert [entry["name"] for entry in registry.models()] == [NAME]
    assert "evidence, it's old" in registry.tags_by_name()


def test_a_renamed_model_without_its_champion_is_found(registry: Registry) -> None:
    registry.client.delete_model_version(NAME, "2")
    registry.client.rename_registered_model(NAME, "it's--moved")
    assert repair() == [("MODEL-RENAMED", "done"), ("CHAMPION-MISSING", "done")]
    assert (registry.alias(NAME), registry.version(NAME, 1).tags[names.EQUIPMENT]) == (
        "1",
        "pump-9",
    )


def test_who_cannot_be_read_is_not_passed_over_for_a_champion_that_was_deleted(
    registry: Registry,
) -> None:
    registry.client.delete_model_version(NAME, "2")
    away = Path("mlruns/artifacts").rename("mlruns/elsewhere")
    for apply in (False, True):
        assert {("CHAMPION-MISSING", "could"), ("FILES-ABSENT", "could")} == set(
            repair(apply=apply)
        )
    away.rename("mlruns/artifacts")
    assert (repair(), registry.alias(NAME)) == ([("CHAMPION-MISSING", "done")], "1")


def test_a_model_made_under_the_name_of_a_renamed_one_ends_no_champion(registry: Registry) -> None:
    registry.client.rename_registered_model(NAME, "moved--pump-9")
    registry.client.create_registered_model(NAME)
    assert ("CHAMPION-MISSING", "needs") in repair(apply=True)
    if registry.is_registered(NAME):
        registry.client.delete_registered_model(NAME)
    assert ("MODEL-RENAMED", "done") in repair()
    assert (registry.alias(NAME), repair()) == ("2", [])


def test_a_version_that_somebody_went_back_from_is_only_promotable_again(
    registry: Registry,
) -> None:
    maintenance.roll_back(*WHO, None, "false alarms")
    sound = spoil(registry, "2")
    repair(apply=True)
    sound()
    (back,) = maintenance.restore_versions(None, None, None, "")["restored"]
    assert (back["champion"], registry.alias(NAME)) == (False, "1")
    maintenance.retire_version(
        *WHO, 2, "doctor: Mr. Meyer's advice"
    )  # a person's word, however it begins
    assert (repair(), registry.alias(NAME)) == ([], "1")


def test_each_retirement_is_taken_back_by_the_command_that_it_printed(
    registry: Registry, bundle: Path
) -> None:
    work.register_prepared(bundle, SENSORS)
    maintenance.retire_version(*WHO, 3, "first")
    maintenance.retire_version(*WHO, 2, "second")
    for number, champion in ((2, "2"), (3, "3")):
        maintenance.restore_versions(NAME, None, number, "")
        assert registry.alias(NAME) == champion


def test_copies_that_somebody_keeps_under_another_name_are_left_alone(registry: Registry) -> None:
    registry.client.copy_model_version(f"models:/{NAME}/2", "backup pump")
    registry.client.set_registered_model_tag("backup pump", names.KIND, names.TARGET_KIND)
    assert repair(apply=True) == []
    assert registry.model_tags("backup pump") == {names.KIND: names.TARGET_KIND}


def test_what_was_retired_by_hand_comes_back_as_it_was(registry: Registry) -> None:
    shown = maintenance.retire_version(*WHO, 2, "by mistake")
    assert shown["take_back"].endswith("registry restore pumps--pump-9 --version 2")
    maintenance.retire_version(*WHO, 1, "by mistake too")
    with pytest.raises(RegistryError, match="faultxfer registry restore pumps--pump-9"):
        maintenance.roll_back(*WHO, None, "back")
    assert len(maintenance.restore_versions(*WHO, None, "")["restored"]) == 2
    assert registry.alias(NAME) == "2"


def test_a_deleted_champion_is_followed_by_the_one_before(registry: Registry) -> None:
    registry.client.delete_model_version(NAME, "2")
    assert registry.champion(NAME) is None
    with pytest.raises(RegistryError, match="doctor"):
        standing(registry, NAME)
    assert repair() == [("CHAMPION-MISSING", "done")]
    assert registry.alias(NAME) == "1"


def test_a_champion_without_journal_gets_one_unless_there_was_one(registry: Registry) -> None:
    registry.client.delete_registered_model(names.journal_name(NAME))
    assert repair() == [("JOURNAL-BROKEN", "needs")]
    for version, key in (
        ("1", names.ENTRY),
        ("2", names.ENTRY),
        ("2", names.FILES),
    ):  # as an older release left them
        registry.client.delete_model_version_tag(NAME, version, key)
    assert repair() == [("JOURNAL-MISSING", "done")]
    assert checking.verify_registry(None, None, None)["sound"]
    (entry,) = maintenance.read_entries(*WHO)
    assert (entry["action"], entry["to_version"]) == ("adopt", "2")


def test_where_nobody_can_follow_the_journal_says_so_until_there_is_a_champion_again(
    registry: Registry, bundle: Path
) -> None:
    spoil(registry, "1")
    spoil(registry, "2")
    repair(apply=True, model=work.MODEL)
    assert repair() == [("CHAMPION-NONE", "needs")]  # a daily doctor keeps saying so
    assert registry.alias(NAME) is None
    assert checking.verify_registry(None, None, None)["sound"]
    assert standing(registry, NAME).champion is None
    assert work.register_prepared(bundle, SENSORS, head=chain_of(registry).head) == "3"
    assert (registry.alias(NAME), repair()) == ("3", [])
    assert [entry["action"] for entry in maintenance.read_entries(*WHO)] == [
        "promote",
        "retire",
        "retire",
        "retire",
        "promote",
        "promote",
    ]


def test_a_model_that_was_deleted_is_missed_and_can_be_made_again(
    registry: Registry, bundle: Path
) -> None:
    registry.client.delete_registered_model(NAME)
    (verified,) = checking.verify_registry(None, None, None)["models"]
    assert "its model is not in the list" in verified["problems"][0]
    with pytest.raises(RegistryError, match="doctor"):
        work.register_prepared(bundle, SENSORS)
    assert repair() == [("JOURNAL-ALONE", "with")]
    assert {("JOURNAL-ALONE", "done"), ("CHAMPION-NONE", "needs")} == set(repair(apply=True))
    assert repair() == [("CHAMPION-NONE", "needs")]
    assert work.register_prepared(bundle, SENSORS) == "1"  # numbers begin anew, with other files
    assert (repair(), checking.verify_registry(None, None, None)["sound"]) == ([], True)


def test_a_champion_that_was_deleted_alone_is_missed_and_its_model_kept(
    store: Path, bundle: Path
) -> None:
    from faultxfer.registry.store import open_registry

    work.register_prepared(bundle, SENSORS)
    registry = open_registry()
    registry.client.delete_model_version(NAME, "1")
    assert {("CHAMPION-MISSING", "done"), ("CHAMPION-NONE", "needs")} <= set(repair())
    assert repair() == [("CHAMPION-NONE", "needs")]
    assert registry.is_registered(NAME)


def test_a_version_that_somebody_went_back_from_is_not_chosen_again_by_itself(
    registry: Registry, bundle: Path
) -> None:
    work.register_prepared(bundle, SENSORS)
    assert maintenance.roll_back(*WHO, None, "version 3 floods the operator")["to"] == "2"
    assert maintenance.roll_back(*WHO, None, "and so does 2")["to"] == "1"
    with pytest.raises(RegistryError, match=r"earlier champions=\['2', '3'\].*--to"):
        maintenance.roll_back(*WHO, None, "and 1")
    assert maintenance.roll_back(*WHO, 2, "2 was best after all")["to"] == "2"
    spoil(registry, "2")
    spoil(registry, "1")
    assert ("CHAMPION-NONE", "needs") in repair(apply=True, model=work.MODEL)
    assert maintenance.roll_back(*WHO, 3, "better than nothing")["to"] == "3"
    assert repair() == []


def test_files_and_tag_exchanged_together_differ_from_the_journal(registry: Registry) -> None:
    from faultxfer.registry.model_files import files_sha256

    spoil(registry, "1")
    (network,) = Path("mlruns/artifacts").rglob(
        f"*{registry.version(NAME, 1).model_id}*/**/network.keras"
    )
    forged = files_sha256(
        next(folder for folder in network.parents if (folder / "MLmodel").is_file())
    )
    registry.client.set_model_version_tag(NAME, "1", names.FILES, forged)
    with pytest.raises(RegistryError, match="changed"):
        maintenance.roll_back(*WHO, None, "back")
    with pytest.raises(BundleError, match="not those registered"):
        registry.download_bundle(
            registry.version(NAME, 1), Path("copy")
        )  # though files and tag agree
    assert registry.alias(NAME) == "2"
    assert repair(apply=True) == [("FILES-CHANGED", "done")]


def test_a_process_number_that_was_given_again_is_another_process(registry: Registry) -> None:
    place, number, begun = this_process().rsplit(":", 2)
    if not begun:
        pytest.skip("this system does not tell when a process began")
    gone = broken_off(registry, {names.OWNER: f"{place}:{number}:{int(begun) - 1}"})
    before = broken_off(
        registry, {names.OWNER: f"{place.replace(' ', ' before-the-restart-', 1)}:{number}:{begun}"}
    )
    codes = [code for code, _ in repair(apply=True)]
    assert codes.count("VERSION-ORPHAN") == 2
    assert not {gone, before} & {version.version for version in registry.versions(NAME)}


def test_a_name_that_nobody_knows_is_no_healthy_registry(registry: Registry) -> None:
    for model, equipment in (("nope", None), (work.MODEL, "nope")):
        with pytest.raises(RegistryError, match="no registered model of that name"):
            doctor.repair_registry(model, equipment, dry_run=True)
