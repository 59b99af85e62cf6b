"""The operating policy for a machine's first model."""

from __future__ import annotations

from faultxfer.config import GateOptions
from faultxfer.evaluate.gate.check import APPROVAL, NOT_APPLICABLE, PASSED, Check, Evidence

_TITLE = "a machine's first model"


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Nothing watches over the machine yet: is a passing model promoted, or a person asked?"""
    if given.champion_version is not None:
        return [Check("GATE-FIRST", _TITLE, NOT_APPLICABLE, "The machine has a champion already.")]
    if options.first == "promote":
        message = (
            "This is the machine's first model; the rules let it be promoted on its own figures."
        )
        return [Check("GATE-FIRST", _TITLE, PASSED, message)]
    message = (
        "This is the machine's first model, and the rules want a person to approve it: read the report, and transfer "
        "again with `--override-gate` and the reason."
    )
    return [Check("GATE-FIRST", _TITLE, APPROVAL, message)]
