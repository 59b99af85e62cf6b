"""The evaluation gate. To add a rule: a file here, a line in ``RULES``."""

from __future__ import annotations

from faultxfer.config import GateOptions
from faultxfer.evaluate.gate import change, evidence, rival, value
from faultxfer.evaluate.gate.check import FAILED, WARNED, Check, Decision, Evidence

RULES = (evidence.check, value.check, change.check, rival.check)

__all__ = ["RULES", "Check", "Decision", "Evidence", "judge"]


def judge(given: Evidence, options: GateOptions) -> Decision:
    """Apply every rule; promote only if none failed.

    A rule that cannot be applied is reported as *not applicable*, never as passed.
    """
    checks = tuple(found for rule in RULES for found in rule(given, options))
    failed = [found for found in checks if found.status == FAILED]
    warned = [found for found in checks if found.status == WARNED]
    outcome = "refuse" if failed else "promote"
    reason = " ".join(found.message for found in failed) or "All checks that apply were passed."
    return Decision(outcome, reason, checks, warnings=tuple(found.message for found in warned))
