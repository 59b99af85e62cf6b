"""A machine's model is found by family, label and machine.

Whatever its name and whichever source came first.
"""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import registry_trials as trials
import registry_work as work
from hypothesis import example, given, settings
from hypothesis import strategies as st
from registry_checks import repair

from faultxfer.errors import RegistryError
from faultxfer.registry import (
    catalog,
    checking,
    identity,
    machine_models,
    machines,
    maintenance,
    names,
)
from faultxfer.registry.identity import Identity, identity_of
from faultxfer.registry.outside_edits import edited_machine_tags
from faultxfer.registry.runs import RunRecord, record_run
from faultxfer.registry.store import Registry, open_registry

PUMPS, NEW = Identity("pumps", "fault"), "pumps--fault--pump-9"
TEXTS = st.one_of(st.text(max_size=12), st.text(alphabet="a-. =h2D_é", max_size=140))


@given(st.tuples(TEXTS, TEXTS, TEXTS), st.tuples(TEXTS, TEXTS, TEXTS))
@example(("a--b", "c", "d"), ("a", "b--c", "d"))
@example(("a=2D", "", "x"), ("a-", "=", "x"))
@example(("x" * 80, "y" * 80, "z" * 120), ("x" * 80, "y" * 80, "z" * 121))
def test_different_detectors_have_different_names(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert (names.detector_name(*one) == names.detector_name(*other)) == (one == other)


@settings(deadline=None)  # the first one imports MLflow
@given(TEXTS, TEXTS, TEXTS)
def test_a_detectors_name_suits_mlflow_and_is_no_name_of_an_older_release(
    family: str, label: str, eq: str
) -> None:
    from mlflow.store.artifact.utils.models import _parse_model_uri
    from mlflow.utils.validation import _validate_model_name

    name = names.detector_name(family, label, eq)
    _validate_model_name(name)
    assert len(names.journal_name(name)) <= 256
    assert _parse_model_uri(f"models:/{name}@champion") == (None, name, None, None, "champion")
    assert not set(name) & set("'\"`%~\\\n@")
    assert names.kind_of(name) == names.TARGET_KIND
    assert names.is_of_machine(name, eq)
    assert names.equipment_of(name) in (eq, None)
    assert names.source_in(name) is None
    assert names.detected(name) in ((family, label), None)


@given(st.from_regex(names._SAFE, fullmatch=True), st.from_regex(names._SAFE, fullmatch=True))
def test_names_of_older_releases_are_read_as_they_were_made(model: str, equipment: str) -> None:
    try:
        name = names.registered_name(model, equipment)
    except names.ConfigError:
        return
    assert (names.source_in(name), names.equipment_of(name)) == (model, equipment)
    assert names.is_of_machine(name, equipment)


def test_a_plain_name_stays_readable_and_what_is_missing_has_a_sign() -> None:
    assert names.detector_name("pumps", "fault", "pump-9") == NEW
    assert names.detector_name("Pumpen Süd", "a/b", "p:1") == "Pumpen Süd--a=2Fb--p=3A1"
    assert names.detector_name(None, "", "p") == "=--=--p"


@pytest.fixture
def empty(store: Path) -> Registry:
    """A store in which nothing is registered."""
    return open_registry()


def without_files(registry: Registry, *known: str) -> None:
    """Nothing of these models can be read, and no tag says what they detect.

    As in a release before.
    """
    identity._read.clear()
    for name in known:
        for version in registry.versions(name):
            place = urlsplit(
                registry.client.get_model_version_download_uri(name, version.version)
            ).path
            (Path(place) / "data" / "bundle" / "manifest.json").unlink()
            for key in (names.FAMILY, names.LABEL):
                registry.client.delete_model_version_tag(name, version.version, key)
        for key in (names.FAMILY, names.LABEL):
            registry.client.delete_registered_model_tag(name, key)


def test_another_source_of_the_same_family_finds_the_machine(empty: Registry) -> None:
    for source in ("a", "b"):
        work.placed(empty, source)
        assert (
            machines.name_for(empty, source, "pump-9", PUMPS) == NEW
        )  # both would begin the same one
    work.placed(empty, NEW, source="a")
    assert (
        machines.find(empty, "b", "pump-9") == machines.name_for(empty, "b", "pump-9", PUMPS) == NEW
    )
    work.placed(empty, NEW, source="b")
    assert machines.equipments(empty, "a") == machines.equipments(empty, "b") == ["pump-9"]
    (listed,) = [one for one in catalog.list_models() if one["equipment"]]
    shown = [
        listed[key]
        for key in ("name", "family", "label", "source_model", "champion", "merged_into")
    ]
    assert shown == [NEW, "pumps", "fault", "b", "2", None]


def test_an_older_name_is_kept_and_found_from_another_source(empty: Registry) -> None:
    for name in ("a", "b", "a--pump-9"):
        work.placed(empty, name)
    assert machines.name_for(empty, "b", "pump-9", PUMPS) == "a--pump-9"
    assert machines.look_up(empty, "b", "pump-90") is None
    assert maintenance.read_entries("b", "pump-9")[0]["model"] == "a--pump-9"
    assert catalog.show_history("b", "pump-9")[0]["champion"] == "champion"


def test_two_labels_of_one_machine_are_two_detectors(empty: Registry) -> None:
    for name, label in (("a", "fault"), ("b", "leak"), ("a--pump-9", "fault")):
        work.placed(empty, name, label=label)
    leak = Identity("pumps", "leak")
    name = machines.name_for(empty, "b", "pump-9", leak)
    assert name == "pumps--leak--pump-9"
    with pytest.raises(RegistryError, match="no registered model of that name"):
        maintenance.roll_back("b", "pump-9", None, "back")
    work.placed(empty, name, label="leak", source="b")
    assert [machines.find(empty, one, "pump-9") for one in "ab"] == ["a--pump-9", name]
    assert machines.equipments(empty, "b") == ["pump-9"]
    assert list(machine_models.double_champions(empty)) == []
    # Under the contract with the other label, the first source makes the other detector's next
    # version.
    assert machines.name_for(empty, "a", "pump-9", leak) == name


def test_a_machine_made_under_another_family_than_its_sources_is_found_by_the_source(
    empty: Registry,
) -> None:
    other = names.detector_name("drafted", "fault", "pump-9")
    for name, family in (("a", "pumps"), (other, "drafted")):
        work.placed(empty, name, family, source="a")
    assert machines.find(empty, "a", "pump-9", changing=True) == other
    assert machines.name_for(empty, "a", "pump-9", PUMPS) == NEW
    assert machines.equipments(empty, "a") == ["pump-9"]
    work.placed(empty, NEW, source="a")
    assert machines.find(empty, "a", "pump-9", changing=True) == NEW
    assert (
        machines.find(empty, other, "pump-9") == machines.find(empty, other) == other
    )  # by its whole name


def test_the_bundle_decides_over_tags_and_the_doctor_puts_them_back(empty: Registry) -> None:
    for name in ("a", NEW):
        work.placed(empty, name, source="a")
    empty.client.set_registered_model_tag(NEW, names.LABEL, "leak")
    empty.client.set_model_version_tag(NEW, "1", names.LABEL, "leak")
    empty.client.delete_registered_model_tag(NEW, names.FAMILY)
    assert identity_of(empty, NEW) == PUMPS
    assert machines.find(empty, "a", "pump-9") == NEW
    assert repair() == [("TAG-CHANGED", "done")] * 2
    assert empty.model_tags(NEW)[names.LABEL] == "fault"


def test_a_model_whose_kind_is_not_in_its_tags_stays_known(empty: Registry) -> None:
    for name in (work.NAME, "a--pump-8"):
        work.placed(empty, name)
    before = (empty.models(), empty.known_names())
    empty.client.delete_registered_model_tag(work.NAME, names.KIND)
    empty.client.delete_registered_model_tag(names.journal_name(work.NAME), names.KIND)
    empty.client.set_registered_model_tag("a--pump-8", names.KIND, "oven")
    assert (empty.models(), empty.known_names()) == before
    assert checking.verify_registry(None, None, None)["wrong"]
    assert repair() == [("TAG-CHANGED", "done")] * 3
    assert list(edited_machine_tags(empty)) == []


def test_a_model_without_tag_and_journal_is_known_by_its_versions_and_others_models_are_not(
    empty: Registry,
) -> None:
    work.placed(empty, work.NAME)
    empty.client.delete_registered_model(names.journal_name(work.NAME))
    empty.client.delete_registered_model_tag(work.NAME, names.KIND)
    for name in ("their--pump-9", 'a "quoted" model', "theirs"):
        empty.client.create_registered_model(name)
        empty.client.create_model_version(name, "s3://theirs", tags={"team": "blue"})
    assert empty.known_names() == [work.NAME]
    assert empty.named_like("pump-9") == [work.NAME]


def test_two_champions_are_said_and_a_change_has_to_be_clear(
    empty: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "c", "a--pump-9", "b--pump-9"):
        work.placed(empty, name)
    (found,) = machine_models.double_champions(empty)
    assert found.code == "CHAMPION-TWICE"
    assert "faultxfer registry merge a --equipment pump-9 --reason" in found.remedy
    assert found.remedy.endswith("--keep b--pump-9`")
    assert checking.verify_registry(None, None, None)["sound"] is False
    assert repair() == [("CHAMPION-TWICE", "needs")]
    assert machines.find(empty, "a", "pump-9", changing=True) == "a--pump-9"  # as before
    with caplog.at_level(logging.INFO, "faultxfer.progress"):
        assert machines.find(empty, "c", "pump-9") == "b--pump-9"
    assert "2 champions" in caplog.text
    with pytest.raises(RegistryError, match=r"'a--pump-9', 'b--pump-9'.*registry merge"):
        machines.name_for(empty, "c", "pump-9", PUMPS)


def test_what_cannot_be_read_is_never_taken_for_a_machine_without_a_model(empty: Registry) -> None:
    for name in ("a", "b", "a--pump-9"):
        work.placed(empty, name)
    without_files(empty, "a--pump-9")
    assert machines.name_for(empty, "a", "pump-9", PUMPS) == "a--pump-9"
    assert (
        machines.name_for(empty, "b", "pump-9", PUMPS) == "a--pump-9"
    )  # by what its source model detects
    without_files(empty, "a")
    assert machines.find(empty, "a", "pump-9", changing=True) == "a--pump-9"
    with pytest.raises(RegistryError, match="show what it detects"):
        machines.find(empty, "b", "pump-9")
    with pytest.raises(RegistryError, match="show what it detects"):
        machines.name_for(empty, "b", "pump-9", PUMPS)


def test_a_machine_is_found_after_its_source_model_was_deleted(empty: Registry) -> None:
    for name in ("a", NEW, "a--pump-8"):
        work.placed(empty, name, source="a")
    empty.client.delete_registered_model("a")
    assert machines.find(empty, "a", "pump-9", changing=True) == NEW
    assert machines.find(empty, "a", "pump-8", changing=True) == "a--pump-8"
    assert machines.find(empty, NEW) == NEW


def test_refusals_from_before_the_machine_had_a_model_are_in_its_history(empty: Registry) -> None:
    work.placed(empty, "a")
    for number, name in enumerate(("a--pump-9", NEW)):
        tags = {"faultxfer.model": name, names.GATE: "refuse", names.REASON: str(number)}
        record_run(empty, RunRecord("refused", tags, {}, {}, {}, (), None))
    assert {one["reason"] for one in catalog.show_history("a", "pump-9")} == {"0", "1"}


def test_first_transfers_at_once_from_two_sources_meet_in_one_journal(
    empty: Registry, bundle: Path
) -> None:
    for source in ("a", "b"):
        work.placed(empty, source)
    store = trials.Store("sqlite", Path.cwd(), empty.uri)
    assert len(work.first_transfers(store, {"a": bundle, "b": bundle})) == 2
    assert [one["name"] for one in empty.models() if one["equipment"]] == [NEW]
    second, first = maintenance.read_entries("b", "pump-9")
    assert (first["from_version"], second["from_version"]) == (None, first["to_version"])
    assert checking.verify_registry(None, None, None)["sound"]
