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
    pair_of,
)
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.metrics import Metrics
from faultxfer.metric_table import METRICS

_CODE, _TITLE = "GATE-RIVAL", "against the best rival"


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Candidate minus best rival, per bounded metric."""
    measured = {title: metrics for title, metrics in given.rivals.items() if metrics is not None}
    limits = {name: limit for name, limit in options.rival.items() if limit.min is not None}
    if not measured:
        return [Check(_CODE, _TITLE, NOT_APPLICABLE, "No rival could be measured.")]
    if not limits:
        message = "No bound against rivals is set under `rival`."
        return [Check(_CODE, _TITLE, NOT_APPLICABLE, message)]
    return [_against_best(name, limit, given, measured, options) for name, limit in limits.items()]


def _against_best(
    name: str,
    limit: Limit,
    given: Evidence,
    measured: dict[str, Metrics],
    options: GateOptions,
) -> Check:
    metric = METRICS[name].title
    title = f"{metric} {_TITLE}"
    best = _best(name, measured)
    pair = pair_of(name, given.candidate, measured.get(best))
    if pair is None:
        message = f"The {metric} could not be measured for both."
        return Check(_CODE, title, NOT_APPLICABLE, message)
    change = pair[0] - pair[1]
    interval = given.against_rivals.get(best, {}).get(name)
    difference = f"{change:+.3f}{spread(interval, '+.3f')}"
    decisive = Interval.at(change)
    if by_interval(limit, "estimate") and interval is not None:
        decisive = interval
    if not broken(limit, decisive):
        message = (
            f"The candidate's {metric} is {pair[0]:.3f}, the best rival's {pair[1]:.3f} ({best}): "
            f"{difference}."
        )
        return Check(_CODE, title, PASSED, message)
    message = (
        f"A rival does better: {best} has {metric} {pair[1]:.3f}, the candidate {pair[0]:.3f} "
        f"({difference})."
    )
    if interval is not None and interval.high > 0:
        message += " It may be chance."
    if options.rival_refuses:
        return Check(_CODE, title, FAILED, message)
    return Check(_CODE, title, WARNED, message)


def _best(name: str, measured: dict[str, Metrics]) -> str:
    """Title of the first rival with the highest value; empty where none has one."""
    values = {title: getattr(metrics, name) for title, metrics in measured.items()}
    known = {title: value for title, value in values.items() if value is not None}
    return max(known, key=lambda title: known[title], default="")
