"""What every candidate must meet: enough rows, its budgets, and who promotes it."""

from __future__ import annotations

from faultxfer.config import GateOptions
from faultxfer.evaluate.gate.check import (
    APPROVAL,
    FAILED,
    NOT_APPLICABLE,
    OPEN,
    PASSED,
    Check,
    Evidence,
)

ROWS, _BUDGET, _FIRST = "GATE-EVIDENCE", "GATE-BUDGET", "GATE-FIRST"
_POLICY, _LABELS = "GATE-POLICY", "GATE-LABELS"
_FIRST_TITLE = "a machine's first model"


def check_rows(given: Evidence, options: GateOptions) -> list[Check]:
    """Enough fault and normal rows."""
    title = "enough rows to judge"
    faults = given.candidate.faults
    normals = given.candidate.rows - faults
    message = (
        f"{faults} fault and {normals} normal rows judge; at least {options.min_faults} and "
        f"{options.min_normals} are needed."
    )
    if not given.decides and faults in (0, given.candidate.rows):
        message = f"{_why_nothing_is_shown(faults, normals)} {message}"
    lacking = []
    if faults < options.min_faults:
        lacking.append(_more(options.min_faults - faults, "labelled fault"))
    if normals < options.min_normals:
        lacking.append(_more(options.min_normals - normals, "normal row"))
    if not given.decides and 0 < faults < given.candidate.rows:
        message += " Models that may have seen no fault of this machine judged them."
        lacking = lacking or ["one more recording with faults"]
    if not lacking:
        return [Check(ROWS, title, PASSED, message)]
    wanted = " and ".join(lacking)
    return [Check(ROWS, title, OPEN, f"{message} At least {wanted} would settle it.")]


def _why_nothing_is_shown(faults: int, normals: int) -> str:
    if faults:
        return (
            "Every row is labelled fault, so nothing tells a fault from normal operation, and the "
            "source model is left as it is."
        )
    if normals:
        return (
            "Every labelled row is healthy, so what is found on this machine is not shown; the "
            "source model is left as it is, with a threshold of this machine."
        )
    return "No row has a label, so nothing is shown, and the source model is left as it is."


def _more(count: int, what: str) -> str:
    """How many are missing.

    >>> _more(1, "normal row"), _more(2, "normal row")
    ('1 more normal row', '2 more normal rows')
    """
    return f"{count} more {what}{'' if count == 1 else 's'}"


def check_labels(given: Evidence, _options: GateOptions) -> list[Check]:
    """A person decides where the source detector contradicts the labels."""
    title = "labels against the source detector"
    if not given.against:
        message = "Nothing was found that contradicts the labels."
        return [Check(_LABELS, title, PASSED, message, by_rows=False)]
    return [Check(_LABELS, title, APPROVAL, " ".join(given.against), by_rows=False)]


def check_budgets(given: Evidence, options: GateOptions) -> list[Check]:
    """Megabytes on disk, and milliseconds to score 1000 rows on the machine that transfers."""
    cost = given.cost
    if cost is None:
        message = "Size and speed of the candidate were not measured."
        return [Check(_BUDGET, "size and speed", NOT_APPLICABLE, message)]
    size = _within("size on disk", "megabytes", cost.megabytes, options.max_megabytes)
    title = "time to score 1000 rows"
    return [size, _within(title, "milliseconds", cost.milliseconds, options.max_milliseconds)]


def _within(title: str, unit: str, value: float, most: float | None) -> Check:
    message = f"The {title} is {value:.1f} {unit}"
    if most is None:
        message += f"; no bound is set under `max_{unit}`."
        return Check(_BUDGET, title, NOT_APPLICABLE, message)
    message += f"; at most {most:g} are allowed."
    if value <= most:
        return Check(_BUDGET, title, PASSED, message)
    return Check(_BUDGET, title, FAILED, message, by_rows=False)


def check_first(given: Evidence, options: GateOptions) -> list[Check]:
    """Nothing watches over the machine yet: is a passing model promoted, or a person asked?"""
    if given.champion_version is not None:
        message = "The machine has a champion already."
        return [Check(_FIRST, _FIRST_TITLE, NOT_APPLICABLE, message)]
    message = "This is the machine's first model"
    if options.first == "promote":
        message += "; the rules let it be promoted on its own metrics."
        return [Check(_FIRST, _FIRST_TITLE, PASSED, message)]
    message += ", and the rules want a person to approve it."
    return [Check(_FIRST, _FIRST_TITLE, APPROVAL, message)]


def check_policy(given: Evidence, options: GateOptions) -> list[Check]:
    """Does the gate promote what passes, or a person?"""
    title = "who promotes"
    if options.policy == "managed":
        message = "The policy is `managed`: no promotion needs approval on its account."
        return [Check(_POLICY, title, NOT_APPLICABLE, message)]
    message = "The rules want a person to approve every promotion."
    return [Check(_POLICY, title, APPROVAL, message, by_rows=False)]
