"""A version is registered whole or not at all; what was broken off or damaged is found and mended.

The files of these versions are uploaded and compared but hold no network, so that no test waits for
one.
"""

from __future__ import annotations

import errno
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import registry_work as work
from registry_checks import NAME, SENSORS, WHO, chain_of, repair, spoil

from faultxfer.errors import BundleError, ChampionMovedError, ConfigError, RegistryError
from faultxfer.registry import checking, journal, maintenance, names, registering
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.promotion import standing
from faultxfer.registry.store import Registry


def test_a_promotion_stands_in_journal_tags_and_alias(registry: Registry) -> None:
    champion = registry.champion(NAME)
    assert champion is not None
    chain = chain_of(registry)
    assert [(entry.from_version, entry.to_version) for entry in chain.entries.values()] == [
        (None, "1"),
        ("1", "2"),
    ]
    assert champion.version == "2"
    assert champion.tags[names.ENTRY] == chain.head
    assert chain.last is not None
    assert chain.last.files_sha256 == champion.tags[names.FILES]
    assert {"run_id", "seed"} <= set(chain.last.details)
    assert checking.verify_registry(*WHO, chain.head)["sound"]
    assert [model["name"] for model in registry.models()] == [NAME]  # journals are no models


def test_a_decision_on_an_old_champion_comes_too_late_and_leaves_nothing(
    registry: Registry, bundle: Path
) -> None:
    old = next(iter(chain_of(registry).entries.values())).sha256
    with pytest.raises(ChampionMovedError):
        work.register_prepared(bundle, SENSORS, head=old)
    assert len(registry.versions(NAME)) == 2
    assert not any(work.leftovers().values())


