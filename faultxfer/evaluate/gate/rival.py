"""Rival checks: would something simpler have done better? Here negative transfer is noticed."""

from __future__ import annotations

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate.bounds import broken, by_interval, spread
from faultxfer.evaluate.gate.check import (
    FAILED,
    NOT_APPLICABLE,
    PASSED,
    WARNED,
    Check,
    Evidence,
    metric_name,
)
from faultxfer.evaluate.intervals import Interval


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Candidate minus best rival, per bounded metric."""
    measured = {title: metrics for title, metrics in given.rivals.items() if metrics is not None}
    bounded = {name: limit for name, limit in options.rival.items() if limit.min is not None}
    if not measured or not bounded:
        message = (
            "No rival could be measured."
            if not measured
            else "No bound against rivals is set under `rival`."
        )
        return [Check("GATE-RIVAL", "against the best rival", NOT_APPLICABLE, message)]
    checks = []
    for name, limit in bounded.items():
        known = {title: getattr(metrics, name) for title, metrics in measured.items()}
        known = {title: value for title, value in known.items() if value is not None}
        best = max(known, key=lambda title: known[title], default="")
        interval = given.against_rivals.get(best, {}).get(name)
        candidate = getattr(given.candidate, name)
        checks.append(
            _against(name, candidate, best, known.get(best), interval, limit, options.rival_refuses)
        )
    return checks


def _against(
    name: str,
    candidate: float | None,
    best: str,
    figure: float | None,
    interval: Interval | None,
    limit: Limit,
    refuses: bool,
) -> Check:
    title = f"{metric_name(name)} against the best rival"
    if candidate is None or figure is None:
        return Check(
            "GATE-RIVAL",
            title,
            NOT_APPLICABLE,
            f"The {metric_name(name)} could not be measured for both.",
        )
    change = candidate - figure
    difference = f"{change:+.3f}{spread(interval, '+.3f')}"
    if by_interval(limit, "estimate") and interval is not None:
        worse = broken(limit, interval.low, interval.high)
    else:
        worse = broken(limit, change, change)
    if not worse:
        figures = f"{candidate:.3f}, the best rival's {figure:.3f} ({best})"
        message = f"The candidate's {metric_name(name)} is {figures}: {difference}."
        return Check("GATE-RIVAL", title, PASSED, message)
    message = (
        f"A rival does better: {best} has {metric_name(name)} {figure:.3f}, "
        f"the candidate {candidate:.3f} ({difference})."
    )
    if interval is not None and interval.high > 0:
        message += " It may be chance."
    return Check("GATE-RIVAL", title, FAILED if refuses else WARNED, message)
