"""A detector that does not alarm at the very faults it was made from will find no others."""

from __future__ import annotations

from faultxfer.config import GateOptions
from faultxfer.evaluate.gate.check import FAILED, NOT_APPLICABLE, PASSED, Check, Evidence

_CODE, _TITLE = "GATE-SILENT", "alarms at the labelled faults"
_HELD_OUT = "alarms at faults it had not seen"
_MEND = (
    "Transfer again without `--alarm-confidence` if you asked for it, or with more labelled normal "
    "rows; if nothing helps, these sensors do not show these faults."
)


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """The machine's labelled faults raise alarms; no option lets a silent detector pass.

    Those that it was fitted on are asked of the kept model, and those that were held out of the
    models that had not seen them.
    """
    return [_of_kept_model(given), _of_held_out(given)]


def _of_kept_model(given: Evidence) -> Check:
    own = given.own_faults
    if own is None or not own.faults:
        message = "What the kept model says of the labelled faults was not measured."
        return Check(_CODE, _TITLE, NOT_APPLICABLE, message)
    if own.alarms:
        message = f"The kept model alarms at {own.alarms} of {own.faults} labelled fault rows."
        return Check(_CODE, _TITLE, PASSED, message)
    message = (
        f"The kept model alarms at none of the {own.faults} labelled fault rows, not even at those "
        f"it was fitted on, so it would be silent. {_MEND}"
    )
    return Check(_CODE, _TITLE, FAILED, message, by_rows=False)


def _of_held_out(given: Evidence) -> Check:
    faults, recall = given.candidate.faults, given.candidate.recall
    if not faults:
        message = "No fault row was held out, so what is said of new ones is not known."
        return Check(_CODE, _HELD_OUT, NOT_APPLICABLE, message)
    if recall:
        message = f"{recall:.0%} of the {faults} fault rows that were held out raise an alarm."
        return Check(_CODE, _HELD_OUT, PASSED, message)
    message = (
        f"None of the {faults} fault rows raises an alarm of a model that had not seen it, so the "
        f"detector would probably be silent. {_MEND}"
    )
    return Check(_CODE, _HELD_OUT, FAILED, message)
