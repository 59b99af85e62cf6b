"""A detector that does not alarm at the very faults it was made from will find no others."""

from __future__ import annotations

from faultxfer.config import GateOptions
from faultxfer.evaluate.gate.check import FAILED, NOT_APPLICABLE, PASSED, Check, Evidence

_CODE, _TITLE = "GATE-SILENT", "alarms at the labelled faults"


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """The kept model alarms at some of the machine's labelled faults; no option lets it pass."""
    own = given.own_faults
    if own is None or not own.faults:
        message = "What the kept model says of the labelled faults was not measured."
        return [Check(_CODE, _TITLE, NOT_APPLICABLE, message)]
    if own.alarms:
        message = f"The kept model alarms at {own.alarms} of {own.faults} labelled fault rows."
        return [Check(_CODE, _TITLE, PASSED, message)]
    message = (
        f"The kept model alarms at none of the {own.faults} labelled fault rows, not even at those "
        "it was fitted on, so it would be silent. Transfer again without "
        "`--alarm-confidence` if you asked for it, or with more labelled normal rows; if nothing "
        "helps, these sensors do not show these faults."
    )
    return [Check(_CODE, _TITLE, FAILED, message, by_rows=False)]
