"""Old versions and refused runs go where nobody needs them, and are listed first."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import registry_work as work
from conftest import move_artifacts
from registry_checks import NAME, SENSORS, WHO, chain_of, repair, spoil

from faultxfer.errors import ConfigError, RegistryError
from faultxfer.registry import checking, journal, maintenance, names, pruning, registering
from faultxfer.registry.journal import Chain, Entry
from faultxfer.registry.pruning import prune_registry
from faultxfer.registry.runs import RunRecord, record_run
from faultxfer.registry.store import Registry, Version, open_registry

LAST_USED = pruning._last_used


def age(days: float) -> None:
    """Let all versions and runs of now be so much older."""
    past = int(timedelta(days=days).total_seconds() * 1000)
    with sqlite3.connect("mlruns/mlflow.db") as database:
        database.execute("UPDATE model_versions SET creation_time = creation_time - ?", (past,))
        database.execute("UPDATE runs SET start_time = start_time - ?", (past,))
    database.close()


@pytest.fixture(scope="module")
def five_folder(tmp_path_factory: pytest.TempPathFactory, migrated_folder: Path) -> Path:
    """A store with five versions of a machine's model, all of them a year old."""
    folder = tmp_path_factory.mktemp("five")
    shutil.copytree(migrated_folder, folder / "mlruns")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(registering, "smoke_test", work.downloads)
        prepared = work.inert_bundle(folder / "candidate")
        for _ in range(5):
            work.register_prepared(prepared, SENSORS)
        age(365)
    return folder


