"""Evidence for the gate, made by hand."""

from __future__ import annotations

import dataclasses

from faultxfer.config import GateOptions
from faultxfer.evaluate.gate.check import (
    Check,
    Comparison,
    Decision,
    Evidence,
)
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.metrics import Metrics
from faultxfer.metric_table import METRICS, ROW_METRICS

WITH_INTERVAL = [name for name in ROW_METRICS if METRICS[name].interval]

GOOD = Metrics(
    pr_auc=0.8,
    roc_auc=0.9,
    recall=0.7,
    precision=0.6,
    false_alarm_rate=0.04,
    log_loss=0.25,
    calibration_error=0.05,
    rows=100,
    faults=20,
)
WORSE = dataclasses.replace(GOOD, pr_auc=0.7, roc_auc=0.85)
DEFAULT = GateOptions()


def about(estimate: float, half: float) -> Interval:
    return Interval(estimate, estimate - half, estimate + half, half / 1.7)


def compared(
    candidate: Metrics, champion: Metrics, half: float = 0.01, **more: object
) -> Comparison:
    """A comparison in which every difference is known to ``half``."""
    pairs = {name: (getattr(candidate, name), getattr(champion, name)) for name in WITH_INTERVAL}
    changes = {
        name: about(one - other, half)
        for name, (one, other) in pairs.items()
        if None not in (one, other)
    }
    return Comparison(candidate, champion, candidate.rows, candidate.faults, 0, changes, **more)  # type: ignore[arg-type]


def evidence(
    candidate: Metrics = GOOD,
    champion: Metrics | None = None,
    rivals: dict[str, Metrics | None] | None = None,
    half: float = 0.01,
    **more: object,
) -> Evidence:
    comparison = compared(candidate, champion, half) if champion else None
    return Evidence(candidate, "4" if champion else None, comparison, rivals or {}, **more)  # type: ignore[arg-type]


def too_few_unseen() -> Evidence:
    comparison = Comparison(None, None, rows=7, faults=1, excluded=93)
    return Evidence(GOOD, "4", comparison, {})


def found(decision: Decision, code: str, about: str = "") -> Check:
    (check,) = [check for check in decision.checks if check.code == code and about in check.title]
    return check
