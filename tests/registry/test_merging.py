"""Which of a machine's champions stays is settled in both journals, whole or finished later.

And can be taken back.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import registry_work as work
from registry_checks import repair

from faultxfer.errors import ChampionMovedError, FaultxferError, RegistryError
from faultxfer.registry import (
    catalog,
    checking,
    doctor,
    journal,
    machine_models,
    machines,
    maintenance,
    merging,
    names,
)
from faultxfer.registry.merging import merge_machine
from faultxfer.registry.store import Registry, open_registry

A, B, WHO = "a--pump-9", "b--pump-9", ("a", "pump-9")


@pytest.fixture
def two(store: Path) -> Registry:
    """A registry of release 0.1.0 in which sources ``a`` and ``b`` each have a champion of the same machine."""
    registry = open_registry()
    for name in ("a", "b", A, B):
        work.placed(registry, name)
    return registry


def champions(registry: Registry) -> tuple[str | None, ...]:
    return tuple(registry.alias(name) for name in (A, B))


def actions(registry: Registry, name: str) -> list[tuple[str, bool]]:
    chain = journal.read_journal(registry.client, name)
    assert chain.problems == ()
    return [(entry.action, entry.is_note) for entry in chain.entries.values()]


def test_found_merged_undone_and_merged_again_with_sound_journals(two: Registry) -> None:
    assert [one.code for one in machine_models.double_champions(two)] == ["CHAMPION-TWICE"]
    done = merge_machine(*WHO, "one pump, one detector")
    assert (done["outcome"], done["kept"], done["use"]) == ("merged", A, f"models:/{A}@champion")
    assert [one["address"] for one in done["models"]] == [f"models:/{B}@champion"]
    assert champions(two) == ("1", None)
    assert repair() == []  # no CHAMPION-NONE
    assert [machines.find(two, one, "pump-9", changing=True) for one in "ab"] == [A, A]
    assert {one["name"]: one["merged_into"] for one in catalog.list_models()}[B] == A
    assert len(two.versions(B)) == 1
    assert merge_machine(*WHO, "again")["outcome"] == "unchanged"
    with pytest.raises(RegistryError, match="merged into 'a--pump-9'"):
        maintenance.promote_version(B, None, 1, "by its whole name")

    back = merge_machine(*WHO, "they differ after all", undo=True)
    assert (back["outcome"], [one["name"] for one in back["models"]]) == ("restored", [B])
    assert champions(two) == ("1", "1")
    assert [one.code for one in machine_models.double_champions(two)] == ["CHAMPION-TWICE"]

    assert (
        merge_machine("b", "pump-9", "b is better")["kept"] == B
    )  # MODEL--EQ, where it is one of the two
    assert champions(two) == (None, "1")
    assert (repair(), checking.verify_registry(None, None, None)["sound"]) == ([], True)
    notes = [("merge", True), ("restore", True)]
    assert actions(two, A) == [("promote", False), *notes, ("merge", False)]
    assert actions(two, B) == [
        ("promote", False),
        ("merge", False),
        ("restore", False),
        ("merge", True),
    ]


@pytest.mark.parametrize("undo", [False, True])
def test_a_merge_that_was_broken_off_between_the_journals_is_finished(
    two: Registry, monkeypatch: pytest.MonkeyPatch, undo: bool
) -> None:
    if undo:
        merge_machine(*WHO, "one detector")
    with monkeypatch.context() as broken:
        broken.setattr(merging, "_note_restored" if undo else "_step_down", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            merge_machine(*WHO, "broken off", undo=undo)
    assert champions(two) == ("1", "1")
    (found,) = merging.unfinished_merges(two)
    assert (found.code, found.where) == ("MERGE-UNFINISHED", A if undo else B)
    if undo:
        assert found.repair is not None
        found.repair()
    else:
        assert merge_machine(*WHO, "broken off")["outcome"] == "merged"
    assert champions(two) == ("1", "1" if undo else None)
    assert len(actions(two, A)) == (3 if undo else 2)  # no note twice
    assert list(merging.unfinished_merges(two)) == []


def test_the_doctor_finishes_a_merge(two: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(merging, "_step_down", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            merge_machine(*WHO, "broken off")
    assert repair()[0] == ("MERGE-UNFINISHED", "done")
    assert champions(two) == ("1", None)
    assert repair() == []


def test_a_promotion_that_comes_in_between_is_not_merged_away_unseen(
    two: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce = merging._announce

    def overtaken(*arguments: object) -> str:
        head = announce(*arguments)
        work.placed(two, B)
        return head

    monkeypatch.setattr(merging, "_announce", overtaken)
    with pytest.raises(ChampionMovedError):
        merge_machine(*WHO, "one detector")
    assert champions(two) == ("1", "2")
    assert list(merging.unfinished_merges(two)) == []


def test_nobody_steps_down_for_files_that_cannot_score_nor_comes_back_without_them(
    two: Registry,
) -> None:
    place = Path(urlsplit(two.client.get_model_version_download_uri(A, "1")).path)
    place.rename("away")
    with pytest.raises(RegistryError, match="would stay changed or cannot be read"):
        merge_machine(*WHO, "one detector", keep=A)
    merge_machine(*WHO, "one detector", keep=B)
    with pytest.raises(RegistryError, match="cannot come back"):
        merge_machine(*WHO, "back", undo=True)
    Path("away").rename(place)
    merge_machine(*WHO, "back", undo=True)
    assert champions(two) == ("1", "1")


def test_three_champions_become_one_and_one_of_them_comes_back(two: Registry) -> None:
    new = names.detector_name("pumps", "fault", "pump-9")
    work.placed(two, new, source="c")
    done = merge_machine(*WHO, "one detector", keep=new)
    assert (done["kept"], [one["name"] for one in done["models"]]) == (new, [A, B])
    assert champions(two) == (None, None)
    assert [machines.find(two, one, "pump-9") for one in "ab"] == [new, new]
    merge_machine(*WHO, "only this one", undo=True, keep=B)
    assert champions(two) == (None, "1")
    assert merge_machine(B, None, "by its whole name", keep=new)["models"][0]["name"] == B


def test_what_there_is_nothing_to_merge_or_no_reason_for_is_refused(two: Registry) -> None:
    for arguments, more in (
        ((*WHO, " "), {}),
        ((*WHO, "x"), {"undo": True}),
        ((*WHO, "x"), {"keep": "a"}),
        (("a", "pump-7", "x"), {}),
        (("nope", "pump-9", "x"), {}),
    ):
        with pytest.raises(FaultxferError):
            merge_machine(*arguments, **more)
    two.client.delete_registered_model(B)
    two.client.delete_registered_model(names.journal_name(B))
    with pytest.raises(RegistryError, match="nothing to merge"):
        merge_machine(*WHO, "one detector")


def test_what_was_merged_away_can_come_back_where_the_one_that_stayed_is_lost(
    two: Registry,
) -> None:
    merge_machine(*WHO, "one detector", keep=B)
    place = Path(urlsplit(two.client.get_model_version_download_uri(B, "1")).path)
    place.rename("lost")
    maintenance.retire_version(B, None, 1, "lost for good")
    (found,) = found_with_remedy(two)
    assert found[0] == "CHAMPION-NONE"
    assert "faultxfer registry merge b--pump-9 --undo" in found[1]
    merge_machine("b", "pump-9", "back", undo=True)
    assert champions(two) == ("1", None)
    assert found_with_remedy(two) == []  # the machine has a champion, under another name


def found_with_remedy(registry: Registry) -> list[tuple[str, str]]:
    return [(one.code, one.remedy) for one, _ in doctor.repair(registry, doctor.Orders()).found]


def test_where_the_version_that_stepped_down_was_deleted_the_one_before_comes_back(
    two: Registry,
) -> None:
    work.placed(two, B)
    merge_machine(*WHO, "one detector", keep=A)
    two.client.delete_model_version(B, "2")
    (back,) = merge_machine(*WHO, "back", undo=True)["models"]
    assert (back["version"], champions(two)) == ("1", ("1", "1"))
    merge_machine(*WHO, "again", keep=A)
    two.client.delete_model_version(B, "1")
    with pytest.raises(RegistryError, match="none of those before it can come back"):
        merge_machine(*WHO, "back", undo=True)
    assert actions(two, A)[-1] == ("merge", True)  # nothing half written


def test_a_version_of_a_model_that_was_merged_away_is_retired_by_its_whole_name(
    two: Registry,
) -> None:
    merge_machine(*WHO, "one detector", keep=A)
    shown = maintenance.retire_version(B, None, 1, "lost for good")
    assert (champions(two), shown["registered"]) == (("1", None), B)
    assert maintenance.restore_versions(B, None, 1, "")["restored"] == [
        {"registered": B, "version": "1", "champion": False}
    ]


def test_nothing_is_half_written_where_the_model_that_stayed_was_renamed(two: Registry) -> None:
    merge_machine(*WHO, "one detector", keep=A)
    two.client.rename_registered_model(A, "away--pump-9")
    with pytest.raises(RegistryError, match="renamed or deleted"):
        merge_machine(B, None, "back", undo=True)
    assert two.alias(B) is None