@pytest.fixture
def five(five_folder: Path, store: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A copy of it. The last version is champion, and each before it was once."""
    shutil.rmtree("mlruns")
    shutil.copytree(five_folder / "mlruns", "mlruns")
    move_artifacts(store / "mlruns" / "mlflow.db", five_folder, store)

    def made(version: Version, _: object) -> datetime:
        return datetime.fromisoformat(version.created)

    monkeypatch.setattr(pruning, "_last_used", made)  # the entries were written today
    return open_registry()


def numbers(registry: Registry, name: str = NAME) -> list[str]:
    return [version.version for version in registry.versions(name)][::-1]


def prune(
    *, keep: int = 1, days: float = 180, apply: bool = False, who: Any = (None, None)
) -> list[str]:
    """Numbers of the versions that go."""
    return [
        one["version"]
        for one in prune_registry(*who, keep=keep, days=days, apply=apply)["versions"]
    ]


def uploads(registry: Registry) -> set[str]:
    experiment = registry.client.get_experiment_by_name(names.EXPERIMENT)
    assert experiment is not None
    return {
        one.model_id for one in registry.client.search_logged_models([experiment.experiment_id])
    }


def test_what_goes_is_listed_first_and_noted_in_the_journal_when_it_goes(five: Registry) -> None:
    head = chain_of(five).head
    assert prune() == ["1", "2", "3"]
    assert (numbers(five), chain_of(five).head) == (["1", "2", "3", "4", "5"], head)
    gone = {five.version(NAME, number).model_id for number in (1, 2, 3)}
    assert prune(apply=True) == ["1", "2", "3"]
    assert numbers(five) == ["4", "5"]
    assert not gone & uploads(five)
    chain = chain_of(five)
    notes = [entry for entry in chain.entries.values() if entry.action == journal.PRUNE]
    assert [entry.details["version"] for entry in notes] == ["1", "2", "3"]
    assert {(entry.from_version, entry.to_version) for entry in notes} == {("5", "5")}
    assert all(entry.details["reason"].startswith("Last used 2") for entry in notes)
    assert (chain.problems, five.alias(NAME)) == ((), "5")
    assert checking.verify_registry(None, None, None)["sound"]
    assert repair(apply=True) == []
    assert prune(apply=True) == []
    assert maintenance.roll_back(*WHO, None, "the next in line is there")["to"] == "4"


def test_neither_young_nor_the_newest_versions_go(five: Registry) -> None:
    assert prune(keep=3) == ["1"]  # 2 is the third to go back to
    assert prune(keep=5) == []
    assert prune(days=400) == []
    for rules in ({"keep": 0}, {"days": -1.0}):
        with pytest.raises(ConfigError, match="registry prune"):
            prune(**rules)  # type: ignore[arg-type]
    with pytest.raises(RegistryError, match="no registered model of that name"):
        prune(who=("nope", None))


def test_a_version_under_any_alias_stays(five: Registry) -> None:
    five.client.set_registered_model_alias(NAME, "baseline", "2")
    assert prune() == ["1", "3"]


def test_as_many_sound_versions_stay_as_a_rollback_may_need(five: Registry) -> None:
    mend = spoil(five, "4")
    assert prune() == ["1", "2"]  # 4 may be brought back, and until then 3 is the next
    mend()
    maintenance.roll_back(*WHO, 2, "5 was no good")
    assert prune() == ["3", "4"]  # nobody goes forward to them by themselves; 1 is the next in line


def test_a_champion_that_stepped_down_stays_with_its_line(five: Registry) -> None:
    from faultxfer.registry.promotion import step_down

    step_down(
        five, NAME, "another model holds the champion", chain_of(five).head, action=journal.MERGE
    )
    assert prune() == ["1", "2", "3"]
    assert prune(apply=True) == ["1", "2", "3"]
    last = chain_of(five).last
    assert last is not None
    assert (last.from_version, last.to_version) == (None, None)
    assert chain_of(five).champion is None


def test_a_source_version_that_a_machine_descends_from_stays(five: Registry, bundle: Path) -> None:
    for _ in range(4):
        work.register_prepared(bundle, SENSORS, name=work.MODEL)
    five.client.set_registered_model_tag(work.MODEL, names.KIND, names.SOURCE_KIND)
    for key, value in ((names.SOURCE_MODEL, work.MODEL), (names.SOURCE_VERSION, "2")):
        five.client.set_model_version_tag(NAME, "5", key, value)
    age(365)
    assert prune(who=(work.MODEL, None)) == ["1"]


def test_files_that_another_model_names_stay_and_the_version_goes(five: Registry) -> None:
    kept = five.version(NAME, 1).model_id
    five.client.copy_model_version(f"models:/{NAME}/1", "elsewhere")
    listed = prune_registry(None, None, keep=1, days=180, apply=True)["versions"]
    assert [one["files"].split(" ")[0] for one in listed] == ["stay", "go", "go"]
    assert numbers(five) == ["4", "5"]
    assert kept in uploads(five)
    assert "UPLOAD-UNUSED" not in dict(repair(apply=True))  # nor does the doctor delete them
    assert kept in uploads(five)


def test_an_upload_of_a_version_that_went_is_the_doctors_where_pruning_was_broken_off(
    five: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("mlflow.MlflowClient.delete_logged_model", killed)
        with pytest.raises(KeyboardInterrupt):
            prune(apply=True)
    assert numbers(five) == ["2", "3", "4", "5"]
    run_id = next(iter(chain_of(five).entries.values())).details["run_id"]
    five.client.set_tag(run_id, names.OWNER, "elsewhere:1:1")  # not this process, which goes on
    assert repair() == [("UPLOAD-UNUSED", "with")]
    assert repair(apply=True) == [("UPLOAD-UNUSED", "done")]
    assert prune(apply=True) == ["2", "3"]


def test_a_model_without_a_whole_journal_is_left_alone(five: Registry) -> None:
    five.client.delete_registered_model(names.journal_name(NAME))
    result = prune_registry(None, None, keep=1, days=180, apply=True)
    assert (result["versions"], [one["registered"] for one in result["skipped"]]) == ([], [NAME])
    assert "doctor" in result["skipped"][0]["why"] or "verify" in result["skipped"][0]["why"]


def test_a_version_that_was_champion_lately_is_not_old(
    five: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "_last_used", LAST_USED)
    assert prune() == []


def entry(action: str, at: str, *, to: str | None = None, about: str | None = None) -> Entry:
    details = {} if about is None else {journal.VERSION: about}
    return Entry(NAME, action, None, to, "", None, "", details, at=at)


@pytest.mark.parametrize(
    ("entries", "last"),
    [
        ([("provisional", "02", None, "1")], "01"),  # in use now, so its alias spares it
        ([("provisional", "02", None, "1"), ("promote", "05", "2", None)], "05"),
        ([("provisional", "02", None, "1"), ("provisional", "04", None, "2")], "04"),
        ([("provisional", "02", None, "2"), ("promote", "05", "2", None)], "01"),
        (
            [
                ("provisional", "02", None, "1"),
                ("promote", "03", "2", None),
                ("promote", "09", "3", None),
            ],
            "03",
        ),
        (
            [
                ("provisional", "02", None, "1"),
                ("retire", "03", None, "1"),
                ("restore", "04", None, "1"),
                ("promote", "06", "2", None),
            ],
            "06",
        ),
    ],
    ids=["it still is", "a champion", "another one", "never was", "two champions", "retired"],
)
def test_a_provisional_version_was_last_used_when_another_took_its_place(
    entries: list[tuple[str, str, str | None, str | None]], last: str
) -> None:
    day = "2026-01-{}T00:00:00+00:00".format
    chain = Chain(
        {
            number: entry(action, day(at), to=to, about=about)
            for number, (action, at, to, about) in enumerate(entries, start=1)
        }
    )
    version = Version(NAME, "1", "", day("01"))
    assert LAST_USED(version, chain) == datetime.fromisoformat(day(last))


def test_old_runs_of_refused_candidates_go_by_model(registry: Registry) -> None:
    for model in (NAME, NAME, NAME, "pumps--never-passed"):
        tags = {names.MODEL: model, names.GATE: "reject", names.REASON: "too few"}
        record_run(registry, RunRecord("refused", tags, {}, {}, {}, (), None))
    age(365)
    assert len(prune_registry(None, None, keep=1, days=180, apply=False)["runs"]) == 2
    assert len(registry.refusals(None)) == 4
    assert len(prune_registry(*WHO, keep=1, days=180, apply=True)["runs"]) == 2
    assert [one["model"] for one in registry.refusals(None)] == ["pumps--never-passed", NAME]
    assert prune_registry("pumps", "never-passed", keep=1, days=180, apply=True)["runs"] == []
