"""Is there enough to judge at all?"""

from __future__ import annotations

from faultxfer.config import GateOptions
from faultxfer.evaluate.gate.check import OPEN, PASSED, Check, Evidence


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Enough fault and normal rows."""
    faults, normals = given.candidate.faults, given.candidate.rows - given.candidate.faults
    lacking = {
        "labelled faults": options.min_faults - faults,
        "normal rows": options.min_normals - normals,
    }
    wanted = " and ".join(f"{count} more {kind}" for kind, count in lacking.items() if count > 0)
    message = (
        f"{faults} fault and {normals} normal rows judge; at least {options.min_faults} and "
        f"{options.min_normals} are needed."
    )
    if wanted:
        message += f" At least {wanted} would settle it."
    return [Check("GATE-EVIDENCE", "enough rows to judge", OPEN if wanted else PASSED, message)]
