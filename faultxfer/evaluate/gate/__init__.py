"""The evaluation gate. To add a rule: a file here, a line in ``RULES``."""

from __future__ import annotations

from faultxfer.config import GateOptions
from faultxfer.evaluate.gate import budget, change, evidence, first, forgetting, parts, rival, value
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
    evidence.check,
    value.check,
    change.check,
    parts.check,
    rival.check,
    forgetting.check,
    budget.check,
    first.check,
)
# The first of these that any check has decides.
_OUTCOMES = ((FAILED, REFUSE), (TIED, TIE), (OPEN, NOT_ENOUGH), (APPROVAL, NEEDS_APPROVAL))

__all__ = ["RULES", "Check", "Decision", "Evidence", "judge"]


def judge(given: Evidence, options: GateOptions) -> Decision:
    """Apply every rule; promote only if each that applies was passed.

    A rule that cannot be applied is reported as *not applicable*, never as passed.
    """
    checks = tuple(found for rule in RULES for found in rule(given, options))
    statuses = {found.status for found in checks}
    status, outcome = next((pair for pair in _OUTCOMES if pair[0] in statuses), ("", PROMOTE))
    reason = " ".join(found.message for found in checks if found.status == status)
    warnings = tuple(found.message for found in checks if found.status == WARNED)
    name = " ".join(
        filter(None, (options.family, options.version, f"sha256:{options.digest()[:12]}"))
    )
    return Decision(
        outcome, reason or "All checks that apply were passed.", checks, warnings, rules=name
    )
