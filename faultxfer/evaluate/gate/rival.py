"""Rival checks: would something simpler have done better? Here negative transfer is noticed."""

from __future__ import annotations

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate.check import FAILED, NOT_APPLICABLE, PASSED, WARNED, Check, Evidence, metric_name


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Candidate minus best rival, per bounded metric."""
    measured = {title: metrics for title, metrics in given.rivals.items() if metrics is not None}
    bounded = {name: limit for name, limit in options.rival.items() if limit.min is not None}
    if not measured or not bounded:
        message = "No rival could be measured." if not measured else "No bound against rivals is set under `rival`."
        return [Check("GATE-RIVAL", "against the best rival", NOT_APPLICABLE, message)]
    checks = []
    for name, limit in bounded.items():
        figures = {title: getattr(metrics, name) for title, metrics in measured.items()}
        checks.append(_against_best(name, getattr(given.candidate, name), figures, limit, options.rival_refuses))
    return checks


def _against_best(
    name: str, candidate: float | None, rivals: dict[str, float | None], limit: Limit, refuses: bool
) -> Check:
    title = f"{metric_name(name)} against the best rival"
    known = {rival: value for rival, value in rivals.items() if value is not None}
    if candidate is None or not known or limit.min is None:
        return Check("GATE-RIVAL", title, NOT_APPLICABLE, f"The {metric_name(name)} could not be measured for both.")
    best = max(known, key=lambda rival: known[rival])
    change = candidate - known[best]
    if change >= limit.min:
        message = (
            f"The candidate's {metric_name(name)} is {candidate:.3f}, the best rival's {known[best]:.3f} ({best})."
        )
        return Check("GATE-RIVAL", title, PASSED, message)
    message = (
        f"A rival does better: {best} has {metric_name(name)} {known[best]:.3f}, the candidate {candidate:.3f} "
        f"({change:+.3f})."
    )
    return Check("GATE-RIVAL", title, FAILED if refuses else WARNED, message)
