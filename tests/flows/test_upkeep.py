"""Flows that look after the registry: what they do with it, and the one sentence they end with."""

from __future__ import annotations

import os
from typing import Any

import pytest

from faultxfer.errors import ConfigError, RegistryError
from faultxfer.registry import approving, doctor
from flows import upkeep
from flows.registered import choice, chosen
from flows.reviews import as_markdown

REVIEW: dict[str, Any] = {
    "registered": "pumps--fault--pump-9",
    "version": "3",
    "started_by": "the night's schedule",
    "since": "2026-11-29T03:00:00",
    "until": "2026-12-13T03:00:00",
    "told": ["It finds 17 of 20 faults."],
    "metrics": [
        {"metric": "PR-AUC", "candidate": "0.81", "low": "0.7", "high": "0.9", "champion": None},
        {"metric": "recall", "candidate": None, "low": None, "high": None, "champion": "0.5"},
    ],
    "worst_slice": "Where mode is 2 it loses.",
    "data": ["Made from a.csv."],
    "report": "http://here/report.html",
    "pictures": {"curve.png": "http://here/curve.png"},
}


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was done with the registry, by whom; nothing is."""
    done: list[tuple[Any, ...]] = []

    def doing(what: str) -> Any:
        return lambda *given: done.append((what, *given, os.environ["FAULTXFER_ACTOR"]))

    monkeypatch.setenv("FAULTXFER_ACTOR", "the night's schedule")
    monkeypatch.setattr(approving, "read_review", lambda *_: REVIEW)
    monkeypatch.setattr(approving, "approve_version", doing("approve"))
    monkeypatch.setattr(approving, "reject_version", doing("reject"))
    for kind in ("markdown", "table"):
        monkeypatch.setattr(upkeep, f"create_{kind}_artifact", lambda **_: None)
    return done


@pytest.mark.parametrize("decision", ["approve", "reject"])
@pytest.mark.parametrize(("machine", "number"), [("pump-9", 3), ("F 1", 12), ("a, version 2", 1)])
def test_who_decides_is_whose_name_was_given(
    decision: str, machine: str, number: int, settled: list[tuple[Any, ...]]
) -> None:
    waiting = choice(machine, str(number))
    assert chosen(waiting) == (machine, number)
    said = upkeep._settle(waiting, decision, "it is good", " Ada ", "pumps")
    assert settled == [(decision, "pumps", machine, number, "it is good", "Ada")]
    assert machine in said
    assert "Ada" in said


def test_nobody_decides_without_a_name(settled: list[tuple[Any, ...]]) -> None:
    with pytest.raises(ConfigError, match="Give your name"):
        upkeep._settle("pump-9, version 3", "approve", "it is good", "  ", "pumps")
    assert settled == []


@pytest.mark.parametrize("text", ["pump-9", "pump-9, version x", ""])
def test_what_names_no_version_is_said(text: str, settled: list[tuple[Any, ...]]) -> None:
    with pytest.raises(ConfigError, match="pump-9, version 3"):
        upkeep._settle(text, "approve", "it is good", "Ada", "pumps")


def test_a_review_shows_what_a_person_decides_on() -> None:
    shown = as_markdown(REVIEW)
    for said in ("17 of 20", "until 2026-12-13", "0.7 and 0.9", "mode is 2", "a.csv", "curve.png"):
        assert said in shown
    assert "cannot be shown" in as_markdown({**REVIEW, "metrics": []})


@pytest.mark.parametrize("repair", [False, True])
def test_a_damaged_registry_fails_the_run_and_only_looks_unless_asked(
    repair: bool, settled: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    found: list[dict[str, str]] = []

    def look(*_: None, dry_run: bool, files: bool) -> dict[str, Any]:
        asked.append(dry_run)
        assert files  # a scheduled look reads those of a server as well
        return {"found": found}

    monkeypatch.setattr(doctor, "repair_registry", look)
    assert upkeep._look(repair=repair) == "The registry is sound."
    found.append({"message": "An upload.", "where": "runs/1", "done": "done: deleted"})
    assert upkeep._look(repair=repair) == "The registry is sound."
    found.append({"message": "No champion.", "where": "pumps", "done": "left"})
    with pytest.raises(RegistryError, match=r"1 thing to mend, the first: No champion\. Where"):
        upkeep._look(repair=repair)
    assert asked == [not repair] * 3
