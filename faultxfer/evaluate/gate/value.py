"""Value checks: is the candidate good enough in itself?"""

from __future__ import annotations

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate.check import FAILED, PASSED, Check, Evidence, metric_name


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """One check per bounded metric; no bounds, no blessing."""
    bounded = {name: limit for name, limit in options.value.items() if limit != Limit()}
    if not bounded:
        message = "The gate has no value thresholds, so nothing can pass it; set some under `value`."
        return [Check("GATE-NO-THRESHOLDS", "value thresholds are set", FAILED, message)]
    return [_within(name, getattr(given.candidate, name), limit) for name, limit in bounded.items()]


def _within(name: str, value: float | None, limit: Limit) -> Check:
    title = f"{metric_name(name)} by itself"
    if value is None:
        return Check("GATE-VALUE", title, FAILED, f"The {metric_name(name)} could not be measured: nothing alarmed.")
    too_low = limit.min is not None and value < limit.min
    too_high = limit.max is not None and value > limit.max
    bounds = " and ".join(
        f"{word} {bound:g}" for word, bound in (("at least", limit.min), ("at most", limit.max)) if bound is not None
    )
    message = f"The candidate's {metric_name(name)} is {value:.3f}; {bounds} is asked."
    return Check("GATE-VALUE", title, FAILED if too_low or too_high else PASSED, message)
