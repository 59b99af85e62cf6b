"""A version waits for a person's approval: who settles it, until when, and what ends it."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import registry_work as work
from registry_checks import NAME, SENSORS, WHO, chain_of, repair

from faultxfer.errors import ConfigError, RegistryError
from faultxfer.registry import (
    approving,
    catalog,
    checking,
    journal,
    maintenance,
    names,
    registering,
)
from faultxfer.registry.promotion import standing
from faultxfer.registry.pruning import prune_registry
from faultxfer.registry.store import Registry, open_registry

STARTER, OTHER = "nightly retrain", "ann@plant"
COMMAND = "faultxfer transfer w48.csv --contract pumps.yaml --model pumps --equipment pump-9"


def add_waiting(
    bundle: Path, *, days: float = 14.0, self_approval: bool = False, starter: str = STARTER
) -> str:
    """Register the prepared bundle as a version that waits; gives its number."""
    until = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")
    details = {
        "outcome": "waiting",
        "approval": {"policy": "manual", "self_approval": self_approval, "until": until},
        "transfer": {"command": COMMAND, "complete": True},
        "data": {"w47.csv": "7" * 64, "w48.csv": "8" * 64},
    }
    head = standing(open_registry(), NAME).head
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAULTXFER_ACTOR", starter)
        return work.register_prepared(
            bundle, SENSORS, head=head, action=journal.WAITING, details=details
        )


def add_champion(bundle: Path) -> str:
    details = {"outcome": "promoted", "data": {"w46.csv": "6" * 64, "w47.csv": "7" * 64}}
    head = standing(open_registry(), NAME).head
    return work.register_prepared(bundle, SENSORS, head=head, details=details)


def aliases(registry: Registry) -> dict[str, str]:
    return registry.aliases(NAME)


def is_whole() -> bool:
    """Whether neither the doctor nor `verify` finds anything."""
    return repair() == [] and checking.verify_registry(None, None, None)["sound"]


def outcome(registry: Registry, number: str) -> str:
    """By the version's tag, which its run repeats."""
    version = registry.version(NAME, number)
    run = registry.client.get_run(version.run_id)
    assert run.data.tags[names.OUTCOME] == version.tags[names.OUTCOME]
    return version.tags[names.OUTCOME]


@pytest.fixture(scope="module")
def waiting_folder(tmp_path_factory: pytest.TempPathFactory, migrated_folder: Path) -> Path:
    """A store in which version 1 is champion and version 2 waits; tests get copies."""
    folder = tmp_path_factory.mktemp("waiting")
    shutil.copytree(migrated_folder, folder / "mlruns")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(registering, "smoke_test", work.downloads)
        candidate = work.inert_bundle(folder / "candidate")
        said = {"told": ["Finds 17 of 20 faults."], "pictures": ["pr.png"], "worst_slice": "none"}
        report = folder / "candidate" / "report" / "report.json"
        report.write_text(json.dumps({"review": {**said, "metrics": []}}))
        report.with_name("report.html").write_text("<p>Finds 17 of 20 faults.")
        add_champion(candidate)
        add_waiting(candidate)
    return folder


