"""What comes of a candidate that a person has to approve."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from faultxfer.evaluate.gate.check import Decision, Override
from faultxfer.requests import TransferRequest
from faultxfer.steps import registration
from faultxfer.steps.judging import Verdict, _override

MANUAL, MANAGED = "manual", "managed"


def request(policy: str, override: str | None = None, *, dry_run: bool = False) -> TransferRequest:
    asked = {"files": ["a.csv"], "contract": "c.yaml", "model": "pumps", "equipment": "pump-9"}
    return TransferRequest.model_validate(
        {**asked, "policy": policy, "override_gate": override, "dry_run": dry_run}
    )


def outcome_of(decided: str, given: TransferRequest, champion: str | None = "1") -> tuple[str, str]:
    """What comes of a decision, and the reason for it."""
    decision = Decision(decided, "Because.", ())
    evaluation: Any = SimpleNamespace(report=SimpleNamespace(instead=""))
    verdict = Verdict(evaluation, decision, _override(decision, given))
    models: Any = SimpleNamespace(champion=champion)
    outcome = registration._outcome(verdict, given, models)
    return outcome, registration._reason(verdict, given)


@pytest.mark.parametrize(
    ("decided", "policy", "override", "outcome"),
    [
        ("needs approval", MANAGED, None, "waiting"),
        ("needs approval", MANUAL, None, "waiting"),
        ("needs approval", MANAGED, "agreed", "waiting"),
        ("refuse", MANAGED, "agreed", "promoted"),
        ("refuse", MANUAL, "agreed", "waiting"),
        ("tie", MANUAL, None, "refused"),
        ("not enough evidence", MANUAL, None, "refused"),
        ("promote", MANAGED, None, "promoted"),
    ],
)
def test_what_a_person_must_approve_waits_and_what_is_refused_is_not_put_to_anybody(
    decided: str, policy: str, override: str | None, outcome: str
) -> None:
    assert outcome_of(decided, request(policy, override))[0] == outcome
    assert outcome_of(decided, request(policy, override, dry_run=True))[0] == "dry run"


def test_without_a_champion_a_provisional_version_needs_nobodys_approval() -> None:
    assert outcome_of("not enough evidence", request(MANUAL), None)[0] == "provisional"


def test_the_reason_says_whose_override_waits_and_that_an_override_approves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FAULTXFER_ACTOR", "ann@plant")
    _, reason = outcome_of("refuse", request(MANUAL, "agreed"))
    assert reason == "To be promoted in spite of the gate, by ann@plant: agreed. Because."
    _, reason = outcome_of("needs approval", request(MANAGED, "agreed"))
    assert "for refusals alone" in reason


def test_nobody_has_overridden_the_gate_while_that_waits() -> None:
    verdict = Verdict(SimpleNamespace(), Decision("refuse", "", ()), Override("ann", "agreed"))  # type: ignore[arg-type]
    assert verdict.overridden(request(MANUAL)) is None
    assert verdict.overridden(request(MANAGED)) == verdict.override
