"""Change checks: is the candidate better than what production has, on rows that neither was trained on?"""

from __future__ import annotations

from faultxfer.config import LOWER_IS_BETTER, GateOptions, Limit
from faultxfer.evaluate.gate.check import FAILED, NOT_APPLICABLE, PASSED, Check, Comparison, Evidence, metric_name

_TITLE = "against the champion"


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Candidate minus champion, per bounded metric; a tie does not promote."""
    if given.comparison is None:
        message = "There is no champion yet, so nothing was compared with it; the value checks alone decide."
        return [Check("GATE-CHANGE", _TITLE, NOT_APPLICABLE, message)]
    comparison = given.comparison
    if comparison.candidate is None or comparison.champion is None:
        return [_cannot_compare(given.champion_version, comparison)]
    bounded = {name: limit for name, limit in options.change.items() if limit != Limit()}
    if not bounded:
        message = "The gate has no change thresholds, so a champion cannot be replaced; set some under `change`."
        return [Check("GATE-NO-THRESHOLDS", "change thresholds are set", FAILED, message)]
    pairs = {name: (getattr(comparison.candidate, name), getattr(comparison.champion, name)) for name in bounded}
    return [_tie(pairs), *[_change(name, *pairs[name], limit) for name, limit in bounded.items()]]


def _tie(pairs: dict[str, tuple[float | None, float | None]]) -> Check:
    """Bounds that only tolerate losses must not let a candidate pass that gains nothing."""
    better = [metric_name(name) for name, pair in pairs.items() if _gain(name, *pair) > 0]
    if better:
        message = f"Better than the champion in {', '.join(better)}."
        return Check("GATE-TIE", "a gain on the champion", PASSED, message)
    message = "The candidate is better than the champion in none of the figures compared; a tie does not promote."
    return Check("GATE-TIE", "a gain on the champion", FAILED, message)


def _gain(name: str, candidate: float | None, champion: float | None) -> float:
    if candidate is None or champion is None:
        return 0.0
    return champion - candidate if name in LOWER_IS_BETTER else candidate - champion


def _cannot_compare(version: str | None, comparison: Comparison) -> Check:
    message = (
        f"The champion (version {version}) was trained on {comparison.excluded} of these rows; the {comparison.rows} "
        f"rows left with {comparison.faults} faults are too few to show that the candidate is better. "
        "Bring newer labelled rows."
    )
    return Check("GATE-CHANGE-EVIDENCE", "rows the champion has not seen", FAILED, message)


def _change(name: str, candidate: float | None, champion: float | None, limit: Limit) -> Check:
    title = f"{metric_name(name)} {_TITLE}"
    if candidate is None or champion is None:
        return Check("GATE-CHANGE", title, NOT_APPLICABLE, f"The {metric_name(name)} could not be measured for both.")
    change = candidate - champion
    # Strictly above `min`: with the default of 0 an equal PR-AUC is not a gain.
    too_low = limit.min is not None and change <= limit.min
    too_high = limit.max is not None and change > limit.max
    bounds = " and ".join(
        f"{word} {bound:+g}" for word, bound in (("more than", limit.min), ("at most", limit.max)) if bound is not None
    )
    message = (
        f"The {metric_name(name)} is {candidate:.3f} against the champion's {champion:.3f} ({change:+.3f}); "
        f"a change of {bounds} is asked."
    )
    return Check("GATE-CHANGE", title, FAILED if too_low or too_high else PASSED, message)