def test_a_race_that_is_lost_at_the_last_moment_takes_the_version_back(
    registry: Registry, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = standing(registry, NAME).head
    real = journal.append_to
    asked = []

    def another_comes_first(client: object, chain: journal.Chain, entry: journal.Entry) -> None:
        asked.append(entry.model)
        if len(asked) == 1:  # the journal was read, and the entry is about to be written
            maintenance.roll_back(*WHO, None, "somebody else")
        real(client, chain, entry)

    monkeypatch.setattr(journal, "append_to", another_comes_first)
    with pytest.raises(ChampionMovedError):
        work.register_prepared(bundle, SENSORS, head=head)
    chain = chain_of(registry)
    assert (len(chain.void), chain.problems, registry.alias(NAME)) == (1, (), "1")
    assert told_by_the_last_run(registry)[0] == "judged again"
    assert len(registry.versions(NAME)) == 2
    assert not any(work.leftovers().values())


def test_a_failing_smoke_test_leaves_nothing(
    registry: Registry, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differs(*_: object) -> None:
        raise BundleError("the same scores were expected")

    monkeypatch.setattr(registering, "smoke_test", differs)
    with pytest.raises(BundleError):
        work.register_prepared(bundle, SENSORS)
    assert (registry.alias(NAME), len(registry.versions(NAME))) == ("2", 2)
    assert not any(work.leftovers().values())
    outcome, page = told_by_the_last_run(registry)
    assert outcome == "failed"
    assert page.startswith("# Failed: nothing came of this run, whatever is said below\n\ntrial")


def told_by_the_last_run(registry: Registry) -> tuple[str, str]:
    """Outcome and page."""
    experiment = registry.client.get_experiment_by_name(names.EXPERIMENT)
    assert experiment is not None
    (run, *_) = registry.client.search_runs(
        [experiment.experiment_id], order_by=["attributes.start_time DESC"]
    )
    return run.data.tags[names.OUTCOME], run.data.tags["mlflow.note.content"]


def test_a_server_that_fails_is_told_from_one_that_does_not_answer() -> None:
    import requests

    long = f"Max retries exceeded with url: /{'x' * 400} (Caused by ResponseError('too many 503 error responses'))"
    words = r"server failed at each try \(HTTP 503\), as it does when its disk is full"
    with pytest.raises(RegistryError, match=words), reported("the tracking store"):
        raise requests.ConnectionError(long)


FULL = [
    "log_batch",
    "log_artifacts",
    "create_logged_model",
    "log_model_artifacts",
    "create_model_version",
]


@pytest.mark.parametrize("call", FULL)
def test_a_full_disk_is_one_sentence_and_a_rerun_succeeds(
    registry: Registry, bundle: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"mlflow.MlflowClient.{call}", full)
    with pytest.raises(RegistryError, match=r"No space left on device.*free space"):
        work.register_prepared(bundle, SENSORS)
    monkeypatch.undo()
    monkeypatch.setattr(registering, "smoke_test", work.downloads)
    monkeypatch.chdir(bundle.parents[1])
    assert (registry.alias(NAME), len(registry.versions(NAME))) == ("2", 2)
    assert work.register_prepared(bundle, SENSORS) == registry.alias(NAME)
    assert checking.verify_registry(None, None, None)["sound"]


def test_an_alias_that_cannot_be_moved_follows_when_it_can(
    registry: Registry, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("mlflow.MlflowClient.set_registered_model_alias", full)
        with pytest.raises(RegistryError, match="No space left"):
            work.register_prepared(bundle, SENSORS)
    assert registry.alias(NAME) == "2"  # whole, and the journal is ahead of it
    champion = standing(registry, NAME).champion
    assert champion is not None
    assert champion.version == "3"
    assert not checking.verify_registry(None, None, None)["sound"]
    assert repair(dry_run=True) == [("PROMOTION-UNFINISHED", "would")]
    assert registry.alias(NAME) == "2"
    assert repair() == [("PROMOTION-UNFINISHED", "done")]
    assert registry.alias(NAME) == "3"
    assert repair() == []


def edit_entry(number: int, change: Callable[[dict[str, object]], object]) -> None:
    """As somebody would who can write to the database."""
    where = (names.journal_name(NAME), number, "faultxfer.entry")
    with sqlite3.connect("mlruns/mlflow.db") as database:
        query = "SELECT value FROM model_version_tags WHERE name = ? AND version = ? AND key = ?"
        content = json.loads(database.execute(query, where).fetchone()[0])
        change(content)
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        database.execute(
            "UPDATE model_version_tags SET value = ? WHERE name = ? AND version = ? AND key = ?",
            (text, *where),
        )
    database.close()


@pytest.mark.parametrize("number", [1, 2])
def test_a_journal_that_was_rewritten_is_found_and_nothing_is_promoted_on_it(
    registry: Registry, number: int
) -> None:
    edit_entry(number, lambda entry: entry.update(reason="something else"))
    assert not checking.verify_registry(None, None, None)["sound"]
    with pytest.raises(RegistryError, match="changed from outside"):
        maintenance.promote_version(*WHO, 1, "by hand")
    assert repair() == [("JOURNAL-BROKEN", "needs")]
    assert registry.alias(NAME) == "2"


def test_a_last_entry_that_was_cut_off_is_found(registry: Registry) -> None:
    head = chain_of(registry).head
    registry.client.delete_model_version(names.journal_name(NAME), "2")
    (checked,) = checking.verify_registry(*WHO, head)["models"]
    assert any("the journal lacks" in problem for problem in checked["problems"])
    assert any(head[:12] in problem for problem in checked["problems"])


def test_rollback_goes_back_further_when_asked_and_says_what_there_is(
    registry: Registry, bundle: Path
) -> None:
    work.register_prepared(bundle, SENSORS)
    assert maintenance.roll_back(*WHO, 1, "the first was best")["to"] == "1"
    assert registry.alias(NAME) == "1"
    with pytest.raises(RegistryError, match=r"earlier champions=\['3', '2'\]"):
        maintenance.roll_back(*WHO, 9, "no such version")
    with pytest.raises(ConfigError, match="reason"):
        maintenance.roll_back(*WHO, None, "")
    with pytest.raises(RegistryError, match="--to"):
        maintenance.roll_back(*WHO, None, "nothing came before the first")
    assert maintenance.roll_back(*WHO, 3, "a slip")["to"] == "3"
    assert maintenance.roll_back(*WHO, None, "back again")["to"] == "1"


def test_pages_say_who_became_champion_by_hand_and_by_a_rollback(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.client.update_model_version(NAME, "1", "# pump-9: refused by the gate")
    monkeypatch.setenv("FAULTXFER_ACTOR", "ann@plant")
    monkeypatch.setattr(maintenance, "smoke_test", work.downloads)
    maintenance.promote_version(*WHO, 1, "the newer one\nalarms too often")
    day = list(chain_of(registry).entries.values())[-1].at[:10]
    says = f"> **By the journal:** promoted by hand by ann@plant on {day}: the newer one alarms"
    page = registry.version(NAME, 1).description
    assert page.startswith(says)
    assert page.endswith("\n\n# pump-9: refused by the gate")
    maintenance.roll_back(*WHO, 2, "it was the sensor")
    assert "champion again by a rollback by ann@plant" in registry.version(NAME, 2).description
    maintenance.roll_back(*WHO, 1, "it was not")
    assert registry.version(NAME, 1).description == (
        f"> **By the journal:** champion again by a rollback by ann@plant on {day}: it was not\n\n"
        "# pump-9: refused by the gate"
    )
    assert checking.verify_registry(None, None, None)["sound"]
    assert repair() == []


def test_a_rollback_to_changed_files_is_refused(registry: Registry) -> None:
    spoil(registry, "1")
    with pytest.raises(RegistryError, match="SHA-256"):
        maintenance.roll_back(*WHO, None, "too many alarms")
    assert registry.alias(NAME) == "2"
