"""The evaluation gate. To add a rule: a function in a file here, a line in ``RULES``."""

from __future__ import annotations

import dataclasses

from faultxfer.config import GateOptions
from faultxfer.evaluate.gate import change, conditions, forgetting, rival, silent, slices, value
from faultxfer.evaluate.gate.check import (
    APPROVAL,
    FAILED,
    NEEDS_APPROVAL,
    NOT_ENOUGH,
    OPEN,
    PROMOTE,
    REFUSE,
    TIE,
    TIED,
    WARNED,
    Check,
    Decision,
    Evidence,
)

RULES = (
    conditions.check_rows,
    conditions.check_labels,
    value.check,
    silent.check,
    change.check,
    slices.check,
    rival.check,
    forgetting.check,
    conditions.check_budgets,
    conditions.check_first,
    conditions.check_policy,
)
# The first of these that any check has decides.
_OUTCOMES = {FAILED: REFUSE, TIED: TIE, OPEN: NOT_ENOUGH, APPROVAL: NEEDS_APPROVAL}

__all__ = ["RULES", "Check", "Decision", "Evidence", "judge"]


def judge(given: Evidence, options: GateOptions) -> Decision:
    """Apply every rule; promote only if each that applies was passed.

    A rule that cannot be applied is reported as *not applicable*, never as passed. Where the rows
    are too few to judge by, what fails on them is not shown either.
    """
    checks: list[Check] = []
    for rule in RULES:
        checks += rule(given, options)
    if any(check.code == conditions.ROWS and check.status == OPEN for check in checks):
        checks = [_not_shown(check) for check in checks]
    warnings = _messages(checks, WARNED)
    for status, outcome in _OUTCOMES.items():
        reasons = _messages(checks, status)
        if reasons:
            return Decision(outcome, " ".join(reasons), tuple(checks), warnings, _name_of(options))
    reason = "All checks that apply were passed."
    return Decision(PROMOTE, reason, tuple(checks), warnings, _name_of(options))


def _not_shown(check: Check) -> Check:
    """What too few rows seem to show, as what it is."""
    if check.by_rows and check.status in (FAILED, TIED):
        return dataclasses.replace(check, status=OPEN)
    return check


def _messages(checks: list[Check], status: str) -> tuple[str, ...]:
    return tuple(check.message for check in checks if check.status == status)


def _name_of(options: GateOptions) -> str:
    """Name and SHA-256 of the rules, by which a decision can be traced."""
    named = (options.family, options.version, f"sha256:{options.digest()[:12]}")
    return " ".join(part for part in named if part)