@pytest.fixture
def registry(waiting_folder: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    from conftest import move_artifacts

    monkeypatch.setenv("FAULTXFER_ACTOR", OTHER)
    shutil.rmtree("mlruns")
    shutil.copytree(waiting_folder / "mlruns", "mlruns")
    move_artifacts(Path("mlruns/mlflow.db").absolute(), waiting_folder, Path.cwd())
    return open_registry()


def test_a_waiting_version_is_whole_and_the_champion_stays(registry: Registry) -> None:
    assert aliases(registry) == {"champion": "1", "challenger": "2"}
    chain = chain_of(registry)
    assert (chain.champion, chain.waiting) == ("1", "2")
    version = registry.version(NAME, 2)
    assert version.tags[names.STATE] == names.REGISTERED
    assert version.description.startswith("> **By the journal:** waits for approval until ")
    assert outcome(registry, "2") == "waiting"
    (listed,) = catalog.list_models()
    assert (listed["champion"], listed["waiting"]) == ("1", "2")
    assert listed["next"] == f'faultxfer registry approve {NAME} 2 --reason "…"'
    assert catalog.show_version(*WHO, 2)["next"] == listed["next"]
    assert catalog.show_version(*WHO, None)["version"] == "1"
    assert [one["outcome"] for one in catalog.show_history(*WHO)] == ["waiting", "promoted"]
    assert is_whole()
    with pytest.raises(RegistryError, match="no such earlier champion"):
        maintenance.roll_back(*WHO, 2, "it was never champion")


def test_another_person_sees_it_and_approves_it(registry: Registry) -> None:
    review = approving.read_review(*WHO, 2)
    assert review["told"] == ["Finds 17 of 20 faults."]
    assert Path(review["pictures"]["pr.png"]).parent == Path(review["report"]).parent
    assert Path(review["report"]).read_text() == "<p>Finds 17 of 20 faults."
    assert review["data"] == [
        "1 of its 2 files are the champion's; new: w48.csv; not used any more: w46.csv."
    ]
    done = approving.approve_version(*WHO, 2, "the fitters agree")
    assert (done["outcome"], done["from"], done["to"]) == ("approved", "1", "2")
    assert aliases(registry) == {"champion": "2"}
    entry = chain_of(registry).last
    assert entry is not None
    assert (entry.actor, entry.action) == (OTHER, "promote")
    approval = entry.details["approval"]
    assert (approval["started_by"], approval["self_approval"]) == (STARTER, False)
    assert entry.details["data"]["w48.csv"] == "8" * 64
    assert outcome(registry, "2") == "promoted by approval"
    page = registry.version(NAME, 2).description
    assert page.startswith(f"> **By the journal:** approved by {OTHER} on ")
    assert maintenance.roll_back(*WHO, None, "too many alarms")["to"] == "1"
    assert is_whole()
    with pytest.raises(RegistryError, match="waits for approval no more"):
        approving.approve_version(*WHO, 2, "again")


def test_promoting_what_waits_is_an_approval(registry: Registry) -> None:
    assert maintenance.promote_version(*WHO, 2, "the fitters agree")["outcome"] == "approved"
    assert outcome(registry, "2") == "promoted by approval"


def test_a_rejection_leaves_the_champion_and_says_why(registry: Registry) -> None:
    done = approving.reject_version(*WHO, 2, "the label was wrong")
    assert (done["outcome"], done["from"], done["to"]) == ("rejected", "1", "1")
    assert aliases(registry) == {"champion": "1"}
    assert outcome(registry, "2") == "rejected"
    with pytest.raises(RegistryError, match="the label was wrong"):
        approving.approve_version(*WHO, 2, "after all")
    assert is_whole()
    assert maintenance.promote_version(*WHO, 2, "after all")["outcome"] == "promoted"
    assert is_whole()


@pytest.mark.parametrize(
    "settle",
    [approving.approve_version, approving.reject_version, maintenance.promote_version],
)
def test_neither_the_starter_nor_an_empty_reason_settles_it(
    registry: Registry, settle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="No reason"):
        settle(*WHO, 2, "  ")
    monkeypatch.setenv("FAULTXFER_ACTOR", f" {STARTER.upper()}")
    with pytest.raises(RegistryError, match="does not settle"):
        settle(*WHO, 2, "I know what I did")
    assert chain_of(registry).waiting == "2"


def test_where_the_rules_allow_it_the_starter_approves_and_the_journal_says_so(
    registry: Registry, bundle: Path
) -> None:
    add_waiting(bundle, self_approval=True, starter=OTHER)
    approving.approve_version(*WHO, 3, "there is nobody else")
    entry = chain_of(registry).last
    assert entry is not None
    assert entry.details["approval"]["self_approval"] is True
    assert "although this is who started it" in registry.version(NAME, 3).description
    assert is_whole()


def test_the_next_one_that_waits_takes_its_place(registry: Registry, bundle: Path) -> None:
    assert add_waiting(bundle) == "3"
    assert aliases(registry) == {"champion": "1", "challenger": "3"}
    assert outcome(registry, "2") == "replaced"
    with pytest.raises(RegistryError, match="in the place of version 2"):
        approving.approve_version(*WHO, 2, "this one")
    assert is_whole()


def test_after_a_new_champion_it_must_be_judged_again(registry: Registry, bundle: Path) -> None:
    assert add_champion(bundle) == "3"
    assert aliases(registry) == {"champion": "3"}
    assert outcome(registry, "2") == "replaced"
    with pytest.raises(RegistryError) as refused:
        approving.read_review(*WHO, 2)
    assert f"`{COMMAND}`" in str(refused.value)
    assert "champion='version 3'" in str(refused.value)
    maintenance.roll_back(*WHO, None, "it is not that one either")
    assert aliases(registry) == {"champion": "1"}
    assert is_whole()


def test_it_waits_until_its_time_runs_out_and_whoever_asks_next_ends_it(
    registry: Registry, bundle: Path
) -> None:
    add_waiting(bundle, days=1e-9)
    assert catalog.list_models()[0]["next"] is None
    assert catalog.show_history(*WHO)[0]["outcome"] == "expired"
    with pytest.raises(RegistryError, match="waits for approval no more") as refused:
        approving.approve_version(*WHO, 3, "too late")
    assert COMMAND in str(refused.value)
    assert aliases(registry) == {"champion": "1"}
    assert outcome(registry, "3") == "expired"
    add_waiting(bundle, days=1e-9)
    assert checking.verify_registry(None, None, None)["sound"]
    assert repair() == [("WAITING-EXPIRED", "done")]
    assert outcome(registry, "4") == "expired"
    assert is_whole()


def test_a_first_model_waits_beside_a_provisional_version_which_scores(
    store: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTXFER_ACTOR", OTHER)
    work.register_prepared(bundle, SENSORS, action=journal.WAITING)
    registry = open_registry()
    assert aliases(registry) == {"challenger": "1"}
    assert is_whole()  # nothing of the machine ever scored
    work.register_prepared(bundle, SENSORS, action=journal.PROVISIONAL)
    assert aliases(registry) == {"challenger": "1", "provisional": "2"}
    monkeypatch.setenv("FAULTXFER_ACTOR", STARTER)
    assert approving.approve_version(*WHO, 1, "the fitters agree")["from"] is None
    assert aliases(registry) == {"champion": "1"}
    assert is_whole()


def test_it_is_retired_and_comes_back_and_pruning_spares_it(
    registry: Registry, bundle: Path
) -> None:
    registry.client.create_model_version(NAME, "elsewhere")  # a newer one that is not faultxfer's
    assert prune_registry(None, None, keep=1, days=0, apply=False)["versions"] == []
    maintenance.retire_version(*WHO, 2, "too many alarms")
    assert aliases(registry) == {"champion": "1"}
    assert prune_registry(None, None, keep=1, days=0, apply=False)["versions"] == []
    maintenance.restore_versions(*WHO, 2, "it was the sensor")
    assert aliases(registry) == {"champion": "1", "challenger": "2"}
    approving.reject_version(*WHO, 2, "no")
    (gone,) = prune_registry(None, None, keep=1, days=0, apply=True)["versions"]
    assert gone["version"] == "2"
    assert [one.version for one in registry.versions(NAME)] == ["3", "1"]


@pytest.mark.parametrize("call", ["set_registered_model_alias", "set_model_version_tag"])
def test_what_was_broken_off_after_its_entry_is_finished(
    registry: Registry, bundle: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    for begun, wanted in (
        (lambda: add_waiting(bundle), {"champion": "1", "challenger": "3"}),
        (lambda: approving.approve_version(*WHO, 3, "agreed"), {"champion": "3"}),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(f"mlflow.MlflowClient.{call}", full)
            with pytest.raises(RegistryError, match="No space left"):
                begun()
        assert not checking.verify_registry(None, None, None)["sound"]
        # Of the version in whose place the new one waits, the tags are behind, too.
        assert set(repair()) - {("TAG-CHANGED", "done")} == {("PROMOTION-UNFINISHED", "done")}
        assert aliases(registry) == wanted
        assert outcome(registry, "2") == "replaced"
        assert is_whole()


def test_a_deleted_one_and_an_alias_that_somebody_moved_are_found(registry: Registry) -> None:
    registry.client.set_registered_model_alias(NAME, names.CHALLENGER, "1")
    (checked,) = checking.verify_registry(None, None, None)["models"]
    assert checked["problems"] == ["by the journal version 2 waits for approval, by the alias 1"]
    assert repair() == [("PROMOTION-UNFINISHED", "done")]
    registry.client.delete_model_version(NAME, "2")
    (checked,) = checking.verify_registry(None, None, None)["models"]
    assert checked["problems"] == ["version 2, which waits for approval, does not exist"]
    assert ("WAITING-MISSING", "done") in repair()
    assert chain_of(registry).waiting is None


def test_an_alias_of_somebodys_own_stays_where_nothing_ever_waited(
    store: Path, bundle: Path
) -> None:
    for _ in range(2):
        work.register_prepared(bundle, SENSORS)
    registry = open_registry()
    registry.client.set_registered_model_alias(NAME, names.CHALLENGER, "1")
    work.register_prepared(bundle, SENSORS)
    assert aliases(registry) == {"champion": "3", "challenger": "1"}
    assert is_whole()


def test_a_champion_without_a_journal_gets_one_first(registry: Registry, bundle: Path) -> None:
    registry.client.delete_registered_model(names.journal_name(NAME))
    for version in ("1", "2"):
        for key in (names.ENTRY, names.NOTE, names.REGISTERED_AS):
            if key in registry.version(NAME, version).tags:
                registry.client.delete_model_version_tag(NAME, version, key)
    work.register_prepared(bundle, SENSORS, action=journal.WAITING)
    chain = chain_of(registry)
    assert [entry.action for entry in chain.entries.values()] == ["adopt", "waiting"]
    assert (chain.champion, chain.waiting) == ("1", "3")


def typed(*words: str) -> int:
    from faultxfer.cli import main

    with pytest.raises(SystemExit) as left:
        main(["registry", *words])
    return int(str(left.value.code or 0))


def test_the_command_shows_what_it_is_asks_a_person_and_no_program(
    registry: Registry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert typed("list") == 0
    assert f"registry approve {NAME} 2 --reason" in capsys.readouterr().out
    assert typed("approve", NAME, "2") == 2
    assert "No reason was given" in capsys.readouterr().err
    with monkeypatch.context() as patch:
        patch.setattr("faultxfer.cli.approving._is_terminal", lambda: True)
        patch.setattr("typer.prompt", lambda *_, **__: "the fitters agree")
        patch.setattr("typer.confirm", lambda *_, **__: False)
        assert typed("approve", NAME, "2") == 10
        shown = capsys.readouterr().err
        assert "Finds 17 of 20 faults." in shown
        assert "new: w48.csv" in shown
        assert "pr.png" in shown
        patch.setattr("typer.prompt", lambda *_, **__: " ")
        assert typed("reject", NAME, "2") == 2
    assert chain_of(registry).waiting == "2"
    capsys.readouterr()
    assert typed("approve", NAME, "2", "--reason", "the fitters agree", "--json") == 0
    answered = json.loads(capsys.readouterr().out)
    assert (answered["outcome"], answered["to"]) == ("approved", "2")
    assert answered["review"]["started_by"] == STARTER
    assert typed("journal", NAME) == 0
    assert "approved" in capsys.readouterr().out
