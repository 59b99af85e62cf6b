"""Budgets: does the candidate fit where it is to run?"""

from __future__ import annotations

from faultxfer.config import GateOptions
from faultxfer.evaluate.gate.check import FAILED, NOT_APPLICABLE, PASSED, Check, Evidence

_CODE = "GATE-BUDGET"


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Megabytes on disk, and milliseconds to score 1000 rows on the machine that transfers."""
    if given.cost is None:
        return [
            Check(
                _CODE,
                "size and speed",
                NOT_APPLICABLE,
                "Size and speed of the candidate were not measured.",
            )
        ]
    return [
        _within("size on disk", "megabytes", given.cost.megabytes, options.max_megabytes),
        _within(
            "time to score 1000 rows",
            "milliseconds",
            given.cost.milliseconds,
            options.max_milliseconds,
        ),
    ]


def _within(title: str, unit: str, value: float, most: float | None) -> Check:
    if most is None:
        message = f"The {title} is {value:.1f} {unit}; no bound is set under `max_{unit}`."
        return Check(_CODE, title, NOT_APPLICABLE, message)
    message = f"The {title} is {value:.1f} {unit}; at most {most:g} are allowed."
    return Check(_CODE, title, PASSED if value <= most else FAILED, message)
