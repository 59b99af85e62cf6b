"""Change checks: is the candidate better than what production has, on rows that neither was trained on?"""

from __future__ import annotations

from faultxfer.config import LOWER_IS_BETTER, GateOptions, Limit
from faultxfer.evaluate.gate.bounds import asks_a_gain, gained, spread, tolerated, words
from faultxfer.evaluate.gate.check import (
    APPROVAL,
    FAILED,
    NOT_APPLICABLE,
    OPEN,
    PASSED,
    TIED,
    Check,
    Comparison,
    Evidence,
    metric_name,
)
from faultxfer.evaluate.gate.settle import more_rows, no_interval

_TITLE = "against the champion"


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Candidate minus champion, per bounded metric; a tie does not promote."""
    comparison = given.comparison
    if comparison is None:
        message = "There is no champion yet, so nothing was compared with it; the value checks alone decide."
        return [Check("GATE-CHANGE", _TITLE, NOT_APPLICABLE, message)]
    if comparison.candidate is None or comparison.champion is None:
        return [_cannot_compare(given.champion_version, comparison, options)]
    bounded = {name: limit for name, limit in options.change.items() if limit.bounds}
    if not bounded:
        message = "The gate has no change thresholds, so a champion cannot be replaced; set some under `change`."
        return [Check("GATE-NO-THRESHOLDS", "change thresholds are set", FAILED, message)]
    hidden = [
        metric_name(name)
        for name, limit in bounded.items()
        if _is_far_better(name, limit, comparison, options)
    ]
    checks = [_change(name, limit, comparison, options, hidden) for name, limit in bounded.items()]
    gain_asked = any(asks_a_gain(name, limit) for name, limit in bounded.items())
    return checks if gain_asked else [_gain_somewhere(bounded, comparison), *checks]


def _unseen(comparison: Comparison) -> str:
    if not comparison.excluded:
        return "The"
    rows = comparison.rows + comparison.excluded
    return f"On the {comparison.rows} of {rows} rows that the champion has not seen the"


def _cannot_compare(version: str | None, comparison: Comparison, options: GateOptions) -> Check:
    rows = f"rows with {comparison.faults} faults and {comparison.rows - comparison.faults} normal rows"
    needed = f"at least {options.min_faults} faults and {options.min_normals} normal rows"
    if comparison.excluded:
        message = (
            f"The champion (version {version}) was trained on {comparison.excluded} of these rows; the "
            f"{comparison.rows} {rows} that are left are too few to show that the candidate is better. "
            f"Bring newer labelled rows with {needed}."
        )
    else:
        message = (
            f"The champion (version {version}) was trained on none of these rows, but {comparison.rows} {rows} are too "
            f"few to show that the candidate is better. Bring more labelled rows: {needed} are asked."
        )
    return Check("GATE-CHANGE-EVIDENCE", "rows the champion has not seen", OPEN, message)


def _figures(name: str, comparison: Comparison) -> tuple[float, float] | None:
    pair = getattr(comparison.candidate, name), getattr(comparison.champion, name)
    return None if None in pair else pair


def _gain_somewhere(bounded: dict[str, Limit], comparison: Comparison) -> Check:
    """Bounds that only tolerate losses must not let a candidate pass that gains nothing."""
    better = []
    for name, limit in bounded.items():
        gain = (
            Limit(max=0.0, proof=limit.proof)
            if name in LOWER_IS_BETTER
            else Limit(min=0.0, proof=limit.proof)
        )
        pair = _figures(name, comparison)
        if (
            pair
            and gained(name, gain, pair[0] - pair[1], comparison.changes.get(name), tie=0.0)
            == PASSED
        ):
            better.append(metric_name(name))
    if better:
        return Check(
            "GATE-TIE",
            "a gain on the champion",
            PASSED,
            f"Better than the champion in {', '.join(better)}.",
        )
    message = "Better than the champion in none of the figures compared, as far as is shown; a tie does not promote."
    return Check("GATE-TIE", "a gain on the champion", TIED, message)


def _is_far_better(name: str, limit: Limit, comparison: Comparison, options: GateOptions) -> bool:
    """Whether a figure that no gain is asked of is shown to be better by more than a tie."""
    interval = comparison.changes.get(name)
    if interval is None or asks_a_gain(name, limit):
        return False
    return interval.high < -options.tie if name in LOWER_IS_BETTER else interval.low > options.tie


def _change(
    name: str, limit: Limit, comparison: Comparison, options: GateOptions, hidden: list[str]
) -> Check:
    title = f"{metric_name(name)} {_TITLE}"
    pair = _figures(name, comparison)
    if pair is None:
        return Check(
            "GATE-CHANGE",
            title,
            NOT_APPLICABLE,
            f"The {metric_name(name)} could not be measured for both.",
        )
    change, interval = pair[0] - pair[1], comparison.changes.get(name)
    if asks_a_gain(name, limit):
        status = gained(name, limit, change, interval, options.tie)
    else:
        status = tolerated(limit, change, interval, default="interval", strictly=True)
    message = (
        f"{_unseen(comparison)} {metric_name(name)} is {pair[0]:.3f} against the champion's {pair[1]:.3f} "
        f"({change:+.3f}{spread(interval, '+.3f')}); a change of {words(limit, 'more than', '+g')} is asked."
    )
    if status == TIED and hidden:
        status = APPROVAL
        message += f" That is a tie, but better by more than that in {', '.join(hidden)}: a person decides."
    elif status == TIED:
        message += (
            f" That is a tie: they differ by less than {options.tie:g}, and a tie does not promote."
        )
    if status == OPEN and interval is None:
        message += no_interval(name, bool(comparison.changes))
    if status == OPEN and interval is not None:
        counts = comparison.faults, comparison.rows - comparison.faults
        message += more_rows(name, limit, interval, counts, options, change=True)
    return Check("GATE-CHANGE", title, status, message)
