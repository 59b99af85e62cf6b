"""Is there enough to judge at all?"""

from __future__ import annotations

from faultxfer.config import GateOptions
from faultxfer.evaluate.gate.check import OPEN, PASSED, Check, Evidence


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Enough fault and normal rows."""
    faults, normals = given.candidate.faults, given.candidate.rows - given.candidate.faults
    enough = faults >= options.min_faults and normals >= options.min_normals
    message = (
        f"{faults} fault and {normals} normal rows judge; at least {options.min_faults} and "
        f"{options.min_normals} are needed."
    )
    if faults < options.min_faults:
        message += f" At least {options.min_faults - faults} more labelled faults would settle it."
    return [Check("GATE-EVIDENCE", "enough rows to judge", PASSED if enough else OPEN, message)]
