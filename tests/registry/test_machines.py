"""A machine's model is found by family, label and machine, whatever its name and whichever source came first."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import registry_trials as trials
import registry_work as work
from hypothesis import example, given
from hypothesis import strategies as st
from registry_checks import SENSORS, heal

from faultxfer.errors import RegistryError
from faultxfer.registry import identity, machines, names
from faultxfer.registry.identity import Identity, identity_of
from faultxfer.registry.store import Registry, open_registry
from faultxfer.steps import catalog, upkeep

PUMPS, NEW = Identity("pumps", "fault"), "pumps--fault--pump-9"
TEXTS = st.one_of(st.text(max_size=12), st.text(alphabet="a-. =h2D_é", max_size=140))


@given(st.tuples(TEXTS, TEXTS, TEXTS), st.tuples(TEXTS, TEXTS, TEXTS))
@example(("a--b", "c", "d"), ("a", "b--c", "d"))
@example(("a=2D", "", "x"), ("a-", "=", "x"))
@example(("x" * 80, "y" * 80, "z" * 120), ("x" * 80, "y" * 80, "z" * 121))
def test_different_detectors_have_different_names(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (names.detector_name(*one) == names.detector_name(*other)) == (one == other)


@given(TEXTS, TEXTS, TEXTS)
def test_a_detectors_name_suits_mlflow_and_is_no_name_of_an_older_release(family: str, label: str, eq: str) -> None:
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


def source_model(folder: Path, name: str, family: str | None = "pumps", label: str = "fault") -> Path:
    """A registered source model; gives back its bundle, which serves for its machines too."""
    bundle = work.inert_bundle(folder / f"of {name}", family, label)
    work.register_prepared(bundle, SENSORS, name)
    return bundle


@pytest.fixture
def two_sources(bundle: Path) -> Registry:
    """A registry of release 0.1.0 in which sources ``a`` and ``b`` each have a champion of the same machine."""
    for name in ("a", "b"):
        made = source_model(bundle.parent, name)
        work.register_prepared(made, SENSORS, f"{name}--pump-9")
    return open_registry()


def without_files(registry: Registry, *known: str) -> None:
    """Nothing of these models can be read, and no tag says what they detect, as in a release before."""
    identity._read.clear()
    for name in known:
        for version in registry.versions(name):
            for path in Path("mlruns/artifacts").rglob(f"*{version.model_id}*/**/manifest.json"):
                path.unlink()
            for key in (names.FAMILY, names.LABEL):
                registry.client.delete_model_version_tag(name, version.version, key)
        for key in (names.FAMILY, names.LABEL):
            registry.client.delete_registered_model_tag(name, key)


def test_another_source_of_the_same_family_finds_the_machine(bundle: Path) -> None:
    first, second = source_model(bundle.parent, "a"), source_model(bundle.parent, "b")
    registry = open_registry()
    assert machines.name_for(registry, "b", "pump-9", PUMPS) == NEW  # both would begin the same one
    work.register_prepared(first, SENSORS, NEW, source="a")
    assert machines.find(registry, "b", "pump-9") == NEW
    assert machines.name_for(registry, "b", "pump-9", PUMPS) == NEW
    work.register_prepared(second, SENSORS, NEW, source="b")
    assert machines.equipments(registry, "a") == machines.equipments(registry, "b") == ["pump-9"]
    (listed,) = [one for one in catalog.list_models() if one["equipment"]]
    shown = [listed[key] for key in ("name", "family", "label", "source_model", "champion", "merged_into")]
    assert shown == [NEW, "pumps", "fault", "b", "2", None]
    assert heal() == []


def test_an_older_name_is_kept_and_found_from_another_source(bundle: Path) -> None:
    made = source_model(bundle.parent, "a")
    source_model(bundle.parent, "b")
    work.register_prepared(made, SENSORS, "a--pump-9")
    registry = open_registry()
    assert machines.name_for(registry, "b", "pump-9", PUMPS) == "a--pump-9"
    assert machines.look_up(registry, "b", "pump-90") is None
    assert upkeep.read_entries("b", "pump-9")[0]["model"] == "a--pump-9"
    assert catalog.show_history("b", "pump-9")[0]["champion"] == "champion"
    assert heal() == []


def test_two_labels_of_one_machine_are_two_detectors(bundle: Path) -> None:
    leak = Identity("pumps", "leak")
    fault, leaks = source_model(bundle.parent, "a"), source_model(bundle.parent, "b", label="leak")
    work.register_prepared(fault, SENSORS, "a--pump-9")
    registry = open_registry()
    name = machines.name_for(registry, "b", "pump-9", leak)
    assert name == "pumps--leak--pump-9"
    assert machines.look_up(registry, "b", "pump-9") is None
    with pytest.raises(RegistryError, match="A registered model was expected"):
        upkeep.roll_back("b", "pump-9", None, "back")
    work.register_prepared(leaks, SENSORS, name, source="b")
    assert [machines.find(registry, one, "pump-9") for one in "ab"] == ["a--pump-9", name]
    assert machines.equipments(registry, "b") == ["pump-9"]
    assert list(machines.twice(registry)) == []
    # Under the contract with the other label, the first source makes the other detector's next version.
    assert machines.name_for(registry, "a", "pump-9", leak) == name


def test_the_bundle_decides_over_tags_and_the_doctor_puts_them_back(bundle: Path) -> None:
    made = source_model(bundle.parent, "a")
    work.register_prepared(made, SENSORS, NEW, source="a")
    registry = open_registry()
    registry.client.set_registered_model_tag(NEW, names.LABEL, "leak")
    registry.client.set_model_version_tag(NEW, "1", names.LABEL, "leak")
    registry.client.delete_registered_model_tag(NEW, names.FAMILY)
    assert identity_of(registry, NEW) == PUMPS
    assert machines.find(registry, "a", "pump-9") == NEW
    assert heal() == [("TAG-CHANGED", "done")] * 3
    assert registry.model_tags(NEW)[names.LABEL] == "fault"
    assert heal() == []


@pytest.mark.parametrize("edit", ["deleted", "edited", "also the journal's"])
def test_a_model_whose_kind_is_not_in_its_tags_stays_known(registry: Registry, edit: str) -> None:
    before = (registry.models(), registry.known_names())
    tag = (registry.client.delete_registered_model_tag, registry.client.set_registered_model_tag)
    for name in (work.NAME, names.journal_name(work.NAME))[: 2 if "journal" in edit else 1]:
        tag[1](name, names.KIND, "oven") if edit == "edited" else tag[0](name, names.KIND)
    assert (registry.models(), registry.known_names()) == before
    assert upkeep.verify_registry(None, None, None)["sound"]
    assert set(heal()) == {("TAG-CHANGED", "done")}
    assert heal() == []


def test_a_model_without_tag_and_journal_is_known_by_its_versions_and_others_models_are_not(registry: Registry) -> None:
    registry.client.delete_registered_model(names.journal_name(work.NAME))
    registry.client.delete_registered_model_tag(work.NAME, names.KIND)
    for name in ("their--pump-9", 'a "quoted" model', "theirs"):
        registry.client.create_registered_model(name)
        registry.client.create_model_version(name, "s3://theirs", tags={"team": "blue"})
    assert registry.known_names() == [work.NAME]
    assert registry.named_like("pump-9") == [work.NAME]


def test_two_champions_are_said_and_a_change_has_to_be_clear(
    two_sources: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    (found,) = machines.twice(two_sources)
    assert found.code == "CHAMPION-TWICE"
    assert "faultxfer registry merge b --equipment pump-9 --reason" in found.message
    assert upkeep.verify_registry(None, None, None)["sound"] is False
    assert ("CHAMPION-TWICE", "needs") in heal()
    assert machines.find(two_sources, "b", "pump-9", changing=True) == "b--pump-9"  # as before
    source_model(Path.cwd(), "c")
    with caplog.at_level(logging.INFO, "faultxfer.progress"):
        assert machines.find(two_sources, "c", "pump-9") == "b--pump-9"
    assert "2 champions" in caplog.text
    with pytest.raises(RegistryError, match=r"'a--pump-9', 'b--pump-9'.*registry merge"):
        machines.name_for(two_sources, "c", "pump-9", PUMPS)


def test_what_cannot_be_read_is_never_taken_for_a_machine_without_a_model(bundle: Path) -> None:
    made = source_model(bundle.parent, "a")
    source_model(bundle.parent, "b")
    work.register_prepared(made, SENSORS, "a--pump-9")
    registry = open_registry()
    without_files(registry, "a--pump-9")
    assert machines.name_for(registry, "a", "pump-9", PUMPS) == "a--pump-9"
    assert machines.name_for(registry, "b", "pump-9", PUMPS) == "a--pump-9"  # by what its source model detects
    without_files(registry, "a")
    assert machines.find(registry, "a", "pump-9", changing=True) == "a--pump-9"
    for ask in (machines.find, lambda *who: machines.name_for(*who, PUMPS)):
        with pytest.raises(RegistryError, match="could not be read"):
            ask(registry, "b", "pump-9")


def test_a_machine_is_found_after_its_source_model_was_deleted(bundle: Path) -> None:
    for number, name in enumerate((NEW, "a--pump-8")):
        made = source_model(bundle.parent / str(number), "a")
        work.register_prepared(made, SENSORS, name, source="a")
    registry = open_registry()
    registry.client.delete_registered_model("a")
    assert machines.find(registry, "a", "pump-9", changing=True) == NEW
    assert machines.find(registry, "a", "pump-8", changing=True) == "a--pump-8"
    assert machines.find(registry, NEW) == NEW


def test_refusals_from_before_the_machine_had_a_model_are_in_its_history(bundle: Path) -> None:
    from faultxfer.registry.runs import RunRecord, record_run

    source_model(bundle.parent, "a")
    registry = open_registry()
    for number, name in enumerate(("a--pump-9", NEW)):
        tags = {"faultxfer.model": name, names.GATE: "refuse", names.REASON: str(number)}
        record_run(registry, RunRecord("refused", tags, {}, {}, {}, (), None))
    assert {one["reason"] for one in catalog.show_history("a", "pump-9")} == {"0", "1"}


def test_first_transfers_at_once_from_two_sources_meet_in_one_journal(bundle: Path) -> None:
    for name in ("a", "b"):
        source_model(bundle.parent, name)
    store = trials.Store("sqlite", Path.cwd(), f"sqlite:///{Path.cwd() / 'mlruns' / 'mlflow.db'}")
    made = work.first_transfers(store, {name: bundle.parent / f"of {name}" / "bundle" for name in ("a", "b")})
    assert sorted(made) == ["1", "2"]
    registry = open_registry()
    assert [one["name"] for one in registry.models() if one["equipment"]] == [NEW]
    entries = upkeep.read_entries("b", "pump-9")
    assert [entry["from_version"] for entry in entries] == ["1", None]
    assert (heal(), upkeep.verify_registry(None, None, None)["sound"]) == ([], True)


def test_an_inert_manifest_is_read_like_a_bundles(bundle: Path) -> None:
    content = json.loads((bundle / "manifest.json").read_text())
    assert identity.identity_in(content["lineage"]["contract"]) == PUMPS
